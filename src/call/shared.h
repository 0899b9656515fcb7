/* shared: what a message may have in common with another of the same call, as hashes, so that no message is kept for it. */
#ifndef OTWAY_CALL_SHARED_H
#define OTWAY_CALL_SHARED_H

#include "otway/model/glance.h"

#define SHARED_MAX 63 /* of one message */

/* Each hash once. */
struct shared {
	uint64_t hash[SHARED_MAX];
	size_t count;
};

/* Drawn at random: nobody outside can choose hashes. */
struct shared_key {
	uint64_t word[3];
};

/*
 * Call-ID, Session-ID (either end), icid-value, and the master keys of a=crypto. What is equal has equal hashes; what is not,
 * seldom: a master key is known by its first 30 octets.
 */
void shared_of(const struct glance *g, const struct shared_key *key, struct shared *out);

#endif
