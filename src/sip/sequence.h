/*
 * sequence: numbered arrivals in any order → the same octets once each, in order. TCP numbers octets (RFC 9293),
 * SCTP numbers chunks (RFC 9260); both count modulo 2^32. What came first wins where arrivals overlap.
 */
#ifndef OTWAY_SIP_SEQUENCE_H
#define OTWAY_SIP_SEQUENCE_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

/* What arrives, and what comes out in order. `span` sequence numbers: as many as octets, or 1 for a chunk. */
struct arrival {
	uint32_t seq, span;
	uint32_t lost; /* sequence numbers behind it that the capture cut off: they will not come */
	uint32_t source;
	nsec_t at;
	struct bytes octets;
	bool gap; /* out only: `span` numbers are missing here, and no longer waited for; no octets */
};

struct piece;

/* All zeroes, then sequence_open. */
struct sequence {
	uint32_t first, next;     /* what it began with; what it waits for */
	uint32_t end, lost_until; /* valid with has_end, has_lost */
	uint32_t gap;             /* numbers given up, not told yet */
	bool has_end, has_lost;
	bool direct_waits;
	struct arrival direct;          /* in order, borrowed from the caller */
	struct piece *held;             /* behind a hole, in order, never overlapping */
	struct piece *given;            /* what the last sequence_next lent */
	size_t held_count, held_octets; /* the octets with what they cost to keep */
};

void sequence_open(struct sequence *s, uint32_t next);
void sequence_clear(struct sequence *s); /* wipes what it held */

enum sequence_fate {
	SEQUENCE_NEXT, /* in order: call sequence_next before its octets go */
	SEQUENCE_HELD, /* copied, behind a hole */
	SEQUENCE_OLD,  /* all of it came before */
	SEQUENCE_FAR,  /* nowhere near what is waited for: not of this stream */
	SEQUENCE_LOST  /* out of memory */
};

#define SEQUENCE_WINDOW ((uint32_t)1 << 20) /* how far from `next` an arrival may lie */

/* *overlapped: part of it came before, and that part was left out. */
enum sequence_fate sequence_take(struct sequence *s, const struct arrival *in, bool *overlapped);

/* The stream ends at seq: a FIN, or a RST, stands there. */
void sequence_end(struct sequence *s, uint32_t seq);

/* Out: what is next; false when it has not come. out->octets are borrowed until the next call on s. */
bool sequence_next(struct sequence *s, struct arrival *out);

/* Something, or the end, waits behind a hole. */
bool sequence_waits(const struct sequence *s);

/* The hole will not be filled: sequence_next then gives a gap, and what waited behind it. */
void sequence_give_up(struct sequence *s);

/* The end was reached. */
bool sequence_ended(const struct sequence *s);

#endif
