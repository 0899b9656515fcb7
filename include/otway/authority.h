/*
 * authority: what a KMS decides, without its socket and its disk: users' requests (MIKEY-TICKET, RFC 6043; Otway-Rees, otway_rees.h)
 * and the LI side (xk.h) in, answers out. Users are authenticated by keys shared beforehand, the stand-in for GBA; requests under
 * a certificate (the PK variants of RFC 6043) are answered with an Error "data type not supported".
 *
 * Who may answer a call: the user it is for, and when it was diverted, whom that user's list or the operator's names. Whoever
 * answers is authenticated by a key of its own.
 *
 * Tickets that this KMS makes (mode 1) need it to be resolved (E), are answered (F), fork keys (I) unless told not to; which
 * randoms go into traffic keys (G, H) and who may supply keys (L, M) is as wished. They are for one call (not J): its end ends
 * them. Each is under a key of its own, derived from ticket_key and octets that are kept with the call's record and purged with
 * it: after that nobody can open the ticket, this KMS included. A ticket is resolved at most 32 times.
 * Tickets that a caller makes (mode 3) are under the caller's shared key; once purged they are refused, not unopenable.
 *
 * Replays: a message whose time is more than five minutes off is refused, and one that was answered before; of Otway-Rees, which
 * has no times, a run that was purged or that is not as it was. Asked again for the same run by the same party it gives the same.
 */
#ifndef OTWAY_AUTHORITY_H
#define OTWAY_AUTHORITY_H

#include "otway/base/err.h"
#include "otway/model/key_record.h"
#include "otway/xk.h"

/* A user of this KMS. */
struct kms_user {
	char *identity;      /* URI, as its envelopes and IDR payloads name it */
	uint8_t psk[64];
	size_t psk_len;      /* 16 to 64 */
	char **answerers;    /* who may answer for this user when a call is diverted; URIs, or "*@domain" */
	size_t answerer_count;
};

/* Another operator's LI side, for targets that are at home in its domains. */
struct kms_partner {
	char *client;        /* as `peer` names it */
	char **homes;
	size_t home_count;
};

struct kms_policy {
	char *identity;      /* of this KMS */
	struct kms_user *users;
	size_t user_count;
	char **answerers;    /* the operator's: who may answer for every user (voice mail, announcement) */
	size_t answerer_count;
	struct kms_partner *partners; /* a peer of the LI side that is none of them is of the own network */
	size_t partner_count;
	uint8_t ticket_key[32]; /* what keys of tickets derive from (TPK of mode 1), known to this KMS alone */
	nsec_t keep;         /* a key that nobody reports ended is purged after so long; 0: 24 h */
	nsec_t ticket_life;  /* 0: 24 h */
	bool no_forking;     /* tickets without key forking (the I flag); default with */
};
void kms_policy_clear(struct kms_policy *p); /* wipes, and frees what it points at */

struct authority;

/* Where keys and the log go: key_store.h behind five functions (its contract is theirs), so that a test drives it without a disk. */
struct authority_memory {
	void *arg;
	int (*put)(void *arg, const struct key_record *r, struct err *err);
	int (*find)(void *arg, const struct key_record *like, int (*fn)(void *arg, const struct key_record *r), void *fn_arg,
		    struct err *err);
	int (*purge)(void *arg, const struct key_record *like, nsec_t now, size_t *count, struct err *err);
	int (*purged)(void *arg, const struct key_record *like, struct err *err);
	int (*log)(void *arg, const struct key_event *e, struct err *err);
};

struct authority *authority_new(const struct kms_policy *p, const struct authority_memory *m); /* policy borrowed; NULL: memory */
void authority_free(struct authority *a);

/* A user's MIKEY message (REQUEST_INIT, RESOLVE_INIT) or Otway-Rees message 2: the answer is appended, also where it is an Error
 * message. 0; -1: nothing is answered; err says why, with no identity in it: EXIT_USAGE what came is no message, else memory or
 * log failed, and it may be asked again. Nothing is given that was not stored and logged before. `peer` names the connection in
 * the log. */
int authority_user(struct authority *a, enum key_mgmt protocol, struct bytes in, const char *peer, nsec_t now, struct buf *out,
		   struct err *err);

/*
 * The LI side: by the messages of signalling where they name a run or hold a ticket, else by the dialog, else by the parties (the
 * latest of theirs before `at`). 0 with *out, a failure or keys; -1: memory or log failed (try later), nothing is given.
 * Every release is in the log before it is given. Clear *out.
 * By identity alone, Otway-Rees keys are always given; of MIKEY-TICKET only a ticket's TEKs: what else there is depends on
 * randoms of TRANSFER_INIT and TRANSFER_RESP, which no KMS sees (4.2.2.3 has RANDRr fresh, not that of RESOLVE_INIT). Where the
 * ticket opens but its messages do not authenticate, what was kept of the leg goes before them, and their randoms are taken as
 * claimed: wrong ones give keys that open nothing.
 *   unknown   not of this KMS; no such run; a ticket that does not open or a message that its keys do not verify
 *   purged    what was asked for is over: reported ended, or past its time
 *   refused   no warrant's reference, or the target is no party of what was found
 *   no-agreement   the peer is a partner and the target is not at home with it. A number is at home nowhere: whoever asks by a URI
 *             that has one is no partner, since it would be anybody's of that number
 */
int authority_keys(struct authority *a, const struct xk_request *in, const char *peer, nsec_t now, struct xk_answer *out,
		   struct err *err);

/* A call is over: purges its run by the offer's message, else by the dialog. *purged: how many keys. A ticket that was never
 * resolved is marked, so that it is of no use any more. A partner ends nothing: whose call it is, call_ended does not say. */
int authority_ended(struct authority *a, const struct xk_request *in, const char *peer, nsec_t now, size_t *purged,
		    struct err *err);

#endif
