"""Vectors of the Otway-Rees profile, made from the docstring of include/otway/otway_rees.h and nothing of ours: HKDF by hmac and
hashlib, AES-256-GCM by libcrypto through ctypes, every random octet fixed. Prints the constants of tests/unit/test_otway_rees.c;
with a folder, writes the seeds of tests/fuzz/corpus/otway_rees there."""
import ctypes
import hashlib
import hmac
import os
import struct
import sys

LIBCRYPTO = ctypes.CDLL("libcrypto.so.3")
LIBCRYPTO.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
LIBCRYPTO.EVP_aes_256_gcm.restype = ctypes.c_void_p
GET_TAG = 0x10


def gcm(key, nonce, aad, text):
    run, size = ctypes.c_void_p(LIBCRYPTO.EVP_CIPHER_CTX_new()), ctypes.c_int()
    out, tag = ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16)
    cipher = ctypes.c_void_p(LIBCRYPTO.EVP_aes_256_gcm())
    assert LIBCRYPTO.EVP_EncryptInit_ex(run, cipher, None, key, nonce) == 1
    assert LIBCRYPTO.EVP_EncryptUpdate(run, None, ctypes.byref(size), aad, len(aad)) == 1
    assert LIBCRYPTO.EVP_EncryptUpdate(run, out, ctypes.byref(size), text, len(text)) == 1
    assert LIBCRYPTO.EVP_EncryptFinal_ex(run, out, ctypes.byref(size)) == 1
    assert LIBCRYPTO.EVP_CIPHER_CTX_ctrl(run, GET_TAG, 16, tag) == 1
    LIBCRYPTO.EVP_CIPHER_CTX_free(run)
    return nonce + out.raw[:len(text)] + tag.raw


def hkdf(secret, salt, info, length):
    prk = hmac.new(salt, secret, hashlib.sha256).digest()
    out = block = b""
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:length]


def identity(uri):
    return struct.pack(">H", len(uri)) + uri


def field(kind, value):
    return bytes([kind]) + struct.pack(">H", len(value)) + value


def count(first, length):
    return bytes(range(first, first + length))


M, PRIOR = count(0x00, 16), count(0xF0, 16)
A, B, R = b"sip:alice@example.com", b"sip:bob@example.com", b"sip:carol@example.net"
KMS, CALL_ID = b"sip:kms@example.com", b"3848276298220188511@atlanta.example.com"
PSK_A, PSK_R = count(0x10, 32), count(0x40, 16)
NA, NB, NR, ROOT = count(0x60, 16), count(0x70, 16), count(0x80, 16), count(0xA0, 32)
POLICY = bytes([1, 1, 0, 2, 6, 4]) + bytes.fromhex("deadbeef") + bytes([3, 3, 0])
LENGTHS = {1: (16, 14), 3: (32, 14), 6: (32, 12)}


def head(kind):
    return b"OR\x01" + bytes([kind]) + M


def aad(kind):
    return head(kind) + identity(A) + identity(B)


KEY_OF_A = hkdf(PSK_A, M, b"otway-rees 1 envelope" + identity(A), 32)
KEY_OF_R = hkdf(PSK_R, M, b"otway-rees 1 envelope" + identity(R), 32)
LEG_KEY = hkdf(ROOT, NR, b"otway-rees 1 leg" + identity(R), 32)
BOUND = field(4, KMS) + field(5, POLICY) + field(6, PRIOR)
P = hashlib.sha256(BOUND).digest()
PARTIES = M + identity(A) + identity(B)
GIVEN = identity(R) + NR + LEG_KEY
E1 = gcm(KEY_OF_A, count(0xC0, 12), aad(1), b"\x01" + NA + PARTIES + P)
E2 = gcm(KEY_OF_R, count(0xCC, 12), aad(2), b"\x02" + NB + PARTIES + identity(R))
E3 = gcm(KEY_OF_A, count(0xD0, 12), aad(3), b"\x03" + NA + GIVEN)
E4 = gcm(KEY_OF_R, count(0xDC, 12), aad(4), b"\x04" + NB + GIVEN)
AB, ABR = field(1, A) + field(2, B), field(1, A) + field(2, B) + field(3, R)
ACCEPTED = field(4, KMS) + field(5, POLICY[:3]) + field(6, PRIOR)
MESSAGES = [
    head(1) + AB + BOUND + field(0x10, E1),
    head(2) + ABR + BOUND + field(7, CALL_ID) + field(0x10, E1) + field(0x11, E2),
    head(3) + ABR + BOUND + field(8, NR) + field(0x10, E3) + field(0x11, E4),
    head(4) + ABR + ACCEPTED + field(8, NR) + field(0x10, E3),
    head(5) + field(0x12, b"\x03"),
]


def show(name, octets):
    text = octets.hex()
    lines = [text[at:at + 96] for at in range(0, len(text), 96)]
    print("static const char %s[] = %s;" % (name, "\n\t".join('"%s"' % line for line in lines)))


def constants():
    show("key_of_a", KEY_OF_A)
    show("key_of_r", KEY_OF_R)
    show("leg_key", LEG_KEY)
    show("p_of_offer", P)
    for number, message in enumerate(MESSAGES, 1):
        show("message_%d" % number, message)
    for session, suite in ((1, 1), (2, 6), (3, 3)):
        show("srtp_%d" % session, hkdf(LEG_KEY, M, b"otway-rees 1 srtp" + bytes([session, suite]), sum(LENGTHS[suite])))


def seeds(folder):
    odd = {
        "unknown_passed_over": MESSAGES[4] + field(0x80, b"later"),
        "cut_off": MESSAGES[3][:-5],
        "out_of_order": head(1) + field(2, B) + field(1, A) + BOUND + field(0x10, E1),
        "bare": head(1),
    }
    odd.update(("message_%d" % number, message) for number, message in enumerate(MESSAGES, 1))
    os.makedirs(folder, exist_ok=True)
    for name, octets in odd.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(octets)


if __name__ == "__main__":
    seeds(sys.argv[1]) if len(sys.argv) > 1 else constants()
