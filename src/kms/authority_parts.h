/*
 * authority_parts: what the files of the authority share.
 */
#ifndef OTWAY_KMS_AUTHORITY_PARTS_H
#define OTWAY_KMS_AUTHORITY_PARTS_H

#include "otway/authority.h"
#include "otway/model/identity.h"

/* How long a message may be on its way, and how far a user's clock may be off. */
#define AUTHORITY_SKEW (300 * NSEC_PER_SEC)

/* A user beside its identity in canonical form, in rising order of it. */
struct known_user {
	struct identity id;
	const struct kms_user *user;
};

struct authority {
	const struct kms_policy *policy;
	struct authority_memory memory;
	struct known_user *users;
	size_t user_count;
};

/* --- authority_party.c: who is who ---
 * The canonical form of a URI, or of a NAI, which is taken for the sip: URI of the same text. */
bool authority_party(struct bytes id, struct identity *out);
/* The same user: equal octets, or equal canonical URIs (a number alone is not enough to act as somebody). */
bool authority_same(struct bytes a, struct bytes b);
/* The same subscriber as a warrant understands it: a number is enough. */
bool authority_meant(struct bytes target, struct bytes party);
const struct kms_user *authority_user_of(const struct authority *a, struct bytes id); /* NULL: not ours */
/* Whether r may answer a call that is for b. */
bool authority_may_answer(const struct authority *a, struct bytes r, struct bytes b);
/* Another operator whose LI side this is; NULL: it is the own network's. */
const struct kms_partner *authority_partner(const struct authority *a, const char *peer);
bool authority_at_home(const struct kms_partner *p, struct bytes target);
/* Whether an identity of a KMS, or none, means this one. */
bool authority_is_us(const struct authority *a, struct bytes kms);

/* --- authority_recall.c: what was kept --- */
enum kept_kind {
	KEPT_REES = 'O',   /* a leg of Otway-Rees: root, Na, Nr, message 2 */
	KEPT_TICKET = 'T', /* a ticket that was made here: the octets its key derives from */
	KEPT_LEG = 'M',    /* a ticket that was resolved: RANDRkms, RESOLVE_INIT */
	KEPT_CHOICE = 'X', /* which leg a request by identity was answered with: its handle */
	KEPT_END = 'E'     /* a ticket that was reported ended */
};

#define KEPT_MAX 64

/* A record's secret, copied: its kind, then what the kind says. */
struct kept {
	nsec_t made, until;
	struct buf secret;
};

struct kept_list {
	struct kept at[KEPT_MAX]; /* oldest first; of more the newest */
	size_t count;
	bool purged; /* some of it, or all, is over */
};

/* What fits and is not past its time. 0; -1: err. Clear *out. */
int authority_recall(
	struct authority *a, const struct key_record *like, nsec_t now, struct kept_list *out, struct err *err);
void authority_forget(struct kept_list *list);
struct bytes authority_kept(const struct kept *k); /* the secret behind its kind */

nsec_t authority_keep_for(const struct authority *a); /* how long a record is good */
/* Puts a record of that kind; its secret from parts. `r` has everything but times and secret. */
int authority_keep(struct authority *a, struct key_record r, enum kept_kind kind, const struct bytes *parts,
	size_t count, nsec_t now, struct err *err);

int authority_log(struct authority *a, const char *act, const char *request, const char *peer, struct bytes warrant,
	const char *outcome, nsec_t now, struct err *err);

/* --- authority_choose.c: a leg by identity --- */
struct parties {
	struct bytes a, b, r; /* views into what was kept */
};
bool authority_parties(const struct kept *k, struct parties *out);
bool authority_is_party(struct bytes target, const struct parties *p);
/* The leg of that kind that a request by identity means: of its dialog, else of its parties. An enum xk_failure, or -1. Clear
 * out->secret. */
int authority_choose(struct authority *a, const struct xk_request *in, enum kept_kind kind, bool dialog_only,
	nsec_t now, struct kept *out, struct err *err);

/* --- authority_rees.c, authority_rees_keys.c --- */
int authority_rees(
	struct authority *a, struct bytes in, nsec_t now, struct buf *out, const char **outcome, struct err *err);
/* A kept leg apart; false: it is none. */
struct rees_leg {
	const uint8_t *root;
	struct bytes na, nr, request;
};
bool authority_rees_leg(const struct kept *k, struct rees_leg *out);
void authority_rees_handle(struct bytes m, struct bytes r, struct buf *out);
void authority_rees_run(struct bytes m, struct buf *out);
int authority_rees_keys(
	struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out, struct err *err);

/* --- authority_mikey.c: a user's message of MIKEY-TICKET ---
 * Who sent it, that it is fresh, and what becomes of it: authority_request.c, authority_resolve.c. */
struct mikey;
struct mikey_payload;
struct mikey_policy;
struct mikey_secrets;
struct mikey_asked {
	const struct mikey *m;
	const struct kms_user *user; /* authenticated */
	struct bytes psk;
	uint8_t id_kind;
	struct bytes id; /* as the message names the user, else as we do */
	uint8_t mac;     /* of its V */
};
#define MIKEY_GIVEN -2 /* answered; else an enum mikey_error to answer with, or -1 */
int authority_mikey(struct authority *a, struct bytes in, nsec_t now, struct buf *out, const char **act,
	const char **outcome, struct err *err);
int authority_request(struct authority *a, const struct mikey_asked *q, nsec_t now, struct buf *out, struct err *err);
int authority_resolve(struct authority *a, const struct mikey_asked *q, nsec_t now, struct buf *out, struct err *err);
/* What a record that a message made is found by: no message is answered twice. */
void authority_mikey_handle(struct bytes message, struct buf *out);

/* --- authority_ticket.c: tickets --- */
#define TICKET_SECRET 32 /* octets that the key of a ticket derives from */
bool authority_ticket_key(const struct authority *a, struct bytes secret, uint8_t tpk[32]);
/* Everything that a ticket's MAC covers, hashed: the same in every message that carries it. */
void authority_ticket_run(const struct mikey_payload *ticket, struct buf *out);
/* Of a message that carries one; nothing where there is none. */
void authority_ticket_run_of(struct bytes message, struct buf *out);
/* Opens a ticket that was made here, or by the user it names. An enum xk_failure, or -1. Clear *out. */
int authority_ticket_open(struct authority *a, const struct mikey_payload *ticket, const struct mikey_policy *policy,
	nsec_t now, struct mikey_secrets *out, struct err *err);
#define RAND_KMS 16
/* A leg that was resolved, apart. */
struct ticket_leg {
	struct bytes rand_kms, resolve;
};
bool authority_ticket_leg(const struct kept *k, struct ticket_leg *out);
bool authority_ticket_parties(const struct kept *k, struct parties *out);

/* --- authority_ticket_keys.c --- */
int authority_ticket_keys(
	struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out, struct err *err);

#endif
