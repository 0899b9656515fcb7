/*
 * sandbox: a role gives up all that it does not need: its user, the file system but for what it names (Landlock), every system call but
 * those in its table (seccomp, denied by default), new privileges, core dumps; its memory is locked and cannot be read by others.
 * For good, and for every thread and child.
 */
#ifndef OTWAY_DAEMON_SANDBOX_H
#define OTWAY_DAEMON_SANDBOX_H

#include "otway/base/err.h"
#include "role.h"

struct sandbox {
	enum role role;               /* control with paths is its process that has the store; without any: no file, no database */
	const char *user;             /* name or number; NULL: stay who we are (only when not root) */
	const char *const *read;      /* paths below which it may read; NULL-terminated; NULL: none. One that is not there is passed over; of a
	                                 file that is replaced by another of its name, name the folder. control and keys: names of hosts too */
	const char *const *write;     /* folders below which it may read, write, make and remove; they must be there */
	const char *const *run;       /* programs it may start (delivery alone); their loader and libraries come along */
	const int *listen_only;       /* descriptors (of the kernel's ring) that nothing may be sent on; -1 behind the last; NULL: none */
	bool no_landlock;             /* the kernel has none, and the configuration says to go on without */
	bool lock_memory;             /* no page of it is ever written to swap */
};

/* EXIT_REFUSED when the kernel lacks what is asked for, saying what; then some of it may hold already: the process is to end.
 * Before any thread is started; libraries that open files when first used (OpenSSL) are used before. */
int sandbox_enter(const struct sandbox *s, struct err *err);

/* "seccomp landlock:4 user no_capabilities no_new_privs undumpable locked": what holds of this process now, as the kernel says. Returns out. */
char *sandbox_describe(char *out, size_t size);

#endif
