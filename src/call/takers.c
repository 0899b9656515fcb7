/*
 * takers: the warrants that take a call: what each is told of it, and from when to when its media is theirs. Each has its own
 * matches and its own facts; what comes to one does not depend on who else takes the call.
 */
#include "calls.h"
#include "wants.h"

#include <stdlib.h>

#include "otway/base/text.h"

#include "iri.h"

#define OVERTAKEN (NSEC_PER_SEC / 10) /* by how much media may come before the signalling it follows */

static bool taker_in_force(const struct taker *t, nsec_t at)
{
	return t->warrant != NULL && warrant_in_force(t->warrant, at);
}

bool taker_covers(const struct taker *t)
{
	return t->warrant != NULL && (t->warrant->scope & SCOPE_CC) != 0 && t->left == NSEC_NONE;
}

static struct taker *taker_of(struct call *call, uint32_t number)
{
	for (size_t i = 0; i < call->taker_count; i++)
		if (call->takers[i]->number == number)
			return call->takers[i];
	return NULL;
}

static nsec_t first_of(const struct call *call, nsec_t at)
{
	return call->history_count > 0 && call->history[0].at < at ? call->history[0].at : at;
}

static struct taker *taker_add(struct call_stage *c, struct call *call, uint32_t number, nsec_t at)
{
	const struct warrant *w = warrant_find(c->targets, number);
	struct taker *t = w != NULL && call->taker_count < TAKERS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (t == NULL)
		return NULL;
	t->number = number;
	t->warrant = w;
	t->from = first_of(call, at);
	t->left = NSEC_NONE;
	call->takers[call->taker_count++] = t;
	if (call->number == 0) {
		call->number = c->next_number != 0 ? c->next_number : c->numbers + 1;
		c->next_number = 0;
		if (call->number > c->numbers)
			c->numbers = call->number;
		c->pending--;
		c->legs_counted += call->leg_count;
		say_file_keys(c, call, at);
	}
	return t;
}

/*
 * In a dialog From and To are of who sends, not of who called (RFC 3261 12.2.1.1): such a hit tells nothing new, unless it
 * is all there is.
 */
static bool hit_counts(const struct taker *t, const struct call *call, const struct sip_message *m, const struct hit *h)
{
	if (m->request && m->to_tag.len == 0)
		return true;
	if (!m->request && h->header == SIP_HEADER_PAI)
		return true;
	return t->match_count == 0 || !call->set_up_seen;
}

/* Seen from the call, whoever sends within it. */
static enum hit_side side_of(const struct leg *leg, const struct sip_message *m, const struct hit *h)
{
	if (!m->request || m->to_tag.len == 0 || h->side == HIT_DIVERTING)
		return h->side;
	for (size_t i = 0; i < leg->caller_tag_count; i++)
		if (text_eq(leg->caller_tags[i], m->to_tag))
			return h->side == HIT_FROM_TARGET ? HIT_TO_TARGET : HIT_FROM_TARGET;
	return h->side;
}

static void match_keep(struct call *call, struct taker *t, const struct hit *h, enum hit_side side)
{
	const char *value;

	for (size_t i = 0; i < t->match_count; i++) {
		const struct call_match *known = &t->matches[i];

		if (known->target == h->target && known->header == h->header && known->side == side)
			return;
	}
	value = t->match_count < MATCHES_MAX ? call_text(call, h->value) : NULL;
	if (value == NULL)
		return;
	t->matches[t->match_count++] = (struct call_match){ h->target, h->header, side, h->verified, value };
	*(side == HIT_FROM_TARGET ? &t->calling : &t->called) = true;
	t->changed = true;
}

/* What else is known of the target: a SIP URI asserted beside it (RFC 3325 9.1), and what its registration said. */
static void user_learn(struct call *call, struct taker *t, const struct sip_message *m, const struct hit *h)
{
	if (h->kms.len > 0 && t->kms == NULL)
		t->kms = call_text(call, h->kms);
	for (size_t i = 0; t->sip == NULL && h->header == SIP_HEADER_PAI && i < m->party_count; i++)
		if (m->parties[i].header == SIP_HEADER_PAI && text_begins(m->parties[i].uri, "sip"))
			t->sip = call_text(call, uri_bare(m->parties[i].uri));
	if (t->sip == NULL && h->sip.len > 0)
		t->sip = call_text(call, h->sip);
}

void takers_bind(struct call_stage *c, struct call *call, const struct leg *leg, const struct sip_message *m,
	const struct hit *hits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct taker *t = taker_of(call, hits[i].warrant);

		if (t == NULL)
			t = taker_add(c, call, hits[i].warrant, m->at);
		if (t == NULL)
			continue;
		user_learn(call, t, m, &hits[i]);
		if (hit_counts(t, call, m, &hits[i]))
			match_keep(call, t, &hits[i], side_of(leg, m, &hits[i]));
		if (hits[i].side == HIT_DIVERTING && t->left == NSEC_NONE && t->warrant != NULL &&
			t->warrant->diverted == DIVERTED_REPORT) {
			t->left = m->at;
			t->changed = true;
		}
	}
}

static bool names_target(const struct warrant *w, const struct identity *id)
{
	for (size_t i = 0; i < w->target_count; i++)
		if (identity_same(&w->targets[i].id, id))
			return true;
	return false;
}

void takers_left(struct call *call)
{
	for (size_t i = 0; i < call->taker_count; i++) {
		struct taker *t = call->takers[i];

		if (t->warrant == NULL || t->warrant->diverted != DIVERTED_REPORT || t->left != NSEC_NONE)
			continue;
		for (size_t j = 0; j < call->diversion_count && t->left == NSEC_NONE; j++)
			if (names_target(t->warrant, &call->diverted[j].by))
				t->left = call->diverted[j].at;
		t->changed |= t->left != NSEC_NONE;
	}
}

/*
 * From when to when the media is this taker's; false: never. Where the taker's first message is the call's, media that overtook it
 * on the way to the tap is the call's too.
 */
static bool cover_of(const struct call *call, const struct taker *t, struct cover *out)
{
	const struct warrant *w = t->warrant;
	nsec_t from = call->started == NSEC_NONE || t->from <= call->started ? t->from - OVERTAKEN : t->from;

	if (w == NULL || (w->scope & SCOPE_CC) == 0)
		return false;
	*out = (struct cover){ t->number, w->from > from ? w->from : from, w->until };
	if (t->left != NSEC_NONE && t->left < out->until)
		out->until = t->left;
	return out->from < out->until;
}

static bool covers_same(const struct cover *a, const struct cover *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i].warrant != b[i].warrant || a[i].from != b[i].from || a[i].until != b[i].until)
			return false;
	return true;
}

void takers_cover(struct call_stage *c, struct call *call, nsec_t at)
{
	struct cover covers[COVERS_MAX] = { { 0 } };
	size_t count = 0;
	bool first = !call->covered;

	for (size_t i = 0; i < call->taker_count; i++)
		count += cover_of(call, call->takers[i], &covers[count]);
	if (count == call->cover_count && covers_same(covers, call->covers, count))
		return;
	memcpy(call->covers, covers, count * sizeof(covers[0]));
	call->cover_count = count;
	call->covered = count > 0;
	steps_cover(&c->steps, call->number, at, covers, count);
	if (count == 0 && call->kms_count > 0)
		wants_drop(c, call, at);
	if (first)
		say_all(c, call);
}

bool takers_to_come(const struct call *call, nsec_t at)
{
	for (size_t i = 0; i < call->cover_count; i++)
		if (at < call->covers[i].until)
			return true;
	return false;
}

/* Media toward the other side is from the target, or who stands in for it. */
static enum toward target_side(const struct taker *t)
{
	if (t->calling == t->called)
		return TOWARD_UNKNOWN;
	return t->calling ? TOWARD_CALLER : TOWARD_CALLEE;
}

static void facts_say(struct call_stage *c, const struct call *call, const struct taker *t, nsec_t at)
{
	struct record r = {
		.kind = RECORD_CALL,
		.warrant = t->number,
		.call = call->number,
		.at = at,
		.facts = {
			.call_ids = call->call_ids,
			.call_id_count = call->call_id_count,
			.started = call->started,
			.answered = call->answered,
			.ended = call->ended,
			.outcome = call->outcome,
			.caller = call->caller,
			.callee = call->callee,
			.matches = t->matches,
			.match_count = t->match_count,
			.diversions = call->diversions,
			.diversion_count = call->diversion_count,
			.target = target_side(t),
			.keep_keys = taker_covers(t),
			.kms = call->kms,
			.kms_count = taker_covers(t) ? call->kms_count : 0,
			.kms_left_out = taker_covers(t) ? call->kms_left_out : 0,
		},
	};

	steps_record(&c->steps, &r, NULL);
}

static void record_say(struct call_stage *c, const struct call *call, const struct taker *t, enum record_kind kind,
	struct held *held, nsec_t at)
{
	struct held *sip = NULL;
	struct record r = { .kind = kind, .warrant = t->number, .call = call->number, .at = at };

	if (t->warrant->scope == SCOPE_CC)
		return;
	if (t->warrant->scope == SCOPE_IRI ? iri_blank(held, &sip) : (sip = held_keep(held)) != NULL)
		steps_record(&c->steps, &r, sip);
	else
		c->steps.lost++;
	held_drop(sip);
}

/* What went before this taker turned up is its too, as far as its warrant was in force. */
static void history_say(struct call_stage *c, const struct call *call, const struct taker *t)
{
	for (size_t i = 0; i < call->history_count; i++)
		if (taker_in_force(t, call->history[i].at))
			record_say(c, call, t, RECORD_SIP, call->history[i].held, call->history[i].at);
}

void takers_facts(struct call_stage *c, struct call *call, nsec_t at)
{
	for (size_t i = 0; i < call->taker_count; i++) {
		struct taker *t = call->takers[i];
		bool first = !t->told;

		if (!taker_in_force(t, at) || !(first || t->changed || call->changed))
			continue;
		facts_say(c, call, t, at);
		t->told = true;
		t->changed = false;
		if (first)
			history_say(c, call, t);
	}
	call->changed = false;
}

void takers_record(struct call_stage *c, struct call *call, struct held *held, nsec_t at)
{
	for (size_t i = 0; i < call->taker_count; i++)
		if (call->takers[i]->told && taker_in_force(call->takers[i], at))
			record_say(c, call, call->takers[i], RECORD_SIP, held, at);
}

void takers_before(
	struct call_stage *c, struct call *call, const struct datagram *d, const struct warrant_set *due, nsec_t at)
{
	struct held *held = held_new(d);

	for (size_t i = 0; held != NULL && i < call->taker_count; i++) {
		const struct taker *t = call->takers[i];

		if (warrant_find(due, t->number) != NULL && t->told && taker_in_force(t, at))
			record_say(c, call, t, RECORD_BEFORE, held, at);
	}
	c->steps.lost += held == NULL;
	held_drop(held);
}

void takers_renew(struct call_stage *c, struct call *call)
{
	for (size_t i = 0; i < call->taker_count; i++) {
		struct taker *t = call->takers[i];

		t->warrant = warrant_find(c->targets, t->number);
		t->changed = t->warrant != NULL;
	}
	if (call->number != 0)
		takers_cover(c, call, call->last);
}

void history_keep(struct call *call, struct held *held, nsec_t at)
{
	size_t i = call->history_count;

	if (held == NULL || i >= HISTORY_MAX || call->history_octets + held->octets > HISTORY_OCTETS)
		return;
	for (; i > 0 && call->history[i - 1].at > at; i--)
		call->history[i] = call->history[i - 1];
	call->history[i] = (struct past){ at, held_keep(held) };
	call->history_count++;
	call->history_octets += held->octets;
}

void history_time(struct call *call, nsec_t at)
{
	size_t gone = 0;

	while (gone < call->history_count && (at == NSEC_EVER || call->history[gone].at < at - CALL_LOOK_BACK)) {
		call->history_octets -= call->history[gone].held->octets;
		held_drop(call->history[gone++].held);
	}
	call->history_count -= gone;
	memmove(call->history, call->history + gone, call->history_count * sizeof(call->history[0]));
}
