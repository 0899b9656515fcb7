/* calls: the lives of calls, legs and transactions. */
#include "calls.h"
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define ROOM_LOOK 256 /* calls looked at for one that may go */

char *text_dup(struct bytes b)
{
	char *s = b.len > 0 ? malloc(b.len + 1) : NULL;

	if (s == NULL)
		return NULL;
	memcpy(s, b.at, b.len);
	s[b.len] = '\0';
	return s;
}

void text_drop(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

bool text_eq(const char *s, struct bytes b)
{
	return bytes_equal(bytes_of(s), b);
}

const char *call_text(struct call *call, struct bytes b)
{
	struct text *t = b.len > 0 && b.len <= TEXTS_MAX - call->text_octets ? malloc(sizeof(*t) + b.len + 1) : NULL;

	if (t == NULL)
		return NULL;
	call->text_octets += b.len;
	t->len = b.len;
	memcpy(t->chars, b.at, b.len);
	t->chars[b.len] = '\0';
	t->next = call->texts;
	call->texts = t;
	return t->chars;
}

bool call_has_room_to_divert(struct call *call)
{
	if (call->diversions == NULL)
		call->diversions = calloc(DIVERSIONS_MAX, sizeof(*call->diversions));
	if (call->diverted == NULL)
		call->diverted = calloc(DIVERSIONS_MAX, sizeof(*call->diverted));
	return call->diversions != NULL && call->diverted != NULL && call->diversion_count < DIVERSIONS_MAX;
}

/* An old call makes room: best one that nobody speaks in. */
static void make_room(struct call_stage *c)
{
	struct call *gone = c->first;

	for (size_t i = 0; i < ROOM_LOOK && gone != NULL && gone->answered != NSEC_NONE && !gone->over; i++)
		gone = gone->next;
	c->dropped++;
	call_forget(c, gone != NULL ? gone : c->first);
}

struct call *call_begin(struct call_stage *c, nsec_t at)
{
	struct call *call;

	if (c->call_count >= CALLS_MAX)
		make_room(c);
	call = calloc(1, sizeof(*call));
	if (call == NULL)
		return NULL;
	call->last = at;
	call->started = call->answered = call->ended = NSEC_NONE;
	call->settled = call->deadline = call->last_bye = NSEC_NONE;
	call->prev = c->last;
	*(c->last != NULL ? &c->last->next : &c->first) = call;
	c->last = call;
	c->call_count++;
	c->pending++;
	return call;
}

void exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	text_drop(x->branch);
	sdp_free(x->request);
	for (size_t i = 0; i < x->reply_count; i++) {
		text_drop(x->replies[i].tag);
		sdp_free(x->replies[i].sdp);
	}
	free(x);
}

static void leg_free(struct call_stage *c, struct leg *leg)
{
	while (leg->exchanges != NULL) {
		struct exchange *x = leg->exchanges;

		leg->exchanges = x->next;
		exchange_free(x);
	}
	for (size_t i = 0; i < leg->caller_tag_count; i++)
		text_drop(leg->caller_tags[i]);
	for (size_t i = 0; i < leg->dialog_count; i++) {
		text_drop(leg->dialogs[i].tags[0]);
		text_drop(leg->dialogs[i].tags[1]);
	}
	if (table_get(c->legs, leg->key) == leg)
		table_take(c->legs, leg->key);
	secret_free((void *)leg->key.at, leg->key.len);
	text_drop(leg->call_id);
	free(leg);
}

static void call_unlink(struct call_stage *c, struct call *call)
{
	*(call->prev != NULL ? &call->prev->next : &c->first) = call->next;
	*(call->next != NULL ? &call->next->prev : &c->last) = call->prev;
	call->next = call->prev = NULL;
	c->call_count--;
	if (call->number == 0)
		c->pending--;
}

void call_forget(struct call_stage *c, struct call *call)
{
	if (call->covered && !call->closed)
		say_close(c, call, call->last);
	wants_forget(c, call, call->last);
	say_forget(call);
	for (size_t i = 0; i < call->leg_count; i++)
		leg_free(c, call->legs[i]);
	call->leg_count = 0;
	while (call->tokens != NULL) {
		struct token *t = call->tokens;

		call->tokens = t->next;
		token_drop(c, t);
	}
	history_time(call, NSEC_EVER);
	if (call->number != 0)
		steps_gone(&c->steps, call->number, call->last);
	call_unlink(c, call);
	call->next = c->dead;
	c->dead = call;
}

void call_bury(struct call_stage *c)
{
	wants_bury(c);
	while (c->dead != NULL) {
		struct call *call = c->dead;

		c->dead = call->next;
		while (call->texts != NULL) {
			struct text *t = call->texts;

			call->texts = t->next;
			secret_free(t, sizeof(*t) + t->len);
		}
		for (size_t i = 0; i < call->taker_count; i++)
			secret_free(call->takers[i], sizeof(*call->takers[i]));
		wants_free(call);
		free(call->diversions);
		if (call->diverted != NULL)
			secret_free(call->diverted, DIVERSIONS_MAX * sizeof(*call->diverted));
		secret_free(call, sizeof(*call));
	}
}

/* The key of a leg: its Call-ID, or the two addresses when the capture cut that off. Longer than any Call-ID we take. */
#define LEG_KEY_MAX 1024

static struct bytes call_id_key(struct bytes call_id, uint8_t out[LEG_KEY_MAX])
{
	if (call_id.len >= LEG_KEY_MAX)
		return (struct bytes){ NULL, 0 };
	out[0] = 'c';
	memcpy(out + 1, call_id.at, call_id.len);
	return (struct bytes){ out, call_id.len + 1 };
}

static struct bytes leg_key(const struct sip_message *m, uint8_t out[LEG_KEY_MAX])
{
	const struct flow *f = &m->datagram->flow;
	bool swap = memcmp(&f->src, &f->dst, sizeof(f->src)) > 0;
	const struct addr *pair[2] = { swap ? &f->dst : &f->src, swap ? &f->src : &f->dst };

	if (m->call_id.len > 0)
		return call_id_key(m->call_id, out);
	out[0] = 'a';
	memcpy(out + 1, pair[0], sizeof(*pair[0]));
	memcpy(out + 1 + sizeof(*pair[0]), pair[1], sizeof(*pair[1]));
	return (struct bytes){ out, 1 + 2 * sizeof(*pair[0]) };
}

struct leg *leg_find(const struct call_stage *c, const struct sip_message *m)
{
	uint8_t room[LEG_KEY_MAX];

	if (table_size(c->legs) == 0)
		return NULL;
	return table_get(c->legs, leg_key(m, room));
}

bool leg_may(const struct call_stage *c, struct bytes call_id)
{
	uint8_t room[LEG_KEY_MAX];

	return call_id.len > 0 && table_size(c->legs) > 0 && table_get(c->legs, call_id_key(call_id, room)) != NULL;
}

void call_list_ids(struct call *call)
{
	call->call_id_count = 0;
	for (size_t i = 0; i < call->leg_count; i++) {
		const char *kept = NULL;

		if (call->legs[i]->call_id == NULL)
			continue;
		for (const struct text *t = call->texts; kept == NULL && t != NULL; t = t->next)
			if (strcmp(t->chars, call->legs[i]->call_id) == 0)
				kept = t->chars;
		if (kept == NULL)
			kept = call_text(call, bytes_of(call->legs[i]->call_id));
		if (kept != NULL)
			call->call_ids[call->call_id_count++] = kept;
	}
}

/* Legs stand in the order of first sight. */
void leg_insert(struct call *call, struct leg *leg)
{
	size_t i = call->leg_count++;

	for (; i > 0 && call->legs[i - 1]->first > leg->first; i--)
		call->legs[i] = call->legs[i - 1];
	call->legs[i] = leg;
	leg->call = call;
}

struct leg *leg_begin(struct call_stage *c, struct call *call, const struct sip_message *m)
{
	uint8_t room[LEG_KEY_MAX];
	struct bytes key = leg_key(m, room);
	struct leg *leg;
	uint8_t *copy;

	if (call->leg_count >= LEGS_MAX || key.len == 0)
		return NULL;
	leg = calloc(1, sizeof(*leg));
	copy = malloc(key.len);
	if (leg == NULL || copy == NULL || !table_put(c->legs, key, leg)) {
		free(leg);
		free(copy);
		return NULL;
	}
	memcpy(copy, key.at, key.len);
	leg->key = (struct bytes){ copy, key.len };
	leg->call_id = text_dup(m->call_id);
	leg->first = m->at;
	leg_insert(call, leg);
	call_list_ids(call);
	call->changed = true;
	if (call->number != 0)
		c->legs_counted++;
	return leg;
}

/* The oldest transaction makes room: one that is done, if there is one. */
static void exchange_make_room(struct leg *leg)
{
	struct exchange **oldest = NULL;

	for (struct exchange **x = &leg->exchanges; *x != NULL; x = &(*x)->next)
		if (oldest == NULL || (*x)->final != 0 || (*oldest)->final == 0)
			oldest = x;
	if (oldest != NULL) {
		struct exchange *gone = *oldest;

		*oldest = gone->next;
		exchange_free(gone);
		leg->exchange_count--;
	}
}

struct exchange *exchange_begin(struct leg *leg, const struct sip_message *m)
{
	struct exchange *x;

	if (leg->exchange_count >= EXCHANGES_MAX)
		exchange_make_room(leg);
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	x->method = m->method;
	x->cseq = m->cseq;
	x->branch = text_dup(m->branch);
	x->flow = m->datagram->flow;
	if (!m->request)
		x->flow = (struct flow){ m->datagram->flow.dst, m->datagram->flow.src };
	x->request_seen = m->request;
	x->last = m->at;
	x->final_at = NSEC_NONE;
	x->next = leg->exchanges;
	leg->exchanges = x;
	leg->exchange_count++;
	return x;
}
