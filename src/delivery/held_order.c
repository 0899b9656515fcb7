/* held_order: what came as it came, put into the order it is told in; and records as they were put aside, read back. */
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

void holding_order(struct holding *h)
{
	for (uint32_t i = 0; i < h->call_count; i++) {
		struct held_call *c = h->calls[i];

		if (!c->first_is_message && c->facts.started != NSEC_NONE)
			c->first = c->facts.started; /* no signalling is delivered, but it was seen */
	}
	if (h->call_count > 0)
		qsort(h->calls, h->call_count, sizeof(struct held_call *), compare_calls);
	if (h->event_count > 0)
		qsort(h->events, h->event_count, sizeof(*h->events), compare_events);
	for (uint32_t i = 0; i < h->call_count; i++)
		h->calls[i]->id = i + 1;
}

bool holding_message(const struct spooled *in, struct spooled_message *out, struct bytes *packet)
{
	if (in->bytes.len < sizeof(*out))
		return false;
	memcpy(out, in->bytes.at, sizeof(*out));
	*packet = bytes_part(in->bytes, sizeof(*out), in->bytes.len);
	return (uint64_t)out->payload_at + out->payload_len <= packet->len;
}

bool holding_media(const struct spooled *in, struct spooled_media *out, struct bytes *packet, struct bytes *clear)
{
	if (in->bytes.len < sizeof(*out))
		return false;
	memcpy(out, in->bytes.at, sizeof(*out));
	if (in->bytes.len - sizeof(*out) != (uint64_t)out->packet_len + out->clear_len ||
		(uint64_t)out->payload_at + out->payload_len > out->packet_len)
		return false;
	*packet = bytes_part(in->bytes, sizeof(*out), out->packet_len);
	*clear = out->clear_len > 0 ? bytes_part(in->bytes, sizeof(*out) + out->packet_len, out->clear_len)
				    : bytes_part(*packet, out->payload_at, out->payload_len);
	return (uint64_t)out->media_at + out->media_len <= clear->len;
}

bool holding_place(struct bytes whole, struct bytes part, uint32_t *at, uint32_t *len)
{
	uintptr_t from = (uintptr_t)part.at - (uintptr_t)whole.at;

	*at = 0;
	*len = 0;
	if (part.at == NULL || part.at < whole.at || from > whole.len || part.len > whole.len - from)
		return false;
	*at = (uint32_t)from;
	*len = (uint32_t)part.len;
	return true;
}
