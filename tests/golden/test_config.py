"""The configuration of the live system: check names all that is wrong, show tells what holds, and the example changes nothing."""

import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from program import OTWAY, PATIENCE, ROOT, Otway

EXAMPLE = os.path.join(ROOT, "deploy", "otway.yaml")
USERS = {"control": "61001", "intercept": "61002", "keys": "61003", "delivery": "61004"}
# As include/otway/base/conf.h promises, for whom nothing is set.
DEFAULTS = {
    "interfaces": [], "prepare": False, "ring_mib": 32, "snaplen": 65535, "retire_ms": 10, "midcall": False, "midcall_mib": 64,
    "hold_kib": 8192, "held_mib": 1024, "hold_time": "10m", "lease": "24h", "cases": "/var/lib/otway/cases", "rotate_mib": 1024,
    "rotate_time": "24h", "sync_ms": 1000, "settle": "40s", "status": "/run/otway/status", "log_level": "info", "kms_files": "/etc/otway/kms", "watchdog_s": 5,
    "without_landlock": False,
    "users": {"control": "otway-control", "intercept": "otway-intercept", "keys": "otway-keys", "delivery": "otway-delivery"},
}


class Config(unittest.TestCase):
    def setUp(self):
        self.otway = self.enterContext(Otway())
        os.chmod(self.otway.folder, 0o711)  # users of roles pass through it
        self.store = "sqlite:" + self.otway.path("store", "w.db")

    def write(self, text, name="c.yaml"):
        with open(self.otway.path(name), "w") as f:
            f.write(text)
        return self.otway.path(name)

    def config(self, *args):
        return subprocess.run([OTWAY, "config", *args], capture_output=True, text=True, timeout=PATIENCE)

    def settings(self, **run):
        """One that is right, but for what is said."""
        run = {"interfaces": ["lo"], "prepare": True, "cases": self.otway.path("cases"), "status": self.otway.path("run", "s"),
               "users": USERS, **run}
        return self.write(json.dumps({"store": self.store, "run": run}))

    def found(self, *args, code):
        """What check found: {what: text}, None where it is right."""
        done = self.config("check", "--json", *args)
        self.assertEqual(done.returncode, code, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(said["right"], code == 0)
        for f in said["findings"]:
            self.assertEqual(f["right"], f["text"] is None)
            self.assertEqual(f["right"], f["code"] == 0)
        return {f["what"]: f["text"] for f in said["findings"]}


class Show(Config):
    def test_what_is_left_out_holds_as_the_contract_says(self):
        done = self.config("show", "--json", "--config", self.write(""), "--store", self.store)
        said = json.loads(done.stdout)
        self.assertEqual(said["run"].pop("intercepts"), min(os.cpu_count(), 32))
        self.assertEqual(said["run"], DEFAULTS)
        self.assertEqual(said["store"], self.store)
        self.assertEqual(said["sip"], {"ports": []})
        self.assertEqual(said["decap"]["ports"]["vxlan"], [4789, 4790, 8472])

    def test_the_example_changes_nothing(self):
        with open(EXAMPLE) as f:
            empty, example = self.write("# nothing\n"), f.read()
        self.assertEqual(self.config("show", "--config", EXAMPLE).stdout, self.config("show", "--config", empty).stdout)
        # And what is commented out in it is right too.
        alive = re.sub(r"^( *)#(\w+: )", r"\1\2", example, flags=re.M)
        alive = re.sub(r"^store: postgresql.*\n", "", alive, flags=re.M)
        self.assertNotEqual(alive, example)
        done = self.config("show", "--json", "--config", self.write(alive))
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["kms_header"], said["run"]["intercepts"], said["run"]["metrics"]),
                         ("X-KMS", 4, "unix:/run/otway/metrics"))

    def test_the_example_has_every_setting(self):
        done = self.config("show", "--json", "--config", self.write("kms_header: X-K\nrun:\n  metrics: 127.0.0.1:9\n"))
        with open(EXAMPLE) as f:
            example = f.read()
        said = json.loads(done.stdout)
        for name in [*said, *said["run"], *said["run"]["users"], *said["decap"]["ports"]]:
            self.assertRegex(example, r"(?m)^ *#?%s:" % name)

    def test_what_is_shown_is_a_configuration_that_says_the_same(self):
        first = self.config("show", "--config", self.settings(metrics="[::1]:9100", interfaces=["lo", "en:1.5".replace(":", "")]))
        again = self.config("show", "--config", self.write(first.stdout, "again.yaml"))
        self.assertEqual(again.stdout, first.stdout)
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_a_file_that_is_not_there_is_a_failure_with_its_name(self):
        done = self.config("show", "--config", self.otway.path("none.yaml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.yaml", done.stderr)


class Check(Config):
    def agency(self):
        done = subprocess.run([OTWAY, "agency", "add", "Police", "--store", self.store], capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        if os.geteuid() == 0:
            for name in ("store", os.path.join("store", "w.db")):
                os.chown(self.otway.path(name), 61001, 61001)

    def test_one_that_is_right_is_said_to_be(self):
        self.agency()
        found = self.found("--config", self.settings(), code=0)
        self.assertEqual({text for text in found.values()}, {None})
        self.assertLessEqual({"settings", "interface lo", "user of keys", "store", "directory of cases"}, set(found))
        self.assertFalse(os.path.exists(self.otway.path("cases")), "nothing is made")

    def test_each_thing_that_is_wrong_is_named_and_the_first_ones_code_is_the_programs(self):
        os.mkdir(self.otway.path("cases"), 0o777)
        os.chmod(self.otway.path("cases"), 0o777)
        found = self.found("--config", self.settings(interfaces=["lo", "nowhere9"], users={**USERS, "keys": "no-such-user"}), code=3)
        wrong = {what: text for what, text in found.items() if text is not None}
        self.assertIn("there is no such interface", wrong.pop("interface nowhere9"))
        self.assertIn("there is no user 'no-such-user'", wrong.pop("user of keys"))
        self.assertIn("no store is there", wrong.pop("store"))
        self.assertIn("chmod go-w", wrong.pop("directory of cases"))
        wrong.pop("owner of the store", None)
        self.assertEqual(wrong, {})

    def test_a_role_does_not_run_as_root(self):
        self.agency()
        found = self.found("--config", self.settings(users={**USERS, "delivery": "root"}), code=4)
        self.assertIn("is root", found["user of delivery"])

    def test_a_tunnel_that_nobody_knows_is_named(self):
        self.agency()
        path = self.write("decap:\n  leave: [vxlam]\n")
        done = self.config("check", "--config", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'vxlan'?", done.stderr)

    def test_people_read_it_line_by_line(self):
        self.agency()
        done = self.config("check", "--config", self.settings(interfaces=["nowhere9"]))
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, r"(?m)^right  store$")
        self.assertRegex(done.stdout, r"(?m)^WRONG  interface nowhere9: nowhere9: there is no such interface")
        self.assertIn("nowhere9", done.stderr)

    def test_a_certificate_that_does_not_fit_its_key_is_found(self):
        self.agency()
        pair = {}
        for name in ("one", "two"):
            pair[name] = self.otway.path(name + ".pem"), self.otway.path(name + ".key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                            "/CN=" + name, "-out", pair[name][0], "-keyout", pair[name][1]], check=True, capture_output=True)
            os.chmod(pair[name][1], 0o600)
        def add(identity, cert, key):
            done = subprocess.run([OTWAY, "kms", "add", identity, "--store", self.store, "--url", "https://kms.example:8443", "--ca",
                                   pair["one"][0], "--cert", cert, "--key", key, "--home", identity.split("@")[1]],
                                  capture_output=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
        add("sip:kms@a.example", *pair["one"])
        self.assertIsNone(self.found("--config", self.settings(), code=0)["certificate for KMS 1"])
        add("sip:kms@b.example", pair["one"][0], pair["one"][1])
        with open(pair["two"][1]) as source, open(pair["one"][1], "w") as target:
            target.write(source.read())
        found = self.found("--config", self.settings(), code=1)
        self.assertIn("one.key", found["certificate for KMS 1"])
        self.assertIsNotNone(found["certificate for KMS 2"])


if __name__ == "__main__":
    unittest.main()
