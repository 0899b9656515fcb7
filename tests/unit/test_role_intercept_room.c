/*
 * role_intercept: somebody does not read, and there is no room for what is said to him: it is told again, or a gap tells of it. The role is
 * in a process of its own, confined, driven by its ports and by frames at its cable; the test is everybody else.
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

#define LARGE  8000                       /* octets of a packet of which few fill a queue */
#define SMALL  100                        /* and of one that finds the last room in it */
#define PERIOD ((nsec_t)2 * NSEC_PER_SEC) /* delivery joins gaps with less between them */

enum { TO_DELIVERY = 32 << 20, TO_OTHERS = 8 << 20, KERNEL = 1 << 20, AT_ONCE = 2 << 20 };

/* Until the role has taken in all that was sent, of frames. */
static void all_read(struct intercept_scene *s, uint64_t frames)
{
	nsec_t until = loop_now() + LONG;

	while (scene_count(s, "interface_frames", "mirror") < frames && loop_now() < until)
		;
	assert_int_equal(scene_count(s, "interface_frames", "mirror"), frames);
}

/* Nothing more is lost, and what was is told. */
static void gaps_are_told(struct intercept_scene *s)
{
	struct gap g;

	while (scene_gap(s, GAP_QUEUE, SOON, &g))
		;
}

/* Gaps of a full queue hold all of that time, as delivery joins them. */
static void gap_covers(struct intercept_scene *s, nsec_t from, nsec_t until)
{
	struct gap g;
	nsec_t reached = from;

	while (scene_gap(s, GAP_QUEUE, SOON, &g)) {
		assert_string_equal(g.where, "intercept 0");
		assert_true(g.from < reached + PERIOD);
		reached = g.until > reached ? g.until : reached;
	}
	assert_true(reached >= until);
}

/* Packets of a voice: which came, and when they were sent. */
#define VOICES 5600
struct voices {
	nsec_t sent[VOICES];
	bool came[VOICES];
};

static void speak(
	struct intercept_scene *s, struct voices *v, const struct phone_call *c, uint16_t from, uint16_t until)
{
	for (uint16_t i = from; i < until; i++) {
		v->sent[i] = scene_now();
		phone_voice(s, c, 7, i, LARGE);
	}
}

static void hear(struct intercept_scene *s, struct voices *v)
{
	struct heard_voice h;

	while (heard_voice(s, SOON, &h)) {
		assert_true(h.ssrc == 7 && h.seq < VOICES && h.warrant == WARRANT);
		v->came[h.seq] = true;
	}
}

static void while_delivery_does_not_read_a_gap_tells_of_what_found_no_room(void **state)
{
	static struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct intercept_scene *s = *state;
	static struct voices v;
	size_t lost = 0, first = VOICES, last = 0;
	struct gap g;

	assert_true((VOICES - 200) * LARGE > TO_DELIVERY + KERNEL);
	intercept_begin(s, 0, 1, false);
	say_table(s);
	phone_set_up(s, &call);
	speak(s, &v, &call, 0, 100);
	hear(s, &v);
	assert_true(v.came[99]);
	seat_deaf(s, DELIVERY, true);
	speak(s, &v, &call, 100, VOICES - 100);
	scene_wait(s, NSEC_PER_SEC);
	speak(s, &v, &call, VOICES - 100, VOICES);
	all_read(s, VOICES + 2);
	seat_deaf(s, DELIVERY, false);
	hear(s, &v);
	for (size_t i = 0; i < VOICES; i++) {
		lost += !v.came[i];
		first = !v.came[i] && i < first ? i : first;
		last = !v.came[i] ? i : last;
	}
	assert_true(lost > 100 && first < VOICES - 100 && last == VOICES - 1);
	assert_true(scene_gap(s, GAP_QUEUE, LONG, &g));
	assert_string_equal(g.where, "intercept 0");
	assert_int_equal(g.packets, lost);
	assert_true(g.from >= v.sent[first] && g.from < v.sent[first] + SOON);
	assert_true(g.until >= v.sent[last] && g.until < v.sent[last] + SOON);
	assert_false(scene_gap(s, GAP_QUEUE, SOON, &g));
	assert_int_equal(scene_count(s, "interface_dropped", "mirror"), 0);
	intercept_stop(s);
}

/* The port to the other intercept has no room for anything. */
static void fill_other(struct intercept_scene *s, const struct phone_call *owned)
{
	seat_deaf(s, OTHER, true);
	for (uint16_t i = 0; i < (TO_OTHERS + KERNEL) / LARGE + 200; i++)
		phone_voice(s, owned, 7, i, LARGE);
	for (uint16_t i = 0; i < 200; i++)
		phone_voice(s, owned, 8, i, SMALL);
	gaps_are_told(s);
}

/* A call of which the other intercept was told; what it was told is thrown away. */
static uint32_t told_call(struct intercept_scene *s, struct phone_call *c)
{
	struct heard_sip sip;
	struct step step;
	unsigned places = 0;

	phone_set_up(s, c);
	assert_true(heard_sip(s, LONG, &sip));
	while (places < 2) {
		assert_true(heard_step(s, OTHER, LONG, &step));
		places += step.kind == STEP_PLACE && step.call == sip.call;
	}
	scene_wait(s, SOON);
	scene_forget(s, OTHER);
	scene_forget(s, DELIVERY);
	return sip.call;
}

static void a_front_that_had_no_room_is_told_of_all_that_is_open_and_a_gap_tells_of_the_time(void **state)
{
	struct phone_call owned = { .id = "one", .alice = 4000, .bob = port_owned(4000, 6000, 1) };
	struct phone_call unsaid = { .id = "two", .alice = 4010, .bob = 6010 };
	struct intercept_scene *s = *state;
	struct heard_sip sip;
	struct step step;
	unsigned covers[3] = { 0 }, places[3] = { 0 };
	nsec_t from, until;

	intercept_begin(s, 0, 2, false);
	say_table(s);
	assert_int_equal(told_call(s, &owned), 1);
	fill_other(s, &owned);
	from = scene_now();
	phone_set_up(s, &unsaid);
	assert_true(heard_sip(s, LONG, &sip));
	assert_int_equal(sip.call, 2);
	scene_wait(s, 3 * NSEC_PER_SEC);
	until = scene_now();
	seat_deaf(s, OTHER, false);
	while (heard_step(s, OTHER, SOON, &step)) {
		assert_in_range(step.call, 1, 2);
		covers[step.call] += step.kind == STEP_COVER;
		assert_true(step.kind != STEP_PLACE || covers[step.call] > 0);
		places[step.call] += step.kind == STEP_PLACE;
	}
	assert_true(covers[1] > 0 && places[1] >= 2 && covers[2] > 0 && places[2] >= 2);
	gap_covers(s, from, until);
	/* And then it is over. */
	scene_wait(s, SOON);
	scene_forget(s, DELIVERY);
	assert_false(scene_gap(s, GAP_QUEUE, SOON, &(struct gap){ 0 }));
	intercept_stop(s);
}

/* Numbers of notes that came: they are even, and in a row. */
#define NOTES 1024
static size_t notes_came(struct intercept_scene *s, bool came[NOTES])
{
	struct buf body = { 0 };
	struct msg_checkpoint c;
	size_t count = 0;

	memset(came, 0, NOTES * sizeof(*came));
	while (scene_came(s, KEYS, MSG_CHECKPOINT, SOON, &body)) {
		assert_true(msg_get_checkpoint(buf_bytes(&body), &c));
		if (c.number % 2 != 0)
			continue; /* of streams */
		assert_true(c.number / 2 < NOTES);
		count += !came[c.number / 2];
		came[c.number / 2] = true;
	}
	buf_clear(&body);
	return count;
}

#define BODY 30000 /* octets of a message that is large */

static void what_found_no_room_at_keys_is_left_later(void **state)
{
	static struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct intercept_scene *s = *state;
	const unsigned notes = 2 + (TO_OTHERS + KERNEL) / BODY + 50;
	bool came[NOTES];

	intercept_begin(s, 0, 1, false);
	say_table(s);
	seat_deaf(s, KEYS, true);
	phone_set_up(s, &call);
	for (unsigned i = 2; i < notes; i++)
		phone_info(s, &call, BODY);
	all_read(s, notes);
	assert_true(scene_count(s, "queue_octets", "keys") > TO_OTHERS - BODY - 1000);
	seat_deaf(s, KEYS, false);
	assert_int_equal(notes_came(s, came), notes);
	for (unsigned i = 1; i <= notes; i++)
		assert_true(came[i]);
	intercept_stop(s);
}

static void all_is_left_again_with_a_new_keys_and_leaves_room_for_what_is_wanted(void **state)
{
	static struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	const struct msg_peer keys = { ROLE_KEYS, 0, NSEC_NONE };
	struct intercept_scene *s = *state;
	const unsigned notes = 2 + TO_OTHERS / BODY;
	struct buf body = { 0 };
	bool came[NOTES];

	intercept_begin(s, 0, 1, false);
	say_table(s);
	phone_set_up(s, &call);
	for (unsigned i = 2; i < notes; i++)
		phone_info(s, &call, BODY);
	assert_int_equal(notes_came(s, came), notes);
	seat_deaf(s, KEYS, true);
	assert_true(msg_put_peer(&body, &keys));
	seat_tell(s, SUPERVISE, MSG_PEER_UP, &body);
	scene_wait(s, SOON);
	assert_in_range(scene_count(s, "queue_octets", "keys"), AT_ONCE - 2 * BODY, AT_ONCE + 2 * BODY);
	seat_deaf(s, KEYS, false);
	assert_int_equal(notes_came(s, came), notes);
	intercept_stop(s);
}

int main(void)
{
#define AT_A_CABLE(f) cmocka_unit_test_setup_teardown(f, intercept_scene_setup, intercept_scene_teardown)
	const struct CMUnitTest tests[] = {
		AT_A_CABLE(while_delivery_does_not_read_a_gap_tells_of_what_found_no_room),
		AT_A_CABLE(a_front_that_had_no_room_is_told_of_all_that_is_open_and_a_gap_tells_of_the_time),
		AT_A_CABLE(what_found_no_room_at_keys_is_left_later),
		AT_A_CABLE(all_is_left_again_with_a_new_keys_and_leaves_room_for_what_is_wanted),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
