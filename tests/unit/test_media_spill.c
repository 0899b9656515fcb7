/* media: packets that wait for a key beyond what memory may hold, kept elsewhere and asked back. The tests are where they are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/media_scene.h"

#define KEPT_MAX 20000
#define SMALL    ((size_t)64 << 10)

/* Where packets are kept: those that went out as MEDIA_HELD, in their order. */
struct keeper {
	struct scene s;
	size_t looked; /* of what came out */
	size_t kept[KEPT_MAX], count, back;
	struct place places[2];
	struct voice alice, bob, said;
	struct srtp_key key;
};

static void look(struct keeper *k)
{
	for (; k->looked < k->s.count; k->looked++)
		if (k->s.out[k->looked].packet.fate == MEDIA_HELD)
			k->kept[k->count++] = k->looked;
}

static struct keeper *begin(const struct media_options *o, bool waiting)
{
	struct keeper *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	scene_open(&k->s, o);
	scene_cover(&k->s, 1, 7, INT64_MIN + 1, NSEC_EVER);
	k->places[0] = scene_place(&k->s, 1, "192.0.2.1:4000", "RTP/SAVP", TOWARD_CALLER);
	k->places[1] = scene_place(&k->s, 1, "192.0.2.2:5000", "RTP/SAVP", TOWARD_CALLEE);
	for (int i = 0; i < 2; i++) {
		k->places[i].waiting = waiting;
		scene_say_place(&k->s, &k->places[i]);
	}
	k->key = scene_key(AES_CM_128_HMAC_SHA1_80, 9);
	k->alice = k->said = scene_alice(0xa11ce, 65000);
	k->bob = (struct voice){ .ssrc = 0xb0b, .index = 10, .src = k->alice.dst, .dst = k->alice.src };
	return k;
}

static struct media_options small_hold(void)
{
	return (struct media_options){ .hold_octets = SMALL, .spill = true };
}

static void end(struct keeper *k)
{
	scene_close(&k->s);
	free(k);
}

static void speak(struct keeper *k, int packets)
{
	for (int i = 0; i < packets; i++)
		scene_speak(&k->s, &k->alice, &k->key);
	look(k);
}

static void collect(struct keeper *k)
{
	scene_wait(&k->s, 0);
	look(k);
}

static void answer(struct keeper *k, enum seal_reason refusal)
{
	if (refusal == SEAL_NONE)
		scene_give(&k->s, 1, &k->key, TOWARD_UNKNOWN);
	for (int i = 0; i < 2; i++) {
		k->places[i].waiting = false;
		k->places[i].refusal = refusal;
		scene_say_place(&k->s, &k->places[i]);
	}
	look(k);
}

/* One packet that is kept comes back; the others wait. */
static void give_back_one(struct keeper *k)
{
	const struct got *g = &k->s.out[k->kept[k->back++]];
	uint8_t packet[2048] = { 0x45 };
	struct datagram d = {
		.at = g->packet.at,
		.proto = IP_PROTO_UDP,
		.truncated = g->packet.reason == SEAL_TRUNCATED,
		.flow = g->packet.flow,
		.packet = { packet, 28 + g->packet.clear.len },
		.payload = { packet + 28, g->packet.clear.len },
	};

	memcpy(packet + 28, g->clear, g->packet.clear.len);
	media_held(k->s.media, 1, &d);
	collect(k);
}

static bool is_wanted(struct keeper *k)
{
	uint32_t call = 0;
	bool wanted = media_held_wanted(k->s.media, &call);

	assert_true(!wanted || call == 1);
	return wanted;
}

static void give_back(struct keeper *k)
{
	size_t there = k->count;

	while (k->back < there)
		give_back_one(k);
	media_held_end(k->s.media, 1);
	collect(k);
}

/* What is no longer held, in the order in which it came out: every packet of the voice once, from its first on. */
static void all_are_out(const struct keeper *k, uint32_t ssrc, uint64_t first, size_t packets, enum media_fate fate)
{
	uint64_t next = first;

	for (size_t i = 0; i < k->s.count; i++) {
		const struct media_packet *p = &k->s.out[i].packet;

		if (p->sort != MEDIA_RTP || p->ssrc != ssrc || p->fate == MEDIA_HELD)
			continue;
		assert_int_equal(p->fate, fate);
		assert_int_equal(p->index, next);
		next++;
	}
	assert_int_equal(next - first, packets);
}

static size_t count_of(const struct keeper *k, enum media_fate fate, enum seal_reason reason)
{
	return scene_count(&k->s, MEDIA_RTP, fate, reason);
}

static void what_is_beyond_the_hold_goes_elsewhere_and_comes_back_in_order(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);
	size_t held;

	(void)state;
	speak(k, 1000); /* across a roll-over */
	held = 1000 - k->count;
	assert_true(
		held > 10 && held < 200 && k->s.count == k->count); /* nothing came out but what is kept elsewhere */
	assert_true(scene_counter(&k->s, "held_octets") <= SMALL && scene_counter(&k->s, "held_octets") > SMALL / 2);
	assert_int_equal(scene_counter(&k->s, "held_elsewhere"), k->count);
	assert_false(is_wanted(k));
	answer(k, SEAL_NONE);
	assert_int_equal(count_of(k, MEDIA_CLEAR, SEAL_REASONS), held); /* what is in memory first */
	assert_true(is_wanted(k));
	assert_false(is_wanted(k)); /* once */
	speak(k, 3);
	assert_int_equal(count_of(k, MEDIA_CLEAR, SEAL_REASONS), held); /* behind those that come back */
	give_back(k);
	all_are_out(k, k->alice.ssrc, 65000, 1003, MEDIA_CLEAR);
	assert_false(is_wanted(k));
	assert_int_equal(scene_counter(&k->s, "held_octets"), 0);
	speak(k, 5);
	all_are_out(k, k->alice.ssrc, 65000, 1008, MEDIA_CLEAR); /* at once again */
	assert_int_equal(scene_counter(&k->s, "rtp"), 1008);
	end(k);
}

/* Whoever keeps them may end a round with those that it had when it was asked, or with the last that it has. */
static void the_way_back_ends(bool last_it_has)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);
	int rounds = 0;

	speak(k, 600);
	answer(k, SEAL_NONE);
	while (is_wanted(k)) {
		size_t there = k->count;

		assert_true(++rounds < 8);
		if (rounds == 1)
			speak(k, 400); /* more than memory holds, before the first one is back */
		assert_true(scene_counter(&k->s, "held_octets") <= SMALL);
		while (k->back < (last_it_has ? k->count : there)) {
			give_back_one(k);
			if (k->back % 20 == 0)
				speak(k, 1);
		}
		media_held_end(k->s.media, 1);
		collect(k);
	}
	assert_true(rounds >= (last_it_has ? 1 : 2));
	assert_int_equal(k->back, k->count);
	all_are_out(k, k->alice.ssrc, 65000, k->alice.index - 65000, MEDIA_CLEAR);
	end(k);
}

static void packets_that_come_during_a_long_way_back_go_elsewhere_too_and_it_ends(void **state)
{
	(void)state;
	the_way_back_ends(false);
	the_way_back_ends(true);
}

static void when_the_key_is_refused_all_of_it_is_sealed_in_order(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);

	(void)state;
	speak(k, 300);
	answer(k, SEAL_KMS_REFUSED);
	assert_true(is_wanted(k));
	give_back(k);
	scene_hang_up(&k->s, 1);
	scene_wait(&k->s, 40 * NSEC_PER_SEC);
	all_are_out(k, k->alice.ssrc, 65000, 300, MEDIA_SEALED);
	assert_int_equal(count_of(k, MEDIA_SEALED, SEAL_KMS_REFUSED), 300);
	end(k);
}

static void when_the_hold_time_is_over_they_are_wanted_back_and_sealed(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k;

	(void)state;
	o.hold_time = 30 * NSEC_PER_SEC;
	k = begin(&o, true);
	speak(k, 300); /* 6 s */
	scene_wait(&k->s, 25 * NSEC_PER_SEC);
	assert_false(is_wanted(k));
	scene_wait(&k->s, 15 * NSEC_PER_SEC);
	assert_true(is_wanted(k));
	give_back(k);
	scene_wait(&k->s, NSEC_PER_SEC);
	all_are_out(k, k->alice.ssrc, 65000, 300, MEDIA_SEALED);
	assert_int_equal(count_of(k, MEDIA_SEALED, SEAL_KMS_UNREACHABLE), 300);
	assert_false(is_wanted(k));
	end(k);
}

/* Some are too old and the call still waits: of those that may yet be opened memory holds what it can, in front of those that follow. */
static void those_within_the_hold_time_go_on_waiting_in_order(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k;
	size_t sealed, clear = 0;
	uint64_t next = 65000;

	(void)state;
	o.hold_time = 10 * NSEC_PER_SEC;
	k = begin(&o, true);
	for (int i = 0; i < 900; i++) {
		speak(k, 1);
		if (is_wanted(k)) {
			size_t there = k->count;

			speak(k, 2);
			while (k->back < there)
				give_back_one(k);
			media_held_end(k->s.media, 1);
			collect(k);
		}
	}
	answer(k, SEAL_NONE);
	while (is_wanted(k))
		give_back(k);
	for (size_t i = 0; i < k->s.count; i++)
		if (k->s.out[i].packet.fate != MEDIA_HELD) {
			assert_int_equal(k->s.out[i].packet.index, next++);
			clear += k->s.out[i].packet.fate == MEDIA_CLEAR;
		}
	assert_int_equal(next, k->alice.index);
	sealed = count_of(k, MEDIA_SEALED, SEAL_KMS_UNREACHABLE);
	assert_int_equal(sealed + clear, k->alice.index - 65000);
	assert_true(sealed > 300 && clear > 100);
	end(k);
}

static void a_call_that_ends_while_it_waits_has_them_back_after_three_minutes(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);

	(void)state;
	speak(k, 300);
	scene_hang_up(&k->s, 1);
	scene_wait(&k->s, 170 * NSEC_PER_SEC);
	assert_false(is_wanted(k));
	scene_wait(&k->s, 15 * NSEC_PER_SEC);
	assert_true(is_wanted(k));
	scene_wait(&k->s, NSEC_PER_SEC);
	give_back(k);
	scene_wait(&k->s, NSEC_PER_SEC);
	scene_wait(&k->s, NSEC_PER_SEC);
	all_are_out(k, k->alice.ssrc, 65000, 300, MEDIA_SEALED);
	assert_int_equal(count_of(k, MEDIA_SEALED, SEAL_KMS_UNREACHABLE), 300);
	end(k);
}

static void a_key_that_comes_after_the_call_opens_all_of_it(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);

	(void)state;
	speak(k, 300);
	scene_hang_up(&k->s, 1);
	scene_wait(&k->s, 100 * NSEC_PER_SEC);
	answer(k, SEAL_NONE);
	scene_wait(&k->s, NSEC_PER_SEC);
	assert_true(is_wanted(k));
	scene_wait(&k->s, 20 * NSEC_PER_SEC);
	give_back(k);
	all_are_out(k, k->alice.ssrc, 65000, 300, MEDIA_CLEAR);
	end(k);
}

static void who_keeps_them_and_is_gone_is_not_waited_for_for_ever(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);
	size_t held;

	(void)state;
	speak(k, 300);
	held = 300 - k->count;
	answer(k, SEAL_NONE);
	assert_true(is_wanted(k));
	speak(k, 10);
	scene_wait(&k->s, 61 * NSEC_PER_SEC);
	assert_int_equal(count_of(k, MEDIA_CLEAR, SEAL_REASONS), held + 10);
	speak(k, 1);
	assert_int_equal(count_of(k, MEDIA_CLEAR, SEAL_REASONS), held + 11);
	assert_false(is_wanted(k));
	end(k);
}

static void a_call_that_does_not_wait_is_bounded_as_ever(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, false);

	(void)state;
	speak(k, 300);
	assert_int_equal(k->count, 0);
	assert_true(count_of(k, MEDIA_SEALED, SEAL_REASONS) > 100);
	end(k);
}

/* A voice in clear beside one that waits, and one whose key is known: neither goes elsewhere. */
static void what_can_be_decided_at_once_goes_out_at_once(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true);
	struct srtp_key known = scene_key(AEAD_AES_128_GCM, 2);

	(void)state;
	scene_give(&k->s, 1, &known, TOWARD_CALLER);
	for (int i = 0; i < 300; i++) {
		scene_speak(&k->s, &k->alice, &k->key);
		scene_speak(&k->s, &k->bob, &known);
	}
	look(k);
	assert_true(k->count > 100);
	all_are_out(k, k->bob.ssrc, 10, 300, MEDIA_CLEAR);
	end(k);
}

static void send(struct keeper *k, const struct voice *v, struct bytes payload, bool truncated)
{
	scene_send(&k->s, &v->src, &v->dst, payload, truncated);
	look(k);
}

/* Two voices, reports, copies, a cut packet and packets out of order. */
static void speak_of_all_kinds(struct keeper *k, int packets)
{
	struct voice *voices[] = { &k->alice, &k->bob };
	uint8_t before[2][1024];
	size_t before_len[2] = { 0, 0 };

	for (int i = 0; i < packets; i++)
		for (int v = 0; v < 2; v++) {
			uint8_t clear[512], sealed[1024], report[28] = { 0x80, 200, 0, 6 };
			uint64_t index = voices[v]->index;
			size_t len = sender_rtp(
				&k->key, index, (struct bytes){ clear, voice_speak(voices[v], clear) }, sealed);
			struct addr src = voices[v]->src, dst = voices[v]->dst;

			if (i % 7 == 3) { /* swapped with the next one */
				memcpy(before[v], sealed, len);
				before_len[v] = len;
			} else {
				send(k, voices[v], (struct bytes){ sealed, len }, false);
			}
			if (i % 7 == 4)
				send(k, voices[v], (struct bytes){ before[v], before_len[v] }, false);
			if (i % 11 == 5)
				send(k, voices[v], (struct bytes){ sealed, len }, false); /* a copy */
			if (i % 50 == 20) {
				size_t cut = voice_speak(voices[v], clear);

				cut = sender_rtp(&k->key, voices[v]->index - 1, (struct bytes){ clear, cut }, sealed);
				send(k, voices[v], (struct bytes){ sealed, cut - 60 }, true);
			}
			if (i % 40 == 10) {
				put_be32(report + 4, voices[v]->ssrc);
				put_be32(report + 16, (uint32_t)i);
				len = sender_rtcp(&k->key, (uint32_t)i, true, (struct bytes){ report, 28 }, sealed);
				src.port++;
				dst.port++;
				scene_send(&k->s, &src, &dst, (struct bytes){ sealed, len }, false);
				look(k);
			}
			k->s.now += 10 * MS;
		}
}

static void streams_are_the_same(const struct scene *a, const struct scene *b, enum media_sort sort, uint32_t ssrc)
{
	size_t i = 0, j = 0, count = 0;

	for (;; i++, j++, count++) {
		while (i < a->count && (a->out[i].packet.sort != sort || a->out[i].packet.ssrc != ssrc ||
					       a->out[i].packet.fate == MEDIA_HELD))
			i++;
		while (j < b->count && (b->out[j].packet.sort != sort || b->out[j].packet.ssrc != ssrc ||
					       b->out[j].packet.fate == MEDIA_HELD))
			j++;
		if (i == a->count || j == b->count)
			break;
		assert_int_equal(a->out[i].packet.fate, b->out[j].packet.fate);
		assert_int_equal(a->out[i].packet.reason, b->out[j].packet.reason);
		assert_int_equal(a->out[i].packet.index, b->out[j].packet.index);
		assert_int_equal(a->out[i].packet.at, b->out[j].packet.at);
		assert_int_equal(a->out[i].packet.clear.len, b->out[j].packet.clear.len);
		assert_memory_equal(a->out[i].clear, b->out[j].clear, a->out[i].packet.clear.len);
	}
	assert_true(i == a->count && j == b->count);
	assert_true(count > (sort == MEDIA_RTP ? 500 : 10));
}

static void it_is_as_if_memory_had_held_them_all(void **state)
{
	struct media_options o = small_hold(), large = { .hold_octets = (size_t)64 << 20 };
	struct keeper *k = begin(&o, true), *all = begin(&large, true);

	(void)state;
	speak_of_all_kinds(k, 500);
	speak_of_all_kinds(all, 500);
	assert_true(k->count > 800);
	assert_int_equal(all->s.count, 0);
	answer(k, SEAL_NONE);
	answer(all, SEAL_NONE);
	assert_true(is_wanted(k));
	speak_of_all_kinds(k, 5);
	speak_of_all_kinds(all, 5);
	give_back(k);
	while (is_wanted(k))
		give_back(k);
	speak_of_all_kinds(k, 100);
	speak_of_all_kinds(all, 100);
	scene_end(&k->s);
	scene_end(&all->s);
	for (enum media_sort sort = MEDIA_RTP; sort <= MEDIA_RTCP; sort++) {
		streams_are_the_same(&k->s, &all->s, sort, k->alice.ssrc);
		streams_are_the_same(&k->s, &all->s, sort, k->bob.ssrc);
	}
	assert_int_equal(scene_counter(&k->s, "duplicates"), scene_counter(&all->s, "duplicates"));
	assert_int_equal(scene_counter(&k->s, "decrypted"), scene_counter(&all->s, "decrypted"));
	end(k);
	end(all);
}

/* Whoever asked for them is gone; they reach the one that follows it before it hears of their call. */
static void what_comes_back_before_its_call_is_said_waits_for_it(void **state)
{
	struct media_options o = small_hold();
	struct keeper *k = begin(&o, true), *next;

	(void)state;
	speak(k, 150);
	next = calloc(1, sizeof(*next));
	scene_open(&next->s, &o);
	next->s.now = k->s.now;
	memcpy(next->s.out, k->s.out, k->s.count * sizeof(*k->s.out));
	for (next->s.count = 0; next->s.count < k->s.count; next->s.count++) { /* they are kept where they were */
		struct got *g = &next->s.out[next->s.count];

		g->packet.clear.at = g->clear;
	}
	look(next);
	give_back(next);
	assert_int_equal(next->s.count, k->count);
	scene_cover(&next->s, 1, 7, INT64_MIN + 1, NSEC_EVER);
	scene_say_place(&next->s, &k->places[0]);
	scene_say_place(&next->s, &k->places[1]);
	scene_give(&next->s, 1, &k->key, TOWARD_UNKNOWN);
	scene_wait(&next->s, NSEC_PER_SEC);
	all_are_out(next, k->alice.ssrc, 65000 + 150 - k->count, k->count, MEDIA_CLEAR);
	end(k);
	end(next);
}

static void all_calls_together_hold_no_more_than_they_may(void **state)
{
	struct media_options o = { .hold_octets = (size_t)1 << 20, .hold_octets_all = (size_t)2 << 20, .spill = true };
	struct scene s;
	uint64_t most = 0;
	struct srtp_key key = scene_key(AES_CM_128_HMAC_SHA1_80, 9);

	(void)state;
	scene_open(&s, &o);
	for (uint32_t call = 1; call <= 8; call++) {
		char at[32];
		struct place p;

		snprintf(at, sizeof(at), "192.0.2.2:%u", 6000 + 2 * call);
		scene_cover(&s, call, 7, INT64_MIN + 1, NSEC_EVER);
		p = scene_place(&s, call, at, "RTP/SAVP", TOWARD_CALLEE);
		p.waiting = call % 2 == 0;
		scene_say_place(&s, &p);
	}
	for (int i = 0; i < 1500; i++)
		for (uint32_t call = 1; call <= 8; call++) {
			struct voice v = { .ssrc = call, .index = (uint64_t)i, .src = at_addr("192.0.2.9:7000") };

			v.dst = at_addr("192.0.2.2:6000");
			v.dst.port = (uint16_t)(6000 + 2 * call);
			v.timestamp = 160 * (uint32_t)i;
			v.src.port = (uint16_t)(7000 + call);
			scene_speak(&s, &v, &key);
			if (scene_counter(&s, "held_octets") > most)
				most = scene_counter(&s, "held_octets");
		}
	assert_true(most <= o.hold_octets_all + 4096 && most > o.hold_octets_all / 2);
	assert_true(scene_counter(&s, "held_elsewhere") > 1000);
	assert_true(scene_counter(&s, "hold_evicted") > 100);
	for (size_t i = 0; i < s.count; i++) /* what waits for a key is given up by nobody */
		assert_true((s.out[i].packet.fate == MEDIA_HELD) == (s.out[i].packet.call % 2 == 0));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_beyond_the_hold_goes_elsewhere_and_comes_back_in_order),
		cmocka_unit_test(packets_that_come_during_a_long_way_back_go_elsewhere_too_and_it_ends),
		cmocka_unit_test(when_the_key_is_refused_all_of_it_is_sealed_in_order),
		cmocka_unit_test(when_the_hold_time_is_over_they_are_wanted_back_and_sealed),
		cmocka_unit_test(those_within_the_hold_time_go_on_waiting_in_order),
		cmocka_unit_test(a_call_that_ends_while_it_waits_has_them_back_after_three_minutes),
		cmocka_unit_test(a_key_that_comes_after_the_call_opens_all_of_it),
		cmocka_unit_test(who_keeps_them_and_is_gone_is_not_waited_for_for_ever),
		cmocka_unit_test(a_call_that_does_not_wait_is_bounded_as_ever),
		cmocka_unit_test(what_can_be_decided_at_once_goes_out_at_once),
		cmocka_unit_test(it_is_as_if_memory_had_held_them_all),
		cmocka_unit_test(what_comes_back_before_its_call_is_said_waits_for_it),
		cmocka_unit_test(all_calls_together_hold_no_more_than_they_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
