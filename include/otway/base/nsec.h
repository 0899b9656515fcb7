/*
 * nsec: points in time, in nanoseconds since 1970-01-01 00:00:00 UTC, leap seconds left out.
 * Captures stamp in nanoseconds and so do our files; people read microseconds.
 */
#ifndef OTWAY_BASE_NSEC_H
#define OTWAY_BASE_NSEC_H

#include <stddef.h>
#include <stdint.h>

#include "otway/base/err.h"

typedef int64_t nsec_t;

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_NONE INT64_MIN  /* not known, not yet */
#define NSEC_EVER INT64_MAX  /* no end */

/* "2026-11-21T20:58:23.000000Z", its NUL, and room that the compiler can prove enough. */
#define NSEC_TEXT 48

/* RFC 3339 in UTC with microseconds (cut, not rounded). Returns out. */
char *nsec_text(nsec_t at, char out[NSEC_TEXT]);

/*
 * RFC 3339 with a zone ("…Z", "…+13:00"), or relative to `base`: "now" is base itself,
 * "+72h" and "-30m" count from it (units s m h d w). Returns 0, or -1 with err filled.
 */
int nsec_parse(const char *text, nsec_t base, nsec_t *out, struct err *err);

/* The wall clock. Roles and subcommands only: no stage of the pipeline has a clock. */
nsec_t nsec_now(void);

#endif
