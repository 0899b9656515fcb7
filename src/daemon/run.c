/*
 * run: a role from its first moment: it hears from supervise who it is, and becomes that. Whatever ends it early is told to supervise,
 * who says it to people.
 */
#include "otway/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "otway/base/text.h"
#include "start.h"

#define START_WAIT (10 * NSEC_PER_SEC)

static int (*const roles[ROLES])(struct role_start *start, struct err *err) = {
	[ROLE_CONTROL] = role_control,
	[ROLE_INTERCEPT] = role_intercept,
	[ROLE_KEYS] = role_keys,
	[ROLE_DELIVERY] = role_delivery,
};

/* The port while nothing but MSG_START is waited for; what comes behind it stays in the socket, for the role. */
struct waiting {
	struct loop *loop;
	struct port *port;
	struct role_start *start;
	struct err *err;
	int rc;
};

static void take_start(void *arg, enum msg_type type, struct bytes body)
{
	struct waiting *w = arg;

	w->rc = type == MSG_START ? start_get(body, w->start, w->err)
				  : err_set(w->err, "supervise sent something else");
	port_pause(w->port, true);
	loop_stop(w->loop);
}

static int await_start(struct role_start *s, int fd, struct err *err)
{
	struct waiting w = { .start = s, .err = err };
	int own = dup(fd);

	w.loop = loop_new();
	if (w.loop == NULL || own < 0) {
		w.rc = err_set(err, "out of memory");
	} else if (port_new(&w.port, w.loop, own, PORT_MESSAGE_MAX, take_start, &w, err) == 0) {
		own = -1;
		w.rc = err_set(err, "supervise says nothing");
		loop_run(w.loop, loop_now() + START_WAIT);
	} else {
		w.rc = -1;
	}
	port_free(w.port);
	loop_free(w.loop);
	if (own >= 0)
		close(own);
	return w.rc;
}

/* "intercept 1", and "keys" of which there is one: for people. */
static void name_self(const struct role_start *s)
{
	char name[32];

	snprintf(name, sizeof(name), "otway-%s", role_text(s->role));
	prctl(PR_SET_NAME, name);
	if (s->role == ROLE_INTERCEPT)
		snprintf(name, sizeof(name), "%s %u", role_text(s->role), s->index);
	else
		snprintf(name, sizeof(name), "%s", role_text(s->role));
	log_role_set(name);
}

/* A second port to supervise, for the last word: made at once, since the role's own may be in any state then, and a confined process may
 * not make one. */
struct last_word {
	struct loop *loop;
	struct port *port;
};

static void take_nothing(void *arg, enum msg_type type, struct bytes body)
{
	(void)arg;
	(void)type;
	(void)body;
}

static int last_word_init(struct last_word *l, struct err *err)
{
	int fd = dup(RUN_FD);

	l->loop = loop_new();
	if (fd >= 0 && l->loop != NULL &&
		port_new(&l->port, l->loop, fd, PORT_MESSAGE_MAX, take_nothing, NULL, err) == 0)
		return 0;
	if (fd >= 0)
		close(fd);
	return err_code(err, EXIT_USAGE, "a role is started by 'otway run', which speaks to it");
}

static void last_word_say(struct last_word *l, const struct err *why)
{
	struct msg_alarm a = { .alarm = ALARM_ROLE, .on = true, .text = why->text };
	struct buf body = { 0 };

	if (l->port != NULL && msg_put_alarm(&body, &a)) {
		port_send(l->port, MSG_ALARM, buf_bytes(&body));
		port_flush(l->port);
	}
	buf_clear(&body);
}

static void last_word_clear(struct last_word *l)
{
	port_free(l->port);
	loop_free(l->loop);
}

/* Who may be asked for by name. */
static int find_role(const char *name, enum role *out, struct err *err)
{
	for (enum role r = 0; r < ROLES; r++) {
		if (roles[r] != NULL && strcmp(name, role_text(r)) == 0) {
			*out = r;
			return 0;
		}
	}
	return err_code(err, EXIT_USAGE, "there is no role '%.40s'", name);
}

static int become(struct role_start *s, enum role role, uint32_t index, struct err *err)
{
	if (await_start(s, RUN_FD, err) < 0)
		return -1;
	if (s->role != role || s->index != index)
		return err_set(err, "supervise speaks to another role");
	s->supervise = RUN_FD;
	name_self(s);
	log_level_named(s->conf.run.log_level);
	log_journal_open(NULL);
	return roles[s->role](s, err);
}

int run_role(const char *name, const char *index, struct err *err)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	struct role_start s = { .supervise = -1 };
	struct last_word last = { NULL, NULL };
	uint64_t number = 0;
	enum role role = ROLE_SUPERVISE;
	int rc;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		signal(ends[i], SIG_IGN); /* what is to be done supervise says */
	rc = find_role(name, &role, err);
	if (rc == 0 && !text_number(bytes_of(index), ROLE_PEERS - 1, &number))
		rc = err_code(err, EXIT_USAGE, "'%.40s' is no number of a role", index);
	if (rc == 0)
		rc = last_word_init(&last, err);
	if (rc == 0)
		rc = become(&s, role, (uint32_t)number, err);
	if (rc < 0)
		last_word_say(&last, err);
	last_word_clear(&last);
	start_clear(&s);
	return rc;
}
