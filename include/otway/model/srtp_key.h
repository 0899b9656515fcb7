/*
 * srtp_key: an SRTP master key and what belongs to it (RFC 3711, RFC 4568, RFC 6188, RFC 7714).
 */
#ifndef OTWAY_MODEL_SRTP_KEY_H
#define OTWAY_MODEL_SRTP_KEY_H

#include "otway/base/bytes.h"

enum srtp_suite {
	SUITE_NONE,        /* not encrypted at all */
	SUITE_UNSUPPORTED, /* signalled, but nothing here opens it: F8, KDR other than 0, unknown names */
	AES_CM_128_HMAC_SHA1_80,
	AES_CM_128_HMAC_SHA1_32,
	AES_192_CM_HMAC_SHA1_80,
	AES_192_CM_HMAC_SHA1_32,
	AES_256_CM_HMAC_SHA1_80,
	AES_256_CM_HMAC_SHA1_32,
	AEAD_AES_128_GCM,
	AEAD_AES_256_GCM,
	NULL_HMAC_SHA1_80,
	NULL_HMAC_SHA1_32,
	SUITES
};

struct suite_facts {
	const char *name;                /* as the registry spells it */
	uint8_t key, salt;               /* octets of master key and salt */
	uint8_t srtp_tag, srtcp_tag;     /* octets of tag */
	bool aead;
	bool null_cipher;
};

/* The row of a suite; SUITE_NONE and SUITE_UNSUPPORTED have all zeroes but a name. */
const struct suite_facts *suite_facts(enum srtp_suite s);

/* By name, in any spelling seen in the field (AES_256_CM_… and AES_CM_256_…, AES_CM_192_…), any case. */
enum srtp_suite suite_parse(struct bytes name);

enum key_source { KEY_NONE, KEY_SDES, KEY_KMS, KEY_FILE };
const char *key_source_text(enum key_source s); /* "none", "sdes", "kms", "file" */

#define MKI_MAX 128

struct srtp_key {
	enum srtp_suite suite;
	enum key_source source;
	uint8_t key[32];
	uint8_t salt[14];
	uint8_t mki_len;         /* 0: no MKI on the wire */
	uint8_t mki[MKI_MAX];
	bool unencrypted_srtp, unencrypted_srtcp, unauthenticated_srtp; /* session parameters, RFC 4568 6.3 */
	bool print;              /* it is no key but the print of one: srtp_key_print */
};

/* The same master key and salt under the same suite; everything else may differ. */
bool srtp_key_same(const struct srtp_key *a, const struct srtp_key *b);
void srtp_key_clear(struct srtp_key *k); /* wipes */

/*
 * What a key is known again by, of no use for opening anything: in place of the key KEY_PRINT octets of SHA-256 over key and salt, then as
 * many over the first 16 octets of the key alone; no salt, no MKI; the rest as it was. A print's print is itself.
 */
#define KEY_PRINT 16
void srtp_key_print(const struct srtp_key *k, struct srtp_key *out);
/* The print of key and salt, one behind the other; or of the first 16 octets of a key. */
void srtp_key_print_of(struct bytes material, uint8_t out[KEY_PRINT]);

/* "inline" material: base64 of key and salt, padded or not. False: malformed or not of the suite's length. */
bool srtp_key_inline(struct bytes base64, enum srtp_suite suite, struct srtp_key *out);

#endif
