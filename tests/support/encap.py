#!/usr/bin/env python3
"""encap: wraps the packets of a capture into whatever a mirror port may put around them.

`encap.py CAPTURE OUT KIND` writes one capture, `encap.py --list` names the kinds. Each kind is a function from one packet,
Ethernet with IP inside, to the packets that stand for it. Written from the standards named, apart from otway.
"""

import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pcapfile

MACS = bytes.fromhex("020000000001020000000002")
PROBE4, COLLECTOR4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
PROBE6, COLLECTOR6 = (bytes.fromhex("20010db800000000000000000000000" + n) for n in "12")


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(kind, rest):
    return MACS + struct.pack(">H", kind) + rest


def ipv4(protocol, rest, ident=0, fragment=0, options=b"", src=PROBE4, dst=COLLECTOR4):
    head = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(rest), ident, fragment, 64, protocol, 0)
    head += src + dst + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + rest


def ipv6(following, rest, src=PROBE6, dst=COLLECTOR6):
    return struct.pack(">IHBB", 6 << 28, len(rest), following, 64) + src + dst + rest


def udp(port, rest, source=50000):
    return struct.pack(">HHHH", source, port, 8 + len(rest), 0) + rest


def kind_of(ip):
    return 0x0800 if ip[0] >> 4 == 4 else 0x86DD


def to_ip(frame):
    """The IP packet of an Ethernet frame, its padding off; None: there is none."""
    kind, rest = struct.unpack(">H", frame[12:14])[0], frame[14:]
    if kind == 0x0800:
        return rest[:struct.unpack(">H", rest[2:4])[0]]
    return rest[:40 + struct.unpack(">H", rest[4:6])[0]] if kind == 0x86DD else None


def over_udp(port, frame, v6=False):
    rest = udp(port, frame)
    return ethernet(0x86DD, ipv6(17, rest)) if v6 else ethernet(0x0800, ipv4(17, rest))


def tagged(frame, *tags):
    """VLAN tags in front of the type: (type, identifier) from the outermost on."""
    return frame[:12] + b"".join(struct.pack(">HH", kind, ident) for kind, ident in tags) + frame[12:]


def label(number, bottom):
    return struct.pack(">I", number << 12 | bottom << 8 | 64)


def gre(kind, rest, flags=0, fields=b"", v6=False):
    body = struct.pack(">HH", flags, kind) + fields + rest
    return ethernet(0x86DD, ipv6(47, body)) if v6 else ethernet(0x0800, ipv4(47, body))


def gtp(rest, flags=0x30, fields=b""):
    return struct.pack(">BBHI", flags, 255, len(fields) + len(rest), 0x11223344) + fields + rest


def ppp(ip):
    return b"\x00\x21" + ip if ip[0] >> 4 == 4 else b"\x00\x57" + ip


def hep(at, ip, packed=False):
    """HEP version 3 of what UDP carries, `packed` as a compressed payload; None for what is not whole UDP."""
    v4 = ip[0] >> 4 == 4
    head = (ip[0] & 15) * 4 if v4 else 40
    if (ip[9] if v4 else ip[6]) != 17 or (v4 and struct.unpack(">H", ip[6:8])[0] & 0x3FFF):
        return None
    src, dst, size = struct.unpack(">HHH", ip[head:head + 6])
    payload = ip[head + 8:head + size]

    def chunk(number, value):
        return struct.pack(">HHH", 0, number, 6 + len(value)) + value
    chunks = chunk(1, b"\x02" if v4 else b"\x0a") + chunk(2, b"\x11")
    chunks += chunk(3, ip[12:16]) + chunk(4, ip[16:20]) if v4 else chunk(5, ip[8:24]) + chunk(6, ip[24:40])
    chunks += chunk(7, struct.pack(">H", src)) + chunk(8, struct.pack(">H", dst))
    chunks += chunk(9, struct.pack(">I", at // 10**9)) + chunk(10, struct.pack(">I", at % 10**9 // 1000))
    kind = 4 if payload[:1] and payload[0] >> 6 == 2 else 1
    chunks += chunk(11, bytes([kind])) + chunk(12, struct.pack(">I", 2001))
    chunks += chunk(16, zlib.compress(payload)) if packed else chunk(15, payload)
    return b"HEP3" + struct.pack(">H", 6 + len(chunks)) + chunks


_sequence = [0]


def esp(ip, icv=12):
    """Transport mode without encryption (RFC 2410) of the same packet, between its own hosts."""
    v4 = ip[0] >> 4 == 4
    head = (ip[0] & 15) * 4 if v4 else 40
    inner, following = ip[head:], ip[9] if v4 else ip[6]
    _sequence[0] += 1
    pad = -(len(inner) + 2) % 4
    body = struct.pack(">II", 0x1000 + icv, _sequence[0]) + inner + bytes(range(1, pad + 1)) + bytes([pad, following])
    body += bytes((_sequence[0] * 7 + i * 41 + 13) % 256 for i in range(icv))
    return body


def in_esp(ip, icv=12):
    if ip[0] >> 4 == 4:
        if struct.unpack(">H", ip[6:8])[0] & 0x3FFF:
            return ethernet(0x0800, ip)  # a fragment cannot be protected by itself in transport mode
        return ethernet(0x0800, ipv4(50, esp(ip, icv), src=ip[12:16], dst=ip[16:20]))
    return ethernet(0x86DD, ipv6(50, esp(ip, icv), src=ip[8:24], dst=ip[24:40]))


def fragments(frame, size=400):
    """The IP packet of an Ethernet frame in pieces, the last one first; IPv4, or IPv6 with a fragment header."""
    ip = to_ip(frame)
    _sequence[0] += 1
    if ip[0] >> 4 == 4:
        head, flags = (ip[0] & 15) * 4, struct.unpack(">H", ip[6:8])[0]
        if flags & 0x3FFF:
            return [frame]
        body = ip[head:]
        made = [(at, body[at:at + size]) for at in range(0, len(body), size)]
        return [ethernet(0x0800, ipv4(ip[9], part, ident=_sequence[0] & 0xFFFF, src=ip[12:16], dst=ip[16:20],
                                      fragment=at // 8 | (0x2000 if at + size < len(body) else 0))) for at, part in reversed(made)]
    body = ip[40:]
    made = [(at, body[at:at + size]) for at in range(0, len(body), size)]
    return [ethernet(0x86DD, ipv6(44, struct.pack(">BBHI", ip[6], 0, at | (at + size < len(body)), _sequence[0]) + part,
                                  src=ip[8:24], dst=ip[24:40])) for at, part in reversed(made)]


# Of an IP packet, by name: the Ethernet frame that carries it in this way.
OF_IP = {
    "mpls": lambda ip: ethernet(0x8847, label(100, 0) + label(200, 1) + ip),
    "pppoe": lambda ip: ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 7, len(ip) + 2) + ppp(ip)),
    "pppoe-short": lambda ip: ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 7, len(ip) + 1) + ppp(ip)[1:]),
    "gre": lambda ip: gre(kind_of(ip), ip),
    "gre-over-ipv6": lambda ip: gre(kind_of(ip), ip, v6=True),
    "gre-checksum-key-sequence": lambda ip: gre(kind_of(ip), ip, 0xB000, bytes(4) + struct.pack(">II", 9, 1)),
    "gre-route": lambda ip: gre(kind_of(ip), ip, 0x4000, bytes(4) + bytes.fromhex("0800000401020304") + bytes(4)),
    "gre-mpls": lambda ip: gre(0x8847, label(100, 1) + ip),
    "pptp": lambda ip: gre(0x880B, b"\xff\x03" + ppp(ip), 0x3001, struct.pack(">HHI", len(ip) + 4, 7, 1)),
    "erspan3-ip": lambda ip: gre(0x22EB, bytes.fromhex("206400010000000000000800") + ip, 0x1000, bytes(4)),
    "gtpu": lambda ip: over_udp(2152, gtp(ip)),
    "gtpu-sequence": lambda ip: over_udp(2152, gtp(ip, 0x32, struct.pack(">HBB", 5, 0, 0))),
    "gtpu-5g": lambda ip: over_udp(2152, gtp(ip, 0x34, bytes.fromhex("0000008501100900"))),
    "gtpu-over-ipv6": lambda ip: over_udp(2152, gtp(ip), v6=True),
    "ip-in-ipv4": lambda ip: ethernet(0x0800, ipv4(4 if ip[0] >> 4 == 4 else 41, ip)),
    "ip-in-ipv6": lambda ip: ethernet(0x86DD, ipv6(4 if ip[0] >> 4 == 4 else 41, ip)),
    "ip-in-ipv6-options": lambda ip: ethernet(0x86DD, ipv6(60, bytes([4 if ip[0] >> 4 == 4 else 41]) + bytes.fromhex("00040104010100") + ip)),
    "vxlan-gpe-ip": lambda ip: over_udp(4790, bytes([0x0C, 0, 0, 1 if ip[0] >> 4 == 4 else 2, 0, 1, 0, 0]) + ip),
    "geneve-ip": lambda ip: over_udp(6081, struct.pack(">BBHI", 0, 0, kind_of(ip), 0x100) + ip),
    "l2tp": lambda ip: over_udp(1701, struct.pack(">HHHH", 0x4002, len(ip) + 12, 1, 1) + b"\xff\x03" + ppp(ip)),
    "esp-null": in_esp,
    "esp-null-icv16": lambda ip: in_esp(ip, 16),
    "ah": lambda ip: ethernet(0x0800, ipv4(51, bytes([ip[9], 4, 0, 0]) + bytes(20) + ip[(ip[0] & 15) * 4:], src=ip[12:16],
                                           dst=ip[16:20])) if ip[0] >> 4 == 4 and not struct.unpack(">H", ip[6:8])[0] & 0x3FFF
    else ethernet(kind_of(ip), ip),
    "ip-options": lambda ip: ethernet(0x0800, ipv4(ip[9], ip[(ip[0] & 15) * 4:], struct.unpack(">H", ip[4:6])[0],
                                                   struct.unpack(">H", ip[6:8])[0], bytes([1] * 8), ip[12:16], ip[16:20]))
    if ip[0] >> 4 == 4 else ethernet(0x86DD, ipv6(0, bytes([60, 0, 1, 4, 0, 0, 0, 0, ip[6], 0, 1, 4, 0, 0, 0, 0]) + ip[40:], ip[8:24], ip[24:40])),
}

# Of an Ethernet frame.
OF_FRAME = {
    "vlan": lambda f: tagged(f, (0x8100, 100)),
    "qinq": lambda f: tagged(f, (0x88A8, 100), (0x8100, 200)),
    "qinq-old": lambda f: tagged(f, (0x9100, 100), (0x9100, 101), (0x8100, 200)),
    "802.1ah": lambda f: ethernet(0x88E7, struct.pack(">I", 0x1234) + f),
    "mpls-pseudowire": lambda f: ethernet(0x8847, label(100, 1) + f),
    "mpls-pseudowire-control": lambda f: ethernet(0x8847, label(100, 1) + struct.pack(">I", 7) + f),
    "gre-bridged": lambda f: gre(0x6558, f),
    "erspan1": lambda f: gre(0x88BE, f),
    "erspan2": lambda f: gre(0x88BE, struct.pack(">II", 0x10640001, 0) + f, 0x1000, bytes(4)),
    "erspan3": lambda f: gre(0x22EB, bytes.fromhex("206400010000000000000000") + f, 0x1000, bytes(4)),
    "erspan3-platform": lambda f: gre(0x22EB, bytes.fromhex("206400010000000000000001") + bytes(8) + f, 0x1000, bytes(4)),
    "vxlan": lambda f: over_udp(4789, struct.pack(">II", 8 << 24, 0x100) + f),
    "vxlan-old-port": lambda f: over_udp(8472, struct.pack(">II", 8 << 24, 0x100) + f),
    "vxlan-over-ipv6": lambda f: over_udp(4789, struct.pack(">II", 8 << 24, 0x100) + f, v6=True),
    "vxlan-gpe": lambda f: over_udp(4790, bytes([0x0C, 0, 0, 3, 0, 1, 0, 0]) + f),
    "geneve": lambda f: over_udp(6081, struct.pack(">BBHI", 0, 0, 0x6558, 0x100) + f),
    "geneve-options": lambda f: over_udp(6081, struct.pack(">BBHI", 2, 0, 0x6558, 0x100) + bytes.fromhex("0102000100000000") + f),
    "tzsp": lambda f: over_udp(37008, bytes.fromhex("010000010a01c80001") + f),
    "etherip": lambda f: ethernet(0x0800, ipv4(97, b"\x30\x00" + f)),
    "three-tunnels": lambda f: tagged(over_udp(4789, struct.pack(">II", 8 << 24, 1) + gre(
        0x6558, over_udp(6081, struct.pack(">BBHI", 0, 0, 0x6558, 0x100) + f))), (0x8100, 5)),
}

# Of a frame: several frames.
INTO_MANY = {
    "fragments": fragments,
    "fragments-small": lambda f: fragments(f, 64),
    "fragments-of-the-tunnel": lambda f: fragments(OF_FRAME["vxlan"](f), 200),
    "fragments-in-the-tunnel": lambda f: [OF_FRAME["vxlan"](part) for part in fragments(f, 200)],
    "fragments-of-fragments": lambda f: [p for part in fragments(f, 200) for p in fragments(OF_FRAME["vxlan"](part), 104)],
    "fragments-twice": lambda f: [p for part in fragments(f, 200) for p in (part, part)],
}

# Another link type: its number, and what stands before the IP packet.
LINKS = {
    "raw": (101, lambda ip: ip),
    "sll": (113, lambda ip: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind_of(ip)) + ip),
    "sll2": (276, lambda ip: struct.pack(">HHIHBB8s", kind_of(ip), 0, 2, 1, 0, 6, bytes(8)) + ip),
    "null": (0, lambda ip: struct.pack("<I", 2 if ip[0] >> 4 == 4 else 30) + ip),
    "loop": (108, lambda ip: struct.pack(">I", 2 if ip[0] >> 4 == 4 else 24) + ip),
}

# What tshark 4.0 does not see through: HEP it has no dissector for; ESP it does not try by default.
NOT_TSHARK = {"hep", "hep-packed", "esp-null", "esp-null-icv16"}


def kinds():
    return sorted([*OF_IP, *OF_FRAME, *INTO_MANY, *LINKS, "hep", "hep-packed"])


def wrap(packets, kind):
    """The packets of a capture (Ethernet), wrapped; what is not IP goes along as it is where it can."""
    for p in packets:
        ip = to_ip(p.data)
        if ip is None:
            if kind in LINKS:
                continue
            yield from _given(p, [OF_FRAME[kind](p.data)] if kind in OF_FRAME else [p.data])
        elif kind in LINKS:
            data = LINKS[kind][1](ip)
            yield pcapfile.Packet(p.at, LINKS[kind][0], data, len(data))
        elif kind in ("hep", "hep-packed"):
            body = hep(p.at, ip, packed=kind == "hep-packed")
            yield from _given(p, [p.data if body is None else over_udp(9060, body)])
        else:
            yield from _given(p, INTO_MANY[kind](p.data) if kind in INTO_MANY else
                              [OF_FRAME[kind](p.data) if kind in OF_FRAME else OF_IP[kind](ip)])


def _given(p, frames):
    return [pcapfile.Packet(p.at, p.link, f, len(f)) for f in frames]


def main(args):
    if args == ["--list"]:
        print("\n".join(kinds()))
        return 0
    if len(args) != 3 or args[2] not in kinds():
        print(__doc__, file=sys.stderr)
        return 2
    pcapfile.write(args[1], wrap(pcapfile.read(args[0]), args[2]), link=LINKS.get(args[2], (1,))[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
