/* live: interfaces that go down, away, and come back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/veth.h"
#include "otway/live.h"

static const char *const one[] = { "mirror" };
static const struct live_options plain = {
	.interfaces = one, .count = 1, .ring = 1 << 20, .snaplen = 65535, .retire = 5000000
};
static struct err err;

static void hear(void *arg, const struct frame *f)
{
	if (veth_number(f->bytes.at, f->bytes.len) >= 0)
		++*(uint64_t *)arg;
}

/* Frames that come until nothing has come for a fifth of a second; what live_take said last in *said. */
static uint64_t heard(struct live *l, int *said)
{
	struct pollfd p = { .fd = live_fd(l, 0), .events = POLLIN };
	uint64_t count = 0;

	do
		while ((*said = live_take(l, 0, 100, hear, &count)) > 0)
			;
	while (*said == 0 && poll(&p, 1, 200) > 0);
	return count;
}

static struct live *open_live(bool lenient)
{
	struct live *l;

	if (live_new(&l, &plain, lenient, &err) < 0)
		fail_msg("%s", err.text);
	return l;
}

/* The kernel sees in its own time that a cable has lost its other end, or has it again. */
static void becomes(struct live *l, enum live_state state)
{
	for (int i = 0; i < 5000 && live_state(l, 0) != state; i++)
		usleep(1000);
	assert_int_equal(live_state(l, 0), state);
}

static void hears_so_many(struct live *l, uint32_t count)
{
	int wire = veth_socket("wire"), said;

	becomes(l, LIVE_UP);
	veth_send(wire, 0, count, 1, false);
	assert_int_equal(heard(l, &said), count);
	assert_int_equal(said, 0);
	close(wire);
}

/* Switched off, or the other end is. */
static void one_that_was_down_is_heard_again_when_it_is_up(void **state)
{
	static const char *const ends[] = { "mirror", "wire" };
	struct live *l = open_live(false);
	struct pollfd p = { .fd = live_fd(l, 0), .events = POLLIN };
	int said;

	(void)state;
	for (unsigned turn = 0; turn < 4; turn++) {
		hears_so_many(l, 10);
		run("ip link set %s down", ends[turn % 2]);
		becomes(l, LIVE_DOWN);
		assert_int_equal(heard(l, &said), 0);
		assert_int_equal(said, -1);
		assert_int_equal(live_state(l, 0), LIVE_DOWN);
		assert_false(live_returned(l, 0));
		assert_int_equal(poll(&p, 1, 50), 0); /* whoever waits is not woken for nothing */
		run("ip link set %s up", ends[turn % 2]);
	}
	hears_so_many(l, 10);
	assert_int_equal(live_dropped(l, 0), 0);
	live_free(l);
}

static void whoever_waits_is_woken_when_it_is_switched_off(void **state)
{
	struct live *l = open_live(false);
	struct pollfd p = { .fd = live_fd(l, 0), .events = POLLIN };

	(void)state;
	run("ip link set mirror down");
	assert_int_equal(poll(&p, 1, 1000), 1);
	live_free(l);
}

static void down_and_up_before_anybody_looked_is_no_error(void **state)
{
	struct live *l = open_live(false);

	(void)state;
	run("ip link set mirror down; ip link set mirror up");
	hears_so_many(l, 10);
	live_free(l);
}

static void what_was_heard_before_it_went_is_given(void **state)
{
	struct live *l = open_live(false);
	int wire = veth_socket("wire"), said;

	(void)state;
	veth_send(wire, 0, 100, 1, false);
	run("ip link delete mirror");
	assert_int_equal(heard(l, &said), 100);
	assert_int_equal(said, -1);
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	close(wire);
	live_free(l);
}

static void one_that_went_is_told_of_when_it_returns(void **state)
{
	struct live *l = open_live(false), *next;
	int said;

	(void)state;
	run("ip link delete mirror");
	assert_int_equal(heard(l, &said), 0);
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	assert_false(live_returned(l, 0));
	run("ip link add mirror type veth peer name wire");
	assert_true(live_returned(l, 0));
	run("ip link set mirror arp off up; ip link set wire arp off up");
	assert_true(live_returned(l, 0));
	assert_int_equal(live_take(l, 0, 1, hear, NULL), -1);
	next = open_live(false);
	hears_so_many(next, 10);
	assert_false(live_returned(next, 0));
	live_free(next);
	live_free(l);
}

/* Taken to another namespace and back it has the same number, but nobody listens to it any more. */
static void one_that_was_lent_away_has_gone_and_returned(void **state)
{
	struct live *l = open_live(false);

	(void)state;
	run("unshare -n sleep 30 & until [ $(readlink /proc/$!/ns/net) != $(readlink /proc/$$/ns/net) ]; do sleep "
	    "0.05; done;"
	    "ip link set mirror netns $! && nsenter -t $! -n ip link set mirror netns $$; back=$?; kill $!; exit "
	    "$back");
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	run("ip link set mirror up");
	veth_wait("mirror");
	assert_true(live_returned(l, 0));
	live_free(l);
}

static void one_with_another_name_has_gone(void **state)
{
	struct live *l = open_live(false);
	int said;

	(void)state;
	run("ip link set mirror down; ip link set mirror name spiegel; ip link set spiegel up");
	assert_int_equal(heard(l, &said), 0);
	assert_int_equal(said, -1);
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	assert_false(live_returned(l, 0));
	run("ip link set spiegel down; ip link set spiegel name mirror; ip link set mirror up");
	veth_wait("mirror");
	assert_true(live_returned(l, 0) || live_state(l, 0) == LIVE_UP);
	live_free(l);
}

static void what_cannot_be_opened_is_refused_and_told_why(void **state)
{
	struct live *l = NULL;

	(void)state;
	run("ip link set mirror down");
	assert_int_equal(live_new(&l, &plain, false, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	assert_string_equal(err.text, "mirror: is down; run: ip link set dev mirror up");
	run("ip link delete mirror");
	assert_int_equal(live_new(&l, &plain, false, &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
	assert_string_equal(err.text, "mirror: no such interface");
}

static void leniently_it_is_left_out_until_it_is_there(void **state)
{
	struct live *l;
	int said;

	(void)state;
	run("ip link set mirror down");
	l = open_live(true);
	assert_int_equal(live_fd(l, 0), -1);
	assert_int_equal(heard(l, &said), 0);
	assert_int_equal(said, -1);
	assert_int_equal(live_dropped(l, 0) + live_missed(l, 0), 0);
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	assert_false(live_returned(l, 0)); /* it is there, but as it was */
	run("ip link set mirror up");
	veth_wait("mirror");
	assert_true(live_returned(l, 0));
	live_free(l);
	run("ip link delete mirror");
	l = open_live(true);
	assert_int_equal(live_state(l, 0), LIVE_GONE);
	assert_false(live_returned(l, 0));
	run("ip link add mirror type veth peer name wire");
	assert_true(live_returned(l, 0));
	live_free(l);
}

static bool knows_no_ethernet(int link)
{
	return link != 1;
}

static void a_link_type_that_nobody_can_read_is_refused(void **state)
{
	struct live_options o = plain;
	struct live *l;

	(void)state;
	o.known = knows_no_ethernet;
	assert_int_equal(live_new(&l, &o, true, &err), -1);
	assert_string_equal(err.text, "mirror: is of link type 1, which is not known");
}

int main(void)
{
#define IN_NETWORK(f) cmocka_unit_test_setup(f, veth_setup)
	const struct CMUnitTest tests[] = {
		IN_NETWORK(one_that_was_down_is_heard_again_when_it_is_up),
		IN_NETWORK(whoever_waits_is_woken_when_it_is_switched_off),
		IN_NETWORK(down_and_up_before_anybody_looked_is_no_error),
		IN_NETWORK(what_was_heard_before_it_went_is_given),
		IN_NETWORK(one_that_went_is_told_of_when_it_returns),
		IN_NETWORK(one_that_was_lent_away_has_gone_and_returned),
		IN_NETWORK(one_with_another_name_has_gone),
		IN_NETWORK(what_cannot_be_opened_is_refused_and_told_why),
		IN_NETWORK(leniently_it_is_left_out_until_it_is_there),
		IN_NETWORK(a_link_type_that_nobody_can_read_is_refused),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
