"""plan: calls that are made in real time, as many as are wanted: a Scene that is not a capture but a plan, and who plays it
(support/player.c). What is special about a call is told by a Dialog, as everywhere."""

import os
import subprocess

from program import PATIENCE, ROOT
from scene import MS, Dialog, Key, Scene, sdp

PLAYER = os.environ.get("PLAYER", os.path.join(ROOT, "build", "asan", "tests", "support", "player"))
SAVP, AVP = "RTP/SAVP", "RTP/AVP"
A, B = "10.11.0.1:5060", "10.12.0.1:5060"


class Speech:
    """A voice of a plan: from one address to another, for a time."""

    def __init__(self, begin, end, src, dst, key, ssrc, seq, roc):
        self.begin, self.end, self.src, self.dst, self.key, self.ssrc, self.seq, self.roc = begin, end, src, dst, key, ssrc, seq, roc

    def line(self):
        suite, key = (self.key.suite, self.key.octets.hex()) if self.key else ("-", "-")
        return "voice %d %d %s %s %s %s %x %d %d\n" % (self.begin, self.end, self.src, self.dst, suite, key, self.ssrc, self.seq,
                                                       self.roc)


class Plan(Scene):
    """Times count from its begin, in nanoseconds; `clock` is where the next thing stands."""

    _ssrc = 0x20000000

    def __init__(self):
        super().__init__()
        self.clock, self.said, self.speeches = 0, [], []

    def datagram(self, src, dst, payload, at=None):
        at = at if at is not None else self.clock
        self.clock += 1000 if at == self.clock else 0
        self.said.append((at, src, dst, payload))

    def speak(self, begin, end, src, dst, key=None, ssrc=None, seq=1000, roc=0):
        Plan._ssrc += 1
        self.speeches.append(Speech(begin, end, src, dst, key, ssrc or Plan._ssrc, seq, roc))
        return self.speeches[-1]

    def adopt(self, scene, shift=0):
        """The calls of a scene that was made as a capture: its datagrams at their times."""
        import pcapfile
        first = min(at for at, _ in scene.frames)
        for d in pcapfile.datagrams(pcapfile.Packet(at, pcapfile.ETHERNET, f, len(f)) for at, f in sorted(scene.frames)):
            self.said.append((d.at - first + shift, d.src, d.dst, d.payload))

    def hosts(self):
        ends = [e for _, src, dst, _ in self.said for e in (src, dst)] + [e for s in self.speeches for e in (s.src, s.dst)]
        return sorted({e.rsplit(":", 1)[0].strip("[]") for e in ends})

    def length(self):
        return max([at for at, _, _, _ in self.said] + [s.end for s in self.speeches]) / 10**9

    def lines(self, network):
        for h in self.hosts():
            yield "host %s %s\n" % (h, network.home(h))
        for at, src, dst, payload in self.said:
            yield "say %d %s %s %s\n" % (at, src, dst, payload.hex())
        for s in self.speeches:
            yield s.line()
        yield "go\n"


class People:
    """Numbers for calls: no two have an identity, a port or a Call-ID in common. Call n is of sip:a<n> and sip:b<n>."""

    def __init__(self, run="r", first=0):
        self.run, self.next = run, first

    @staticmethod
    def caller(n):
        return "sip:a%d@ims.example" % n

    @staticmethod
    def callee(n):
        return "sip:b%d@ims.example" % n

    @staticmethod
    def media(side, n):
        """Even ports: 20,000 a host."""
        return "10.%d.%d.1:%d" % (side, 1 + n // 20000, 20000 + 2 * (n % 20000))

    def call(self, plan, at, talk, suite="AES_CM_128_HMAC_SHA1_80", hang_up=True, ring=100, callee=None, caller=None, headers=(),
             begin=None):
        """A call that is set up `at` ms, and lasts `talk` ms; keys of its own. Returns (number, Dialog). suite None: plain RTP."""
        n, self.next = self.next, self.next + 1
        am, bm = self.media(11, n), self.media(12, n)
        ka, kb = (Key("%s %s %d" % (self.run, s, n), suite) if suite else None for s in "ab")
        caller, callee = caller or self.caller(n), callee or self.callee(n)
        d = Dialog(plan, A, B, caller=caller, callee=callee, call_id="%d.%s@a.example" % (n, self.run),
                   headers=["P-Asserted-Identity: <%s>" % caller, *headers])
        back, plan.clock = plan.clock, at * MS
        d.invite(offer(am, ka))
        d.reply(180)
        plan.wait(ring)
        d.reply(200, offer(bm, kb))
        d.ack()
        start, plan.clock = plan.clock + 2 * MS, plan.clock + talk * MS
        plan.speak(start, plan.clock, am, bm, ka)
        plan.speak(start, plan.clock, bm, am, kb)
        if hang_up:
            plan.wait(5)
            d.bye()
        plan.clock = back
        return n, d


def offer(address, key):
    host, port = address.rsplit(":", 1)
    return sdp(host, (int(port), SAVP, key.line()) if key else (int(port), AVP))


class Playing:
    """A plan, being played: `began` is the wall clock's nanoseconds at which it began."""

    def __init__(self, plan, network):
        plan.close()
        self.process = subprocess.Popen([PLAYER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in plan.lines(network):
            self.process.stdin.write(line)
        self.process.stdin.flush()
        self.began = int(self._line().split()[1])
        self.length = plan.length()

    def _line(self):
        said = self.process.stdout.readline()
        if not said:
            raise AssertionError("the player ended: %s" % self.process.wait())
        return said

    def wait(self):
        """{"sent": packets, "refused": packets, "late": the longest that one was sent too late, in nanoseconds}."""
        words = self._line().split()
        self.process.wait(PATIENCE)
        return dict(zip(words[::2], map(int, words[1::2])))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def play(plan, network):
    """Plays it to its end."""
    playing = Playing(plan, network)
    try:
        return playing.wait()
    finally:
        playing.stop()
