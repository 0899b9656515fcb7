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

#define LARGE 8000 /* octets of a packet of which few fill a queue */
#define SMALL 100  /* and of one that finds the last room in it */

enum { TO_DELIVERY = 128 << 20, TO_OTHERS = 8 << 20, KERNEL = 1 << 20, AT_ONCE = 2 << 20 };

/* Packets of a voice: which came, and when they were sent. */
#define VOICES (TO_DELIVERY / LARGE + 1400)
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
	nsec_t end;
	size_t lost = 0, first = VOICES, last = 0;
	struct gap g;

	assert_true((VOICES - 200) * LARGE > TO_DELIVERY + KERNEL);
	intercept_begin(s, 0, 1, false);
	say_table(s);
	phone_set_up(s, &call);
	speak(s, &v, &call, 0, 100);
	scene_all_read(s);
	hear(s, &v);
	assert_true(v.came[99]);
	seat_deaf(s, DELIVERY, true);
	speak(s, &v, &call, 100, VOICES - 100);
	scene_wait(s, NSEC_PER_SEC);
	speak(s, &v, &call, VOICES - 100, VOICES);
	end = scene_now();
	scene_all_read(s);
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
	assert_true(g.from >= v.sent[first] && g.from < v.sent[first + 1] + SOON);
	assert_true(g.until >= v.sent[last] && g.until < end + SOON);
	assert_false(scene_gap(s, GAP_QUEUE, SOON, &g));
	intercept_stop(s);
}

/* What the role says that it has handed on all of. */
static nsec_t settled(struct intercept_scene *s)
{
	struct buf body = { 0 };
	nsec_t at;

	scene_forget(s, SUPERVISE);
	seat_tell(s, SUPERVISE, MSG_PING, &body);
	assert_true(scene_came(s, SUPERVISE, MSG_ALIVE, LONG, &body));
	assert_true(msg_get_time(buf_bytes(&body), &at));
	buf_clear(&body);
	return at;
}

/* It would die with the process. And delivery is never told that it has all until then, while some of it is still to come. */
static void what_waits_for_delivery_in_the_process_is_not_handed_on(void **state)
{
	enum { MANY = 2 * KERNEL / LARGE };
	static struct phone_call call = { .id = "one", .alice = 4000, .bob = 6000 };
	struct intercept_scene *s = *state;
	static struct voices v;
	struct buf body = { 0 };
	enum msg_type type;
	size_t came = 0, marks = 0;
	nsec_t until;

	intercept_begin(s, 0, 1, false);
	say_table(s);
	phone_set_up(s, &call);
	scene_all_read(s);
	scene_wait(s, NSEC_PER_SEC);
	seat_deaf(s, DELIVERY, true);
	scene_forget(s, DELIVERY);
	speak(s, &v, &call, 0, MANY);
	scene_all_read(s);
	scene_wait(s, NSEC_PER_SEC);
	assert_true(settled(s) < v.sent[MANY - 1]);
	seat_deaf(s, DELIVERY, false);
	while (scene_next(s, DELIVERY, NSEC_PER_SEC, &type, &body) && marks < 20) {
		came += type == MSG_RECORD;
		if (type != MSG_MARK)
			continue;
		assert_true(msg_get_time(buf_bytes(&body), &until));
		marks++;
		for (size_t i = came; i < MANY; i++)
			assert_true(v.sent[i] >= until);
	}
	assert_int_equal(came, MANY);
	assert_int_equal(marks, 20);
	assert_true(settled(s) > v.sent[MANY - 1]);
	buf_clear(&body);
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
	scene_all_read(s);
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
	scene_all_read(s);
	assert_int_equal(notes_came(s, came), notes);
	seat_deaf(s, KEYS, true);
	assert_true(msg_put_peer(&body, &keys));
	seat_tell(s, SUPERVISE, MSG_PEER_UP, &body);
	scene_settle(s);
	assert_in_range(scene_count(s, "queue_octets", "keys"), AT_ONCE - 2 * BODY, AT_ONCE + 2 * BODY);
	seat_deaf(s, KEYS, false);
	assert_int_equal(notes_came(s, came), notes);
	intercept_stop(s);
}

static void answer_refused(struct intercept_scene *s)
{
	struct buf body = { 0 };
	struct key_wanted w;
	struct key_answer a = { .reason = SEAL_KMS_REFUSED };

	assert_true(scene_came(s, KEYS, MSG_KEY_WANTED, LONG, &body));
	assert_true(msg_get_key_wanted(buf_bytes(&body), &w));
	a.number = w.number;
	a.call = w.call;
	a.line = w.line;
	a.at = w.at;
	buf_clear(&body);
	assert_true(msg_put_key_answer(&body, &a));
	seat_tell(s, KEYS, MSG_KEY, &body);
}

#define OVER 100

static void that_a_call_is_over_is_said_to_keys_when_there_is_room(void **state)
{
	struct phone_call large = { .id = "large", .alice = 4000, .bob = 6000 }, over[OVER] = { 0 };
	struct intercept_scene *s = *state;
	char ids[OVER][8];
	bool came[OVER + 2] = { false };
	struct buf body = { 0 };
	uint32_t call;

	intercept_begin(s, 0, 1, false);
	say_table(s);
	phone_set_up(s, &large);
	for (unsigned i = 0; i < OVER; i++) {
		snprintf(ids[i], sizeof(ids[i]), "over%u", i);
		over[i] = (struct phone_call){
			.id = ids[i], .alice = (uint16_t)(5000 + 2 * i), .bob = 7000, .keyed = true
		};
		phone_set_up(s, &over[i]);
		answer_refused(s);
	}
	assert_false(scene_came(s, KEYS, MSG_CALL_OVER, SOON, NULL));
	seat_deaf(s, KEYS, true);
	for (unsigned i = 0; i < (TO_OTHERS + KERNEL) / BODY + 20; i++)
		phone_info(s, &large, BODY);
	for (unsigned i = 0; i < 100; i++)
		phone_info(s, &large, 1);
	for (unsigned i = 0; i < OVER; i++)
		phone_hang_up(s, &over[i]);
	scene_all_read(s);
	assert_true(scene_count(s, "queue_octets", "keys") > TO_OTHERS - 1000);
	seat_deaf(s, KEYS, false);
	for (unsigned i = 0; i < OVER; i++) {
		assert_true(scene_came(s, KEYS, MSG_CALL_OVER, LONG, &body));
		assert_true(msg_get_call(buf_bytes(&body), &call) && call >= 2 && call < OVER + 2 && !came[call]);
		came[call] = true;
	}
	assert_false(scene_came(s, KEYS, MSG_CALL_OVER, SOON, NULL));
	buf_clear(&body);
	intercept_stop(s);
}

#define WAIT 40 /* calls that wait for keys: to want their packets back takes more octets than a full port has left */

static void what_lies_with_delivery_is_wanted_back_when_there_is_room(void **state)
{
	struct phone_call calls[WAIT] = { 0 };
	struct intercept_scene *s = *state;
	bool wanted[WAIT] = { false };
	struct buf body = { 0 };
	uint32_t call;

	s->start.conf.run.hold_kib = 16;
	intercept_begin(s, 1, 2, false);
	for (uint16_t i = 0; i < WAIT; i++) {
		calls[i] = (struct phone_call){ .id = "", .alice = (uint16_t)(4000 + 2 * i), .keyed = true };
		calls[i].bob = port_owned(calls[i].alice, (uint16_t)(6000 + 100 * i), 1);
		step_cover(s, OTHER, i);
		step_place(s, OTHER, i, &calls[i], true);
		scene_settle(s);
		for (uint16_t seq = 0; seq < 5; seq++)
			phone_voice(s, &calls[i], 7, seq, LARGE);
	}
	for (uint16_t i = 0; i < 2 * WAIT; i++) /* each has some that lie there */
		assert_true(scene_came(s, DELIVERY, MSG_HELD, LONG, NULL));
	seat_deaf(s, DELIVERY, true);
	for (uint16_t i = 0; i < (TO_DELIVERY + KERNEL) / LARGE + 200; i++)
		phone_voice(s, &calls[0], 7, (uint16_t)(10 + i), LARGE);
	for (uint16_t i = 0; i < 200; i++)
		phone_voice(s, &calls[0], 7, (uint16_t)(10000 + i), SMALL);
	scene_all_read(s);
	for (uint16_t i = 0; i < WAIT; i++)
		step_place(s, OTHER, i, &calls[i], false); /* none will come */
	scene_settle(s);
	seat_deaf(s, DELIVERY, false);
	for (uint16_t i = 0; i < WAIT; i++) {
		assert_true(scene_came(s, DELIVERY, MSG_HELD_WANTED, LONG, &body));
		assert_true(msg_get_call(buf_bytes(&body), &call) && call < WAIT && !wanted[call]);
		wanted[call] = true;
	}
	buf_clear(&body);
	intercept_stop(s);
}

int main(void)
{
#define AT_A_CABLE(f) cmocka_unit_test_setup_teardown(f, intercept_scene_setup, intercept_scene_teardown)
	const struct CMUnitTest tests[] = {
		AT_A_CABLE(while_delivery_does_not_read_a_gap_tells_of_what_found_no_room),
		AT_A_CABLE(what_waits_for_delivery_in_the_process_is_not_handed_on),
		AT_A_CABLE(what_found_no_room_at_keys_is_left_later),
		AT_A_CABLE(all_is_left_again_with_a_new_keys_and_leaves_room_for_what_is_wanted),
		AT_A_CABLE(that_a_call_is_over_is_said_to_keys_when_there_is_room),
		AT_A_CABLE(what_lies_with_delivery_is_wanted_back_when_there_is_room),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
