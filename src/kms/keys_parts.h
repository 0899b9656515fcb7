/*
 * keys_parts: what the files of keys share: a wanted key on its way, the KMSs it is asked of, and their timers.
 */
#ifndef OTWAY_KMS_KEYS_PARTS_H
#define OTWAY_KMS_KEYS_PARTS_H

#include <stddef.h>

#include "otway/base/table.h"
#include "otway/keys.h"
#include "otway/resolve.h"
#include "otway/xk.h"

/* A ring of which one member is the list itself; all alone it points at itself. */
struct keys_link {
	struct keys_link *prev, *next;
};

static inline void keys_link_init(struct keys_link *l)
{
	l->prev = l->next = l;
}

static inline bool keys_link_alone(const struct keys_link *l)
{
	return l->next == l;
}

static inline void keys_link_drop(struct keys_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	keys_link_init(l);
}

/* Behind the last of the list, out of where it was. */
static inline void keys_link_last(struct keys_link *list, struct keys_link *l)
{
	keys_link_drop(l);
	l->prev = list->prev;
	l->next = list;
	list->prev->next = l;
	list->prev = l;
}

/* A KMS that was asked: its circuit, and who waits for it. */
struct keys_peer {
	uint32_t agreement;
	unsigned failures, under_way;
	nsec_t open_until;
	struct keys_link queue, ends; /* ends: those that tell the end of a call, which nobody waits for */
};

struct keys_candidate {
	enum kms_origin origin;
	enum seal_reason outcome;
	uint32_t agreement; /* number; 0: none */
	char identity[KEY_URI_MAX];
};

enum asking_state {
	ASKING_HELD, /* in a queue of its peer */
	ASKING_OUT,  /* an exchange is under way, or about to be */
	ASKING_REST, /* until it is tried again */
	ASKING_DONE  /* and perhaps kept, so that the end of its call can be told */
};

/* In place of a reason: the call was over before there was one. */
#define KEYS_SAID_DROPPED SEAL_REASONS

/* What an asking has to say, in this order. */
enum { SAY_OUTCOME = 1, SAY_REQUEST = 2, SAY_SEND = 4, SAY_ANSWER = 8 };

struct asking {
	struct keys_link order; /* as taken: among those that wait, those that are kept, or those that tell the end of their call */
	struct keys_link saying, queue, call;
	size_t place; /* in the heap, from 1; 0: not there */
	nsec_t due;
	struct key_wanted wanted;
	size_t octets;
	char request[KEY_REQUEST_ID];
	struct keys_candidate *candidates;
	size_t candidate_count, at; /* at: which is being asked */
	size_t tried;
	enum asking_state state;
	bool ended;        /* it tells the end of its call */
	bool asked;        /* of somebody */
	bool asked_before; /* the exchange under way */
	bool told;         /* the request to this candidate is in the trail */
	bool dropped;
	unsigned tries, say;
	nsec_t deadline, limit;
	uint64_t exchange;
	struct keys_peer *peer;
	enum seal_reason reason, said; /* said: of the candidate whose outcome is to be told */
	uint32_t said_by;
	struct key_answer *answer; /* keys; NULL: none */
};

#define ASKING_OF(link, member) ((struct asking *)(void *)((char *)(link)-offsetof(struct asking, member)))

enum keys_count {
	KEYS_WANTED,
	KEYS_ASKED,
	KEYS_ANSWERED,
	KEYS_REFUSED,
	KEYS_RETRIED,
	KEYS_CIRCUIT_OPENED,
	KEYS_DROPPED,
	KEYS_MISMATCHES,
	KEYS_COUNTS
};

struct keys {
	struct keys_options o;
	const struct kms_agreements *agreements;
	const struct warrant_set *warrants;
	struct keys_link waiting, kept, ending, saying;
	size_t waiting_count, waiting_octets, total, octets;
	struct table *calls;     /* call -> an asking of it */
	struct table *exchanges; /* exchange -> asking */
	struct asking **heap;
	size_t heap_count, heap_cap;
	struct keys_peer **peers;
	size_t peer_count;
	uint64_t exchange, random;
	nsec_t now;
	uint64_t counts[KEYS_COUNTS];
	struct key_answer answer; /* of the last keys_next */
	struct buf body;
	char request[KEY_REQUEST_ID];
};

/* keys_asking: NULL: out of memory. It is in no list yet but that of its call. */
struct asking *keys_asking_new(struct keys *k, const struct key_wanted *w);
void keys_asking_free(struct keys *k, struct asking *a);
/* Any asking of that call; NULL: there is none. */
struct asking *keys_asking_of(const struct keys *k, uint32_t call);
void keys_asking_leave_call(struct keys *k, struct asking *a);

/*
 * keys_ask: the way of an asking. What it has to say afterwards it says in keys_next.
 */
/* To its next candidate that may be asked, or to its end. */
void keys_ask_advance(struct keys *k, struct asking *a, nsec_t now);
/* To its end: what is under way is given up. */
void keys_ask_finish(struct keys *k, struct asking *a, enum seal_reason reason);
/* Its call is over: to its end without an answer. */
void keys_ask_drop(struct keys *k, struct asking *a);
/* From its end to telling the KMS it was asked of that the call is over. */
void keys_ask_tell(struct keys *k, struct asking *a, nsec_t now);
/* The candidate cannot be asked after all. */
void keys_ask_pass_over(struct keys *k, struct asking *a, nsec_t now);
void keys_ask_reply(struct keys *k, struct asking *a, const struct keys_reply *r, nsec_t now);
void keys_ask_time(struct keys *k, struct asking *a, nsec_t now);
/* Those in the queues that may go now, who want keys first; p may be NULL. */
void keys_ask_release(struct keys *k, struct keys_peer *p, nsec_t now);
const struct kms_agreement *keys_ask_agreement(const struct keys *k, const struct asking *a); /* NULL: there is none */
nsec_t keys_ask_timeout(const struct keys *k, const struct asking *a);
void keys_ask_say(struct keys *k, struct asking *a, unsigned what);

/* keys_timer: a heap, room for every asking. NSEC_NONE: no timer. */
void keys_timer_set(struct keys *k, struct asking *a, nsec_t due);
struct asking *keys_timer_first(const struct keys *k);
bool keys_timer_room(struct keys *k);

/* keys_peer */
struct keys_peer *keys_peer_of(struct keys *k, uint32_t agreement); /* NULL: out of memory */
bool keys_peer_free(const struct keys_peer *p, nsec_t now);         /* may be asked */
bool keys_peer_waits(const struct keys_peer *p);                    /* somebody is in a queue of it */
/* True: that opened its circuit. */
bool keys_peer_failed(struct keys_peer *p, nsec_t now);
nsec_t keys_peer_due(const struct keys_peer *p); /* of a probe that somebody waits for; NSEC_NONE */
nsec_t keys_peer_jitter(struct keys *k, nsec_t delay);

/*
 * keys_policy: what the signalled messages say of a crypto session.
 */
struct keys_session {
	uint8_t cs;
	bool srtp; /* not of another protocol */
	bool unencrypted_srtp, unencrypted_srtcp, unauthenticated_srtp;
	enum srtp_suite suite;         /* SUITE_NONE: not said */
	enum toward toward;            /* TOWARD_UNKNOWN: not said which */
	uint8_t mki[MKI_MAX], mki_len; /* MKI, or SPI; 0: not said */
	bool ssrc_set;
	uint32_t ssrc;
};

#define KEYS_SESSIONS_MAX 64

struct keys_policy {
	bool known; /* false: no message told; sessions are those of the answer, of suites by the length of their keys */
	bool mapped; /* false: the crypto sessions are not listed: sessions[0] is for all */
	struct keys_session sessions[KEYS_SESSIONS_MAX];
	size_t count;
};
void keys_policy_read(const struct key_wanted *w, struct keys_policy *out);
/* The sessions of one CS id, NULL: signalling has none. */
const struct keys_session *keys_policy_of(const struct keys_policy *p, uint8_t cs);
/* Key material that the messages carry in clear, and that none of the keys is. */
bool keys_policy_claims(const struct key_wanted *w, const struct xk_answer *a);

/* keys_given: keys of a KMS with what signalling says of them. False: they do not fit it, or memory is out. */
bool keys_given(const struct key_wanted *w, const struct xk_answer *a, struct key_answer *out);

#endif
