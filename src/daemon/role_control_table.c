/*
 * role_control_table: the table of warrants and agreements as the keeper read it, sent whole to those who need it, each as much of it as it
 * needs. A role that takes its time gets it bit by bit; a newer table begins anew.
 */
#include "role_control.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define AGAIN      (2 * NSEC_PER_SEC / 1000) /* until more is sent to one that had no room */
#define ENDED_KEEP (60 * NSEC_PER_SEC)       /* behind the end of a warrant: clocks and late packets */

/* What each sees of a warrant. */
static const struct sees {
	enum role to;
	bool identities, liid, papers, agreements;
} sees[CONTROL_ENDS] = {
	{ ROLE_DELIVERY, true, true, true, false }, /* first: what comes of a warrant is not to come before it */
	{ ROLE_KEYS, false, true, false, true },
	{ ROLE_INTERCEPT, true, false, false, false },
};

static void table_clear(struct control_table *t)
{
	warrant_set_clear(&t->warrants);
	kms_agreements_clear(&t->agreements);
	*t = (struct control_table){ 0 };
}

/* One that was revoked is gone at once, but for delivery: what was sent before that is on its way still. */
static bool includes(const struct tables *t, const struct sees *s, const struct warrant *w, nsec_t now)
{
	if (w->revoked && s->to != ROLE_DELIVERY)
		return false;
	return now < w->until || now - w->until < (s->to == ROLE_DELIVERY ? t->delivery_keeps : ENDED_KEEP);
}

static size_t included(const struct tables *t, const struct sees *s, nsec_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < t->now.warrants.count; i++)
		count += includes(t, s, &t->now.warrants.all[i], now);
	return count;
}

/* The message of a table in that place: first the beginning, last the end, between them warrants and agreements. */
static bool message(const struct tables *t, const struct sees *s, size_t place, enum msg_type *type, struct buf *body)
{
	const struct control_table *now = &t->now;
	size_t warrants = now->warrants.count, agreements = s->agreements ? now->agreements.count : 0;

	*type = MSG_TABLE_BEGIN;
	if (place == 0)
		return true;
	*type = MSG_WARRANT;
	if (place <= warrants)
		return msg_put_warrant(body, &now->warrants.all[place - 1], s->identities, s->liid, s->papers);
	*type = MSG_AGREEMENT;
	if (place <= warrants + agreements)
		return msg_put_agreement(body, &now->agreements.all[place - 1 - warrants]);
	*type = MSG_TABLE_END;
	return msg_put_lease(body, &now->lease);
}

/* False: it has no room for now. */
static bool send_some(struct tables *t, struct control_send *e, const struct sees *s)
{
	struct buf body = { 0 };
	nsec_t now = nsec_now();
	bool room = true;

	while (e->under_way && room) {
		const size_t place = e->next;
		enum msg_type type;

		buf_reset(&body);
		if (place > 0 && place <= t->now.warrants.count &&
			!includes(t, s, &t->now.warrants.all[place - 1], now)) {
			e->next++;
			continue;
		}
		room = message(t, s, place, &type, &body) && crew_send(t->crew, s->to, 0, type, buf_bytes(&body));
		e->next += room;
		e->under_way = !room || type != MSG_TABLE_END;
	}
	buf_clear(&body);
	return room;
}

static void send_all(void *arg)
{
	struct tables *t = arg;
	bool room = true;

	for (size_t i = 0; i < CONTROL_ENDS; i++)
		if (t->ends[i].under_way && crew_port(t->crew, t->ends[i].to, 0) != NULL)
			room &= send_some(t, &t->ends[i], &sees[i]);
	if (!room)
		loop_timer_at(t->timer, loop_now() + AGAIN);
}

static void begin_anew(struct tables *t, size_t i)
{
	struct control_send *e = &t->ends[i];

	if (!t->now.there)
		return;
	e->next = 0;
	e->under_way = true;
	e->included = included(t, &sees[i], nsec_now());
}

int tables_init(struct tables *t, struct crew *crew, nsec_t delivery_keeps, struct err *err)
{
	*t = (struct tables){ .crew = crew, .delivery_keeps = delivery_keeps };
	for (size_t i = 0; i < CONTROL_ENDS; i++)
		t->ends[i].to = sees[i].to;
	t->timer = loop_timer_new(crew_loop(crew), send_all, t);
	return t->timer != NULL ? 0 : err_set(err, "out of memory");
}

void tables_clear(struct tables *t)
{
	loop_timer_free(t->timer);
	table_clear(&t->now);
	table_clear(&t->coming);
	*t = (struct tables){ 0 };
}

static void take_warrant(struct tables *t, struct bytes body)
{
	struct warrant w = { 0 };

	if (t->begun)
		t->begun = msg_get_warrant(body, &w) && warrant_add(&t->coming.warrants, &w);
	warrant_clear(&w);
}

static void take_agreement(struct tables *t, struct bytes body)
{
	struct kms_agreement a = { 0 };

	if (t->begun)
		t->begun = msg_get_agreement(body, &a) && kms_agreement_add(&t->coming.agreements, &a);
	kms_agreement_clear(&a);
}

/* Complete: it takes the place of the one before, at once and as a whole. */
static bool take_end(struct tables *t, struct bytes body)
{
	bool ok = t->begun && msg_get_lease(body, &t->coming.lease);

	t->begun = false;
	if (!ok) {
		table_clear(&t->coming);
		return false;
	}
	table_clear(&t->now);
	t->now = t->coming;
	t->now.there = true;
	t->coming = (struct control_table){ 0 };
	for (size_t i = 0; i < CONTROL_ENDS; i++)
		begin_anew(t, i);
	send_all(t);
	return true;
}

bool tables_take(struct tables *t, enum msg_type type, struct bytes body)
{
	switch (type) {
	case MSG_TABLE_BEGIN:
		table_clear(&t->coming);
		t->begun = true;
		return false;
	case MSG_WARRANT:
		take_warrant(t, body);
		return false;
	case MSG_AGREEMENT:
		take_agreement(t, body);
		return false;
	case MSG_TABLE_END:
		return take_end(t, body);
	default:
		return false;
	}
}

/* One that has not all of the table yet gets the lease behind it. */
void tables_lease(struct tables *t, const struct msg_lease *l)
{
	struct buf body = { 0 };

	t->now.lease = *l;
	if (!t->now.there || !msg_put_lease(&body, l))
		return;
	for (size_t i = 0; i < CONTROL_ENDS; i++)
		if (!t->ends[i].under_way)
			crew_send(t->crew, t->ends[i].to, 0, MSG_LEASE, buf_bytes(&body));
	buf_clear(&body);
}

void tables_send_to(struct tables *t, enum role to)
{
	for (size_t i = 0; i < CONTROL_ENDS; i++)
		if (t->ends[i].to == to)
			begin_anew(t, i);
	send_all(t);
}

void tables_tick(struct tables *t)
{
	nsec_t now = nsec_now();

	for (size_t i = 0; i < CONTROL_ENDS; i++)
		if (t->now.there && included(t, &sees[i], now) != t->ends[i].included)
			begin_anew(t, i);
	send_all(t);
}

struct control_count tables_count(const struct tables *t, nsec_t now)
{
	struct control_count c = { .agreements = t->now.agreements.count };

	for (size_t i = 0; i < t->now.warrants.count; i++) {
		const struct warrant *w = &t->now.warrants.all[i];

		c.pending += !w->revoked && now < w->from;
		c.in_force += !w->revoked && warrant_in_force(w, now);
		c.ended += w->revoked || (now >= w->until && now >= w->from);
	}
	return c;
}
