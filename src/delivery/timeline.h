/*
 * timeline: what was seen of a stream over the time of its call, as a band: in clear, sealed, missing.
 */
#ifndef DELIVERY_TIMELINE_H
#define DELIVERY_TIMELINE_H

#include "holdings.h"

#define TIMELINE_WIDTH 1000 /* units of every drawing of media */

/* The span of time that a drawing shows. */
struct timeline {
	nsec_t from, to;
};

/* Where a time lies, in tenths of a unit. */
int64_t timeline_x(const struct timeline *t, nsec_t at);

/* The band of a stream, its top at y. */
void timeline_band(
	const struct timeline *t, FILE *f, const struct held_call *c, const struct held_stream *s, int y, int height);

/* The scale: a line from top to bottom at round times, and beneath each how long after the beginning. */
void timeline_scale(const struct timeline *t, FILE *f, int top, int bottom);

#endif
