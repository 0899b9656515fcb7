/* alarms: a short list of what is wrong now. */
#include "alarms.h"

#include <stdio.h>

#include "otway/base/log.h"

/* What was told to be over is forgotten, and the last one takes its place. */
static void tell(struct alarms *a, struct alarmed *one)
{
	struct msg_alarm m = { .alarm = one->alarm, .on = one->on, .text = one->text };
	struct buf body = { 0 };

	memcpy(m.of, one->of, sizeof(m.of));
	one->told = msg_put_alarm(&body, &m) && a->tell(a->arg, MSG_ALARM, buf_bytes(&body));
	buf_clear(&body);
	if (one->told && !one->on)
		*one = a->all[--a->count];
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
	was->on = false;
	tell(a, was);
}

void alarms_set(struct alarms *a, enum alarm alarm, bool on, const char *of, const char *text)
{
	struct alarmed now = { .alarm = alarm, .on = true }, *was;

	snprintf(now.of, sizeof(now.of), "%s", of != NULL ? of : "");
	was = find(a, alarm, now.of);
	if (!on) {
		if (was != NULL && was->on)
			over(a, was);
		return;
	}
	snprintf(now.text, sizeof(now.text), "%s", text);
	if (was != NULL && was->on && strcmp(was->text, now.text) == 0)
		return;
	if (was == NULL && a->count < ALARMS_MAX)
		was = &a->all[a->count++];
	if (was != NULL)
		*was = now;
	log_warning("alarm %s%s%s: %s", alarm_text(alarm), now.of[0] != '\0' ? ", " : "", now.of, now.text);
	tell(a, was != NULL ? was : &now);
}

void alarms_untold(struct alarms *a)
{
	for (size_t i = a->count; i > 0; i--)
		if (!a->all[i - 1].told)
			tell(a, &a->all[i - 1]);
}

void alarms_again(struct alarms *a)
{
	for (size_t i = 0; i < a->count; i++)
		a->all[i].told = false;
	alarms_untold(a);
}
