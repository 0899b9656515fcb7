/*
 * shelf: things of any size kept in the order they came and given up by age, in blocks that are used again and again: what is
 * kept for a while costs the heap nothing. A thing is known by its place, a number that grows and never comes back.
 */
#ifndef OTWAY_CALL_SHELF_H
#define OTWAY_CALL_SHELF_H

#include "otway/base/nsec.h"

#define SHELF_PARTS 64 /* a place has room for the number of a part of the thing, beneath this */

struct shelf;

/* octets_max: of all blocks, spare ones too; hold: about how long things are kept. NULL: out of memory. */
struct shelf *shelf_new(size_t octets_max, nsec_t hold);
void shelf_free(struct shelf *s); /* wipes all; NULL is fine */

/*
 * Room for a thing, aligned as pointers are, the oldest block given up when there is none; *place (not 0, a multiple of
 * SHELF_PARTS) is where it lies. NULL: it is larger than all there may be, or memory is out.
 */
void *shelf_put(struct shelf *s, size_t size, nsec_t at, uint64_t *place);

/* What lies at a place, or at a part of it; NULL: nothing any more. */
void *shelf_at(const struct shelf *s, uint64_t place);

/* The thing at `place` is not to be counted as given up. */
void shelf_taken(struct shelf *s, uint64_t place);

/* Gives up blocks of which all is older than `before`. Their octets are overwritten by what comes next, or by shelf_wipe. */
void shelf_expire(struct shelf *s, nsec_t before);
void shelf_wipe(struct shelf *s);

/* Things given up for want of room. */
uint64_t shelf_evicted(const struct shelf *s);

#endif
