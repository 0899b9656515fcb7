/*
 * sip_message: a parsed SIP message (RFC 3261), as far as interception asks.
 * All views are borrowed from the sip stage and hold until its next call; `datagram` is the stage's own copy or
 * the caller's, alive as long.
 */
#ifndef OTWAY_MODEL_SIP_MESSAGE_H
#define OTWAY_MODEL_SIP_MESSAGE_H

#include "otway/model/identity.h"
#include "otway/model/media_desc.h"
#include "otway/model/packet.h"

enum sip_method {
	SIP_INVITE = 1, SIP_ACK, SIP_BYE, SIP_CANCEL, SIP_PRACK, SIP_UPDATE, SIP_REFER, SIP_INFO,
	SIP_REGISTER, SIP_MESSAGE, SIP_SUBSCRIBE, SIP_NOTIFY, SIP_PUBLISH, SIP_OPTIONS, SIP_OTHER
};

/* Where in a message a party is named. */
enum sip_header {
	SIP_HEADER_REQUEST_URI, SIP_HEADER_TO, SIP_HEADER_FROM, SIP_HEADER_PAI, SIP_HEADER_PPI, SIP_HEADER_RPID,
	SIP_HEADER_PCPID, SIP_HEADER_SERVED_USER, SIP_HEADER_DIVERSION, SIP_HEADER_HISTORY, SIP_HEADER_CONTACT,
	SIP_HEADER_ASSOCIATED, SIP_HEADER_REFER_TO, SIP_HEADER_REFERRED_BY,
	SIP_HEADERS
};
const char *sip_header_text(enum sip_header h); /* "Request-URI", "P-Asserted-Identity", … */
const char *sip_method_text(enum sip_method m); /* SIP_OTHER: "OTHER" */

#define SIP_PARTIES 96   /* parties kept of one message; of each header so many that the others find room */

/* One URI of one header, in the order they stand; within Diversion and History-Info as listed. */
struct sip_party {
	enum sip_header header;
	struct bytes uri;      /* as on the wire, without angle brackets, display name, header parameters; ?headers kept */
	struct identity id;    /* all empty when it names no subscriber */
	uint16_t cause;        /* History-Info and Request-URI: the URI parameter `cause` (RFC 4458), else that of an
	                          embedded ?Reason=SIP;cause=; 0 none */
	struct bytes index;    /* History-Info: index, "1.1"; else empty */
	struct bytes parent;   /* History-Info: mp= or rc= or np= (RFC 7044), else the index less its last part */
	struct bytes reason;   /* Diversion: reason, unquoted */
	bool originating;      /* P-Served-User: sescase=orig */
	struct bytes instance; /* Contact: +sip.instance, without quotes and angle brackets; else empty */
	uint32_t expires;      /* Contact: expires; UINT32_MAX when not said */
	bool cause_led_on;     /* cause stands in an embedded Reason: it led on from here (RFC 7044), not to here (RFC 4458) */
};

struct sip_message {
	nsec_t at;
	const struct datagram *datagram; /* whole: packet, payload, flow; for TCP the packet is made up around the message */
	struct bytes text;     /* the message itself, within datagram->payload (leading CRLFs off) */
	bool truncated;        /* the capture cut it: what stands before the cut is parsed */

	bool request;
	enum sip_method method; /* of a response: of its CSeq */
	struct bytes method_name;
	uint16_t status;       /* 100 to 699; 0 for a request */
	struct bytes call_id;  /* empty only when truncated */
	struct bytes from_tag, to_tag; /* empty when there is none */
	struct bytes branch;   /* of the topmost Via */
	uint32_t cseq;
	uint32_t expires;      /* the Expires header; UINT32_MAX when there is none */

	struct sip_party parties[SIP_PARTIES];
	uint8_t party_count;

	struct bytes session_local, session_remote; /* Session-ID (RFC 7989, 7329), 32 hex digits; all zeroes count as none */
	struct bytes icid;     /* P-Charging-Vector icid-value, unquoted */
	struct bytes kms;      /* a KMS identity that the signalling names, in the configured header */
	struct bytes replaces; /* Replaces: the Call-ID of the dialog replaced */

	struct bytes body;     /* as it stands; may be empty */
	struct bytes content_type;
	bool has_sdp;
	struct media_desc sdp; /* the first SDP of the body, in multipart too; valid when has_sdp */
};

/* The first party of a header, or NULL. */
const struct sip_party *sip_party_of(const struct sip_message *m, enum sip_header h);

#endif
