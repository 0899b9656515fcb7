/* sandbox_calls: the tables of system calls: who may do what. What stands in none of them is denied (EPERM). */
#ifndef OTWAY_DAEMON_SANDBOX_CALLS_H
#define OTWAY_DAEMON_SANDBOX_CALLS_H

#include <stdint.h>

#include <seccomp.h>

/* Roles, as a set. */
enum {
	CONTROL = 1 << 0,
	KEEPER = 1 << 1, /* control's other process, which has the store */
	INTERCEPT = 1 << 2,
	KEYS = 1 << 3,
	DELIVERY = 1 << 4,
	SUPERVISE = 1 << 5, /* what it may not, its children cannot do: it has all of theirs */
	WITH_FILES = KEEPER | KEYS | DELIVERY | SUPERVISE,
	WITH_WRITING = KEEPER | DELIVERY | SUPERVISE,
	WITH_NETWORK = KEEPER | KEYS | SUPERVISE,
	WITH_PROGRAMS = DELIVERY | SUPERVISE,
	CONFINED = CONTROL | KEEPER | INTERCEPT | KEYS | DELIVERY,
	EVERYBODY = CONFINED | SUPERVISE
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

/* Those whose first argument is a descriptor that is sent on, changed or doubled; and of them, those that say to whom. */
extern const int sandbox_sending[], sandbox_addressing[];

#endif
