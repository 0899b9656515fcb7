/* media: the stage as a whole: its life, its clock, its counters. take.c is the way in, give.c the way out. */
#include "otway/media.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "state.h"
#include "unseal.h"

#define HOLD_OCTETS      (8u << 20)
#define HOLD_OCTETS_ALL  ((size_t)512 << 20)
#define LINGER           (32 * NSEC_PER_SEC)  /* RFC 3261 timer H */
#define WAIT_AFTER_CLOSE (180 * NSEC_PER_SEC) /* for a key that was asked for */
#define PATIENCE         (60 * NSEC_PER_SEC)  /* for packets that were asked back, since the last of them */
#define UNSAID           (600 * NSEC_PER_SEC) /* for a call to be said, of which packets came back */
#define SWEEP            (250 * MILLISECOND)
#define SWEEP_SEARCHES   8 /* streams at a sweep for which every roll-over counter is tried: some milliseconds each */

struct media *media_new(const struct media_options *o)
{
	struct media *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	if (o != NULL)
		m->options = *o;
	if (m->options.hold_octets == 0)
		m->options.hold_octets = HOLD_OCTETS;
	if (m->options.linger == 0)
		m->options.linger = LINGER;
	if (m->options.spill && m->options.hold_octets_all == 0)
		m->options.hold_octets_all = HOLD_OCTETS_ALL;
	m->next_sweep = m->clock = m->resumed_until = NSEC_NONE;
	m->by_number = table_new();
	if (m->by_number == NULL || !places_init(&m->places)) {
		media_free(m);
		return NULL;
	}
	return m;
}

void media_take_back(struct media *m)
{
	struct parcel *p = m->given;

	if (p == NULL)
		return;
	m->given = NULL;
	p->call->queued--;
	if (p->stream != NULL && --p->stream->queued == 0 && p->stream->forgotten)
		stream_free(p->stream);
	parcel_drop(&m->pool, p);
}

void media_free(struct media *m)
{
	if (m == NULL)
		return;
	do
		media_take_back(m);
	while ((m->given = queue_pop(&m->ready)) != NULL);
	while (m->calls != NULL) {
		struct call *c = m->calls;

		m->calls = c->next;
		call_drop(m, c);
	}
	kept_clear(m);
	buf_clear(&m->gone);
	parcel_pool_clear(&m->pool);
	places_clear(&m->places);
	table_free(m->by_number);
	secret_free(m, sizeof(*m));
}

void media_prepare(void)
{
	unseal_prepare();
}

void media_step(struct media *m, const struct step *s)
{
	media_take_back(m);
	call_step(m, s);
}

bool media_wants(const struct media *m, const struct datagram *in)
{
	if (in->proto != IP_PROTO_UDP)
		return false;
	if (!places_may_have(&m->places, &in->flow.dst) && !places_may_have(&m->places, &in->flow.src))
		return false;
	return places_find(&m->places, &in->flow.dst) != NULL || places_find(&m->places, &in->flow.src) != NULL;
}

bool media_closed(const struct media *m, uint32_t call)
{
	const struct call *c = table_get(m->by_number, (struct bytes){ (const uint8_t *)&call, sizeof(call) });

	return c != NULL && c->closed != NSEC_NONE;
}

/* Nothing more comes for a call: everything that is held meets its fate. */
static void finish(struct media *m, struct call *c)
{
	struct stream *s;
	size_t step = 0;

	if (c->done)
		return;
	spill_end(c);
	while ((s = stream_next(c, &step)) != NULL)
		stream_settle(m, s);
	call_forget_places(m, c);
	c->done = true;
}

bool call_over(const struct media *m, const struct call *c, nsec_t at)
{
	nsec_t last = c->proven != NSEC_NONE && c->proven > c->closed ? c->proven : c->closed;

	return c->closed != NSEC_NONE && at > last + m->options.linger;
}

/* A key may still come for what is held, though the call is over. */
static bool may_open(const struct call *c, nsec_t at)
{
	return c->waits && (c->oldest != NULL || spill_outstanding(c)) && at - c->closed < WAIT_AFTER_CLOSE;
}

/* Nobody takes it any more: its keys are of no more use. */
static bool uncovered(const struct media *m, const struct call *c)
{
	for (size_t i = 0; i < c->cover_count; i++)
		if (c->covers[i].until > m->clock - m->options.linger)
			return false;
	return c->told;
}

/* Packets of it came back, but nobody says the call. */
static bool unsaid(const struct call *c, nsec_t at)
{
	return !c->told && c->behind.first != NULL && at - c->round_since >= UNSAID;
}

static void sweep_call(struct media *m, struct call *c, nsec_t at, unsigned *searches)
{
	struct stream *s;
	size_t step = 0;

	while (c->oldest != NULL && (s = stream_next(c, &step)) != NULL) {
		if (*searches > 0 && stream_search(m, s))
			--*searches;
		look_later(m, s, at);
	}
	while (m->options.hold_time > 0 && c->oldest != NULL && at - c->oldest->own >= m->options.hold_time)
		stream_settle_oldest(m, c);
	if (c->round_since == NSEC_NONE)
		c->round_since = at;
	if (c->round == ROUND_COMING && (at - c->round_since >= PATIENCE || c->ended))
		spill_end(c); /* who keeps them is not there any more */
	if (c->told && !c->waits && at - c->round_since >= NSEC_PER_SEC)
		spill_ask_back(c); /* what lies elsewhere of the process before this one */
	if (m->options.hold_time > 0 && c->away > 0 && at - c->away_since >= m->options.hold_time)
		spill_ask_back(c);
	if (!(call_over(m, c, at) && !may_open(c, at)) && !uncovered(m, c) && !unsaid(c, at))
		return;
	if (!c->told)
		spill_drop(c);
	spill_ask_back(c);
	if (!spill_outstanding(c))
		finish(m, c);
}

/* Frees the calls that are done and have nothing left to give. */
static void forget_calls(struct media *m)
{
	struct call **at = &m->calls;

	m->last_call = NULL;
	while (*at != NULL) {
		struct call *c = *at;

		if (c->done && c->queued == 0) {
			*at = c->next;
			call_drop(m, c);
		} else {
			m->last_call = c;
			at = &c->next;
		}
	}
}

/* When the clock was set back, the stage's own time goes on from where it is. */
static void set_clock(struct media *m, nsec_t at)
{
	nsec_t back, shift;

	if (m->clock == NSEC_NONE || at > m->clock) {
		m->clock = at;
	} else if (!__builtin_sub_overflow(m->clock, at, &back) && back > SET_BACK) {
		if (!__builtin_add_overflow(m->shift, back, &shift))
			m->shift = shift;
		m->clock = at;
	}
}

nsec_t media_own(const struct media *m, nsec_t at)
{
	nsec_t own, now;

	if (m->shift == 0 || __builtin_add_overflow(at, m->shift, &own) ||
		__builtin_add_overflow(m->clock, m->shift, &now))
		return at;
	return own > now + SET_BACK ? now : own; /* stamped before the clock was set back */
}

static nsec_t earlier(nsec_t a, nsec_t b)
{
	return a == NSEC_NONE || b < a ? b : a;
}

/* Of all that is held: what was the oldest may have met its fate. */
static nsec_t find_oldest(const struct media *m)
{
	nsec_t oldest = NSEC_NONE;

	for (const struct call *c = m->held_octets > 0 ? m->calls : NULL; c != NULL; c = c->next) {
		const struct stream *s;
		size_t step = 0;

		if (c->behind.first != NULL)
			oldest = earlier(oldest, c->behind.first->at);
		while (c->oldest != NULL && (s = stream_next(c, &step)) != NULL)
			if (s->held.first != NULL)
				oldest = earlier(oldest, s->held.first->at);
	}
	return oldest;
}

void media_time(struct media *m, nsec_t at)
{
	unsigned searches;

	media_take_back(m);
	set_clock(m, at);
	at = media_own(m, at);
	if (at < m->next_sweep)
		return;
	m->next_sweep = at + SWEEP;
	searches = SWEEP_SEARCHES;
	for (struct call *c = m->calls; c != NULL; c = c->next)
		if (!c->done)
			sweep_call(m, c, at, &searches);
	kept_expire(m, at);
	forget_calls(m);
	m->oldest = find_oldest(m);
}

void media_end(struct media *m)
{
	media_take_back(m);
	for (struct call *c = m->calls; c != NULL; c = c->next)
		finish(m, c);
}

nsec_t media_oldest(const struct media *m)
{
	return m->held_octets > 0 ? m->oldest : NSEC_NONE;
}

size_t media_counts(const struct media *m, struct counter *out, size_t max)
{
	static const char *const names[MEDIA_COUNTS] = {
		[COUNT_RTP] = "rtp",
		[COUNT_RTCP] = "rtcp",
		[COUNT_DECRYPTED] = "decrypted",
		[COUNT_CLEAR] = "clear",
		[COUNT_SEALED] = "sealed",
		[COUNT_TWICE] = "duplicates",
		[COUNT_FORGED] = "forged",
		[COUNT_NOT_RTP] = "not_rtp",
		[COUNT_LEARNED] = "learned",
		[COUNT_AWAY] = "held_elsewhere",
		[COUNT_AWAY_LOST] = "held_lost",
		[COUNT_EVICTED] = "hold_evicted",
	};
	size_t count = 0, all = m->options.spill ? MEDIA_COUNTS : MEDIA_COUNTS_OFFLINE;

	for (; count < all && count < max; count++)
		out[count] = (struct counter){ names[count], m->counts[count] };
	if (m->options.spill && count < max)
		out[count++] = (struct counter){ "held_octets", m->held_octets };
	return count;
}
