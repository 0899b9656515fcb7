"""Calls whose keys a KMS has, end to end as a user does it: the reference KMS runs, simulated users of another implementation
(tests/support/kms_calls.py) get their keys from it and talk, and `decrypt --kms` is given the capture and nothing else. What each
stream must contain is known from before it was sealed."""

import base64
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import kms_calls
from kms import Network
from kms_calls import DIVERSIONS, GCM, KINDS, SHAPES, People, make
from program import Otway, tree
from scene import Dialog

DOMAIN = "ims.example"
ALICE, BOB, CAROL = ("sip:%s@%s" % (n, DOMAIN) for n in ("alice", "bob", "carol"))
NUMBER = "tel:+49301234567"
KEYS_ASKED = {"forked": 2, "rekeyed": 2}  # of the others one


def network(test, folder, domain, users=(ALICE, BOB, CAROL, NUMBER), **how):
    """A KMS with those users, of whom Carol may answer for Bob."""
    n = Network(folder, domain, **how)
    cleanup = test.addClassCleanup if isinstance(test, type) else test.addCleanup
    cleanup(n.close)
    cleanup(ends_well, n)
    for u in users:
        n.user(u, [CAROL] if u == BOB else ())
    n.start()
    return n


def ends_well(kms):
    """Told to stop it stops, and nothing went wrong in it before."""
    code, said = kms.stop(), kms.said()
    if code not in (0, None) or "Sanitizer" in said or "runtime error" in said:
        raise AssertionError("the KMS ended with %s: %s" % (code, said))


def expected(call):
    """{stream: what case.json must say of it}, of the streams that were seen."""
    return {v.id: {**v.expected(), "key_source": "kms", "reason": None} for v in call.s.voices if v.seen}


class Base(unittest.TestCase):
    def store(self, target=BOB):
        otway = Otway()
        self.addCleanup(otway.close)
        otway.agency("Police")
        otway.warrant("L1", target, agency="Police")
        return otway

    def decrypt(self, otway, call, code=0, more=(), folder="case"):
        path = otway.path("call.pcap")
        if not os.path.exists(path):
            call.s.write(path)
        otway.decrypt(path, folder, more=["--kms", *more], code=code)
        (said,) = otway.case("L1", folder)["calls"]
        return said

    def opened(self, said, call):
        """The streams are what was sealed, all of it, and nothing else."""
        found = {(s["src"], s["dst"], s["ssrc"]): s for s in said["streams"]}
        known = expected(call)
        self.assertEqual(sorted(found), sorted(known))
        for stream, fields in known.items():
            self.assertEqual({f: found[stream].get(f, "left out") for f in fields}, fields, stream)

    def sealed(self, said, reason):
        self.assertEqual({(s["state"], s["reason"], s["payload_sha256"]) for s in said["streams"]}, {("sealed", reason, None)})
        self.assertEqual({k["outcome"] for k in said["kms"]}, {reason})

    def nowhere(self, otway, call):
        """No key lies in the folder."""
        keys = [v.key.octets for v in call.s.voices]
        for name, octets in tree(otway.path("case")).items():
            for key in keys:
                for form in (key[:16], key[:16].hex().encode(), base64.b64encode(key)[:20]):
                    self.assertNotIn(form, octets, name)

    def trail(self, otway, act):
        lines = map(json.loads, otway.run("audit", "export", code=0).out.splitlines())
        return [line["detail"] for line in lines if line["act"] == act]

    def same_trails(self, otway, kms, said):
        """Each request is in the evidence, in our trail and in the KMS's, under one id."""
        asked = [k["request"] for k in said["kms"]]
        self.assertEqual(sorted(d["request"] for d in self.trail(otway, "key-request")), sorted(asked))
        answers = {d["request"]: d["outcome"] for d in self.trail(otway, "key-answer")}
        theirs = {line["request"]: line for line in kms.log(otway) if line["act"] == "xk-keys"}
        for k in said["kms"]:
            self.assertEqual(answers[k["request"]], k["outcome"])
            self.assertEqual(theirs[k["request"]]["warrant"], "L1")
            self.assertIn(theirs[k["request"]]["outcome"], k["outcome"])  # "refused" of us is "kms-refused"


class Where:
    """How one can know which KMS to ask: what the call's SIP and tokens say of it, what is agreed, and what case.json must name."""

    def __init__(self, name, by, kms, named=False, headers=(), agreed=(), config=None, alice=None, target=BOB):
        self.name, self.by, self.kms, self.agreed, self.config, self.target = name, by, kms, agreed, config, target
        self.people = {"named": named, "headers": headers, "alice": alice}


# The KMS at keys.example has another domain than its users: no convention leads to it.
WHERE = [
    Where("by-ticket", "ticket", "keys.example", named=True),
    Where("signalled", "signalled", "keys.example", headers=["P-Asserted-Identity: <%s>" % ALICE, "X-Kms: <sip:kms@keys.example>"],
          config="kms_header: X-Kms\n"),
    Where("administered", "administered", "keys.example", agreed=["--user", BOB]),
    Where("home", "administered", "keys.example", agreed=["--home", DOMAIN]),
    Where("convention", "convention", DOMAIN),
    Where("tel", "convention", DOMAIN, target=NUMBER,
          headers=["P-Asserted-Identity: <%s>" % ALICE, "P-Asserted-Identity: <%s>" % NUMBER]),
    Where("default", "network-default", "keys.example", alice=NUMBER, target=NUMBER, agreed=["--default"],
          headers=["P-Asserted-Identity: <%s>" % NUMBER]),
]


class Combination(Base):
    """Every kind of key, in every shape of call, by every way to its KMS."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.networks = {d: network(cls, folder.name, d) for d in ("keys.example", DOMAIN)}

    def combine(self, kind, shape, where):
        kms = self.networks[where.kms]
        call = make(kind, shape, kms, People(DOMAIN, **where.people))
        otway, more = self.store(where.target), []
        kms.agree(otway, *where.agreed)
        if where.config:
            with open(otway.path("otway.yaml"), "w", encoding="utf-8") as f:
                f.write(where.config)
            more = ["--config", otway.path("otway.yaml")]
        said = self.decrypt(otway, call, more=more)
        self.opened(said, call)
        by = "ticket" if kind == "ticket" else where.by
        self.assertEqual([(k["kms"], k["by"], k["outcome"], k["mismatch"]) for k in said["kms"]],
                         [(kms.identity, by, "keys", False)] * KEYS_ASKED.get(shape, 1))
        self.assertEqual({k["protocol"] for k in said["kms"]}, {"otway-rees" if kind == "rees" else "mikey"})
        if shape in DIVERSIONS and where.target == BOB:
            diversion = {k: said["diversions"][0][k] for k in ("service", "cause", "by", "to")}
            self.assertEqual(diversion, call.diversion)
        self.same_trails(otway, kms, said)
        self.nowhere(otway, call)


def combinations():
    for kind in KINDS:
        for shape in SHAPES:
            for where in WHERE:
                if kind == "ticket" and where.by in ("administered", "convention") and where.name != "tel":
                    continue  # our KMS says in its tickets whose they are, so nothing else counts
                def test(self, kind=kind, shape=shape, where=where):
                    self.combine(kind, shape, where)
                name = "test_%s_%s_%s" % (kind, shape, where.name)
                setattr(Combination, name.replace("-", "_").lower(), test)


combinations()


class Order(Base):
    """Several that may be asked: the ticket's goes before what signalling says, that before the convention."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.keys, cls.ours = (network(cls, folder.name, d) for d in ("keys.example", DOMAIN))

    def asked(self, made_at, named, signalled, agreed=("keys", "ours")):
        """[(by, KMS, outcome)] of all that was tried."""
        call = make("own-ticket", "plain", made_at, People(DOMAIN, named=named, headers=[
            "P-Asserted-Identity: <%s>" % ALICE, "X-Kms: <%s>" % signalled.identity]))
        otway = self.store()
        for name in agreed:
            getattr(self, name).agree(otway)
        with open(otway.path("otway.yaml"), "w", encoding="utf-8") as f:
            f.write("kms_header: X-Kms\n")
        said = self.decrypt(otway, call, more=["--config", otway.path("otway.yaml")])
        self.opened(said, call)
        (kms,) = said["kms"]
        return [(t["by"], t["kms"], t["outcome"]) for t in kms["tried"]]

    def test_the_tickets_own_goes_before_another_that_is_signalled(self):
        self.assertEqual(self.asked(self.ours, True, self.keys), [("ticket", self.ours.identity, "keys")])

    def test_s91_the_signalled_one_goes_before_the_convention(self):
        self.assertEqual(self.asked(self.keys, False, self.keys), [("signalled", self.keys.identity, "keys")])

    def test_one_that_was_bound_when_the_target_registered_is_a_signalled_one(self):
        call = kms_calls.Call("own-ticket", self.keys, People(DOMAIN, named=False))
        register = Dialog(call.s, call.b, call.proxy, caller=BOB, callee=BOB, call_id="register@" + DOMAIN, uri="sip:" + DOMAIN)
        register.request("REGISTER", headers=["Contact: <sip:bob@%s>" % call.b])
        register.reply(200, headers=["Contact: <sip:bob@%s>;expires=600" % call.b, "X-Kms: <%s>" % self.keys.identity])
        kms_calls.plain(call)
        otway = self.store()
        self.keys.agree(otway)
        with open(otway.path("otway.yaml"), "w", encoding="utf-8") as f:
            f.write("kms_header: X-Kms\n")
        said = self.decrypt(otway, call, more=["--config", otway.path("otway.yaml")])
        self.opened(said, call)
        self.assertEqual([(k["by"], k["kms"]) for k in said["kms"]], [("signalled", self.keys.identity)])

    def test_the_next_is_asked_when_one_does_not_know_and_both_are_told(self):
        self.assertEqual(self.asked(self.ours, False, self.keys), [("signalled", self.keys.identity, "kms-unknown"),
                                                                   ("convention", self.ours.identity, "keys")])

    def test_one_without_an_agreement_is_passed_over_and_told(self):
        self.assertEqual(self.asked(self.ours, False, self.keys, ("ours",)),
                         [("signalled", self.keys.identity, "kms-no-agreement"), ("convention", self.ours.identity, "keys")])


class Ordinary(Base):
    """One KMS, asked by its convention."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.kms = network(self, folder.name, DOMAIN)

    def agreed(self, target=BOB):
        otway = self.store(target)
        self.kms.agree(otway)
        return otway

    def call(self, kind, shape="plain", **people):
        return make(kind, shape, self.kms, People(DOMAIN, **people))


class Targets(Ordinary):
    def test_whoever_takes_part_in_a_diverted_call_may_be_the_target(self):
        for kind in KINDS:
            for shape in DIVERSIONS:
                call = self.call(kind, shape)
                for target, side in ((ALICE, "from-target"), (BOB, "diverting"), (CAROL, "to-target")):
                    with self.subTest(kind=kind, shape=shape, target=target):
                        otway = self.agreed(target)
                        said = self.decrypt(otway, call)
                        self.opened(said, call)
                        self.assertIn(side, {m["side"] for m in said["matched"]})

    def test_the_stronger_algorithms_throughout(self):
        """AES-256-GCM for SRTP; PRF, MAC and encryption of MIKEY by 256 bits."""
        for kind in KINDS:
            for shape in ("forked", "rekeyed"):
                with self.subTest(kind=kind, shape=shape):
                    call = self.call(kind, shape, suite=GCM)
                    otway = self.agreed()
                    self.opened(self.decrypt(otway, call), call)

    def test_all_trails_agree(self):
        otway = self.agreed()
        self.same_trails(otway, self.kms, self.decrypt(otway, self.call("rees")))
        path = otway.path("kms.jsonl")
        with open(path, "wb") as f:
            f.write(otway.run("kms", "log", self.kms.path("kms.yaml"), "--json", code=0).out)
        otway.run("audit", "verify", "--kms-log", path, code=0)
        with open(path, "rb") as f:
            lines = f.read().splitlines(keepends=True)
        with open(path, "wb") as f:
            f.writelines(line for line in lines if b"xk-keys" not in line)
        self.assertNotEqual(otway.run("audit", "verify", "--kms-log", path).code, 0)


if __name__ == "__main__":
    unittest.main()
