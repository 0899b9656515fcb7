"""The disk of the case folders fills up while calls are intercepted: capture goes on, an alarm says so, what could not be kept lies in gap
marks, and when there is room again all is as before."""

import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from live import USERS
from livetest import LiveTest
from plan import People, Plan, Playing

SIZE = 24 << 20
CALLS = 20


class Disk(LiveTest):
    def setUp(self):
        self.net, self.people = self.network(), People()
        self.live_ = self.live(self.net, start=False)
        where, who = self.live_.path("cases"), USERS["delivery"]
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=700,uid=%d,gid=%d" % (SIZE, who, who), "tmpfs", where],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", where], check=False)

    def fill(self):
        """Takes all the room there is."""
        with open(self.live_.path("cases", ".filler"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def empty(self):
        os.unlink(self.live_.path("cases", ".filler"))

    def alarm(self, on):
        end = time.monotonic() + 15
        while ("disk" in self.live_.alarms()) != on:
            self.assertLess(time.monotonic(), end, "alarm disk is%s raised" % (" not" if on else ""))
            time.sleep(0.1)

    def test_a_full_disk(self):
        live, plan, targets = self.live_, Plan(), []
        for i in range(CALLS):
            n, _ = self.people.call(plan, 20 * i, 12000)
            live.warrant_now("L%d" % n, self.people.callee(n))
            targets.append(n)
        later, _ = self.people.call(plan, 10000, 3000)
        live.warrant_now("L%d" % later, self.people.callee(later))
        live.start()
        recording = self.record(self.net, live)
        playing = Playing(plan, self.net)
        self.addCleanup(playing.stop)
        time.sleep(3)
        pids = live.pids()
        self.fill()
        self.alarm(True)
        time.sleep(3)
        self.empty()
        self.alarm(False)
        self.assertEqual(live.pids(), pids, "nobody died of it")
        self.assertEqual(playing.wait()["refused"], 0)
        heard = self.heard(recording)
        time.sleep(2)
        live.stop()
        missing = 0
        for n in targets:
            with self.subTest(call=n):
                missing += self.assertAccounted(live.intercepted("L%d" % n), heard.of(self.people.callee(n)))
        print("%d packets missing, all within gap marks" % missing, file=sys.stderr)
        self.assertWhole(live.intercepted("L%d" % later), heard.of(self.people.callee(later)))

    def test_started_with_a_full_disk_it_says_so_and_goes_on_when_there_is_room(self):
        live, plan = self.live_, Plan()
        n, _ = self.people.call(plan, 0, 2000)
        live.warrant_now("L1", self.people.callee(n))
        self.fill()
        live.start()
        playing = Playing(plan, self.net)
        self.addCleanup(playing.stop)
        self.alarm(True)
        playing.wait()
        self.empty()
        self.alarm(False)
        plan = Plan()
        n, _ = self.people.call(plan, 0, 1000)
        live.warrant_now("L2", self.people.callee(n))
        live.in_effect()
        recording = self.record(self.net, live)
        self.played(plan, self.net)
        heard = self.heard(recording)
        time.sleep(1)
        live.stop()
        self.assertWhole(live.intercepted("L2"), heard.of(self.people.callee(n)))


if __name__ == "__main__":
    unittest.main()
