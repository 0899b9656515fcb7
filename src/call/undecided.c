/*
 * undecided: messages on a shelf by age. Each has joins, hashes of what it may have in common with another, in chains that lead
 * from newer to older: claiming follows them from message to message and meets each but once. What the shelf gave up ends a
 * chain, so that forgetting costs nothing. Only what is claimed is copied to the heap.
 */
#include "otway/undecided.h"

#include <stdlib.h>

#include "shared.h"
#include "shelf.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

#define CHAINS 16384 /* a power of two */

/* A hash of one message, in the chain of those that end with the same bits. */
struct join {
	uint64_t hash;
	uint64_t older; /* the place of the next one: of its message, and which of its joins; 0: none */
};

/* A message: this, its joins, then the octets of its packet. */
struct entry {
	struct datagram datagram;
	bool claimed;
	size_t join_count;
	struct join joins[];
};

/* A message that was claimed, then the octets of its packet. */
struct kept {
	struct kept *next; /* by age */
	uint64_t place;    /* where it lay: grows with age */
	size_t size;
	struct datagram datagram;
	size_t join_count;
	uint64_t hash[SHARED_MAX];
	uint8_t octets[];
};

struct undecided {
	nsec_t hold, told;
	struct shelf *shelf;
	struct shared_key key;
	struct kept *claimed, *given;
	uint64_t kept_ever, lost; /* lost: too large for all there is */
	uint64_t chains[CHAINS];
};

struct undecided *undecided_new(nsec_t hold, size_t octets_max)
{
	struct undecided *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->hold = hold;
	u->told = NSEC_NONE;
	u->shelf = shelf_new(octets_max, hold);
	if (u->shelf == NULL || !crypto_random(&u->key, sizeof(u->key))) {
		undecided_free(u);
		return NULL;
	}
	return u;
}

static void drop_list(struct kept *k)
{
	while (k != NULL) {
		struct kept *next = k->next;

		secret_free(k, k->size);
		k = next;
	}
}

void undecided_free(struct undecided *u)
{
	if (u == NULL)
		return;
	shelf_free(u->shelf);
	drop_list(u->claimed);
	drop_list(u->given);
	free(u);
}

static bool within(struct bytes whole, struct bytes part)
{
	return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

/* Octets that a copy of the packet needs; a payload outside it is copied beside it. */
static size_t packet_size(const struct datagram *d)
{
	return d->packet.len + (within(d->packet, d->payload) ? 0 : d->payload.len);
}

static void copy_packet(const struct datagram *d, struct datagram *out, uint8_t *at)
{
	bool inside = within(d->packet, d->payload);

	*out = *d;
	if (d->packet.len > 0)
		memcpy(at, d->packet.at, d->packet.len);
	out->packet.at = at;
	out->payload.at = inside ? at + (d->payload.at - d->packet.at) : at + d->packet.len;
	if (!inside && d->payload.len > 0)
		memcpy(at + d->packet.len, d->payload.at, d->payload.len);
}

void undecided_keep(struct undecided *u, const struct datagram *d, const struct glance *g)
{
	struct shared s;
	struct entry *e;
	uint64_t place;
	size_t start;

	shelf_expire(u->shelf, d->at - u->hold);
	if (!g->setup)
		return;
	u->kept_ever++;
	shared_of(g, &u->key, &s);
	start = sizeof(*e) + s.count * sizeof(struct join);
	e = shelf_put(u->shelf, start + packet_size(d), d->at, &place);
	if (e == NULL) {
		u->lost++;
		return;
	}
	e->claimed = false;
	e->join_count = s.count;
	for (size_t i = 0; i < s.count; i++) {
		uint64_t *chain = &u->chains[s.hash[i] & (CHAINS - 1)];

		e->joins[i] = (struct join){ s.hash[i], *chain };
		*chain = place + i;
	}
	copy_packet(d, &e->datagram, (uint8_t *)e + start);
}

/* A copy for the claimer; what lay on the shelf is wiped. NULL: out of memory. */
static struct kept *take(struct undecided *u, struct entry *e, uint64_t place)
{
	size_t octets = packet_size(&e->datagram), size = sizeof(struct kept) + octets;
	struct kept *k = malloc(size);

	if (k == NULL)
		return NULL;
	k->size = size;
	k->place = place;
	k->join_count = e->join_count;
	for (size_t i = 0; i < e->join_count; i++)
		k->hash[i] = e->joins[i].hash;
	copy_packet(&e->datagram, &k->datagram, k->octets);
	secret_wipe(e->joins + e->join_count, octets);
	e->claimed = true;
	shelf_taken(u->shelf, place);
	return k;
}

/* Those that share a hash, and are not too old, go from the shelf to the front of *list. What is claimed leaves the chain. */
static void claim(struct undecided *u, uint64_t hash, nsec_t at, struct kept **list)
{
	uint64_t *link = &u->chains[hash & (CHAINS - 1)];
	struct entry *e;

	while ((e = shelf_at(u->shelf, *link)) != NULL) {
		struct join *j = &e->joins[*link % SHELF_PARTS];
		bool wanted = !e->claimed && j->hash == hash && e->datagram.at >= at - u->hold;
		struct kept *k = wanted ? take(u, e, *link - *link % SHELF_PARTS) : NULL;

		if (k != NULL) {
			k->next = *list;
			*list = k;
		}
		if (e->claimed)
			*link = j->older;
		else
			link = &j->older;
	}
	*link = 0;
}

/* Two lists by age into one. */
static struct kept *merge(struct kept *a, struct kept *b)
{
	struct kept *first = NULL, **end = &first;

	while (a != NULL && b != NULL) {
		struct kept **older = a->place < b->place ? &a : &b;

		*end = *older;
		end = &(*older)->next;
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

		list = list->next;
		run->next = NULL;
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

	bool set_back = u->told != NSEC_NONE &&
			at < u->told - 60 * NSEC_PER_SEC; /* the clock was set: nothing here has an age */

	u->told = at;
	shelf_expire(u->shelf, set_back ? NSEC_EVER : at - u->hold);
	shared_of(g, &u->key, &s);
	for (size_t i = 0; i < s.count; i++)
		claim(u, s.hash[i], at, &open);
	while (open != NULL) {
		struct kept *k = open;

		open = k->next;
		k->next = done;
		done = k;
		for (size_t i = 0; i < k->join_count; i++)
			claim(u, k->hash[i], at, &open);
	}
	u->claimed = merge(u->claimed, sort(done));
}

bool undecided_next(struct undecided *u, const struct datagram **out)
{
	drop_list(u->given);
	u->given = u->claimed;
	if (u->given == NULL)
		return false;
	u->claimed = u->given->next;
	u->given->next = NULL;
	*out = &u->given->datagram;
	return true;
}

void undecided_time(struct undecided *u, nsec_t at)
{
	shelf_expire(u->shelf, at - u->hold);
	shelf_wipe(u->shelf);
}

size_t undecided_counts(const struct undecided *u, struct counter *out, size_t max)
{
	const struct counter all[] = { { "undecided", u->kept_ever },
		{ "undecided_evicted", shelf_evicted(u->shelf) + u->lost } };
	size_t n;

	for (n = 0; n < sizeof(all) / sizeof(all[0]) && n < max; n++)
		out[n] = all[n];
	return n;
}
