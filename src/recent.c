/*
 * recent: entries lie one behind the other in parts, which are filled in turn. When the newest part is full the oldest is given
 * up whole and begun anew: so a packet costs a copy, and nothing that is old is ever looked at for it.
 */
#include "otway/recent.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define PARTS     8                   /* all but one are there at any time, once there was so much */
#define ENTRY_MAX 2048                /* a longer packet is no voice */
#define SET_BACK  (60 * NSEC_PER_SEC) /* further back than packets come out of order: the clock was set */

struct entry {
	nsec_t at;
	struct flow flow;
	uint32_t source;
	uint16_t size; /* of the whole entry; the next begins behind it */
	uint16_t len;  /* of the packet; 0: given already */
	uint16_t payload, payload_len;
	bool truncated;
	_Alignas(16) uint8_t packet[];
};

#define MARKS 16384 /* bits, a part; it has some hundreds of packets */

struct recent {
	uint64_t marks[PARTS][MARKS / 64]; /* addresses that a part may have, by a hash */
	size_t part;                       /* octets of a part */
	size_t newest;                     /* which one is being filled */
	size_t used[PARTS];                /* octets of each */
	size_t reached; /* octets from the beginning that were ever written, but for the newest part's */
	nsec_t span;
	nsec_t last; /* when the last packet came */
	_Alignas(16) uint8_t octets[];
};

struct recent *recent_new(size_t octets, nsec_t span)
{
	struct recent *r = calloc(1, sizeof(*r) + octets);

	if (r != NULL) {
		r->part = octets / PARTS & ~(size_t)15;
		r->span = span;
		r->last = NSEC_NONE;
	}
	return r;
}

static size_t reached(const struct recent *r)
{
	size_t here = r->newest * r->part + r->used[r->newest];

	return here > r->reached ? here : r->reached;
}

void recent_free(struct recent *r)
{
	if (r != NULL)
		secret_free(r, sizeof(*r) + reached(r));
}

static uint32_t mark_of(const struct addr *a)
{
	uint64_t high, low;

	memcpy(&high, a->ip, 8);
	memcpy(&low, a->ip + 8, 8);
	high ^= low * 0x9e3779b97f4a7c15ULL ^ (uint64_t)a->port << 40;
	return (uint32_t)(high * 0xbf58476d1ce4e5b9ULL >> 50);
}

static void mark(struct recent *r, const struct addr *a)
{
	uint32_t n = mark_of(a);

	r->marks[r->newest][n / 64] |= 1ULL << n % 64;
}

static bool may_have(const struct recent *r, size_t part, const struct addr *a)
{
	uint32_t n = mark_of(a);

	return r->marks[part][n / 64] >> n % 64 & 1;
}

static void begin_part(struct recent *r)
{
	r->reached = reached(r);
	r->newest = (r->newest + 1) % PARTS;
	r->used[r->newest] = 0;
	memset(r->marks[r->newest], 0, sizeof(r->marks[r->newest]));
}

/* Of what came before the clock was set back, nobody knows how long ago that was. */
static void forget(struct recent *r)
{
	r->reached = reached(r);
	memset(r->used, 0, sizeof(r->used));
}

/* What comes next is written a little further on, where nothing has been for long. */
static inline void look_ahead(const struct recent *r)
{
	size_t here = r->newest * r->part + r->used[r->newest] + 1024;

	for (size_t i = 0; i < 320 && here + i < PARTS * r->part; i += 64)
		__builtin_prefetch(r->octets + here + i, 1);
}

void recent_keep(struct recent *r, const struct datagram *d)
{
	size_t size = (sizeof(struct entry) + d->packet.len + 15) & ~(size_t)15;
	struct entry *e;
	nsec_t back;

	if (d->payload.len < 12 || d->payload.at[0] >> 6 != 2 || d->packet.len > ENTRY_MAX || size > r->part)
		return;
	if (__builtin_sub_overflow(r->last, d->at, &back) || back > SET_BACK)
		forget(r);
	r->last = d->at;
	if (r->used[r->newest] + size > r->part)
		begin_part(r);
	e = (struct entry *)(void *)(r->octets + r->newest * r->part + r->used[r->newest]);
	r->used[r->newest] += size;
	look_ahead(r);
	e->at = d->at;
	e->flow = d->flow;
	mark(r, &d->flow.src);
	mark(r, &d->flow.dst);
	e->source = d->source;
	e->size = (uint16_t)size;
	e->len = (uint16_t)d->packet.len;
	e->payload = (uint16_t)(d->payload.at - d->packet.at);
	e->payload_len = (uint16_t)d->payload.len;
	e->truncated = d->truncated;
	memcpy(e->packet, d->packet.at, d->packet.len);
}

/* The entry where *step stands, which goes on behind it, of a part that may have the place; NULL: there are no more. A step counts octets
 * from the oldest part on. */
static struct entry *entry_next(struct recent *r, const struct addr *place, size_t *step)
{
	while (*step < PARTS * r->part) {
		size_t age = *step / r->part, which = (r->newest + 1 + age) % PARTS, offset = *step % r->part;
		struct entry *e = (struct entry *)(void *)(r->octets + which * r->part + offset);

		if (offset < r->used[which] && (offset > 0 || may_have(r, which, place))) {
			*step += e->size;
			return e;
		}
		*step = (age + 1) * r->part;
	}
	return NULL;
}

bool recent_next(struct recent *r, const struct addr *place, nsec_t at, size_t *step, struct datagram *out)
{
	struct entry *e;

	while ((e = entry_next(r, place, step)) != NULL) {
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
		return true;
	}
	return false;
}
