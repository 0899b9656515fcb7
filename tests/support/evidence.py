"""evidence: what must hold of every case folder, whatever is in it. A test case sets `expected` and `done` and inherits the rest."""

import hashlib
import os
import re
import subprocess
import wave

import facts
import pcapfile
import program
import rtp

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


class Expected:
    """What one case must come out as. Streams: {(src, dst, ssrc): {field: value}}; None for a thing that is not tested."""

    def __init__(self, **given):
        self.liid = "LIID-7/f3"
        self.folder = "LIID-7%2Ff3"
        self.captures, self.streams, self.call_ids = [], {}, None
        self.caller = self.callee = self.outcome = self.diversions = self.events = self.exit = None
        self.matched = []       # (header or None, side, verified) that must be among them
        self.directions = {}    # stream -> direction
        self.opened_keys = []   # base64 of keys that must be nowhere
        self.secrets = []       # what the log must not hold
        self.messages = None    # datagrams of the call as captured
        self.toward = {}        # stream -> "left" or "right" channel it must sound in
        self.__dict__.update(given)


class Evidence:
    """Checks to be mixed into a unittest.TestCase."""

    expected = None   # Expected
    otway = None      # the store and folder the case was made with
    done = None       # the Result of `decrypt`
    case = None       # case.json
    files = None      # {path: octets} of the warrant's folder

    @classmethod
    def conclude(cls, otway, done, expected):
        cls.otway, cls.done, cls.expected = otway, done, expected
        cls.files = program.tree(otway.path("case", expected.folder))
        if "case.json" not in cls.files:
            raise AssertionError("no case folder was made: %r" % done)
        cls.case = otway.case(expected.folder)

    def call(self):
        self.assertEqual(len(self.case["calls"]), 1, self.case["calls"])
        return self.case["calls"][0]

    def streams(self):
        found = {}
        for s in self.call()["streams"]:
            key = (s["src"], s["dst"], s["ssrc"])
            self.assertNotIn(key, found, "a stream is listed twice")
            found[key] = s
        return found

    # What case.json says

    def test_the_exit_code_says_whether_everything_was_opened(self):
        self.assertEqual(self.done.code, self.expected.exit, repr(self.done))

    def test_each_stream_is_what_is_known_of_it(self):
        found = self.streams()
        self.assertEqual(sorted(found), sorted(self.expected.streams))
        for key, known in self.expected.streams.items():
            said = {field: found[key].get(field, "left out") for field in known}
            self.assertEqual(said, known, key)

    def test_the_call_has_its_call_ids(self):
        if self.expected.call_ids is not None:
            self.assertEqual(sorted(self.call()["call_ids"]), sorted(self.expected.call_ids))

    def test_the_parties_are_named(self):
        for field in ("caller", "callee"):
            wanted = getattr(self.expected, field)
            if wanted is not None:
                self.assertIn(self.call()[field], wanted)

    def test_the_outcome_is_told(self):
        if self.expected.outcome is not None:
            self.assertEqual(self.call()["outcome"], self.expected.outcome)

    def test_the_diversions_are_named(self):
        if self.expected.diversions is not None:
            said = [{k: d[k] for k in ("service", "cause", "by", "to")} for d in self.call()["diversions"]]
            self.assertEqual(said, self.expected.diversions)

    def test_the_match_says_where_the_target_stood(self):
        said = [(m["header"], m["side"], m["verified"]) for m in self.call()["matched"]]
        self.assertEqual(len(set((m["target"], m["header"], m["side"]) for m in self.call()["matched"])), len(said), "one each")
        for header, side, verified in self.expected.matched:
            self.assertTrue(any((header is None or h == header) and s == side and v == verified for h, s, v in said),
                            "%s %s not in %s" % (header, side, said))

    def test_the_direction_is_the_targets(self):
        found = self.streams()
        for key, direction in self.expected.directions.items():
            self.assertEqual(found[key]["direction"], direction, key)

    def test_the_events_are_the_targets_own(self):
        if self.expected.events is not None:
            self.assertEqual(len(self.case["events"]), self.expected.events, self.case["events"])
            self.assertEqual("other/signalling.pcap" in self.files, self.expected.events > 0)

    def test_the_inputs_are_named_and_hashed(self):
        said = [(i["file"], i["sha256"], i["packets"]) for i in self.case["inputs"]]
        known = []
        for path in self.expected.captures:
            with open(path, "rb") as f:
                known.append((os.path.basename(path), hashlib.sha256(f.read()).hexdigest(), len(pcapfile.read(path))))
        self.assertEqual(said, known)

    def test_times_are_utc_with_microseconds(self):
        times = [self.call()[k] for k in ("started", "answered", "ended")] + [e["at"] for e in self.case["events"]]
        for at in times + [i[k] for i in self.case["inputs"] for k in ("first", "last")]:
            self.assertTrue(at is None or TIME.match(at), at)

    # What lies beside it

    def test_the_manifest_covers_every_file_and_holds(self):
        listed = {}
        for line in self.files["MANIFEST.sha256"].decode().splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
        known = {n: hashlib.sha256(o).hexdigest() for n, o in self.files.items() if n != "MANIFEST.sha256"}
        self.assertEqual(listed, known)
        done = subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "MANIFEST.sha256"], capture_output=True,
                              cwd=self.otway.path("case", self.expected.folder))
        self.assertEqual(done.returncode, 0, done.stderr)

    def packets(self, name):
        path = self.otway.path("case", self.expected.folder, name)
        return pcapfile.read(path) if name in self.files else []

    def test_every_pcap_is_raw_ip_in_nanoseconds_and_never_empty(self):
        for name in self.files:
            if name.endswith(".pcap"):
                path = self.otway.path("case", self.expected.folder, name)
                self.assertEqual(pcapfile.link_of(path), (pcapfile.RAW, True), name)
                packets = pcapfile.read(path)
                self.assertGreater(len(packets), 0, name)
                self.assertEqual([p.at for p in packets], sorted(p.at for p in packets), "%s is in the order of time" % name)

    def test_the_clear_media_is_what_was_said(self):
        clear = rtp.streams(pcapfile.datagrams(self.packets("call-0001/media.pcap")))
        known = {k: s for k, s in self.expected.streams.items() if s["state"] != "sealed"}
        self.assertEqual(sorted(clear), sorted(known))
        for key, s in known.items():
            self.assertEqual(len(clear[key]), s["packets"] - s.get("failed", 0), key)
            self.assertEqual(rtp.payload_sha256(clear[key]), s["payload_sha256"], key)
            if s.get("rtp_sha256") is not None:
                self.assertEqual(rtp.rtp_sha256(clear[key]), s["rtp_sha256"], key)

    def test_the_clear_media_keeps_its_times(self):
        clear = rtp.streams(pcapfile.datagrams(self.packets("call-0001/media.pcap")))
        captured = rtp.streams(self.captured())
        for key in clear:
            times = {}
            for at, p in captured.get(key, []):
                times.setdefault((p.seq, p.timestamp), []).append(at)
            for at, p in clear[key]:
                self.assertIn(at, times[(p.seq, p.timestamp)], key)

    def test_what_stayed_sealed_lies_there_as_captured(self):
        sealed = rtp.streams(pcapfile.datagrams(self.packets("call-0001/sealed.pcap")))
        captured = rtp.streams(self.captured())
        known = {k for k, s in self.expected.streams.items() if s["state"] == "sealed"}
        self.assertLessEqual(known, set(sealed))
        for key in sealed:
            if key in known:
                self.assertEqual([p.raw for _, p in sealed[key]], [p.raw for _, p in captured[key]], key)
            elif key in self.expected.streams:
                self.assertEqual(len(sealed[key]), self.expected.streams[key].get("failed", 0), key)

    def captured(self):
        found = []
        for path in self.expected.captures:
            found += pcapfile.datagrams(pcapfile.read(path))
        return sorted(found, key=lambda d: d.at)

    def test_the_signalling_is_the_calls_own(self):
        if self.expected.messages is None:
            return
        kept = list(pcapfile.datagrams(self.packets("call-0001/signalling.pcap")))
        shape = lambda d: (d.src, d.dst, len(d.payload), d.payload.split(b"\r\n", 1)[0])
        known = [shape(d) for d in self.expected.messages]
        self.assertLessEqual({shape(d) for d in kept}, set(known))
        self.assertEqual({shape(d) for d in kept}, set(known))
        self.assertLessEqual(len(kept), len(known))

    def test_keys_that_opened_something_are_nowhere(self):
        for key in self.expected.opened_keys:
            for name, octets in self.files.items():
                self.assertNotIn(key.rstrip("=").encode(), octets, name)
        if self.expected.opened_keys and any(s.get("key_source") == "sdes" for s in self.expected.streams.values()):
            self.assertGreater(self.case["keys_removed"], 0)
            self.assertIn(b"*" * 38, self.files["call-0001/signalling.pcap"])

    def test_checksums_of_what_was_changed_hold(self):
        for name in self.files:
            if name.endswith(".pcap"):
                for p in self.packets(name):
                    self.assertTrue(sums_hold(p.data), name)

    def test_each_voice_sounds_in_its_channel(self):
        if not self.expected.toward:
            return
        path = self.otway.path("case", self.expected.folder, "call-0001", "audio.wav")
        with wave.open(path) as w:
            self.assertEqual((w.getnchannels(), w.getsampwidth(), w.getframerate()), (2, 2, 8000))
            octets = w.readframes(w.getnframes())
        sides = {"left": b"".join(octets[i:i + 2] for i in range(0, len(octets), 4)),
                 "right": b"".join(octets[i + 2:i + 4] for i in range(0, len(octets), 4))}
        clear = rtp.streams(pcapfile.datagrams(self.packets("call-0001/media.pcap")))
        for key, side in self.expected.toward.items():
            voice = spoken(clear[key])
            self.assertIn(voice, sides[side], "%s in the %s channel" % (key, side))
            other = {"left": "right", "right": "left"}[side]
            if len(set(voice)) > 8:
                self.assertNotIn(voice, sides[other], "%s only in the %s channel" % (key, side))

    def test_the_report_needs_no_network(self):
        page = self.files["report.html"].decode("utf-8")
        self.assertTrue(page.lower().startswith("<!doctype html>"))
        self.assertFalse(re.search(r"""(src|href|url)\s*[=(]\s*["']?\s*(https?:)?//""", page), "it loads something")

    # What is left out

    def test_the_log_names_nobody(self):
        self.assertGreater(len(self.done.err.splitlines()), 1, "the debug log tells of the run")
        for secret in self.expected.secrets + [self.expected.liid]:
            self.assertNotIn(secret.encode(), self.done.err, secret)


def sums_hold(ip):
    """The checksums of an IP packet with UDP in it (RFC 768, 791, 8200)."""
    def folded(octets):
        octets += bytes(len(octets) % 2)
        total = sum(octets[i] << 8 | octets[i + 1] for i in range(0, len(octets), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return total

    if ip[0] >> 4 == 4:
        head, proto, ends = (ip[0] & 15) * 4, ip[9], ip[12:20]
        if folded(ip[:head]) != 0xFFFF:
            return False
    else:
        head, proto, ends = 40, ip[6], ip[8:40]
    if proto != 17 or ip[head + 6:head + 8] == b"\0\0":
        return True
    size = int.from_bytes(ip[head + 4:head + 6], "big")
    return folded(ends + bytes([0, proto]) + size.to_bytes(2, "big") + ip[head:head + size]) == 0xFFFF


def spoken(packets, most=20):
    """Samples of the first packets in a row that a stream has, as the reference decoder hears them."""
    decode = {0: rtp.ulaw, 8: rtp.alaw}
    out, last = b"", None
    for p in rtp.in_order(packets):
        if last is not None and p.timestamp != (last.timestamp + len(last.payload)) & 0xFFFFFFFF:
            break
        if p.pt not in decode or most == 0:
            break
        out += decode[p.pt](p.payload)
        last, most = p, most - 1
    return out
