/*
 * spool: records kept on disk until they can be put in order: those of one call, or of a warrant's events. Many are
 * open at once, so they hold no descriptor and little memory: what is added gathers in a buffer, and all buffers
 * together are bounded.
 */
#ifndef DELIVERY_SPOOL_H
#define DELIVERY_SPOOL_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

#include "stage.h"

struct spools; /* all of one stage */
struct spool;  /* one; freed with its spools */

struct spools *spools_new(struct stage *stage); /* NULL: out of memory */
void spools_free(struct spools *all);           /* the files go with the stage, or by spools_remove */

/* Takes the files off the disk; every spool is done with. */
void spools_remove(struct spools *all);

struct spool *spool_new(struct spools *all); /* NULL: out of memory */

/* Appends a record made of `count` parts. */
int spool_add(struct spool *s, nsec_t at, const struct bytes *parts, size_t count, struct err *err);

bool spool_empty(const struct spool *s);
bool spool_ordered(const struct spool *s); /* every record came at or after the one before it */

/* One record, borrowed until the reader's next call. */
struct spooled {
	nsec_t at;
	uint64_t offset; /* where it stands: the order of arrival */
	struct bytes bytes;
};

struct reader; /* reads one spool, which nothing may be added to meanwhile */

int reader_new(struct reader **out, struct spool *s, struct err *err);
void reader_free(struct reader *r);

/* The next record from the beginning, or the one at an offset (the next is then the one behind it).
 * 1: a record; 0: none left; -1: err. */
int reader_next(struct reader *r, struct spooled *out, struct err *err);
int reader_at(struct reader *r, uint64_t offset, struct spooled *out, struct err *err);
void reader_rewind(struct reader *r);

#endif
