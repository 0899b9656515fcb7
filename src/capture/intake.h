/*
 * intake: a file's octets, read once from begin to end in big steps, counted and hashed on the way, never sought in.
 */
#ifndef OTWAY_CAPTURE_INTAKE_H
#define OTWAY_CAPTURE_INTAKE_H

#include <stdio.h>

#include "otway/base/crypto.h"
#include "otway/base/err.h"

struct intake {
	int fd;              /* -1 once closed */
	bool borrowed;       /* standard input: read, not closed */
	bool ended;
	int fault;           /* errno of a read that failed; 0: none */
	uint8_t *buffer;
	size_t room;         /* of it */
	size_t from, to;     /* the octets in it that are not taken yet */
	struct sha256 *hash; /* NULL: not hashed */
	uint64_t octets;     /* read so far */
};

/* Opens `name` ("-" is standard input) with a buffer of `size` octets. */
int intake_open(struct intake *in, const char *name, size_t size, bool hash, struct err *err);
void intake_clear(struct intake *in);

/* Reads until n octets wait; false: the file ends before, or memory or the file fails. */
bool intake_fill(struct intake *in, size_t n);

/* The next n octets, borrowed until the next call, not yet taken; NULL as intake_fill. */
static inline const uint8_t *intake_look(struct intake *in, size_t n)
{
	return in->to - in->from >= n || intake_fill(in, n) ? in->buffer + in->from : NULL;
}

/* Takes n octets that were looked at. */
static inline void intake_take(struct intake *in, size_t n)
{
	in->from += n;
}

/* Takes n octets unseen; false as intake_fill. */
bool intake_skip(struct intake *in, uint64_t n);

/* No octet waits, and none will come. */
static inline bool intake_done(const struct intake *in)
{
	return in->ended && in->from == in->to;
}

/* Reads what is left, so that the hash is that of all octets. False: it cannot be read (see fault). */
bool intake_drain(struct intake *in);

/* The octets not taken yet as a FILE, for a reader that wants one. NULL: out of memory. */
FILE *intake_file(struct intake *in);

#endif
