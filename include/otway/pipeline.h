/*
 * pipeline: the way of a packet, from frame to record. Warrants and keys come in from the side. It has no clock, socket,
 * file or thread: the same frames, warrants and keys always give the same records.
 */
#ifndef OTWAY_PIPELINE_H
#define OTWAY_PIPELINE_H

#include "otway/model/counter.h"
#include "otway/model/step.h"

struct key_answer;
struct decap_left;
struct decap_options;
struct pipeline;

struct pipeline_options {
	const char *kms_header;            /* the SIP header that names a KMS; NULL: none */
	const struct decap_options *decap; /* what is unwrapped; NULL: everything, as decap_options_init */
	const uint16_t *sip_ports;         /* where SIP is looked for */
	size_t sip_port_count;             /* 0: on every port */
	bool kms;                          /* keys of KMSs can be asked for: RECORD_KEY_WANTED, RECORD_CALL_OVER */
	size_t hold_octets;                /* of packets that wait for a key, per call; 0: as media.h */
	nsec_t hold_time;                  /* likewise, and for how long */
	bool explain;                      /* tell of every set-up where it stopped: see pipeline_trace */
};

struct pipeline *pipeline_new(const struct pipeline_options *o); /* NULL: out of memory */
void pipeline_free(struct pipeline *p);

/* The whole table of warrants, replaced. Copied. False: out of memory, and the table is as it was. */
bool pipeline_targets(struct pipeline *p, const struct warrant_set *set);

/* A key from outside; call_id NULL: for every call. */
bool pipeline_key(struct pipeline *p, const struct key_given *key, const char *call_id);

/* In: what became of a key that RECORD_KEY_WANTED asked for. Media that waited for it is ready then. */
void pipeline_answer(struct pipeline *p, const struct key_answer *answer);

/* In: a frame, in the order of time. */
void pipeline_take(struct pipeline *p, const struct frame *in);

/* Out: the next record; false when there is none. *out is borrowed until the next call on p. */
bool pipeline_next(struct pipeline *p, const struct record **out);

/* Time goes on (the packets' own, live also the loop's); nothing more comes. */
void pipeline_time(struct pipeline *p, nsec_t at);
void pipeline_end(struct pipeline *p);

/*
 * With `explain`: how far one set-up got, by local number alone. Given after pipeline_end, in the order of their first message.
 */
enum trace_stop {
	TRACE_NOT_MATCHED,
	TRACE_NO_SDP,
	TRACE_NO_MEDIA,
	TRACE_SEALED,
	TRACE_PARTLY,
	TRACE_DELIVERED,
	TRACE_BEFORE /* its warrants began after its set-up, and nothing has described its media since */
};
struct pipeline_trace {
	uint32_t number;
	nsec_t first, last;
	uint32_t messages;
	bool headers[SIP_HEADERS];     /* which headers named a party, and so were tested */
	uint32_t tested, hits;         /* parties compared; of them matched */
	bool sdp;                      /* some message described media */
	uint32_t call;                 /* local number of the call it became; 0 none */
	uint32_t warrants[COVERS_MAX]; /* local numbers that took it */
	size_t warrant_count;
	uint32_t places, keys, rtp, opened, clear, sealed;
	enum seal_reason reason;
	enum trace_stop stop;
	bool begun_before; /* its set-up came before its warrants began */
	bool mikey, otway_rees;        /* a=key-mgmt of these protocols (RFC 4567) */
	uint32_t mikey_types;          /* a bit for each data type below 32: up to 10 the keys are in the message (RFC 3830) */
	bool kms_signalled;            /* the configured header names a KMS */
};
bool pipeline_trace(struct pipeline *p, size_t i, struct pipeline_trace *out);

/* With `explain`: what else was told of a UDP datagram that is neither SIP nor media of a call that is followed. */
enum pipeline_sort {
	SORT_TUNNEL, /* looks like a tunnel, on a port that is none's; id: enum decap_tunnel */
	SORT_DTLS,   /* RFC 9147; keys of DTLS-SRTP, as a rule */
	SORT_RTP,    /* or SRTP */
	SORT_RTCP,
	SORT_STUN, /* RFC 8489 */
	SORT_OTHER,
	PIPELINE_SORTS
};
struct pipeline_unclaimed {
	enum pipeline_sort sort;
	uint32_t id;
	uint16_t port; /* SORT_TUNNEL: the destination's; SORT_OTHER: the lower one, 0: further ones; SORT_DTLS: 5061, if that; else 0 */
	uint64_t packets;
};
bool pipeline_unclaimed(const struct pipeline *p, size_t i, struct pipeline_unclaimed *out);

/* What decap left as it is, by kind: decap_left. */
bool pipeline_left(const struct pipeline *p, size_t i, struct decap_left *out);

/* Of decap, sip, match, undecided, call, media, in this order; with `explain` then what pipeline_unclaimed tells, "udp_rtp" … */
size_t pipeline_counts(const struct pipeline *p, struct counter *out, size_t max);
/* Of decap and sip alone: what is true of the capture whoever asks and whoever is a target. */
size_t pipeline_counts_capture(const struct pipeline *p, struct counter *out, size_t max);

#endif
