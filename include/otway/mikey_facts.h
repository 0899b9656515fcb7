/*
 * mikey_facts: what a MIKEY message says, for people: name and value of each field, and the whole as text. Of keys, and of what
 * is encrypted or signed, lengths alone; of KEMAC nothing inside, even where it is not encrypted. Identities are there: who
 * prints this was asked to.
 */
#ifndef OTWAY_MIKEY_FACTS_H
#define OTWAY_MIKEY_FACTS_H

#include "otway/mikey.h"

#define MIKEY_FACTS 40 /* of one payload */

enum mikey_fact_kind {
	MIKEY_FACT_NUMBER, /* with its meaning in `text`, where it has one */
	MIKEY_FACT_TRUTH,
	MIKEY_FACT_TEXT,   /* text */
	MIKEY_FACT_OCTETS, /* octets that are no secret, in hex */
	MIKEY_FACT_NAME,   /* an identity: octets as they are */
	MIKEY_FACT_TIME
};

struct mikey_fact {
	const char *name; /* "encr", "key_length" */
	enum mikey_fact_kind kind;
	uint64_t number;
	const char *text; /* NULL: none */
	struct bytes octets;
	nsec_t time;
};

/* Of one payload, of the header, of a crypto session; returns how many. Views and texts are borrowed from p, or for ever. */
size_t mikey_facts(const struct mikey_payload *p, struct mikey_fact out[MIKEY_FACTS]);
size_t mikey_facts_header(const struct mikey *m, struct mikey_fact out[MIKEY_FACTS]);
size_t mikey_facts_session(const struct mikey_cs *cs, struct mikey_fact out[MIKEY_FACTS]);

/* A field of p that is itself made of payloads: `n` from 0. Its name and payloads; -1: there is no such field, or it does not
 * decode. Those are TP Data, Ticket Data of a MIKEY base ticket, and Initiator Data. */
long mikey_facts_inside(
	const struct mikey_payload *p, size_t n, const char **name, struct mikey_payload out[MIKEY_PAYLOADS]);

/* The whole as text, a line for each payload, `indent` spaces in front. False: out of memory. */
bool mikey_facts_text(const struct mikey *m, unsigned indent, struct buf *out);

#endif
