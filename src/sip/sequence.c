/* sequence: a sorted list of what waits behind a hole, which is short, for the framer bounds it. */
#include "sequence.h"

#include <stdlib.h>

#include "otway/base/secret.h"

struct piece {
	struct piece *next;
	struct arrival what; /* octets: those behind this struct */
};

/* How far a is ahead of b, modulo 2^32. */
static int32_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static uint32_t end_of(const struct arrival *a)
{
	return a->seq + a->span;
}

static void piece_free(struct piece *p)
{
	if (p != NULL)
		secret_free(p, sizeof(*p) + p->what.octets.len);
}

void sequence_open(struct sequence *s, uint32_t next)
{
	sequence_clear(s);
	s->first = s->next = next;
}

void sequence_clear(struct sequence *s)
{
	while (s->held != NULL) {
		struct piece *p = s->held;

		s->held = p->next;
		piece_free(p);
	}
	piece_free(s->given);
	*s = (struct sequence){ 0 };
}

/* Leaves out the first n numbers. A chunk is whole or not there. */
static void trim_front(struct arrival *a, uint32_t n)
{
	if (n > a->span)
		n = a->span;
	if (a->octets.len == a->span)
		a->octets = bytes_part(a->octets, n, SIZE_MAX);
	a->seq += n;
	a->span -= n;
}

/* Copies the first `span` numbers of a into the list before *at; returns where the list goes on, or NULL. */
static struct piece **add_piece(struct sequence *s, struct piece **at, const struct arrival *a, uint32_t span)
{
	size_t len = span == a->span ? a->octets.len : span;
	struct piece *p = malloc(sizeof(*p) + len);

	if (p == NULL)
		return NULL;
	p->what = *a;
	p->what.span = span;
	p->what.lost = span == a->span ? a->lost : 0;
	p->what.octets = (struct bytes){ (uint8_t *)(p + 1), len };
	if (len > 0)
		memcpy(p + 1, a->octets.at, len);
	p->next = *at;
	*at = p;
	s->held_count++;
	s->held_octets += sizeof(*p) + len;
	return &p->next;
}

/* Puts into the list what of `a` is not there yet. */
static enum sequence_fate hold(struct sequence *s, struct arrival a, bool *overlapped)
{
	enum sequence_fate fate = SEQUENCE_OLD;
	struct piece **at = &s->held;

	while (a.span > 0) {
		uint32_t room = a.span;

		while (*at != NULL && ahead(end_of(&(*at)->what), a.seq) <= 0)
			at = &(*at)->next;
		if (*at != NULL && ahead((*at)->what.seq, a.seq) <= 0) {
			trim_front(&a, end_of(&(*at)->what) - a.seq);
			*overlapped = true;
			continue;
		}
		if (*at != NULL && (*at)->what.seq - a.seq < room)
			room = (*at)->what.seq - a.seq;
		at = add_piece(s, at, &a, room);
		if (at == NULL)
			return SEQUENCE_LOST;
		fate = SEQUENCE_HELD;
		trim_front(&a, room);
	}
	return fate;
}

enum sequence_fate sequence_take(struct sequence *s, const struct arrival *in, bool *overlapped)
{
	struct arrival a = *in;
	int32_t distance = ahead(a.seq, s->next);

	*overlapped = false;
	if (distance > (int32_t)SEQUENCE_WINDOW || distance < -(int32_t)SEQUENCE_WINDOW)
		return SEQUENCE_FAR;
	if (ahead(end_of(&a), s->next) <= 0)
		return SEQUENCE_OLD;
	if (distance < 0) {
		trim_front(&a, s->next - a.seq);
		*overlapped = true;
	}
	if (a.seq != s->next || s->held != NULL || s->direct_waits || s->gap > 0 || s->has_lost)
		return hold(s, a, overlapped);
	s->direct = a;
	s->direct_waits = true;
	return SEQUENCE_NEXT;
}

void sequence_end(struct sequence *s, uint32_t seq)
{
	int32_t distance = ahead(seq, s->next);

	if (s->has_end || distance < 0 || distance > (int32_t)SEQUENCE_WINDOW)
		return;
	s->has_end = true;
	s->end = seq;
}

static bool give(struct sequence *s, const struct arrival *a, struct arrival *out)
{
	*out = *a;
	s->next = end_of(a);
	if (a->lost > 0) {
		s->has_lost = true;
		s->lost_until = s->next + a->lost;
	}
	return true;
}

/* Where the list begins, or the stream ends, or (neither) at `otherwise`. */
static uint32_t resume_at(const struct sequence *s, uint32_t otherwise)
{
	if (s->held != NULL && ahead(s->held->what.seq, otherwise) < 0)
		return s->held->what.seq;
	if (s->held == NULL && s->has_end && ahead(s->end, otherwise) < 0)
		return s->end;
	return otherwise;
}

static void resume(struct sequence *s, uint32_t at)
{
	s->gap += at - s->next;
	s->next = at;
}

bool sequence_next(struct sequence *s, struct arrival *out)
{
	piece_free(s->given);
	s->given = NULL;
	if (s->direct_waits) {
		s->direct_waits = false;
		return give(s, &s->direct, out);
	}
	if (s->held != NULL && s->gap == 0 && s->held->what.seq == s->next) {
		struct piece *p = s->held;

		s->held = p->next;
		s->held_count--;
		s->held_octets -= sizeof(*p) + p->what.octets.len;
		s->given = p;
		s->has_lost = false; /* another copy had what this one lacked */
		return give(s, &p->what, out);
	}
	if (s->has_lost) {
		s->has_lost = false;
		resume(s, resume_at(s, s->lost_until));
	}
	if (s->gap == 0)
		return false;
	*out = (struct arrival){ .seq = s->next - s->gap, .span = s->gap, .gap = true };
	s->gap = 0;
	return true;
}

bool sequence_waits(const struct sequence *s)
{
	return !s->direct_waits &&
	       ((s->held != NULL && s->held->what.seq != s->next) || (s->has_end && ahead(s->end, s->next) > 0));
}

void sequence_give_up(struct sequence *s)
{
	if (!sequence_waits(s))
		return;
	resume(s, s->held != NULL ? s->held->what.seq : s->end);
}

bool sequence_ended(const struct sequence *s)
{
	return s->has_end && ahead(s->end, s->next) <= 0 && !s->direct_waits && s->held == NULL && s->gap == 0;
}
