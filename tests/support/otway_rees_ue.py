"""otway_rees_ue: the user's side of the Otway-Rees profile, written from the docstring of include/otway/otway_rees.h alone: who
calls makes message 1 and takes 4; who answers makes 2, takes 3 and makes 4."""

import base64
import hashlib
import hmac
import os
import struct

from cipher_ue import NotAuthentic, seal, unseal

OFFER, REQUEST, RESPONSE, ANSWER, ERROR = range(1, 6)
A, B, R, KMS, POLICY, PRIOR, CALL_ID, NR, ENVELOPE_A, ENVELOPE_R, WRONG = 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x11, 0x12
# name: number, octets of the master key and of its salt
SUITES = {"AES_CM_128_HMAC_SHA1_80": (1, 16, 14), "AES_CM_128_HMAC_SHA1_32": (2, 16, 14), "AES_256_CM_HMAC_SHA1_80": (3, 32, 14),
          "AES_256_CM_HMAC_SHA1_32": (4, 32, 14), "AEAD_AES_128_GCM": (5, 16, 12), "AEAD_AES_256_GCM": (6, 32, 12)}


class Refused(Exception):
    """The KMS answered with an error, or what came does not fit."""


def hkdf(secret, salt, info, size):
    """RFC 5869 with SHA-256."""
    key, block, out = hmac.digest(salt, secret, "sha256"), b"", b""
    while len(out) < size:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:size]


def named(uri):
    return struct.pack(">H", len(uri.encode())) + uri.encode()


def encode(kind, m, fields):
    out = b"OR\1" + bytes([kind]) + m
    for number, value in sorted(fields.items()):
        out += struct.pack(">BH", number, len(value)) + value
    return out


def decode(octets, kind):
    """(M, {field: value}) of a message of that kind."""
    if octets[:3] != b"OR\1" or len(octets) < 20:
        raise Refused("no message")
    m, at, fields = octets[4:20], 20, {}
    while at < len(octets):
        number, size = struct.unpack_from(">BH", octets, at)
        if fields and number <= max(fields) or at + 3 + size > len(octets):
            raise Refused("fields out of order, or too long")
        fields[number] = octets[at + 3:at + 3 + size]
        at += 3 + size
    if octets[3] == ERROR:
        raise Refused("error %d" % fields[WRONG][0])
    if octets[3] != kind:
        raise Refused("a message of another type")
    return m, fields


def policy(sessions):
    """sessions: (cs, suite, MKI) each."""
    return b"".join(bytes([cs, SUITES[suite][0], len(mki)]) + mki for cs, suite, mki in sessions)


def sessions_of(octets):
    found, names = [], {v[0]: k for k, v in SUITES.items()}
    while octets:
        size = octets[2]
        found.append((octets[0], names[octets[1]], octets[3:3 + size]))
        octets = octets[3 + size:]
    return found


class Envelope:
    """What one user seals and opens in the run M between A and B."""

    def __init__(self, user, psk, m, a, b):
        self.m, self.ids = m, named(a) + named(b)
        self.key = hkdf(psk, m, b"otway-rees 1 envelope" + named(user), 32)

    def seal(self, kind, plain):
        nonce = os.urandom(12)
        return nonce + seal(self.key, nonce, b"OR\1" + bytes([kind]) + self.m + self.ids, bytes([kind]) + plain)

    def unseal(self, kind, octets, nonce_of_ours):
        """(R, Nr, K) of an envelope of the KMS."""
        plain = unseal(self.key, octets[:12], b"OR\1" + bytes([kind]) + self.m + self.ids, octets[12:])
        size = struct.unpack_from(">H", plain, 17)[0]
        r, rest = plain[19:19 + size].decode(), plain[19 + size:]
        if plain[0] != kind or plain[1:17] != nonce_of_ours or len(rest) != 48:
            raise NotAuthentic
        return r, rest[:16], rest[16:]


def sdp_line(octets):
    return "a=key-mgmt:otway-rees " + base64.b64encode(octets).decode()


class Run:
    """K of one leg, and what it protects."""

    def __init__(self, m, k, sessions, r):
        self.m, self.k, self.sessions, self.r = m, k, sessions, r

    def srtp(self, cs):
        """(master key and salt, MKI) of a crypto session."""
        suite, mki = next((s, i) for c, s, i in self.sessions if c == cs)
        number, key, salt = SUITES[suite]
        return hkdf(self.k, self.m, b"otway-rees 1 srtp" + bytes([cs, number]), key + salt), mki


class Caller:
    def __init__(self, uri, psk, callee, suite="AES_CM_128_HMAC_SHA1_80", kms=None, prior=None, mki=b"", lines=1, m=None):
        self.uri, self.callee, self.m, self.nonce = uri, callee, m or os.urandom(16), os.urandom(16)
        self.fields = {A: uri.encode(), B: callee.encode(),
                       POLICY: policy([(cs, suite, mki) for cs in range(1, 2 * lines + 1)])}
        if kms:
            self.fields[KMS] = kms.encode()
        if prior:
            self.fields[PRIOR] = prior
        self.envelope = Envelope(uri, psk, self.m, uri, callee)
        bound = encode(0, b"", {f: v for f, v in self.fields.items() if f in (KMS, POLICY, PRIOR)})[4:]
        self.fields[ENVELOPE_A] = self.envelope.seal(1, self.nonce + self.m + named(uri) + named(callee) +
                                                     hashlib.sha256(bound).digest())

    def offer(self):
        """Message 1."""
        return encode(OFFER, self.m, self.fields)

    def answered(self, octets):
        """Takes message 4: the run with who answered."""
        m, fields = decode(octets, ANSWER)
        r, nr, k = self.envelope.unseal(3, fields[ENVELOPE_A], self.nonce)
        if m != self.m or r.encode() != fields[R] or nr != fields[NR] or any(
                fields.get(f) != self.fields.get(f) for f in (A, B, KMS, PRIOR)):
            raise Refused("another run")
        offered, taken = sessions_of(self.fields[POLICY]), sessions_of(fields[POLICY])
        if any(s not in offered for s in taken):
            raise Refused("a session that was not offered")
        return Run(m, k, taken, r)


class Answerer:
    def __init__(self, uri, psk, offer, call_id):
        self.uri, self.nonce, self.call_id = uri, os.urandom(16), call_id
        self.m, self.fields = decode(offer, OFFER)
        a, b = self.fields[A].decode(), self.fields[B].decode()
        self.envelope, self.ids = Envelope(uri, psk, self.m, a, b), named(a) + named(b)

    def request(self):
        """Message 2."""
        sealed = self.envelope.seal(2, self.nonce + self.m + self.ids + named(self.uri))
        return encode(REQUEST, self.m, {**self.fields, R: self.uri.encode(), CALL_ID: self.call_id.encode(), ENVELOPE_R: sealed})

    def response(self, octets):
        """Takes message 3: (message 4, the run)."""
        m, fields = decode(octets, RESPONSE)
        r, nr, k = self.envelope.unseal(4, fields[ENVELOPE_R], self.nonce)
        if m != self.m or r != self.uri or nr != fields[NR] or any(
                fields.get(f) != self.fields.get(f) for f in (A, B, KMS, POLICY, PRIOR)):
            raise Refused("another run")
        del fields[ENVELOPE_R]
        return encode(ANSWER, m, fields), Run(m, k, sessions_of(fields[POLICY]), r)
