"""Calls wrapped in every way a mirror port may wrap them: each gives the evidence of the plain call, octet for octet."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import encap
import pcapfile
from facts import Facts
from program import Otway

# IPv4 and IPv6, and one whose set-up comes in fragments by itself.
CAPTURES = ["s01_direct_sdes", "s09_direct_ipv6", "s17_fragmented"]


class Wrapped(unittest.TestCase):
    """One capture, one kind of wrapping; load_tests makes a method for each."""

    def assert_evidence(self, name, kind):
        known = Facts(name)
        with Otway() as otway:
            path = otway.path(name + "__" + kind + ".pcap")
            pcapfile.write(path, encap.wrap(known.packets, kind), link=encap.LINKS.get(kind, (1,))[0])
            otway.agency("Test Agency")
            role = known.roles()[0]
            otway.warrant("L1", role.target, trust=role.trust)
            done = otway.decrypt(path)
            self.assertEqual(done.code, 0, repr(done))
            self.assert_calls(known, role, kind, otway.case("L1"))

    def assert_calls(self, known, role, kind, case):
        self.assertEqual([sorted(c["call_ids"]) for c in case["calls"]], [sorted(c["call_id"] for c in known.call(role.person))])
        found = {(s["src"], s["dst"], s["ssrc"]): s for s in case["calls"][0]["streams"]}
        wanted = {(s["src"], s["dst"], s["ssrc"]): known.expected(s) for s in known.streams(role.person)}
        self.assertEqual(sorted(found), sorted(wanted))
        for key, fields in wanted.items():
            if kind == "fragments-twice":  # what is too short for fragments comes twice as it is
                del fields["duplicates"]
            self.assertEqual({f: found[key].get(f) for f in fields}, fields, key)
        self.assertEqual(case["counters"]["broken"], 0)


def method_of(name, kind):
    return lambda self: self.assert_evidence(name, kind)


for _name in CAPTURES:
    for _kind in encap.kinds():
        setattr(Wrapped, "test_%s_in_%s" % (_name, _kind.replace("-", "_")), method_of(_name, _kind))


if __name__ == "__main__":
    unittest.main()
