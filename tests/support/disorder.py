"""disorder: what a network and a mirror may do to the packets of a capture without any of them being lost: fragments of any size and
order, copies, another order. Each function takes packets (Ethernet) and a random.Random, and gives packets in the order of time."""

import struct

import encap
import pcapfile

MS = 10**6
REORDER = 50 * MS    # by how much packets overtake each other
SPREAD = 1000 * MS   # from the first fragment of a packet to the last


def in_time(packets):
    return sorted(packets, key=lambda p: p.at)


def out_of_order(packets, draw):
    """Each packet up to 50 ms late, so that it is overtaken by whatever came within that time."""
    return in_time([p._replace(at=p.at + draw.randrange(REORDER)) for p in packets])


def twice(packets, draw):
    """Each packet, and a copy within 50 ms of it."""
    return in_time([q for p in packets for q in (p, p._replace(at=p.at + draw.randrange(10_000, REORDER)))])


def cut(size, draw):
    """Where a body of so many octets is cut: multiples of 8, at random."""
    most = draw.choice([8, 64, 512, 1400])
    at, out = 0, []
    while at < size:
        step = 8 * draw.randint(1, max(most // 8, 1))
        out.append((at, min(at + step, size)))
        at += step
    return out


def copies(parts, last, draw):
    """Ranges that overlap others, and say the same; none touches `last`, which so stays the one that makes the packet whole."""
    out = []
    for begin, end in parts:
        if draw.random() < 0.3:
            begin = max(0, begin - 8 * draw.randint(0, 4))
            end = draw.choice([end, (end - 1) // 8 * 8])
            if begin < end and (end <= last[0] or begin >= last[1]):
                out.append((begin, end))
    return out


def fragment(ip, span, ident):
    """The octets of an IP packet's payload from one place to another, as a fragment of it in an Ethernet frame."""
    v4 = ip[0] >> 4 == 4
    head = (ip[0] & 15) * 4 if v4 else 40
    body, (begin, end) = ip[head:], span
    more = end < len(body)
    if v4:
        rest = encap.ipv4(ip[9], body[begin:end], ident & 0xFFFF, begin // 8 | more << 13, src=ip[12:16], dst=ip[16:20])
        return encap.ethernet(0x0800, rest)
    header = struct.pack(">BBHI", ip[6], 0, begin | more, ident)
    return encap.ethernet(0x86DD, encap.ipv6(44, header + body[begin:end], src=ip[8:24], dst=ip[24:40]))


def fragments(p, ident, draw):
    """A packet in fragments, the last to come at the packet's own time, the others at any time within the second before."""
    ip = encap.to_ip(p.data)
    if ip is None or (ip[0] >> 4 == 4 and struct.unpack(">H", ip[6:8])[0] & 0x3FFF):
        return [p]
    parts = cut(len(ip) - ((ip[0] & 15) * 4 if ip[0] >> 4 == 4 else 40), draw)
    last = draw.choice(parts)
    others = [s for s in parts if s != last]
    frames = [(p.at - draw.randrange(1, SPREAD), fragment(ip, s, ident)) for s in others + copies(others, last, draw)]
    frames.append((p.at, fragment(ip, last, ident)))
    return [pcapfile.Packet(at, p.link, f, len(f)) for at, f in frames]


def fragmented(packets, draw):
    return in_time([f for i, p in enumerate(packets) for f in fragments(p, i + 1, draw)])


def tunnel_fragmented(packets, draw):
    """In VXLAN, and the outer packets in fragments."""
    wrapped = [p._replace(data=encap.OF_FRAME["vxlan"](p.data)) for p in packets]
    return fragmented([p._replace(wire_len=len(p.data)) for p in wrapped], draw)


def all_of_it(packets, draw):
    """Out of order, in fragments, in a tunnel that is in fragments too."""
    return tunnel_fragmented(fragmented(out_of_order(packets, draw), draw), draw)


WAYS = {f.__name__: f for f in (out_of_order, twice, fragmented, tunnel_fragmented, all_of_it)}
