"""Calls whose keys a KMS has: who is asked, what is told, and what becomes of the media. The capture is real (its MIKEY carries the
key itself); made into a ticket is only the data type of its message, RFC 6043 9. The KMS is one of Python, for the path alone."""

import base64
import contextlib
import json
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
from fake_kms import FakeKms
from facts import Facts
from program import Otway

KNOWN = Facts("s25_mikey_null")
OFFER = 14  # TRANSFER_INIT


def with_types(packets):
    """The first two octets of a MIKEY message are version and data type: "AQAF" begins version 1, type 0. The answer has none."""
    for p in packets:
        yield pcapfile.Packet(p.at, p.link, p.data.replace(b"mikey AQAF", b"mikey AQ4F"), p.wire_len)


class Way(unittest.TestCase):
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


class NobodyIsAsked(Way):
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


class Asked(Way):
    """With a KMS that there is an agreement with."""

    def kms(self, answer, **how):
        kms = FakeKms(self.otway.path("kms"), answer, **how)
        self.addCleanup(kms.close)
        self.otway.run("kms", "add", "sip:kms@ims.example", "--url", kms.url, "--ca", kms.ca, "--cert", kms.li[0], "--key",
                       kms.li[1], "--home", "ims.example", code=0)
        return kms

    def keys(self, path, body):
        octets = base64.b64decode(KNOWN.meta["keys_given"]["caller"])
        return 200, {"request": body["request"],
                     "keys": [{"cs": cs, "key": base64.b64encode(octets[:16]).decode(), "salt": base64.b64encode(octets[16:]).decode(),
                               "mki": None, "from": None, "until": None} for cs in (1, 2)]}

    def decrypt(self, code):
        out = self.otway.path("asked%d" % len(os.listdir(self.otway.folder)))
        self.otway.run("decrypt", self.tickets, "--out", out, "--kms", code=code)
        with open(os.path.join(out, "L1", "case.json"), encoding="utf-8") as f:
            return json.load(f)

    def trail(self, act):
        return [r["detail"] for r in map(json.loads, self.otway.run("audit", "export", code=0).out.splitlines()) if r["act"] == act]

    def test_keys_of_the_kms_open_the_call_and_each_step_leaves_its_trace(self):
        kms = self.kms(self.keys)
        case = self.decrypt(0)
        (call,) = case["calls"]
        self.assertEqual({(s["state"], s["key_source"]) for s in call["streams"]}, {("decrypted", "kms")})
        self.assertEqual({s["suite"] for s in call["streams"]}, {KNOWN.meta["keys_given"]["suite"]})
        (told,) = call["kms"]
        self.assertEqual((told["kms"], told["outcome"]), ("sip:kms@ims.example", "keys"))
        self.assertFalse(told["mismatch"])  # the message claims key and salt as one, and they are the KMS's
        (asked,) = kms.asked
        self.assertEqual(asked[0], "/xk/v1/keys")
        self.assertEqual(asked[1]["request"], told["request"])
        self.assertEqual((asked[1]["target"], asked[1]["protocol"]), ("sip:bob@ims.example", "mikey"))
        self.assertEqual(asked[1]["dialog"]["call_id"], KNOWN.facts["calls"][0]["call_id"])
        self.assertEqual(base64.b64decode(asked[1]["offer"])[:2], bytes((1, OFFER)))
        self.assertIsNone(asked[1]["answer"])
        (request,), (answer,) = self.trail("key-request"), self.trail("key-answer")
        self.assertEqual(request["request"], told["request"])
        self.assertEqual((answer["request"], answer["outcome"]), (told["request"], "keys"))

    def test_the_same_octets_as_by_a_file_of_keys(self):
        self.kms(self.keys)
        asked = self.decrypt(0)["calls"][0]["streams"]
        given = KNOWN.meta["keys_given"]
        path = self.otway.path("keys.json")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as f:
            json.dump([{"suite": given["suite"], "inline": given["caller"]}], f)
        out = self.otway.path("opened")
        self.otway.run("decrypt", self.tickets, "--out", out, "--keys", path, code=0)
        with open(os.path.join(out, "L1", "case.json"), encoding="utf-8") as f:
            by_file = json.load(f)["calls"][0]["streams"]
        self.assertEqual([(s["ssrc"], s["payload_sha256"], s["decrypted"]) for s in asked],
                         [(s["ssrc"], s["payload_sha256"], s["decrypted"]) for s in by_file])

    def test_nothing_is_asked_that_the_trail_cannot_take(self):
        kms = self.kms(self.keys)
        with contextlib.closing(sqlite3.connect(self.otway.store)) as db, db:
            db.execute("CREATE TRIGGER no_room BEFORE INSERT ON audit WHEN NEW.act = 'key-request' BEGIN"
                       " SELECT RAISE(ABORT, 'no room'); END")
        done = self.otway.run("decrypt", self.tickets, "--out", self.otway.path("case"), "--kms")
        self.assertNotIn(done.code, (0, 5))
        self.assertIn(b"audit trail", done.err)
        self.assertEqual(kms.asked, [])

    def test_without_a_warrant_on_the_media_nobody_is_asked(self):
        """One that was revoked, one whose time is over, and one on signalling alone."""
        begun, over = "2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
        for name, how, revoke in (("revoked", {}, True), ("over", {"start": begun, "end": over}, False),
                                  ("iri", {"more": ["--scope", "iri"]}, False)):
            with self.subTest(name=name):
                self.otway = Otway()
                self.addCleanup(self.otway.close)
                self.otway.agency("Police")
                self.otway.warrant("L1", "sip:bob@ims.example", agency="Police", **how)
                kms = self.kms(self.keys)
                if revoke:
                    self.otway.run("warrant", "revoke", "L1", "--reason", "over", code=0)
                self.otway.run("decrypt", self.tickets, "--out", self.otway.path("case"), "--kms")
                self.assertEqual(kms.asked, [])
                self.assertNotIn("key-request", self.acts())

    def test_a_kms_that_is_busy_at_first_loses_nothing(self):
        busy = [503, 503]
        kms = self.kms(lambda path, body: (busy.pop(), b"{}") if busy else self.keys(path, body))
        self.decrypt(0)
        self.assertEqual(len(kms.asked), 3)
        self.assertEqual(len({body["request"] for _, body in kms.asked}), 1)
        self.assertEqual(len(self.trail("key-request")), 1)

    def test_a_refusal_seals_with_its_reason_and_is_not_asked_again(self):
        for failure, reason in (("refused", "kms-refused"), ("purged", "key-purged"), ("unknown", "kms-unknown"),
                                ("no-agreement", "kms-no-agreement")):
            with self.subTest(failure=failure):
                self.setUp()
                kms = self.kms(lambda path, body: (200, {"request": body["request"], "failure": failure, "retry_after": None}))
                case = self.decrypt(5)
                self.assertEqual(self.reasons(case), {reason})
                self.assertEqual(case["calls"][0]["kms"][0]["outcome"], reason)
                self.assertEqual(len(kms.asked), 1)

    def test_a_certificate_that_is_not_believed_ends_it(self):
        kms = self.kms(self.keys, who="others")
        case = self.decrypt(5)
        self.assertEqual(kms.asked, [])
        self.assertEqual(case["calls"][0]["kms"][0]["outcome"], self.reasons(case).pop())

    def test_a_key_of_another_call_opens_nothing(self):
        def wrong(path, body):
            status, said = self.keys(path, body)
            for k in said["keys"]:
                k["key"] = base64.b64encode(bytes(16)).decode()
            return status, said
        self.kms(wrong)
        case = self.decrypt(5)
        # the message of this capture holds the key in clear: what the KMS gave is another
        self.assertEqual(self.reasons(case), {"key-mismatch"})
        self.assertTrue(case["calls"][0]["kms"][0]["mismatch"])


if __name__ == "__main__":
    unittest.main()
