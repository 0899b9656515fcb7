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
	size_t setups;          /* octets for the set-ups of calls that no warrant covers: see setups.h; 0: none are kept */
	bool journal;           /* STEP_NOTE, STEP_FORGET: for who follows, see back_resume */
	uint32_t numbers_from;  /* numbers of new calls begin behind this one: lower ones are, or were, calls of the one before */
};

struct back *back_new(const struct back_options *o); /* NULL: out of memory */
void back_free(struct back *b);

/* The whole table of warrants, replaced. Copied. False: out of memory, and the table is as it was. */
bool back_targets(struct back *b, const struct warrant_set *set);
const struct warrant_set *back_table(const struct back *b);

/* A key from outside; call_id NULL: for every call. And what became of one that STEP_KEY_WANTED asked for. */
bool back_key(struct back *b, const struct key_given *key, const char *call_id);
void back_answer(struct back *b, const struct key_answer *answer);

/* In: a whole SIP message, in the order of time; borrowed until back_next gives none. */
void back_take(struct back *b, const struct datagram *whole);

/* Out: the next step; false when there is none. Borrowed until the next call on b. */
bool back_next(struct back *b, const struct step **out);
/* Out: ESP that the last message says is not encrypted; false: no (more). */
bool back_esp(struct back *b, struct sip_esp *out);

/*
 * With `journal`: the messages that made what is known of calls under warrant, each as it is taken into account. Who follows a process
 * that died takes them in their order before anything else, and what came of them then comes of them again.
 */
struct back_note {
	uint64_t number; /* from 1, rising */
	uint32_t call;   /* local number of the call it led to; 0: none, it is outside calls */
	bool claimed;    /* it has no hits of its own: undecided gave it back */
	bool before;     /* it came before its warrant: setups gave it back */
	const struct datagram *datagram;
};
void back_resume(struct back *b, const struct back_note *n); /* n borrowed until back_next gives none */

void back_time(struct back *b, nsec_t at);
void back_end(struct back *b, nsec_t at);

/* How many calls there are now of each warrant of back_table, in its order. */
void back_active(const struct back *b, uint32_t *calls);
uint64_t back_bad(const struct back *b); /* messages that nobody could follow, whoever asks */
size_t back_counts(const struct back *b, struct counter *out, size_t max); /* sip (of what was read), match, undecided, call */

#endif
