/*
 * halves: the table of what SIP flows through: each direction of a TCP connection or SCTP association on its own, for
 * SIP alone. Bounded in number and octets; the oldest goes. What is no SIP costs a look at one octet of a filter.
 */
#ifndef OTWAY_SIP_HALVES_H
#define OTWAY_SIP_HALVES_H

#include "otway/base/table.h"
#include "otway/model/packet.h"
#include "sctp.h"
#include "splitter.h"
#include "sequence.h"
#include "websocket.h"

#define HALVES_MAX        65535
#define HALVES_OCTETS_MAX ((size_t)64 << 20)
#define HOLE_SPAN         (3 * NSEC_PER_SEC) /* how long a hole is waited for */
#define HOLE_ARRIVALS_MAX 64                 /* and how much may wait behind it */
#define HOLE_OCTETS_MAX   ((size_t)256 << 10)

enum half_kind { HALF_SIP, HALF_WEBSOCKET, HALF_SCTP };

struct half {
	struct flow key, flow; /* key: flow, or of SCTP its ports and tag, since a host may have several addresses */
	enum half_kind kind;
	bool heard;                 /* a message came out of it */
	bool waiting, ready;        /* on these lists */
	bool leaving, drop, done;   /* to be emptied and taken out; to be taken out; its end came */
	struct half *newer, *older; /* by last use */
	struct half *wait_before, *wait_after, *ready_after;
	nsec_t wait_since, at;     /* at: of the newest segment that came in order */
	uint32_t wait_next;        /* what it waited for then */
	uint32_t source, ack, tag; /* of TCP, of SCTP */
	uint32_t seq;              /* of the first octet in `rest` */
	size_t useless;            /* octets since the last message */
	struct sequence stream;
	struct splitter splitter;
	struct websocket websocket;
	struct sctp_data user; /* first chunk of the user message in hand */
	bool user_open, user_whole;
	struct buf rest; /* in order, not used up yet */
	size_t charged;  /* octets counted as its own */
};

struct syn {
	uint32_t tag, first;
};

#define FILTER_SIZE 65536
#define SYNS        16384

struct halves {
	struct table *table;
	struct half *newest, *oldest;
	struct half *wait_first, *wait_last, *ready_first, *ready_last;
	size_t octets;
	uint64_t evicted;
	uint16_t filter[FILTER_SIZE]; /* how many halves have a key of this hash */
	struct syn syns[SYNS]; /* where connections begin that have shown no data yet; the newest of a hash stays */
};

struct halves *halves_new(void);
void halves_free(struct halves *hs);

struct half *halves_find(struct halves *hs, const struct flow *key);
struct half *halves_add(struct halves *hs, const struct flow *key); /* NULL: out of memory */
void halves_remove(struct halves *hs, struct half *h);

/* It was used: the newest now. Its octets are counted anew, and the oldest others go while there are too many. */
void halves_used(struct halves *hs, struct half *h);

/* Puts it on the list of those that may have something to give; takes the first off it, or NULL. */
void halves_ready(struct halves *hs, struct half *h);
struct half *halves_pop_ready(struct halves *hs);

/* Notes whether it waits for a hole to be filled, from `now` on when it is another than before. */
void halves_wait(struct halves *hs, struct half *h, nsec_t now);

/* The one that has waited longest, if longer than HOLE_SPAN, now off the list; or NULL. */
struct half *halves_waited(struct halves *hs, nsec_t now);

/* The first sequence number of a connection that begins: what its SYN said. */
void halves_begins(struct halves *hs, const struct flow *flow, uint32_t first);
bool halves_began(const struct halves *hs, const struct flow *flow, uint32_t *first);
void halves_forget(struct halves *hs, const struct flow *flow);

#endif
