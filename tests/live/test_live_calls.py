"""Warrants that come and go while calls run: what each gets is what its order says, to the packet."""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import phones
from intercepted import compare
from live import effect
from livetest import SOAK, LiveTest, served, wait_until
from plan import People, Plan, Playing
from program import stamp
from scene import MS
from sip_bed import Bed

SECOND = 10**9


class Warrants:
    """The same with each store."""

    def store(self):
        """How `live` is to be told of it."""
        return {}

    def setUp(self):
        self.net = self.network()
        self.how = self.store()

    def playing(self, plan):
        """A plan in the background."""
        playing = Playing(plan, self.net)
        self.addCleanup(playing.stop)
        return playing

    def ended(self, live, playing, recording):
        """What was heard when all is said."""
        self.assertEqual(playing.wait()["refused"], 0)
        return self.heard(recording)

    def test_calls_under_warrant_are_whole_and_those_of_others_leave_no_trace(self):
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        for n in range(10):
            people.call(plan, 100 * n, 2000, suite=[None, "AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80"][n % 3])
        for n in range(0, 10, 2):
            live.warrant_now("L%d" % n, people.callee(n))
        live.warrant_now("L-caller", people.caller(4))
        live.in_effect()
        recording = self.record(self.net, live)
        heard = self.ended(live, self.playing(plan), recording)
        found = {"L%d" % n: (people.callee(n), live.settled("L%d" % n, 1)) for n in range(0, 10, 2)}
        found["L-caller"] = people.caller(4), live.settled("L-caller", 1)
        live.stop()
        self.assertEqual(sorted(n for n in os.listdir(live.path("cases")) if not n.startswith(".")), sorted(found))
        offline = live.decrypted(live.path("all.pcap"), code=0)
        for liid, (target, _) in found.items():
            with self.subTest(liid=liid):
                got = live.intercepted(liid)
                self.assertEqual(got.gaps, [])
                self.assertWhole(got, heard.of(target))
                self.assertSameAs(got, offline[liid])

    def test_a_reload_loses_no_packet(self):
        """SIGHUP again and again, each time with another configuration, while calls run."""
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        for n in range(20):
            people.call(plan, 100 * n, 4000)
            live.warrant_now("L%d" % n, people.callee(n))
        live.in_effect()
        recording = self.record(self.net, live)
        playing = self.playing(plan)
        for i in range(10):
            time.sleep(0.4)
            live.settings.update(log_level=("debug", "info")[i % 2], rotate_time="%dm" % (10 + i))
            live.write()
            live.process.send_signal(signal.SIGHUP)
        heard = self.ended(live, playing, recording)
        time.sleep(1)
        live.stop()
        for n in range(20):
            got = live.intercepted("L%d" % n)
            self.assertEqual(got.gaps, [])
            self.assertWhole(got, heard.of(people.callee(n)))
        self.assertGreater(live.log().count("read again"), 4)

    def test_a_warrant_is_in_effect_within_a_tenth_of_a_second(self):
        """A call of the target every 10 ms; the first that is intercepted tells."""
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        for n in range(300):
            people.call(plan, 10 * n, 0, callee="sip:target@ims.example", ring=0)
        recording = self.record(self.net, live)
        playing = self.playing(plan)
        took, revoked = [], []
        for n in range(3):
            wait_until(playing.began + (200 + n * 900) * MS)
            live.warrant_now("L%d" % n, "sip:target@ims.example")
            added = time.time_ns()
            time.sleep(0.3)
            before = time.time_ns()
            live.revoke("L%d" % n)
            revoked.append((before, time.time_ns()))
            took.append(added)
        heard = self.ended(live, playing, recording)
        live.stop()
        for n in range(3):
            got = live.intercepted("L%d" % n)
            times = sorted(min(at for at, _, _, _ in c.signalling) for c in got.calls)
            first, last = times[0], max(at for c in got.calls for at, _, _, _ in c.signalling)
            print("in effect %.0f ms after the command ended; out of it %.0f ms after" % (
                (first - took[n]) / MS, (last - revoked[n][1]) / MS), file=sys.stderr)
            self.assertLess(first, took[n] + (effect() + 0.02) * SECOND)
            self.assertLess(last, revoked[n][1] + (effect() + 0.02) * SECOND)
            # From its first call on to its revocation it has every one.
            began = {c.call_id for c in heard.calls.values() if first <= c.began < revoked[n][0]}
            self.assertLessEqual(began, set(got.by_call_id))

    def test_it_starts_and_ends_at_the_packet(self):
        """Calls that begin before, within and after it; one that goes on when it ends."""
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        target = "sip:target@ims.example"
        for at, talk in ((0, 500), (1500, 1000), (2000, 4000), (6000, 500)):
            people.call(plan, at, talk, callee=target)
        now = time.time_ns()
        begin, end = now + 6 * SECOND, now + 9 * SECOND
        live.warrant("L1", target, start=stamp(begin), end=stamp(end))
        live.in_effect()
        recording = self.record(self.net, live)
        wait_until(begin - 1300 * MS)
        heard = self.ended(live, self.playing(plan), recording)
        time.sleep(1)
        live.stop()
        got = live.intercepted("L1")
        calls = [c for c in heard.of(target) if begin <= c.began < end]
        self.assertEqual(len(calls), 2)
        self.assertWhole(got, calls, begin, end)
        self.assertTrue(any(p.at >= end for c in calls for s in c.streams.values() for p in s), "a call went on behind its end")

    def test_an_extension_in_mid_call_loses_nothing(self):
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        n, _ = people.call(plan, 0, 9000)
        live.warrant("L1", people.callee(n), start="now", end="+8s")
        live.in_effect()
        recording = self.record(self.net, live)
        playing = self.playing(plan)
        time.sleep(1)
        live.run("warrant", "extend", "L1", "--until", "+1h", "--authority", "order 2/26", code=0)
        heard = self.ended(live, playing, recording)
        live.settled("L1", 1)
        live.stop()
        self.assertWhole(live.intercepted("L1"), heard.of(people.callee(n)))

    def test_a_revoked_warrant_gets_nothing_more(self):
        live, people, plan = self.live(self.net, **self.how), People(), Plan()
        n, _ = people.call(plan, 0, 4000)
        live.warrant_now("L1", people.callee(n))
        live.warrant_now("L2", people.caller(n))
        live.in_effect()
        recording = self.record(self.net, live)
        playing = self.playing(plan)
        time.sleep(2)
        before = time.time_ns()
        live.revoke("L1")
        after = time.time_ns() + int(effect() * SECOND)
        heard = self.ended(live, playing, recording)
        live.settled("L2", 1)
        live.stop()
        calls = heard.of(people.callee(n))
        self.assertWhole(live.intercepted("L2"), calls)
        got = live.intercepted("L1")
        cut = [max(at for at, _ in s) for s in got.media().values()]
        self.assertEqual(len(cut), 2)
        self.assertLess(max(cut), after)
        self.assertWhole(got, calls, 0, max(before, max(cut) + 1))

    def midcall(self, **how):
        """(got, the call, when the warrant was added, when it must be in effect)."""
        live, people, plan = self.live(self.net, **how, **self.how), People(), Plan()
        n, _ = people.call(plan, 0, 3000)
        recording = self.record(self.net, live)
        playing = self.playing(plan)
        time.sleep(1)
        before = time.time_ns()
        live.warrant_now("L1", people.callee(n))
        after = time.time_ns() + int(effect() * SECOND)
        heard = self.ended(live, playing, recording)
        time.sleep(1)
        live.stop()
        (call,) = heard.of(people.callee(n))
        return live.intercepted("L1"), call, before, after

    def test_a_call_that_runs_already_gives_no_media(self):
        got, call, before, _ = self.midcall()
        self.assertEqual([s for c in got.calls for s in c.streams.values()], [])
        self.assertTrue(all(at >= before for c in got.calls for at, _, _, _ in c.signalling))

    def test_a_call_that_runs_already_is_begun_in_its_midst_where_that_is_wished(self):
        got, call, before, after = self.midcall(midcall=True)
        (found,) = got.calls
        self.assertEqual([s["state"] for s in found.said["streams"]], ["decrypted"] * 2)
        firsts = [min(at for at, _ in s) for s in got.media().values()]
        self.assertEqual(len(firsts), 2)
        self.assertGreaterEqual(min(firsts), before)
        self.assertLess(max(firsts), after + 20 * MS)
        for key, packets in call.streams.items():
            first = min(at for at, _ in got.media()[key])
            call.streams[key] = [p for p in packets if p.at >= first]
        lost = compare(got, [call])
        self.assertEqual([lost.missing, lost.extra, lost.twice, lost.messages_extra, lost.messages_twice], [[]] * 5)
        self.assertEqual([m for m in lost.messages_missing if m[0] >= before], [])


class Sqlite(Warrants, LiveTest):
    pass


if SOAK:  # else the store alone is tried with PostgreSQL: test_live_store.py
    class PostgreSql(Warrants, LiveTest):
        def store(self):
            _, url, run_url = served(self)
            return {"url": url, "run_url": run_url}


class OtherPeoplesPrograms(LiveTest):
    def test_sipp_calls_through_kamailio(self):
        network, people = self.network(), People()
        live = self.live(network)
        bed = self.enterContext(Bed(network, live.folder))
        for n in range(10):
            live.warrant_now("L%d" % n, people.callee(n))
        live.in_effect()
        recording = self.record(network, live)
        _, plan, end = bed.calls(people, 10, 2000)
        self.played(plan, network)
        end()
        heard = self.heard(recording)
        for n in range(10):
            live.settled("L%d" % n, 1)
        live.stop()
        for n in range(10):
            self.assertWhole(live.intercepted("L%d" % n), heard.of(people.callee(n)))

    def test_baresip_calls_through_kamailio(self):
        network, people = self.network(), People()
        live = self.live(network, intercepts=2)
        bed = self.enterContext(Bed(network, live.folder))
        live.warrant_now("L1", people.callee(0))
        live.in_effect()
        recording = self.record(network, live)
        phones.call(bed, people.caller(0), people.callee(0), 3)()
        heard = self.heard(recording)
        live.settled("L1", 1)
        live.stop()
        self.assertWhole(live.intercepted("L1"), heard.of(people.callee(0)))


if __name__ == "__main__":
    unittest.main()
