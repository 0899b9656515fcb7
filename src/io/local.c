/*
 * local: the connections of a small server: each is read as far as its question goes, answered, and closed.
 */
#include "otway/local.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otway/base/text.h"

#define GUESTS      16
#define PATIENCE    (5 * NSEC_PER_SEC)
#define REQUEST_MAX 8192 /* octets of a request's lines */

struct guest {
	struct local_server *of;
	int fd; /* -1: nobody */
	struct loop_watch *readable, *writable;
	nsec_t until;
	struct buf in, out;
	size_t sent;
};

struct local_server {
	struct loop *loop;
	int fd;
	enum local_kind kind;
	const char *type;
	local_answer *fn;
	void *arg;
	struct loop_watch *door;
	struct loop_timer *timer;
	struct guest guests[GUESTS];
	unsigned count;
};

static void leave(struct guest *g)
{
	struct local_server *s = g->of;

	if (g->fd < 0)
		return;
	loop_watch_free(g->readable);
	loop_watch_free(g->writable);
	close(g->fd);
	buf_clear(&g->in);
	buf_clear(&g->out);
	*g = (struct guest){ .of = s, .fd = -1 };
	s->count--;
	loop_watch_pause(s->door, false);
}

static void on_writable(void *arg)
{
	struct guest *g = arg;
	ssize_t n = send(g->fd, g->out.at + g->sent, g->out.len - g->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	g->sent += n > 0 ? (size_t)n : 0;
	if (n < 0 || g->sent == g->out.len)
		leave(g);
}

static void answer(struct guest *g)
{
	loop_watch_pause(g->readable, true);
	g->writable = g->out.failed || g->out.len == 0 ? NULL
						       : loop_watch_new(g->of->loop, g->fd, LOOP_WRITE, on_writable, g);
	if (g->writable == NULL)
		leave(g);
}

/* RFC 9112: the status line and the fields; a HEAD gets no more. */
static void http_say(struct guest *g, const char *status, struct bytes body, bool whole)
{
	buf_printf(&g->out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
		"Connection: close\r\n\r\n",
		status, g->of->type, body.len);
	if (whole && body.len > 0)
		buf_add(&g->out, body.at, body.len);
	answer(g);
}

static void http_answer(struct guest *g, struct bytes line)
{
	struct bytes rest, method = text_word(line, &rest), target = text_word(rest, &rest), query;
	bool head = bytes_equal(method, bytes_of("HEAD"));
	struct buf body = { 0 };

	target = text_cut(target, '?', &query);
	if (!text_begins(text_trim(rest), "HTTP/1."))
		http_say(g, "400 Bad Request", bytes_of(""), true);
	else if (!head && !bytes_equal(method, bytes_of("GET")))
		http_say(g, "405 Method Not Allowed", bytes_of(""), true);
	else if (!bytes_equal(target, bytes_of("/metrics")))
		http_say(g, "404 Not Found", bytes_of(""), true);
	else if (!g->of->fn(g->of->arg, &body) || body.failed)
		http_say(g, "500 Internal Server Error", bytes_of(""), true);
	else
		http_say(g, "200 OK", buf_bytes(&body), !head);
	buf_clear(&body);
}

/* The first line, once an empty one has come. */
static void on_readable(void *arg)
{
	struct guest *g = arg;
	uint8_t *to = buf_room(&g->in, REQUEST_MAX);
	ssize_t n = to != NULL ? recv(g->fd, to, REQUEST_MAX, MSG_DONTWAIT) : 0;
	struct bytes rest;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		leave(g);
		return;
	}
	g->in.len += (size_t)n;
	if (memmem(g->in.at, g->in.len, "\r\n\r\n", 4) != NULL || memmem(g->in.at, g->in.len, "\n\n", 2) != NULL)
		http_answer(g, text_cut(buf_bytes(&g->in), '\n', &rest));
	else if (g->in.len >= REQUEST_MAX)
		http_say(g, "431 Request Header Fields Too Large", bytes_of(""), true);
}

/* The kernel says who connected, not they. */
static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static void wait_on(struct local_server *s)
{
	nsec_t first = NSEC_NONE;

	for (size_t i = 0; i < GUESTS; i++)
		if (s->guests[i].fd >= 0 && (first == NSEC_NONE || s->guests[i].until < first))
			first = s->guests[i].until;
	loop_timer_at(s->timer, first);
}

static void on_timer(void *arg)
{
	struct local_server *s = arg;
	nsec_t now = loop_now();

	for (size_t i = 0; i < GUESTS; i++)
		if (s->guests[i].fd >= 0 && s->guests[i].until <= now)
			leave(&s->guests[i]);
	wait_on(s);
}

static void welcome(struct guest *g, int fd)
{
	struct local_server *s = g->of;

	g->fd = fd;
	g->until = loop_now() + PATIENCE;
	s->count++;
	loop_watch_pause(s->door, s->count == GUESTS);
	g->readable = loop_watch_new(s->loop, fd, LOOP_READ, on_readable, g);
	if (g->readable == NULL || (s->kind == LOCAL_DOCUMENT && (!may_ask(fd) || !s->fn(s->arg, &g->out))))
		leave(g);
	else if (s->kind == LOCAL_DOCUMENT)
		answer(g);
	wait_on(s);
}

static void on_door(void *arg)
{
	struct local_server *s = arg;

	for (size_t i = 0; i < GUESTS; i++) {
		int fd = s->guests[i].fd < 0 ? accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

		if (fd >= 0)
			welcome(&s->guests[i], fd);
		else if (s->guests[i].fd < 0)
			return;
	}
}

int local_server_new(struct local_server **out, struct loop *l, int fd, enum local_kind kind, const char *type,
	local_answer *fn, void *arg, struct err *err)
{
	struct local_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, "out of memory");
	*s = (struct local_server){ .loop = l, .fd = -1, .kind = kind, .type = type, .fn = fn, .arg = arg };
	for (size_t i = 0; i < GUESTS; i++)
		s->guests[i] = (struct guest){ .of = s, .fd = -1 };
	s->timer = loop_timer_new(l, on_timer, s);
	s->door = s->timer != NULL ? loop_watch_new(l, fd, LOOP_READ, on_door, s) : NULL;
	if (s->door == NULL) {
		local_server_free(s);
		return err_set(err, "out of memory");
	}
	s->fd = fd;
	*out = s;
	return 0;
}

void local_server_free(struct local_server *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < GUESTS; i++)
		leave(&s->guests[i]);
	loop_watch_free(s->door);
	loop_timer_free(s->timer);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

unsigned local_server_guests(const struct local_server *s)
{
	return s->count;
}
