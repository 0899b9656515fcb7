/* held: copies of datagrams, counted by reference. */
#include "held.h"

#include <stdlib.h>

#include "otway/base/secret.h"

/* Where inner begins within outer; false when it does not lie in it. */
static bool lies_within(struct bytes inner, struct bytes outer, size_t *offset)
{
	uintptr_t from = (uintptr_t)inner.at, begin = (uintptr_t)outer.at;

	if (inner.at == NULL || outer.at == NULL || from < begin || from - begin > outer.len)
		return false;
	*offset = from - begin;
	return inner.len <= outer.len - *offset;
}

struct held *held_new(const struct datagram *d)
{
	size_t offset = 0;
	struct bytes whole = lies_within(d->payload, d->packet, &offset) ? d->packet : d->payload;
	struct held *h = malloc(sizeof(*h) + whole.len);

	if (h == NULL)
		return NULL;
	*h = (struct held){ .refs = 1, .octets = whole.len, .datagram = *d };
	if (whole.len > 0)
		memcpy(h->bytes, whole.at, whole.len);
	h->datagram.packet = (struct bytes){ h->bytes, whole.len };
	h->datagram.payload = (struct bytes){ h->bytes + offset, d->payload.len };
	return h;
}

struct held *held_keep(struct held *h)
{
	if (h != NULL)
		h->refs++;
	return h;
}

void held_drop(struct held *h)
{
	if (h != NULL && --h->refs == 0)
		secret_free(h, sizeof(*h) + h->octets);
}
