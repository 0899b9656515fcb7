/*
 * supervise_watch: what a role says to supervise, and that it says something. Each is asked once a second; who is silent for too long is
 * ended, and started again as any other that died.
 */
#include <stdio.h>
#include <stdlib.h>

#include "notify.h"
#include "otway/base/log.h"
#include "supervise.h"

#define TICK        NSEC_PER_SEC
#define READY_WAIT  (30 * NSEC_PER_SEC) /* from a role's start until it is at work */
#define SELF_LATE   (3 * NSEC_PER_SEC)  /* between two ticks: then it was us who slept */
#define LONG_ENOUGH (10 * NSEC_PER_SEC) /* without a death: it does not keep dying any more */

struct child *supervise_child(struct supervise *s, enum role role)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].role == role)
			return &s->children[i];
	return NULL;
}

bool supervise_alarm(void *supervise, enum msg_type type, struct bytes body)
{
	struct child *control = supervise_child(supervise, ROLE_CONTROL);

	return control != NULL && child_send(control, type, body);
}

void supervise_ask(struct child *c)
{
	if (child_send(c, MSG_PING, (struct bytes){ NULL, 0 }))
		c->asked++;
}

static bool all_ready(const struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid == 0 || s->children[i].ready_at == NSEC_NONE)
			return false;
	return true;
}

/* One that is silent, or gone; NULL: all answer. */
static const struct child *silent(const struct supervise *s)
{
	nsec_t limit = (nsec_t)s->conf_now.run.watchdog_s * NSEC_PER_SEC, now = loop_now();

	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid == 0 || s->children[i].ready_at == NSEC_NONE ||
			now - s->children[i].alive > limit)
			return &s->children[i];
	return NULL;
}

void supervise_status(struct supervise *s)
{
	const struct child *c = silent(s);
	char now[sizeof(s->status)];

	if (s->stage > 0)
		snprintf(now, sizeof(now), "STATUS=ends in good order");
	else if (!s->up)
		snprintf(now, sizeof(now), "STATUS=waits for %s", c != NULL ? c->name : "nobody");
	else if (c != NULL)
		snprintf(now, sizeof(now), "STATUS=%s is started again", c->name);
	else
		snprintf(now, sizeof(now), "STATUS=%u intercept processes on %u interfaces; every role answers",
			s->conf.run.intercepts, s->conf.run.interfaces_count);
	if (strcmp(now, s->status) == 0)
		return;
	memcpy(s->status, now, sizeof(now));
	notify_say(s->notify, now);
}

static void ready(struct child *c)
{
	struct supervise *s = c->s;

	if (c->ready_at != NSEC_NONE)
		return;
	c->ready_at = c->alive = loop_now();
	if (c->restarts > 0)
		log_info("%s is back, %lld ms after its start", c->name, (long long)(c->alive - c->started) / 1000000);
	supervise_gaps_end(c);
	c->settled = c->since = nsec_now();
	if (c->role == ROLE_CONTROL)
		alarms_again(&s->alarms);
	if (c->role == ROLE_DELIVERY)
		supervise_gaps_again(s);
	supervise_ask(c);
	if (!s->up && all_ready(s)) {
		s->up = true;
		log_info("otway %s runs: %u intercept processes on %u interfaces", OTWAY_VERSION,
			s->conf.run.intercepts, s->conf.run.interfaces_count);
		notify_say(s->notify, "READY=1");
	}
	supervise_status(s);
}

static void alive(struct child *c, struct bytes body)
{
	nsec_t settled, now = nsec_now();

	if (!msg_get_time(body, &settled) || c->answered >= c->asked)
		return;
	c->answered++;
	c->alive = loop_now();
	if (settled != NSEC_NONE && settled <= now)
		c->settled = settled;
	if (c->reload_asked > 0 && c->answered >= c->reload_asked) {
		c->reload_asked = 0;
		supervise_reloaded(c->s);
	}
	if (c->role == ROLE_DELIVERY)
		supervise_gaps_heard(c->s);
	if (c->failures > 0 && c->alive - c->ready_at > LONG_ENOUGH)
		c->failures = 0;
	if (c->failures == 0)
		alarms_set(&c->s->alarms, ALARM_ROLE, false, c->name, "");
}

static void said(struct child *c, struct bytes body)
{
	struct msg_alarm a;

	if (msg_get_alarm(body, &a))
		snprintf(c->why, sizeof(c->why), "%s", a.text);
}

/* A descriptor it may not open any more is opened by the next one: it ends by itself, without ending what goes on. */
static void renew(struct child *c)
{
	if (c->role == ROLE_INTERCEPT && c->ready_at != NSEC_NONE)
		c->renew = true;
}

void supervise_taken(void *child, enum msg_type type, struct bytes body)
{
	struct child *c = child;

	if (type == MSG_READY)
		ready(c);
	else if (type == MSG_ALIVE)
		alive(c, body);
	else if (type == MSG_ALARM)
		said(c, body);
	else if (type == MSG_RENEW)
		renew(c);
}

static void look_at(struct child *c, nsec_t now)
{
	nsec_t limit = (nsec_t)c->s->conf_now.run.watchdog_s * NSEC_PER_SEC;

	if (c->pid == 0)
		return;
	if (c->ready_at == NSEC_NONE ? now - c->started <= READY_WAIT : now - c->alive <= limit) {
		if (c->ready_at != NSEC_NONE)
			supervise_ask(c);
		return;
	}
	snprintf(c->why, sizeof(c->why), "%s for %lld seconds",
		c->ready_at == NSEC_NONE ? "it did not get ready" : "it said nothing",
		(long long)((c->ready_at == NSEC_NONE ? READY_WAIT : limit) / NSEC_PER_SEC));
	child_kill(c);
}

static void tell_count(struct supervise *s, const char *name, const char *of, uint64_t value, bool gauge)
{
	struct msg_count count = { name, of, value, gauge };
	struct buf body = { 0 };

	if (msg_put_count(&body, &count))
		child_send(supervise_child(s, ROLE_CONTROL), MSG_COUNTS, buf_bytes(&body));
	buf_clear(&body);
}

static void tell_counts(struct supervise *s)
{
	tell_count(s, "role_since", role_text(ROLE_SUPERVISE), (uint64_t)s->since, true);
	for (size_t i = 0; i < s->child_count; i++) {
		const struct child *c = &s->children[i];
		bool up = c->pid != 0 && c->ready_at != NSEC_NONE;

		tell_count(s, "role_restarts", c->name, c->restarts, false);
		tell_count(s, "role_up", c->name, up, true);
		if (up)
			tell_count(s, "role_since", c->name, (uint64_t)c->since, true);
	}
}

void supervise_tick(void *supervise)
{
	struct supervise *s = supervise;
	nsec_t now = loop_now();
	bool slept = now - s->ticked > SELF_LATE;

	alarms_untold(&s->alarms);
	loop_timer_at(s->timer, now + TICK);
	s->ticked = now;
	for (size_t i = 0; i < s->child_count; i++) {
		struct child *c = &s->children[i];

		if (slept) { /* nobody could answer */
			c->alive = now;
			c->started = now;
		}
		look_at(c, now);
	}
	if (s->stage > 0) {
		supervise_end_go_on(s);
		return;
	}
	tell_counts(s);
	supervise_reloaded(s);
	supervise_status(s);
	if (s->up && silent(s) == NULL)
		notify_say(s->notify, "WATCHDOG=1");
}
