/* sandbox_calls: the tables of system calls: who may do what. What stands in none of them is denied (EPERM). */
#ifndef OTWAY_DAEMON_SANDBOX_CALLS_H
#define OTWAY_DAEMON_SANDBOX_CALLS_H

#include <stdint.h>

#include <seccomp.h>

/* Roles, as a set. */
enum {
	CONTROL = 1 << 0,
	INTERCEPT = 1 << 1,
	KEYS = 1 << 2,
	DELIVERY = 1 << 3,
	SUPERVISE = 1 << 4, /* what it may not, its children cannot do: it has all of theirs */
	WITH_FILES = CONTROL | KEYS | DELIVERY | SUPERVISE,
	WITH_WRITING = CONTROL | DELIVERY | SUPERVISE,
	WITH_NETWORK = CONTROL | KEYS | SUPERVISE,
	WITH_PROGRAMS = DELIVERY | SUPERVISE,
	EVERYBODY = CONTROL | INTERCEPT | KEYS | DELIVERY | SUPERVISE
};

enum { CALLS_END = INT32_MIN };

/* Calls that are allowed whatever their arguments. */
struct call_group {
	unsigned roles;
	const int *calls; /* CALLS_END behind the last */
};
extern const struct call_group sandbox_groups[]; /* roles 0 behind the last */

/* Calls that are judged by their arguments. */
struct call_rule {
	unsigned roles;
	uint32_t action;
	int call;
	unsigned count;
	struct scmp_arg_cmp on[2];
};
extern const struct call_rule sandbox_rules[];

extern const int sandbox_fatal[];   /* what nothing honest ever does: the end of the process */
extern const int sandbox_sending[]; /* those whose first argument is a descriptor that is sent on, changed or doubled */

#endif
