"""heard: what a capture says to one who knows SIP, SDP and SRTP, written apart from otway: its calls, who takes part in them, and their
media in clear. Evidence of the live system is held against it, made of what tcpdump recorded of the same mirror port."""

import re
from collections import namedtuple

import pcapfile
import rtp
from unseal import SUITES, Opener

# at, src, dst: as captured; start: the first line; headers: [(name in lower case, value)]; raw: the datagram's payload
Message = namedtuple("Message", "at src dst start headers body raw")
# Of one stream: at as captured, the extended sequence number, clear RTP (None: no key opens it), as captured
Packet = namedtuple("Packet", "at index plain raw")
NAMES = {"i": "call-id", "f": "from", "t": "to", "m": "contact", "v": "via", "c": "content-type", "l": "content-length"}
PARTIES = ("to", "from", "p-asserted-identity", "p-called-party-id", "p-served-user", "diversion", "history-info")


def message(d):
    """A SIP message, or None."""
    head, _, body = d.payload.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "replace").split("\r\n")
    if not (start.startswith("SIP/2.0 ") or start.endswith(" SIP/2.0")):
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((NAMES.get(name, name), value.strip()))
    return Message(d.at, d.src, d.dst, start, headers, body.decode("utf-8", "replace"), d.payload)


class Call:
    """A dialog by its Call-ID, and the media its descriptions speak of."""

    def __init__(self, call_id):
        self.call_id, self.messages, self.streams = call_id, [], {}
        self.keys = {}  # "ADDR:PORT" -> [(suite, key)] of what is sent from there; empty: not sealed

    def take(self, m):
        self.messages.append(m)
        for address, keys in descriptions(m.body):
            known = self.keys.setdefault(address, [])
            known += [k for k in keys if k not in known]

    def names(self, uri):
        """Is it a party of the call?"""
        wanted = re.compile(re.escape(uri) + r"(?![\w.\-])", re.I)
        return any(wanted.search(v) for m in self.messages for n, v in [("to", m.start), *m.headers] if n in PARTIES)

    @property
    def began(self):
        return self.messages[0].at

    @property
    def ended(self):
        """When somebody hung up; None: nobody did."""
        return next((m.at for m in self.messages if m.start.startswith("BYE ")), None)


def descriptions(body):
    """(address, [(suite, key)]) of every media line of an SDP."""
    session, address, media = None, None, []
    for line in body.split("\r\n"):
        if line.startswith("c="):
            address = line.split()[2].split("/")[0]
            if media:
                media[-1][1] = address
            else:
                session = address
        elif line.startswith("m="):
            media.append([line.split()[1], session, []])
        elif line.startswith("a=crypto:") and media:
            _, suite, rest = line.split(None, 3)[:3]
            if suite in SUITES:
                media[-1][2] += [(suite, k.partition(":")[2].split("|")[0]) for k in rest.split(";")]
    return [("%s:%s" % (a, port), keys) for port, a, keys in media if a]


class Heard:
    """Everything of a capture. `given`: {source address: [(suite, key, MKI or None)]} of keys that are in no description."""

    def __init__(self, packets, given=None):
        self.calls, self.given, rest = {}, given or {}, []
        for d in pcapfile.datagrams(packets):
            m = message(d) if b"SIP/2.0" in d.payload[:1500] else None
            call_id = dict(reversed(m.headers)).get("call-id") if m else None
            if call_id:
                self.calls.setdefault(call_id, Call(call_id)).take(m)
            elif m is None:
                rest.append(d)
        self._assign(rest)

    def _assign(self, datagrams):
        """Each stream to the call that describes the address it goes to, or comes from: of several, to the last that began before it."""
        at = {}
        for c in self.calls.values():
            for a in c.keys:
                at.setdefault(a, []).append(c)
        for key, packets in rtp.streams(datagrams).items():
            calls = at.get(key[1]) or at.get(key[0])
            if calls:
                call = max((c for c in calls if c.began <= packets[0][0]), key=lambda c: c.began, default=calls[0])
                keys = call.keys.get(key[0], []) + self.given.get(key[0], [])
                call.streams[key] = opened(packets, keys)

    def of(self, target):
        return [c for c in self.calls.values() if c.names(target)]


def opened(packets, keys):
    """The packets of a stream, opened by whichever of the keys does."""
    openers, found, high = [Opener(*k) for k in keys], [], None
    for at, p in packets:
        if not keys:
            high = p.seq + 65536 if high is None else high
            index = high + ((p.seq - high + 32768) % 65536) - 32768
            high = max(high, index)
            found.append(Packet(at, index, p.raw, p.raw))
            continue
        for o in openers:
            clear = o.open(p.raw)
            if clear is not None:
                found.append(Packet(at, clear[0], clear[1], p.raw))
                openers.remove(o)
                openers.insert(0, o)
                break
        else:
            found.append(Packet(at, None, None, p.raw))
    return found


def read(path, given=None):
    return Heard(pcapfile.read(path), given)
