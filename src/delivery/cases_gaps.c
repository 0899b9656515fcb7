/* cases_gaps: a gap goes to each warrant that was in force then; what goes on from another is joined with it. */
#include "cases_inside.h"

#include <stdlib.h>

#define NEAR (2 * NSEC_PER_SEC) /* two gaps with less than that between them are one: counters are read each second */

static bool goes_on(const struct gap *a, const struct gap *b)
{
	if (a->reason != b->reason || strncmp(a->where, b->where, GAP_WHERE) != 0)
		return false;
	if (a->reason == GAP_STATE) /* of other calls each time */
		return a->from == b->from;
	if (a->from == b->from || a->until == NSEC_NONE)
		return true;
	return b->from >= a->from && b->from <= a->until + NEAR;
}

static void join(struct gap *a, const struct gap *b)
{
	if (a->from == b->from) { /* it is told of again: how long it is by now, or that it is over */
		a->until = b->until;
		a->packets = b->packets;
		return;
	}
	/* Whoever opened it may be gone: then another one knows when it was over. */
	if (a->until == NSEC_NONE || b->until == NSEC_NONE || b->until > a->until)
		a->until = b->until;
	if (a->packets == GAP_UNKNOWN || b->packets == GAP_UNKNOWN)
		a->packets = GAP_UNKNOWN;
	else
		a->packets += b->packets;
}

bool gaps_note(struct gaps *all, const struct gap *g)
{
	struct gap *grew;

	for (uint32_t i = all->count, looked = 0; i-- > 0 && looked < 64; looked++)
		if (goes_on(&all->all[i], g)) {
			join(&all->all[i], g);
			return true;
		}
	if (all->count == CASES_GAPS) { /* so many that one more tells nothing: from the last one on */
		all->all[all->count - 1].until = g->until;
		all->all[all->count - 1].packets = GAP_UNKNOWN;
		return true;
	}
	grew = holding_grown(all->all, all->count, &all->cap, sizeof(*grew));
	if (grew == NULL)
		return false;
	all->all = grew;
	all->all[all->count++] = *g;
	return true;
}

static bool period_gap(struct period *p, const struct gap *g)
{
	struct cases *c = p->cases;

	buf_reset(&c->body);
	p->dirty = true;
	if (!gaps_note(&p->gaps, g) || !msg_put_gap(&c->body, g))
		return false;
	return period_note(p, JOURNAL_GAP, buf_bytes(&c->body));
}

/* Was it in force at any moment of the gap? */
static bool concerns(const struct warrant *w, const struct gap *g)
{
	return w->from < w->until && (g->until == NSEC_NONE || g->until >= w->from) && g->from < w->until;
}

static bool talks(const struct period *p)
{
	for (uint32_t i = 0; i < p->call_count; i++)
		if (!case_call_over(p->calls[i]))
			return true;
	return false;
}

static bool touches_any(const struct period *p, const struct gap *g)
{
	for (uint32_t i = 0; i < p->call_count; i++)
		if (p->calls[i]->run == p->cases->options.run && case_gap_touches(g, p->calls[i]->call))
			return true;
	return false;
}

/* What was known of calls is lost: a gap where there are such calls, and nowhere else. */
static int spread_state(struct cases *c, const struct gap *g, struct err *err)
{
	int rc = 0;

	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (!p->closing && concerns(&p->warrant, g) && touches_any(p, g) && !period_gap(p, g))
			rc = err_set(err, "there is no room for a gap");
	return rc;
}

int cases_spread(struct cases *c, const struct gap *g, struct err *err)
{
	struct case_warrant *w;
	size_t step = 0;
	int rc = 0;

	if (g->reason == GAP_STATE)
		return spread_state(c, g, err);
	while ((w = table_next(c->warrants, &step, NULL)) != NULL) {
		struct period *p;

		if (!w->in_table || !concerns(&w->warrant, g))
			continue;
		p = period_of(c, w->number, g->from, err);
		if (p == NULL || !period_gap(p, g))
			rc = p == NULL ? -1 : err_set(err, "there is no room for a gap");
	}
	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (p->until != NSEC_NONE && !p->closing && concerns(&p->warrant, g) && talks(p))
			period_gap(p, g);
	return rc;
}

int cases_gap(struct cases *c, const struct gap *g, struct err *err)
{
	struct gap own = *g;

	own.where[GAP_WHERE - 1] = '\0';
	c->counts.gaps++;
	if (!c->table)
		return gaps_note(&c->waiting, &own) ? 0 : err_set(err, "out of memory");
	return cases_spread(c, &own, err);
}

void cases_lost(struct period *p, nsec_t at)
{
	struct gap *g = &p->lost;

	p->cases->counts.lost++;
	if (g->packets == 0)
		*g = (struct gap){ .from = at, .until = at, .reason = GAP_DISK, .where = "delivery" };
	g->from = at < g->from ? at : g->from;
	g->until = at > g->until ? at : g->until;
	g->packets++;
}

void cases_found_room(struct cases *c)
{
	for (struct period *p = c->periods; p != NULL; p = p->next)
		if (p->lost.packets > 0 && period_gap(p, &p->lost))
			p->lost.packets = 0;
}
