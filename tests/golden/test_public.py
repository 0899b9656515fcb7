"""Captures that others made to break parsers: read to the end, or refused with a sentence, but never a crash or a hang.
Skipped when they are not there (the option captures_public)."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from program import Otway

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


def load_tests(loader, standard, pattern):
    suite = unittest.TestSuite()
    for path in captures():
        title = re.sub(r"\W+", "_", os.path.relpath(path, FOLDER))
        made = type(title, (Public, unittest.TestCase), {"path": path, "__module__": __name__})
        suite.addTests(loader.loadTestsFromTestCase(made))
    if suite.countTestCases() == 0:
        suite.addTests(loader.loadTestsFromTestCase(NoCaptures))
    return suite


class NoCaptures(unittest.TestCase):
    @unittest.skipUnless(FOLDER, "no folder of public captures was given")
    def test_captures_are_there(self):
        self.fail("no capture in %s" % FOLDER)


if __name__ == "__main__":
    unittest.main()
