/* shelf: blocks in a queue by number, and spare ones. A place is block number, offset in units of 8 octets, part. */
#include "shelf.h"

#include <stdbool.h>
#include <stdlib.h>

#include "otway/base/secret.h"

#define BLOCK       ((size_t)1 << 16) /* octets, header too; a larger thing has a block of its own */
#define SPARES      256
#define SPANS       16 /* a block is filled for this part of the time that things are kept */
#define PART_BITS   6
#define OFFSET_BITS 13
#define UNIT        8

struct block {
	struct block *newer; /* or the next spare one */
	size_t size, used;
	size_t dirty; /* octets up to here were written at some time and not wiped */
	nsec_t first, last;
	uint64_t count;
	_Alignas(UNIT) uint8_t octets[];
};

struct shelf {
	size_t octets, octets_max, slot_count;
	nsec_t span;
	uint64_t oldest, next; /* numbers of blocks; equal: there is none */
	struct block *spare;
	size_t spare_count;
	uint64_t evicted;
	struct block *slots[]; /* a block by its number */
};

_Static_assert(1 << PART_BITS == SHELF_PARTS && BLOCK / UNIT <= 1 << OFFSET_BITS, "a place holds every offset");

struct shelf *shelf_new(size_t octets_max, nsec_t hold)
{
	size_t slot_count = 1;
	struct shelf *s;

	while (slot_count <= octets_max / BLOCK)
		slot_count *= 2;
	s = calloc(1, sizeof(*s) + slot_count * sizeof(struct block *));
	if (s == NULL)
		return NULL;
	s->octets_max = octets_max;
	s->slot_count = slot_count;
	s->span = hold / SPANS;
	s->oldest = s->next = 1;
	return s;
}

static struct block **slot(const struct shelf *s, uint64_t number)
{
	return (struct block **)&s->slots[number & (s->slot_count - 1)];
}

/* Wipes what was written behind what is in use. */
static void clean(struct block *b)
{
	if (b->dirty > b->used)
		secret_wipe(b->octets + b->used, b->dirty - b->used);
	b->dirty = b->used;
}

static void drop(struct shelf *s, struct block *b)
{
	s->octets -= b->size;
	secret_free(b, sizeof(*b) + (b->dirty > b->used ? b->dirty : b->used));
}

/* The oldest block becomes a spare one. */
static void give_up(struct shelf *s)
{
	struct block *b = *slot(s, s->oldest);

	*slot(s, s->oldest++) = NULL;
	b->dirty = b->dirty > b->used ? b->dirty : b->used;
	b->used = 0;
	if (b->size != BLOCK || s->spare_count == SPARES) {
		drop(s, b);
		return;
	}
	b->newer = s->spare;
	s->spare = b;
	s->spare_count++;
}

static struct block *take_spare(struct shelf *s)
{
	struct block *b = s->spare;

	if (b != NULL) {
		s->spare = b->newer;
		s->spare_count--;
	}
	return b;
}

void shelf_free(struct shelf *s)
{
	struct block *b;

	if (s == NULL)
		return;
	while (s->oldest < s->next)
		give_up(s);
	while ((b = take_spare(s)) != NULL)
		drop(s, b);
	free(s);
}

/* Memory for a block, the oldest things evicted for it; a spare one if it is of the common size. */
static struct block *get(struct shelf *s, size_t size)
{
	struct block *b;

	if (size > s->octets_max)
		return NULL;
	if (size == BLOCK && (b = take_spare(s)) != NULL)
		return b;
	while (s->octets + size > s->octets_max) {
		if ((b = take_spare(s)) != NULL) {
			if (b->size == size)
				return b;
			drop(s, b);
			continue;
		}
		s->evicted += (*slot(s, s->oldest))->count;
		give_up(s);
	}
	b = malloc(size);
	if (b == NULL)
		return NULL;
	s->octets += size;
	b->size = size;
	b->dirty = b->used = 0;
	return b;
}

static struct block *begin(struct shelf *s, size_t size, nsec_t at)
{
	size_t whole = sizeof(struct block) + size;
	struct block *b;

	if (s->oldest < s->next)
		clean(*slot(s, s->next - 1));
	b = get(s, whole > BLOCK ? whole : BLOCK);
	if (b == NULL)
		return NULL;
	b->used = 0;
	b->count = 0;
	b->first = b->last = at;
	*slot(s, s->next++) = b;
	return b;
}

static bool takes(const struct shelf *s, const struct block *b, size_t size, nsec_t at)
{
	return sizeof(*b) + b->used + size <= b->size && at - b->first <= s->span;
}

void *shelf_put(struct shelf *s, size_t size, nsec_t at, uint64_t *place)
{
	struct block *b = s->oldest < s->next ? *slot(s, s->next - 1) : NULL;
	void *thing;

	size = (size + UNIT - 1) & ~(size_t)(UNIT - 1);
	if (b == NULL || !takes(s, b, size, at))
		b = begin(s, size, at);
	if (b == NULL)
		return NULL;
	*place = ((s->next - 1) << OFFSET_BITS | b->used / UNIT) << PART_BITS;
	thing = b->octets + b->used;
	b->used += size;
	b->count++;
	b->last = at > b->last ? at : b->last;
	return thing;
}

void *shelf_at(const struct shelf *s, uint64_t place)
{
	uint64_t number = place >> (PART_BITS + OFFSET_BITS);
	size_t offset = (place >> PART_BITS & ((1 << OFFSET_BITS) - 1)) * UNIT;

	return number >= s->oldest && number < s->next ? (*slot(s, number))->octets + offset : NULL;
}

void shelf_taken(struct shelf *s, uint64_t place)
{
	uint64_t number = place >> (PART_BITS + OFFSET_BITS);

	if (number >= s->oldest && number < s->next)
		(*slot(s, number))->count--;
}

void shelf_expire(struct shelf *s, nsec_t before)
{
	while (s->oldest < s->next && (*slot(s, s->oldest))->last < before)
		give_up(s);
}

void shelf_wipe(struct shelf *s)
{
	for (struct block *b = s->spare; b != NULL; b = b->newer)
		clean(b);
}

uint64_t shelf_evicted(const struct shelf *s)
{
	return s->evicted;
}
