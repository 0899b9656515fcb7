/* sandbox_parts: the steps of a sandbox, each in a file of its own. Each returns 0, or -1 with err filled. */
#ifndef OTWAY_DAEMON_SANDBOX_PARTS_H
#define OTWAY_DAEMON_SANDBOX_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"

/* Who to become; change false: we are it already. */
struct sandbox_user {
	uid_t uid;
	gid_t gid;
	bool change;
};
int sandbox_user_find(struct sandbox_user *out, const struct sandbox *s, struct err *err);
int sandbox_user_become(const struct sandbox_user *u, struct err *err);

/* Capabilities that are not in `kept` (1 << CAP_…) go, out of the bounding set too where we may. */
int sandbox_capabilities_keep(uint64_t kept, struct err *err);
uint64_t sandbox_capabilities_of(enum role role); /* what it works with; all but supervise: none */

/* No page to swap, whatever is allocated later. */
int sandbox_memory_lock(struct err *err);

/* A ruleset of Landlock, made while every path can still be reached; *ruleset -1: there is none. The caller closes it. */
int sandbox_files_open(int *ruleset, const struct sandbox *s, struct err *err);
int sandbox_files_enter(int ruleset, struct err *err);
int sandbox_files_abi(void); /* of the kernel's Landlock; 0: it has none */

/* The filters of seccomp. */
int sandbox_calls_enter(const struct sandbox *s, struct err *err);

#endif
