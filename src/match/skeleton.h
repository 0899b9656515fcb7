/*
 * skeleton: what equal identities have in common however they are written, and the set of those that are looked for.
 */
#ifndef OTWAY_MATCH_SKELETON_H
#define OTWAY_MATCH_SKELETON_H

#include "otway/triage.h"

#define TAUGHT_MAX 16384

struct triage {
	uint64_t *slots;    /* open addressing, 0 free */
	size_t count, room; /* room: a power of two, at least twice count */
	uint64_t
		*filter; /* two bits in one word for each skeleton; small enough for the cache whatever the slots are */
	size_t filter_mask; /* its words - 1 */
	bool all;           /* some target has no skeleton, so everything may be it */
	uint64_t *taught;   /* the last TAUGHT_MAX that triage_teach added, in turn; NULL: none yet */
	size_t taught_count;
};

/* The value of a hex digit, or -1. */
int skeleton_hex(uint8_t c);

/* The skeleton of what begins at user (triage.h); *end: where it ends. */
uint64_t skeleton_of(struct bytes user, size_t *end);

/* It is in the slots, which are not free altogether. */
bool skeleton_known(const struct triage *t, uint64_t skeleton);

/* The bits of a skeleton in its word of the filter. */
static inline uint64_t skeleton_bits(uint64_t skeleton)
{
	return UINT64_C(1) << (skeleton >> 52 & 63) | UINT64_C(1) << (skeleton >> 58);
}

/* Some target may have it. */
static inline bool skeleton_wanted(const struct triage *t, uint64_t skeleton)
{
	uint64_t bits = skeleton_bits(skeleton);

	if (skeleton == 0 || t->all)
		return true;
	return t->count > 0 && (t->filter[skeleton & t->filter_mask] & bits) == bits && skeleton_known(t, skeleton);
}

#endif
