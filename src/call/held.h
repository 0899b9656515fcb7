/*
 * held: a datagram kept beyond the call it came in, shared by all who keep it. It wipes itself with the last of them.
 */
#ifndef OTWAY_CALL_HELD_H
#define OTWAY_CALL_HELD_H

#include "otway/model/packet.h"

struct held {
	size_t refs, octets;
	struct datagram datagram; /* its views lead into bytes */
	uint8_t bytes[];
};

/* A copy of d with one reference; NULL: out of memory. */
struct held *held_new(const struct datagram *d);

/* One reference more; h may be NULL. */
struct held *held_keep(struct held *h);

/* One reference less. NULL is fine. */
void held_drop(struct held *h);

/* The payload, to be written to. */
static inline uint8_t *held_payload(struct held *h)
{
	return h->bytes + (h->datagram.payload.at - h->bytes);
}

#endif
