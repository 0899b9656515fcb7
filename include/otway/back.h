/*
 * back: the second half of a packet's way: signalling is understood in one place. Whole SIP messages, warrants and keys in; steps out:
 * records, places and keys of media, keys that are wanted.
 */
#ifndef OTWAY_BACK_H
#define OTWAY_BACK_H

#include "otway/model/counter.h"
#include "otway/model/key.h"
#include "otway/model/step.h"
#include "otway/sip.h"

struct back;
struct trace;

struct back_options {
	const char *kms_header; /* the SIP header that names a KMS; NULL: none */
	bool kms;               /* keys of KMSs can be asked for */
	struct trace *trace;    /* for `explain`, borrowed; NULL: nobody asked */
	size_t setups;          /* octets for the set-ups of calls that are not under warrant, for warrants that begin during one; 0: none */
};

struct back *back_new(const struct back_options *o); /* NULL: out of memory */
void back_free(struct back *b);

/* The whole table of warrants, replaced. Copied. False: out of memory, and the table is as it was. */
bool back_targets(struct back *b, const struct warrant_set *set);
const struct warrant_set *back_table(const struct back *b);
bool back_key(struct back *b, const struct key_given *key, const char *call_id);
void back_answer(struct back *b, const struct key_answer *answer);

/* In: a whole SIP message, in the order of time. */
void back_take(struct back *b, const struct datagram *whole);

/* Out: the next step; false when there is none. Borrowed until the next call on b. */
bool back_next(struct back *b, const struct step **out);
/* Out: ESP that the last message said is not encrypted; false: no (more). */
bool back_esp(struct back *b, struct sip_esp *out);

/*
 * Out, with `journal`: the messages that made what is known of calls under warrant, so that who follows can make it again: those that
 * went into the call stage, each as it comes in. Before any step of it.
 */
struct back_note {
	uint64_t number;             /* from 1, rising */
	uint32_t call;               /* local number of the call it led to; 0: none, it taught something of a registration */
	bool claimed;                /* it has no hits of its own */
	const struct datagram *datagram;
};
void back_journal(struct back *b, bool on);
bool back_note(struct back *b, struct back_note *out);      /* false: none. Borrowed until the next call on b */
bool back_forgotten(struct back *b, uint64_t *number);      /* a note that is of no more use */
/* Takes a note of the one before, in their order, before anything else comes in. Its steps come out as they did then. */
void back_resume(struct back *b, const struct back_note *n);

void back_time(struct back *b, nsec_t at);
void back_end(struct back *b, nsec_t at);

/* How many calls of a warrant there are now, by i from 0; false: there are no more. */
bool back_active(const struct back *b, size_t i, uint32_t *warrant, uint32_t *calls);
uint64_t back_bad(const struct back *b); /* messages that nobody could follow, whoever asks */
size_t back_counts(const struct back *b, struct counter *out, size_t max); /* match, undecided, call */

#endif
