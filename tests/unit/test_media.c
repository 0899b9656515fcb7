/* media: from a datagram of an intercepted call to clear RTP. The sender is srtp_sender, proven in test_srtp_vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "../support/media_scene.h"

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	scene_open(s, NULL);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	scene_close(*state);
	free(*state);
	return 0;
}

static size_t clear_count(const struct scene *s)
{
	return scene_count(s, MEDIA_RTP, MEDIA_CLEAR, SEAL_REASONS);
}

static size_t sealed_count(const struct scene *s, enum seal_reason r)
{
	return scene_count(s, MEDIA_RTP, MEDIA_SEALED, r);
}

/* Every packet that came out clear is what the voice said at that index. */
static void is_what_was_said(const struct scene *s, struct voice said)
{
	uint64_t first = said.index;

	for (size_t i = 0; i < s->count; i++) {
		const struct media_packet *p = &s->out[i].packet;
		struct voice v = said;
		uint8_t clear[512];
		size_t len = 0;

		if (p->sort != MEDIA_RTP || p->fate != MEDIA_CLEAR || p->ssrc != said.ssrc)
			continue;
		assert_true(p->index >= first);
		while (v.index <= p->index)
			len = voice_speak(&v, clear);
		assert_int_equal(p->clear.len, len);
		assert_memory_equal(p->clear.at, clear, len);
		assert_int_equal(p->media.len, 160);
		assert_memory_equal(p->media.at, clear + 12, 160);
		assert_int_equal(p->timestamp, v.timestamp - 160);
	}
}

static void every_suite_comes_out_clear_and_in_order(void **state)
{
	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		struct srtp_key key = scene_key((enum srtp_suite)suite, 3);
		struct voice v = scene_alice(0xa11ce, 100), said = v;
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, "RTP/SAVP");
		scene_give(&s, 1, &key, TOWARD_CALLEE);
		for (int i = 0; i < 50; i++) {
			scene_speak(&s, &v, &key);
			assert_int_equal(s.count, i + 1); /* at once */
			assert_int_equal(s.out[i].packet.index, 100 + i);
		}
		assert_int_equal(clear_count(&s), 50);
		is_what_was_said(&s, said);
		assert_int_equal(s.out[0].packet.stream, 1);
		assert_int_equal(s.out[0].packet.suite, suite);
		assert_int_equal(s.out[0].packet.source, KEY_SDES);
		assert_true(s.out[0].packet.key_used && srtp_key_same(&s.out[0].packet.key, &key));
		assert_int_equal(s.out[0].packet.toward, TOWARD_CALLEE);
		assert_string_equal(s.out[0].packet.codec, "PCMU");
		assert_int_equal(s.out[0].packet.clock, 8000);
		assert_int_equal(s.out[0].warrants[0], 7);
		scene_close(&s);
	}
}

static void what_is_of_no_call_is_not_wanted(void **state)
{
	struct scene *s = *state;
	struct datagram d = { .proto = IP_PROTO_UDP, .flow = { at_addr("192.0.2.1:4000"), at_addr("192.0.2.2:5000") } };

	assert_false(media_wants(s->media, &d));
	scene_call(s, "RTP/SAVP");
	assert_true(media_wants(s->media, &d));
	d.proto = IP_PROTO_TCP;
	assert_false(media_wants(s->media, &d));
	d.proto = IP_PROTO_UDP;
	d.flow.dst.port++;
	d.flow.src.port += 2;
	assert_true(media_wants(s->media, &d)); /* RTCP */
	d.flow.dst.port++;
	assert_false(media_wants(s->media, &d));
	d.flow.dst = at_addr("[::ffff:c000:202]:5000");
	assert_false(media_wants(s->media, &d));
}

static void a_packet_before_its_key_is_held_then_opened(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 65500), said = v;

	scene_call(s, "RTP/SAVP");
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	assert_int_equal(s->count, 0);
	scene_give(s, 1, &key, TOWARD_CALLEE);
	assert_int_equal(s->count, 100);
	scene_speak(s, &v, &key);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(s->out[i].packet.index, 65500 + i); /* across the roll-over too */
	assert_int_equal(clear_count(s), 101);
	is_what_was_said(s, said);
}

static void a_late_join_after_three_wraps_finds_its_roll_over(void **state)
{
	static const enum srtp_suite suites[] = { AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32, AEAD_AES_256_GCM };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct srtp_key key = scene_key(suites[i], 1);
		struct voice v = scene_alice(1, 3ull << 16 | 65000), said = v;
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, "RTP/SAVP");
		scene_give(&s, 1, &key, TOWARD_CALLEE);
		for (int j = 0; j < 1000; j++)
			scene_speak(&s, &v, &key);
		assert_int_equal(clear_count(&s), 1000);
		assert_int_equal(s.out[0].packet.index, 3ull << 16 | 65000);
		assert_int_equal(s.out[999].packet.index, (3ull << 16 | 65000) + 999);
		is_what_was_said(&s, said);
		scene_close(&s);
	}
}

/* S75 */
static void a_stream_whose_packets_before_the_wrap_were_lost_opens(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 65536), said = scene_alice(1, 65530);
	uint8_t skip[512];

	while (said.index < 65536)
		voice_speak(&said, skip);
	v = said;
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 300; i++)
		scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 300);
	assert_int_equal(s->out[0].packet.index, 65536);
	is_what_was_said(s, said);
}

static void a_straggler_from_before_the_wrap_opens_too(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AEAD_AES_128_GCM, 1);
	struct voice late = scene_alice(1, 65533), v;
	uint8_t skip[512];

	v = late;
	for (int i = 0; i < 5; i++)
		voice_speak(&v, skip);
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 20; i++)
		scene_speak(s, &v, &key);
	for (int i = 0; i < 5; i++)
		scene_speak(s, &late, &key);
	assert_int_equal(clear_count(s), 25);
	assert_int_equal(s->out[20].packet.index, 65533);
}

static void a_rekey_counts_once_and_old_packets_still_open(void **state)
{
	struct scene *s = *state;
	struct srtp_key first = scene_key(AES_CM_128_HMAC_SHA1_80, 1), second = scene_key(AES_256_CM_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 65500), late, said = v;

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &first, TOWARD_CALLEE);
	for (int i = 0; i < 50; i++)
		scene_speak(s, &v, &first);
	late = v;
	for (int i = 0; i < 5; i++) {
		uint8_t skip[512];

		voice_speak(&v, skip);
	}
	scene_speak(s, &v, &second); /* before its key is known */
	scene_speak(s, &v, &second);
	scene_speak(s, &late, &first); /* in flight */
	scene_give(s, 1, &second, TOWARD_CALLEE);
	for (int i = 0; i < 50; i++) {
		scene_speak(s, &v, &second);
		if (i % 10 == 0 && i < 40)
			scene_speak(s, &late, &first);
	}
	assert_int_equal(clear_count(s), 50 + 2 + 50 + 5);
	assert_int_equal(s->out[s->count - 1].packet.rekeys, 1);
	assert_int_equal(s->out[s->count - 1].packet.suite, AES_256_CM_HMAC_SHA1_80);
	is_what_was_said(s, said);
}

static void a_sender_that_begins_anew_with_its_new_key_is_followed(void **state)
{
	struct scene *s = *state;
	struct srtp_key first = scene_key(AES_CM_128_HMAC_SHA1_80, 1), second = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 2ull << 16 | 10);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &first, TOWARD_CALLEE);
	scene_give(s, 1, &second, TOWARD_CALLEE);
	for (int i = 0; i < 20; i++)
		scene_speak(s, &v, &first);
	v.index &= 0xffff; /* roll-over counter 0 again, the sequence number goes on */
	for (int i = 0; i < 20; i++)
		scene_speak(s, &v, &second);
	assert_int_equal(clear_count(s), 40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(s->out[i].packet.index, (2ull << 16 | 10) + i); /* the stream's own order */
}

/* S84 */
static void a_packet_three_hundred_positions_late_opens(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice late = scene_alice(1, 10), v = late;
	uint8_t skip[512];

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		voice_speak(&v, skip);
	for (int i = 0; i < 300; i++)
		scene_speak(s, &v, &key);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &late, &key);
	assert_int_equal(clear_count(s), 310);
	/* and thousands late, beyond any window */
	for (int i = 0; i < 9000; i++)
		voice_speak(&v, skip);
	scene_speak(s, &v, &key);
	late = scene_alice(1, 0);
	scene_speak(s, &late, &key);
	assert_int_equal(clear_count(s), 312);
}

static void what_a_mirror_shows_twice_is_counted_and_disturbs_nothing(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 65000), far = v;

	scene_call(s, "RTP/SAVP");
	for (int i = 0; i < 1000; i++) {
		struct voice again = v;

		if (i == 10)
			scene_give(s, 1, &key, TOWARD_CALLEE);
		scene_speak(s, &v, &key);
		scene_speak(s, &again, &key);
	}
	scene_speak(s, &far, &key); /* a thousand positions later */
	assert_int_equal(clear_count(s), 1000);
	assert_int_equal(scene_count(s, MEDIA_RTP, MEDIA_TWICE, SEAL_NONE), 1001);
	assert_int_equal(scene_counter(s, "duplicates"), 1001);
	assert_int_equal(s->out[1].packet.stream, 1);
}

static void the_same_place_with_other_octets_is_no_copy(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 500), other;

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, &key);
	other = v;
	other.phase += 5;
	scene_speak(s, &v, &key);
	scene_speak(s, &other, &key);
	assert_int_equal(clear_count(s), 12);
	assert_int_equal(s->out[10].packet.index, s->out[11].packet.index);
	assert_memory_not_equal(s->out[10].media, s->out[11].media, 160);
}

/* S85 */
static void a_flood_of_forged_ssrcs_is_counted_and_makes_no_stream(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 10);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (uint32_t i = 0; i < 20000; i++) {
		struct voice forged = scene_alice(0x10000 + i * 2654435761u, i * 40503u & 0xffff);

		if (i % 20 == 0)
			scene_speak(s, &v, &key);
		forged.phase = i;
		scene_speak(s, &forged, NULL); /* a plausible voice at that */
		s->now -= 19 * MS;
	}
	scene_speak(s, &v, &key);
	scene_end(s);
	assert_int_equal(clear_count(s), 1001);
	assert_int_equal(scene_count(s, MEDIA_RTP, MEDIA_FORGED, SEAL_NONE), 20000);
	assert_int_equal(scene_counter(s, "forged"), 20000);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(s->out[i].packet.stream, s->out[i].packet.fate == MEDIA_FORGED ? 0 : 1);
}

static void a_new_ssrc_that_authenticates_amid_a_flood_is_a_stream(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), forger = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 10), w = scene_alice(2, 60000);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (uint32_t i = 0; i < 500; i++) {
		struct voice forged = scene_alice(0x10000 + i, i);

		scene_speak(s, i < 250 ? &v : &w, &key);
		scene_speak(s, &forged, &forger);
	}
	scene_speak(s, &w, &key);
	scene_end(s);
	assert_int_equal(clear_count(s), 501);
	assert_int_equal(scene_counter(s, "forged"), 500);
	assert_int_equal(s->out[s->count - 1].packet.fate, MEDIA_FORGED); /* those held to the end */
}

static void a_key_never_signalled_is_no_forgery_when_its_packets_cross_the_last_of_another(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), unknown = scene_key(AES_CM_128_HMAC_SHA1_80, 9);
	struct voice v = scene_alice(1, 10), other = scene_alice(2, 7);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	for (int i = 0; i < 200; i++) {
		scene_speak(s, &other, &unknown);
		if (i < 4)
			scene_speak(s, &v, &key);
	}
	scene_end(s);
	assert_int_equal(clear_count(s), 104);
	assert_int_equal(sealed_count(s, SEAL_AUTH_FAILED), 200);
	assert_int_equal(scene_counter(s, "forged"), 0);
}

/* S79 */
static void an_unknown_key_in_mid_call_seals_from_there_on(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), unknown = scene_key(AES_CM_128_HMAC_SHA1_80, 9);
	struct voice v = scene_alice(1, 10), other;

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	other = scene_alice(2, 7);
	for (int i = 0; i < 500; i++)
		scene_speak(s, &v, &unknown);
	for (int i = 0; i < 500; i++)
		scene_speak(s, &other, &unknown);
	scene_end(s);
	assert_int_equal(clear_count(s), 100);
	assert_int_equal(sealed_count(s, SEAL_AUTH_FAILED), 1000);
	assert_int_equal(scene_counter(s, "forged"), 0);
	assert_int_equal(s->out[100].packet.stream, 1);
	assert_int_equal(s->out[s->count - 1].packet.stream, 2);
}

static void a_damaged_packet_is_sealed_and_its_stream_goes_on(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 10);
	uint8_t clear[512], sealed[512];
	size_t len;

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	len = voice_speak(&v, clear);
	len = sender_rtp(&key, v.index - 1, (struct bytes){ clear, len }, sealed);
	sealed[50] ^= 4;
	scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, len }, false);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 200); /* before the call ends */
	assert_int_equal(sealed_count(s, SEAL_AUTH_FAILED), 1);
	assert_int_equal(s->out[s->count - 1].packet.rekeys, 0);
}

static void an_mki_selects_the_key_and_an_unknown_one_stays_sealed(void **state)
{
	struct scene *s = *state;
	struct srtp_key keys[3];
	struct voice v = scene_alice(1, 10);

	scene_call(s, "RTP/SAVP");
	for (uint8_t i = 0; i < 3; i++) {
		keys[i] = scene_key(AES_CM_128_HMAC_SHA1_80, (uint8_t)(i + 1));
		keys[i].mki_len = 4;
		keys[i].mki[3] = (uint8_t)(i + 1);
		if (i < 2)
			scene_give(s, 1, &keys[i], TOWARD_CALLEE);
	}
	for (int i = 0; i < 90; i++)
		scene_speak(s, &v, &keys[i / 30]);
	scene_end(s);
	assert_int_equal(clear_count(s), 60);
	assert_int_equal(sealed_count(s, SEAL_AUTH_FAILED), 30);
	assert_int_equal(s->out[59].packet.rekeys, 1);
}

static void an_mki_that_was_announced_and_is_not_sent_does_no_harm(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), announced = key;
	struct voice v = scene_alice(1, 10);

	announced.mki_len = 1;
	announced.mki[0] = 1;
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &announced, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, i < 5 ? &key : &announced);
	assert_int_equal(clear_count(s), 10);
	assert_int_equal(s->out[9].packet.rekeys, 0);
}

static void unencrypted_srtp_is_verified_and_clear(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_32, 1);
	struct voice v = scene_alice(1, 10), said = v;

	key.unencrypted_srtp = true;
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 30; i++)
		scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 30);
	is_what_was_said(s, said);
}

static void without_a_tag_the_framing_decides(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), wrong = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 10), said = v, w = scene_alice(2, 10);

	key.unauthenticated_srtp = wrong.unauthenticated_srtp = true;
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &wrong, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &w, &key);
	assert_int_equal(clear_count(s), 0);
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 100; i++)
		scene_speak(s, &v, &key);
	scene_end(s);
	assert_int_equal(scene_count(s, MEDIA_RTP, MEDIA_CLEAR, SEAL_NONE), 200);
	assert_int_equal(scene_count(s, MEDIA_RTP, MEDIA_SEALED, SEAL_REASONS), 0);
	is_what_was_said(s, said);
}

static size_t report(uint8_t out[64], uint32_t ssrc)
{
	static const uint8_t rr[32] = { 0x81, 201, 0, 7 };
	static const uint8_t sdes[12] = { 0x81, 202, 0, 2, 0, 0, 0, 0, 1, 1, 'a', 0 };

	memcpy(out, rr, sizeof(rr));
	memcpy(out + 32, sdes, sizeof(sdes));
	put_be32(out + 4, ssrc);
	put_be32(out + 36, ssrc);
	return 44;
}

/* S87 */
static void rtcp_opens_with_the_e_bit_on_or_off_with_gaps_and_twice(void **state)
{
	static const uint32_t indexes[] = { 1, 2, 2, 900, 3 };
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_32, 1);
	struct addr src = at_addr("192.0.2.1:4001"), dst = at_addr("192.0.2.2:5001");
	uint8_t clear[64], sealed[128];
	size_t len = report(clear, 77);

	scene_call(s, "RTP/SAVP");
	for (size_t i = 0; i < 5; i++) {
		size_t n = sender_rtcp(&key, indexes[i], i != 3, (struct bytes){ clear, len }, sealed);

		if (i == 1)
			scene_give(s, 1, &key, TOWARD_CALLEE);
		scene_send(s, &src, &dst, (struct bytes){ sealed, n }, false);
		s->now += NSEC_PER_SEC;
	}
	assert_int_equal(scene_count(s, MEDIA_RTCP, MEDIA_CLEAR, SEAL_NONE), 4);
	assert_int_equal(scene_count(s, MEDIA_RTCP, MEDIA_TWICE, SEAL_NONE), 1);
	for (size_t i = 0; i < s->count; i++) {
		assert_int_equal(s->out[i].packet.stream, 0);
		assert_int_equal(s->out[i].packet.ssrc, 77);
		if (s->out[i].packet.fate == MEDIA_CLEAR) {
			assert_int_equal(s->out[i].packet.clear.len, len);
			assert_memory_equal(s->out[i].clear, clear, len);
		}
	}
}

static void muxed_rtcp_is_rtcp_and_without_keys_only_whole_reports_are_clear(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 1);
	uint8_t clear[64], sealed[128];
	size_t len = report(clear, 77), n;

	scene_call(s, "RTP/SAVP");
	scene_send(s, &v.src, &v.dst, (struct bytes){ clear, len }, false);
	n = sender_rtcp(&key, 5, true, (struct bytes){ clear, len }, sealed);
	scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, n }, false);
	n = sender_rtcp(&key, 6, false, (struct bytes){ clear, len }, sealed);
	scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, n }, false);
	scene_end(s);
	assert_int_equal(scene_count(s, MEDIA_RTCP, MEDIA_CLEAR, SEAL_NONE), 1);
	assert_int_equal(scene_count(s, MEDIA_RTCP, MEDIA_SEALED, SEAL_NO_KEY), 2);
	assert_int_equal(scene_counter(s, "rtcp"), 3);
}

static void clear_media_is_believed_by_its_framing_whatever_the_profile(void **state)
{
	static const char *const profiles[] = { "RTP/AVP", "RTP/SAVP" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct voice v = scene_alice(1, 65530), said = v;
		struct srtp_key other = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, profiles[i]);
		if (i == 1)
			scene_give(&s, 1, &other, TOWARD_CALLER);
		for (int j = 0; j < 200; j++)
			scene_speak(&s, &v, NULL);
		assert_int_equal(clear_count(&s), 200);
		assert_int_equal(s.out[0].packet.index, 65530);
		assert_int_equal(s.out[199].packet.index, 65729);
		assert_int_equal(s.out[0].packet.suite, SUITE_NONE);
		assert_false(s.out[0].packet.key_used);
		is_what_was_said(&s, said);
		scene_close(&s);
	}
}

static void ciphertext_is_never_clear_whatever_the_profile(void **state)
{
	(void)state;
	for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
		for (int untagged = 0; untagged < 2; untagged++) {
			struct srtp_key key = scene_key((enum srtp_suite)suite, 1);
			struct voice v = scene_alice(1, 500);
			struct scene s;

			if (untagged && (suite_facts(key.suite)->null_cipher || suite_facts(key.suite)->aead))
				continue;
			key.unauthenticated_srtp = untagged;
			scene_open(&s, NULL);
			scene_call(&s, "RTP/AVP");
			for (int j = 0; j < 2000; j++)
				scene_speak(&s, &v, &key);
			scene_end(&s);
			assert_int_equal(clear_count(&s), 0);
			assert_int_equal(sealed_count(&s, SEAL_NO_KEY), 2000);
			scene_close(&s);
		}
	}
}

static void a_clear_stream_that_begins_to_encrypt_is_sealed_or_opened_from_there(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
		struct voice v = scene_alice(1, 500), said = v;
		struct scene s;

		scene_open(&s, NULL);
		scene_call(&s, "RTP/AVP");
		for (int j = 0; j < 100; j++)
			scene_speak(&s, &v, NULL);
		assert_int_equal(clear_count(&s), 100);
		if (known)
			scene_give(&s, 1, &key, TOWARD_CALLEE);
		for (int j = 0; j < 100; j++)
			scene_speak(&s, &v, &key);
		scene_end(&s);
		assert_int_equal(clear_count(&s), known ? 200 : 100);
		assert_int_equal(scene_count(&s, MEDIA_RTP, MEDIA_SEALED, SEAL_NO_KEY), known ? 0 : 100);
		is_what_was_said(&s, said);
		scene_close(&s);
	}
}

static void an_open_stream_that_goes_on_in_clear_is_clear(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 500), said = v;

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int j = 0; j < 100; j++)
		scene_speak(s, &v, &key);
	for (int j = 0; j < 100; j++)
		scene_speak(s, &v, NULL);
	scene_end(s);
	assert_int_equal(clear_count(s), 200);
	assert_int_equal(s->out[150].packet.suite, SUITE_NONE);
	assert_int_equal(s->out[150].packet.stream, 1);
	is_what_was_said(s, said);
}

/* A format without rules: nothing but the bits tells. */
static void ciphertext_before_clear_speech_stays_sealed(void **state)
{
	struct scene *s = *state;
	struct srtp_key unknown = scene_key(AEAD_AES_128_GCM, 1);
	struct voice v = scene_alice(1, 1);

	scene_call(s, "RTP/AVP");
	for (int i = 0; i < 96 + 200; i++) {
		uint8_t clear[512], sealed[512];
		size_t len = voice_speak(&v, clear);

		clear[1] = 97;
		memcpy(sealed, clear, len);
		if (i < 96)
			len = sender_rtp(&unknown, v.index - 1, (struct bytes){ clear, len }, sealed);
		scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, len }, false);
		s->now += 20 * MS;
	}
	scene_end(s);
	assert_int_equal(clear_count(s), 200);
	assert_int_equal(sealed_count(s, SEAL_NO_KEY), 96);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(s->out[i].packet.fate, s->out[i].packet.index <= 96 ? MEDIA_SEALED : MEDIA_CLEAR);
}

static void header_csrcs_extension_and_padding_are_no_media(void **state)
{
	static const uint8_t packets[][40] = {
		/* a CSRC, an extension of one word, three octets of padding */
		{ 0xb1, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 'c', 's', 'r', 'c', 0xbe, 0xde, 0, 1, 'e', 'x', 't', 0, 'm',
			'e', 'd', 'i', 'a', 0, 0, 3 },
		{ 0xa0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4 },          /* padding alone */
		{ 0xa0, 0, 0, 11, 0, 0, 0, 3, 0, 0, 0, 1, 'o', 'd', 'd', 0xff }, /* padding that cannot be */
	};
	static const size_t lengths[] = { 32, 16, 16 };
	static const char *const media[] = { "media", "", "odd\xff" };
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 9);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (size_t i = 0; i < 3; i++) {
		uint8_t sealed[128];
		size_t len = sender_rtp(&key, 9 + i, (struct bytes){ packets[i], lengths[i] }, sealed);

		scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, len }, false);
		assert_int_equal(s->out[i].packet.clear.len, lengths[i]);
		assert_memory_equal(s->out[i].clear, packets[i], lengths[i]);
		assert_int_equal(s->out[i].packet.media.len, strlen(media[i]));
		assert_memory_equal(s->out[i].media, media[i], strlen(media[i]));
	}
}

static void digits_between_clear_speech_are_clear(void **state)
{
	struct scene *s = *state;
	struct voice v = scene_alice(1, 1);

	scene_call(s, "RTP/AVP");
	for (int i = 0; i < 60; i++) {
		uint8_t packet[512];

		if (i < 20 || i >= 35) {
			scene_speak(s, &v, NULL);
			continue;
		}
		voice_speak(&v, packet);
		packet[1] = 101;
		put_be32(packet + 12, 5u << 24 | 10u << 16 | (uint32_t)(i - 19) * 160);
		scene_send(s, &v.src, &v.dst, (struct bytes){ packet, 16 }, false);
		s->now += 20 * MS;
	}
	assert_int_equal(clear_count(s), 60);
	assert_string_equal(s->out[25].packet.codec, "telephone-event");
	assert_int_equal(s->out[25].packet.media.len, 4);
}

static void the_reason_of_a_sealed_stream_is_told(void **state)
{
	enum { WRONG_KEY, DTLS, DTLS_SEEN, UNSUPPORTED, UNANSWERED, NOTHING, ANOTHER_WAY, FROM_FILE, CASES };
	static const enum seal_reason reasons[CASES] = { SEAL_AUTH_FAILED, SEAL_DTLS_SRTP, SEAL_DTLS_SRTP,
		SEAL_SUITE_UNSUPPORTED, SEAL_SETUP_NOT_SEEN, SEAL_NO_KEY, SEAL_NO_KEY, SEAL_NO_KEY };

	(void)state;
	for (int c = 0; c < CASES; c++) {
		struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1),
				wrong = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
		struct voice v = scene_alice(1, 500);
		struct place place;
		struct scene s;

		scene_open(&s, NULL);
		scene_cover(&s, 1, 7, INT64_MIN + 1, NSEC_EVER);
		place = scene_place(&s, 1, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
		place.dtls = c == DTLS;
		place.unsupported = c == UNSUPPORTED;
		place.answered = c != UNANSWERED;
		scene_say_place(&s, &place);
		if (c == FROM_FILE)
			wrong.source = KEY_FILE;
		if (c == WRONG_KEY || c == ANOTHER_WAY || c == FROM_FILE)
			scene_give(&s, 1, &wrong, c == ANOTHER_WAY ? TOWARD_CALLER : TOWARD_CALLEE);
		if (c == DTLS_SEEN)
			scene_send(&s, &v.src, &v.dst, bytes_of("\x16\xfe\xff client hello"), false);
		for (int i = 0; i < 40; i++)
			scene_speak(&s, &v, &key);
		assert_int_equal(sealed_count(&s, SEAL_REASONS), 0); /* it waits for a key */
		scene_hang_up(&s, 1);
		scene_wait(&s, 33 * NSEC_PER_SEC);
		assert_int_equal(sealed_count(&s, reasons[c]), 40);
		assert_int_equal(clear_count(&s), 0);
		scene_close(&s);
	}
}

static void what_the_capture_cut_is_never_opened_nor_called_clear(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 500), w = scene_alice(2, 40000);
	uint8_t clear[512], sealed[512];

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 40; i++) {
		size_t len = voice_speak(&w, clear);

		scene_speak(s, &v, &key);
		len = sender_rtp(&key, v.index, (struct bytes){ clear, voice_speak(&v, clear) }, sealed);
		scene_send(s, &v.src, &v.dst, (struct bytes){ sealed, len }, true);
		len = voice_speak(&w, clear);
		scene_send(s, &w.dst, &w.src, (struct bytes){ clear, len }, true);
	}
	scene_end(s);
	assert_int_equal(clear_count(s), 40);
	assert_int_equal(sealed_count(s, SEAL_TRUNCATED), 80);
}

static void after_the_call_known_streams_linger_and_new_ones_do_not(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 500), w = scene_alice(2, 1), x = scene_alice(3, 1);
	struct datagram d = { .proto = IP_PROTO_UDP, .flow = { v.src, v.dst } };

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	scene_speak(s, &v, &key);
	scene_hang_up(s, 1);
	scene_wait(s, 400 * MS);
	scene_speak(s, &w, &key);
	scene_wait(s, 200 * MS);
	scene_speak(s, &x, &key);
	assert_int_equal(clear_count(s), 2);
	scene_wait(s, 30 * NSEC_PER_SEC);
	scene_speak(s, &v, &key);
	scene_speak(s, &w, &key);
	assert_int_equal(clear_count(s), 4);
	/* what a key still opens is of the call, whoever sent the BYE; then it is over */
	scene_wait(s, 30 * NSEC_PER_SEC);
	scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 5);
	scene_wait(s, 33 * NSEC_PER_SEC);
	assert_false(media_wants(s->media, &d));
	scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 5);
}

static void speak_clear(struct scene *s, struct voice *v, int packets)
{
	uint8_t octets[512];

	for (int i = 0; i < packets; i++) {
		size_t len = voice_speak(v, octets);

		scene_send(s, &v->src, &v->dst, (struct bytes){ octets, len }, false);
	}
}

static size_t count_of(const struct scene *s, uint32_t ssrc)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->out[i].packet.ssrc == ssrc;
	return n;
}

/* The BYE was not seen, and a relay gives the port to a call of others. */
static void after_silence_a_stranger_at_the_port_is_not_of_the_call(void **state)
{
	struct scene *s = *state;
	struct voice v = scene_alice(1, 500), again = scene_alice(2, 900), stranger = scene_alice(3, 9000);

	stranger.src = at_addr("203.0.113.9:7000");
	scene_call(s, "RTP/AVP");
	speak_clear(s, &v, 40);
	scene_wait(s, 61 * NSEC_PER_SEC);
	speak_clear(s, &stranger, 40);
	speak_clear(s, &again, 40); /* from where SDP said, as after a hold */
	scene_end(s);
	assert_int_equal(count_of(s, 1), 40);
	assert_int_equal(count_of(s, 3), 0);
	assert_int_equal(count_of(s, 2), 40);
}

static void a_port_used_again_belongs_to_the_next_call(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), next = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 500), w = scene_alice(1, 9000);

	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, &key);
	scene_cover(s, 2, 8, INT64_MIN + 1, NSEC_EVER);
	scene_place(s, 2, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
	scene_give(s, 2, &next, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, &key); /* the old call goes on until it ends */
	scene_hang_up(s, 1);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &w, &next); /* the same SSRC, from the same address */
	assert_int_equal(clear_count(s), 30);
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(s->out[i].packet.call, i < 20 ? 1 : 2);
		assert_int_equal(s->out[i].warrants[0], i < 20 ? 7 : 8);
		assert_int_equal(s->out[i].packet.stream, 1);
	}
	/* and when the newer one is forgotten, the address is nobody's */
	scene_hang_up(s, 2);
	scene_wait(s, 40 * NSEC_PER_SEC);
	assert_false(scene_send(s, &v.src, &v.dst, bytes_of("x"), false));
}

/* The next call's offer names where its caller hears; its answer, that it has the ports of one that ended just now, is still on its way. */
static void the_next_call_at_ports_of_one_that_is_over_loses_nothing(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), next = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 500), w = scene_alice(2, 9000), stranger = scene_alice(3, 70);
	struct datagram d = { .proto = IP_PROTO_UDP, .flow = { v.src, v.dst } };

	w.src = at_addr("192.0.2.3:4000");
	stranger.src = at_addr("192.0.2.4:4000");
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, &key);
	d.at = s->now;
	assert_true(media_wants(s->media, &d) && !media_wants_late(s->media, &d));
	scene_hang_up(s, 1);
	scene_wait(s, 3 * NSEC_PER_SEC);
	assert_true(media_wants(s->media, &d) && media_wants_late(s->media, &d));
	scene_speak(s, &stranger, &next); /* of neither: late to the first, and not from a place of the second */
	scene_cover(s, 2, 8, INT64_MIN + 1, NSEC_EVER);
	scene_place(s, 2, "192.0.2.3:4000", "RTP/SAVP", TOWARD_CALLER);
	scene_give(s, 2, &next, TOWARD_CALLEE);
	d.flow.src = w.src;
	assert_true(media_wants(s->media, &d) && !media_wants_late(s->media, &d));
	for (int i = 0; i < 5; i++)
		scene_speak(s, &w, &next);
	scene_place(s, 2, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
	for (int i = 0; i < 5; i++)
		scene_speak(s, &w, &next);
	scene_end(s);
	assert_int_equal(clear_count(s), 20);
	assert_int_equal(count_of(s, 2), 10);
	for (size_t i = 0; i < s->count; i++)
		assert_true(s->out[i].packet.ssrc != 2 || (s->out[i].packet.call == 2 && s->out[i].warrants[0] == 8));
}

static void who_takes_a_packet_is_judged_by_its_own_time(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 65500);

	scene_call(s, "RTP/SAVP");
	scene_cover(s, 1, 3, SCENE_T0 + 10 * 20 * MS, SCENE_T0 + 60 * 20 * MS);
	for (int i = 0; i < 100; i++) {
		if (i == 80)
			scene_give(s, 1, &key, TOWARD_CALLEE); /* what was held goes by its own time too */
		scene_speak(s, &v, &key);
	}
	scene_end(s);
	assert_int_equal(s->count, 50);
	assert_int_equal(clear_count(s), 50);
	assert_int_equal(s->out[0].packet.at, SCENE_T0 + 10 * 20 * MS);
	assert_int_equal(s->out[49].packet.at, SCENE_T0 + 59 * 20 * MS);
	assert_int_equal(s->out[0].warrants[0], 3);
}

/* The KMS has refused before the front hears where the callee is; the caller spoke at once. Without that place nothing shows whose it is. */
static void what_was_said_before_the_refusal_to_a_place_that_is_said_after_it_is_sealed(void **state)
{
	struct scene *s = *state;
	struct srtp_key unknown = scene_key(AES_CM_128_HMAC_SHA1_80, 3);
	struct voice v = scene_alice(1, 500), nobody = scene_alice(2, 500);
	struct place caller, callee;

	nobody.dst.port += 100;
	scene_cover(s, 1, 7, INT64_MIN + 1, NSEC_EVER);
	caller = scene_place(s, 1, "192.0.2.1:4000", "RTP/SAVP", TOWARD_CALLER);
	caller.waiting = true;
	scene_say_place(s, &caller);
	scene_speak(s, &v, &unknown);
	scene_speak(s, &v, &unknown);
	scene_speak(s, &nobody, &unknown);
	caller.waiting = false;
	caller.refusal = SEAL_KMS_NO_AGREEMENT;
	scene_say_place(s, &caller);
	callee = scene_place(s, 1, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
	callee.refusal = SEAL_KMS_NO_AGREEMENT;
	scene_say_place(s, &callee);
	scene_end(s);
	assert_int_equal(sealed_count(s, SEAL_KMS_NO_AGREEMENT), 2);
	assert_int_equal(s->count, 2);
	assert_int_equal(s->out[0].packet.toward, TOWARD_CALLEE);
	assert_false(s->out[0].packet.learned);
}

static void a_cover_said_anew_replaces_the_one_before(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 1);

	scene_call(s, "RTP/SAVP");
	for (int i = 0; i < 10; i++)
		scene_speak(s, &v, &key);
	scene_cover(s, 1, 9, SCENE_T0 + 5 * 20 * MS, NSEC_EVER);
	scene_give(s, 1, &key, TOWARD_CALLEE);
	assert_int_equal(s->count, 5);
	assert_int_equal(s->out[0].warrants[0], 9);
}

/* S60 */
static void from_a_known_source_to_nowhere_known_only_what_proves_itself_counts(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1), unknown = scene_key(AES_CM_128_HMAC_SHA1_80, 2);
	struct voice v = scene_alice(1, 1), w = scene_alice(2, 1), x = scene_alice(3, 1);

	v.dst = at_addr("198.51.100.7:30000");
	w.dst = at_addr("198.51.100.8:30000");
	x.dst = at_addr("198.51.100.9:30000");
	scene_call(s, "RTP/SAVP");
	scene_give(s, 1, &key, TOWARD_CALLEE);
	for (int i = 0; i < 50; i++) {
		scene_speak(s, &v, &key);
		scene_speak(s, &w, &unknown);
		scene_speak(s, &x, NULL);
		scene_send(s, &v.src, &v.dst, bytes_of("\x01\x01 a binding request"), false);
	}
	scene_end(s);
	assert_int_equal(scene_counter(s, "learned"), 2);
	assert_int_equal(clear_count(s), 100);
	assert_int_equal(s->count, 100); /* neither the sealed ones nor the STUN */
	assert_int_equal(s->out[0].packet.toward, TOWARD_CALLEE);
}

static void what_is_neither_rtp_nor_rtcp_is_delivered_as_it_came(void **state)
{
	struct scene *s = *state;
	struct voice v = scene_alice(1, 1);
	static const uint8_t stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	static const uint8_t cut[12] = { 0x8f, 0, 0, 1 }; /* fifteen CSRCs that are not there */

	scene_call(s, "RTP/AVP");
	scene_send(s, &v.src, &v.dst, (struct bytes){ stun, sizeof(stun) }, false);
	scene_send(s, &v.src, &v.dst, (struct bytes){ cut, sizeof(cut) }, false);
	scene_send(s, &v.src, &v.dst, (struct bytes){ stun, 0 }, false);
	assert_int_equal(scene_count(s, MEDIA_NEITHER, MEDIA_BROKEN, SEAL_NONE), 3);
	assert_int_equal(scene_counter(s, "not_rtp"), 3);
	assert_int_equal(s->out[0].packet.payload.len, sizeof(stun));
	assert_int_equal(s->out[0].packet.stream, 0);
}

static void the_hold_is_bounded_and_its_oldest_packets_are_sealed_first(void **state)
{
	struct media_options o = { .hold_octets = 100000 };
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 1);
	struct scene s;
	size_t sealed;

	(void)state;
	scene_open(&s, &o);
	scene_call(&s, "RTP/SAVP");
	for (int i = 0; i < 1000; i++)
		scene_speak(&s, &v, &key);
	sealed = s.count;
	assert_in_range(1000 - sealed, 50, 100000 / 214); /* a packet takes more than its own octets */
	assert_int_equal(sealed_count(&s, SEAL_NO_KEY), sealed);
	scene_give(&s, 1, &key, TOWARD_CALLEE);
	assert_int_equal(clear_count(&s), 1000 - sealed);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(s.out[i].packet.index, i + 1);
	scene_close(&s);
}

static void a_hold_time_ends_the_wait(void **state)
{
	struct media_options o = { .hold_time = 2 * NSEC_PER_SEC };
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 1);
	struct scene s;

	(void)state;
	scene_open(&s, &o);
	scene_call(&s, "RTP/SAVP");
	for (int i = 0; i < 50; i++)
		scene_speak(&s, &v, &key);
	assert_int_equal(s.count, 0);
	scene_wait(&s, 3 * NSEC_PER_SEC);
	assert_int_equal(sealed_count(&s, SEAL_NO_KEY), 50);
	scene_close(&s);
}

static void keys_from_a_file_go_last_and_where_they_belong(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 1), w = scene_alice(2, 1);
	struct step *step = calloc(1, sizeof(*step));

	key.source = KEY_FILE;
	scene_call(s, "RTP/SAVP");
	*step = (struct step){ .kind = STEP_KEY, .call = 1 };
	step->key = (struct key_given){ .call = 1, .line = UINT32_MAX, .ssrc_set = true, .ssrc = 2, .key = key };
	step->key.dst = at_addr("192.0.2.2");
	media_step(s->media, step);
	free(step);
	for (int i = 0; i < 30; i++) {
		scene_speak(s, &v, &key);
		scene_speak(s, &w, &key);
	}
	assert_int_equal(clear_count(s), 30);
	assert_int_equal(s->out[0].packet.ssrc, 2);
	assert_int_equal(s->out[0].packet.source, KEY_FILE);
}

static void a_new_key_among_many_wrong_ones_is_found(void **state)
{
	struct scene *s = *state;
	struct voice v = scene_alice(1, 1);
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 200);

	scene_call(s, "RTP/SAVP");
	for (uint8_t i = 1; i < 60; i++) {
		struct srtp_key wrong = scene_key(i % 2 ? AES_CM_128_HMAC_SHA1_80 : AEAD_AES_128_GCM, i);

		scene_give(s, 1, &wrong, TOWARD_UNKNOWN);
	}
	scene_speak(s, &v, &key);
	scene_give(s, 1, &key, TOWARD_CALLER); /* as a confused proxy may say */
	scene_speak(s, &v, &key);
	assert_int_equal(clear_count(s), 2);
}

/* Calls begin and end in any order; what is wanted is always what is open. */
static void places_come_and_go(void **state)
{
	enum { CALLS = 600 };
	struct scene *s = *state;
	static bool open[CALLS];
	uint32_t random = 7;

	memset(open, 0, sizeof(open));
	for (int round = 0; round < 3000; round++) {
		uint32_t i;
		struct addr a = at_addr("203.0.113.0:6000");

		random = random * 1664525 + 1013904223;
		i = (random >> 8) % CALLS;
		a.port = (uint16_t)(6000 + 2 * i);
		if (!open[i]) {
			char text[ADDR_TEXT];

			scene_cover(s, 1000 + i, 1, 0, NSEC_EVER);
			scene_place(s, 1000 + i, addr_text(&a, text), "RTP/AVP", TOWARD_CALLEE);
		} else {
			scene_hang_up(s, 1000 + i);
			scene_wait(s, 33 * NSEC_PER_SEC);
		}
		open[i] = !open[i];
		for (uint32_t j = 0; round % 100 == 0 && j < CALLS; j++) {
			struct datagram d = { .proto = IP_PROTO_UDP, .flow = { at_addr("192.0.2.9:1"), a } };

			d.flow.dst.port = (uint16_t)(6000 + 2 * j);
			assert_int_equal(media_wants(s->media, &d), open[j]);
			d.flow.dst.port++;
			assert_int_equal(media_wants(s->media, &d), open[j]);
		}
	}
}

static void the_same_voice_on_two_legs_is_two_streams(void **state)
{
	struct scene *s = *state;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 1);
	struct voice v = scene_alice(1, 65500), w = v;

	scene_call(s, "RTP/SAVP");
	w.src = at_addr("192.0.2.2:5000");
	w.dst = at_addr("192.0.2.1:4000");
	scene_give(s, 1, &key, TOWARD_UNKNOWN);
	for (int i = 0; i < 100; i++) {
		scene_speak(s, &v, &key);
		scene_speak(s, &w, &key);
	}
	assert_int_equal(clear_count(s), 200);
	assert_int_equal(s->out[0].packet.stream, 1);
	assert_int_equal(s->out[1].packet.stream, 2);
}

int main(void)
{
#define SCENE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_comes_out_clear_and_in_order),
		SCENE(what_is_of_no_call_is_not_wanted),
		SCENE(a_packet_before_its_key_is_held_then_opened),
		cmocka_unit_test(a_late_join_after_three_wraps_finds_its_roll_over),
		SCENE(a_stream_whose_packets_before_the_wrap_were_lost_opens),
		SCENE(a_straggler_from_before_the_wrap_opens_too),
		SCENE(a_rekey_counts_once_and_old_packets_still_open),
		SCENE(a_sender_that_begins_anew_with_its_new_key_is_followed),
		SCENE(a_packet_three_hundred_positions_late_opens),
		SCENE(what_a_mirror_shows_twice_is_counted_and_disturbs_nothing),
		SCENE(the_same_place_with_other_octets_is_no_copy),
		SCENE(a_flood_of_forged_ssrcs_is_counted_and_makes_no_stream),
		SCENE(a_new_ssrc_that_authenticates_amid_a_flood_is_a_stream),
		SCENE(a_key_never_signalled_is_no_forgery_when_its_packets_cross_the_last_of_another),
		SCENE(an_unknown_key_in_mid_call_seals_from_there_on),
		SCENE(ciphertext_before_clear_speech_stays_sealed),
		SCENE(header_csrcs_extension_and_padding_are_no_media),
		SCENE(places_come_and_go),
		SCENE(a_damaged_packet_is_sealed_and_its_stream_goes_on),
		SCENE(an_mki_selects_the_key_and_an_unknown_one_stays_sealed),
		SCENE(an_mki_that_was_announced_and_is_not_sent_does_no_harm),
		SCENE(unencrypted_srtp_is_verified_and_clear),
		SCENE(without_a_tag_the_framing_decides),
		SCENE(rtcp_opens_with_the_e_bit_on_or_off_with_gaps_and_twice),
		SCENE(muxed_rtcp_is_rtcp_and_without_keys_only_whole_reports_are_clear),
		cmocka_unit_test(clear_media_is_believed_by_its_framing_whatever_the_profile),
		cmocka_unit_test(ciphertext_is_never_clear_whatever_the_profile),
		cmocka_unit_test(a_clear_stream_that_begins_to_encrypt_is_sealed_or_opened_from_there),
		SCENE(an_open_stream_that_goes_on_in_clear_is_clear),
		SCENE(digits_between_clear_speech_are_clear),
		cmocka_unit_test(the_reason_of_a_sealed_stream_is_told),
		SCENE(what_the_capture_cut_is_never_opened_nor_called_clear),
		SCENE(after_the_call_known_streams_linger_and_new_ones_do_not),
		SCENE(after_silence_a_stranger_at_the_port_is_not_of_the_call),
		SCENE(a_port_used_again_belongs_to_the_next_call),
		SCENE(the_next_call_at_ports_of_one_that_is_over_loses_nothing),
		SCENE(who_takes_a_packet_is_judged_by_its_own_time),
		SCENE(what_was_said_before_the_refusal_to_a_place_that_is_said_after_it_is_sealed),
		SCENE(a_cover_said_anew_replaces_the_one_before),
		SCENE(from_a_known_source_to_nowhere_known_only_what_proves_itself_counts),
		SCENE(what_is_neither_rtp_nor_rtcp_is_delivered_as_it_came),
		cmocka_unit_test(the_hold_is_bounded_and_its_oldest_packets_are_sealed_first),
		cmocka_unit_test(a_hold_time_ends_the_wait),
		SCENE(keys_from_a_file_go_last_and_where_they_belong),
		SCENE(a_new_key_among_many_wrong_ones_is_found),
		SCENE(the_same_voice_on_two_legs_is_two_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
