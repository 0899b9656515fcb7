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
	bool spill;           /* beyond hold_octets packets that wait for a key are given out as MEDIA_HELD, not given up */
};

struct media *media_new(const struct media_options *o); /* NULL for all defaults; NULL returned: out of memory */
void media_free(struct media *m);                       /* NULL is fine; wipes every key */

/* In: what the call stage says: STEP_COVER, STEP_PLACE, STEP_KEY, STEP_CLOSE; others are ignored. */
void media_step(struct media *m, const struct step *s);

/* True when the datagram is to (or from) a place of an open call. For every datagram: O(1), no allocation. */
bool media_wants(const struct media *m, const struct datagram *in);

/* In: one datagram that media_wants, borrowed for the call. */
void media_take(struct media *m, const struct datagram *in);

/* Out: the next packet that is ready; false when there is none. *out is borrowed until the next call on m.
 * *covers: who takes it; those whose window holds out->at only. */
bool media_next(struct media *m, const struct media_packet **out, const struct cover **covers, size_t *count);

/*
 * With `spill`: a call whose hold is full, and that waits for a key, gives out each new packet as MEDIA_HELD, to be kept elsewhere. When
 * its key is there (or will not come) media_held_wanted tells so, once; then they come back in their order by media_held, ended by
 * media_held_end. Meanwhile new ones still go out as MEDIA_HELD, behind them.
 */
bool media_held_wanted(struct media *m, uint32_t *call); /* out; false: none */
void media_held(struct media *m, uint32_t call, const struct datagram *in);
void media_held_end(struct media *m, uint32_t call);

/* For who follows: what of streams that changed cannot be found out again (roll-over, what they are), as octets appended to out; false:
 * none changed. And of the one before: of calls that are not known yet, too. */
bool media_state(struct media *m, struct buf *out);
void media_resume(struct media *m, struct bytes state);

/* When the oldest packet came that is held in memory; NSEC_NONE: none is. */
nsec_t media_oldest(const struct media *m);

/* Time goes on: holds expire, closed calls are forgotten. media_end: nothing more comes, decide everything. */
void media_time(struct media *m, nsec_t at);
void media_end(struct media *m);

/* "rtp", "rtcp", "decrypted", "clear", "sealed", "duplicates", "forged", "not_rtp", and "learned": streams to an address that
 * nothing signalled, from one that was. Returns how many were written. */
size_t media_counts(const struct media *m, struct counter *out, size_t max);

#endif
