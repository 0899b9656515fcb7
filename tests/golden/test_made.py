"""Calls made by hand for what the real captures do not show: see tests/support/calls.py. The content of every stream is known
from before it was sealed, and the sealing is libsrtp2's."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from calls import MADE
from evidence import Evidence, Expected
from program import Otway, stamp


# Where the caller's media comes from.
CALLERS = {"10.1.0.11", "10.1.0.21", "[fd01::11]"}


def host(address):
    return address.rsplit(":", 1)[0]


def hung_up(messages, call_ids):
    """When the last dialog of a call came to its first BYE: in a list, empty when there is none."""
    firsts = {}
    for m in messages:
        head = dict(line.split(b": ", 1) for line in m.payload.split(b"\r\n\r\n")[0].split(b"\r\n")[1:])
        if m.payload.startswith(b"BYE ") and head[b"Call-ID"].decode() in call_ids:
            tags = frozenset(re.findall(rb";tag=([^;\s]+)", head[b"From"] + b" " + head[b"To"]))
            firsts.setdefault((head[b"Call-ID"], tags), m.at)
    return [max(firsts.values())] if firsts else []


class Made(Evidence):
    """One made call, with a warrant for one of its parties."""

    @classmethod
    def setUpClass(cls):
        otway = Otway()
        cls.addClassCleanup(otway.close)
        scene, more = cls.make()
        more = dict(more)
        target = more.pop("target", "sip:bob@ims.example")
        from_target = more.pop("from_target", None)
        opened = more.pop("opened", None)
        cls.reports = scene.reports
        cls.learned = more.pop("learned", [])  # addresses that media flows to and no description names
        cls.counters, cls.absent = more.pop("counters", {}), more.pop("absent", [])
        cls.ended = more.pop("ended", None)
        trust = more.pop("trust", False)
        cls.match_count = more.pop("match_count", None)
        path = otway.path("call.pcap")
        scene.write(path)
        streams = {v.id: v.expected() for v in scene.voices}
        senders = from_target if from_target is not None else [v.src for v in scene.voices if host(v.src) not in CALLERS]
        e = Expected(captures=[path], streams=streams, messages=scene.messages, exit=0, diversions=[], events=0,
                     caller={"sip:alice@ims.example"}, callee={"sip:bob@ims.example"},
                     outcome="answered", call_ids={"call-1@a.example"}, matched=[(None, "to-target", True)],
                     directions={v.id: "from-target" if v.src in senders else "to-target" for v in scene.voices},
                     opened_keys=[k.inline for k in opened] if opened is not None else
                     [v.key.inline for v in scene.voices if v.key is not None],
                     toward={v.id: "left" if host(v.src) in CALLERS else "right" for v in scene.voices if v.state != "sealed"},
                     secrets=["alice", "bob@", "ims.example", "call-1@", "10.1.0.", "fd01::"])
        e.__dict__.update(more)
        if cls.ended is None:
            cls.ended = hung_up(scene.messages, e.call_ids)
        start, end = scene.window()
        otway.agency("Test Agency")
        otway.warrant(e.liid, target, start=start, end=end, trust=trust)
        cls.conclude(otway, otway.decrypt(path), e)

    def test_the_counters_tell(self):
        for name, value in self.counters.items():
            self.assertEqual(self.case["counters"][name], value, name)

    def test_it_ended_when_somebody_hung_up(self):
        for at in self.ended:
            self.assertEqual(self.call()["ended"], stamp(at)[:-4] + "Z")

    def test_every_message_is_kept_with_its_time(self):
        """Those that were sent again too."""
        if self.expected.messages is not None:
            kept = [(d.at, d.src, d.dst, len(d.payload)) for d in pcapfile.datagrams(self.packets("call-0001/signalling.pcap"))]
            self.assertEqual(kept, sorted((m.at, m.src, m.dst, len(m.payload)) for m in self.expected.messages))

    def test_no_other_header_matched(self):
        if self.match_count is not None:
            self.assertEqual(len(self.call()["matched"]), self.match_count)

    def test_the_reports_are_there_in_clear(self):
        kept = [(d.src, d.dst, d.payload) for d in pcapfile.datagrams(self.packets("call-0001/media.pcap")) if d.payload[1] == 200]
        self.assertEqual(kept, self.reports)

    def test_an_address_that_nobody_announced_is_flagged(self):
        found = {(s["src"], s["dst"], s["ssrc"]) for s in self.call()["streams"] if s["address_learned"]}
        self.assertEqual(found, {v for v in self.expected.streams if v[1] in self.learned})

    def test_nothing_of_others_is_in_it(self):
        for word in self.absent:
            for name, octets in self.files.items():
                self.assertNotIn(word, octets, name)


class Untrusted(unittest.TestCase):
    """What only --trust-from makes count, counts for nobody without it."""

    def test_who_only_prefers_or_is_told_to_be_remote_is_not_the_target(self):
        for name in ("remote_party_where_from_is_trusted", "preferred_identity_where_from_is_trusted"):
            with self.subTest(name), Otway() as otway:
                scene, more = MADE[name]()
                scene.write(otway.path("call.pcap"))
                otway.agency("Test Agency")
                otway.warrant("L1", more["target"])
                otway.decrypt(otway.path("call.pcap"), code=0)
                self.assertFalse(os.path.exists(otway.path("case")))


def load_tests(loader, standard, pattern):
    suite = unittest.TestSuite()
    for name in MADE:
        made = type(name, (Made, unittest.TestCase), {"make": staticmethod(MADE[name]), "__doc__": MADE[name].__doc__,
                                                      "__module__": __name__})
        suite.addTests(loader.loadTestsFromTestCase(made))
    suite.addTests(standard)
    return suite


if __name__ == "__main__":
    unittest.main()
