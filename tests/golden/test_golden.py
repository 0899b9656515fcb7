"""Every capture, once for each of its parties as the target of a warrant: what otway says against what is known."""

import sys
import os
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import rtp
from evidence import Evidence, Expected
from facts import Facts, SERVICES, addr_spec, names
from program import Otway, stamp

# Cut so short that there is no SDP: a case of its own below.
CUT = "s07_plain_rtp__snap220"


def expectation(known, role, with_keys):
    """What one role's case folder must hold."""
    dialogs = known.call(role.person)
    call_ids = {c["call_id"] for c in dialogs}
    streams = {(s["src"], s["dst"], s["ssrc"]): s for s in known.streams(role.person)}
    e = Expected(captures=[known.path], call_ids=call_ids, messages=known.sip(call_ids), secrets=known.secrets(),
                 streams={k: known.expected(s, with_keys) for k, s in streams.items()})
    if role.name == "diverted_to" and e.messages:
        e.messages = seen_in_time(e.messages, role.person)
    sealed = any(s["state"] == "sealed" for s in e.streams.values())
    e.exit = 5 if sealed else 0
    asserted = [addr_spec(p) for c in dialogs for p in c["pai"]]
    e.caller = {a.split(";")[0] for a in asserted[:1]} or {addr_spec(f) for c in dialogs for f in c["froms"]}
    e.callee = {addr_spec(t).split(";")[0] for c in dialogs for t in c["tos"] + [r.split()[1] for r in c["r_uris"][:1]]}
    e.outcome = "answered" if any("200 INVITE" in c["statuses"] for c in dialogs) else "cancelled"
    e.matched = [(role.header, role.side, not role.trust)]
    e.events = known.events(role)
    e.diversions = diversions(known, dialogs)
    e.directions = {k: "from-target" if known.origin(s) == role.person else "to-target" for k, s in streams.items()}
    e.opened_keys = [k["inline"] for key, s in streams.items() if e.streams[key].get("key_source") == "sdes" for k in s["keys"]]
    left = "dan" if role.person in ("carol", "dan") and "calls" in known.meta else "alice"
    e.toward = {k: "left" if known.origin(s) == left else "right" for k, s in streams.items()
                if e.streams[k]["state"] != "sealed" and set(s["pts"]) <= {"0", "8"} and s["lost"] == 0}
    return e


def seen_in_time(messages, person):
    """Set-up messages wait two seconds for one that names the target; older ones are gone by then."""
    named = min([d.at for d in messages if b"<sip:%s@" % person.encode() in d.payload] or [0])
    return [d for d in messages if d.at >= named - 2 * 10**9]


def diversions(known, dialogs):
    """From the facts: who diverted, whereto, by which cause."""
    if "cdiv" not in known.meta:
        return []
    causes = [h.split("cause=")[1].split(">")[0].split(";")[0] for c in dialogs for h in c["history_info"] if "cause=" in h]
    return [{"service": SERVICES[known.meta["cdiv"]], "cause": int(causes[0]), "by": known.meta["served_user"],
             "to": known.meta["diverted_to"]}]


class Golden(Evidence):
    """One capture, one role, one run."""

    @classmethod
    def setUpClass(cls):
        otway = Otway()
        cls.addClassCleanup(otway.close)
        known, role, with_keys = cls.known, cls.role, cls.with_keys
        e = expectation(known, role, with_keys)
        otway.agency("Test Agency")
        start, end = known.packets[0].at - 10**9, known.packets[-1].at + 10**9
        otway.warrant(e.liid, role.target, start=stamp(start), end=stamp(end), trust=role.trust)
        more = ["--keys", otway.keys_file(known.keys_given())] if with_keys else []
        cls.conclude(otway, otway.decrypt(known.path, more=more), e)

    def test_the_setup_and_the_answer_have_their_times(self):
        sip = self.expected.messages
        if sip is None:
            self.assertTrue(self.call()["started"] < self.call()["answered"] < self.call()["ended"])
            return
        invite = next(d for d in sip if d.payload.startswith(b"INVITE "))
        self.assertEqual(self.call()["started"], stamp(invite.at)[:26] + "Z")
        answers = [d for d in sip if d.payload.startswith(b"SIP/2.0 200") and b"INVITE" in d.payload.split(b"\r\n\r\n")[0]]
        answers = [d for d in answers if any(b"CSeq" in l and b"INVITE" in l for l in d.payload.split(b"\r\n"))]
        self.assertEqual(self.call()["answered"], stamp(answers[0].at)[:26] + "Z" if answers else None)

    def test_control_packets_are_counted_with_their_streams(self):
        """On the port next to the media's; some clients send their first and last reports unprotected."""
        reports = {(d.src, d.dst, d.payload) for d in self.known.datagrams if len(d.payload) > 8 and 192 <= d.payload[1] <= 223}
        for key, s in self.streams().items():
            flow = tuple("%s:%d" % (a.rsplit(":", 1)[0], int(a.rsplit(":", 1)[1]) + 1) for a in key[:2])
            mine = [r for r in reports if r[:2] == flow]
            self.assertEqual(s["rtcp_packets"], len(mine), key)
            if s["state"] == "decrypted":
                self.assertEqual(s["rtcp_decrypted"], sum(1 for r in mine if not rtp.is_plain_report(r[2])), key)


def load_tests(loader, standard, pattern):
    """A class for each capture and role, so that each check counts."""
    suite = unittest.TestSuite()
    for name in names():
        if name == CUT:
            continue
        known = Facts(name)
        for role in known.roles():
            for with_keys in (False, True) if known.keys_given() else (False,):
                title = "%s_%s%s" % (name, role.name, "_with_keys" if with_keys else "")
                made = type(title, (Golden, unittest.TestCase),
                            {"known": known, "role": role, "with_keys": with_keys, "__module__": __name__})
                suite.addTests(loader.loadTestsFromTestCase(made))
    suite.addTests(standard)
    return suite


class ACaptureCutAt220Octets(unittest.TestCase):
    """No SDP, no whole Call-ID, no authentication tag is left: nothing may be claimed of it."""

    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.known = Facts(CUT)
        self.otway.agency("Test Agency")
        self.otway.warrant("L1", "sip:bob@10.77.0.12")
        self.done = self.otway.decrypt(self.known.path)

    def test_it_is_read_without_a_crash(self):
        self.assertIn(self.done.code, (0, 5), repr(self.done))

    def test_no_stream_of_it_is_called_clear_or_decrypted(self):
        case = self.otway.case("L1")
        for call in case["calls"]:
            for s in call["streams"]:
                self.assertEqual((s["state"], s["reason"]), ("sealed", "truncated"))

    def test_it_is_counted_as_truncated(self):
        self.assertGreater(self.otway.case("L1")["counters"]["truncated"], 0)


if __name__ == "__main__":
    unittest.main()
