/*
 * decide: what becomes of the packets of a stream. What opens, or goes on as it was, leaves at once; the rest is held
 * until a key comes, the framing speaks for it, or the time to wait is over.
 */
#include "state.h"

#include <stdlib.h>

#define LOOK_FIRST   16   /* packets before the first look at the framing */
#define LOOK_MAX     1024 /* after so many it begins anew */
#define RESUMED      64   /* packets that opened after one that did not: no key will come for that one */
#define CLEAR_IN_ROW 16   /* packets that did not open, before an open stream is taken to have gone clear */

static bool power_of_two(uint32_t n)
{
	return (n & (n - 1)) == 0;
}

/* --- the hold --- */

static void hold(struct call *c, struct stream *s, struct parcel *p)
{
	queue_push(&s->held, p);
	s->held_count++;
	c->held_octets += sizeof(*p) + p->room;
	p->newer = NULL;
	p->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = p;
	else
		c->oldest = p;
	c->newest = p;
}

static struct parcel *release(struct stream *s)
{
	struct parcel *p = queue_pop(&s->held);
	struct call *c = s->call;

	if (p == NULL)
		return NULL;
	s->held_count--;
	c->held_octets -= sizeof(*p) + p->room;
	*(p->older != NULL ? &p->older->newer : &c->oldest) = p->newer;
	*(p->newer != NULL ? &p->newer->older : &c->newest) = p->older;
	p->older = p->newer = NULL;
	return p;
}

/* --- the way out --- */

static enum media_count count_of(const struct parcel *p)
{
	switch (p->fate) {
	case MEDIA_CLEAR:
		return p->key != NULL ? COUNT_DECRYPTED : COUNT_CLEAR;
	case MEDIA_SEALED:
		return COUNT_SEALED;
	case MEDIA_TWICE:
		return COUNT_TWICE;
	case MEDIA_FORGED:
		return COUNT_FORGED;
	default:
		return COUNT_NOT_RTP;
	}
}

/* The first packet of a stream goes out. */
static void show(struct media *m, struct stream *s)
{
	s->shown = true;
	if (s->rtcp)
		return;
	s->number = ++s->call->stream_numbers;
	m->counts[COUNT_LEARNED] += s->learned;
	if (!s->based)
		s->base = s->lowest < 0 ? 65536 : 0;
	s->based = true;
}

void parcel_ready(struct media *m, struct parcel *p, enum media_fate fate, enum seal_reason reason)
{
	struct stream *s = p->stream;

	if (s != NULL && s->learned && !s->shown && fate != MEDIA_CLEAR) {
		parcel_drop(&m->pool, p); /* nothing shows that it is of this call */
		return;
	}
	p->fate = fate;
	p->reason = reason;
	if (s != NULL && !s->shown && fate != MEDIA_FORGED)
		show(m, s);
	m->counts[count_of(p)]++;
	p->call->queued++;
	if (s != NULL)
		s->queued++;
	queue_push(&m->ready, p);
}

/* Why nothing opened it. */
static enum seal_reason reason_of(const struct stream *s, const struct parcel *p)
{
	uint32_t lines[SPOT_LINES];
	struct key_wanted wanted = stream_wants(s, lines);
	const struct place *place = stream_place(s, p->pt);

	if (s->authenticated || keyring_expects(&s->call->ring, &wanted))
		return SEAL_AUTH_FAILED;
	if (s->call->dtls_seen || (place != NULL && place->dtls))
		return SEAL_DTLS_SRTP;
	if (place == NULL)
		return SEAL_NO_KEY;
	if (place->unsupported)
		return SEAL_SUITE_UNSUPPORTED;
	return place->secure && !place->answered ? SEAL_SETUP_NOT_SEEN : SEAL_NO_KEY;
}

static void ready_clear(struct media *m, struct stream *s, struct parcel *p)
{
	if (p->place > s->highest)
		s->highest = p->place;
	parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
}

static void ready_unopened(struct media *m, struct stream *s, struct parcel *p, bool forged)
{
	if (p->settled)
		parcel_ready(m, p, forged ? MEDIA_FORGED : p->fate, p->reason);
	else
		parcel_ready(m, p, forged ? MEDIA_FORGED : MEDIA_SEALED, forged ? SEAL_NONE : reason_of(s, p));
}

/* A key opened the stream: what is held goes out as far as it opens too. */
static void flush_opened(struct media *m, struct stream *s)
{
	for (size_t left = s->held_count; left > 0; left--) {
		struct parcel *p = release(s);

		if (p->settled)
			parcel_ready(m, p, p->fate, p->reason);
		else if (p->key != NULL || prove_known(s, p))
			parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
		else
			hold(s->call, s, p);
	}
}

/* --- the framing --- */

static void look_reset(struct stream *s)
{
	free(s->plausible);
	s->plausible = NULL;
	s->next_look = LOOK_FIRST;
}

/* What was held so far is no clear stream, whatever follows. */
static void look_anew(struct stream *s)
{
	look_reset(s);
	for (struct parcel *p = s->held.first; p != NULL; p = p->next)
		p->doubtful = true;
}

static void look_add(struct stream *s, const struct parcel *p)
{
	struct rtp rtp;

	if (s->plausible != NULL && s->plausible->packets >= LOOK_MAX)
		look_anew(s);
	if (s->plausible == NULL) {
		s->plausible = calloc(1, sizeof(*s->plausible));
		s->next_look = LOOK_FIRST;
		s->looked = p->at;
	}
	if (s->plausible != NULL && rtp_parse(parcel_payload(p), &rtp))
		plausible_add(s->plausible, stream_format(s, p->pt), p->pt, rtp.seq, rtp.timestamp,
			rtp_media(parcel_payload(p)), keyring_mki(&s->call->ring));
}

static bool usual_parcel(const struct stream *s, const struct parcel *p, bool among)
{
	return plausible_usual(&s->usual, stream_format(s, p->pt), rtp_media(parcel_payload(p)), among);
}

static void flush_clear(struct media *m, struct stream *s)
{
	struct parcel *p;

	while ((p = release(s)) != NULL) {
		if (!p->settled && !p->doubtful && usual_parcel(s, p, true))
			ready_clear(m, s, p);
		else
			ready_unopened(m, s, p, false);
	}
}

/* Takes the packets held for clear ones when they look so, or opens them by a key without a tag. */
static void look(struct media *m, struct stream *s)
{
	if (s->rtcp || s->plausible == NULL || (s->state == STREAM_OPEN && s->failed_in_row < CLEAR_IN_ROW))
		return;
	if (stream_beside_authentic(s))
		return;
	if (plausible_clear(s->plausible)) {
		s->state = STREAM_CLEAR;
		plausible_learn(&s->usual, &s->plausible->usual);
		look_reset(s);
		flush_clear(m, s);
	} else if (prove_without_tag(s)) {
		s->state = STREAM_OPEN;
		look_reset(s);
		flush_opened(m, s);
	}
}

void stream_look(struct media *m, struct stream *s, nsec_t at)
{
	if (s->plausible == NULL || s->held.first == NULL || at - s->looked < NSEC_PER_SEC)
		return;
	s->looked = at;
	look(m, s);
}

/* --- packet by packet --- */

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
	if (power_of_two(s->failed) && prove_all(s, p))
		return true;
	if ((new_keys && s->held_count > 0) || s->failed == 2 || s->failed == 8 || s->failed == 64 || s->failed == 512)
		return prove_search(s, p);
	return false;
}

static void take_unopened(struct media *m, struct stream *s, struct parcel *p, uint64_t hash)
{
	s->failed_in_row++;
	s->opened_in_row = 0;
	if (prove_now_and_then(s, p)) {
		s->state = STREAM_OPEN;
		flush_opened(m, s);
		ready_opened(m, s, p, hash);
		return;
	}
	/* Some send their last report in clear, though all others are sealed. */
	if (s->rtcp && rtcp_clear(parcel_payload(p)) && (s->authenticated || !stream_beside_authentic(s))) {
		window_note_recent(&s->window, hash);
		parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
		return;
	}
	if (s->rtcp || s->state == STREAM_OPEN)
		window_note_recent(&s->window, hash);
	else
		window_note(&s->window, p->place, hash);
	if (s->state != STREAM_OPEN && p->place > s->highest)
		s->highest = p->place;
	hold(s->call, s, p);
	if (s->rtcp)
		return;
	look_add(s, p);
	if (s->plausible != NULL && s->plausible->packets >= s->next_look) {
		s->next_look *= 2;
		look(m, s);
	}
}

static void take_clear(struct media *m, struct stream *s, struct parcel *p, uint64_t hash)
{
	bool opens = s->tried_age != s->call->ring.age && prove_all(s, p);

	s->tried_age = s->call->ring.age;
	if (!opens && usual_parcel(s, p, false)) {
		window_note(&s->window, p->place, hash);
		ready_clear(m, s, p);
		return;
	}
	s->state = STREAM_UNDECIDED; /* it may have begun to encrypt */
	s->failed = 0;
	look_reset(s);
	take_unopened(m, s, p, hash);
}

/* A packet whose fate is known waits for those before it. */
static void take_settled(
	struct media *m, struct stream *s, struct parcel *p, enum media_fate fate, enum seal_reason reason)
{
	p->settled = true;
	p->fate = fate;
	p->reason = reason;
	if (s->shown && s->held.first == NULL)
		parcel_ready(m, p, fate, reason);
	else
		hold(s->call, s, p);
}

void stream_take(struct media *m, struct stream *s, struct parcel *p, bool truncated)
{
	uint64_t hash = window_hash(parcel_payload(p));

	if (s->packets == 0)
		s->first = s->last = p->at;
	if (p->at > s->last)
		s->last = p->at;
	if (p->place < s->lowest)
		s->lowest = p->place;
	if (window_has(&s->window, p->place, hash)) {
		take_settled(m, s, p, MEDIA_TWICE, SEAL_NONE);
		return;
	}
	s->packets++;
	if (truncated) {
		window_note_recent(&s->window, hash);
		if (s->state != STREAM_OPEN && p->place > s->highest)
			s->highest = p->place;
		take_settled(m, s, p, MEDIA_SEALED, SEAL_TRUNCATED);
	} else if (s->state == STREAM_OPEN && prove_known(s, p)) {
		ready_opened(m, s, p, hash);
	} else if (s->state == STREAM_CLEAR) {
		take_clear(m, s, p, hash);
	} else {
		take_unopened(m, s, p, hash);
	}
}

/* --- when waiting is over --- */

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
	flush_opened(m, s);
}

void stream_new_key(struct media *m, struct stream *s)
{
	if (s->held.first == NULL || s->tried_age == s->call->ring.age)
		return;
	s->tried_age = s->call->ring.age;
	s->failed = 0;
	prove_held(m, s, s->held_count > 1);
}

void stream_settle(struct media *m, struct stream *s)
{
	bool forged = stream_beside_authentic(s) && !s->authenticated;
	struct parcel *p;

	if (s->held.first == NULL)
		return;
	if (!forged && (s->state != STREAM_OPEN || s->failed_in_row > 0))
		prove_held(m, s, true);
	look(m, s);
	while ((p = release(s)) != NULL)
		ready_unopened(m, s, p, forged);
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
	look(m, s);
	if (c->oldest != p)
		return;
	release(s);
	ready_unopened(m, s, p, stream_beside_authentic(s) && !s->authenticated);
}
