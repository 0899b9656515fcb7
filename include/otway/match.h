/*
 * match: message → the warrants it falls under. It holds nothing back and sees nothing but targets: a hash table
 * of their canonical keys, and what registrations of targets taught it (an IMEI's public identity).
 */
#ifndef OTWAY_MATCH_H
#define OTWAY_MATCH_H

#include "otway/model/counter.h"
#include "otway/model/hit.h"

struct match;

struct match *match_new(void); /* NULL: out of memory */
void match_free(struct match *m);

/* Replaces the whole table; set is borrowed until the next call of this. False: out of memory, and the table is
 * as it was. What registrations taught stays for the targets that stay. */
bool match_targets(struct match *m, const struct warrant_set *set);

/*
 * The warrants that name a party of this message and are in force at message->at, by the rules of Matched on
 * (see src/match/README or the contract): Request-URI, To, P-Asserted-Identity, P-Called-Party-ID,
 * P-Served-User, Diversion, History-Info; From, P-Preferred-Identity and Remote-Party-ID for warrants that trust
 * them, unverified. One hit per (warrant, target, header, side).
 * Returns how many there are; *hits is borrowed until the next call on m.
 */
size_t match_message(struct match *m, const struct sip_message *message, const struct hit **hits);

/* "matched". Returns how many were written. */
size_t match_counts(const struct match *m, struct counter *out, size_t max);

#endif
