"""rtp: what a test needs to know of RTP (RFC 3550): which packets it is, their payloads, their hashes."""

import hashlib
import struct
from collections import namedtuple

Rtp = namedtuple("Rtp", "pt seq timestamp ssrc payload raw")


def parse(data):
    """An RTP packet, or None. Padding and header extension are not part of the payload; what padding there is cannot be told
    of a sealed packet, whose payload is then all that follows its header."""
    if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
        return None
    at = 12 + 4 * (data[0] & 15)
    if data[0] & 0x10:
        if len(data) < at + 4:
            return None
        at += 4 + 4 * struct.unpack(">H", data[at + 2:at + 4])[0]
    if at > len(data):
        return None
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    if at > end:
        end = len(data)
    seq, timestamp, ssrc = struct.unpack(">HII", data[2:12])
    return Rtp(data[1] & 127, seq, timestamp, ssrc, data[at:end], data)


def streams(datagrams):
    """{(src, dst, ssrc text): [(at, Rtp)]} in the order of arrival, identical copies taken out."""
    found, seen = {}, set()
    for d in datagrams:
        p = parse(d.payload)
        if p is None or (d.src, d.dst, d.payload) in seen:
            continue
        seen.add((d.src, d.dst, d.payload))
        found.setdefault((d.src, d.dst, "0x%08x" % p.ssrc), []).append((d.at, p))
    return found


def in_order(packets):
    """The packets of one stream in extended sequence order (RFC 3550 A.1)."""
    out, high = [], None
    for _, p in packets:
        if high is None:
            high = p.seq + 65536
        index = high + ((p.seq - high + 32768) % 65536) - 32768
        high = max(high, index)
        out.append((index, p))
    return [p for _, p in sorted(out, key=lambda x: x[0])]


def payload_sha256(packets):
    return hashlib.sha256(b"".join(p.payload for p in in_order(packets))).hexdigest()


def rtp_sha256(packets):
    return hashlib.sha256(b"".join(p.raw for p in in_order(packets))).hexdigest()


def is_plain_report(data):
    """True when the lengths within a compound RTCP packet add up to its own: nothing is sealed, nothing behind it."""
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2:
        at += 4 * (struct.unpack(">H", data[at + 2:at + 4])[0] + 1)
    return at == len(data)


def ulaw(octets):
    """G.711 mu-law to 16 bit samples (ITU-T G.711 table 2a)."""
    out = []
    for o in octets:
        o = ~o & 0xFF
        value = (((o & 15) << 3) + 0x84) << ((o >> 4) & 7)
        out.append(0x84 - value if o & 0x80 else value - 0x84)
    return struct.pack("<%dh" % len(out), *out)


def alaw(octets):
    """G.711 A-law to 16 bit samples (ITU-T G.711 table 1a)."""
    out = []
    for o in octets:
        o ^= 0x55
        value, step = (o & 15) << 4, (o >> 4) & 7
        value = value + 8 if step == 0 else (value + 0x108) << (step - 1)
        out.append(value if o & 0x80 else -value)
    return struct.pack("<%dh" % len(out), *out)
