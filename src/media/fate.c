/*
 * fate: packets wait in the hold of their call, and leave it for the way out with what became of them.
 */
#include "state.h"

size_t parcel_size(const struct parcel *p)
{
	return sizeof(*p) + p->room;
}

void held_more(struct media *m, const struct parcel *p)
{
	if (m->held_octets == 0 || p->at < m->oldest)
		m->oldest = p->at;
	m->held_octets += parcel_size(p);
}

void hold_add(struct stream *s, struct parcel *p)
{
	struct call *c = s->call;

	queue_push(&s->held, p);
	s->held_count++;
	c->held_octets += parcel_size(p);
	held_more(c->media, p);
	p->newer = NULL;
	p->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = p;
	else
		c->oldest = p;
	c->newest = p;
}

struct parcel *hold_take(struct stream *s)
{
	struct parcel *p = queue_pop(&s->held);
	struct call *c = s->call;

	if (p == NULL)
		return NULL;
	s->held_count--;
	c->held_octets -= parcel_size(p);
	c->media->held_octets -= parcel_size(p);
	*(p->older != NULL ? &p->older->newer : &c->oldest) = p->newer;
	*(p->newer != NULL ? &p->newer->older : &c->newest) = p->older;
	p->older = p->newer = NULL;
	return p;
}

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
	case MEDIA_HELD:
		return COUNT_AWAY;
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

	if (s != NULL && (s->learned || s->late) && !s->shown && fate != MEDIA_CLEAR && fate != MEDIA_HELD) {
		parcel_drop(&m->pool, p); /* nothing shows that it is of this call */
		return;
	}
	p->fate = fate;
	p->reason = reason;
	if (s != NULL && !s->shown && fate != MEDIA_FORGED && fate != MEDIA_HELD)
		show(m, s);
	if (s != NULL)
		stream_note(s);
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
	struct key_sought wanted = stream_wants(s, lines);
	const struct place *place = stream_place(s, p->pt);

	if (place != NULL && place->waiting)
		return SEAL_KMS_UNREACHABLE;
	if (place != NULL && place->refusal != SEAL_NONE)
		return place->refusal;
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

void stream_ready_clear(struct media *m, struct stream *s, struct parcel *p)
{
	if (p->place > s->highest)
		s->highest = p->place;
	parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
}

void stream_ready_unopened(struct media *m, struct stream *s, struct parcel *p, bool forged)
{
	if (p->settled)
		parcel_ready(m, p, forged ? MEDIA_FORGED : p->fate, p->reason);
	else
		parcel_ready(m, p, forged ? MEDIA_FORGED : MEDIA_SEALED, forged ? SEAL_NONE : reason_of(s, p));
}

static void ready_opened(struct media *m, struct stream *s, struct parcel *p)
{
	if (!s->rtcp)
		window_note(&s->window, p->place, window_hash(parcel_payload(p)));
	parcel_ready(m, p, MEDIA_CLEAR, SEAL_NONE);
}

/* A key opened the stream: what is held goes out as far as it opens too. */
void stream_flush_opened(struct media *m, struct stream *s)
{
	for (size_t left = s->held_count; left > 0; left--) {
		struct parcel *p = hold_take(s);

		if (p->settled)
			parcel_ready(m, p, p->fate, p->reason);
		else if (p->key != NULL || prove_known(s, p))
			ready_opened(m, s, p);
		else
			hold_add(s, p);
	}
}
