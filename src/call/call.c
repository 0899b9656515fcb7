/* call: the way of a message through this folder, and the passing of time. */
#include "calls.h"
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define SWEEP_EVERY NSEC_PER_SEC

struct call_stage *call_new(void)
{
	struct call_stage *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->legs = table_new();
	c->tokens = table_new();
	c->events = table_new();
	c->wants = table_new();
	c->twice = twice_new();
	c->last_file_key = &c->file_keys;
	c->now = c->swept = NSEC_NONE;
	steps_init(&c->steps);
	if (c->legs == NULL || c->tokens == NULL || c->events == NULL || c->wants == NULL || c->twice == NULL) {
		call_free(c);
		return NULL;
	}
	return c;
}

void call_free(struct call_stage *c)
{
	if (c == NULL)
		return;
	while (c->first != NULL)
		call_forget(c, c->first);
	while (c->first_event != NULL)
		event_forget(c, c->first_event);
	while (c->file_keys != NULL) {
		struct file_key *f = c->file_keys;

		c->file_keys = f->next;
		text_drop(f->call_id);
		secret_free(f, sizeof(*f));
	}
	steps_clear(&c->steps);
	call_bury(c);
	twice_free(c->twice);
	table_free(c->wants);
	table_free(c->events);
	table_free(c->tokens);
	table_free(c->legs);
	secret_free(c, sizeof(*c));
}

void call_targets(struct call_stage *c, const struct warrant_set *set)
{
	c->targets = set;
	for (struct call *call = c->first; call != NULL; call = call->next)
		takers_renew(c, call);
}

void call_asks(struct call_stage *c, bool kms)
{
	c->kms = kms;
}

bool call_key_file(struct call_stage *c, const struct key_given *key, const char *call_id)
{
	struct file_key *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return false;
	f->key = *key;
	f->call_id = call_id != NULL ? strdup(call_id) : NULL;
	if (call_id != NULL && f->call_id == NULL) {
		secret_free(f, sizeof(*f));
		return false;
	}
	*c->last_file_key = f;
	c->last_file_key = &f->next;
	for (struct call *call = c->first; call != NULL; call = call->next)
		if (call->number != 0 && !call->closed)
			say_file_keys(c, call, call->last);
	return true;
}

bool call_may_know(const struct call_stage *c, const struct glance *g)
{
	return leg_may(c, g->call_id) || event_may(c, g->call_id) || join_may(c, g);
}

bool call_called(struct call_stage *c, struct identity *out)
{
	if (c->called_count == 0)
		return false;
	*out = c->called[--c->called_count];
	return true;
}

bool call_knows(const struct call_stage *c, const struct sip_message *m)
{
	struct call *found[JOIN_MAX];

	return leg_find(c, m) != NULL || event_knows(c, m) || join_find(c, m, found) > 0;
}

/* Calls that nobody took though their messages were claimed: what claimed them went elsewhere. */
static void drop_pending(struct call_stage *c)
{
	for (struct call *call = c->last, *prev; call != NULL && c->pending > 0; call = prev) {
		prev = call->prev;
		if (call->number == 0)
			call_forget(c, call);
	}
}

/* The leg of m: known, new in a call it belongs to, or the first of a new call. Calls that it ties together become one. */
static struct leg *leg_of(struct call_stage *c, const struct sip_message *m)
{
	struct call *found[JOIN_MAX];
	struct leg *leg = leg_find(c, m);
	size_t count = leg == NULL || c->pending > 0 ? join_find(c, m, found) : 0;
	struct call *call = leg != NULL ? leg->call : count > 0 ? found[0] : call_begin(c, m->at);

	if (leg == NULL && call != NULL)
		leg = leg_begin(c, call, m);
	for (size_t i = 0; leg != NULL && i < count; i++) {
		if (found[i] == call)
			continue;
		if (found[i]->number == 0) {
			call_absorb(c, call, found[i]);
		} else if (call->number == 0) {
			call_absorb(c, found[i], call);
			call = found[i];
		}
	}
	return leg;
}

/* What is new is told: first who takes it and what it is, then the message, then its media. */
static void tell(struct call_stage *c, struct call *call, const struct sip_message *m)
{
	struct held *held = held_new(m->datagram);

	if (held == NULL) {
		c->steps.lost++;
		return;
	}
	takers_cover(c, call, m->at);
	takers_facts(c, call, m->at);
	takers_record(c, call, held, m->at);
	history_keep(call, held, m->at);
	held_drop(held);
}

static void call_message(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count)
{
	struct leg *leg = leg_of(c, m);
	struct call *call = leg != NULL ? leg->call : NULL;
	struct exchange *x;
	bool closed;

	if (call == NULL) {
		c->dropped++;
		return;
	}
	closed = call->closed;
	call->last = m->at > call->last ? m->at : call->last;
	leg->last = m->at > leg->last ? m->at : leg->last;
	history_time(call, m->at);
	join_learn(c, call, m);
	x = progress_take(call, leg, m);
	parties_learn(call, m);
	diversion_learn(call, m);
	if (m->kms.len > 0)
		call->kms_signalled = call_text(call, m->kms);
	takers_bind(c, call, leg, m, hits, count);
	takers_left(call);
	tell(c, call, m);
	if (call->number != 0 && closed && !call->closed)
		say_file_keys(c, call, m->at);
	if (call->over)
		say_close(c, call, m->at);
	else
		offer_take(c, call, leg, x, m);
	wants_tell(c, call, m->at);
	if (call->number != 0)
		drop_pending(c);
}

/* Signalling of a call, or of a leg we know whatever its method. */
static bool is_of_call(const struct call_stage *c, const struct sip_message *m)
{
	return sip_is_signalling(m) || leg_find(c, m) != NULL;
}

void call_take(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count)
{
	if (c->now == NSEC_NONE || m->at > c->now || m->at < c->now - SET_BACK)
		c->now = m->at;
	if (twice_seen(c->twice, m)) {
		c->duplicates++;
		return;
	}
	if (is_of_call(c, m)) {
		call_message(c, m, hits, count);
		return;
	}
	event_take(c, m, hits, count);
	drop_pending(c);
}

void call_take_before(
	struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count, nsec_t at)
{
	struct leg *leg = leg_find(c, m);

	/* Of a call that other warrants take already everything was taken into account when it was new. */
	if (leg == NULL || leg->call->number == 0 || m->at > leg->last)
		call_message(c, m, hits, count);
	else
		takers_bind(c, leg->call, leg, m, hits, count);
	leg = leg_find(c, m);
	if (leg == NULL || leg->call->number == 0)
		return;
	takers_left(leg->call);
	takers_cover(c, leg->call, at);
	takers_facts(c, leg->call, at);
	wants_tell(c, leg->call, at);
}

void call_say_before(struct call_stage *c, const struct sip_message *m, const struct warrant_set *due, nsec_t at)
{
	struct leg *leg = leg_find(c, m);

	if (leg != NULL && leg->call->number != 0)
		takers_before(c, leg->call, m->datagram, due, at);
}

uint32_t call_number(const struct call_stage *c, const struct sip_message *m)
{
	const struct leg *leg = leg_find(c, m);

	return leg != NULL ? leg->call->number : 0;
}

void call_number_from(struct call_stage *c, uint32_t number)
{
	c->numbers = c->before = number;
}

void call_resume(struct call_stage *c, uint32_t number)
{
	c->next_number = number;
}

void call_active(const struct call_stage *c, uint32_t *calls)
{
	if (c->targets == NULL) /* nobody is a target yet */
		return;
	memset(calls, 0, c->targets->count * sizeof(*calls));
	for (const struct call *call = c->first; call != NULL; call = call->next)
		for (size_t t = 0; t < call->taker_count && !call->over; t++)
			if (call->takers[t]->warrant != NULL)
				calls[call->takers[t]->warrant - c->targets->all]++;
}

bool call_next(struct call_stage *c, const struct step **step)
{
	if (steps_next(&c->steps, step))
		return true;
	call_bury(c);
	return false;
}

static void call_age(struct call_stage *c, struct call *call, nsec_t at)
{
	history_time(call, at);
	progress_time(call, at);
	wants_tell(c, call, at);
	if (call->number != 0)
		takers_facts(c, call, at);
	if (call->kms_count > 0 && !takers_to_come(call, at))
		wants_drop(c, call, at);
	if (!call->over)
		return;
	if (call->last > at + SET_BACK)
		call->last = at;
	say_close(c, call, at);
	if (at - call->last > LINGER && !wants_pending(call, at))
		call_forget(c, call);
}

void call_time(struct call_stage *c, nsec_t at)
{
	if (c->now == NSEC_NONE || at > c->now || at < c->now - SET_BACK)
		c->now = at;
	if (c->swept != NSEC_NONE && c->now >= c->swept && c->now - c->swept < SWEEP_EVERY)
		return;
	c->swept = c->now;
	twice_time(c->twice, c->now);
	event_time(c, c->now);
	for (struct call *call = c->first, *next; call != NULL; call = next) {
		next = call->next;
		call_age(c, call, c->now);
	}
}

void call_end(struct call_stage *c, nsec_t at)
{
	drop_pending(c);
	while (c->first != NULL) {
		struct call *call = c->first;

		if (call_pending(call) && call->answered == NSEC_NONE && call->cancelled) {
			call->outcome = CALL_CANCELLED;
			call->changed = true;
		}
		takers_facts(c, call, at);
		say_close(c, call, at);
		call_forget(c, call);
	}
}

size_t call_counts(const struct call_stage *c, struct counter *out, size_t max)
{
	const struct counter all[] = {
		{ "calls", c->numbers - c->before },
		{ "legs", c->legs_counted },
		{ "events", c->events_counted },
		{ "sip_duplicates", c->duplicates },
		{ "sdes_mismatches", c->mismatches },
		{ "calls_dropped", c->dropped + c->steps.lost },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	if (count > max)
		count = max;
	memcpy(out, all, count * sizeof(all[0]));
	return count;
}
