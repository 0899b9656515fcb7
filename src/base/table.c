/*
 * table: open addressing over an array of entries in the order of insertion. Taken entries leave a hole in the array; the
 * array is packed anew when half of it is holes.
 */
#include "otway/base/table.h"

#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

struct entry {
	uint64_t hash;
	uint8_t *key; /* NULL: a hole */
	size_t key_len;
	void *value;
};

struct table {
	struct entry *entries;
	size_t used, room, live; /* entries ever put, room for them, of them not holes */
	uint32_t *slots;         /* index into entries + 1; 0: free */
	size_t slot_count;       /* a power of two, at least twice `room` */
};

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

#define SIPROUND                                                                                                       \
	do {                                                                                                           \
		v0 += v1, v1 = rotl(v1, 13), v1 ^= v0, v0 = rotl(v0, 32);                                              \
		v2 += v3, v3 = rotl(v3, 16), v3 ^= v2;                                                                 \
		v0 += v3, v3 = rotl(v3, 21), v3 ^= v0;                                                                 \
		v2 += v1, v1 = rotl(v1, 17), v1 ^= v2, v2 = rotl(v2, 32);                                              \
	} while (0)

uint64_t table_hash(struct bytes key)
{
	static uint64_t k[2];
	static bool drawn;
	uint64_t v0, v1, v2, v3, m;
	size_t i;

	if (!drawn) {
		if (!crypto_random(k, sizeof(k)))
			abort(); /* no randomness: nothing may go on */
		drawn = true;
	}
	v0 = k[0] ^ 0x736f6d6570736575ULL;
	v1 = k[1] ^ 0x646f72616e646f6dULL;
	v2 = k[0] ^ 0x6c7967656e657261ULL;
	v3 = k[1] ^ 0x7465646279746573ULL;
	for (i = 0; i + 8 <= key.len; i += 8) {
		memcpy(&m, key.at + i, 8);
		v3 ^= m;
		SIPROUND;
		SIPROUND;
		v0 ^= m;
	}
	m = (uint64_t)key.len << 56;
	for (size_t j = 0; i + j < key.len; j++)
		m |= (uint64_t)key.at[i + j] << (8 * j);
	v3 ^= m;
	SIPROUND;
	SIPROUND;
	v0 ^= m;
	v2 ^= 0xff;
	SIPROUND;
	SIPROUND;
	SIPROUND;
	SIPROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

struct table *table_new(void)
{
	return calloc(1, sizeof(struct table));
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->used; i++)
		secret_free(t->entries[i].key, t->entries[i].key_len);
	free(t->entries);
	free(t->slots);
	free(t);
}

/* The slot that leads to key, or NULL. */
static uint32_t *find(const struct table *t, struct bytes key, uint64_t hash)
{
	if (t->slot_count == 0)
		return NULL;
	for (size_t i = hash & (t->slot_count - 1);; i = (i + 1) & (t->slot_count - 1)) {
		const struct entry *e;

		if (t->slots[i] == 0)
			return NULL;
		e = &t->entries[t->slots[i] - 1];
		if (e->key != NULL && e->hash == hash && bytes_equal((struct bytes){ e->key, e->key_len }, key))
			return &t->slots[i];
	}
}

static void place(struct table *t, size_t index)
{
	size_t i = t->entries[index].hash & (t->slot_count - 1);

	while (t->slots[i] != 0)
		i = (i + 1) & (t->slot_count - 1);
	t->slots[i] = (uint32_t)index + 1;
}

/* Packs the entries, in more room when they need it, and lays the slots anew. */
static bool rebuild(struct table *t)
{
	size_t room = t->live * 2 > 8 ? t->live * 2 : 8, n = 0;
	size_t slot_count = 16;
	struct entry *entries;
	uint32_t *slots;

	while (slot_count < room * 2)
		slot_count *= 2;
	entries = calloc(room, sizeof(*entries));
	slots = calloc(slot_count, sizeof(*slots));
	if (entries == NULL || slots == NULL || room > UINT32_MAX / 2) {
		free(entries);
		free(slots);
		return false;
	}
	for (size_t i = 0; i < t->used; i++)
		if (t->entries[i].key != NULL)
			entries[n++] = t->entries[i];
	free(t->entries);
	free(t->slots);
	t->entries = entries;
	t->slots = slots;
	t->used = n;
	t->room = room;
	t->slot_count = slot_count;
	for (size_t i = 0; i < n; i++)
		place(t, i);
	return true;
}

void *table_get(const struct table *t, struct bytes key)
{
	const uint32_t *slot = find(t, key, table_hash(key));

	return slot != NULL ? t->entries[*slot - 1].value : NULL;
}

bool table_put(struct table *t, struct bytes key, void *value)
{
	uint64_t hash = table_hash(key);
	const uint32_t *slot = find(t, key, hash);
	uint8_t *copy;

	if (slot != NULL) {
		t->entries[*slot - 1].value = value;
		return true;
	}
	if (t->used == t->room && !rebuild(t))
		return false;
	copy = malloc(key.len + 1);
	if (copy == NULL)
		return false;
	if (key.len > 0)
		memcpy(copy, key.at, key.len);
	t->entries[t->used] = (struct entry){ hash, copy, key.len, value };
	place(t, t->used++);
	t->live++;
	return true;
}

void *table_take(struct table *t, struct bytes key)
{
	const uint32_t *slot = find(t, key, table_hash(key));
	struct entry *e;

	if (slot == NULL)
		return NULL;
	e = &t->entries[*slot - 1];
	secret_free(e->key, e->key_len); /* the slot stays, and leads to a hole */
	e->key = NULL;
	t->live--;
	return e->value;
}

size_t table_size(const struct table *t)
{
	return t->live;
}

void *table_next(const struct table *t, size_t *step, struct bytes *key)
{
	while (*step < t->used) {
		const struct entry *e = &t->entries[(*step)++];

		if (e->key == NULL)
			continue;
		if (key != NULL)
			*key = (struct bytes){ e->key, e->key_len };
		return e->value;
	}
	return NULL;
}
