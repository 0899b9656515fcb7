/*
 * sandbox: the way in, and what the kernel says when it is done. What needs a privilege comes first, then the privileges go, then files,
 * and system calls last, since each step needs calls that the next one takes away.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox_parts.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define SANITIZED 1
#endif

#ifdef SANITIZED
/* Asked at the end of a process: one that is confined cannot be stopped and looked through by its own. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}
#endif

/* A line of /proc/self/status, as a number; UINT64_MAX: it is not there. */
static uint64_t status_line(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);

	return at != NULL ? strtoull(at + strlen(name), NULL, base) : UINT64_MAX;
}

static bool status_read(int fd, char *out, size_t size)
{
	ssize_t n = lseek(fd, 0, SEEK_SET) == 0 ? read(fd, out, size - 1) : -1;

	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Landlock and capabilities are each thread's own: there must be only one. */
static int alone(int status, struct err *err)
{
	char text[4096];

	if (status < 0 || !status_read(status, text, sizeof(text)))
		return err_set(err, "/proc/self/status: %s", strerror(errno));
	if (status_line(text, "\nThreads:", 10) != 1)
		return err_set(err, "bug: a sandbox is entered before threads are started");
	return 0;
}

/* Asked of the kernel, not concluded from what was done. */
static int proved(int status, const struct sandbox *s, bool root, struct err *err)
{
	const uint64_t kept = sandbox_capabilities_of(s->role);
	char text[4096];

	if (!status_read(status, text, sizeof(text)))
		return err_set(err, "/proc/self/status: %s", strerror(errno));
	if (status_line(text, "\nSeccomp:", 10) != 2)
		return err_code(err, EXIT_REFUSED, "the kernel does not filter system calls");
	if (status_line(text, "\nNoNewPrivs:", 10) != 1)
		return err_code(err, EXIT_REFUSED, "the kernel would give new privileges");
	if ((status_line(text, "\nCapPrm:", 16) & ~kept) != 0 || (status_line(text, "\nCapEff:", 16) & ~kept) != 0 ||
		(root && (status_line(text, "\nCapBnd:", 16) & ~kept) != 0))
		return err_code(err, EXIT_REFUSED, "capabilities are left");
	return 0;
}

static int no_core(struct err *err)
{
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0)
		return err_set(err, "no core files: %s", strerror(errno));
	return 0;
}

/* After the change of user, which the kernel answers by setting the first of them by itself, as the system is set. */
static int no_looking_in(struct err *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, "no new privileges: %s", strerror(errno));
	return 0;
}

static int enter(const struct sandbox *s, int status, int ruleset, struct err *err)
{
	bool root = geteuid() == 0;
	struct sandbox_user user;

	if (alone(status, err) < 0 || sandbox_user_find(&user, s, err) < 0 || no_core(err) < 0)
		return -1;
	if (s->lock_memory && sandbox_memory_lock(err) < 0)
		return -1;
	if (s->role == ROLE_SUPERVISE) {
		if (sandbox_capabilities_keep(sandbox_capabilities_of(s->role), err) < 0)
			return -1;
	} else if (sandbox_user_become(&user, err) < 0) {
		return -1;
	}
	if (no_looking_in(err) < 0 || sandbox_files_enter(ruleset, err) < 0 || sandbox_calls_enter(s, err) < 0)
		return -1;
	return proved(status, s, root, err);
}

int sandbox_enter(const struct sandbox *s, struct err *err)
{
	int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC), ruleset = -1, rc;

	rc = sandbox_files_open(&ruleset, s, err);
	if (rc == 0)
		rc = enter(s, status, ruleset, err);
	if (ruleset >= 0)
		close(ruleset);
	if (status >= 0)
		close(status);
	return rc < 0 ? err_in(err, "the sandbox of %s", role_text(s->role)) : 0;
}
