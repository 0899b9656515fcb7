"""A hostile flood of SIP, as fast as it can be sent, random Call-IDs and URIs, beside a hundred calls under warrant: they lose nothing, or
every packet that is missing lies in a gap mark."""

import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from livetest import SOAK, LiveTest
from plan import People, Plan, Playing

CALLS, TALK, FLOOD = (100, 60, 50) if SOAK else (100, 6, 4)  # calls, seconds
FLOODER = "10.13.0.66"
MEMORY = 512  # MiB that any role may have


class Flood(LiveTest):
    def flooded(self, **how):
        """(live, heard, people, sent): calls under warrant, and a flood in their midst."""
        net, people, plan = self.network(), People(), Plan()
        live = self.live(net, **how)
        for i in range(CALLS):
            n, _ = people.call(plan, 10 * i, 1000 * TALK)
            live.warrant_now("L%d" % n, people.callee(n))
        live.in_effect()
        recording = self.record(net, live, "not", "host", FLOODER)
        playing = Playing(plan, net)
        self.addCleanup(playing.stop)
        time.sleep(0.5)
        flood = net.start("p", os.environ["FLOOD"], FLOODER, "10.12.0.1:5060", str(FLOOD), stdout=subprocess.PIPE, text=True)
        sent, _ = flood.communicate()
        self.assertEqual(flood.returncode, 0)
        self.assertEqual(playing.wait()["refused"], 0)
        self.peak = live.memory()
        return live, self.heard(recording), people, int(sent)

    def test_calls_beside_a_flood(self):
        live, heard, people, sent = self.flooded(intercepts=2)
        time.sleep(2)
        status = live.status()
        live.stop()
        missing = gaps = 0
        for n in range(people.next):
            got = live.intercepted("L%d" % n)
            missing += self.assertAccounted(got, heard.of(people.callee(n)))
            gaps += len(got.gaps)
        print("%d SIP messages a second beside %d calls: %d packets missing, %d gap marks, memory %s KiB" % (
            sent // FLOOD, CALLS, missing, gaps, self.peak), file=sys.stderr)
        for role, sizes in self.peak.items():
            self.assertLess(max(sizes), MEMORY << 10, role)
        self.assertTrue(status)


if __name__ == "__main__":
    unittest.main()
