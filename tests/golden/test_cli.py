"""The command line as a contract: words, exit codes, JSON, help and man pages, the store's permissions, the audit trail."""

import hashlib
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import calls
from facts import Facts
from program import OTWAY, PATIENCE, Otway, stamp, tree
from scene import Dialog, Key, Scene

KNOWN = Facts("s01_direct_sdes")
SEALED = Facts("s11_dtls_srtp")
ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
COMMANDS = {
    "agency": ["add", "list", "show", "remove"],
    "warrant": ["add", "list", "show", "extend", "revoke", "history"],
    "decrypt": [], "explain": [], "kms": ["add", "list", "show", "remove", "serve", "log", "explain"], "audit": ["verify", "list", "export"], "help": [],
    "config": ["check", "show"], "run": [],
}
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


class Cli(unittest.TestCase):
    def setUp(self):
        self.otway = Otway()
        self.addCleanup(self.otway.close)

    def run_(self, *args, **how):
        return self.otway.run(*args, **how)

    def json(self, *args, code=0):
        return json.loads(self.run_(*args, "--json", code=code).out)

    def lines(self, *args, code=0):
        return [json.loads(line) for line in self.run_(*args, "--json", code=code).out.splitlines()]

    def two_agencies(self):
        self.otway.agency("Police")
        self.otway.agency("Customs")

    def bare(self, *args):
        """Without a store named, and with no environment but a path."""
        return subprocess.run([OTWAY, *args], capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def database(self):
        db = sqlite3.connect(self.otway.store, isolation_level=None)
        self.addCleanup(db.close)
        return db


class Help(Cli):
    def pages(self):
        yield ["--help"]
        for noun, verbs in COMMANDS.items():
            yield [noun, "--help"]
            for verb in verbs:
                yield [noun, verb, "--help"]

    def test_each_page_is_one_screen_and_begins_with_examples(self):
        for words in self.pages():
            with self.subTest(words=words):
                done = self.bare(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
                lines = done.stdout.decode("ascii").splitlines()
                self.assertLessEqual(len(lines), 40)
                self.assertLessEqual(max(map(len, lines)), 80)
                self.assertEqual(lines[2], "Examples:")
                self.assertTrue(lines[3].startswith("  otway ") or lines[3].startswith("  zcat "), lines[3])

    def test_each_example_is_made_of_words_that_are_understood(self):
        """What is wrong with them may be the store or a file, never the words."""
        for words in self.pages():
            text = self.bare(*words).stdout.decode().replace("\\\n", " ")
            for line in re.findall(r"^  (otway [^|>\n]*)", text.split("Examples:\n")[1].split("\n\n")[0], re.M):
                with self.subTest(example=line):
                    args = shlex.split(line)[1:] + ["--store", "sqlite:" + self.otway.path("none", "x.db")]
                    done = subprocess.run([OTWAY, *args], capture_output=True, timeout=PATIENCE, cwd=self.otway.folder)
                    self.assertNotEqual(done.returncode, 2, done.stderr)

    def test_what_does_not_exist_yet_is_not_listed(self):
        text = self.bare("--help").stdout
        for word in (b"doctor",):
            self.assertNotIn(b"\n  " + word, text)

    @unittest.skipUnless(shutil.which("groff"), "groff is not here")
    def test_each_man_page_is_well_formed(self):
        for page in ["otway", *COMMANDS]:
            with self.subTest(page=page):
                roff = self.bare("help", "--man", page).stdout
                done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-P-cbou"], input=roff, capture_output=True)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                text = done.stdout.decode()
                for part in ("NAME", "EXIT STATUS"):
                    self.assertIn(part, text)
                for verb in COMMANDS.get(page, []):
                    self.assertIn("otway %s %s" % (page, verb), re.sub(r"\s+", " ", text))

    def test_the_version_is_told(self):
        self.assertRegex(self.bare("--version").stdout, rb"^otway \d+\.\d+\.\d+\n$")
        self.assertEqual(set(json.loads(self.bare("--version", "--json").stdout)), {"otway"})


class Words(Cli):
    def wrong(self, *args, says=""):
        result = self.run_(*args, code=2)
        self.assertIn(says, result.err.decode())
        self.assertEqual(result.out, b"")
        self.assertEqual(len(result.err.splitlines()), 1)

    def test_a_misspelt_word_is_answered_with_the_nearest(self):
        self.wrong("warrnt", says="did you mean warrant?")
        self.wrong("warrant", "revok", "L1", says="did you mean revoke?")
        self.wrong("warrant", "list", "--jsno", says="did you mean --json?")
        self.wrong("decrypt", "x.pcap", "--uot", "case", says="did you mean --out?")

    def test_an_option_of_another_command_is_refused(self):
        self.wrong("agency", "list", "--liid", "L1", says="--liid")

    def test_what_is_needed_is_named(self):
        self.wrong("decrypt", "--out", "case", says="CAPTURE")
        self.wrong("decrypt", "x.pcap", says="--out")
        self.wrong("agency", "add", says="NAME")
        self.wrong("agency", "show", "a", "b", says="too many")
        self.wrong("agency", "list", "--config", says="needs a value")
        self.wrong("agency", "list", "--json=1", says="takes no value")
        self.wrong("decrypt", "x.pcap", "--out", "a", "--out", "b", says="twice")
        self.wrong("warrant", says="warrant --help")

    def test_no_command_at_all_is_a_usage_error(self):
        self.assertEqual(self.bare().returncode, 2)

    def test_options_may_stand_anywhere(self):
        store = ["--store", "sqlite:" + self.otway.store]
        for args in ([*store, "agency", "add", "Police"], ["agency", *store, "add", "--json", "Police"],
                     ["agency", "add", "--store=sqlite:" + self.otway.store, "--", "Police"]):
            self.assertEqual(self.bare(*args).returncode, 0, args)

    def test_an_error_is_json_when_asked_for(self):
        for args in (["warrnt", "--json"], ["warrant", "list", "--nope", "--json"]):
            error = json.loads(self.run_(*args, code=2).err)["error"]
            self.assertEqual(error["code"], 2)
            self.assertTrue(error["text"])
        error = json.loads(self.run_("warrant", "show", "L1", "--json", code=3).err)["error"]
        self.assertEqual(error["code"], 3)

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.otway.agency("Police")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([OTWAY, "agency", "list", "--store", "sqlite:" + self.otway.store], stdout=full,
                                  stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_no_colour_and_no_progress_without_a_terminal(self):
        self.otway.agency("Police")
        self.otway.warrant("L1", BOB, agency="Police")
        for args in (["warrant", "list"], ["explain", KNOWN.path]):
            result = self.run_(*args, code=0)
            self.assertNotIn(b"\x1b", result.out + result.err)
            self.assertNotIn(b"\r", result.out + result.err)


class Configuration(Cli):
    def config(self, text):
        path = self.otway.path("otway.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def with_config(self, text):
        return self.bare("agency", "add", "Police", "--config", self.config(text))

    def test_the_store_may_be_said_there(self):
        done = self.with_config("# where\nstore: sqlite:%s\nkms_header: X-KMS\n" % self.otway.store)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(self.otway.store))

    def test_an_unknown_setting_is_named_with_its_line_and_the_nearest(self):
        done = self.with_config("kms_header: X-KMS\nstor: sqlite:x\n")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, rb"otway\.conf: line 2: .*'stor'; did you mean 'store'\?")

    def test_what_is_no_yaml_is_named_with_its_line(self):
        done = self.with_config("store: x\n  kms_header: y\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"line", done.stderr)

    def test_a_file_that_is_not_there_is_a_failure(self):
        self.assertEqual(self.bare("agency", "list", "--config", self.otway.path("none")).returncode, 1)

    def test_an_empty_file_is_a_good_one(self):
        done = self.bare("agency", "list", "--config", self.config(""), "--store", "sqlite:" + self.otway.store)
        self.assertEqual(done.returncode, 3, done.stderr)


def in_a_machine_of_its_own(*command):
    """With an /etc, a /var/lib and a /tmp that nobody else sees."""
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--", *command]


def has_machines():
    try:
        return subprocess.run(in_a_machine_of_its_own("true"), capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@unittest.skipUnless(has_machines(), "nobody may have an /etc of his own here")
class Usual(Cli):
    """Where neither a store nor a configuration is named."""

    def setUp(self):
        super().setUp()
        self.etc = self.otway.path("etc")
        os.mkdir(self.etc)
        for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime"):
            if os.path.exists("/etc/" + name):
                shutil.copy("/etc/" + name, self.etc)

    def usual(self, text, mode=0o644):
        path = os.path.join(self.etc, "otway", "otway.yaml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def there(self, *args, then="true", user=None, code=0):
        """What otway says with that /etc, and what `then` does in the same place."""
        who = ["setpriv", "--reuid=%d" % user, "--clear-groups"] if user is not None else []
        script = "mount --bind %s /etc && mount -t tmpfs none /var/lib && { \"$@\"; code=$?; %s; exit $code; }" % (
            shlex.quote(self.etc), then)
        done = subprocess.run(in_a_machine_of_its_own("sh", "-c", script, "sh", *who, OTWAY, *args), capture_output=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_the_store_is_the_live_systems(self):
        self.usual("store: 'sqlite:%s'\n" % self.otway.store)
        self.there("agency", "add", "Police")
        self.assertEqual([a["name"] for a in self.json("agency", "list")["agencies"]], ["Police"])
        for command in (["agency", "list"], ["warrant", "list"], ["audit", "verify"], ["kms", "list"]):
            self.there(*command)

    def test_what_is_named_comes_before_it(self):
        self.usual("store: 'sqlite:%s'\n" % self.otway.path("live", "warrants.db"))
        self.there("agency", "add", "Police", "--store", "sqlite:" + self.otway.store)
        named = self.otway.path("named.yaml")
        with open(named, "w", encoding="utf-8") as f:
            f.write("store: 'sqlite:%s'\n" % self.otway.store)
        self.assertIn(b"Police", self.there("agency", "list", "--config", named).stdout)
        self.assertFalse(os.path.exists(self.otway.path("live")))

    def test_without_that_file_and_where_it_names_none_it_is_the_default(self):
        self.there("agency", "add", "Police", then="test -f /var/lib/otway/otway.db || code=9")
        self.usual("sip: { ports: [5060] }\n")
        self.there("agency", "add", "Police", then="test -f /var/lib/otway/otway.db || code=9")

    def test_one_that_is_wrong_is_told_and_no_other_store_is_taken(self):
        self.usual("stor: 'sqlite:%s'\n" % self.otway.store)
        self.assertIn(b"/etc/otway/otway.yaml: line 1", self.there("agency", "add", "Police", code=2).stderr)
        self.there("agency", "add", "Police", "--store", "sqlite:" + self.otway.store)

    @unittest.skipUnless(os.geteuid() == 0, "root can be somebody else")
    def test_who_may_not_read_it_names_the_store(self):
        self.usual("store: 'sqlite:%s'\n" % self.otway.store, mode=0o600)
        if subprocess.run(["test", "-x", OTWAY], user=64993, check=False).returncode != 0:
            self.skipTest("others cannot run this build")
        os.chmod(self.etc, 0o755)
        os.chmod(self.otway.folder, 0o755)
        self.assertIn(b"--store", self.there("agency", "list", user=64993, code=1).stderr)

    def test_what_captures_are_read_by_is_not_of_the_machine(self):
        self.otway.agency("Test Agency")
        self.otway.warrant("L1", "sip:bob@10.77.0.12")
        self.usual("store: 'sqlite:%s'\nsip: { ports: [9] }\ndecap: { leave: [vxlan] }\n" % self.otway.store)
        self.run_("decrypt", KNOWN.path, "--out", self.otway.path("here"), code=0)
        self.there("decrypt", KNOWN.path, "--out", self.otway.path("there"))
        self.assertEqual(tree(self.otway.path("there")), tree(self.otway.path("here")))
        self.assertIn("L1", os.listdir(self.otway.path("there")))


class Agencies(Cli):
    def test_an_agency_is_entered_listed_and_shown(self):
        self.run_("agency", "add", "Police", "--country", "nz", "--deliver", "a:1", "--deliver", "b:2", code=0)
        shown = self.json("agency", "show", "Police")
        self.assertEqual((shown["name"], shown["country"], shown["deliver"], shown["warrants"]), ("Police", "NZ", ["a:1", "b:2"], 0))
        self.assertRegex(shown["added"], MICROSECONDS)
        self.assertEqual(self.json("agency", "list"), {"agencies": [shown]})

    def test_the_same_again_is_done_and_another_is_refused_by_field(self):
        self.run_("agency", "add", "Police", "--country", "NZ", code=0)
        self.run_("agency", "add", "Police", "--country", "NZ", code=0)
        self.assertIn(b"--country", self.run_("agency", "add", "Police", code=4).err)
        self.assertIn(b"--deliver", self.run_("agency", "add", "Police", "--country", "NZ", "--deliver", "a:1", code=4).err)

    def test_bad_words_are_usage_errors(self):
        for args in (["add", ""], ["add", "a\nb"], ["add", "\x9b31m"], ["add", "x" * 200], ["add", "Police", "--country", "NZL"],
                     ["add", "Police", "--country", "1!"]):
            self.run_("agency", *args, code=2)

    def test_one_with_warrants_stays(self):
        self.two_agencies()
        self.otway.warrant("L1", BOB, agency="Police")
        self.run_("agency", "remove", "Police", code=4)
        self.run_("agency", "remove", "Customs", code=0)
        self.run_("agency", "remove", "Customs", code=3)
        self.assertEqual([a["name"] for a in self.json("agency", "list")["agencies"]], ["Police"])

    def test_an_unknown_one_is_not_found(self):
        self.two_agencies()
        self.run_("agency", "show", "Army", code=3)


class Warrants(Cli):
    def setUp(self):
        super().setUp()
        self.two_agencies()

    def add(self, liid="L1", target=BOB, code=0, **how):
        return self.otway.warrant(liid, target, agency=how.pop("agency", "Police"), code=code, **how)

    def test_one_is_shown_as_it_was_entered(self):
        document = self.otway.path("order.pdf")
        with open(document, "wb") as f:
            f.write(b"by order of the court\n" * 10000)
        self.add(target=[BOB, "tel:+4930123456"], trust=True, start="2026-11-21T10:00:00+13:00", end="+72h",
                 more=["--scope", "iri", "--diverted", "report", "--document", document])
        shown = self.json("warrant", "show", "L1")
        with open(document, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        self.assertEqual({k: shown[k] for k in ("liid", "agency", "targets", "from", "until", "scope", "diverted", "trust_from",
                                                "authority", "document", "revoked", "revoked_reason", "state")},
                         {"liid": "L1", "agency": "Police", "targets": [BOB, "tel:+4930123456"],
                          "from": "2026-11-20T21:00:00.000000Z", "until": "2026-11-23T21:00:00.000000Z", "scope": "iri",
                          "diverted": "report", "trust_from": True, "authority": "order 1/26",
                          "document": {"file": "order.pdf", "sha256": digest}, "revoked": None, "revoked_reason": None,
                          "state": shown["state"]})
        self.assertEqual(self.json("warrant", "list"), {"warrants": [shown]})
        with open(self.otway.store, "rb") as f:
            self.assertNotIn(b"by order of the court", f.read())

    def test_times_are_echoed_absolute_in_utc(self):
        out = self.add(start="now", end="+72h").out.decode()
        self.assertEqual(len(re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", out)), 2)

    def test_states_follow_the_clock(self):
        self.add("past", start="2000-01-01T00:00:00Z", end="2000-01-02T00:00:00Z")
        self.add("now", start="now", end="+1h")
        self.add("later", start="+1h", end="+1h")
        self.assertEqual({w["liid"]: w["state"] for w in self.json("warrant", "list")["warrants"]},
                         {"past": "ended", "now": "active", "later": "pending"})

    def test_bad_words_are_usage_errors(self):
        for how in ({"liid": ""}, {"liid": "x" * 26}, {"liid": "L\u00e9"}, {"liid": "a\tb"}, {"start": "yesterday"},
                    {"start": "2026-11-21T10:00:00"}, {"start": "2026-02-30T00:00:00Z"}, {"end": "72h"},
                    {"start": "2026-11-21T10:00:00Z", "end": "2026-11-21T10:00:00Z"}, {"start": "now", "end": "-1h"},
                    {"authority": ""}, {"authority": "a\nb"}, {"more": ["--scope", "everything"]},
                    {"more": ["--diverted", "maybe"]}, {"target": "not a uri"}, {"target": [BOB, ""]}):
            with self.subTest(**how):
                self.add(code=2, **how)
        self.assertEqual(self.json("warrant", "list"), {"warrants": []})

    def test_a_liid_of_twenty_five_octets_is_one(self):
        self.add("~" * 25)
        self.assertEqual(self.json("warrant", "show", "~" * 25)["liid"], "~" * 25)

    def test_a_document_that_is_not_there_is_a_failure(self):
        self.add(more=["--document", self.otway.path("none.pdf")], code=1)

    def test_anything_wider_than_one_subscriber_is_refused(self):
        for target in ("sip:ims.example", "sip:*@ims.example", "sips:@ims.example", "tel:+49301*", "sip:bob@*.example", "@ims.example"):
            with self.subTest(target=target):
                result = self.add(target=target, code=4)
                self.assertNotIn(target.encode(), result.err)
        self.assertEqual(self.json("warrant", "list"), {"warrants": []})
        self.assertEqual([r["act"] for r in self.lines("audit", "list")][-6:], ["refused"] * 6)

    def test_what_is_no_part_of_an_identity_is_refused_with_its_reason(self):
        for target, why in (("tel:12", b"phone-context"), ("tel:7042;isub=1", b"phone-context"), ("tel:7042;phone-context=", b"phone-context"),
                            ("sip:bob:secret@ims.example", b"password"), ("sips:bob:@ims.example", b"password"),
                            ("sip:bob%00@ims.example", b"control"), ("sip:%0abob@ims.example", b"control"),
                            ("sip:bob@ims.example;x=%7F", b"control"), ("tel:+4930123456;x=%1b", b"control")):
            with self.subTest(target=target):
                result = self.add(target=target, code=4)
                self.assertIn(why, result.err)
                self.assertNotIn(target.encode(), result.err)
        self.assertEqual(self.json("warrant", "list"), {"warrants": []})

    def test_a_local_number_with_its_context_and_an_escape_are_somebody(self):
        for i, target in enumerate(("tel:7042;phone-context=ims.example", "tel:7042;phone-context=+64", "sip:bob%23x@ims.example",
                                    "sip:7042@ims.example;user=phone", "tel:0064215550101")):
            with self.subTest(target=target):
                self.add("L%d" % i, target=target)

    def test_an_unknown_agency_is_not_found(self):
        self.add(agency="Army", code=3)

    def test_the_same_words_again_are_done(self):
        first = json.loads(self.add(start="now", end="+72h", more=["--json"]).out)
        again = json.loads(self.add(start="now", end="+72h", more=["--json"]).out)
        self.assertEqual((first.pop("changed"), again.pop("changed")), (True, False))
        self.assertEqual(first, again)
        self.assertEqual(len(self.lines("audit", "list")), 3)

    def test_the_same_moment_in_another_zone_is_the_same(self):
        self.add(start="2026-11-21T10:00:00Z", end="2026-11-22T10:00:00Z")
        self.add(start="2026-11-21T23:00:00+13:00", end="2026-11-22T10:00:00.000Z")

    def test_other_content_is_refused_by_field_and_changes_nothing(self):
        self.add(start="now", end="+72h")
        before = self.json("warrant", "show", "L1")
        other = {"target": {"target": ALICE}, "agency": {"agency": "Customs"}, "from": {"start": "2000-01-01T00:00:00Z"},
                 "until": {"end": "+71h"}, "authority": {"authority": "order 2/26"}, "scope": {"more": ["--scope", "cc"]},
                 "diverted": {"more": ["--diverted", "report"]}, "trust-from": {"trust": True}}
        for field, how in other.items():
            with self.subTest(field=field):
                result = self.add(code=4, **{"start": "now", "end": "+72h", **how})
                self.assertIn(b"--" + field.encode(), result.err)
                self.assertNotIn(b"alice", result.err)
        self.assertEqual(self.json("warrant", "show", "L1"), before)

    def test_two_agencies_may_want_the_same_subscriber(self):
        self.add("L1", agency="Police")
        self.add("L2", agency="Customs")
        self.assertEqual({a["name"]: a["warrants"] for a in self.json("agency", "list")["agencies"]}, {"Police": 1, "Customs": 1})

    def test_an_extension_counts_from_the_beginning_and_never_back(self):
        self.add(start="2026-11-21T00:00:00Z", end="+72h")
        self.run_("warrant", "extend", "L1", "--until", "+96h", "--authority", "order 2/26", code=0)
        shown = self.json("warrant", "show", "L1")
        self.assertEqual((shown["until"], shown["authority"]), ("2026-11-25T00:00:00.000000Z", "order 2/26"))
        self.run_("warrant", "extend", "L1", "--until", "+96h", code=0)
        self.run_("warrant", "extend", "L1", "--until", "2026-11-24T00:00:00Z", code=4)
        self.run_("warrant", "extend", "L1", "--until", "2026-11-20T00:00:00Z", code=2)
        self.run_("warrant", "extend", "L2", "--until", "+96h", code=3)
        self.assertEqual(self.json("warrant", "show", "L1"), shown)

    def test_a_revocation_is_for_good(self):
        self.add()
        self.run_("warrant", "revoke", "L1", code=2)
        self.run_("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        self.run_("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        shown = self.json("warrant", "show", "L1")
        self.assertEqual((shown["state"], shown["revoked_reason"]), ("revoked", "quashed"))
        self.assertRegex(shown["revoked"], MICROSECONDS)
        self.add(code=4)
        self.run_("warrant", "extend", "L1", "--until", "2101-01-01T00:00:00Z", code=4)
        self.run_("warrant", "revoke", "L2", "--reason", "quashed", code=3)

    def test_history_tells_who_when_before_and_after(self):
        self.add(start="2026-11-21T00:00:00Z", end="2026-11-22T00:00:00Z")
        self.run_("warrant", "extend", "L1", "--until", "2026-11-23T00:00:00Z", code=0)
        self.run_("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        history = self.lines("warrant", "history", "L1")
        for line in history:
            self.assertEqual(set(line), {"at", "actor", "act", "field", "before", "after"})
            self.assertRegex(line["at"], MICROSECONDS)
            self.assertTrue(line["actor"])
        told = [(c["act"], c["field"], c["before"], c["after"]) for c in history]
        self.assertIn(("add", "target", None, BOB), told)
        self.assertIn(("extend", "until", "2026-11-22T00:00:00.000000Z", "2026-11-23T00:00:00.000000Z"), told)
        self.assertIn(("revoke", "revoked_reason", None, "quashed"), told)
        self.run_("warrant", "history", "L2", code=3)

    def test_who_acts_is_not_believed_from_the_environment(self):
        os.environ["SUDO_USER"] = os.environ["LOGNAME"] = os.environ["USER"] = "mallory"
        self.addCleanup(lambda: [os.environ.pop(k) for k in ("SUDO_USER", "LOGNAME", "USER")])
        self.add()
        with open("/proc/self/loginuid") as f:
            login = int(f.read())
        uid = login if login != 2**32 - 1 else os.getuid()
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = "uid %d" % uid
        self.assertEqual({c["actor"] for c in self.lines("warrant", "history", "L1")}, {name})

    def test_tables_are_plain_when_not_on_a_terminal(self):
        self.add()
        rows = [line.split("\t") for line in self.run_("warrant", "list", code=0).out.decode().splitlines()]
        self.assertEqual(rows[0], ["WARRANT", "LIID", "AGENCY", "STATE", "FROM", "UNTIL", "SCOPE", "TARGETS"])
        self.assertEqual((rows[1][0], rows[1][1], rows[1][2], rows[1][7]), ("1", "L1", "Police", "1"))


class Store(Cli):
    def test_it_is_made_private_whatever_the_umask(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.otway.agency("Police")
        self.assertEqual(os.stat(self.otway.store).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(os.path.dirname(self.otway.store)).st_mode & 0o777, 0o700)

    def test_one_that_others_may_read_is_refused(self):
        self.otway.agency("Police")
        for mode in (0o640, 0o604, 0o620, 0o610):
            os.chmod(self.otway.store, mode)
            result = self.run_("agency", "list", code=4)
            self.assertIn(b"chmod", result.err)

    def test_one_that_is_not_there_is_not_found_and_not_made(self):
        for args in (["agency", "list"], ["warrant", "show", "L1"], ["audit", "verify"], ["decrypt", KNOWN.path, "--out", "case"],
                     ["explain", KNOWN.path]):
            self.run_(*args, code=3)
        self.assertEqual(os.listdir(self.otway.folder), [])

    def test_a_newer_schema_is_refused(self):
        self.otway.agency("Police")
        self.database().execute("UPDATE schema_version SET version = 7")
        result = self.run_("agency", "list", code=4)
        self.assertIn(b"schema is version 7, this program knows 3", result.err)

    def test_a_file_that_is_no_database_is_told_so(self):
        os.mkdir(os.path.dirname(self.otway.store))
        for content, words in ((b"prose, and no database " * 100, b"not a database"),):
            with open(self.otway.store, "wb") as f:
                f.write(content)
            os.chmod(self.otway.store, 0o600)
            result = self.run_("agency", "add", "Police", code=1)
            self.assertIn(words, result.err)
            self.assertIn(self.otway.store.encode(), result.err)

    def test_a_damaged_file_is_told_so_and_found_by_verify(self):
        self.otway.agency("Police")
        for i in range(20):
            self.otway.warrant("L%d" % i, BOB, agency="Police")
        size = os.path.getsize(self.otway.store)
        with open(self.otway.store, "r+b") as f:
            f.seek(8192)
            f.write(b"\xff" * (size - 8192))
        result = self.run_("audit", "verify")
        self.assertEqual(result.code, 7, repr(result))
        self.assertIn(b"damaged", result.err)

    def test_an_address_that_names_no_store_is_a_usage_error(self):
        for url in ("nonsense", "sqlite:", "postgresql://localhost/otway", "mysql:x"):
            self.assertEqual(self.bare("agency", "list", "--store", url).returncode, 2, url)

    def test_a_full_disk_changes_nothing(self):
        self.otway.agency("Police")
        before = self.run_("audit", "export", code=0).out
        result = self.run_("agency", "add", "Customs", "--deliver", "x" * 400, file_size_max=4096, code=4)
        self.assertIn(b"audit trail cannot be written", result.err)
        self.assertEqual(self.run_("audit", "export", code=0).out, before)
        self.run_("agency", "add", "Customs", code=0)

    def test_one_that_another_keeps_locked_is_told_so(self):
        self.otway.agency("Police")
        self.database().execute("BEGIN IMMEDIATE")
        result = self.run_("agency", "add", "Customs", code=4)
        self.assertIn(b"locked", result.err)

    def test_the_default_lies_where_the_contract_says(self):
        if os.geteuid() == 0:
            self.assertIn(b"/var/lib/otway/otway.db", self.bare("help", "--man", "otway").stdout)
            return
        env = {"XDG_DATA_HOME": self.otway.path("data"), "PATH": os.environ["PATH"]}
        subprocess.run([OTWAY, "agency", "add", "Police"], env=env, check=True, timeout=PATIENCE)
        self.assertTrue(os.path.exists(self.otway.path("data", "otway", "otway.db")))


def chain(lines):
    """The trail as an outsider checks it: the number of the first record that does not fit, or None."""
    before = "0" * 64
    for number, line in enumerate(lines, 1):
        record = json.loads(line)
        kept = record.pop("hash")
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if record["number"] != number or record["before"] != before or hashlib.sha256(text.encode()).hexdigest() != kept:
            return number
        before = kept
    return None


class Audit(Cli):
    def setUp(self):
        super().setUp()
        self.two_agencies()
        self.otway.warrant("L1", BOB, agency="Police", authority="ordre \u00ab1/26\u00bb \"\\ \u4ee4")
        self.otway.warrant("L2", "sip:*@ims.example", agency="Police", code=4)
        self.run_("warrant", "extend", "L1", "--until", "2101-01-01T00:00:00Z", code=0)
        self.run_("warrant", "revoke", "L1", "--reason", "quashed", code=0)

    def export(self):
        return self.run_("audit", "export", code=0).out.decode().splitlines()

    def kept(self):
        path = self.otway.path("trail.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(self.export()) + "\n")
        return path

    def tamper(self, *statements):
        db = self.database()
        for (name,) in list(db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")):
            db.execute("DROP TRIGGER " + name)
        for statement in statements:
            db.execute(statement)

    def test_every_act_is_there_with_its_fields(self):
        records = self.lines("audit", "list")
        self.assertEqual([r["act"] for r in records], ["agency.add", "agency.add", "warrant.add", "refused", "warrant.extend",
                                                       "warrant.revoke"])
        self.assertEqual([r["number"] for r in records], [1, 2, 3, 4, 5, 6])
        for r in records:
            self.assertEqual(set(r), {"number", "at", "actor", "act", "subject", "detail"})
            self.assertRegex(r["at"], MICROSECONDS)
        self.assertEqual(records[2]["subject"], "warrant 1")
        self.assertEqual(records[2]["detail"]["liid"], "L1")
        self.assertEqual(records[4]["detail"]["fields"], ["until"])

    def test_no_target_is_in_it(self):
        self.assertNotIn("bob", "".join(self.export()))

    def test_an_outsider_can_recompute_the_chain(self):
        lines = self.export()
        self.assertEqual(len(lines), 6)
        self.assertIsNone(chain(lines))
        lines[2] = lines[2].replace('"L1"', '"L9"')
        self.assertEqual(chain(lines), 3)

    def test_a_whole_trail_is_verified(self):
        last = json.loads(self.export()[-1])
        for more in ([], ["--head", "%d:%s" % (last["number"], last["hash"])], ["--against", self.kept()]):
            verified = self.json("audit", "verify", *more)
            self.assertEqual((verified["verified"], verified["records"], verified["head"]),
                             (True, 6, {"number": 6, "hash": last["hash"]}))

    def test_a_trail_that_has_grown_still_agrees_with_what_was_kept(self):
        kept = self.kept()
        self.run_("agency", "add", "Army", code=0)
        self.run_("audit", "verify", "--against", kept, code=0)

    def found(self, what, *more):
        result = self.run_("audit", "verify", *more, code=7)
        self.assertIn(what, result.err.decode())

    def test_an_altered_record_is_found(self):
        for column in ("at", "actor", "act", "subject", "detail", "hash", "before"):
            with self.subTest(column=column):
                db = self.database()
                old = db.execute("SELECT %s FROM audit WHERE number = 3" % column).fetchone()[0]
                self.tamper()
                db.execute("UPDATE audit SET %s = ? WHERE number = 3" % column, (old[:-1] + ("0" if old[-1] != "0" else "1"),))
                self.found("audit record 3")
                db.execute("UPDATE audit SET %s = ? WHERE number = 3" % column, (old,))
                self.run_("audit", "verify", code=0)

    def test_a_missing_record_is_found(self):
        self.tamper("DELETE FROM audit WHERE number = 4")
        self.found("audit record 4 is missing")

    def test_missing_first_records_are_found(self):
        self.tamper("DELETE FROM audit WHERE number <= 2")
        self.found("audit record 1 is missing")

    def test_a_trail_cut_off_is_found_by_what_was_kept(self):
        kept, last = self.kept(), json.loads(self.export()[-1])
        self.tamper("DELETE FROM audit WHERE number = 6", "UPDATE warrant SET revoked = NULL, revoked_reason = NULL")
        self.found("cut off", "--head", "6:" + last["hash"])
        self.found("cut off", "--against", kept)
        self.run_("audit", "verify", code=0)

    def test_an_emptied_trail_is_found(self):
        self.tamper("DELETE FROM audit")
        self.found("not in the audit trail")

    def test_a_trail_made_anew_is_found_by_what_was_kept(self):
        kept = self.kept()
        self.tamper("DELETE FROM audit WHERE number >= 5")
        db = self.database()
        before = db.execute("SELECT hash FROM audit WHERE number = 4").fetchone()[0]
        record = {"number": 5, "at": "2026-11-21T00:00:00.000000Z", "actor": "root", "act": "explain", "subject": "captures",
                  "detail": {}, "before": before}
        digest = hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        db.execute("INSERT INTO audit VALUES (5, ?, 'root', 'explain', 'captures', '{}', ?, ?)", (record["at"], before, digest))
        self.found("record 5 is not the one that was kept", "--against", kept)

    def test_a_warrant_changed_behind_the_trail_is_found(self):
        self.tamper("UPDATE warrant_target SET uri = 'sip:carol@ims.example'")
        self.found("warrant 1 is not as audit record 6 left it")

    def test_an_agency_put_in_behind_the_trail_is_found(self):
        self.tamper("INSERT INTO agency (name, country, added) VALUES ('Mallory', '', 0)")
        self.found("agency 3 is in the store but not in the audit trail")

    def test_bad_words_are_usage_errors(self):
        bad = self.otway.path("bad.jsonl")
        with open(bad, "w") as f:
            f.write('{"number": 1}\n')
        for more in (["--head", "6"], ["--head", "6:abc"], ["--head", "x:" + "0" * 64], ["--head", "0:" + "0" * 64],
                     ["--against", bad], ["--head", "1:" + "0" * 64, "--against", bad]):
            self.run_("audit", "verify", *more, code=2)
        self.run_("audit", "verify", "--against", self.otway.path("none"), code=1)

    def test_what_cannot_be_written_to_the_trail_is_refused(self):
        self.otway.warrant("L3", BOB, agency="Police")
        self.database().execute("CREATE TRIGGER no_room BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
        before = self.json("warrant", "list")
        for args in (["agency", "add", "Army"], ["agency", "remove", "Customs"], ["warrant", "revoke", "L3", "--reason", "x"],
                     ["warrant", "extend", "L3", "--until", "2101-01-01T00:00:00Z"],
                     ["decrypt", KNOWN.path, "--out", self.otway.path("case")], ["explain", KNOWN.path]):
            with self.subTest(args=args):
                result = self.run_(*args, code=4)
                self.assertIn(b"audit trail cannot be written", result.err)
                self.assertEqual(result.out, b"")
        self.otway.warrant("L4", BOB, agency="Police", code=4)
        self.assertEqual(self.json("warrant", "list"), before)
        self.assertFalse(os.path.exists(self.otway.path("case")))


class Decrypt(Cli):
    def setUp(self):
        super().setUp()
        self.two_agencies()
        self.otway.warrant("LIID-7781", "sip:bob@10.77.0.12", agency="Police")

    def test_it_is_in_the_trail_before_and_after(self):
        keys = self.otway.keys_file([])
        self.otway.decrypt(KNOWN.path, more=["--liid", "LIID-7781", "--keys", keys], code=0)
        begun, done = self.lines("audit", "list")[-2:]
        with open(keys, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        self.assertEqual((begun["act"], begun["detail"]), ("decrypt", {"captures": [os.path.basename(KNOWN.path)], "warrants": 1,
                                                                        "liids": ["LIID-7781"], "keys_sha256": digest}))
        with open(KNOWN.path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        self.assertEqual((done["act"], done["detail"]["outcome"], done["detail"]["found"]), ("decrypt.done", "done", ["LIID-7781"]))
        self.assertEqual(done["detail"]["captures"], [{"file": os.path.basename(KNOWN.path), "sha256": digest}])

    def test_what_was_found_is_told(self):
        told = json.loads(self.otway.decrypt(KNOWN.path, more=["--json"], code=0).out)
        self.assertEqual(told, {"out": self.otway.path("case"), "warrants": 1, "calls": 1, "events": told["events"],
                                "streams": len(KNOWN.facts["streams"]), "sealed": 0})

    def test_a_stream_that_stays_sealed_is_partly_done(self):
        self.otway.decrypt(SEALED.path, code=5)
        self.assertEqual(self.lines("audit", "list")[-1]["detail"]["outcome"], "partly")

    def test_nothing_covered_is_one_line_and_no_folder(self):
        self.run_("warrant", "revoke", "LIID-7781", "--reason", "quashed", code=0)
        result = self.run_("decrypt", KNOWN.path, "--out", self.otway.path("case"), code=0)
        self.assertEqual((len(result.err.splitlines()), result.out), (1, b""))
        self.assertFalse(os.path.exists(self.otway.path("case")))
        self.assertEqual(self.lines("audit", "list")[-1]["detail"]["outcome"], "nothing")

    def test_an_interrupted_run_leaves_nothing(self):
        with open(KNOWN.path, "rb") as f:
            capture = f.read()
        command = [OTWAY, "decrypt", "-", "--out", self.otway.path("case"), "--store", "sqlite:" + self.otway.store]
        running = self.stopped_by(command, capture, signal.SIGINT)
        running.wait(timeout=30)  # though whoever writes to it neither goes on nor ends
        out, err = running.communicate()
        self.assertEqual((running.returncode, out), (1, b""), err)
        self.assertIn(b"interrupted", err)
        self.assertEqual(sorted(os.listdir(self.otway.folder)), ["store"])
        self.assertEqual(self.lines("audit", "list")[-1]["detail"]["outcome"], "failed")

    def stopped_by(self, command, capture, signal_number):
        """A run that got a signal when it had read most of a capture and waited for the rest."""
        running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        running.stdin.write(capture[:-len(capture) // 4])
        running.stdin.flush()
        while self.lines("audit", "list")[-1]["act"] != "decrypt" or not self.sleeps(running.pid):
            self.assertIsNone(running.poll())
            time.sleep(0.05)
        running.send_signal(signal_number)
        return running

    def test_what_a_killed_run_leaves_is_nobodys_to_read_and_in_nobodys_way(self):
        with open(KNOWN.path, "rb") as f:
            capture = f.read()
        command = [OTWAY, "decrypt", "-", "--out", self.otway.path("case"), "--store", "sqlite:" + self.otway.store]
        self.stopped_by(command, capture, signal.SIGKILL).communicate()
        (left,) = [n for n in os.listdir(self.otway.folder) if n != "store"]
        self.assertTrue(re.fullmatch(r"\.case\.partial-\w{6}", left), left)
        self.assertEqual(os.stat(self.otway.path(left)).st_mode & 0o777, 0o700)
        before = tree(self.otway.path(left))
        self.otway.decrypt(KNOWN.path, code=0)
        self.otway.decrypt(KNOWN.path, out="again", code=0)
        self.assertEqual(tree(self.otway.path("case")), tree(self.otway.path("again")))
        self.assertEqual(tree(self.otway.path(left)), before)
        self.assertEqual(sorted(os.listdir(self.otway.folder)), sorted([left, "again", "case", "store"]))

    def sleeps(self, pid):
        """As a process that waits for more of its standard input does."""
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "S"

    def test_a_run_that_fails_is_in_the_trail(self):
        self.otway.decrypt(self.otway.path("none.pcap"), code=1)
        self.assertEqual([r["act"] for r in self.lines("audit", "list")][-2:], ["decrypt", "decrypt.done"])
        self.assertEqual(self.lines("audit", "list")[-1]["detail"]["outcome"], "failed")

    def test_an_output_folder_that_is_not_empty_is_found_before_anything_is_read(self):
        os.mkdir(self.otway.path("case"))
        open(self.otway.path("case", "mine"), "w").close()
        before = self.lines("audit", "list")
        self.otway.decrypt(KNOWN.path, code=1)
        self.assertEqual(tree(self.otway.path("case")), {"mine": b""})
        self.assertEqual(self.lines("audit", "list"), before)

    def test_a_capture_named_in_odd_octets_does_no_harm(self):
        path = os.fsencode(self.otway.path("")) + b"a\xff\n\x1b[31m.pcap"
        shutil.copyfile(KNOWN.path, path)
        done = subprocess.run([OTWAY, "decrypt", path, "--out", self.otway.path("case"), "--store", "sqlite:" + self.otway.store],
                              capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.lines("audit", "list")[-2]["detail"]["captures"], ["a%FF%0A%1B[31m.pcap"])
        self.assertIsNone(chain(self.run_("audit", "export").out.decode().splitlines()))

    def test_no_liid_target_or_address_is_in_the_debug_log(self):
        result = self.otway.decrypt(KNOWN.path, code=0)
        self.assertGreater(len(result.err.splitlines()), 3)
        for word in ["LIID-7781", "bob", "alice", "10.77.0."] + KNOWN.secrets():
            self.assertNotIn(word if isinstance(word, bytes) else word.encode(), result.err)


class Keys(Cli):
    SUITE, INLINE = "AES_CM_128_HMAC_SHA1_80", "8lYYjEqbnGsC/Bge+WBQipDuGyuiplElFDZR+Zgw"

    def setUp(self):
        super().setUp()
        self.otway.agency("Police")

    def explain(self, content, mode=0o600, code=0):
        path = self.otway.path("keys.json")
        with open(path, "w") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        os.chmod(path, mode)
        return self.run_("explain", "--quiet", KNOWN.path, "--keys", path, code=code)

    def test_every_field_is_understood(self):
        key = {"suite": self.SUITE, "inline": self.INLINE}
        self.explain([key, {**key, "call_id": "a@b", "src": "192.0.2.1:4000", "dst": "[2001:db8::1]:4002", "ssrc": "0x89abcdef",
                            "mki": "00ff"}, {**key, "src": "192.0.2.1", "ssrc": 7, "mki": "1:4"},
                      {**key, "inline": "inline:" + self.INLINE + "|2^31|1:4"}])

    def test_a_file_that_others_may_read_is_refused_and_that_is_in_the_trail(self):
        self.explain([], mode=0o640, code=4)
        self.assertEqual(self.lines("audit", "list")[-1]["act"], "refused")

    def test_what_is_malformed_is_named_by_index_and_field_and_never_shown(self):
        key = {"suite": self.SUITE, "inline": self.INLINE}
        for field, value in (("suite", "ROT13"), ("suite", 1), ("inline", self.INLINE[:-8]), ("inline", "!" * 40), ("inline", None),
                             ("call_id", ""), ("src", "nowhere"), ("dst", "192.0.2.1:99999"), ("ssrc", "0x123456789"),
                             ("ssrc", -1), ("ssrc", "0x"), ("mki", "1:0"), ("mki", "256:1"), ("mki", "xyz"), ("mki", "1:129")):
            with self.subTest(field=field, value=value):
                result = self.explain([key, {**key, field: value}], code=2)
                self.assertIn(("key 1: \"%s\"" % field).encode(), result.err)
                self.assertNotIn(self.INLINE[:20].encode(), result.err)
        for missing in key:
            result = self.explain([{k: v for k, v in key.items() if k != missing}], code=2)
            self.assertIn(("key 0: \"%s\" is missing" % missing).encode(), result.err)
        self.assertIn(b"key 0 has a field 'sute'", self.explain([{**key, "sute": 1}], code=2).err)

    def test_a_file_that_is_no_array_of_objects_is_a_usage_error(self):
        for content in ("", "{", "{}", "[1]", "[[]]", '["' + self.INLINE + '"]', '[{"suite":"' + self.SUITE + '"'):
            with self.subTest(content=content):
                self.assertNotIn(self.INLINE[:20].encode(), self.explain(content, code=2).err)

    def test_a_file_that_is_not_there_is_a_failure(self):
        self.run_("explain", KNOWN.path, "--keys", self.otway.path("none"), code=1)


class Explain(Cli):
    FIELDS = {"setup", "first", "last", "messages", "headers", "tested", "hits", "matched", "call", "warrants", "sdp", "places", "keys",
              "rtp", "opened", "clear", "sealed", "reason", "stopped", "begun_before", "key_mgmt"}

    def setUp(self):
        super().setUp()
        self.otway.agency("Police")

    def explained(self, path):
        *setups, last = self.lines("explain", path)
        self.assertEqual(set(last), {"counters", "findings"})
        for s in setups:
            self.assertEqual(set(s), self.FIELDS)
        return setups, last["counters"]

    def test_a_call_that_no_warrant_names_stays_nobodys(self):
        self.otway.warrant("L1", "sip:erin@ims.example", agency="Police")
        setups, counters = self.explained(KNOWN.path)
        self.assertEqual([(s["stopped"], s["hits"], s["call"], s["warrants"]) for s in setups], [("not-matched", 0, None, [])])
        self.assertGreater(setups[0]["tested"], 0)
        self.assertEqual(counters["frames"], len(KNOWN.packets))
        result = self.run_("explain", KNOWN.path, "-v", code=0)
        for word in [b"alice", b"bob", b"10.77.0.", KNOWN.calls()[0]["call_id"].encode()]:
            self.assertNotIn(word, result.out + result.err)

    def test_a_delivered_call_is_told_so(self):
        self.otway.warrant("L1", "sip:bob@10.77.0.12", agency="Police")
        setups, _ = self.explained(KNOWN.path)
        self.assertEqual([(s["stopped"], s["call"], s["warrants"]) for s in setups], [("delivered", 1, [1])])
        self.assertEqual(setups[0]["opened"], sum(s["decrypted_packets"] for s in KNOWN.facts["streams"]))

    def test_a_sealed_call_is_told_so_with_its_reason(self):
        self.otway.warrant("L1", "sip:bob@10.77.0.12", agency="Police")
        setups, _ = self.explained(SEALED.path)
        self.assertEqual([(s["stopped"], s["reason"]) for s in setups if s["call"]], [("sealed", "dtls-srtp")])

    def begun_in_mid_call(self, again):
        """A call whose warrant begins ten seconds after its set-up; `again`: a session refresh describes its media once more."""
        scene, ka, kb = Scene(), Key("a"), Key("b")
        offer, answer = (calls.at(a, k.line()) for a, k in ((calls.AM, ka), (calls.BM, kb)))
        d = Dialog(scene, calls.A, calls.B)
        d.simple(offer, answer)
        voices = calls.both(scene, ka, kb)
        scene.talk(*voices)
        scene.wait(10000)
        begin = scene.clock
        scene.wait(1000)
        if again:
            d.invite(offer, tag="b1")
            d.reply(200, answer)
            d.ack()
        scene.talk(*voices)
        d.bye()
        path = self.otway.path("mid-call.pcap")
        scene.write(path)
        self.otway.warrant("L1", BOB, agency="Police", start=stamp(begin))
        (setup,), _ = self.explained(path)
        return setup, self.run_("explain", path, code=0).out.decode()

    def test_a_warrant_that_begins_in_mid_call_gets_no_media_and_is_told_why(self):
        setup, words = self.begun_in_mid_call(again=False)
        self.assertEqual((setup["stopped"], setup["call"], setup["sdp"], setup["rtp"], setup["begun_before"]),
                         ("set-up-before", 1, True, 0, True))
        self.assertIn("set-up before the warrant's begin: media not intercepted, by decision: ", words)

    def test_it_gets_what_is_described_again_since_and_is_told_so(self):
        setup, words = self.begun_in_mid_call(again=True)
        self.assertEqual((setup["stopped"], setup["opened"], setup["begun_before"]), ("delivered", 50, True))
        self.assertIn("set-up before the warrant's begin: media only from the next message that describes it", words)

    def test_quietly_it_says_and_writes_nothing(self):
        self.otway.warrant("L1", "sip:bob@10.77.0.12", agency="Police")
        result = self.run_("explain", "--quiet", KNOWN.path, code=0)
        self.assertEqual(result.out + result.err, b"")
        self.assertEqual(os.listdir(self.otway.folder), ["store"])

    def test_it_is_in_the_trail(self):
        self.run_("explain", KNOWN.path, code=0)
        self.assertEqual(self.lines("audit", "list")[-1]["act"], "explain")

    def test_an_unknown_warrant_is_not_found_and_a_revoked_one_refused(self):
        self.otway.warrant("L1", BOB, agency="Police")
        self.run_("warrant", "revoke", "L1", "--reason", "quashed", code=0)
        self.run_("explain", KNOWN.path, "--liid", "L2", code=3)
        self.run_("explain", KNOWN.path, "--liid", "L1", code=4)


if __name__ == "__main__":
    unittest.main()
