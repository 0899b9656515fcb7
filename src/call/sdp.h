/*
 * sdp: an SDP as far as an offer or an answer must be remembered, in no more memory than it needs.
 */
#ifndef OTWAY_CALL_SDP_H
#define OTWAY_CALL_SDP_H

#include "otway/model/key.h"
#include "otway/model/sip_message.h"

struct sdp_line {
	struct addr rtp, rtcp;
	bool rtcp_mux, bundled, secure, dtls, zrtp, mikey;
	char kind[16], profile[32];
	struct media_format *formats;
	struct media_crypto *cryptos;
	struct addr *candidates;
	uint8_t format_count, crypto_count, candidate_count;
};

/* A key management message (RFC 4567), its base64 taken off. */
struct sdp_token {
	enum key_mgmt protocol;
	uint32_t line;       /* UINT32_MAX: of the session */
	struct bytes octets; /* owned */
};

#define SDP_TOKENS (2 * MEDIA_LINES + 2)

struct sdp {
	uint64_t hash; /* of the body it stood in */
	size_t octets, *total;
	uint8_t line_count, token_count;
	struct sdp_token *tokens;
	struct sdp_line lines[];
};

#define SDP_OCTETS_MAX ((size_t)64 << 20) /* of all together */

/* Of m->has_sdp. *total counts the octets of all that are kept. NULL: out of memory, or there are too many. */
struct sdp *sdp_new(const struct sip_message *m, size_t *total);
void sdp_free(struct sdp *s); /* wipes; NULL is fine */

/* The same body again, as retransmissions carry it. s may be NULL. */
bool sdp_is(const struct sdp *s, const struct sip_message *m);

#endif
