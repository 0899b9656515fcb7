/* port: messages come over whole, in order, within bounds; also between processes, one of which dies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/port.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON  (50 * NSEC_PER_SEC / 1000)
#define QUEUE ((size_t)1 << 20)

struct scene {
	struct loop *loop;
	int fds[2];
	struct port *a, *b; /* a sends, b takes */
	uint32_t taken, pause_at, stop_at;
	enum msg_type type;
	struct buf last;
};

/* Bodies begin with their number. */
static void on_taken(void *arg, enum msg_type type, struct bytes body)
{
	struct scene *s = arg;

	s->type = type;
	buf_reset(&s->last);
	buf_add(&s->last, body.at, body.len);
	if (body.len >= 4)
		assert_int_equal(be32(body.at), s->taken);
	s->taken++;
	if (s->taken == s->pause_at)
		port_pause(s->b, true);
	if (s->taken == s->stop_at)
		loop_stop(s->loop);
}

static struct port *port_of(struct scene *s, int fd, size_t queue)
{
	struct port *p;

	assert_int_equal(port_new(&p, s->loop, dup(fd), queue, on_taken, s, NULL), 0);
	return p;
}

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ .loop = loop_new() };
	assert_int_equal(port_pair(s->fds, QUEUE, NULL), 0);
	s->a = port_of(s, s->fds[0], QUEUE);
	s->b = port_of(s, s->fds[1], QUEUE);
}

static void scene_end(struct scene *s)
{
	port_free(s->a);
	port_free(s->b);
	close(s->fds[0]);
	close(s->fds[1]);
	loop_free(s->loop);
	buf_clear(&s->last);
}

static bool send_number(struct scene *s, uint32_t number, size_t len)
{
	static uint8_t body[PORT_MESSAGE_MAX];

	put_be32(body, number);
	return port_send(s->a, MSG_RECORD, (struct bytes){ body, len });
}

static void turn(struct scene *s)
{
	loop_run(s->loop, loop_now() + SOON);
}

static void messages_come_over_whole_and_in_order(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (uint32_t i = 0; i < 2000; i++)
		assert_true(send_number(&s, i, 4 + i % 300));
	s.stop_at = 2000;
	turn(&s);
	assert_int_equal(s.taken, 2000);
	assert_int_equal(s.type, MSG_RECORD);
	assert_int_equal(s.last.len, 4 + 1999 % 300);
	assert_int_equal(port_waiting(s.a), 0);
	scene_end(&s);
}

static void a_message_may_be_empty(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	assert_true(port_send(s.a, MSG_PING, (struct bytes){ NULL, 0 }));
	turn(&s);
	assert_int_equal(s.taken, 1);
	assert_int_equal(s.type, MSG_PING);
	assert_int_equal(s.last.len, 0);
	scene_end(&s);
}

static void what_is_sent_in_a_turn_leaves_together_at_its_end(void **state)
{
	struct scene s;
	uint8_t octets[64];

	(void)state;
	scene_begin(&s);
	port_pause(s.b, true);
	assert_true(send_number(&s, 0, 4));
	assert_true(send_number(&s, 1, 4));
	assert_int_equal(recv(s.fds[1], octets, sizeof(octets), MSG_DONTWAIT), -1);
	turn(&s);
	assert_int_equal(recv(s.fds[1], octets, sizeof(octets), MSG_DONTWAIT), 2 * (6 + 4));
	assert_int_equal(recv(s.fds[1], octets, sizeof(octets), MSG_DONTWAIT), -1);
	scene_end(&s);
}

static void the_longest_message_goes_over_and_a_longer_one_does_not(void **state)
{
	static uint8_t longer[PORT_MESSAGE_MAX + 1];
	struct scene s;

	(void)state;
	scene_begin(&s);
	assert_true(send_number(&s, 0, 4));
	assert_true(send_number(&s, 1, PORT_MESSAGE_MAX));
	assert_true(send_number(&s, 2, PORT_MESSAGE_MAX));
	assert_true(send_number(&s, 3, 5));
	assert_false(port_send(s.a, MSG_RECORD, (struct bytes){ longer, sizeof(longer) }));
	turn(&s);
	assert_int_equal(s.taken, 4);
	assert_int_equal(s.last.len, 5);
	scene_end(&s);
}

/* The other side does not read: the kernel takes some, the queue keeps some, then there is no room; and nothing of what found none. */
static void what_has_no_room_is_refused_and_what_had_comes_over(void **state)
{
	struct scene s;
	uint32_t sent = 0;

	(void)state;
	scene_begin(&s);
	port_pause(s.b, true);
	for (unsigned i = 0; i < 100; i++) {
		while (send_number(&s, sent, 1000))
			sent++;
		assert_true(port_waiting(s.a) <= QUEUE);
		port_flush(s.a);
	}
	assert_true(port_waiting(s.a) > QUEUE - 1006);
	assert_true(sent > QUEUE / 1006 && sent < 4 * QUEUE / 1006);
	s.stop_at = sent;
	port_pause(s.b, false);
	loop_run(s.loop, loop_now() + NSEC_PER_SEC);
	assert_int_equal(s.taken, sent);
	assert_int_equal(port_waiting(s.a), 0);
	assert_true(send_number(&s, sent, 1000)); /* there is room again */
	turn(&s);
	assert_int_equal(s.taken, sent + 1);
	scene_end(&s);
}

static void a_pause_in_the_midst_of_a_datagram_keeps_its_rest(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.pause_at = 3;
	for (uint32_t i = 0; i < 10; i++)
		assert_true(send_number(&s, i, 4));
	turn(&s);
	assert_int_equal(s.taken, 3);
	turn(&s);
	assert_int_equal(s.taken, 3);
	assert_true(send_number(&s, 10, 4));
	port_pause(s.b, false);
	turn(&s);
	assert_int_equal(s.taken, 11);
	scene_end(&s);
}

static void what_is_no_message_is_counted_and_nothing_of_it_given(void **state)
{
	static const struct {
		uint8_t octets[16];
		size_t len;
	} bad[] = {
		{ { 0, MSG_PING, 0, 0, 0 }, 5 },                           /* a header that is cut */
		{ { 0, 0, 0, 0, 0, 0 }, 6 },                               /* no type */
		{ { 0, MSG_TYPES, 0, 0, 0, 0 }, 6 },                       /* a type that there is not */
		{ { 0, MSG_PING, 0, 0, 0, 2, 1 }, 7 },                     /* longer than its datagram */
		{ { 0, MSG_PING, 0xff, 0xff, 0xff, 0xff, 1 }, 7 },         /* by far */
		{ { 0, MSG_PING, 0, 0, 0, 0, 0, MSG_PING, 0, 0, 0 }, 11 }, /* a good one before a cut one */
	};
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(send(s.fds[0], bad[i].octets, bad[i].len, 0), bad[i].len);
		turn(&s);
		assert_int_equal(port_broken(s.b), i + 1);
		assert_int_equal(s.taken, 0);
	}
	assert_true(send_number(&s, 0, 4));
	turn(&s);
	assert_int_equal(s.taken, 1);
	assert_false(port_ended(s.b));
	scene_end(&s);
}

static void longer_than_any_message_is_none(void **state)
{
	static uint8_t octets[PORT_MESSAGE_MAX + 7] = { 0, MSG_RECORD, 0, 4, 0, 1 };
	int room = 4 << 20;
	struct scene s;

	(void)state;
	scene_begin(&s);
	setsockopt(s.fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	assert_int_equal(send(s.fds[0], octets, sizeof(octets), 0), sizeof(octets));
	turn(&s);
	assert_int_equal(port_broken(s.b), 1);
	assert_int_equal(s.taken, 0);
	scene_end(&s);
}

static void an_end_that_everybody_closed_is_told_and_nothing_is_sent(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	close(s.fds[0]);
	s.fds[0] = -1;
	port_free(s.a);
	s.a = NULL;
	assert_false(port_ended(s.b));
	assert_false(loop_run(s.loop, NSEC_NONE)); /* and nothing is left to wait for */
	assert_true(port_ended(s.b));
	assert_false(port_send(s.b, MSG_PING, (struct bytes){ NULL, 0 }));
	scene_end(&s);
}

static void a_writer_finds_out_that_nobody_reads(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	port_pause(s.a, true); /* it does not read, where it would see the end */
	port_free(s.b);
	s.b = NULL;
	close(s.fds[1]);
	s.fds[1] = -1;
	assert_true(send_number(&s, 0, 4));
	assert_true(port_flush(s.a));
	assert_true(port_ended(s.a));
	assert_int_equal(port_waiting(s.a), 0);
	scene_end(&s);
}

/* What a reader in a process of its own has taken, it tells by a pipe, number by number. */
struct reader {
	struct loop *loop;
	struct port *port;
	int tell;
	unsigned slow, left; /* microseconds for each; after how many it dies (0: never) */
};

static void read_and_tell(void *arg, enum msg_type type, struct bytes body)
{
	struct reader *r = arg;
	uint32_t number = be32(body.at);

	(void)type;
	if (write(r->tell, &number, sizeof(number)) != sizeof(number))
		_exit(9);
	if (r->slow > 0)
		usleep(r->slow);
	if (r->left > 0 && --r->left == 0)
		kill(getpid(), SIGKILL);
}

static pid_t reader_start(struct scene *s, int tell, unsigned slow, unsigned dies_after)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct reader r = { .loop = loop_new(), .tell = tell, .slow = slow, .left = dies_after };

		close(s->fds[0]);
		if (port_new(&r.port, r.loop, s->fds[1], QUEUE, read_and_tell, &r, NULL) < 0)
			_exit(8);
		loop_run(r.loop, loop_now() + 10 * NSEC_PER_SEC);
		_exit(0);
	}
	return pid;
}

static unsigned numbers(int from, uint32_t *out, unsigned max)
{
	unsigned n = 0;

	while (n < max && read(from, &out[n], sizeof(out[n])) == sizeof(out[n]))
		n++;
	return n;
}

/* One message in each datagram, so that none lies half done in the reader that is killed. */
static void the_successor_of_a_reader_that_died_gets_the_rest(void **state)
{
	struct scene s;
	uint32_t got[100];
	int tell[2];
	pid_t first, second;

	(void)state;
	scene_begin(&s);
	assert_int_equal(pipe(tell), 0);
	for (uint32_t i = 0; i < 100; i++) {
		assert_true(send_number(&s, i, 500));
		assert_true(port_flush(s.a));
	}
	first = reader_start(&s, tell[1], 0, 37);
	assert_int_equal(waitpid(first, NULL, 0), first);
	second = reader_start(&s, tell[1], 0, 63);
	assert_int_equal(waitpid(second, NULL, 0), second);
	close(tell[1]);
	assert_int_equal(numbers(tell[0], got, 100), 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(got[i], i);
	close(tell[0]);
	scene_end(&s);
}

static void what_is_drained_is_taken_by_a_slow_reader(void **state)
{
	static uint32_t got[4000];
	struct scene s;
	uint32_t sent = 0;
	int tell[2];
	pid_t pid;

	(void)state;
	scene_begin(&s);
	assert_int_equal(pipe(tell), 0);
	while (sent < 4000 && send_number(&s, sent, 1000))
		sent++;
	assert_false(port_drain(s.a, SOON)); /* nobody reads */
	pid = reader_start(&s, tell[1], 50, sent);
	assert_true(port_drain(s.a, 10 * NSEC_PER_SEC));
	assert_int_equal(port_waiting(s.a), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(tell[1]);
	assert_int_equal(numbers(tell[0], got, 4000), sent);
	for (uint32_t i = 0; i < sent; i++)
		assert_int_equal(got[i], i);
	close(tell[0]);
	scene_end(&s);
}

static void the_ends_of_a_pair_do_not_outlive_another_program(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(port_pair(fds, 0, NULL), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_over_whole_and_in_order),
		cmocka_unit_test(a_message_may_be_empty),
		cmocka_unit_test(what_is_sent_in_a_turn_leaves_together_at_its_end),
		cmocka_unit_test(the_longest_message_goes_over_and_a_longer_one_does_not),
		cmocka_unit_test(what_has_no_room_is_refused_and_what_had_comes_over),
		cmocka_unit_test(a_pause_in_the_midst_of_a_datagram_keeps_its_rest),
		cmocka_unit_test(what_is_no_message_is_counted_and_nothing_of_it_given),
		cmocka_unit_test(longer_than_any_message_is_none),
		cmocka_unit_test(an_end_that_everybody_closed_is_told_and_nothing_is_sent),
		cmocka_unit_test(a_writer_finds_out_that_nobody_reads),
		cmocka_unit_test(the_successor_of_a_reader_that_died_gets_the_rest),
		cmocka_unit_test(what_is_drained_is_taken_by_a_slow_reader),
		cmocka_unit_test(the_ends_of_a_pair_do_not_outlive_another_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
