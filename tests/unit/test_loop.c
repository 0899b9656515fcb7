/* loop: watches, moments, what is put off, signals: each has its turn, and none starves another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/loop.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SOON (50 * NSEC_PER_SEC / 1000)

struct scene {
	struct loop *loop;
	int fds[2];
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct loop_later *later, *other;
	struct loop_signal *signal;
	unsigned reads, writes, moments, laters, signals;
	nsec_t when;
	char order[32];
};

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ .loop = loop_new() };
	assert_non_null(s->loop);
	assert_int_equal(pipe(s->fds), 0);
}

static void scene_end(struct scene *s)
{
	loop_watch_free(s->watch);
	loop_timer_free(s->timer);
	loop_later_free(s->later);
	loop_later_free(s->other);
	loop_signal_free(s->signal);
	loop_free(s->loop);
	close(s->fds[0]);
	close(s->fds[1]);
}

static void note(struct scene *s, char c)
{
	size_t len = strlen(s->order);

	if (len < sizeof(s->order) - 1)
		s->order[len] = c;
}

static void on_read(void *arg)
{
	struct scene *s = arg;
	char c;

	assert_int_equal(read(s->fds[0], &c, 1), 1);
	s->reads++;
	note(s, c);
}

static void on_write(void *arg)
{
	((struct scene *)arg)->writes++;
	loop_stop(((struct scene *)arg)->loop);
}

static void on_moment(void *arg)
{
	struct scene *s = arg;

	s->moments++;
	s->when = loop_now();
	note(s, 't');
	loop_stop(s->loop);
}

static void on_later(void *arg)
{
	((struct scene *)arg)->laters++;
	note(arg, 'l');
}

static void on_signal(void *arg)
{
	((struct scene *)arg)->signals++;
	loop_stop(((struct scene *)arg)->loop);
}

static void say(struct scene *s, const char *text)
{
	assert_int_equal(write(s->fds[1], text, strlen(text)), strlen(text));
}

static void a_watch_tells_as_long_as_there_is_something_to_read(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.watch = loop_watch_new(s.loop, s.fds[0], LOOP_READ, on_read, &s);
	say(&s, "abc");
	assert_false(loop_run(s.loop, loop_now() + SOON));
	assert_string_equal(s.order, "abc");
	scene_end(&s);
}

static void a_paused_watch_tells_nothing_until_it_goes_on(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.watch = loop_watch_new(s.loop, s.fds[0], LOOP_READ, on_read, &s);
	loop_watch_pause(s.watch, true);
	loop_watch_pause(s.watch, true);
	say(&s, "a");
	assert_false(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.reads, 0);
	loop_watch_pause(s.watch, false);
	assert_false(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.reads, 1);
	scene_end(&s);
}

static void a_watch_tells_when_it_can_be_written_to(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.watch = loop_watch_new(s.loop, s.fds[1], LOOP_WRITE, on_write, &s);
	assert_true(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.writes, 1);
	scene_end(&s);
}

static void free_itself(void *arg)
{
	struct scene *s = arg;

	loop_watch_free(s->watch);
	s->watch = NULL;
	s->reads++;
}

static void a_watch_may_be_freed_in_its_own_turn(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.watch = loop_watch_new(s.loop, s.fds[0], LOOP_READ, free_itself, &s);
	say(&s, "ab");
	assert_false(loop_run(s.loop, NSEC_NONE)); /* nothing is left to wait for */
	assert_int_equal(s.reads, 1);
	scene_end(&s);
}

static void a_moment_comes_once_and_never_early(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.timer = loop_timer_new(s.loop, on_moment, &s);
	for (unsigned i = 1; i <= 20; i++) {
		nsec_t at = loop_now() + 3 * NSEC_PER_SEC / 1000 + i * 77777;

		loop_timer_at(s.timer, at);
		assert_true(loop_run(s.loop, NSEC_NONE));
		assert_int_equal(s.moments, i);
		assert_true(s.when >= at);
	}
	assert_false(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.moments, 20);
	scene_end(&s);
}

static void a_moment_can_be_moved_and_taken_back(void **state)
{
	struct scene s;
	nsec_t at;

	(void)state;
	scene_begin(&s);
	s.timer = loop_timer_new(s.loop, on_moment, &s);
	loop_timer_at(s.timer, loop_now() + NSEC_PER_SEC / 1000);
	at = loop_now() + 2 * SOON;
	loop_timer_at(s.timer, at);
	assert_true(loop_run(s.loop, NSEC_NONE));
	assert_true(s.when >= at);
	loop_timer_at(s.timer, loop_now());
	loop_timer_at(s.timer, NSEC_NONE);
	assert_false(loop_run(s.loop, loop_now() + SOON));
	loop_timer_at(s.timer, NSEC_EVER);
	assert_false(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.moments, 1);
	loop_timer_at(s.timer, NSEC_NONE + 1); /* long ago: now */
	assert_true(loop_run(s.loop, loop_now() + SOON));
	scene_end(&s);
}

static void read_and_put_off(void *arg)
{
	struct scene *s = arg;

	on_read(arg);
	loop_later_soon(s->later);
	loop_later_soon(s->later);
}

/* Two watches are ready at once: both have their turn first. */
static void what_is_put_off_comes_behind_all_that_was_ready_and_once(void **state)
{
	struct scene s, t;
	struct loop_watch *second;

	(void)state;
	scene_begin(&s);
	scene_begin(&t);
	s.later = loop_later_new(s.loop, on_later, &s);
	s.watch = loop_watch_new(s.loop, s.fds[0], LOOP_READ, read_and_put_off, &s);
	second = loop_watch_new(s.loop, t.fds[0], LOOP_READ, on_read, &t);
	say(&s, "a");
	say(&t, "b");
	loop_run(s.loop, loop_now() + SOON);
	assert_string_equal(s.order, "al");
	assert_int_equal(t.reads, 1);
	loop_watch_free(second);
	scene_end(&s);
	scene_end(&t);
}

/* A descriptor that is always ready, as that of a flooded interface is. */
static void put_off_and_stay_ready(void *arg)
{
	struct scene *s = arg;

	s->writes++;
	loop_later_soon(s->later);
}

static void what_is_put_off_does_not_starve(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.later = loop_later_new(s.loop, on_later, &s);
	s.watch = loop_watch_new(s.loop, s.fds[1], LOOP_WRITE, put_off_and_stay_ready, &s);
	loop_run(s.loop, loop_now() + SOON);
	assert_true(s.writes > 10);
	assert_true(s.laters + 1 >= s.writes);
	scene_end(&s);
}

static void again_and_again(void *arg)
{
	struct scene *s = arg;

	on_later(arg);
	loop_later_soon(s->later);
}

static void what_puts_itself_off_again_lets_others_have_their_turn(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.later = loop_later_new(s.loop, again_and_again, &s);
	s.watch = loop_watch_new(s.loop, s.fds[1], LOOP_WRITE, on_write, &s);
	loop_later_soon(s.later);
	assert_true(loop_run(s.loop, loop_now() + SOON));
	assert_true(s.laters <= 1);
	scene_end(&s);
}

static void it_is_not_waited_while_something_is_put_off(void **state)
{
	struct scene s;
	nsec_t began = loop_now();

	(void)state;
	scene_begin(&s);
	s.timer = loop_timer_new(s.loop, on_moment, &s);
	loop_timer_at(s.timer, began + 10 * SOON);
	s.later = loop_later_new(s.loop, on_later, &s);
	loop_later_soon(s.later);
	assert_true(loop_run(s.loop, NSEC_NONE));
	assert_string_equal(s.order, "lt");
	scene_end(&s);
}

static void free_the_other(void *arg)
{
	struct scene *s = arg;

	on_later(arg);
	loop_later_free(s->other);
	s->other = NULL;
}

static void what_is_put_off_may_be_freed_before_its_turn(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.later = loop_later_new(s.loop, free_the_other, &s);
	s.other = loop_later_new(s.loop, on_later, &s);
	loop_later_soon(s.later);
	loop_later_soon(s.other);
	assert_false(loop_run(s.loop, NSEC_NONE));
	assert_int_equal(s.laters, 1);
	loop_later_soon(s.later); /* the queue is whole */
	assert_false(loop_run(s.loop, NSEC_NONE));
	assert_int_equal(s.laters, 2);
	scene_end(&s);
}

static void a_signal_comes_in_its_turn(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.signal = loop_signal_new(s.loop, SIGHUP, on_signal, &s);
	assert_non_null(s.signal);
	kill(getpid(), SIGHUP);
	assert_true(loop_run(s.loop, loop_now() + SOON));
	assert_int_equal(s.signals, 1);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_tells_as_long_as_there_is_something_to_read),
		cmocka_unit_test(a_paused_watch_tells_nothing_until_it_goes_on),
		cmocka_unit_test(a_watch_tells_when_it_can_be_written_to),
		cmocka_unit_test(a_watch_may_be_freed_in_its_own_turn),
		cmocka_unit_test(a_moment_comes_once_and_never_early),
		cmocka_unit_test(a_moment_can_be_moved_and_taken_back),
		cmocka_unit_test(what_is_put_off_comes_behind_all_that_was_ready_and_once),
		cmocka_unit_test(what_is_put_off_does_not_starve),
		cmocka_unit_test(what_puts_itself_off_again_lets_others_have_their_turn),
		cmocka_unit_test(it_is_not_waited_while_something_is_put_off),
		cmocka_unit_test(what_is_put_off_may_be_freed_before_its_turn),
		cmocka_unit_test(a_signal_comes_in_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
