/*
 * setups: what set up the calls that go on now, for warrants that begin during one. Kept only where the configuration says so: it is
 * state of calls that no warrant covers. In memory alone, compressed, at most 4 KiB for a call, wiped at its BYE.
 */
#ifndef OTWAY_SETUPS_H
#define OTWAY_SETUPS_H

#include "otway/model/counter.h"
#include "otway/model/glance.h"
#include "otway/model/packet.h"

#define SETUPS_CALL 4096 /* octets kept of one call, messages and what is beside them */

struct setups;

struct setups *setups_new(size_t octets_max); /* of all calls; NULL: out of memory */
void setups_free(struct setups *s);           /* wipes */

/* In: a message, whosesoever; g is of its payload. What sets up a call is kept, what ends it ends that. */
void setups_take(struct setups *s, const struct datagram *d, const struct glance *g);

/* Out: the kept messages of all calls, or of one, in their order; *step begins at 0. Borrowed until the next call on s; of all calls, nothing
 * is to be put in meanwhile. False: there are no more. */
bool setups_each(struct setups *s, size_t *step, struct datagram *out);
bool setups_of(struct setups *s, struct bytes call_id, size_t *step, struct datagram *out);

/* Time goes on: what was not answered in 180 s (RFC 3261 16.6, timer C), or nobody ended for a day, is wiped. */
void setups_time(struct setups *s, nsec_t at);

/* "setups", "setups_octets": now; "setups_too_large", "setups_evicted": ever. */
size_t setups_counts(const struct setups *s, struct counter *out, size_t max);

#endif
