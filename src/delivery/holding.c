/* holding: the records of one warrant taken in: calls and events noted, messages put aside in spools. */
#include "holdings.h"

#include <stdlib.h>

#include "decoder.h"

#include "otway/base/secret.h"
#include "otway/folder.h"

struct holding *holding_new(const struct warrant *w, struct spools *spools)
{
	struct holding *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->warrant = w;
	h->spools = spools;
	folder_name(w->liid, h->name);
	h->by_number = table_new();
	h->by_stream = table_new();
	h->keys = table_new();
	if (h->by_number == NULL || h->by_stream == NULL || h->keys == NULL) {
		holding_free(h);
		return NULL;
	}
	return h;
}

static void text_free(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

static void call_free(struct held_call *c)
{
	for (uint32_t i = 0; i < c->stream_count; i++) {
		free(c->streams[i]->formats);
		secret_free(c->streams[i], sizeof(*c->streams[i]));
	}
	free(c->streams);
	held_facts_clear(&c->facts);
	free(c);
}

void holding_free(struct holding *h)
{
	if (h == NULL)
		return;
	for (uint32_t i = 0; i < h->call_count; i++)
		call_free(h->calls[i]);
	for (uint32_t i = 0; i < h->event_count; i++) {
		text_free(h->events[i].method);
		text_free(h->events[i].from);
		text_free(h->events[i].to);
	}
	free(h->calls);
	free(h->events);
	table_free(h->by_number);
	table_free(h->by_stream);
	table_free(h->keys);
	decoder_free(h->decoder);
	secret_free(h, sizeof(*h));
}

void holding_wipe_keys(struct holding *h)
{
	table_free(h->keys);
	h->keys = NULL;
	for (uint32_t i = 0; i < h->call_count; i++)
		for (uint32_t j = 0; j < h->calls[i]->stream_count; j++)
			srtp_key_clear(&h->calls[i]->streams[j]->key);
}

void *holding_grown(void *at, uint32_t count, uint32_t *cap, size_t each)
{
	uint32_t wanted = *cap > 0 ? *cap * 2 : 8;
	void *more;

	if (count < *cap)
		return at;
	more = realloc(at, wanted * each);
	if (more != NULL)
		*cap = wanted;
	return more;
}

static struct held_call *call_add(struct holding *h, uint32_t number)
{
	struct held_call **grew = holding_grown(h->calls, h->call_count, &h->call_cap, sizeof(struct held_call *));
	struct held_call *c = grew != NULL ? calloc(1, sizeof(*c)) : NULL;

	if (grew != NULL)
		h->calls = grew;
	if (c == NULL)
		return NULL;
	c->number = number;
	c->order = h->call_count;
	c->first = c->media_first = c->media_last = NSEC_NONE;
	held_facts_clear(&c->facts);
	if (!table_put(h->by_number, (struct bytes){ (uint8_t *)&number, sizeof(number) }, c)) {
		free(c);
		return NULL;
	}
	h->calls[h->call_count++] = c;
	return c;
}

struct held_call *holding_call(struct holding *h, uint32_t number)
{
	struct held_call *c = table_get(h->by_number, (struct bytes){ (uint8_t *)&number, sizeof(number) });

	return c != NULL ? c : call_add(h, number);
}

/* The first message says when a call began; without one, whatever there is. */
static void call_seen(struct held_call *c, nsec_t at, bool message)
{
	if (at == NSEC_NONE || (c->first_is_message && !message))
		return;
	if (c->first == NSEC_NONE || at < c->first || (message && !c->first_is_message))
		c->first = at;
	c->first_is_message = message;
}

static int take_message(struct holding *h, struct spool **spool, nsec_t at, const struct record *r, struct err *err)
{
	const struct datagram *d = r->sip;
	struct spooled_message head;

	if (d == NULL)
		return err_set(err, "a record of signalling without its message");
	if (h->spools == NULL)
		return 0;
	if (*spool == NULL && (*spool = spool_new(h->spools)) == NULL)
		return err_set(err, "out of memory");
	memset(&head, 0, sizeof(head));
	head.flow = d->flow;
	holding_place(d->packet, d->payload, &head.payload_at, &head.payload_len);
	return spool_add(*spool, at, (struct bytes[]){ { (uint8_t *)&head, sizeof(head) }, d->packet }, 2, err);
}

static int take_event(struct holding *h, const struct record *r, struct err *err)
{
	struct held_event *grew = holding_grown(h->events, h->event_count, &h->event_cap, sizeof(*grew)), *e;

	if (grew == NULL)
		return err_set(err, "out of memory");
	h->events = grew;
	e = &h->events[h->event_count];
	*e = (struct held_event){ .at = r->at, .order = h->event_count, .status = r->event.status };
	h->event_count++;
	h->counts.events++;
	e->method = strdup(r->event.method != NULL ? r->event.method : "");
	e->from = r->event.from != NULL ? strdup(r->event.from) : NULL;
	e->to = r->event.to != NULL ? strdup(r->event.to) : NULL;
	if (e->method == NULL || (r->event.from != NULL && e->from == NULL) || (r->event.to != NULL && e->to == NULL))
		return err_set(err, "out of memory");
	return r->sip != NULL ? take_message(h, &h->other, r->at, r, err) : 0;
}

int holding_take(struct holding *h, const struct record *r, struct err *err)
{
	struct held_call *c;

	if (r->kind == RECORD_KEY_WANTED || r->kind == RECORD_CALL_OVER)
		return 0;
	if (r->kind == RECORD_EVENT)
		return take_event(h, r, err);
	c = holding_call(h, r->call);
	if (c == NULL)
		return err_set(err, "out of memory");
	call_seen(c, r->kind == RECORD_MEDIA ? r->media.at : r->at, r->kind == RECORD_SIP);
	switch (r->kind) {
	case RECORD_SIP:
		h->counts.signalling++;
		return take_message(h, &c->signalling, r->at, r, err);
	case RECORD_BEFORE:
		c->before_count++;
		c->before_at = r->at;
		return take_message(h, &c->before, r->sip != NULL ? r->sip->at : r->at, r, err);
	case RECORD_CALL:
		return held_facts_set(c, &r->facts) < 0 ? err_set(err, "out of memory") : 0;
	default:
		return holding_take_media(h, c, &r->media, err);
	}
}
