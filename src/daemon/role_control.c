/*
 * role_control: warrants come in here, and how the others are is known here. It sees no packet, and waits for nothing: its child, the
 * keeper, has the store.
 */
#include "role_control.h"

#include <stdio.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "sandbox.h"

#define KEEPER_QUEUE ((size_t)64 << 20) /* octets of audit records that the keeper has not taken */
#define SILENCE      (3 * NSEC_PER_SEC) /* of a keeper that has the store: it waits for that */
#define STOP_WAIT    (2 * NSEC_PER_SEC) /* for the last record of the trail */

static bool is_away(const struct control *c)
{
	return c->store == STORE_AWAY || c->store == STORE_OTHER || c->store == STORE_SILENT;
}

const char *control_store_text(enum store_state s)
{
	static const char *const texts[] = { "unknown", "right", "away", "other", "silent" };

	return texts[s];
}

/* What happened to an alarm, into the trail: which, and whose; its text is for people and may change. */
static void audit_alarm(struct control *c, const struct board_alarm *a, bool on)
{
	char subject[40];

	snprintf(subject, sizeof(subject), "alarm %s", alarm_text(a->alarm));
	audits_own(&c->audits, is_away(c), on ? "alarm.on" : "alarm.off", subject,
		"\"role\":\"%s\",\"index\":%u,\"of\":\"%s\"", role_text(a->role), a->index, a->of);
}

static void alarm_is_over(void *arg, const struct board_alarm *a)
{
	audit_alarm(arg, a, false);
}

static void take_alarm(struct control *c, enum role from, uint32_t index, struct bytes body)
{
	struct board_alarm a;
	bool on;

	if (board_take_alarm(&c->board, from, index, body, &a, &on))
		audit_alarm(c, &a, on);
}

/* Of each role the same: who it was comes by the port, never by what is said. */
#define FROM(who, ROLE)                                                                                                \
	static void counts_of_##who(void *arg, uint32_t index, struct bytes body)                                      \
	{                                                                                                              \
		board_take_count(&((struct control *)arg)->board, ROLE, index, body);                                  \
	}                                                                                                              \
	static void alarm_of_##who(void *arg, uint32_t index, struct bytes body)                                       \
	{                                                                                                              \
		take_alarm(arg, ROLE, index, body);                                                                    \
	}
FROM(supervise, ROLE_SUPERVISE)
FROM(control, ROLE_CONTROL)
FROM(intercept, ROLE_INTERCEPT)
FROM(keys, ROLE_KEYS)
FROM(delivery, ROLE_DELIVERY)

#define ACTS_OF(who, ROLE)                                                                                             \
	static void audit_of_##who(void *arg, uint32_t index, struct bytes body)                                       \
	{                                                                                                              \
		struct control *c = arg;                                                                               \
                                                                                                                       \
		audits_take(&c->audits, ROLE, index, body, is_away(c));                                                \
	}
ACTS_OF(supervise, ROLE_SUPERVISE)
ACTS_OF(keys, ROLE_KEYS)
ACTS_OF(delivery, ROLE_DELIVERY)

static void active_of_intercept(void *arg, uint32_t index, struct bytes body)
{
	if (index == 0)
		board_take_active(&((struct control *)arg)->board, body);
}

static const struct crew_accepts accepts[] = {
	{ ROLE_SUPERVISE, MSG_COUNTS, counts_of_supervise },
	{ ROLE_SUPERVISE, MSG_ALARM, alarm_of_supervise },
	{ ROLE_SUPERVISE, MSG_AUDIT, audit_of_supervise },
	{ ROLE_CONTROL, MSG_COUNTS, counts_of_control },
	{ ROLE_CONTROL, MSG_ALARM, alarm_of_control },
	{ ROLE_INTERCEPT, MSG_COUNTS, counts_of_intercept },
	{ ROLE_INTERCEPT, MSG_ALARM, alarm_of_intercept },
	{ ROLE_INTERCEPT, MSG_ACTIVE, active_of_intercept },
	{ ROLE_KEYS, MSG_COUNTS, counts_of_keys },
	{ ROLE_KEYS, MSG_ALARM, alarm_of_keys },
	{ ROLE_KEYS, MSG_AUDIT, audit_of_keys },
	{ ROLE_DELIVERY, MSG_COUNTS, counts_of_delivery },
	{ ROLE_DELIVERY, MSG_ALARM, alarm_of_delivery },
	{ ROLE_DELIVERY, MSG_AUDIT, audit_of_delivery },
};

static void store_is(struct control *c, enum store_state state, const char *text)
{
	c->store = state;
	snprintf(c->store_text, sizeof(c->store_text), "%s", text);
	crew_alarm(c->crew, ALARM_STORE, state != STORE_RIGHT, "", "%s", text);
	if (state == STORE_RIGHT)
		audits_retry(&c->audits);
}

static void lease_came(struct control *c)
{
	c->store_heard = loop_now();
	if (c->store != STORE_RIGHT)
		store_is(c, STORE_RIGHT, "");
	crew_alarm(c->crew, ALARM_LEASE, false, "", " ");
}

static void table_came(struct control *c)
{
	const struct control_count n = tables_count(&c->tables, nsec_now());

	lease_came(c);
	log_info("the table of warrants: %zu in force, %zu pending, %zu ended", n.in_force, n.pending, n.ended);
	audits_own(&c->audits, is_away(c), "table.change", "table",
		"\"in_force\":%zu,\"pending\":%zu,\"ended\":%zu,\"agreements\":%zu", n.in_force, n.pending, n.ended,
		n.agreements);
}

static void audited(struct control *c, struct bytes body)
{
	bool written = false;

	if (!audits_answer(&c->audits, body, &written))
		return;
	if (written)
		crew_alarm(c->crew, ALARM_AUDIT, false, "", " ");
	else
		crew_alarm(c->crew, ALARM_AUDIT, true, "",
			"the trail cannot be written, and what must be written first is not done: %s",
			c->audit_text[0] != '\0' ? c->audit_text : "the store is away");
	if (c->stopping != NSEC_NONE && c->audits.own_count == 0)
		crew_stop(c->crew, EXIT_DONE);
}

static void keeper_alarm(struct control *c, struct bytes body)
{
	struct msg_alarm a;

	if (!msg_get_alarm(body, &a))
		return;
	if (a.alarm == ALARM_ROLE)
		snprintf(c->failure, sizeof(c->failure), "%s", a.text);
	else if (a.alarm == ALARM_AUDIT)
		snprintf(c->audit_text, sizeof(c->audit_text), "%s", a.on ? a.text : "");
	else if (a.alarm == ALARM_STORE && a.on)
		store_is(c, strcmp(a.of, "other") == 0 ? STORE_OTHER : STORE_AWAY, a.text);
	else if (a.alarm == ALARM_STORE)
		store_is(c, STORE_RIGHT, "");
}

static void from_keeper(void *arg, enum msg_type type, struct bytes body)
{
	struct control *c = arg;
	struct msg_lease lease;

	c->store_heard = loop_now();
	if (type == MSG_AUDITED) {
		audited(c, body);
	} else if (type == MSG_ALARM) {
		keeper_alarm(c, body);
	} else if (type == MSG_LEASE && msg_get_lease(body, &lease)) {
		tables_lease(&c->tables, &lease);
		lease_came(c);
	} else if (tables_take(&c->tables, type, body)) {
		table_came(c);
	}
}

/* The keeper is gone, and with it the way to the store: both are started anew. */
static void on_keeper_gone(void *arg)
{
	struct control *c = arg;

	if (c->failure[0] == '\0')
		snprintf(c->failure, sizeof(c->failure), "the process that keeps the store ended");
	loop_watch_pause(c->life, true);
	crew_stop(c->crew, EXIT_FAILED);
}

static void tick(void *arg)
{
	struct control *c = arg;

	tables_tick(&c->tables);
	if (loop_now() - c->store_heard > SILENCE && (c->store == STORE_RIGHT || c->store == STORE_UNKNOWN))
		store_is(c, STORE_SILENT, "the store does not answer");
	if (c->tables.now.there && nsec_now() >= c->tables.now.lease.until)
		crew_alarm(c->crew, ALARM_LEASE, true, "",
			"the store has not been found right for longer than the lease: nothing is intercepted");
	if (c->store == STORE_RIGHT)
		audits_retry(&c->audits);
	if (c->stopping != NSEC_NONE && loop_now() - c->stopping >= STOP_WAIT)
		crew_stop(c->crew, EXIT_DONE);
}

static size_t counts(void *arg, struct msg_count *out, size_t max)
{
	struct control *c = arg;
	const struct control_count n = tables_count(&c->tables, nsec_now());
	const struct msg_count all[] = {
		{ "warrants_in_force", "", n.in_force, true },
		{ "warrants_pending", "", n.pending, true },
		{ "audit_written", "", c->audits.written, false },
		{ "audit_failed", "", c->audits.failed, false },
		{ "audit_dropped", "", c->audits.dropped, false },
		{ "audit_waiting", "", c->audits.count, true },
		{ "told_refused", "", c->board.refused, false },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	count = count < max ? count : max;
	memcpy(out, all, count * sizeof(all[0]));
	return count;
}

static void peer_up(void *arg, const struct msg_peer *p)
{
	struct control *c = arg;

	board_peer_up(&c->board, p, alarm_is_over, c);
	if (p->index == 0)
		tables_send_to(&c->tables, p->role);
}

/* What else of it matters here needs a restart, and supervise says so. */
static void reload(void *arg, const struct conf *conf)
{
	struct control *c = arg;
	struct msg_lease span = { 0, 0 };
	struct buf body = { 0 };

	if (conf_span(conf->run.lease, &span.until) && msg_put_lease(&body, &span))
		port_send(c->keeper, MSG_LEASE, buf_bytes(&body));
	buf_clear(&body);
}

static void stop(void *arg)
{
	struct control *c = arg;

	if (c->stopping != NSEC_NONE)
		return;
	c->stopping = loop_now();
	audits_own(&c->audits, is_away(c), "run.stop", "run", "\"run\":%u", c->start->run);
	if (is_away(c))
		crew_stop(c->crew, EXIT_DONE);
}

static int serve(struct control *c, struct control_opened *o, struct err *err)
{
	struct loop *l = crew_loop(c->crew);

	if (port_new(&c->keeper, l, o->port[0], KEEPER_QUEUE, from_keeper, c, err) < 0)
		return -1;
	o->port[0] = -1;
	audits_init(&c->audits, c->crew, c->keeper);
	c->life = loop_watch_new(l, o->life[0], LOOP_READ, on_keeper_gone, c);
	if (c->life == NULL)
		return err_set(err, "out of memory");
	if (local_server_new(&c->status, l, o->status, LOCAL_DOCUMENT, "", control_status, c, err) < 0)
		return -1;
	o->status = -1;
	if (o->metrics >= 0 && local_server_new(&c->metrics, l, o->metrics, LOCAL_HTTP,
				       "text/plain; version=0.0.4; charset=utf-8", control_metrics, c, err) < 0)
		return -1;
	o->metrics = -1;
	return 0;
}

static int confine(const struct control *c, struct err *err)
{
	const struct conf_run *run = &c->start->conf.run;
	const struct sandbox s = { .role = ROLE_CONTROL,
		.user = geteuid() == 0 ? run->users.control : NULL,
		.no_landlock = run->without_landlock,
		.lock_memory = true };

	return sandbox_enter(&s, err);
}

static void clear(struct control *c)
{
	local_server_free(c->status);
	local_server_free(c->metrics);
	loop_watch_free(c->life);
	port_free(c->keeper);
	audits_clear(&c->audits);
	tables_clear(&c->tables);
	board_clear(&c->board);
	crew_free(c->crew);
}

static int run(struct control *c, struct control_opened *o, struct err *err)
{
	int code;

	if (confine(c, err) < 0)
		return -1;
	c->store_heard = loop_now();
	if (!c->start->again)
		audits_own(&c->audits, false, "run.start", "run", "\"run\":%u,\"intercepts\":%u", c->start->run,
			c->start->intercepts);
	crew_ready(c->crew);
	code = crew_run(c->crew);
	control_close(&o->life[0]);
	return c->failure[0] != '\0' ? err_set(err, "%s", c->failure) : code;
}

int role_control(struct role_start *start, struct err *err)
{
	const struct crew_options options = { .accepts = accepts,
		.count = sizeof(accepts) / sizeof(accepts[0]),
		.stop = stop,
		.reload = reload,
		.peer_up = peer_up,
		.tick = tick,
		.counts = counts };
	struct control c = { .start = start, .begun = nsec_now(), .stopping = NSEC_NONE };
	struct crew_options with = options;
	struct control_opened o;
	int rc = -1;

	with.role = &c;
	if (control_open(&o, start, err) == 0 && crew_new(&c.crew, start, &with, err) == 0 &&
		board_init(&c.board, start, err) == 0 &&
		tables_init(&c.tables, c.crew, control_delivery_keeps(&start->conf.run), err) == 0 &&
		serve(&c, &o, err) == 0)
		rc = run(&c, &o, err);
	clear(&c);
	control_opened_clear(&o);
	return rc;
}
