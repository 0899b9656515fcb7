"""intercepted: what lies in case folders, of `decrypt` or of the live system, read by the tests' own readers; and what is missing of it."""

import json
import os
from collections import Counter, namedtuple

import pcapfile
import rtp

# where: folder of its call; said: its entry in case.json; streams: {(src, dst, ssrc): [(at, rtp.Rtp)]} in clear, sealed: the same
# as captured; signalling: [(at, src, dst, payload)]
Call = namedtuple("Call", "where said streams sealed signalling")
Gap = namedtuple("Gap", "begin end reason where packets")


class Folder:
    """One case folder: a period of one warrant."""

    def __init__(self, path):
        self.path, self.files = path, []
        with open(os.path.join(path, "case.json"), encoding="utf-8") as f:
            self.case = json.load(f)
        self.calls = [self._call(c) for c in self.case["calls"]]

    def _call(self, said):
        where = os.path.join(self.path, "call-%04d" % said["id"])
        streams, sealed = (rtp.streams(pcapfile.datagrams(self._packets(where, n))) for n in ("media.pcap", "sealed.pcap"))
        messages = [tuple(d[:4]) for d in pcapfile.datagrams(self._packets(where, "signalling.pcap"))]
        return Call(where, said, streams, sealed, messages)

    @staticmethod
    def _packets(where, name):
        path = os.path.join(where, name)
        return pcapfile.read(path) if os.path.exists(path) else []

    def gaps(self):
        return [Gap(nanoseconds(g["from"]), nanoseconds(g["until"]), g["reason"], g["where"], g["packets"])
                for g in self.case.get("gaps", [])]


def nanoseconds(text):
    """Of RFC 3339 in UTC; None stays so."""
    import calendar
    import time
    if text is None:
        return None
    whole, _, part = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(part.ljust(9, "0") or 0)


def folders(path):
    """Those of one warrant: itself, or its periods in the order of time."""
    if os.path.exists(os.path.join(path, "case.json")):
        return [Folder(path)]
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return [Folder(os.path.join(path, n)) for n in names if os.path.exists(os.path.join(path, n, "case.json"))]


class Intercepted:
    """Everything under one warrant."""

    def __init__(self, path):
        self.folders = folders(path)
        self.calls = [c for f in self.folders for c in f.calls]
        self.gaps = [g for f in self.folders for g in f.gaps()]
        self.by_call_id = {i: c for c in self.calls for i in c.said["call_ids"]}

    def media(self):
        """{(src, dst, ssrc): [(at, clear RTP)]} over all calls and periods."""
        found = {}
        for c in self.calls:
            for key, packets in c.streams.items():
                found.setdefault(key, []).extend((at, p.raw) for at, p in packets)
        return found

    def in_gap(self, at, began):
        """Of a call that began then. What a gap of reason "state" says holds for calls that were under way when it began."""
        return any(g.begin <= at and (g.end is None or at <= g.end) and (g.reason != "state" or began <= g.begin) for g in self.gaps)


Difference = namedtuple("Difference", "missing extra twice messages_missing messages_extra messages_twice")


def blot(payload):
    """A message as it is compared: keys may have been removed from it at equal length."""
    head = payload.split(b"\r\n", 1)[0]
    return head, len(payload)


def compare(got, calls, begin=0, end=1 << 63):
    """What of the heard calls (heard.Call) is not there in [begin, end), what is there beside it or outside, what is there twice:
    lists of (at, …) each."""
    media, missing, extra, twice = got.media(), [], [], []
    wanted = {}
    for c in calls:
        for key, packets in c.streams.items():
            wanted.setdefault(key, Counter()).update({p.plain: 0 for p in packets})
            known = Counter(raw for _, raw in media.get(key, ()))
            for p in packets:
                inside = begin <= p.at < end
                if inside and known[p.plain] == 0:
                    missing.append((p.at, key))
                elif not inside and known[p.plain] > 0:
                    extra.append((p.at, key))
    for key, packets in media.items():
        for raw, count in Counter(raw for _, raw in packets).items():
            at = next(at for at, r in packets if r == raw)
            if raw not in wanted.get(key, ()):
                extra.append((at, key))
            elif count > 1:
                twice.append((at, key))
    return Difference(missing, extra, twice, *_messages(got, calls, begin, end))


def _messages(got, calls, begin, end):
    kept = Counter((src, dst, blot(payload)) for c in got.calls for _, src, dst, payload in c.signalling)
    heard = {}
    for m in (m for c in calls for m in c.messages):
        heard.setdefault((m.src, m.dst, blot(m.raw)), []).append(m.at)
    missing, extra, twice = [], [], []
    for key, times in heard.items():
        inside = sum(begin <= at < end for at in times)
        missing += [(times[0], key)] * max(0, inside - kept[key])
        twice += [(times[0], key)] * max(0, kept[key] - max(inside, 1))
        if not inside and kept[key]:
            extra.append((times[0], key))
    extra += [(None, key) for key in kept if key not in heard]
    return missing, extra, twice
