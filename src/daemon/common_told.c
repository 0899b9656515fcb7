/* common_told: what a role tells control: its counts each second, and alarms, those that are on again to every control that follows. */
#include <stdarg.h>
#include <stdio.h>

#include "crew.h"
#include "otway/base/log.h"

#define COUNTS 256 /* of a role, at most */

bool crew_tell(struct crew *c, enum role to, enum msg_type type, struct bytes body)
{
	if (c->start->role != to)
		return crew_send(c, to, 0, type, body);
	if (c->take[to][type] != NULL)
		c->take[to][type](c->o.role, c->start->index, body);
	return true;
}

static void tell_count(struct crew *c, struct buf *body, const struct msg_count *count)
{
	buf_reset(body);
	if (msg_put_count(body, count))
		crew_tell(c, ROLE_CONTROL, MSG_COUNTS, buf_bytes(body));
}

/* "intercept 1", and "keys" of which there is one. */
static const char *peer_name(const struct crew_link *l, char *out, size_t size)
{
	if (l->role == ROLE_INTERCEPT)
		snprintf(out, size, "%s %u", role_text(l->role), l->index);
	else
		snprintf(out, size, "%s", role_text(l->role));
	return out;
}

void crew_tell_counts(struct crew *c)
{
	struct msg_count all[COUNTS];
	struct buf body = { 0 };
	size_t count = c->o.counts != NULL ? c->o.counts(c->o.role, all, COUNTS) : 0;
	char name[GAP_WHERE];

	for (size_t i = 0; i < count && i < COUNTS; i++)
		tell_count(c, &body, &all[i]);
	tell_count(c, &body, &(struct msg_count){ "messages_refused", "", c->refused, false });
	for (size_t i = 0; i < c->peer_count; i++)
		tell_count(c, &body,
			&(struct msg_count){ "queue_octets", peer_name(&c->peers[i], name, sizeof(name)),
				port_waiting(c->peers[i].port), true });
	buf_clear(&body);
}

static void tell_alarm(struct crew *c, const struct crew_alarmed *a, bool on)
{
	struct msg_alarm m = { .alarm = a->alarm, .on = on, .text = a->text };
	struct buf body = { 0 };

	memcpy(m.of, a->of, sizeof(m.of));
	if (msg_put_alarm(&body, &m))
		crew_tell(c, ROLE_CONTROL, MSG_ALARM, buf_bytes(&body));
	buf_clear(&body);
}

void crew_tell_alarms(struct crew *c)
{
	for (size_t i = 0; i < c->alarm_count; i++)
		tell_alarm(c, &c->alarms[i], true);
}

static struct crew_alarmed *find(struct crew *c, enum alarm a, const char *of)
{
	for (size_t i = 0; i < c->alarm_count; i++)
		if (c->alarms[i].alarm == a && strcmp(c->alarms[i].of, of) == 0)
			return &c->alarms[i];
	return NULL;
}

static void over(struct crew *c, struct crew_alarmed *was)
{
	log_info("%s%s%s: over: %s", alarm_text(was->alarm), was->of[0] != '\0' ? " " : "", was->of, was->text);
	tell_alarm(c, was, false);
	*was = c->alarms[--c->alarm_count];
}

void crew_alarm(struct crew *c, enum alarm a, bool on, const char *of, const char *fmt, ...)
{
	struct crew_alarmed now = { .alarm = a }, *was;
	va_list ap;

	snprintf(now.of, sizeof(now.of), "%s", of != NULL ? of : "");
	va_start(ap, fmt);
	vsnprintf(now.text, sizeof(now.text), fmt, ap);
	va_end(ap);
	was = find(c, a, now.of);
	if (!on) {
		if (was != NULL)
			over(c, was);
		return;
	}
	if (was != NULL && strcmp(was->text, now.text) == 0)
		return;
	if (was != NULL)
		*was = now;
	else if (c->alarm_count < CREW_ALARMS)
		c->alarms[c->alarm_count++] = now;
	log_warning("%s%s%s: %s", alarm_text(a), now.of[0] != '\0' ? " " : "", now.of, now.text);
	tell_alarm(c, &now, true);
}
