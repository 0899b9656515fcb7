/* intercept_ask: keys that are wanted, until they are answered: whoever asks may die, and the next one is asked again. */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/table.h"

struct asked {
	struct asked *next; /* of the same call */
	bool unsent;        /* there was no room for it */
	struct key_wanted wanted;
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

void intercept_ask_wanted(struct intercept *it, const struct key_wanted *w)
{
	struct asked *a = calloc(1, sizeof(*a));
	bool sent = send_wanted(it, w);

	if (a == NULL || !key_wanted_copy(w, &a->wanted)) {
		free(a);
		return;
	}
	a->unsent = !sent;
	it->ask_unsent |= !sent;
	a->next = table_get(it->asked, key_of(&w->call));
	if (!table_put(it->asked, key_of(&w->call), a))
		asked_free(a);
}

bool intercept_ask_answered(struct intercept *it, const struct key_answer *answer)
{
	struct asked *first = table_get(it->asked, key_of(&answer->call)), *gone;

	for (struct asked **at = &first; (gone = *at) != NULL; at = &gone->next) {
		if (gone->wanted.number != answer->number || gone->wanted.line != answer->line)
			continue;
		*at = gone->next;
		asked_free(gone);
		if (first == NULL)
			table_take(it->asked, key_of(&answer->call));
		else
			table_put(it->asked, key_of(&answer->call), first); /* replaces: no memory is needed */
		return true;
	}
	return false;
}

static void drop_all(struct asked *first)
{
	while (first != NULL) {
		struct asked *gone = first;

		first = gone->next;
		asked_free(gone);
	}
}

void intercept_ask_over(struct intercept *it, uint32_t call)
{
	drop_all(table_take(it->asked, key_of(&call)));
	msg_put_call(&it->octets, call);
	send_to(it, ROLE_KEYS, 0, MSG_CALL_OVER);
}

void intercept_ask_again(struct intercept *it)
{
	size_t step = 0;

	for (struct asked *first; (first = table_next(it->asked, &step, NULL)) != NULL;)
		for (struct asked *a = first; a != NULL; a = a->next)
			a->unsent = it->ask_unsent = true;
	intercept_ask_unsent(it);
}

void intercept_ask_unsent(struct intercept *it)
{
	size_t step = 0;

	if (!it->ask_unsent)
		return;
	for (struct asked *first; (first = table_next(it->asked, &step, NULL)) != NULL;)
		for (struct asked *a = first; a != NULL; a = a->next) {
			if (a->unsent && !send_wanted(it, &a->wanted))
				return; /* still no room */
			a->unsent = false;
		}
	it->ask_unsent = false;
}

void intercept_ask_free(struct intercept *it)
{
	size_t step = 0;

	for (struct asked *first; it->asked != NULL && (first = table_next(it->asked, &step, NULL)) != NULL;)
		drop_all(first);
	table_free(it->asked);
}
