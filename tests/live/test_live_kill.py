"""kill -9 of each role while calls are intercepted: the role is back within a second, no process is left behind, no record is there twice or
half, and every packet that is missing lies in a gap mark. In a common run each role once under twenty calls, in the soak one every two
seconds for ten minutes under two hundred."""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import heard
from live import ROLES, processes
from livetest import SOAK, LiveTest
from plan import People, Plan, Playing

CALLS, MINUTES, TALK, EVERY = (200, 10, 30, 2) if SOAK else (20, 0, 14, 2.5)
BACK = 1.0   # seconds until a role that died is there again
LEAK = 1.5   # a role's memory at the end, compared with what it was in the midst


class Kill(LiveTest):
    INTERCEPTS = 2

    def setUp(self):
        self.net, self.people = self.network(), People()
        self.live_ = self.live(self.net, intercepts=self.INTERCEPTS)

    def plan(self, calls, talk):
        """So many calls at once, every second one under warrant, begun within two seconds."""
        plan, numbers = Plan(), []
        for i in range(calls):
            n, _ = self.people.call(plan, 2000 * i // calls, 1000 * talk)
            numbers.append(n)
        return plan, numbers

    def kill(self, role, index=0):
        """Kills it; how long until there is another."""
        pids = self.live_.pids()[role]
        self.assertGreater(len(pids), index, "%s is not there" % role)
        os.kill(pids[index], signal.SIGKILL)
        began = time.monotonic()
        while True:
            now = self.live_.pids()[role]
            if len(now) == len(pids) and pids[index] not in now:
                return time.monotonic() - began
            self.assertLess(time.monotonic() - began, 10, "%s does not come back" % role)
            time.sleep(0.01)

    def judge(self, numbers, recording):
        """Every call under warrant is whole but for what the gap marks say. Returns how many packets are missing."""
        known = self.heard(recording)
        missing = 0
        for n in numbers:
            with self.subTest(call=n):
                got = self.live_.intercepted("L%d" % n)
                missing += self.assertAccounted(got, known.of(self.people.callee(n)))
        return missing

    @staticmethod
    def orphans():
        """Roles that nobody watches."""
        return [pid for pid, parent, words in processes() if parent == 1 and words[0].endswith("otway") and words[1:2] == ["role"]]

    def each(self):
        return [(role, i) for role in ROLES for i in range(self.INTERCEPTS if role == "intercept" else 1)]

    def round(self, seconds, plan, numbers):
        """Plays a plan, and kills one after the other meanwhile. Returns [(role, seconds until it was back)]."""
        for n in numbers[::2]:
            self.live_.warrant_now("L%d" % n, self.people.callee(n))
        self.live_.in_effect()
        playing = Playing(plan, self.net)
        self.addCleanup(playing.stop)
        time.sleep(2.5)
        took, end = [], time.monotonic() + seconds
        targets = self.each()
        while time.monotonic() < end and (SOAK or len(took) < len(targets)):
            role, index = targets[len(took) % len(targets)]
            began = time.monotonic()
            took.append((role, self.kill(role, index)))
            time.sleep(max(0, EVERY - (time.monotonic() - began)))
        self.assertEqual(playing.wait()["refused"], 0)
        return took

    def test_each_role_is_killed(self):
        rounds = max(1, MINUTES * 60 // TALK)
        memory, missing, took, orphans = [], 0, [], self.orphans()
        for _ in range(rounds):
            plan, numbers = self.plan(CALLS, TALK)
            recording = self.record(self.net, self.live_)
            took += self.round(TALK - 3, plan, numbers)
            time.sleep(2)
            missing += self.judge(numbers[::2], recording)
            memory.append(self.live_.memory())
        print("back after at most %.2f s; %d packets missing, all within gap marks; memory %s" % (
            max(t for _, t in took), missing, memory[-1]), file=sys.stderr)
        self.assertLess(max(t for _, t in took), BACK)
        self.assertEqual(self.orphans(), orphans)
        for role, sizes in memory[-1].items():
            before = memory[len(memory) // 2][role]
            self.assertLess(max(sizes), max(before) * LEAK + 4096, role)
        known = {pid for pids in self.live_.pids().values() for pid in pids}
        self.live_.stop()
        self.assertFalse([p for p in known if os.path.exists("/proc/%d" % p)], "nothing is left")

    def test_killed_from_above_nothing_is_left(self):
        """The one that watches over the others dies: they end, rather than run on unwatched."""
        if SOAK:
            self.skipTest("a matter of the common run")
        pids = [p for pids in self.live_.pids().values() for p in pids]
        self.live_.process.kill()
        self.live_.process.wait()
        end = time.monotonic() + 5
        while time.monotonic() < end and any(os.path.exists("/proc/%d" % p) for p in pids):
            time.sleep(0.05)
        self.assertFalse([p for p in pids if os.path.exists("/proc/%d" % p)])

    def test_started_again_it_goes_on_with_its_case_folders(self):
        """All of it is stopped and started between two calls: nothing of the first changes."""
        if SOAK:
            self.skipTest("a matter of the common run")
        self.live_.warrant_now("L1", "sip:target@ims.example")
        recordings = []
        for _ in range(2):
            plan = Plan()
            self.people.call(plan, 0, 1500, callee="sip:target@ims.example")
            self.live_.in_effect()
            recordings.append(self.record(self.net, self.live_))
            self.played(plan, self.net)
            time.sleep(1)
            recordings[-1].stop()
            os.rename(self.live_.path("all.pcap"), self.live_.path("part%d.pcap" % len(recordings)))
            self.live_.stop()
            self.live_.start()
        self.live_.stop()
        got = self.live_.intercepted("L1")
        calls = [c for i in (1, 2) for c in heard.read(self.live_.path("part%d.pcap" % i)).of("sip:target@ims.example")]
        self.assertEqual(len(calls), 2)
        self.assertWhole(got, calls)


if __name__ == "__main__":
    unittest.main()
