"""MIKEY messages of RFC 3830 and its kin as tshark reads them, beside what `otway kms explain` says of the same octets.

tshark knows nothing of MIKEY-TICKET (RFC 6043); of the rest it is a reader of its own.
"""

import base64
import datetime
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import unittest
import xml.etree.ElementTree as tree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import encap
import pcapfile
from program import Otway

NUMBERS = {"KEMAC": 1, "PKE": 2, "DH": 3, "SIGN": 4, "T": 5, "ID": 6, "CERT": 7, "CHASH": 8, "V": 9, "SP": 10, "RAND": 11, "ERR": 12,
           "IDR": 14, "general extension": 21, "SAKKE": 26}
# RFC 4567 5.1.
OFFER = base64.b64decode("AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2UaDX8ZE22YwKAAAPZG9uYWxkQGR1Y2suY29tAQAAAAAAAQAk0JKp"
                         "gaVkDaawi9whVBtBt0KZ14ymNuu62+Nv3ozPLygwK/GbAV9iemnGUIZ19fWQUOSrzKTAv9zV")
ANSWER = base64.b64decode("AQEFgM0XflABAAAAAAAAAAAAAAYAyONQ6gAAAAAJAAAQbWlja2V5QG1vdXNlLmNvbQABn8HdGE5BMDXFIuGEga+62AgY5cc=")


class Maker:
    """Messages of every type that tshark knows, their fields drawn at random; without CHASH, at which tshark 4.0 stops."""

    def __init__(self, seed):
        self.draw = random.Random(seed)

    def octets(self, low, high=None):
        return self.draw.randbytes(self.draw.randint(low, high if high is not None else low))

    def name(self):
        return b"".join(self.draw.choice(b"abcdefghij.@:").to_bytes(1, "big") for _ in range(self.draw.randint(1, 40)))

    def body(self, number):
        d = self.draw.randint
        if number == 1:
            encr, mac, data = d(0, 2), d(0, 1), self.octets(1, 80)
            if encr == 0:  # then tshark looks inside: a TEK with its SPI
                data = b"\0\x21" + struct.pack(">H", len(data)) + data + b"\4" + self.octets(4)
            return struct.pack(">BH", encr, len(data)) + data + bytes([mac]) + self.octets(20 * mac)
        if number == 2:
            data = self.octets(1, 200)
            return struct.pack(">H", d(0, 2) << 14 | len(data)) + data
        if number == 3:
            group = d(0, 2)
            return bytes([group]) + self.octets((192, 96, 128)[group]) + b"\0"
        if number == 4:
            data = self.octets(1, 200)
            return struct.pack(">H", d(0, 2) << 12 | len(data)) + data
        if number == 5:  # a time that both ways of counting agree on: 2000 to 2030
            return bytes([d(0, 1)]) + struct.pack(">II", d(3155673600, 4102444800), d(0, 2**32 - 1))
        if number in (6, 14):
            data, role = self.name(), bytes([d(1, 7)]) if number == 14 else b""
            return role + struct.pack(">BH", d(0, 1), len(data)) + data
        if number == 7:
            data = b"\x30\x00"  # tshark looks inside: a certificate that is empty, but DER
            return struct.pack(">BH", d(0, 3), len(data)) + data
        if number == 9:
            mac = d(0, 1)
            return bytes([mac]) + self.octets(20 * mac)
        if number == 10:
            params = b"".join(bytes([kind, 1, d(0, 1)]) for kind in sorted(self.draw.sample(range(13), d(0, 13))))
            return struct.pack(">BBH", d(0, 255), 0, len(params)) + params
        if number == 11:
            data = self.octets(16, 40)
            return bytes([len(data)]) + data
        if number == 12:
            return bytes([d(0, 12), 0, 0])
        if number == 21:
            data = self.octets(1, 60)
            return struct.pack(">BH", d(0, 1), len(data)) + data
        data = self.octets(1, 90)
        return struct.pack(">BBH", d(1, 1), d(1, 2), len(data)) + data

    def message(self):
        numbers = [5] + [self.draw.choice([1, 2, 6, 7, 9, 10, 11, 12, 14, 21, 26]) for _ in range(self.draw.randint(0, 8))]
        if self.draw.random() < 0.3:
            numbers.append(3)
        if self.draw.random() < 0.3:
            numbers.append(4)
        sessions = self.draw.randint(0, 4)
        out = bytes([1, self.draw.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 26]), numbers[0], self.draw.randint(0, 1) << 7])
        out += self.octets(4) + bytes([sessions, 0]) + self.octets(9 * sessions)
        for number, following in zip(numbers, numbers[1:] + [0]):
            out += (b"" if number == 4 else bytes([following])) + self.body(number)
        return out


KMS_ROLES = (3, 6, 7)


def hidden(identity):
    """Of who is in a capture the domain is told, and the scheme."""
    user, at, domain = identity.rpartition("@")
    scheme, colon, rest = (user if at else domain).partition(":")
    return (scheme + colon + "*" * len(rest.encode()) if colon else "*" * len(scheme.encode())) + (at + domain if at else "")


def capture(path, messages):
    pcapfile.write(path, [pcapfile.Packet((1700000000 + i) * 10**9, pcapfile.RAW, data, len(data)) for i, data in
                          enumerate(encap.ipv4(17, encap.udp(2269, m)) for m in messages)])


def tshark_trees(path):
    """For each packet, the tree of its MIKEY layer as (field, value, its own tree) triples."""
    done = subprocess.run(["tshark", "-r", path, "-T", "pdml"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for packet in tree.fromstring(done.stdout):
        yield [p for p in packet.iter("proto") if p.get("name") == "mikey"]


def values(tree, field):
    """Every value of a field, in order: show for numbers and text, octets for hex."""
    return [f.get("show") for f in tree.iter("field") if f.get("name") == "mikey." + field]


def numbers(tree, field):
    return [int(v, 0) if v not in ("True", "False") else v == "True" for v in values(tree, field)]


def octets(tree, field):
    return [(f.get("value") or "") for f in tree.iter("field") if f.get("name") == "mikey." + field]


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Tshark(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        made = Maker(4)
        cls.messages = [OFFER, ANSWER] + [made.message() for _ in range(150)]
        cls.otway = Otway()
        path = cls.otway.path("mikey.pcap")
        capture(path, cls.messages)
        cls.trees = list(tshark_trees(path))
        done = cls.otway.run("kms", "explain", path, "--json", code=0)
        cls.said = [json.loads(line) for line in done.out.splitlines()]

    @classmethod
    def tearDownClass(cls):
        cls.otway.close()

    def each(self):
        self.assertEqual(len(self.said), len(self.messages))
        self.assertEqual(len(self.trees), len(self.messages))
        for i, (said, trees) in enumerate(zip(self.said, self.trees)):
            with self.subTest(message=self.messages[i].hex()):
                self.assertIsNotNone(said["mikey"], said.get("error"))
                self.assertEqual(len(trees), 1)
                yield said["mikey"], trees[0]

    @staticmethod
    def of(mikey, *names):
        return [p for p in mikey["payloads"] if p["payload"] in names]

    def test_the_header_is_that_of_tshark(self):
        for mikey, tree in self.each():
            self.assertEqual([mikey["type"]], numbers(tree, "type"))
            self.assertEqual([mikey["csb"]], numbers(tree, "csb_id"))
            self.assertEqual([mikey["prf"]], numbers(tree, "prf_func"))
            self.assertEqual([int(mikey["v"])], [int(v) for v in numbers(tree, "v.set")])
            self.assertEqual([mikey["sessions"], mikey["map"]], numbers(tree, "cs_count") + numbers(tree, "cs_id_map_type"))
            for ours, theirs in (("ssrc", "ssrc"), ("roc", "roc")):
                self.assertEqual([s[ours] for s in mikey["crypto_sessions"]], numbers(tree, "srtp_id." + theirs))
            self.assertEqual([int(s["policies"], 16) for s in mikey["crypto_sessions"]], numbers(tree, "srtp_id.policy_no"))

    def test_the_payloads_follow_each_other_as_in_tshark(self):
        for mikey, tree in self.each():
            chain = [NUMBERS[p["payload"]] for p in mikey["payloads"]]
            theirs = numbers(tree, "next_payload")
            self.assertEqual(chain, [n for n in theirs if n != 0])

    def test_identities_and_randoms_are_those_of_tshark(self):
        for mikey, tree in self.each():
            said = self.of(mikey, "ID", "IDR")
            self.assertEqual([p["id"] for p in said],
                             [v if p.get("role") in KMS_ROLES else hidden(v) for p, v in zip(said, values(tree, "id.data"))])
            self.assertEqual(len(said), len(values(tree, "id.data")))
            self.assertEqual([p["kind"] for p in self.of(mikey, "ID", "IDR")], numbers(tree, "id.type"))
            self.assertEqual([p["role"] for p in self.of(mikey, "IDR")], numbers(tree, "id.role"))
            self.assertEqual([p["rand"] for p in self.of(mikey, "RAND")], octets(tree, "rand.data"))

    def test_what_is_encrypted_or_signed_is_as_long_as_in_tshark(self):
        for mikey, tree in self.each():
            for payload, pairs in (("KEMAC", (("encr", "kemac.encr_alg"), ("length", "kemac.key_data_len"), ("mac", "kemac.mac_alg"))),
                                   ("PKE", (("cache", "pke.c"), ("length", "pke.len"))),
                                   ("DH", (("group", "dh.group"), ("validity", "dh.kv"))),
                                   ("SIGN", (("kind", "sign.type"), ("length", "sign.len"))),
                                   ("CERT", (("kind", "cert.type"),)),  # its length tshark takes an octet early
                                   ("V", (("mac", "v.auth_alg"),)), ("ERR", (("error", "err.no"),)),
                                   ("general extension", (("kind", "ext.type"), ("length", "ext.len"))),
                                   ("SAKKE", (("params", "sakke.params"), ("scheme", "sakke.idscheme"), ("length", "sakke.len")))):
                for ours, theirs in pairs:
                    self.assertEqual([p[ours] for p in self.of(mikey, payload)], numbers(tree, theirs), (payload, ours))

    def test_policies_are_those_of_tshark(self):
        fields = {"encr_alg": "encr_alg", "encr_key_length": "encr_len", "auth_alg": "auth_alg", "auth_key_length": "auth_key_len",
                  "salt_length": "salt_len", "srtp_prf": "prf", "key_derivation_rate": "kd_rate", "srtp_encr": "srtp_encr",
                  "srtcp_encr": "srtcp_encr", "fec_order": "fec", "srtp_auth": "srtp_auth", "tag_length": "auth_tag_len",
                  "prefix_length": "srtp_prefix"}
        seen = 0
        for mikey, tree in self.each():
            policies = self.of(mikey, "SP")
            self.assertEqual([p["policy"] for p in policies], numbers(tree, "sp.no"))
            for ours, theirs in fields.items():
                found = [p[ours] for p in policies if ours in p]
                self.assertEqual(found, numbers(tree, "sp." + theirs), ours)
                seen += len(found)
        self.assertGreater(seen, 100)

    def test_times_are_those_of_tshark(self):
        for mikey, tree in self.each():
            shown = [f.get("value") for f in tree.iter("field") if f.get("name") == "mikey.t.ntp"]
            seconds = [int(v[:8], 16) - 2208988800 for v in shown]
            self.assertEqual([p["time"][:19] for p in self.of(mikey, "T")],
                             [datetime.datetime.fromtimestamp(s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") for s in seconds])


class Explain(unittest.TestCase):
    """What the subcommand takes, and what it keeps to itself."""

    def test_a_message_in_base64_hex_or_a_file_is_one_and_the_same(self):
        text = base64.b64encode(OFFER).decode()
        with Otway() as otway:
            with open(otway.path("offer.txt"), "w") as f:
                f.write("a=key-mgmt:mikey " + text[:60] + "\r\n " + text[60:] + "\n")
            with open(otway.path("offer.bin"), "wb") as f:
                f.write(OFFER)
            said = {otway.run("kms", "explain", "--json", what, code=0).out for what in
                    (text, OFFER.hex(), "mikey " + text, otway.path("offer.txt"), otway.path("offer.bin"))}
            self.assertEqual(len(said), 1)
            self.assertEqual(json.loads(said.pop())["mikey"]["payloads"][2]["id"], "donald@duck.com")

    def test_keys_that_are_not_encrypted_are_not_shown(self):
        key = bytes(range(0xA0, 0xB0))
        plain = bytes([0, 0x20]) + struct.pack(">H", 16) + key  # a TEK
        message = bytes([1, 0, 5, 0, 1, 2, 3, 4, 0, 1]) + bytes([1, 0]) + bytes(8) + bytes([0, 0]) + struct.pack(">H", len(plain)) + plain + b"\0"
        with Otway() as otway:
            for form in ([], ["--json"]):
                done = otway.run("kms", "explain", message.hex(), *form, code=0)
                self.assertIn(b"KEMAC", done.out)
                self.assertNotIn(key.hex().encode(), done.out.lower())
                self.assertNotIn(base64.b64encode(key)[:12], done.out)

    def test_what_is_cut_is_told_with_the_octet(self):
        with Otway() as otway:
            done = otway.run("kms", "explain", OFFER[:60].hex(), code=1)
            self.assertIn(b"octet 51: ID: 15 octets are wanted, 9 are left", done.out)
            otway.run("kms", "explain", "nothing of the kind!", code=1)


if __name__ == "__main__":
    unittest.main()
