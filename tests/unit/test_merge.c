/* intercept_merge: signals of all fronts in the order of time, whatever becomes of a front. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/daemon/intercept.h"

#define NOON  ((nsec_t)1795348800 * NSEC_PER_SEC)
#define STALE (10 * NSEC_PER_SEC) /* by loop_now: later than any signal waits */

static uint8_t octets[] = "OPTIONS";

static void put(struct merge *m, uint32_t from, nsec_t at, nsec_t now)
{
	const struct datagram d = {
		.at = at, .packet = { octets, sizeof(octets) }, .payload = { octets, sizeof(octets) }
	};

	assert_true(merge_put(m, from, &d, now));
}

static nsec_t next(struct merge *m, nsec_t now)
{
	struct datagram d;

	return merge_next(m, now, false, &d) ? d.at : NSEC_NONE;
}

static void signals_wait_until_no_front_can_have_an_earlier_one(void **state)
{
	struct merge *m = merge_new(2);

	(void)state;
	put(m, 0, NOON + 2, 0);
	merge_mark(m, 0, NOON + 5);
	assert_int_equal(next(m, 0), NSEC_NONE);
	put(m, 1, NOON + 1, 0);
	merge_mark(m, 1, NOON + 3);
	assert_int_equal(next(m, 0), NOON + 1);
	assert_int_equal(next(m, 0), NOON + 2);
	assert_int_equal(next(m, STALE), NSEC_NONE);
	merge_free(m);
}

static void a_mark_that_comes_late_takes_nothing_back(void **state)
{
	struct merge *m = merge_new(2);

	(void)state;
	merge_mark(m, 0, NOON + 5);
	merge_mark(m, 1, NOON + 5);
	merge_mark(m, 1, NOON + 3);
	assert_int_equal(merge_reached(m), NOON + 5);
	merge_free(m);
}

static void a_front_that_had_ended_and_is_there_again_is_waited_for(void **state)
{
	struct merge *m = merge_new(2);

	(void)state;
	merge_mark(m, 0, NOON + 9);
	merge_mark(m, 1, NSEC_EVER); /* it has said its last */
	merge_mark(m, 1, NOON + 1);  /* the one that follows it */
	assert_int_equal(merge_reached(m), NOON + 1);
	put(m, 0, NOON + 4, 0);
	assert_int_equal(next(m, 0), NSEC_NONE);
	put(m, 1, NOON + 3, 0);
	merge_mark(m, 1, NOON + 5);
	assert_int_equal(next(m, 0), NOON + 3);
	assert_int_equal(next(m, 0), NOON + 4);
	merge_free(m);
}

static void marks_follow_a_clock_that_is_set_back(void **state)
{
	struct merge *m = merge_new(2);

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		merge_mark(m, i, NOON + 3600 * NSEC_PER_SEC);
	for (uint32_t i = 0; i < 2; i++)
		merge_mark(m, i, NOON);
	assert_int_equal(merge_reached(m), NOON);
	merge_free(m);
}

static void nobody_waits_long_for_a_front_that_says_nothing(void **state)
{
	struct merge *m = merge_new(2);

	(void)state;
	put(m, 0, NOON, 0);
	merge_mark(m, 0, NOON + 1);
	assert_int_equal(next(m, 0), NSEC_NONE);
	assert_int_equal(next(m, STALE), NOON);
	merge_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_wait_until_no_front_can_have_an_earlier_one),
		cmocka_unit_test(a_mark_that_comes_late_takes_nothing_back),
		cmocka_unit_test(a_front_that_had_ended_and_is_there_again_is_waited_for),
		cmocka_unit_test(marks_follow_a_clock_that_is_set_back),
		cmocka_unit_test(nobody_waits_long_for_a_front_that_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
