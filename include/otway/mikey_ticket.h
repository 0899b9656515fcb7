/*
 * mikey_ticket: tickets of MIKEY-TICKET (RFC 6043) and the two exchanges with a KMS: a ticket requested, a ticket resolved.
 * The exchange between the parties of a call is in mikey_transfer.h.
 *
 * Messages are made and taken by plain functions. `psk` is the key that a user shares with the KMS, or the envelope key of the
 * public-key variants, whose PKE and SIGN payloads are the caller's. Randoms and times are handed in. In what is made, identities
 * are always there; where a message came without, mikey_parties says who is meant.
 */
#ifndef OTWAY_MIKEY_TICKET_H
#define OTWAY_MIKEY_TICKET_H

#include "otway/mikey_keys.h"

#define MIKEY_NAMES 16 /* responders or applications of one policy */

/* An identity as ID payloads have it. data empty: none. */
struct mikey_name {
	uint8_t kind; /* enum mikey_id */
	struct bytes data;
};

/* Who is meant where a message leaves an identity out: what a MAC then covers (RFC 6043 5.5). */
struct mikey_parties {
	struct bytes initiator, responder, kms;
};

/* A Ticket Policy: wished for (TP), or granted (TICKET). Names are views. */
struct mikey_policy {
	uint16_t type;            /* 1 MIKEY base ticket, 2 3GPP base ticket */
	uint8_t subtype, version; /* 1 and 1 of the MIKEY base ticket */
	uint8_t prf;              /* of forking and of the ticket's own keys */
	uint16_t flags;           /* enum mikey_flag */
	struct mikey_name kms, initiator;
	nsec_t start, end; /* NSEC_NONE: no beginning, no end */
	uint32_t rekey;    /* seconds; 0: not said */
	struct mikey_name apps[MIKEY_NAMES], responders[MIKEY_NAMES];
	size_t app_count, responder_count;
};

/* Of a TP or TICKET payload. `wanted` (may be NULL): the keys that a TP asks for, all zeroes but for kind, lengths and SPI. */
bool mikey_policy_read(
	const struct mikey_payload *p, struct mikey_policy *out, struct mikey_keys *wanted, struct err *err);
/* Appends TP Data; `wanted` as above, or NULL. */
bool mikey_policy_write(const struct mikey_policy *p, const struct mikey_keys *wanted, struct buf *out);
/* False: at that time the ticket is not yet, or no longer, good. */
bool mikey_policy_valid(const struct mikey_policy *p, nsec_t at);

/* What a party of a transfer holds. Of the KMS and the initiator: not forked; of the responder: MPKr' and TGK'. */
struct mikey_secrets {
	struct mikey_key mpki, mpkr;
	bool has_mpkr;          /* there are two: keys are forked */
	struct mikey_keys keys; /* TEK, TGK, GTGK */
};
void mikey_secrets_clear(struct mikey_secrets *s); /* wipes */
/* MPKr' and TGK' for who answered; the rest as it is. in and out may be the same. */
bool mikey_secrets_fork(const struct mikey_secrets *in, uint8_t ticket_prf, struct bytes idr, struct bytes rand_kms,
	struct mikey_secrets *out);

/* A MIKEY base ticket to be made (RFC 6043 A): by the KMS (D), or by the initiator (mode 3: no D, L). */
struct mikey_ticket_new {
	const struct mikey_policy *policy;
	nsec_t at;
	struct bytes rand; /* as long as the longest of TPK and MPK, at least */
	uint8_t encr, mac;
	const struct mikey_keys *keys; /* the first is the MPK */
	struct mikey_name psk;         /* tells which TPK; may be none */
};
/* Appends a whole TICKET payload, without Initiator Data: mikey_inside(…, MIKEY_TICKET, …) gives it as payload. */
bool mikey_ticket_seal(const struct mikey_ticket_new *t, struct bytes tpk, struct buf *out, struct err *err);
/* Verifies a ticket and takes its keys out. */
bool mikey_ticket_open(
	const struct mikey_payload *ticket, struct bytes tpk, struct mikey_secrets *out, struct err *err);
/* Which TPK the ticket names; none: it does not. False: not a MIKEY base ticket, or malformed. */
bool mikey_ticket_psk(const struct mikey_payload *ticket, struct mikey_name *out, struct err *err);
/* Is Initiator Data of who holds MPKr? (RFC 6043 6.10, Vr) */
bool mikey_ticket_initiator(const struct mikey_payload *ticket, struct bytes mpkr);

/* Ticket Request, by the initiator. */
struct mikey_request {
	uint8_t prf, mac;
	uint32_t csb;
	nsec_t at;
	struct bytes randi;
	struct mikey_name initiator, kms, psk;
	const struct mikey_policy *wish;
	const struct mikey_keys *wanted; /* NULL: what the KMS gives by default */
};
bool mikey_request_make(const struct mikey_request *r, struct bytes psk, struct buf *out, struct err *err);

/* REQUEST_INIT_PSK and RESOLVE_INIT_PSK: is it of who holds psk? `known` may be NULL. */
bool mikey_request_verify(const struct mikey *m, struct bytes psk, const struct mikey_parties *known);

/* What a KMS answers with. */
struct mikey_grant {
	uint8_t encr, mac;
	nsec_t at;
	struct mikey_name kms;
	const struct mikey_secrets *secrets; /* not forked */
	struct bytes ticket;                 /* of mikey_ticket_seal; REQUEST_RESP alone */
	struct mikey_name answered;          /* who resolved it, as the ticket knows it; RESOLVE_RESP with forking */
	struct bytes rand_kms;               /* the same */
};
bool mikey_request_answer(
	const struct mikey *init, struct bytes psk, const struct mikey_grant *g, struct buf *out, struct err *err);
/* The initiator takes the answer: verified, the keys out. The ticket is the TICKET payload of resp. */
bool mikey_request_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk,
	struct mikey_secrets *out, struct err *err);

/* Ticket Resolve, by the responder. */
struct mikey_resolve {
	uint8_t prf, mac;
	uint32_t csb;
	nsec_t at;
	struct bytes randr;
	struct mikey_name responder, kms, psk;
	const struct mikey_payload *ticket; /* of TRANSFER_INIT, with its Initiator Data */
};
bool mikey_resolve_make(const struct mikey_resolve *r, struct bytes psk, struct buf *out, struct err *err);
/* Verifies Initiator Data and forks where the ticket asks for it (I). init is verified before, and its ticket opened. */
bool mikey_resolve_answer(
	const struct mikey *init, struct bytes psk, const struct mikey_grant *g, struct buf *out, struct err *err);
/* The responder takes the answer: keys, and what forked them, to be sent on in TRANSFER_RESP. */
bool mikey_resolve_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk,
	struct mikey_secrets *out, struct mikey_name *answered, struct bytes *rand_kms, struct err *err);

/*
 * An Error message about m (RFC 6043 5.4), signed as m was when `key` is the key that protects it (`init`: what m answered, or
 * NULL); without a key it is not authenticated.
 */
bool mikey_error_make(const struct mikey *m, const struct mikey *init, enum mikey_error number, nsec_t at,
	struct bytes key, struct buf *out);

#endif
