/*
 * intercept_ask: keys that are wanted, until they are answered: whoever asks may die, and the next one is asked again. And that nothing is
 * wanted any more, until it is said.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/table.h"

struct asked {
	struct asked *next; /* of the same call */
	bool unsent;        /* there was no room for it */
	struct key_wanted wanted;
};

struct asked_call {
	uint32_t call;
	bool over; /* nothing of what was wanted is any more, and there was no room to say so */
	struct asked *first;
};

static struct bytes key_of(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

static bool send_wanted(struct intercept *it, const struct key_wanted *w)
{
	msg_put_key_wanted(&it->octets, w);
	return send_to(it, ROLE_KEYS, 0, MSG_KEY_WANTED);
}

static bool send_over(struct intercept *it, uint32_t call)
{
	msg_put_call(&it->octets, call);
	return send_to(it, ROLE_KEYS, 0, MSG_CALL_OVER);
}

static struct asked_call *call_at(struct intercept *it, uint32_t number)
{
	struct asked_call *c = table_get(it->asked, key_of(&number));

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL || !table_put(it->asked, key_of(&number), c)) {
		free(c);
		return NULL;
	}
	c->call = number;
	return c;
}

static void drop_if_empty(struct intercept *it, struct asked_call *c)
{
	if (c->first == NULL && !c->over)
		free(table_take(it->asked, key_of(&c->call)));
}

bool intercept_ask_begin(struct intercept *it)
{
	it->asked = table_new();
	return it->asked != NULL;
}

static void asked_free(struct asked *a)
{
	if (a == NULL)
		return;
	key_wanted_clear(&a->wanted);
	free(a);
}

/* Of the same call, what it no longer wants is said before what it wants. */
void intercept_ask_wanted(struct intercept *it, const struct key_wanted *w)
{
	struct asked_call *c = call_at(it, w->call);
	struct asked *a = calloc(1, sizeof(*a));
	bool sent = (c == NULL || !c->over) && send_wanted(it, w);

	if (c == NULL || a == NULL || !key_wanted_copy(w, &a->wanted)) {
		free(a);
		if (c != NULL)
			drop_if_empty(it, c);
		return;
	}
	a->unsent = !sent;
	it->ask_unsent |= !sent;
	a->next = c->first;
	c->first = a;
}

bool intercept_ask_answered(struct intercept *it, const struct key_answer *answer)
{
	struct asked_call *c = table_get(it->asked, key_of(&answer->call));
	struct asked *gone;

	for (struct asked **at = c != NULL ? &c->first : NULL; at != NULL && (gone = *at) != NULL; at = &gone->next) {
		if (gone->wanted.number != answer->number || gone->wanted.line != answer->line)
			continue;
		*at = gone->next;
		asked_free(gone);
		drop_if_empty(it, c);
		return true;
	}
	return false;
}

static void drop_all(struct asked_call *c)
{
	while (c->first != NULL) {
		struct asked *gone = c->first;

		c->first = gone->next;
		asked_free(gone);
	}
}

void intercept_ask_over(struct intercept *it, uint32_t call)
{
	struct asked_call *c = call_at(it, call);
	bool sent = send_over(it, call);

	if (c == NULL)
		return; /* out of memory: keys keeps what it has for a while */
	drop_all(c);
	c->over = !sent;
	it->ask_unsent |= !sent;
	drop_if_empty(it, c);
}

void intercept_ask_again(struct intercept *it)
{
	struct asked_call *c;
	size_t step = 0;

	while ((c = table_next(it->asked, &step, NULL)) != NULL)
		for (struct asked *a = c->first; a != NULL; a = a->next)
			a->unsent = it->ask_unsent = true;
	intercept_ask_unsent(it);
}

/* False: there is still no room. */
static bool send_unsent(struct intercept *it, struct asked_call *c)
{
	if (c->over && !send_over(it, c->call))
		return false;
	c->over = false;
	for (struct asked *a = c->first; a != NULL; a = a->next) {
		if (a->unsent && !send_wanted(it, &a->wanted))
			return false;
		a->unsent = false;
	}
	return true;
}

void intercept_ask_unsent(struct intercept *it)
{
	struct asked_call *c;
	size_t step = 0;

	while (it->ask_unsent && (c = table_next(it->asked, &step, NULL)) != NULL) {
		if (!send_unsent(it, c))
			return;
		drop_if_empty(it, c);
	}
	it->ask_unsent = false;
}

void intercept_ask_free(struct intercept *it)
{
	struct asked_call *c;
	size_t step = 0;

	while (it->asked != NULL && (c = table_next(it->asked, &step, NULL)) != NULL) {
		drop_all(c);
		free(c);
	}
	table_free(it->asked);
}
