/*
 * intercept_open: the messages that told fronts of a call's media, in their order. What is said again of the same place, or of who takes
 * the call, stands in place of what was said before.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

#define SAID_MAX 2048 /* of one call */
#define ESP_KEPT 256

struct said {
	struct said *next;
	enum step_kind kind;
	uint32_t line;
	enum toward toward;
	struct addr rtp;
	size_t len;
	uint8_t octets[];
};

struct open_call {
	struct said *first;
	size_t count;
	uint32_t told[]; /* of each front: in which round it was told of this */
};

struct open_calls {
	uint32_t fronts;
	struct table *calls;
	struct said *esp[ESP_KEPT];
	size_t esp_count;
};

struct open_calls *open_new(uint32_t fronts)
{
	struct open_calls *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->calls = table_new()) == NULL) {
		free(o);
		return NULL;
	}
	o->fronts = fronts;
	return o;
}

static void said_free(struct said *s)
{
	if (s != NULL)
		secret_free(s, sizeof(*s) + s->len);
}

static void call_free_all(struct open_call *c)
{
	while (c->first != NULL) {
		struct said *s = c->first;

		c->first = s->next;
		said_free(s);
	}
	free(c);
}

void open_free(struct open_calls *o)
{
	struct open_call *c;
	size_t step = 0;

	if (o == NULL)
		return;
	while ((c = table_next(o->calls, &step, NULL)) != NULL)
		call_free_all(c);
	table_free(o->calls);
	for (size_t i = 0; i < o->esp_count && i < ESP_KEPT; i++)
		said_free(o->esp[i]);
	free(o);
}

static struct bytes key_of(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

static struct open_call *call_at(struct open_calls *o, uint32_t number)
{
	struct open_call *c = table_get(o->calls, key_of(&number));

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c) + o->fronts * sizeof(c->told[0]));
	if (c != NULL && !table_put(o->calls, key_of(&number), c)) {
		free(c);
		return NULL;
	}
	return c;
}

static struct said *said_new(struct bytes octets)
{
	struct said *s = calloc(1, sizeof(*s) + octets.len);

	if (s != NULL) {
		s->len = octets.len;
		memcpy(s->octets, octets.at, octets.len);
	}
	return s;
}

/* Both say the same thing, or `newer` says it better. */
static bool replaces(const struct said *newer, const struct said *older)
{
	if (newer->kind != older->kind)
		return false;
	if (newer->kind == STEP_PLACE)
		return newer->line == older->line && newer->toward == older->toward &&
		       addr_equal(&newer->rtp, &older->rtp);
	return newer->kind != STEP_KEY ||
	       (newer->len == older->len && secret_equal(newer->octets, older->octets, newer->len));
}

void open_step(struct open_calls *o, const struct step *step, struct bytes octets)
{
	struct open_call *c = call_at(o, step->call);
	struct said *s = c != NULL ? said_new(octets) : NULL, **at;

	if (s == NULL)
		return; /* out of memory: a front that comes up later will know less */
	s->kind = step->kind;
	if (step->kind == STEP_PLACE) {
		s->line = step->place.line;
		s->toward = step->place.toward;
		s->rtp = step->place.rtp;
	}
	for (at = &c->first; *at != NULL && !replaces(s, *at); at = &(*at)->next)
		;
	if (*at != NULL) { /* who takes a call is said before its places, and stays there */
		struct said *old = *at;

		s->next = old->next;
		*at = s;
		said_free(old);
		return;
	}
	if (c->count >= SAID_MAX) {
		said_free(s);
		return;
	}
	*at = s;
	c->count++;
}

void open_esp(struct open_calls *o, struct bytes octets)
{
	struct said *s = said_new(octets), **at = &o->esp[o->esp_count % ESP_KEPT];

	if (s == NULL)
		return;
	for (size_t i = 0; i < o->esp_count && i < ESP_KEPT; i++)
		if (o->esp[i]->len == s->len && memcmp(o->esp[i]->octets, s->octets, s->len) == 0) {
			said_free(s);
			return;
		}
	said_free(*at);
	*at = s;
	o->esp_count++;
}

void open_gone(struct open_calls *o, uint32_t call)
{
	struct open_call *c = table_take(o->calls, key_of(&call));

	if (c != NULL)
		call_free_all(c);
}

bool open_each_esp(const struct open_calls *o, open_fn *fn, void *arg)
{
	for (size_t i = 0; i < o->esp_count && i < ESP_KEPT; i++)
		if (!fn(arg, MSG_ESP, (struct bytes){ o->esp[i]->octets, o->esp[i]->len }))
			return false;
	return true;
}

static bool each_step(const struct open_call *c, open_fn *fn, void *arg)
{
	for (const struct said *s = c->first; s != NULL; s = s->next)
		if (!fn(arg, MSG_STEP, (struct bytes){ s->octets, s->len }))
			return false;
	return true;
}

bool open_each_call(
	struct open_calls *o, uint32_t front, uint32_t round, bool (*go_on)(void *arg), open_fn *fn, void *arg)
{
	struct open_call *c;
	size_t step = 0;

	while ((c = table_next(o->calls, &step, NULL)) != NULL) {
		if (c->told[front] == round)
			continue;
		if (!go_on(arg) || !each_step(c, fn, arg))
			return false;
		c->told[front] = round;
	}
	return true;
}

bool open_was_told(const struct open_calls *o, uint32_t call, uint32_t front, uint32_t round)
{
	const struct open_call *c = table_get(o->calls, key_of(&call));

	return c != NULL && c->told[front] == round;
}

size_t open_count(const struct open_calls *o)
{
	return table_size(o->calls);
}
