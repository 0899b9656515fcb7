/*
 * table: a hash table from octets to pointers, O(1) whatever its size.
 * The hash is keyed at random, so that nobody outside can choose collisions; walking goes in the order of
 * insertion, so that nothing that comes out depends on the hash.
 */
#ifndef OTWAY_BASE_TABLE_H
#define OTWAY_BASE_TABLE_H

#include "otway/base/bytes.h"

struct table;

struct table *table_new(void); /* NULL: out of memory */
void table_free(struct table *t); /* the values are the caller's; keys are wiped */

/* The value at key, or NULL. */
void *table_get(const struct table *t, struct bytes key);

/* Puts a value (not NULL) at key, copied; replaces what is there. False: out of memory. */
bool table_put(struct table *t, struct bytes key, void *value);

/* Takes the value out; NULL when there is none. */
void *table_take(struct table *t, struct bytes key);

size_t table_size(const struct table *t);

/* Walks in the order of insertion: *step begins at 0; NULL at the end.
 * The entry just given may be taken out while walking, none may be put in. */
void *table_next(const struct table *t, size_t *step, struct bytes *key);

/* The keyed hash itself, SipHash-2-4 under a key drawn once per process. */
uint64_t table_hash(struct bytes key);

#endif
