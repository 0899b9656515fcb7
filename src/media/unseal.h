/*
 * unseal: the engine that verifies and decrypts (RFC 3711, RFC 6188, RFC 7714). It takes batches of packets, each with
 * the key and the index to open it at, and gives a fate for each. What was opened before never matters: no replay
 * list, no estimate, so that evidence opens in any order and as often as asked.
 */
#ifndef OTWAY_MEDIA_UNSEAL_H
#define OTWAY_MEDIA_UNSEAL_H

#include "otway/model/srtp_key.h"

struct unseal; /* one master key made ready */

/* For packets of any SSRC at roll-over counter 0 until one opens; that one's SSRC is then its own, at any counter.
 * NULL: out of memory, or a key that nothing here opens. */
struct unseal *unseal_new(const struct srtp_key *key);

/* The same, for one SSRC from the start, at any roll-over counter. */
struct unseal *unseal_new_for(const struct srtp_key *key, uint32_t ssrc);

void unseal_free(struct unseal *u); /* NULL is fine; wipes */

enum unseal_fate {
	UNSEAL_OPENED,  /* the tag verified (without a tag: decrypted, which proves nothing) */
	UNSEAL_REFUSED, /* the tag did not verify, or the MKI is another */
	UNSEAL_UNFIT    /* too short for this suite, malformed, or the engine cannot */
};

struct unseal_packet {
	struct unseal *with;
	bool rtcp;           /* SRTCP: its index stands in the packet */
	uint64_t index;      /* SRTP: roll-over counter << 16 | sequence number */
	struct bytes in;     /* never changed */
	uint8_t *out;        /* room for in.len octets, aligned to 4 */
	size_t out_len;      /* of the clear packet, when opened */
	uint32_t rtcp_index; /* of an opened SRTCP packet */
	enum unseal_fate fate;
};

void unseal_batch(struct unseal_packet *packets, size_t count);

/* The libraries load now what they load when first used: files, mostly. */
void unseal_prepare(void);

/* Octets that this key adds to an RTP packet: tag and MKI. */
size_t unseal_trailer(const struct srtp_key *key);

/* True when opening proves something: there is a tag. */
bool unseal_proves(const struct srtp_key *key);

#endif
