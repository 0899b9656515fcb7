/*
 * recent: entries lie one behind the other in a ring, and the newest overwrites the oldest. Those that may have an address in common
 * are a chain from the newest back, so that a packet costs a copy, and a place only what was sent from there or to there.
 */
#include "otway/recent.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define ENTRY_MAX 2048                /* a longer packet is no voice */
#define SET_BACK  (60 * NSEC_PER_SEC) /* further back than packets come out of order: the clock was set */
#define CHAINS    4096                /* few enough to stay near the processor */

/*
 * Where something lies is counted in octets that were ever written, and never comes again; distances are shorter than the ring. The flow is
 * read from the packet when it is wanted.
 */
struct entry {
	nsec_t at;
	uint32_t source;
	uint32_t before
		[2]; /* how far back the one before lies, of the source's chain and the destination's; 0: there is none */
	uint32_t then; /* how far on the next lies that is to be given; 0: none */
	uint16_t chains[2];
	uint16_t len; /* of the packet; 0: given already */
	uint16_t payload, payload_len;
	bool truncated;
	uint8_t packet[];
};

struct recent {
	uint64_t newest[CHAINS]; /* the newest entry of each chain, and 1 */
	uint64_t end;            /* what comes next is written here */
	uint64_t from;           /* what lies before is forgotten */
	size_t size;             /* octets of the ring, a power of two: no packet costs a division */
	nsec_t span;
	nsec_t last; /* when the last packet came */
	_Alignas(16) uint8_t octets[];
};

struct recent *recent_new(size_t octets, nsec_t span)
{
	size_t size = 16;
	struct recent *r;

	while (size <= octets / 2)
		size *= 2;
	r = calloc(1, sizeof(*r) + size);
	if (r != NULL) {
		r->size = size;
		r->span = span;
		r->last = NSEC_NONE;
	}
	return r;
}

void recent_free(struct recent *r)
{
	if (r != NULL)
		secret_free(r, sizeof(*r) + (r->end < r->size ? (size_t)r->end : r->size));
}

static uint32_t chain_of(const struct addr *a)
{
	uint64_t high, low;

	memcpy(&high, a->ip, 8);
	memcpy(&low, a->ip + 8, 8);
	high ^= low * 0x9e3779b97f4a7c15ULL ^ (uint64_t)a->port << 40;
	return (uint32_t)(high * 0xbf58476d1ce4e5b9ULL >> 52);
}

static struct entry *entry_at(struct recent *r, uint64_t at)
{
	return (struct entry *)(void *)(r->octets + (at & (r->size - 1)));
}

/* Whether what was written there is still there. */
static bool is_there(const struct recent *r, uint64_t at)
{
	return at >= r->from && at < r->end && r->end - at <= r->size;
}

/* Of UDP over IPv4 (RFC 791) or IPv6 (RFC 8200); false: there is no whole header before the payload. */
static bool flow_of(const struct entry *e, struct flow *out)
{
	const uint8_t *ip = e->packet, *udp = e->packet + e->payload - 8;
	size_t len = ip[0] >> 4 == 4 ? 4 : 16, at = len == 4 ? 12 : 8;

	if (e->payload < at + 2 * len + 8)
		return false;
	*out = (struct flow){ .src = { .family = len == 4 ? 4 : 6 }, .dst = { .family = len == 4 ? 4 : 6 } };
	memcpy(out->src.ip, ip + at, len);
	memcpy(out->dst.ip, ip + at + len, len);
	out->src.port = be16(udp);
	out->dst.port = be16(udp + 2);
	return true;
}

static bool is_of(const struct entry *e, const struct addr *place)
{
	struct flow f;

	return flow_of(e, &f) && (addr_equal(&f.dst, place) || addr_equal(&f.src, place));
}

/* The entry before this one in a chain. */
static uint32_t before(const struct entry *e, uint32_t chain)
{
	return e->before[e->chains[0] == chain ? 0 : 1];
}

static uint32_t link_in(struct recent *r, uint32_t chain, uint64_t at)
{
	uint64_t newest = r->newest[chain];

	r->newest[chain] = at + 1;
	return newest > 0 && is_there(r, newest - 1) ? (uint32_t)(at - (newest - 1)) : 0;
}

/* Room for an entry of that size, in one piece. */
static uint64_t make_room(struct recent *r, size_t size)
{
	size_t left = r->size - (size_t)(r->end & (r->size - 1));
	uint64_t at = r->end + (left < size ? left : 0);

	r->end = at + size;
	return at;
}

/* What comes next is written a little further on, where nothing has been for long. */
static inline void look_ahead(const struct recent *r)
{
	size_t here = (size_t)(r->end & (r->size - 1)) + 1024;

	for (size_t i = 0; i < 320 && here + i < r->size; i += 64)
		__builtin_prefetch(r->octets + here + i, 1);
}

void recent_keep(struct recent *r, const struct datagram *d)
{
	size_t size = (sizeof(struct entry) + d->packet.len + 15) & ~(size_t)15;
	uint32_t from = chain_of(&d->flow.src), to = chain_of(&d->flow.dst);
	struct entry *e;
	uint64_t at;
	nsec_t back;

	if (d->payload.len < 12 || d->payload.at[0] >> 6 != 2 || d->packet.len > ENTRY_MAX || size > r->size)
		return;
	/* Of what came before the clock was set back, nobody knows how long ago that was. */
	if (__builtin_sub_overflow(r->last, d->at, &back) || back > SET_BACK)
		r->from = r->end;
	r->last = d->at;
	at = make_room(r, size);
	e = entry_at(r, at);
	look_ahead(r);
	e->at = d->at;
	e->chains[0] = (uint16_t)from;
	e->chains[1] = (uint16_t)to;
	e->source = d->source;
	e->before[0] = link_in(r, from, at);
	e->before[1] = to != from ? link_in(r, to, at) : 0;
	e->len = (uint16_t)d->packet.len;
	e->payload = (uint16_t)(d->payload.at - d->packet.at);
	e->payload_len = (uint16_t)d->payload.len;
	e->truncated = d->truncated;
	memcpy(e->packet, d->packet.at, d->packet.len);
}

/*
 * From the newest of the chain back, as far as the span; each that is of the place is told where the next one is. Returns where the
 * oldest lies, and 1; 0: there is none.
 */
static uint64_t find_oldest(struct recent *r, const struct addr *place, nsec_t since)
{
	uint32_t chain = chain_of(place), back = 0;
	uint64_t at = r->newest[chain] - 1, found = 0;

	if (r->newest[chain] == 0)
		return 0;
	for (; is_there(r, at); at -= back) {
		struct entry *e = entry_at(r, at);

		if (e->len > 0 && e->at >= since && is_of(e, place)) {
			e->then = found > 0 ? (uint32_t)(found - 1 - at) : 0;
			found = at + 1;
		}
		back = before(e, chain);
		if (back == 0 || back > at || e->at < since - r->span) /* out of order they come by less than that */
			break;
	}
	return found;
}

bool recent_next(struct recent *r, const struct addr *place, nsec_t at, uint64_t *step, struct datagram *out)
{
	struct entry *e;

	if (*step == 0)
		*step = find_oldest(r, place, at - r->span);
	if (*step == 0 || !is_there(r, *step - 1))
		return false;
	e = entry_at(r, *step - 1);
	*out = (struct datagram){
		.at = e->at,
		.source = e->source,
		.proto = IP_PROTO_UDP,
		.truncated = e->truncated,
		.packet = { e->packet, e->len },
		.payload = { e->packet + e->payload, e->payload_len },
	};
	flow_of(e, &out->flow);
	e->len = 0;
	*step = e->then > 0 ? *step + e->then : UINT64_MAX;
	return true;
}
