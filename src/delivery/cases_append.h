/*
 * cases_append: files that only grow. What is added gathers in memory and is written when it is time; while the disk is full it stays
 * there, up to a bound. Files are opened only while they are written, so there may be any number; folders above them are made when
 * they are missing. What a process that died has written of a record is cut off by whoever opens the file again.
 */
#ifndef DELIVERY_CASES_APPEND_H
#define DELIVERY_CASES_APPEND_H

#include "otway/base/bytes.h"

#include "stage.h"

struct appends; /* all that share a bound */
struct append;  /* one file; freed by append_free */

/* most: octets that may gather in all of them. NULL: out of memory. */
struct appends *appends_new(struct stage *stage, size_t most);
void appends_free(struct appends *all); /* after its files */

/* A file of which `size` octets are good; what is behind them is written over. NULL: out of memory. */
struct append *append_new(struct appends *all, const char *path, uint64_t size);
void append_free(struct append *a); /* what was not written is lost. NULL is fine */

/* So much of it was found to be good; what was not written is lost. */
void append_good(struct append *a, uint64_t size);

/* Adds octets all together, or none: false: there is no room, or no memory. */
bool append_add(struct append *a, struct bytes octets);

/* Octets, those included that are not written yet. */
uint64_t append_size(const struct append *a);

/* Writes one, or all. -1: something stays in memory; err says why. */
int append_flush(struct append *a, struct err *err);
int appends_flush(struct appends *all, struct err *err);

size_t appends_gathered(const struct appends *all);

/* The folders above a path below the stage. */
int append_parents(struct stage *stage, const char *path, struct err *err);

#endif
