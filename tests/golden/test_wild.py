"""Calls as a network treats them: packets in fragments, in disorder and twice give the evidence of the plain capture; and media that
does not come from where its description says, nor when (tests/support/wild_calls.py)."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import disorder
import pcapfile
from calls import A, AM, B, BM, at, both
from facts import Facts
from program import Otway
from scene import Dialog, Key, Scene
from test_made import Made
from wild_calls import WILD

# Two parties, a proxy on one tap with both its legs, a diversion in two dialogs, IPv6.
CAPTURES = ["s01_direct_sdes", "s02_proxied_sdes", "s06_cfnr_two_legs", "s09_direct_ipv6"]
SEEDS = [1, 2]


class Disorder(unittest.TestCase):
    """One capture, one thing that happens to it, one seed; a method for each is made below."""

    def assert_evidence(self, name, way, seed):
        known = Facts(name)
        with Otway() as otway:
            path = otway.path("disorder.pcap")
            pcapfile.write(path, disorder.WAYS[way](known.packets, random.Random(seed)), link=pcapfile.ETHERNET, nano=True)
            otway.agency("Test Agency")
            role = known.roles()[0]
            otway.warrant("L1", role.target, trust=role.trust)
            done = otway.decrypt(path)
            self.assertEqual(done.code, 0, repr(done))
            self.assert_call(known, role, way, otway.case("L1"))

    def assert_call(self, known, role, way, case):
        self.assertEqual([sorted(c["call_ids"]) for c in case["calls"]], [sorted(c["call_id"] for c in known.call(role.person))])
        found = {(s["src"], s["dst"], s["ssrc"]): s for s in case["calls"][0]["streams"]}
        wanted = {(s["src"], s["dst"], s["ssrc"]): known.expected(s) for s in known.streams(role.person)}
        self.assertEqual(sorted(found), sorted(wanted))
        for key, fields in wanted.items():
            if way == "twice":
                fields["duplicates"] = 2 * fields["duplicates"] + fields["packets"]
            self.assertEqual({f: found[key].get(f) for f in fields}, fields, key)
        self.assertEqual(case["counters"]["broken"], 0)


def method_of(*what):
    return lambda self: self.assert_evidence(*what)


for _name in CAPTURES:
    for _way in disorder.WAYS:
        for _seed in SEEDS:
            setattr(Disorder, "test_%s_%s_%d" % (_name, _way, _seed), method_of(_name, _way, _seed))


class NextCall(unittest.TestCase):
    def test_the_targets_next_call_from_the_same_ports_is_a_call_of_its_own(self):
        """The same two, SIP and media from the same ports as before (S46): each call has its own streams, opened by its own keys."""
        s = Scene()
        k = {n: Key(n) for n in "abcd"}
        for i, (a, b) in enumerate(("ab", "cd")):
            d = Dialog(s, A, B, call_id="call-%d@a.example" % i)
            d.simple(at(AM, k[a].line()), at(BM, k[b].line()))
            s.talk(*both(s, k[a], k[b]))
            d.bye()
            s.wait(300)
        with Otway() as otway:
            path = otway.path("next.pcap")
            s.write(path)
            otway.agency("Test Agency")
            otway.warrant("L1", "sip:bob@ims.example")
            self.assertEqual(otway.decrypt(path).code, 0)
            case = otway.case("L1")
        self.assertEqual([c["call_ids"] for c in case["calls"]], [["call-0@a.example"], ["call-1@a.example"]])
        for i, c in enumerate(case["calls"]):
            found = {(x["src"], x["dst"], x["ssrc"]): x for x in c["streams"]}
            wanted = {v.id: v.expected() for v in s.voices[2 * i:2 * i + 2]}
            self.assertEqual({key: {f: found[key].get(f) for f in wanted[key]} for key in found}, wanted)


class TwoWarrantsForOneTarget(unittest.TestCase):
    def test_each_has_all_of_the_media(self):
        """S42; Facts know the streams."""
        known = Facts("s01_direct_sdes")
        role = known.roles()[0]
        with Otway() as otway:
            otway.agency("Test Agency")
            for liid in ("L1", "L2"):
                otway.warrant(liid, role.target, trust=role.trust)
            self.assertEqual(otway.decrypt(known.path).code, 0)
            cases = [otway.case(liid) for liid in ("L1", "L2")]
        wanted = sorted(s["payload_sha256"] for s in known.streams(role.person))
        for case in cases:
            self.assertEqual(sorted(s["payload_sha256"] for c in case["calls"] for s in c["streams"]), wanted)


def load_tests(loader, standard, pattern):
    suite = unittest.TestSuite()
    for name in WILD:
        wild = type(name, (Made, unittest.TestCase), {"make": staticmethod(WILD[name]), "__doc__": WILD[name].__doc__,
                                                      "__module__": __name__})
        suite.addTests(loader.loadTestsFromTestCase(wild))
    suite.addTests(standard)
    return suite


if __name__ == "__main__":
    unittest.main()
