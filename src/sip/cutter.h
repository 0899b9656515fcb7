/*
 * cutter: one direction of a connection, in order → its messages, out of whatever carries them there.
 */
#ifndef OTWAY_SIP_CUTTER_H
#define OTWAY_SIP_CUTTER_H

#include "halves.h"

enum cutter_count {
	COUNT_SEGMENTS,
	COUNT_OLD,
	COUNT_OVERLAPS,
	COUNT_GAPS,
	COUNT_RESYNCS,
	COUNT_REFUSED,
	COUNT_TOO_LONG,
	COUNT_CUT,
	COUNT_SIP,
	COUNT_WEBSOCKET,
	COUNT_SCTP,
	COUNT_PACKED,
	COUNT_UNPACKED,
	COUNTS
};

/* All zeroes is a valid one. What is in hand belongs to one half, until cutter_next has nothing more of it. */
struct cutter {
	struct bytes view; /* octets in order that are not used up */
	bool in_hand;      /* there is a view, be it empty */
	bool lent;         /* it lies in a segment; else in the half's own `rest` */
	struct buf out;    /* the packet given last */
	uint64_t count[COUNTS];
};

void cutter_clear(struct cutter *c);

/* The next message of h; false when there is none yet, or any more: then h says whether it is to be dropped. */
bool cutter_next(struct cutter *c, struct half *h, struct datagram *out);

#endif
