/* live: an interface that several processes share: each packet is one's, and both directions of a flow the same one's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/veth.h"
#include "otway/live.h"

#define NUMBERS 60000
#define MOST    4

/* What the processes tell the test. */
struct board {
	volatile bool go;              /* take what there is */
	volatile bool ready[MOST + 1]; /* it has joined */
	volatile uint64_t dropped[MOST + 1], heard[MOST + 1];
	uint8_t times[NUMBERS]; /* each number was heard so often */
	uint8_t by[NUMBERS];    /* and by whom last */
};

static struct board *board;
static struct err err;

static int setup(void **state)
{
	if (board == NULL)
		board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return -1;
	memset(board, 0, sizeof(*board));
	board->go = true;
	return veth_setup(state);
}

static struct live_options shared(uint16_t group, unsigned processes, size_t ring)
{
	static const char *const one[] = { "mirror" };

	return (struct live_options){ .interfaces = one,
		.count = 1,
		.ring = ring,
		.snaplen = 65535,
		.retire = 5000000,
		.group = group,
		.processes = processes };
}

static void hear(void *arg, const struct frame *f)
{
	const unsigned *own = arg;
	int64_t number = veth_number(f->bytes.at, f->bytes.len);

	if (number < 0 || number >= NUMBERS)
		return;
	__atomic_add_fetch(&board->times[number], 1, __ATOMIC_SEQ_CST);
	board->by[number] = (uint8_t)*own;
	board->heard[*own]++;
}

/* A process that listens until it is killed. */
static pid_t start(unsigned own, const struct live_options *o)
{
	pid_t child = fork();
	struct live *l;

	if (child != 0) {
		for (int i = 0; i < 2000 && !board->ready[own]; i++)
			usleep(1000);
		assert_true(board->ready[own]);
		return child;
	}
	if (live_new(&l, o, false, &err) < 0)
		_exit(1);
	board->ready[own] = true;
	for (;;) {
		struct pollfd p = { .fd = live_fd(l, 0), .events = POLLIN };

		poll(&p, 1, 20);
		while (board->go && live_take(l, 0, 100, hear, &own) > 0)
			;
		board->dropped[own] += live_dropped(l, 0);
	}
}

static void end(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status)); /* it had not ended by itself */
}

static uint16_t new_group(void)
{
	uint16_t group;

	if (live_groups(1, &group, &err) < 0)
		fail_msg("%s", err.text);
	return group;
}

/* 200 flows, of each 5 packets in each direction, in turns. Packet 2k + 1 is of the direction opposite to 2k's. */
static void each_packet_is_one_process_s(unsigned processes)
{
	struct live_options o = shared(new_group(), processes, 4 << 20);
	pid_t children[MOST];
	int wire = veth_socket("wire");

	for (unsigned i = 0; i < processes; i++)
		children[i] = start(i, &o);
	for (uint32_t i = 0; i < 2000; i++)
		veth_send(wire, i, 1, i / 2 % 200, i % 2 == 1);
	usleep(200000);
	for (uint32_t i = 0; i < 2000; i++) {
		assert_int_equal(board->times[i], 1);
		assert_int_equal(board->by[i], board->by[i / 2 % 200 * 2]);
	}
	for (unsigned i = 0; i < processes; i++) {
		assert_true(board->heard[i] > 2000 / processes / 4); /* the kernel's hash is no perfect one */
		end(children[i]);
	}
	close(wire);
}

static void two_processes_share_what_comes(void **state)
{
	(void)state;
	each_packet_is_one_process_s(2);
}

static void four_processes_share_what_comes(void **state)
{
	(void)state;
	each_packet_is_one_process_s(4);
}

/* Fragments of a packet have no ports but the first: by addresses alone, all of them go to one. */
static void fragments_of_a_packet_are_not_parted(void **state)
{
	struct live_options o = shared(new_group(), 2, 4 << 20);
	pid_t children[2];
	int wire = veth_socket("wire");
	uint8_t frame[224];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		children[i] = start(i, &o);
	for (uint32_t i = 0; i < 400; i++) {
		veth_frame(frame, sizeof(frame), i, i / 4, false);
		frame[18] = (uint8_t)(i / 4);           /* identification */
		frame[20] = i % 4 == 3 ? 0 : 0x20;      /* more of them */
		frame[21] = (uint8_t)(i % 4 * 204 / 8); /* offset */
		if (i % 4 > 0)
			frame[34] = (uint8_t)i, frame[35] = (uint8_t)(i * 7),
			frame[36] = (uint8_t)(i * 11); /* no ports */
		assert_int_equal(send(wire, frame, sizeof(frame), 0), sizeof(frame));
	}
	usleep(200000);
	for (uint32_t i = 0; i < 400; i++) {
		assert_int_equal(board->times[i], 1);
		assert_int_equal(board->by[i], board->by[i / 4 * 4]);
	}
	assert_true(board->heard[0] > 40 && board->heard[1] > 40);
	end(children[0]);
	end(children[1]);
	close(wire);
}

/* A sender that goes on while processes come and go; how far it is stands in *at. */
static pid_t keep_sending(volatile uint32_t *at)
{
	pid_t child = fork();
	int wire;

	if (child != 0)
		return child;
	for (wire = veth_socket("wire"); *at < NUMBERS; ++*at) {
		veth_send(wire, *at, 1, *at % 50, *at % 3 == 0);
		usleep(20);
	}
	for (;;)
		pause();
}

static void all_heard_once(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		assert_int_equal(board->times[i], 1);
	assert_true(to > from + 100);
}

static void a_process_that_was_killed_is_followed_by_another(void **state)
{
	struct live_options o = shared(new_group(), 2, 4 << 20);
	volatile uint32_t *at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t first = start(0, &o), second = start(1, &o), sender = keep_sending(at);
	uint32_t killed, dead, again;

	(void)state;
	for (unsigned turn = 0; turn < 4; turn++) {
		usleep(100000);
		board->ready[1] = false;
		killed = *at;
		end(second);
		dead = *at + 2;
		usleep(100000); /* the one that is left hears all */
		again = *at;
		second = start(1, &o);
		again = again > dead ? again : dead;
		usleep(100000);
		all_heard_once(dead, again);
		for (uint32_t i = killed; i < *at; i++)
			assert_true(board->times[i] <= 1); /* nobody has what another has */
	}
	again = *at;
	usleep(100000);
	killed = *at;
	end(sender);
	usleep(100000);
	all_heard_once(again, killed);
	end(first);
	end(second);
	munmap((void *)(uintptr_t)at, sizeof(*at));
}

/* While the first process takes nothing, its flows are not given to the second: they are lost, and it says how many. */
static void what_one_loses_is_counted_and_no_flow_moves(void **state)
{
	struct live_options o = shared(new_group(), 2, 1 << 20), alone = shared(0, 1, 1 << 20);
	pid_t children[2];
	struct live *beside;
	int wire = veth_socket("wire");
	uint32_t sent;

	(void)state;
	assert_int_equal(live_new(&beside, &alone, false, &err), 0);
	children[0] = start(0, &o);
	children[1] = start(1, &o);
	board->go = false;
	sent = veth_send(wire, 0, 20000, 5, false);
	usleep(100000);
	board->go = true;
	usleep(300000);
	assert_true(board->dropped[0] + board->dropped[1] > 1000);
	assert_true(board->dropped[0] == 0 || board->dropped[1] == 0);
	assert_true(board->heard[0] == 0 || board->heard[1] == 0);
	assert_int_equal(
		board->heard[0] + board->heard[1] + board->dropped[0] + board->dropped[1] + live_missed(beside, 0),
		sent);
	end(children[0]);
	end(children[1]);
	live_free(beside);
	close(wire);
}

/* As other programs make one. */
static int group_of_others(uint16_t number)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	uint32_t how = (uint32_t)PACKET_FANOUT_HASH << 16 | number;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &how, sizeof(how)), 0);
	return fd;
}

static void a_group_of_others_is_not_joined(void **state)
{
	struct live_options o = shared(new_group(), 2, 1 << 20);
	int fd = group_of_others(o.group);
	struct live *l;

	(void)state;
	assert_int_equal(live_new(&l, &o, true, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	assert_non_null(strstr(err.text, "another program's"));
	close(fd);
	assert_int_equal(live_new(&l, &o, false, &err), 0);
	live_free(l);
}

static void no_more_processes_share_than_there_are(void **state)
{
	struct live_options o = shared(new_group(), 2, 1 << 20);
	struct live *l[3];

	(void)state;
	assert_int_equal(live_new(&l[0], &o, false, &err), 0);
	assert_int_equal(live_new(&l[1], &o, false, &err), 0);
	assert_int_equal(live_new(&l[2], &o, false, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	live_free(l[0]);
	assert_int_equal(live_new(&l[2], &o, false, &err), 0);
	live_free(l[1]);
	live_free(l[2]);
}

/* The kernel gives the next ones; in their midst are some that are taken. */
static void groups_in_a_row_are_found_that_nobody_has(void **state)
{
	uint16_t first, taken;
	int others[2];

	(void)state;
	assert_int_equal(live_groups(16, &first, &err), 0);
	others[0] = group_of_others((uint16_t)(first + 20));
	others[1] = group_of_others((uint16_t)(first + 30));
	taken = first;
	assert_int_equal(live_groups(16, &first, &err), 0);
	assert_false((uint16_t)(taken + 20 - first) < 16);
	assert_false((uint16_t)(taken + 30 - first) < 16);
	for (uint16_t i = 0; i < 16; i++)
		close(group_of_others((uint16_t)(first + i)));
	close(others[0]);
	close(others[1]);
	assert_int_equal(live_groups(LIVE_GROUPS + 1, &first, &err), -1);
}

int main(void)
{
#define IN_NETWORK(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		IN_NETWORK(two_processes_share_what_comes),
		IN_NETWORK(four_processes_share_what_comes),
		IN_NETWORK(fragments_of_a_packet_are_not_parted),
		IN_NETWORK(a_process_that_was_killed_is_followed_by_another),
		IN_NETWORK(what_one_loses_is_counted_and_no_flow_moves),
		IN_NETWORK(a_group_of_others_is_not_joined),
		IN_NETWORK(no_more_processes_share_than_there_are),
		IN_NETWORK(groups_in_a_row_are_found_that_nobody_has),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
