/*
 * sealer_192: AES_192_CM_HMAC_SHA1_{80,32} (RFC 6188) by libcrypto alone. libsrtp2 2.5.0 cannot stand for these suites:
 * it derives their session keys with the AES-256 PRF over key, salt and zeros, which RFC 6188 3 does not say.
 */
#ifndef SEALER_192_H
#define SEALER_192_H

#include <stddef.h>
#include <stdint.h>

struct sealer_192 {
	uint8_t rtp_key[24], rtp_auth[20], rtp_salt[14];
	uint8_t rtcp_key[24], rtcp_auth[20], rtcp_salt[14];
	size_t tag;
	uint32_t roc, rtcp_index;
	uint16_t last;
	int started;
};

/* key: 24 octets of master key and 14 of master salt. */
void sealer_192_open(struct sealer_192 *s, const uint8_t key[38], uint32_t roc, size_t tag);

/* Protects in place; returns the new length. The packet is whole and has room for 14 octets more. */
size_t sealer_192_rtp(struct sealer_192 *s, uint8_t *packet, size_t len);
size_t sealer_192_rtcp(struct sealer_192 *s, uint8_t *packet, size_t len);

#endif
