/*
 * intercept_tell: of the first intercept: what the other fronts are told of media of open calls. One that comes up, that had no room for
 * what was said, or whose calls the one before this knew, is told of all of it anew, in pieces as it takes them.
 */
#include "intercept.h"

#define AT_ONCE ((size_t)2 << 20) /* octets that wait for a front, when all is told anew */

static bool tell(struct intercept *it, uint32_t front, enum msg_type type, struct bytes octets)
{
	return crew_send(it->crew, ROLE_INTERCEPT, front, type, octets);
}

/* Somebody is told of open calls. */
struct hearer {
	struct intercept *it;
	uint32_t front;
};

static bool tell_open(void *arg, enum msg_type type, struct bytes octets)
{
	const struct hearer *h = arg;

	return tell(h->it, h->front, type, octets);
}

static bool has_room(void *arg)
{
	const struct hearer *h = arg;
	const struct port *to = crew_port(h->it->crew, ROLE_INTERCEPT, h->front);

	return to != NULL && port_waiting(to) < AT_ONCE;
}

/* From the beginning, or from where there was no room any more. Calls that it knows and that are not among them are over for it then. */
static void tell_on(struct intercept *it, uint32_t front)
{
	const struct bytes empty = { NULL, 0 };
	struct telling *t = &it->telling[front];
	struct hearer h = { it, front };

	if (!has_room(&h))
		return;
	if (!t->begun) {
		t->round++;
		t->begun = tell(it, front, MSG_ANEW, empty) && open_each_esp(it->open, tell_open, &h);
	}
	t->untold = !t->begun || !open_each_call(it->open, front, t->round, has_room, tell_open, &h) ||
		    !tell(it, front, MSG_ANEW_END, empty);
	t->begun = t->begun && t->untold;
}

void tell_anew(struct intercept *it, uint32_t front)
{
	struct telling *t = &it->telling[front];

	t->untold = true;
	t->begun = false;
	if (it->resuming)
		return; /* what is open is not known yet */
	tell_on(it, front);
	if (t->untold)
		lose(it, nsec_now());
}

void tell_all_anew(struct intercept *it)
{
	for (uint32_t i = 1; i < it->fronts && it->back != NULL; i++)
		tell_anew(it, i);
}

void tell_untold(struct intercept *it)
{
	for (uint32_t i = 1; i < it->fronts && !it->resuming; i++) {
		if (!it->telling[i].untold)
			continue;
		lose(it, nsec_now()); /* so long the gap is */
		tell_on(it, i);
	}
}

/* What that front has of it meanwhile may be lost. */
static void no_room(struct intercept *it, uint32_t front)
{
	it->telling[front].untold = true;
	it->telling[front].begun = false;
	lose(it, nsec_now());
}

void tell_step(struct intercept *it, const struct step *s, struct bytes octets)
{
	open_step(it->open, s, octets);
	for (uint32_t i = 1; i < it->fronts; i++) {
		const struct telling *t = &it->telling[i];
		bool later = t->untold && !(t->begun && open_was_told(it->open, s->call, i, t->round));

		if (!later && !tell(it, i, MSG_STEP, octets))
			no_room(it, i);
	}
}

void tell_esp(struct intercept *it, struct bytes octets)
{
	open_esp(it->open, octets);
	for (uint32_t i = 1; i < it->fronts; i++)
		if ((!it->telling[i].untold || it->telling[i].begun) && !tell(it, i, MSG_ESP, octets))
			no_room(it, i);
}
