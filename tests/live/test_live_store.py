"""The store goes away, comes back, is another one than before: warrants in force go on to their own end, never longer than the lease; an
alarm says so; what was changed meanwhile holds the moment contact is there again."""

import os
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from livetest import LiveTest, served
from plan import People, Plan, Playing

TARGET = "sip:target@ims.example"
NOTICED = 5  # seconds until it is known that a server is away, or there again


class Away(LiveTest):
    """Each with a server of its own."""

    def setUp(self):
        self.net, self.people = self.network(), People()
        self.server, url, run_url = served(self)
        self.how = {"url": url, "run_url": run_url}

    def calls(self, count, every=1000, talk=800):
        """Calls of the target, one after the other."""
        plan = Plan()
        for i in range(count):
            self.people.call(plan, every * i, talk, callee=TARGET)
        playing = Playing(plan, self.net)
        self.addCleanup(playing.stop)
        return playing

    def alarm(self, live, name="store", on=True):
        """Waits until it is raised, or over."""
        end = time.monotonic() + NOTICED
        while (name in live.alarms()) != on:
            self.assertLess(time.monotonic(), end, "alarm %s: %s" % (name, live.status()))
            time.sleep(0.1)

    def judged(self, live, playing, recording, liid="L1"):
        playing.wait()
        heard = self.heard(recording)
        time.sleep(1)
        live.stop()
        return live.intercepted(liid), heard.of(TARGET)

    def test_a_server_that_is_stopped_and_started_again_loses_nothing(self):
        live = self.live(self.net, **self.how)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(8)
        time.sleep(1.5)
        self.server.stop()
        self.alarm(live)
        self.server.start()
        self.alarm(live, on=False)
        live.warrant_now("L2", TARGET)
        added = time.time_ns()
        live.in_effect()
        got, calls = self.judged(live, playing, recording)
        self.assertWhole(got, calls)
        later = [c for c in calls if c.began > added + 2 * 10**8]
        self.assertLessEqual({c.call_id for c in later}, set(live.intercepted("L2").by_call_id))

    def test_what_was_revoked_meanwhile_is_gone_when_contact_returns(self):
        live = self.live(self.net, **self.how)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(12)
        self.server.stop()
        self.alarm(live)
        usual = self.server.sockets
        self.server.sockets = os.path.join(self.server.folder, "elsewhere")
        os.mkdir(self.server.sockets)
        self.server.own(self.server.sockets, 0o700)
        self.server.start()
        live.url = self.server.url
        live.revoke("L1")
        during = time.time_ns()
        self.server.stop()
        time.sleep(1.2)
        self.server.sockets = usual
        before = time.time_ns()
        self.server.start()
        self.alarm(live, on=False)
        after = time.time_ns()
        got, calls = self.judged(live, playing, recording)
        last = max(at for s in got.media().values() for at, _ in s)
        self.assertLess(last, after)
        self.assertWhole(got, [c for c in calls if c.began <= last], 0, max(before, last + 1))
        self.assertTrue(any(during < c.began < before for c in calls), "a call began while the store was away")

    def another(self, wipe):
        """The server is replaced by one that knows nothing: its database is made anew."""
        live = self.live(self.net, **self.how)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(8)
        time.sleep(0.5)
        wipe(live)
        self.alarm(live)
        got, calls = self.judged(live, playing, recording)
        self.assertWhole(got, calls)

    def test_an_empty_server_in_its_place_ends_no_warrant(self):
        def wipe(_):
            self.server.stop()
            shutil.rmtree(self.server.data)
            shutil.rmtree(self.server.sockets)
            self.server.make()
            os.chmod(self.server.folder, 0o711)
            os.chmod(self.server.sockets, 0o711)
            self.server.start()
        self.another(wipe)

    def test_an_empty_schema_in_its_place_ends_no_warrant(self):
        def wipe(live):
            self.server.sql("otway", "SET client_min_messages = error", "DROP SCHEMA otway CASCADE",
                            "CREATE SCHEMA otway AUTHORIZATION otway_owner")
            live.agency("Another")
        self.another(wipe)

    def test_no_longer_than_the_lease(self):
        live = self.live(self.net, lease="3s", **self.how)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(8, talk=950)
        time.sleep(1)
        before = time.time_ns()
        self.server.stop()
        away = time.time_ns()
        self.alarm(live)
        time.sleep(3)
        self.assertIn("lease", live.alarms())
        got, calls = self.judged(live, playing, recording)
        last = max(at for s in got.media().values() for at, _ in s)
        # The table was last found to be right at some moment before the server stopped, at most a few seconds before.
        self.assertGreater(last, before)
        self.assertLess(last, away + 3.2 * 10**9)
        self.assertWhole(got, [c for c in calls if c.began <= last], 0, last + 1)


class File(Away):
    """SQLite: its file goes away and comes back, or another lies there."""

    def setUp(self):
        self.net, self.people, self.how = self.network(), People(), {}

    def test_a_server_that_is_stopped_and_started_again_loses_nothing(self):
        live = self.live(self.net)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(8)
        time.sleep(0.5)
        os.rename(live.path("store"), live.path("gone"))
        self.alarm(live)
        os.rename(live.path("gone"), live.path("store"))
        self.alarm(live, on=False)
        live.warrant_now("L2", TARGET)
        added = time.time_ns()
        got, calls = self.judged(live, playing, recording)
        self.assertWhole(got, calls)
        later = [c for c in calls if c.began > added + 2 * 10**8]
        self.assertLessEqual({c.call_id for c in later}, set(live.intercepted("L2").by_call_id))

    def test_what_was_revoked_meanwhile_is_gone_when_contact_returns(self):
        live = self.live(self.net)
        live.warrant_now("L1", TARGET)
        live.in_effect()
        recording, playing = self.record(self.net, live), self.calls(8)
        time.sleep(0.5)
        os.rename(live.path("store"), live.path("gone"))
        self.alarm(live)
        live.store = live.path("gone", "warrants.db")
        live.revoke("L1")
        time.sleep(1.2)
        before = time.time_ns()
        os.rename(live.path("gone"), live.path("store"))
        self.alarm(live, on=False)
        after = time.time_ns()
        got, calls = self.judged(live, playing, recording)
        last = max(at for s in got.media().values() for at, _ in s)
        self.assertLess(last, after)
        self.assertWhole(got, [c for c in calls if c.began <= last], 0, max(before, last + 1))

    def test_an_empty_server_in_its_place_ends_no_warrant(self):
        def wipe(live):
            os.rename(live.path("store"), live.path("gone"))
            os.mkdir(live.path("store"), 0o700)
            live.own_store()
            live.agency("Another")
            live.own_store()
        self.another(wipe)

    test_an_empty_schema_in_its_place_ends_no_warrant = None
    test_no_longer_than_the_lease = None


if __name__ == "__main__":
    unittest.main()
