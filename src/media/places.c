/* places: open addressing over a keyed multiplicative hash, linear probing; what is removed lets its followers move up. */
#include "places.h"

#include <stdlib.h>

#include "otway/base/crypto.h"

__extension__ typedef unsigned __int128 product_t;

/* Both halves of a product, folded. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	product_t product = (product_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const struct places *p, const struct addr *a)
{
	uint64_t head, middle, tail = 0;
	const uint8_t *octets = (const uint8_t *)a;

	_Static_assert(sizeof(struct addr) == 20, "an address is 20 octets without holes");
	memcpy(&head, octets, 8);
	if (a->family == 4)
		return fold(head ^ p->key[0], p->key[1]);
	memcpy(&middle, octets + 8, 8);
	memcpy(&tail, octets + 16, 4);
	return fold(fold(head ^ p->key[0], middle ^ p->key[1]) ^ tail ^ p->key[2], p->key[1]);
}

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
	p->spots = NULL;
	p->slots = NULL;
	p->count = p->room = p->slot_count = 0;
}

/* The slot that leads to an address; NULL: none. */
static struct places_slot *find(const struct places *p, const struct addr *a)
{
	uint64_t hash;

	if (p->count == 0)
		return NULL;
	hash = hash_of(p, a);
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
	uint64_t hash = hash_of(p, &p->spots[spot]->addr);
	size_t i = hash & (p->slot_count - 1);

	while (p->slots[i].spot != 0)
		i = (i + 1) & (p->slot_count - 1);
	p->slots[i] = (struct places_slot){ hash, spot + 1 };
}

/* Lays all slots anew, four for each spot. False: out of memory, nothing changed. */
static bool lay_all(struct places *p)
{
	size_t slot_count = 64;
	struct places_slot *slots;

	while (slot_count < p->count * 4)
		slot_count *= 2;
	slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		return false;
	free(p->slots);
	p->slots = slots;
	p->slot_count = slot_count;
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
	if (p->count * 2 <= p->slot_count) {
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
	size_t i = hash_of(p, &p->spots[spot]->addr) & (p->slot_count - 1);

	while (p->slots[i].spot != spot + 1)
		i = (i + 1) & (p->slot_count - 1);
	return i;
}

void places_remove(struct places *p, const struct addr *a)
{
	struct places_slot *slot = find(p, a);
	size_t mask = p->slot_count - 1, hole, i;
	uint32_t spot;

	if (slot == NULL)
		return;
	spot = slot->spot - 1;
	hole = (size_t)(slot - p->slots);
	for (i = (hole + 1) & mask; p->slots[i].spot != 0; i = (i + 1) & mask) {
		/* A follower may move up when its own slot does not lie behind the hole. */
		if (((i - p->slots[i].hash) & mask) >= ((i - hole) & mask)) {
			p->slots[hole] = p->slots[i];
			hole = i;
		}
	}
	p->slots[hole].spot = 0;
	free(p->spots[spot]);
	p->count--;
	if (spot < p->count) { /* the last one takes the free index */
		p->slots[slot_of(p, (uint32_t)p->count)].spot = spot + 1;
		p->spots[spot] = p->spots[p->count];
	}
}
