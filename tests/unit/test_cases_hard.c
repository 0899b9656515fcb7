/*
 * cases where it is hard: processes killed at any moment, full disks, packets that wait for keys, calls that are very long or very many.
 */
#include "cases_scene.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <time.h>

static void finish(struct live *l)
{
	if (cases_finish(l->cases, l->now, 120 * NSEC_PER_SEC, &l->scene->err) < 0)
		fail_msg("%s", l->scene->err.text);
}

/* Of this process alone: what others do on the same cores is not its fault. */
static uint64_t own_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The number of a packet that is sent in the tests below, said in its payload: none may be there twice, half or be missing. */
static int send_numbered(struct live *l, uint32_t call, uint32_t number)
{
	uint8_t media[160];
	struct packet_said p;

	for (size_t i = 0; i < sizeof(media); i += 4)
		put_be32(media + i, number);
	p = rtp_said(l->scene, number, START + (nsec_t)number * MS, (struct bytes){ media, sizeof(media) });
	p.call = p.m.call = call;
	return take_packet(p);
}

/* A process that takes in records, telling by a pipe what is beyond its own reach: the next number after each cases_time. */
static void writer(struct live *l, uint32_t from, int tell)
{
	uint32_t number = from;

	cases_free(l->cases);
	open_cases(l);
	for (;;) {
		for (int i = 0; i < 20; i++, number++) {
			if (number % 50 == 0)
				take_sip(
					l->scene, 1, 1 + number % 3, START + (nsec_t)number * MS, sip_flow(), 17, used);
			send_numbered(l, 1 + number % 3, number);
		}
		l->now += NSEC_PER_SEC / 20;
		cases_time(l->cases, l->now, &l->scene->err);
		if (write(tell, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
}

/* Lets one write for a while, kills it, and says up to which number all is safe. */
static uint32_t killed(struct live *l, uint32_t from, unsigned microseconds)
{
	uint32_t safe = from, told;
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		writer(l, from, pipes[1]);
	}
	close(pipes[1]);
	if (read(pipes[0], &told, sizeof(told)) == sizeof(told)) /* it has begun */
		safe = told;
	usleep(microseconds);
	kill(pid, SIGKILL);
	while (read(pipes[0], &told, sizeof(told)) == sizeof(told))
		safe = told;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return safe;
}

/* Which numbers there are in the evidence, by tshark: each as often as it is there. */
static void read_numbers(const struct live *l, uint8_t *times, uint32_t max)
{
	char command[512], line[64], folder[256];
	FILE *f;

	folder_of(l, "LI-A", folder);
	for (int call = 1; call <= 3; call++) {
		snprintf(command, sizeof(command),
			"tshark -n -r %s/call-000%d/media.pcap -d udp.port==32000,rtp -T fields -e rtp.payload -e data "
			"2>/dev/null | cut "
			"-c1-8,313-",
			folder, call);
		f = popen(command, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f) != NULL) {
			char first[9], last[9];
			unsigned long n;

			assert_int_equal(sscanf(line, "%8[0-9a-f]%8[0-9a-f]", first, last), 2);
			assert_string_equal(first, last); /* it is whole */
			n = strtoul(first, NULL, 16);
			assert_true(n < max);
			times[n]++;
		}
		assert_int_equal(pclose(f), 0);
	}
}

static void whenever_a_process_is_killed_nothing_is_there_twice_or_half_and_nothing_safe_is_missing(void **state)
{
	struct live *l = live_new(1);
	uint32_t from = 0, gaps = 0, begun[64], safe[64];
	uint8_t *times = calloc(1 << 22, 1);
	struct folder *none = l->scene->folder;

	(void)state;
	assert_non_null(times);
	l->scene->folder = NULL;
	srand(7);
	for (gaps = 0; gaps < 24; gaps++) {
		begun[gaps] = from;
		safe[gaps] = killed(l, from, (unsigned)(rand() % 60000));
		from = safe[gaps] + 100000 / 24; /* what the next one sends is told from what that one may have sent */
	}
	cases_free(l->cases);
	open_cases(l);
	finish(l);
	read_numbers(l, times, 1 << 22);
	for (uint32_t g = 0; g < gaps; g++)
		for (uint32_t n = begun[g]; n < safe[g]; n++)
			assert_int_equal(times[n], 1);
	for (uint32_t n = 0; n < 1 << 22; n++)
		assert_true(times[n] <= 1);
	l->scene->folder = none;
	free(times);
	live_free(l);
}

static void one_killed_while_it_finishes_leaves_it_to_the_next(void **state)
{
	(void)state;
	for (unsigned wait = 0; wait < 30; wait += 3) {
		struct live *l = live_new(1);
		pid_t pid;

		say_call(l, 1, 1, START);
		say_call(l, 1, 2, START);
		say_over(l, 1, 1);
		say_over(l, 1, 2);
		pass(l, NSEC_PER_SEC);
		cases_free(l->cases);
		pid = fork();
		if (pid == 0) {
			open_cases(l);
			cases_finish(l->cases, l->now, 60 * NSEC_PER_SEC, &l->scene->err);
			_exit(0);
		}
		usleep(wait * 4000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		usleep(20000); /* what it had started goes with it */
		open_cases(l);
		finish(l);
		assert_int_equal(scene_finish(l->scene), 0);
		assert_same_evidence(l, "LI-A");
		live_free(l);
	}
}

static struct datagram held_packet(struct made *m, uint32_t number)
{
	uint8_t octets[200];
	struct flow flow = { host(11, 31000), host(12, 32000) };

	memset(octets, 0x80, sizeof(octets));
	put_be32(octets, number);
	*m = make_packet(flow, 17, false, (struct bytes){ octets, sizeof(octets) });
	return (struct datagram){
		.at = START + number,
		.proto = 17,
		.flow = flow,
		.packet = { m->at, m->len },
		.payload = { m->at + m->payload_at, m->len - m->payload_at },
		.header = 8,
	};
}

static int hold(struct live *l, uint32_t front, uint32_t call, uint32_t number)
{
	struct made m;
	struct datagram d = held_packet(&m, number);

	return cases_held(l->cases, front, call, &d, &l->scene->err);
}

static void assert_back(struct live *l, uint32_t front, uint32_t call, uint32_t expected_call, uint32_t number)
{
	struct datagram d;
	uint32_t of;

	assert_true(cases_held_back(l->cases, front, call, &of, &d));
	assert_int_equal(of, expected_call);
	assert_int_equal(d.at, START + number);
	assert_int_equal(d.payload.len, 200);
	assert_int_equal(be32(d.payload.at), number);
	assert_int_equal(d.flow.src.port, 31000);
}

static bool back(struct live *l, uint32_t front, uint32_t call)
{
	struct datagram d;
	uint32_t of;

	return cases_held_back(l->cases, front, call, &of, &d);
}

static void packets_that_wait_are_handed_back_in_order_once_to_whom_they_belong(void **state)
{
	struct live *l = live_new(1);

	(void)state;
	assert_false(back(l, 0, 7));
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(hold(l, 0, 7, i), 0);
		assert_int_equal(hold(l, 1, 7, 1000 + i), 0);
		assert_int_equal(hold(l, 0, 8, 2000 + i), 0);
	}
	assert_int_equal(counted(l, "held"), 300);
	for (uint32_t i = 0; i < 60; i++)
		assert_back(l, 0, 7, 7, i);
	assert_int_equal(hold(l, 0, 7, 100), 0); /* behind those that are there */
	assert_int_equal(cases_time(l->cases, l->now, &l->scene->err), 0);
	cases_free(l->cases); /* another process goes on where that one was */
	open_cases(l);
	for (uint32_t i = 60; i < 101; i++)
		assert_back(l, 0, 7, 7, i);
	assert_false(back(l, 0, 7));
	for (uint32_t i = 0; i < 100; i++)
		assert_back(l, 0, UINT32_MAX, 8, 2000 + i);
	assert_false(back(l, 0, UINT32_MAX));
	for (uint32_t i = 0; i < 100; i++)
		assert_back(l, 1, 7, 7, 1000 + i);
	assert_false(back(l, 1, 7));
	assert_int_equal(counted(l, "held"), 0);
	assert_int_equal(counted(l, "held_octets"), 0);
	live_free(l);
}

static void packets_that_wait_are_bounded_and_those_of_another_run_are_told_as_a_gap(void **state)
{
	struct live *l = live_new(1);
	uint32_t held = 0;
	json_t *root;

	(void)state;
	while (hold(l, 0, 7, held) == 0)
		held++;
	assert_true(held * 230 < 1 << 20 && held * 400 > 1 << 20); /* options say 1 MiB */
	for (int i = 1; i < 10; i++)
		assert_int_equal(hold(l, 0, 7, held + (uint32_t)i), -1);
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_string_equal(json_string_value(json_at(root, "gaps.0.reason")), "queue");
	assert_int_equal(json_integer_value(json_at(root, "gaps.0.packets")), 10);
	json_decref(root);
	cases_free(l->cases);
	l->options.run = 2;
	open_cases(l);
	assert_false(back(l, 0, UINT32_MAX));
	pass(l, 2 * NSEC_PER_SEC);
	root = live_case(l, "LI-A");
	assert_string_equal(json_string_value(json_at(root, "gaps.1.reason")), "role");
	assert_int_equal(json_integer_value(json_at(root, "gaps.1.packets")), held);
	json_decref(root);
	live_free(l);
}

/* A small file system of its own for the directory of cases, seen by this process alone. False: not allowed here. */
static bool small_disk(const struct live *l)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", l->dir, "tmpfs", 0, "size=8m") == 0;
}

static void fill_disk(const struct live *l, bool full)
{
	char path[128], octets[4096] = { 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/ballast", l->dir);
	if (!full) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, octets, sizeof(octets)) > 0)
		;
	while (write(fd, octets, 1) > 0)
		;
	close(fd);
}

/* In a process of its own, since its file systems are. */
static int on_a_full_disk(struct live *l)
{
	uint32_t kept = 0, lost = 0, n;
	json_t *root;

	cases_free(l->cases);
	if (!small_disk(l))
		return 77;
	l->options.wait_octets = 256 << 10;
	open_cases(l);
	l->scene->folder = NULL;
	for (n = 0; n < 500; n++)
		assert_int_equal(send_numbered(l, 1 + n % 3, n), 0);
	pass(l, NSEC_PER_SEC);
	fill_disk(l, true);
	for (; n < 5000; n++) { /* memory takes some of them */
		send_numbered(l, 1 + n % 3, n);
		if (n % 100 == 0) {
			l->now += NSEC_PER_SEC / 10;
			assert_int_equal(cases_time(l->cases, l->now, &l->scene->err), -1);
			assert_non_null(strstr(l->scene->err.text, "No space left on device"));
		}
	}
	lost = (uint32_t)counted(l, "records_lost");
	kept = n - lost;
	assert_true(lost > 1000 && kept > 700); /* a record takes about 700 octets, memory has 256 KiB */
	assert_true(counted(l, "waiting") <= 256 << 10);
	fill_disk(l, false);
	pass(l, NSEC_PER_SEC);
	for (; n < 5500; n++)
		if (send_numbered(l, 1 + n % 3, n) < 0)
			fail_msg("%s", l->scene->err.text);
	finish(l);
	root = live_case(l, "LI-A");
	assert_int_equal(json_array_size(json_at(root, "gaps")), 1);
	assert_string_equal(json_string_value(json_at(root, "gaps.0.reason")), "disk");
	assert_int_equal(json_integer_value(json_at(root, "gaps.0.packets")), lost);
	assert_int_equal(json_integer_value(json_at(root, "calls.0.streams.0.packets")) +
				 json_integer_value(json_at(root, "calls.1.streams.0.packets")) +
				 json_integer_value(json_at(root, "calls.2.streams.0.packets")),
		5500 - lost);
	json_decref(root);
	return 0;
}

static void a_full_disk_costs_what_memory_cannot_keep_and_that_is_told(void **state)
{
	struct live *l = live_new(1);
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(on_a_full_disk(l));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	live_free(l);
}

/* A call with so much sound that making a file of it takes a while, and another one meanwhile. */
static void records_are_taken_in_while_a_long_call_is_made_sound_of(void **state)
{
	struct live *l = live_new(1);
	uint64_t worst = 0, before, took;
	struct folder *none = l->scene->folder;
	uint32_t n, turns = 0;

	(void)state;
	l->scene->folder = NULL;
	take_facts(l->scene, 1, 1, simple_facts());
	for (n = 0; n < 60000; n++) { /* 20 minutes */
		uint8_t media[160];
		struct packet_said p;

		memset(media, (int)(n % 251), sizeof(media));
		p = rtp_said(l->scene, n, START + (nsec_t)n * 20 * MS, (struct bytes){ media, sizeof(media) });
		assert_int_equal(take_packet(p), 0);
		if (n % 500 == 0)
			pass(l, NSEC_PER_SEC / 2);
	}
	say_over(l, 1, 1);
	for (n = 0; counted(l, "calls_finished") == 0 && turns < 6000; turns++) {
		before = own_time();
		for (int i = 0; i < 20; i++, n++)
			assert_int_equal(send_numbered(l, 2, n), 0);
		l->now += NSEC_PER_SEC / 10;
		assert_int_equal(cases_time(l->cases, l->now, &l->scene->err), 0);
		took = own_time() - before;
		worst = took > worst ? took : worst;
		usleep(2000);
	}
	assert_int_equal(counted(l, "calls_finished"), 1);
	print_message("the longest turn: %.1f ms in %u\n", (double)worst / 1e6, turns);
	assert_true(turns > 20); /* it did take a while, and nobody waited for it */
	if (getenv("OTWAY_SLOW") == NULL)
		assert_true(worst < UINT64_C(100) * 1000000);
	l->scene->folder = none;
	live_free(l);
}

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1 /* what is freed is kept for a while */
#else
#define SANITIZED 0
#endif

/* Octets of memory of this process that are its own. */
static long memory(void)
{
	long pages = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld %ld", &pages, &shared), 2);
	fclose(f);
	return (pages - shared) * sysconf(_SC_PAGESIZE);
}

static void call_after_call_takes_no_more_memory(void **state)
{
	struct live *l = live_new(1);
	struct folder *none = l->scene->folder;
	long at[3] = { 0 };
	uint32_t call = 0;

	(void)state;
	l->scene->folder = NULL;
	l->options.rotate_time = 60 * NSEC_PER_SEC;
	l->options.settle = NSEC_PER_SEC;
	cases_set(l->cases, &l->options);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 15; i++) {
			for (int j = 0; j < 10; j++) {
				call++;
				say_call(l, 1, call, l->now);
				say_over(l, 1, call);
			}
			pass(l, 20 * NSEC_PER_SEC);
			for (int tries = 0; tries < 2000 && counted(l, "calls_open") > 0; tries++) {
				usleep(2000);
				pass(l, NSEC_PER_SEC / 2);
			}
		}
		at[round] = memory();
	}
	assert_true(counted(l, "folders_closed") >= 10);
	assert_true(counted(l, "folders_open") <= 3);
	print_message("after 150, 300 and 450 calls: %ld, %ld, %ld KiB\n", at[0] >> 10, at[1] >> 10, at[2] >> 10);
	if (getenv("OTWAY_SLOW") == NULL && !SANITIZED)
		assert_true(at[2] - at[1] < 256 << 10);
	l->scene->folder = none;
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			whenever_a_process_is_killed_nothing_is_there_twice_or_half_and_nothing_safe_is_missing),
		cmocka_unit_test(one_killed_while_it_finishes_leaves_it_to_the_next),
		cmocka_unit_test(packets_that_wait_are_handed_back_in_order_once_to_whom_they_belong),
		cmocka_unit_test(packets_that_wait_are_bounded_and_those_of_another_run_are_told_as_a_gap),
		cmocka_unit_test(a_full_disk_costs_what_memory_cannot_keep_and_that_is_told),
		cmocka_unit_test(records_are_taken_in_while_a_long_call_is_made_sound_of),
		cmocka_unit_test(call_after_call_takes_no_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
