/*
 * triage: one pass over a SIP message, without parsing it: may it name a target, and what would join it to a call?
 * It errs on one side only: what the full parse and match would find, it never denies.
 */
#ifndef OTWAY_TRIAGE_H
#define OTWAY_TRIAGE_H

#include "otway/model/glance.h"
#include "otway/model/warrant.h"

/*
 * The skeleton of a subscriber: a hash of the letters and digits of a user part or number (up to ";", ":" or "@"), escapes decoded,
 * in lower case, leading zeroes off. Equal identities have equal skeletons, whatever their spelling; others seldom share
 * one. 0: there is none, and anything may be meant.
 */
uint64_t triage_skeleton(struct bytes user);

struct triage;

struct triage *triage_new(void); /* NULL: out of memory */
void triage_free(struct triage *t);

/* Adds the skeletons of an identity; of every target of a table, what was there before forgotten, but for the last 16,384 that
 * triage_teach added. False: out of memory. */
bool triage_add(struct triage *t, const struct identity *id);
bool triage_teach(struct triage *t, const struct identity *id);
bool triage_targets(struct triage *t, const struct warrant_set *set);

void triage_look(const struct triage *t, struct bytes text, struct glance *out);

#endif
