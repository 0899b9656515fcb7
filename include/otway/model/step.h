/*
 * step: what the call stage tells the rest of the pipeline to do. The second half sends the steps about media to
 * every front (OPEN, CLOSE), so they are plain structs without pointers but the record's.
 */
#ifndef OTWAY_MODEL_STEP_H
#define OTWAY_MODEL_STEP_H

#include "otway/model/media_desc.h"
#include "otway/model/record.h"

/* From when to when one warrant takes a call's media. */
struct cover {
	uint32_t warrant;
	nsec_t from, until; /* from <= t < until */
};

#define COVERS_MAX 64

/* A place where a party of an intercepted call receives media: one m-line of one SDP. */
struct place {
	uint32_t call;
	uint32_t line;          /* which m-line, from 0: keys belong to the line they stand in */
	enum toward toward;     /* of media sent to this place */
	struct addr rtp, rtcp;  /* rtcp: family 0 when it comes muxed or not at all */
	bool rtcp_mux;
	bool answered;          /* the SDP of the other side is known too: what keys there are have been seen. Not yet where
	                           only provisional responses answered an INVITE, which others may still answer (forks) */
	char kind[16], profile[32];
	bool secure, dtls, zrtp, mikey, unsupported; /* unsupported: the chosen (or every) a=crypto line is a suite nothing here opens */
	bool waiting;             /* a key of a KMS was asked for, and no answer is there yet */
	enum seal_reason refusal; /* SEAL_NONE, or why no KMS gave its key; SEAL_KEY_MISMATCH: signalling claims another */
	struct media_format formats[MEDIA_FORMATS]; /* what may be sent here: of both sides, this side's first */
	uint8_t format_count;
};

/* A key that may open media of a call. Which one does is proven by the tag of a packet. */
struct key_given {
	uint32_t call;
	uint32_t line;          /* the m-line it stands in; UINT32_MAX: any */
	bool chosen;            /* offer and answer agreed on it; else only offered */
	struct addr sender;     /* where its sender receives (symmetric RTP: and sends from); family 0 unknown */
	enum toward toward;     /* of media it protects */
	struct addr src, dst;   /* --keys: only for these; family 0 any, port 0 any */
	bool ssrc_set;
	uint32_t ssrc;
	struct srtp_key key;
};

enum step_kind {
	STEP_RECORD, /* goes out */
	STEP_COVER,  /* who takes the media of a call, replaces what was said before; before its first place */
	STEP_PLACE,  /* open, or say more of, a place */
	STEP_KEY,    /* a key for a call */
	STEP_CLOSE,  /* the call is over: no new stream after this; known ones may linger, see media.h */
	STEP_KEY_WANTED, /* a key of a KMS is wanted: of no use to media */
	STEP_OVER,   /* nothing is wanted of a KMS for this call any more: it is over, or nobody takes its media */
	STEP_GONE,   /* the call is forgotten: nothing more is said of it */
	STEP_NOTE,   /* only with a journal: see back.h. Comes before the steps that the message leads to */
	STEP_FORGET  /* likewise: a note that is of no more use */
};

struct key_wanted; /* key.h */
struct back_note;  /* back.h */

struct step {
	enum step_kind kind;
	nsec_t at;
	uint32_t call;
	struct record record;              /* STEP_RECORD */
	struct cover covers[COVERS_MAX];   /* STEP_COVER */
	size_t cover_count;
	struct place place;                /* STEP_PLACE */
	struct key_given key;              /* STEP_KEY */
	const struct key_wanted *wanted;   /* STEP_KEY_WANTED */
	const struct back_note *note;      /* STEP_NOTE */
	uint64_t forget;                   /* STEP_FORGET: its number */
};

#endif
