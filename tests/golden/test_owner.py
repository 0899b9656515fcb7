"""Whose a store is. It belongs to the user that control runs as; root acts as that one, and as nobody else's."""

import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from facts import Facts
from program import Otway

CONTROL = 61011  # nobody's number
BOB = "sip:bob@10.77.0.12"
KNOWN = Facts("s01_direct_sdes")


@unittest.skipUnless(os.geteuid() == 0, "only root acts as others")
class Owner(unittest.TestCase):
    def setUp(self):
        self.otway = self.enterContext(Otway())
        os.chmod(self.otway.folder, 0o711)

    def config(self, **run):
        path = self.otway.path("otway.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write("store: %s\nrun: %s\n" % (json.dumps("sqlite:" + self.otway.store), json.dumps(run)))
        return path

    def given(self):
        """A store that root made for control."""
        self.otway.run("agency", "add", "Police", "--config", self.config(users={"control": str(CONTROL)}), code=0)

    def owners(self):
        folder = os.path.dirname(self.otway.store)
        return {name: (os.stat(os.path.join(folder, name)).st_uid, os.stat(os.path.join(folder, name)).st_mode & 0o777)
                for name in [".", *os.listdir(folder)]}

    def test_a_store_that_root_makes_for_control_is_controls(self):
        self.given()
        self.assertEqual(self.owners(), {".": (CONTROL, 0o700), "warrants.db": (CONTROL, 0o600)})

    def test_without_a_configuration_it_is_roots(self):
        self.otway.run("agency", "add", "Police", code=0)
        self.assertEqual(self.owners(), {".": (0, 0o700), "warrants.db": (0, 0o600)})

    def test_one_that_is_there_stays_whose_it_is(self):
        self.otway.run("agency", "add", "Police", code=0)
        self.given()
        self.assertEqual(self.owners(), {".": (0, 0o700), "warrants.db": (0, 0o600)})

    def test_a_user_that_cannot_make_it_there_is_told(self):
        os.mkdir(os.path.dirname(self.otway.store), 0o700)
        done = self.otway.run("agency", "add", "Police", "--config", self.config(users={"control": str(CONTROL)}), code=4)
        self.assertIn("user %d" % CONTROL, done.err.decode())
        self.assertEqual(os.listdir(os.path.dirname(self.otway.store)), [])

    def test_a_user_that_is_not_there_is_told(self):
        self.otway.run("agency", "add", "Police", "--config", self.config(users={"control": "nobody-of-this-name"}), code=3)

    def test_what_root_does_later_leaves_nothing_of_roots(self):
        self.given()
        self.otway.warrant("L1", BOB, agency="Police")
        self.otway.run("warrant", "revoke", "L1", "--reason", "a test", code=0)
        self.otway.run("audit", "verify", code=0)
        self.assertEqual(self.owners(), {".": (CONTROL, 0o700), "warrants.db": (CONTROL, 0o600)})

    def test_a_file_of_roots_that_control_puts_there_is_not_opened(self):
        """What control could not read, root does not read for it."""
        self.given()
        other = self.otway.path("other.db")
        shutil.copyfile(self.otway.store, other)
        os.chmod(other, 0o600)
        os.unlink(self.otway.store)
        os.symlink(other, self.otway.store)
        done = self.otway.run("agency", "list", code=1)
        self.assertIn("Permission denied", done.err.decode())
        os.unlink(self.otway.store)
        os.link(other, self.otway.store)
        self.otway.run("agency", "list", code=1)

    def test_evidence_that_root_makes_is_roots(self):
        self.given()
        self.otway.warrant("L1", BOB, agency="Police")
        self.otway.decrypt(KNOWN.path, code=0)
        self.assertEqual(os.stat(self.otway.path("case", "L1", "case.json")).st_uid, 0)

    def test_running_with_it_is_right(self):
        self.given()
        self.assertIsNone(self.wrong_of("owner of the store"))

    def wrong_of(self, what):
        """What `config check` finds wrong with it."""
        config = self.config(users={u: str(CONTROL + i) for i, u in enumerate(("control", "intercept", "keys", "delivery"))},
                             interfaces=["no-such-port"], cases=self.otway.path("cases"), status=self.otway.path("run", "status"))
        done = self.otway.run("config", "check", "--config", config, "--json")
        found = [f for f in json.loads(done.out)["findings"] if f["what"] == what]
        self.assertTrue(found, done)
        return next((f["text"] for f in found if not f["right"]), None)

    def test_running_with_roots_store_is_refused_with_what_to_do(self):
        self.otway.run("agency", "add", "Police", code=0)
        said = self.wrong_of("owner of the store")
        self.assertIn("chown %d" % CONTROL, said)
        self.assertEqual(os.stat(self.otway.store).st_uid, 0, "nothing is given away unasked")

    def test_running_without_a_store_is_refused(self):
        self.assertIn("agency add", self.wrong_of("owner of the store"))


if __name__ == "__main__":
    unittest.main()
