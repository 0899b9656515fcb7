/*
 * control_try: the control role with a store of its own, told of a few things, until its standard input ends. Prints where its store, its
 * status and its metrics are, a word each. Arguments: where metrics are to be, if not at a unix socket beside the status.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control_scene.h"

#define HOUR (3600 * NSEC_PER_SEC)

static void tell_count(struct got *as, const char *name, const char *of, uint64_t value, bool gauge)
{
	const struct msg_count c = { name, of, value, gauge };
	struct buf body = { 0 };

	assert_true(msg_put_count(&body, &c));
	control_send(as, MSG_COUNTS, &body);
	buf_clear(&body);
}

static void tell_all(struct control_scene *s)
{
	const struct msg_alarm alarm = { ALARM_DROPS, true, "mirror0", "packets were dropped" };
	const struct msg_active active = { 3, 2 };
	struct buf body = { 0 };

	tell_count(&s->intercept, "frames", "mirror0", 1000, false);
	tell_count(&s->intercept, "frames", "mirror1", UINT64_C(18446744073709551615), false);
	tell_count(&s->intercept, "ring_octets", "mirror0", 4096, true);
	tell_count(&s->intercept, "queue_octets", "keys", 3, true);
	tell_count(&s->intercept, "queue_octets", "delivery", 4, true);
	tell_count(&s->delivery, "records", "", 7, false);
	tell_count(&s->supervise, "role_restarts", "keys", 5, false);
	assert_true(msg_put_alarm(&body, &alarm));
	control_send(&s->intercept, MSG_ALARM, &body);
	buf_reset(&body);
	assert_true(msg_put_active(&body, &active));
	control_send(&s->intercept, MSG_ACTIVE, &body);
	buf_clear(&body);
}

static bool has_table(struct control_scene *s)
{
	return s->intercept.tables > 0 && s->intercept.table.count == 2;
}

static bool has_alarm(struct control_scene *s)
{
	return control_alarmed(s, "drops");
}

int main(int argc, char **argv)
{
	struct control_scene *s;
	nsec_t now = nsec_now();
	char octet;

	control_scene_setup((void **)&s);
	if (argc > 1)
		snprintf(s->metrics, sizeof(s->metrics), "%s", argv[1]);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_warrant(s, "LIID-2", now + HOUR, now + 2 * HOUR);
	control_start(s, false);
	control_until(s, has_table, "the table");
	tell_all(s);
	control_until(s, has_alarm, "the alarm");
	printf("%s %s %s\n", s->store->path, s->status, s->metrics);
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;
	control_scene_teardown((void **)&s);
	return 0;
}
