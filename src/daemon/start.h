/*
 * start: what supervise hands a role first, as octets of MSG_START, and the configuration in it as a structure.
 */
#ifndef OTWAY_DAEMON_START_H
#define OTWAY_DAEMON_START_H

#include "role.h"

/* All of s but its conf, whose text stands for it; fds are those that the role will have. False: out of memory. */
bool start_put(struct buf *out, const struct role_start *s, struct bytes conf);
/* The descriptor to supervise is not in it. start_clear frees it, and after an error too. */
int start_get(struct bytes in, struct role_start *s, struct err *err);
void start_clear(struct role_start *s); /* wipes the seal */

/* A configuration's text, its defaults filled in, with the store that comes before it. The caller clears it, after an error too. */
int start_conf(const struct role_start *s, struct bytes text, struct conf *out, struct err *err);

#endif
