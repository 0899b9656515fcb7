/*
 * recent: entries lie one behind the other in a circle of octets; a new one overwrites the oldest. An entry never wraps: what is
 * left at the end of the circle is skipped.
 */
#include "otway/recent.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define ENTRY_MAX 2048 /* a longer packet is no voice */

struct entry {
	nsec_t at;
	struct flow flow;
	uint32_t source;
	uint16_t size; /* of the whole entry; the next begins behind it */
	uint16_t len;  /* of the packet; 0: given already, or filler */
	uint16_t payload, payload_len;
	bool truncated;
	uint8_t packet[];
};

struct recent {
	size_t octets, head, tail; /* head: where the next entry goes; tail: the oldest; equal: empty */
	nsec_t span;
	_Alignas(16) uint8_t ring[];
};

struct recent *recent_new(size_t octets, nsec_t span)
{
	struct recent *r = calloc(1, sizeof(*r) + octets);

	if (r != NULL) {
		r->octets = octets & ~(size_t)15;
		r->span = span;
	}
	return r;
}

void recent_free(struct recent *r)
{
	if (r != NULL)
		secret_free(r, sizeof(*r) + r->octets);
}

static struct entry *entry_at(struct recent *r, size_t at)
{
	return (struct entry *)(void *)(r->ring + at);
}

/* Where the entry behind the one at `at` begins; the end of the circle is its beginning. */
static size_t behind(struct recent *r, size_t at)
{
	size_t next = at + entry_at(r, at)->size;

	return next + sizeof(struct entry) > r->octets ? 0 : next;
}

/* The head goes back to the beginning; were the oldest there, the ring would look empty, so that one is given up. */
static void wrap(struct recent *r)
{
	if (r->tail == 0)
		r->tail = behind(r, 0);
	r->head = 0;
}

/* Room for `size` octets at the head, the oldest entries given up for it. */
static struct entry *room(struct recent *r, size_t size)
{
	if (r->head + size > r->octets) { /* the rest of the circle becomes filler */
		struct entry *filler = entry_at(r, r->head);

		while (r->tail > r->head)
			r->tail = behind(r, r->tail);
		memset(filler, 0, sizeof(*filler));
		filler->size = (uint16_t)(r->octets - r->head);
		if (r->head > 0)
			wrap(r);
	}
	while (r->tail > r->head && r->tail < r->head + size + sizeof(struct entry))
		r->tail = behind(r, r->tail);
	return entry_at(r, r->head);
}

void recent_keep(struct recent *r, const struct datagram *d)
{
	size_t size = (sizeof(struct entry) + d->packet.len + 15) & ~(size_t)15;
	struct entry *e;

	if (d->payload.len < 12 || d->payload.at[0] >> 6 != 2 || d->packet.len > ENTRY_MAX || size * 4 > r->octets)
		return;
	e = room(r, size);
	e->at = d->at;
	e->flow = d->flow;
	e->source = d->source;
	e->size = (uint16_t)size;
	e->len = (uint16_t)d->packet.len;
	e->payload = (uint16_t)(d->payload.at - d->packet.at);
	e->payload_len = (uint16_t)d->payload.len;
	e->truncated = d->truncated;
	memcpy(e->packet, d->packet.at, d->packet.len);
	r->head += size;
	if (r->head + sizeof(struct entry) > r->octets)
		wrap(r);
}

bool recent_next(struct recent *r, const struct addr *place, nsec_t at, size_t *step, struct datagram *out)
{
	size_t i = *step > 0 ? *step - 1 : r->tail;

	while (i != r->head) {
		struct entry *e = entry_at(r, i);

		i = behind(r, i);
		if (e->len == 0 || e->at < at - r->span ||
			(!addr_equal(&e->flow.dst, place) && !addr_equal(&e->flow.src, place)))
			continue;
		*out = (struct datagram){
			.at = e->at,
			.source = e->source,
			.proto = IP_PROTO_UDP,
			.truncated = e->truncated,
			.flow = e->flow,
			.packet = { e->packet, e->len },
			.payload = { e->packet + e->payload, e->payload_len },
		};
		e->len = 0;
		*step = i + 1;
		return true;
	}
	*step = i + 1;
	return false;
}
