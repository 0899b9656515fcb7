"""Every golden capture replayed at its own speed onto a mirror port gives the evidence that `decrypt` makes of the file, with one, two and
four intercept processes. In a common run a few of them, in the soak all."""

import concurrent.futures
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from facts import Facts, names
from intercepted import Intercepted, nanoseconds
from livetest import SOAK, LiveTest, essence
from program import Otway

PROCESSES = (1, 2, 4)
FEW = ("s02_proxied_sdes__gtpu", "s06_cfnr_two_legs", "s12_proxied_tcp", "s17_fragmented", "s21_rekey", "s29_video")
CUT = "s07_plain_rtp__snap220"  # what was cut off cannot be sent again
SHIFT = 2_000_000  # nanoseconds: as far as the clocks of two listeners at one port may be apart


def frames(path):
    """The packets of a capture as Ethernet frames."""
    for p in pcapfile.read(path):
        ip = pcapfile.network(p)
        if p.link == pcapfile.ETHERNET:
            yield p
        elif ip is not None:
            kind = b"\x86\xdd" if ip[0] >> 4 == 6 else b"\x08\x00"
            data = bytes.fromhex("020000000002020000000001") + kind + ip
            yield pcapfile.Packet(p.at, pcapfile.ETHERNET, data, len(data))


def roles(known):
    """All at once: several warrants take one call."""
    return known.roles()


class Replay(LiveTest):
    def replayed(self, known, processes):
        """{liid: Intercepted} of one replay, and of `decrypt` of what tcpdump recorded of it."""
        network = self.network()
        live = self.live(network, start=False, intercepts=processes)
        pcapfile.write(live.path("frames.pcap"), frames(known.path))
        for role in roles(known):
            live.warrant(role.name, role.target, start="now", end="+1h", trust=role.trust)
        live.start()
        recording = self.record(network, live)
        replay = network.replay(live.path("frames.pcap"))
        self.assertEqual(replay.wait(), 0, replay.stderr.read())
        replay.stderr.close()
        self.assertEqual(recording.stop(), 0)
        time.sleep(1)
        live.stop()
        return {r.name: live.intercepted(r.name) for r in roles(known)}, live.decrypted(live.path("all.pcap"), code=None, more=["--kms"])

    def offline(self, known):
        """{liid: Intercepted} of `decrypt` of the file itself."""
        otway = self.enterContext(Otway())
        otway.agency("Test Agency")
        for role in roles(known):
            otway.warrant(role.name, role.target, trust=role.trust)
        otway.decrypt(known.path, more=["--kms"], code=None)  # live, every KMS with an agreement is asked: here there is none
        return {r.name: Intercepted(otway.path("case", r.name)) for r in roles(known)}

    def check(self, known):
        wanted = self.offline(known)
        with concurrent.futures.ThreadPoolExecutor(len(PROCESSES)) as pool:
            for processes, done in zip(PROCESSES, pool.map(lambda n: self.replayed(known, n), PROCESSES)):
                found, recorded = done
                for liid, offline in wanted.items():
                    with self.subTest(liid=liid, processes=processes):
                        self.same(found[liid], offline)
                        if offline.calls:
                            self.assertSameAs(found[liid], recorded[liid])
                            self.same_times(found[liid], recorded[liid])

    def same(self, got, offline):
        self.assertEqual([essence(c) for c in ordered(got)], [essence(c) for c in ordered(offline)])
        self.assertEqual(got.gaps, [])
        self.assertEqual(events(got), events(offline))
        for ours, theirs in zip(ordered(got), ordered(offline)):
            self.assertEqual(shapes(ours.signalling), shapes(theirs.signalling))
            self.assertEqual({k: [p.raw for _, p in s] for k, s in ours.streams.items()},
                             {k: [p.raw for _, p in s] for k, s in theirs.streams.items()})
            self.assertEqual({k: len(s) for k, s in ours.sealed.items()}, {k: len(s) for k, s in theirs.sealed.items()})

    def same_times(self, got, recorded):
        """As tcpdump had them: tcpreplay itself keeps gaps only as well as it can."""
        for ours, theirs in zip(ordered(got), ordered(recorded)):
            for field in ("started", "answered", "ended"):
                a, b = (nanoseconds(c.said[field]) for c in (ours, theirs))
                self.assertEqual(a is None, b is None)
                self.assertLess(abs((a or 0) - (b or 0)), SHIFT, field)


def ordered(found):
    return sorted(found.calls, key=lambda c: sorted(c.said["call_ids"]))


def events(found):
    said = [(e["method"], e["status"], e["from"], e["to"]) for f in found.folders for e in f.case["events"]]
    return sorted(said, key=str)


def shapes(messages):
    """In the order of time, as far as that can be the same: what comes at once may change places."""
    return sorted((src, dst, len(payload), payload.split(b"\r\n")[0]) for _, src, dst, payload in messages)


def add(name):
    def test(self):
        self.check(Facts(name))
    setattr(Replay, "test_" + name, test)


for one in names() if SOAK else FEW:
    if one != CUT:
        add(one)


if __name__ == "__main__":
    unittest.main()
