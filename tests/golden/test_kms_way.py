"""Calls whose keys a KMS has, without a KMS there: who is asked, what is told, and what stays as it is. The capture is real (its
MIKEY carries the key itself); made into tickets are only the data types of its messages, RFC 6043 9."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from facts import Facts
from program import Otway

KNOWN = Facts("s25_mikey_null")
OFFER = 14  # TRANSFER_INIT


def with_types(packets):
    """The first two octets of a MIKEY message are version and data type: "AQAF" begins version 1, type 0. The answer has none."""
    for p in packets:
        yield pcapfile.Packet(p.at, p.link, p.data.replace(b"mikey AQAF", b"mikey AQ4F"), p.wire_len)


class KmsWay(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.otway.agency("Police")
        self.otway.warrant("L1", "sip:bob@ims.example", agency="Police")
        self.plain = self.otway.path("plain.pcap")
        self.tickets = self.otway.path("tickets.pcap")
        pcapfile.write(self.plain, KNOWN.packets)
        pcapfile.write(self.tickets, list(with_types(KNOWN.packets)))

    def case(self, capture, *options):
        out = self.otway.path("case%d" % len(os.listdir(self.otway.folder)))
        self.otway.run("decrypt", capture, "--out", out, *options, code=5)
        with open(os.path.join(out, "L1", "case.json"), encoding="utf-8") as f:
            return json.load(f), os.path.join(out, "L1")

    def reasons(self, case):
        return {s["reason"] for s in case["calls"][0]["streams"]}

    def acts(self):
        return [json.loads(line)["act"] for line in self.otway.run("audit", "export", code=0).out.splitlines()]

    def test_keys_within_signalling_are_no_tickets_whoever_can_be_asked(self):
        case, _ = self.case(self.plain, "--kms")
        self.assertEqual(case["calls"][0]["kms"], [])
        self.assertEqual(self.reasons(case), {"no-key"})
        self.assertNotIn("key-request", self.acts())

    def test_without_kms_a_ticket_is_sealed_at_once(self):
        case, _ = self.case(self.tickets)
        self.assertEqual(case["calls"][0]["kms"], [])
        self.assertEqual(self.reasons(case), {"no-key"})

    def test_without_an_agreement_nobody_is_asked_and_that_is_said(self):
        case, folder = self.case(self.tickets, "--kms")
        self.assertEqual(self.reasons(case), {"kms-no-agreement"})
        (kms,) = case["calls"][0]["kms"]
        self.assertEqual((kms["protocol"], kms["line"], kms["outcome"]), ("mikey", 0, "kms-no-agreement"))
        self.assertEqual([t["outcome"] for t in kms["tried"]], ["kms-no-agreement"] * len(kms["tried"]))
        self.assertIn({"kms": "sip:kms@ims.example", "by": "convention", "outcome": "kms-no-agreement"}, kms["tried"])
        self.assertFalse(kms["mismatch"])
        self.assertNotIn("key-request", self.acts())
        with open(os.path.join(folder, "report.html"), encoding="utf-8") as f:
            page = f.read()
        self.assertIn("Key request", page)
        self.assertIn("kms-no-agreement", page)
        with open(os.path.join(folder, "call-0001", "signalling.pcap"), "rb") as f:
            self.assertIn(b"mikey AQ4F", f.read())  # the token stays: it gives nobody the key

    def test_keys_of_a_file_open_it_too(self):
        given = KNOWN.meta["keys_given"]
        path = self.otway.path("keys.json")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as f:
            json.dump([{"suite": given["suite"], "inline": given["caller"]}], f)
        out = self.otway.path("opened")
        self.otway.run("decrypt", self.tickets, "--out", out, "--keys", path, code=0)
        with open(os.path.join(out, "L1", "case.json"), encoding="utf-8") as f:
            case = json.load(f)
        self.assertEqual({s["key_source"] for s in case["calls"][0]["streams"]}, {"file"})

    def test_explain_tells_whose_keys_they_are(self):
        text = self.otway.run("explain", self.plain, code=0).out.decode()
        self.assertIn("key management: mikey, messages of type 0", text)
        self.assertIn("no KMS has them", text)
        text = self.otway.run("explain", self.tickets, code=0).out.decode()
        self.assertIn("key management: mikey, messages of type %d; no KMS is signalled; a KMS has the keys" % OFFER, text)
        line = json.loads(self.otway.run("explain", self.tickets, "--json", code=0).out.splitlines()[0])
        self.assertEqual(line["key_mgmt"], {"protocols": ["mikey"], "mikey_types": [OFFER], "kms_signalled": False})


if __name__ == "__main__":
    unittest.main()
