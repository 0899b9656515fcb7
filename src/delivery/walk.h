/*
 * walk: the records of a spool in an order of their own: by time, or by place in a stream.
 */
#ifndef DELIVERY_WALK_H
#define DELIVERY_WALK_H

#include "spool.h"

/* Where a record belongs. Equal group and key: the order of arrival. */
struct mark {
	uint64_t group, key;
	uint64_t offset;
};

/* All zeroes is a valid empty one. */
struct marks {
	struct mark *at;
	size_t len, cap;
};

bool marks_add(struct marks *m, struct mark one); /* false: out of memory */
void marks_sort(struct marks *m);
void marks_clear(struct marks *m);

/* The marks of one group, after marks_sort: they lie together. */
struct marks marks_group(const struct marks *m, uint64_t group); /* borrowed: never cleared */

/* A spool by time; ties in the order of arrival. */
struct walk;

int walk_new(struct walk **out, struct spool *s, struct err *err);
void walk_free(struct walk *w);
int walk_next(struct walk *w, struct spooled *out, struct err *err); /* as reader_next */

#endif
