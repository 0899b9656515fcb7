"""What must not be heard of the live system: no identity, LIID, key or address in its log at the most talkative level, its status, its
metrics; nothing at all on a mirror port, also when that one had addresses, ARP and IPv6 before."""

import os
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from livetest import LiveTest
from netns import PORT
from plan import People, Plan, Playing
from program import OTWAY
from scene import Key

ETH_P_ALL = 3


class Words(LiveTest):
    def test_nobody_is_named(self):
        net, people, plan = self.network(), People(), Plan()
        live = self.live(net, intercepts=2, midcall=True, start=False)
        live.settings["metrics"] = "unix:" + live.path("run", "metrics")
        live.start()
        secrets = ["a.example", "ims.example", "10.11.", "10.12.", "Test Agency", "order 1/26"]
        for i in range(6):
            n, _ = people.call(plan, 200 * i, 2000)
            secrets += [Key("%s %s %d" % (people.run, s, n)).inline[:20] for s in "ab"]
            secrets += [people.caller(n)[4:], people.callee(n)[4:]]
            if i % 2 == 0:
                live.warrant_now("NAME-OF-LIID-%d" % n, people.callee(n))
                secrets.append("NAME-OF-LIID-%d" % n)
        live.in_effect()
        playing = Playing(plan, net)
        self.addCleanup(playing.stop)
        time.sleep(1.2)
        told = {"status during": self.text_of_status(live), "metrics during": metrics(live.path("run", "metrics"))}
        live.revoke("NAME-OF-LIID-0")
        os.kill(live.pids()["intercept"][0], 9)
        os.kill(live.pids()["delivery"][0], 9)
        playing.wait()
        time.sleep(1)
        told.update({"status": self.text_of_status(live), "metrics": metrics(live.path("run", "metrics"))})
        live.stop()
        told["log"] = live.log()
        self.assertGreater(len(told["log"].splitlines()), 10)
        self.assertIn("# TYPE", told["metrics"])
        for where, text in told.items():
            for secret in secrets:
                self.assertNotIn(secret, text, where)

    @staticmethod
    def text_of_status(live):
        text = ""
        for more in ((), ("--json",)):
            done = subprocess.run(live.network.command("m", OTWAY, "status", "--config", live.path("otway.yaml"), *more),
                                  capture_output=True, text=True, check=False)
            text += done.stdout + done.stderr
        return text


def metrics(path):
    """What a Prometheus would read."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = b""
        while True:
            more = s.recv(65536)
            if not more:
                return said.decode()
            said += more


class MirrorPort(LiveTest):
    def setUp(self):
        """A port as a machine comes up with it: with an address, ARP, IPv6."""
        self.net = self.network(fit=False)
        self.net.shell("m", "ip addr add 192.0.2.7/24 dev " + PORT, "ip addr add 2001:db8::7/64 dev " + PORT,
                       "sysctl -qw net.ipv6.conf.%s.disable_ipv6=0" % PORT)

    def test_one_that_would_speak_is_refused(self):
        live = self.live(self.net, start=False, prepare=False)
        live.start(ready=False)
        self.assertEqual(live.process.wait(30), 4)
        said = live.log()
        self.assertIn(PORT, said)
        for word in ("address", "ARP", "IPv6"):
            self.assertIn(word.lower(), said.lower())
        self.assertIn("ip ", said, "the commands that mend it")

    def test_one_that_is_prepared_says_nothing(self):
        live, people, plan = self.live(self.net, start=False, prepare=True), People(), Plan()
        people.call(plan, 0, 3000)
        live.warrant_now("L1", people.callee(0))
        live.start()
        # From the switch's side, what comes out of the port: -Q in, at its peer.
        heard = self.net.record(live.path("out.pcap"), "-Q", "in", n="s", port="m0")
        self.addCleanup(heard.stop)
        for what in (who_has("192.0.2.7"), who_is("2001:db8::7")):
            self.say(what)
        recording = self.record(self.net, live)
        self.played(plan, self.net)
        self.net.shell("m", "ip link set %s down" % PORT)
        time.sleep(1)
        self.net.shell("m", "ip link set %s up" % PORT)
        time.sleep(2)
        self.say(who_has("192.0.2.7"))
        recording.stop()
        time.sleep(1)
        live.stop()
        heard.stop()
        self.assertEqual([p.data.hex() for p in pcapfile.read(live.path("out.pcap"))], [])
        self.assertEqual(len(live.intercepted("L1").calls), 1)

    def say(self, frame):
        """A frame toward the mirror port."""
        with self.net.inside("s"):
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
                s.bind(("m0", ETH_P_ALL))
                s.send(frame)


def who_has(address):
    """An ARP request (RFC 826)."""
    ours = bytes.fromhex("020000000009")
    return (b"\xff" * 6 + ours + b"\x08\x06" + bytes.fromhex("0001080006040001") + ours + socket.inet_aton("192.0.2.1") + bytes(6) +
            socket.inet_aton(address)).ljust(60, b"\0")


def who_is(address):
    """A neighbour solicitation (RFC 4861 4.3)."""
    target, source = socket.inet_pton(socket.AF_INET6, address), socket.inet_pton(socket.AF_INET6, "fe80::9")
    group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + target[13:]
    body = b"\x87\0\0\0" + bytes(4) + target + b"\1\1" + bytes.fromhex("020000000009")
    total = source + group + len(body).to_bytes(4, "big") + b"\0\0\0\x3a" + body
    sums = sum(int.from_bytes(total[i:i + 2], "big") for i in range(0, len(total), 2))
    while sums >> 16:
        sums = (sums & 0xFFFF) + (sums >> 16)
    body = body[:2] + (0xFFFF - sums).to_bytes(2, "big") + body[4:]
    return (b"\x33\x33" + group[12:] + bytes.fromhex("020000000009") + b"\x86\xdd" + b"\x60\0\0\0" + len(body).to_bytes(2, "big") +
            b"\x3a\xff" + source + group + body)


if __name__ == "__main__":
    unittest.main()
