"""Calls made by hand for what the real captures do not show: see tests/support/calls.py. The content of every stream is known
from before it was sealed, and the sealing is libsrtp2's."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from calls import MADE
from evidence import Evidence, Expected
from program import Otway


# Where the caller's media comes from.
CALLERS = {"10.1.0.11", "10.1.0.21", "[fd01::11]"}


def host(address):
    return address.rsplit(":", 1)[0]


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
        start, end = scene.window()
        otway.agency("Test Agency")
        otway.warrant(e.liid, target, start=start, end=end)
        cls.conclude(otway, otway.decrypt(path), e)

    def test_the_counters_tell(self):
        for name, value in self.counters.items():
            self.assertEqual(self.case["counters"][name], value, name)

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
