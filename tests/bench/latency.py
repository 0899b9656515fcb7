"""latency: from `warrant add` to the first packet that is intercepted, of calls that run already (run: midcall: true). Two voices of 50 packets
a second each, so that 10 ms pass from one packet to the next. Prints a table; judges nothing."""

import os
import statistics
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from livetest import LiveTest
from plan import People, Plan, Playing

CALLS, TALK, EVERY = 40, 30, 0.4  # at once; seconds; a warrant every so many seconds


class Latency(LiveTest):
    def test_from_the_command_to_the_first_packet(self):
        net, people, plan = self.network(), People(), Plan()
        live = self.live(net, intercepts=2, midcall=True)
        numbers = [people.call(plan, 50 * i, 1000 * TALK)[0] for i in range(CALLS)]
        playing = Playing(plan, net)
        self.addCleanup(playing.stop)
        time.sleep(0.05 * CALLS + 2)
        began, done = {}, {}
        for n in numbers:
            began[n] = time.time_ns()
            live.warrant_now("L%d" % n, people.callee(n))
            done[n] = time.time_ns()
            time.sleep(EVERY)
        self.assertEqual(playing.wait()["refused"], 0)
        time.sleep(3)
        live.stop()
        first = {n: min(at for s in live.intercepted("L%d" % n).media().values() for at, _ in s) for n in numbers}
        print("%-40s %8s %8s" % ("milliseconds, of %d warrants" % CALLS, "median", "most"))
        for what, spans in (("the command itself", [done[n] - began[n] for n in numbers]),
                            ("from its start to the first packet", [first[n] - began[n] for n in numbers]),
                            ("from its end to the first packet", [first[n] - done[n] for n in numbers])):
            print("%-40s %8.1f %8.1f" % (what, statistics.median(spans) / 1e6, max(spans) / 1e6))


if __name__ == "__main__":
    unittest.main()
