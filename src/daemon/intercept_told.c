/*
 * intercept_told: of a front that another process tells of calls: which ones it knows of. When all that is open is told anew, what was not
 * told again is over: the word of its end had no room, or was lost with the process that had it to say.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

struct told_call {
	uint32_t call;
	uint32_t round; /* in which it was told last */
};

struct told_calls {
	struct table *calls;
	uint32_t round; /* 0: of what was told before all was told anew, for the first time */
};

struct told_calls *told_new(void)
{
	struct told_calls *t = calloc(1, sizeof(*t));

	if (t != NULL && (t->calls = table_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void told_free(struct told_calls *t)
{
	struct told_call *c;
	size_t step = 0;

	if (t == NULL)
		return;
	while ((c = table_next(t->calls, &step, NULL)) != NULL)
		free(c);
	table_free(t->calls);
	free(t);
}

static struct bytes key_of(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

/* The first one alone tells, and itself nothing. */
static bool may_tell(struct intercept *it, uint32_t index)
{
	bool may = index == 0 && it->told != NULL;

	if (!may)
		crew_refuse(it->crew);
	return may;
}

static void note(struct told_calls *t, const struct step *s)
{
	struct told_call *c = table_get(t->calls, key_of(&s->call));

	if (s->kind == STEP_CLOSE) {
		free(table_take(t->calls, key_of(&s->call)));
		return;
	}
	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL || !table_put(t->calls, key_of(&s->call), c)) {
			free(c);
			return; /* out of memory: it will not be missed */
		}
		c->call = s->call;
	}
	c->round = t->round;
}

void intercept_told_step(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct step s;

	if (!may_tell(it, index) || !msg_get_step(body, &s))
		return;
	note(it->told, &s);
	intercept_step(it, &s);
	secret_wipe(&s, sizeof(s));
	front_drain(it);
}

void intercept_told_esp(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct sip_esp e = { .icv = 0 };

	if (may_tell(it, index) && msg_get_esp(body, &e.dst, &e.spi, &e.icv))
		front_esp(it->front, &e);
}

void intercept_told_anew(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;

	(void)body;
	if (may_tell(it, index))
		it->told->round++;
}

void intercept_told_anew_end(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct told_call *c;
	size_t step = 0;

	(void)body;
	if (!may_tell(it, index))
		return;
	while ((c = table_next(it->told->calls, &step, NULL)) != NULL) {
		if (c->round == it->told->round)
			continue;
		front_step(it->front, &(struct step){ .kind = STEP_CLOSE, .at = it->settled, .call = c->call });
		free(table_take(it->told->calls, key_of(&c->call)));
	}
	front_drain(it);
}
