/*
 * splitter: octets in order → where a SIP message ends, by Content-Length (RFC 3261 18.3). It keeps no octets: the
 * caller shows it all that it has not used up yet, and it remembers how far it has looked.
 */
#ifndef OTWAY_SIP_SPLITTER_H
#define OTWAY_SIP_SPLITTER_H

#include "otway/base/bytes.h"

#define MESSAGE_MAX 65000         /* octets of a message; a longer one would not fit an IP packet */
#define LENGTH_MAX  (1024 * 1024) /* a Content-Length beyond it is taken for an attack, not for a length */

/* All zeroes: at the begin of a message. */
struct splitter {
	enum {
		AT_MESSAGE, /* a start-line is due */
		AT_HEADER,  /* behind one */
		AT_GARBAGE, /* at the next start-line it goes on */
		AT_REFUSED  /* at the next segment that begins with one it goes on */
	} state;
	size_t looked;               /* octets of the view that need not be looked at again */
	size_t header_len, body_len; /* of AT_HEADER; header_len 0: its end is not found yet */
	size_t skip;                 /* octets still to come that are of no use */
	uint32_t resyncs, refused,
		too_long; /* lost its place; did not believe a length; a message beyond MESSAGE_MAX */
};

enum cut {
	CUT_MORE,    /* the view holds no more */
	CUT_SKIP,    /* *used octets are no message */
	CUT_MESSAGE, /* *used octets are one */
	CUT_PARTLY   /* only with `last`: *used octets are the begin of one, its header whole */
};

/* `last`: nothing will follow the view, as in a datagram: a message without a length ends with it. */
enum cut splitter_cut(struct splitter *s, struct bytes view, bool last, size_t *used);

/* `have` octets were shown that were not used up; they and `lost` octets behind them are gone. */
void splitter_lose(struct splitter *s, size_t have, size_t lost);

/* The octets that Content-Length says (0 and *found false: it says nothing). False: no number, too large, or several. */
bool splitter_length(struct bytes message, bool *found, size_t *length);

#endif
