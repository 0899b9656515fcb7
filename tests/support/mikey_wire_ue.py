"""mikey_wire_ue: payloads, labels and MACs of MIKEY-TICKET for mikey_ue, written from RFC 6043 and RFC 3830 alone."""

import hashlib
import hmac
import struct
import time

from cipher_ue import NotAuthentic, counter_mode

# Data types (RFC 6043 table 6.1, RFC 3830 table 6.1.a)
ERROR, REQUEST_INIT_PSK, REQUEST_RESP, TRANSFER_INIT, TRANSFER_RESP, RESOLVE_INIT_PSK, RESOLVE_RESP = 6, 11, 13, 14, 15, 16, 18
# Payloads (RFC 3830 table 6.1.b, RFC 6043 table 6.2)
LAST, KEMAC, T, V, SP, RAND, ERR, TR, IDR, RANDR, TP, TICKET, KEY_DATA = 0, 1, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20
INITIATOR, RESPONDER, KMS, PSK = 1, 2, 3, 4  # roles of IDR; the first three of RANDR too
EMPTY_MAP, GENERIC_ID = 1, 2
TGK, TGK_SALT, TEK, TEK_SALT, GTGK, GTGK_SALT, MPK = range(7)  # RFC 3830 table 6.13.a, RFC 6043 table 6.7
NTP_UTC, NTP, COUNTER, NTP_UTC_32 = range(4)
URI = 1
MAC_SIZE = {0: 0, 1: 20, 2: 32}
HASH = {1: hashlib.sha1, 2: hashlib.sha256}
# Constants of labels: RFC 3830 4.1.3, 4.1.4; RFC 6043 tables 5.1, A.1
TEK_OF, SALT_OF = 0x2AD01C64, 0x39A2C14B
ENCRYPTION, AUTHENTICATION, SALTING = 0x150533E1, 0x2D22AC75, 0x29B88916
MPK_FORKED, TGK_FORKED = 0x2B288856, 0x1512B54A
MPKI_OF, MPKR_OF = 0x220E99A2, 0x1F4D675B
ALL_CSB = 0xFFFFFFFF


class Refused(Exception):
    """The other side answered with an error, or what it sent is not acceptable."""


class Suite:
    """How SRTP is to be protected, and the MIKEY algorithms of no less strength (RFC 6043 12.1 forbids to mix them)."""

    def __init__(self, name, cipher, key, salt, strong, parameters):
        self.name, self.cipher, self.key, self.salt = name, cipher, key, salt
        self.prf, self.encryption, self.mac = (1, 3, 2) if strong else (0, 1, 1)
        self.master = 32 if strong else 16  # octets of MPK and TGK
        self.parameters = parameters

    def policy(self, number):
        """The body of an SP payload (RFC 3830 6.10)."""
        values = b"".join(bytes([kind, 1, value]) for kind, value in self.parameters)
        return struct.pack(">BBH", number, 0, len(values)) + values


SUITES = {s.name: s for s in (
    # encryption, its key length, authentication, its key length, salt, PRF, both encryptions and the authentication on, tag
    Suite("AES_CM_128_HMAC_SHA1_80", 1, 16, 14, False,
          ((0, 1), (1, 16), (2, 1), (3, 20), (4, 14), (5, 0), (7, 1), (8, 1), (10, 1), (11, 10))),
    # RFC 7714 15: algorithm 6, the key's length, the AEAD tag's; its PRF is AES-CM
    Suite("AEAD_AES_256_GCM", 6, 32, 12, True, ((0, 6), (1, 32), (4, 12), (5, 0), (7, 1), (8, 1), (20, 16))))}


def prf(function, key, label, size):
    """RFC 3830 4.1.2, with SHA-256 RFC 6043 6.1."""
    digest = {0: hashlib.sha1, 1: hashlib.sha256}[function]
    out = bytes(size)
    for at in range(0, len(key), 32):
        block, a, stream = key[at:at + 32], label, b""
        while len(stream) < size:
            a = hmac.digest(block, a, digest)
            stream += hmac.digest(block, a + label, digest)
        out = bytes(x ^ y for x, y in zip(out, stream))
    return out


def counted(octets):
    return bytes([len(octets)]) + octets


def ntp(seconds=None):
    now = time.time() if seconds is None else seconds
    return struct.pack(">II", int(now + 2208988800) & 0xFFFFFFFF, int(now % 1 * 2**32))


# --- payloads

def chain(payloads):
    """The type of the first payload, and the octets of all: each is (type, what follows its Next Payload field)."""
    following = [kind for kind, _ in payloads[1:]] + [LAST]
    return payloads[0][0] if payloads else LAST, b"".join(bytes([n]) + body for n, (_, body) in zip(following, payloads))


def idr(role, uri):
    octets = uri.encode()
    return IDR, struct.pack(">BBH", role, URI, len(octets)) + octets


def randr(role, octets):
    return RANDR, bytes([role]) + counted(octets)


def key_data(kind, key, spi, salt=b""):
    salted = kind in (TGK_SALT, TEK_SALT, GTGK_SALT)
    body = struct.pack(">BH", kind << 4 | 1, len(key)) + key
    return KEY_DATA, body + (struct.pack(">H", len(salt)) + salt if salted else b"") + counted(spi)


def kemac(algorithm, octets):
    """Without a MAC of its own: the message has one."""
    return KEMAC, struct.pack(">BH", algorithm, len(octets)) + octets + b"\0"


def _size(kind, at):
    """How many octets the body of a payload takes at the beginning of `at`."""
    two = lambda i: struct.unpack_from(">H", at, i)[0]
    if kind == KEMAC:
        data = 3 + two(1)
        return data + 1 + MAC_SIZE[at[data]]
    if kind == T:
        return 1 + (8 if at[0] in (NTP_UTC, NTP) else 4)
    if kind == TR:
        return 2 + (8 if at[1] in (NTP_UTC, NTP) else 4)
    if kind == V:
        return 1 + MAC_SIZE[at[0]]
    if kind in (SP, IDR):
        return 4 + two(2)
    if kind == RAND:
        return 1 + at[0]
    if kind == RANDR:
        return 2 + at[1]
    if kind == ERR:
        return 3
    if kind in (TP, TICKET):
        size = 9 + two(7)
        for _ in range(2 if kind == TICKET else 0):
            size += 2 + two(size)
        return size
    if kind == KEY_DATA:
        size = 3 + two(1)
        if at[0] >> 4 in (TGK_SALT, TEK_SALT, GTGK_SALT):
            size += 2 + two(size)
        if at[0] & 15 == 1:
            size += 1 + at[size]
        return size
    raise Refused("a payload that is not known")


def unchain(first, octets):
    """[(type, body)] of a chain that fills the octets."""
    found, kind = [], first
    while kind != LAST:
        size = _size(kind, octets[1:])
        found.append((kind, octets[1:1 + size]))
        kind, octets = octets[0], octets[1 + size:]
    if octets:
        raise Refused("octets after the last payload")
    return found


class Session:
    """A crypto session of a GENERIC-ID map (RFC 6043 6.1.1)."""

    def __init__(self, cs, policies=(), ssrc=None, spi=b""):
        self.cs, self.policies, self.ssrc, self.spi = cs, list(policies), ssrc, spi

    def encode(self):
        data = b"" if self.ssrc is None else struct.pack(">I", self.ssrc)
        return bytes([self.cs, 0, len(self.policies), *self.policies]) + struct.pack(">H", len(data)) + data + counted(self.spi)

    @staticmethod
    def decode(octets):
        count = octets[2] & 0x7F
        at = 3 + count
        size = struct.unpack_from(">H", octets, at)[0]
        data, at = octets[at + 2:at + 2 + size], at + 2 + size
        spi = octets[at + 1:at + 1 + octets[at]]
        ssrc = struct.unpack_from(">I", data)[0] if data else None
        return Session(octets[0], octets[3:3 + count], ssrc, spi), octets[at + 1 + len(spi):]


class Header:
    def __init__(self, data_type, csb, function, sessions=None, response=False):
        self.data_type, self.csb, self.function, self.response = data_type, csb, function, response
        self.sessions = sessions

    def encode(self, first):
        generic = self.sessions is not None
        return struct.pack(">BBBBIBB", 1, self.data_type, first, self.response << 7 | self.function, self.csb,
                           len(self.sessions) if generic else 0, GENERIC_ID if generic else EMPTY_MAP) + \
            b"".join(s.encode() for s in self.sessions or [])


class Message:
    """A message that came."""

    def __init__(self, octets):
        self.octets = octets
        version, self.data_type, first, function, self.csb, count, kind = struct.unpack_from(">BBBBIBB", octets)
        if version != 1 or kind not in (EMPTY_MAP, GENERIC_ID):
            raise Refused("a version or a map that is not known")
        self.function, self.response, self.sessions, rest = function & 0x7F, bool(function >> 7), [], octets[10:]
        for _ in range(count):
            session, rest = Session.decode(rest)
            self.sessions.append(session)
        self.payloads = unchain(first, rest)
        if self.data_type == ERROR:
            raise Refused("error %d" % (self.one(ERR) or b"\xff")[0])

    def one(self, kind, role=None):
        """The body of the payload of a type, and of a role."""
        return next((b for k, b in self.payloads if k == kind and (role is None or b[0] == role)), None)

    def uri(self, role):
        body = self.one(IDR, role)
        return None if body is None else body[4:].decode()

    def rand(self, role):
        body = self.one(RANDR, role)
        return None if body is None else body[2:]

    @property
    def stamp(self):
        return stamp_of(self.one(T))

    @property
    def mac(self):
        return self.one(V)[1:]

    def uncovered(self):
        """The message without its MAC; and without the Initiator Data, where that is not covered (RFC 6043 5.5)."""
        octets = self.octets[:len(self.octets) - len(self.mac)]
        if self.data_type != TRANSFER_INIT or self.one(TICKET) is None:
            return octets
        ticket = self.one(TICKET)
        at = octets.index(ticket)
        return octets[:at] + Ticket(ticket).covered + octets[at + len(ticket):]


def stamp_of(body):
    """The 64 bits of a timestamp (RFC 3830 6.6: a counter has zeroes before it; RFC 6043 6.3: NTP-UTC-32 after it)."""
    if len(body) == 9:
        return body[1:]
    return bytes(4) + body[1:] if body[0] == COUNTER else body[1:] + bytes(4)


FLAGS = "DEFGHIJKLMNO"


class Ticket:
    """The body of a TICKET payload (RFC 6043 6.10), taken apart; its data as of the MIKEY base ticket (appendix A)."""

    def __init__(self, body):
        self.prf = body[4] >> 1
        bits = int.from_bytes(body[4:7], "big") >> 5
        self.flags = {f for i, f in enumerate(reversed(FLAGS)) if bits >> i & 1}
        size = struct.unpack_from(">H", body, 7)[0]
        self.policy = unchain(body[9], body[10:9 + size])
        at = 9 + size
        size = struct.unpack_from(">H", body, at)[0]
        self.data = body[at + 2:at + 2 + size]
        self.covered = body[:at + 2 + size]  # all but the Initiator Data and its length
        at += 2 + size
        size = struct.unpack_from(">H", body, at)[0]
        self.initiator_data = body[at + 2:at + 2 + size]

    def uri(self, role):
        return next((b[4:].decode() for k, b in self.policy if k == IDR and b[0] == role), None)


def policy_body(flags, function, payloads):
    """The body of a TP, and the beginning of that of a TICKET: the MIKEY base ticket (type, subtype and version 1)."""
    first, octets = chain(payloads)
    bits = int("".join("1" if f in flags else "0" for f in FLAGS), 2) << 5  # 12 flags, 5 bits reserved
    return struct.pack(">HBB", 1, 1, 1) + (function << 17 | bits).to_bytes(3, "big") + \
        struct.pack(">HB", 1 + len(octets), first) + octets


# --- keys

def message_key(constant, size, master, csb, function, answer, rand_i=b"", rand_r=b""):
    """RFC 6043 5.1.2."""
    label = struct.pack(">IBIB", constant, 0xFF, csb, 2 if answer else 1) + counted(rand_i) + counted(rand_r)
    return prf(function, master, label, size)


def ticket_key(constant, size, master, function, which, rand):
    """RFC 6043 A.2.1 (which: 5, from the TPK) and A.2.2 (6, from the MPK)."""
    return prf(function, master, struct.pack(">IBIB", constant, 0xFF, ALL_CSB, which) + counted(rand), size)


def forked(constant, master, function, uri, rand_kms):
    """RFC 6043 5.1.1."""
    who = uri.encode()
    label = struct.pack(">IBIBH", constant, 0xFF, ALL_CSB, 0, len(who)) + who + counted(rand_kms)
    return prf(function, master, label, len(master))


def session_key(constant, size, tgk, cs, function, rand_i, rand_r):
    """RFC 6043 5.1.3."""
    label = struct.pack(">IBIB", constant, cs, ALL_CSB, 3) + counted(rand_i) + counted(rand_r)
    return prf(function, tgk, label, size)


def crypted(algorithm, key_of, csb, stamp, octets):
    """Encrypts or decrypts what a KEMAC holds (RFC 3830 4.2.3); key_of(constant, size) derives the keys."""
    if algorithm == 0:
        return octets
    salt = key_of(SALTING, 14)
    mask = b"\0\0" + struct.pack(">I", csb) + stamp
    iv = bytes(x ^ y for x, y in zip(salt, mask)) + b"\0\0"
    return counter_mode(key_of(ENCRYPTION, {1: 16, 3: 32}[algorithm]), iv, octets)


class Keys:
    """What a KEMAC held: MPKs in their order, and the others."""

    def __init__(self, octets):
        self.mpks, self.others = [], []
        for _, body in unchain(KEY_DATA, octets):
            kind, size = body[0] >> 4, struct.unpack_from(">H", body, 1)[0]
            key, rest, salt = body[3:3 + size], body[3 + size:], b""
            if kind in (TGK_SALT, TEK_SALT, GTGK_SALT):
                size = struct.unpack_from(">H", rest)[0]
                salt, rest = rest[2:2 + size], rest[2 + size:]
            spi = rest[1:1 + rest[0]] if body[0] & 15 == 1 else b""
            if kind == MPK:
                self.mpks.append(key)
            else:
                self.others.append((kind, key, salt, spi))


def sign(octets, algorithm, key_of, followed_by=b""):
    """The octets, whose last payload is a V without its MAC, with the MAC."""
    key = key_of(AUTHENTICATION, MAC_SIZE[algorithm])
    return octets + hmac.digest(key, octets + followed_by, HASH[algorithm])


def verify(message, key_of, followed_by=b""):
    algorithm = message.one(V)[0]
    key = key_of(AUTHENTICATION, MAC_SIZE[algorithm])
    if message.payloads[-1][0] != V or not hmac.compare_digest(
            message.mac, hmac.digest(key, message.uncovered() + followed_by, HASH[algorithm])):
        raise NotAuthentic


def build(header, payloads, algorithm):
    """A message up to its MAC."""
    first, octets = chain(payloads + [(V, bytes([algorithm]))])
    return header.encode(first) + octets
