"""livetest: what tests of the live system have in common: a network each, and how evidence is judged: against what tcpdump recorded of the
same mirror port in the same run, opened by the tests' own programs (heard), and against what `otway decrypt` makes of that record."""

import os
import tempfile
import time
import unittest

import certs
import heard
import postgres
from intercepted import compare
from live import Live
from netns import Network
from plan import Plan, play

SOAK = os.environ.get("OTWAY_SOAK") == "1"
ROLES = "CREATE ROLE otway_run LOGIN; GRANT otway_reader, otway_appender TO otway_run"


class LiveTest(unittest.TestCase):
    maxDiff = None

    def network(self, **how):
        return self.enterContext(Network(**how))

    def live(self, network, start=True, **how):
        """otway, running, with an agency."""
        live = self.enterContext(Live(network, **how))
        live.agency()
        return live.start() if start else live

    def record(self, network, live, *more):
        """The independent record of the mirror port, from now on; more: a filter."""
        recording = network.record(live.path("all.pcap"), *more)
        self.addCleanup(recording.stop)
        return recording

    def heard(self, recording, given=None):
        """What was recorded; the record must be whole."""
        self.assertEqual(recording.stop(), 0, "tcpdump lost packets")
        return heard.read(recording.path, given)

    def played(self, plan, network):
        told = play(plan, network)
        self.assertEqual(told["refused"], 0)
        return told

    def assertWhole(self, got, calls, begin=0, end=1 << 63):
        """All of these calls, to the packet, and nothing else."""
        found = compare(got, calls, begin, end)
        self.assertEqual([len(x) for x in found], [0] * 6, str([x[:3] for x in found]))
        self.assertGreater(sum(len(s) for c in calls for s in c.streams.values()), 0, "there was no media")

    def assertAccounted(self, got, calls, begin=0, end=1 << 63):
        """Nothing is there twice or beside them, and what is missing lies in a gap mark. Returns how many packets are missing."""
        found = compare(got, calls, begin, end)
        self.assertEqual([len(x) for x in (found.extra, found.twice, found.messages_extra, found.messages_twice)], [0] * 4, found)
        lost = [m for m in found.missing + found.messages_missing
                if not got.in_gap(m[0], max((c.began for c in calls if c.began <= m[0]), default=m[0]))]
        self.assertEqual(lost[:5], [], "%d of %d missing packets are in no gap" % (len(lost), len(found.missing)))
        return len(found.missing)

    def assertSameAs(self, got, offline):
        """The calls are those that `decrypt` makes of the record, field by field; but for what a period of time numbers anew."""
        self.assertEqual(sorted(map(essence, got.calls), key=str), sorted(map(essence, offline.calls), key=str))


def served(test):
    """(server, URL of who administers warrants, URL that otway runs with): PostgreSQL, its roles as deploy/postgresql.sql says."""
    if postgres.programs() is None:
        raise unittest.SkipTest("no PostgreSQL server is installed")
    folder = tempfile.TemporaryDirectory(prefix="otway-certs-")
    test.addCleanup(folder.cleanup)
    certs.main(folder.name)
    server = test.enterContext(postgres.Server(folder.name))
    server.sql("otway", ROLES)
    # Roles of otway reach it as users of their own.
    os.chmod(server.folder, 0o711)
    os.chmod(server.sockets, 0o711)
    return server, server.url, server.url.replace("admin@", "otway_run@")


def wait_until(at):
    """Until a moment of the wall clock, in nanoseconds."""
    time.sleep(max(0, at - time.time_ns()) / 10**9)


def essence(call):
    """What of a call's entry in case.json does not depend on how it was come by."""
    said = {k: v for k, v in call.said.items() if k not in ("id", "started", "answered", "ended", "gaps", "growing", "before")}
    said["streams"] = sorted(said["streams"], key=lambda s: (s["src"], s["dst"], str(s["ssrc"])))  # those of several intercepts come as they come
    said["kms"] = [{k: v for k, v in asked.items() if k != "at"} for asked in said.get("kms", [])]  # when a KMS was asked
    return said
