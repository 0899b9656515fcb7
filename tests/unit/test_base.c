/* base: numbers, text, time, hash tables and hashes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/base/nsec.h"

static void a_time_without_a_zone_is_refused(void **state)
{
	nsec_t at;
	struct err err;

	(void)state;
	assert_int_equal(nsec_parse("2026-11-21T09:00:00", 0, &at, &err), -1);
	assert_int_equal(err.code, EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_without_a_zone_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
