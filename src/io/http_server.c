/*
 * http_server: requests over mutual TLS, one handler for all of them.
 */
#include "io.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdlib.h>

#define HEADERS_MAX     8192
#define IDLE_SECONDS    60
#define NAME_MAX_OCTETS 256

struct http_server {
	struct loop *loop;
	struct tls *tls;
	struct evhttp *http;
	struct evhttp_bound_socket *socket;
	struct guests *guests;
	http_handler *handler;
	void *arg;
};

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct http_server *s = arg;
	struct bufferevent *b = tls_bufferevent(s->tls, s->loop, NULL, NULL);

	(void)base;
	if (b != NULL && !guests_take(s->guests, s->tls, b)) {
		bufferevent_free(b);
		b = NULL;
	}
	return b; /* of NULL evhttp makes a connection in clear: see on_request */
}

/* "application/json" of "application/json; charset=utf-8". */
static void type_copy(const char *header, char *out, size_t size)
{
	size_t n = header != NULL ? strcspn(header, "; \t") : 0;

	n = n < size ? n : 0;
	if (n > 0)
		memcpy(out, header, n);
	out[n] = '\0';
}

/* Says nothing to whom we do not know: no TLS, or a certificate without a name. */
static void refuse(struct evhttp_request *request)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
	evhttp_send_reply(request, 403, NULL, NULL);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct http_server *s = arg;
	struct evbuffer *in = evhttp_request_get_input_buffer(request),
			*out = evhttp_request_get_output_buffer(request);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	struct bufferevent *connection = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	char peer[NAME_MAX_OCTETS], type[64];
	struct http_answer answer = { .status = 500 };
	struct http_request r = {
		.method = evhttp_request_get_command(request) == EVHTTP_REQ_POST ? "POST" : "GET",
		.path = path != NULL ? path : "",
		.query = query != NULL ? query : "",
		.type = type,
		.peer = tls_peer_name(connection, peer, sizeof(peer)),
	};

	if (peer[0] == '\0') {
		refuse(request);
		return;
	}
	guests_answered(s->tls, connection);
	type_copy(evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type"), type, sizeof(type));
	r.body.len = evbuffer_get_length(in);
	r.body.at = evbuffer_pullup(in, -1);
	s->handler(s->arg, &r, &answer);
	if (answer.type != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", answer.type);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Cache-Control", "no-store");
	if (answer.body.failed || evbuffer_add(out, answer.body.at, answer.body.len) < 0)
		answer.status = 500;
	evhttp_send_reply(request, (int)answer.status, NULL, NULL);
	buf_clear(&answer.body);
}

/* Binds itself, so that the reason of a failure can be told. */
static int place_bind(struct http_server *s, const char *listen, struct err *err)
{
	char host[256];
	unsigned port;

	if (http_place(listen, strlen(listen), 0, host, sizeof(host), &port, err) < 0)
		return err_in(err, "listening at %s", listen);
	s->socket = evhttp_bind_socket_with_handle(s->http, host, (uint16_t)port);
	if (s->socket == NULL)
		return err_set(
			err, "listening at %s: %s", listen, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	guests_door(s->guests, evhttp_bound_socket_get_listener(s->socket));
	return 0;
}

int http_server_new(struct http_server **out, struct loop *l, const char *listen, const struct tls_files *tls,
	size_t body_max, http_handler *handler, void *arg, struct err *err)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, "out of memory");
	*s = (struct http_server){ .loop = l, .handler = handler, .arg = arg };
	s->http = evhttp_new(loop_base(l));
	s->guests = guests_new(l);
	if (s->http == NULL || s->guests == NULL) {
		err_set(err, "out of memory");
	} else if (tls_new(&s->tls, TLS_SERVER, tls, err) == 0) {
		evhttp_set_bevcb(s->http, on_connection, s);
		evhttp_set_allowed_methods(s->http, EVHTTP_REQ_POST | EVHTTP_REQ_GET);
		evhttp_set_max_headers_size(s->http, HEADERS_MAX);
		evhttp_set_max_body_size(s->http, (ssize_t)body_max);
		evhttp_set_timeout(s->http, IDLE_SECONDS);
		evhttp_set_gencb(s->http, on_request, s);
		if (place_bind(s, listen, err) == 0) {
			*out = s;
			return 0;
		}
	}
	http_server_free(s);
	return -1;
}

unsigned http_server_port(const struct http_server *s)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(evhttp_bound_socket_get_fd(s->socket), (struct sockaddr *)&at, &len) < 0)
		return 0;
	return ntohs(at.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)&at)->sin6_port
					      : ((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

void http_server_limit(struct http_server *s, const struct guest_limits *limits)
{
	guests_limit(s->guests, limits);
}

void http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	guests_free(s->guests);
	if (s->http != NULL)
		evhttp_free(s->http);
	tls_free(s->tls);
	free(s);
}
