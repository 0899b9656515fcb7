/*
 * answered: what became of wanted keys: keys for the media, and marks for the places that waited. What signalling claims beside a KMS's keys is compared with them and not used.
 */
#include "wants.h"

#include "otway/base/secret.h"

void wants_mark(const struct call *call, struct place *p)
{
	p->waiting = false;
	p->refusal = SEAL_NONE;
	for (size_t i = 0; i < call->want_count; i++) {
		const struct want *w = call->wants[i];

		if (!w->said || (w->wanted.line != p->line && (w->wanted.line != UINT32_MAX || !p->secure)))
			continue;
		if (!w->answered)
			p->waiting = true;
		else
			p->refusal = w->reason == SEAL_NONE && w->mismatch ? SEAL_KEY_MISMATCH : w->reason;
	}
}

/* Signalling claims a key that the KMS did not give. */
static bool claims_other(const struct want *w, const struct key_answer *a)
{
	for (size_t i = 0; i < w->claimed_count; i++) {
		bool given = false;

		for (size_t j = 0; j < a->key_count; j++)
			given |= srtp_key_same(&w->claimed[i], &a->keys[j].key);
		if (!given)
			return true;
	}
	return false;
}

static void answer_keys(struct call_stage *c, struct call *call, const struct want *w, const struct key_answer *a)
{
	struct key_given k;

	for (size_t i = 0; i < a->key_count && i < KEY_SESSIONS; i++) {
		k = a->keys[i];
		if (w->wanted.line != UINT32_MAX)
			k.line = w->wanted.line;
		k.chosen = true;
		k.key.source = KEY_KMS;
		say_key(c, call, &k, c->now);
	}
	secret_wipe(&k, sizeof(k));
}

void call_key_answer(struct call_stage *c, const struct key_answer *a)
{
	struct call *call = table_get(c->wants, want_key(&a->number));
	struct want *w;
	size_t i = 0;

	while (call != NULL && i < call->want_count && call->wants[i]->wanted.number != a->number)
		i++;
	if (call == NULL || i == call->want_count)
		return;
	w = call->wants[i];
	if (w->answered && (w->reason == SEAL_NONE || a->reason != SEAL_NONE))
		return;
	w->answered = true;
	w->reason = a->reason == SEAL_NONE && a->key_count == 0 ? SEAL_NO_KEY : a->reason;
	w->mismatch = a->mismatch || (w->reason == SEAL_NONE && claims_other(w, a));
	if (w->reason == SEAL_NONE)
		answer_keys(c, call, w, a);
	fact_answer(c, call, w, a);
	say_marks(c, call, c->now);
	takers_facts(c, call, c->now);
	if (call->closed)
		wants_over(c, call, c->now, false);
}
