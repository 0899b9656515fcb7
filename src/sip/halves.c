/*
 * halves: hash table, and lists through its entries. What a SYN said is kept in an array of fixed size, by a hash that is
 * the same in every run, for it decides what comes out.
 */
#include "halves.h"

#include <stdlib.h>

#include "otway/base/secret.h"

static uint64_t mix(const struct flow *f)
{
	uint64_t words[sizeof(*f) / sizeof(uint64_t)], h = 0;

	memcpy(words, f, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

static struct bytes key_of(const struct flow *f)
{
	return (struct bytes){ (const uint8_t *)f, sizeof(*f) };
}

struct halves *halves_new(void)
{
	struct halves *hs = calloc(1, sizeof(*hs));

	if (hs != NULL && (hs->table = table_new()) == NULL) {
		free(hs);
		return NULL;
	}
	return hs;
}

void halves_free(struct halves *hs)
{
	if (hs == NULL)
		return;
	while (hs->oldest != NULL)
		halves_remove(hs, hs->oldest);
	table_free(hs->table);
	free(hs);
}

struct half *halves_find(struct halves *hs, const struct flow *key)
{
	if (hs->filter[mix(key) % FILTER_SIZE] == 0)
		return NULL;
	return table_get(hs->table, key_of(key));
}

static void unlink_use(struct halves *hs, struct half *h)
{
	*(h->newer != NULL ? &h->newer->older : &hs->newest) = h->older;
	*(h->older != NULL ? &h->older->newer : &hs->oldest) = h->newer;
}

static void link_newest(struct halves *hs, struct half *h)
{
	h->newer = NULL;
	h->older = hs->newest;
	*(hs->newest != NULL ? &hs->newest->newer : &hs->oldest) = h;
	hs->newest = h;
}

static void evict(struct halves *hs)
{
	hs->evicted++;
	halves_remove(hs, hs->oldest);
}

struct half *halves_add(struct halves *hs, const struct flow *key)
{
	struct half *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->key = *key;
	if (!table_put(hs->table, key_of(key), h)) {
		free(h);
		return NULL;
	}
	hs->filter[mix(key) % FILTER_SIZE]++;
	link_newest(hs, h);
	while (table_size(hs->table) > HALVES_MAX)
		evict(hs);
	return h;
}

static void unlink_wait(struct halves *hs, struct half *h)
{
	if (!h->waiting)
		return;
	*(h->wait_before != NULL ? &h->wait_before->wait_after : &hs->wait_first) = h->wait_after;
	*(h->wait_after != NULL ? &h->wait_after->wait_before : &hs->wait_last) = h->wait_before;
	h->waiting = false;
}

static void unlink_ready(struct halves *hs, const struct half *h)
{
	struct half **at = &hs->ready_first, *before = NULL;

	if (!h->ready)
		return;
	while (*at != h) {
		before = *at;
		at = &(*at)->ready_after;
	}
	*at = h->ready_after;
	if (hs->ready_last == h)
		hs->ready_last = before;
}

void halves_remove(struct halves *hs, struct half *h)
{
	table_take(hs->table, key_of(&h->key));
	hs->filter[mix(&h->key) % FILTER_SIZE]--;
	unlink_use(hs, h);
	unlink_wait(hs, h);
	unlink_ready(hs, h);
	hs->octets -= h->charged;
	sequence_clear(&h->stream);
	websocket_clear(&h->websocket);
	buf_clear(&h->rest);
	secret_free(h, sizeof(*h));
}

void halves_used(struct halves *hs, struct half *h)
{
	size_t octets = h->rest.cap + websocket_octets(&h->websocket) + h->stream.held_octets;

	hs->octets += octets - h->charged;
	h->charged = octets;
	if (hs->newest != h) {
		unlink_use(hs, h);
		link_newest(hs, h);
	}
	while (hs->octets > HALVES_OCTETS_MAX && hs->oldest != h)
		evict(hs);
}

void halves_ready(struct halves *hs, struct half *h)
{
	if (h->ready)
		return;
	h->ready = true;
	h->ready_after = NULL;
	*(hs->ready_last != NULL ? &hs->ready_last->ready_after : &hs->ready_first) = h;
	hs->ready_last = h;
}

struct half *halves_pop_ready(struct halves *hs)
{
	struct half *h = hs->ready_first;

	if (h != NULL) {
		unlink_ready(hs, h);
		h->ready = false;
	}
	return h;
}

void halves_wait(struct halves *hs, struct half *h, nsec_t now)
{
	bool waits = sequence_waits(&h->stream);

	if (waits && h->waiting && h->wait_next == h->stream.next)
		return;
	unlink_wait(hs, h);
	if (!waits)
		return;
	h->waiting = true;
	h->wait_since = now;
	h->wait_next = h->stream.next;
	h->wait_after = NULL;
	h->wait_before = hs->wait_last;
	*(hs->wait_last != NULL ? &hs->wait_last->wait_after : &hs->wait_first) = h;
	hs->wait_last = h;
}

struct half *halves_waited(struct halves *hs, nsec_t now)
{
	struct half *h = hs->wait_first;

	if (h == NULL || now - h->wait_since <= HOLE_SPAN)
		return NULL;
	unlink_wait(hs, h);
	return h;
}

static struct syn *syn_of(const struct halves *hs, const struct flow *flow, uint32_t *tag)
{
	uint64_t h = mix(flow);

	*tag = (uint32_t)(h >> 32) | 1; /* 0: an empty place */
	return (struct syn *)&hs->syns[h % SYNS];
}

void halves_begins(struct halves *hs, const struct flow *flow, uint32_t first)
{
	uint32_t tag;
	struct syn *s = syn_of(hs, flow, &tag);

	*s = (struct syn){ tag, first };
}

bool halves_began(const struct halves *hs, const struct flow *flow, uint32_t *first)
{
	uint32_t tag;
	const struct syn *s = syn_of(hs, flow, &tag);

	*first = s->first;
	return s->tag == tag;
}

void halves_forget(struct halves *hs, const struct flow *flow)
{
	uint32_t tag;
	struct syn *s = syn_of(hs, flow, &tag);

	if (s->tag == tag)
		s->tag = 0;
}
