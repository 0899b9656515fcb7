/*
 * role_control_look: the store is looked at for changes, which control is told; and whether it is the one that is known, since another one
 * must not bring back what was revoked.
 */
#include "role_control_keeper.h"

#include <unistd.h>

#define EACH        NSEC_PER_SEC        /* the store is asked at least so often */
#define PAUSE_FIRST (NSEC_PER_SEC / 10) /* between two tries to reach it */
#define PAUSE_MOST  NSEC_PER_SEC
#define LOOKS       8 /* readings in a row, before the trail has its turn */

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
	keeper_tell(k, MSG_LEASE, &body);
	buf_clear(&body);
}

/* Is it the one that was last found right, and not an older copy of it? Else what was revoked since would be in force again. */
int keeper_check(struct keeper *k, struct err *err)
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
int keeper_look(struct keeper *k, struct err *err)
{
	bool changed = true;

	if (open_store(k, err) < 0)
		return -1;
	for (int i = 0; i < LOOKS && changed; i++) {
		if (store_changed(k->store, &changed, err) < 0)
			return -1;
		if (changed && (keeper_check(k, err) < 0 || read_and_tell(k, err) < 0))
			return -1;
	}
	if (loop_now() - k->checked < EACH)
		return 0;
	if (keeper_check(k, err) < 0)
		return -1;
	tell_lease(k);
	return 0;
}

void keeper_lose(struct keeper *k, const struct err *why)
{
	store_free(k->store);
	k->store = NULL;
	k->trouble = true;
	k->pause = k->pause == 0 ? PAUSE_FIRST : k->pause * 2 < PAUSE_MOST ? k->pause * 2 : PAUSE_MOST;
	keeper_tell_alarm(k, ALARM_STORE, true, why->code == EXIT_INTEGRITY ? "other" : "away", why->text);
	loop_timer_at(k->timer, loop_now() + k->pause);
}

/* Before anything is done with the store, whose descriptor may become another. */
void keeper_unwatch(struct keeper *k)
{
	loop_watch_free(k->watch);
	k->watch = NULL;
}

void keeper_on_look(void *arg)
{
	struct keeper *k = arg;
	struct err err = { EXIT_FAILED, "" };
	int fd;

	keeper_unwatch(k);
	if (keeper_look(k, &err) < 0) {
		keeper_lose(k, &err);
		return;
	}
	if (k->trouble)
		keeper_tell_alarm(k, ALARM_STORE, false, "", "");
	k->trouble = false;
	k->pause = 0;
	fd = store_fd(k->store);
	k->watch = fd >= 0 ? loop_watch_new(k->loop, fd, LOOP_READ, keeper_on_look, k) : NULL;
	loop_timer_at(k->timer, loop_now() + (k->watch != NULL ? EACH : PAUSE_FIRST / 2));
}
