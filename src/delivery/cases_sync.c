/*
 * cases_sync: waiting for a disk takes as long as it takes, so a process of its own does it: it is told by one octet, and octets that come
 * while it waits are one.
 */
#include "cases_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct syncer {
	pid_t pid;
	int fd;
};

static void run(int fd, int dir, pid_t parent)
{
	uint8_t asked[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_IGN); /* it ends when its socket does */
	signal(SIGINT, SIG_IGN);
	if (getppid() != parent)
		_exit(1);
	while (read(fd, asked, sizeof(asked)) > 0)
		syncfs(dir); /* what fails is seen by who writes: the disk is full, or gone */
	_exit(0);
}

int syncer_new(struct syncer **out, const struct stage *stage, struct err *err)
{
	struct syncer *s = calloc(1, sizeof(*s));
	pid_t parent = getpid();
	int pair[2];

	if (s == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		free(s);
		return err_set(err, "cannot make a socket pair: %s", strerror(errno));
	}
	s->fd = pair[0];
	s->pid = fork();
	if (s->pid == 0) {
		close(pair[0]);
		run(pair[1], stage_fd(stage), parent);
	}
	close(pair[1]);
	if (s->pid < 0) {
		close(pair[0]);
		free(s);
		return err_set(err, "cannot make a process: %s", strerror(errno));
	}
	*out = s;
	return 0;
}

void syncer_free(struct syncer *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s);
}

void syncer_ask(struct syncer *s)
{
	if (send(s->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0; /* so often that it is asked already */
}
