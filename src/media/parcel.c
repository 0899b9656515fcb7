/* parcel: copies of packets, and the memory for them, used again and again. */
#include "parcel.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define UNUSED_MAX 64   /* parcels kept for later */
#define ROOM_MIN   512  /* so that most of them fit most packets */
#define ROOM_KEPT  8192 /* larger ones are given back */

void queue_push(struct parcel_queue *q, struct parcel *p)
{
	p->next = NULL;
	if (q->last != NULL)
		q->last->next = p;
	else
		q->first = p;
	q->last = p;
}

struct parcel *queue_pop(struct parcel_queue *q)
{
	struct parcel *p = q->first;

	if (p != NULL) {
		q->first = p->next;
		if (q->first == NULL)
			q->last = NULL;
		p->next = NULL;
	}
	return p;
}

static size_t clear_at(size_t packet_len)
{
	return (packet_len + 7) & ~(size_t)7;
}

static struct parcel *with_room(struct parcel_pool *pool, size_t room)
{
	struct parcel *p = pool->unused;

	if (p != NULL && p->room >= room) {
		pool->unused = p->next;
		pool->count--;
		return p;
	}
	if (room < ROOM_MIN)
		room = ROOM_MIN;
	p = malloc(sizeof(*p) + room);
	if (p != NULL)
		p->room = room;
	return p;
}

struct parcel *parcel_new(struct parcel_pool *pool, const struct datagram *in)
{
	bool whole = in->payload.len <= in->packet.len;
	size_t payload_at = whole && in->payload.len > 0 ? (size_t)(in->payload.at - in->packet.at) : 0;
	struct bytes packet = whole ? in->packet : in->payload;
	struct parcel *p = with_room(pool, clear_at(packet.len) + in->payload.len);
	size_t room;

	if (p == NULL)
		return NULL;
	room = p->room;
	memset(p, 0, sizeof(*p));
	p->room = room;
	p->at = in->at;
	p->flow = in->flow;
	p->truncated = in->truncated;
	p->packet_len = packet.len;
	p->payload_at = payload_at;
	p->payload_len = in->payload.len;
	if (packet.len > 0)
		memcpy(p->data, packet.at, packet.len);
	return p;
}

void parcel_drop(struct parcel_pool *pool, struct parcel *p)
{
	if (p == NULL)
		return;
	if (p->room > ROOM_KEPT || pool->count >= UNUSED_MAX) {
		secret_free(p, sizeof(*p) + p->room);
		return;
	}
	p->next = pool->unused;
	pool->unused = p;
	pool->count++;
}

void parcel_pool_clear(struct parcel_pool *pool)
{
	while (pool->unused != NULL) {
		struct parcel *p = pool->unused;

		pool->unused = p->next;
		secret_free(p, sizeof(*p) + p->room);
	}
	pool->count = 0;
}

struct bytes parcel_payload(const struct parcel *p)
{
	return (struct bytes){ p->data + p->payload_at, p->payload_len };
}

uint8_t *parcel_clear_room(struct parcel *p)
{
	return p->data + clear_at(p->packet_len);
}

struct bytes parcel_clear(const struct parcel *p)
{
	if (p->clear_len == 0)
		return parcel_payload(p);
	return (struct bytes){ p->data + clear_at(p->packet_len), p->clear_len };
}
