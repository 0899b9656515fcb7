"""cipher_ue: AES for the simulated users, by libcrypto; what they derive and how they use it is theirs (mikey_ue, otway_rees_ue)."""

import ctypes

_CRYPTO = ctypes.CDLL("libcrypto.so.3")
for _name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_ctr", "EVP_aes_256_ctr", "EVP_aes_256_gcm"):
    getattr(_CRYPTO, _name).restype = ctypes.c_void_p
_SET_TAG, _GET_TAG = 0x11, 0x10


class NotAuthentic(Exception):
    """A tag or a MAC does not fit."""


def _run(cipher, key, iv, octets, aad=b"", tag=None, seal=True):
    """(output, tag) of one pass; tag None where the mode has none."""
    context = ctypes.c_void_p(_CRYPTO.EVP_CIPHER_CTX_new())
    out, size = ctypes.create_string_buffer(len(octets) + 32), ctypes.c_int(0)
    mark = ctypes.create_string_buffer(tag or bytes(16), 16)
    try:
        ok = _CRYPTO.EVP_CipherInit_ex(context, ctypes.c_void_p(cipher), None, key, iv, int(seal))
        if aad:
            ok &= _CRYPTO.EVP_CipherUpdate(context, None, ctypes.byref(size), aad, len(aad))
        ok &= _CRYPTO.EVP_CipherUpdate(context, out, ctypes.byref(size), octets, len(octets))
        octets_out = out.raw[:size.value]
        if tag is not None and not seal:
            ok &= _CRYPTO.EVP_CIPHER_CTX_ctrl(context, _SET_TAG, 16, mark)
        ok &= _CRYPTO.EVP_CipherFinal_ex(context, out, ctypes.byref(size)) > 0
        if tag is not None and seal:
            ok &= _CRYPTO.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, 16, mark)
    finally:
        _CRYPTO.EVP_CIPHER_CTX_free(context)
    if not ok:
        raise NotAuthentic
    return octets_out, mark.raw


def counter_mode(key, iv, octets):
    """AES in counter mode: the same both ways. The key is 16 or 32 octets, the IV 16."""
    cipher = {16: _CRYPTO.EVP_aes_128_ctr, 32: _CRYPTO.EVP_aes_256_ctr}[len(key)]
    return _run(cipher(), key, iv, octets)[0]


def seal(key, nonce, aad, octets):
    """AES-256-GCM: ciphertext and tag."""
    return b"".join(_run(_CRYPTO.EVP_aes_256_gcm(), key, nonce, octets, aad, bytes(16)))


def unseal(key, nonce, aad, octets):
    """What was sealed; NotAuthentic when it was not, or not so."""
    if len(octets) < 16:
        raise NotAuthentic
    return _run(_CRYPTO.EVP_aes_256_gcm(), key, nonce, octets[:-16], aad, octets[-16:], seal=False)[0]
