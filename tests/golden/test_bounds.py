"""What a warrant does not cover is nowhere: times, scope, other people, other agencies. And the same run gives the same octets."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
import rtp
from calls import A, AM, B, BM, at
from facts import Facts
from program import Otway, stamp, tree
from scene import Dialog, Key, Scene

PROXIED = Facts("s02_proxied_sdes")
ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
CALL_ID = PROXIED.call("bob")[0]["call_id"]
HOUR = 3600 * 10**9


class Bounds(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.otway.agency("Test Agency")

    def streams(self, liid, out="case", name="call-0001/media.pcap"):
        path = self.otway.path(out, liid, name)
        return rtp.streams(pcapfile.datagrams(pcapfile.read(path))) if os.path.exists(path) else {}


class WhatNoWarrantCovers(Bounds):
    """No file, no octet of the call in the store or in a debug log, which does hold other lines."""

    def nothing_comes_of_it(self, result, *more):
        self.assertEqual(result.code, 0, repr(result))
        self.assertFalse(os.path.exists(self.otway.path("case")), "the folder was made")
        self.assertEqual([n for n in os.listdir(self.otway.folder) if n not in ("store",)], [], "something was left beside it")
        self.assertGreater(len(result.err.splitlines()), 1, "the debug log tells of the run")
        store = b"".join(tree(self.otway.path("store")).values())
        for word in [CALL_ID, "10.77.0.", "alice"] + [k["inline"] for k in PROXIED.facts["sdes_keys"]] + list(more):
            self.assertNotIn(word.encode(), store, word)
        for word in [CALL_ID, "10.77.0."] + PROXIED.secrets():
            self.assertNotIn(word.encode(), result.err, word)
            self.assertNotIn(word.encode(), result.out, word)

    def test_a_warrant_for_somebody_else_yields_nothing(self):
        self.otway.warrant("L1", "sip:erin@ims.example")
        self.nothing_comes_of_it(self.otway.decrypt(PROXIED.path), "bob@")

    def test_an_expired_warrant_yields_nothing(self):
        self.otway.warrant("L1", BOB, start="2001-01-01T00:00:00Z", end=stamp(PROXIED.packets[0].at))
        self.nothing_comes_of_it(self.otway.decrypt(PROXIED.path))

    def test_a_warrant_not_yet_valid_yields_nothing(self):
        self.otway.warrant("L1", BOB, start=stamp(PROXIED.packets[-1].at + 1000), end="2101-01-01T00:00:00Z")
        self.nothing_comes_of_it(self.otway.decrypt(PROXIED.path))

    def test_a_revoked_warrant_yields_nothing(self):
        self.otway.warrant("L1", BOB)
        self.otway.run("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        self.nothing_comes_of_it(self.otway.decrypt(PROXIED.path))

    def test_a_revoked_warrant_asked_for_by_name_is_refused(self):
        self.otway.warrant("L1", BOB)
        self.otway.run("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        result = self.otway.decrypt(PROXIED.path, more=["--liid", "L1"])
        self.assertEqual(result.code, 4, repr(result))
        self.assertFalse(os.path.exists(self.otway.path("case")))

    def test_an_unknown_warrant_asked_for_by_name_is_not_found(self):
        result = self.otway.decrypt(PROXIED.path, more=["--liid", "L1"])
        self.assertEqual(result.code, 3, repr(result))
        self.assertFalse(os.path.exists(self.otway.path("case")))

    def test_a_caller_who_only_says_so_is_not_the_target(self):
        known = Facts("s01_direct_sdes")
        self.otway.warrant("L1", "sip:alice@10.77.0.11")
        result = self.otway.decrypt(known.path)
        self.assertEqual(result.code, 0, repr(result))
        self.assertFalse(os.path.exists(self.otway.path("case")))

    def test_the_other_call_of_the_capture_is_nowhere(self):
        known = Facts("s10_two_calls")
        self.otway.warrant("L1", BOB)
        self.otway.decrypt(known.path, code=0)
        other = known.call("dan")[0]["call_id"]
        for name, octets in tree(self.otway.path("case")).items():
            for word in (other, "carol", "dan@", "10.77.0.13", "10.77.0.14", "+15550103"):
                self.assertNotIn(word.encode(), octets, name)


class TheTimesOfAWarrant(Bounds):
    """Each packet's own time decides."""

    def whole(self):
        self.otway.warrant("WHOLE", BOB)
        self.otway.decrypt(PROXIED.path, out="whole", more=["--liid", "WHOLE"], code=0)
        return self.streams("WHOLE", "whole")

    def middle(self):
        """A moment that is exactly a media packet's, in the middle of the call."""
        times = sorted(at for s in rtp.streams(PROXIED.datagrams).values() for at, _ in s)
        return times[len(times) // 2]

    def judge(self, liid, wanted):
        whole = self.whole()
        found = self.streams(liid)
        case = self.otway.case(liid)
        said = {(s["src"], s["dst"], s["ssrc"]): s for s in case["calls"][0]["streams"]}
        self.assertEqual(sorted(found), sorted(whole))
        for key, packets in whole.items():
            within = [(at, p) for at, p in packets if wanted(at)]
            self.assertEqual([at for at, _ in found[key]], [at for at, _ in within])
            self.assertEqual(said[key]["packets"], len(within))
            self.assertEqual(said[key]["payload_sha256"], rtp.payload_sha256(within))

    def test_a_call_that_crosses_until_is_cut_at_the_packet(self):
        until = self.middle()
        self.otway.warrant("CUT", BOB, end=stamp(until))
        self.otway.decrypt(PROXIED.path, more=["--liid", "CUT"], code=0)
        self.judge("CUT", lambda at: at < until)

    def test_nothing_of_a_call_comes_after_until(self):
        until = self.middle()
        self.otway.warrant("CUT", BOB, end=stamp(until))
        self.otway.decrypt(PROXIED.path, more=["--liid", "CUT"], code=0)
        for name in tree(self.otway.path("case", "CUT")):
            if name.endswith(".pcap"):
                for p in pcapfile.read(self.otway.path("case", "CUT", name)):
                    self.assertLess(p.at, until, name)

    def test_the_moment_of_from_is_in_and_that_of_until_is_out(self):
        invite = PROXIED.sip([CALL_ID])[0].at
        self.otway.warrant("IN", BOB, start=stamp(invite), end=stamp(invite + HOUR))
        self.otway.decrypt(PROXIED.path, more=["--liid", "IN"], code=0)
        self.assertEqual(len(self.otway.case("IN")["calls"]), 1)
        self.otway.warrant("OUT", BOB, start=stamp(invite - HOUR), end=stamp(PROXIED.packets[0].at))
        self.otway.decrypt(PROXIED.path, out="out", more=["--liid", "OUT"], code=0)
        self.assertFalse(os.path.exists(self.otway.path("out")))


class TheScopeOfAWarrant(Bounds):
    def run_with(self, *more, known=PROXIED, target=BOB):
        self.otway.warrant("L1", target, more=more)
        result = self.otway.decrypt(known.path)
        return result, tree(self.otway.path("case", "L1")), self.otway.case("L1")

    def test_iri_has_signalling_and_no_media(self):
        result, files, case = self.run_with("--scope", "iri")
        self.assertEqual(result.code, 0)
        self.assertEqual(case["calls"][0]["streams"], [])
        self.assertIn("call-0001/signalling.pcap", files)
        self.assertFalse([n for n in files if "media" in n or "sealed" in n or n.endswith(".wav")])

    def test_iri_gives_no_key_away(self):
        _, files, case = self.run_with("--scope", "iri")
        for key in PROXIED.facts["sdes_keys"]:
            for name, octets in files.items():
                self.assertNotIn(key["inline"].encode(), octets, name)
        self.assertGreater(case["keys_removed"], 0)

    def test_iri_keeps_every_message(self):
        self.run_with("--scope", "iri")
        kept = list(pcapfile.datagrams(pcapfile.read(self.otway.path("case", "L1", "call-0001", "signalling.pcap"))))
        self.assertEqual(len(kept), len(PROXIED.sip([CALL_ID])))

    def test_cc_has_media_and_no_signalling(self):
        result, files, case = self.run_with("--scope", "cc")
        self.assertEqual(result.code, 0)
        self.assertFalse([n for n in files if "signalling" in n])
        known = {(s["src"], s["dst"], s["ssrc"]): s["payload_sha256"] for s in PROXIED.facts["streams"]}
        self.assertEqual({(s["src"], s["dst"], s["ssrc"]): s["payload_sha256"] for s in case["calls"][0]["streams"]}, known)
        self.assertIn("call-0001/media.pcap", files)
        self.assertEqual(case["events"], [])

    def test_diverted_report_has_no_media_once_the_call_has_left(self):
        for name in ("s03_cfu", "s06_cfnr_two_legs"):
            with self.subTest(name):
                self.setUp()
                result, files, case = self.run_with("--diverted", "report", known=Facts(name))
                self.assertEqual(result.code, 0)
                self.assertEqual(case["calls"][0]["streams"], [])
                self.assertEqual(len(case["calls"][0]["diversions"]), 1)
                self.assertIn("call-0001/signalling.pcap", files)
                self.assertFalse([n for n in files if "media" in n or n.endswith(".wav")])


class MessagesOutsideCalls(Bounds):
    """A text message is signalling, and what it says is content (TS 33.108)."""

    TEXT = "Meet me at the old bridge at nine."

    def decrypted(self, *more):
        scene = Scene()
        scene.sip("10.1.0.11:5060", "10.1.0.12:5060", "\n".join([
            "MESSAGE sip:bob@ims.example SIP/2.0", "Via: SIP/2.0/UDP 10.1.0.11:5060;branch=z9hG4bKm1", "Max-Forwards: 70",
            "From: <sip:alice@ims.example>;tag=m", "To: <sip:bob@ims.example>", "Call-ID: text-1", "CSeq: 1 MESSAGE",
            "Content-Type: text/plain"]) + "\n\n" + self.TEXT)
        self.sent = scene.messages[0].payload
        scene.write(self.otway.path("text.pcap"))
        self.otway.warrant("L1", BOB, more=more)
        self.otway.decrypt(self.otway.path("text.pcap"), code=0)
        return self.otway.case("L1"), tree(self.otway.path("case", "L1"))

    def kept(self):
        packets = pcapfile.read(self.otway.path("case", "L1", "other", "signalling.pcap"))
        return [d.payload for d in pcapfile.datagrams(packets)]

    def test_a_message_to_the_target_is_an_event(self):
        case, _ = self.decrypted()
        self.assertEqual(case["calls"], [])
        self.assertEqual([(e["method"], e["status"], e["from"], e["to"]) for e in case["events"]],
                         [("MESSAGE", None, "sip:alice@ims.example", "sip:bob@ims.example")])
        self.assertEqual(self.kept(), [self.sent])

    def test_under_iri_its_text_is_blanked_at_equal_length(self):
        _, files = self.decrypted("--scope", "iri")
        for name, octets in files.items():
            self.assertNotIn(self.TEXT.encode(), octets, name)
            self.assertNotIn(b"bridge", octets, name)
        kept = self.kept()[0]
        self.assertEqual(len(kept), len(self.sent))
        self.assertEqual(kept.split(b"\r\n\r\n")[0], self.sent.split(b"\r\n\r\n")[0])

    def test_under_cc_there_is_nothing_of_it(self):
        self.otway.warrant("L2", ALICE, more=["--scope", "cc"], trust=True)
        scene_files = self.decrypted()[1]
        self.assertIn("other/signalling.pcap", scene_files)
        self.assertFalse(os.path.exists(self.otway.path("case", "L2", "other")))


class TwoCallsOfOneTarget(Bounds):
    """One after the other between the same addresses (S46): two calls, each with its own."""

    def setUp(self):
        super().setUp()
        scene = Scene()
        self.voices = []
        for i in range(2):
            keys = Key("a%d" % i), Key("b%d" % i)
            d = Dialog(scene, A, B, call_id="call-%d@a.example" % i)
            d.simple(at(AM, keys[0].line()), at(BM, keys[1].line()))
            self.voices.append([scene.voice(AM, BM, keys[0], ssrc=0x100 + i), scene.voice(BM, AM, keys[1], ssrc=0x200 + i)])
            scene.talk(*self.voices[-1])
            d.bye()
            scene.wait(1000)
        scene.write(self.otway.path("two.pcap"))
        self.otway.warrant("L1", BOB)
        self.otway.decrypt(self.otway.path("two.pcap"), code=0)

    def test_each_call_has_its_own_call_id(self):
        self.assertEqual([c["call_ids"] for c in self.otway.case("L1")["calls"]], [["call-0@a.example"], ["call-1@a.example"]])

    def test_each_call_has_its_own_streams(self):
        for call, voices in zip(self.otway.case("L1")["calls"], self.voices):
            said = {(s["src"], s["dst"], s["ssrc"]): s["payload_sha256"] for s in call["streams"]}
            self.assertEqual(said, {v.id: v.expected()["payload_sha256"] for v in voices})

    def test_each_call_has_its_own_folder(self):
        files = tree(self.otway.path("case", "L1"))
        for n in (1, 2):
            self.assertIn("call-000%d/media.pcap" % n, files)
            self.assertIn("call-000%d/signalling.pcap" % n, files)


class TheTrail(Bounds):
    """What is opened is written down first."""

    def test_a_decryption_is_in_the_audit_trail(self):
        self.otway.warrant("L1", BOB)
        before = self.otway.run("audit", "list", "--json", code=0).out
        self.otway.decrypt(PROXIED.path, code=0)
        after = self.otway.run("audit", "list", "--json", code=0).out
        self.assertTrue(after.startswith(before), "what was there stays")
        self.assertIn(b"decrypt", after[len(before):])
        self.otway.run("audit", "verify", code=0)

    def test_a_refusal_is_in_the_audit_trail(self):
        self.otway.warrant("L1", BOB)
        self.otway.run("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        before = self.otway.run("audit", "list", "--json", code=0).out
        self.otway.decrypt(PROXIED.path, more=["--liid", "L1"], code=4)
        after = self.otway.run("audit", "list", "--json", code=0).out
        self.assertGreater(len(after), len(before))


class TwoAgenciesOnOneCall(Bounds):
    """Each has its own case folder, and nothing of the other's order is in it."""

    def setUp(self):
        super().setUp()
        self.otway.agency("North Police")
        self.otway.agency("South Customs")
        self.otway.warrant("NP-0001", ALICE, agency="North Police", authority="court of N 77")
        self.otway.warrant("SC-0002", BOB, agency="South Customs", authority="decree 88/S", end="2099-09-09T09:09:09Z")
        self.otway.decrypt(PROXIED.path, code=0)
        self.north, self.south = tree(self.otway.path("case", "NP-0001")), tree(self.otway.path("case", "SC-0002"))

    def test_both_have_the_whole_call(self):
        known = {(s["src"], s["dst"], s["ssrc"]): s["payload_sha256"] for s in PROXIED.facts["streams"]}
        for liid in ("NP-0001", "SC-0002"):
            said = self.otway.case(liid)["calls"][0]["streams"]
            self.assertEqual({(s["src"], s["dst"], s["ssrc"]): s["payload_sha256"] for s in said}, known)

    def test_nothing_of_the_others_order_shows(self):
        for tree_, words in ((self.north, ("SC-0002", "South Customs", "decree 88/S", "2099-09-09")),
                             (self.south, ("NP-0001", "North Police", "court of N 77"))):
            for name, octets in tree_.items():
                for word in words:
                    self.assertNotIn(word.encode(), octets, name)

    def test_each_sees_its_own_target_only(self):
        for liid, target in (("NP-0001", ALICE), ("SC-0002", BOB)):
            self.assertEqual({m["target"] for m in self.otway.case(liid)["calls"][0]["matched"]}, {target})

    def test_what_one_gets_does_not_depend_on_the_other(self):
        with Otway() as alone:
            alone.agency("North Police")
            alone.warrant("NP-0001", ALICE, agency="North Police", authority="court of N 77")
            alone.decrypt(PROXIED.path, code=0)
            self.assertEqual(tree(alone.path("case", "NP-0001")), self.north)

    def test_what_one_gets_does_not_depend_on_who_else_is_a_target(self):
        """Nor do its counters: signalling that is nobody's is not even parsed."""
        scene = Scene()
        eve, dan = "sip:eve@ims.example", "sip:dan@ims.example"
        for call_id, caller, callee in (("call-1@a.example", ALICE, BOB), ("call-2@a.example", eve, dan)):
            d = Dialog(scene, A, B, caller=caller, callee=callee, call_id=call_id)
            d.simple(at(AM, profile="RTP/AVP"), at(BM, profile="RTP/AVP"))
            d.bye()
        scene.sip(A, B, b"MESSAGE sip:dan@ims.example SIP/2.0\r\nCall-ID: 1\r\n\r\n")
        path = self.otway.path("two.pcap")
        scene.write(path)
        self.otway.decrypt(path, "before", code=0)
        self.otway.warrant("SC-0003", dan, agency="South Customs")
        self.otway.decrypt(path, "after", code=0)
        self.assertTrue(os.path.exists(self.otway.path("after", "SC-0003")))
        for liid in ("NP-0001", "SC-0002"):
            self.assertEqual(tree(self.otway.path("before", liid)), tree(self.otway.path("after", liid)))


class TheSameAgain(Bounds):
    """The same captures and warrants give the same octets."""

    def test_two_runs_give_identical_folders(self):
        for name in ("s01_direct_sdes", "s06_cfnr_two_legs", "s15_linphone_aes256", "s20_sip_duplicates_any", "s28_wrong_key",
                     "s29_video"):
            with self.subTest(name):
                known = Facts(name)
                role = known.roles()[0]
                trees = []
                for _ in range(2):
                    with Otway() as otway:
                        otway.agency("Test Agency")
                        otway.warrant("L1", role.target)
                        otway.decrypt(known.path, code=(0, 5))
                        trees.append(tree(otway.path("case")))
                self.assertEqual(sorted(trees[0]), sorted(trees[1]))
                for path in trees[0]:
                    self.assertEqual(trees[0][path], trees[1][path], path)

    def test_a_variant_of_a_capture_gives_its_evidence(self):
        for name in ("s03_cfu__vlan", "s04_cfnl__pcapng", "s16_pcma_direct__sll"):
            with self.subTest(name):
                found = []
                for n in (name, name.split("__")[0]):
                    with Otway() as otway:
                        known = Facts(n)
                        otway.agency("Test Agency")
                        otway.warrant("L1", known.roles()[0].target)
                        otway.decrypt(known.path, code=0)
                        files = tree(otway.path("case", "L1"))
                        found.append({p: o for p, o in files.items() if p.endswith((".pcap", ".wav"))})
                self.assertEqual(found[0], found[1])


if __name__ == "__main__":
    unittest.main()
