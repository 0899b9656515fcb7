"""What `otway explain` says was not used of a capture, and why; and the settings of --config that it speaks of. Frames are made
here, and counted here."""

import json
import os
import re
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import carry
import encap
import pcapfile
from facts import Facts
from program import ROOT, Otway

KNOWN = Facts("s01_direct_sdes")
IP_PACKETS = sum(encap.to_ip(p.data) is not None for p in KNOWN.packets)
# A tunnel, a wrapping of it, and where it is found: a UDP port, None for what is in IP or beneath it.
TUNNELS = [("vxlan", "vxlan", 4789), ("vxlan", "vxlan-old-port", 8472), ("geneve", "geneve", 6081), ("gtpu", "gtpu", 2152),
           ("tzsp", "tzsp", 37008), ("l2tp", "l2tp", 1701), ("mpls", "mpls", None), ("pppoe", "pppoe", None), ("gre", "gre", None),
           ("erspan", "erspan2", None), ("ipip", "ip-in-ipv4", None), ("esp", "esp-null", None)]
AT = 1_790_000_000 * 10**9


def moved(frames, old, new):
    """The same tunnels on another port."""
    for p in frames:
        yield pcapfile.Packet(p.at, p.link, p.data[:36] + struct.pack(">H", new) + p.data[38:]
                              if p.data[36:38] == struct.pack(">H", old) else p.data, p.wire_len)


def frame(data, n=0):
    return pcapfile.Packet(AT + n * 10**6, 1, data, len(data))


def udp(port, payload, n=0, source=40000):
    return frame(encap.ethernet(0x0800, encap.ipv4(17, encap.udp(port, payload, source))), n)


def tcp(port, payload, n=0):
    head = struct.pack(">HHIIBBHHH", 40000, port, 1000, 1, 0x50, 0x18, 8192, 0, 0)
    return frame(encap.ethernet(0x0800, encap.ipv4(6, head + payload)), n)


class Explain(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.otway.agency("Police")
        self.otway.warrant("L1", "sip:bob@10.77.0.12", agency="Police")

    def capture(self, packets, **how):
        path = self.otway.path("made.pcap")
        pcapfile.write(path, list(packets), **how)
        return path

    def config(self, text):
        path = self.otway.path("otway.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return ["--config", path]

    def explained(self, packets, more=(), **how):
        """Where set-ups stopped, the counters, and the findings: (kind, name, id) -> (count, text). The text page says the same."""
        path = packets if isinstance(packets, str) else self.capture(packets, **how)
        *setups, last = [json.loads(line) for line in self.otway.run("explain", path, "--json", *more, code=0).out.splitlines()]
        page = self.otway.run("explain", path, *more, code=0).out.decode()
        for f in last["findings"]:
            self.assertEqual(set(f), {"finding", "name", "id", "count", "text"})
            self.assertIn("  - %s\n" % f["text"], page)
            self.assertIn(str(f["count"]), f["text"])
        for name, value in last["counters"].items():
            if value > 0:
                self.assertRegex(page, r"\n  %s +%d  \S" % (name, value))
        found = {(f["finding"], f["name"], f["id"]): (f["count"], f["text"]) for f in last["findings"]}
        self.assertEqual(len(found), len(last["findings"]))
        return [s["stopped"] for s in setups], last["counters"], found

    def test_s09_a_tunnel_that_the_configuration_leaves_alone_is_told(self):
        for tunnel, kind, port in TUNNELS:
            with self.subTest(kind=kind):
                frames = list(encap.wrap(KNOWN.packets, kind))
                wrapped = sum(a.data != b.data for a, b in zip(frames, KNOWN.packets))
                stopped, counters, found = self.explained(frames, self.config("decap: { leave: [%s] }\n" % tunnel))
                count, text = found[("tunnel-left", tunnel, port)]
                self.assertEqual((stopped, count, counters["wrapped"], counters[tunnel]), ([], wrapped, wrapped, 0))
                self.assertIn("un-stripped", text)
                self.assertIn("take '%s' out of decap: leave" % tunnel, text)
                self.assertFalse([k for k in found if k[0] == "udp-tunnel"])
                self.assertEqual(self.explained(frames)[0], ["delivered"])

    def test_s09_a_tunnel_on_a_port_that_nobody_named_is_told_and_the_advice_is_right(self):
        for tunnel, kind, port in [("vxlan", "vxlan", 4789), ("geneve", "geneve", 6081), ("geneve", "geneve-ip", 6081),
                                   ("gtpu", "gtpu-5g", 2152), ("tzsp", "tzsp", 37008), ("hep", "hep", 9060)]:
            with self.subTest(kind=kind):
                frames = list(moved(encap.wrap(KNOWN.packets, kind), port, 7777))
                wrapped = sum(p.data[36:38] == struct.pack(">H", 7777) for p in frames)
                stopped, counters, found = self.explained(frames)
                self.assertEqual((stopped, found[("udp-tunnel", tunnel, 7777)][0], counters["udp_tunnel"]), ([], wrapped, wrapped))
                self.assertIn("decap: ports: " + tunnel, found[("udp-tunnel", tunnel, 7777)][1])
                stopped, _, found = self.explained(frames, self.config("decap:\n  ports:\n    %s: [7777]\n" % tunnel))
                self.assertEqual(stopped, ["delivered"])
                self.assertFalse([k for k in found if "tunnel" in k[0]])

    def test_decrypt_goes_by_the_same_settings(self):
        path = self.capture(encap.wrap(KNOWN.packets, "vxlan"))
        done = self.otway.decrypt(path, more=self.config("decap: { leave: [vxlan] }\n"), code=0)
        self.assertFalse(os.path.exists(self.otway.path("case")), repr(done))
        self.otway.decrypt(path, more=self.config("decap: { leave: [gre] }\n"), code=0)
        self.assertEqual(len(self.otway.case("L1")["calls"]), 1)

    def test_nesting_beyond_the_depth_that_is_set_is_told(self):
        frames = list(encap.wrap(KNOWN.packets, "three-tunnels"))
        stopped, counters, found = self.explained(frames, self.config("decap: { depth: 8 }\n"))
        self.assertEqual((stopped, counters["too_deep"]), ([], len(KNOWN.packets)))
        self.assertEqual(found[("too_deep", None, None)][0], len(KNOWN.packets))
        self.assertEqual(self.explained(frames)[0], ["delivered"])

    def test_s30_sip_on_ports_that_are_not_listed_is_told(self):
        messages = sum(carry.is_sip(d.payload.lstrip(b"\r\n")) for d in KNOWN.datagrams)
        stopped, counters, found = self.explained(KNOWN.path, self.config("sip:\n  ports: [5070, 5080]\n"))
        self.assertEqual((stopped, counters["sip"], found[("sip_other_port", None, None)][0]), ([], 0, messages))
        self.assertIn("sip: ports", found[("sip_other_port", None, None)][1])
        stopped, counters, found = self.explained(KNOWN.path, self.config("sip:\n  ports: [5070, 5060]\n"))
        self.assertEqual((stopped, counters["sip"], counters["sip_other_port"]), (["delivered"], messages, 0))

    def test_s30_it_holds_for_tcp_websocket_and_sctp(self):
        for kind in ("tcp", "websocket", "sctp"):
            if kind not in carry.kinds():
                self.fail("there is no %s among %s" % (kind, carry.kinds()))
            with self.subTest(kind=kind):
                path = self.capture(carry.carry(KNOWN.packets, kind))
                self.assertEqual(self.explained(path)[0], ["delivered"])
                stopped, counters, found = self.explained(path, self.config("sip: { ports: [9] }\n"))
                self.assertEqual((stopped, counters["sip"]), ([], 0))
                self.assertGreater(found[("sip_other_port", None, None)][0], 0)

    def test_kinds_that_bear_no_call_are_told_by_number(self):
        frames = [frame(encap.ethernet(0x88CC, bytes(50))), frame(encap.ethernet(0xABCD, bytes(50))),
                  frame(encap.ethernet(0xABCD, bytes(50))), frame(encap.ethernet(0x0026, bytes.fromhex("424203") + bytes(43))),
                  frame(encap.ethernet(0x0800, encap.ipv4(1, bytes(8)))), frame(encap.ethernet(0x0800, encap.ipv4(200, bytes(8)))),
                  frame(encap.ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 7, 12) + b"\xc0\x21" + bytes(10))),
                  udp(4789, b"no tunnel at all")]
        stopped, counters, found = self.explained(frames)
        self.assertEqual({k: v[0] for k, v in found.items()}, {
            ("ethertype", None, 0x88CC): 1, ("ethertype", None, 0xABCD): 2, ("llc", None, None): 1, ("protocol", None, 1): 1,
            ("protocol", None, 200): 1, ("ppp", None, 0xC021): 1, ("not-tunnel", "vxlan", 4789): 1, ("udp-other", None, 4789): 1,
            ("unknown_layer", None, None): 2})
        self.assertIn("LLDP", found[("ethertype", None, 0x88CC)][1])
        self.assertIn("cannot be taken apart", found[("ethertype", None, 0xABCD)][1])
        self.assertEqual((counters["not_ip"], counters["unknown_layer"], counters["not_transport"]), (3, 2, 2))

    def test_udp_that_is_nobodys_is_told_by_kind(self):
        rtp = struct.pack(">BBHII", 0x80, 0, 1, 160, 7) + bytes(160)
        rtcp = struct.pack(">BBHI", 0x80, 200, 6, 7) + bytes(20)
        dtls = struct.pack(">BHHIHH", 22, 0xFEFD, 0, 0, 1, 20) + bytes(20)
        stun = struct.pack(">HHI", 1, 0, 0x2112A442) + bytes(12)
        frames = [udp(4000, rtp), udp(4000, rtp, 1), udp(4001, rtcp), udp(4000, dtls), udp(5061, dtls), udp(3478, stun),
                  udp(53, b"\x12\x34\x01\x00" + bytes(20)), udp(41000, b"\x12\x34" + bytes(20), source=514)]
        _, counters, found = self.explained(frames)
        self.assertEqual({k: v[0] for k, v in found.items()}, {
            ("udp-rtp", None, None): 2, ("udp-rtcp", None, None): 1, ("udp-dtls", None, None): 1, ("udp-dtls", None, 5061): 1,
            ("udp-stun", None, None): 1, ("udp-other", None, 53): 1, ("udp-other", None, 514): 1})
        self.assertIn("SIP over DTLS", found[("udp-dtls", None, 5061)][1])
        self.assertEqual([counters["udp_" + n] for n in ("rtp", "rtcp", "dtls", "stun", "other", "tunnel")], [2, 1, 2, 1, 2, 0])

    def test_more_ports_than_are_told_apart_are_told_together(self):
        _, counters, found = self.explained([udp(6100 + n, b"\x12\x34" + bytes(20), n) for n in range(100)])
        self.assertEqual((counters["udp_other"], sum(v[0] for v in found.values())), (100, 100))
        self.assertGreater(found[("udp-other", None, None)][0], 1)

    def test_sip_over_tls_is_told_and_never_guessed(self):
        record = b"\x17\x03\x03\x00\x20" + bytes(range(32))
        _, counters, found = self.explained([tcp(5061, record), tcp(443, record, 1), tcp(25, b"220 hello\r\n", 2)])
        self.assertEqual((found[("sip_tls", None, None)][0], counters["sip"], counters["tcp_other"]), (1, 0, 2))
        self.assertIn("SIP over TLS", found[("sip_tls", None, None)][1])
        self.assertEqual(self.explained([tcp(5061, record)], self.config("sip: { ports: [5060] }\n"))[1]["sip_tls"], 1)

    def test_esp_that_is_encrypted_is_told(self):
        draw = iter(bytes((i * i * 31 + i * 17 + 5) % 251 for i in range(20000)))
        frames = [frame(encap.ethernet(0x0800, encap.ipv4(50, struct.pack(">II", 0x7777, n + 1) + bytes(next(draw) for _ in range(200)))), n)
                  for n in range(20)]
        _, counters, found = self.explained(frames)
        told = [v[0] for k, v in found.items() if k[0] in ("esp_sealed", "esp_undecided")]
        self.assertEqual((sum(told), counters["datagrams"], counters["sip"]), (20, 0, 0))
        self.assertGreater(found[("esp_sealed", None, None)][0], 0)

    def test_signalling_lost_with_a_fragment_is_told(self):
        known = Facts("s17_fragmented")
        later = [p for p in known.packets if p.data[12:14] == b"\x08\x00" and struct.unpack(">H", p.data[20:22])[0] & 0x1FFF]
        self.assertGreater(len(later), 0)
        begun = sum(p.data[12:14] == b"\x08\x00" and struct.unpack(">H", p.data[20:22])[0] & 0x3FFF == 0x2000 and
                    carry.is_sip(p.data[42:]) for p in known.packets)
        stopped, counters, found = self.explained([p for p in known.packets if p not in later])
        self.assertEqual(found[("fragments_sip_lost", None, None)][0], begun)
        self.assertIn("fragment", found[("fragments_sip_lost", None, None)][1])
        _, counters, found = self.explained(known.path)
        self.assertEqual((counters["fragments_incomplete"], counters["fragments_sip_lost"]), (0, 0))

    def test_segments_that_were_not_captured_are_told(self):
        known = Facts("s12_proxied_tcp")
        sip = [p for p in known.packets if p.data[23:24] == b"\x06" and carry.is_sip(p.data[14 + 20 + (p.data[46] >> 4) * 4:])]
        lost = next(p for i, p in enumerate(sip) if any(p.data[26:38] == later.data[26:38] for later in sip[i + 1:]))
        _, counters, found = self.explained([p for p in known.packets if p.data != lost.data])
        self.assertEqual(counters["tcp_gaps"], 1)
        self.assertEqual(found[("tcp_gaps", None, None)][0], counters["tcp_gaps"])
        self.assertEqual(self.explained(known.path)[1]["tcp_gaps"], 0)

    def test_what_the_snapshot_length_cut_is_told(self):
        known = Facts("s07_plain_rtp__snap220")
        cut = sum(p.wire_len > len(p.data) for p in known.packets)
        _, counters, found = self.explained(known.path)
        self.assertEqual((counters["frames_cut"], found[("frames_cut", None, None)][0]), (cut, cut))
        self.assertIn("snapshot length", found[("frames_cut", None, None)][1])

    def test_media_of_no_warrant_is_told_as_that(self):
        packets = [p for p in KNOWN.packets if not (p.data[12:14] == b"\x08\x00" and p.data[23] == 17 and carry.is_sip(p.data[42:]))]
        rtp = sum(d.payload[:1] >= b"\x80" and not 192 <= d.payload[1] <= 223 for d in pcapfile.datagrams(packets))
        stopped, counters, found = self.explained(packets)
        self.assertEqual((stopped, found[("udp-rtp", None, None)][0], counters["rtp"]), ([], rtp, 0))

    def test_a_clean_call_leaves_nothing_to_tell_but_what_bears_no_call(self):
        stopped, _, found = self.explained(KNOWN.path)
        self.assertEqual(stopped, ["delivered"])
        self.assertLessEqual({k[0] for k in found}, {"ethertype", "protocol", "llc", "udp-rtp", "udp-rtcp", "udp-stun"})

    def test_nobody_is_named(self):
        page = self.otway.run("explain", KNOWN.path, code=0).out
        for word in [b"alice", b"bob", b"10.77.0."]:
            self.assertNotIn(word, page)

    def test_every_counter_has_its_meaning_in_the_manual(self):
        _, counters, _ = self.explained(KNOWN.path)
        manual = self.otway.run("help", "--man", "explain", code=0).out.decode().split(".SH COUNTERS")[1].split(".SH")[0]
        listed = re.findall(r"^\.TP\n\\fB(\w+)\\fR\n\S.*$", manual, re.M)
        self.assertEqual(sorted(listed), sorted(counters))


class Settings(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.otway.agency("Police")

    def told(self, text, code):
        path = self.otway.path("otway.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return self.otway.run("explain", KNOWN.path, "--config", path, code=code).err.decode()

    def test_what_is_wrong_is_named_with_its_line_and_the_nearest_that_is_right(self):
        for text, told in [
                ("decap:\n  lave: [vxlan]\n", "line 2: there is no setting 'lave'; did you mean 'decap.leave'?"),
                ("decap: { dept: 9 }\n", "line 1: there is no setting 'dept'; did you mean 'decap.depth'?"),
                ("decap:\n  ports:\n    vxlna: [1]\n", "line 3: there is no setting 'vxlna'; did you mean 'decap.ports.vxlan'?"),
                ("decap:\n  vxlan: [1]\n", "line 2: there is no setting 'vxlan'; did you mean 'decap.ports.vxlan'?"),
                ("spi:\n  ports: [5060]\n", "line 1: there is no setting 'spi'; did you mean 'sip'?"),
                ("decap:\n  leave: [gre, vxlna]\n", "there is no tunnel 'vxlna'; did you mean 'vxlan'?"),
                ("decap:\n  leave: [spaghetti]\n", "there is no tunnel 'spaghetti'"),
                ("decap:\n  ports:\n    gtpu: [2152, 65536]\n", "line 3"),
                ("decap:\n  ports:\n    gtpu: [0]\n", "there is no port 0"),
                ("decap:\n  ports:\n    gtpu: [1,2,3,4,5,6,7,8,9]\n", "line 3"),
                ("decap:\n  ports:\n    gtpu: [4789]\n", "4789 is of vxlan and of gtpu"),
                ("store: sqlite:x\ndecap:\n  depth: 7\n", "line 3: depth: from 8 to 40"),
                ("decap:\n  depth: 41\n", "line 2: depth: from 8 to 40"),
                ("sip: 5060\n", "line 1")]:
            with self.subTest(text=text):
                err = self.told(text, 2)
                self.assertIn("otway.yaml", err)
                self.assertIn(told, err)
        self.assertEqual(self.otway.run("audit", "list", code=0).out.count(b"explain"), 0)

    def test_what_may_be_left_out_may(self):
        for text in ["decap: {}\n", "decap: { leave: [] }\n", "sip: { ports: [] }\n", "decap: { ports: {} }\nsip: {}\n"]:
            with self.subTest(text=text):
                self.told(text, 0)

    def test_the_example_has_every_setting_and_changes_nothing(self):
        example = os.path.join(ROOT, "deploy", "otway.yaml")
        with open(example, encoding="utf-8") as f:
            text = f.read()
        manual = self.otway.run("help", "--man", "otway", code=0).out.decode().split(".SH CONFIGURATION")[1].split(".SH")[0]
        settings = re.findall(r"^\\fB([\w.]+)\\fR$", manual, re.M)
        self.assertGreaterEqual(len(settings), 6)
        for name in settings:
            self.assertRegex(text, r"(?m)^#? *%s:" % name.replace(".TUNNEL", "").split(".")[-1], name)
        plain = self.otway.run("explain", KNOWN.path, code=0).out
        self.assertEqual(self.otway.run("explain", KNOWN.path, "--config", example, code=0).out, plain)


if __name__ == "__main__":
    unittest.main()
