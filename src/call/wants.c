/*
 * wants: the wanted keys that a call keeps. A call that changes its keys for ever is asked for for ever, in bounded memory: what is
 * answered, and neither its dialog's first nor its last, gives way to what is new, beyond 32 or 128 KB of messages. Only where 256
 * (or 1 MB) wait for their answers at once is a new one not asked for, and counted. With their facts (wants_facts.c, at most 0.7 MB)
 * that is below 2 MB for a call.
 */
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define NOBODY SIZE_MAX

/* Forked answers have the same offer and may be silent alike: then the dialog tells them apart, on the same leg. */
static bool same_want(const struct key_wanted *a, const struct key_wanted *b)
{
	if (a->protocol != b->protocol || a->line != b->line || !bytes_equal(a->offer, b->offer) ||
		!bytes_equal(a->answer, b->answer))
		return false;
	return a->answer.len > 0 || !bytes_equal(a->call_id, b->call_id) || bytes_equal(a->to_tag, b->to_tag);
}

static bool same_dialog(const struct key_wanted *a, const struct key_wanted *b)
{
	return bytes_equal(a->call_id, b->call_id) &&
	       ((bytes_equal(a->from_tag, b->from_tag) && bytes_equal(a->to_tag, b->to_tag)) ||
		       (bytes_equal(a->from_tag, b->to_tag) && bytes_equal(a->to_tag, b->from_tag)));
}

/* One takes the place of the other. */
static bool same_place(const struct key_wanted *a, const struct key_wanted *b)
{
	return a->protocol == b->protocol && a->line == b->line && same_dialog(a, b);
}

/* The dialog's first exchange, where this one changes keys. */
static void refer_to_first(const struct call *call, struct key_wanted *w)
{
	for (size_t i = 0; i < call->want_count; i++) {
		const struct key_wanted *first = &call->wants[i]->wanted;

		if (!same_place(first, w))
			continue;
		w->first_offer = first->offer;
		w->first_answer = first->answer;
		return;
	}
}

/* What others refer to stays, and what is waited for; in need, all else may go. */
static bool may_go(const struct call *call, size_t at, const struct key_wanted *new, bool need)
{
	const struct want *w = call->wants[at];
	bool older = false, newer = same_place(&w->wanted, new);

	if (w->said && !w->answered)
		return false;
	for (size_t i = 0; i < at && !older; i++)
		older = same_place(&call->wants[i]->wanted, &w->wanted);
	for (size_t i = at + 1; i < call->want_count && !newer; i++)
		newer = same_place(&call->wants[i]->wanted, &w->wanted);
	return need ? older || !newer : older && newer;
}

/* The oldest that has its keys, or that no warrant asked for; else the oldest that was refused: a KMS may still give them. */
static size_t who_goes(const struct call *call, const struct key_wanted *new, bool need)
{
	size_t refused = NOBODY;

	for (size_t i = 0; i < call->want_count; i++) {
		bool done = !call->wants[i]->said || call->wants[i]->reason == SEAL_NONE;

		if ((!done && refused != NOBODY) || !may_go(call, i, new, need))
			continue;
		if (done)
			return i;
		refused = i;
	}
	return refused;
}

/* Steps that are not out yet may borrow from it. */
static void give_way(struct call_stage *c, struct call *call, size_t at)
{
	struct want *w = call->wants[at];

	if (w->said)
		table_take(c->wants, want_key(&w->wanted.number));
	call->want_octets -= w->octets;
	call->want_count--;
	memmove(&call->wants[at], &call->wants[at + 1], (call->want_count - at) * sizeof(struct want *));
	w->next = c->dead_wants;
	c->dead_wants = w;
}

static bool full(const struct call *call, size_t octets, size_t count_max, size_t octets_max)
{
	return call->want_count >= count_max || call->want_octets + octets > octets_max;
}

static bool make_room(struct call_stage *c, struct call *call, const struct key_wanted *new, size_t octets)
{
	size_t goes;

	while (full(call, octets, WANTS_KEPT, WANTS_OCTETS) && (goes = who_goes(call, new, false)) != NOBODY)
		give_way(c, call, goes);
	while (full(call, octets, WANTS_MAX, 8 * WANTS_OCTETS)) {
		goes = who_goes(call, new, true);
		if (goes == NOBODY)
			return false;
		give_way(c, call, goes);
	}
	return true;
}

static bool grow(struct call *call)
{
	size_t room = call->want_room > 0 ? call->want_room * 2 : 4;
	struct want **grown;

	if (call->want_count < call->want_room)
		return true;
	grown = realloc(call->wants, room * sizeof(struct want *));
	if (grown == NULL)
		return false;
	call->wants = grown;
	call->want_room = room;
	return true;
}

static void want_free(struct want *w)
{
	while (w->texts != NULL) {
		struct text *t = w->texts;

		w->texts = t->next;
		secret_free(t, sizeof(*t) + t->len);
	}
	secret_free(w, sizeof(*w));
}

static bool keep(struct want *w, struct bytes *b)
{
	struct text *t = b->len > 0 ? malloc(sizeof(*t) + b->len) : NULL;

	if (t == NULL) {
		bool empty = b->len == 0;

		*b = (struct bytes){ NULL, 0 };
		return empty;
	}
	t->next = w->texts;
	t->len = b->len;
	memcpy(t->chars, b->at, b->len);
	w->texts = t;
	w->octets += b->len;
	*b = (struct bytes){ (const uint8_t *)t->chars, b->len };
	return true;
}

static struct want *want_copy(const struct key_wanted *like)
{
	struct want *w = calloc(1, sizeof(*w));
	struct key_wanted *k = w != NULL ? &w->wanted : NULL;

	if (w == NULL)
		return NULL;
	*k = *like;
	k->number = 0;
	k->first_offer = k->first_answer = (struct bytes){ NULL, 0 };
	if (keep(w, &k->offer) && keep(w, &k->answer) && keep(w, &k->call_id) && keep(w, &k->from_tag) &&
		keep(w, &k->to_tag) && keep(w, &k->answered))
		return w;
	want_free(w);
	return NULL;
}

struct want *want_new(struct call_stage *c, struct call *call, const struct key_wanted *like)
{
	size_t octets = like->offer.len + like->answer.len + like->call_id.len + like->from_tag.len + like->to_tag.len +
			like->answered.len;
	struct want *w = NULL;

	for (size_t i = 0; i < call->want_count; i++)
		if (same_want(&call->wants[i]->wanted, like))
			return NULL;
	if (make_room(c, call, like, octets) && grow(call))
		w = want_copy(like);
	if (w == NULL) {
		c->dropped++;
		return NULL;
	}
	refer_to_first(call, &w->wanted);
	call->want_octets += w->octets;
	call->wants[call->want_count++] = w;
	return w;
}

void wants_forget(struct call_stage *c, struct call *call, nsec_t at)
{
	wants_over(c, call, at, true);
	for (size_t i = 0; i < call->want_count; i++)
		table_take(c->wants, want_key(&call->wants[i]->wanted.number));
}

void wants_drop(struct call_stage *c, struct call *call, nsec_t at)
{
	wants_forget(c, call, at);
	for (size_t i = 0; i < call->want_count; i++) {
		struct want *w = call->wants[i];

		w->said = w->answered = w->mismatch = false;
		w->reason = SEAL_NONE;
	}
	facts_drop(c, call);
	say_drop_kms(call);
}

void wants_free(struct call *call)
{
	for (size_t i = 0; i < call->want_count; i++)
		want_free(call->wants[i]);
	free(call->wants);
	facts_free(call);
	call->wants = NULL;
	call->want_count = call->want_room = call->want_octets = 0;
}

void wants_bury(struct call_stage *c)
{
	while (c->dead_wants != NULL) {
		struct want *w = c->dead_wants;

		c->dead_wants = w->next;
		want_free(w);
	}
	facts_bury(c);
}
