/*
 * calls: what the files of this folder share: calls, their legs, transactions and dialogs, and the warrants that take them.
 *
 * A message goes its way thus: join.c tells which call it belongs to, takers.c who takes it, progress.c how far the call
 * has come, parties.c and diversion.c who takes part, offer.c and say.c where media flows and under which keys.
 */
#ifndef OTWAY_CALL_CALLS_H
#define OTWAY_CALL_CALLS_H

#include "otway/base/table.h"
#include "otway/call.h"

#include "sdp.h"
#include "steps.h"
#include "twice.h"

#define CALLS_MAX      100000
#define EVENTS_MAX     20000
#define LEGS_MAX       64
#define TAKERS_MAX     COVERS_MAX
#define MATCHES_MAX    64
#define DIVERSIONS_MAX 16
#define EXCHANGES_MAX  64  /* of one leg */
#define DIALOGS_MAX    32  /* of one leg */
#define REPLIES_MAX    16  /* SDP in responses to one request: one for each fork, and what they change */
#define HOSTS_MAX      16  /* of one leg */
#define TAGS_MAX       8   /* from-tags of the initial INVITEs of one leg */
#define IDS_MAX        4   /* identities of the caller that are kept to compare */
#define CALLED_MAX     32  /* identities that wait for call_called: more than one message names */
#define TOKENS_MAX     128 /* what a call may be recognised by */
#define PLACES_MAX     256
#define KEYS_MAX       512
#define HISTORY_MAX    64
#define HISTORY_OCTETS ((size_t)256 << 10)
#define TEXTS_MAX      ((size_t)256 << 10) /* octets */
#define WANTS_KEPT     32                  /* keys of KMSs, of one call: beyond, what is answered gives way */
#define WANTS_MAX      256                 /* beyond, what is new is not asked for */
#define WANTS_OCTETS   ((size_t)128 << 10) /* of their texts; 8 times that at most */
#define FACTS_MAX      256                 /* of them */
#define CLAIMS_MAX     4                   /* keys that signalling gives beside one of them */

#define LINGER      (32 * NSEC_PER_SEC)        /* after the end: RFC 3261 17, timers H and J, 64 * T1 */
#define BYE_WAIT    (32 * NSEC_PER_SEC)        /* for its answer: RFC 3261 17.1.2.2, timer F, 64 * T1 */
#define ANSWER_WAIT (180 * NSEC_PER_SEC)       /* RFC 3261 16.6, timer C */
#define WANT_MAX    (180 * NSEC_PER_SEC)       /* so long an answer of a KMS is waited for once the call is over */
#define SET_BACK    (60 * NSEC_PER_SEC)        /* time that goes back so far is another time: the clock was set */
#define IDLE_MAX    (24 * 3600 * NSEC_PER_SEC) /* of a call that nobody ends */

/* An SDP in a response: an answer, or an offer when the request had none. */
struct reply {
	char *tag; /* to-tag of who sent it */
	struct sdp *sdp;
	bool final, paired; /* of a 2xx; with its counterpart, all said */
};

/* One request and its responses on one hop: a transaction of RFC 3261 17, with the offer and answer it carries. */
struct exchange {
	struct exchange *next; /* older */
	enum sip_method method;
	uint32_t cseq;
	char *branch;
	struct flow flow; /* of the request */
	nsec_t last;
	bool initial; /* an INVITE outside a dialog */
	bool request_seen, rang, cancelled, from_caller, given_up;
	uint16_t final; /* 0: none yet */
	nsec_t final_at;
	struct sdp *request;
	struct reply replies[REPLIES_MAX];
	size_t reply_count;
};

/* Somebody hangs up: the first BYE that was not refused. */
struct bye {
	nsec_t at; /* NSEC_NONE: there is none */
	uint32_t cseq;
	bool reverse;     /* from who answered */
	bool of_stranger; /* from a host that took no part in the set-up: ends nothing unless it is accepted */
};

/* A dialog that was answered. */
struct dialog {
	char *tags[2]; /* of who asked first, of who answered */
	struct bye bye;
	bool ended;
};

struct leg {
	struct call *call;
	char *call_id;    /* NULL: the capture cut it off */
	struct bytes key; /* in the table of legs; owned */
	nsec_t first, last; /* message */
	bool set_up_seen; /* its initial INVITE */
	char *caller_tags[TAGS_MAX];
	size_t caller_tag_count;
	struct exchange *exchanges; /* newest first */
	size_t exchange_count;
	struct dialog dialogs[DIALOGS_MAX];
	size_t dialog_count;
	struct addr hosts[HOSTS_MAX]; /* that took part in the set-up, or in what was agreed since */
	size_t host_count;
};

/* What a call may be recognised by; see join.c. */
struct token {
	struct token *next_same; /* of other calls */
	struct token *next;      /* of this call */
	struct call *call;
	struct bytes key; /* owned */
};

/* A warrant that takes a call. */
struct taker {
	uint32_t number;
	const struct warrant *warrant; /* NULL: no longer there */
	nsec_t from;                   /* of the first message that is its */
	nsec_t left;                   /* when the call left the target, for --diverted report; NSEC_NONE: it has not */
	bool told, changed;            /* facts were given; and are not what they were */
	bool calling, called;          /* where the target was seen */
	const char *sip, *kms;         /* a SIP URI of the target, the KMS of its registration; NULL: not known */
	struct call_match matches[MATCHES_MAX];
	size_t match_count;
};

/* A diversion beside its facts: who, as compared. */
struct diverted {
	struct identity by, to;
	nsec_t at;
	bool guessed; /* by the flow alone: gives way to what is signalled */
};

/* The last 3xx: who got it, who is behind it, where it points. */
struct redirect {
	struct addr told;
	struct identity by, to;
	const char *by_text, *to_text; /* to_text NULL: none, or an INVITE has followed it */
};

/* A place that was said, without the room for formats that it does not have. */
struct said_place {
	nsec_t at;
	struct place *head; /* of its formats only format_count are there */
	uint8_t format_count;
};

struct said_key {
	nsec_t at;
	struct key_given key;
};

/* A message of the last seconds, for a warrant that turns up now. */
struct past {
	nsec_t at;
	struct held *held;
};

struct text {
	struct text *next;
	size_t len;
	char chars[];
};

/* A key of a KMS that an exchange of offer and answer wants. */
struct want {
	struct want *next;        /* that gave way too */
	struct key_wanted wanted; /* its views are its texts, or those of the dialog's first */
	struct text *texts;
	size_t octets;
	bool said, answered;
	size_t fact;                         /* once said: of the call's; SIZE_MAX: left out */
	enum seal_reason reason;             /* once answered */
	struct srtp_key claimed[CLAIMS_MAX]; /* what a=crypto of the same line says */
	size_t claimed_count;
	bool mismatch;
};

struct call {
	uint32_t number;          /* 0: nobody takes it yet */
	struct call *next, *prev; /* in the order of birth */
	nsec_t last;              /* message */
	struct leg *legs[LEGS_MAX];
	size_t leg_count;
	struct token *tokens;
	size_t token_count;
	struct taker *takers[TAKERS_MAX];
	size_t taker_count;
	struct past history[HISTORY_MAX];
	size_t history_count, history_octets;
	size_t text_octets;
	struct text *texts; /* every string that facts point at */

	/* Facts. */
	const char *call_ids[LEGS_MAX];
	size_t call_id_count;
	nsec_t started, answered, ended;
	enum call_outcome outcome;
	const char *caller, *callee;
	bool caller_asserted, caller_is_sip;
	struct identity callers[IDS_MAX];
	size_t caller_count;
	struct identity callee_id;
	struct call_diversion *diversions; /* DIVERSIONS_MAX of each, from the first one on */
	struct diverted *diverted;
	size_t diversion_count;
	bool changed; /* for every taker */

	/* How far it has come. */
	bool set_up_seen, over, closed;
	nsec_t settled;  /* answered or failed last */
	nsec_t deadline; /* NSEC_NONE, or when it is over because the rest of its legs is */
	nsec_t last_bye;
	uint16_t failed; /* the last final failure of an initial INVITE */
	bool rang, cancelled;
	struct redirect redirect;

	/* Media. */
	struct cover covers[COVERS_MAX];
	size_t cover_count;
	bool covered; /* a cover was said */
	struct said_place *places;
	size_t place_count, place_room;
	struct said_key *keys;
	size_t key_count, key_room;

	/* Keys of KMSs. */
	struct want **wants; /* in the order of exchanges */
	size_t want_count, want_room, want_octets;
	struct call_kms *kms; /* their facts, in the order of asking */
	size_t kms_count, kms_room, kms_left_out;
	const char *kms_signalled;
	bool over_said;
};

struct file_key {
	struct file_key *next;
	char *call_id; /* NULL: any call */
	struct key_given key;
};

struct event {
	struct event *next, *prev;
	struct bytes key; /* Call-ID; owned */
	nsec_t last;
	uint32_t takers[TAKERS_MAX];
	size_t taker_count;
};

struct call_stage {
	const struct warrant_set *targets;
	struct table *legs, *tokens, *events;
	struct table *wants; /* by number, their calls */
	bool kms;            /* keys can be asked for */
	uint64_t want_numbers;
	struct call *first, *last, *dead; /* dead: until every step that borrows from them is out */
	struct want *dead_wants;          /* so too */
	struct text *dead_texts;
	struct event *first_event, *last_event;
	struct file_key *file_keys, **last_file_key;
	struct twice *twice;
	struct steps steps;
	size_t sdp_octets;
	size_t call_count, pending; /* pending: calls that nobody takes yet */
	uint32_t numbers, before;   /* given so far; those that another one gave */
	uint32_t next_number;       /* of the next call, from call_resume; 0: the next one */
	nsec_t now, swept;
	struct identity called[CALLED_MAX]; /* not yet given by call_called */
	size_t called_count;
	uint64_t legs_counted, events_counted, duplicates, dropped, mismatches;
};

/* calls.c: their lives. */

char *text_dup(struct bytes b);              /* NULL for an empty one or when memory is out */
void text_drop(char *s);                     /* wipes; NULL is fine */
bool text_eq(const char *s, struct bytes b); /* NULL is the empty one */

bool call_has_room_to_divert(struct call *call); /* for one diversion more */
struct call *call_begin(struct call_stage *c, nsec_t at);
/* The call is forgotten: nothing leads to it any more. Its facts stay readable until the steps are out. */
void call_forget(struct call_stage *c, struct call *call);
void call_bury(struct call_stage *c);                     /* frees what was forgotten */
const char *call_text(struct call *call, struct bytes b); /* kept as long as the call; NULL: empty, or no memory */

struct leg *leg_find(const struct call_stage *c, const struct sip_message *m);
bool leg_may(const struct call_stage *c, struct bytes call_id);
struct leg *leg_begin(struct call_stage *c, struct call *call, const struct sip_message *m);
void leg_insert(struct call *call, struct leg *leg); /* where its first sight puts it */
void call_list_ids(struct call *call);

struct exchange *exchange_begin(struct leg *leg, const struct sip_message *m);
void exchange_free(struct exchange *x);

/* absorb.c: all of `from`, which nobody takes, becomes part of `into`. */
void call_absorb(struct call_stage *c, struct call *into, struct call *from);

/* join.c: what belongs together. */

#define JOIN_MAX 16
/* The calls that m leads to though its Call-ID is new, best first. */
size_t join_find(const struct call_stage *c, const struct sip_message *m, struct call *found[JOIN_MAX]);
/* What m lets the call be recognised by from now on. */
void join_learn(struct call_stage *c, struct call *call, const struct sip_message *m);

/* Some call has a token of this message; what is not parsed is not judged further. */
bool join_may(const struct call_stage *c, const struct glance *g);
void token_drop(struct call_stage *c, struct token *t);

/* dialog.c: who talks, and who hung up. */

struct dialog *dialog_open(struct leg *leg, const struct sip_message *m); /* known or new; NULL: no room */
bool leg_live(const struct leg *leg);                                     /* it has a dialog in which nobody hung up */
bool leg_ending(const struct leg *leg);                                   /* somebody did, and waits for the answer */
void leg_hosts(struct leg *leg, const struct flow *f);                    /* they belong to it */
void bye_in(struct call *call, struct leg *leg, const struct sip_message *m);
/* A response to one; when what it ends has ended. */
nsec_t bye_answered(struct call *call, struct leg *leg, const struct sip_message *m);
bool dialogs_time(struct leg *leg, nsec_t at); /* true: some BYE will not be answered any more */

/* progress.c: how far it has come. */

bool sip_is_initial(const struct sip_message *m);    /* an INVITE outside a dialog */
bool sip_method_cut(const struct sip_message *m);    /* a response that the capture cut before its CSeq */
bool sip_is_signalling(const struct sip_message *m); /* of a method that makes calls */
bool leg_pending(const struct leg *leg);             /* its set-up has no final answer */
bool call_pending(const struct call *call);
/* Follows m; the transaction it belongs to, or NULL. */
struct exchange *progress_take(struct call *call, struct leg *leg, const struct sip_message *m);
/* Time goes on; may turn call->over. */
void progress_time(struct call *call, nsec_t at);

/* parties.c, diversion.c: who takes part. */

bool party_anonymous(const struct sip_party *p);
struct bytes uri_bare(struct bytes uri); /* without parameters and ?headers */
void parties_learn(struct call *call, const struct sip_message *m);
bool caller_same(const struct call *call, const struct sip_message *m); /* or one of them is unknown */

struct diversion_seen {
	const struct sip_party *by, *to; /* NULL: unknown */
	const char *service;
	uint16_t cause;
};
/* The diversions that an INVITE tells of, in the order they happened. */
size_t diversions_read(const struct sip_message *m, struct diversion_seen out[DIVERSIONS_MAX]);
void diversion_learn(struct call *call, const struct sip_message *m);

/* offer.c, say.c: media. */

void offer_take(
	struct call_stage *c, struct call *call, struct leg *leg, struct exchange *x, const struct sip_message *m);
void say_place(struct call_stage *c, struct call *call, const struct place *p, nsec_t at);
void say_key(struct call_stage *c, struct call *call, const struct key_given *k, nsec_t at);
void say_file_keys(struct call_stage *c, struct call *call, nsec_t at);
void say_all(struct call_stage *c, struct call *call); /* again, for a cover that is new */
void say_close(struct call_stage *c, struct call *call, nsec_t at);
void say_again(struct call_stage *c, struct call *into, const struct call *from);
void say_forget(struct call *call);
void say_drop_kms(struct call *call);
void say_marks(struct call_stage *c, struct call *call, nsec_t at); /* places again, where that has changed */

/* takers.c: who takes it. */

bool taker_covers(const struct taker *t); /* media too, now */
void takers_bind(struct call_stage *c, struct call *call, const struct leg *leg, const struct sip_message *m,
	const struct hit *hits, size_t count);
bool takers_to_come(const struct call *call, nsec_t at); /* somebody takes its media now, or will */
void takers_left(struct call *call);                     /* the call may have left a target */
void takers_cover(struct call_stage *c, struct call *call, nsec_t at);
void takers_facts(struct call_stage *c, struct call *call, nsec_t at);
void takers_record(struct call_stage *c, struct call *call, struct held *held, nsec_t at);
void takers_renew(struct call_stage *c, struct call *call); /* the table of warrants was replaced */
void takers_before(struct call_stage *c, struct call *call, const struct datagram *d, const struct warrant_set *due, nsec_t at);
void history_keep(struct call *call, struct held *held, nsec_t at);
void history_time(struct call *call, nsec_t at);

/* event.c: signalling outside calls. */

void event_take(struct call_stage *c, const struct sip_message *m, const struct hit *hits, size_t count);
bool event_may(const struct call_stage *c, struct bytes call_id);
bool event_knows(const struct call_stage *c, const struct sip_message *m);
void event_time(struct call_stage *c, nsec_t at);
void event_forget(struct call_stage *c, struct event *e);

#endif
