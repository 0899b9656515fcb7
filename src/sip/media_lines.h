/* media_lines: what the two files that read SDP share: the state between its lines. */
#ifndef OTWAY_SIP_MEDIA_LINES_H
#define OTWAY_SIP_MEDIA_LINES_H

#include "otway/model/media_desc.h"

#define BUNDLES_MAX 4

/* What may stand on the session or on an m-line; the m-line's own counts (RFC 8866 5.7, 6). */
struct level {
	struct addr host; /* of c=; family 0: none */
	bool host_said;   /* a c= stood here, be it of no use */
	bool held;        /* c=0.0.0.0 or c=IN IP6 :: (RFC 2543; RFC 6157) */
	bool flow_said;
	enum media_flow flow;
	bool dtls, zrtp, mikey, ticket; /* ticket: key_mgmt is a message of MIKEY-TICKET */
	struct bytes key_mgmt, otway_rees; /* base64; otway_rees empty: none */
	struct bytes mid;
	bool rtcp_said, rtcp_mux, rtcp_only_mux;
	struct addr rtcp; /* of a=rtcp; family 0: the host of c= */
};

struct media_walk {
	struct media_desc *out;
	struct media_line *line; /* being read; NULL on the session, and on an m-line that did not fit */
	bool on_session;
	bool bad;      /* a line is none, or an m-line lacks a part */
	uint16_t port; /* of the m-line */
	struct level session, media;
	struct addr last_host; /* the host that a line before had of its own */
	struct bytes bundles[BUNDLES_MAX];
	uint8_t bundle_count;
};

/* attribute.c: one a= line, behind "a=". */
void attribute_read(struct media_walk *w, struct bytes attribute);
/* The payload type of an m-line by RFC 3551 6, to be named anew by a=rtpmap. */
void attribute_static_format(struct media_format *f);

#endif
