#!/usr/bin/env python3
"""carry: takes the SIP of a capture out of UDP and puts it into TCP, WebSocket or SCTP, in segments of any size and order.

`carry.py CAPTURE OUT KIND` writes one capture, `carry.py --list` names the kinds. Written from RFC 9293, 6455, 7118, 9260 and
4168, apart from otway. The same capture and kind always give the same packets.
"""

import base64
import gzip
import os
import quopri
import random
import re
import struct
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import encap
import pcapfile

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
STEP = 1000  # nanoseconds between the segments of a message
ASK = b"GET /sip HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
GRANT = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n"


def is_sip(octets):
    line = octets.split(b"\r\n", 1)[0]
    return line.startswith(b"SIP/2.0 ") or line.endswith(b" SIP/2.0")


def crc32c(data):
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


class Half:
    """One direction: what it sends next, and with which numbers."""

    def __init__(self, ip, number, ports=None):
        v4 = ip[0] >> 4 == 4
        self.src, self.dst = (ip[12:16], ip[16:20]) if v4 else (ip[8:24], ip[24:40])
        udp = ip[20:] if v4 else ip[40:]
        self.ports = ports or udp[:4]
        self.v4, self.next, self.other = v4, number, None
        self.tag = number * 2654435761 % 2**32  # of SCTP: any, but another for each direction

    def ip(self, protocol, rest):
        body = (encap.ipv4 if self.v4 else encap.ipv6)(protocol, rest, src=self.src, dst=self.dst)
        return encap.ethernet(0x0800 if self.v4 else 0x86DD, body)

    def segment(self, flags, octets=b"", seq=None):
        seq = self.next if seq is None else seq
        head = self.ports + struct.pack(">IIBBHHH", seq % 2**32, self.other.next % 2**32, 0x50, flags, 65535, 0, 0)
        pseudo = self.src + self.dst + struct.pack(">IHBB", 20 + len(octets), 0, 0, 6)
        total = struct.pack(">H", encap.checksum(pseudo + head + octets))
        return self.ip(6, head[:16] + total + head[18:] + octets)

    def chunks(self, *chunks):
        body = b"".join(c + bytes(-len(c) % 4) for c in chunks)
        head = self.ports + struct.pack(">I", self.tag)
        return self.ip(132, head + crc32c(head + bytes(4) + body) + body)


def frame(first, octets, mask=None):
    """A WebSocket frame (RFC 6455 5.2)."""
    size, bit = len(octets), 0x80 if mask else 0
    head = bytes([first, bit | size]) if size < 126 else bytes([first, bit | 126]) + struct.pack(">H", size)
    if mask:
        octets = bytes(o ^ mask[i % 4] for i, o in enumerate(octets))
    return head + (mask or b"") + octets


def data(half, flags, octets):
    """An SCTP DATA chunk of stream 0."""
    chunk = struct.pack(">BBHIHHI", 0, flags, 16 + len(octets), half.next % 2**32, 0, 0, 0) + octets
    half.next += 1
    return chunk


def pieces(draw, octets, most):
    while octets:
        size = draw.randint(1, most)
        yield octets[:size]
        octets = octets[size:]


def in_segments(half, octets, sizes):
    """Segments with these octets, in order; `sizes` cuts them."""
    out = []
    for piece in sizes(octets):
        out.append(half.segment(PSH | ACK, piece))
        half.next += len(piece)
    return out


class Tcp:
    """The plain case: a message a segment. `carry` gives the frames for a message."""

    port = None

    def __init__(self, draw):
        self.draw = draw

    def begin(self, client, server):
        client.next -= 1
        syn = client.segment(SYN)
        client.next += 1
        server.next -= 1
        both = server.segment(SYN | ACK)
        server.next += 1
        return [syn, both, client.segment(ACK)]

    def carry(self, half, message, client):
        return in_segments(half, message, lambda o: [o])

    def end(self, half):
        return [half.segment(FIN | ACK)]


class InPieces(Tcp):
    def carry(self, half, message, client):
        return in_segments(half, message, lambda o: pieces(self.draw, o, 90))


class OctetByOctet(Tcp):
    def carry(self, half, message, client):
        return in_segments(half, message, lambda o: pieces(self.draw, o, 1))


class OutOfOrder(Tcp):
    """Any order within a message, each segment once or twice, some reaching back into the one before."""

    def carry(self, half, message, client):
        begin, out = half.next, in_segments(half, message, lambda o: pieces(self.draw, o, 150))
        out += [f for f in out if self.draw.random() < 0.3]
        for _ in range(4):
            at = self.draw.randrange(len(message))
            out.append(half.segment(PSH | ACK, message[at:at + 70], seq=begin + at))
        self.draw.shuffle(out)
        return out


class WithIdle(Tcp):
    """Keep-alives between messages, and each message with what came between in one segment."""

    def carry(self, half, message, client):
        idle = self.draw.choice([b"\r\n\r\n", b"\r\n", b"\0", b"jaK\0", bytes(8)])
        return in_segments(half, idle, lambda o: [o]) + in_segments(half, message + b"\r\n\r\n", lambda o: [o])


class JoinedLate(Tcp):
    """The capture begins within a message, and the connections are never seen to begin."""

    def begin(self, client, server):
        tail = b"CSeq: 1 OPTIONS\r\nContent-Length: 3\r\n\r\nx\r\n"
        return in_segments(client, tail, lambda o: [o]) + in_segments(server, tail, lambda o: [o])

    def end(self, half):
        return []


class WebSocket(Tcp):
    port = 80

    def begin(self, client, server):
        return (super().begin(client, server) + in_segments(client, ASK, lambda o: [o]) +
                in_segments(server, GRANT, lambda o: [o]))

    def mask(self, client):
        return bytes(self.draw.randint(1, 255) for _ in range(4)) if client else None

    def carry(self, half, message, client):
        return in_segments(half, frame(0x81, message, self.mask(client)), lambda o: [o])


class WebSocketParts(WebSocket):
    """Several frames a message, a ping between them, cut anywhere."""

    def carry(self, half, message, client):
        parts = list(pieces(self.draw, message, 400))
        octets = b""
        for i, part in enumerate(parts):
            octets += frame((0 if i else 2) | (0x80 if i == len(parts) - 1 else 0), part, self.mask(client))
            if i < len(parts) - 1:
                octets += frame(0x89, b"still there?", self.mask(client))
        return in_segments(half, octets, lambda o: pieces(self.draw, o, 300))


class WebSocketDeflate(WebSocket):
    """Compressed, each message referring to those before it (RFC 7692)."""

    def __init__(self, draw):
        super().__init__(draw)
        self.window = {}

    def begin(self, client, server):
        head = b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        return (Tcp.begin(self, client, server) +
                in_segments(client, ASK[:-4] + head, lambda o: [o]) + in_segments(server, GRANT[:-4] + head, lambda o: [o]))

    def pack(self, half, message):
        window = self.window.setdefault(half, zlib.compressobj(9, zlib.DEFLATED, -15))
        return (window.compress(message) + window.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def carry(self, half, message, client):
        return in_segments(half, frame(0xC1, self.pack(half, message), self.mask(client)), lambda o: [o])


class WebSocketDeflateParts(WebSocketDeflate):
    """Each message by itself, in several frames, cut anywhere; every third not compressed."""

    def pack(self, half, message):
        self.window.clear()
        return super().pack(half, message)

    def carry(self, half, message, client):
        packed = self.draw.randrange(3) > 0
        parts = list(pieces(self.draw, self.pack(half, message) if packed else message, 200))
        octets = b"".join(frame((0 if i else 0x41 if packed else 1) | (0x80 if i == len(parts) - 1 else 0), part, self.mask(client))
                          for i, part in enumerate(parts))
        return in_segments(half, octets, lambda o: pieces(self.draw, o, 100))


class Sctp(Tcp):
    def begin(self, client, server):
        return [h.chunks(struct.pack(">BBHIIHHI", kind, 0, 20, 0xCAFE, 65535, 1, 1, h.next % 2**32))
                for kind, h in ((1, client), (2, server))]

    def carry(self, half, message, client):
        return [half.chunks(data(half, 3, message))]

    def end(self, half):
        return []


class SctpParts(Sctp):
    """In chunks, out of order, some twice."""

    def carry(self, half, message, client):
        parts = list(pieces(self.draw, message, 300))
        out = [half.chunks(data(half, (2 if i == 0 else 0) | (1 if i == len(parts) - 1 else 0), part))
               for i, part in enumerate(parts)]
        out += [f for f in out if self.draw.random() < 0.3]
        self.draw.shuffle(out)
        return out


KINDS = {
    "tcp": Tcp, "tcp-pieces": InPieces, "tcp-octets": OctetByOctet, "tcp-out-of-order": OutOfOrder, "tcp-idle": WithIdle,
    "tcp-joined": JoinedLate, "websocket": WebSocket, "websocket-parts": WebSocketParts,
    "websocket-deflate": WebSocketDeflate, "websocket-deflate-parts": WebSocketDeflateParts, "sctp": Sctp, "sctp-parts": SctpParts,
}
# tshark 4.0 sees each message of all of them (tcp.reassemble_out_of_order on), but for those behind keep-alives (tcp-idle).


def part(says, octets):
    return b"\r\n--b\r\nContent-Type: " + says + b"\r\n\r\n" + octets


# How a body is coded: header lines (each with its end), and the body itself.
CODINGS = {
    "base64": lambda sdp: (b"Content-Type: multipart/mixed;boundary=b\r\n", part(b"text/plain", b"x") + part(
        b"application/sdp\r\nContent-Transfer-Encoding: base64", base64.encodebytes(sdp)) + b"\r\n--b--\r\n"),
    "quoted-printable": lambda sdp: (b"Content-Type: multipart/mixed;boundary=b\r\n", part(
        b"application/sdp\r\nContent-Transfer-Encoding: quoted-printable", quopri.encodestring(sdp)) + b"\r\n--b--\r\n"),
    "gzip-part": lambda sdp: (b"Content-Type: multipart/related;boundary=\"b\"\r\n", part(
        b"application/sdp\r\nContent-Encoding: gzip", gzip.compress(sdp, mtime=0)) + b"\r\n--b--\r\n"),
    "deflate": lambda sdp: (b"Content-Type: application/sdp\r\nContent-Encoding: deflate\r\n", zlib.compress(sdp)),
    "gzip": lambda sdp: (b"Content-Type: application/sdp\r\ne: gzip\r\n", gzip.compress(sdp, mtime=0)),
}


def coded(packets, coding):
    """The packets of a capture (Ethernet) with every SDP coded; they go between the same ports."""
    for p in packets:
        ip, d = encap.to_ip(p.data), next(pcapfile.datagrams([p]), None)
        head, _, sdp = d.payload.partition(b"\r\n\r\n") if d is not None else (b"", b"", b"")
        if not is_sip(head) or not sdp.startswith(b"v=0"):
            yield p
            continue
        says, body = CODINGS[coding](sdp)
        head = re.sub(rb"\r\n(Content-Type|Content-Length|c|l) *:[^\r]*", b"", head)
        message = head + b"\r\n" + says + b"Content-Length: %d\r\n\r\n" % len(body) + body
        half = Half(ip, 0)
        frame_ = half.ip(17, half.ports + struct.pack(">HH", 8 + len(message), 0) + message)
        yield pcapfile.Packet(p.at, p.link, frame_, len(frame_))




def kinds():
    return sorted(KINDS)


def carry(packets, kind, seed=1):
    """The packets of a capture (Ethernet) with their SIP over something else than UDP."""
    draw = random.Random(seed)
    how, halves, clients, last = KINDS[kind](draw), {}, set(), 0
    for p in packets:
        ip = encap.to_ip(p.data)
        d = next(pcapfile.datagrams([p]), None)
        if d is None or not is_sip(d.payload):
            yield p
            continue
        frames, here, there = [], (d.src, d.dst), (d.dst, d.src)
        if here not in halves:
            clients.add(here)
            frames = _connect(how, ip, halves, here, there, draw)
        frames += how.carry(halves[here], d.payload, here in clients)
        for i, f in enumerate(frames):  # the last one at the time of the message
            yield pcapfile.Packet(p.at - (len(frames) - 1 - i) * STEP, p.link, f, len(f))
        last = p.at
    for half in halves.values():
        for f in how.end(half):
            yield pcapfile.Packet(last, pcapfile.ETHERNET, f, len(f))


def _connect(how, ip, halves, here, there, draw):
    """A connection between two that have not spoken; its numbers wrap soon."""
    one = Half(ip, 2**32 - draw.randint(1, 2000))
    if how.port is not None:
        one.ports = one.ports[:2] + struct.pack(">H", how.port)
    other = Half(ip, 2**32 - draw.randint(1, 2000), one.ports[2:] + one.ports[:2])
    other.src, other.dst = one.dst, one.src
    one.other, other.other = other, one
    halves[here], halves[there] = one, other
    return how.begin(one, other)


def main(args):
    if args == ["--list"]:
        print("\n".join(kinds()))
        return 0
    if len(args) != 3 or args[2] not in KINDS:
        print(__doc__, file=sys.stderr)
        return 2
    pcapfile.write(args[1], carry(pcapfile.read(args[0]), args[2]), link=pcapfile.ETHERNET)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
