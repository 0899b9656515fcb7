"""Calls come and go for an hour, warrants with them: memory stays flat, and what is intercepted is whole. OTWAY_MINUTES says for how
long; without the soak it is half a minute, and memory is not judged."""

import os
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from livetest import SOAK, LiveTest
from plan import People, Plan

MINUTES = float(os.environ.get("OTWAY_MINUTES", "60" if SOAK else "0.5"))
ROUND, RATE, TALK, TARGETS = (60, 20, 5, 50) if SOAK else (10, 10, 3, 5)  # seconds; calls a second; seconds; under warrant at once
GROWTH, ROOM = 1.1, 4096  # a role's memory at the end, compared with what it was at a fifth: times, and KiB


class Churn(LiveTest):
    def test_memory_is_flat(self):
        net, people = self.network(), People()
        live = self.live(net, intercepts=2, settle="2s", rotate_time="5m")
        memory, end, rounds, old = [], time.monotonic() + 60 * MINUTES, 0, []
        while time.monotonic() < end:
            plan, numbers = Plan(), []
            for i in range(RATE * (ROUND - TALK)):
                numbers.append(people.call(plan, i * 1000 // RATE, 1000 * TALK)[0])
            chosen = numbers[::max(1, len(numbers) // TARGETS)]
            for n in chosen:
                live.warrant_now("L%d" % n, people.callee(n))
            live.in_effect()
            recording = self.record(net, live)
            self.played(plan, net)
            heard = self.heard(recording)
            for n in chosen:
                live.settled("L%d" % n, 1)
                self.assertWhole(live.intercepted("L%d" % n), heard.of(people.callee(n)))
                live.revoke("L%d" % n)
            for n in old:  # delivery has done with them
                shutil.rmtree(live.path("cases", "L%d" % n))
            old = chosen
            memory.append(live.memory())
            rounds += 1
        live.stop()
        early = memory[len(memory) // 5]
        for role, sizes in memory[-1].items():
            print("%s: %s KiB, at a fifth of the time %s" % (role, sizes, early[role]), file=sys.stderr)
            if SOAK:
                self.assertLess(max(sizes), max(early[role]) * GROWTH + ROOM, role)


if __name__ == "__main__":
    unittest.main()
