/* media: a clock that is set while calls run, back by an hour or forward by a day: nothing waits for ever, nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "../support/media_scene.h"

#define HOUR (3600 * NSEC_PER_SEC)

static const nsec_t jumps[] = { -HOUR, 24 * HOUR, -24 * HOUR };

static void speak(struct scene *s, struct voice *v, const struct srtp_key *key, int packets)
{
	for (int i = 0; i < packets; i++)
		scene_speak(s, v, key);
}

static void a_call_goes_on_when_the_clock_is_set(void **state)
{
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);

	(void)state;
	for (size_t j = 0; j < 3; j++) {
		struct voice v = scene_alice(1, 65000), other = scene_alice(2, 40);
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, "RTP/SAVP");
		scene_give(&s, 1, &key, TOWARD_CALLEE);
		speak(&s, &v, &key, 300);
		s.now += jumps[j];
		speak(&s, &v, &key, 300);
		speak(&s, &other, &key, 30); /* a new stream */
		assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_CLEAR, SEAL_REASONS), 630);
		scene_close(&s);
	}
}

static void a_hold_time_ends_as_if_the_clock_had_not_been_set_back(void **state)
{
	struct media_options o = { .hold_time = 10 * NSEC_PER_SEC };
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct voice v = scene_alice(1, 0);
	struct scene s;

	(void)state;
	scene_open(&s, &o);
	scene_call(&s, "RTP/SAVP");
	speak(&s, &v, &key, 250); /* 5 s */
	s.now -= HOUR;
	speak(&s, &v, &key, 150); /* 3 s */
	assert_int_equal(s.count, 0);
	scene_wait(&s, 3 * NSEC_PER_SEC);
	assert_true(s.count > 20 && s.count < 100); /* what came in the first second */
	scene_wait(&s, 8 * NSEC_PER_SEC);
	assert_int_equal(s.count, 400);
	scene_close(&s);
}

static void a_call_that_is_over_does_not_linger_until_the_hour_has_come_again(void **state)
{
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);

	(void)state;
	for (size_t j = 0; j < 3; j++) {
		struct voice v = scene_alice(1, 0);
		struct datagram d = { .proto = IP_PROTO_UDP, .flow = { v.src, v.dst } };
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, "RTP/SAVP");
		speak(&s, &v, &key, 100);
		scene_hang_up(&s, 1);
		s.now += jumps[j];
		scene_wait(&s, 0);
		scene_wait(&s, 33 * NSEC_PER_SEC);
		scene_wait(&s, NSEC_PER_SEC);
		assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_SEALED, SEAL_REASONS), 100);
		assert_false(media_wants(s.media, &d));
		scene_close(&s);
	}
}

/* What says the end was stamped before the clock was set, and comes after. */
static void an_end_that_was_stamped_before_the_clock_was_set_back_is_one(void **state)
{
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct voice v = scene_alice(1, 0);
	struct datagram d = { .proto = IP_PROTO_UDP, .flow = { v.src, v.dst } };
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	speak(&s, &v, &key, 100);
	s.now -= HOUR;
	scene_wait(&s, 0);
	s.now += HOUR;
	scene_hang_up(&s, 1);
	s.now -= HOUR;
	scene_wait(&s, 33 * NSEC_PER_SEC);
	scene_wait(&s, NSEC_PER_SEC);
	assert_false(media_wants(s.media, &d));
	scene_close(&s);
}

/* The wall clock rules warrants: after it was set, what it says counts. */
static void a_warrant_ends_by_the_clock_that_was_set(void **state)
{
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct voice v = scene_alice(1, 0);
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_cover(&s, 1, 7, SCENE_T0 - HOUR, SCENE_T0 + HOUR);
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 10);
	s.now += 2 * HOUR;
	speak(&s, &v, &key, 10);
	assert_int_equal(s.count, 10);
	s.now -= 2 * HOUR;
	speak(&s, &v, &key, 10);
	assert_true(s.count == 10 || s.count == 20); /* the call may be forgotten: the warrant was over */
	scene_close(&s);
}

/* A clock that is set to and fro, as by two that quarrel, costs no more than one that is not. */
static void a_clock_that_is_set_all_the_time_harms_nothing(void **state)
{
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct voice v = scene_alice(1, 0);
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 3000; i++) {
		s.now += i % 2 == 0 ? HOUR : -HOUR;
		speak(&s, &v, &key, 1);
	}
	assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_CLEAR, SEAL_REASONS), 3000);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_goes_on_when_the_clock_is_set),
		cmocka_unit_test(a_hold_time_ends_as_if_the_clock_had_not_been_set_back),
		cmocka_unit_test(a_call_that_is_over_does_not_linger_until_the_hour_has_come_again),
		cmocka_unit_test(an_end_that_was_stamped_before_the_clock_was_set_back_is_one),
		cmocka_unit_test(a_warrant_ends_by_the_clock_that_was_set),
		cmocka_unit_test(a_clock_that_is_set_all_the_time_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
