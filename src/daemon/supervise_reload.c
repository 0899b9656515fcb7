/*
 * supervise_reload: the configuration is read again. A right one goes to all, and what of it cannot change while they run is named; where
 * it is wrong, the old one holds on.
 */
#include <stdio.h>
#include <string.h>

#include "notify.h"
#include "otway/base/log.h"
#include "supervise.h"

/* What a process that runs cannot change any more: it is confined, its rings are open, its calls are under way. */
static const struct fixed {
	const char *name;
	enum { NUMBER, FLAG, TEXT } kind;
	size_t at;
} fixed[] = {
#define OF(name, kind)                                                                                                 \
	{                                                                                                              \
#name, kind, offsetof(struct conf_run, name)                                                           \
	}
	OF(prepare, FLAG),
	OF(intercepts, NUMBER),
	OF(ring_mib, NUMBER),
	OF(snaplen, NUMBER),
	OF(retire_ms, NUMBER),
	OF(midcall, FLAG),
	OF(midcall_mib, NUMBER),
	OF(hold_kib, NUMBER),
	OF(hold_time, TEXT),
	OF(cases, TEXT),
	OF(status, TEXT),
	OF(metrics, TEXT),
	OF(without_landlock, FLAG),
	OF(users.control, TEXT),
	OF(users.intercept, TEXT),
	OF(users.keys, TEXT),
	OF(users.delivery, TEXT),
#undef OF
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct fixed *f, const struct conf_run *x, const struct conf_run *y)
{
	const char *a = (const char *)x + f->at, *b = (const char *)y + f->at;

	if (f->kind == NUMBER)
		return *(const unsigned *)a == *(const unsigned *)b;
	if (f->kind == FLAG)
		return *(const bool *)a == *(const bool *)b;
	return same_text(*(char *const *)a, *(char *const *)b);
}

static bool same_list(char *const *a, unsigned a_count, char *const *b, unsigned b_count)
{
	for (unsigned i = 0; i < a_count && i < b_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return a_count == b_count;
}

static bool same_decap(const struct conf_decap *a, const struct conf_decap *b)
{
	return same_list(a->leave, a->leave_count, b->leave, b->leave_count) && a->depth == b->depth &&
	       memcmp(&a->ports, &b->ports, sizeof(a->ports)) == 0;
}

static bool same_sip(const struct conf_sip *a, const struct conf_sip *b)
{
	return a->ports_count == b->ports_count && memcmp(a->ports, b->ports, sizeof(a->ports)) == 0;
}

/* A list of what is other than it was, for people. */
static void differs(char *out, size_t size, bool other, const char *name)
{
	size_t len = strlen(out);

	if (other)
		snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

static void needs_restart(const struct conf *was, const struct conf *now, char *out, size_t size)
{
	const struct conf_run *a = &was->run, *b = &now->run;

	out[0] = '\0';
	differs(out, size, !same_text(was->store, now->store), "store");
	differs(out, size, !same_text(was->kms_header, now->kms_header), "kms_header");
	differs(out, size, !same_decap(&was->decap, &now->decap), "decap");
	differs(out, size, !same_sip(&was->sip, &now->sip), "sip");
	differs(out, size, !same_list(a->interfaces, a->interfaces_count, b->interfaces, b->interfaces_count),
		"interfaces");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		differs(out, size, !same(&fixed[i], a, b), fixed[i].name);
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

void supervise_reloaded(struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].reload_asked > 0)
			return;
	if (s->reloading)
		notify_say(s->notify, "READY=1");
	s->reloading = false;
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
