/*
 * places: which call a transport address belongs to. It is asked for every datagram of the capture, so a miss costs a
 * keyed hash and one bit of a filter that stays in the cache; the table behind it is looked at seldom else.
 */
#ifndef OTWAY_MEDIA_PLACES_H
#define OTWAY_MEDIA_PLACES_H

#include "otway/model/step.h"

struct call;

#define SPOT_LINES 4 /* m-lines that share an address (RFC 8843) */

/* One address where a party of an intercepted call receives. */
struct spot {
	struct addr addr;
	struct call *call;               /* the newest that claimed it */
	struct call *before;             /* an older one, open still: what it knows there stays its own; or NULL */
	struct place *lines[SPOT_LINES]; /* of `call`; owned by it */
	uint8_t line_count;
	bool rtp, rtcp; /* what is received here */
	nsec_t heard;   /* when it was said last, or a stream that is known had a packet */
};

struct places_slot {
	uint64_t hash;
	uint32_t spot; /* index + 1; 0: free */
};

struct places {
	uint64_t key[3];    /* drawn at random: nobody outside can choose collisions */
	uint64_t *filter;   /* a bit for the hash of each spot, and of some that are gone; NULL while there was none */
	size_t filter_mask; /* bits - 1 */
	struct places_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	struct spot **spots;
	size_t count, room, removed; /* removed since the filter was laid */
};

bool places_init(struct places *p);
void places_clear(struct places *p);

/* The spot at an address, or NULL. */
struct spot *places_find(const struct places *p, const struct addr *a);

/* The spot at an address, made when there is none; NULL: out of memory. */
struct spot *places_add(struct places *p, const struct addr *a);

/* Forgets the spot at an address. */
void places_remove(struct places *p, const struct addr *a);

__extension__ typedef unsigned __int128 places_product;

/* Both halves of a product, folded. */
static inline uint64_t places_fold(uint64_t a, uint64_t b)
{
	places_product product = (places_product)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t places_hash(const struct places *p, const struct addr *a)
{
	uint64_t head, middle, tail = 0;

	_Static_assert(sizeof(struct addr) == 20, "an address is 20 octets without holes");
	memcpy(&head, a, 8); /* all there is of an IPv4 address */
	if (a->family == 4)
		return places_fold(head ^ p->key[0], p->key[1]);
	memcpy(&middle, a->ip + 4, 8);
	memcpy(&tail, a->ip + 12, 4);
	return places_fold(places_fold(head ^ p->key[0], middle ^ p->key[1]) ^ tail ^ p->key[2], p->key[1]);
}

/* False: no spot is there. */
static inline bool places_may_have(const struct places *p, const struct addr *a)
{
	uint64_t bit;

	if (p->count == 0)
		return false;
	bit = (places_hash(p, a) >> 20) & p->filter_mask;
	return p->filter[bit / 64] >> (bit % 64) & 1;
}

#endif
