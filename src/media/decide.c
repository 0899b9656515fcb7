/*
 * decide: what becomes of the packets of a stream. What opens, or goes on as it was, leaves at once; the rest is held
 * until a key comes, the framing speaks for it, or the time to wait is over.
 */
#include "state.h"

#define RESUMED 64 /* packets that opened after one that did not: no key will come for that one */

static bool power_of_two(uint32_t n)
{
	return (n & (n - 1)) == 0;
}

static void ready_opened(struct media *m, struct stream *s, struct parcel *p, uint64_t hash)
{
	if (s->rtcp)
		window_note_recent(&s->window, hash);
	else
		window_note(&s->window, p->place, hash);
	parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
	s->failed_in_row = 0;
	if (s->plausible != NULL)
		look_anew(s);
	if (s->held_count > 0 && ++s->opened_in_row >= RESUMED)
		stream_settle(m, s);
}

/* All keys for the first packets, for each new key, and then ever more seldom, so that a flood costs little. */
static bool prove_now_and_then(struct stream *s, struct parcel *p)
{
	bool new_keys = s->tried_age != s->call->ring.age;

	if (new_keys)
		s->failed = 0;
	s->tried_age = s->call->ring.age;
	s->failed++;
	s->search |= (new_keys && s->held_count > 0) || s->failed == 2 || s->failed == 64 || s->failed == 512;
	return power_of_two(s->failed) && prove_all(s, p);
}

static void take_unopened(struct media *m, struct stream *s, struct parcel *p, uint64_t hash)
{
	s->failed_in_row++;
	s->opened_in_row = 0;
	if (prove_now_and_then(s, p)) {
		s->state = STREAM_OPEN;
		stream_flush_opened(m, s);
		ready_opened(m, s, p, hash);
		return;
	}
	/* Some send their last report in clear, though all others are sealed. */
	if (s->rtcp && rtcp_clear(parcel_payload(p)) && (s->authenticated || !stream_beside_authentic(s))) {
		window_note_recent(&s->window, hash);
		parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
		return;
	}
	if (spill_away(s, p)) {
		s->packets--;
		return;
	}
	if (s->rtcp || s->state == STREAM_OPEN)
		window_note_recent(&s->window, hash);
	else
		window_note(&s->window, p->place, hash);
	if (s->state != STREAM_OPEN && p->place > s->highest)
		s->highest = p->place;
	if (!s->rtcp)
		look_add(s, p);
	hold_add(s, p);
	look_due(m, s);
}

static void take_clear(struct media *m, struct stream *s, struct parcel *p, uint64_t hash)
{
	bool opens = s->tried_age != s->call->ring.age && prove_all(s, p);

	s->tried_age = s->call->ring.age;
	if (!opens && look_usual(s, p, false)) {
		window_note(&s->window, p->place, hash);
		stream_ready_clear(m, s, p);
		return;
	}
	s->state = STREAM_UNDECIDED; /* it may have begun to encrypt */
	s->failed = 0;
	look_reset(s);
	take_unopened(m, s, p, hash);
}

/* A packet whose fate is known waits for those before it. */
static void take_settled(struct media *m, struct stream *s, struct parcel *p, enum media_fate fate,
	enum seal_reason reason, uint64_t hash)
{
	bool waits = !s->shown || s->held.first != NULL;

	if (waits && spill_away(s, p))
		return;
	if (fate != MEDIA_TWICE) {
		s->packets++;
		window_note_recent(&s->window, hash);
		if (s->state != STREAM_OPEN && p->place > s->highest)
			s->highest = p->place;
	}
	p->settled = true;
	p->fate = fate;
	p->reason = reason;
	if (waits)
		hold_add(s, p);
	else
		parcel_ready(m, p, fate, reason);
}

void stream_take(struct media *m, struct stream *s, struct parcel *p, bool again)
{
	uint64_t hash;

	if (again ? spill_unsaid(s, p) : spill_behind(s, p))
		return;
	hash = window_hash(parcel_payload(p));
	if (s->packets == 0)
		s->first = s->last = p->own;
	if (p->own > s->last)
		s->last = p->own;
	if (p->place < s->lowest)
		s->lowest = p->place;
	if (window_has(&s->window, p->place, hash)) {
		take_settled(m, s, p, MEDIA_TWICE, SEAL_NONE, hash);
		return;
	}
	if (p->truncated) {
		take_settled(m, s, p, MEDIA_SEALED, SEAL_TRUNCATED, hash);
		return;
	}
	s->packets++;
	if (s->state == STREAM_OPEN && prove_known(s, p)) {
		ready_opened(m, s, p, hash);
	} else if (s->state == STREAM_CLEAR) {
		take_clear(m, s, p, hash);
	} else {
		take_unopened(m, s, p, hash);
	}
}

/* The first and the last packet held whose fate is open: those that may prove something. */
static struct parcel *first_open(const struct stream *s)
{
	struct parcel *p = s->held.first;

	while (p != NULL && p->settled)
		p = p->next;
	return p;
}

static struct parcel *last_open(const struct stream *s)
{
	struct parcel *last = NULL;

	for (struct parcel *p = s->held.first; p != NULL; p = p->next)
		if (!p->settled)
			last = p;
	return last;
}

static void prove_held(struct media *m, struct stream *s, bool search)
{
	struct parcel *p = last_open(s);

	if (p == NULL || !(prove_all(s, p) || prove_all(s, first_open(s)) || (search && prove_search(s, p))))
		return;
	s->state = STREAM_OPEN;
	look_reset(s);
	stream_flush_opened(m, s);
}

void stream_new_key(struct media *m, struct stream *s)
{
	if (s->held.first == NULL || s->tried_age == s->call->ring.age)
		return;
	s->tried_age = s->call->ring.age;
	s->failed = 0;
	s->search |= s->held_count > 1;
	prove_held(m, s, false);
}

bool stream_search(struct media *m, struct stream *s)
{
	if (!s->search)
		return false;
	s->search = false;
	if (s->held.first == NULL)
		return false;
	prove_held(m, s, true);
	return true;
}

void stream_settle(struct media *m, struct stream *s)
{
	bool forged = stream_beside_authentic(s) && !s->authenticated;
	struct parcel *p;

	if (s->held.first == NULL)
		return;
	if (!forged && (s->state != STREAM_OPEN || s->failed_in_row > 0))
		prove_held(m, s, s->searched_age != s->call->ring.age);
	look_now(m, s, true);
	while ((p = hold_take(s)) != NULL)
		stream_ready_unopened(m, s, p, forged);
	s->opened_in_row = 0;
	look_reset(s);
}

void stream_settle_oldest(struct media *m, struct call *c)
{
	struct parcel *p = c->oldest;
	struct stream *s;

	if (p == NULL)
		return;
	s = p->stream;
	look_now(m, s, false);
	if (c->oldest != p)
		return;
	hold_take(s);
	stream_ready_unopened(m, s, p, stream_beside_authentic(s) && !s->authenticated);
}
