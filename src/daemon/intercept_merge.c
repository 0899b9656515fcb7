/*
 * intercept_merge: signals wait until no front can have an earlier one: each tells by marks how far it has come. Mostly they come in
 * order, so a list that is walked from its end will do.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define WAIT       (NSEC_PER_SEC / 5) /* for a front that says nothing */
#define OCTETS_MAX ((size_t)64 << 20) /* beyond, the oldest goes on as it is */
#define SET_BACK                                                                                                       \
	(60 * NSEC_PER_SEC) /* a mark that goes back so far: of another clock, or of another one after one that had ended */

struct waiting {
	struct waiting *older, *newer;
	size_t size;
	nsec_t came; /* loop_now */
	struct datagram datagram;
	uint8_t octets[];
};

struct merge {
	uint32_t fronts;
	nsec_t marks[FRONTS_MAX];
	struct waiting *oldest, *newest, *given;
	size_t octets;
};

struct merge *merge_new(uint32_t fronts)
{
	struct merge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->fronts = fronts;
	for (uint32_t i = 0; i < fronts; i++)
		m->marks[i] = NSEC_NONE;
	return m;
}

static void waiting_free(struct waiting *w)
{
	if (w != NULL)
		secret_free(w, w->size);
}

void merge_free(struct merge *m)
{
	if (m == NULL)
		return;
	while (m->oldest != NULL) {
		struct waiting *w = m->oldest;

		m->oldest = w->newer;
		waiting_free(w);
	}
	waiting_free(m->given);
	free(m);
}

static void insert(struct merge *m, struct waiting *w)
{
	struct waiting *before = m->newest;

	while (before != NULL && before->datagram.at > w->datagram.at)
		before = before->older;
	w->older = before;
	w->newer = before != NULL ? before->newer : m->oldest;
	*(w->newer != NULL ? &w->newer->older : &m->newest) = w;
	*(before != NULL ? &before->newer : &m->oldest) = w;
}

bool merge_put(struct merge *m, uint32_t from, const struct datagram *d, nsec_t now)
{
	size_t size = sizeof(struct waiting) + d->packet.len;
	struct waiting *w = malloc(size);

	(void)from;
	if (w == NULL)
		return false;
	w->size = size;
	w->came = now;
	w->datagram = *d;
	memcpy(w->octets, d->packet.at, d->packet.len);
	w->datagram.packet.at = w->octets;
	w->datagram.payload.at = w->octets + (d->payload.at - d->packet.at);
	m->octets += size;
	insert(m, w);
	return true;
}

void merge_mark(struct merge *m, uint32_t from, nsec_t until)
{
	if (from < m->fronts && (until > m->marks[from] || until < m->marks[from] - SET_BACK))
		m->marks[from] = until;
}

nsec_t merge_reached(const struct merge *m)
{
	nsec_t least = NSEC_EVER;

	for (uint32_t i = 0; i < m->fronts; i++)
		if (m->marks[i] < least)
			least = m->marks[i];
	return least;
}

bool merge_next(struct merge *m, nsec_t now, bool all, struct datagram *out)
{
	struct waiting *w = m->oldest;

	waiting_free(m->given);
	m->given = NULL;
	if (w == NULL || (!all && w->datagram.at > merge_reached(m) && now - w->came < WAIT && m->octets < OCTETS_MAX))
		return false;
	m->oldest = w->newer;
	*(w->newer != NULL ? &w->newer->older : &m->newest) = NULL;
	m->octets -= w->size;
	m->given = w;
	*out = w->datagram;
	return true;
}
