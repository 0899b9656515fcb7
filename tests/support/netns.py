"""netns: a network for a test of the live system, out of network namespaces of its own: hosts on a switch, and a mirror port of that
switch with everything that any host sends.

    a, b, p   hosts: those who call, who are called, the proxies between them; any address below `HOSTS` is theirs
    s         the switch: a bridge; what comes in on its ports is mirrored, by tc where the kernel can, else by flooding
    m         who listens: m1 is the mirror port

All of it is removed when the test ends, however it ends: by a process that waits for it."""

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import time
import unittest

HOSTS = {"a": ("10.1.0.11/32", "10.1.0.21/32", "10.11.0.0/16"), "b": ("10.1.0.0/16", "10.12.0.0/16"),
         "p": ("10.1.0.1/32", "10.1.0.2/32", "10.13.0.0/16")}
LINK = {"a": "10.255.0.1", "b": "10.255.0.2", "p": "10.255.0.3"}
PORT = "m1"
MIRRORS = {"u32": "tc filter add dev %s ingress protocol all u32 match u32 0 0 action mirred egress mirror dev m0",
           "matchall": "tc filter add dev %s ingress protocol all matchall action mirred egress mirror dev m0"}
CLONE_NEWNET = 0x40000000
SETTLE = 1.5  # seconds until what was captured is in tcpdump's file: its ring is read each second at least
_LIBC = ctypes.CDLL(None, use_errno=True)
_COUNT = iter(range(1 << 30))


def impossible():
    """Why there can be no such network here; None: there can."""
    if os.geteuid() != 0:
        return "namespaces are for root alone"
    for program in ("ip", "tc", "tcpdump", "ethtool"):
        if shutil.which(program) is None:
            return "%s is not installed" % program
    name = "otway-%d-%d-try" % (os.getpid(), next(_COUNT))
    if subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return "namespaces cannot be made here"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


def remove_stale():
    """Those of tests that are no more."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else ():
        found = re.match(r"otway-(\d+)-", name)
        if found and not os.path.exists("/proc/" + found.group(1)):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)


class Network:
    """with Network() as net: net.run("a", "ping", …), net.record(path). fit: the mirror port is made fit to listen on."""

    def __init__(self, fit=True, mirror=None):
        reason = impossible()
        if reason:
            raise unittest.SkipTest(reason)
        remove_stale()
        base = "otway-%d-%d-" % (os.getpid(), next(_COUNT))
        self.names = {n: base + n for n in (*LINK, "s", "m")}
        self.keeper = None
        self.mirror = mirror
        try:
            self._make(fit)
        except BaseException:
            self.close()
            raise

    def _make(self, fit):
        # The keeper outlives us if need be: at the end of its input it removes everything.
        names = " ".join(self.names.values())
        script = ("read wait; for n in %s; do for p in $(ip netns pids $n); do kill -9 $p; done; done; sleep 0.1; "
                  "for n in %s; do ip netns del $n; done" % (names, names))
        self.keeper = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "add", name], check=True)
        self.shell("s", "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1",
                   "ip link add br0 type bridge forward_delay 0 mcast_snooping 0 ageing_time 0", "ip link set br0 up mtu 1500",
                   "ip link add m0 mtu 65535 type veth peer name %s mtu 65535 netns %s" % (PORT, self.names["m"]),
                   "ip link set m0 arp off up")
        for n in LINK:
            self._host(n)
        for n in LINK:
            self._routes(n)
        self.shell("m", "ip link set lo up", *self._fit() if fit else (), "ip link set %s up" % PORT)
        self._choose_mirror()

    def _host(self, n):
        self.shell(n, "ip link set lo up", "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1",
                   "ip link add %s0 type veth peer name s%s netns %s" % (n, n, self.names["s"]),
                   "ethtool -K %s0 tx off >/dev/null" % n, "ip addr add %s/24 dev %s0" % (LINK[n], n), "ip link set %s0 up" % n,
                   "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.%s0.rp_filter=0" % n,
                   "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.accept_local=1")
        self.shell("s", "ip link set s%s master br0 up" % n)

    def _routes(self, n):
        self.shell(n, *("ip route add local %s dev lo" % prefix if m == n else "ip route add %s via %s" % (prefix, LINK[m])
                        for m in LINK for prefix in HOSTS[m]))

    @staticmethod
    def _fit():
        return ("sysctl -qw net.ipv6.conf.%s.disable_ipv6=1" % PORT, "ip link set %s arp off multicast off promisc on" % PORT)

    def _choose_mirror(self):
        for kind in MIRRORS if self.mirror is None else [self.mirror]:
            if kind in MIRRORS and self.try_shell("s", *(c for n in LINK for c in (
                    "tc qdisc replace dev s%s clsact" % n, MIRRORS[kind] % ("s" + n)))):
                self.mirror = kind
                return
        self.mirror = "bridge"
        self.shell("s", *("tc qdisc del dev s%s clsact 2>/dev/null || true" % n for n in LINK), "ip link set br0 mtu 1500",
                   "ip link set m0 mtu 1500 master br0")

    def close(self):
        if self.keeper is not None:
            self.keeper.stdin.close()
            self.keeper.wait()
            self.keeper = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Commands of a host

    def command(self, n, *args):
        return ["ip", "netns", "exec", self.names[n], *map(str, args)]

    def run(self, n, *args, **how):
        return subprocess.run(self.command(n, *args), check=True, **how)

    def shell(self, n, *lines):
        self.run(n, "sh", "-ec", "\n".join(lines))

    def try_shell(self, n, *lines):
        return subprocess.run(self.command(n, "sh", "-ec", "\n".join(lines)), stderr=subprocess.DEVNULL, check=False).returncode == 0

    def start(self, n, *args, **how):
        return subprocess.Popen(self.command(n, *args), **how)

    @contextlib.contextmanager
    def inside(self, n):
        """Sockets that this thread makes in it are those of a host."""
        with open("/proc/thread-self/ns/net", "rb") as home, open("/run/netns/" + self.names[n], "rb") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)

    def home(self, host):
        """The namespace an address belongs to."""
        import ipaddress
        found = [(ipaddress.ip_network(prefix).prefixlen, n) for n in LINK for prefix in HOSTS[n]
                 if ipaddress.ip_address(host) in ipaddress.ip_network(prefix)]
        return self.names[max(found)[1]]

    def record(self, path, *more, n="m", port=PORT):
        return Recording(self, path, more, n, port)

    def replay(self, path, *how):
        """A capture of Ethernet frames, onto the mirror port (tcpreplay). Returns the process."""
        return self.start("s", "tcpreplay", "-q", "-i", "m0", *how, path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def dropped(self):
        """What the port's own queue did not take: rx and tx of both ends."""
        out = self.run("s", "cat", "/sys/class/net/m0/statistics/tx_dropped", stdout=subprocess.PIPE).stdout
        return int(out)


def _enter(fd):
    if _LIBC.setns(fd.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Recording:
    """tcpdump of the mirror port: the independent record."""

    def __init__(self, net, path, more, n, port):
        self.path = path
        self.process = net.start(n, "tcpdump", "-i", port, "-n", "-s", "0", "-B", "131072", "-Z", "root", "-w", path,
                                 "--time-stamp-precision=nano", *more, stderr=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()
        if "listening" not in self.said:
            raise RuntimeError("tcpdump: " + self.said + self.process.stderr.read())

    def stop(self):
        """Ends it; returns how many packets it missed."""
        if self.process is None:
            return 0
        time.sleep(SETTLE)
        self.process.terminate()
        said = self.process.communicate()[1]
        self.process = None
        return int(re.search(r"(\d+) packets? dropped by kernel", said).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
