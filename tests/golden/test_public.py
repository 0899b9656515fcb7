"""Captures that others made, many of them to break parsers: read to the end, or refused with a sentence, but never a crash or a
hang. And what tshark 4.0 sees in each, as the INDEX.md beside them has it, is what we see: every SIP message by method or status,
and the Call-IDs. There is no difference to explain. Skipped when they are not there (the option captures_public)."""

import collections
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from program import Otway, tree

FOLDER = os.environ.get("CAPTURES_PUBLIC", "")


def captures():
    for where, _, names in sorted(os.walk(FOLDER)):
        for name in sorted(names):
            if name.endswith((".pcap", ".pcapng", ".cap")):
                yield os.path.join(where, name)


def parties(path):
    """URIs of To and From of every SIP message, at most eight: targets that make otway look into the media."""
    found = []
    try:
        payloads = [d.payload for d in pcapfile.datagrams(pcapfile.read(path))]
    except (pcapfile.BadFile, IndexError, ValueError):
        return found
    for payload in payloads:
        for uri in re.findall(rb"(?im)^(?:to|t|from|f)\s*:[^\r\n<]*<?((?:sips?|tel):[^>;\s]+)", payload[:2000]):
            uri = uri.decode("ascii", "replace")
            if uri not in found and uri.isprintable():
                found.append(uri)
    return found[:8]


def indexed():
    """{file: (SIP messages by method or status, Call-IDs)} as tshark counted them."""
    known = {}
    with open(os.path.join(FOLDER, "INDEX.md"), encoding="utf-8") as f:
        for line in f:
            cells = [c.strip() for c in line.split("|")]
            if len(cells) > 8 and cells[1].endswith((".pcap", ".pcapng", ".cap")):
                counts = {k: int(n) for k, n in re.findall(r"(\S+):(\d+)", cells[6])}
                known[cells[1]] = counts, int(cells[7])
    return known


def named(path):
    """Every URI of a To or From line in the octets of a capture, whatever is round them."""
    with open(path, "rb") as f:
        octets = f.read()
    found = re.findall(rb"(?im)^(?:to|t|from|f)[ \t]*:[^\r\n<]*<?((?:sips?|tel):[^>;\s]+)", octets)
    return sorted({uri.decode("ascii", "replace") for uri in found})


def text_of(ip):
    """What an IP packet of a signalling.pcap carries over UDP or TCP."""
    head, proto = ((ip[0] & 15) * 4, ip[9]) if ip[0] >> 4 == 4 else (40, ip[6])
    return ip[head + 8:] if proto == 17 else ip[head + (ip[head + 12] >> 4) * 4:]


class Public(unittest.TestCase):
    """One file: as a capture to explain, and with a warrant for its parties to decrypt."""

    def survives(self, result):
        self.assertIn(result.code, (0, 1, 5), repr(result))
        self.assertNotIn(b"runtime error", result.err)
        self.assertNotIn(b"Sanitizer", result.err)
        if result.code == 1:
            self.assertIn(os.path.basename(self.path).encode(), result.err, "the sentence names the file")

    def test_it_is_read_to_its_end(self):
        with Otway() as otway:
            otway.agency("Test Agency")
            for i, uri in enumerate(parties(self.path)):
                otway.warrant("L%d" % i, uri, trust=True, code=(0, 2, 4))
            self.survives(otway.decrypt(self.path))
            self.survives(otway.run("explain", self.path))

    def test_what_tshark_sees_is_what_we_see(self):
        """With a warrant for everybody who is named, every message is somebody's."""
        counts, call_ids = indexed()[os.path.relpath(self.path, FOLDER)]
        with Otway() as otway:
            otway.agency("Test Agency")
            for i, uri in enumerate(named(self.path)):
                otway.warrant("L%d" % i, uri, trust=True, code=(0, 2, 4))
            otway.decrypt(self.path, code=0)
            told = otway.run("explain", self.path, "--json", code=0).out.splitlines()[-1]
            self.assertEqual(json.loads(told)["counters"]["sip"], sum(counts.values()))
            case = otway.path("case")
            files = [n for n in tree(case) if n.endswith("signalling.pcap")] if os.path.exists(case) else []
            messages = {(p.at, text_of(p.data)) for n in files for p in pcapfile.read(os.path.join(case, n))}
        seen = collections.Counter(b" ".join(t.split(b" ", 2)[:2]) if t.startswith(b"SIP/") else t.split(b" ")[0] for _, t in messages)
        self.assertEqual({k.decode().split(" ")[-1]: n for k, n in seen.items()}, counts)
        found = {re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*(\S+)", t).group(1) for _, t in messages}
        self.assertEqual(len(found), call_ids)


def load_tests(loader, standard, pattern):
    suite = unittest.TestSuite()
    for path in captures():
        title = re.sub(r"\W+", "_", os.path.relpath(path, FOLDER))
        made = type(title, (Public, unittest.TestCase), {"path": path, "__module__": __name__})
        suite.addTests(loader.loadTestsFromTestCase(made))
    if suite.countTestCases() > 0:
        suite.addTests(loader.loadTestsFromTestCase(Index))
    if suite.countTestCases() == 0:
        suite.addTests(loader.loadTestsFromTestCase(NoCaptures))
    return suite


class Index(unittest.TestCase):
    def test_it_lists_every_capture_and_no_other(self):
        self.assertEqual(sorted(indexed()), sorted(os.path.relpath(path, FOLDER) for path in captures()))


class NoCaptures(unittest.TestCase):
    @unittest.skipUnless(FOLDER, "no folder of public captures was given")
    def test_captures_are_there(self):
        self.fail("no capture in %s" % FOLDER)


if __name__ == "__main__":
    unittest.main()
