/* confine: fork, give everything up, and a seccomp filter that lets memory and one socket be used. */
#include "confine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
	SILENCE_MS = 60 * 1000,    /* without an octet from it, it hangs */
	CPU_SECONDS = 1800,        /* for one call */
	MEMORY = 512 * 1024 * 1024 /* octets of memory beyond what it was born with */
};

/* Octets of writable memory this process has now. */
static size_t data_size(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
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
	if (!SANITIZED && data > 0)
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

/* The process itself; never returns. */
static void live(int fd, pid_t parent, size_t data, confined_main *run)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0u, 0) < 0)
		_exit(1);
	set_limits(data);
	prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !set_filter())
		_exit(1);
	run(STDIN_FILENO);
	_exit(0);
}

bool confined_start(struct confined *c, confined_main *run)
{
	size_t data = data_size();
	pid_t parent = getpid();
	int pair[2];

	*c = (struct confined){ 0, -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	c->pid = fork();
	if (c->pid == 0)
		live(pair[1], parent, data, run);
	close(pair[1]);
	c->fd = pair[0];
	if (c->pid < 0) {
		c->pid = 0;
		confined_end(c);
		return false;
	}
	return true;
}

void confined_end(struct confined *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*c = (struct confined){ 0, -1 };
}

static bool ready(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };
	int n;

	do
		n = poll(&p, 1, SILENCE_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool confined_send(struct confined *c, struct bytes all)
{
	while (all.len > 0) {
		ssize_t n = ready(c->fd, POLLOUT) ? send(c->fd, all.at, all.len, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return false;
		all = bytes_part(all, (size_t)n, all.len);
	}
	return true;
}

bool confined_receive(struct confined *c, void *to, size_t len)
{
	uint8_t *at = to;

	while (len > 0) {
		ssize_t n = ready(c->fd, POLLIN) ? recv(c->fd, at, len, MSG_DONTWAIT) : -1;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
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
