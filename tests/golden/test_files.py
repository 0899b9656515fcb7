"""Capture files in every dress, and files that are none."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile
import rtp
from calls import A, AM, AVP, B, BM, at, both
from facts import Facts
from pcapfile import Packet
from program import Otway, tree
from scene import Dialog, Scene

KNOWN = Facts("s01_direct_sdes")
TARGET = "sip:bob@10.77.0.12"


class Files(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.otway.agency("Test Agency")
        self.otway.warrant("L1", TARGET)

    def opened(self, captures, out="case", **more):
        """{stream: (packets, hash)} as case.json tells it."""
        self.otway.decrypt(captures, out=out, code=0, **more)
        case = self.otway.case("L1", out)
        self.assertEqual(len(case["calls"]), 1)
        return {(s["src"], s["dst"], s["ssrc"]): (s["packets"], s["payload_sha256"]) for s in case["calls"][0]["streams"]}

    def known(self):
        return {(s["src"], s["dst"], s["ssrc"]): (s["distinct_packets"], s["payload_sha256"]) for s in KNOWN.facts["streams"]}

    def media(self, out="case"):
        with open(self.otway.path(out, "L1", "call-0001", "media.pcap"), "rb") as f:
            return f.read()


class EveryDress(Files):
    """The same packets in another file format are the same evidence."""

    def check(self, write, packets=KNOWN.packets, **how):
        path = self.otway.path("dressed")
        write(path, packets, **how)
        self.assertEqual(self.opened(path), self.known())

    def test_swapped_byte_order(self):
        self.check(pcapfile.write, order=">")

    def test_nanosecond_stamps(self):
        self.check(pcapfile.write, nano=True)

    def test_nanosecond_stamps_in_swapped_byte_order(self):
        self.check(pcapfile.write, order=">", nano=True)

    def test_nanoseconds_are_kept_to_the_last_digit(self):
        packets = [p._replace(at=p.at + 123) for p in KNOWN.packets]
        self.check(pcapfile.write, packets, nano=True)
        kept = pcapfile.read(self.otway.path("case", "L1", "call-0001", "media.pcap"))
        self.assertEqual({p.at % 1000 for p in kept}, {123})

    def test_pcapng(self):
        self.check(pcapfile.write_ng)

    def test_pcapng_in_swapped_byte_order(self):
        self.check(pcapfile.write_ng, order=">")

    def test_pcapng_with_microseconds(self):
        self.check(pcapfile.write_ng, resolution=6)

    def test_raw_ip(self):
        self.check(pcapfile.write, [ip(p, pcapfile.RAW) for p in KNOWN.packets if pcapfile.network(p)])

    def test_raw_ipv4(self):
        self.check(pcapfile.write, [ip(p, pcapfile.IPV4) for p in KNOWN.packets if pcapfile.network(p) and pcapfile.network(p)[0] >> 4 == 4])

    def test_bsd_loopback(self):
        self.check(pcapfile.write, [ip(p, pcapfile.NULL, b"\x02\0\0\0") for p in KNOWN.packets if pcapfile.network(p)])

    def test_openbsd_loopback(self):
        self.check(pcapfile.write, [ip(p, pcapfile.LOOP, b"\0\0\0\x02") for p in KNOWN.packets if pcapfile.network(p)])

    def test_linux_cooked(self):
        self.check(pcapfile.write, [ip(p, pcapfile.SLL, bytes(14) + b"\x08\x00") for p in KNOWN.packets if pcapfile.network(p)])

    def test_linux_cooked_version_two(self):
        self.check(pcapfile.write, [ip(p, pcapfile.SLL2, b"\x08\x00" + bytes(18)) for p in KNOWN.packets if pcapfile.network(p)])

    def test_two_vlan_tags(self):
        tagged = [p._replace(data=p.data[:12] + b"\x88\xa8\0\x05\x81\0\0\x06" + p.data[12:], wire_len=p.wire_len + 8) for p in KNOWN.packets]
        self.check(pcapfile.write, tagged)

    def test_standard_input(self):
        with open(KNOWN.path, "rb") as f:
            self.assertEqual(self.opened("-", stdin=f.read()), self.known())


class SeveralFiles(Files):
    """They are merged in the order of time, whatever their order on the command line."""

    def parts(self, split):
        paths = [self.otway.path("one.pcap"), self.otway.path("two.pcap")]
        for i, path in enumerate(paths):
            pcapfile.write(path, [p for n, p in enumerate(KNOWN.packets) if split(n, p) == bool(i)])
        return paths

    def test_a_call_cut_in_two_files(self):
        one, two = self.parts(lambda n, p: n >= len(KNOWN.packets) // 2)
        self.assertEqual(self.opened([one, two]), self.known())

    def test_the_second_half_named_first(self):
        one, two = self.parts(lambda n, p: n >= len(KNOWN.packets) // 2)
        self.assertEqual(self.opened([two, one]), self.known())

    def test_each_direction_in_a_file_of_its_own(self):
        def from_alice(n, p):
            return b"\x0a\x4d\x00\x0b" == (pcapfile.network(p) or bytes(20))[12:16]
        one, two = self.parts(from_alice)
        self.assertEqual(self.opened([one, two]), self.known())

    def test_merged_files_give_the_media_of_the_whole(self):
        one, two = self.parts(lambda n, p: n % 3 == 0)
        self.opened([one, two])
        self.opened(KNOWN.path, out="whole")
        self.assertEqual(self.media(), self.media("whole"))

    def test_a_file_named_twice_doubles_nothing(self):
        self.otway.decrypt([KNOWN.path, KNOWN.path], code=0)
        case = self.otway.case("L1")
        for s in case["calls"][0]["streams"]:
            self.assertEqual((s["packets"], s["payload_sha256"]), self.known()[(s["src"], s["dst"], s["ssrc"])])
            self.assertEqual(s["duplicates"], s["packets"])


class DamagedFiles(Files):
    def cut(self, octets, name="cut.pcap"):
        with open(KNOWN.path, "rb") as f:
            whole = f.read()
        path = self.otway.path(name)
        with open(path, "wb") as f:
            f.write(whole[:octets])
        return path, len(whole)

    def test_a_truncated_last_packet_costs_that_packet_only(self):
        _, size = self.cut(100)
        path, _ = self.cut(size // 2)
        left = pcapfile.read(path)
        counts = {k: len(v) for k, v in rtp.streams(pcapfile.datagrams(left)).items()}
        self.assertEqual({k: n for k, (n, _) in self.opened(path).items()}, counts)

    def test_a_capture_without_packets_is_read(self):
        path, _ = self.cut(24)
        self.assertEqual(self.otway.decrypt(path).code, 0)

    def refused(self, path, *words):
        result = self.otway.decrypt(path)
        self.assertEqual(result.code, 1, repr(result))
        self.assertFalse(os.path.exists(self.otway.path("case")))
        for word in words:
            self.assertIn(word.encode(), result.err)

    def test_a_file_that_is_no_capture_is_named(self):
        path = self.otway.path("letter.txt")
        with open(path, "w") as f:
            f.write("Dear all, this is no capture at all.\n" * 10)
        self.refused(path, "letter.txt")

    def test_an_empty_file_is_named(self):
        path = self.otway.path("empty.pcap")
        open(path, "w").close()
        self.refused(path, "empty.pcap")

    def test_a_missing_file_is_named(self):
        self.refused(self.otway.path("nowhere.pcap"), "nowhere.pcap")

    def test_a_folder_is_no_capture(self):
        self.refused(self.otway.path("store"), "store")

    def test_one_bad_file_among_good_ones_spoils_the_run(self):
        path = self.otway.path("letter.txt")
        with open(path, "w") as f:
            f.write("no capture\n" * 10)
        self.refused([KNOWN.path, path], "letter.txt")

    def test_an_unknown_link_type_is_an_error(self):
        path = self.otway.path("odd.pcap")
        pcapfile.write(path, KNOWN.packets, link=195)
        self.refused(path, "odd.pcap")

    def test_an_output_folder_that_is_not_empty_is_left_alone(self):
        os.mkdir(self.otway.path("case"))
        with open(self.otway.path("case", "note"), "w") as f:
            f.write("mine")
        result = self.otway.decrypt(KNOWN.path)
        self.assertEqual(result.code, 1, repr(result))
        self.assertEqual(tree(self.otway.path("case")), {"note": b"mine"})

    def test_an_output_folder_that_is_empty_is_used(self):
        os.mkdir(self.otway.path("case"))
        self.assertEqual(self.opened(KNOWN.path), self.known())

    def test_a_disk_that_takes_no_more_leaves_nothing_that_looks_whole(self):
        scene = Scene()
        d = Dialog(scene, A, B, callee=TARGET)
        d.simple(at(AM, profile=AVP), at(BM, profile=AVP))
        scene.talk(*both(scene, None, None), count=1500)
        d.bye()
        scene.write(self.otway.path("long.pcap"))
        before = set(os.listdir(self.otway.folder))
        result = self.otway.decrypt(self.otway.path("long.pcap"), file_size_max=300_000)
        self.assertEqual(result.code, 1, repr(result))
        self.assertEqual(set(os.listdir(self.otway.folder)), before)
        self.assertGreater(len(result.err.splitlines()), 0)

    def test_a_key_file_that_others_may_read_is_refused(self):
        keys = self.otway.keys_file([], mode=0o644)
        result = self.otway.decrypt(KNOWN.path, more=["--keys", keys])
        self.assertIn(result.code, (1, 4), repr(result))
        self.assertIn(b"keys.json", result.err)
        self.assertFalse(os.path.exists(self.otway.path("case")))


def ip(p, link, head=b""):
    data = head + pcapfile.network(p)
    return Packet(p.at, link, data, len(data))


if __name__ == "__main__":
    unittest.main()
