/* keys_timer: when an asking has something to do next: a binary heap, whose array grows when an asking is made, never later. */
#include <stdlib.h>

#include "keys_parts.h"

static void put(struct keys *k, size_t place, struct asking *a)
{
	k->heap[place - 1] = a;
	a->place = place;
}

static bool earlier(const struct keys *k, size_t a, size_t b)
{
	return k->heap[a - 1]->due < k->heap[b - 1]->due;
}

static void swap(struct keys *k, size_t a, size_t b)
{
	struct asking *first = k->heap[a - 1];

	put(k, a, k->heap[b - 1]);
	put(k, b, first);
}

static void settle(struct keys *k, size_t at)
{
	for (; at > 1 && earlier(k, at, at / 2); at /= 2)
		swap(k, at, at / 2);
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at; child <= 2 * at + 1 && child <= k->heap_count; child++)
			if (earlier(k, child, least))
				least = child;
		if (least == at)
			return;
		swap(k, at, least);
		at = least;
	}
}

bool keys_timer_room(struct keys *k)
{
	size_t cap = k->heap_cap > 0 ? 2 * k->heap_cap : 64;
	struct asking **grown;

	if (k->total < k->heap_cap)
		return true;
	grown = realloc(k->heap, cap * sizeof(struct asking *));
	if (grown == NULL)
		return false;
	k->heap = grown;
	k->heap_cap = cap;
	return true;
}

static void take_out(struct keys *k, struct asking *a)
{
	size_t place = a->place;
	struct asking *last = k->heap[k->heap_count - 1];

	k->heap_count--;
	a->place = 0;
	if (last == a)
		return;
	put(k, place, last);
	settle(k, place);
}

void keys_timer_set(struct keys *k, struct asking *a, nsec_t due)
{
	if (a->place > 0)
		take_out(k, a);
	a->due = due;
	if (due == NSEC_NONE)
		return;
	put(k, ++k->heap_count, a);
	settle(k, k->heap_count);
}

struct asking *keys_timer_first(const struct keys *k)
{
	return k->heap_count > 0 ? k->heap[0] : NULL;
}
