"""What goes wrong with a KMS, and who tries to make it: nothing is lost that can be had, nothing is opened that may not be, and the
reason is always told. One call by ticket and one after Otway and Rees, each with a KMS of its own."""

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import kms_calls
import mikey_ue
import mikey_wire_ue
import otway_rees_ue
import pcapfile
from fake_kms import FakeKms
from kms_calls import People, make
from program import OTWAY, stamp
from scene import ethernet
from test_kms import ALICE, BOB, CAROL, DOMAIN, NUMBER, Ordinary, network

BOTH = ("ticket", "rees")


def li_ask(kms, path, body):
    """(status, octets) of a question of the LI side."""
    context = ssl.create_default_context(cafile=kms.certs.ca)
    context.load_cert_chain(*kms.li)
    link = http.client.HTTPSConnection("127.0.0.1", kms.port, context=context, timeout=30)
    try:
        link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def token(call, of=b"INVITE"):
    """The octets of the offer's key management message (or of the answer's), in base64 as it stands in the SDP."""
    offer = next(m.payload for m in call.s.messages if m.payload.startswith(of) and b"a=key-mgmt:" in m.payload)
    return next(line for line in offer.split(b"\r\n") if line.startswith(b"a=key-mgmt:")).split(b" ")[1].decode()


class Faults(Ordinary):
    def each(self):
        for kind in BOTH:
            with self.subTest(kind=kind):
                yield kind, self.call(kind)

    def test_a_kms_that_is_slow_by_five_seconds_loses_nothing(self):
        for kind, call in self.each():
            otway = self.agreed()
            self.kms.process.send_signal(signal.SIGSTOP)
            threading.Timer(5, self.kms.process.send_signal, [signal.SIGCONT]).start()
            began = time.monotonic()
            said = self.decrypt(otway, call)
            self.assertGreater(time.monotonic() - began, 4)
            self.opened(said, call)
            self.assertEqual(len(said["kms"]), 1)
            self.same_trails(otway, self.kms, said)

    def test_a_kms_that_is_down_at_first_opens_it_all_when_it_is_back(self):
        for kind, call in self.each():
            otway = self.agreed()
            self.kms.stop(signal.SIGKILL)
            back = threading.Timer(3, self.kms.start)
            back.start()
            said = self.decrypt(otway, call)
            back.join()
            self.opened(said, call)
            self.same_trails(otway, self.kms, said)

    def test_killed_after_it_stored_it_still_has_the_key(self):
        for kind, call in self.each():
            self.kms.stop(signal.SIGKILL)
            self.kms.start()
            otway = self.agreed()
            self.opened(self.decrypt(otway, call), call)

    def test_killed_between_storing_and_answering_it_gives_the_same_key_when_asked_again(self):
        """The user hears nothing, asks again with the same message and talks; the LI side gets the key of what is talked."""
        for pause in (0, 0.002, 0.005, 0.01, 0.03, 0.1):
            with self.subTest(pause=pause):
                p = People(DOMAIN)
                call = kms_calls.Call("rees", self.kms, p)
                theirs = otway_rees_ue.Answerer(BOB, self.kms.users[BOB][0], call.keying.ours.offer(), p.call_id)
                request = theirs.request()
                asking = threading.Thread(target=self.unheard, args=[request])
                asking.start()
                time.sleep(pause)
                self.kms.stop(signal.SIGKILL)
                asking.join()
                self.kms.start()
                octets, run = theirs.response(kms_calls.ask(self.kms, "otwayrees", request))
                again, run_again = theirs.response(kms_calls.ask(self.kms, "otwayrees", request))
                self.assertEqual(run.k, run_again.k)
                agreed = kms_calls.Agreed(p.suite, call.keying.ours.answered(octets), run)
                d = call.dialog(call.a, call.b)
                d.simple(call.offer(), call.at(call.bm, otway_rees_ue.sdp_line(octets)))
                call.s.talk(*call.voices(call.bm, agreed))
                d.bye()
                self.opened(self.decrypt(self.agreed(), call), call)

    def test_killed_as_the_li_side_is_answered_it_gives_the_same_key_when_asked_again(self):
        """The moment is that at which its store, the log of which is in it, was written."""
        for kind, call in self.each():
            body = {"request": os.urandom(16).hex(), "warrant": "L1", "kms": self.kms.identity, "target": BOB,
                    "protocol": "otway-rees" if kind == "rees" else "mikey", "offer": token(call), "answer": token(call, b"SIP/2.0 200"),
                    "parties": {"from": call.p.alice, "to": BOB, "answered": BOB}, "first_offer": None, "first_answer": None,
                    "dialog": {"call_id": call.p.call_id, "from_tag": "a1", "to_tag": "b1"}, "at": stamp(time.time_ns())}
            written = self.kms.path("kms.db-wal")
            before = os.stat(written).st_mtime_ns, os.stat(written).st_size
            asking = threading.Thread(target=self.unheard, args=[body, lambda b: li_ask(self.kms, "/xk/v1/keys", b)])
            asking.start()
            end = time.monotonic() + 10
            while before == (os.stat(written).st_mtime_ns, os.stat(written).st_size) and time.monotonic() < end:
                pass
            self.kms.stop(signal.SIGKILL)
            asking.join()
            self.assertLess(time.monotonic(), end)
            self.kms.start()
            answers = [json.loads(li_ask(self.kms, "/xk/v1/keys", body)[1]) for _ in range(2)]
            self.assertEqual(answers[0], answers[1])
            self.assertIn("keys", answers[0])
            self.opened(self.decrypt(self.agreed(), call), call)

    def unheard(self, request, ask=None):
        try:
            (ask or (lambda octets: kms_calls.ask(self.kms, "otwayrees", octets)))(request)
        except OSError:
            pass
        except http.client.HTTPException:
            pass

    def test_it_refuses_what_is_of_others(self):
        """Signalling puts somebody into a call who has no part in its key: the KMS knows better."""
        for kind in BOTH:
            with self.subTest(kind=kind):
                who = "sip:mallory@" + DOMAIN
                call = self.call(kind, headers=["P-Asserted-Identity: <%s>" % who])
                otway = self.agreed(who)
                said = self.decrypt(otway, call, code=5)
                self.sealed(said, "kms-refused")
                self.same_trails(otway, self.kms, said)
                self.assertEqual(len(self.trail(otway, "key-request")), 1, "no storm on a refusal")

    def test_what_was_reported_as_ended_is_purged(self):
        for kind, call in self.each():
            status, body = li_ask(self.kms, "/xk/v1/ended", {
                "request": os.urandom(16).hex(), "kms": self.kms.identity, "protocol": "otway-rees" if kind == "rees" else "mikey",
                "dialog": {"call_id": call.p.call_id, "from_tag": "a1", "to_tag": "b1"}, "offer": token(call)})
            self.assertEqual(status, 200)
            self.assertGreater(json.loads(body)["purged"], 0)
            otway = self.agreed()
            said = self.decrypt(otway, call, code=5)
            self.sealed(said, "key-purged")

    def test_a_user_is_no_li_side_and_the_li_side_no_user(self):
        body = {"request": os.urandom(16).hex(), "warrant": "L1", "kms": self.kms.identity, "target": BOB, "protocol": "mikey",
                "parties": {"from": None, "to": None, "answered": None}, "offer": None, "answer": None, "first_offer": None,
                "first_answer": None, "dialog": {"call_id": "x", "from_tag": None, "to_tag": None}, "at": stamp(time.time_ns())}
        self.assertEqual(li_ask(self.kms, "/xk/v1/keys", body)[0], 200)
        li, self.kms.li = self.kms.li, self.kms.user_side
        self.assertEqual(li_ask(self.kms, "/xk/v1/keys", body)[0], 403)
        self.kms.li, self.kms.user_side = li, li
        with self.assertRaises(mikey_ue.Refused):
            self.call("ticket")


class Users(Ordinary):
    """Who asks for a key that is not theirs, or not so."""

    def transferred(self, own):
        keying = kms_calls.keying("own-ticket" if own else "ticket", self.kms, ALICE, BOB)
        keying.offer(1)
        return keying

    def resolve(self, keying, who, change=lambda octets: octets):
        responder = mikey_ue.Responder(keying.user(who), keying.sent, keying.suite)
        responder.resolved(kms_calls.ask(self.kms, "ticketresolve", change(responder.resolve())))

    def test_only_who_may_answer_has_a_ticket_resolved(self):
        for own in (False, True):
            keying = self.transferred(own)
            for who in (BOB, CAROL):
                self.resolve(keying, who)
            for who in (ALICE, NUMBER):
                with self.subTest(own=own, who=who), self.assertRaises(mikey_ue.Refused):
                    self.resolve(keying, who)

    def test_what_was_changed_on_the_way_is_resolved_for_nobody(self):
        """The request's MAC; the ticket; Initiator Data, by which the initiator is known (RFC 6043 6.10)."""
        for own in (False, True):
            keying = self.transferred(own)
            ticket = keying.initiator.ticket
            for name, at in (("request", lambda o: len(o) - 1), ("ticket", lambda o: o.index(ticket.data) + 40),
                             ("ticket's MAC", lambda o: o.index(ticket.data) + len(ticket.data) - 1),
                             ("policy", lambda o: o.index(ticket.data) - 8),
                             ("Vi", lambda o: o.index(ticket.data) + len(ticket.data) + 8),
                             ("Vr", lambda o: o.index(ticket.data) + len(ticket.data) + 28)):
                def change(octets):
                    i = at(octets)
                    return self.signed(keying, octets[:i] + bytes([octets[i] ^ 1]) + octets[i + 1:], name)
                with self.subTest(own=own, name=name), self.assertRaises(mikey_ue.Refused):
                    self.resolve(keying, BOB, change)
            self.resolve(keying, BOB, lambda octets: self.signed(keying, octets, "nothing"))

    def signed(self, keying, octets, name):
        """The changed request under its user's good MAC: all but the MAC itself is the user's word."""
        if name == "request":
            return octets
        size = mikey_wire_ue.MAC_SIZE[keying.suite.mac]
        message = mikey_wire_ue.Message(octets)
        key = lambda c, n: mikey_wire_ue.message_key(c, n, self.kms.users[BOB][0], message.csb, message.function, False,
                                                     rand_r=message.rand(mikey_wire_ue.RESPONDER))
        return mikey_wire_ue.sign(octets[:-size], keying.suite.mac, key, BOB.encode() + self.kms.identity.encode())

    def test_only_who_may_answer_is_given_a_key_after_otway_and_rees(self):
        caller = otway_rees_ue.Caller(ALICE, self.kms.users[ALICE][0], BOB)
        for who, may in ((BOB, True), (CAROL, True), (NUMBER, False)):
            with self.subTest(who=who):
                answerer = otway_rees_ue.Answerer(who, self.kms.users[who][0], caller.offer(), "c1")
                answer = kms_calls.ask(self.kms, "otwayrees", answerer.request())
                if may:
                    answerer.response(answer)
                else:
                    with self.assertRaises(otway_rees_ue.Refused):
                        answerer.response(answer)

    def test_an_m_that_was_used_is_another_call_for_nobody(self):
        caller = otway_rees_ue.Caller(ALICE, self.kms.users[ALICE][0], BOB)
        first = otway_rees_ue.Answerer(BOB, self.kms.users[BOB][0], caller.offer(), "c1")
        first.response(kms_calls.ask(self.kms, "otwayrees", first.request()))
        again = otway_rees_ue.Caller(CAROL, self.kms.users[CAROL][0], BOB, m=caller.m)
        second = otway_rees_ue.Answerer(BOB, self.kms.users[BOB][0], again.offer(), "c2")
        with self.assertRaisesRegex(otway_rees_ue.Refused, "error 4"):
            second.response(kms_calls.ask(self.kms, "otwayrees", second.request()))


class Patience(Ordinary):
    """What never gets better: decrypt gives it up after a minute. All at once, since all wait."""

    def fake(self, otway, name, answer, who="ours"):
        fake = FakeKms(otway.path(name), answer, who=who)
        self.addCleanup(fake.close)
        otway.run("kms", "add", self.kms.identity, "--url", fake.url, "--ca", fake.ca, "--cert", fake.li[0], "--key", fake.li[1],
                  code=0)
        return fake

    def test_what_cannot_be_right_is_given_up_as_unreachable_and_opens_nothing(self):
        calls = {kind: self.call(kind) for kind in BOTH}
        old = {}  # an answer of the KMS to another request for the same call
        for kind, call in calls.items():
            kept = []
            otway = self.store()
            self.fake(otway, "kms", lambda path, body, kept=kept: kept.append(li_ask(self.kms, path, body)) or kept[-1])
            self.opened(self.decrypt(otway, call), call)
            old[kind] = kept[-1]
        answers = {"down": None, "garbage": lambda path, body: (200, b"\0\xffgarbage" * 40),
                   "half": lambda path, body: (200, b'{"request": "'), "error": lambda path, body: (500, b"{}")}
        waiting, said = [], {}

        def run(kind, name, otway):
            said[kind, name] = self.decrypt(otway, calls[kind], code=5)

        for kind in BOTH:
            for name, answer in {**answers, "replay": lambda path, body, kind=kind: old[kind]}.items():
                otway = self.store()
                fake = self.fake(otway, "fake", answer)
                if answer is None:
                    fake.close()
                calls[kind].s.write(otway.path("call.pcap"))
                waiting.append(threading.Thread(target=run, args=[kind, name, otway]))
        for t in waiting:
            t.start()
        for t in waiting:
            t.join()
        for kind in BOTH:
            for name in [*answers, "replay"]:
                with self.subTest(kind=kind, name=name):
                    self.sealed(said[kind, name], "kms-unreachable")

    def test_a_wrong_certificate_is_asked_once_and_never_in_clear(self):
        """Whoever answers in its place is told nothing: not the target, not the warrant, no token."""
        for kind in BOTH:
            with self.subTest(kind=kind):
                call, otway = self.call(kind), self.store()
                fake = self.fake(otway, "fake", lambda path, body: (200, b"{}"), who="others")
                said = self.decrypt(otway, call, code=5)
                self.assertEqual({s["state"] for s in said["streams"]}, {"sealed"})
                self.assertNotEqual(said["kms"][0]["outcome"], "keys")
                self.assertEqual(fake.asked, [])


class Hostile(Ordinary):
    def rewrite(self, call, change):
        """Every message of the capture, its SDP changed by somebody on the way."""
        frames = []
        for at, frame in call.s.frames:
            (d,) = pcapfile.datagrams([pcapfile.Packet(at, pcapfile.ETHERNET, frame, len(frame))])
            payload = d.payload
            if b"a=key-mgmt:" in payload:
                head, _, body = payload.partition(b"\r\n\r\n")
                body = change(body, payload)
                lines = [b"Content-Length: %d" % len(body) if x.startswith(b"Content-Length") else x for x in head.split(b"\r\n")]
                payload = b"\r\n".join(lines) + b"\r\n\r\n" + body
            frames.append((at, ethernet(d.src, d.dst, payload)))
        call.s.frames = frames

    def test_s92_a_forged_key_in_signalling_changes_nothing(self):
        """A line of a=crypto beside the token; a MIKEY message with a key in clear behind it, before it, or on the m-line; a KEMAC in
        clear within it."""
        forged = os.urandom(30)
        crypto = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n" % base64.b64encode(forged)

        def beside(body, whole):
            return body + crypto

        def line():
            w = mikey_wire_ue
            psk = w.Header(0, 7, 0, []).encode(w.T) + w.chain([
                (w.T, b"\0" + w.ntp()), (w.RAND, w.counted(bytes(16))),
                w.kemac(0, w.chain([w.key_data(w.TGK, forged[:16], b"\0\0\0\1")])[1])])[1]
            return mikey_ue.sdp_line(psk).encode() + b"\r\n"

        def behind(body, whole):
            return body.replace(b"m=audio", line() + b"m=audio", 1)

        def before(body, whole):
            return body.replace(b"a=key-mgmt:", line() + b"a=key-mgmt:", 1)

        def of_the_line(body, whole):
            return body + line()

        def within(body, whole):
            w = mikey_wire_ue
            begin = body.index(b"a=key-mgmt:mikey ") + len(b"a=key-mgmt:mikey ")
            end = body.index(b"\r\n", begin)
            octets = base64.b64decode(body[begin:end])
            m = w.Message(octets)
            payloads = m.payloads[:-1] + [w.kemac(0, w.chain([w.key_data(w.TGK, forged[:16], b"\0\0\0\1")])[1]), m.payloads[-1]]
            size = len(octets) - len(w.chain(m.payloads)[1])
            return body[:begin] + base64.b64encode(octets[:size] + w.chain(payloads)[1]) + body[end:]

        for kind, changes in (("ticket", (beside, behind, before, of_the_line, within)), ("own-ticket", (within,)),
                              ("rees", (beside, behind, before))):
            for change in changes:
                with self.subTest(kind=kind, change=change.__name__):
                    call, otway = self.call(kind), self.agreed()
                    self.rewrite(call, change)
                    said = self.decrypt(otway, call)
                    self.opened(said, call)
                    self.assertEqual([(k["outcome"], k["mismatch"]) for k in said["kms"]], [("keys", change in (beside, within))])

    def strace(self, otway, call, how=("--kms", "--config", "otway.yaml")):
        """The system calls of the network that decrypt makes."""
        call.s.write(otway.path("call.pcap"))
        out = otway.path("strace.out")
        done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=network", "-o", out, OTWAY, "decrypt", "--store",
                               "sqlite:" + otway.store, otway.path("call.pcap"), "--out", otway.path("case"),
                               *(otway.path(w) if w.endswith(".yaml") else w for w in how)],
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=120)
        with open(out, encoding="utf-8", errors="replace") as f:
            return done.returncode, f.read()

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_s97_a_kms_outside_the_agreements_gets_no_packet_and_its_name_is_not_looked_up(self):
        """The same run with an agreement does connect."""
        for kind in BOTH:
            with self.subTest(kind=kind):
                call = self.call(kind, headers=["P-Asserted-Identity: <%s>" % ALICE, "X-Kms: <sip:kms@kms.hostile.example>"])
                otway = self.store()
                with open(otway.path("otway.yaml"), "w", encoding="utf-8") as f:
                    f.write("kms_header: X-Kms\n")
                code, calls = self.strace(otway, call)
                self.assertEqual(code, 5)
                self.assertNotIn("AF_INET", calls)
                (said,) = otway.case("L1")["calls"]
                self.sealed(said, "kms-no-agreement")
                self.assertIn(("sip:kms@kms.hostile.example", "kms-no-agreement"),
                              [(t["kms"], t["outcome"]) for t in said["kms"][0]["tried"]])
                self.kms.agree(otway)
                shutil.rmtree(otway.path("case"))
                code, calls = self.strace(otway, call)
                self.assertEqual(code, 0)
                self.assertIn("sin_port=htons(%d)" % self.kms.port, calls)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_nobody_is_asked_who_is_not_to_be(self):
        """Without --kms and --keys no socket is opened, though there is an agreement; with --kms one is. (The C library looks for
        its cache of user names at a path of this machine: who runs it is in the trail.)"""
        for kind in BOTH:
            with self.subTest(kind=kind):
                call, otway = self.call(kind), self.agreed()
                code, calls = self.strace(otway, call, how=[])
                self.assertEqual(code, 5)
                self.assertEqual([c for c in calls.splitlines() if "nscd" not in c and "socket(AF_UNIX" not in c], [])
                (said,) = otway.case("L1")["calls"]
                self.assertEqual({s["state"] for s in said["streams"]}, {"sealed"})
                shutil.rmtree(otway.path("case"))
                code, calls = self.strace(otway, call, how=["--kms"])
                self.assertEqual(code, 0)
                self.assertIn("sin_port=htons(%d)" % self.kms.port, calls)

    def test_an_agreement_that_was_ended_is_asked_no_more(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.2)
            call, otway = self.call("rees"), self.store()
            cert, key = self.kms.li
            otway.run("kms", "add", self.kms.identity, "--url", "https://127.0.0.1:%d" % listener.getsockname()[1], "--ca",
                      self.kms.certs.ca, "--cert", cert, "--key", key, code=0)
            otway.run("kms", "remove", self.kms.identity, code=0)
            self.sealed(self.decrypt(otway, call, code=5), "kms-no-agreement")
            with self.assertRaises(TimeoutError):
                listener.accept()


class Operators(Ordinary):
    """A home network and a visited one, each with its own KMS, CA and credential of ours."""

    def test_each_is_asked_for_its_own_with_its_own_credential(self):
        home, visited = "home.example", "visited.example"
        bob, alice, anna = "sip:bob@" + home, "sip:alice@" + visited, "sip:anna@" + home
        networks = {d: network(self, self.folder, d, users=(bob, alice, anna), li="li-of-" + d) for d in (home, visited)}
        for kind in ("ticket", "own-ticket", "rees"):
            for asked, caller in ((home, anna), (visited, alice)):
                with self.subTest(kind=kind, asked=asked):
                    people = People(home, alice=caller)
                    call = make(kind, "plain", networks[asked], people)
                    otway = self.store(bob)
                    networks[home].agree(otway, "--home", home)
                    networks[visited].agree(otway, "--home", visited, "--roaming-partner")
                    before = {d: len(n.log(otway)) for d, n in networks.items()}
                    said = self.decrypt(otway, call)
                    self.opened(said, call)
                    self.assertEqual([k["kms"] for k in said["kms"]], ["sip:kms@" + asked])
                    new = {d: n.log(otway)[before[d]:] for d, n in networks.items()}
                    self.assertEqual([(x["act"], x["peer"]) for x in new[asked]], [("xk-keys", "li-of-" + asked)])
                    self.assertEqual(new[home if asked == visited else visited], [])

    def test_a_partner_is_given_keys_of_its_own_users_alone(self):
        home, visited = "home.example", "visited.example"
        bob, alice = "sip:bob@" + home, "sip:alice@" + visited
        kms = network(self, self.folder, home, users=(bob, alice))
        kms.stop()
        kms.more = {"li_partners": "[{client: partner, homes: [%s]}]" % visited}
        kms.start()
        cert, key = kms.certs.vouch("partner")
        for kind in BOTH:
            for target, given in ((alice, True), (bob, False)):
                with self.subTest(kind=kind, target=target):
                    call, otway = make(kind, "plain", kms, People(home, alice=alice)), self.store(target)
                    otway.run("kms", "add", kms.identity, "--url", kms.url, "--ca", kms.certs.ca, "--cert", cert, "--key", key,
                              "--default", code=0)
                    before = len(kms.log(otway))
                    said = self.decrypt(otway, call, code=0 if given else 5)
                    (self.opened(said, call) if given else self.sealed(said, "kms-no-agreement"))
                    new = kms.log(otway)[before:]
                    self.assertEqual([(x["act"], x["peer"], x["outcome"]) for x in new if x["act"] == "xk-keys"],
                                     [("xk-keys", "partner", "keys" if given else "no-agreement")])
                    self.same_trails(otway, kms, said)

    def test_the_credential_for_one_does_not_open_the_other(self):
        other = network(self, self.folder, "other.example")
        otway, call = self.store(), self.call("rees")
        cert, key = other.li
        otway.run("kms", "add", self.kms.identity, "--url", self.kms.url, "--ca", self.kms.certs.ca, "--cert", cert, "--key", key,
                  code=0)
        before = len(self.kms.log(otway))
        said = self.decrypt(otway, call, code=5)
        self.assertEqual({s["state"] for s in said["streams"]}, {"sealed"})
        self.assertEqual([x for x in self.kms.log(otway)[before:] if x["outcome"] == "keys"], [])


if __name__ == "__main__":
    unittest.main()
