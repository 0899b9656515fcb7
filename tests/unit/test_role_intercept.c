/*
 * role_intercept: clocks that jump, what the one before left, and who may say what. The role is in a process of its own, confined, driven by
 * its ports and by frames at its cable; the test is everybody else.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/intercept_calls.h"
#include "../support/veth.h"

#define MOMENT      (5 * NSEC_PER_SEC) /* that a busy machine may be late */
#define RESUME_WAIT (3 * NSEC_PER_SEC)
#define MINUTE      (60 * NSEC_PER_SEC)

static void a_clock_that_jumps_is_a_gap_and_an_alarm(void **state)
{
	struct intercept_scene *s = *state;
	struct gap g;
	nsec_t at;

	intercept_begin(s, 0, 1, false);
	say_table(s);
	assert_false(scene_alarmed(s, ALARM_CLOCK, 0));
	for (int sign = 1; sign >= -1; sign -= 2) { /* forth, and back again */
		at = scene_now();
		*s->ahead += sign * MINUTE;
		assert_true(scene_gap(s, GAP_CLOCK, LONG, &g));
		assert_string_equal(g.where, "intercept 0");
		assert_true(g.from > at - MOMENT && g.from < scene_now());
		assert_true(g.until > at + MINUTE - MOMENT && g.until < scene_now() + MINUTE);
		scene_alarm(s, ALARM_CLOCK, true, "");
	}
	assert_false(scene_gap(s, GAP_CLOCK, SOON, &g));
	intercept_stop(s);
}

static void a_signal_of_the_future_is_of_now_and_moves_no_time(void **state)
{
	struct phone_call now = { .id = "now", .alice = 4000, .bob = port_owned(4000, 6000, 0) };
	struct phone_call future = { .id = "future", .alice = 4010, .bob = 6010 };
	struct intercept_scene *s = *state;
	struct heard_sip sip;
	struct heard_voice voice;
	nsec_t at;

	intercept_begin(s, 0, 2, false);
	say_table(s);
	phone_set_up(s, &now);
	assert_true(heard_sip(s, LONG, &sip));
	assert_true(heard_sip(s, LONG, &sip));
	at = scene_now();
	phone_signal(s, &future, at + 48 * 60 * MINUTE); /* a call that is silent for so long is forgotten */
	assert_true(heard_sip(s, LONG, &sip));
	assert_int_equal(sip.call, 2);
	assert_in_range(sip.at - at, 0, scene_now() - at);
	for (uint16_t i = 1; i < 40; i++)
		phone_voice(s, &now, 7, i, 200);
	assert_true(heard_voice(s, LONG, &voice));
	assert_int_equal(voice.call, 1);
	phone_hang_up(s, &now);
	assert_true(heard_sip(s, LONG, &sip));
	assert_int_equal(sip.call, 1); /* it is known still */
	assert_true(sip.at < scene_now());
	intercept_stop(s);
}

static void what_was_left_waits_for_the_table_of_warrants_and_leads_to_the_same_records(void **state)
{
	struct intercept_scene *s = *state;
	struct heard_sip sip;
	struct kept k;
	nsec_t at = died_in_a_call(s, 1, &k);

	intercept_begin(s, 0, 1, true);
	give_back(s, &k);
	assert_false(heard_sip(s, RESUME_WAIT + NSEC_PER_SEC, &sip));
	say_table(s);
	assert_true(heard_sip(s, LONG, &sip));
	assert_string_equal(sip.start, "INVITE sip:bob@ims.exam");
	assert_true(sip.at == at && sip.call == 1 && sip.warrant == WARRANT);
	assert_true(heard_sip(s, LONG, &sip));
	assert_memory_equal(sip.start, "SIP/2.0 200 OK", 14);
	assert_false(scene_alarmed(s, ALARM_ROLE, 0));
	intercept_stop(s);
}

static void where_keys_says_nothing_it_goes_on_without_and_there_is_an_alarm(void **state)
{
	struct phone_call meanwhile = { .id = "two", .alice = 4010, .bob = 6010 };
	struct intercept_scene *s = *state;
	struct heard_sip sip;
	struct kept k;
	nsec_t begun;

	died_in_a_call(s, 1, &k);
	kept_forget(&k);
	begun = loop_now();
	intercept_begin(s, 0, 1, true);
	say_table(s);
	phone_set_up(s, &meanwhile);
	assert_true(heard_sip(s, LONG, &sip)); /* it was in the ring */
	assert_true(loop_now() - begun >= RESUME_WAIT);
	assert_string_equal(sip.start, "INVITE sip:bob@ims.exam");
	scene_alarm(s, ALARM_ROLE, true, "intercept 0");
	intercept_stop(s);
}

static void what_was_left_and_does_not_open_is_an_alarm_and_a_gap_without_an_end(void **state)
{
	struct intercept_scene *s = *state;
	struct kept k;
	struct gap gap;

	died_in_a_call(s, 1, &k);
	k.bodies[0].at[k.bodies[0].len - 1] ^= 1;
	intercept_begin(s, 0, 1, true);
	give_back(s, &k);
	say_table(s);
	scene_alarm(s, ALARM_ROLE, true, "intercept 0");
	assert_true(scene_gap(s, GAP_STATE, LONG, &gap));
	assert_true(gap.until == NSEC_NONE);
	intercept_stop(s);
}

/* It would be another call in the same case folder. */
static void a_call_after_a_restart_has_a_number_that_none_before_it_had(void **state)
{
	struct phone_call calls[2] = { { .id = "two", .alice = 4010, .bob = 6010 },
		{ .id = "three", .alice = 4020, .bob = 6020 } };
	struct intercept_scene *s = *state;
	struct heard_sip sip;
	struct kept k;
	uint32_t number = 1;

	died_in_a_call(s, 1, &k);
	kept_forget(&k); /* it was over */
	for (size_t i = 0; i < 2; i++) {
		intercept_begin(s, 0, 1, true);
		give_back(s, &k);
		say_table(s);
		phone_set_up(s, &calls[i]);
		assert_true(heard_sip(s, LONG, &sip));
		assert_true(sip.call > number);
		number = sip.call;
		intercept_kill(s);
		scene_forget(s, DELIVERY);
	}
}

/* What came before the first table lies in the ring: a warrant that is in force when otway starts misses nothing. */
static void a_call_that_comes_before_the_first_table_is_intercepted(void **state)
{
	struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct intercept_scene *s = *state;
	struct heard_sip sip;

	intercept_begin(s, 0, 1, false);
	phone_set_up(s, &call);
	scene_wait(s, SOON);
	say_table(s);
	assert_true(heard_sip(s, LONG, &sip));
	assert_string_equal(sip.start, "INVITE sip:bob@ims.exam");
	assert_false(scene_alarmed(s, ALARM_ROLE, 0));
	intercept_stop(s);
}

static void while_nobody_has_told_it_a_table_it_stays_and_counts(void **state)
{
	struct intercept_scene *s = *state;

	intercept_begin(s, 0, 1, false);
	scene_wait(s, 2 * NSEC_PER_SEC); /* in which control is told of calls more than once */
	assert_true(scene_came(s, CONTROL, MSG_ACTIVE, LONG, NULL));
	assert_int_equal(scene_count(s, "interface_up", "mirror"), 1);
	intercept_stop(s);
}

static void what_a_role_may_not_say_is_refused(void **state)
{
	struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct intercept_scene *s = *state;
	struct buf body = { 0 };

	intercept_begin(s, 0, 1, false);
	refused(s, 0);
	seat_tell(s, DELIVERY, MSG_CHECKPOINT, &body);
	refused(s, 1);
	seat_tell(s, DELIVERY, MSG_KEY, &body);
	refused(s, 2);
	seat_tell(s, CONTROL, MSG_KEY, &body);
	refused(s, 3);
	seat_tell(s, DELIVERY, MSG_RESUMED, &body);
	refused(s, 4);
	seat_tell(s, KEYS, MSG_TABLE_BEGIN, &body);
	refused(s, 5);
	step_cover(s, KEYS, 1);
	step_place(s, DELIVERY, 1, &call, false);
	refused(s, 7);
	seat_tell(s, CONTROL, MSG_STOP, &body);
	refused(s, 8);
	intercept_stop(s);
}

int main(void)
{
#define AT_A_CABLE(f) cmocka_unit_test_setup_teardown(f, intercept_scene_setup, intercept_scene_teardown)
	const struct CMUnitTest tests[] = {
		AT_A_CABLE(a_clock_that_jumps_is_a_gap_and_an_alarm),
		AT_A_CABLE(a_signal_of_the_future_is_of_now_and_moves_no_time),
		AT_A_CABLE(what_was_left_waits_for_the_table_of_warrants_and_leads_to_the_same_records),
		AT_A_CABLE(where_keys_says_nothing_it_goes_on_without_and_there_is_an_alarm),
		AT_A_CABLE(what_was_left_and_does_not_open_is_an_alarm_and_a_gap_without_an_end),
		AT_A_CABLE(a_call_that_comes_before_the_first_table_is_intercepted),
		AT_A_CABLE(while_nobody_has_told_it_a_table_it_stays_and_counts),
		AT_A_CABLE(what_a_role_may_not_say_is_refused),
		AT_A_CABLE(a_call_after_a_restart_has_a_number_that_none_before_it_had),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
