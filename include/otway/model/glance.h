/*
 * glance: what one pass over a SIP message sees of it, before it is parsed: whether it may matter, and what it may have in
 * common with others. Views lie within the message.
 */
#ifndef OTWAY_MODEL_GLANCE_H
#define OTWAY_MODEL_GLANCE_H

#include "otway/base/bytes.h"

#define GLANCE_INLINES 32

struct glance {
	bool may_match; /* some URI in it has the skeleton of a target, or could not be judged */
	bool setup;     /* its CSeq says INVITE, ACK, BYE, CANCEL, PRACK, UPDATE or INFO, or cannot be read */
	bool cseq;               /* it has a CSeq */
	struct bytes call_id;
	struct bytes session[2];              /* Session-ID: local and remote */
	struct bytes icid;                    /* P-Charging-Vector icid-value, unquoted */
	struct bytes inlines[GLANCE_INLINES]; /* base64 of a=crypto keys */
	uint8_t inline_count;
	bool security; /* some header of it may agree on ESP (RFC 3329) */
};

#endif
