/* intercept_seal: what an intercept leaves is opened by the one that follows in its place, and by nobody else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/daemon/intercept.h"

#define NUMBER 0x0102030405060708
#define PLAIN  "a message of a call"

static struct role_start first = { .seal = { 1, 2, 3 } };
static struct role_start other = { .seal = { 1, 2, 4 } };

struct scene {
	struct intercept it;
	uint8_t sealed[128];
	struct msg_checkpoint left;
};

static void leave(struct scene *s, uint32_t index)
{
	const struct bytes plain = bytes_of(PLAIN);

	*s = (struct scene){ .it = { .start = &first, .index = index } };
	assert_true(seal_begin(&s->it));
	assert_true(seal_close(&s->it, NUMBER, plain, s->sealed));
	s->left = (struct msg_checkpoint){ NUMBER, { s->sealed, seal_size(plain.len) } };
}

static bool opens(struct role_start *start, uint32_t index, const struct msg_checkpoint *c)
{
	const struct intercept it = { .start = start, .index = index };
	uint8_t plain[128];
	size_t len;

	if (!seal_open(&it, c, plain, &len))
		return false;
	assert_true(bytes_equal((struct bytes){ plain, len }, bytes_of(PLAIN)));
	return true;
}

static void who_follows_in_the_same_place_opens_it(void **state)
{
	struct scene s;

	(void)state;
	leave(&s, 1);
	assert_true(opens(&first, 1, &s.left));
}

static void no_other_intercept_does(void **state)
{
	struct scene s;

	(void)state;
	leave(&s, 1);
	assert_false(opens(&first, 0, &s.left));
	assert_false(opens(&first, 2, &s.left));
	leave(&s, 0);
	assert_false(opens(&first, 1, &s.left));
}

static void nor_as_another_number_nor_in_another_run(void **state)
{
	struct scene s;

	(void)state;
	leave(&s, 1);
	assert_false(opens(&other, 1, &s.left));
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct msg_checkpoint moved = { NUMBER ^ UINT64_C(1) << bit, s.left.sealed };

		assert_false(opens(&first, 1, &moved));
	}
}

static void what_was_cut_or_changed_is_not_opened(void **state)
{
	struct scene s;

	(void)state;
	leave(&s, 1);
	for (size_t len = 0; len < s.left.sealed.len; len++) {
		const struct msg_checkpoint cut = { NUMBER, { s.sealed, len } };

		assert_false(opens(&first, 1, &cut));
	}
	for (size_t i = 0; i < s.left.sealed.len; i++) {
		s.sealed[i] ^= 1;
		assert_false(opens(&first, 1, &s.left));
		s.sealed[i] ^= 1;
	}
	assert_true(opens(&first, 1, &s.left));
}

static void the_same_is_sealed_otherwise_each_time(void **state)
{
	struct scene s;
	uint8_t before[sizeof(s.sealed)];

	(void)state;
	leave(&s, 1);
	memcpy(before, s.sealed, sizeof(before));
	assert_true(seal_close(&s.it, NUMBER, bytes_of(PLAIN), s.sealed));
	assert_memory_not_equal(before, s.sealed, 12);
	assert_memory_not_equal(before + 12, s.sealed + 12, sizeof(PLAIN) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_follows_in_the_same_place_opens_it),
		cmocka_unit_test(no_other_intercept_does),
		cmocka_unit_test(nor_as_another_number_nor_in_another_run),
		cmocka_unit_test(what_was_cut_or_changed_is_not_opened),
		cmocka_unit_test(the_same_is_sealed_otherwise_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
