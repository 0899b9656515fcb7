/* keys: what comes in, and what is to be done, in the order in which it was found. */
#include "otway/keys.h"

#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

#include "keys_parts.h"

#define TIMEOUT    (2 * NSEC_PER_SEC)
#define PATIENCE   (60 * NSEC_PER_SEC)
#define WANTED_MAX 20000
#define OCTETS_MAX ((size_t)64 << 20)

static void set_options(struct keys *k, const struct keys_options *o)
{
	if (o != NULL)
		k->o = *o;
	if (k->o.timeout <= 0)
		k->o.timeout = TIMEOUT;
	if (k->o.patience <= 0)
		k->o.patience = PATIENCE;
	if (k->o.wanted_max == 0)
		k->o.wanted_max = WANTED_MAX;
	k->random = k->o.seed;
	if (k->random == 0 && !crypto_random(&k->random, sizeof(k->random)))
		k->random = 1;
	k->random |= (uint64_t)(k->random == 0); /* xorshift stays at 0 */
}

struct keys *keys_new(const struct keys_options *o)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	keys_link_init(&k->waiting);
	keys_link_init(&k->kept);
	keys_link_init(&k->ending);
	keys_link_init(&k->saying);
	set_options(k, o);
	k->calls = table_new();
	k->exchanges = table_new();
	if (k->calls == NULL || k->exchanges == NULL) {
		keys_free(k);
		return NULL;
	}
	return k;
}

static void free_all(struct keys *k, struct keys_link *list)
{
	while (!keys_link_alone(list))
		keys_asking_free(k, ASKING_OF(list->next, order));
}

void keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	if (k->calls != NULL && k->exchanges != NULL) {
		free_all(k, &k->waiting);
		free_all(k, &k->kept);
		free_all(k, &k->ending);
	}
	table_free(k->calls);
	table_free(k->exchanges);
	for (size_t i = 0; i < k->peer_count; i++)
		free(k->peers[i]);
	free(k->peers);
	free(k->heap);
	buf_clear(&k->body);
	secret_free(k, sizeof(*k));
}

void keys_agreements(struct keys *k, const struct kms_agreements *set)
{
	k->agreements = set;
}

void keys_warrants(struct keys *k, const struct warrant_set *set)
{
	k->warrants = set;
}

/* The oldest that is not being asked: else, when too many are wanted, each exchange is given up before its answer. */
static struct asking *gives_way(struct keys *k)
{
	struct keys_link *l = k->waiting.next;

	while (l != &k->waiting && ASKING_OF(l, order)->state == ASKING_OUT)
		l = l->next;
	return ASKING_OF(l != &k->waiting ? l : k->waiting.next, order);
}

static bool too_many(const struct keys *k)
{
	return k->total > 2 * k->o.wanted_max || k->octets > 2 * OCTETS_MAX;
}

/* What is only kept so that the end of its call can be told, the oldest first; those before it have nothing more to say. */
static void forget_kept(struct keys *k)
{
	while (too_many(k) && !keys_link_alone(&k->kept)) {
		struct asking *a = ASKING_OF(k->kept.next, order);

		if (a->say != 0)
			return;
		keys_asking_free(k, a);
	}
}

/* Ends of calls that nobody was told of yet, and will not be. Few before them are with a KMS, or were. */
static void forget_ending(struct keys *k)
{
	for (struct keys_link *l = k->ending.next, *next; l != &k->ending && too_many(k); l = next) {
		struct asking *a = ASKING_OF(l, order);

		next = l->next;
		if (a->state == ASKING_HELD && !a->told && a->say == 0)
			keys_asking_free(k, a);
	}
}

/* First what is only kept, then the oldest that waits. */
static void make_room(struct keys *k)
{
	forget_kept(k);
	forget_ending(k);
	while (k->waiting_count > k->o.wanted_max || k->waiting_octets > OCTETS_MAX) {
		struct asking *a = gives_way(k);

		k->counts[KEYS_DROPPED]++;
		keys_ask_finish(k, a, SEAL_KMS_UNREACHABLE);
		keys_ask_release(k, a->peer, k->now);
	}
}

bool keys_take(struct keys *k, const struct key_wanted *w, nsec_t now)
{
	struct asking *a;

	if (k->total > 4 * k->o.wanted_max || k->octets > 4 * OCTETS_MAX) /* nobody takes what is to be said */
		return false;
	a = keys_asking_new(k, w);
	if (a == NULL)
		return false;
	k->now = now;
	k->counts[KEYS_WANTED]++;
	k->waiting_count++;
	k->waiting_octets += a->octets;
	keys_link_last(&k->waiting, &a->order);
	a->deadline = now + k->o.patience;
	a->limit = now + 10 * k->o.patience;
	a->state = ASKING_REST;
	if (kms_keyed_by_signalling(w))
		keys_ask_finish(k, a, SEAL_NO_KEY);
	else
		keys_ask_advance(k, a, now);
	make_room(k);
	return true;
}

void keys_call_over(struct keys *k, uint32_t call, bool tell, nsec_t now)
{
	struct asking *a;

	k->now = now;
	while ((a = keys_asking_of(k, call)) != NULL) {
		keys_asking_leave_call(k, a);
		keys_ask_drop(k, a);
		a->dropped = true;
		a->say &= SAY_OUTCOME;
		keys_link_last(&k->saying, &a->saying);
		keys_ask_release(k, a->peer, now);
		if (tell && a->asked && a->at < a->candidate_count && a->wanted.call_id.len > 0)
			keys_ask_tell(k, a, now);
	}
}

void keys_reply(struct keys *k, const struct keys_reply *r, nsec_t now)
{
	struct asking *a =
		table_get(k->exchanges, (struct bytes){ (const uint8_t *)&r->exchange, sizeof(r->exchange) });

	k->now = now;
	if (a != NULL)
		keys_ask_reply(k, a, r, now);
}

void keys_waits(struct keys *k, uint64_t exchange, bool waits)
{
	struct asking *a = table_get(k->exchanges, (struct bytes){ (const uint8_t *)&exchange, sizeof(exchange) });

	if (a != NULL)
		a->asked = !waits || a->asked_before;
}

void keys_time(struct keys *k, nsec_t now)
{
	struct asking *a;

	k->now = now;
	while ((a = keys_timer_first(k)) != NULL && a->due <= now)
		keys_ask_time(k, a, now);
	for (size_t i = 0; i < k->peer_count; i++)
		keys_ask_release(k, k->peers[i], now);
}

nsec_t keys_due(const struct keys *k)
{
	const struct asking *a = keys_timer_first(k);
	nsec_t due = a != NULL ? a->due : NSEC_NONE;

	for (size_t i = 0; i < k->peer_count; i++) {
		nsec_t probe = keys_peer_due(k->peers[i]);

		if (probe != NSEC_NONE && (due == NSEC_NONE || probe < due))
			due = probe;
	}
	return due;
}

size_t keys_waiting(const struct keys *k)
{
	return k->waiting_count;
}

size_t keys_counts(const struct keys *k, struct counter *out, size_t max)
{
	static const char *const names[KEYS_COUNTS] = { "wanted", "asked", "answered", "refused", "retried",
		"circuit_opened", "dropped", "mismatches" };
	size_t count = max < KEYS_COUNTS ? max : KEYS_COUNTS;

	for (size_t i = 0; i < count; i++)
		out[i] = (struct counter){ names[i], k->counts[i] };
	return count;
}
