/*
 * websocket: octets in order of a WebSocket connection → the messages it carries (RFC 6455, RFC 7118).
 */
#ifndef OTWAY_SIP_WEBSOCKET_H
#define OTWAY_SIP_WEBSOCKET_H

#include "otway/base/bytes.h"

/* All zeroes, but for state. */
struct websocket {
	enum {
		WS_HTTP,
		WS_FRAMES,
		WS_LOST
	} state;                         /* the HTTP header; behind it; where the next frame begins is not known */
	size_t looked;                   /* octets of the view that hold no end of the HTTP header */
	uint64_t frame;                  /* octets of the frame that the view begins with; 0: not known */
	uint64_t skip;                   /* octets still to come that are of no use */
	struct buf parts;                /* of a message in several frames, unmasked */
	bool open;                       /* such a message has begun */
	uint32_t lost, packed, too_long; /* lost its place; compressed messages; beyond MESSAGE_MAX */
};

enum websocket_cut {
	WS_MORE,   /* the view holds no whole frame */
	WS_SKIP,   /* *used octets are no message, or not the last part of one */
	WS_MESSAGE /* *used octets end with one: *payload, to be unmasked with mask */
};

/* A whole frame's payload, or, unmasked already (mask is zero), that of several. */
struct websocket_message {
	struct bytes payload; /* in the view or in ws->parts, until the next call */
	uint8_t mask[4];
	size_t at; /* where in the view its last frame's payload begins */
};

enum websocket_cut websocket_cut(struct websocket *ws, struct bytes view, size_t *used, struct websocket_message *out);

/* `have` octets were shown that were not used up; they and `lost` octets behind them are gone. */
void websocket_lose(struct websocket *ws, size_t have, size_t lost);

void websocket_clear(struct websocket *ws);

/* Copies `len` octets, unmasked (RFC 6455 5.3). */
void websocket_unmask(uint8_t *to, struct bytes from, const uint8_t mask[4]);

/* A data frame begins the view, and a SIP start-line its payload. */
bool websocket_sip(struct bytes view);

#endif
