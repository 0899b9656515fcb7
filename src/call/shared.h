/* shared: what a message may have in common with another of the same call, as hashes, so that no message is kept for it. */
#ifndef OTWAY_CALL_SHARED_H
#define OTWAY_CALL_SHARED_H

#include "otway/model/glance.h"

#define SHARED_MAX 64 /* of one message */

/* Each hash once. */
struct shared {
	uint64_t hash[SHARED_MAX];
	size_t count;
};

/* Call-ID, Session-ID (either end), icid-value, and the master keys of a=crypto. */
void shared_of(const struct glance *g, struct shared *out);

#endif
