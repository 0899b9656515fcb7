/* places: open addressing, linear probing; what is removed lets its followers move up. */
#include "places.h"

#include <stdlib.h>

#include "otway/base/crypto.h"

#define SLOTS_PER_SPOT 4
#define BITS_PER_SLOT  8 /* of the filter: one bit in thirty-two is set at most */

bool places_init(struct places *p)
{
	memset(p, 0, sizeof(*p));
	if (!crypto_random(p->key, sizeof(p->key)))
		return false;
	p->key[1] |= 1;
	return true;
}

void places_clear(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->spots[i]);
	free(p->spots);
	free(p->slots);
	free(p->filter);
	memset(p, 0, sizeof(*p));
}

/* The slot that leads to an address; NULL: none. */
static struct places_slot *find(const struct places *p, const struct addr *a)
{
	uint64_t hash;

	if (!places_may_have(p, a))
		return NULL;
	hash = places_hash(p, a);
	for (size_t i = hash & (p->slot_count - 1);; i = (i + 1) & (p->slot_count - 1)) {
		struct places_slot *s = &p->slots[i];

		if (s->spot == 0)
			return NULL;
		if (s->hash == hash && addr_equal(&p->spots[s->spot - 1]->addr, a))
			return s;
	}
}

struct spot *places_find(const struct places *p, const struct addr *a)
{
	const struct places_slot *slot = find(p, a);

	return slot != NULL ? p->spots[slot->spot - 1] : NULL;
}

static void lay(struct places *p, uint32_t spot)
{
	uint64_t hash = places_hash(p, &p->spots[spot]->addr), bit = (hash >> 20) & p->filter_mask;
	size_t i = hash & (p->slot_count - 1);

	while (p->slots[i].spot != 0)
		i = (i + 1) & (p->slot_count - 1);
	p->slots[i] = (struct places_slot){ hash, spot + 1 };
	p->filter[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* Lays slots and filter anew. False: out of memory, nothing changed. */
static bool lay_all(struct places *p)
{
	size_t slot_count = 64;
	struct places_slot *slots;
	uint64_t *filter;

	while (slot_count < p->count * SLOTS_PER_SPOT)
		slot_count *= 2;
	slots = calloc(slot_count, sizeof(*slots));
	filter = calloc(slot_count * BITS_PER_SLOT / 64, sizeof(*filter));
	if (slots == NULL || filter == NULL) {
		free(slots);
		free(filter);
		return false;
	}
	free(p->slots);
	free(p->filter);
	p->slots = slots;
	p->filter = filter;
	p->slot_count = slot_count;
	p->filter_mask = slot_count * BITS_PER_SLOT - 1;
	p->removed = 0;
	for (size_t i = 0; i < p->count; i++)
		lay(p, (uint32_t)i);
	return true;
}

static bool more_room(struct places *p)
{
	size_t room = p->room > 0 ? p->room * 2 : 16;
	struct spot **spots = realloc(p->spots, room * sizeof(struct spot *));

	if (spots == NULL)
		return false;
	p->spots = spots;
	p->room = room;
	return true;
}

struct spot *places_add(struct places *p, const struct addr *a)
{
	struct spot *spot = places_find(p, a);

	if (spot != NULL)
		return spot;
	if (p->count == p->room && !more_room(p))
		return NULL;
	spot = calloc(1, sizeof(*spot));
	if (spot == NULL)
		return NULL;
	spot->addr = *a;
	p->spots[p->count++] = spot;
	if (p->count * SLOTS_PER_SPOT / 2 <= p->slot_count && p->removed <= p->count) {
		lay(p, (uint32_t)p->count - 1);
	} else if (!lay_all(p)) {
		p->count--;
		free(spot);
		return NULL;
	}
	return spot;
}

/* The slot that leads to the spot of that index. */
static size_t slot_of(const struct places *p, uint32_t spot)
{
	size_t i = places_hash(p, &p->spots[spot]->addr) & (p->slot_count - 1);

	while (p->slots[i].spot != spot + 1)
		i = (i + 1) & (p->slot_count - 1);
	return i;
}

static void close_hole(struct places *p, size_t hole)
{
	size_t mask = p->slot_count - 1;

	for (size_t i = (hole + 1) & mask; p->slots[i].spot != 0; i = (i + 1) & mask) {
		/* A follower may move up when its own slot does not lie behind the hole. */
		if (((i - p->slots[i].hash) & mask) >= ((i - hole) & mask)) {
			p->slots[hole] = p->slots[i];
			hole = i;
		}
	}
	p->slots[hole].spot = 0;
}

void places_remove(struct places *p, const struct addr *a)
{
	const struct places_slot *slot = find(p, a);
	uint32_t spot;

	if (slot == NULL)
		return;
	spot = slot->spot - 1;
	close_hole(p, (size_t)(slot - p->slots));
	free(p->spots[spot]);
	p->count--;
	p->removed++;
	if (spot < p->count) { /* the last one takes the free index */
		p->slots[slot_of(p, (uint32_t)p->count)].spot = spot + 1;
		p->spots[spot] = p->spots[p->count];
	}
}
