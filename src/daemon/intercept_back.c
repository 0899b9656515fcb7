/* intercept_back: of the first intercept: signals of all fronts in the order of time through the back, and what it says to whom it concerns. */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"

/* A step about media: to our own front, and to all others; kept for those that come up later. */
static void media_step_out(struct intercept *it, const struct step *s)
{
	intercept_step(it, s);
	if (it->fronts < 2)
		return;
	if (msg_put_step(&it->octets, s))
		tell_step(it, s, buf_bytes(&it->octets));
	secret_wipe(it->octets.at, it->octets.len); /* keys */
	buf_reset(&it->octets);
}

static void record_out(struct intercept *it, const struct record *r)
{
	msg_put_record(&it->octets, r);
	if (!send_to(it, ROLE_DELIVERY, 0, MSG_RECORD))
		lose(it, r->at);
}

static void step_out(struct intercept *it, const struct step *s)
{
	switch (s->kind) {
	case STEP_RECORD:
		record_out(it, &s->record);
		break;
	case STEP_COVER:
	case STEP_PLACE:
	case STEP_KEY:
	case STEP_CLOSE:
		media_step_out(it, s);
		break;
	case STEP_KEY_WANTED:
		intercept_ask_wanted(it, s->wanted);
		break;
	case STEP_OVER:
		intercept_ask_over(it, s->call);
		break;
	case STEP_GONE:
		open_gone(it->open, s->call);
		break;
	case STEP_NOTE:
		leave_note(it, s->note);
		break;
	case STEP_FORGET:
		leave_forget(it, s->forget);
		break;
	}
}

static bool steps_out(struct intercept *it)
{
	const struct step *s;
	bool any = false;

	while (back_next(it->back, &s)) {
		step_out(it, s);
		any = true;
	}
	return any;
}

static void take(struct intercept *it, const struct datagram *d)
{
	struct sip_esp e;

	back_time(it->back, d->at);
	steps_out(it);
	back_take(it->back, d);
	steps_out(it);
	while (back_esp(it->back, &e)) {
		front_esp(it->front, &e);
		if (it->fronts < 2)
			continue;
		msg_put_esp(&it->octets, &e.dst, e.spi, e.icv);
		tell_esp(it, buf_bytes(&it->octets));
		buf_reset(&it->octets);
	}
}

void back_signal(struct intercept *it, uint32_t from, const struct datagram *d)
{
	if (it->fronts < 2 && !it->resuming)
		take(it, d);
	else if (!merge_put(it->merge, from, d, loop_now()))
		lose(it, d->at);
}

void back_mark(struct intercept *it, uint32_t from, nsec_t until)
{
	merge_mark(it->merge, from, until);
}

/* Of what waited for other fronts, as much as one turn of the loop has room for. It is asked for every frame: no clock is. */
bool back_drain(struct intercept *it)
{
	struct datagram d;
	bool any = steps_out(it);

	while (!it->resuming && !it->turned && merge_next(it->merge, it->steady, it->stopping, &d)) {
		take(it, &d);
		any = true;
		it->turned = !it->stopping && loop_now() >= it->turn_until;
		if (it->turned)
			loop_later_soon(it->more);
	}
	return any;
}

/* The loop has been around: others had their turn. */
void back_turn(struct intercept *it)
{
	it->turned = false;
	it->turn_until = loop_now() + TURN;
}

void back_set_table(struct intercept *it, const struct warrant_set *set)
{
	if (!back_targets(it->back, set))
		crew_alarm(it->crew, ALARM_ROLE, true, "intercept 0",
			"bug: no memory for the table of warrants; the one before holds");
}

void back_tell_active(struct intercept *it)
{
	const struct warrant_set *table = back_table(it->back);
	uint32_t *calls = calloc(table->count + 1, sizeof(*calls));
	struct msg_active a = { .warrant = UINT32_MAX };

	if (calls == NULL)
		return; /* a moment ago is as good */
	back_active(it->back, calls);
	msg_put_active(&it->octets, &a);
	send_to(it, ROLE_CONTROL, 0, MSG_ACTIVE);
	for (size_t i = 0; i < table->count; i++) {
		if (calls[i] == 0)
			continue;
		a = (struct msg_active){ table->all[i].number, calls[i] };
		msg_put_active(&it->octets, &a);
		send_to(it, ROLE_CONTROL, 0, MSG_ACTIVE);
	}
	free(calls);
}
