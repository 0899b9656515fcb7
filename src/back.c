/*
 * back: a message is looked at, compared, and taken into account with what belongs to it. Each turn of back_next asks the call stage
 * first, so that it is empty before it is given more.
 */
#include "otway/back.h"

#include <stdlib.h>

#include "back_journal.h"
#include "back_midcall.h"
#include "otway/call.h"
#include "otway/match.h"
#include "otway/triage.h"
#include "otway/undecided.h"
#include "pipeline_trace.h"

#define UNDECIDED_OCTETS ((size_t)64 << 20)
#define TICK             (NSEC_PER_SEC / 10)   /* how often the stages are told the time */
#define SET_BACK         (60 * NSEC_PER_SEC)   /* time that goes back so far is another time */
#define TIDY             (3600 * NSEC_PER_SEC) /* and triage forgets what only once was looked for */

struct back {
	struct sip *sip, *again; /* again: for what undecided gives back while a message of sip is in hand */
	struct triage *triage;
	struct match *match;
	struct undecided *undecided;
	struct call_stage *call;
	struct warrant_set targets;
	struct trace *trace;             /* NULL: nobody asked */
	struct journal *journal;         /* likewise */
	struct midcall *midcall;         /* likewise */
	struct sip_esp esp[SIP_ESP_MAX]; /* of the network, not of a subscriber */
	size_t esp_count;
	uint64_t bad;
	struct glance glance;               /* of the message in hand */
	const struct sip_message *claiming; /* waits until what belongs with it has gone before it */
	const struct hit *hits;
	size_t hit_count;
	nsec_t now, told, tidied;
	const struct warrant_set *due; /* warrants that begin during calls; NULL: none */
	struct bytes during;           /* Call-ID of the one in hand */
	size_t during_step;
	struct datagram kept; /* a message of it: what is noted of it borrows this */
	bool during_say;
	struct step out;
	struct back_note note;
};

struct back *back_new(const struct back_options *o)
{
	struct back *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->sip = sip_new(o->kms_header);
	b->again = sip_new(o->kms_header);
	b->triage = triage_new();
	b->match = match_new();
	b->undecided = undecided_new(CALL_LOOK_BACK, UNDECIDED_OCTETS);
	b->call = call_new();
	b->trace = o->trace;
	b->journal = o->journal ? back_journal_new() : NULL;
	b->midcall = o->setups > 0 ? midcall_new(o->setups) : NULL;
	b->now = b->told = b->tidied = NSEC_NONE;
	if (b->sip == NULL || b->again == NULL || b->triage == NULL || b->match == NULL || b->undecided == NULL ||
		b->call == NULL || (o->journal && b->journal == NULL) || (o->setups > 0 && b->midcall == NULL)) {
		back_free(b);
		return NULL;
	}
	call_asks(b->call, o->kms);
	call_number_from(b->call, o->numbers_from);
	return b;
}

void back_free(struct back *b)
{
	if (b == NULL)
		return;
	midcall_free(b->midcall);
	back_journal_free(b->journal);
	call_free(b->call);
	undecided_free(b->undecided);
	match_free(b->match);
	triage_free(b->triage);
	sip_free(b->again);
	sip_free(b->sip);
	warrant_set_clear(&b->targets);
	free(b);
}

bool back_targets(struct back *b, const struct warrant_set *set)
{
	struct warrant_set copy = { 0 }, old = b->targets;

	for (size_t i = 0; i < set->count; i++)
		if (!warrant_add(&copy, &set->all[i])) {
			warrant_set_clear(&copy);
			return false;
		}
	b->targets = copy;
	if (!match_targets(b->match, &b->targets) || !triage_targets(b->triage, &b->targets)) {
		b->targets = old;
		warrant_set_clear(&copy);
		return false;
	}
	call_targets(b->call, &b->targets);
	if (b->midcall != NULL)
		midcall_table(b->midcall, &old, &b->targets);
	warrant_set_clear(&old);
	return true;
}

const struct warrant_set *back_table(const struct back *b)
{
	return &b->targets;
}

bool back_key(struct back *b, const struct key_given *key, const char *call_id)
{
	return call_key_file(b->call, key, call_id);
}

void back_answer(struct back *b, const struct key_answer *answer)
{
	call_key_answer(b->call, answer);
}

/* The hits of a message at a moment, and what it taught. */
static void compare(struct back *b, const struct sip_message *m, nsec_t at)
{
	struct identity taught;

	b->hit_count = match_message_at(b->match, m, at, &b->hits);
	while (match_taught(b->match, &taught))
		triage_teach(b->triage, &taught);
	trace_message(b->trace, m, b->hit_count);
}

/* Is a message under warrant, or does it belong with what is? */
static void consider(struct back *b, const struct sip_message *m)
{
	compare(b, m, m->at);
	if (b->hit_count > 0 || call_knows(b->call, m)) {
		undecided_claim(b->undecided, m->at, &b->glance);
		b->claiming = m;
	} else {
		undecided_keep(b->undecided, m->datagram, &b->glance);
	}
}

/* A message that can be nobody's is not even parsed, but kept for a while if it belongs to a set-up. For `explain` every message is. */
void back_take(struct back *b, const struct datagram *d)
{
	const struct sip_message *m;

	triage_look(b->triage, d->payload, &b->glance);
	b->esp_count = b->glance.security ? sip_security(d, b->esp) : 0;
	if (b->midcall != NULL)
		setups_take(midcall_setups(b->midcall), d, &b->glance);
	b->bad += !d->truncated && (b->glance.call_id.len == 0 || !b->glance.cseq);
	if (b->trace == NULL && !b->glance.may_match && b->glance.call_id.len > 0 &&
		!call_may_know(b->call, &b->glance)) {
		undecided_keep(b->undecided, d, &b->glance);
		return;
	}
	m = sip_read(b->sip, d);
	if (m != NULL)
		consider(b, m);
}

/* Who is called may be named by a diverted leg alone; which call the message led to is noted. */
static void accounted(struct back *b, const struct sip_message *m, bool claimed, bool before)
{
	struct identity called;

	while (call_called(b->call, &called))
		triage_teach(b->triage, &called);
	if (b->journal != NULL)
		back_journal_note(b->journal, call_number(b->call, m), claimed, before, m->datagram);
}

/* Into the call stage it goes. */
static void account(struct back *b, const struct sip_message *m, const struct hit *hits, size_t count)
{
	trace_current(b->trace, m);
	call_take(b->call, m, hits, count);
	accounted(b, m, count == 0, false);
}

/* Some message of a kept set-up names a target of a warrant that is in force now. */
static bool is_due(struct back *b, struct bytes call_id)
{
	const struct sip_message *m;
	struct datagram d;
	size_t step = 0;

	b->hit_count = 0;
	while (b->hit_count == 0 && setups_of(midcall_setups(b->midcall), call_id, &step, &d))
		if ((m = sip_read(b->again, &d)) != NULL)
			compare(b, m, b->now);
	return b->hit_count > 0;
}

/* Interception begins during a call: one message of its set-up more is taken into account, or given to the warrants that begin. */
static void begin_during(struct back *b)
{
	const struct sip_message *m;

	if (!setups_of(midcall_setups(b->midcall), b->during, &b->during_step, &b->kept)) {
		b->during_say = !b->during_say;
		b->during_step = 0;
		if (!b->during_say)
			b->during = (struct bytes){ NULL, 0 };
		return;
	}
	if ((m = sip_read(b->again, &b->kept)) == NULL)
		return;
	if (b->during_say) {
		call_say_before(b->call, m, b->due, b->now);
		return;
	}
	compare(b, m, b->now);
	call_take_before(b->call, m, b->hits, b->hit_count, b->now);
	accounted(b, m, false, true);
}

/* The next kept set-up that a warrant which is due now covers. */
static bool next_during(struct back *b)
{
	if (b->due == NULL)
		return false;
	if (b->during.len > 0) {
		begin_during(b);
		return true;
	}
	while (midcall_next(b->midcall, &b->during))
		if (is_due(b, b->during))
			return true;
	b->during = (struct bytes){ NULL, 0 };
	b->due = NULL;
	return false;
}

/* Claimed messages first, oldest first, then the one that claimed them. */
static bool move(struct back *b)
{
	const struct datagram *d;
	const struct sip_message *m;

	if (b->claiming == NULL)
		return next_during(b);
	if (sip_next(b->again, &m)) {
		account(b, m, NULL, 0);
	} else if (undecided_next(b->undecided, &d)) {
		sip_take(b->again, d);
	} else {
		m = b->claiming;
		b->claiming = NULL;
		account(b, m, b->hits, b->hit_count);
	}
	return true;
}

static bool back_journal_step(struct back *b)
{
	b->out = (struct step){ .kind = STEP_NOTE, .at = b->now, .note = &b->note };
	if (back_journal_noted(b->journal, &b->note))
		return true;
	b->out = (struct step){ .kind = STEP_FORGET, .at = b->now };
	return back_journal_forgotten(b->journal, &b->out.forget);
}

bool back_next(struct back *b, const struct step **out)
{
	for (;;) {
		if (b->journal != NULL && back_journal_step(b)) {
			*out = &b->out;
			return true;
		}
		if (call_next(b->call, out)) {
			trace_step(b->trace, *out);
			if (b->journal != NULL && (*out)->kind == STEP_GONE)
				back_journal_gone(b->journal, (*out)->call);
			return true;
		}
		if (!move(b))
			return false;
	}
}

void back_resume(struct back *b, const struct back_note *n)
{
	const struct sip_message *m = sip_read(b->sip, n->datagram);

	if (m == NULL)
		return;
	if (n->claimed)
		b->hit_count = 0;
	else
		compare(b, m, n->before ? b->now : m->at);
	if (!n->claimed && b->hit_count == 0 && !call_knows(b->call, m))
		return; /* its warrant is no longer there */
	call_resume(b->call, n->call);
	back_journal_resume(b->journal, n);
	if (n->before) {
		call_take_before(b->call, m, b->hits, b->hit_count, b->now);
		accounted(b, m, false, true);
	} else {
		account(b, m, b->hits, b->hit_count);
	}
	call_resume(b->call, 0);
}

bool back_esp(struct back *b, struct sip_esp *out)
{
	if (b->esp_count == 0)
		return false;
	*out = b->esp[--b->esp_count];
	return true;
}

void back_time(struct back *b, nsec_t at)
{
	if (b->now == NSEC_NONE || at > b->now || at < b->now - SET_BACK)
		b->now = at;
	if (b->told != NSEC_NONE && b->now >= b->told && b->now - b->told < TICK)
		return;
	b->told = b->now;
	undecided_time(b->undecided, b->now);
	call_time(b->call, b->now);
	if (b->midcall != NULL && b->due == NULL) {
		setups_time(midcall_setups(b->midcall), b->now);
		b->due = midcall_due(b->midcall, &b->targets, b->now);
	}
	if (b->tidied == NSEC_NONE || b->now < b->tidied || b->now - b->tidied >= TIDY) {
		triage_targets(b->triage, &b->targets);
		b->tidied = b->now;
	}
}

void back_end(struct back *b, nsec_t at)
{
	call_end(b->call, at);
}

void back_active(const struct back *b, uint32_t *calls)
{
	call_active(b->call, calls);
}

uint64_t back_bad(const struct back *b)
{
	return b->bad;
}

size_t back_counts(const struct back *b, struct counter *out, size_t max)
{
	size_t n = sip_counts(b->sip, out, max);

	n += match_counts(b->match, out + n, max - n);
	n += undecided_counts(b->undecided, out + n, max - n);
	n += call_counts(b->call, out + n, max - n);
	return b->midcall != NULL ? n + setups_counts(midcall_setups(b->midcall), out + n, max - n) : n;
}
