/*
 * role_intercept: what intercepts tell each other of open calls, and what of it is told again. The role is in a process of its own, confined,
 * driven by its ports and by frames at its cable; the test is everybody else.
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

enum { TO_OTHERS = 8 << 20, KERNEL = 1 << 20, AT_ONCE = 2 << 20 };

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

/* The port to the other intercept has no room for anything. */
static void fill_other(struct intercept_scene *s, const struct phone_call *owned)
{
	seat_deaf(s, OTHER, true);
	for (uint16_t i = 0; i < (TO_OTHERS + KERNEL) / LARGE + 200; i++)
		phone_voice(s, owned, 7, i, LARGE);
	for (uint16_t i = 0; i < 200; i++)
		phone_voice(s, owned, 8, i, SMALL);
	scene_all_read(s);
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

#define ENDED 20 /* calls: the words of their ends are more than a port has room for that has none for a packet */

/* All that is told anew is one piece, in which that many calls are, of these numbers. */
static void told_anew_of(struct intercept_scene *s, uint32_t call)
{
	struct buf body = { 0 };
	enum msg_type type;
	struct step step;
	bool begun = false, covered = false, ended = false;

	while (!ended && scene_next(s, OTHER, LONG, &type, &body)) {
		ended = type == MSG_ANEW_END;
		assert_true(begun || !ended);
		begun |= type == MSG_ANEW;
		if (!begun || type != MSG_STEP)
			continue;
		assert_true(msg_get_step(buf_bytes(&body), &step));
		assert_int_equal(step.call, call);
		covered |= step.kind == STEP_COVER;
	}
	assert_true(ended && covered);
	assert_false(scene_came(s, OTHER, MSG_ANEW, SOON, NULL));
	buf_clear(&body);
}

static void calls_that_were_over_and_forgotten_before_there_was_room_are_not_among_what_is_told_anew(void **state)
{
	struct phone_call owned = { .id = "one", .alice = 4000, .bob = port_owned(4000, 6000, 1) }, over[ENDED] = { 0 };
	struct intercept_scene *s = *state;
	char ids[ENDED][8];

	intercept_begin(s, 0, 2, false);
	say_table(s);
	assert_int_equal(told_call(s, &owned), 1);
	for (unsigned i = 0; i < ENDED; i++) {
		snprintf(ids[i], sizeof(ids[i]), "over%u", i);
		over[i] = (struct phone_call){
			.id = ids[i], .alice = (uint16_t)(5000 + 2 * i), .bob = (uint16_t)(7000 + 2 * i)
		};
		phone_set_up(s, &over[i]);
	}
	scene_counts(s, "calls_open", "", 1 + ENDED);
	fill_other(s, &owned);
	for (unsigned i = 0; i < ENDED; i++)
		phone_hang_up(s, &over[i]);
	scene_all_read(s);
	scene_wait(s, SOON);            /* so long signals wait for those of the other, and longer */
	*s->ahead += 40 * NSEC_PER_SEC; /* RFC 3261 17: of a call that has ended nothing comes after 32 */
	scene_counts(s, "calls_open", "", 1);
	seat_deaf(s, OTHER, false);
	told_anew_of(s, 1);
	intercept_stop(s);
}

#define MANY  1500 /* calls, of so many lines each that what is said of all of them is more than is told at once */
#define LINES 16
#define EARLY 4 /* among those that are told first; told again over and over they would never be */

struct heard_call {
	unsigned covers, places, closes;
};

static void set_up_many(struct intercept_scene *s, uint32_t from, uint32_t until)
{
	char id[12];

	for (uint32_t i = from; i < until; i++) {
		struct phone_call c = { .id = id, .alice = (uint16_t)(1024 + 40 * i), .bob = 6000, .more = LINES - 1 };

		snprintf(id, sizeof(id), "many%u", i);
		phone_set_up(s, &c);
	}
	scene_counts(s, "calls_open", "", until - 1);
}

static void however_many_calls_are_open_a_front_that_comes_up_is_told_of_each_in_pieces(void **state)
{
	struct phone_call early = { .id = "many4", .said = 2 };
	const struct msg_peer other = { ROLE_INTERCEPT, 1, NSEC_NONE };
	struct heard_call calls[MANY + 2] = { { 0 } };
	struct intercept_scene *s = *state;
	struct buf body = { 0 };
	enum msg_type type = MSG_TYPES;
	struct step step;

	intercept_begin(s, 0, 2, false);
	say_table(s);
	set_up_many(s, 1, MANY + 1);
	scene_forget(s, OTHER);
	seat_deaf(s, OTHER, true);
	assert_true(msg_put_peer(&body, &other));
	seat_tell(s, SUPERVISE, MSG_PEER_UP, &body);
	scene_wait(s, SOON);
	set_up_many(s, MANY + 1, MANY + 2); /* meanwhile one begins, and one of those that were told is over */
	phone_hang_up(s, &early);
	scene_all_read(s);
	scene_wait(s, SOON);
	assert_in_range(scene_count(s, "queue_octets", "intercept 1"), AT_ONCE - 65536, AT_ONCE + 65536);
	scene_forget(s, DELIVERY);
	scene_forget(s, KEYS);
	seat_deaf(s, OTHER, false);
	assert_true(scene_next(s, OTHER, LONG, &type, &body) && type == MSG_ANEW);
	while (scene_next(s, OTHER, LONG, &type, &body) && type == MSG_STEP) {
		assert_true(msg_get_step(buf_bytes(&body), &step));
		assert_in_range(step.call, 1, MANY + 1);
		calls[step.call].covers += step.kind == STEP_COVER;
		assert_int_equal(calls[step.call].covers, 1);
		calls[step.call].places += step.kind == STEP_PLACE;
		calls[step.call].closes += step.kind == STEP_CLOSE;
	}
	assert_int_equal(type, MSG_ANEW_END);
	for (uint32_t i = 1; i <= MANY + 1; i++)
		assert_true(calls[i].covers == 1 && calls[i].places == 2 * LINES && calls[i].closes == (i == EARLY));
	assert_false(scene_came(s, OTHER, MSG_ANEW, SOON, NULL));
	buf_clear(&body);
	intercept_stop(s);
}

/* The rows of messages to a front, as words. */
static void told(struct intercept_scene *s, char *out, size_t size)
{
	static const char *const kinds[] = { [STEP_COVER] = "cover", [STEP_PLACE] = "place", [STEP_CLOSE] = "close" };
	struct buf body = { 0 };
	enum msg_type type;
	struct step step;

	for (*out = '\0'; scene_next(s, OTHER, SOON, &type, &body);) {
		size_t len = strlen(out);

		if (type != MSG_STEP) {
			snprintf(out + len, size - len, "%s ", msg_type_text(type));
			continue;
		}
		assert_true(msg_get_step(buf_bytes(&body), &step));
		snprintf(out + len, size - len, "%s:%u ", kinds[step.kind], step.call);
	}
	buf_clear(&body);
}

static void a_first_one_that_follows_tells_the_others_what_is_open_and_that_this_is_all(void **state)
{
	const struct msg_peer other = { ROLE_INTERCEPT, 1, NSEC_NONE };
	struct intercept_scene *s = *state;
	struct buf body = { 0 };
	char words[512];
	struct kept k;

	died_in_a_call(s, 2, &k);
	intercept_begin(s, 0, 2, true);
	give_back(s, &k);
	assert_true(msg_put_peer(&body, &other));
	seat_tell(s, SUPERVISE, MSG_PEER_UP, &body);
	told(s, words, sizeof(words));
	assert_string_equal(words, ""); /* it knows of no call before it has the table: none is over by that */
	say_table(s);
	told(s, words, sizeof(words));
	assert_string_equal(words, "anew cover:1 place:1 place:1 anew-end ");
	assert_false(scene_gap(s, GAP_QUEUE, 0, &(struct gap){ 0 })); /* nothing had to wait for room */
	intercept_stop(s);
}

/* Nobody would ever say that they are over, and what goes to their places next is of others. */
static void calls_that_a_first_one_does_not_know_again_are_over_for_the_others_too(void **state)
{
	struct intercept_scene *s = *state;
	char words[512];
	struct kept k;

	died_in_a_call(s, 2, &k);
	kept_forget(&k);
	intercept_begin(s, 0, 2, true);
	say_table(s);
	scene_alarm(s, ALARM_ROLE, true, "intercept 0"); /* keys says nothing */
	told(s, words, sizeof(words));
	assert_string_equal(words, "anew anew-end ");
	intercept_stop(s);
}

/* Twenty packets of a voice, of which some are recorded. */
static bool is_recorded(struct intercept_scene *s, const struct phone_call *c, uint32_t ssrc)
{
	struct heard_voice voice;
	bool any = false;

	for (uint16_t i = 0; i < 20; i++)
		phone_voice(s, c, ssrc, i, 200);
	scene_all_read(s);
	while (heard_voice(s, SOON, &voice))
		any |= voice.ssrc == ssrc;
	return any;
}

static void a_call_that_is_not_among_what_is_told_anew_is_over(void **state)
{
	struct phone_call calls[2] = { { .alice = 4000, .bob = port_owned(4000, 6000, 1) },
		{ .alice = 4010, .bob = port_owned(4010, 7000, 1) } };
	struct intercept_scene *s = *state;
	struct buf body = { 0 };

	intercept_begin(s, 1, 2, false);
	for (uint32_t i = 0; i < 2; i++) {
		step_cover(s, OTHER, i + 1);
		step_place(s, OTHER, i + 1, &calls[i], false);
	}
	seat_tell(s, OTHER, MSG_ANEW_END, &body); /* of something that one before this heard the beginning of */
	scene_settle(s);
	assert_true(is_recorded(s, &calls[0], 1) && is_recorded(s, &calls[1], 2));
	seat_tell(s, OTHER, MSG_ANEW, &body);
	step_cover(s, OTHER, 2);
	step_place(s, OTHER, 2, &calls[1], false);
	scene_settle(s);
	assert_true(is_recorded(s, &calls[0], 3) && is_recorded(s, &calls[1], 4)); /* it may be told yet */
	seat_tell(s, OTHER, MSG_ANEW_END, &body);
	scene_wait(s, NSEC_PER_SEC); /* so long there may be new streams of a call that is over */
	assert_false(is_recorded(s, &calls[0], 5));
	assert_true(is_recorded(s, &calls[1], 6));
	intercept_stop(s);
}

static void a_front_is_told_of_calls_by_the_first_one_alone(void **state)
{
	struct phone_call call = { .id = "one", .alice = 4000, .bob = port_owned(4000, 6000, 1) };
	struct intercept_scene *s = *state;
	struct buf body = { 0 };

	intercept_begin(s, 1, 3, false); /* OTHER is 0, THIRD is 2 */
	refused(s, 0);
	step_cover(s, THIRD, 1);
	step_place(s, THIRD, 1, &call, false);
	refused(s, 2);
	seat_tell(s, THIRD, MSG_ANEW, &body);
	seat_tell(s, THIRD, MSG_ANEW_END, &body);
	assert_true(msg_put_time(&body, NSEC_EVER));
	seat_tell(s, THIRD, MSG_MARK, &body);
	refused(s, 5);
	step_cover(s, OTHER, 1);
	step_place(s, OTHER, 1, &call, false);
	refused(s, 5);
	intercept_stop(s);
	intercept_begin(s, 0, 2, false);
	step_cover(s, OTHER, 1); /* the first one knows by itself */
	step_close(s, OTHER, 1);
	refused(s, 2);
	intercept_stop(s);
}

int main(void)
{
#define AT_A_CABLE(f) cmocka_unit_test_setup_teardown(f, intercept_scene_setup, intercept_scene_teardown)
	const struct CMUnitTest tests[] = {
		AT_A_CABLE(a_front_that_had_no_room_is_told_of_all_that_is_open_and_a_gap_tells_of_the_time),
		AT_A_CABLE(calls_that_were_over_and_forgotten_before_there_was_room_are_not_among_what_is_told_anew),
		AT_A_CABLE(however_many_calls_are_open_a_front_that_comes_up_is_told_of_each_in_pieces),
		AT_A_CABLE(a_first_one_that_follows_tells_the_others_what_is_open_and_that_this_is_all),
		AT_A_CABLE(calls_that_a_first_one_does_not_know_again_are_over_for_the_others_too),
		AT_A_CABLE(a_call_that_is_not_among_what_is_told_anew_is_over),
		AT_A_CABLE(a_front_is_told_of_calls_by_the_first_one_alone),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
