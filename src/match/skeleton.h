/*
 * skeleton: what equal identities have in common however they are written, and the set of those that are looked for.
 */
#ifndef OTWAY_MATCH_SKELETON_H
#define OTWAY_MATCH_SKELETON_H

#include "otway/triage.h"

/* The value of a hex digit, or -1. */
int skeleton_hex(uint8_t c);

/* The skeleton of what begins at user (triage.h); *end: where it ends. */
uint64_t skeleton_of(struct bytes user, size_t *end);

/* Some target may have it. */
bool skeleton_wanted(const struct triage *t, uint64_t skeleton);

#endif
