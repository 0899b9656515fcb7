"""The unit under a real systemd, as deploy/install puts it in place: it is ready when all roles answer, intercepts what a warrant names, reads
its settings again, is started again when it dies or hangs, and ends in good order. No identity is in the journal."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from booted import PORT, WIRE, Booted
from facts import Facts
from intercepted import Intercepted
from livetest import SOAK

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CASE = "s01_direct_sdes"
INTERCEPT_NICE = "-10"


class Systemd(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="otway-unit-"))
        self.known = Facts(CASE)
        shutil.copytree(os.path.join(ROOT, "deploy"), os.path.join(folder, "deploy"))
        shutil.copy(self.known.path, os.path.join(folder, "call.pcap"))
        self.machine = self.enterContext(Booted(folder))
        build = os.path.dirname(os.path.dirname(os.environ["OTWAY"]))
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", os.path.join(folder, "installed")],
            check=True, capture_output=True)
        self.folder = folder
        self.shell("cp -a /tmp/given/installed/. / && /tmp/given/deploy/install live && "
                   "sed -i 's/^  interfaces: .*/  interfaces: [%s]/; s/^  prepare: .*/  prepare: true/' /etc/otway/otway.yaml" % PORT)

    def shell(self, text, code=0):
        return self.machine.run("sh", "-c", text, code=code).stdout

    def until(self, true, span=10):
        end = time.monotonic() + span
        while not true():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def journal(self):
        return self.machine.run("journalctl", "-u", "otway", "-o", "cat").stdout

    def roles(self):
        """{pid: words}"""
        return {int(line.split()[0]): line.split()[1:] for line in self.shell("pgrep -af '^otway role' || true").splitlines()}

    def nice(self):
        """Of each intercept; of the others."""
        nice = {pid: self.shell("ps -o ni= -p %d" % pid).strip() for pid in self.roles()}
        return ({n for pid, n in nice.items() if self.roles()[pid][2] == "intercept"},
                {n for pid, n in nice.items() if self.roles()[pid][2] != "intercept"})

    def test_the_unit(self):
        role, machine = self.known.roles()[0], self.machine
        self.assertIn("agency add", machine.run("otway", "config", "check", code=3).stderr)
        machine.run("otway", "agency", "add", "Agency")
        machine.run("otway", "config", "check")
        machine.run("systemctl", "enable", "--now", "otway", code=None)
        self.assertEqual((machine.told("ActiveState"), machine.told("NRestarts")), ("active", "0"), self.journal())
        self.assertIn("every role answers", machine.told("StatusText"))
        self.assertEqual(self.nice(), ({INTERCEPT_NICE}, {"0"}))
        machine.run("otway", "warrant", "add", "--liid", "L1", "--agency", "Agency", "--target", role.target, "--from", "now",
            "--until", "+1h", "--authority", "x")
        time.sleep(0.5)
        machine.run("tcpreplay", "-q", "-i", WIRE, "/tmp/given/call.pcap")
        machine.run("systemctl", "reload", "otway")
        self.assertEqual(machine.told("ActiveState"), "active")

        victim = next(pid for pid, words in self.roles().items() if words[2:] == ["intercept", "0"])
        machine.run("kill", "-KILL", str(victim))
        self.until(lambda: "intercept 0 is back" in self.journal())
        self.assertEqual(machine.told("NRestarts"), "0")

        machine.run("kill", "-KILL", machine.told("MainPID"))
        self.until(lambda: machine.told("NRestarts") == "1" and machine.told("ActiveState") == "active")
        if SOAK:
            machine.run("kill", "-STOP", machine.told("MainPID"))
            self.until(lambda: machine.told("NRestarts") == "2" and machine.told("ActiveState") == "active", 90)
        machine.run("systemctl", "stop", "otway")
        self.assertEqual((machine.told("Result"), self.roles()), ("success", {}))

        for word in ("L1", role.target, "Agency"):
            self.assertNotIn(word, self.journal())
        self.shell("cp -r /var/lib/otway/cases /tmp/given/cases")
        got = Intercepted(os.path.join(self.folder, "cases", "L1"))
        self.assertEqual(sorted(i for c in got.calls for i in c.said["call_ids"]), sorted(c["call_id"] for c in self.known.facts["calls"]))
        self.assertGreater(sum(len(s) for s in got.media().values()), 0)


if __name__ == "__main__":
    unittest.main()
