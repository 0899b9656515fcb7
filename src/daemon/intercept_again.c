/*
 * intercept_again: media that went out in the last second or two, for a warrant that turns out to take it too: the word of it comes from
 * another process, and packets do not wait for that.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

#define SPAN       (2 * NSEC_PER_SEC)
#define OCTETS_MAX ((size_t)32 << 20)

struct gone_out {
	struct gone_out *next, *next_of_call;
	nsec_t at;
	uint32_t call;
	uint32_t warrants[COVERS_MAX]; /* that have it */
	size_t warrant_count;
	size_t len;
	uint8_t octets[]; /* of its MSG_RECORD, for any of them */
};

struct of_call {
	struct gone_out *oldest, *newest;
};

struct again {
	struct gone_out *oldest, **last;
	struct table *calls; /* number → of_call */
	size_t octets;
};

struct again *again_new(void)
{
	struct again *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->calls = table_new()) == NULL) {
		free(a);
		return NULL;
	}
	a->last = &a->oldest;
	return a;
}

static struct bytes key_of(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

static struct of_call *call_at(struct again *a, uint32_t number)
{
	struct of_call *c = table_get(a->calls, key_of(&number));

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c != NULL && !table_put(a->calls, key_of(&number), c)) {
		free(c);
		return NULL;
	}
	return c;
}

static void drop(struct again *a)
{
	struct gone_out *g = a->oldest;
	struct of_call *c = table_get(a->calls, key_of(&g->call)); /* whose oldest it is too */

	c->oldest = g->next_of_call;
	if (c->oldest == NULL)
		free(table_take(a->calls, key_of(&g->call)));
	a->oldest = g->next;
	if (a->oldest == NULL)
		a->last = &a->oldest;
	a->octets -= sizeof(*g) + g->len;
	secret_free(g, sizeof(*g) + g->len);
}

void again_free(struct again *a)
{
	if (a == NULL)
		return;
	while (a->oldest != NULL)
		drop(a);
	table_free(a->calls);
	free(a);
}

void again_time(struct again *a, nsec_t at)
{
	while (a->oldest != NULL && (a->oldest->at < at - SPAN || a->octets > OCTETS_MAX))
		drop(a);
}

void again_keep(
	struct again *a, const struct media_packet *p, const struct cover *covers, size_t count, struct bytes record)
{
	struct gone_out *g = malloc(sizeof(*g) + record.len);
	struct of_call *c = g != NULL ? call_at(a, p->call) : NULL;

	if (c == NULL) {
		free(g);
		return;
	}
	g->next = g->next_of_call = NULL;
	g->at = p->at;
	g->call = p->call;
	g->warrant_count = 0;
	for (size_t i = 0; i < count && i < COVERS_MAX; i++)
		if (covers[i].from <= p->at && p->at < covers[i].until)
			g->warrants[g->warrant_count++] = covers[i].warrant;
	g->len = record.len;
	memcpy(g->octets, record.at, record.len);
	*a->last = g;
	a->last = &g->next;
	if (c->oldest == NULL)
		c->oldest = g;
	else
		c->newest->next_of_call = g;
	c->newest = g;
	a->octets += sizeof(*g) + g->len;
}

static bool has(const struct gone_out *g, uint32_t warrant)
{
	for (size_t i = 0; i < g->warrant_count; i++)
		if (g->warrants[i] == warrant)
			return true;
	return g->warrant_count == COVERS_MAX;
}

void again_cover(struct again *a, const struct step *s, again_fn *fn, void *arg)
{
	const struct of_call *call = table_get(a->calls, key_of(&s->call));

	for (struct gone_out *g = call != NULL ? call->oldest : NULL; g != NULL; g = g->next_of_call)
		for (size_t i = 0; i < s->cover_count; i++) {
			const struct cover *c = &s->covers[i];

			if (g->at < c->from || g->at >= c->until || has(g, c->warrant))
				continue;
			g->warrants[g->warrant_count++] = c->warrant;
			fn(arg, c->warrant, (struct bytes){ g->octets, g->len });
		}
}
