/* confined: a seccomp filter that lets memory and one socket be used, and bounds on time and memory. */
#include "confined.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <seccomp.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* their shadow memory takes terabytes of addresses */
#endif

enum {
	CPU_SECONDS = 6 * 3600,     /* for the calls of one warrant */
	MEMORY = 512 * 1024 * 1024, /* octets of memory beyond what it was born with */
	BORN = 64 * 1024 * 1024     /* and that, at most, where /proc is shut to it */
};

/* Octets of writable memory this process has now. */
static size_t data_size(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return BORN;
	if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages > 0 ? pages * (size_t)sysconf(_SC_PAGESIZE) : BORN;
}

static void limit(int what, rlim_t most)
{
	setrlimit((__rlimit_resource_t)what, &(struct rlimit){ most, most });
}

static void set_limits(size_t data)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, CPU_SECONDS);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 0);
	limit(RLIMIT_NPROC, 0);
	if (!SANITIZED)
		limit(RLIMIT_DATA, data + MEMORY);
}

/* Memory, locks, the end, and the one descriptor, which is 0. */
static bool set_filter(void)
{
	static const int calls[] = { SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
		SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield),
		SCMP_SYS(restart_syscall) };
	static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	static const int talking[] = { SCMP_SYS(read), SCMP_SYS(write) };
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = f == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; rc == 0 && i < sizeof(mapping) / sizeof(mapping[0]); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (size_t i = 0; rc == 0 && i < sizeof(talking) / sizeof(talking[0]); i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, talking[i], 1, SCMP_A0(SCMP_CMP_EQ, STDIN_FILENO));
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc == 0;
}

bool confined_begin(void)
{
	signal(SIGPIPE, SIG_DFL);
	set_limits(data_size());
	prctl(PR_SET_DUMPABLE, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && set_filter();
}

bool confined_read(int fd, void *to, size_t len)
{
	uint8_t *at = to;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool confined_write(int fd, struct bytes all)
{
	while (all.len > 0) {
		ssize_t n = write(fd, all.at, all.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		all = bytes_part(all, (size_t)n, all.len);
	}
	return true;
}
