/*
 * holdings: what is kept for one warrant while its records come in, and what is found out of it at the end.
 * Everything hangs below a struct holding, one per warrant: nothing is shared between two.
 */
#ifndef DELIVERY_HOLDINGS_H
#define DELIVERY_HOLDINGS_H

#include "otway/base/crypto.h"
#include "otway/base/table.h"
#include "otway/model/record.h"

#include "spool.h"

#define HOLDING_FORMATS 16   /* payload types told apart in one stream */
#define HOLDING_STREAMS 4096 /* streams of one call; packets of further ones are kept, but counted as left out */
#define HOLDING_BINS    480  /* slices of the timeline */
#define HOLDING_NAME    128  /* octets of the name of its folder */
#define HOLDING_NONE    UINT32_MAX

/* One payload type as it was used; the same number after a new offer may be another. */
struct held_format {
	uint8_t pt, channels;
	uint32_t clock;
	char codec[20];
	char fmtp[96];
	uint64_t packets;
};

/* What fell into one slice of a call's time. */
enum { BIN_CLEAR = 1, BIN_SEALED = 2, BIN_MISSING = 4 };

enum held_state { HELD_CLEAR, HELD_DECRYPTED, HELD_SEALED };

/* All media packets of one (src, dst, ssrc). */
struct held_stream {
	uint32_t order; /* which of its call's streams it is */
	struct flow flow;
	uint32_t ssrc;
	enum toward toward;
	char kind[16], profile[32];
	enum srtp_suite suite;
	enum key_source source;
	bool opened_any; /* some key opened some packet */
	bool learned;    /* its destination was not announced */
	uint32_t rekeys;
	uint64_t clear;     /* distinct packets: never encrypted, or under a null cipher */
	uint64_t decrypted; /* opened under a real cipher */
	uint64_t sealed;
	uint64_t duplicates;
	uint64_t reasons[SEAL_REASONS];
	struct held_format *formats;
	uint32_t format_count, format_last;
	nsec_t first, last;  /* of its packets */
	struct srtp_key key; /* the last one taken note of; wiped once the signalling is written */

	/* Found at the end (tally.h). */
	bool disordered; /* came in another order than its own */
	uint64_t first_index, last_index, lost;
	uint64_t rtcp, rtcp_decrypted;
	uint8_t payload_sha256[SHA256_LEN], rtp_sha256[SHA256_LEN];
	uint8_t bins[HOLDING_BINS]; /* the timeline, from the call's media_first to its media_last */
};

/* Facts of a call, owned. */
struct held_facts {
	char **call_ids;
	size_t call_id_count;
	nsec_t started, answered, ended;
	enum call_outcome outcome;
	char *caller, *callee;
	struct held_match {
		uint32_t target;
		enum sip_header header;
		enum hit_side side;
		bool verified;
		char *value;
	} * matches;
	size_t match_count;
	struct held_diversion {
		const char *service;
		uint16_t cause;
		char *by, *to;
	} * diversions;
	size_t diversion_count;
	struct held_kms {
		char *request, *protocol, *outcome;
		uint32_t line;
		nsec_t at;
		bool mismatch;
		struct held_tried {
			char *kms, *by, *outcome;
		} * tried;
		size_t tried_count;
	} * kms;
	size_t kms_count, kms_left_out;
	enum toward target;
	bool keep_keys;
};

/* What became of a call's audio. */
enum held_audio { AUDIO_NONE, AUDIO_WRITTEN, AUDIO_UNKNOWN_CODEC, AUDIO_FAILED };

struct held_call {
	uint32_t number; /* the pipeline's */
	uint32_t id;     /* of this warrant, from 1; 0 until the end */
	uint32_t order;  /* of arrival */
	nsec_t first;    /* of its first message, or what else there is */
	bool first_is_message;
	bool facts_known;
	struct held_facts facts;
	struct spool *signalling, *media; /* NULL: nothing came */
	struct spool *before;             /* likewise: of its set-up, where interception began during it */
	uint32_t before_count;
	nsec_t before_at;                 /* when it began so */
	struct held_stream **streams;
	uint32_t stream_count, stream_cap;
	nsec_t media_first, media_last; /* of RTP */
	uint64_t rtcp_unmatched;
	bool signalling_file, media_file, sealed_file, other_file, before_file;
	bool growing; /* live: its files are not final, and nothing was found out at the end yet */
	enum held_audio audio;
	uint32_t audio_rate;
	uint64_t audio_frames;
	nsec_t audio_from; /* when the first sample was heard */
};

struct held_event {
	nsec_t at;
	uint32_t order;
	uint16_t status;
	char *method, *from, *to;
};

/* What one warrant's media packets met, for the counters. */
struct held_counts {
	uint64_t signalling, events, rtp, rtcp, not_rtp, decrypted, sealed, duplicates, forged, streams_left_out;
	uint64_t not_rebuilt; /* opened, but what they came in is no plain IP with UDP */
	uint64_t audio_failed;
};

struct holding {
	const struct warrant *warrant;
	struct spools *spools;   /* borrowed; NULL: nothing is put aside, only what is said of it is kept */
	char name[HOLDING_NAME]; /* of its folder */
	struct held_call **calls;
	uint32_t call_count, call_cap;
	struct table *by_number; /* pipeline's number → call */
	struct table *by_stream; /* call, flow, ssrc → stream */
	struct spool *other;
	bool other_file;
	struct held_event *events;
	uint32_t event_count, event_cap;
	struct table *keys; /* octets of key and salt of every key that opened something, or their prints */
	uint64_t keys_removed;
	struct held_counts counts;
	struct decoder *decoder; /* of this warrant's sound; NULL until there is some */
};

/* What stands before the octets of a message in its spool, and of a media packet. */
struct spooled_message {
	struct flow flow;
	uint32_t payload_at, payload_len; /* within the packet, which follows */
};

struct spooled_media {
	struct flow flow;
	uint64_t index;
	uint32_t stream; /* which of the call's, or HOLDING_NONE */
	uint32_t format; /* which of the stream's, or HOLDING_NONE */
	uint32_t ssrc, timestamp;
	uint32_t packet_len, payload_at, payload_len; /* the packet follows */
	uint32_t clear_len;           /* its clear form follows; 0 with MEDIA_CLEAR: the packet carried it as it came */
	uint32_t media_at, media_len; /* within the clear form */
	uint8_t sort, fate;
	bool decrypted; /* under a real cipher */
};

/* NULL: out of memory. */
struct holding *holding_new(const struct warrant *w, struct spools *spools);
void holding_free(struct holding *h); /* wipes identities and keys */

/* A record of this warrant. */
int holding_take(struct holding *h, const struct record *r, struct err *err);

/* The call that records name so; begun if need be. NULL: out of memory. */
struct held_call *holding_call(struct holding *h, uint32_t number);

/* One of its media packets. */
int holding_take_media(struct holding *h, struct held_call *c, const struct media_packet *m, struct err *err);

/* Room for one more element of `each` octets behind `count`; NULL: out of memory. */
void *holding_grown(void *at, uint32_t count, uint32_t *cap, size_t each);

/* The stream that a packet of that flow and SSRC belongs to; with both ports 0, of any ports: the first. NULL: none. */
struct held_stream *holding_stream(
	const struct holding *h, const struct held_call *c, const struct flow *flow, uint32_t ssrc);

/* A new one, by the flow and SSRC of a packet. NULL: out of memory. */
struct held_stream *holding_stream_add(struct holding *h, struct held_call *c, const struct media_packet *m);

/* No key is in memory after it. */
void holding_wipe_keys(struct holding *h);

/* Puts calls, events and streams into their order and numbers the calls; or events alone. */
void holding_order(struct holding *h);
void holding_order_events(struct holding *h);

/* Where a view lies within another, for a record to be spooled; false, and zeroes: it does not. */
bool holding_place(struct bytes whole, struct bytes part, uint32_t *at, uint32_t *len);

/* A record as it was spooled. False: it is not one (the file was tampered with). */
bool holding_message(const struct spooled *in, struct spooled_message *out, struct bytes *packet);
bool holding_media(const struct spooled *in, struct spooled_media *out, struct bytes *packet, struct bytes *clear);

enum held_state held_state(const struct held_stream *s);
uint64_t held_packets(const struct held_stream *s);        /* distinct RTP packets */
uint64_t held_failed(const struct held_stream *s);         /* sealed ones of a stream that is not */
enum seal_reason held_reason(const struct held_stream *s); /* the most frequent; SEAL_NONE unless sealed */
/* The most frequent format that is neither telephone-event nor comfort noise, else the most frequent; NULL: none. */
const struct held_format *held_format(const struct held_stream *s);
const char *held_direction(const struct held_call *c, const struct held_stream *s);
bool held_speech(const struct held_format *f); /* neither telephone-event nor comfort noise */

/* Copies; -1: out of memory, and what is there stays. */
int held_facts_set(struct held_call *c, const struct call_facts *facts);
void held_facts_clear(struct held_facts *f);

#endif
