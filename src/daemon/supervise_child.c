/*
 * supervise_child: a role's process: the same program again, with its descriptors and nothing else that was open here. It dies with
 * supervise; when it dies alone, it is started again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "otway/base/secret.h"
#include "start.h"
#include "supervise.h"

#define CAPTURE_FIRST (-10) /* nice: what a ring has no room for is gone, and what the others do can wait */
#define QUEUE_MAX     ((size_t)1 << 20)
#define LIVED_LONG    NSEC_PER_SEC        /* so long after it was ready: a death is not one of a row */
#define WAIT_FIRST    (NSEC_PER_SEC / 10) /* before the third of a row; twice as long before each that follows */
#define WAIT_MOST     NSEC_PER_SEC
#define ALARM_FROM    3

/* What of the environment a role gets: where its lines go, and how a build with sanitizers is set. */
static char **environment(char **out, size_t max)
{
	static const char *const kept[] = { "JOURNAL_STREAM=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=" };
	size_t count = 0;

	for (char **e = environ; *e != NULL; e++)
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (strncmp(*e, kept[i], strlen(kept[i])) == 0 && count + 1 < max)
				out[count++] = *e;
	out[count] = NULL;
	return out;
}

/* Puts descriptors at RUN_FD and behind; none of them may be overwritten on the way. */
static bool place(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD, RUN_FD + (int)count)) < 0)
			return false;
	for (size_t i = 0; i < count; i++)
		if (dup2(fds[i], RUN_FD + (int)i) < 0)
			return false;
	return true;
}

/* In the new process. Never returns. */
static _Noreturn void become(const struct child *c, pid_t parent, int *fds, size_t count, const sigset_t *mask)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	char *kept[8], number[16];
	const char *const argv[] = { "otway", "role", role_text(c->role), number, NULL };
	int program;

	snprintf(number, sizeof(number), "%u", c->index);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		signal(ends[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->role == ROLE_INTERCEPT)
		setpriority(PRIO_PROCESS, 0, CAPTURE_FIRST); /* where it may not be so, it is as the others are */
	program = fcntl(c->s->program, F_DUPFD_CLOEXEC, RUN_FD + (int)count);
	if (getppid() != parent || program < 0 || dup2(c->s->null, STDIN_FILENO) < 0 ||
		dup2(c->s->null, STDOUT_FILENO) < 0 || !place(fds, count))
		_exit(EXIT_FAILED);
	close_range((unsigned)(RUN_FD + (int)count), ~0U, CLOSE_RANGE_CLOEXEC);
	sigprocmask(SIG_SETMASK, mask, NULL);
	fexecve(program, (char *const *)(uintptr_t)argv, environment(kept, sizeof(kept) / sizeof(kept[0])));
	_exit(EXIT_FAILED);
}

static int spawn(struct child *c, int end, struct role_peer *peers, size_t count, struct err *err)
{
	int fds[ROLE_PEERS + 1] = { end };
	pid_t own = getpid();
	sigset_t all, mask;

	for (size_t i = 0; i < count; i++) {
		fds[i + 1] = peers[i].fd;
		peers[i].fd = RUN_FD + 1 + (int)i; /* as it will be there */
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask); /* the loop's handlers are of no use there */
	c->pid = fork();
	if (c->pid == 0)
		become(c, own, fds, count + 1, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (c->pid < 0) {
		c->pid = 0;
		return err_set(err, "starting a process: %s", strerror(errno));
	}
	return 0;
}

static int send_start(struct child *c, const struct role_peer *peers, size_t count, struct err *err)
{
	struct supervise *s = c->s;
	struct buf body = { 0 };
	struct role_start start = {
		.role = c->role,
		.index = c->index,
		.intercepts = s->conf.run.intercepts,
		.again = c->begun,
		.down = c->settled,
		.run = s->run,
		.peer_count = count,
		.try_text = s->o->try_text,
		.config = (char *)(uintptr_t)s->o->config,
		.store = (char *)(uintptr_t)s->o->store,
	};
	bool sent;

	memcpy(start.peers, peers, count * sizeof(*peers));
	if (c->role == ROLE_INTERCEPT)
		memcpy(start.seal, s->seal, sizeof(start.seal));
	sent = start_put(&body, &start, buf_bytes(&s->text)) && port_send(c->port, MSG_START, buf_bytes(&body)) &&
	       port_flush(c->port);      /* alone in its datagram */
	if (sent && s->text_now.len > 0) /* what was fixed at the start is so for all; the rest is as it is now */
		sent = child_send(c, MSG_RELOAD, buf_bytes(&s->text_now));
	secret_wipe(start.seal, sizeof(start.seal));
	buf_clear(&body);
	return sent ? 0 : err_set(err, "the start of %s does not fit a message", c->name);
}

/* It was started again: those who know what it must be told do so. */
static void tell_peers(struct child *c)
{
	struct msg_peer peer = { c->role, c->index, c->settled };
	struct buf body = { 0 };

	if (msg_put_peer(&body, &peer))
		for (size_t i = 0; i < c->s->child_count; i++)
			if (&c->s->children[i] != c)
				child_send(&c->s->children[i], MSG_PEER_UP, buf_bytes(&body));
	buf_clear(&body);
}

int child_start(struct child *c, struct err *err)
{
	struct role_peer peers[ROLE_PEERS];
	size_t count = supervise_peers(c->s, c, peers);
	int fds[2], rc;

	if (port_pair(fds, 0, err) < 0)
		return -1;
	rc = spawn(c, fds[1], peers, count, err);
	close(fds[1]);
	if (rc == 0 && (rc = port_new(&c->port, c->s->loop, fds[0], QUEUE_MAX, supervise_taken, c, err)) == 0)
		fds[0] = -1;
	if (fds[0] >= 0)
		close(fds[0]);
	c->started = c->alive = loop_now();
	c->ready_at = NSEC_NONE;
	c->asked = c->answered = c->reload_asked = 0;
	c->renew = false;
	c->why[0] = '\0';
	if (rc == 0)
		rc = send_start(c, peers, count, err);
	if (rc == 0 && c->begun)
		tell_peers(c);
	c->begun = true;
	return rc < 0 ? err_in(err, "%s", c->name) : 0;
}

static void on_timer(void *arg)
{
	struct child *c = arg;
	struct err err;

	if (c->pid != 0 || supervise_end_reached(c))
		return;
	c->restarts++;
	if (c->renew)
		supervise_fit_again(c->s);
	if (child_start(c, &err) == 0)
		return;
	log_error("%s", err.text);
	child_kill(c);
	loop_timer_at(c->timer, loop_now() + WAIT_MOST);
}

int child_init(struct child *c, struct err *err)
{
	c->timer = loop_timer_new(c->s->loop, on_timer, c);
	return c->timer != NULL ? 0 : err_set(err, "out of memory");
}

void child_start_again(struct child *c)
{
	bool lived = c->ready_at != NSEC_NONE && loop_now() - c->ready_at >= LIVED_LONG;
	nsec_t wait = WAIT_FIRST;

	c->failures = c->renew || lived ? 0 : c->failures + 1;
	for (unsigned i = 2; i < c->failures && wait < WAIT_MOST; i++)
		wait *= 2;
	loop_timer_at(c->timer, loop_now() + (c->failures < 2 ? 0 : wait < WAIT_MOST ? wait : WAIT_MOST));
	if (c->failures >= ALARM_FROM)
		alarms_set(&c->s->alarms, ALARM_ROLE, true, c->name, c->why[0] != '\0' ? c->why : "it keeps dying");
}

void child_kill(struct child *c)
{
	if (c->pid != 0)
		kill(c->pid, SIGKILL);
}

void child_clear(struct child *c)
{
	if (c->pid != 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
	}
	port_free(c->port);
	c->port = NULL;
	loop_timer_free(c->timer);
	c->timer = NULL;
}

bool child_send(struct child *c, enum msg_type type, struct bytes body)
{
	return c->port != NULL && port_send(c->port, type, body);
}

/* "signal 9", "exit code 1" */
static void how(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit code %d", WEXITSTATUS(status));
}

static void gone(struct child *c, int status)
{
	char text[80];

	how(status, text, sizeof(text));
	c->pid = 0;
	port_free(c->port);
	c->port = NULL;
	if (c->s->stage > 0 && supervise_end_reached(c))
		return;
	if (!c->s->up) {
		err_code(c->s->err, WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILED,
			"%s: %s", c->name, c->why[0] != '\0' ? c->why : text);
		c->s->failed = true;
		supervise_end(c->s);
		return;
	}
	if (c->renew)
		log_info("%s is started anew, as it asked for", c->name);
	else
		log_warning("%s is gone (%s)%s%s; it is started again", c->name, text, c->why[0] != '\0' ? ": " : "",
			c->why);
	supervise_gaps_begin(c);
	child_start_again(c);
	supervise_status(c->s);
}

void child_reap(struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++) {
		struct child *c = &s->children[i];
		int status;

		if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
			gone(c, status);
	}
	if (s->stage > 0)
		supervise_end_go_on(s);
}
