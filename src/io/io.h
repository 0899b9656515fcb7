/*
 * io: what the files of this folder share: the event loop, one TLS configuration for each peer, and addresses as people write
 * them.
 */
#ifndef OTWAY_IO_IO_H
#define OTWAY_IO_IO_H

#include <sys/time.h>

#include "otway/http.h"

struct event_base;
struct evdns_base;
struct bufferevent;
struct evconnlistener;

/* loop.c */
struct event_base *loop_base(struct loop *l);
/* The resolver, begun when it is first needed; NULL: out of memory. */
struct evdns_base *loop_names(struct loop *l);
struct timeval loop_span(nsec_t span);

/* tls.c: one side's configuration, TLS 1.3 only, the peer's certificate demanded. */
struct tls;
enum tls_side { TLS_CLIENT, TLS_SERVER };
int tls_new(struct tls **out, enum tls_side side, const struct tls_files *files, struct err *err);
void tls_free(struct tls *t);
/* A connection not yet made. host: whom the certificate must name (a name or an address); NULL for a server. *refused becomes
 * true when we, not the peer, break the handshake off. */
struct bufferevent *tls_bufferevent(struct tls *t, struct loop *l, const char *host, bool *refused);
/* The one common name of the peer's certificate; "" when there is none, several, or one that is no plain text. Returns out. */
char *tls_peer_name(struct bufferevent *b, char *out, size_t size);
bool tls_is_ready(struct bufferevent *b); /* its handshake is done */
/* gone is called when the connection is freed, which may be after its server was. */
struct tls_watch {
	void (*gone)(struct tls_watch *w);
};
bool tls_watch(struct tls *t, struct bufferevent *b, struct tls_watch *w);        /* false: out of memory */
struct tls_watch *tls_watched(const struct tls *t, struct bufferevent *b); /* NULL: nobody watches it */

/* guests.c: the connections of a server. */
struct guests;
struct guests *guests_new(struct loop *l); /* NULL: out of memory */
void guests_free(struct guests *all);      /* before the door is; the connections may outlive it */
/* What lets them in: shut while there are as many as may be. */
void guests_door(struct guests *all, struct evconnlistener *door);
void guests_limit(struct guests *all, const struct guest_limits *limits);
bool guests_take(struct guests *all, struct tls *t, struct bufferevent *b); /* until it is freed; false: out of memory */
void guests_answered(struct tls *t, struct bufferevent *b);

/* http.c: "ADDR:PORT", "NAME:PORT", "[ADDR]:PORT"; port_default 0: it must be there. */
int http_place(const char *text, size_t len, unsigned port_default, char *host, size_t host_size, unsigned *port, struct err *err);

#endif
