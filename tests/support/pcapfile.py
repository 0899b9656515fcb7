"""pcapfile: reads and writes capture files, and takes UDP out of their packets, for tests.

Written apart from otway, so that what otway reads and writes is judged by something else: pcap of both byte orders and both
resolutions, pcapng, Ethernet (with VLAN tags), raw IP, SLL, SLL2, BSD loopback; IPv4 (fragments rejoined) and IPv6; VXLAN and GTP-U.
"""

import struct
from collections import namedtuple

# A record of a capture file: time in nanoseconds, LINKTYPE_ value, octets, length on the wire.
Packet = namedtuple("Packet", "at link data wire_len")
# A UDP datagram: addresses as "1.2.3.4:5" or "[::1]:5", payload, and the IP packet around it.
Datagram = namedtuple("Datagram", "at src dst payload packet truncated")

ETHERNET, RAW, SLL, NULL, LOOP, SLL2, IPV4, IPV6 = 1, 101, 113, 0, 108, 276, 228, 229
PCAP_US, PCAP_NS = 0xA1B2C3D4, 0xA1B23C4D


class BadFile(Exception):
    pass


def read(path):
    """Every packet of a file; one that is cut off at its end is left out."""
    with open(path, "rb") as f:
        data = f.read()
    return list(parse(data))


def parse(data):
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _pcapng(data)
    return _pcap(data)


def link_of(path):
    """The link type a pcap file declares, and whether its times are nanoseconds."""
    with open(path, "rb") as f:
        head = f.read(24)
    order, nano = _magic(head)
    return struct.unpack(order + "I", head[20:24])[0] & 0x0FFFFFFF, nano


def _magic(data):
    for order in "<>":
        if len(data) >= 24:
            magic = struct.unpack(order + "I", data[:4])[0]
            if magic in (PCAP_US, PCAP_NS):
                return order, magic == PCAP_NS
    raise BadFile("no pcap file")


def _pcap(data):
    order, nano = _magic(data)
    link = struct.unpack(order + "I", data[20:24])[0] & 0x0FFFFFFF
    at = 24
    while at + 16 <= len(data):
        sec, frac, cap, wire = struct.unpack(order + "IIII", data[at:at + 16])
        if at + 16 + cap > len(data):
            return
        yield Packet(sec * 10**9 + frac * (1 if nano else 1000), link, data[at + 16:at + 16 + cap], wire)
        at += 16 + cap


def _pcapng(data):
    at, order, interfaces = 0, "<", []
    while at + 12 <= len(data):
        kind = struct.unpack(order + "I", data[at:at + 4])[0]
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        size = struct.unpack(order + "I", data[at + 4:at + 8])[0]
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        if kind == 1:
            interfaces.append((struct.unpack(order + "H", body[:2])[0], _resolution(body[8:], order)))
        elif kind == 6:
            which, high, low, cap, wire = struct.unpack(order + "IIIII", body[:20])
            link, unit = interfaces[which]
            yield Packet((high << 32 | low) * 10**9 // unit, link, body[20:20 + cap], wire)
        at += size


def _resolution(options, order):
    while len(options) >= 4:
        code, size = struct.unpack(order + "HH", options[:4])
        if code == 9:
            value = options[4]
            return 2 ** (value & 127) if value & 128 else 10 ** value
        if code == 0:
            break
        options = options[4 + (size + 3) // 4 * 4:]
    return 10**6


def write(path, packets, order="<", nano=False, link=None):
    """A pcap file of packets, in the order given."""
    packets = list(packets)
    link = link if link is not None else packets[0].link
    with open(path, "wb") as f:
        f.write(struct.pack(order + "IHHiIII", PCAP_NS if nano else PCAP_US, 2, 4, 0, 0, 262144, link))
        for p in packets:
            sec, frac = divmod(p.at, 10**9)
            f.write(struct.pack(order + "IIII", sec, frac if nano else frac // 1000, len(p.data), p.wire_len))
            f.write(p.data)


def write_ng(path, packets, order="<", resolution=9):
    """A pcapng file: one section, an interface for each link type that occurs, decimal resolution."""
    def block(kind, body):
        size = len(body) + 12
        return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)

    def padded(octets):
        return octets + bytes(-len(octets) % 4)

    packets = list(packets)
    links = sorted({p.link for p in packets})
    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for link in links:
            option = struct.pack(order + "HHB3x", 9, 1, resolution) + struct.pack(order + "HH", 0, 0)
            f.write(block(1, struct.pack(order + "HHI", link, 0, 0) + option))
        for p in packets:
            units = p.at * 10**resolution // 10**9
            head = struct.pack(order + "IIIII", links.index(p.link), units >> 32, units & 0xFFFFFFFF, len(p.data), p.wire_len)
            f.write(block(6, head + padded(p.data)))


def datagrams(packets):
    """The UDP datagrams of packets, in their order; of fragments at the time of the last one."""
    parts = {}
    for p in packets:
        ip = _rejoined(parts, network(p))
        d = _udp(p.at, ip) if ip is not None else None
        inner = _tunnelled(d) if d is not None else None
        if inner is not None:
            d = _udp(p.at, inner)
        if d is not None:
            yield d


def _tunnelled(d):
    """The IP packet within VXLAN (RFC 7348) or GTP-U (TS 29.281), or None."""
    octets = d.payload
    if d.dst.endswith(":4789") and octets[:1] == b"\x08":
        return network(Packet(d.at, ETHERNET, octets[8:], 0))
    if d.dst.endswith(":2152") and octets[1:2] == b"\xff":
        at = 8
        if octets[0] & 7:
            following, at = octets[11], 12
            while following:
                size = 4 * octets[at]
                following, at = octets[at + size - 1], at + size
        return octets[at:]
    return None


def _rejoined(parts, ip):
    """An IP packet as it is, a whole one made of the fragments seen so far, or None."""
    if ip is None or len(ip) < 20 or ip[0] >> 4 != 4:
        return ip
    flags = struct.unpack(">H", ip[6:8])[0]
    if not flags & 0x3FFF:
        return ip
    head, total = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
    key = ip[4:6] + ip[9:10] + ip[12:20]
    pieces = parts.setdefault(key, {})
    pieces[(flags & 0x1FFF) * 8] = (ip[head:total], bool(flags & 0x2000))
    body, more = b"", True
    while more and len(body) in pieces:
        octets, more = pieces[len(body)]
        body += octets
    if more:
        return None
    del parts[key]
    return ip[:2] + struct.pack(">H", head + len(body)) + ip[4:6] + b"\0\0" + ip[8:head] + body


def network(p):
    """The IP packet within a captured packet, or None."""
    data = p.data
    if p.link in (RAW, IPV4, IPV6):
        return data
    if p.link in (NULL, LOOP):
        return data[4:]
    if p.link == SLL:
        return _by_type(data[14:16], data[16:])
    if p.link == SLL2:
        return _by_type(data[0:2], data[20:])
    if p.link == ETHERNET:
        at = 12
        while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            at += 4
        return _by_type(data[at:at + 2], data[at + 2:])
    return None


def _by_type(kind, rest):
    return rest if kind in (b"\x08\x00", b"\x86\xdd") else None


def _udp(at, ip):
    if len(ip) < 20:
        return None
    if ip[0] >> 4 == 4:
        head, total, proto = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0], ip[9]
        src, dst = (".".join(map(str, ip[i:i + 4])) for i in (12, 16))
        if struct.unpack(">H", ip[6:8])[0] & 0x3FFF:
            return None
    elif ip[0] >> 4 == 6:
        head, total, proto = 40, 40 + struct.unpack(">H", ip[4:6])[0], ip[6]
        src, dst = ("[%s]" % ipv6_text(ip[i:i + 16]) for i in (8, 24))
    else:
        return None
    if proto != 17 or len(ip) < head + 8:
        return None
    sport, dport, size = struct.unpack(">HHH", ip[head:head + 6])
    return Datagram(at, "%s:%d" % (src, sport), "%s:%d" % (dst, dport), ip[head + 8:head + size], ip[:total], len(ip) < head + size)


def ipv6_text(octets):
    import ipaddress
    return str(ipaddress.IPv6Address(octets))
