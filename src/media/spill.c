/*
 * spill: packets that wait for a key beyond what their call may hold go out to be kept elsewhere, and come back when they can be
 * decided. Of each stream those held here are older than those kept elsewhere, and those are older than what waits behind them.
 */
#include "state.h"

static void count_wanted(struct call *c, enum round round)
{
	c->media->rounds_wanted += round == ROUND_WANTED;
	c->media->rounds_wanted -= c->round == ROUND_WANTED;
	c->round = round;
}

bool spill_outstanding(const struct call *c)
{
	return c->away > 0 || c->resumed_away || c->round != ROUND_NONE;
}

static void give_away(struct stream *s, struct parcel *p)
{
	struct call *c = s->call;

	if (c->away++ == 0)
		c->away_since = p->own;
	s->away = c->turn;
	call_changed(c);
	parcel_ready(c->media, p, MEDIA_HELD, p->truncated ? SEAL_TRUNCATED : SEAL_NONE);
}

/* Half of what all calls may hold is for those that do not wait: these have nowhere else to go. */
static bool is_full(const struct call *c, const struct parcel *p)
{
	const struct media *m = c->media;

	return c->held_octets + parcel_size(p) > m->options.hold_octets ||
	       m->held_octets + parcel_size(p) > m->options.hold_octets_all / 2;
}

bool spill_away(struct stream *s, struct parcel *p)
{
	struct call *c = s->call;

	if (!c->media->options.spill || !c->waits || c->taking || (s->away == 0 && !is_full(c, p)))
		return false;
	give_away(s, p);
	return true;
}

static void behind_add(struct call *c, struct parcel *p)
{
	queue_push(&c->behind, p);
	c->behind_octets += parcel_size(p);
	held_more(c->media, p);
}

static struct parcel *behind_take(struct call *c)
{
	struct parcel *p = queue_pop(&c->behind);

	if (p != NULL) {
		c->behind_octets -= parcel_size(p);
		c->media->held_octets -= parcel_size(p);
	}
	return p;
}

bool spill_behind(struct stream *s, struct parcel *p)
{
	struct call *c = s->call;

	/* Of the process before this one, packets of it may lie elsewhere. */
	if (c->resumed_away && c->waits && s->state == STREAM_UNDECIDED && s->held.first == NULL)
		s->away = c->turn;
	if (s->away == 0)
		return false;
	c->behind_full = c->behind_full || c->behind_octets + parcel_size(p) > c->media->options.hold_octets;
	if (c->round != ROUND_COMING || c->behind_full)
		give_away(s, p);
	else
		behind_add(c, p);
	return true;
}

bool spill_unsaid(struct stream *s, struct parcel *p)
{
	struct call *c = s->call;

	if (c->told)
		return false;
	if (c->behind_octets + parcel_size(p) <= c->media->options.hold_octets) {
		behind_add(c, p);
	} else {
		c->media->counts[COUNT_AWAY_LOST]++;
		parcel_drop(&c->media->pool, p);
	}
	return true;
}

void spill_drop(struct call *c)
{
	struct parcel *p;

	while ((p = behind_take(c)) != NULL)
		parcel_drop(&c->media->pool, p);
	count_wanted(c, ROUND_NONE);
}

void spill_ask_back(struct call *c)
{
	if (c->told && c->round == ROUND_NONE && (c->away > 0 || c->resumed_away))
		count_wanted(c, ROUND_WANTED);
}

static void begin_round(struct call *c)
{
	c->coming = c->resumed_away || c->away == 0 ? UINT64_MAX
						    : c->away; /* of the process before, nobody knows how many */
	count_wanted(c, ROUND_COMING);
	c->round_since = media_own(c->media, c->media->clock);
	c->turn++;
	c->away = 0;
	c->resumed_away = false;
}

/* Those that went out before this round are here again, or lost. */
static void end_turn(struct call *c)
{
	struct stream *s;
	size_t step = 0;

	while ((s = stream_next(c, &step)) != NULL)
		if (s->away != c->turn)
			s->away = 0;
}

void spill_end(struct call *c)
{
	struct parcel_queue behind = c->behind;
	struct parcel *p;

	if (c->round != ROUND_COMING)
		return;
	c->ended = !c->told;
	if (c->ended)
		return;
	end_turn(c);
	count_wanted(c, ROUND_NONE);
	c->behind = (struct parcel_queue){ NULL, NULL };
	c->media->held_octets -= c->behind_octets;
	c->behind_octets = 0;
	c->behind_full = false;
	while ((p = queue_pop(&behind)) != NULL)
		stream_take(c->media, p->stream, p, !c->waits); /* else it goes behind those that are away again */
	call_changed(c);
	if (!c->waits)
		spill_ask_back(c);
}

bool media_held_wanted(struct media *m, uint32_t *call)
{
	struct call *c = m->calls;

	if (m->rounds_wanted == 0)
		return false;
	while (c != NULL && c->round != ROUND_WANTED)
		c = c->next;
	if (c == NULL)
		return false;
	begin_round(c);
	*call = c->number;
	return true;
}

void media_held(struct media *m, uint32_t call, const struct datagram *in)
{
	struct call *c = call_of(m, call, false);

	media_take_back(m);
	if (c == NULL)
		c = call_of(m, call, true); /* it may be said yet, after a restart */
	if (c == NULL || c->done) {
		m->counts[COUNT_AWAY_LOST]++;
		return;
	}
	if (c->round != ROUND_COMING)
		begin_round(c);
	if (c->coming == 0) { /* those that follow went out after that: what waited for the others is older */
		spill_end(c);
		begin_round(c);
	}
	c->round_since = media_own(c->media, c->media->clock);
	c->coming -= c->coming != UINT64_MAX;
	c->taking = true;
	take_again(m, c, in);
	c->taking = false;
}

void media_held_end(struct media *m, uint32_t call)
{
	struct call *c = call_of(m, call, false);

	media_take_back(m);
	if (c != NULL && !c->done)
		spill_end(c);
	for (c = call == UINT32_MAX ? m->calls : NULL; c != NULL; c = c->next)
		spill_end(c);
}
