/*
 * mikey_transfer: Ticket Transfer (RFC 6043 4.2.2, 5.2), what the parties of a call send each other in their offer and answer;
 * and what a third party makes of it: the crypto sessions it sets up, and with the ticket's keys, theirs.
 *
 * Who has no key (the mediation) reads policy, SSRC, ROC and MKI with mikey_read_sessions; who can open the ticket (the KMS)
 * computes key and salt with mikey_session_keys. CS ID joins the two.
 */
#ifndef OTWAY_MIKEY_TRANSFER_H
#define OTWAY_MIKEY_TRANSFER_H

#include "otway/mikey_ticket.h"
#include "otway/model/srtp_key.h"

#define MIKEY_STREAMS   32 /* crypto sessions that are followed */
#define MIKEY_EXCHANGES 16 /* of one call */

/* TRANSFER_INIT or TRANSFER_RESP to be made. */
struct mikey_transfer {
	uint8_t prf, mac, encr; /* prf: of TRANSFER_INIT; its answer repeats it */
	uint32_t csb;           /* the same */
	nsec_t at;
	struct mikey_name initiator, responder; /* of an answer: responder as the KMS gave it back */
	struct bytes randi;                     /* of TRANSFER_INIT; empty: an update */
	struct bytes randr;                     /* of its answer where the ticket has G */
	struct bytes rand_kms;                  /* of its answer where keys are forked */
	const struct mikey_payload *policies;   /* SP payloads */
	size_t policy_count;
	struct bytes map; /* GENERIC-ID, of mikey_session_add; empty: none */
	uint8_t cs_count;
	const struct mikey_payload *ticket;  /* of TRANSFER_INIT */
	const struct mikey_secrets *secrets; /* initiator: not forked; responder: as RESOLVE_RESP gave them */
	const struct mikey_keys *keys;       /* supplied by who sends (L, M); NULL: none */
};

/* Initiator Data is added where the ticket forks keys. */
bool mikey_transfer_make(const struct mikey_transfer *t, struct buf *out, struct err *err);
/* The responder, once it has MPKi: V, and with forking Vi beside it. */
bool mikey_transfer_verify(const struct mikey *init, const struct mikey_secrets *s, const struct mikey_parties *known);
bool mikey_transfer_answer(const struct mikey *init, const struct mikey_transfer *t, struct buf *out, struct err *err);
/* The initiator (or KMS), with secrets that are not forked: verified, and *out as they are now forked. */
bool mikey_transfer_answered(const struct mikey *resp, const struct mikey *init, const struct mikey_secrets *s,
	struct mikey_secrets *out, struct err *err);

/* One exchange of a call. resp NULL: not seen, or never sent. */
struct mikey_exchange {
	const struct mikey *init, *resp;
};

/* A message of an update (RFC 6043 5.2), of either side; `first` is the exchange with the ticket, s of who knows MPKi or MPKr'. */
bool mikey_update_make(
	const struct mikey_transfer *t, const struct mikey_exchange *first, struct buf *out, struct err *err);
bool mikey_update_answer(const struct mikey *init, const struct mikey_transfer *t, const struct mikey_exchange *first,
	struct buf *out, struct err *err);
/* Either message; init: NULL when m is the TRANSFER_INIT of the update. */
bool mikey_update_verify(const struct mikey *m, const struct mikey *init, const struct mikey_exchange *first,
	const struct mikey_secrets *s, const struct mikey_parties *known);

/* Why a crypto session has no key. */
enum mikey_lack {
	MIKEY_KEYED,
	MIKEY_NOT_ASKED,    /* of mikey_read_sessions: nobody tried */
	MIKEY_NOT_SRTP,     /* another security protocol */
	MIKEY_NO_SUCH_KEY,  /* no key of that SPI, or several and no SPI */
	MIKEY_WANTS_RANDI,  /* TRANSFER_INIT would be needed (H) */
	MIKEY_WANTS_RANDR,  /* TRANSFER_RESP would be needed (G) */
	MIKEY_WANTS_FORK,   /* IDRr and RANDRkms of TRANSFER_RESP would be needed (I) */
	MIKEY_WRONG_LENGTH, /* the key sent is not as long as the policy wants it */
	MIKEY_LACKS
};
const char *mikey_lack_text(enum mikey_lack l); /* "keyed", "no-such-key", … */

/* A crypto session as the exchanges leave it. Wiped by mikey_streams_clear. */
struct mikey_stream {
	uint8_t cs, protocol;
	bool has_ssrc, has_roc;
	uint32_t ssrc, roc;
	uint16_t seq;
	uint8_t key_len, salt_len; /* octets of master key and salt, by the policy */
	struct srtp_key key; /* suite, MKI (SPI) and what is not encrypted; key and salt when lack is MIKEY_KEYED */
	enum mikey_lack lack;
};
void mikey_streams_clear(struct mikey_stream *s, size_t count);

/*
 * What the exchanges of a call say of its crypto sessions, the first with the ticket, then updates, in their order: what comes
 * later stands. No key is needed. In the order in which they were set up; returns how many.
 */
size_t mikey_read_sessions(const struct mikey_exchange *e, size_t count, struct mikey_stream out[MIKEY_STREAMS]);

/* The suite of an SP payload of SRTP (RFC 3830 6.10.1, RFC 7714 15): in out and the lengths. What is not said has SRTP's default. */
void mikey_suite_read(struct bytes params, struct srtp_key *out, uint8_t *key_len, uint8_t *salt_len);

/* What is known of a call by who computes its keys. */
struct mikey_call {
	const struct mikey_exchange *exchanges; /* may be none */
	size_t count;
	const struct mikey_payload *ticket; /* NULL: that of the first TRANSFER_INIT */
	const struct mikey_parties *known;  /* for messages without identities; may be NULL */
	/* Remembered by the KMS itself, for messages that nobody saw; empty: not known. */
	struct bytes randi, randr, answered, rand_kms;
	/* Exchanges that do not authenticate: of them only the crypto sessions are believed, where no other message has a map. */
	const struct mikey_exchange *claimed;
	size_t claimed_count;
	/* CS IDs 1 to this, with the suite that is the default, where no message has a map. */
	uint8_t sessions;
};

/*
 * The keys of a call (standards: TS 33.107 7A.7, RFC 6043 5.1): `s` from mikey_ticket_open, not forked. Every message that can be
 * verified is, and one that does not authenticate makes the whole fail. *verified: all of them were. Sessions whose key is not to
 * be had are there too, with what lacks.
 */
bool mikey_session_keys(const struct mikey_secrets *s, const struct mikey_call *call,
	struct mikey_stream out[MIKEY_STREAMS], size_t *count, bool *verified, struct err *err);

#endif
