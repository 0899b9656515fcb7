/*
 * tally: what is said of the streams of a call at its end: hashes, holes, control packets, the timeline.
 */
#ifndef DELIVERY_TALLY_H
#define DELIVERY_TALLY_H

#include "holdings.h"
#include "walk.h"

/* Fills in the lower half of every struct held_stream of c. */
int tally_call(const struct holding *h, struct held_call *c, struct err *err);

/* One stream's RTP packets in the order of their index, each index once: a clear one where there is one. */
struct in_order;

/* marks: those of the call's disordered streams, by tally_marks; borrowed. */
int in_order_new(struct in_order **out, struct held_call *c, const struct held_stream *s, const struct marks *marks,
	struct err *err);
void in_order_free(struct in_order *o);

/* 1: a packet, borrowed until the next call; 0: none left; -1: err. */
int in_order_next(
	struct in_order *o, struct spooled *one, struct spooled_media *m, struct bytes *clear, struct err *err);

/* The marks of all disordered streams of a call, sorted: group is the stream's order, key its index. */
int tally_marks(struct held_call *c, struct marks *out, struct err *err);

#endif
