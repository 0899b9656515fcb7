/*
 * media_desc: what an SDP says of its media (RFC 4566, 3264, 4568, 4567, 3605, 5761, 5763, 8445).
 * Plain structs with bounds: what does not fit is left out and counted in `left_out`.
 */
#ifndef OTWAY_MODEL_MEDIA_DESC_H
#define OTWAY_MODEL_MEDIA_DESC_H

#include "otway/model/packet.h"
#include "otway/model/srtp_key.h"

#define MEDIA_LINES 16
#define MEDIA_FORMATS 32
#define MEDIA_CRYPTOS 24
#define MEDIA_KEYS 4       /* master keys of one a=crypto line */
#define MEDIA_CANDIDATES 16
#define MEDIA_SSRCS 16

/* One payload type of an m-line: its rtpmap, or the static assignment of RFC 3551. */
struct media_format {
	uint8_t pt;
	char name[20];       /* encoding name as written, "" when unknown */
	uint32_t clock;      /* Hz; 0 unknown */
	uint8_t channels;    /* 1 unless said */
	char fmtp[96];       /* a=fmtp, cut to fit */
};

/* One a=crypto line (RFC 4568 9). */
struct media_crypto {
	uint32_t tag;
	enum srtp_suite suite;   /* SUITE_UNSUPPORTED when nothing here opens it, for whatever reason */
	char suite_name[40];     /* as written */
	uint8_t key_count;       /* 0: the material is malformed, or the suite is unsupported */
	struct srtp_key keys[MEDIA_KEYS];
};

enum media_flow { MEDIA_SENDRECV, MEDIA_SENDONLY, MEDIA_RECVONLY, MEDIA_INACTIVE };

struct media_line {
	char kind[16];           /* "audio", "video", "text", "application", … */
	char profile[32];        /* "RTP/SAVP" */
	bool secure;             /* SAVP or SAVPF in it, UDP/TLS included */
	struct addr rtp;         /* where this party receives; family 0: no address; port 0: refused */
	struct addr rtcp;        /* a=rtcp, else port + 1; family 0 when mux_only */
	bool rtcp_mux;
	enum media_flow flow;    /* c=0.0.0.0 counts as hold: the address then is none */
	char mid[16];
	bool bundled;            /* its mid stands in an a=group:BUNDLE of this SDP */
	struct media_format formats[MEDIA_FORMATS];
	uint8_t format_count;
	struct media_crypto cryptos[MEDIA_CRYPTOS];
	uint8_t crypto_count;
	bool dtls;               /* a=fingerprint on it or on the session, or UDP/TLS in the profile */
	bool zrtp;               /* a=zrtp-hash */
	bool mikey;              /* a=key-mgmt:mikey on it, or on the session and the profile is secure */
	struct bytes key_mgmt;   /* its base64, white space and all, borrowed from the SDP's text; empty when none */
	struct addr candidates[MEDIA_CANDIDATES]; /* of a=candidate, UDP, component 1 */
	uint8_t candidate_count;
	uint32_t ssrcs[MEDIA_SSRCS]; /* of a=ssrc */
	uint8_t ssrc_count;
	struct bytes otway_rees; /* the same of a=key-mgmt:otway-rees */
	bool mikey_of_session, otway_rees_of_session; /* it stands on the session, for every line that has none of its own */
};

struct media_desc {
	uint8_t line_count;
	uint16_t left_out;
	struct media_line lines[MEDIA_LINES];
};

#endif
