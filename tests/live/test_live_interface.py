"""A mirror port that is deleted and made again while calls are intercepted: it is listened to again, calls that went on all the while are
still intercepted, and what is missing lies in a gap mark that ends."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from livetest import LiveTest
from netns import PORT
from plan import People, Plan, Playing

CALLS, TALK = 4, 12


class Interface(LiveTest):
    def test_a_port_that_returns_costs_calls_nothing_but_the_time_it_was_away(self):
        net, people, plan = self.network(), People(), Plan()
        live = self.live(net, intercepts=2)
        numbers = [people.call(plan, 200 * i, 1000 * TALK)[0] for i in range(CALLS)]
        for n in numbers:
            live.warrant_now("L%d" % n, people.callee(n))
        live.in_effect()
        before = live.pids()["intercept"]
        playing = Playing(plan, net)
        self.addCleanup(playing.stop)
        time.sleep(3)
        net.shell("s", "ip link del m0")
        time.sleep(1.5)
        net.shell("s", "ip link add m0 mtu 65535 type veth peer name %s mtu 65535 netns %s" % (PORT, net.names["m"]),
                  "ip link set m0 arp off up")
        net.shell("m", *net._fit(), "ip link set %s up" % PORT)
        net._choose_mirror()
        back = time.time_ns()
        time.sleep(3)
        self.assertEqual(set(before) & set(live.pids()["intercept"]), set(), "the port is not listened to again")
        playing.wait()
        live.settled("L%d" % numbers[-1], 1)
        self.assertNotIn("interface", live.alarms())
        live.stop()
        for n in numbers:
            with self.subTest(call=n):
                got = live.intercepted("L%d" % n)
                self.assertEqual(len(got.calls), 1, "one call has become several")
                late = [at for packets in got.media().values() for at, _ in packets if at > back + 3 * 10**9]
                self.assertGreater(len(late), 2 * 50 * 2, "it was not intercepted any more")
                self.assertTrue(got.gaps)
                for gap in got.gaps:
                    self.assertIsNotNone(gap.end, gap)


if __name__ == "__main__":
    unittest.main()
