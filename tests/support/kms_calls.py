"""kms_calls: calls whose keys come from a KMS. Simulated users ask the KMS over TLS by mikey_ue or otway_rees_ue, speak SIP to each
other over UDP sockets of the loopback and seal their voices by libsrtp2; what went over the sockets is the capture.

A call is made of three things: how the key comes about (KINDS), what happens in it (SHAPES), and how one can know which KMS to ask
(`Where`). The same names are used by golden/test_kms.py and kms_live.py."""

import base64
import http.client
import secrets
import socket
import ssl
import time

import mikey_ue
import otway_rees_ue
from mikey_wire_ue import SUITES
from scene import Dialog, Scene, sdp

SAVP = "RTP/SAVP"
GCM = "AEAD_AES_256_GCM"
KINDS = ("ticket", "own-ticket", "rees")  # MIKEY-TICKET modes 1 and 3, Otway-Rees
# service: cause, Diversion's reason, what the diverting user's phone answered (None: it was not tried)
DIVERSIONS = {"CFU": (302, "unconditional", None), "CFB": (486, "user-busy", 486), "CFNR": (408, "no-answer", 408),
              "CFNL": (404, "unknown", None), "CD": (487, "deflection", 302), "CFNRc": (503, "unavailable", None)}
SO_NO_CHECK = 11  # Linux
CONTENT = {"ticketrequest": "mikey", "ticketresolve": "mikey", "otwayrees": "otway-rees"}


class Loop(Scene):
    """A scene that is played over sockets of the loopback. Its people live at 127.x.y.N; with a net, there, and in real time."""

    def __init__(self, net=None):
        super().__init__()
        self.clock, self.paced, self.sockets = time.time_ns(), net is not None, {}
        self.net = net or "127.%d.%d." % (1 + secrets.randbelow(250), secrets.randbelow(250))

    def at(self, number, port=5060):
        return "%s%d:%d" % (self.net, number, port)

    def socket(self, address):
        if address not in self.sockets:
            host, port = address.rsplit(":", 1)
            self.sockets[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sockets[address].settimeout(5)
            # The loopback leaves checksums undone: a capture of it had wrong ones. With this there are none (RFC 768).
            self.sockets[address].setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            self.sockets[address].bind((host, int(port)))
        return self.sockets[address]

    def datagram(self, src, dst, payload, at=None):
        sender, receiver = self.socket(src), self.socket(dst)
        sender.sendto(payload, receiver.getsockname())
        came, who = receiver.recvfrom(65536)
        super().datagram("%s:%d" % who, dst, came, at)

    def wait(self, ms):
        super().wait(ms)
        if self.paced:
            time.sleep(max(0, self.clock - time.time_ns()) / 10**9)
            self.clock = max(self.clock, time.time_ns())

    def close(self):
        super().close()
        for s in self.sockets.values():
            s.close()
        self.sockets = {}

    def forget(self):
        """The capture begins now: what went before was not seen."""
        self.frames, self.messages = [], []
        for v in self.voices:
            v.seen, v.plain = [], {}


def ask(network, what, octets):
    """A message of a user to the KMS, as its network's proxy hands it on (TLS 1.3, a certificate on both sides)."""
    context = ssl.create_default_context(cafile=network.certs.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*network.user_side)
    link = http.client.HTTPSConnection("127.0.0.1", network.port, context=context, timeout=30)
    try:
        link.request("POST", "/keymanagement?requesttype=" + what, octets, {"Content-Type": "application/" + CONTENT[what]})
        answer = link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise mikey_ue.Refused("HTTP %d" % answer.status)
        return body
    finally:
        link.close()


class Key:
    """An SRTP master key with its salt, for scene.Voice."""

    def __init__(self, suite, octets):
        self.suite, self.octets = suite, octets

    @property
    def inline(self):
        return base64.b64encode(self.octets).decode()


class Agreed:
    """What one leg agreed on: the keys of both senders, known to both sides and the same."""

    def __init__(self, suite, ours, theirs):
        if any(ours.srtp(cs) != theirs.srtp(cs) for cs in (1, 2)):
            raise AssertionError("the two ends have different keys")
        self.caller, self.callee = (Key(suite, ours.srtp(cs)[0]) for cs in (1, 2))
        self.mki = ours.srtp(1)[1].hex() or None


class Tickets:
    """Key management of one call by MIKEY-TICKET."""

    def __init__(self, network, caller, callee, suite, own, named, spi=b"\0\0\0\1"):
        self.network, self.suite, self.own, self.named = network, SUITES[suite], own, named
        self.caller, self.callee = caller, callee
        self.initiator = mikey_ue.Initiator(self.user(caller), callee, self.suite, spi=spi, named=named)
        if own:
            self.initiator.make_ticket()
        else:
            self.initiator.granted(ask(network, "ticketrequest", self.initiator.request()))

    def user(self, uri):
        return mikey_ue.User(uri, self.network.users[uri][0], self.network.identity)

    def offer(self, ssrc):
        self.ssrc, self.sent = ssrc, self.initiator.transfer(ssrc)
        return mikey_ue.sdp_line(self.sent)

    def answer(self, who, ssrc, call_id):
        """(line of the answer, Agreed)."""
        self.responder = mikey_ue.Responder(self.user(who), self.sent, self.suite)
        self.responder.resolved(ask(self.network, "ticketresolve", self.responder.resolve()))
        octets, self.leg = self.responder.answer(ssrc)
        self.ours = self.initiator.answered(octets)
        return mikey_ue.sdp_line(octets), Agreed(self.suite.name, self.ours, self.leg)

    def renew(self, who, ssrc, call_id):
        """(line of the new offer, of its answer, Agreed): an update where the ticket allows keys of the initiator, else another
        ticket."""
        if self.own:
            update = self.initiator.update(self.ours, b"\0\0\0\2")
            reply = self.responder.updated(self.leg, update)
            self.initiator.updated(self.ours, reply)
            return mikey_ue.sdp_line(update), mikey_ue.sdp_line(reply), Agreed(self.suite.name, self.ours, self.leg)
        other = Tickets(self.network, self.caller, self.callee, self.suite.name, False, self.named, b"\0\0\0\2")
        offer = other.offer(self.ssrc)
        return (offer, *other.answer(who, ssrc, call_id))


class Rees:
    """Key management of one call after Otway and Rees."""

    def __init__(self, network, caller, callee, suite, named, prior=None):
        self.network, self.caller, self.callee, self.suite, self.named = network, caller, callee, suite, named
        self.ours = otway_rees_ue.Caller(caller, network.users[caller][0], callee, suite, network.identity if named else None, prior)

    def offer(self, ssrc):
        return otway_rees_ue.sdp_line(self.ours.offer())

    def answer(self, who, ssrc, call_id):
        theirs = otway_rees_ue.Answerer(who, self.network.users[who][0], self.ours.offer(), call_id)
        octets, run = theirs.response(ask(self.network, "otwayrees", theirs.request()))
        return otway_rees_ue.sdp_line(octets), Agreed(self.suite, self.ours.answered(octets), run)

    def renew(self, who, ssrc, call_id):
        """B of a re-keying is the other party of the dialog."""
        other = Rees(self.network, self.caller, who, self.suite, self.named, prior=self.ours.m)
        return (other.offer(ssrc), *other.answer(who, ssrc, call_id))


def keying(kind, network, caller, callee, suite="AES_CM_128_HMAC_SHA1_80", named=True):
    """named: the token says which KMS made it."""
    if kind == "rees":
        return Rees(network, caller, callee, suite, named)
    return Tickets(network, caller, callee, suite, kind == "own-ticket", named)


class People:
    """Who takes part, where they are and what their SIP says of them."""

    def __init__(self, domain, alice=None, headers=(), call_id=None, suite="AES_CM_128_HMAC_SHA1_80", named=True):
        self.alice, self.bob, self.carol = ("sip:%s@%s" % (n, domain) for n in ("alice", "bob", "carol"))
        self.alice = alice or self.alice
        self.headers = list(headers) or ["P-Asserted-Identity: <%s>" % self.alice]
        self.call_id = call_id or secrets.token_hex(6) + "@" + domain
        self.suite, self.named = suite, named


class Call:
    """A call in the making: of the people, over the loop, keyed in one way."""

    def __init__(self, kind, network, people, net=None, scene=None):
        self.s, self.p, self.kind = scene or Loop(net), people, kind
        self.keying = keying(kind, network, people.alice, people.bob, people.suite, people.named)
        self.a, self.b, self.c, self.proxy = (self.s.at(n) for n in (11, 12, 13, 1))
        self.am, self.bm, self.cm = self.s.at(11, 40000), self.s.at(12, 50000), self.s.at(13, 50000)
        self.ssrc = {self.am: 0x0A0A0A0A, self.bm: 0x0B0B0B0B, self.cm: 0x0C0C0C0C}
        self.diversion = None

    def dialog(self, a, b, callee=None, headers=(), uri=None):
        return Dialog(self.s, a, b, caller=self.p.alice, callee=callee or self.p.bob, call_id=self.p.call_id,
                      headers=[*self.p.headers, *headers], uri=uri)

    def at(self, where, line):
        host, port = where.rsplit(":", 1)
        return sdp(host, (int(port), SAVP), session=[line])

    def offer(self):
        return self.at(self.am, self.keying.offer(self.ssrc[self.am]))

    def answer(self, who, where):
        """(SDP, Agreed)."""
        line, agreed = self.keying.answer(who, self.ssrc[where], self.p.call_id)
        return self.at(where, line), agreed

    def voice(self, src, dst, key, mki):
        return self.s.voice(src, dst, key, ssrc=self.ssrc[src], mki=mki)

    def voices(self, where, agreed):
        return (self.voice(self.am, where, agreed.caller, agreed.mki), self.voice(where, self.am, agreed.callee, agreed.mki))

    def simple(self):
        """(dialog, offer, answer, voices) of Alice and Bob."""
        d, offer = self.dialog(self.a, self.b), self.offer()
        answer, agreed = self.answer(self.p.bob, self.bm)
        d.simple(offer, answer)
        return d, offer, answer, self.voices(self.bm, agreed)


def plain(call):
    """Alice calls Bob; each reports once on what it sent (SRTCP)."""
    d, _, _, voices = call.simple()
    call.s.talk(*voices)
    for v in voices:
        v.control(int(v.dst.rsplit(":", 1)[1]) + 1)
    d.bye()


def forked(call):
    """Two phones ring and speak, each with keys of its own; Carol's, who may answer for Bob, gets the call."""
    d = call.dialog(call.a, call.b)
    d.invite(call.offer())
    to_bob, of_bob = call.answer(call.p.bob, call.bm)
    to_carol, of_carol = call.answer(call.p.carol, call.cm)
    d.reply(183, to_bob, tag="b1")
    d.reply(183, to_carol, tag="c1")
    early, carols = (call.voice(m, call.am, g.callee, g.mki) for m, g in ((call.bm, of_bob), (call.cm, of_carol)))
    call.s.talk(early, carols, count=15)
    d.reply(200, to_carol, tag="c1")
    d.ack(tag="c1")
    call.s.talk(call.voice(call.am, call.cm, of_carol.caller, of_carol.mki), carols, count=15)
    d.bye(tag="c1")


def diverted(service):
    cause, reason, status = DIVERSIONS[service]

    def shape(call):
        p, s = call.p, call.s
        first = call.dialog(call.a, call.proxy)
        to_bob = call.dialog(call.proxy, call.b, uri="sip:bob@" + call.b)
        to_carol = call.dialog(call.proxy, call.c, uri="sip:carol@" + call.c, headers=[
            "History-Info: <%s>;index=1, <%s;cause=%d>;index=1.1;mp=1" % (p.bob, p.carol, cause),
            "Diversion: <%s>;reason=%s;counter=1" % (p.bob, reason)])
        offer = call.offer()
        first.invite(offer)
        if status:
            to_bob.invite(offer)
            to_bob.reply(180)
            to_bob.reply(status)
            to_bob.ack()
        answer, agreed = call.answer(p.carol, call.cm)
        to_carol.invite(offer)
        to_carol.reply(180, tag="c1")
        first.reply(180, tag="c1")
        to_carol.reply(200, answer, tag="c1", headers=["P-Asserted-Identity: <%s>" % p.carol])
        first.reply(200, answer, tag="c1", headers=["P-Asserted-Identity: <%s>" % p.carol])
        first.ack(tag="c1")
        to_carol.ack(tag="c1")
        s.talk(*call.voices(call.cm, agreed))
        first.bye(tag="c1")
        call.diversion = {"service": service, "cause": cause, "by": p.bob, "to": p.carol}
    shape.__doc__ = "Bob's call goes to Carol: %s, cause %d." % (service, cause)
    return shape


def rekeyed(call):
    """New keys in mid-call by a re-INVITE."""
    d, _, _, voices = call.simple()
    call.s.talk(*voices, count=15)
    offer, answer, agreed = call.keying.renew(call.p.bob, call.ssrc[call.bm], call.p.call_id)
    d.invite(call.at(call.am, offer), tag="b1", headers=())
    d.reply(200, call.at(call.bm, answer))
    d.ack()
    for v, key in zip(voices, (agreed.caller, agreed.callee)):
        v.use(key, agreed.mki)
    call.s.talk(*voices, count=15)
    d.bye()


def late(call):
    """Recorded from the middle on: the first that is seen is a re-INVITE that refreshes the session with what it had. (Media that
    was there more than a tenth of a second before it is nobody's yet: otway leaves it out, so it is not made here.)"""
    d, offer, answer, voices = call.simple()
    call.s.talk(*voices, count=10)
    call.s.forget()
    call.s.talk(*voices, count=4)
    d.invite(offer, tag="b1")
    d.reply(200, answer)
    d.ack()
    call.s.talk(*voices, count=15)
    d.bye()


SHAPES = {"plain": plain, "forked": forked, **{s: diverted(s) for s in DIVERSIONS}, "rekeyed": rekeyed, "late": late}


def make(kind, shape, network, people, net=None, scene=None):
    """The Call, played to its end; with a net in real time, its people there (kms_live); with a scene of its own as that has it."""
    call = Call(kind, network, people, net, scene)
    SHAPES[shape](call)
    return call
