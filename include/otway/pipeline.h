/*
 * pipeline: the way of a packet, from frame to record. Warrants and keys come in from the side. It has no clock, socket,
 * file or thread: the same frames, warrants and keys always give the same records.
 */
#ifndef OTWAY_PIPELINE_H
#define OTWAY_PIPELINE_H

#include "otway/model/counter.h"
#include "otway/model/step.h"

struct pipeline;

struct pipeline_options {
	const char *kms_header;  /* the SIP header that names a KMS; NULL: none */
	bool explain;            /* tell of every set-up where it stopped: see pipeline_trace */
};

struct pipeline *pipeline_new(const struct pipeline_options *o); /* NULL: out of memory */
void pipeline_free(struct pipeline *p);

/* The whole table of warrants, replaced. Copied. False: out of memory, and the table is as it was. */
bool pipeline_targets(struct pipeline *p, const struct warrant_set *set);

/* A key from outside; call_id NULL: for every call. */
bool pipeline_key(struct pipeline *p, const struct key_given *key, const char *call_id);

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
enum trace_stop { TRACE_NOT_MATCHED, TRACE_NO_SDP, TRACE_NO_MEDIA, TRACE_SEALED, TRACE_PARTLY, TRACE_DELIVERED };
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
};
bool pipeline_trace(struct pipeline *p, size_t i, struct pipeline_trace *out);

/* Of decap, sip, match, undecided, call, media, in this order. */
size_t pipeline_counts(const struct pipeline *p, struct counter *out, size_t max);
/* Of decap and sip alone: what is true of the capture whoever asks and whoever is a target. */
size_t pipeline_counts_capture(const struct pipeline *p, struct counter *out, size_t max);

#endif
