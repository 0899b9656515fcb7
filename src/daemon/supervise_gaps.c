/*
 * supervise_gaps: time in which a process was missing through which packets go. Delivery hears of it when it begins and when it is over;
 * a delivery that dies before it has surely written it down hears of it again.
 */
#include <stdio.h>

#include "supervise.h"

#define SURELY (10 * NSEC_PER_SEC) /* after delivery took it in: it is on the disk */

/* Is something lost with its memory? What was sent to keys and control waits for the one that follows. */
static bool carries(const struct child *c)
{
	return c->role == ROLE_INTERCEPT || c->role == ROLE_DELIVERY;
}

static void send(struct supervise *s, struct gap_told *g)
{
	struct child *delivery = supervise_child(s, ROLE_DELIVERY);
	struct buf body = { 0 };

	g->asked = 0;
	if (delivery->ready_at != NSEC_NONE && msg_put_gap(&body, &g->gap) &&
		child_send(delivery, MSG_GAP, buf_bytes(&body))) {
		supervise_ask(delivery);
		g->asked = delivery->asked;
		g->since = loop_now();
	}
	buf_clear(&body);
}

static struct gap_told *open_gap(struct supervise *s, const char *where)
{
	for (size_t i = s->gap_count; i > 0; i--)
		if (strcmp(s->gaps[i - 1].gap.where, where) == 0 && s->gaps[i - 1].gap.until == NSEC_NONE)
			return &s->gaps[i - 1];
	return NULL;
}

/* Two gaps of one place become one: too wide rather than too narrow. There are fewer places than room, so two there are. */
static void join_two(struct supervise *s)
{
	for (size_t a = 0; a < s->gap_count; a++) {
		for (size_t b = a + 1; b < s->gap_count; b++) {
			if (strcmp(s->gaps[a].gap.where, s->gaps[b].gap.where) != 0)
				continue;
			s->gaps[a].gap.until = s->gaps[b].gap.until;
			s->gap_count--;
			memmove(&s->gaps[b], &s->gaps[b + 1], (s->gap_count - b) * sizeof(s->gaps[0]));
			send(s, &s->gaps[a]);
			return;
		}
	}
}

void supervise_gaps_begin(struct child *c)
{
	struct gap_told *g;

	if (!carries(c) || open_gap(c->s, c->name) != NULL) /* it died again before it was at work */
		return;
	_Static_assert(SUPERVISE_CHILDREN < SUPERVISE_GAPS, "two of a full list are of one place");
	if (c->s->gap_count == SUPERVISE_GAPS)
		join_two(c->s);
	g = &c->s->gaps[c->s->gap_count++];
	g->gap = (struct gap){ .from = c->settled, .until = NSEC_NONE, .reason = GAP_ROLE, .packets = GAP_UNKNOWN };
	memcpy(g->gap.where, c->name, sizeof(g->gap.where));
	send(c->s, g);
}

void supervise_gaps_end(struct child *c)
{
	struct gap_told *g = open_gap(c->s, c->name);

	if (g == NULL)
		return;
	g->gap.until = nsec_now();
	send(c->s, g);
}

void supervise_gaps_again(struct supervise *s)
{
	for (size_t i = 0; i < s->gap_count; i++)
		send(s, &s->gaps[i]);
}

void supervise_gaps_heard(struct supervise *s)
{
	const struct child *delivery = supervise_child(s, ROLE_DELIVERY);
	size_t kept = 0;

	for (size_t i = 0; i < s->gap_count; i++) {
		struct gap_told *g = &s->gaps[i];
		bool surely = g->gap.until != NSEC_NONE && g->asked > 0 && delivery->answered >= g->asked &&
			      loop_now() - g->since > SURELY;

		if (!surely)
			s->gaps[kept++] = *g;
	}
	memset(&s->gaps[kept], 0, (s->gap_count - kept) * sizeof(s->gaps[0]));
	s->gap_count = kept;
}
