/*
 * msg: what roles say to each other: the kinds of messages, and their octets. Both ends are the same program on the same machine, but
 * not the same trust: whatever comes in is checked as foreign octets are.
 *
 * Each msg_put appends a body to out (false: out of memory, or too long for one message); each msg_get reads one (false: it is none).
 * What msg_get gives points into `in` and into `room`, and lives as long as both.
 */
#ifndef OTWAY_MODEL_MSG_H
#define OTWAY_MODEL_MSG_H

#include "otway/model/agreement.h"
#include "otway/model/gap.h"
#include "otway/model/key.h"
#include "otway/model/packet.h"
#include "otway/model/record.h"
#include "otway/model/step.h"
#include "otway/model/warrant.h"

#define MSG_MAX ((size_t)256 << 10) /* octets of one body: two IP packets and what is said of them */

enum msg_type {
	/* supervise and every role */
	MSG_START = 1,     /* → role, the first it gets: who it is and what it needs (daemon/role.h) */
	MSG_READY,         /* ← confined, and at work; empty */
	MSG_PING,          /* → each second; empty */
	MSG_ALIVE,         /* ← from the loop's turn, in answer: msg_time: what came before was handed on, a gap would begin there */
	MSG_RELOAD,        /* → the configuration's text, anew */
	MSG_STOP,          /* → finish in good order, and exit; empty */
	MSG_PEER_UP,       /* → everybody: a role was started again: msg_peer */
	MSG_RENEW,         /* ← intercept: start me anew, an interface came back that I may not open any more: I end by myself; empty */

	/* control → intercept 0, keys, delivery: a whole table; each sees of it only what it needs */
	MSG_TABLE_BEGIN,   /* empty; what came before and was not ended is forgotten */
	MSG_WARRANT,       /* msg_warrant */
	MSG_AGREEMENT,     /* msg_agreement; keys only */
	MSG_TABLE_END,     /* msg_lease: from here on the table holds */
	MSG_LEASE,         /* msg_lease: the table that holds was found to be right again */

	/* between intercepts */
	MSG_SIGNAL,        /* front → 0: a whole SIP message: msg_datagram */
	MSG_MARK,          /* front → 0: everything until then was looked at; → delivery: and told: msg_time */
	MSG_STEP,          /* 0 → fronts: STEP_COVER, PLACE, KEY, CLOSE (OPEN and CLOSE): msg_step */
	MSG_ESP,           /* 0 → fronts: ESP that is not encrypted: msg_esp */
	MSG_ANEW,          /* 0 → fronts: all that is open is told from here on; empty */
	MSG_ANEW_END,      /* 0 → fronts: that was all: a call that was told before, and not again since, is over; empty */
	MSG_FORWARD,       /* front → the owner of a flow: msg_datagram; or a fragment, as a datagram whose packet is all there is */

	/* intercept → delivery, and back */
	MSG_RECORD,        /* msg_record */
	MSG_GAP,           /* msg_gap; from supervise and control too, through intercept 0's or their own port */
	MSG_HELD,          /* a packet that waits for a key beyond what memory may hold: msg_held */
	MSG_HELD_WANTED,   /* its key is there, or will not come: msg_call; UINT32_MAX: of every call */
	MSG_HELD_BACK,     /* ← one of them, in order: msg_held */
	MSG_HELD_END,      /* ← no more are there: msg_call */

	/* intercept 0 and keys */
	MSG_KEY_WANTED,    /* msg_key_wanted */
	MSG_KEY,           /* ← keys, or why there are none: msg_key_answer */
	MSG_CALL_OVER,     /* msg_call */

	/* every intercept and keys: what the one that follows must know; sealed, so that nobody in between can read it */
	MSG_CHECKPOINT,    /* keep this: msg_checkpoint */
	MSG_CHECKPOINT_DROP, /* and this no more: msg_checkpoint without octets */
	MSG_RESUME,        /* give me all that is kept for me; empty, or any octets: then they come back in a MSG_RESUME before the first and in
			    * MSG_RESUME_END, so that what was on its way to one that died is told from what was asked for */
	MSG_RESUMED,       /* ← one of them, in the order of their numbers: msg_checkpoint */
	MSG_RESUME_END,    /* ← that was all */

	/* keys, delivery, supervise and control */
	MSG_AUDIT,         /* write this before I act: msg_audit */
	MSG_AUDITED,       /* ← it is written, or cannot be: msg_audited */

	/* every role → control */
	MSG_COUNTS,        /* each second: msg_count, one by one; "interface eth1 dropped" is a name like any other */
	MSG_ACTIVE,        /* intercept 0: how many calls of each warrant there are: msg_active */
	MSG_ALARM,         /* msg_alarm: begins, or is over. To supervise: why I cannot start */
	MSG_TYPES
};
const char *msg_type_text(enum msg_type t);

/* Views that msg_get hands out need room for arrays and texts: freed (and wiped) by msg_room_clear; used again by the next msg_get. */
struct msg_room {
	struct buf octets;
};
void msg_room_clear(struct msg_room *r);

enum role { ROLE_SUPERVISE, ROLE_CONTROL, ROLE_INTERCEPT, ROLE_KEYS, ROLE_DELIVERY, ROLES };
const char *role_text(enum role r); /* "supervise" … */

struct msg_peer {
	enum role role;
	uint32_t index;
	nsec_t down; /* wall clock: when it was last known to be alive */
};
bool msg_put_peer(struct buf *out, const struct msg_peer *p);
bool msg_get_peer(struct bytes in, struct msg_peer *p);

bool msg_put_time(struct buf *out, nsec_t at);
bool msg_get_time(struct bytes in, nsec_t *at);
bool msg_put_call(struct buf *out, uint32_t call);
bool msg_get_call(struct bytes in, uint32_t *call);

/* seen: when the store was last found to hold this table (wall clock); until: nothing of it holds after that. */
struct msg_lease {
	nsec_t seen, until;
};
bool msg_put_lease(struct buf *out, const struct msg_lease *l);
bool msg_get_lease(struct bytes in, struct msg_lease *l);

/* identities: intercept; papers (LIID, agency, authority): delivery. Neither: keys, with liid only. What is left out reads as empty. */
bool msg_put_warrant(struct buf *out, const struct warrant *w, bool identities, bool liid, bool papers);
bool msg_get_warrant(struct bytes in, struct warrant *w); /* owned by w: warrant_clear */
bool msg_put_agreement(struct buf *out, const struct kms_agreement *a);
bool msg_get_agreement(struct bytes in, struct kms_agreement *a); /* owned by a */

/* Payload lies within packet, as in every datagram; of one that has no payload (a fragment) its `at` is NULL. */
bool msg_put_datagram(struct buf *out, const struct datagram *d);
bool msg_get_datagram(struct bytes in, struct datagram *d);

bool msg_put_step(struct buf *out, const struct step *s); /* COVER, PLACE, KEY, CLOSE only; others: false */
bool msg_get_step(struct bytes in, struct step *s);

bool msg_put_esp(struct buf *out, const struct addr *dst, uint32_t spi, uint8_t icv);
bool msg_get_esp(struct bytes in, struct addr *dst, uint32_t *spi, uint8_t *icv);

/* SIP, EVENT, CALL, MEDIA. The key of a media packet never goes along, only its print (srtp_key_print, made here unless it is one): enough to
 * find it in signalling and remove it there; with it suite, source and what is unencrypted. Texts that may not be NULL and are, come back
 * as "". */
bool msg_put_record(struct buf *out, const struct record *r);
bool msg_get_record(struct bytes in, struct record *r, struct datagram *sip, struct msg_room *room);

bool msg_put_gap(struct buf *out, const struct gap *g);
bool msg_get_gap(struct bytes in, struct gap *g);

struct msg_held {
	uint32_t call;
	struct datagram datagram;
};
bool msg_put_held(struct buf *out, const struct msg_held *h);
bool msg_get_held(struct bytes in, struct msg_held *h);

bool msg_put_key_wanted(struct buf *out, const struct key_wanted *w);
bool msg_get_key_wanted(struct bytes in, struct key_wanted *w);
bool msg_put_key_answer(struct buf *out, const struct key_answer *a);
bool msg_get_key_answer(struct bytes in, struct key_answer *a); /* key_answer_clear */

#define MSG_CHECKPOINT_WHOLE UINT64_MAX /* the number of one that says: what was left is all there; gone when something was not kept */
struct msg_checkpoint {
	uint64_t number; /* the same again: replaces */
	struct bytes sealed;
};
bool msg_put_checkpoint(struct buf *out, const struct msg_checkpoint *c);
bool msg_get_checkpoint(struct bytes in, struct msg_checkpoint *c);

/* As store_audit has it; detail: a JSON object. number: what the answer refers to; 0: none is wanted. */
struct msg_audit {
	uint64_t number;
	const char *act, *subject, *detail;
};
bool msg_put_audit(struct buf *out, const struct msg_audit *a);
bool msg_get_audit(struct bytes in, struct msg_audit *a);
bool msg_put_audited(struct buf *out, uint64_t number, bool written);
bool msg_get_audited(struct bytes in, uint64_t *number, bool *written);

/* gauge: a height, not a sum. name: lower case, digits, "_"; of: an interface or "", never anybody's name. */
struct msg_count {
	const char *name, *of;
	uint64_t value;
	bool gauge;
};
bool msg_put_count(struct buf *out, const struct msg_count *c);
bool msg_get_count(struct bytes in, struct msg_count *c);

struct msg_active {
	uint32_t warrant; /* local number; UINT32_MAX: the table of them begins anew */
	uint32_t calls;
};
bool msg_put_active(struct buf *out, const struct msg_active *a);
bool msg_get_active(struct bytes in, struct msg_active *a);

enum alarm {
	ALARM_STORE,     /* it is away, or another one answers */
	ALARM_LEASE,     /* and has been for longer than the lease: nothing is intercepted */
	ALARM_DISK,      /* case folders cannot be written */
	ALARM_INTERFACE, /* down or away */
	ALARM_DROPS,     /* packets were dropped */
	ALARM_KMS,       /* a KMS refuses, or does not answer */
	ALARM_CLOCK,     /* it jumped, in the last minute */
	ALARM_ROLE,      /* a role keeps dying */
	ALARM_AUDIT,     /* the trail cannot be written */
	ALARM_CONFIG,    /* the configuration that was to be loaded is not right; the old one holds */
	ALARM_ROOM,      /* what is kept for a process that follows is more than may be kept */
	ALARMS
};
const char *alarm_text(enum alarm a); /* "store" … */
struct msg_alarm {
	enum alarm alarm;
	bool on;
	char of[GAP_WHERE]; /* which: an interface, "agreement 2", a role; or "" */
	const char *text;   /* for people: whose fault it is, and what to do */
};
bool msg_put_alarm(struct buf *out, const struct msg_alarm *a);
bool msg_get_alarm(struct bytes in, struct msg_alarm *a);

#endif
