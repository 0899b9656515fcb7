/* common_told: what a role tells control: its counts each second, and alarms, those that are on again to every control that follows. */
#include <stdarg.h>
#include <stdio.h>

#include "crew.h"

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

bool crew_tell_alarm(void *crew, enum msg_type type, struct bytes body)
{
	return crew_tell(crew, ROLE_CONTROL, type, body);
}

void crew_alarm(struct crew *c, enum alarm a, bool on, const char *of, const char *fmt, ...)
{
	char text[ALARMS_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	alarms_set(&c->alarms, a, on, of, text);
}
