/*
 * keys: asks KMSs for wanted keys, and never makes anybody wait. A state machine without a socket or a clock: exchanges go out and
 * come in as messages, time is handed in.
 *
 * Candidates are asked in the order of resolve.h; the next one only on `unknown`. One without an agreement is passed over and
 * recorded. Without a warrant that is known nobody is asked at all.
 *
 * Tried again are try-later, time-outs, broken connections, and answers that cannot be right: no JSON, another request's id, a
 * crypto session or a length of key that signalling did not agree on. After 0.25 s, doubled up to 8 s, each ± 25 %, for at most
 * `patience`; where the KMS says later, so much later, for at most ten times `patience`. Each exchange has twice the time of the
 * one before, up to four times `timeout`. The request's id stays the same, so that the KMS answers the same.
 * Final are keys, `refused`, `purged`, `no-agreement`, HTTP 400 and 403 (as refused), and a certificate that is not believed.
 *
 * At most 128 exchanges with one KMS are under way, those that want keys before those that tell the end of a call. Five failures
 * in a row open its circuit: for 5 s nothing goes to it, then one probe; what is wanted waits in order. Wanted keys are bounded in
 * number and in octets: the oldest that is not being asked gives way, as unreachable. So are calls of which only the end is to be told
 * some time: the oldest is forgotten.
 *
 * The reason of a refusal: what the last candidate said where that was final; what the first one came to where no candidate gave
 * keys (its claim to have them is the best); kms-unreachable when patience was over; kms-unknown when no KMS could be named;
 * no-key when signalling keys the call itself or no warrant is known; suite-unsupported when keys came that nothing here uses.
 */
#ifndef OTWAY_KEYS_H
#define OTWAY_KEYS_H

#include "otway/model/agreement.h"
#include "otway/model/counter.h"
#include "otway/model/key.h"
#include "otway/model/warrant.h"

struct keys;

struct keys_options {
	nsec_t timeout;    /* of the first exchange; 0: 2 s */
	nsec_t patience;   /* from wanted to refused as unreachable; 0: 60 s */
	size_t wanted_max; /* 0: 20,000 */
	uint64_t seed;     /* of jitter; 0: drawn at random. Nothing else depends on it */
};

struct keys *keys_new(const struct keys_options *o); /* NULL for all defaults; NULL returned: out of memory */
void keys_free(struct keys *k);                      /* wipes */

/* The whole table of agreements, and of warrants (for their references); borrowed until the next call of the same. */
void keys_agreements(struct keys *k, const struct kms_agreements *set);
void keys_warrants(struct keys *k, const struct warrant_set *set);

/* In: a key is wanted (copied); now: the asking side's time. False: out of memory. */
bool keys_take(struct keys *k, const struct key_wanted *w, nsec_t now);

/* In: a call is over or its warrant is: what is wanted for it is dropped; with `tell` each KMS that was asked gets a call_ended. */
void keys_call_over(struct keys *k, uint32_t call, bool tell, nsec_t now);

/* In: what came of an exchange. status: HTTP status; 0: no answer (time-out, no connection, TLS refused: `trusted` false when the
 * peer's certificate was not believed: final for this candidate, never asked in any other way). One that nobody waits for is
 * passed over. */
struct keys_reply {
	uint64_t exchange;
	unsigned status;
	bool trusted;
	struct bytes body;
};
void keys_reply(struct keys *k, const struct keys_reply *r, nsec_t now);

void keys_time(struct keys *k, nsec_t now);
nsec_t keys_due(const struct keys *k);     /* when keys_time has something to do; NSEC_NONE: nothing waits */
size_t keys_waiting(const struct keys *k); /* wanted and not answered */

/* Out: what is to be done; false when there is nothing now. *out is borrowed until the next call on k. */
enum keys_out_kind {
	KEYS_SEND,   /* an exchange to begin */
	KEYS_ANSWER, /* for the pipeline; kms and origin of what was asked are in it */
	KEYS_TRACE /* for the audit trail: a KMS is about to be asked (told once, however often it is tried), or what came of it */
};
struct keys_out {
	enum keys_out_kind kind;
	/* KEYS_SEND */
	uint64_t exchange;
	const struct kms_agreement *agreement;
	const char *path; /* XK_KEYS_PATH … */
	struct bytes body;
	nsec_t timeout;
	/* KEYS_ANSWER */
	const struct key_answer *answer;
	/* KEYS_TRACE: comes before the KEYS_SEND it tells of, and before the KEYS_ANSWER */
	const char *act; /* "key-request", "key-answer", "call-ended" */
	const char *request; /* of a KEYS_SEND too: it is sent again without being told again */
	uint32_t warrant, call, agreement_number;
	const char
		*outcome; /* "key-answer": "keys", a reason ("kms-refused" …), or "dropped": the call was over first */
};
bool keys_next(struct keys *k, struct keys_out *out);

/* An exchange that was handed out waits outside before it is sent, and then goes: one whose call is over, or whose time is, while it waits was
 * asked of nobody. One that nobody knows any more is passed over. */
void keys_waits(struct keys *k, uint64_t exchange, bool waits);

/* "wanted", "asked", "answered", "refused", "retried", "circuit_opened", "dropped", "mismatches". */
size_t keys_counts(const struct keys *k, struct counter *out, size_t max);

#endif
