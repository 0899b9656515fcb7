/*
 * parcel: a media packet on its way through the stage: copied once, held while its fate is open, handed out, used again.
 */
#ifndef OTWAY_MEDIA_PARCEL_H
#define OTWAY_MEDIA_PARCEL_H

#include "otway/model/record.h"

struct call;
struct stream;
struct ring_key;

struct parcel {
	struct parcel *next;          /* in the queue it stands in: ready, of its stream, or unused */
	struct parcel *older, *newer; /* among all that its call holds */
	struct call *call;
	struct stream *stream; /* NULL: of no stream */
	nsec_t at;
	nsec_t own; /* the same by the stage's own time */
	struct flow flow;
	enum media_sort sort;
	enum media_fate fate;
	enum seal_reason reason;
	bool truncated;
	bool settled;  /* fate is known already; it waits for those before it */
	bool doubtful; /* it lies among packets that were found to be no clear ones */
	uint32_t ssrc;
	int64_t place; /* RTP: in its stream, relative to the first packet's roll-over */
	uint32_t timestamp;
	uint8_t pt;
	const struct ring_key *key; /* that opened it */
	size_t packet_len, payload_at, payload_len;
	size_t clear_len; /* 0: clear is the payload itself */
	size_t room;      /* octets in data */
	uint8_t data[];   /* the IP packet, then the clear packet */
};

struct parcel_queue {
	struct parcel *first, *last;
};

void queue_push(struct parcel_queue *q, struct parcel *p);
struct parcel *queue_pop(struct parcel_queue *q); /* NULL: empty */

/* Unused ones, kept for the next packets. */
struct parcel_pool {
	struct parcel *unused;
	size_t count;
};

/* A copy of a datagram; NULL: out of memory. */
struct parcel *parcel_new(struct parcel_pool *pool, const struct datagram *in);
void parcel_drop(struct parcel_pool *pool, struct parcel *p);
void parcel_pool_clear(struct parcel_pool *pool);

struct bytes parcel_payload(const struct parcel *p);

/* Where the clear packet goes: room for payload_len octets, aligned to 8. */
uint8_t *parcel_clear_room(struct parcel *p);
struct bytes parcel_clear(const struct parcel *p);

#endif
