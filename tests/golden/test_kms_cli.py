"""Agreements with KMSs and the reference KMS, as those who administer them meet them: words, exit codes, refusals, who may ask what."""

import http.client
import json
import os
import socket
import ssl
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from certs import Authority
from kms import Network
from program import CAPTURES, Otway

KMS = "sip:kms@abc.example"


class Kms(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)
        self.network = Network(self.otway.folder, "abc.example")
        self.addCleanup(self.network.close)

    def add(self, *more, identity=KMS, code=0, url="https://kms.abc.example:8443"):
        cert, key = self.network.li
        return self.otway.run("kms", "add", identity, "--url", url, "--ca", self.network.certs.ca, "--cert", cert, "--key", key,
                              *more, code=code)


class Agreements(Kms):
    def test_an_agreement_is_entered_listed_shown_and_removed(self):
        self.add("--home", "ABC.example", "--home", "sub.abc.example", "--user", "tel:+6441234567", "--json")
        listed = json.loads(self.otway.run("kms", "list", "--json", code=0).out)["agreements"]
        shown = json.loads(self.otway.run("kms", "show", KMS, "--json", code=0).out)
        self.assertEqual(listed, [shown])
        self.assertEqual(shown["identity"], KMS)
        self.assertEqual(shown["homes"], ["abc.example", "sub.abc.example"])
        self.assertEqual(shown["users"], ["tel:+6441234567"])
        self.assertEqual((shown["roaming_partner"], shown["default"]), (False, False))
        self.otway.run("kms", "remove", KMS, code=0)
        self.otway.run("kms", "remove", KMS, code=3)
        self.otway.run("kms", "show", KMS, code=3)
        self.assertEqual([json.loads(line)["act"] for line in self.otway.run("audit", "export").out.splitlines()],
                         ["kms.add", "kms.remove"])
        self.otway.run("audit", "verify", code=0)

    def test_the_same_again_is_done_and_another_is_refused_by_its_field(self):
        self.add("--home", "abc.example")
        self.assertIn(b"unchanged", self.add("--home", "abc.example").out)
        self.assertIn(b"--home", self.add("--home", "other.example", code=4).err)
        self.assertIn(b"--url", self.add("--home", "abc.example", url="https://other.example", code=4).err)

    def test_one_identity_in_every_spelling(self):
        self.add(identity="sips:kms@ABC.example:5061;transport=tls")
        self.assertEqual(json.loads(self.otway.run("kms", "show", KMS, "--json").out)["identity"], KMS)

    def test_what_could_never_be_asked_is_refused_at_once(self):
        for url in ("http://kms.abc.example", "https://", "kms.abc.example", "https://user:pw@kms.abc.example"):
            with self.subTest(url=url):
                self.add(url=url, code=2)
        self.add(identity="abc.example", code=2)
        self.add(identity="tel:+6441234567", code=2)
        self.add("--home", "sip:bob@abc.example", code=2)
        self.add("--user", "bob", code=2)
        self.add("--roaming-partner", code=2)
        self.add("--roaming-partner", "--home", "abc.example", "--default", code=2)
        self.otway.run("kms", "list", code=3)  # nothing of it made a store

    def test_files_that_do_not_fit_are_named(self):
        cert, key = self.network.li
        other = Authority(self.otway.path("other"), "ca").vouch("li")
        base = ["kms", "add", KMS, "--url", "https://kms.abc.example", "--ca", self.network.certs.ca]
        self.assertIn(b"is not that of the certificate", self.otway.run(*base, "--cert", cert, "--key", other[1], code=1).err)
        self.assertIn(b"there is no file", self.otway.run(*base, "--cert", cert, "--key", "/nowhere", code=1).err)
        os.chmod(key, 0o644)
        self.otway.run(*base, "--cert", cert, "--key", key, code=4)


class Serving(Kms):
    def setUp(self):
        super().setUp()
        self.network.user("sip:alice@abc.example")
        self.network.start()

    def ask(self, person, path, body=b"{}", kind="application/json", method="POST", version=ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=self.network.certs.ca)
        context.minimum_version = context.maximum_version = version
        if person is not None:
            context.load_cert_chain(*person)
        connection = http.client.HTTPSConnection("127.0.0.1", self.network.port, context=context, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_each_role_has_its_own_paths(self):
        li, user = self.network.li, self.network.user_side
        self.assertEqual(self.ask(user, "/xk/v1/keys")[0], 403)
        self.assertEqual(self.ask(user, "/xk/v1/ended")[0], 403)
        self.assertEqual(self.ask(li, "/keymanagement?requesttype=otwayrees", kind="application/otway-rees")[0], 403)
        self.assertEqual(self.ask(li, "/xk/v1/keys")[0], 400)
        self.assertEqual(self.ask(li, "/xk/v1/keys", kind="text/plain")[0], 415)
        self.assertEqual(self.ask(li, "/xk/v1/keys", method="GET")[0], 405)
        self.assertEqual(self.ask(li, "/other")[0], 404)
        self.assertEqual(self.ask(user, "/keymanagement?requesttype=other")[0], 404)

    def test_a_body_that_is_too_long_is_not_taken(self):
        try:
            status = self.ask(self.network.li, "/xk/v1/keys", body=b"x" * 70000)[0]
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            status = 413  # closed while it was still being sent
        self.assertEqual(status, 413)
        self.assertEqual(self.ask(self.network.li, "/xk/v1/keys")[0], 400)

    def test_nobody_comes_in_without_a_certificate_that_is_vouched_for(self):
        stranger = Authority(self.otway.path("other"), "ca").vouch("li")
        for person in (None, stranger):
            with self.subTest(person=person), self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                self.ask(person, "/xk/v1/keys")

    def test_an_older_tls_is_not_spoken(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask(self.network.li, "/xk/v1/keys", version=ssl.TLSVersion.TLSv1_2)

    def test_it_ends_when_asked_and_its_log_verifies(self):
        self.assertEqual(self.network.stop(), 0)
        self.assertEqual(self.network.log(self.otway), [])


class Settings(Kms):
    def refused(self, code, words):
        done = self.otway.run("kms", "serve", self.network.settings(), code=code)
        self.assertIn(words, done.err)

    def test_settings_that_others_may_read_are_refused(self):
        path = self.network.settings()
        os.chmod(path, 0o644)
        self.otway.run("kms", "serve", path, code=4)

    def test_what_is_missing_or_misspelt_is_named(self):
        self.network.more = {"tiket_life": "1h"}
        self.refused(2, b"did you mean 'ticket_life'")
        self.network.more = {"keep": "soon"}
        self.refused(2, b"keep")
        self.network.more = {}
        path = self.network._write("bare.yaml", "identity: sip:kms@abc.example\n")
        self.assertIn(b"listen", self.otway.run("kms", "serve", path, code=2).err)

    def test_a_partner_without_homes_or_named_twice_is_named_by_its_entry(self):
        for partners in ("[{client: other}]", "[{client: other, homes: []}]", "[{client: li, homes: [xyz.example]}]"):
            with self.subTest(partners=partners):
                self.network.more = {"li_partners": partners}
                self.refused(2, b"li_partners: entry 1")
        self.network.more = {"li_partners": "[{client: a, homes: [x.example]}, {client: a, homes: [y.example]}]"}
        self.refused(2, b"entry 2")

    def test_a_user_whose_key_is_none_is_named_by_its_entry(self):
        self.network.users["sip:alice@abc.example"] = (b"\x01" * 15, [])
        self.refused(2, b"entry 1")
        self.network.users = {"sip:alice@abc.example": (b"\x01" * 16, []), "nobody": (b"\x01" * 16, [])}
        self.refused(2, b"entry 2")

    def test_a_port_that_is_taken_is_told(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.network.port = taken.getsockname()[1]
            self.refused(1, b"in use")

    def test_another_store_key_than_the_stores_is_told(self):
        self.network.start()
        self.network.stop()
        self.network._write("store.key", "11" * 32)
        self.refused(7, b"another key")

    def test_the_example_has_every_setting(self):
        """deploy/kms.yaml is read to its end: only its files are not there."""
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        with open(os.path.join(root, "deploy", "kms.yaml"), encoding="utf-8") as f:
            path = self.network._write("example.yaml", f.read())
        self.assertIn(b"/etc/otway-kms/store.key", self.otway.run("kms", "serve", path, code=1).err)


class Explained(unittest.TestCase):
    """What a capture's key management says, to whoever asks; whose call it is stays untold."""

    CAPTURES = {"k01_ticket": ["TRANSFER_INIT", "TRANSFER_RESP"], "k05_otway_rees": ["offer", "answer"]}

    def explained(self, name, *more):
        with Otway() as otway:
            return otway.run("kms", "explain", os.path.join(CAPTURES, name + ".pcap"), *more, code=0).out

    def test_each_message_is_told_by_its_type_and_its_kms(self):
        for name, types in self.CAPTURES.items():
            with self.subTest(capture=name):
                said = [json.loads(line) for line in self.explained(name, "--json").splitlines()]
                found = [(m.get("mikey") or m["otway_rees"]) for m in said]
                self.assertEqual(sorted({m.get("type_text") or m["type"] for m in found}), sorted(types))
                self.assertIn(b"sip:kms@ims.example", self.explained(name))

    def test_no_user_is_named(self):
        for name in self.CAPTURES:
            for more in ((), ("--json",)):
                with self.subTest(capture=name, more=more):
                    out = self.explained(name, *more)
                    self.assertIn(b"@ims.example", out)
                    for user in (b"alice", b"bob", b"carol"):
                        self.assertNotIn(user, out)
                        self.assertNotIn(user.hex().encode(), out)


if __name__ == "__main__":
    unittest.main()
