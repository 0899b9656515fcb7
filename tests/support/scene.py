"""scene: makes a call by hand: SIP text, RTP of a known content sealed by another program (`sealer`), a capture of it all, and
what otway must say about it. What is expected is noted from the plain packets before they are sealed."""

import base64
import hashlib
import math
import os
import random
import struct
import subprocess

import pcapfile
import rtp
from program import ROOT, stamp

SEALER = os.environ.get("SEALER", os.path.join(ROOT, "build", "asan", "tests", "support", "sealer"))
MS = 10**6
START = 1_700_000_000 * 10**9
KEY_OCTETS = {"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AES_192_CM_HMAC_SHA1_80": 38,
              "AES_192_CM_HMAC_SHA1_32": 38, "AES_256_CM_HMAC_SHA1_80": 46, "AES_256_CM_HMAC_SHA1_32": 46,
              "AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44, "NULL_HMAC_SHA1_80": 30, "NULL_HMAC_SHA1_32": 30,
              "F8_128_HMAC_SHA1_80": 30}
SUITE = "AES_CM_128_HMAC_SHA1_80"


class Key:
    """A master key and salt: always the same for the same seed."""

    def __init__(self, seed, suite=SUITE):
        self.suite = suite
        need, octets = KEY_OCTETS[suite], b""
        while len(octets) < need:
            octets += hashlib.sha256(b"%s %d" % (seed.encode(), len(octets))).digest()
        self.octets = octets[:need]

    @property
    def inline(self):
        return base64.b64encode(self.octets).decode()

    def line(self, tag=1, more="", inline=None, suite=None):
        """An a=crypto line (RFC 4568)."""
        return "a=crypto:%d %s inline:%s%s" % (tag, suite or self.suite, inline or self.inline, more)


def sdp(address, *media, origin=None, session=()):
    """A session description; media: (port, profile, lines…) each, or with "video" in front of the port."""
    family = "IP6" if ":" in address else "IP4"
    lines = ["v=0", origin or "o=- 1 1 IN %s %s" % (family, address), "s=-", "c=IN %s %s" % (family, address), "t=0 0", *session]
    for m in media:
        kind, m = ("audio", m) if not isinstance(m[0], str) else (m[0], m[1:])
        lines += ["m=%s %d %s 0" % (kind, m[0], m[1]), *m[2:]]
    return "\r\n".join(lines) + "\r\n"


def _nearest_ulaw():
    """Of every 16 bit sample, in steps of 8, the octet whose value is nearest."""
    values = sorted((v, o) for o, v in enumerate(struct.unpack("<256h", rtp.ulaw(bytes(range(256))))))
    table, at = bytearray(), 0
    for sample in range(-32768, 32768, 8):
        while at < 255 and abs(values[at + 1][0] - sample) <= abs(values[at][0] - sample):
            at += 1
        table.append(values[at][1])
    return bytes(table)


_ULAW = _nearest_ulaw()


def ulaw_tone(seed, first, count):
    """G.711 mu-law of two tones and a little noise: sounds like something, and never the same twice."""
    noise = random.Random("%s %d" % (seed, first))
    pitch = (180 + sum(seed.encode()) % 220) * 2 * math.pi / 8000
    return bytes(_ULAW[int(6000 * math.sin(i * pitch) + 2500 * math.sin(i * pitch * 2.7) + noise.uniform(-300, 300)) + 32768 >> 3]
                 for i in range(first, first + count))


class Voice:
    """One SRTP stream: one sender, one destination, one SSRC."""

    def __init__(self, scene, src, dst, key=None, ssrc=None, seq=1000, roc=0, mki=None, flags="-", state=None,
                 dressed=False):
        self.scene, self.src, self.dst, self.key, self.flags = scene, src, dst, key, flags
        self.ssrc = ssrc if ssrc is not None else 0x10000000 + 0x01010101 * len(scene.voices)
        self.index, self.timestamp, self.seed = roc << 16 | seq, 160 * seq, "%s %s" % (src, dst)
        self.plain, self.seen, self.copies, self.rekeys, self.rtcp, self.failed = {}, [], 0, 0, 0, 0
        self.state = state or ("decrypted" if key else "clear")
        self.reason, self.direction, self.ready, self.channel, self.earlier = None, None, False, None, []
        self.mki, self.dressed = mki, dressed
        scene.voices.append(self)

    def use(self, key, mki=None):
        """From now on another key: the roll-over counter goes on (RFC 4568 leaves it running at the same address)."""
        self.earlier.append((self.key, self.mki, len(self.seen)))
        self.key, self.mki, self.ready = key, mki, False
        self.rekeys += 1

    def spans(self):
        """(key, MKI, packets under it) in their order."""
        ends = [0] + [n for _, _, n in self.earlier] + [len(self.seen)]
        keys = [(k, m) for k, m, _ in self.earlier] + [(self.key, self.mki)]
        return [(k, m, end - begin) for (k, m), begin, end in zip(keys, ends, ends[1:])]

    def packet(self):
        """The next plain packet; dressed: with two CSRCs, a header extension and padding (RFC 3550 5.1, 5.3.1)."""
        seq, voice = self.index & 0xFFFF, ulaw_tone(self.seed, self.timestamp, 160)
        first = 0x80 | 0x20 | 0x10 | 2 if self.dressed else 0x80
        head = struct.pack(">BBHII", first, 0, seq, self.timestamp & 0xFFFFFFFF, self.ssrc)
        if self.dressed:
            return head + b"CSR1CSR2" + struct.pack(">HH", 0xBEDE, 1) + b"\x10\x55\0\0" + voice + b"\0\0\0\4"
        return head + voice

    def seal(self, plain, rtcp=False):
        if self.key is None:
            return plain
        if not self.ready:
            self.name = "%x-%d" % (self.ssrc, self.scene.opened)
            self.scene.opened += 1
            self.scene.ask("open %s %s %s %d %x %s %s" % (self.name, self.key.suite, self.key.octets.hex(), self.index >> 16,
                                                          self.ssrc, self.mki or "-", self.flags))
            self.ready = True
        return bytes.fromhex(self.scene.answer("%s %s %s" % ("rtcp" if rtcp else "rtp", self.name, plain.hex())))

    def send(self, lose=False, copies=0, delay=0, unknown=False):
        """One packet. delay: how many ms late it reaches the tap; unknown: its key is nobody's to know."""
        plain = self.packet()
        sealed = self.seal(plain)
        if not lose:
            for i in range(1 + copies):
                self.scene.datagram(self.src, self.dst, sealed, self.scene.clock + delay * MS + i * 10_000)
            self.copies += copies
            self.seen.append((self.index, unknown))
            self.failed += unknown
            if not unknown:
                self.plain[self.index] = plain
        self.index += 1
        self.timestamp += 160

    def skip(self, packets):
        """Silence: sequence numbers go on by so many, nothing is sent."""
        self.index += packets
        self.timestamp += 160 * packets

    def control(self, dst_port=None):
        """A sender report to the RTCP port, or muxed when dst_port is None."""
        host, own = self.dst.rsplit(":", 1)[0], self.src.rsplit(":", 1)
        if dst_port is None:
            self.control_at(self.src, self.dst)
        else:
            self.control_at("%s:%d" % (own[0], int(own[1]) + 1), "%s:%d" % (host, dst_port))

    def control_at(self, src, dst):
        """A sender report (RFC 3550 6.4.1) from one address to another."""
        report = struct.pack(">BBHIQIII", 0x80, 200, 6, self.ssrc, 0, self.timestamp & 0xFFFFFFFF, len(self.seen), 160)
        self.scene.datagram(src, dst, self.seal(report, rtcp=True))
        self.scene.reports.append((src, dst, report))
        self.rtcp += 1

    @property
    def id(self):
        return self.src, self.dst, "0x%08x" % self.ssrc

    def expected(self):
        """The fields of case.json that follow from what was sent."""
        order = [self.plain[i] for i in sorted(self.plain)]
        indices = [i for i, _ in self.seen]
        known = {"state": self.state, "packets": len(self.seen), "duplicates": self.copies, "reason": self.reason,
                 "lost": max(indices) - min(indices) + 1 - len(set(indices))}
        if self.state == "sealed":
            known.update(decrypted=0, payload_sha256=None, rtp_sha256=None)
            return known
        voice = [p[28:-4] if self.dressed else p[12:] for p in order]
        known.update(payload_sha256=hashlib.sha256(b"".join(voice)).hexdigest(),
                     rtp_sha256=hashlib.sha256(b"".join(order)).hexdigest(), rtcp_packets=self.rtcp)
        if self.state == "decrypted":
            known.update(decrypted=len(self.plain), failed=self.failed, rekeys=self.rekeys, suite=self.key.suite,
                         key_source="sdes", roc_first=min(indices) >> 16)
            if "c" not in self.flags:
                known.update(rtcp_decrypted=self.rtcp)
        return known


class Scene:
    """A capture in the making."""

    def __init__(self):
        self.clock, self.frames, self.voices, self.messages, self.reports = START, [], [], [], []
        self.process, self.opened, self.branches = None, 0, 0

    def ask(self, line):
        if self.process is None:
            self.process = subprocess.Popen([SEALER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self, line):
        self.ask(line)
        return self.process.stdout.readline().strip()

    def close(self):
        if self.process is not None:
            self.process.communicate()
            self.process = None

    def wait(self, ms):
        self.clock += ms * MS

    def voice(self, src, dst, key=None, **more):
        return Voice(self, src, dst, key, **more)

    def talk(self, *voices, count=25):
        """Each voice in turn, a packet every 20 ms."""
        for _ in range(count):
            for v in voices:
                v.send()
            self.wait(20)

    def datagram(self, src, dst, payload, at=None):
        at = at if at is not None else self.clock
        self.clock += 1000 if at == self.clock else 0
        self.frames.append((at, ethernet(src, dst, payload)))

    def sip(self, src, dst, text):
        """A message: header lines, an empty line, the body."""
        if isinstance(text, str):
            head, _, body = text.partition("\n\n")
            body = body.encode()
            lines = head.strip().split("\n")
            text = "\r\n".join(lines + ["Content-Length: %d" % len(body), "", ""]).encode() + body
        self.messages.append(pcapfile.Datagram(self.clock, src, dst, text, None, False))
        self.datagram(src, dst, text)

    def write(self, path):
        self.close()
        frames = sorted(self.frames, key=lambda f: f[0])
        pcapfile.write(path, [pcapfile.Packet(at, pcapfile.ETHERNET, data, len(data)) for at, data in frames], nano=True)

    def window(self):
        """From and until of a warrant around it all."""
        return stamp(START - 10**9), stamp(max(at for at, _ in self.frames) + 10**9)


class Dialog:
    """SIP between two parties. Sends what it is told; knows tags, CSeq and Via."""

    def __init__(self, scene, a, b, caller="sip:alice@ims.example", callee="sip:bob@ims.example", call_id="call-1@a.example",
                 headers=(), uri=None):
        self.scene, self.a, self.b, self.caller, self.callee = scene, a, b, caller, callee
        self.call_id, self.headers, self.uri = call_id, list(headers), uri or callee
        self.cseq, self.tag, self.last = 0, "b1", None

    def _head(self, start, sender, cseq, method, tag, branch):
        return [start, "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s" % (sender, branch), "Max-Forwards: 70",
                "From: <%s>;tag=a1" % self.caller, "To: <%s>%s" % (self.callee, ";tag=%s" % tag if tag else ""),
                "Call-ID: " + self.call_id, "CSeq: %d %s" % (cseq, method)]

    def _text(self, lines, body):
        if body is None:
            return "\n".join(lines) + "\n\n"
        return "\n".join(lines + ["Content-Type: application/sdp"]) + "\n\n" + body

    def request(self, method, body=None, tag=None, headers=(), reverse=False, cseq=None):
        """From caller to callee; from callee to caller when reverse."""
        if cseq is None and method not in ("ACK", "CANCEL"):
            self.cseq += 1
        self.scene.branches += method not in ("CANCEL",)
        cseq = cseq or self.cseq
        src, dst = (self.b, self.a) if reverse else (self.a, self.b)
        uri = self.uri if not reverse else self.caller
        lines = self._head("%s %s SIP/2.0" % (method, uri), src, cseq, method, tag, "%s%d" % (self.call_id[:6], self.scene.branches))
        if reverse:
            lines[3], lines[4] = "From: <%s>;tag=%s" % (self.callee, tag), "To: <%s>;tag=a1" % self.caller
        self.last = (method, cseq, lines[1], src, dst, lines[3], reverse)
        self.scene.sip(src, dst, self._text(lines + self.headers + list(headers), body))
        self.scene.wait(5)

    def invite(self, body=None, headers=(), tag=None):
        self.request("INVITE", body, tag, headers)
        self.invited = self.last

    def reply(self, status, body=None, tag="b1", headers=(), to=None):
        """To the last request, or to the one given (as `last` or `invited` was then)."""
        method, cseq, via, src, dst, who, reverse = to or self.last
        lines = ["SIP/2.0 %d %s" % (status, {180: "Ringing", 200: "OK"}.get(status, "Other")), via, who,
                 "To: <%s>;tag=%s" % (self.callee, tag), "Call-ID: " + self.call_id, "CSeq: %d %s" % (cseq, method)]
        if reverse:
            lines[3] = "To: <%s>;tag=a1" % self.caller
        self.scene.sip(dst, src, self._text(lines + list(headers), body))
        self.scene.wait(5)

    def ack(self, body=None, tag="b1"):
        self.request("ACK", body, tag)

    def bye(self, tag="b1"):
        self.request("BYE", None, tag)
        self.reply(200, tag=tag)

    def simple(self, offer, answer, headers=()):
        """INVITE with an offer, ringing, the answer in 200, ACK."""
        self.invite(offer, headers)
        self.reply(180)
        self.scene.wait(200)
        self.reply(200, answer)
        self.ack()


def ethernet(src, dst, payload):
    return bytes.fromhex("020000000002020000000001") + (b"\x86\xdd" if src[0] == "[" else b"\x08\x00") + udp(src, dst, payload)


def _folded(octets):
    octets += bytes(len(octets) % 2)
    total = sum(struct.unpack(">%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp(src, dst, payload):
    """An IP packet with UDP in it, checksums and all (RFC 768, 791, 8200)."""
    import ipaddress
    (a, ap), (b, bp) = (x.rsplit(":", 1) for x in (src, dst))
    a, b = (ipaddress.ip_address(x.strip("[]")) for x in (a, b))
    size = 8 + len(payload)
    head = struct.pack(">HHHH", int(ap), int(bp), size, 0)
    total = _folded(a.packed + b.packed + struct.pack(">IxxxB", size, 17) + head + payload)
    head = head[:6] + struct.pack(">H", (0xFFFF - total) or 0xFFFF)
    if a.version == 6:
        return struct.pack(">IHBB", 0x60000000, size, 17, 64) + a.packed + b.packed + head + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, 17, 0) + a.packed + b.packed
    return ip[:10] + struct.pack(">H", 0xFFFF - _folded(ip)) + ip[12:] + head + payload
