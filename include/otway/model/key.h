/*
 * key: a key that a call under warrant needs from a Key Management Service, and what became of it. Between the pipeline and who
 * asks (TS 33.107 7A.7; the messages KEY_WANTED, KEY and REFUSED of the roles).
 */
#ifndef OTWAY_MODEL_KEY_H
#define OTWAY_MODEL_KEY_H

#include "otway/model/step.h"

/* How the set-up says that its keys are made: the protocol of a=key-mgmt (RFC 4567). */
enum key_mgmt { KEY_MGMT_MIKEY, KEY_MGMT_OTWAY_REES };

/* A KMS identity that signalling or administration names, and how we came by it; also the order in which they are asked. */
enum kms_origin {
	KMS_OF_TICKET,         /* within the token of the set-up (IDRkms) */
	KMS_SIGNALLED,         /* a binding seen in a REGISTER or in call signalling, in the configured header */
	KMS_ADMINISTERED,      /* an agreement binds the user, or the user's domain, to it */
	KMS_CONVENTION,        /* kms@domain of the target */
	KMS_NETWORK_DEFAULT,   /* of the network, for a tel: identity whose SIP URI is not known */
	KMS_ORIGINS
};
const char *kms_origin_text(enum kms_origin o); /* "ticket", "signalled", "administered", "convention", "network-default" */

#define KEY_URI_MAX 256
#define KEY_TOKEN_MAX 8192   /* octets of one key management message */
#define KEY_SESSIONS 32      /* crypto sessions of one answer */
#define KEY_CANDIDATES 8
#define KEY_REQUEST_ID 33    /* 32 hex digits and a NUL */

/*
 * What the pipeline asks for, once for each exchange of offer and answer that an answering leg completes. Everything it points
 * at is borrowed until the pipeline's next call; who keeps it uses key_wanted_copy.
 */
struct key_wanted {
	uint64_t number;          /* local, from 1; what an answer refers to */
	uint32_t call;
	uint32_t line;            /* m-line of the token; UINT32_MAX: of the session, for every line */
	uint32_t warrant;         /* local number of the first that takes the call's media: its reference goes along */
	nsec_t at;                /* of the message that completed the exchange */
	enum key_mgmt protocol;
	struct bytes offer;       /* octets of the key management message (base64 off): TRANSFER_INIT, Otway-Rees message 1 */
	struct bytes answer;      /* TRANSFER_RESP, Otway-Rees message 4; empty: the answer carried none */
	struct bytes first_offer, first_answer; /* of the dialog's first exchange, where this one changes keys; else empty */
	struct bytes target;      /* the target's URI as signalled (asserted where there is one) */
	struct bytes target_sip;  /* a SIP URI asserted for the same user where target is a tel: URI; empty: none */
	struct bytes from, to, answered; /* the caller, the intended callee, who answered (the last party of diversions); URIs */
	struct bytes call_id, from_tag, to_tag;
	struct bytes signalled;   /* KMS identity in the configured header, or bound at the target's registration; empty: none */
};

/* A candidate that was asked or passed over. */
struct kms_tried {
	enum kms_origin origin;
	char kms[KEY_URI_MAX];
	enum seal_reason outcome; /* SEAL_NONE: it gave the keys */
};

/* What became of it. Keys are in it: wiped by key_answer_clear. */
struct key_answer {
	uint64_t number;          /* of the key_wanted */
	uint32_t call, line;      /* of the key_wanted */
	nsec_t at;
	char request[KEY_REQUEST_ID]; /* the request's id, as in both audit trails; "" when nobody was asked */
	enum seal_reason reason;  /* SEAL_NONE: keys; else why there are none, KEY_PURGED … KMS_NO_AGREEMENT, NO_KEY */
	bool mismatch;            /* signalling claimed key material that differs from the KMS's; the KMS's stands */
	struct kms_tried tried[KEY_CANDIDATES]; /* in the order of asking; the last gave the answer */
	size_t tried_count;
	struct key_given keys[KEY_SESSIONS]; /* source KEY_KMS */
	size_t key_count;
};

/* The i-th of its views, from 0, in the order they stand in: of offer … signalled. */
#define KEY_WANTED_VIEWS 13
struct bytes *key_wanted_view(struct key_wanted *w, size_t i);

bool key_wanted_copy(const struct key_wanted *w, struct key_wanted *out); /* owned by out; false: out of memory */
void key_wanted_clear(struct key_wanted *w); /* of a copy: wipes and frees */
void key_answer_clear(struct key_answer *a); /* wipes, in place */

#endif
