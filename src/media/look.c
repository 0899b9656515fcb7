/*
 * look: the framing of packets that nothing opened. What is plausible leaves as clear; how a stream that left so usually
 * looks is remembered, for the day it begins to encrypt.
 */
#include "state.h"

#include <stdlib.h>

#define LOOK_FIRST   16   /* packets before the first look */
#define LOOK_MAX     1024 /* after so many it begins anew */
#define CLEAR_IN_ROW 16   /* packets that did not open, before an open stream is taken to have gone clear */

void look_reset(struct stream *s)
{
	free(s->plausible);
	s->plausible = NULL;
	s->next_look = LOOK_FIRST;
}

/* What was held so far is no clear stream, whatever follows. */
void look_anew(struct stream *s)
{
	look_reset(s);
	for (struct parcel *p = s->held.first; p != NULL; p = p->next)
		p->doubtful = true;
}

void look_add(struct stream *s, const struct parcel *p)
{
	struct rtp rtp;

	if (s->plausible != NULL && s->plausible->packets >= LOOK_MAX)
		look_anew(s);
	if (s->plausible == NULL) {
		s->plausible = calloc(1, sizeof(*s->plausible));
		s->next_look = LOOK_FIRST;
		s->looked = p->own;
	}
	if (s->plausible != NULL && rtp_parse(parcel_payload(p), &rtp))
		plausible_add(s->plausible, stream_format(s, p->pt), p->pt, rtp.seq, rtp.timestamp,
			rtp_media(parcel_payload(p)), keyring_mki(&s->call->ring));
}

bool look_usual(const struct stream *s, const struct parcel *p, bool among)
{
	return plausible_usual(&s->usual, stream_format(s, p->pt), rtp_media(parcel_payload(p)), among);
}

static void flush_clear(struct media *m, struct stream *s)
{
	struct parcel *p;

	while ((p = hold_take(s)) != NULL) {
		if (!p->settled && !p->doubtful && look_usual(s, p, true))
			stream_ready_clear(m, s, p);
		else
			stream_ready_unopened(m, s, p, false);
	}
}

/* Takes the packets held for clear ones when they look so, or opens them by a key without a tag. */
void look_now(struct media *m, struct stream *s, bool last)
{
	if (s->rtcp || s->plausible == NULL || (s->state == STREAM_OPEN && s->failed_in_row < CLEAR_IN_ROW))
		return;
	if (stream_beside_authentic(s))
		return;
	if (plausible_clear(s->plausible, last)) {
		s->state = STREAM_CLEAR;
		plausible_learn(&s->usual, &s->plausible->usual);
		look_reset(s);
		flush_clear(m, s);
	} else if (prove_without_tag(s)) {
		s->state = STREAM_OPEN;
		look_reset(s);
		stream_flush_opened(m, s);
	}
}

void look_later(struct media *m, struct stream *s, nsec_t at)
{
	if (s->plausible == NULL || s->held.first == NULL || at - s->looked < NSEC_PER_SEC)
		return;
	s->looked = at;
	look_now(m, s, false);
}

void look_due(struct media *m, struct stream *s)
{
	if (s->plausible == NULL || s->plausible->packets < s->next_look)
		return;
	s->next_look *= 2;
	look_now(m, s, false);
	if (s->plausible != NULL && !plausible_leaning(s->plausible))
		look_anew(s);
}
