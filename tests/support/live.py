"""live: the live system for a test: `otway run` in the namespace of the mirror port, with a store and case folders of its own, and
the commands that somebody who administers it would type."""

import json
import os
import signal
import socket
import subprocess
import time

from intercepted import Intercepted
from netns import PORT
from program import OTWAY, PATIENCE, Otway

# Whom the roles run as: numbers that are nobody's.
USERS = {"control": 61001, "intercept": 61002, "keys": 61003, "delivery": 61004}
ROLES = ("control", "intercept", "keys", "delivery")
READY = 30  # seconds


def effect():
    """Seconds within which a warrant is in effect: a tenth, where nobody else wants the machine meanwhile."""
    return 0.1 if os.environ.get("OTWAY_SOAK") == "1" else 1.0


class Live(Otway):
    """with Live(network, intercepts=2, …) as live: live.agency(…); live.start(); live.warrant_now(…). Settings: those of `run:`."""

    def __init__(self, network, url=None, run_url=None, more=(), **settings):
        super().__init__()
        self.network, self.url, self.process, self.notified = network, url, None, None
        self.run_url = run_url or url  # as which user of the database it runs
        for where, who in (("store", "control"), ("cases", "delivery"), ("run", "control")):
            os.mkdir(self.path(where), 0o700)
            os.chown(self.path(where), USERS[who], USERS[who])
        os.chmod(self.folder, 0o711)
        os.chmod(self.path("run"), 0o755)
        self.settings = {"interfaces": [PORT], "intercepts": 1, "cases": self.path("cases"), "status": self.path("run", "status"),
                         "log_level": "debug", "prepare": False, "users": USERS, **settings}
        self.more = list(more)  # lines of the configuration beside `run:`

    def agency(self, name="Test Agency"):
        self.run("agency", "add", name, code=0)

    def own_store(self):
        """What root made of it is control's."""
        for where, _, names in os.walk(self.path("store")):
            for name in [".", *names]:
                os.chown(os.path.join(where, name), USERS["control"], USERS["control"])

    def write(self):
        """The configuration file."""
        lines = ["store: %s" % json.dumps(self.run_url or "sqlite:" + self.store), *self.more, "run:"]
        for name, value in self.settings.items():
            if isinstance(value, dict):
                lines += ["  %s:" % name] + ["    %s: %s" % (k, json.dumps(str(v))) for k, v in value.items()]
            else:
                lines.append("  %s: %s" % (name, json.dumps(value)))
        with open(self.path("otway.yaml"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(self.path("otway.yaml"), 0o644)
        return self.path("otway.yaml")

    def start(self, ready=True):
        """Starts it, and waits until it says that it is ready."""
        if self.url is None:
            self.own_store()
        bell = self.path("run", "notify")
        if os.path.exists(bell):
            os.unlink(bell)
        if self.notified is not None:
            self.notified.close()
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(bell)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "PG"))}
        env.update(HOME=self.folder, NOTIFY_SOCKET=bell)
        with open(self.path("log"), "ab") as log:
            self.process = self.network.start("m", OTWAY, "run", "--config", self.write(), env=env, stdin=subprocess.DEVNULL,
                                              stdout=log, stderr=log, cwd=self.folder)
        if ready:
            self.wait_for("READY=1")
        return self

    def wait_for(self, word, span=READY):
        """Until it says so to its notify socket."""
        end = time.monotonic() + span
        while True:
            self.notified.settimeout(0.2)
            try:
                if word in self.notified.recv(4096).decode().split("\n"):
                    return
            except socket.timeout:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("%s was not said; %s" % (word, self.log()[-4000:]))

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, code=0):
        """Told to end it ends in good order."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            ended = self.process.wait(PATIENCE)
        finally:
            self.process, process = None, self.process
            if process.poll() is None:
                process.kill()
        if code is not None and ended != code:
            raise AssertionError("otway run ended with %s: %s" % (ended, self.log()[-4000:]))
        if "Sanitizer" in self.log() or "runtime error" in self.log():
            raise AssertionError(self.log()[-8000:])
        return ended

    def close(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            for pids in self.pids().values():
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
        if self.notified is not None:
            self.notified.close()
        super().close()

    # Warrants while it runs

    def warrant_now(self, liid, target, end="+1h", **how):
        return self.warrant(liid, target, start="now", end=end, **how)

    def revoke(self, liid):
        return self.run("warrant", "revoke", liid, "--reason", "a test", code=0)

    def in_effect(self):
        """Waits until what was changed is in effect."""
        time.sleep(2 * effect())

    # Its processes

    def pids(self):
        """{role: [pid of each]}, of this otway alone: those whose ancestor it is."""
        found = {r: [] for r in ROLES}
        for pid, parent, words in processes():
            if self.process is not None and parent == self.process.pid and "role" in words:
                role = words[words.index("role") + 1]
                if role in found:
                    found[role].append(pid)
        return found

    def memory(self):
        """{role: KiB resident of each}."""
        return {r: [resident(p) for p in pids] for r, pids in self.pids().items()}

    def status(self):
        # `status` knows no store of ours: it asks the socket.
        done = subprocess.run(self.network.command("m", OTWAY, "status", "--config", self.path("otway.yaml"), "--json"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise AssertionError("status: %d %s" % (done.returncode, done.stderr.decode()))
        return json.loads(done.stdout)

    def alarms(self):
        """Names of those that are raised."""
        return {a["alarm"] for a in self.status()["alarms"]}

    # What it delivered

    def intercepted(self, liid):
        return Intercepted(os.path.join(self.settings["cases"], liid))

    def settled(self, liid, calls, span=60):
        """Waits until so many calls of a warrant are there and finished."""
        end = time.monotonic() + span
        while time.monotonic() < end:
            found = self.intercepted(liid)
            if len(found.calls) >= calls and all(c.said["ended"] for c in found.calls):
                return found
            time.sleep(0.5)
        raise AssertionError("%d of %d calls are finished" % (sum(bool(c.said["ended"]) for c in found.calls), calls))

    def decrypted(self, capture, out="offline", store=None, **how):
        """{liid: Intercepted} of `decrypt` on what tcpdump recorded."""
        self.decrypt(capture, out, **how)
        top = self.path(out)
        return {liid: Intercepted(os.path.join(top, liid)) for liid in (os.listdir(top) if os.path.isdir(top) else ())}


def processes():
    """(pid, parent, words of its command line) of everything that runs."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="latin-1") as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
                with open("/proc/%s/cmdline" % name, encoding="latin-1") as f:
                    words = f.read().split("\0")
            except (OSError, IndexError):
                continue
            yield int(name), parent, words


def resident(pid):
    """KiB."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0
