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
#include "otway/model/glance.h"
#include "otway/model/key.h"
#include "otway/model/step.h"

struct call_stage;

struct call_stage *call_new(void); /* NULL: out of memory */
void call_free(struct call_stage *c);

/* The warrants in force, for their ends, scopes and diverted policy. Borrowed until the next call of this. */
void call_targets(struct call_stage *c, const struct warrant_set *set);

/* A key from --keys; where = its "call_id" or NULL for every call. Copied. False: out of memory. */
bool call_key_file(struct call_stage *c, const struct key_given *key, const char *call_id);

/*
 * Whether keys of KMSs can be asked for; no, until it is called. Then a=key-mgmt decides over a=crypto beside it: an answer that
 * carries it (or an offer, where the answer is silent) leads to STEP_KEY_WANTED, once for each such pair of messages, while a
 * warrant takes the media. The place waits until it is answered, by keys or by a reason.
 */
void call_asks(struct call_stage *c, bool kms);

/* In: what became of a wanted key. Of a call that is forgotten: ignored. */
void call_key_answer(struct call_stage *c, const struct key_answer *answer);

/*
 * Before a message is parsed: may it belong to a call or a dialog that is under warrant? Never false when call_knows would be
 * true, but for a diverted leg, which the parties that call_called gives find.
 */
bool call_may_know(const struct call_stage *c, const struct glance *g);

/* An identity that is called by, or diverted to from, a call under warrant, given once: a diverted leg may name it alone.
 * False: no more. */
bool call_called(struct call_stage *c, struct identity *out);

/* True when m belongs to a call or a dialog that is already under warrant. */
bool call_knows(const struct call_stage *c, const struct sip_message *m);

/* How long what came before a warrant's first hit is its too: of a known call as of a set-up that `undecided` kept. */
#define CALL_LOOK_BACK (2 * NSEC_PER_SEC)

/*
 * In: a message and its hits, in the order of time; of a known call, or with at least one hit, or with none (count 0) one that
 * undecided gave back: such come first, at once followed by the message that claimed them. What that one does not
 * join to a call under warrant is dropped without a trace.
 * A hit of a warrant that is not in force yet is welcome: nothing goes out until it is.
 */
void call_take(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count);

/*
 * In: a message of a set-up that was kept (setups.h), with hits of warrants that are in force now and were not then; at: now. All of a
 * call in their order, then each again for call_say_before: to warrants of `due` that take the call it goes out as RECORD_BEFORE.
 */
void call_take_before(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count, nsec_t at);
void call_say_before(struct call_stage *c, const struct sip_message *m, const struct warrant_set *due, nsec_t at);

/* The call that m belongs to, once it was taken; 0: none that is under warrant. */
uint32_t call_number(const struct call_stage *c, const struct sip_message *m);
/* Numbers of calls that are new begin behind this one; before anything is taken. Those of call_resume are not meant. */
void call_number_from(struct call_stage *c, uint32_t number);
/* What is taken next led to the call of that number when somebody else took it; 0: to none. */
void call_resume(struct call_stage *c, uint32_t number);
/* How many calls that are not over each warrant of the table has: as many numbers as that has warrants, in its order. */
void call_active(const struct call_stage *c, uint32_t *calls);

/* Out: the next step; false when there is none. *step is borrowed until the next call on c. */
bool call_next(struct call_stage *c, const struct step **step);

/* Time goes on: transactions end, and calls nobody ended (no message and no media for long). */
void call_time(struct call_stage *c, nsec_t at);

/* Nothing more comes: every call says its last. */
void call_end(struct call_stage *c, nsec_t at);

/* "calls", "legs", "events", "sip_duplicates" (mirror copies, not delivered), "sdes_mismatches" (an answer's tag and suite
 * disagree), "calls_dropped" (for want of room). Returns how many were written. */
size_t call_counts(const struct call_stage *c, struct counter *out, size_t max);

#endif
