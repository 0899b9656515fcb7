/*
 * call: messages under warrant → steps: records that go out, places and keys of media.
 * A leg is a Call-ID; within it dialogs by tags, transactions by branch, so that forked answers and the two
 * sides of a proxy keep their own offer and answer (RFC 3264). A call is all legs that are joined: the same Call-ID, Session-ID,
 * icid-value, the diverting party of a leg being the called one of another at the same time, or an identical inline key while
 * the first INVITE has no final answer. Never by SDP o= alone.
 */
#ifndef OTWAY_CALL_H
#define OTWAY_CALL_H

#include "otway/model/counter.h"
#include "otway/model/step.h"

struct call_stage;

struct call_stage *call_new(void); /* NULL: out of memory */
void call_free(struct call_stage *c);

/* The warrants in force, for their ends, scopes and diverted policy. Borrowed until the next call of this. */
void call_targets(struct call_stage *c, const struct warrant_set *set);

/* A key from --keys; where = its "call_id" or NULL for every call. Copied. False: out of memory. */
bool call_key_file(struct call_stage *c, const struct key_given *key, const char *call_id);

/* True when m belongs to a call or a dialog that is already under warrant. */
bool call_knows(const struct call_stage *c, const struct sip_message *m);

/*
 * In: a message and its hits; of a known call, or with at least one hit, or one that undecided gave back because it
 * belongs with such a one (then it comes first, hits 0, and `claimed_by` has the hits of the message that claimed it).
 */
void call_take(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count);

/* Out: the next step; false when there is none. *step is borrowed until the next call on c. */
bool call_next(struct call_stage *c, const struct step **step);

/* Time goes on: transactions end, and calls nobody ended (no message and no media for long). */
void call_time(struct call_stage *c, nsec_t at);

/* Nothing more comes: every call says its last. */
void call_end(struct call_stage *c, nsec_t at);

/* "calls", "legs", "events". Returns how many were written. */
size_t call_counts(const struct call_stage *c, struct counter *out, size_t max);

#endif
