"""The network of these tests itself: what real programs say in it is recorded to the packet, and `decrypt` of the record gives what the
tests' own reader gets out of it. What fails here is no fault of the live system."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import phones
from live import Live
from livetest import LiveTest
from netns import MIRRORS
from plan import People, Plan, Playing
from sip_bed import Bed


class Rig(LiveTest):
    def judge(self, live, recording, people):
        heard = self.heard(recording)
        self.assertEqual(len(heard.calls), people.next)
        found = live.decrypted(live.path("all.pcap"), code=0)
        for n in range(people.next):
            calls = heard.of(people.callee(n))
            self.assertEqual(len(calls), 1)
            self.assertEqual(sum(len(s) for s in calls[0].streams.values()), 200)
            self.assertTrue(all(p.plain for s in calls[0].streams.values() for p in s))
            self.assertWhole(found["L%d" % n], calls)

    def over(self, mirror):
        network = self.network(mirror=mirror)
        self.assertEqual(network.mirror, mirror)
        live, people, plan = self.enterContext(Live(network)), People(), Plan()
        live.agency()
        suites = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_256_GCM", None)
        for n, suite in enumerate(suites):
            people.call(plan, 100 * n, 2000, suite=suite)
            live.warrant("L%d" % n, people.callee(n))
        recording = self.record(network, live)
        self.assertEqual(self.played(plan, network)["sent"], 6 * len(suites) + 200 * len(suites))
        self.judge(live, recording, people)

    def test_what_is_played_is_recorded_where_the_kernel_mirrors(self):
        network = self.network()
        if network.mirror not in MIRRORS:
            self.skipTest("this kernel mirrors nothing by tc")
        self.over(network.mirror)

    def test_what_is_played_is_recorded_where_a_bridge_floods(self):
        self.over("bridge")

    def test_sipp_calls_through_kamailio(self):
        network = self.network()
        live, people = self.enterContext(Live(network)), People()
        live.agency()
        bed = self.enterContext(Bed(network, live.folder))
        for n in range(5):
            live.warrant("L%d" % n, people.callee(n))
        recording = self.record(network, live)
        _, plan, end = bed.calls(people, 5, 2000)
        self.played(plan, network)
        end()
        self.judge(live, recording, people)

    def test_a_call_of_two_baresip_through_kamailio(self):
        network = self.network()
        live, people = self.enterContext(Live(network)), People()
        live.agency()
        live.warrant("L0", people.callee(0))
        bed = self.enterContext(Bed(network, live.folder))
        recording = self.record(network, live)
        phones.call(bed, people.caller(0), people.callee(0), 3)()
        (call,) = self.heard(recording).of(people.callee(0))
        self.assertEqual(len(call.streams), 2)
        self.assertTrue(all(p.plain for s in call.streams.values() for p in s))
        self.assertWhole(live.decrypted(live.path("all.pcap"), code=0)["L0"], [call])

    def test_nothing_of_a_network_is_left(self):
        network = self.network()
        playing = Playing(self.one_call(), network)
        playing.wait()
        playing.stop()
        network.close()
        left = [n for n in os.listdir("/run/netns") if n in network.names.values()]
        self.assertEqual(left, [])

    @staticmethod
    def one_call():
        plan = Plan()
        People().call(plan, 0, 200)
        return plan


if __name__ == "__main__":
    unittest.main()
