/* event: the target's signalling outside calls: registrations, messages, subscriptions. Responses follow by Call-ID. */
#include "calls.h"

#include <stdlib.h>

#include "iri.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"

#define EVENT_IDLE ANSWER_WAIT

bool event_may(const struct call_stage *c, struct bytes call_id)
{
	return call_id.len > 0 && table_size(c->events) > 0 && table_get(c->events, call_id) != NULL;
}

bool event_knows(const struct call_stage *c, const struct sip_message *m)
{
	return event_may(c, m->call_id);
}

static struct event *event_begin(struct call_stage *c, const struct sip_message *m)
{
	struct event *e = calloc(1, sizeof(*e));
	uint8_t *copy = malloc(m->call_id.len);

	if (e == NULL || copy == NULL || !table_put(c->events, m->call_id, e)) {
		free(e);
		free(copy);
		return NULL;
	}
	memcpy(copy, m->call_id.at, m->call_id.len);
	e->key = (struct bytes){ copy, m->call_id.len };
	e->prev = c->last_event;
	*(c->last_event != NULL ? &c->last_event->next : &c->first_event) = e;
	c->last_event = e;
	return e;
}

void event_forget(struct call_stage *c, struct event *e)
{
	*(e->prev != NULL ? &e->prev->next : &c->first_event) = e->next;
	*(e->next != NULL ? &e->next->prev : &c->last_event) = e->prev;
	table_take(c->events, e->key);
	secret_free((void *)e->key.at, e->key.len);
	free(e);
}

void event_time(struct call_stage *c, nsec_t at)
{
	for (struct event *e = c->first_event, *next; e != NULL; e = next) {
		next = e->next;
		if (at - e->last > EVENT_IDLE)
			event_forget(c, e);
	}
}

static struct event *event_of(struct call_stage *c, const struct sip_message *m)
{
	struct event *e = table_get(c->events, m->call_id);

	if (e != NULL)
		return e;
	if (table_size(c->events) >= EVENTS_MAX) {
		c->dropped++;
		event_forget(c, c->first_event);
	}
	return event_begin(c, m);
}

static void taker_keep(struct event *e, uint32_t number)
{
	for (size_t i = 0; i < e->taker_count; i++)
		if (e->takers[i] == number)
			return;
	if (e->taker_count < TAKERS_MAX)
		e->takers[e->taker_count++] = number;
}

/* The URI of a header without its parameters, as a string; NULL: none. */
static char *uri_text(const struct sip_message *m, enum sip_header h)
{
	const struct sip_party *p = sip_party_of(m, h);

	return p != NULL ? text_dup(uri_bare(p->uri)) : NULL;
}

static void event_say(struct call_stage *c, const struct warrant *w, const struct record *r, struct held *held)
{
	struct held *sip = NULL;

	if (w->scope == SCOPE_IRI ? iri_blank(held, &sip) : (sip = held_keep(held)) != NULL)
		steps_record(&c->steps, r, sip);
	else
		c->steps.lost++;
	held_drop(sip);
}

static void event_record(struct call_stage *c, const struct event *e, const struct sip_message *m, struct held *held)
{
	char *from = uri_text(m, SIP_HEADER_FROM), *to = uri_text(m, SIP_HEADER_TO), *name = text_dup(m->method_name);
	struct record r = {
		.kind = RECORD_EVENT,
		.at = m->at,
		.event = {
			.method = m->method != SIP_OTHER || name == NULL ? sip_method_text(m->method) : name,
			.status = m->status,
			.from = from,
			.to = to,
		},
	};

	for (size_t i = 0; i < e->taker_count; i++) {
		const struct warrant *w = warrant_find(c->targets, e->takers[i]);

		if (w == NULL || w->scope == SCOPE_CC || !warrant_in_force(w, m->at))
			continue;
		r.warrant = w->number;
		event_say(c, w, &r, held);
	}
	c->events_counted++;
	text_drop(from);
	text_drop(to);
	text_drop(name);
}

void event_take(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count)
{
	struct event alone = { 0 },
		     *e = m->call_id.len > 0 && (count > 0 || event_knows(c, m)) ? event_of(c, m) : &alone;
	struct held *held;

	if (e == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		taker_keep(e, hits[i].warrant);
	e->last = m->at;
	held = e->taker_count > 0 ? held_new(m->datagram) : NULL;
	if (held != NULL)
		event_record(c, e, m, held);
	held_drop(held);
}
