"""Calls whose SIP comes over TCP, WebSocket and SCTP, cut and ordered in every way: each gives the evidence of the call over UDP."""

import os
import re
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import carry
import pcapfile
from facts import Facts
from program import Otway

# Two parties, IPv6, and a proxy with a leg on either side.
CAPTURES = ["s01_direct_sdes", "s02_proxied_sdes", "s09_direct_ipv6"]
# What a message is counted as.
COUNTERS = {"tcp": "sip_tcp", "websocket": "websocket", "sctp": "sctp"}


def message(packet):
    """What a packet of the evidence carries: TCP without options, or SCTP with one DATA chunk."""
    v4 = packet[0] >> 4 == 4
    protocol, rest = (packet[9], packet[20:]) if v4 else (packet[6], packet[40:])
    return rest[20:] if protocol == 6 else rest[28:12 + struct.unpack(">H", rest[14:16])[0]]


def without_keys(octets):
    return re.sub(rb"(?<=inline:)[^|\s]*", b"", octets)


class Carried(unittest.TestCase):
    """One capture, one way to carry its SIP; load_tests makes a method for each."""

    def assert_evidence(self, name, kind):
        known = Facts(name)
        with Otway() as otway:
            path = otway.path("carried.pcap")
            pcapfile.write(path, carry.carry(known.packets, kind), link=pcapfile.ETHERNET)
            otway.agency("Test Agency")
            role = known.roles()[0]
            otway.warrant("L1", role.target, trust=role.trust)
            done = otway.decrypt(path)
            self.assertEqual(done.code, 0, repr(done))
            case = otway.case("L1")
            self.assert_call(known, role, case)
            self.assert_messages(known, role, otway.path("case", "L1", "call-0001", "signalling.pcap"))
            self.assert_counters(known, kind, case["counters"])

    def assert_call(self, known, role, case):
        dialogs = known.call(role.person)
        self.assertEqual([sorted(c["call_ids"]) for c in case["calls"]], [sorted(c["call_id"] for c in dialogs)])
        found = {(s["src"], s["dst"], s["ssrc"]): s for s in case["calls"][0]["streams"]}
        wanted = {(s["src"], s["dst"], s["ssrc"]): known.expected(s) for s in known.streams(role.person)}
        self.assertEqual(sorted(found), sorted(wanted))
        for key, fields in wanted.items():
            self.assertEqual({f: found[key].get(f) for f in fields}, fields, key)

    def assert_messages(self, known, role, path):
        sent = known.sip({c["call_id"] for c in known.call(role.person)})
        kept = pcapfile.read(path)
        for p, d in zip(kept, sent):  # a copy of some segment of it may have come later
            self.assertTrue(0 <= d.at - p.at < 100 * carry.STEP, (p.at, d.at))
        self.assertEqual([without_keys(message(p.data)) for p in kept], [without_keys(d.payload) for d in sent])

    def assert_counters(self, known, kind, counters):
        sent = sum(carry.is_sip(d.payload) for d in known.datagrams)
        self.assertEqual(counters[COUNTERS[kind.split("-")[0]]], sent)
        for name in ("tcp_gaps", "tcp_resync", "tcp_refused", "tcp_cut", "tcp_evicted"):
            self.assertEqual(counters[name], 0, name)


class Coded(unittest.TestCase):
    """The bodies of a call come coded: the same streams are opened, and no coding keeps a key in the evidence."""

    def assert_evidence(self, coding):
        known = Facts("s01_direct_sdes")
        with Otway() as otway:
            path = otway.path("coded.pcap")
            pcapfile.write(path, carry.coded(known.packets, coding), link=pcapfile.ETHERNET)
            otway.agency("Test Agency")
            role = known.roles()[0]
            otway.warrant("L1", role.target, trust=role.trust)
            done = otway.decrypt(path)
            self.assertEqual(done.code, 0, repr(done))
            Carried.assert_call(self, known, role, otway.case("L1"))
            sent = {d.payload for d in pcapfile.datagrams(pcapfile.read(path)) if carry.is_sip(d.payload)}
            kept = {d.payload for d in pcapfile.datagrams(pcapfile.read(otway.path("case", "L1", "call-0001", "signalling.pcap")))}
            keyed = {m for m in sent if b"multipart" in m or b"\r\nContent-Encoding:" in m or b"\r\ne:" in m}
            self.assertGreaterEqual(len(keyed), 2)
            self.assertEqual(keyed & kept, set())
            self.assertEqual({m for m in sent if m not in keyed} - kept, set())
            self.assertEqual(sum(b"*" * 60 in m for m in kept), len(keyed))


def coded_method(coding):
    return lambda self: self.assert_evidence(coding)


for _coding in carry.CODINGS:
    setattr(Coded, "test_bodies_in_" + _coding.replace("-", "_"), coded_method(_coding))


def method_of(name, kind):
    return lambda self: self.assert_evidence(name, kind)


for _name in CAPTURES:
    for _kind in carry.kinds():
        setattr(Carried, "test_%s_over_%s" % (_name, _kind.replace("-", "_")), method_of(_name, _kind))


if __name__ == "__main__":
    unittest.main()
