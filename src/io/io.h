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
/* Common name of the peer's certificate; "" when there is none. Returns out. */
char *tls_peer_name(struct bufferevent *b, char *out, size_t size);

/* http.c: "ADDR:PORT", "NAME:PORT", "[ADDR]:PORT"; port_default 0: it must be there. */
int http_place(const char *text, size_t len, unsigned port_default, char *host, size_t host_size, unsigned *port, struct err *err);

#endif
