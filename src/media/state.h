/*
 * state: what the media stage keeps: calls, their streams, and the packets whose fate is open. Shared by the files of
 * this folder alone.
 */
#ifndef OTWAY_MEDIA_STATE_H
#define OTWAY_MEDIA_STATE_H

#include "keyring.h"
#include "otway/base/table.h"
#include "otway/media.h"
#include "parcel.h"
#include "places.h"
#include "plausible.h"
#include "rtp.h"
#include "window.h"

#define MILLISECOND     INT64_C(1000000)
#define NEW_AFTER_CLOSE (500 * MILLISECOND) /* new SSRCs after STEP_CLOSE */
#define UNDECIDED_MAX   64                  /* undecided SSRCs towards one address */
#define PLACES_MAX      256                 /* of one call */
#define STREAMS_MAX     1024                /* of one call; beyond, only what authenticates at once is believed */
#define OPENED_MAX      8                   /* keys that a stream keeps at hand */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define SEARCH_ROC 16 /* a fuzzer has better things to do */
#else
#define SEARCH_ROC 4096 /* roll-over counters tried for a late join (62 days of G.711) */
#endif
#define SET_BACK         (60 * NSEC_PER_SEC) /* further back than packets come out of order: the clock was set */
#define SEARCHES         64                  /* of that length, for one call */
#define SEARCHES_PER_KEY 16                  /* and more of them with each key that comes */

/* A key that opened packets of a stream; the key's index is the parcel's place + shift. */
struct opened_by {
	struct ring_key *key;
	struct unseal *with;
	int64_t shift; /* a multiple of 65536 */
};

/* A key that opened packets of a stream of the process before this one, by its print; never the key. */
struct print_of {
	uint8_t print[KEY_PRINT];
	uint8_t mki_len;
	int64_t shift;
};

/* What was told of a stream last for whoever follows: when it differs, it is told again. */
struct stream_told {
	int64_t stretch, shift;
	const struct ring_key *key;
	uint32_t keys_used;
	uint8_t state;
	bool shown, authenticated;
};

enum stream_state { STREAM_UNDECIDED, STREAM_OPEN, STREAM_CLEAR };

/* One (source, destination, SSRC) of RTP, or the same of RTCP. */
struct stream {
	struct call *call;
	struct flow flow;
	uint32_t ssrc;
	bool rtcp;
	bool learned;    /* from a place to nowhere known: believed only when it opens or is plausible */
	bool late;       /* began when its call was over: the ports may be another's by now, so believed as little */
	bool forgotten;  /* freed with the last of its packets that are queued */
	size_t queued;   /* its packets that are ready */
	bool shown;      /* something of it went out, not as forged */
	uint32_t number; /* of RTP, once it was shown */
	enum stream_state state;

	struct place *lines[SPOT_LINES];
	uint8_t line_count;
	enum toward toward;

	nsec_t first, last; /* arrival of its packets */
	bool authenticated;
	nsec_t authenticated_first, authenticated_last;

	uint32_t packets;        /* distinct */
	int64_t highest, lowest; /* place in the sequence */
	bool based;              /* base is known, since something of it went out */
	int64_t base;            /* place + base is the index */
	struct window window;

	struct opened_by opened[OPENED_MAX]; /* the last one that opened comes first */
	uint8_t opened_count;
	uint32_t keys_used;
	uint32_t tried_age;    /* of the keyring, when all of it was tried last */
	uint32_t searched_age; /* and when all roll-over counters were */
	bool search;           /* they are to be, at the next sweep: other keys may be on their way */
	uint32_t failed;       /* packets that did not open since then */
	uint32_t failed_in_row, opened_in_row;

	struct parcel_queue held;
	size_t held_count;
	uint32_t away; /* the call's turn when a packet of it went out to be kept elsewhere; 0: none is there */

	struct print_of *prints; /* of the process before, until their keys were looked for; owned */
	uint8_t print_count;
	uint32_t prints_age; /* the keyring's, when they were looked for last */
	struct stream_told told;

	struct plausible *plausible; /* while it is looked at */
	uint32_t next_look;          /* at so many packets */
	nsec_t looked;               /* when it was looked at last, or began */
	struct usual usual;          /* of a clear one */
};

/* The way back of packets that are kept elsewhere. */
enum round { ROUND_NONE, ROUND_WANTED, ROUND_COMING };

struct call {
	struct call *next;
	struct media *media;
	uint32_t number;
	struct cover covers[COVERS_MAX];
	size_t cover_count;
	bool told; /* who takes it */
	struct place *places[PLACES_MAX];
	size_t place_count, places_turn;
	struct keyring ring;
	struct table *streams;
	uint32_t stream_numbers; /* the last one given */
	nsec_t closed;           /* NSEC_NONE: open */
	nsec_t proven;           /* when a key opened something last, or NSEC_NONE */
	bool done;               /* nothing more is taken; freed once what is queued has gone out */
	bool dtls_seen;
	size_t held_octets;
	struct parcel *oldest, *newest; /* of all that is held */
	size_t queued;                  /* parcels that are ready */
	uint32_t searches;              /* left */

	bool waits;    /* a place of it does, for a key that was asked for */
	uint64_t away; /* packets that are kept elsewhere, and not on their way back */
	nsec_t away_since;
	bool resumed_away; /* some may be, of the process before this one */
	uint32_t turn;     /* of the way back: what goes out in one comes back in the next */
	enum round round;
	nsec_t round_since;         /* it went on last; NSEC_NONE: until the next sweep it has */
	uint64_t coming;            /* packets that are on their way back, as far as is known */
	bool taking;                /* one of them is being taken: it goes nowhere else again */
	bool ended;                 /* all of them are here, but the call was not said yet */
	struct parcel_queue behind; /* packets that wait until those on their way back are here */
	size_t behind_octets;
	bool behind_full;

	nsec_t heard;         /* its last packet */
	bool changed, stated; /* something is to be told to whoever follows; something was */
	struct call *next_changed;
};

enum media_count {
	COUNT_RTP,
	COUNT_RTCP,
	COUNT_DECRYPTED,
	COUNT_CLEAR,
	COUNT_SEALED,
	COUNT_TWICE,
	COUNT_FORGED,
	COUNT_NOT_RTP,
	COUNT_LEARNED,
	MEDIA_COUNTS_OFFLINE, /* of what is live only, those behind */
	COUNT_AWAY = MEDIA_COUNTS_OFFLINE,
	COUNT_AWAY_LOST,
	COUNT_EVICTED,
	MEDIA_COUNTS
};

struct media {
	struct media_options options;
	struct places places;
	struct call *calls, *last_call;
	struct table *by_number;
	struct parcel_queue ready;
	struct parcel_pool pool;
	struct parcel *given; /* what media_next gave last */
	struct media_packet out;
	struct cover covers[COVERS_MAX];
	nsec_t next_sweep;
	nsec_t clock; /* what media_time was told last, and what makes it the stage's own time */
	nsec_t shift;
	size_t held_octets;    /* of all calls */
	nsec_t oldest;         /* no packet that is held is older; found again at each sweep */
	size_t rounds_wanted;  /* calls whose packets are wanted back, which was not told yet */
	struct table *resumed; /* what is known of calls that were not said yet */
	nsec_t resumed_until;
	struct call *changed, *last_changed;
	struct buf gone; /* numbers of calls of which nothing is to be kept any more */
	uint64_t counts[MEDIA_COUNTS];
};

/* media.c: what media_next gave last is used no more. */
void media_take_back(struct media *m);
/* By the stage's own time, which goes on where it was when a clock is set back: all that waits is measured by it. */
nsec_t media_own(const struct media *m, nsec_t at);

/* calls.c: what the call stage says. */
struct call *call_of(struct media *m, uint32_t number, bool make);
bool call_covered(const struct call *c, nsec_t at);
void call_step(struct media *m, const struct step *s);
void call_forget_places(struct media *m, struct call *c);
void call_drop(struct media *m, struct call *c);

/* spill.c: packets that are kept elsewhere while their call waits for a key. */
bool spill_away(struct stream *s, struct parcel *p);   /* in place of holding it; false: it may be held */
bool spill_behind(struct stream *s, struct parcel *p); /* since others of its stream are away; false: none is */
bool spill_unsaid(struct stream *s, struct parcel *p); /* it waits until its call is said */
void spill_ask_back(struct call *c);
bool spill_outstanding(const struct call *c);
void spill_end(struct call *c); /* no more of them come back in this round */
void spill_drop(struct call *c);
void take_again(struct media *m, struct call *c, const struct datagram *in); /* take.c: one that came back */

/* resume.c: what whoever follows must know. */
void call_changed(struct call *c);
void kept_apply(struct call *c);      /* a call that is new here: what the process before knew of it */
void call_unstate(struct call *c);    /* it is over */
void stream_note(struct stream *s);   /* after each packet of it that is ready */
void stream_prints(struct stream *s); /* keys that opened it before are looked for */
void kept_expire(struct media *m, nsec_t at);
void kept_clear(struct media *m);

/* streams.c: finding, making and forgetting streams. */
struct stream *stream_find(const struct call *c, const struct flow *flow, uint32_t ssrc, bool rtcp);
struct stream *stream_new(struct call *c, const struct flow *flow, uint32_t ssrc, bool rtcp);
void stream_forget(struct stream *s); /* with nothing held; it lasts until its last packet was given */
/* What is said of the place it goes to is said of the stream; learned: of where it comes from, and it goes to nowhere known. */
void stream_describe(struct stream *s, const struct spot *spot, bool learned);
void stream_free(struct stream *s);
struct stream *stream_next(const struct call *c, size_t *step);
const struct media_format *stream_format(const struct stream *s, uint8_t pt);
const struct place *stream_place(const struct stream *s, uint8_t pt); /* NULL: none */
struct key_sought stream_wants(const struct stream *s, uint32_t lines[SPOT_LINES]);
/* It is over at that moment. While its keys still open packets it is not, whatever a BYE said that anybody may have sent. */
bool call_over(const struct media *m, const struct call *c, nsec_t at);

/* An authenticated SSRC goes to the same place, for most of this one's time. */
bool stream_beside_authentic(const struct stream *s);
/* oldest: one that may be given up; NULL: none */
uint32_t stream_undecided_beside(const struct stream *s, struct stream **oldest, bool *authentic);

/* prove.c: which key opens a packet, and at which index. Each fills the parcel's clear packet when it does. */
bool prove_known(struct stream *s, struct parcel *p);  /* keys that opened the stream before */
bool prove_all(struct stream *s, struct parcel *p);    /* every key of the call, at the likely indexes */
bool prove_search(struct stream *s, struct parcel *p); /* every roll-over counter, while the call's budget lasts */
bool prove_without_tag(struct stream *s);              /* keys without a tag, by the framing of what is held */

/* fate.c: the hold of a call, and the way out of it. */
size_t parcel_size(const struct parcel *p);
void hold_add(struct stream *s, struct parcel *p);
void held_more(struct media *m, const struct parcel *p); /* one more of all that is held */
struct parcel *hold_take(struct stream *s); /* the oldest of the stream; NULL: none */
void parcel_ready(struct media *m, struct parcel *p, enum media_fate fate, enum seal_reason reason);
void stream_ready_clear(struct media *m, struct stream *s, struct parcel *p);
void stream_ready_unopened(struct media *m, struct stream *s, struct parcel *p, bool forged);
void stream_flush_opened(struct media *m, struct stream *s); /* what is held, as far as known keys open it */

/* look.c: the framing of packets that nothing opened. */
void look_reset(struct stream *s);
void look_anew(struct stream *s);                        /* and what is held is no clear stream, whatever follows */
void look_add(struct stream *s, const struct parcel *p); /* one that is about to be held */
void look_due(struct media *m, struct stream *s);        /* when there are enough for another look */
void look_now(struct media *m, struct stream *s, bool last);
void look_later(struct media *m, struct stream *s, nsec_t at); /* once a second */
bool look_usual(const struct stream *s, const struct parcel *p, bool among);

/* decide.c: what becomes of the packets of a stream. */
void stream_take(struct media *m, struct stream *s, struct parcel *p, bool again); /* again: it goes behind no others */
void stream_new_key(struct media *m, struct stream *s);
bool stream_search(struct media *m, struct stream *s); /* every roll-over counter, where that is due; false: it is not */
void stream_settle(struct media *m, struct stream *s);
void stream_settle_oldest(struct media *m, struct call *c);

#endif
