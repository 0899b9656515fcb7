/*
 * places: which call a transport address belongs to. It is asked for every datagram of the capture, so a miss costs one
 * keyed hash and one slot of 16 octets; the rest is looked at on a hit only.
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
};

struct places {
	struct places_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	struct spot **spots;
	size_t count, room;
	uint64_t key[3]; /* drawn at random: nobody outside can choose collisions */
};

struct places_slot {
	uint64_t hash;
	uint32_t spot; /* index + 1; 0: free */
};

bool places_init(struct places *p);
void places_clear(struct places *p);

/* The spot at an address, or NULL. */
struct spot *places_find(const struct places *p, const struct addr *a);

/* The spot at an address, made when there is none; NULL: out of memory. */
struct spot *places_add(struct places *p, const struct addr *a);

/* Forgets the spot at an address. */
void places_remove(struct places *p, const struct addr *a);

#endif
