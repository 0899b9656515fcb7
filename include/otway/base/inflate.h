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

/*
 * Messages of raw deflate that may refer to what stood in those before them, each less its last four octets
 * (permessage-deflate, RFC 7692 7.2). Wipes what it remembers.
 */
struct inflater;

#define INFLATER_OCTETS ((size_t)48 << 10) /* no more memory than this */

struct inflater *inflater_new(void); /* NULL: out of memory */
void inflater_free(struct inflater *f);

/*
 * Appends what the message `in` holds to out, at most `max` octets of it. False: it is broken, larger, refers to what was not
 * seen, or memory is out. What came before is forgotten then: nothing is ever made of octets that were not there.
 */
bool inflater_message(struct inflater *f, struct bytes in, size_t max, struct buf *out);

/* A message was missed: none may refer to it, nor to those before. */
void inflater_forget(struct inflater *f);

/* The way back, for what is kept in memory for a while: inflate_bytes undoes it. One after the other; it remembers nothing. */
struct deflater;
struct deflater *deflater_new(void); /* NULL: out of memory */
void deflater_free(struct deflater *d);
bool deflater_octets(struct deflater *d, struct bytes in, struct buf *out); /* appended; false: out of memory */

#endif
