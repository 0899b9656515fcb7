/* held_order: what came as it came, put into the order it is told in. */
#include "holdings.h"

#include <stdlib.h>

static int compare(nsec_t a, nsec_t b, uint32_t a_order, uint32_t b_order)
{
	if (a != b)
		return a < b ? -1 : 1;
	return (a_order > b_order) - (a_order < b_order);
}

static int compare_calls(const void *left, const void *right)
{
	const struct held_call *a = *(struct held_call *const *)left, *b = *(struct held_call *const *)right;

	return compare(a->first, b->first, a->order, b->order);
}

static int compare_events(const void *left, const void *right)
{
	const struct held_event *a = left, *b = right;

	return compare(a->at, b->at, a->order, b->order);
}

void holding_order_events(struct holding *h)
{
	if (h->event_count > 0)
		qsort(h->events, h->event_count, sizeof(*h->events), compare_events);
}

void holding_order(struct holding *h)
{
	for (uint32_t i = 0; i < h->call_count; i++) {
		struct held_call *c = h->calls[i];

		if (!c->first_is_message && c->facts.started != NSEC_NONE)
			c->first = c->facts.started; /* no signalling is delivered, but it was seen */
	}
	if (h->call_count > 0)
		qsort(h->calls, h->call_count, sizeof(struct held_call *), compare_calls);
	holding_order_events(h);
	for (uint32_t i = 0; i < h->call_count; i++)
		h->calls[i]->id = i + 1;
}
