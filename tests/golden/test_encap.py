"""Calls wrapped in every way a mirror port may wrap them: each gives the evidence of the plain call, octet for octet."""

import os
import shutil
import subprocess
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


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class WrappedRightly(unittest.TestCase):
    """The wrapping is what its standard says: another reader finds the same SIP in it."""

    # What tshark must be told: an old port, and what a label means. ERSPAN III of bare IP it does not look into.
    HINTS = {"vxlan-old-port": ["-d", "udp.port==8472,vxlan"], "mpls-pseudowire": ["-d", "mpls.label==100,pwethnocw"],
             "mpls-pseudowire-control": ["-d", "mpls.label==100,pwethcw"]}
    UNSEEN = encap.NOT_TSHARK | {"erspan3-ip"}

    def sip(self, path, hints=()):
        """Call-ID, CSeq and status of each message that tshark finds."""
        out = subprocess.run(["tshark", "-r", path, *hints, "-Y", "sip", "-T", "fields", "-e", "sip.Call-ID", "-e", "sip.CSeq", "-e",
                              "sip.Status-Code"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=120).stdout
        return sorted(out.splitlines())

    def test_tshark_sees_the_same_signalling_in_each(self):
        known = Facts(CAPTURES[0])
        with Otway() as otway:
            path = otway.path("plain.pcap")
            pcapfile.write(path, known.packets)
            plain = self.sip(path)
            self.assertEqual(len(plain), 6)
            for kind in encap.kinds():
                if kind in self.UNSEEN:
                    continue
                with self.subTest(kind=kind):
                    pcapfile.write(path, encap.wrap(known.packets, kind), link=encap.LINKS.get(kind, (1,))[0])
                    times = 2 if kind == "fragments-twice" else 1
                    self.assertIn(self.sip(path, self.HINTS.get(kind, ())), (plain, sorted(plain * times)))


def method_of(name, kind):
    return lambda self: self.assert_evidence(name, kind)


for _name in CAPTURES:
    for _kind in encap.kinds():
        setattr(Wrapped, "test_%s_in_%s" % (_name, _kind.replace("-", "_")), method_of(_name, _kind))


if __name__ == "__main__":
    unittest.main()
