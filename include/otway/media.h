/*
 * media: from a datagram of an intercepted call to clear RTP.
 * One SRTP context per stream and key (RFC 3711), and the packets that came before the key. RTP that was never
 * encrypted passes through once its codec's framing bears it out. Which key opens a stream, and at which
 * roll-over counter, is proven by the authentication tag of its packets.
 */
#ifndef OTWAY_MEDIA_H
#define OTWAY_MEDIA_H

#include "otway/model/counter.h"
#include "otway/model/step.h"

struct media; /* every open stream of this process */

struct media_options {
	size_t hold_octets;   /* packets held for a key or a decision, per call; 0: 8 MiB */
	nsec_t hold_time;     /* and for how long; 0: as long as the call lasts */
	nsec_t linger;        /* after STEP_CLOSE known streams go on for so long; 0: 32 s (RFC 3261 timer H) */
	size_t hold_octets_all; /* of all calls; 0: 512 MiB with spill, else unbounded */
	bool prints;          /* keys of packets are told as their prints (srtp_key_print), which leave the process */
	bool spill;           /* beyond hold_octets packets that wait for a key are given out as MEDIA_HELD, not given up */
};

struct media *media_new(const struct media_options *o); /* NULL for all defaults; NULL returned: out of memory */
void media_free(struct media *m);                       /* NULL is fine; wipes every key */

/* Before a process gives up its files: the libraries behind load what they would load with the first key. */
void media_prepare(void);

/* In: what the call stage says: STEP_COVER, STEP_PLACE, STEP_KEY, STEP_CLOSE; others are ignored. */
void media_step(struct media *m, const struct step *s);

/* True when the datagram is to (or from) a place of an open call. For every datagram: O(1), no allocation. */
bool media_wants(const struct media *m, const struct datagram *in);
/* The end of that call was said; false: not, or there is no such call. */
bool media_closed(const struct media *m, uint32_t call);

/* One that is wanted, but by a call that is over: its ports may be another's by now, whose place is still on its way. */
bool media_wants_late(const struct media *m, const struct datagram *in);

/* In: one datagram that media_wants, borrowed for the call. */
void media_take(struct media *m, const struct datagram *in);

/* Out: the next packet that is ready; false when there is none. *out is borrowed until the next call on m.
 * *covers: who takes it; those whose window holds out->at only. */
bool media_next(struct media *m, const struct media_packet **out, const struct cover **covers, size_t *count);

/*
 * With `spill`: a call whose hold is full, and that waits for a key, gives out each new packet that cannot be opened as MEDIA_HELD (of a
 * truncated one the reason is SEAL_TRUNCATED), to be kept elsewhere in its order. When the
 * key is there, or will not come, media_held_wanted tells so, once: then those that went out before come back in their order by media_held,
 * ended by media_held_end. Meanwhile new ones wait in memory, and beyond what it holds go out as MEDIA_HELD again: then one more round is
 * wanted. What comes back is decided: opened, or held for its key as far as there is room, or sealed. After a restart media asks by itself for
 * what the process before gave out, as far as media_state told it. When nothing comes for a minute a round is over.
 */
bool media_held_wanted(struct media *m, uint32_t *call); /* out; false: none */
void media_held(struct media *m, uint32_t call, const struct datagram *in);
void media_held_end(struct media *m, uint32_t call);

/*
 * For who follows: what of streams cannot be found out again (roll-over, what they are, which key by its print), as octets appended to out,
 * one call at a time: all that is known of a call that changed. False: none changed. The octets begin with the number of the call, in four;
 * whoever keeps them keeps the newest of each number. Where nothing is to be kept of a call any more they are 8 octets long.
 * media_resume takes one of them, or several one behind the other; of calls that were not said yet, too.
 */
bool media_state(struct media *m, struct buf *out);
void media_resume(struct media *m, struct bytes state);

/* No packet that is held in memory came before that, as was found a quarter of a second ago at most; NSEC_NONE: none is held. */
nsec_t media_oldest(const struct media *m);

/* Time goes on: holds expire, closed calls are forgotten. media_end: nothing more comes, decide everything. */
void media_time(struct media *m, nsec_t at);
void media_end(struct media *m);

/* "rtp", "rtcp", "decrypted", "clear", "sealed", "duplicates", "forged", "not_rtp", and "learned": streams to an address that
 * nothing signalled, from one that was. With `spill` also "held_elsewhere", "held_lost" (that came back too late), "hold_evicted" (given up
 * since all calls held too much) and "held_octets", which is a height. Returns how many were written. */
size_t media_counts(const struct media *m, struct counter *out, size_t max);

#endif
