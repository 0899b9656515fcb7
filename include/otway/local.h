/*
 * local: answers to whoever asks on this machine: over a unix socket, or a port of the loopback interface. Each connection gets one answer
 * and is closed. Plain, bounded, and never waited for.
 */
#ifndef OTWAY_LOCAL_H
#define OTWAY_LOCAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/loop.h"

/* "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT", the port from 1 to 65535; anything else: EXIT_USAGE. */
int local_place_check(const char *place, struct err *err);

/*
 * Listens there. A unix socket takes the place of one that nobody listens at any more, belongs to user and group, and may be used by them
 * as mode says; the last folder of its path is made when it is not there. EXIT_REFUSED: somebody listens there.
 */
struct local_owner {
	uid_t user;
	gid_t group;
	mode_t mode;
};
int local_bind(int *fd, const char *place, const struct local_owner *owner, struct err *err);

enum local_kind {
	LOCAL_DOCUMENT, /* whoever connects is sent the answer; only root and the user of this process (SO_PEERCRED) */
	LOCAL_HTTP      /* GET of the path "/metrics" (HTTP/1.0 and 1.1); anybody who can connect */
};

/* Fills out with the whole answer; false: there is none (500, or nothing). */
typedef bool local_answer(void *arg, struct buf *out);

struct local_server;
/* fd: of local_bind, taken over on success. type: of the document, for HTTP. */
int local_server_new(struct local_server **out, struct loop *l, int fd, enum local_kind kind, const char *type, local_answer *fn, void *arg,
		     struct err *err);
void local_server_free(struct local_server *s);
/* How many are connected; those beyond 16 wait outside, and whoever is slower than 5 s is hung up on. */
unsigned local_server_guests(const struct local_server *s);

/* Asks: connects to a unix socket and reads until its end, at most `max` octets and for `span`. EXIT_UNREACHABLE: nobody answers;
 * EXIT_REFUSED: we may not ask. */
int local_ask(const char *path, size_t max, nsec_t span, struct buf *out, struct err *err);

#endif
