/*
 * front: the first half of a packet's way: frames are taken apart, SIP is recognised and made whole, media of open calls is opened.
 * There are as many as processes; each knows places and keys of every call under warrant, and no target.
 *
 * One of several: what belongs to one flow may come in at several fronts (the kernel spreads by outer headers, mirrors send copies
 * by different ways). Media of an open call is therefore looked at by the flow's owner alone, and so are TCP and SCTP that came out of
 * tunnels, and fragments: the others give it out as FRONT_FORWARD. Nobody's media is never forwarded.
 */
#ifndef OTWAY_FRONT_H
#define OTWAY_FRONT_H

#include "otway/model/counter.h"
#include "otway/model/step.h"
#include "otway/sip.h"

struct front;
struct decap_options;
struct decap_left;

struct front_options {
	const struct decap_options *decap; /* what is unwrapped; NULL: everything */
	const uint16_t *sip_ports;         /* where SIP is looked for; none: on every port */
	size_t sip_port_count;
	size_t hold_octets;                /* of packets that wait for a key, per call; 0: as media.h */
	nsec_t hold_time;
	size_t recent_octets;              /* of media that may get its description within a second; 0: 1 MiB */
	bool prints;                       /* as media.h */
	bool spill;                        /* what is beyond hold_octets is given out as MEDIA_HELD, to come back by front_back */
	bool tell_unclaimed;               /* FRONT_UNCLAIMED, for `explain` */
	uint32_t fronts, own;              /* how many there are, 0 and 1: this one alone; and which this is, from 0 */
};

struct front *front_new(const struct front_options *o); /* NULL: out of memory */
void front_free(struct front *f);

/* In: a frame. Or what another front forwarded, a datagram or a fragment (without payload). Or a packet that was held elsewhere. Each is
 * borrowed until front_next and front_media give nothing. False: it was nobody's, and they need not be asked. */
bool front_take(struct front *f, const struct frame *in);
void front_forwarded(struct front *f, const struct datagram *in);
void front_back(struct front *f, uint32_t call, const struct datagram *in);
void front_back_end(struct front *f, uint32_t call); /* no more of them: new packets need not go behind them */

/* In: what the second half says of media (STEP_RECORD and its kin are ignored), and of ESP. */
void front_step(struct front *f, const struct step *s);
void front_esp(struct front *f, const struct sip_esp *e);

/* Out: a media packet that is ready and who takes it; false: none. Borrowed until the next call on f. */
bool front_media(struct front *f, const struct media_packet **out, const struct cover **covers, size_t *count);

/* Out: the next thing that is no media packet; false: none, and then front_media has none either. A media packet that becomes ready goes
 * before: ask front_media first, each time. */
enum front_kind {
	FRONT_NOTHING, /* something was done; ask again */
	FRONT_SIGNAL,  /* a whole SIP message, to be read: datagram */
	FRONT_FORWARD, /* for the front of that number: datagram */
	FRONT_UNCLAIMED,   /* nothing comes of this UDP datagram now: datagram */
	FRONT_HELD_WANTED, /* the packets of this call that were held elsewhere, or UINT32_MAX: of every call */
	FRONT_LOST         /* so many packets for other fronts found no room, the earliest and the latest of these times */
};
struct front_out {
	enum front_kind kind;
	uint32_t to, call;
	uint64_t packets;
	nsec_t from, until;
	const struct datagram *datagram; /* borrowed until the next call on f */
};
bool front_next(struct front *f, struct front_out *out);

/* For the one that follows this one: what of streams cannot be found out again, as octets: of one call that changed since, all of it, which
 * begin with its number (be32); 8 of them: it has no streams any more. Ask again until false. */
bool front_state(struct front *f, struct buf *out); /* false: no call changed since; out is appended to */
void front_resume(struct front *f, struct bytes state); /* of the one before; before any frame. What is no such thing is passed over */

/* Time goes on (for every front_take it does by itself). Nothing more comes: first what streams of signalling still have, then, when the
 * second half is at its end too, all media. */
void front_time(struct front *f, nsec_t at);
void front_end_signals(struct front *f);
void front_end(struct front *f);
/* Nothing that came in before is still undecided: all of it was given out. Then (and not before) a mark may say so. */
nsec_t front_settled(const struct front *f);

bool front_left(const struct front *f, size_t i, struct decap_left *out);
size_t front_counts(const struct front *f, struct counter *out, size_t max);         /* decap, sip, media */
size_t front_counts_capture(const struct front *f, struct counter *out, size_t max); /* decap, sip: see pipeline_counts_capture */

#endif
