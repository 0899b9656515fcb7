"""Warrants in PostgreSQL, as those who administer them meet it: the roles of deploy/postgresql.sql, the same evidence as from SQLite, a
server that is away."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import certs
from postgres import Server, programs
from program import CAPTURES, OTWAY, Otway, tree

CAPTURE = os.path.join(CAPTURES, "s06_cfnr_two_legs.pcap")
BOB = ["sip:bob@ims.example", "sip:bob@10.77.0.12"]
ROLES = """CREATE ROLE alice LOGIN; GRANT otway_reader, otway_appender, otway_writer TO alice;
CREATE ROLE otway_run LOGIN; GRANT otway_reader, otway_appender TO otway_run;
CREATE ROLE auditor LOGIN; GRANT otway_reader TO auditor"""


@unittest.skipUnless(programs(), "no PostgreSQL server is installed")
class PostgreSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="otway-certs-")
        cls.addClassCleanup(folder.cleanup)
        certs.main(folder.name)
        cls.server = cls.enterClassContext(Server(folder.name))
        cls.server.sql("otway", ROLES)

    def setUp(self):
        self.server.sql("otway", "SET client_min_messages = error", "DROP SCHEMA otway CASCADE",
                        "CREATE SCHEMA otway AUTHORIZATION otway_owner")
        self.otway = Otway()
        self.addCleanup(self.otway.close)

    def as_(self, user, *args, code=0):
        self.otway.url = self.server.url.replace("admin@", user + "@")
        return self.otway.run(*args, code=code)

    def enter(self):
        self.as_("otway_owner", "agency", "add", "Test Agency")
        self.otway.url = self.server.url.replace("admin@", "alice@")
        self.otway.warrant("L1", BOB)

    def test_each_does_what_its_role_is_for(self):
        self.as_("alice", "warrant", "list", code=3)  # the owner alone makes the tables
        self.as_("alice", "agency", "add", "Test Agency", code=4)
        self.enter()
        self.as_("otway_run", "decrypt", CAPTURE, "--out", self.otway.path("case"))
        self.as_("otway_run", "warrant", "revoke", "L1", "--reason", "done", code=4)
        self.as_("auditor", "warrant", "list")
        self.as_("auditor", "decrypt", CAPTURE, "--out", self.otway.path("no"), code=4)
        self.assertFalse(os.path.exists(self.otway.path("no")), "what cannot be written to the trail does not happen")
        self.as_("alice", "warrant", "revoke", "L1", "--reason", "done")
        self.as_("otway_run", "decrypt", CAPTURE, "--liid", "L1", "--out", self.otway.path("late"), code=4)
        acts = [json.loads(line)["act"] for line in self.as_("auditor", "audit", "export").out.splitlines()]
        self.assertEqual(acts[:3], ["agency.add", "warrant.add", "decrypt"])
        self.as_("auditor", "audit", "verify")

    def test_the_evidence_is_that_of_sqlite(self):
        self.enter()
        self.otway.decrypt(CAPTURE, "served", code=0)
        self.otway.url = None
        self.otway.agency("Test Agency")
        self.otway.warrant("L1", BOB)
        self.otway.decrypt(CAPTURE, "filed", code=0)
        served, filed = tree(self.otway.path("served")), tree(self.otway.path("filed"))
        self.assertIn(os.path.join("L1", "case.json"), served)
        self.assertEqual(served, filed)

    def test_a_server_that_is_away_is_told_and_nothing_is_done(self):
        self.enter()
        self.server.stop()
        result = self.as_("otway_run", "decrypt", CAPTURE, "--out", self.otway.path("case"), code=6)
        self.assertIn(b"cannot be reached", result.err)
        self.assertFalse(os.path.exists(self.otway.path("case")))
        self.server.start()
        self.as_("otway_run", "decrypt", CAPTURE, "--out", self.otway.path("case"))

    def test_no_target_is_in_what_the_server_logs(self):
        self.as_("otway_owner", "agency", "add", "Test Agency")
        self.server.sql("otway", "ALTER TABLE otway.warrant_target ADD CHECK (place < 1)")
        self.otway.warrant("L1", BOB, code=4)
        with open(self.server.log.name, "rb") as log:
            told = log.read()
        self.assertIn(b"violates check constraint", told)
        self.assertNotIn(b"bob", told)

    def test_a_password_on_the_command_line_is_refused(self):
        url = self.server.url.replace("admin@", "secretive:open%20sesame@")
        done = subprocess.run([OTWAY, "agency", "list", "--store", url], capture_output=True, check=False,
                              env={k: v for k, v in os.environ.items() if not k.startswith("PG")})
        self.assertEqual(done.returncode, 4)
        self.assertNotIn(b"sesame", done.stderr)


if __name__ == "__main__":
    unittest.main()
