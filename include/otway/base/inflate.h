/*
 * inflate: what was sent compressed: bodies, "gzip" or "deflate" (RFC 3261 20.12, RFC 9110 8.4.1), with the header of
 * RFC 1952 or 1950, or none (RFC 1951).
 */
#ifndef OTWAY_BASE_INFLATE_H
#define OTWAY_BASE_INFLATE_H

#include "otway/base/bytes.h"

/* A Content-Encoding that this undoes. */
bool inflate_knows(struct bytes encoding);

/* Appends what `in` holds to out, at most `max` octets of it. False: it is broken, cut, larger, or memory is out. */
bool inflate_bytes(struct bytes in, size_t max, struct buf *out);

#endif
