/*
 * parts: what the files of this folder share. A message is taken apart in views of its own text, since evidence
 * must say where a value stood; libosip2, which copies, judges whether it is well-formed.
 */
#ifndef OTWAY_SIP_PARTS_H
#define OTWAY_SIP_PARTS_H

#include "otway/model/sip_message.h"

/* text.c: lines, lists and parameters. Each is linear in its octets, whatever they hold. */

/* The next line without its end (CRLF, LF or CR); *rest moves behind it. *ended (may be NULL): an end was there. */
struct bytes line_next(struct bytes *rest, bool *ended);

/* A comma-separated list; commas in quoted strings and angle brackets part nothing. */
struct list {
	struct bytes rest;
	bool no_quotes, no_angles; /* one never closes: it and those behind it stand for themselves */
};
bool list_next(struct list *l, struct bytes *item);
/* Behind the quoted string or bracketed URI at `at`; at + 1 where there is none, or it never closes. */
size_t list_skip(struct list *l, struct bytes text, size_t at);

/* The value of a ";name=value" parameter, quotes off; empty when it has none. False: not there. */
bool param_find(struct bytes params, const char *name, struct bytes *value);

/* header.c: header fields by name, long and compact. */
enum field {
	FIELD_OTHER,
	FIELD_CALL_ID,
	FIELD_CONTENT_LENGTH,
	FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_TRANSFER,
	FIELD_CSEQ,
	FIELD_EXPIRES,
	FIELD_VIA,
	FIELD_SESSION_ID,
	FIELD_CHARGING_VECTOR,
	FIELD_REPLACES,
	FIELD_FROM, /* from here on: fields that name parties */
	FIELD_TO,
	FIELD_ASSERTED,
	FIELD_PREFERRED,
	FIELD_REMOTE_PARTY,
	FIELD_CALLED_PARTY,
	FIELD_SERVED_USER,
	FIELD_DIVERSION,
	FIELD_HISTORY,
	FIELD_CONTACT,
	FIELD_ASSOCIATED,
	FIELD_REFER_TO,
	FIELD_REFERRED_BY,
	FIELDS
};

struct header {
	enum field field;
	struct bytes name, value; /* value: trimmed; its foldings are still in it, as white space */
};

/* The next header field of *rest. False at the empty line (*rest is the body then) or at the end. With `cut`, a
 * line without an end is one that the capture cut, and is left out. */
bool header_next(struct bytes *rest, bool cut, struct header *out);

/* start.c: what begins a message. */
struct start_line {
	bool request;
	struct bytes method, uri;
	uint16_t status;
};
/* False: not SIP. *rest: behind the line; *from: the line and all behind it, CRLFs before it off. */
bool start_line_read(struct bytes payload, struct start_line *out, struct bytes *from, struct bytes *rest);

/* party.c: the parties that a header field (or the Request-URI) names, appended to m. */
void party_request_uri(struct sip_message *m, struct bytes uri);
void party_header(struct sip_message *m, enum field field, struct bytes value);
/* The URI of "name <uri>;params" or "uri;params"; *params: behind it. */
struct bytes party_uri(struct bytes item, struct bytes *params);

/* codings.c: what a body, or a part of one, says of itself. */
struct part {
	struct bytes type;     /* Content-Type */
	struct bytes transfer; /* Content-Transfer-Encoding */
	struct bytes encoding; /* Content-Encoding */
	struct bytes body;     /* as it stands */
};

#define UNPACKED_MAX ((size_t)256 << 10) /* octets that all codings of a message may unpack to together */
#define CODINGS_MAX  8                   /* codings within each other */

/* All zeroes, then codings_begin for each message. */
struct codings {
	struct buf undone[CODINGS_MAX]; /* what each coding in use gave: views are borrowed from here */
	unsigned int used;
	size_t left; /* of UNPACKED_MAX */
};
void codings_begin(struct codings *c);
/* *body: as its sender wrote it. False: it is broken, or unpacks to too much. A coding that is not known is left as it is. */
bool codings_undo(struct codings *c, const struct part *p, struct bytes *body);
void codings_clear(struct codings *c); /* wipes what it held */

/* message.c: a whole message. */
struct reading {
	struct sip_message *message;
	const char *kms_header; /* or NULL */
	bool bad;               /* numbers in it are none, or its lengths contradict it */
	bool sdp_bad;
	bool cseq_seen, via_seen, length_seen;
	size_t length;           /* Content-Length */
	struct part whole;       /* the body */
	struct codings *codings; /* the stage's: holds what came coded, and what the SDP's views borrow */
};
/* False: not SIP, or too little of it to follow a call. */
bool message_read(const struct datagram *in, struct reading *r);
/* Ready for the next; what the last one held is wiped. */
void message_clear(struct sip_message *m);

/* body.c: the first SDP of a body, within multipart bodies too (RFC 2046 5.1), however it is coded. */
bool body_sdp(const struct part *whole, struct codings *c, struct bytes *sdp);

/* parse.c: the judgement of libosip2. Neither has a memory. */
void parse_init(void);
bool parse_accepts(struct bytes message);

/* media_desc.c: what an SDP says. `cut`: its last line may be half a line. False: it is malformed, and said what it could. */
bool media_desc_read(struct bytes sdp, bool cut, struct media_desc *out);
void media_desc_clear(struct media_desc *d);

#endif
