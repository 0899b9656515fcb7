/*
 * crypto: hashes, MACs, ciphers and random octets. The one module that sees libcrypto besides TLS and SRTP engines.
 * What returns false writes no result: the wrong length of a key, what does not authenticate, or memory is out.
 */
#ifndef OTWAY_BASE_CRYPTO_H
#define OTWAY_BASE_CRYPTO_H

#include "otway/base/bytes.h"

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with its NUL */

struct sha256; /* a running SHA-256 (FIPS 180-4) */

struct sha256 *sha256_new(void); /* NULL: out of memory */
void sha256_free(struct sha256 *h);
void sha256_add(struct sha256 *h, struct bytes in);
/* The hash so far; h goes on as if not asked. */
void sha256_value(const struct sha256 *h, uint8_t out[SHA256_LEN]);
/* Begins anew. */
void sha256_reset(struct sha256 *h);

void sha256_of(struct bytes in, uint8_t out[SHA256_LEN]);

/* False: the system gives none, and nothing may go on without. */
bool crypto_random(void *out, size_t len);

enum crypto_hash { CRYPTO_SHA1, CRYPTO_SHA256 };
#define SHA1_LEN        20
#define CRYPTO_HASH_MAX 32

size_t crypto_hash_len(enum crypto_hash hash); /* octets: 20 or 32 */

/* HMAC (RFC 2104) of several views, one after the other. A key of any length; out holds crypto_hash_len octets. */
bool crypto_hmac(enum crypto_hash hash, struct bytes key, const struct bytes *in, size_t count, uint8_t *out);
bool crypto_hmac_sha1(struct bytes key, struct bytes in, uint8_t out[SHA1_LEN]);
bool crypto_hmac_sha256(struct bytes key, struct bytes in, uint8_t out[SHA256_LEN]);

/* SHA-1 of one view (certificate hashes of MIKEY; for nothing new). */
bool crypto_sha1(struct bytes in, uint8_t out[SHA1_LEN]);

/* HKDF with SHA-256 (RFC 5869): `len` octets, at most 255 * 32. */
bool crypto_hkdf(struct bytes secret, struct bytes salt, struct bytes info, uint8_t *out, size_t len);

/*
 * AES in counter mode (NIST SP 800-38A; "AES-CM" of SRTP and MIKEY), the key of 16 or 32 octets, the whole counter block given.
 * Both ways the same; out holds in.len octets and may be in itself.
 */
bool crypto_aes_ctr(struct bytes key, const uint8_t block[16], struct bytes in, uint8_t *out);

/* AES key wrap (RFC 3394): a key of 16 or 32 octets; iv NULL means the default A6A6A6A6A6A6A6A6. `in` is a multiple of 8
 * octets and at least 16; out holds in.len + 8. */
#define CRYPTO_WRAP_EXTRA 8
bool crypto_aes_wrap(struct bytes key, const uint8_t iv[8], struct bytes in, uint8_t *out);
/* The way back: out holds in.len - 8. False: also when it was wrapped under another key or iv, or changed. */
bool crypto_aes_unwrap(struct bytes key, const uint8_t iv[8], struct bytes in, uint8_t *out);

/* AES-GCM (NIST SP 800-38D) with a nonce of 12 octets and a tag of 16 behind the ciphertext; the key of 16 or 32 octets.
 * A nonce is used once with a key. out holds in.len + 16, and in.len - 16 on the way back. */
#define CRYPTO_NONCE_LEN 12
#define CRYPTO_TAG_LEN   16
bool crypto_gcm_seal(
	struct bytes key, const uint8_t nonce[CRYPTO_NONCE_LEN], struct bytes aad, struct bytes in, uint8_t *out);
bool crypto_gcm_open(
	struct bytes key, const uint8_t nonce[CRYPTO_NONCE_LEN], struct bytes aad, struct bytes in, uint8_t *out);

#endif
