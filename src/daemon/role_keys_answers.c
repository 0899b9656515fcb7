/*
 * role_keys_answers: what was answered, until its call is over or its warrant is gone: an intercept that was started anew wants the same keys
 * again, by other numbers, and has them at once. An answer is kept as the octets of its message, which are wiped.
 */
#include "role_keys.h"

#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

#define ANSWERS_MAX  100000
#define ANSWER_BYTES ((size_t)64 << 20)
#define CONTENT      8 /* octets of its number, with which a MSG_KEY_WANTED begins */

struct answer {
	struct answer *prev, *next;    /* in the order they were wanted */
	struct answer *before, *after; /* of the same call */
	uint8_t content[SHA256_LEN];
	uint32_t call, warrant;
	uint64_t asked;  /* the number that keys knows it by; 0: it is answered */
	uint64_t number; /* of who wants it; 0: nobody does now */
	bool unsent;
	struct buf octets; /* MSG_KEY */
};

static struct bytes content_key(const struct answer *a)
{
	return (struct bytes){ a->content, sizeof(a->content) };
}

static struct bytes asked_key(const struct answer *a)
{
	return (struct bytes){ (const uint8_t *)&a->asked, sizeof(a->asked) };
}

static struct bytes call_key(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

bool answers_init(struct answers *a, struct key_role *r)
{
	*a = (struct answers){ .role = r, .contents = table_new(), .numbers = table_new(), .calls = table_new() };
	return a->contents != NULL && a->numbers != NULL && a->calls != NULL;
}

/* Out of the answers of its call. */
static void leave_call(struct answers *all, struct answer *a)
{
	if (a->after != NULL)
		a->after->before = a->before;
	else if (a->before != NULL)
		table_put(all->calls, call_key(&a->call), a->before); /* in its place: takes no memory */
	else
		table_take(all->calls, call_key(&a->call));
	if (a->before != NULL)
		a->before->after = a->after;
}

static void drop(struct answers *all, struct answer *a)
{
	table_take(all->contents, content_key(a));
	if (a->asked != 0)
		table_take(all->numbers, asked_key(a));
	leave_call(all, a);
	*(a->prev != NULL ? &a->prev->next : &all->oldest) = a->next;
	*(a->next != NULL ? &a->next->prev : &all->newest) = a->prev;
	all->count--;
	all->octets -= a->octets.cap;
	buf_clear(&a->octets);
	secret_free(a, sizeof(*a));
}

void answers_clear(struct answers *a)
{
	while (a->oldest != NULL)
		drop(a, a->oldest);
	table_free(a->contents);
	table_free(a->numbers);
	table_free(a->calls);
	*a = (struct answers){ 0 };
}

static void make_room(struct answers *all)
{
	struct answer *a = all->oldest;

	while (a != NULL && (all->count > ANSWERS_MAX || all->octets > ANSWER_BYTES)) {
		struct answer *next = a->next;

		if (a->asked == 0)
			drop(all, a);
		a = next;
	}
}

/* NULL: out of memory. */
static struct answer *add(struct answers *all, const uint8_t content[SHA256_LEN], const struct key_wanted *w)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct answer){ .call = w->call, .warrant = w->warrant, .asked = ++all->number, .number = w->number };
	memcpy(a->content, content, sizeof(a->content));
	a->before = table_get(all->calls, call_key(&a->call));
	if (!table_put(all->contents, content_key(a), a) || !table_put(all->numbers, asked_key(a), a) ||
		!table_put(all->calls, call_key(&a->call), a)) {
		table_take(all->contents, content_key(a));
		table_take(all->numbers, asked_key(a));
		free(a);
		return NULL;
	}
	if (a->before != NULL)
		a->before->after = a;
	a->prev = all->newest;
	*(all->newest != NULL ? &all->newest->next : &all->oldest) = a;
	all->newest = a;
	all->count++;
	return a;
}

/* Under the number that who wants it knows it by now. */
static void send(struct answers *all, struct answer *a)
{
	struct key_answer answer;
	struct buf body = { 0 };

	a->unsent = false;
	if (a->number == 0 || !msg_get_key_answer(buf_bytes(&a->octets), &answer))
		return;
	answer.number = a->number;
	a->unsent = !msg_put_key_answer(&body, &answer) ||
		    !crew_send(all->role->crew, ROLE_INTERCEPT, 0, MSG_KEY, buf_bytes(&body));
	key_answer_clear(&answer);
	buf_clear(&body);
}

void answers_refuse(struct answers *all, const struct key_wanted *w, enum seal_reason reason)
{
	struct key_answer answer = {
		.number = w->number, .call = w->call, .line = w->line, .at = nsec_now(), .reason = reason
	};
	struct buf body = { 0 };

	if (msg_put_key_answer(&body, &answer))
		crew_send(all->role->crew, ROLE_INTERCEPT, 0, MSG_KEY, buf_bytes(&body));
	buf_clear(&body);
}

static void ask(struct answers *all, const uint8_t content[SHA256_LEN], const struct key_wanted *w)
{
	struct key_role *r = all->role;
	struct key_wanted asked = *w;
	struct answer *a;

	a = add(all, content, w);
	if (a == NULL) {
		answers_refuse(all, w, SEAL_KMS_UNREACHABLE);
		return;
	}
	asked.number = a->asked;
	if (!keys_take(r->keys, &asked, loop_now())) {
		drop(all, a);
		answers_refuse(all, w, SEAL_KMS_UNREACHABLE);
	}
	key_role_work(r);
}

void answers_want(struct answers *all, struct bytes body, const struct key_wanted *w)
{
	uint8_t content[SHA256_LEN];
	struct answer *a;

	sha256_of(bytes_part(body, CONTENT, body.len), content);
	a = table_get(all->contents, (struct bytes){ content, sizeof(content) });
	if (a == NULL) {
		ask(all, content, w);
		return;
	}
	a->number = w->number;
	if (a->asked == 0)
		send(all, a);
}

/* Of a warrant that went while its KMS was asked, nobody gets a key. */
static void without_keys(struct key_answer *answer)
{
	secret_wipe(answer->keys, sizeof(answer->keys));
	answer->key_count = 0;
	answer->reason = SEAL_NO_KEY;
}

void answers_give(struct answers *all, const struct key_answer *answer)
{
	struct bytes key = { (const uint8_t *)&answer->number, sizeof(answer->number) };
	struct answer *a = table_take(all->numbers, key);
	struct key_answer with = *answer;
	bool gone;

	if (a == NULL)
		return;
	a->asked = 0;
	with.at = nsec_now(); /* keys knows only how much time goes by */
	gone = key_role_warrant(all->role, a->warrant) == NULL;
	if (gone)
		without_keys(&with);
	msg_put_key_answer(
		&a->octets, &with); /* out of memory: it says nothing, and is asked again when it is wanted again */
	all->octets += a->octets.cap;
	key_answer_clear(&with);
	send(all, a);
	if (gone)
		drop(all, a);
	make_room(all);
}

void answers_call_over(struct answers *all, uint32_t call)
{
	struct answer *a;

	while ((a = table_get(all->calls, call_key(&call))) != NULL)
		drop(all, a);
}

void answers_table(struct answers *all)
{
	struct answer *a = all->oldest;

	while (a != NULL) {
		struct answer *next = a->next;

		if (a->asked == 0 && key_role_warrant(all->role, a->warrant) == NULL)
			drop(all, a);
		a = next;
	}
}

void answers_nobody(struct answers *all)
{
	for (struct answer *a = all->oldest; a != NULL; a = a->next)
		a->number = 0;
}

void answers_tick(struct answers *all)
{
	for (struct answer *a = all->oldest; a != NULL; a = a->next)
		if (a->unsent)
			send(all, a);
}
