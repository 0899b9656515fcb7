/*
 * confine: a process of our own that can do nothing but compute and talk to us.
 */
#ifndef DELIVERY_CONFINE_H
#define DELIVERY_CONFINE_H

#include <sys/types.h>

#include "otway/base/bytes.h"

/* What the process does: reads requests from fd, writes replies to it, returns when there is no more. */
typedef void confined_main(int fd);

/* One of them, seen from here. */
struct confined {
	pid_t pid; /* 0: none */
	int fd;    /* a stream socket to it */
};

/*
 * Starts it: a copy of this process (which has no threads) that holds one descriptor, may not gain privileges, open,
 * connect, start or signal anything, and has bounds on time and memory; what it tries beyond that ends it. False: it
 * could not be.
 */
bool confined_start(struct confined *c, confined_main *run);

/* Ends it, whatever it does. */
void confined_end(struct confined *c);

/* All octets of one message; false: the process is dead, or silent for too long. */
bool confined_send(struct confined *c, struct bytes all);
bool confined_receive(struct confined *c, void *to, size_t len);

/* The same seen from within. */
bool confined_read(int fd, void *to, size_t len);
bool confined_write(int fd, struct bytes all);

#endif
