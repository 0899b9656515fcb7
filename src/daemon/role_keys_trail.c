/*
 * role_keys_trail: acts are in the trail before they are done. Each is told to control by a number, and stays here until control says that it
 * is written; one that could not be is told again each second. What would be sent to a KMS meanwhile waits with its act, and gives way to
 * what keys wants to send in its place.
 */
#include "role_keys.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/exchanges.h"

#define ACTS_MAX  100000       /* that are done and not yet written: the oldest gives way */
#define GRACE     NSEC_PER_SEC /* behind the time an exchange has: then keys has given it up */
#define TICK_MOST 2000         /* told again in one second */

/* A KEYS_SEND that waits. */
struct held {
	bool there;
	uint64_t exchange;
	uint32_t agreement;
	const char *path;
	struct buf body;
	nsec_t timeout, until;
};

struct act {
	struct act *prev, *next;
	uint64_t number;
	char request[KEY_REQUEST_ID];
	const char *name;
	char *detail;
	uint32_t warrant;
	bool gate;    /* what is sent for its request waits for it */
	bool refused; /* it could not be written, or not be told: to be told again */
	struct held held;
};

static struct bytes number_key(const uint64_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

bool trail_init(struct trail *t, struct key_role *r)
{
	*t = (struct trail){ .role = r, .numbers = table_new(), .gates = table_new() };
	return t->numbers != NULL && t->gates != NULL;
}

static void forget_held(struct act *a)
{
	buf_clear(&a->held.body);
	a->held = (struct held){ 0 };
}

static void act_free(struct act *a)
{
	forget_held(a);
	free(a->detail);
	free(a);
}

/* Its gate is open, or another act has taken its place there. */
static void leave_gate(struct trail *t, struct act *a)
{
	if (a->gate && table_get(t->gates, bytes_of(a->request)) == a)
		table_take(t->gates, bytes_of(a->request));
	a->gate = false;
}

static void drop(struct trail *t, struct act *a)
{
	leave_gate(t, a);
	table_take(t->numbers, number_key(&a->number));
	*(a->prev != NULL ? &a->prev->next : &t->first) = a->next;
	*(a->next != NULL ? &a->next->prev : &t->last) = a->prev;
	t->count--;
	act_free(a);
}

void trail_clear(struct trail *t)
{
	while (t->first != NULL)
		drop(t, t->first);
	table_free(t->numbers);
	table_free(t->gates);
	*t = (struct trail){ 0 };
}

static void tell(struct trail *t, struct act *a)
{
	const struct msg_audit m = { a->number, a->name, "kms", a->detail };
	struct buf body = { 0 };

	a->refused =
		!msg_put_audit(&body, &m) || !crew_send(t->role->crew, ROLE_CONTROL, 0, MSG_AUDIT, buf_bytes(&body));
	buf_clear(&body);
}

/* False: out of memory. */
static bool add(struct trail *t, struct act *a)
{
	a->number = ++t->number;
	if (!table_put(t->numbers, number_key(&a->number), a))
		return false;
	if (a->gate && !table_put(t->gates, bytes_of(a->request), a)) {
		table_take(t->numbers, number_key(&a->number));
		return false;
	}
	a->prev = t->last;
	*(t->last != NULL ? &t->last->next : &t->first) = a;
	t->last = a;
	t->count++;
	return true;
}

static void make_room(struct trail *t)
{
	struct act *a = t->first;

	while (a != NULL && t->count > ACTS_MAX) {
		struct act *next = a->next;

		if (!a->gate) {
			drop(t, a);
			t->dropped++;
		}
		a = next;
	}
}

/* True: what this tells of was never done, since its request could not be written; neither is. */
static bool never_done(struct trail *t, const struct keys_out *o)
{
	struct act *asked = table_get(t->gates, bytes_of(o->request));

	if (asked == NULL)
		return false;
	forget_held(asked);
	if (o->outcome == NULL) {
		leave_gate(t, asked); /* the next candidate has an act of its own */
		return false;
	}
	if (!asked->refused)
		return false;
	drop(t, asked);
	return true;
}

bool trail_tell(struct trail *t, const struct keys_out *o)
{
	struct act *a;

	if (never_done(t, o))
		return true;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return false;
	*a = (struct act){ .name = o->act, .warrant = o->warrant, .gate = o->outcome == NULL };
	memcpy(a->request, o->request, sizeof(a->request));
	a->detail = exchanges_detail(o);
	if (a->detail == NULL || !add(t, a)) {
		act_free(a);
		return false;
	}
	tell(t, a);
	make_room(t);
	return true;
}

bool trail_holds(struct trail *t, const struct keys_out *o)
{
	struct act *a = table_get(t->gates, bytes_of(o->request));

	if (a == NULL)
		return false;
	forget_held(a);
	a->held = (struct held){ .there = true,
		.exchange = o->exchange,
		.agreement = o->agreement->number,
		.path = o->path,
		.timeout = o->timeout,
		.until = loop_now() + o->timeout + GRACE };
	buf_add(&a->held.body, o->body.at, o->body.len);
	keys_waits(t->role->keys, o->exchange, true);
	return true;
}

/* The warrant or the agreement may be gone meanwhile; then keys finds out when this exchange comes to nothing. */
static void release(struct trail *t, const struct act *a)
{
	struct key_role *r = t->role;
	const struct held *h = &a->held;
	const struct kms_agreement *with = h->there ? key_role_agreement(r, h->agreement) : NULL;
	bool ended = strcmp(a->name, "call-ended") == 0; /* which takes nothing, and has no warrant any more */

	if (with == NULL || h->body.failed || loop_now() >= h->until)
		return;
	if (ended || key_role_warrant(r, a->warrant) != NULL) {
		keys_waits(r->keys, h->exchange, false);
		exchanges_send(r->exchanges, with, h->exchange, h->path, buf_bytes(&h->body), h->timeout);
	}
	key_role_work(r);
}

void trail_audited(struct trail *t, struct bytes body)
{
	struct act *a;
	uint64_t number;
	bool written;

	if (!msg_get_audited(body, &number, &written) || (a = table_get(t->numbers, number_key(&number))) == NULL)
		return;
	crew_alarm(t->role->crew, ALARM_AUDIT, !written, "",
		"the trail cannot be written: no KMS is asked for a key until it can");
	if (!written) {
		a->refused = true;
		return;
	}
	leave_gate(t, a);
	release(t, a);
	drop(t, a);
}

void trail_tick(struct trail *t)
{
	unsigned told = 0;

	for (struct act *a = t->first; a != NULL && told < TICK_MOST; a = a->next)
		if (a->refused) {
			tell(t, a);
			told++;
		}
}

void trail_again(struct trail *t)
{
	for (struct act *a = t->first; a != NULL; a = a->next)
		a->refused = true;
	trail_tick(t);
}
