/*
 * undecided: copies of messages in a queue by age. Each has joins, hashes of what it may have in common with
 * another, in the chains of a table: claiming follows them from message to message and meets each but once.
 */
#include "otway/undecided.h"

#include <stdlib.h>

#include "shared.h"

#include "otway/base/secret.h"

#define CHAINS 16384 /* a power of two */

/* A hash of one message, in the chain of those that begin with the same bits. */
struct join {
	uint64_t hash;
	struct kept *owner;
	struct join *next, **link; /* link: what points here */
};

/* A message: this, its joins, then the octets of its packet. */
struct kept {
	struct kept *older, *newer; /* once claimed: newer alone, the next by age */
	size_t size;
	uint64_t serial;
	struct datagram datagram;
	size_t join_count;
	struct join joins[];
};

struct undecided {
	nsec_t hold;
	size_t octets, octets_max;
	struct kept *oldest, *newest;
	struct kept *claimed, *given;
	struct join *chains[CHAINS];
	uint64_t kept_ever, evicted;
};

struct undecided *undecided_new(nsec_t hold, size_t octets_max)
{
	struct undecided *u = calloc(1, sizeof(*u));

	if (u != NULL) {
		u->hold = hold;
		u->octets_max = octets_max;
	}
	return u;
}

static void unjoin(struct kept *k)
{
	for (size_t i = 0; i < k->join_count; i++) {
		*k->joins[i].link = k->joins[i].next;
		if (k->joins[i].next != NULL)
			k->joins[i].next->link = k->joins[i].link;
	}
}

/* Out of the queue and the chains, but not yet gone. */
static void take_out(struct undecided *u, struct kept *k)
{
	unjoin(k);
	*(k->older != NULL ? &k->older->newer : &u->oldest) = k->newer;
	*(k->newer != NULL ? &k->newer->older : &u->newest) = k->older;
	k->older = k->newer = NULL;
	u->octets -= k->size;
}

static void drop_oldest(struct undecided *u)
{
	struct kept *k = u->oldest;

	take_out(u, k);
	secret_free(k, k->size);
}

static void drop_list(struct kept *k)
{
	while (k != NULL) {
		struct kept *next = k->newer;

		secret_free(k, k->size);
		k = next;
	}
}

void undecided_free(struct undecided *u)
{
	if (u == NULL)
		return;
	while (u->oldest != NULL)
		drop_oldest(u);
	drop_list(u->claimed);
	drop_list(u->given);
	free(u);
}

static bool within(struct bytes whole, struct bytes part)
{
	return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

/* The datagram with octets of its own behind the joins; a payload outside its packet is copied beside it. */
static struct kept *copy(const struct datagram *d, size_t joins)
{
	bool inside = within(d->packet, d->payload);
	size_t start = sizeof(struct kept) + joins * sizeof(struct join);
	size_t size = start + d->packet.len + (inside ? 0 : d->payload.len);
	struct kept *k = malloc(size);
	uint8_t *at;

	if (k == NULL)
		return NULL;
	memset(k, 0, start);
	k->size = size;
	k->join_count = joins;
	k->datagram = *d;
	at = (uint8_t *)k + start;
	if (d->packet.len > 0)
		memcpy(at, d->packet.at, d->packet.len);
	k->datagram.packet.at = at;
	k->datagram.payload.at = inside ? at + (d->payload.at - d->packet.at) : at + d->packet.len;
	if (!inside && d->payload.len > 0)
		memcpy(at + d->packet.len, d->payload.at, d->payload.len);
	return k;
}

static void enqueue(struct undecided *u, struct kept *k, const struct shared *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct join **chain = &u->chains[s->hash[i] & (CHAINS - 1)];

		k->joins[i] = (struct join){ s->hash[i], k, *chain, chain };
		if (*chain != NULL)
			(*chain)->link = &k->joins[i].next;
		*chain = &k->joins[i];
	}
	k->serial = u->kept_ever++;
	k->older = u->newest;
	*(u->newest != NULL ? &u->newest->newer : &u->oldest) = k;
	u->newest = k;
	u->octets += k->size;
	while (u->octets > u->octets_max) {
		drop_oldest(u);
		u->evicted++;
	}
}

void undecided_keep(struct undecided *u, const struct datagram *d, const struct glance *g)
{
	struct shared s;
	struct kept *k;

	undecided_time(u, d->at);
	if (!g->setup)
		return;
	shared_of(g, &s);
	k = copy(d, s.count);
	if (k != NULL)
		enqueue(u, k, &s);
}

static struct kept *find(const struct undecided *u, uint64_t hash)
{
	for (const struct join *j = u->chains[hash & (CHAINS - 1)]; j != NULL; j = j->next)
		if (j->hash == hash)
			return j->owner;
	return NULL;
}

/* Those that share a hash go from the queue to the front of *list. */
static void claim(struct undecided *u, uint64_t hash, struct kept **list)
{
	struct kept *k;

	while ((k = find(u, hash)) != NULL) {
		take_out(u, k);
		k->newer = *list;
		*list = k;
	}
}

/* Two lists by age into one. */
static struct kept *merge(struct kept *a, struct kept *b)
{
	struct kept *first = NULL, **end = &first;

	while (a != NULL && b != NULL) {
		struct kept **older = a->serial < b->serial ? &a : &b;

		*end = *older;
		end = &(*older)->newer;
		*older = *end;
	}
	*end = a != NULL ? a : b;
	return first;
}

/* Sorted runs of 1, 2, 4 … messages wait in `runs` until one of their length comes. */
static struct kept *sort(struct kept *list)
{
	struct kept *runs[64] = { NULL }, *sorted = NULL;

	while (list != NULL) {
		struct kept *run = list;
		size_t i = 0;

		list = list->newer;
		run->newer = NULL;
		for (; runs[i] != NULL; i++) {
			run = merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
	}
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		sorted = merge(runs[i], sorted);
	return sorted;
}

void undecided_claim(struct undecided *u, nsec_t at, const struct glance *g)
{
	struct kept *open = NULL, *done = NULL;
	struct shared s;

	undecided_time(u, at);
	if (u->oldest == NULL)
		return;
	shared_of(g, &s);
	for (size_t i = 0; i < s.count; i++)
		claim(u, s.hash[i], &open);
	while (open != NULL) {
		struct kept *k = open;

		open = k->newer;
		k->newer = done;
		done = k;
		for (size_t i = 0; i < k->join_count; i++)
			claim(u, k->joins[i].hash, &open);
	}
	u->claimed = merge(u->claimed, sort(done));
}

bool undecided_next(struct undecided *u, const struct datagram **out)
{
	drop_list(u->given);
	u->given = u->claimed;
	if (u->given == NULL)
		return false;
	u->claimed = u->given->newer;
	u->given->newer = NULL;
	*out = &u->given->datagram;
	return true;
}

void undecided_time(struct undecided *u, nsec_t at)
{
	while (u->oldest != NULL && u->oldest->datagram.at < at - u->hold)
		drop_oldest(u);
}

size_t undecided_counts(const struct undecided *u, struct counter *out, size_t max)
{
	const struct counter all[] = { { "undecided", u->kept_ever }, { "undecided_evicted", u->evicted } };
	size_t n;

	for (n = 0; n < sizeof(all) / sizeof(all[0]) && n < max; n++)
		out[n] = all[n];
	return n;
}
