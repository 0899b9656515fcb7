/*
 * recent: entries lie one behind the other in a ring, and the newest overwrites the oldest. A packet costs a copy and nothing more: only
 * when a place asks are those that came since the last one asked made chains, each of what may have an address in common, from the
 * newest back, so that a place costs what was sent from there or to there.
 */
#include "otway/recent.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "otway/base/secret.h"

#define ENTRY_MAX 2048                /* a longer packet is no voice */
#define SET_BACK  (60 * NSEC_PER_SEC) /* further back than packets come out of order: the clock was set */
#define CHAINS    4096                /* few enough to stay near the processor */
#define MARKS     16 /* a part so small of the ring is passed over where nobody asked for a whole lap */

/*
 * Where something lies is counted in octets that were ever written, and never comes again; distances are shorter than the ring. The flow is
 * read from the packet when it is wanted.
 */
struct entry {
	nsec_t at;
	uint32_t source;
	uint16_t len; /* of the packet */
	uint16_t payload, payload_len;
	bool truncated, given;
	uint16_t chains[2];
	uint32_t before
		[2]; /* how far back the one before lies, of the source's chain and the destination's; 0: there is none */
	uint32_t then; /* how far on the next lies that is to be given; 0: none */
	uint8_t packet[];
};

#define PAGE       ((size_t)2 << 20) /* few of them: each packet is written where none was for long */
#define ENTRY_ROOM ((sizeof(struct entry) + ENTRY_MAX + 15) & ~(size_t)15)

struct recent {
	uint64_t end;         /* what comes next is written here */
	uint64_t chained;     /* as far as here there are chains */
	uint64_t from;        /* what lies before is forgotten */
	uint64_t mark[MARKS]; /* an entry that begins in each part of the ring */
	uint64_t marked;      /* the part that was marked last, of all laps */
	unsigned part;        /* octets of a part, as a power of two */
	size_t size;          /* octets of the ring, a power of two: no packet costs a division */
	nsec_t span;
	nsec_t last;             /* when the last packet came */
	uint64_t newest[CHAINS]; /* the newest entry of each chain, and 1 */
	/* Behind the ring there is room for one entry more: each lies in one piece. */
	_Alignas(16) uint8_t octets[];
};

struct recent *recent_new(size_t octets, nsec_t span)
{
	unsigned part = 8;
	struct recent *r;
	size_t len;

	while (octets / 2 >> part >= MARKS)
		part++;
	len = (sizeof(*r) + ((size_t)MARKS << part) + ENTRY_ROOM + PAGE - 1) & ~(PAGE - 1);
	r = aligned_alloc(PAGE, len);
	if (r != NULL) {
		madvise(r, len, MADV_HUGEPAGE); /* where it can be had */
		memset(r, 0, sizeof(*r));
		r->part = part;
		r->size = (size_t)MARKS << part;
		r->span = span;
		r->last = NSEC_NONE;
		r->marked = UINT64_MAX;
	}
	return r;
}

void recent_free(struct recent *r)
{
	if (r != NULL)
		secret_free(r, sizeof(*r) + (r->end < r->size ? (size_t)r->end : r->size) + ENTRY_ROOM);
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
	const uint8_t *ip = e->packet, *udp;
	size_t len = ip[0] >> 4 == 4 ? 4 : 16, at = len == 4 ? 12 : 8;

	if (e->payload < at + 2 * len + 8)
		return false;
	udp = e->packet + e->payload - 8;
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

static size_t room_of(size_t len)
{
	return (sizeof(struct entry) + len + 15) & ~(size_t)15;
}

/* What comes next is written a little further on, where nothing has been for long. */
static inline void look_ahead(const struct recent *r)
{
	const uint8_t *then = r->octets + (r->end & (r->size - 1)) + 1024;

	for (size_t i = 0; i < 320; i += 64)
		__builtin_prefetch(then + i, 1); /* behind the ring there is room for an entry */
}

void recent_keep(struct recent *r, const struct datagram *d)
{
	struct entry *e;
	nsec_t back;

	if (d->payload.len < 12 || d->payload.at[0] >> 6 != 2 || d->packet.len > ENTRY_MAX)
		return;
	/* Of what came before the clock was set back, nobody knows how long ago that was. */
	if (__builtin_sub_overflow(r->last, d->at, &back) || back > SET_BACK)
		r->from = r->end;
	r->last = d->at;
	e = entry_at(r, r->end);
	look_ahead(r);
	e->at = d->at;
	e->source = d->source;
	e->len = (uint16_t)d->packet.len;
	e->payload = (uint16_t)(d->payload.at - d->packet.at);
	e->payload_len = (uint16_t)d->payload.len;
	e->truncated = d->truncated;
	e->given = false;
	memcpy(e->packet, d->packet.at, d->packet.len);
	if (r->end >> r->part != r->marked) {
		r->marked = r->end >> r->part;
		r->mark[r->marked % MARKS] = r->end;
	}
	r->end += room_of(d->packet.len);
}

static uint32_t link_in(struct recent *r, uint32_t chain, uint64_t at)
{
	uint64_t newest = r->newest[chain];

	r->newest[chain] = at + 1;
	return newest > 0 && is_there(r, newest - 1) ? (uint32_t)(at - (newest - 1)) : 0;
}

static void link_entry(struct recent *r, uint64_t at)
{
	struct entry *e = entry_at(r, at);
	struct flow f;
	uint32_t from, to;

	e->given = e->given || !flow_of(e, &f);
	if (e->given)
		return;
	from = chain_of(&f.src);
	to = chain_of(&f.dst);
	e->chains[0] = (uint16_t)from;
	e->chains[1] = (uint16_t)to;
	e->before[0] = link_in(r, from, at);
	e->before[1] = to != from ? link_in(r, to, at) : 0;
}

/* Where it was left off, or the oldest mark that still stands. */
static void make_chains(struct recent *r)
{
	uint64_t at = r->chained > r->from ? r->chained : r->from;

	if (at < r->end && !is_there(r, at)) {
		at = r->end;
		for (size_t i = 0; i < MARKS; i++)
			if (is_there(r, r->mark[i]) && r->mark[i] < at)
				at = r->mark[i];
	}
	for (; at < r->end; at += room_of(entry_at(r, at)->len))
		link_entry(r, at);
	r->chained = r->end;
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

		if (!e->given && e->at >= since && is_of(e, place)) {
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

	if (*step == 0) {
		make_chains(r);
		*step = find_oldest(r, place, at - r->span);
	}
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
	e->given = true;
	*step = e->then > 0 ? *step + e->then : UINT64_MAX;
	return true;
}
