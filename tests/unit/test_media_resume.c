/* media: what one process tells of its streams, and how the next one goes on with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "../support/media_scene.h"

/* All that was told of calls that changed, one behind the other. */
static struct buf told(struct scene *s)
{
	struct buf b = { 0 };
	size_t before;

	do
		before = b.len;
	while (media_state(s->media, &b) && b.len > before);
	assert_false(b.failed);
	return b;
}

/* Another process in place of the one before, which knows what that one told, and to which all is said again. */
static void replace(struct scene *s, struct buf *state)
{
	nsec_t now = s->now;

	scene_close(s);
	scene_open(s, NULL);
	s->now = now;
	media_resume(s->media, buf_bytes(state));
	buf_clear(state);
}

static struct srtp_key key_of(enum srtp_suite suite, bool tag)
{
	struct srtp_key key = scene_key(suite, 5);

	key.unauthenticated_srtp = !tag;
	return key;
}

static void speak(struct scene *s, struct voice *v, const struct srtp_key *key, int packets)
{
	for (int i = 0; i < packets; i++)
		scene_speak(s, v, key);
}

static void goes_on_at_once(struct scene *s, struct voice *v, const struct srtp_key *key, uint32_t number)
{
	uint64_t from = v->index;

	for (int i = 0; i < 40; i++) {
		scene_speak(s, v, key);
		assert_int_equal(s->count, i + 1);
		assert_int_equal(s->out[i].packet.fate, MEDIA_CLEAR);
		assert_int_equal(s->out[i].packet.index, from + (uint64_t)i);
		assert_int_equal(s->out[i].packet.stream, number);
		assert_int_equal(s->out[i].packet.toward, TOWARD_CALLEE);
		assert_int_equal(s->out[i].packet.rekeys, 0);
		assert_int_equal(s->out[i].packet.key_used, key != NULL);
	}
}

static void resumed(enum srtp_suite suite, bool tag)
{
	struct srtp_key key = key_of(suite, tag);
	struct voice first = scene_alice(7, 100), v = scene_alice(1, 65000);
	struct scene s;
	struct buf state;

	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	if (tag) {
		speak(&s, &first, &key, 5);
		v.index |= 2 << 16;
	}
	speak(&s, &v, &key, 700); /* across a roll-over */
	assert_int_equal(s.count, 700 + (tag ? 5 : 0));
	state = told(&s);
	replace(&s, &state);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	v.index += 500; /* while nobody was there */
	goes_on_at_once(&s, &v, &key, tag ? 2 : 1);
	scene_close(&s);
}

static void every_stream_goes_on_at_its_index(void **state)
{
	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		resumed((enum srtp_suite)suite, true);
		if (!suite_facts((enum srtp_suite)suite)->aead && !suite_facts((enum srtp_suite)suite)->null_cipher)
			resumed((enum srtp_suite)suite, false);
	}
}

static void a_stream_in_clear_needs_no_second_look(void **state)
{
	struct voice v = scene_alice(1, 65000);
	struct scene s;
	struct buf octets;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/AVP");
	speak(&s, &v, NULL, 700);
	assert_int_equal(s.count, 700);
	octets = told(&s);
	replace(&s, &octets);
	scene_call(&s, "RTP/AVP");
	goes_on_at_once(&s, &v, NULL, 1);
	scene_close(&s);
}

static void what_comes_before_its_key_is_said_again_waits_and_opens_at_its_index(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true), other = scene_key(AES_CM_128_HMAC_SHA1_80, 77);
	struct voice v = scene_alice(1, 5 << 16 | 65500);
	struct scene s;
	struct buf octets;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 100);
	octets = told(&s);
	replace(&s, &octets);
	scene_call(&s, "RTP/SAVP");
	speak(&s, &v, &key, 10);
	assert_int_equal(s.count, 0);
	scene_give(&s, 1, &other, TOWARD_CALLEE);
	assert_int_equal(s.count, 0);
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	assert_int_equal(s.count, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(s.out[i].packet.index, (5 << 16 | 65500) + 100 + i);
	assert_int_equal(s.out[9].packet.rekeys, 0);
	scene_close(&s);
}

static void a_sealed_stream_keeps_its_number_and_index(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true);
	struct media_options o = { .hold_octets = 20000 };
	struct voice v = scene_alice(1, 65000);
	struct scene s;
	struct buf octets;

	(void)state;
	scene_open(&s, &o);
	scene_call(&s, "RTP/SAVP");
	speak(&s, &v, &key, 700);
	assert_true(s.count > 600);
	octets = told(&s);
	scene_close(&s);
	scene_open(&s, &o);
	media_resume(s.media, buf_bytes(&octets));
	buf_clear(&octets);
	scene_call(&s, "RTP/SAVP");
	speak(&s, &v, &key, 5);
	scene_end(&s);
	assert_int_equal(s.count, 5);
	assert_int_equal(s.out[4].packet.fate, MEDIA_SEALED);
	assert_int_equal(s.out[4].packet.index, 65704);
	assert_int_equal(s.out[4].packet.stream, 1);
	scene_close(&s);
}

/* Nobody announced where it goes, and its tag spoke for it: it need not do so again, nor does silence make it a stranger's. */
static void a_learned_stream_is_believed_still(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true);
	struct voice v = scene_alice(1, 1000);
	struct scene s;
	struct buf octets;

	(void)state;
	v.dst = at_addr("203.0.113.9:9000");
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 20);
	assert_int_equal(s.count, 20);
	octets = told(&s);
	replace(&s, &octets);
	s.now -= 3600 * NSEC_PER_SEC; /* when it was said */
	scene_call(&s, "RTP/SAVP");
	s.now += 3600 * NSEC_PER_SEC + NSEC_PER_SEC;
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 1);
	assert_int_equal(s.count, 1);
	assert_true(s.out[0].packet.learned);
	assert_int_equal(s.out[0].packet.toward, TOWARD_CALLEE);
	assert_int_equal(s.out[0].packet.index, 1020);
	scene_close(&s);
}

static void a_forgery_beside_an_authentic_stream_is_still_one(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true), wrong = scene_key(AES_CM_128_HMAC_SHA1_80, 200);
	struct voice v = scene_alice(1, 1000), forged = scene_alice(2, 7);
	struct scene s;
	struct buf octets;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 100);
	octets = told(&s);
	replace(&s, &octets);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++) {
		speak(&s, &v, &key, 1);
		speak(&s, &forged, &wrong, 1);
	}
	scene_end(&s);
	assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_CLEAR, SEAL_REASONS), 100);
	assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_FORGED, SEAL_REASONS), 100);
	scene_close(&s);
}

static void a_call_is_told_when_something_of_it_changed_and_when_it_is_over(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true);
	struct voice v = scene_alice(1, 0);
	struct scene s;
	struct buf b;
	int times = 0;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	b = told(&s);
	assert_int_equal(b.len, 0);
	for (int i = 0; i < 40000; i++) {
		speak(&s, &v, &key, 1);
		buf_reset(&b);
		if (media_state(s.media, &b)) {
			times++;
			assert_int_equal(be32(b.at), 1);
			assert_int_equal(be32(b.at + 4), b.len - 8);
			assert_true(b.len > 8 && b.len < 400);
			assert_false(media_state(s.media, &b));
		}
		s.count = 0;
	}
	assert_true(times >= 4 && times <= 6); /* so that a sequence number is never half a turn away */
	scene_hang_up(&s, 1);
	scene_wait(&s, 40 * NSEC_PER_SEC);
	scene_wait(&s, NSEC_PER_SEC);
	buf_clear(&b);
	b = told(&s);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.at, "\0\0\0\1\0\0\0\0", 8);
	buf_clear(&b);
	scene_close(&s);
}

static bool contains(struct bytes in, const uint8_t *what, size_t len)
{
	for (size_t i = 0; i + len <= in.len; i++)
		if (memcmp(in.at + i, what, len) == 0)
			return true;
	return false;
}

static void no_key_is_told(void **state)
{
	struct srtp_key key = scene_key(AES_256_CM_HMAC_SHA1_80, 31);
	struct voice v = scene_alice(1, 0);
	struct scene s;
	struct buf b;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 100);
	b = told(&s);
	for (size_t i = 0; i + 4 <= 32; i++)
		assert_false(contains(buf_bytes(&b), key.key + i, 4));
	for (size_t i = 0; i + 4 <= 14; i++)
		assert_false(contains(buf_bytes(&b), key.salt + i, 4));
	assert_true(contains(buf_bytes(&b), v.src.ip, 4)); /* it is told */
	buf_clear(&b);
	scene_close(&s);
}

static void octets_that_are_no_state_are_passed_over(void **state)
{
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true);
	struct voice v = scene_alice(1, 65000), after;
	struct scene s;
	struct buf b;
	uint32_t random = 1;

	(void)state;
	scene_open(&s, NULL);
	scene_call(&s, "RTP/SAVP");
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	speak(&s, &v, &key, 700);
	b = told(&s);
	for (int round = 0; round < 600; round++) {
		uint8_t octets[512];
		size_t len = b.len;

		memcpy(octets, b.at, len);
		if (round < (int)len) {
			len = (size_t)round;
		} else {
			for (int i = 0; i < 1 + round % 4; i++) {
				random = random * 1664525 + 1013904223;
				octets[8 + (random >> 8) % (len - 8)] ^= (uint8_t)(1u << (random >> 4) % 8);
			}
		}
		scene_close(&s);
		scene_open(&s, NULL);
		media_resume(s.media, (struct bytes){ octets, len });
		after = v;
		scene_call(&s, "RTP/SAVP");
		scene_give(&s, 1, &key, TOWARD_CALLEE);
		speak(&s, &after, &key, 3);
		scene_wait(&s, 700 * NSEC_PER_SEC);
		scene_end(&s);
	}
	buf_clear(&b);
	scene_close(&s);
}

/* Whoever says places and keys was started again, and says them all again; media was not. */
static void steps_that_are_said_again_change_nothing(void **state)
{
	struct voice v = scene_alice(1, 65000);
	struct scene s;
	struct srtp_key keys[40];
	nsec_t now;

	(void)state;
	scene_open(&s, NULL);
	for (size_t i = 0; i < 40; i++)
		keys[i] = scene_key(AES_CM_128_HMAC_SHA1_80, (uint8_t)(1 + 5 * i));
	scene_call(&s, "RTP/SAVP");
	for (size_t i = 0; i < 40; i++)
		scene_give(&s, 1, &keys[i], TOWARD_CALLEE);
	speak(&s, &v, &keys[3], 700);
	for (int again = 0; again < 50; again++) {
		now = s.now;
		s.now = SCENE_T0;
		scene_call(&s, "RTP/SAVP");
		for (size_t i = 0; i < 40; i++)
			scene_give(&s, 1, &keys[i], TOWARD_CALLEE);
		s.now = now;
		s.count = 0;
		speak(&s, &v, &keys[3], 1);
		assert_int_equal(s.count, 1);
		assert_int_equal(s.out[0].packet.index, 65700 + again);
		assert_int_equal(s.out[0].packet.stream, 1);
		assert_int_equal(s.out[0].packet.rekeys, 0);
	}
	/* No key made room for itself, and the place was heard of lately: a new stream opens by the oldest one. */
	s.now += 30 * NSEC_PER_SEC;
	v = scene_alice(2, 0);
	s.count = 0;
	speak(&s, &v, &keys[0], 1);
	assert_int_equal(s.count, 1);
	scene_close(&s);
}

/* What lay elsewhere when the process ended is asked back by the next one, once its call does not wait any more. */
static void what_lies_elsewhere_is_asked_for_by_the_next_one(void **state)
{
	struct media_options o = { .hold_octets = 30000, .spill = true };
	struct srtp_key key = key_of(AES_CM_128_HMAC_SHA1_80, true);
	struct voice v = scene_alice(1, 0);
	struct scene s;
	struct place p;
	struct buf b;
	uint32_t call;
	size_t kept;

	(void)state;
	scene_open(&s, &o);
	scene_call(&s, "RTP/SAVP");
	p = scene_place(&s, 1, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
	p.waiting = true;
	scene_say_place(&s, &p);
	speak(&s, &v, &key, 100);
	kept = s.count;
	assert_true(kept > 20);
	b = told(&s);
	scene_close(&s);
	scene_open(&s, &o);
	s.now = SCENE_T0 + 10 * NSEC_PER_SEC;
	media_resume(s.media, buf_bytes(&b));
	buf_clear(&b);
	scene_call(&s, "RTP/SAVP");
	scene_say_place(&s, &p);
	scene_wait(&s, 5 * NSEC_PER_SEC);
	assert_false(media_held_wanted(s.media, &call));
	speak(&s, &v, &key, 3);
	assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_HELD, SEAL_REASONS), 3); /* behind those */
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	p.waiting = false;
	scene_say_place(&s, &p);
	assert_true(media_held_wanted(s.media, &call));
	assert_int_equal(call, 1);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stream_goes_on_at_its_index),
		cmocka_unit_test(a_stream_in_clear_needs_no_second_look),
		cmocka_unit_test(what_comes_before_its_key_is_said_again_waits_and_opens_at_its_index),
		cmocka_unit_test(a_sealed_stream_keeps_its_number_and_index),
		cmocka_unit_test(a_learned_stream_is_believed_still),
		cmocka_unit_test(a_forgery_beside_an_authentic_stream_is_still_one),
		cmocka_unit_test(a_call_is_told_when_something_of_it_changed_and_when_it_is_over),
		cmocka_unit_test(no_key_is_told),
		cmocka_unit_test(octets_that_are_no_state_are_passed_over),
		cmocka_unit_test(steps_that_are_said_again_change_nothing),
		cmocka_unit_test(what_lies_elsewhere_is_asked_for_by_the_next_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
