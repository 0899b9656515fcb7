/*
 * stream: numbered arrivals in any order → the same octets once each, in order. TCP numbers octets (RFC 9293),
 * SCTP numbers chunks (RFC 9260); both count modulo 2^32. What came first wins where arrivals overlap.
 */
#ifndef OTWAY_SIP_STREAM_H
#define OTWAY_SIP_STREAM_H

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

/* All zeroes, then tcp_open. */
struct stream {
	uint32_t first, next;     /* what it began with; what it waits for */
	uint32_t end, lost_until; /* valid with has_end, has_lost */
	uint32_t gap;             /* numbers given up, not told yet */
	bool has_end, has_lost;
	bool direct_waits;
	struct arrival direct;          /* in order, borrowed from the caller */
	struct piece *held;             /* behind a hole, in order, never overlapping */
	struct piece *given;            /* what the last tcp_next lent */
	size_t held_count, held_octets; /* the octets with what they cost to keep */
};

void tcp_open(struct stream *s, uint32_t next);
void tcp_clear(struct stream *s); /* wipes what it held */

enum stream_fate {
	STREAM_NEXT, /* in order: call tcp_next before its octets go */
	STREAM_HELD, /* copied, behind a hole */
	STREAM_OLD,  /* all of it came before */
	STREAM_FAR,  /* nowhere near what is waited for: not of this stream */
	STREAM_LOST  /* out of memory */
};

#define STREAM_WINDOW ((uint32_t)1 << 20) /* how far from `next` an arrival may lie */

/* *overlapped: part of it came before, and that part was left out. */
enum stream_fate tcp_take(struct stream *s, const struct arrival *in, bool *overlapped);

/* The stream ends at seq: a FIN, or a RST, stands there. */
void stream_end(struct stream *s, uint32_t seq);

/* Out: what is next; false when it has not come. out->octets are borrowed until the next call on s. */
bool tcp_next(struct stream *s, struct arrival *out);

/* Something, or the end, waits behind a hole. */
bool stream_waits(const struct stream *s);

/* The hole will not be filled: tcp_next then gives a gap, and what waited behind it. */
void stream_give_up(struct stream *s);

/* The end was reached. */
bool stream_ended(const struct stream *s);

#endif
