/* cases_view: the holdings of a period's calls put together as that of a folder of decrypt. */
#include "cases_inside.h"

#include <stdlib.h>

#include "case_json.h"

enum {
	QUICKLY = 100, /* calls that are told within some milliseconds */
	AT_ONCE = 100, /* and so many before others have their turn */
	BESIDE = 10    /* a view takes as long as so many calls more */
};

/* Every field is a sum. */
static void add_counts(struct held_counts *to, const struct held_counts *more)
{
	uint64_t *sum = (uint64_t *)(void *)to;
	const uint64_t *one = (const uint64_t *)(const void *)more;

	_Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "nothing but sums");
	for (size_t i = 0; i < sizeof(*to) / sizeof(uint64_t); i++)
		sum[i] += one[i];
}

bool view_make(struct view *v, struct period *p)
{
	struct holding *h = &v->holding;

	*v = (struct view){ .period = { p->from, p->until, p->gaps.all, p->gaps.count } };
	v->run.period = &v->period;
	h->warrant = &p->warrant;
	memcpy(h->name, p->name, sizeof(h->name));
	h->calls = calloc(p->call_count > 0 ? p->call_count : 1, sizeof(*h->calls));
	if (h->calls == NULL)
		return false;
	for (uint32_t i = 0; i < p->call_count; i++) {
		const struct holding *one = p->calls[i]->holding;

		h->calls[h->call_count++] = p->calls[i]->call;
		h->keys_removed += one->keys_removed;
		add_counts(&h->counts, &one->counts);
	}
	holding_order_events(p->events);
	h->events = p->events->events;
	h->event_count = p->events->event_count;
	h->keys_removed += p->events->keys_removed;
	add_counts(&h->counts, &p->events->counts);
	h->other_file = append_size(p->event_say) > 0;
	return true;
}

void view_clear(struct view *v)
{
	free(v->holding.calls);
}

int view_json(struct view *v, struct stage *stage, struct err *err)
{
	char new[CASES_PATH], path[CASES_PATH];

	snprintf(new, sizeof(new), "%s/.case.json", v->holding.name);
	snprintf(path, sizeof(path), "%s/case.json", v->holding.name);
	if (append_parents(stage, new, err) < 0)
		return -1;
	stage_remove(stage, new);
	if (case_json(&v->holding, &v->run, stage, ".case.json", err) < 0)
		return -1;
	return stage_rename(stage, new, path, err);
}

static bool is_due(const struct cases *c, const struct period *p)
{
	return p->dirty && !p->closing && (p->json_at == NSEC_NONE || c->now >= p->json_at);
}

/* The one that has waited longest, so that each has its turn. */
static struct period *most_due(const struct cases *c)
{
	struct period *most = NULL;

	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (is_due(c, p) && (most == NULL || p->json_at < most->json_at))
			most = p;
	return most;
}

void views_due(struct cases *c)
{
	struct period *p;

	for (uint32_t told = 0; told < AT_ONCE && (p = most_due(c)) != NULL; told += BESIDE) {
		struct view v;

		p->json_at = c->now + NSEC_PER_SEC + p->call_count * (NSEC_PER_SEC / 500);
		p->json_wanted = p->call_count > QUICKLY;
		if (p->json_wanted)
			continue;
		told += p->call_count;
		if (view_make(&v, p) && view_json(&v, c->stage, NULL) == 0)
			p->dirty = false;
		view_clear(&v);
	}
}
