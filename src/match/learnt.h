/*
 * learnt: which identities a target is known to use, from its registrations (RFC 3261 10, TS 24.229 5.4.1.2). Only
 * identities of targets are ever kept.
 */
#ifndef OTWAY_MATCH_LEARNT_H
#define OTWAY_MATCH_LEARNT_H

#include "otway/model/sip_message.h"

struct learnt;

struct learnt *learnt_new(void); /* NULL: out of memory */
void learnt_free(struct learnt *l);

/* What an identity is found by: its number, else its URI. */
struct bytes learnt_key(const struct identity *id);

/*
 * A REGISTER or its 200 says that `user` is, for `expires` seconds, the target of that key. A request that asks for
 * 0 seconds ends it when its 200 comes; one that is refused changes nothing in the end. False: nothing new.
 */
bool learnt_register(
	struct learnt *l, const struct identity *user, struct bytes key, const struct sip_message *m, uint32_t expires);

/* A request to end all registrations of the user ("Contact: *"), when its 200 comes. */
void learnt_leave(struct learnt *l, const struct identity *user, const struct sip_message *m);

/* A final response to a REGISTER: what its request changed now holds, or is taken back. */
void learnt_answered(struct learnt *l, const struct identity *user, const struct sip_message *m);

/* The key of the next target that an identity is at that moment; *step begins at 0. Empty: there is none. */
struct bytes learnt_of(const struct learnt *l, const struct identity *id, nsec_t at, size_t *step);

/* Forgets what belongs to targets for which `stays` says no. */
void learnt_keep(struct learnt *l, bool (*stays)(const void *context, struct bytes key), const void *context);

#endif
