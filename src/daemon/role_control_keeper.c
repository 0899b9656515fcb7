/*
 * role_control_keeper: the process that has the store. Whatever the store takes its time for is waited for here: connecting, a lock, a disk.
 * It goes when control does.
 */
#include "role_control_keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"

#define QUEUE_MAX ((size_t)512 << 20) /* octets that control has not taken: a whole table */
#define FDS       1024

void keeper_tell(struct keeper *k, enum msg_type type, const struct buf *body)
{
	if (body->failed || !port_send(k->port, type, buf_bytes(body)))
		_exit(EXIT_FAILED); /* control is started anew, with a keeper that has memory */
}

void keeper_tell_alarm(struct keeper *k, enum alarm alarm, bool on, const char *of, const char *text)
{
	struct msg_alarm a = { .alarm = alarm, .on = on, .text = text };
	struct buf body = { 0 };

	snprintf(a.of, sizeof(a.of), "%s", of);
	msg_put_alarm(&body, &a);
	keeper_tell(k, MSG_ALARM, &body);
	buf_clear(&body);
}

static void taken(void *arg, enum msg_type type, struct bytes body)
{
	struct keeper *k = arg;
	struct msg_lease l;

	if (type == MSG_LEASE && msg_get_lease(body, &l)) /* how long, from now on */
		k->lease = l.until - l.seen;
	else if (type == MSG_AUDIT)
		keeper_act(k, body);
}

static void on_life(void *arg)
{
	(void)arg;
	_exit(EXIT_DONE);
}

/* Control's own ends are not its child's: neither peers nor supervise. */
static void close_others(const struct keeper_options *o)
{
	for (int fd = 3; fd < FDS; fd++) {
		int type = 0;
		socklen_t len = sizeof(type);

		if (fd != o->port && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET)
			close(fd);
	}
}

/* Wherever it waits: SIGIO, whose default is the end, comes when control is gone. */
static void live_with(int fd)
{
	signal(SIGIO, SIG_DFL);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK);
}

static int confine(const struct keeper_options *o, struct err *err)
{
	const struct conf_run *run = &o->start->conf.run;
	const char *read[STORE_PLACE_FILES + 2] = { "/etc/ssl" }, *write[2] = { NULL };
	struct sandbox s = { .role = ROLE_CONTROL,
		.user = geteuid() == 0 ? run->users.control : NULL,
		.read = read,
		.write = write,
		.no_landlock = run->without_landlock,
		.lock_memory = true };
	struct store_place place;
	int rc;

	if (store_place_of(o->url, &place, err) < 0)
		return -1;
	for (size_t i = 0; i < STORE_PLACE_FILES; i++)
		read[i + 1] = place.files[i];
	write[0] = place.folder;
	rc = sandbox_enter(&s, err);
	store_place_clear(&place);
	return rc;
}

static int begin(struct keeper *k, const struct keeper_options *o, struct err *err)
{
	*k = (struct keeper){ .o = o, .lease = o->lease };
	k->loop = loop_new();
	if (k->loop == NULL)
		return err_set(err, "out of memory");
	if (port_new(&k->port, k->loop, o->port, QUEUE_MAX, taken, k, err) < 0)
		return -1;
	k->life = loop_watch_new(k->loop, o->life, LOOP_READ, on_life, k);
	k->timer = loop_timer_new(k->loop, keeper_on_look, k);
	k->later = loop_later_new(k->loop, keeper_on_acts, k);
	if (k->life == NULL || k->timer == NULL || k->later == NULL)
		return err_set(err, "out of memory");
	if (o->again)
		keeper_recall(o->memory, o->run, &k->known);
	if (confine(o, err) < 0)
		return -1;
	live_with(o->life); /* as the user that it is now */
	return 0;
}

void keeper_run(const struct keeper_options *o)
{
	struct err err = { EXIT_FAILED, "" };
	struct keeper k;

	prctl(PR_SET_NAME, "otway-store");
	close_others(o);
	live_with(o->life);
	if (begin(&k, o, &err) < 0) {
		if (k.port != NULL)
			keeper_tell_alarm(&k, ALARM_ROLE, true, "", err.text);
		if (k.port != NULL)
			port_drain(k.port, NSEC_PER_SEC);
		_exit(err.code);
	}
	loop_timer_at(k.timer, loop_now());
	loop_run(k.loop, NSEC_NONE);
	_exit(EXIT_DONE);
}
