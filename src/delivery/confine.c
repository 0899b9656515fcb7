/* confine: a program started with one socket and nothing else, and messages to it that never wait for ever. */
#include "confine.h"

#include <errno.h>
#include <poll.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SILENCE_MS = 60 * 1000 }; /* without an octet from it, it hangs */

/* Where a program of ours lies, from the folder of this one: beside it as in a build, or installed. */
static const char *const places[] = { "", "../libexec/otway/" };

bool confined_program(const char *name, char out[PATH_MAX])
{
	char own[PATH_MAX / 2], *slash;
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (len <= 0)
		return false;
	own[len] = '\0';
	slash = strrchr(own, '/');
	if (slash == NULL)
		return false;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(out, PATH_MAX, "%s%s%s", own, places[i], name) < PATH_MAX && access(out, X_OK) == 0)
			return true;
	}
	return false;
}

/* The process that becomes the program; never returns. It takes no descriptor but the socket, and no environment. */
static void become(int fd, pid_t parent, const char *program)
{
	char *const arguments[] = { (char *)(uintptr_t)program, NULL }, *const nothing[] = { NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(fd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0u, 0) < 0)
		_exit(1);
	execve(program, arguments, nothing);
	_exit(1);
}

bool confined_start(struct confined *c, const char *name)
{
	char program[PATH_MAX];
	pid_t parent = getpid();
	int pair[2];

	*c = (struct confined){ 0, -1 };
	if (!confined_program(name, program) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	c->pid = fork();
	if (c->pid == 0)
		become(pair[1], parent, program);
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
