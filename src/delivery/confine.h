/*
 * confine: a process of our own that can do nothing but compute and talk to us, seen from here.
 */
#ifndef DELIVERY_CONFINE_H
#define DELIVERY_CONFINE_H

#include <limits.h>
#include <sys/types.h>

#include "otway/base/bytes.h"

/* One of them, seen from here. */
struct confined {
	pid_t pid; /* 0: none */
	int fd;    /* a stream socket to it */
};

/* Where a program of ours lies: beside this one as in a build, or installed. False: nowhere. */
bool confined_program(const char *name, char out[PATH_MAX]);

/*
 * Starts a program of ours by its name: a process that has one descriptor, the socket, and nothing of this one's memory. It
 * confines itself (confined.h). False: it is not there, or could not be started.
 */
bool confined_start(struct confined *c, const char *name);

/* Ends it, whatever it does. */
void confined_end(struct confined *c);

/* All octets of one message; false: the process is dead, or silent for too long. */
bool confined_send(struct confined *c, struct bytes all);
bool confined_receive(struct confined *c, void *to, size_t len);

#endif
