/* keys_asking: a wanted key on its way, and the askings of one call. */
#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"

#include "keys_parts.h"

static struct bytes call_key(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

struct asking *keys_asking_of(const struct keys *k, uint32_t call)
{
	return table_get(k->calls, call_key(&call));
}

static bool join_call(struct keys *k, struct asking *a)
{
	struct asking *first = keys_asking_of(k, a->wanted.call);

	if (first == NULL)
		return table_put(k->calls, call_key(&a->wanted.call), a);
	keys_link_last(&first->call, &a->call);
	return true;
}

void keys_asking_leave_call(struct keys *k, struct asking *a)
{
	if (keys_asking_of(k, a->wanted.call) == a) {
		if (keys_link_alone(&a->call))
			table_take(k->calls, call_key(&a->wanted.call));
		else /* the key is there: nothing is needed for it */
			table_put(k->calls, call_key(&a->wanted.call), ASKING_OF(a->call.next, call));
	}
	keys_link_drop(&a->call);
}

static bool draw_request(struct asking *a)
{
	uint8_t id[(KEY_REQUEST_ID - 1) / 2];

	if (!crypto_random(id, sizeof(id)))
		return false;
	text_hex((struct bytes){ id, sizeof(id) }, a->request);
	return true;
}

static bool resolve(const struct keys *k, struct asking *a)
{
	struct kms_candidate found[KEY_CANDIDATES];
	size_t count = kms_resolve(&a->wanted, k->agreements, found);

	a->candidates = calloc(count > 0 ? count : 1, sizeof(*a->candidates));
	for (size_t i = 0; a->candidates != NULL && i < count; i++) {
		struct keys_candidate *c = &a->candidates[i];

		c->origin = found[i].origin;
		c->agreement = found[i].agreement != NULL ? found[i].agreement->number : 0;
		text_copy(bytes_of(found[i].identity), c->identity, sizeof(c->identity));
	}
	a->candidate_count = a->candidates != NULL ? count : 0;
	return a->candidates != NULL;
}

static size_t octets_of(const struct asking *a)
{
	const struct key_wanted *w = &a->wanted;

	return sizeof(*a) + a->candidate_count * sizeof(*a->candidates) + w->offer.len + w->answer.len +
	       w->first_offer.len + w->first_answer.len + w->target.len + w->target_sip.len + w->from.len + w->to.len +
	       w->answered.len + w->call_id.len + w->from_tag.len + w->to_tag.len + w->signalled.len;
}

struct asking *keys_asking_new(struct keys *k, const struct key_wanted *w)
{
	struct asking *a = keys_timer_room(k) ? calloc(1, sizeof(*a)) : NULL;

	if (a == NULL)
		return NULL;
	keys_link_init(&a->order);
	keys_link_init(&a->saying);
	keys_link_init(&a->queue);
	keys_link_init(&a->call);
	k->total++;
	if (!key_wanted_copy(w, &a->wanted) || !draw_request(a) || !resolve(k, a) || !join_call(k, a)) {
		keys_asking_free(k, a);
		return NULL;
	}
	a->octets = octets_of(a);
	k->octets += a->octets;
	return a;
}

void keys_asking_free(struct keys *k, struct asking *a)
{
	keys_asking_leave_call(k, a);
	keys_timer_set(k, a, NSEC_NONE);
	keys_link_drop(&a->order);
	keys_link_drop(&a->saying);
	keys_link_drop(&a->queue);
	k->octets -= a->octets;
	k->total--;
	if (a->answer != NULL)
		secret_free(a->answer, sizeof(*a->answer));
	if (a->candidates != NULL)
		secret_free(a->candidates, a->candidate_count * sizeof(*a->candidates));
	key_wanted_clear(&a->wanted);
	secret_free(a, sizeof(*a));
}
