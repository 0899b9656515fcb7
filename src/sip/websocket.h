/*
 * websocket: octets in order of a WebSocket connection → the messages it carries (RFC 6455, RFC 7118), compressed ones too
 * (RFC 7692). Nobody else uses the bit that says so, and what an inflater remembers harms no message that does without: so the
 * handshake, which may not have been seen, is not asked.
 */
#ifndef OTWAY_SIP_WEBSOCKET_H
#define OTWAY_SIP_WEBSOCKET_H

#include "otway/base/bytes.h"
#include "otway/base/inflate.h"

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
	bool packing;                    /* and is compressed */
	struct inflater *inflater;       /* once there was a compressed one */
	struct buf plain;                /* what it unpacked to */
	uint32_t lost, packed, too_long; /* lost its place; compressed and not readable; beyond MESSAGE_MAX */
	uint32_t unpacked;               /* compressed messages that were read */
};

enum websocket_cut {
	WS_MORE,   /* the view holds no whole frame */
	WS_SKIP,   /* *used octets are no message, or not the last part of one */
	WS_MESSAGE /* *used octets end with one: *payload, to be unmasked with mask */
};

/* A whole frame's payload, or, unmasked already (mask is zero), that of several, or of a compressed one. */
struct websocket_message {
	struct bytes payload; /* in the view, ws->parts or ws->plain, until the next call */
	uint8_t mask[4];
	size_t at; /* where in the view its last frame's payload begins */
};

enum websocket_cut websocket_cut(struct websocket *ws, struct bytes view, size_t *used, struct websocket_message *out);

/* `have` octets were shown that were not used up; they and `lost` octets behind them are gone. */
void websocket_lose(struct websocket *ws, size_t have, size_t lost);

void websocket_clear(struct websocket *ws);

/* Octets of memory that it holds. */
size_t websocket_octets(const struct websocket *ws);

/* Copies `len` octets, unmasked (RFC 6455 5.3). */
void websocket_unmask(uint8_t *to, struct bytes from, const uint8_t mask[4]);

/* A data frame begins the view, and a SIP start-line its payload, be it compressed. */
bool websocket_sip(struct bytes view);

/* One compressed message of text fills the view. Which, nobody can tell who has not seen those before it. */
bool websocket_packed(struct bytes view);

#endif
