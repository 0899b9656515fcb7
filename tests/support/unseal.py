"""unseal: SRTP to RTP (RFC 3711, RFC 6188, RFC 7714) for tests, written apart from otway and from libsrtp2: keys are derived and
tags made here, AES itself is libcrypto's (cipher_ue)."""

import base64
import hashlib
import hmac
import struct

import cipher_ue

# suite: (octets of key, of salt, of tag); GCM has its tag within
SUITES = {"AES_CM_128_HMAC_SHA1_80": (16, 14, 10), "AES_CM_128_HMAC_SHA1_32": (16, 14, 4),
          "AES_256_CM_HMAC_SHA1_80": (32, 14, 10), "AES_256_CM_HMAC_SHA1_32": (32, 14, 4), "AEAD_AES_256_GCM": (32, 12, 16)}
BACK = 0x8000


def derive(key, salt, label, size):
    """RFC 3711 4.3.1 and 4.3.3, key derivation rate 0; a salt of 12 octets is padded behind (RFC 7714 11)."""
    x = int.from_bytes(salt.ljust(14, b"\0"), "big") ^ (label << 48)
    return cipher_ue.counter_mode(key, x.to_bytes(14, "big") + b"\0\0", bytes(size))


def header_size(packet):
    size = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        size += 4 + 4 * struct.unpack(">H", packet[size + 2:size + 4])[0]
    return size


class Opener:
    """One stream under one key; key: master key and salt, base64; mki: hex of what stands before the tag of HMAC, or behind GCM's."""

    def __init__(self, suite, key, mki=None):
        octets = base64.b64decode(key + "=" * (-len(key) % 4))
        self.suite, (size, salt_size, self.tag) = suite, SUITES[suite]
        master, salt = octets[:size], octets[size:size + salt_size]
        self.gcm = suite.startswith("AEAD")
        self.key, self.salt = derive(master, salt, 0, size), derive(master, salt, 2, salt_size)
        self.auth = derive(master, salt, 1, 20)
        self.mki = bytes.fromhex(mki or "")
        self.index = None  # the highest so far

    def open(self, packet):
        """(index, RTP), or None: it is not under this key."""
        seq = struct.unpack(">H", packet[2:4])[0]
        if self.mki:
            tail = len(packet) - (0 if self.gcm else self.tag)
            if packet[tail - len(self.mki):tail] != self.mki:
                return None
            packet = packet[:tail - len(self.mki)] + packet[tail:]
        for roc in self.guesses(seq):
            plain = self._open_at(packet, seq, roc)
            if plain is not None:
                index = roc << 16 | seq
                self.index = index if self.index is None else max(self.index, index)
                return index, plain
        return None

    def guesses(self, seq):
        """RFC 3711 3.3.1, and its neighbours; a stream met in its midst may have any."""
        if self.index is None:
            return range(4)
        roc = (self.index - seq + BACK) >> 16
        return [r for r in (roc, roc + 1, roc - 1) if r >= 0]

    def _open_at(self, packet, seq, roc):
        size = header_size(packet)
        ssrc = packet[8:12]
        if self.gcm:
            iv = int.from_bytes(b"\0\0" + ssrc + struct.pack(">IH", roc, seq), "big") ^ int.from_bytes(self.salt, "big")
            try:
                return packet[:size] + cipher_ue.unseal(self.key, iv.to_bytes(12, "big"), packet[:size], packet[size:])
            except cipher_ue.NotAuthentic:
                return None
        body, tag = packet[:-self.tag], packet[-self.tag:]
        made = hmac.new(self.auth, body + struct.pack(">I", roc), hashlib.sha1).digest()
        if made[:self.tag] != tag:
            return None
        iv = (int.from_bytes(self.salt, "big") << 16) ^ (int.from_bytes(ssrc, "big") << 64) ^ ((roc << 16 | seq) << 16)
        return body[:size] + cipher_ue.counter_mode(self.key, iv.to_bytes(16, "big"), body[size:])
