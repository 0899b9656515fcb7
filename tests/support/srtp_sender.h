/*
 * srtp_sender: the sending side of SRTP on OpenSSL alone, for tests: another implementation than the engine's, whose
 * parts are held against the known answers of RFC 3711, RFC 6188 and RFC 7714 in test_srtp_vectors.
 */
#ifndef TESTS_SRTP_SENDER_H
#define TESTS_SRTP_SENDER_H

#include "otway/model/srtp_key.h"

struct session_keys {
	uint8_t cipher[32], salt[14], auth[20];
	size_t cipher_len;
};

/* RFC 3711 4.3, key derivation rate 0; `label` 0 for SRTP, 3 for SRTCP. */
void sender_derive(const struct srtp_key *key, uint8_t label, struct session_keys *out);

/* AES in counter mode from a whole 16-octet block (RFC 3711 4.1.1). */
void sender_counter(
	const uint8_t *key, size_t key_len, const uint8_t block[16], const uint8_t *in, size_t len, uint8_t *out);

/* AES-GCM: ciphertext and 16 octets of tag (RFC 7714). */
void sender_gcm(
	const uint8_t *key, size_t key_len, const uint8_t iv[12], struct bytes aad, struct bytes plain, uint8_t *out);

/* SRTP under session keys that are given, and under a master key with its session parameters and MKI.
 * Each returns the length; out has room for it. */
size_t sender_rtp_with(const struct session_keys *s, uint64_t index, struct bytes rtp, size_t tag, uint8_t *out);
size_t sender_rtp(const struct srtp_key *key, uint64_t index, struct bytes rtp, uint8_t *out);

/* SRTCP; `flag` is the E bit: false sends it in clear. */
size_t sender_rtcp(const struct srtp_key *key, uint32_t index, bool flag, struct bytes rtcp, uint8_t *out);

#endif
