/*
 * record: what leaves the pipeline for one warrant: signalling, media, and the facts of calls and streams.
 * Every record belongs to exactly one warrant. Everything it points at is borrowed until the pipeline's next call.
 */
#ifndef OTWAY_MODEL_RECORD_H
#define OTWAY_MODEL_RECORD_H

#include "otway/model/hit.h"
#include "otway/model/packet.h"
#include "otway/model/srtp_key.h"

/* Where media flows, seen from the call (never from one warrant). */
enum toward { TOWARD_UNKNOWN, TOWARD_CALLER, TOWARD_CALLEE };

/* What became of a media packet. */
enum media_fate {
	MEDIA_CLEAR,   /* decrypted, or never encrypted */
	MEDIA_SEALED,  /* no key opened it: delivered as it came, with the reason */
	MEDIA_TWICE,   /* an identical copy came before, as mirrors make them: counted */
	MEDIA_FORGED,  /* of an SSRC that never authenticates beside one that does: counted */
	MEDIA_BROKEN,  /* neither RTP nor RTCP (STUN, DTLS, ZRTP, anything): delivered as it came, marked so */
	MEDIA_HELD,    /* live only: it waits for a key beyond what memory may hold; kept elsewhere until it is asked back */
	MEDIA_FATES
};

enum seal_reason {
	SEAL_NONE, SEAL_NO_KEY, SEAL_AUTH_FAILED, SEAL_DTLS_SRTP, SEAL_SUITE_UNSUPPORTED, SEAL_SETUP_NOT_SEEN,
	SEAL_TRUNCATED, SEAL_KMS_REFUSED, SEAL_KMS_NO_AGREEMENT, SEAL_KMS_UNKNOWN, SEAL_KMS_UNREACHABLE,
	SEAL_KEY_PURGED, SEAL_KEY_MISMATCH,
	SEAL_REASONS
};
const char *seal_reason_text(enum seal_reason r); /* "no-key", …; NULL for SEAL_NONE */

enum media_sort { MEDIA_RTP, MEDIA_RTCP, MEDIA_NEITHER };

/* One media packet of an intercepted call. */
struct media_packet {
	nsec_t at;
	uint32_t call;          /* local number of the call */
	uint32_t stream;        /* local number of the (src, dst, ssrc), from 1; RTCP and MEDIA_NEITHER: 0 */
	enum media_sort sort;
	enum media_fate fate;
	enum seal_reason reason; /* of a sealed one */
	struct flow flow;
	struct bytes packet;    /* the IP packet as captured, headers and all */
	struct bytes payload;   /* its UDP payload as captured, within packet */
	struct bytes clear;     /* MEDIA_CLEAR: the clear RTP or RTCP packet, tag and MKI off; else as payload */
	uint32_t ssrc;
	uint64_t index;         /* RTP: roll-over counter << 16 | sequence number: orders the stream */
	uint8_t pt;
	uint32_t timestamp;     /* RTP */
	struct bytes media;     /* RTP and MEDIA_CLEAR: the codec's octets within clear: no header, CSRC, extension, padding */

	/* What the stream is, as known now; the last packet of a stream says it best. */
	enum toward toward;
	const char *kind;       /* "audio" …; never NULL, "" unknown */
	const char *profile;    /* "RTP/SAVP"; "" unknown */
	const char *codec;      /* encoding name of this packet's payload type; "" unknown */
	uint32_t clock;         /* Hz; 0 unknown */
	uint8_t channels;
	const char *fmtp;
	enum srtp_suite suite;  /* SUITE_NONE: never encrypted */
	enum key_source source;
	uint32_t rekeys;        /* changes of key seen in this stream so far */
	bool key_used;          /* key below opened this packet */
	struct srtp_key key;    /* for removing inline keys; valid when key_used; live only its print leaves intercept */
	bool learned;           /* nobody announced that it is received there: known by where it comes from, and then by its
	                           tag or its framing */
};

/* A value that matched; each is given once per (target, header, side). */
struct call_match {
	uint32_t target;
	enum sip_header header;
	enum hit_side side;
	bool verified;
	const char *value;
};

struct call_diversion {
	const char *service;    /* "CFU" "CFB" "CFNR" "CFNL" "CD" "CFNRc" "unknown" */
	uint16_t cause;         /* 0: none was signalled */
	const char *by, *to;    /* URIs as signalled, parameters off; NULL unknown */
};

enum call_outcome { CALL_INCOMPLETE, CALL_ANSWERED, CALL_CANCELLED, CALL_REFUSED, CALL_UNANSWERED };
const char *call_outcome_text(enum call_outcome o);

/* A KMS that was asked, or passed over, for a key. */
struct call_kms_tried {
	const char *kms, *by;   /* its identity; how we came by it: kms_origin_text */
	const char *outcome;    /* "keys", or why it gave none: seal_reason_text */
};

/* A key of a call that was wanted of KMSs, and what became of it. Texts live as long as the record. */
struct call_kms {
	const char *request;    /* the request's id, as in both audit trails; NULL: nobody was asked */
	const char *protocol;   /* "mikey", "otway-rees" */
	uint32_t line;          /* m-line that it was wanted for; UINT32_MAX: every one */
	nsec_t wanted, at;      /* asked for (by the capture's time); answered (by the asking side's), NSEC_NONE: not yet */
	const char *outcome;    /* "keys", or why there are none; NULL: not known yet */
	bool mismatch;          /* signalling claimed other keys than the KMS's: they were not used */
	const struct call_kms_tried *tried; /* in the order of asking; the last one's answer counts */
	size_t tried_count;
};

/* What is known of a call, given each time it changes; the last one stands. */
struct call_facts {
	const char *const *call_ids;
	size_t call_id_count;
	nsec_t started, answered, ended; /* NSEC_NONE where it has not come to that */
	enum call_outcome outcome;
	const char *caller, *callee;     /* NULL unknown */
	const struct call_match *matches;
	size_t match_count;
	const struct call_diversion *diversions;
	size_t diversion_count;
	enum toward target;              /* which side the target (or who stands in for it) is on: media toward the other
	                                    side is from-target */
	bool keep_keys;                  /* false: every inline key goes out of the signalling, used or not, since this warrant
	                                    does not cover the media */
	const struct call_kms *kms;      /* keys that were wanted of KMSs, in the order of asking */
	size_t kms_count;
	size_t kms_left_out;             /* of very many, so many more behind the first */
};

/* The target's signalling outside calls. */
struct event_facts {
	const char *method;
	uint16_t status;        /* 0: a request */
	const char *from, *to;  /* NULL unknown */
};

enum record_kind {
	RECORD_SIP,    /* a message of a call */
	RECORD_EVENT,  /* a message outside calls */
	RECORD_CALL,   /* what is known of a call now */
	RECORD_MEDIA,  /* a media packet */
	RECORD_BEFORE, /* interception begins during a call: a message of its set-up, kept from before the warrant; sip->at is its
	                  time, at the beginning's */
	RECORD_KEY_WANTED, /* a key of a KMS is wanted: for who asks, no evidence */
	RECORD_CALL_OVER   /* no key is wanted for this call any more, and its KMS may be told: likewise */
};

struct key_wanted; /* key.h */

struct record {
	enum record_kind kind;
	uint32_t warrant;              /* local number */
	uint32_t call;                 /* local number, from 1; 0 outside calls */
	nsec_t at;
	const struct datagram *sip;    /* RECORD_SIP, RECORD_EVENT: the message, payload whole, as captured */
	struct event_facts event;      /* RECORD_EVENT */
	struct call_facts facts;       /* RECORD_CALL */
	struct media_packet media;     /* RECORD_MEDIA; MEDIA_TWICE and MEDIA_FORGED to be counted only */
	const struct key_wanted *wanted; /* RECORD_KEY_WANTED */
};

#endif
