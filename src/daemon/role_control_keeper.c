/*
 * role_control_keeper: the process that has the store. Whatever the store takes its time for is waited for here: connecting, a lock, a disk.
 * It looks for changes, reads, and tells control; writes what is to be in the trail, together what came together; and finds out whether the
 * store that answers is the one it knows.
 */
#include "role_control.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"

#define EACH        NSEC_PER_SEC        /* the store is asked at least so often */
#define PAUSE_FIRST (NSEC_PER_SEC / 10) /* between two tries to reach it */
#define PAUSE_MOST  NSEC_PER_SEC
#define LOOKS       8                   /* readings in a row, before the trail has its turn */
#define QUEUE_MAX   ((size_t)512 << 20) /* octets that control has not taken: a whole table */
#define BATCH       512                 /* records of the trail in one transaction */
#define FDS         1024

struct keeper {
	const struct keeper_options *o;
	nsec_t lease;
	struct loop *loop;
	struct port *port;
	struct loop_watch *life, *watch;
	struct loop_timer *timer;
	struct loop_later *later;
	struct store *store;
	struct keeper_memory known;
	uint8_t sent[SHA256_LEN];
	bool sent_one, trouble, audit_trouble;
	nsec_t pause, checked;
	struct msg_audit *acts; /* texts owned */
	size_t count, room;
};

static void tell(struct keeper *k, enum msg_type type, const struct buf *body)
{
	if (body->failed || !port_send(k->port, type, buf_bytes(body)))
		_exit(EXIT_FAILED); /* control is started anew, with a keeper that has memory */
}

static void tell_alarm(struct keeper *k, enum alarm alarm, bool on, const char *of, const char *text)
{
	struct msg_alarm a = { .alarm = alarm, .on = on, .text = text };
	struct buf body = { 0 };

	snprintf(a.of, sizeof(a.of), "%s", of);
	msg_put_alarm(&body, &a);
	tell(k, MSG_ALARM, &body);
	buf_clear(&body);
}

static struct msg_lease lease(const struct keeper *k)
{
	nsec_t now = nsec_now();

	return (struct msg_lease){ now, now + k->lease };
}

static void tell_lease(struct keeper *k)
{
	const struct msg_lease l = lease(k);
	struct buf body = { 0 };

	msg_put_lease(&body, &l);
	tell(k, MSG_LEASE, &body);
	buf_clear(&body);
}

/* Is it the one that was last found right, and not an older copy of it? Else what was revoked since would be in force again. */
static int check(struct keeper *k, struct err *err)
{
	bool holds = true;

	if (k->known.id[0] != '\0' && strcmp(k->known.id, store_id(k->store)) != 0)
		return err_code(err, EXIT_INTEGRITY, "another store answers than the one last seen");
	if (k->known.id[0] != '\0' && store_audit_holds(k->store, &k->known.head, &holds, err) < 0)
		return -1;
	if (!holds)
		return err_code(err, EXIT_INTEGRITY, "an older copy answers in place of the store last seen");
	if (store_audit_last(k->store, &k->known.head, err) < 0)
		return -1;
	memcpy(k->known.id, store_id(k->store), sizeof(k->known.id));
	keeper_remember(k->o->memory, k->o->run, &k->known);
	k->checked = loop_now();
	return 0;
}

static int read_and_tell(struct keeper *k, struct err *err)
{
	const struct msg_lease l = lease(k);
	struct keeper_table t;

	if (keeper_read(k->store, nsec_now() - k->o->keep, &t, err) < 0)
		return -1;
	if (k->sent_one && memcmp(t.hash, k->sent, SHA256_LEN) == 0) {
		tell_lease(k);
	} else {
		if (!keeper_send(k->port, &t, &l))
			_exit(EXIT_FAILED);
		memcpy(k->sent, t.hash, SHA256_LEN);
		k->sent_one = true;
	}
	keeper_table_clear(&t);
	return 0;
}

static int open_store(struct keeper *k, struct err *err)
{
	if (k->store != NULL)
		return 0;
	if (store_open(&k->store, k->o->url, false, "otway run", err) == 0)
		return 0;
	if (k->known.id[0] != '\0' && err->code == EXIT_NOT_FOUND) {
		err->code = EXIT_INTEGRITY;
		err_in(err, "the store last seen is gone");
	}
	return -1;
}

/* Changed, read, changed again before waiting: so nothing is missed. */
static int look(struct keeper *k, struct err *err)
{
	bool changed = true;

	if (open_store(k, err) < 0)
		return -1;
	for (int i = 0; i < LOOKS && changed; i++) {
		if (store_changed(k->store, &changed, err) < 0)
			return -1;
		if (changed && (check(k, err) < 0 || read_and_tell(k, err) < 0))
			return -1;
	}
	if (loop_now() - k->checked < EACH)
		return 0;
	if (check(k, err) < 0)
		return -1;
	tell_lease(k);
	return 0;
}

static void lose(struct keeper *k, const struct err *why)
{
	store_free(k->store);
	k->store = NULL;
	k->trouble = true;
	k->pause = k->pause == 0 ? PAUSE_FIRST : k->pause * 2 < PAUSE_MOST ? k->pause * 2 : PAUSE_MOST;
	tell_alarm(k, ALARM_STORE, true, why->code == EXIT_INTEGRITY ? "other" : "away", why->text);
	loop_timer_at(k->timer, loop_now() + k->pause);
}

static void on_look(void *arg);

/* Before anything is done with the store, whose descriptor may become another. */
static void unwatch(struct keeper *k)
{
	loop_watch_free(k->watch);
	k->watch = NULL;
}

static void look_again(struct keeper *k)
{
	struct err err = { EXIT_FAILED, "" };
	int fd;

	unwatch(k);
	if (look(k, &err) < 0) {
		lose(k, &err);
		return;
	}
	if (k->trouble)
		tell_alarm(k, ALARM_STORE, false, "", "");
	k->trouble = false;
	k->pause = 0;
	fd = store_fd(k->store);
	k->watch = fd >= 0 ? loop_watch_new(k->loop, fd, LOOP_READ, on_look, k) : NULL;
	loop_timer_at(k->timer, loop_now() + (k->watch != NULL ? EACH : PAUSE_FIRST / 2));
}

static void on_look(void *arg)
{
	look_again(arg);
}

static void answer(struct keeper *k, size_t count, bool written)
{
	struct buf body = { 0 };

	for (size_t i = 0; i < count; i++) {
		buf_reset(&body);
		msg_put_audited(&body, k->acts[i].number, written);
		tell(k, MSG_AUDITED, &body);
		free((void *)k->acts[i].act);
	}
	memmove(k->acts, k->acts + count, (k->count - count) * sizeof(*k->acts));
	k->count -= count;
	buf_clear(&body);
}

static int write_acts(struct keeper *k, size_t count, struct err *err)
{
	struct store_act all[BATCH];

	for (size_t i = 0; i < count; i++)
		all[i] = (struct store_act){ k->acts[i].act, k->acts[i].subject, k->acts[i].detail };
	if (store_audit_all(k->store, all, count, err) < 0)
		return -1;
	return 0;
}

static void tell_audit(struct keeper *k, const struct err *why)
{
	if (why != NULL)
		tell_alarm(k, ALARM_AUDIT, true, "", why->text);
	else if (k->audit_trouble)
		tell_alarm(k, ALARM_AUDIT, false, "", "");
	k->audit_trouble = why != NULL;
}

/* Into what is not known to be the right store nothing is written, nor into a file that is not in its place any more. */
static void on_acts(void *arg)
{
	struct keeper *k = arg;
	struct err err = { EXIT_FAILED, "" };

	while (k->count > 0) {
		size_t count = k->count < BATCH ? k->count : BATCH;

		unwatch(k);
		if (k->store == NULL) {
			answer(k, k->count, false);
		} else if (look(k, &err) == 0 && write_acts(k, count, &err) == 0 && check(k, &err) == 0) {
			tell_audit(k, NULL);
			answer(k, count, true);
		} else if (err.code == EXIT_UNREACHABLE || err.code == EXIT_INTEGRITY) {
			lose(k, &err);
		} else {
			tell_audit(k, &err);
			answer(k, count, false);
		}
	}
	if (k->store != NULL)
		look_again(k);
}

/* Its three texts in one piece of memory. */
static bool keep_act(struct msg_audit *out, const struct msg_audit *a)
{
	size_t act = strlen(a->act) + 1, subject = strlen(a->subject) + 1, detail = strlen(a->detail) + 1;
	char *text = malloc(act + subject + detail);

	if (text == NULL)
		return false;
	memcpy(text, a->act, act);
	memcpy(text + act, a->subject, subject);
	memcpy(text + act + subject, a->detail, detail);
	*out = (struct msg_audit){ a->number, text, text + act, text + act + subject };
	return true;
}

static void taken(void *arg, enum msg_type type, struct bytes body)
{
	struct keeper *k = arg;
	struct msg_lease l;
	struct msg_audit a;

	if (type == MSG_LEASE && msg_get_lease(body, &l)) /* how long, from now on */
		k->lease = l.until - l.seen;
	if (type != MSG_AUDIT || !msg_get_audit(body, &a))
		return;
	if (k->count == k->room) {
		struct msg_audit *grown = realloc(k->acts, (k->room * 2 + 64) * sizeof(*grown));

		if (grown == NULL)
			_exit(EXIT_FAILED);
		k->acts = grown;
		k->room = k->room * 2 + 64;
	}
	if (!keep_act(&k->acts[k->count++], &a))
		_exit(EXIT_FAILED);
	loop_later_soon(k->later);
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
	k->timer = loop_timer_new(k->loop, on_look, k);
	k->later = loop_later_new(k->loop, on_acts, k);
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
			tell_alarm(&k, ALARM_ROLE, true, "", err.text);
		if (k.port != NULL)
			port_drain(k.port, NSEC_PER_SEC);
		_exit(err.code);
	}
	loop_timer_at(k.timer, loop_now());
	loop_run(k.loop, NSEC_NONE);
	_exit(EXIT_DONE);
}
