/*
 * intercept_leave, intercept_resume: who follows knows whether it has all that the one before knew, and tells when it has not.
 * intercept_watch: a clock that jumps.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/daemon/intercept.h"

#define DOWN ((nsec_t)1795348800 * NSEC_PER_SEC)
#define MOST 4096

/* What was sent, and told. */
struct sent {
	enum role to;
	enum msg_type type;
	struct buf body;
};

struct scene {
	struct loop *loop;
	struct port *port; /* toward anybody: it has room */
	int other;
	bool full; /* nothing is taken */
	struct sent sent[MOST];
	size_t count;
	unsigned alarms[ALARMS], over[ALARMS];
	nsec_t wall, steady; /* both clocks; 0: the real ones */
	struct role_start start;
};

static struct scene *now; /* what is wrapped has no other way to it */

bool __wrap_crew_send(struct crew *c, enum role to, uint32_t index, enum msg_type type, struct bytes body);
struct port *__wrap_crew_port(struct crew *c, enum role to, uint32_t index);
void __wrap_crew_alarm(struct crew *c, enum alarm a, bool on, const char *of, const char *fmt, ...);

bool __wrap_crew_send(struct crew *c, enum role to, uint32_t index, enum msg_type type, struct bytes body)
{
	struct sent *s = &now->sent[now->count];

	(void)c;
	(void)index;
	if (now->full)
		return false;
	assert_true(now->count < MOST);
	*s = (struct sent){ .to = to, .type = type };
	buf_add(&s->body, body.at, body.len);
	now->count++;
	return true;
}

struct port *__wrap_crew_port(struct crew *c, enum role to, uint32_t index)
{
	(void)c;
	(void)to;
	(void)index;
	return now->port;
}

void __wrap_crew_alarm(struct crew *c, enum alarm a, bool on, const char *of, const char *fmt, ...)
{
	(void)c;
	(void)of;
	(void)fmt;
	now->alarms[a] += on;
	now->over[a] += !on;
}

nsec_t __real_nsec_now(void);
nsec_t __wrap_nsec_now(void);
nsec_t __real_loop_now(void);
nsec_t __wrap_loop_now(void);

nsec_t __wrap_nsec_now(void)
{
	return now->wall != 0 ? now->wall : __real_nsec_now();
}

nsec_t __wrap_loop_now(void)
{
	return now->steady != 0 ? now->steady : __real_loop_now();
}

static void ignore(void *arg, enum msg_type type, struct bytes body)
{
	(void)arg;
	(void)type;
	(void)body;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void forget(struct scene *s)
{
	while (s->count > 0)
		buf_clear(&s->sent[--s->count].body);
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	int fds[2];

	s->loop = loop_new();
	assert_int_equal(port_pair(fds, 1 << 16, NULL), 0);
	assert_int_equal(port_new(&s->port, s->loop, fds[0], 1 << 20, ignore, s, NULL), 0);
	s->other = fds[1];
	s->start = (struct role_start){ .down = DOWN, .seal = { 1, 2, 3 }, .intercepts = 1 };
	now = s;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	forget(s);
	port_free(s->port);
	close(s->other);
	loop_free(s->loop);
	free(s);
	return 0;
}

/* An intercept of that index; the first has the back. */
static struct intercept *one(struct scene *s, uint32_t index, bool again)
{
	struct intercept *it = calloc(1, sizeof(*it));

	s->start.again = again;
	s->start.index = index;
	it->start = &s->start;
	it->index = index;
	it->fronts = 1;
	it->loop = s->loop;
	it->has_table = true;
	it->begun = it->wall = it->steady = it->jumped = NSEC_NONE;
	it->more = loop_later_new(s->loop, nothing, NULL);
	it->front = front_new(&(struct front_options){ .fronts = 1 });
	it->back = index == 0 ? back_new(&(struct back_options){ .journal = true }) : NULL;
	it->merge = merge_new(1);
	it->open = open_new(1);
	assert_true(leave_begin(it) && intercept_ask_begin(it));
	resume_begin(it);
	if (!again)
		resume_try(it); /* its table is there */
	return it;
}

static void gone(struct intercept *it)
{
	resume_free(it);
	leave_end(it);
	intercept_ask_free(it);
	open_free(it->open);
	merge_free(it->merge);
	back_free(it->back);
	front_free(it->front);
	loop_later_free(it->more);
	buf_clear(&it->octets);
	free(it);
}

/* What keys was told to keep, given back to that one, as far as `some` says. */
static void give_back(struct scene *s, struct intercept *it, size_t some)
{
	const struct bytes token = { it->token, sizeof(it->token) };
	size_t count = s->count < some ? s->count : some;

	resume_heard(it, token);
	for (size_t i = 0; i < count; i++)
		if (s->sent[i].type == MSG_CHECKPOINT)
			resume_take(it, buf_bytes(&s->sent[i].body));
	forget(s);
	resume_end(it, token);
	while (it->resuming)
		resume_try(it);
}

static void note(struct intercept *it, uint64_t number, size_t len)
{
	uint8_t *octets = calloc(1, len);
	const struct datagram d = { .at = DOWN, .packet = { octets, len }, .payload = { octets, len } };
	const struct back_note n = { .number = number, .call = 1, .datagram = &d };

	leave_note(it, &n);
	free(octets);
}

/* Of what was sent to delivery: gaps that say so. */
static unsigned state_gaps(const struct scene *s)
{
	unsigned found = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct gap g;

		if (s->sent[i].to != ROLE_DELIVERY || s->sent[i].type != MSG_GAP)
			continue;
		assert_true(msg_get_gap(buf_bytes(&s->sent[i].body), &g));
		assert_int_equal(g.reason, GAP_STATE);
		assert_true(g.from == DOWN && g.until == NSEC_NONE && g.packets == GAP_UNKNOWN);
		assert_string_equal(g.where, "intercept 0");
		found++;
	}
	return found;
}

static uint64_t number_of(const struct scene *s, size_t i)
{
	struct msg_checkpoint c;

	assert_true(i < s->count && s->sent[i].type == MSG_CHECKPOINT);
	assert_true(msg_get_checkpoint(buf_bytes(&s->sent[i].body), &c));
	return c.number;
}

static void who_has_all_of_it_tells_of_no_gap(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 0, false);

	note(it, 1, 100);
	leave_unsent(it);
	leave_unsent(it); /* once is enough */
	assert_int_equal(s->count, 2);
	assert_true(number_of(s, 1) == MSG_CHECKPOINT_WHOLE);
	gone(it);
	it = one(s, 0, true);
	give_back(s, it, MOST);
	assert_int_equal(state_gaps(s), 0);
	assert_int_equal(s->alarms[ALARM_ROLE] + s->alarms[ALARM_ROOM], 0);
	gone(it);
}

/* Keys died too, and the one before could not leave all of it again. */
static void who_has_a_part_of_it_tells_of_a_gap_from_when_the_one_before_died(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 0, false);

	note(it, 1, 100);
	leave_unsent(it);
	gone(it);
	it = one(s, 0, true);
	give_back(s, it, 1);
	assert_int_equal(state_gaps(s), 1);
	assert_int_equal(s->alarms[ALARM_ROLE], 1);
	gone(it);
}

static void keys_that_is_empty_leads_to_a_gap_too(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 0, true);

	forget(s);
	give_back(s, it, 0);
	assert_int_equal(state_gaps(s), 1);
	assert_int_equal(s->alarms[ALARM_ROLE], 1);
	gone(it);
}

static void to_a_new_keys_it_is_said_when_all_was_left_again(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 0, false);

	note(it, 1, 100);
	note(it, 2, 100);
	leave_unsent(it);
	forget(s);
	s->full = true;
	leave_again(it);
	leave_unsent(it);
	s->full = false;
	assert_int_equal(s->count, 0);
	leave_unsent(it);
	assert_int_equal(s->count, 2);
	leave_unsent(it);
	leave_unsent(it);
	assert_int_equal(s->count, 3);
	assert_true(number_of(s, 2) == MSG_CHECKPOINT_WHOLE);
	gone(it);
}

/* Else one that died while it was given what was left would have said that nothing is all there was. */
static void while_it_takes_up_what_was_left_it_says_nothing_of_the_kind(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 0, true);

	forget(s);
	leave_unsent(it);
	assert_int_equal(s->count, 0);
	give_back(s, it, 0);
	forget(s);
	leave_unsent(it);
	assert_true(s->count == 1 && number_of(s, 0) == MSG_CHECKPOINT_WHOLE);
	gone(it);
}

static void the_word_of_another_intercept_is_not_believed(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 1, false);

	leave_unsent(it);
	assert_int_equal(s->count, 1);
	gone(it);
	it = one(s, 0, true);
	give_back(s, it, MOST);
	assert_int_equal(state_gaps(s), 1);
	gone(it);
}

/* One that has no calls to follow has no such gap. */
static void a_front_alone_tells_of_none(void **state)
{
	struct scene *s = *state;
	struct intercept *it = one(s, 1, true);

	forget(s);
	give_back(s, it, 0);
	assert_int_equal(state_gaps(s), 0);
	gone(it);
}

static void more_notes_than_there_is_room_for_are_an_alarm_and_a_gap(void **state)
{
	enum { LEN = 250000 };
	struct scene *s = *state;
	struct intercept *it = one(s, 0, false), *next;
	const size_t count = NOTES_HELD / LEN + 10;

	leave_unsent(it);
	next = one(s, 0, true);
	resume_heard(next, (struct bytes){ next->token, sizeof(next->token) });
	for (size_t i = 0; i < count; i++) {
		size_t before = s->count;

		note(it, i + 1, LEN);
		resume_take(next, buf_bytes(&s->sent[before].body));
		buf_clear(&s->sent[before].body);
		s->count = before;
		leave_forget(it, i + 1);
		forget(s);
	}
	gone(it);
	assert_int_equal(s->alarms[ALARM_ROOM], 1);
	assert_true(next->notes_lost > 0 && next->notes_lost < 20);
	next->resume_whole = true;
	resume_end(next, (struct bytes){ next->token, sizeof(next->token) });
	while (next->resuming)
		resume_try(next);
	assert_int_equal(state_gaps(s), 1);
	assert_int_equal(s->alarms[ALARM_ROLE], 0);
	gone(next);
}

/* One second passes; by the wall clock, as many. */
static void beat(struct scene *s, struct intercept *it, int seconds)
{
	s->steady += NSEC_PER_SEC;
	s->wall += seconds * NSEC_PER_SEC;
	watch_beat(it);
	forget(s);
}

static void a_clock_that_has_kept_time_for_a_minute_is_no_alarm_any_more(void **state)
{
	struct scene *s = *state;
	struct intercept *it;

	s->steady = NSEC_PER_SEC;
	s->wall = DOWN;
	it = one(s, 1, false);
	for (int i = 0; i < 100; i++)
		beat(s, it, 1);
	assert_int_equal(s->alarms[ALARM_CLOCK] + s->over[ALARM_CLOCK], 0);
	beat(s, it, 3600);
	for (int i = 0; i < 59; i++)
		beat(s, it, 1);
	assert_int_equal(s->over[ALARM_CLOCK], 0);
	beat(s, it, -3600); /* and again */
	assert_int_equal(s->alarms[ALARM_CLOCK], 2);
	for (int i = 0; i < 59; i++)
		beat(s, it, 1);
	assert_int_equal(s->over[ALARM_CLOCK], 0);
	for (int i = 0; i < 100; i++)
		beat(s, it, 1);
	assert_int_equal(s->over[ALARM_CLOCK], 1);
	assert_int_equal(s->alarms[ALARM_CLOCK], 2);
	gone(it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(who_has_all_of_it_tells_of_no_gap),
		TEST(who_has_a_part_of_it_tells_of_a_gap_from_when_the_one_before_died),
		TEST(keys_that_is_empty_leads_to_a_gap_too),
		TEST(to_a_new_keys_it_is_said_when_all_was_left_again),
		TEST(while_it_takes_up_what_was_left_it_says_nothing_of_the_kind),
		TEST(the_word_of_another_intercept_is_not_believed),
		TEST(a_front_alone_tells_of_none),
		TEST(more_notes_than_there_is_room_for_are_an_alarm_and_a_gap),
		TEST(a_clock_that_has_kept_time_for_a_minute_is_no_alarm_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
