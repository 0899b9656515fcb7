/* alarms: a short list of what is wrong now. */
#include "alarms.h"

#include <stdio.h>

#include "otway/base/log.h"

static void tell(struct alarms *a, const struct alarmed *one, bool on)
{
	struct msg_alarm m = { .alarm = one->alarm, .on = on, .text = one->text };
	struct buf body = { 0 };

	memcpy(m.of, one->of, sizeof(m.of));
	if (msg_put_alarm(&body, &m))
		a->tell(a->arg, MSG_ALARM, buf_bytes(&body));
	buf_clear(&body);
}

static struct alarmed *find(struct alarms *a, enum alarm alarm, const char *of)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->all[i].alarm == alarm && strcmp(a->all[i].of, of) == 0)
			return &a->all[i];
	return NULL;
}

static void over(struct alarms *a, struct alarmed *was)
{
	log_info("alarm %s%s%s is over", alarm_text(was->alarm), was->of[0] != '\0' ? ", " : "", was->of);
	tell(a, was, false);
	*was = a->all[--a->count];
}

void alarms_set(struct alarms *a, enum alarm alarm, bool on, const char *of, const char *text)
{
	struct alarmed now = { .alarm = alarm }, *was;

	snprintf(now.of, sizeof(now.of), "%s", of != NULL ? of : "");
	was = find(a, alarm, now.of);
	if (!on) {
		if (was != NULL)
			over(a, was);
		return;
	}
	snprintf(now.text, sizeof(now.text), "%s", text);
	if (was != NULL && strcmp(was->text, now.text) == 0)
		return;
	if (was != NULL)
		*was = now;
	else if (a->count < ALARMS_MAX)
		a->all[a->count++] = now;
	log_warning("alarm %s%s%s: %s", alarm_text(alarm), now.of[0] != '\0' ? ", " : "", now.of, now.text);
	tell(a, &now, true);
}

void alarms_again(struct alarms *a)
{
	for (size_t i = 0; i < a->count; i++)
		tell(a, &a->all[i], true);
}
