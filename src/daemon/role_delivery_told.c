/* role_delivery_told: what intercepts and control tell delivery. */
#include "otway/base/log.h"
#include "role_delivery.h"

/* Anything that is older than what supervise was told to be safe is made safe at once: a gap begins where that ends. */
static void older(struct delivery *d, nsec_t at)
{
	struct err err;

	if (at < d->written && cases_write(d->cases, &err) < 0)
		delivery_disk(d, false, &err);
}

void delivery_record(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	struct datagram sip;
	struct record r;
	struct err err = { .code = EXIT_FAILED };

	(void)index;
	d->heard = loop_now();
	if (!msg_get_record(body, &r, &sip, &d->room)) {
		d->broken++;
		return;
	}
	if (cases_take(d->cases, &r, &err) < 0 && err.code != EXIT_REFUSED)
		delivery_disk(d, false, &err);
	older(d, r.kind == RECORD_MEDIA ? r.media.at : r.at);
}

void delivery_mark(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	nsec_t until;

	if (msg_get_time(body, &until) && index < ROLE_PEERS)
		d->marks[index] = until;
	else
		d->broken++;
}

void delivery_gap(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	struct gap g;
	struct err err;

	(void)index;
	if (!msg_get_gap(body, &g))
		d->broken++;
	else if (cases_gap(d->cases, &g, &err) < 0 || cases_write(d->cases, &err) < 0)
		delivery_disk(d, false, &err);
}

void delivery_held(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	struct msg_held h;

	d->heard = loop_now();
	if (!msg_get_held(body, &h))
		d->broken++;
	else
		cases_held(
			d->cases, index, h.call, &h.datagram, NULL); /* what has no room is told of as a gap by cases */
}

void delivery_table_begin(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;

	(void)index;
	(void)body;
	warrant_set_clear(&d->coming);
	d->is_coming = true; /* else it is the tail of what another one began to hear */
}

/* A table of which something is missing takes no other's place. */
void delivery_warrant(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	struct warrant w = { 0 };
	bool got;

	(void)index;
	if (!d->is_coming)
		return;
	got = msg_get_warrant(body, &w);
	d->broken += !got;
	d->is_coming = got && warrant_add(&d->coming, &w);
	warrant_clear(&w);
}

void delivery_listen(struct delivery *d, bool on)
{
	for (uint32_t i = 0; i < ROLE_PEERS; i++)
		if (crew_port(d->crew, ROLE_INTERCEPT, i) != NULL)
			port_pause(crew_port(d->crew, ROLE_INTERCEPT, i), !on);
}

void delivery_table_end(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	struct err err;

	(void)index;
	(void)body;
	if (!d->is_coming)
		return;
	d->is_coming = false;
	if (cases_warrants(d->cases, &d->coming, &err) < 0)
		log_error("a table of warrants was not taken in: %s", err.text);
	warrant_set_clear(&d->coming);
	if (!d->has_table)
		delivery_listen(d, true);
	d->has_table = true;
}

void delivery_lease(void *role, uint32_t index, struct bytes body)
{
	(void)role; /* how long a table holds is for those who intercept */
	(void)index;
	(void)body;
}
