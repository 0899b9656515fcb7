"""mikey_ue: the user's side of MIKEY-TICKET, written from RFC 6043 (and RFC 3830, where that refers to it) alone: an initiator that
requests a ticket or makes one itself (modes 1 and 3 of 4.1.1), and a responder that has it resolved. Shares no code with otway and
was written without a look at it, so that both can judge each other."""

import base64
import os
import struct
import time

from cipher_ue import NotAuthentic
from mikey_wire_ue import *  # noqa: F403: the RFC's names


def sdp_line(octets):
    """RFC 4567 3.1."""
    return "a=key-mgmt:mikey " + base64.b64encode(octets).decode()


class User:
    """Who has a key in common with a KMS."""

    def __init__(self, uri, psk, kms, now=None):
        self.uri, self.psk, self.kms, self.now = uri, psk, kms, now

    def stamp(self):
        return T, bytes([NTP_UTC]) + ntp(self.now() if self.now else None)

    def ask(self, kind, role, suite, middle):
        """A message to the KMS (RFC 6043 4.2.1, 4.2.3), and what opens its answer."""
        csb, rand = int.from_bytes(os.urandom(4), "big"), os.urandom(suite.master)
        rands = {"rand_i": rand} if role == INITIATOR else {"rand_r": rand}
        payloads = [self.stamp(), randr(role, rand), idr(role, self.uri), idr(KMS, self.kms), middle, idr(PSK, self.uri)]
        key = lambda answer: lambda c, size: message_key(c, size, self.psk, csb, suite.prf, answer, **rands)
        octets = sign(build(Header(kind, csb, suite.prf, response=True), payloads, suite.mac), suite.mac, key(False),
                      self.uri.encode() + self.kms.encode())
        return octets, key(True)

    def told(self, octets, kind, asked, key):
        """The KMS's answer, verified; and the keys in it."""
        answer = Message(octets)
        if answer.data_type != kind or answer.csb != struct.unpack_from(">I", asked, 4)[0]:
            raise Refused("not the answer to what was asked")
        verify(answer, key, asked)
        body = answer.one(KEMAC)
        data = body[3:3 + struct.unpack_from(">H", body, 1)[0]]
        return answer, Keys(crypted(body[0], key, answer.csb, answer.stamp, data))


class Leg:
    """What initiator and responder have in common when a call is answered."""

    def __init__(self, suite, flags, csb, rand_i, rand_r, mpk, keys, peer, answer):
        self.suite, self.flags, self.csb, self.rand_i, self.rand_r, self.mpk = suite, flags, csb, rand_i, rand_r, mpk
        self.keys, self.peer, self.answer = keys, peer, answer

    def key_of(self, constant, size):
        """What protects TRANSFER_RESP, and later updates (5.2: the same keys that protected the last message)."""
        return message_key(constant, size, self.mpk, self.csb, self.suite.prf, True, self.rand_i, self.rand_r)

    def srtp(self, cs):
        """(master key and salt, MKI) of a crypto session."""
        kind, key, salt, spi = self.keys[-1]
        if kind in (TEK, TEK_SALT):
            return key + salt, spi
        rand_i = self.rand_i if "H" in self.flags else b""
        make = lambda c, size: session_key(c, size, key, cs, self.suite.prf, rand_i, self.rand_r)
        return make(TEK_OF, self.suite.key) + (salt[:self.suite.salt] if salt else make(SALT_OF, self.suite.salt)), spi


    def kemac(self, stamp, keys):
        return kemac(self.suite.encryption, crypted(self.suite.encryption, self.key_of, self.csb, stamp[1][1:], chain(keys)[1]))

    def take(self, message):
        """The keys of an update's KEMAC; a new TGK is not forked (5.2)."""
        body = message.one(KEMAC)
        data = body[3:3 + struct.unpack_from(">H", body, 1)[0]]
        self.keys += Keys(crypted(body[0], self.key_of, self.csb, message.stamp, data)).others


def fork_keys(keys, function, uri, rand_kms):
    """TGKs of a leg; TEKs and GTGKs are not forked."""
    return [(kind, forked(TGK_FORKED, key, function, uri, rand_kms) if kind in (TGK, TGK_SALT) else key, salt, spi)
            for kind, key, salt, spi in keys]


class Initiator:
    """Sends the ticket. What it protects: crypto session 1 is what it sends, 2 what the responder sends."""

    def __init__(self, user, callee, suite=None, forking=True, spi=b"\0\0\0\1", named=True):
        """spi: the MKI. named: the ticket's policy says which KMS can resolve it."""
        self.user, self.callee, self.spi, self.named = user, callee, spi, named
        self.suite = suite or SUITES["AES_CM_128_HMAC_SHA1_80"]
        self.flags = set("EFGHILNO") if forking else set("EFGHLNO")
        self.csb = int.from_bytes(os.urandom(4), "big")

    def _policy(self, flags, more=()):
        now = self.user.now() if self.user.now else time.time()
        times = [(TR, bytes([role, NTP_UTC_32]) + ntp(now + offset)[:4]) for role, offset in ((2, -300), (3, 3600))]
        kms = [idr(KMS, self.user.kms)] if self.named else []
        return policy_body(flags, self.suite.prf, [*kms, idr(INITIATOR, self.user.uri), *times, *more, idr(RESPONDER, self.callee)])

    def request(self):
        """REQUEST_INIT_PSK (4.2.1): one TGK wished for, with our MKI."""
        wish = kemac(0, chain([key_data(TGK, bytes(self.suite.master), self.spi)])[1])
        self.asked, self._answer = self.user.ask(REQUEST_INIT_PSK, INITIATOR, self.suite,
                                                 (TP, self._policy(self.flags | {"D"}, [wish])))
        return self.asked

    def granted(self, octets):
        """REQUEST_RESP."""
        answer, keys = self.user.told(octets, REQUEST_RESP, self.asked, self._answer)
        self.ticket = Ticket(answer.one(TICKET))
        wanted = self.flags & set("EFINO") | {"D"}  # the KMS may think otherwise of RANDs and of keys of ours: they are its policy
        if not wanted <= self.ticket.flags or self.ticket.uri(RESPONDER) != self.callee:
            raise Refused("a policy that is not acceptable")
        self.mpki, self.mpkr = keys.mpks[0], keys.mpks[-1]
        self.keys = keys.others

    def make_ticket(self):
        """Mode 3: the TPK is what we have in common with the KMS (appendix A)."""
        mpk, tgk, rand = os.urandom(self.suite.master), os.urandom(self.suite.master), os.urandom(self.suite.master)
        stamp = self.user.stamp()
        key_of = lambda c, size: ticket_key(c, size, self.user.psk, self.suite.prf, 5, rand)
        inner = chain([key_data(MPK, mpk, self.spi), key_data(TGK, tgk, self.spi)])[1]
        sealed = crypted(self.suite.encryption, key_of, ALL_CSB, stamp[1][1:], inner)
        first, octets = chain([stamp, (RAND, counted(rand)), kemac(self.suite.encryption, sealed), idr(PSK, self.user.uri),
                               (V, bytes([self.suite.mac]))])
        data = bytes([first]) + struct.pack(">H", 0) + octets  # THDR, of no data of its own
        body = self._policy(self.flags) + struct.pack(">H", len(data) + MAC_SIZE[self.suite.mac]) + data
        self.ticket = Ticket(sign(body, self.suite.mac, key_of) + bytes(2))
        self.mpki = ticket_key(MPKI_OF, len(mpk), mpk, self.suite.prf, 6, rand)
        self.mpkr = ticket_key(MPKR_OF, len(mpk), mpk, self.suite.prf, 6, rand)
        self.keys = [(TGK, tgk, b"", self.spi)]

    def _initiator_data(self, mac):
        if "I" not in self.ticket.flags:
            return bytes(2)
        v = bytes([self.suite.mac])
        data = bytes([V, V]) + v + mac + bytes([LAST]) + v
        key_of = lambda c, size: prf(self.ticket.prf, self.mpkr, struct.pack(">IBIB", c, 0xFF, ALL_CSB, 4), size)
        data = sign(data, self.suite.mac, key_of)
        return struct.pack(">H", len(data)) + data

    def transfer(self, ssrc):
        """TRANSFER_INIT (4.2.2) for one m-line, of which our SSRC is known."""
        self.rand, self.ssrc = os.urandom(self.suite.master), ssrc
        sessions = [Session(1, [1], ssrc, self.spi), Session(2, [1], None, self.spi)]
        header = Header(TRANSFER_INIT, self.csb, self.suite.prf, sessions, "F" in self.ticket.flags)
        before = [self.user.stamp(), randr(INITIATOR, self.rand), idr(INITIATOR, self.user.uri), idr(RESPONDER, self.callee),
                  (SP, self.suite.policy(1))]
        key_of = lambda c, size: message_key(c, size, self.mpki, self.csb, self.suite.prf, False, self.rand)
        covered = build(header, before + [(TICKET, self.ticket.covered)], self.suite.mac)
        covered = sign(covered, self.suite.mac, key_of, self.user.uri.encode() + self.callee.encode())
        mac = covered[-MAC_SIZE[self.suite.mac]:]
        ticket = self.ticket.covered + self._initiator_data(mac)
        self.sent = build(header, before + [(TICKET, ticket)], self.suite.mac) + mac
        return self.sent

    def answered(self, octets):
        """TRANSFER_RESP: the leg of who sent it."""
        answer = Message(octets)
        if answer.data_type != TRANSFER_RESP or answer.csb != self.csb:
            raise Refused("not the answer to the transfer")
        peer, rand_kms, mpk, keys = answer.uri(RESPONDER), answer.rand(KMS), self.mpki, self.keys
        if "I" in self.ticket.flags:
            mpk = forked(MPK_FORKED, self.mpkr, self.ticket.prf, peer, rand_kms)
            keys = fork_keys(keys, self.ticket.prf, peer, rand_kms)
        leg = Leg(self.suite, self.ticket.flags, self.csb, self.rand, answer.rand(RESPONDER) or b"", mpk, list(keys),
                  peer or self.callee, answer)
        verify(answer, leg.key_of, self.sent)
        return leg

    def update(self, leg, spi):
        """A TRANSFER_INIT that brings a new TGK (5.2)."""
        if "L" not in leg.flags:
            raise Refused("the ticket's policy allows no keys of the initiator's")
        stamp = self.user.stamp()
        new = (TGK, os.urandom(self.suite.master), b"", spi)
        sessions = [Session(1, [1], self.ssrc, spi), Session(2, [1], leg.answer.sessions[1].ssrc, spi)]
        octets = build(Header(TRANSFER_INIT, self.csb, self.suite.prf, sessions, True),
                       [stamp, idr(INITIATOR, self.user.uri), idr(RESPONDER, leg.peer), (SP, self.suite.policy(1)),
                        leg.kemac(stamp, [key_data(TGK, new[1], spi)])], self.suite.mac)
        self.sent = sign(octets, self.suite.mac, leg.key_of, self.user.uri.encode() + leg.peer.encode())
        leg.keys.append(new)
        return self.sent

    def updated(self, leg, octets):
        verify(Message(octets), leg.key_of, self.sent)


class Responder:
    """Gets the ticket, has the KMS resolve it and answers."""

    def __init__(self, user, transfer, suite=None):
        self.user, self.init = user, Message(transfer)
        self.suite = suite or SUITES["AES_CM_128_HMAC_SHA1_80"]
        self.ticket = Ticket(self.init.one(TICKET))
        if self.init.one(SP) != self.suite.policy(1):
            raise Refused("a security policy that is not acceptable")

    def resolve(self):
        """RESOLVE_INIT_PSK (4.2.3)."""
        self.asked, self._answer = self.user.ask(RESOLVE_INIT_PSK, RESPONDER, self.suite, (TICKET, self.init.one(TICKET)))
        return self.asked

    def resolved(self, octets):
        """RESOLVE_RESP; then what was sent to us can be verified."""
        answer, keys = self.user.told(octets, RESOLVE_RESP, self.asked, self._answer)
        self.uri, self.rand_kms = answer.uri(RESPONDER), answer.rand(KMS)
        self.mpk, self.keys, rand_i = keys.mpks[-1], keys.others, self.init.rand(INITIATOR)
        key_of = lambda c, size: message_key(c, size, keys.mpks[0], self.init.csb, self.init.function, False, rand_i)
        verify(self.init, key_of, self.init.uri(INITIATOR).encode() + self.init.uri(RESPONDER).encode())
        if "I" in self.ticket.flags:
            vi = unchain(self.ticket.initiator_data[0], self.ticket.initiator_data[1:])[0][1]
            if vi[1:] != self.init.mac:
                raise NotAuthentic

    def answer(self, ssrc):
        """TRANSFER_RESP, and the leg."""
        rand = os.urandom(self.suite.master) if "G" in self.ticket.flags else b""
        rand_i = self.init.rand(INITIATOR)
        leg = Leg(self.suite, self.ticket.flags, self.init.csb, rand_i, rand, self.mpk, list(self.keys),
                  self.init.uri(INITIATOR), None)
        spi = self.keys[-1][3]
        sessions = [Session(1, [1], self.init.sessions[0].ssrc, spi), Session(2, [1], ssrc, spi)]
        payloads = [self.user.stamp()] + ([randr(RESPONDER, rand)] if rand else []) + \
            ([idr(RESPONDER, self.uri)] if self.uri else []) + ([randr(KMS, self.rand_kms)] if self.rand_kms else [])
        octets = build(Header(TRANSFER_RESP, self.init.csb, self.init.function, sessions), payloads, self.suite.mac)
        octets = sign(octets, self.suite.mac, leg.key_of, self.init.octets)
        leg.answer = Message(octets)
        return octets, leg

    def updated(self, leg, transfer):
        """Takes the new key of an update; the TRANSFER_RESP to it."""
        init = Message(transfer)
        verify(init, leg.key_of, init.uri(INITIATOR).encode() + init.uri(RESPONDER).encode())
        leg.take(init)
        octets = build(Header(TRANSFER_RESP, init.csb, init.function, init.sessions),
                       [self.user.stamp(), idr(RESPONDER, self.uri or self.user.uri)], self.suite.mac)
        return sign(octets, self.suite.mac, leg.key_of, init.octets)
