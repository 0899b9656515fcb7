"""booted: a machine that systemd runs, for a test: namespaces and a root of its own, laid over this machine's, with a cable whose one end
is a mirror port. What is written there is in memory alone, and gone when the test ends."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

SYSTEMD = "/lib/systemd/systemd"
PORT, WIRE = "m1", "wire"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
MASKED = ("systemd-udevd", "systemd-udev-trigger", "systemd-modules-load", "systemd-sysctl", "systemd-remount-fs", "systemd-binfmt",
          "systemd-hwdb-update", "systemd-timesyncd", "systemd-resolved", "networking", "apparmor", "kmod-static-nodes")
GROUP = "otway-booted-"
TREES = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
BOOT = 20  # seconds

INSIDE = """set -e
mount -t tmpfs tmpfs "$1"
root=$1/root
mkdir "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for d in run tmp dev; do mount -t tmpfs tmpfs "$root/$d"; done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/tmp/given"
for d in %(devices)s; do touch "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"; done
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount --bind "$2" "$root/tmp/given"
rm -rf "$root/etc/systemd/system" "$root/etc/otway" "$root/var/lib/otway" "$root/var/log/journal"
mkdir -p "$root/etc/systemd/system"
printf '[Unit]\\nRequires=basic.target\\n' >"$root/etc/systemd/system/bare.target"
for u in %(masked)s; do ln -s /dev/null "$root/etc/systemd/system/$u.service"; done
: >"$root/etc/fstab"
ip link set lo up
ip link add %(port)s type veth peer name %(wire)s
ip link set %(wire)s up
cd "$root"
mkdir -p old
pivot_root . old
exec env -i container=lxc PATH=%(path)s %(systemd)s --system --unit=bare.target --log-target=null </dev/null >/dev/null 2>&1
""" % {"devices": " ".join(DEVICES), "masked": " ".join(MASKED), "port": PORT, "wire": WIRE, "path": PATH, "systemd": SYSTEMD}


class Booted:
    """with Booted(folder) as machine: machine.run("systemctl", …); folder is /tmp/given there."""

    def __init__(self, folder):
        if os.geteuid() != 0 or not os.path.exists(SYSTEMD) or shutil.which("nsenter") is None:
            raise unittest.SkipTest("systemd is not installed, or this is not root")
        self.folder, self.pid = folder, None

    def __enter__(self):
        self.below = tempfile.mkdtemp(prefix="otway-booted-")
        try:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--kill-child", "--propagation", "private",
                 "sh", "-c", INSIDE, "sh", self.below, self.folder], stderr=subprocess.PIPE, preexec_fn=own_cgroup)
        except subprocess.SubprocessError as e:
            os.rmdir(self.below)
            raise unittest.SkipTest("no control group can be made here") from e
        end = time.monotonic() + BOOT
        while time.monotonic() < end and self.process.poll() is None:
            self.pid = self._first()
            if self.pid and self.run("systemctl", "is-active", "basic.target", code=None).stdout == "active\n":
                return self
            time.sleep(0.1)
        why = "it takes too long" if self.process.poll() is None else self.process.stderr.read().decode().strip()
        self.__exit__()
        raise unittest.SkipTest("systemd does not boot in namespaces here: " + why)

    def _first(self):
        """The process that is the first one there, once it is systemd."""
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as f:
                child = f.read().split()[0]
            with open("/proc/%s/cmdline" % child, "rb") as f:
                return int(child) if f.read().startswith(SYSTEMD.encode()) else None
        except (OSError, IndexError):
            return None  # not yet, or not any more

    def __exit__(self, *_):
        self.process.kill()  # and with it the first process there, and all others
        self.process.wait()
        self.process.stderr.close()
        left = [self.below, *(where for tree in TREES
                              for where, _, _ in os.walk(os.path.join(tree, GROUP + str(self.process.pid)), topdown=False))]
        end = time.monotonic() + 10
        while left and time.monotonic() < end:
            try:
                os.rmdir(left[0])
                left.pop(0)
            except OSError:
                time.sleep(0.1)

    def run(self, *words, code=0):
        """Runs a program there; code: what it must end with, None: anything."""
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-a", "-r", "-w", "env", "-i", "PATH=" + PATH, *words],
            capture_output=True, text=True, check=False)
        if code is not None and done.returncode != code:
            raise AssertionError("%s: %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
        return done

    def told(self, name):
        """One property of the service."""
        return self.run("systemctl", "show", "otway", "-p", name, "--value").stdout.strip()


def own_cgroup():
    """A part of the second tree of control groups, that systemd takes for all of it."""
    for tree in TREES:
        if os.path.exists(os.path.join(tree, "cgroup.procs")):
            where = os.path.join(tree, GROUP + str(os.getpid()))
            os.mkdir(where)
            with open(os.path.join(where, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write(str(os.getpid()))
            return
