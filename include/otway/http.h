/*
 * http: HTTP/1.1 over TLS 1.3 with certificates on both sides, as client and server, on one event loop. The only module that sees
 * libevent and libssl.
 */
#ifndef OTWAY_HTTP_H
#define OTWAY_HTTP_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/base/nsec.h"
#include "otway/loop.h"

/* Who we are and whom we believe: PEM files. The key file is refused (EXIT_REFUSED) when others may read it; a certificate that
 * does not fit its key, or a file that is not PEM, is an error that names the file. */
struct tls_files {
	const char *ca, *cert, *key;
};

/* Does what the library would do when it is first used, such as reading its own settings: before a process gives up the file system. */
void http_prepare(void);

/* The client: one per peer; connections are kept and used again. A name is looked up when a request is sent, never before. */
struct http_client;
int http_client_new(struct http_client **out, struct loop *l, const char *url, const struct tls_files *tls, struct err *err);
void http_client_free(struct http_client *c); /* what is under way ends with status 0 */

struct http_reply {
	unsigned status;    /* 0: no answer */
	bool trusted;       /* false: TLS was refused by us (certificate, name, version) */
	struct bytes body;  /* borrowed for the call; at most max octets */
};
typedef void http_done(void *arg, const struct http_reply *r);
/* POST of body to the url's path followed by `path`; done is called once, never from within. False: out of memory. */
bool http_post(struct http_client *c, const char *path, const char *type, struct bytes body, nsec_t timeout, http_done *done,
	       void *arg);

/* The server. */
struct http_request {
	const char *method, *path, *query; /* query "" when there is none */
	const char *type;                  /* Content-Type without parameters; "" none */
	const char *peer;                  /* common name of the client's certificate: one, and not empty */
	struct bytes body;
};
struct http_answer {
	unsigned status;
	const char *type;
	struct buf body; /* wiped and freed by the server */
};
typedef void http_handler(void *arg, const struct http_request *in, struct http_answer *out);
struct http_server;
/* listen: ADDR:PORT; port 0: any, see http_server_port. body_max: longer bodies get 413. A client whose certificate has no common
 * name, or several, gets 403. */
int http_server_new(struct http_server **out, struct loop *l, const char *listen, const struct tls_files *tls, size_t body_max,
		    http_handler *handler, void *arg, struct err *err);
unsigned http_server_port(const struct http_server *s);
/* Connections at once (those beyond wait outside), how long each has for its handshake, and how long from one whole request to the
 * next before it is hung up on. Else 512, 10 s, 90 s. */
struct guest_limits {
	unsigned most;
	nsec_t handshake, silence;
};
void http_server_limit(struct http_server *s, const struct guest_limits *limits);
void http_server_free(struct http_server *s);

#endif
