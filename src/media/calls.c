/* calls: what the call stage says of a call: who takes it, where its media goes, which keys there are, that it is over. */
#include <stdlib.h>

#include "state.h"

static struct bytes number_key(const uint32_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

struct call *call_of(struct media *m, uint32_t number, bool make)
{
	struct call *c = table_get(m->by_number, number_key(&number));

	if (c != NULL || !make)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->media = m;
	c->number = number;
	c->turn = 1;
	c->heard = NSEC_NONE;
	c->closed = c->proven = NSEC_NONE;
	c->searches = SEARCHES;
	c->streams = table_new();
	if (c->streams == NULL || !table_put(m->by_number, number_key(&number), c)) {
		table_free(c->streams);
		free(c);
		return NULL;
	}
	if (m->last_call != NULL)
		m->last_call->next = c;
	else
		m->calls = c;
	m->last_call = c;
	kept_apply(c);
	return c;
}

bool call_covered(const struct call *c, nsec_t at)
{
	for (size_t i = 0; i < c->cover_count; i++)
		if (c->covers[i].from <= at && at < c->covers[i].until)
			return true;
	return false;
}

static void forget_spot(struct media *m, struct call *c, const struct addr *a);

void call_forget_places(struct media *m, struct call *c)
{
	for (size_t i = 0; i < c->place_count; i++) {
		forget_spot(m, c, &c->places[i]->rtp);
		forget_spot(m, c, &c->places[i]->rtcp);
	}
}

void call_drop(struct media *m, struct call *c)
{
	struct stream *s;
	size_t step = 0;

	call_forget_places(m, c);
	spill_drop(c);
	call_unstate(c);
	m->held_octets -= c->held_octets;
	while (c->oldest != NULL) {
		struct parcel *p = c->oldest;

		c->oldest = p->newer;
		parcel_drop(&m->pool, p);
	}
	table_take(m->by_number, number_key(&c->number));
	while ((s = stream_next(c, &step)) != NULL)
		stream_forget(s);
	table_free(c->streams);
	keyring_clear(&c->ring);
	for (size_t i = 0; i < c->place_count; i++)
		free(c->places[i]);
	free(c);
}

/* A spot speaks of the places of its call at its address. */
static void spot_line(struct spot *spot, struct place *place)
{
	bool there = false;

	spot->rtp |= addr_equal(&spot->addr, &place->rtp);
	spot->rtcp |= addr_equal(&spot->addr, &place->rtcp) || (spot->rtp && place->rtcp_mux);
	for (uint8_t i = 0; i < spot->line_count; i++)
		there |= spot->lines[i] == place;
	if (!there && spot->line_count < SPOT_LINES)
		spot->lines[spot->line_count++] = place;
}

static void spot_of(struct spot *spot, struct call *c)
{
	spot->call = c;
	spot->line_count = 0;
	spot->rtp = spot->rtcp = false;
	for (size_t i = 0; i < c->place_count; i++)
		if (addr_equal(&spot->addr, &c->places[i]->rtp) || addr_equal(&spot->addr, &c->places[i]->rtcp))
			spot_line(spot, c->places[i]);
}

static void claim(struct media *m, struct call *c, const struct addr *a, nsec_t at)
{
	struct spot *spot;
	bool again;

	if (a->family == 0 || a->port == 0)
		return;
	spot = places_add(&m->places, a);
	if (spot == NULL)
		return;
	if (spot->call != NULL && spot->call != c) {
		if (spot->call->number > c->number && spot->call->closed == NSEC_NONE)
			return; /* a newer call has it */
		spot->before = spot->call->closed == NSEC_NONE ? spot->call : NULL;
	}
	again = spot->call == c;
	spot_of(spot, c);
	if (!again || spot->heard < at) /* it may be said again, long after */
		spot->heard = at > c->heard ? at : c->heard;
}

static void forget_spot(struct media *m, struct call *c, const struct addr *a)
{
	struct spot *spot = places_find(&m->places, a);

	if (spot == NULL)
		return;
	if (spot->before == c)
		spot->before = NULL;
	if (spot->call != c)
		return;
	if (spot->before != NULL) {
		spot_of(spot, spot->before);
		spot->before = NULL;
	} else {
		places_remove(&m->places, a);
	}
}

/* The place that is meant, or a new one; beyond PLACES_MAX the oldest makes room. NULL: out of memory. */
static struct place *place_for(struct media *m, struct call *c, const struct place *like)
{
	struct place *place;

	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i]->line == like->line && addr_equal(&c->places[i]->rtp, &like->rtp))
			return c->places[i];
	if (c->place_count == PLACES_MAX) {
		place = c->places[c->places_turn++ % PLACES_MAX];
		forget_spot(m, c, &place->rtp);
		forget_spot(m, c, &place->rtcp);
		return place;
	}
	place = calloc(1, sizeof(*place));
	if (place != NULL)
		c->places[c->place_count++] = place;
	return place;
}

/* No key will come for what waited here: it need not wait any longer, unless where it goes to is still to be said. */
static void settle_refused(struct media *m, struct call *c, const struct place *place)
{
	struct stream *s;
	size_t step = 0;

	while ((s = stream_next(c, &step)) != NULL)
		for (uint8_t i = 0; i < s->line_count && !s->learned; i++)
			if (s->lines[i] == place) {
				stream_settle(m, s);
				break;
			}
}

/* Streams of which only their source was known until now go to this place. */
static void know_now(struct media *m, struct call *c, const struct addr *a)
{
	const struct spot *spot = places_find(&m->places, a);
	struct stream *s;
	size_t step = 0;

	while (spot != NULL && spot->call == c && (s = stream_next(c, &step)) != NULL)
		if (s->learned && addr_equal(&s->flow.dst, a))
			stream_describe(s, spot, false);
}

static void step_place(struct media *m, struct call *c, const struct place *said, nsec_t at)
{
	struct place *place = place_for(m, c, said);
	bool waited;

	if (place == NULL)
		return;
	waited = place->waiting;
	*place = *said;
	if (waited && !place->waiting && place->refusal != SEAL_NONE)
		settle_refused(m, c, place);
	if (place->format_count > MEDIA_FORMATS)
		place->format_count = MEDIA_FORMATS;
	claim(m, c, &place->rtp, at);
	claim(m, c, &place->rtcp, at);
	know_now(m, c, &place->rtp);
	know_now(m, c, &place->rtcp);
}

static void step_key(struct media *m, struct call *c, const struct key_given *given)
{
	struct stream *s;
	size_t step = 0;
	uint32_t age = c->ring.age;

	keyring_add(&c->ring, given);
	if (c->ring.age == age)
		return; /* it is said again, as after a restart of who says it */
	c->searches = c->searches + SEARCHES_PER_KEY < 2 * SEARCHES ? c->searches + SEARCHES_PER_KEY : 2 * SEARCHES;
	while ((s = stream_next(c, &step)) != NULL)
		stream_new_key(m, s);
}

/* What the older call knows at a place stays its own only while it is open. */
static void step_close(struct media *m, struct call *c, nsec_t at)
{
	if (c->closed == NSEC_NONE)
		c->closed = at;
	for (size_t i = 0; i < c->place_count; i++) {
		struct spot *rtp = places_find(&m->places, &c->places[i]->rtp);
		struct spot *rtcp = places_find(&m->places, &c->places[i]->rtcp);

		if (rtp != NULL && rtp->before == c)
			rtp->before = NULL;
		if (rtcp != NULL && rtcp->before == c)
			rtcp->before = NULL;
	}
}

static void note_waits(struct call *c)
{
	bool waited = c->waits;

	c->waits = false;
	for (size_t i = 0; i < c->place_count; i++)
		c->waits = c->waits || c->places[i]->waiting;
	if (c->waits != waited && c->media->options.spill)
		call_changed(c);
	if (waited && !c->waits)
		spill_ask_back(c);
}

void call_step(struct media *m, const struct step *s)
{
	struct call *c;

	if (s->kind != STEP_COVER && s->kind != STEP_PLACE && s->kind != STEP_KEY && s->kind != STEP_CLOSE)
		return;
	c = call_of(m, s->call, s->kind != STEP_CLOSE);
	if (c == NULL || c->done)
		return;
	switch (s->kind) {
	case STEP_COVER:
		c->told = true;
		c->cover_count = s->cover_count < COVERS_MAX ? s->cover_count : COVERS_MAX;
		memcpy(c->covers, s->covers, c->cover_count * sizeof(s->covers[0]));
		break;
	case STEP_PLACE:
		step_place(m, c, &s->place, media_own(m, s->at));
		break;
	case STEP_KEY:
		step_key(m, c, &s->key);
		break;
	case STEP_CLOSE:
		step_close(m, c, media_own(m, s->at));
		break;
	default: /* of no use to media */
		break;
	}
	if (s->kind == STEP_PLACE)
		note_waits(c);
}
