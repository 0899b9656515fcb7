/*
 * undecided: set-up messages that no warrant covers yet, kept for two seconds at most. A call may be matched by its
 * second leg only (a proxy asserts the identity): then the messages of its first leg are part of it.
 * Beside its packet, which is kept as it came, a message costs some 110 octets and 16 for each thing it may have in common: 210
 * with a Call-ID, two Session-IDs, an icid and two keys, so at most 512 for each message, not for each call. After the two seconds
 * nothing of it is left but wiped room that is used again, 16 MiB of it at most.
 * Bounded in octets and time; what is not claimed is wiped, at the latest a quarter of a second after. Nothing here is ever
 * counted by identity.
 */
#ifndef OTWAY_UNDECIDED_H
#define OTWAY_UNDECIDED_H

#include "otway/model/counter.h"
#include "otway/model/glance.h"
#include "otway/model/packet.h"

struct undecided;

/* hold: how long a message is kept; octets_max: of all kept. NULL: out of memory. */
struct undecided *undecided_new(nsec_t hold, size_t octets_max);
void undecided_free(struct undecided *u);

/* Keeps a copy of a message of a set-up; others are passed over. g is of d's payload. */
void undecided_keep(struct undecided *u, const struct datagram *d, const struct glance *g);

/*
 * Claims all that belongs with a message of that moment: the same Call-ID, Session-ID or icid, or an inline key of a=crypto in common, and
 * what belongs with those in turn. undecided_next then gives their datagrams, oldest first.
 */
void undecided_claim(struct undecided *u, nsec_t at, const struct glance *g);

/* Out: a claimed datagram, to be parsed anew; false when there is none. Borrowed until the next call on u. */
bool undecided_next(struct undecided *u, const struct datagram **out);

/* Time goes on: what is older than `hold` is wiped. */
void undecided_time(struct undecided *u, nsec_t at);

/* "undecided", "undecided_evicted". Returns how many were written. */
size_t undecided_counts(const struct undecided *u, struct counter *out, size_t max);

#endif
