/*
 * bound: what the registrations of targets say of them besides: the KMS that serves them, a SIP URI of the same user. Out of
 * answers of the registrar alone: in a request anybody may claim anything.
 */
#ifndef OTWAY_MATCH_BOUND_H
#define OTWAY_MATCH_BOUND_H

#include "otway/model/sip_message.h"

struct bound;

struct bound *bound_new(void);    /* NULL: out of memory */
void bound_free(struct bound *b); /* wipes */

/* A 2xx to a REGISTER of the target of that key; kms and sip may be empty: what was said before stays. */
void bound_learn(struct bound *b, struct bytes key, struct bytes kms, struct bytes sip, nsec_t until);

/* The registration ended. */
void bound_end(struct bound *b, struct bytes key);

/* What holds at that moment; empty where nothing does. Borrowed until the next call on b. */
void bound_of(const struct bound *b, struct bytes key, nsec_t at, struct bytes *kms, struct bytes *sip);

/* Forgets targets for which `stays` says no. */
void bound_keep(struct bound *b, bool (*stays)(const void *context, struct bytes key), const void *context);

#endif
