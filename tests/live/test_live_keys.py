"""A thousand set-ups a second, each of which needs a key of a KMS that answers in 50 ms: no packet is lost, what waits is bounded and
told. And calls whose keys the reference KMS makes, of simulated users who share nothing with it."""

import base64
import os
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import kms_calls
from kms import Network as Operator
from live import USERS
from livetest import SOAK, LiveTest
from plan import SAVP, A, B, People, Plan, Playing
from scene import MS, Dialog, sdp
from slow_kms import SlowKms, key_of, tokens

SUITE = "AES_CM_128_HMAC_SHA1_80"
RATE, SECONDS, TARGETS, TALK = (int(os.environ.get("OTWAY_RATE", "1000")), 30, 500, 100) if SOAK else (200, 3, 100, 200)
PLACES = 8000 if SOAK else 300  # pairs of media addresses, taken in turn: while the call before is not forgotten
HOLD = 256  # MiB that packets may take, in memory, while they wait


class Key:
    """As the player wants one."""

    def __init__(self, octets, suite=SUITE):
        self.octets, self.suite = octets, suite


class Callers(People):
    """Calls whose keys a KMS has."""

    def __init__(self):
        super().__init__("k")
        self.keys = {}  # source address -> keys, for who judges

    def call_by_kms(self, plan, at, talk, target):
        n, self.next = self.next, self.next + 1
        am, bm, caller = self.media(11, n % PLACES), self.media(12, n % PLACES), self.caller(n)
        call_id = "%d.k@a.example" % n
        offer, answer = tokens(call_id, caller, target)
        d = Dialog(plan, A, B, caller=caller, callee=target, call_id=call_id, headers=["P-Asserted-Identity: <%s>" % caller])
        back, plan.clock = plan.clock, at * MS
        d.invite(described(am, offer))
        d.reply(200, described(bm, answer))
        d.ack()
        begin, plan.clock = plan.clock + MS, plan.clock + talk * MS
        for src, dst, cs in ((am, bm, 1), (bm, am, 2)):
            key = key_of(call_id, cs)
            plan.speak(begin, plan.clock, src, dst, Key(key))
            self.keys.setdefault(src, []).append((SUITE, base64.b64encode(key).decode()))
        plan.wait(5)
        d.bye()
        plan.clock = back


def described(address, line):
    host, port = address.rsplit(":", 1)
    return sdp(host, (int(port), SAVP), session=[line])


def readable(folder, who):
    """Certificates that a role is to read."""
    for where, _, names in os.walk(folder):
        for name in (".", *names):
            os.chown(os.path.join(where, name), USERS[who], USERS[who])


if SOAK:  # it takes both cores
    class Many(LiveTest):
        def test_a_thousand_a_second_of_a_slow_kms(self):
            net, people, plan = self.network(), Callers(), Plan()
            live = self.live(net, start=False, intercepts=2)
            if os.path.isdir("/dev/shm"):  # it is not the disk that is tried
                cases = self.enterContext(tempfile.TemporaryDirectory(dir="/dev/shm"))
                os.chown(cases, USERS["delivery"], USERS["delivery"])
                live.settings["cases"] = cases
            os.mkdir(live.path("certs"), 0o755)
            live.settings["kms_files"] = live.path("certs")
            kms = SlowKms(net, live.path("certs"), 50)
            self.addCleanup(kms.close)
            live.run("kms", "add", "sip:kms@ims.example", "--url", kms.url, "--ca", kms.ca, "--cert", kms.li[0], "--key", kms.li[1], code=0)
            readable(live.path("certs"), "keys")
            targets = ["sip:t%d@ims.example" % i for i in range(TARGETS)]
            for i, target in enumerate(targets):
                live.warrant_now("L%d" % i, target)
            for i in range(RATE * SECONDS):
                people.call_by_kms(plan, i * 1000 // RATE, TALK, targets[i % TARGETS])
            live.start()
            recording = self.record(net, live)
            playing = Playing(plan, net)
            self.addCleanup(playing.stop)
            peak = self.watch(live, playing)
            heard = self.heard(recording, people.keys)
            self.assertEqual(len(heard.calls), RATE * SECONDS)
            end = time.monotonic() + 30
            while any(v for k, v in held(live.status()) if k in ("held_octets", "hold_octets")) and time.monotonic() < end:
                time.sleep(0.5)
            self.finished(live)
            status = live.status()
            live.stop()
            self.assertEqual([r["role"] for r in status["roles"] if r["restarts"]], [], live.log())
            got = {target: live.intercepted("L%d" % i) for i, target in enumerate(targets)}
            self.assertEqual({g for one in got.values() for g in one.gaps}, set())
            for target, one in got.items():
                self.assertWhole(one, heard.of(target))
            self.assertGreaterEqual(kms.close(), RATE * SECONDS)  # a request that was answered too late is asked again
            print("%d keys at %d a second: at most %s" % (RATE * SECONDS, RATE, peak), file=sys.stderr)
            self.assertLess(max(peak.get("held_octets", 0), peak.get("hold_octets", 0)), HOLD << 20)

        def finished(self, live, span=900):
            """Waits until delivery has no call any more that it writes: told to end, it takes half a minute at most, and goes on later."""
            end, none = time.monotonic() + span, 0
            while none < 3:
                self.assertLess(time.monotonic(), end, "calls are not finished")
                time.sleep(1)
                open_calls = [r["counters"].get("calls_open", 0) for r in live.status()["roles"] if r["role"] == "delivery"]
                none = none + 1 if open_calls == [0] else 0

        @staticmethod
        def watch(live, playing):
            """The peak of all that is told of what is held, and of memory."""
            peak, done = {}, []
            waiting = threading.Thread(target=lambda: done.append(playing.wait()))
            waiting.start()
            while waiting.is_alive():
                for name, value in held(live.status()):
                    peak[name] = max(peak.get(name, 0), value)
                for role, sizes in live.memory().items():
                    peak["KiB of " + role] = max(peak.get("KiB of " + role, 0), *sizes, 0)
                time.sleep(0.3)
            return peak


def held(said, name=""):
    """Every number of `status` whose name speaks of what is held."""
    if isinstance(said, dict):
        for k, v in said.items():
            yield from held(v, k)
    elif isinstance(said, list):
        for v in said:
            yield from held(v, name)
    elif isinstance(said, int) and ("held" in name or "hold" in name or "wait" in name):
        yield name, said


class Keyed(Plan):
    """A call of kms_calls, not yet played: its people are hosts of the test's network."""

    @staticmethod
    def at(number, port=5060):
        return "10.1.0.%d:%d" % (number, port)


class Reference(LiveTest):
    """The reference KMS and its users."""

    def setUp(self):
        self.net = self.network()
        self.kms_folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(self.kms_folder, 0o711)
        self.kms = Operator(self.kms_folder, "ims.example")
        for person in ("alice", "bob", "carol"):
            self.kms.user("sip:%s@ims.example" % person, ["sip:carol@ims.example"] if person == "bob" else ())
        with self.net.inside("m"):
            self.kms.start()
        self.addCleanup(self.kms.close)
        self.live_ = self.live(self.net, start=False, kms_files=self.kms_folder)
        self.kms.agree(self.live_)
        os.chmod(self.kms.folder, 0o711)
        for path in (*self.kms.li, self.kms.certs.ca):
            os.chown(path, USERS["keys"], USERS["keys"])

    def played_call(self, kind, shape):
        people = kms_calls.People("ims.example")
        with self.net.inside("m"):
            call = kms_calls.make(kind, shape, self.kms, people, scene=Keyed())
        keys = {}
        for v in call.s.voices:
            for key, mki, _ in v.spans():
                keys.setdefault(v.src, []).append((key.suite, key.inline, mki))
        return call, keys

    def intercept(self, kind, shape):
        self.live_.warrant_now("L1", "sip:bob@ims.example")
        self.live_.start()
        call, keys = self.played_call(kind, shape)
        recording = self.record(self.net, self.live_)
        self.played(call.s, self.net)
        heard = self.heard(recording, keys)
        time.sleep(1)
        self.live_.stop()
        got = self.live_.intercepted("L1")
        self.assertEqual({s["state"] for c in got.calls for s in c.said["streams"]}, {"decrypted"})
        self.assertEqual({s["key_source"] for c in got.calls for s in c.said["streams"]}, {"kms"})
        self.assertWhole(got, heard.of("sip:bob@ims.example"))

    def test_a_ticket(self):
        self.intercept("ticket", "plain")

    def test_otway_and_rees_diverted(self):
        self.intercept("rees", "CFU")

    def test_keys_that_come_late_open_what_waited(self):
        """The KMS stands still as the call is set up and for three seconds of it; nothing is held up, nothing is lost."""
        self.live_.settings["hold_kib"] = 64
        self.live_.warrant_now("L1", "sip:bob@ims.example")
        self.live_.start()
        call, keys = self.played_call("ticket", "plain")
        self.kms.stop()
        recording = self.record(self.net, self.live_)
        self.played(call.s, self.net)
        time.sleep(3)
        with self.net.inside("m"):
            self.kms.start()
        heard = self.heard(recording, keys)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            got = self.live_.intercepted("L1")
            if got.calls and {s["state"] for c in got.calls for s in c.said["streams"]} == {"decrypted"}:
                break
            time.sleep(0.5)
        self.live_.stop()
        self.assertWhole(self.live_.intercepted("L1"), heard.of("sip:bob@ims.example"))

    def test_what_waited_too_long_is_delivered_sealed_with_the_reason(self):
        """The KMS never answers: after its time nothing is held any more, and every packet is there as it was captured."""
        self.live_.settings.update(hold_kib=64, hold_time="2s")
        self.live_.warrant_now("L1", "sip:bob@ims.example")
        self.live_.start()
        call, _ = self.played_call("ticket", "plain")
        self.kms.stop()
        recording = self.record(self.net, self.live_)
        self.played(call.s, self.net)
        heard = self.heard(recording)
        end = time.monotonic() + 30
        while any(v for k, v in held(self.live_.status()) if k in ("held_octets", "hold_octets")) and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(3)
        self.live_.stop()
        got = self.live_.intercepted("L1")
        self.assertEqual(got.gaps, [])
        self.assertEqual({(s["state"], s["reason"]) for c in got.calls for s in c.said["streams"]}, {("sealed", "kms-unreachable")})
        sealed = {k: sorted(p.raw for _, p in s) for c in got.calls for k, s in c.sealed.items()}
        self.assertEqual(sealed, {k: sorted(p.raw for p in s) for c in heard.of("sip:bob@ims.example") for k, s in c.streams.items()})
        self.assertGreater(len(sealed), 0)


if __name__ == "__main__":
    unittest.main()
