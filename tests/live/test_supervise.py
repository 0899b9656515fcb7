"""What supervise does by itself, with roles that do nothing: starts them, hears them, starts again who dies or says nothing, ends all in
order, reads its configuration anew, and tells the service manager how it goes."""

import ctypes
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from program import OTWAY

IDLE = os.environ.get("IDLE", "")
USERS = {"control": 61001, "intercept": 61002, "keys": 61003, "delivery": 61004}
ALL = {("control", 0), ("keys", 0), ("delivery", 0), ("intercept", 0), ("intercept", 1)}
PATIENCE = 20
# A sanitizer that looks for leaks does so by ptrace, which nobody who is confined may use.
SANITIZERS = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0")))


def words(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read().decode().split("\0")[:-1]
    except OSError:
        return []


def state(pid):
    """"R", "S", "Z" …; None: there is no such process."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


def children(pid):
    """{(role, index): pid}"""
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    found = {}
    for child in map(int, out.split()):
        said = words(child)
        if said[1:2] == ["role"] and state(child) not in (None, "Z"):
            found[said[2], int(said[3])] = child
    return found


def until(condition, patience=PATIENCE):
    """What a condition gives at last, and after how many seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        found = condition()
        if found:
            return found, time.monotonic() - begun
        time.sleep(0.005)
    raise AssertionError("waited %d s in vain" % patience)


@unittest.skipUnless(os.geteuid() == 0, "for root alone")
class Supervised(unittest.TestCase):
    def setUp(self):
        self.space = "otway-%d-super" % os.getpid()
        subprocess.run(["ip", "netns", "add", self.space], check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", self.space])
        self.inside("ip", "link", "add", "m0", "type", "veth", "peer", "name", "m1")
        self.inside("ip", "link", "set", "m0", "up")
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="otway-super-"))
        os.chmod(self.folder, 0o711)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.path("notify"))
        self.told = []
        self.process = None

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def inside(self, *args):
        subprocess.run(["ip", "netns", "exec", self.space, *args], check=True)

    def write(self, **settings):
        run = {"interfaces": ["m1"], "prepare": True, "intercepts": 2, "cases": self.path("cases"), "watchdog_s": 2,
               "status": self.path("run", "status"), "users": {k: str(v) for k, v in USERS.items()}, **settings}
        with open(self.path("otway.yaml"), "w") as f:
            f.write(json.dumps({"run": run})) # which is YAML too
        return self.path("otway.yaml")

    def begin(self, *more, program=None, ready=True, notify=None):
        self.log = open(self.path("log"), "a+")
        self.addCleanup(self.log.close)
        command = ["ip", "netns", "exec", self.space, *(program or [IDLE]), self.path("otway.yaml"), *more]
        env = {**os.environ, "ASAN_OPTIONS": SANITIZERS, "NOTIFY_SOCKET": notify or self.path("notify")}
        self.process = subprocess.Popen(command, stderr=self.log, env=env)
        self.addCleanup(self.end)
        if ready:
            self.hear("READY=1")
        return self.process

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def hear(self, wanted):
        """Until the service manager is told that; returns the message."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and (self.process.poll() is None or select.select([self.manager], [], [], 0)[0]):
            if select.select([self.manager], [], [], 0.2)[0]:
                self.told.append(self.manager.recv(4096).decode())
                if wanted in self.told[-1]:
                    return self.told[-1]
        raise AssertionError("the manager is not told %s; %s" % (wanted, self.said()))

    def said(self):
        with open(self.path("log")) as f:
            return f.read()

    def roles(self):
        return children(self.process.pid)

    def all_there(self):
        return set(self.roles()) == ALL

    def back(self, role, was):
        """A process plays that role again, and has said that it is at work."""
        name = "%s %d" % role if role[0] == "intercept" else role[0]
        now = self.roles().get(role)
        return now if now not in (None, was) and "%s is back" % name in self.said() else None


class Start(Supervised):
    def test_every_role_is_a_process_and_the_manager_is_told_when_all_are_at_work(self):
        self.write()
        self.begin()
        self.assertEqual(set(self.roles()), ALL)
        self.hear("WATCHDOG=1")
        self.assertIn("STATUS=2 intercept processes on 1 interfaces; every role answers", self.told)

    def test_roles_have_their_own_descriptors_and_nothing_of_the_environment(self):
        self.write()
        os.environ["OTWAY_SECRET_OF_TEST"] = "x"
        self.addCleanup(os.environ.pop, "OTWAY_SECRET_OF_TEST")
        self.begin()
        for (role, index), pid in self.roles().items():
            with self.subTest(role=role):
                self.assertEqual(words(pid), ["otway", "role", role, str(index)])
                with open("/proc/%d/environ" % pid, "rb") as f:
                    self.assertNotIn(b"SECRET", f.read())
                sockets = [n for n in os.listdir("/proc/%d/fd" % pid)
                           if os.readlink("/proc/%d/fd/%s" % (pid, n)).startswith("socket:")]
                # Its peers, and two to supervise: what every crew has, and the last word.
                peers = {"control": 4, "keys": 3, "delivery": 3, "intercept": 4}[role]
                self.assertEqual(len(sockets), peers + 2)

    def test_capture_goes_before_everything_else(self):
        self.write()
        self.begin()
        own = os.getpriority(os.PRIO_PROCESS, self.process.pid)
        for (role, _), pid in self.roles().items():
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), -10 if role == "intercept" else own, role)

    def test_an_abstract_socket_of_the_manager_is_told_too(self):
        # An abstract name is of one network namespace: this test goes there for a moment.
        with open("/proc/self/ns/net", "rb") as home, open("/run/netns/" + self.space, "rb") as there:
            setns = ctypes.CDLL(None, use_errno=True).setns
            self.assertEqual(setns(there.fileno(), 0x40000000), 0)
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.assertEqual(setns(home.fileno(), 0x40000000), 0)
        self.manager.close()
        self.manager = manager
        self.addCleanup(manager.close)
        name = "otway-super-%d" % os.getpid()
        self.manager.bind("\0" + name)
        self.write()
        self.begin(notify="@" + name)

    def test_a_role_that_cannot_start_says_why_and_nothing_stays(self):
        self.write()
        self.begin("fail:keys:the moon is full", ready=False)
        self.assertEqual(self.process.wait(PATIENCE), 3)
        self.assertIn("keys: the moon is full", self.said())
        self.assertEqual(children(self.process.pid), {})
        self.assertNotIn("READY=1", self.told)

    def test_a_second_one_on_the_same_cases_is_refused(self):
        self.write()
        self.begin()
        again = subprocess.run(["ip", "netns", "exec", self.space, IDLE, self.path("otway.yaml")], capture_output=True, text=True)
        self.assertEqual(again.returncode, 4)
        self.assertIn("another otway runs here", again.stderr)
        self.write(cases=self.path("others"))
        again = subprocess.run(["ip", "netns", "exec", self.space, IDLE, self.path("otway.yaml")], capture_output=True, text=True)
        self.assertEqual(again.returncode, 4)
        self.assertIn("status", again.stderr)
        self.assertTrue(self.all_there())

    def test_an_interface_that_is_not_there_is_named(self):
        self.write(interfaces=["nowhere9"])
        self.begin(ready=False)
        self.assertEqual(self.process.wait(PATIENCE), 3)
        self.assertIn("nowhere9", self.said())

    def test_directories_belong_to_those_who_write_to_them(self):
        self.write()
        self.begin()
        cases, status = os.stat(self.path("cases")), os.stat(self.path("run"))
        self.assertEqual((cases.st_uid, cases.st_mode & 0o777), (USERS["delivery"], 0o700))
        self.assertEqual((status.st_uid, status.st_mode & 0o777), (USERS["control"], 0o755))

    def test_cases_of_somebody_else_are_refused(self):
        os.mkdir(self.path("cases"))
        self.write()
        self.begin(ready=False)
        self.assertEqual(self.process.wait(PATIENCE), 4)
        self.assertIn("must belong to user %d" % USERS["delivery"], self.said())


class Death(Supervised):
    def test_each_role_that_is_killed_is_back_within_a_second(self):
        self.write()
        self.begin()
        for role in sorted(ALL):
            with self.subTest(role=role):
                was = self.roles()
                os.kill(was[role], signal.SIGKILL)
                now, took = until(lambda: self.back(role, was[role]))
                self.assertLess(took, 1.0)
                rest = {k: v for k, v in self.roles().items() if k != role}
                self.assertEqual(rest, {k: v for k, v in was.items() if k != role}, "the others go on")
                print("%s %d: back after %d ms" % (*role, took * 1000))
                time.sleep(1.1) # long enough at work to be no death of a row

    def test_others_hear_of_the_one_that_follows(self):
        self.write()
        self.begin()
        was = self.roles()
        os.kill(was["intercept", 1], signal.SIGKILL)
        until(lambda: self.back(("intercept", 1), was["intercept", 1]))
        until(lambda: len(re.findall("peer up: intercept 1", self.said())) == 4)
        heard = set(re.findall(r"otway: ([\w ]+): peer up", self.said()))
        self.assertEqual(heard, {"control", "keys", "delivery", "intercept 0"})

    def test_the_time_that_an_intercept_was_missing_is_a_gap(self):
        self.write()
        self.begin()
        time.sleep(1.5) # it was heard once
        was = self.roles()
        before = time.time()
        os.kill(was["intercept", 0], signal.SIGKILL)
        until(lambda: self.back(("intercept", 0), was["intercept", 0]))
        until(lambda: len(re.findall("gap role intercept 0", self.said())) == 2)
        after = time.time()
        opened, closed = re.findall(r"gap role intercept 0 (\S+)Z (\S+)", self.said())
        self.assertEqual(opened[1], "open")
        self.assertEqual(opened[0], closed[0])
        begin, end = (time.mktime(time.strptime(t[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + t.rstrip("Z")[19:])
                      for t in closed)
        self.assertLess(begin, before)
        self.assertGreater(begin, before - 2.5, "no wider than since it was heard last")
        self.assertLessEqual(end, after)
        self.assertGreater(end, before)

    def test_a_gap_is_told_again_to_a_delivery_that_died_before_it_wrote_it_down(self):
        self.write()
        self.begin()
        was = self.roles()
        os.kill(was["delivery", 0], signal.SIGSTOP)
        os.kill(was["intercept", 1], signal.SIGKILL)
        until(lambda: self.back(("intercept", 1), was["intercept", 1]))
        self.assertNotIn("gap role intercept 1", self.said())
        os.kill(was["delivery", 0], signal.SIGKILL)
        until(lambda: self.back(("delivery", 0), was["delivery", 0]))
        until(lambda: re.search(r"gap role intercept 1 \S+ \S+Z\n", self.said()))
        until(lambda: re.search(r"gap role delivery \S+ \S+Z\n", self.said()))

    def test_a_role_that_hangs_is_ended_and_started_again(self):
        self.write()
        self.begin()
        was = self.roles()
        os.kill(was["keys", 0], signal.SIGSTOP)
        _, took = until(lambda: self.back(("keys", 0), was["keys", 0]))
        self.assertGreater(took, 1.5)
        self.assertLess(took, 5)
        self.assertIn("it said nothing for 2 seconds", self.said())

    def test_the_manager_is_not_reassured_while_a_role_hangs(self):
        self.write(watchdog_s=4)
        self.begin()
        self.hear("WATCHDOG=1")
        pid = self.roles()["control", 0]
        self.told.clear()
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        self.hear("STATUS=control is started again")
        silent = time.monotonic() - begun
        self.hear("STATUS=2 intercept")
        at = [n for n, t in enumerate(self.told) if t.startswith("STATUS=control")][0]
        self.assertGreater(silent, 3)
        self.assertNotIn("WATCHDOG=1", self.told[at:-1])
        self.hear("WATCHDOG=1")

    def test_one_that_keeps_dying_is_started_ever_later_and_raises_an_alarm(self):
        self.write()
        self.begin("exit:keys")
        os.kill(self.roles()["keys", 0], signal.SIGKILL)
        until(lambda: "control: heard alarm role keys on" in self.said())
        before = self.said().count("keys is gone")
        time.sleep(3)
        grown = self.said().count("keys is gone") - before
        self.assertGreaterEqual(grown, 2, "never later than a second")
        self.assertLessEqual(grown, 10)
        self.assertEqual(set(self.roles()) | {("keys", 0)}, ALL)
        was = self.roles()["control", 0]
        os.kill(was, signal.SIGKILL)
        until(lambda: self.back(("control", 0), was))
        until(lambda: self.said().count("control: heard alarm role keys on") >= 2)

    def test_roles_die_with_supervise(self):
        self.write()
        self.begin()
        roles = self.roles()
        self.process.kill()
        self.process.wait()
        _, took = until(lambda: all(state(pid) in (None, "Z") for pid in roles.values()))
        self.assertLess(took, 0.5)


class End(Supervised):
    def test_the_end_goes_from_those_who_make_to_those_who_take(self):
        self.write()
        self.begin()
        roles = self.roles()
        self.process.terminate()
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertEqual([state(pid) for pid in roles.values()], [None] * 5)
        order = re.findall(r"otway: ([\w]+)[ \d]*: stop", self.said())
        self.assertEqual(order, ["intercept", "intercept", "keys", "delivery", "control"])
        self.hear("STOPPING=1")

    def test_one_that_hangs_does_not_keep_the_rest(self):
        self.write()
        self.begin()
        os.kill(self.roles()["keys", 0], signal.SIGSTOP)
        self.process.terminate()
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertIn("control: stop", self.said())

    def test_a_second_signal_ends_it_at_once(self):
        self.write(watchdog_s=60)
        self.begin()
        for pid in self.roles().values():
            os.kill(pid, signal.SIGSTOP)
        self.process.terminate()
        self.hear("STOPPING=1")  # else the two signals may come as one
        self.process.terminate()
        begun = time.monotonic()
        self.process.wait(PATIENCE)
        self.assertLess(time.monotonic() - begun, 1)


class Reload(Supervised):
    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)
        said = self.hear("RELOADING=1")
        self.assertRegex(said, r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.assertLess(now - int(said.split("=")[-1]), 5 * 10**6)
        self.hear("READY=1")

    def test_every_role_takes_the_new_configuration(self):
        self.write(lease="1h")
        self.begin()
        self.write(lease="2h")
        self.reload()
        self.assertEqual(self.said().count("reload: lease 2h"), 5)
        # And so does one that is started later.
        was = self.roles()["keys", 0]
        os.kill(was, signal.SIGKILL)
        until(lambda: self.back(("keys", 0), was))
        until(lambda: self.said().count("reload: lease 2h") == 6)

    def test_a_wrong_one_is_an_alarm_and_the_old_one_holds_on(self):
        self.write(lease="1h")
        self.begin()
        with open(self.path("otway.yaml"), "w") as f:
            f.write("run:\n  interfaces: [m1]\n  leese: 2h\n")
        self.reload()
        self.assertIn("line 3: there is no setting 'leese'; did you mean 'run.lease'?", self.said())
        until(lambda: "control: heard alarm config  on" in self.said())
        self.assertNotIn("reload:", self.said())
        self.assertTrue(self.all_there())
        self.write(lease="3h")
        self.reload()
        until(lambda: "control: heard alarm config  off" in self.said())
        self.assertIn("reload: lease 3h", self.said())

    def test_what_cannot_change_while_it_runs_is_named_and_stays(self):
        self.write()
        self.begin()
        self.write(intercepts=3, ring_mib=64, lease="5h")
        self.reload()
        self.assertRegex(self.said(), r"need a restart to change: intercepts, ring_mib\n")
        self.assertTrue(self.all_there())
        self.assertIn("reload: lease 5h", self.said())


class Program(Supervised):
    """The program itself, where it says no."""

    def refused(self, code):
        done = subprocess.run(["ip", "netns", "exec", self.space, OTWAY, "run", "--config", self.path("otway.yaml")],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_a_typo_is_named_with_its_line_and_what_was_meant(self):
        with open(self.path("otway.yaml"), "w") as f:
            f.write("# comment\nrun:\n  interface: [m1]\n")
        self.assertIn("otway.yaml: line 3: there is no setting 'interface'; did you mean 'run.interfaces'?", self.refused(2))

    def test_no_interface_is_refused(self):
        self.write(interfaces=[])
        self.assertIn("run: interfaces: name at least one mirror port", self.refused(2))

    def test_a_user_that_is_not_there_is_named(self):
        self.write(users={**{k: str(v) for k, v in USERS.items()}, "keys": "nobody-of-that-name"})
        self.assertIn("there is no user 'nobody-of-that-name'", self.refused(3))

    def test_a_role_is_not_started_by_hand(self):
        done = subprocess.run([OTWAY, "role", "keys", "0"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 2)
        self.assertIn("'otway run'", done.stderr)


if __name__ == "__main__":
    unittest.main()
