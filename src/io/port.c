/*
 * port: messages over a SOCK_SEQPACKET socket. A datagram is a row of messages, each behind a header of its own: type (2 octets) and
 * length (4), in network order. It is looked over as a whole before anything of it is believed.
 */
#include "otway/port.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otway/base/secret.h"

enum {
	HEADER = 6,
	BATCH = 64 << 10, /* octets of a datagram of several messages */
	READS = 16,       /* datagrams taken in before others have their turn, if it does not take long */
	SPARES = 4,       /* empty parcels kept */
};
#define DATAGRAM_MAX (HEADER + PORT_MESSAGE_MAX)
#define TURN         (NSEC_PER_SEC / 50) /* this is long */

/* A datagram that gathers, or waits. */
struct parcel {
	struct parcel *next;
	struct buf octets;
};

struct port {
	int fd;
	size_t queue_max;
	port_taken *taken;
	void *arg;
	struct loop_watch *readable, *writable;
	struct loop_later *later;
	bool paused, blocked, ended;
	uint64_t broken;

	struct parcel *first, **end; /* to be sent, in order; the last one still gathers */
	struct parcel *last, *spare;
	size_t spares, waiting;
	uint64_t sent; /* octets that have left */

	uint8_t *in; /* a datagram that came, looked over */
	size_t in_len, in_at;
};

static void parcel_free(struct parcel *p)
{
	buf_clear(&p->octets);
	free(p);
}

static struct parcel *parcel_new(struct port *p)
{
	struct parcel *one = p->spare;

	if (one == NULL)
		return calloc(1, sizeof(*one));
	p->spare = one->next;
	p->spares--;
	one->next = NULL;
	return one;
}

/* The first one has gone out. */
static void parcel_done(struct port *p)
{
	struct parcel *one = p->first;

	p->first = one->next;
	if (p->first == NULL) {
		p->end = &p->first;
		p->last = NULL;
	}
	p->waiting -= one->octets.len;
	p->sent += one->octets.len;
	secret_wipe(one->octets.at, one->octets.len);
	buf_reset(&one->octets);
	if (p->spares == SPARES || one->octets.cap > 2 * BATCH) {
		parcel_free(one);
		return;
	}
	one->next = p->spare;
	p->spare = one;
	p->spares++;
}

/* The parcel that has room for so many octets; NULL: out of memory. */
static struct parcel *gather(struct port *p, size_t len)
{
	struct parcel *one = p->last;

	if (one != NULL && one->octets.len + len <= BATCH)
		return one;
	one = parcel_new(p);
	if (one == NULL)
		return NULL;
	*p->end = one;
	p->end = &one->next;
	p->last = one;
	return one;
}

bool port_send(struct port *p, enum msg_type type, struct bytes body)
{
	size_t len = HEADER + body.len;
	struct parcel *one;
	uint8_t *to;

	if (body.len > PORT_MESSAGE_MAX || p->ended || len > p->queue_max || p->waiting > p->queue_max - len)
		return false;
	/* A full one leaves at once, so that the other side has something to do meanwhile. */
	if (p->last != NULL && p->last->octets.len + len > BATCH && !p->blocked)
		port_flush(p);
	one = gather(p, len);
	to = one != NULL ? buf_room(&one->octets, len) : NULL;
	if (to == NULL)
		return false;
	put_be16(to, (uint16_t)type);
	put_be32(to + 2, (uint32_t)body.len);
	if (body.len > 0)
		memcpy(to + HEADER, body.at, body.len);
	one->octets.len += len;
	p->waiting += len;
	if (!p->blocked)
		loop_later_soon(p->later);
	return true;
}

static void block(struct port *p, bool blocked)
{
	if (p->blocked != blocked)
		loop_watch_pause(p->writable, !blocked);
	p->blocked = blocked;
}

/* Nobody is at the other end any more, and nobody will be. */
static void end(struct port *p)
{
	p->ended = true;
	while (p->first != NULL)
		parcel_done(p);
	block(p, false);
	loop_watch_pause(p->readable, true);
}

bool port_flush(struct port *p)
{
	while (p->first != NULL) {
		const struct buf *b =
			&p->first->octets; /* none where memory was out: an empty datagram would be an end */
		ssize_t sent = b->len > 0 ? send(p->fd, b->at, b->len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)) {
			block(p, true);
			return false;
		}
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)) {
			end(p);
			return true;
		}
		if (sent < 0)
			p->broken++; /* cannot be: port_pair saw to room for every datagram */
		parcel_done(p);
	}
	block(p, false);
	return true;
}

bool port_drain(struct port *p, nsec_t span)
{
	nsec_t until = loop_now() + span;

	while (!port_flush(p)) {
		struct pollfd fd = { .fd = p->fd, .events = POLLOUT };
		nsec_t left = until - loop_now();

		if (left <= 0)
			return false;
		poll(&fd, 1, (int)(left / 1000000) + 1);
	}
	return true;
}

size_t port_waiting(const struct port *p)
{
	return p->waiting;
}

uint64_t port_sent(const struct port *p)
{
	return p->sent;
}

bool port_ended(const struct port *p)
{
	return p->ended;
}

uint64_t port_broken(const struct port *p)
{
	return p->broken;
}

/* Whether messages fill the datagram to its last octet. */
static bool whole(const uint8_t *at, size_t len)
{
	while (len >= HEADER) {
		uint16_t type = be16(at);
		uint32_t body = be32(at + 2);

		if (type == 0 || type >= MSG_TYPES || body > len - HEADER || body > PORT_MESSAGE_MAX)
			return false;
		at += HEADER + body;
		len -= HEADER + body;
	}
	return len == 0;
}

/* What is left of the datagram. */
static void give(struct port *p)
{
	while (!p->paused && p->in_at < p->in_len) {
		const uint8_t *at = p->in + p->in_at;
		struct bytes body = { at + HEADER, be32(at + 2) };

		p->in_at += HEADER + body.len;
		p->taken(p->arg, (enum msg_type)be16(at), body);
	}
}

/* False: nothing is there now. */
static bool receive(struct port *p)
{
	ssize_t len = recv(p->fd, p->in, DATAGRAM_MAX, MSG_DONTWAIT | MSG_TRUNC);

	p->in_at = p->in_len = 0;
	if (len < 0)
		return errno == EINTR;
	if (len == 0) {
		end(p);
		return false;
	}
	if ((size_t)len > DATAGRAM_MAX || !whole(p->in, (size_t)len))
		p->broken++;
	else
		p->in_len = (size_t)len;
	return true;
}

static void on_readable(void *arg)
{
	struct port *p = arg;
	nsec_t until = loop_now() + TURN;

	give(p);
	for (int i = 0; i < READS && !p->paused && loop_now() < until && receive(p); i++)
		give(p);
}

static void on_writable(void *arg)
{
	port_flush(arg);
}

/* What came before the pause goes first, though the socket may have nothing new. */
static void later(void *arg)
{
	struct port *p = arg;

	give(p);
	if (!p->blocked)
		port_flush(p);
}

void port_pause(struct port *p, bool paused)
{
	p->paused = paused;
	loop_watch_pause(p->readable, paused || p->ended);
	if (!paused && p->in_at < p->in_len)
		loop_later_soon(p->later);
}

int port_new(struct port **out, struct loop *l, int fd, size_t queue_max, port_taken *taken, void *arg, struct err *err)
{
	struct port *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, "out of memory");
	*p = (struct port){ .fd = -1, .queue_max = queue_max, .taken = taken, .arg = arg };
	p->end = &p->first;
	p->in = malloc(DATAGRAM_MAX);
	p->readable = loop_watch_new(l, fd, LOOP_READ, on_readable, p);
	p->writable = loop_watch_new(l, fd, LOOP_WRITE, on_writable, p);
	p->later = loop_later_new(l, later, p);
	if (p->in == NULL || p->readable == NULL || p->writable == NULL || p->later == NULL) {
		port_free(p);
		return err_set(err, "out of memory");
	}
	loop_watch_pause(p->writable, true);
	p->fd = fd;
	*out = p;
	return 0;
}

void port_free(struct port *p)
{
	if (p == NULL)
		return;
	loop_watch_free(p->readable);
	loop_watch_free(p->writable);
	loop_later_free(p->later);
	while (p->first != NULL)
		parcel_done(p);
	while (p->spare != NULL) {
		struct parcel *one = p->spare;

		p->spare = one->next;
		parcel_free(one);
	}
	if (p->in != NULL)
		secret_free(p->in, DATAGRAM_MAX);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}
