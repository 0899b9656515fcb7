/* sandbox_calls: the tables made into filters, and handed to the kernel for good. */
#include "sandbox_calls.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox_parts.h"

enum { DESCRIPTORS = 1024 }; /* that are looked at: roles have a few dozen */

static unsigned own_set(const struct sandbox *s)
{
	static const unsigned sets[ROLES] = { [ROLE_SUPERVISE] = SUPERVISE,
		[ROLE_CONTROL] = CONTROL,
		[ROLE_INTERCEPT] = INTERCEPT,
		[ROLE_KEYS] = KEYS,
		[ROLE_DELIVERY] = DELIVERY };

	return s->role == ROLE_CONTROL && (s->read != NULL || s->write != NULL) ? KEEPER : sets[s->role];
}

/* Calls of other machines' tables (32 bits) end the process too. */
static scmp_filter_ctx filter_new(uint32_t action)
{
	scmp_filter_ctx f = seccomp_init(action);

	if (f == NULL)
		return NULL;
	if (seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
		seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0)
		return f;
	seccomp_release(f);
	return NULL;
}

/* rc: what was said while it was filled. */
static int filter_load(scmp_filter_ctx f, int rc, struct err *err)
{
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc < 0 ? err_code(err, EXIT_REFUSED, "seccomp: %s", strerror(-rc)) : 0;
}

static int add_all(scmp_filter_ctx f, uint32_t action, const int *calls)
{
	int rc = 0;

	for (; rc == 0 && *calls != CALLS_END; calls++)
		rc = seccomp_rule_add(f, action, *calls, 0);
	return rc;
}

/* abort() signals itself; nobody else gets one, unless a role starts programs. */
static int add_own_end(scmp_filter_ctx f, unsigned role)
{
	const struct scmp_arg_cmp own = { 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)getpid() };

	return role == SUPERVISE ? 0 : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
}

/* Of what any role may do, and of what ends all, nothing is in two rules that disagree. */
static int table_enter(unsigned role, struct err *err)
{
	scmp_filter_ctx f = filter_new(SCMP_ACT_ERRNO(EPERM));
	int rc = f != NULL ? add_all(f, SCMP_ACT_KILL_PROCESS, sandbox_fatal) : -ENOMEM;

	for (const struct call_group *g = sandbox_groups; rc == 0 && g->roles != 0; g++)
		if ((g->roles & role) != 0)
			rc = add_all(f, SCMP_ACT_ALLOW, g->calls);
	for (const struct call_rule *r = sandbox_rules; rc == 0 && r->roles != 0; r++)
		if ((r->roles & role) != 0)
			rc = seccomp_rule_add_array(f, r->action, r->call, r->count, r->on);
	if (rc == 0)
		rc = add_own_end(f, role);
	return filter_load(f, rc, err);
}

static int deny(scmp_filter_ctx f, const int *calls, int fd)
{
	const struct scmp_arg_cmp it = { 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)fd };
	int rc = 0;

	for (; rc == 0 && *calls != CALLS_END; calls++)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), *calls, 1, &it);
	return rc;
}

/* Whoever has it may send to any local socket there is, connected or not, as the one to the journal is. */
static bool reaches_anybody(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM;
}

/* What is denied on this descriptor or that. A filter of its own, before the other: of what two say the stricter holds. */
static int fences_enter(const struct sandbox *s, struct err *err)
{
	scmp_filter_ctx f = filter_new(SCMP_ACT_ALLOW);
	int rc = f != NULL ? 0 : -ENOMEM;

	for (const int *fd = s->listen_only; rc == 0 && fd != NULL && *fd >= 0; fd++)
		rc = deny(f, sandbox_sending, *fd);
	for (int fd = 0; rc == 0 && fd < DESCRIPTORS; fd++)
		if (reaches_anybody(fd))
			rc = deny(f, sandbox_addressing, fd);
	return filter_load(f, rc, err);
}

int sandbox_calls_enter(const struct sandbox *s, struct err *err)
{
	unsigned role = own_set(s);

	if (role != SUPERVISE && fences_enter(s, err) < 0)
		return -1;
	return table_enter(role, err);
}
