/*
 * recognise: what the first octets of a segment are. Reads one line of most SIP, a few octets of most else, and looks
 * into a segment only when it is text.
 */
#ifndef OTWAY_SIP_RECOGNISE_H
#define OTWAY_SIP_RECOGNISE_H

#include "otway/base/bytes.h"

enum start {
	START_NO,
	START_MAYBE,  /* too short to tell, nothing speaks against it */
	START_LIKELY, /* the line goes on beyond the view, but has a method and a SIP URI, or the version */
	START_YES     /* a whole request line or status line (RFC 3261 7.1, 7.2) */
};

#define START_LINE_MAX 16384 /* a longer start-line is none */

/* Does a start-line begin the view? `from`: octets known to hold no line feed. */
enum start start_seen(struct bytes view, size_t from);

/* Octets of keep-alive at the front: CR LF pairs, zero octets, "jaK" and a zero (RFC 5626 3.5.1, and what is about). */
size_t start_idle(struct bytes view);

/*
 * Where, at or behind `from`, where a line begins, a whole start-line lies, with what may be a header line behind it;
 * view.len: nowhere. within_lines: also on a line that something else begins.
 */
size_t start_find(struct bytes view, size_t from, bool within_lines);

enum kind_seen {
	SEEN_NOTHING,
	SEEN_SIP,       /* a start-line at `offset` */
	SEEN_MAYBE,     /* nothing but keep-alives, or too short to tell */
	SEEN_UPGRADE,   /* HTTP whose header asks for, or grants, the WebSocket subprotocol "sip" */
	SEEN_WEBSOCKET, /* a WebSocket frame with SIP in it */
	SEEN_TLS,       /* a TLS record */
	SEEN_TLS_SIP    /* a TLS ClientHello that asks for SIP (ALPN "sip/2") */
};

/* Of the first segment seen of a connection. *offset: where SIP begins in it. */
enum kind_seen recognise(struct bytes payload, size_t *offset);

/* Both ends of it look like text. */
bool recognise_text(struct bytes payload);

#endif
