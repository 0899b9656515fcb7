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
 * The warrants that name a party of this message and are in force at message->at. Never by a display name, and by no
 * other header than these:
 *   Request-URI, To, P-Called-Party-ID     to-target
 *   P-Asserted-Identity                    from-target; in a response to-target: it names who answers (RFC 3325 9.1)
 *   P-Served-User                          from-target with sescase=orig, else to-target (RFC 5502)
 *   Diversion                              diverting
 *   History-Info                           diverting where the call was led on from; the last entry to-target
 *   From, P-Preferred-Identity, Remote-Party-ID   from-target, unverified, for warrants that trust them
 * Of a REGISTER only To counts. A target's device (IMEI) and the other identities of its registration
 * (P-Associated-URI) count for it as long as the registration holds.
 * A hit tells too what the target's registration was answered with: its KMS and a SIP URI of the same user.
 * One hit per (warrant, target, header, side). Returns how many there are; *hits is borrowed until the next call on m.
 */
size_t match_message(struct match *m, const struct sip_message *message, const struct hit **hits);
/* The same, of the warrants that are in force at another moment than the message's. */
size_t match_message_at(struct match *m, const struct sip_message *message, nsec_t at, const struct hit **hits);

/* An identity that the last message taught, to be looked for from now on; false when there is none (left). */
bool match_taught(struct match *m, struct identity *out);

/* "matched". Returns how many were written. */
size_t match_counts(const struct match *m, struct counter *out, size_t max);

#endif
