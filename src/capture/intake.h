/*
 * intake: a file's octets as a FILE, read once from begin to end in big steps, counted and hashed on the way.
 */
#ifndef OTWAY_CAPTURE_INTAKE_H
#define OTWAY_CAPTURE_INTAKE_H

#include <stdio.h>

#include "otway/base/crypto.h"
#include "otway/base/err.h"

struct intake {
	FILE *file;          /* owned by whom it was given to (libpcap closes it); not for seeking */
	int fd;              /* -1 once closed */
	int fault;           /* errno of a read that failed; 0: none */
	bool borrowed;       /* standard input: read, not closed */
	char *buffer;        /* of file; freed by intake_clear, after file is closed */
	struct sha256 *hash; /* NULL: not hashed */
	uint64_t octets;     /* read so far */
	uint8_t begin[4];    /* the first octets, to tell what a file is that is no capture */
};

/* Opens `name` ("-" is standard input) with a buffer of `size` octets. s stays in place until cleared. */
int intake_open(struct intake *s, const char *name, size_t size, bool hash, struct err *err);
void intake_clear(struct intake *s);

/* Reads what is left, so that the hash is that of all octets. False: it cannot be read (see fault). */
bool intake_drain(struct intake *s);

#endif
