/*
 * identity: a subscriber as SIP names one, in the canonical form that targets are compared in.
 * RFC 3261 19.1.4 and RFC 3966 4 are too strict for a target (one-sided parameters, ports), so both are
 * reduced first: scheme sip, host in lower case, no port, no parameter but a phone-context, unreserved
 * escapes decoded, the user part with its case; a number without its visual separators.
 */
#ifndef OTWAY_MODEL_IDENTITY_H
#define OTWAY_MODEL_IDENTITY_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"

#define IDENTITY_MAX 256 /* octets of a canonical form; a longer one is no subscriber of ours */

/* Up to two keys, empty where there is none. It wipes itself in identity_clear. */
struct identity {
	char uri[IDENTITY_MAX];  /* "sip:bob@ims.example", "tel:1234;phone-context=ims.example", "urn:gsma:imei:35…" (14 digits) */
	char number[40];         /* "+15550101": global numbers of tel, of user=phone, and of a user part that is one */
};

/*
 * The canonical form of a URI (no display name, no angle brackets). False when it names no one: not a sip,
 * sips, tel or IMEI URI, no user part, or too long. A number is local unless it begins with "+", or with
 * "00" in a tel URI or beside user=phone, or has a global phone-context (RFC 3966 5.1.5).
 */
bool identity_parse(struct bytes uri, struct identity *out);

/* The same subscriber: both have a number and it is equal, or both have a URI and it is equal. */
bool identity_same(const struct identity *a, const struct identity *b);

/*
 * What a warrant may name: one subscriber. Refuses (EXIT_REFUSED) a URI without a user part, a wildcard
 * (* ! or %2a in a user part that is not a number with hex digits, RFC 3966), a prefix, a bare domain, several
 * values, a password, a control character, a local tel number without its phone-context; EXIT_USAGE what is no URI at all. err names the field and never the value.
 */
int identity_target(struct bytes uri, struct identity *out, struct err *err);

void identity_clear(struct identity *id);

#endif
