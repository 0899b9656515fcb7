/* segment: TCP segments and SCTP packets for the targets that feed the framer. */
#ifndef OTWAY_FUZZ_SEGMENT_H
#define OTWAY_FUZZ_SEGMENT_H

#include <stdlib.h>

#include "../../src/sip/framer.h"

#define SEGMENT_PACKED 1040 /* octets that one may stand for in a compressed message of WebSocket: 1,032, and its end */

struct told {
	uint64_t octets, messages, hash; /* of all messages */
};

/* What comes out is a message in a packet that is whole. */
static inline void segment_listen(struct framer *f, struct told *t)
{
	struct datagram d;

	while (framer_next(f, &d)) {
		if (!d.framed || d.payload.len == 0 || d.payload.len > 65000 || d.payload.at < d.packet.at ||
			d.payload.at + d.payload.len > d.packet.at + d.packet.len ||
			be16(d.packet.at + 2) != d.packet.len)
			abort();
		t->messages++;
		t->octets += d.payload.len;
		for (size_t i = 0; i < d.payload.len; i++)
			t->hash = (t->hash ^ d.payload.at[i]) * UINT64_C(0x100000001b3);
	}
}

static inline void segment_send(struct framer *f, struct told *t, uint8_t proto, uint32_t seq, uint8_t flags, nsec_t at,
	struct bytes payload, size_t lost)
{
	size_t header = proto == IP_PROTO_TCP ? 20 : 12, len = 20 + header + payload.len;
	uint8_t *p = calloc(1, len); /* as long as it is, so that a sanitizer sees the first octet behind it */
	struct datagram d = { .at = at, .proto = proto, .header = (uint8_t)header, .truncated = lost > 0 };

	d.flow.src = (struct addr){ .family = 4, .port = 5060, .ip = { 192, 0, 2, 1 } };
	d.flow.dst = (struct addr){ .family = 4, .port = 5061, .ip = { 192, 0, 2, 2 } };
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)(len + lost));
	put_be32(p + 24, seq); /* of SCTP, the tag */
	if (proto == IP_PROTO_TCP)
		p[33] = flags;
	if (payload.len > 0)
		memcpy(p + 20 + header, payload.at, payload.len);
	d.packet = (struct bytes){ p, len };
	d.payload = (struct bytes){ p + 20 + header, payload.len };
	framer_take(f, &d);
	segment_listen(f, t);
	free(p);
}

#endif
