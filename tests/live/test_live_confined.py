"""What each role may and may not do, tried from within the role that runs: a tool makes its process make the system call (support/inject.c).
What is denied comes back as denied; what nothing honest does ends the process, and another takes its place."""

import ctypes
import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from live import USERS, processes
from livetest import LiveTest
from program import OTWAY

INJECT = os.environ.get("INJECT", "")
DENIED = (-errno.EPERM, -errno.EACCES)
LIBC = ctypes.CDLL(None, use_errno=True)
LANDLOCK = LIBC.syscall(444, None, 0, 1)  # its ABI; less than 1: there is none

# Who runs: supervise, control, control's keeper of the store, intercept, keys, delivery.
S, C, P, I, K, D = "supervise", "control", "keeper", "intercept", "keys", "delivery"
CONFINED = (C, P, I, K, D)
ALL = (S, *CONFINED)
USER = {C: "control", P: "control", I: "intercept", K: "keys", D: "delivery"}

CLOSE, REAP, READ, WRITE, MAKE = "close $1", "wait4 $1 0 0 0", 0, 1, 0o102
TRICK = 1 << 32  # the upper half of a register, which the kernel does not look at where it wants an int

# What is tried: the calls, and who may make the first of them (or the one behind, where 1 is said). What Landlock alone denies is marked so:
# it may not be there. A second set: only among these it is tried.
BY_LANDLOCK = "by Landlock"
TABLE = (
    ("reads who has accounts", ["openat -100 s:/etc/passwd 0 0", CLOSE], {S}, BY_LANDLOCK),
    ("makes a file in /tmp", ["openat -100 s:{elsewhere}/made %d 384" % MAKE, CLOSE], {S}, BY_LANDLOCK),
    ("makes a file with the cases", ["openat -100 s:{cases}/made %d 384" % MAKE, CLOSE, "unlinkat -100 s:{cases}/made 0"], {S, D}, BY_LANDLOCK),
    ("makes a file with the store", ["openat -100 s:{store}/made %d 384" % MAKE, CLOSE, "unlinkat -100 s:{store}/made 0"], {S, P},
     BY_LANDLOCK),
    ("makes a link", ["symlinkat s:/etc/passwd -100 s:{elsewhere}/link"], set()),
    ("makes a socket of IPv4", ["socket 2 1 0", CLOSE], {S, P, K}),
    ("makes a socket of IPv6", ["socket 10 2 0", CLOSE], {S, P, K}),
    ("makes a packet socket", ["socket 17 3 768", CLOSE], {S}),
    ("makes a packet socket by a trick", ["socket %d 3 768" % (TRICK + 17), CLOSE], {S}),
    ("makes a local socket", ["socket 1 1 0", CLOSE], {S, P}),
    ("makes a netlink socket", ["socket 16 3 0", CLOSE], {S}),
    ("connects", ["connect -1 z:16 16"], {S, P, K}),
    ("binds", ["bind -1 z:16 16"], {S}),
    ("listens", ["listen -1 1"], {S}),
    ("accepts", ["accept4 -1 0 0 0"], {S, C}),
    ("forks", ["fork", REAP], {S, D}),
    ("runs another program", ["execve s:{elsewhere}/program 0 0"], {S}, BY_LANDLOCK, {S, D}),  # of the others it is the end
    ("becomes root", ["setuid 0"], {S}),
    ("becomes somebody else", ["setresuid 65534 -1 -1", "setresuid 0 -1 -1"], {S}),
    ("changes its groups", ["setgroups 0 0"], {S}),
    ("sets capabilities", ["capset 0 0"], {S}),
    ("signals a neighbour", ["kill {neighbour} 0"], {S}, BY_LANDLOCK),
    ("signals supervise", ["tgkill {supervise} {supervise} 0"], {S}),
    ("maps memory as program", ["mmap 0 4096 5 34 -1 0"], set()),
    ("turns memory into a program", ["mmap 0 4096 3 34 -1 0", "mprotect $1 4096 5", "munmap $1 4096"], set(), 1),
    ("lets others look in", ["prctl 4 1 0 0 0", "prctl 4 0 0 0 0"], {S}),
    ("raises its limit of cores", ["setrlimit 4 b:%s" % ("ff" * 16)], set(), set(CONFINED)),
    ("lifts a filter", ["seccomp 0 0 0"], {S, D}),
)

FATAL = ("ptrace 0 0 0 0", "process_vm_readv 1 0 0 0 0 0", "unshare 268435456", "mount 0 0 0 0 0", "bpf 0 0 0", "io_uring_setup 1 0",
         "clone %d 0 0 0 0" % (0x10000000 | signal.SIGCHLD))
RUNS_NOTHING = ("execve s:/bin/true 0 0",)
BACK = 5  # seconds until another is there, however busy the machine is: how soon it is, test_live_kill.py says


def sanitized():
    """A build with the address sanitizer locks no memory."""
    with open(OTWAY, "rb") as f:
        return b"__asan_init" in f.read()


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


def line(pid, name):
    return re.search(r"^%s:[ \t]*(.*)$" % name, read("/proc/%d/status" % pid), re.M).group(1).split()


@unittest.skipUnless(INJECT, "INJECT is not set")
class Confined(LiveTest):
    def setUp(self):
        self.net = self.network()
        self.live_ = self.live(self.net, intercepts=2, without_landlock=LANDLOCK < 1)
        self.elsewhere = tempfile.mkdtemp(prefix="otway-elsewhere-")
        self.addCleanup(subprocess.run, ["rm", "-r", self.elsewhere], check=True)
        os.chmod(self.elsewhere, 0o777)

    def pids(self):
        """{who: pid}, the first of each."""
        found = {who: pids[0] for who, pids in self.live_.pids().items() if pids}
        found[S] = self.live_.process.pid
        for pid, parent, _ in processes():
            if parent == found.get(C):
                found[P] = pid
        return found

    def inject(self, pid, calls):
        done = subprocess.run([INJECT, str(pid), *calls], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [x if x.startswith("signal") else int(x) for x in done.stdout.split("\n") if x]

    def beside(self, who):
        """A process of the same user."""
        user = USERS[USER[who]] if who in USER else 0
        process = subprocess.Popen(["sleep", "600"], user=user, group=user, extra_groups=[])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.pid

    def test_each_role_may_what_its_table_says_and_nothing_else(self):
        before = self.pids()
        self.assertEqual(set(before), set(ALL))
        with open(os.path.join(self.elsewhere, "program"), "w", encoding="ascii") as f:
            os.chmod(f.name, 0o755)  # no program: whoever may run it is told so
        for who in ALL:
            words = {"elsewhere": self.elsewhere, "cases": self.live_.path("cases"), "store": self.live_.path("store"),
                     "neighbour": self.beside(who), "supervise": before[S]}
            for name, calls, may, *more in TABLE:
                if (LANDLOCK < 1 and BY_LANDLOCK in more) or any(isinstance(x, set) and who not in x for x in more):
                    continue
                with self.subTest(who=who, does=name):
                    said = self.inject(before[who], [c.format(**words) for c in calls])
                    self.assertEqual(said[1 if 1 in more else 0] not in DENIED, who in may, said)
        self.assertEqual(self.pids(), before, "a denial ended it")
        self.live_.status()

    def test_nothing_is_sent_on_a_capture_descriptor(self):
        for pid in self.live_.pids()[I]:
            fds = self.rings(pid)
            self.assertEqual(len(fds), 1)
            for call in ("sendto %d s:0123456789abcdef 16 0 0 0", "sendto %d s:0123456789abcdef 16 0 z:20 20", "sendmsg %d z:56 0",
                         "sendmmsg %d z:64 1 0", "write %d s:0123456789abcdef 16", "writev %d z:16 1", "pwrite64 %d s:0 1 0",
                         "sendfile %d %d 0 16", "setsockopt %d 263 13 z:28 28", "dup %d", "dup2 %d 99", "dup3 %d 99 0", "fcntl %d 0 0",
                         "fcntl %d 1030 0", "bind %d z:20 20", "connect %d z:20 20"):
                for fd in (fds[0], fds[0] + TRICK):
                    with self.subTest(call=call):
                        self.assertEqual(self.inject(pid, [call.replace("%d", str(fd))]), [-errno.EPERM])

    def rings(self, pid):
        """Its packet sockets."""
        inodes = {words.split()[8] for words in read("/proc/%d/net/packet" % pid).splitlines()[1:]}
        found = []
        for fd in os.listdir("/proc/%d/fd" % pid):
            to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            if to.startswith("socket:[") and to[8:-1] in inodes:
                found.append(int(fd))
        return found

    def test_no_local_socket_of_an_intercept_reaches_anybody(self):
        bell = self.live_.path("run", "notify").encode()
        to = (b"\1\0" + bell + b"\0").hex()
        pid = self.live_.pids()[I][0]
        while self.heard_on_bell():
            pass
        for fd in os.listdir("/proc/%d/fd" % pid):
            with self.subTest(fd=os.readlink("/proc/%d/fd/%s" % (pid, fd))):
                said = self.inject(pid, ["sendto %s s:OTWAY=1 7 64 b:%s %d" % (fd, to, len(to) // 2)])
                self.assertLess(said[0], 0)
        self.assertNotIn(b"OTWAY=1", self.heard_on_bell())

    def heard_on_bell(self):
        self.live_.notified.settimeout(0.1)
        try:
            return self.live_.notified.recv(4096)
        except TimeoutError:
            return b""

    def test_the_kernel_says_that_nothing_is_left(self):
        pids = self.pids()
        for who in CONFINED:
            with self.subTest(who=who):
                pid, user = pids[who], str(USERS[USER[who]])
                self.assertEqual(line(pid, "Uid"), [user] * 4)
                self.assertEqual(line(pid, "Gid"), [user] * 4)
                self.assertEqual(line(pid, "Groups"), [])
                for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(line(pid, name)[0], 16), 0, name)
                self.assertEqual(line(pid, "NoNewPrivs"), ["1"])
                self.assertEqual(line(pid, "Seccomp"), ["2"])
                self.assertRegex(read("/proc/%d/limits" % pid), r"Max core file size +0 +0 ")
                if not sanitized():
                    self.assertGreater(int(line(pid, "VmLck")[0]), 1000)
        users = {line(pids[who], "Uid")[0] for who in (S, C, I, K, D)}
        self.assertEqual(len(users), 5, "two roles are one user")

    def test_supervise_keeps_no_more_than_it_needs(self):
        pid = self.pids()[S]
        self.assertEqual(line(pid, "Seccomp"), ["2"])
        self.assertEqual(line(pid, "NoNewPrivs"), ["1"])
        left = int(line(pid, "CapEff")[0], 16) | int(line(pid, "CapBnd")[0], 16)
        for name, bit in (("SYS_MODULE", 16), ("SYS_RAWIO", 17), ("SYS_PTRACE", 19), ("SYS_ADMIN", 21), ("SYS_BOOT", 22), ("SYS_TIME", 25),
                          ("MKNOD", 27), ("BPF", 39)):
            self.assertEqual(left >> bit & 1, 0, name)

    def test_another_process_of_its_user_cannot_look_in(self):
        pids = self.pids()
        looking = ("import ctypes, os, sys\npid = int(sys.argv[1])\ntry:\n    open('/proc/%d/mem' % pid, 'rb')\n    sys.exit(1)\n"
                   "except PermissionError:\n    pass\nlibc = ctypes.CDLL(None)\nsys.exit(2 if libc.ptrace(16, pid, 0, 0) == 0 else 0)")
        for who in CONFINED:
            user = USERS[USER[who]]
            with self.subTest(who=who):
                done = subprocess.run(["/usr/bin/python3", "-I", "-c", looking, str(pids[who])], user=user, group=user, extra_groups=[],
                                      check=False)
                self.assertEqual(done.returncode, 0)

    def wait_for_another(self, who, gone):
        began = time.monotonic()
        while self.pids().get(who) in (gone, None):
            self.assertLess(time.monotonic() - began, 10, "%s does not come back" % who)
            time.sleep(0.01)
        return time.monotonic() - began

    def test_what_nothing_honest_does_ends_a_role_and_another_follows(self):
        for who in CONFINED:
            for call in FATAL[:3] + (() if who == D else RUNS_NOTHING):
                with self.subTest(who=who, call=call):
                    pid = self.pids()[who]
                    self.assertEqual(self.inject(pid, [call]), ["signal %d" % signal.SIGSYS])
                    self.assertLess(self.wait_for_another(who, pid), BACK)
                    time.sleep(1.5)  # so that it is not one of a row
        self.live_.status()

    def test_a_role_that_aborts_leaves_no_core_and_another_follows(self):
        for who in CONFINED:
            pid = self.pids()[who]
            os.kill(pid, signal.SIGABRT)
            self.assertLess(self.wait_for_another(who, pid), BACK)
            time.sleep(1.5)
        for folder in (self.live_.folder, self.live_.path("cases"), self.live_.path("run"), "/", "/tmp"):
            self.assertEqual([n for n in os.listdir(folder) if re.match(r"core(\.\d+)?$", n)], [])

    def test_when_supervise_ends_so_do_its_roles(self):
        pids = self.pids()
        self.assertEqual(self.inject(pids[S], [FATAL[0]]), ["signal %d" % signal.SIGSYS])
        end = time.monotonic() + 3
        while any(os.path.exists("/proc/%d/fd" % pids[who]) and line(pids[who], "State")[0] != "Z" for who in CONFINED):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
