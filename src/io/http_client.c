/*
 * http_client: requests to one peer over mutual TLS. A connection carries one request at a time and is kept for the next; as many
 * are open as requests are under way.
 */
#include "io.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

#include "otway/base/text.h"

#define HEADERS_MAX 8192
#define BODY_MAX    ((ssize_t)1 << 20)
#define KEPT_MAX    128 /* connections that wait for a request */

enum connection_state { IDLE, ASKING, DEAD };

struct connection {
	struct connection *next;
	struct http_client *client;
	struct evhttp_connection *http;
	struct event *limit; /* of the whole exchange */
	struct evhttp_request *request;
	enum connection_state state;
	bool refused; /* by us, in the TLS handshake */
	bool closed;  /* by the peer, after what it said */
	http_done *done;
	void *arg;
};

struct http_client {
	struct loop *loop;
	struct tls *tls;
	struct connection *all;
	char *host, *path, *authority;
	unsigned port;
	bool named; /* host is a name, to be looked up */
	struct event *sweep;
};

static void connection_free(struct connection *c)
{
	c->state = DEAD;
	if (c->http != NULL)
		evhttp_connection_free(c->http);
	if (c->limit != NULL)
		event_free(c->limit);
	free(c);
}

/* Frees what is dead, and idle connections beyond what is kept; never from within a connection's own call. */
static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *h = arg;
	struct connection **at = &h->all, *c;
	size_t kept = 0;

	(void)fd;
	(void)what;
	while ((c = *at) != NULL) {
		if (c->state == DEAD || (c->state == IDLE && ++kept > KEPT_MAX)) {
			*at = c->next;
			connection_free(c);
		} else {
			at = &c->next;
		}
	}
}

static void connection_die(struct connection *c)
{
	c->state = DEAD;
	event_active(c->client->sweep, EV_TIMEOUT, 0);
}

/* The exchange is over, whatever came of it. */
static void connection_done(struct connection *c, unsigned status, struct bytes body)
{
	const struct http_reply reply = { .status = status, .trusted = !c->refused, .body = body };
	http_done *done = c->done;

	evtimer_del(c->limit);
	c->request = NULL;
	c->done = NULL;
	if (done != NULL)
		done(c->arg, &reply);
}

static void on_reply(struct evhttp_request *request, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *in;
	unsigned status = request != NULL ? (unsigned)evhttp_request_get_response_code(request) : 0;
	struct bytes body = { NULL, 0 };

	if (c->state != ASKING)
		return;
	if (status == 0) {
		connection_die(c);
		connection_done(c, 0, body);
		return;
	}
	in = evhttp_request_get_input_buffer(request);
	body.len = evbuffer_get_length(in);
	body.at = evbuffer_pullup(in, -1);
	c->state = IDLE;
	if (c->closed)
		connection_die(c);
	connection_done(c, status, body);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	if (c->state != ASKING)
		return;
	connection_die(c); /* and its request with it, unheard */
	connection_done(c, 0, (struct bytes){ NULL, 0 });
}

/* The peer closed it: no request goes that way again. */
static void on_closed(struct evhttp_connection *http, void *arg)
{
	struct connection *c = arg;

	(void)http;
	c->closed = true;
	if (c->state == IDLE)
		connection_die(c);
}

static struct connection *connection_new(struct http_client *h)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct bufferevent *b;

	if (c == NULL)
		return NULL;
	c->client = h;
	c->limit = evtimer_new(loop_base(h->loop), on_limit, c);
	b = tls_bufferevent(h->tls, h->loop, h->host, &c->refused);
	if (b != NULL)
		c->http = evhttp_connection_base_bufferevent_new(
			loop_base(h->loop), h->named ? loop_names(h->loop) : NULL, b, h->host, (uint16_t)h->port);
	if (c->limit == NULL || c->http == NULL) {
		if (c->http == NULL && b != NULL)
			bufferevent_free(b);
		connection_free(c);
		return NULL;
	}
	evhttp_connection_set_retries(c->http, 0);
	evhttp_connection_set_max_headers_size(c->http, HEADERS_MAX);
	evhttp_connection_set_max_body_size(c->http, BODY_MAX);
	evhttp_connection_set_closecb(c->http, on_closed, c);
	c->next = h->all;
	h->all = c;
	return c;
}

static struct connection *connection_idle(struct http_client *h)
{
	for (struct connection *c = h->all; c != NULL; c = c->next)
		if (c->state == IDLE)
			return c;
	return connection_new(h);
}

bool http_post(struct http_client *h, const char *path, const char *type, struct bytes body, nsec_t timeout,
	http_done *done, void *arg)
{
	const struct timeval span = loop_span(timeout);
	struct connection *c = connection_idle(h);
	struct evhttp_request *request = c != NULL ? evhttp_request_new(on_reply, c) : NULL;
	struct buf where = { 0 };
	bool began;

	if (request == NULL)
		return false;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Host", h->authority);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
	evbuffer_add(evhttp_request_get_output_buffer(request), body.at, body.len);
	buf_printf(&where, "%s%s", h->path, path);
	c->state = ASKING;
	c->request = request;
	c->done = NULL; /* what fails at once is told by what is returned */
	c->arg = arg;
	began = !where.failed && evhttp_make_request(c->http, request, EVHTTP_REQ_POST, (const char *)where.at) == 0 &&
		evtimer_add(c->limit, &span) == 0 && c->state == ASKING;
	c->done = done;
	buf_clear(&where);
	if (!began)
		connection_die(c);
	return began;
}

/* https://HOST[:PORT][/PATH] and nothing else. */
static int url_read(struct http_client *h, const char *url, struct err *err)
{
	static const char scheme[] = "https://";
	const char *at = url + sizeof(scheme) - 1, *path;
	char host[256];
	size_t len;
	unsigned char binary[16];

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return err_code(err, EXIT_USAGE, "a URL begins with https://");
	len = strcspn(at, "/");
	path = at + len;
	if (strpbrk(url, "?# \t\r\n") != NULL || memchr(at, '@', len) != NULL)
		return err_code(
			err, EXIT_USAGE, "a URL is https://HOST[:PORT][/PATH], without user, query, fragment or space");
	if (http_place(at, len, 443, host, sizeof(host), &h->port, err) < 0)
		return -1;
	h->named = evutil_inet_pton(AF_INET, host, binary) != 1 && evutil_inet_pton(AF_INET6, host, binary) != 1;
	h->host = strdup(host);
	h->authority = strndup(at, len);
	h->path = strdup(path);
	for (len = h->path != NULL ? strlen(h->path) : 0; len > 0 && h->path[len - 1] == '/'; len--)
		h->path[len - 1] = '\0';
	return h->host != NULL && h->authority != NULL && h->path != NULL ? 0 : err_set(err, "out of memory");
}

int http_client_new(
	struct http_client **out, struct loop *l, const char *url, const struct tls_files *tls, struct err *err)
{
	struct http_client *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_set(err, "out of memory");
	h->loop = l;
	h->sweep = evtimer_new(loop_base(l), on_sweep, h);
	if (h->sweep == NULL) {
		http_client_free(h);
		return err_set(err, "out of memory");
	}
	if (url_read(h, url, err) < 0 || tls_new(&h->tls, TLS_CLIENT, tls, err) < 0) {
		http_client_free(h);
		return -1;
	}
	*out = h;
	return 0;
}

void http_client_free(struct http_client *h)
{
	struct connection *c;

	if (h == NULL)
		return;
	for (c = h->all; c != NULL; c = c->next)
		if (c->state == ASKING) {
			c->state = DEAD;
			connection_done(c, 0, (struct bytes){ NULL, 0 });
		}
	while ((c = h->all) != NULL) {
		h->all = c->next;
		connection_free(c);
	}
	if (h->sweep != NULL)
		event_free(h->sweep);
	tls_free(h->tls);
	free(h->host);
	free(h->authority);
	free(h->path);
	free(h);
}
