"""The torture messages of RFC 4475, all 49, bit-exact from its appendix A: each in a datagram of its own, with a warrant for a party
that it names. What must come of each is what its section says of it; a bystander follows what an element may choose to accept."""

import json
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from program import Otway
from scene import Scene

MESSAGES = os.path.join(HERE, "..", "fuzz", "corpus", "sip")

VALID = "valid"      # well-formed: accepted
LIBERAL = "liberal"  # malformed, but an element may accept it: so it is followed, counted as bad or not
BAD = "bad"          # to be refused by who is addressed: counted as bad, and still followed, as its Call-ID and CSeq can be read
REFUSED = "refused"  # nothing can be made of it: counted as bad and left
DROPPED = "dropped"  # not a SIP/2.0 message at all

CALL = "call"        # an INVITE or a response to one; else the event: method, status, from, to

USER, J_USER, J2_USER = "sip:user@example.com", "sip:j.user@example.com", "sip:j_user@example.com"
CALLER, BELL, WATSON = "sip:caller@example.net", "sip:a.g.bell@example.com", "sip:t.watson@example.org"


def event(method, who, to, status=None):
    return method, status, who, to


KNOWN = {
    # name: section, verdict, target, what is told of it
    "wsinv": ("3.1.1.1", VALID, "sip:vivekg@chair-dnrc.example.com", CALL),
    "intmeth": ("3.1.1.2", VALID, "sip:mundane@example.com",
                event("!interesting-Method0123456789_*+`.%indeed'~", "sip:mundane@example.com",
                      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com")),
    "esc01": ("3.1.1.3", VALID, "sip:user@example.com", CALL),  # To is sip:%75se%72@example.com
    "escnull": ("3.1.1.4", VALID, None, None),  # nobody may be called so in a warrant
    "esc02": ("3.1.1.5", VALID, "sip:resource@example.com",
              event("RE%47IST%45R", "sip:resource@example.com", "sip:resource@example.com")),
    "lwsdisp": ("3.1.1.6", VALID, USER, event("OPTIONS", "sip:caller@example.com", USER)),
    "longreq": ("3.1.1.7", VALID, USER, CALL),
    "dblreq": ("3.1.1.8", VALID, J_USER, event("REGISTER", J_USER, J_USER)),
    "semiuri": ("3.1.1.9", VALID, J2_USER, event("OPTIONS", "sip:caller@example.org", J2_USER)),
    "transports": ("3.1.1.10", VALID, USER, event("OPTIONS", "sip:caller@example.com", USER)),
    "mpart01": ("3.1.1.11", VALID, "sip:kumiko@example.org",
                event("MESSAGE", "sip:fluffy@example.com", "sip:kumiko@example.org")),
    "unreason": ("3.1.1.12", VALID, "sip:user@example.edu", CALL),
    "noreason": ("3.1.1.13", VALID, "sip:user@example.edu", CALL),
    "badinv01": ("3.1.2.1", BAD, J_USER, CALL),
    "clerr": ("3.1.2.2", BAD, J_USER, CALL),
    "ncl": ("3.1.2.3", BAD, J_USER, CALL),
    "scalar02": ("3.1.2.4", REFUSED, USER, None),
    "scalarlg": ("3.1.2.5", REFUSED, USER, None),
    "quotbal": ("3.1.2.6", LIBERAL, J_USER, CALL),
    "ltgtruri": ("3.1.2.7", LIBERAL, USER, CALL),
    "lwsruri": ("3.1.2.8", LIBERAL, USER, CALL),
    "lwsstart": ("3.1.2.9", LIBERAL, USER, CALL),
    "trws": ("3.1.2.10", LIBERAL, "sip:remote-target@example.com",
             event("OPTIONS", "sip:local-resource@example.com", "sip:remote-target@example.com")),
    "escruri": ("3.1.2.11", LIBERAL, USER, CALL),
    "baddate": ("3.1.2.12", LIBERAL, USER, CALL),
    "regbadct": ("3.1.2.13", LIBERAL, USER, event("REGISTER", USER, USER)),
    "badaspec": ("3.1.2.14", LIBERAL, WATSON, event("OPTIONS", BELL, WATSON)),
    "baddn": ("3.1.2.15", LIBERAL, WATSON, event("OPTIONS", BELL, WATSON)),
    "badvers": ("3.1.2.16", DROPPED, WATSON, None),
    "mismatch01": ("3.1.2.17", BAD, J_USER, event("OPTIONS", CALLER, J_USER)),
    "mismatch02": ("3.1.2.18", BAD, J_USER, event("NEWMETHOD", CALLER, J_USER)),
    "bigcode": ("3.1.2.19", DROPPED, USER, None),
    "badbranch": ("3.2.1", LIBERAL, USER, event("OPTIONS", "sip:caller@example.org", USER)),
    "insuf": ("3.3.1", REFUSED, USER, None),
    "unkscm": ("3.3.2", VALID, USER, event("OPTIONS", CALLER, USER)),
    "novelsc": ("3.3.3", VALID, USER, event("OPTIONS", CALLER, USER)),
    "unksm2": ("3.3.4", VALID, None, None),  # no party of it is one of SIP
    "bext01": ("3.3.5", VALID, J2_USER, event("OPTIONS", CALLER, J2_USER)),
    "invut": ("3.3.6", VALID, J_USER, CALL),
    "regaut01": ("3.3.7", VALID, J_USER, event("REGISTER", J_USER, J_USER)),
    "multi01": ("3.3.8", BAD, "sip:user@company.com", CALL),
    "mcl01": ("3.3.9", BAD, USER, event("OPTIONS", "sip:other@example.net", USER)),
    "bcast": ("3.3.10", VALID, "sip:user@example.edu", CALL),
    "zeromf": ("3.3.11", VALID, USER, event("OPTIONS", CALLER, USER)),
    "cparam01": ("3.3.12", VALID, "sip:watson@example.com", event("REGISTER", "sip:watson@example.com", "sip:watson@example.com")),
    "cparam02": ("3.3.13", VALID, "sip:watson@example.com", event("REGISTER", "sip:watson@example.com", "sip:watson@example.com")),
    "regescrt": ("3.3.14", VALID, USER, event("REGISTER", USER, USER)),
    "sdp01": ("3.3.15", VALID, J2_USER, CALL),
    "inv2543": ("3.4.1", VALID, "sip:+16505552222@ss1.example.net;user=phone", CALL),
}

# Well-formed, followed like all others, and still counted as bad: libosip2 reads strings that end at a NUL, and no URI of that form.
LIBOSIP2_REFUSES = {"intmeth", "novelsc"}


class Torture(unittest.TestCase):
    def message(self, name):
        with open(os.path.join(MESSAGES, "rfc4475_" + name), "rb") as f:
            return f.read()

    def taken(self, otway, name, target):
        """What is counted of it, and the case folder it makes for who it names; None: none."""
        scene = Scene()
        scene.sip("10.1.0.11:5060", "10.1.0.12:5060", self.message(name))
        path = otway.path("call.pcap")
        scene.write(path)
        otway.agency("Test Agency")
        otway.warrant("L1", target or "sip:nobody@ims.example", trust=True)
        otway.decrypt(path, code=0)
        counters = json.loads(otway.run("explain", path, "--json", code=0).out.splitlines()[-1])["counters"]
        return counters, otway.case("L1") if os.path.exists(otway.path("case")) else None

    def judge(self, name):
        _, verdict, target, told = KNOWN[name]
        with Otway() as otway:
            counters, case = self.taken(otway, name, target)
            counted = counters["sip"], counters["sip_bad"]
            known = {VALID: [(1, int(name in LIBOSIP2_REFUSES))], LIBERAL: [(1, 0), (1, 1)], BAD: [(1, 1)], REFUSED: [(0, 1)],
                     DROPPED: [(0, 0), (0, 1)]}
            self.assertIn(counted, known[verdict])
            self.assertEqual(case is not None, told is not None)
            if told == CALL:
                call_id = re.search(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)", self.message(name)).group(1).decode()
                self.assertEqual([c["call_ids"] for c in case["calls"]], [[call_id]])
                self.assertEqual(case["events"], [])
            elif told:
                self.assertEqual([(e["method"], e["status"], e["from"], e["to"]) for e in case["events"]], [told])
                self.assertEqual(case["calls"], [])

    def test_octets_behind_the_end_of_a_message_are_none_of_it(self):
        """3.1.1.8: what stands there is an INVITE to Joe."""
        with Otway() as otway:
            self.assertIsNone(self.taken(otway, "dblreq", "sip:joe@example.com")[1])

    def test_all_of_them_are_there(self):
        self.assertEqual(len(KNOWN), 49)
        self.assertEqual({n for n in os.listdir(MESSAGES) if n.startswith("rfc4475_")}, {"rfc4475_" + n for n in KNOWN})


def load_tests(loader, standard, pattern):
    for name, (section, verdict, _, _) in KNOWN.items():
        def one(self, name=name):
            self.judge(name)
        setattr(Torture, "test_%s_%s_%s" % (section.replace(".", "_"), name, verdict), one)
    return loader.loadTestsFromTestCase(Torture)


if __name__ == "__main__":
    unittest.main()
