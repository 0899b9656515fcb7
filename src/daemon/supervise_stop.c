/*
 * supervise_stop: the end in good order: who makes something ends before who takes it in, so that everything on its way arrives. And the
 * configuration that is read again: it holds for all, or the old one does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "notify.h"
#include "otway/base/file.h"
#include "otway/base/log.h"
#include "start.h"
#include "supervise.h"

/* Who ends when, and how long each has for what is under way. */
static const struct stage {
	enum role role;
	nsec_t span;
} stages[] = {
	{ ROLE_INTERCEPT, 10 * NSEC_PER_SEC },
	{ ROLE_KEYS, 5 * NSEC_PER_SEC },
	{ ROLE_DELIVERY, 30 * NSEC_PER_SEC }, /* cases are closed: sound, reports, manifests */
	{ ROLE_CONTROL, 5 * NSEC_PER_SEC },
};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

bool supervise_end_reached(const struct child *c)
{
	for (unsigned i = 0; i < c->s->stage && i < STAGES; i++)
		if (stages[i].role == c->role)
			return true;
	return false;
}

static void enter(struct supervise *s)
{
	const struct stage *now = &stages[s->stage++];

	s->stage_until = loop_now() + now->span;
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].role == now->role)
			child_send(&s->children[i], MSG_STOP, (struct bytes){ NULL, 0 });
}

/* Somebody of the stage that is under way. */
static struct child *left(struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid != 0 && s->children[i].role == stages[s->stage - 1].role)
			return &s->children[i];
	return NULL;
}

void supervise_end_go_on(struct supervise *s)
{
	if (left(s) != NULL && loop_now() > s->stage_until) {
		for (size_t i = 0; i < s->child_count; i++) {
			if (s->children[i].pid == 0 || s->children[i].role != stages[s->stage - 1].role)
				continue;
			log_warning("%s does not end by itself; it is ended", s->children[i].name);
			child_kill(&s->children[i]);
		}
		s->stage_until = loop_now() + NSEC_PER_SEC;
	}
	while (left(s) == NULL && s->stage < STAGES)
		enter(s);
	if (left(s) == NULL)
		loop_stop(s->loop);
}

void supervise_end(struct supervise *s)
{
	if (s->stage > 0) { /* once more: whoever asks is in a hurry */
		for (size_t i = 0; i < s->child_count; i++)
			child_kill(&s->children[i]);
		s->stage = STAGES;
		return;
	}
	enter(s);
	if (!s->failed)
		notify_say(s->notify, "STOPPING=1");
	supervise_status(s);
	supervise_end_go_on(s);
}

/* A list of what is other than it was, for people. */
static void differs(char *out, size_t size, bool other, const char *name)
{
	size_t len = strlen(out);

	if (other)
		snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_interfaces(const struct conf_run *a, const struct conf_run *b)
{
	for (unsigned i = 0; i < a->interfaces_count && i < b->interfaces_count; i++)
		if (strcmp(a->interfaces[i], b->interfaces[i]) != 0)
			return false;
	return a->interfaces_count == b->interfaces_count;
}

/* What a running process cannot change any more: it is confined, and its rings are open. */
static void needs_restart(const struct conf *was, const struct conf *now, char *out, size_t size)
{
	const struct conf_run *a = &was->run, *b = &now->run;

	out[0] = '\0';
	differs(out, size, !same(was->store, now->store), "store");
	differs(out, size, !same_interfaces(a, b), "interfaces");
	differs(out, size, a->prepare != b->prepare, "prepare");
	differs(out, size, a->intercepts != b->intercepts, "intercepts");
	differs(out, size, a->ring_mib != b->ring_mib, "ring_mib");
	differs(out, size, a->snaplen != b->snaplen, "snaplen");
	differs(out, size, a->retire_ms != b->retire_ms, "retire_ms");
	differs(out, size, !same(a->cases, b->cases), "cases");
	differs(out, size, !same(a->status, b->status), "status");
	differs(out, size, !same(a->metrics, b->metrics), "metrics");
	differs(out, size, a->without_landlock != b->without_landlock, "without_landlock");
	differs(out, size,
		!same(a->users.control, b->users.control) || !same(a->users.intercept, b->users.intercept) ||
			!same(a->users.keys, b->users.keys) || !same(a->users.delivery, b->users.delivery),
		"users");
}

static void to_all(struct supervise *s)
{
	s->reloading = true;
	for (size_t i = 0; i < s->child_count; i++) {
		struct child *c = &s->children[i];

		if (!child_send(c, MSG_RELOAD, buf_bytes(&s->text_now)) || c->ready_at == NSEC_NONE)
			continue; /* it hears of it when it is at work */
		supervise_ask(c);
		c->reload_asked = c->asked;
	}
}

static void take_new(struct supervise *s, struct conf *now, struct buf *text)
{
	char restart[256];

	needs_restart(&s->conf, now, restart, sizeof(restart));
	if (restart[0] != '\0')
		log_warning("config: %s: these need a restart to change: %s", s->o->config, restart);
	conf_clear(&s->conf_now);
	buf_clear(&s->text_now);
	s->conf_now = *now; /* ours from here on */
	s->text_now = *text;
	*now = (struct conf){ 0 };
	*text = (struct buf){ 0 };
	log_level_named(s->conf_now.run.log_level);
	alarms_set(&s->alarms, ALARM_CONFIG, false, "", "");
	log_info("config: %s: read again", s->o->config);
	to_all(s);
}

void supervise_reload(struct supervise *s)
{
	struct buf text = { 0 };
	struct conf now = { 0 };
	struct err err;

	if (s->stage > 0 || !s->up)
		return;
	notify_reloading(s->notify);
	if (supervise_read(s, &text, &now, &err) == 0) {
		take_new(s, &now, &text);
	} else {
		log_error("config: %s; what was read before holds on", err.text);
		alarms_set(&s->alarms, ALARM_CONFIG, true, "", err.text);
		notify_say(s->notify, "READY=1");
	}
	conf_clear(&now);
	buf_clear(&text);
}
