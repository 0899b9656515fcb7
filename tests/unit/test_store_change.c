/*
 * store: who else changed it, and how soon that is seen; which store it is; writers at the same time. In SQLite, or in PostgreSQL
 * at the URL that is the argument.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/store_scene.h"

#define WRITERS    8
#define ACTS       12
#define ROUNDS     15
#define WITHIN     (100 * NSEC_PER_SEC / 1000) /* of a change becoming visible */
#define PATIENT_MS 5000

/* A thousand warrants of the first agency at once, as no program of ours enters them; salt: an expression of 16 octets. */
#define THOUSAND(salt)                                                                                                 \
	"INSERT INTO warrant (liid, agency, authority, scope, diverted, trust_from, starts, ends, from_entered,"       \
	" until_entered, added, salt)"                                                                                 \
	" SELECT 'L' || i, 1, 'x', 'all', 'content', 0, 1, 2, 'now', '+1h', 1, " salt " FROM n ORDER BY i"

static bool changed(struct bench *b)
{
	bool is = false;

	if (store_changed(b->store, &is, &b->err) < 0)
		fail_msg("%s", b->err.text);
	return is;
}

/* A change by another hand: another connection, as another program has it. */
static void by_another(struct bench *b, const char *agency)
{
	struct bench other = *b;

	other.store = NULL;
	scene_open(&other);
	scene_agency(&other, agency);
	store_free(other.store);
}

/* Waits as a loop does. */
static bool comes(struct bench *b)
{
	struct pollfd p = { store_fd(b->store), POLLIN, 0 };
	nsec_t end = nsec_now() + PATIENT_MS * (NSEC_PER_SEC / 1000);

	assert_true(p.fd >= 0);
	while (nsec_now() < end) {
		if (changed(b))
			return true;
		poll(&p, 1, 1000);
	}
	return false;
}

static void the_first_look_tells_of_a_change(void **state)
{
	struct bench *b = *state;

	assert_int_equal(store_fd(b->store), -1);
	assert_true(changed(b));
	assert_false(changed(b));
	assert_true(store_fd(b->store) >= 0);
}

static void what_others_commit_is_told_once_and_what_we_do_is_not(void **state)
{
	struct bench *b = *state;

	changed(b);
	scene_agency(b, "Police");
	assert_false(changed(b));
	by_another(b, "Customs");
	assert_true(comes(b));
	assert_false(changed(b));
}

static int ignore_agency(void *arg, const struct agency *a)
{
	(void)arg;
	(void)a;
	return 0;
}

static void a_change_is_told_even_if_a_reading_took_its_signal_in(void **state)
{
	struct bench *b = *state;

	changed(b);
	by_another(b, "Customs");
	usleep(100 * 1000);
	assert_int_equal(store_agency_each(b->store, NULL, ignore_agency, NULL, &b->err), 0);
	assert_true(changed(b));
}

static void what_is_not_committed_is_not_told(void **state)
{
	struct bench *b = *state;

	changed(b);
	scene_sql(b, "BEGIN; INSERT INTO agency (name, country, added) VALUES ('Customs', 'NZ', 1); ROLLBACK");
	usleep(100 * 1000);
	assert_false(changed(b));
	scene_sql(b, "BEGIN; INSERT INTO agency (name, country, added) VALUES ('Customs', 'NZ', 1); COMMIT");
	assert_true(comes(b));
}

static int ascending(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return x < y ? -1 : x > y;
}

/* One end of a socket gets a word when to write; the other hears when the commit was done. */
static void write_on_word(struct bench *b, int words, int done)
{
	struct bench other = *b;
	struct target target;
	bool fresh;
	char word, liid[16];
	int n = 0;

	scene_open(&other);
	while (read(words, &word, 1) == 1) {
		struct warrant_row r;
		nsec_t at;

		snprintf(liid, sizeof(liid), "LIID-%d", n++);
		r = scene_warrant(liid, &target);
		if (store_warrant_add(other.store, &r, &fresh, &other.err) < 0)
			_exit(1);
		at = nsec_now();
		if (write(done, &at, sizeof(at)) != sizeof(at))
			_exit(1);
	}
	store_free(other.store);
	_exit(0);
}

static void a_warrant_is_seen_within_a_tenth_of_a_second(void **state)
{
	struct bench *b = *state;
	nsec_t late[ROUNDS], committed;
	int words[2], done[2], status;
	struct warrant_set set;
	pid_t child;

	scene_agency(b, "Police");
	assert_int_equal(pipe2(words, O_CLOEXEC) | pipe2(done, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(words[1]);
		write_on_word(b, words[0], done[1]);
	}
	changed(b);
	for (int i = 0; i < ROUNDS; i++) {
		nsec_t seen;

		assert_int_equal(write(words[1], "w", 1), 1);
		assert_true(comes(b));
		assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
		seen = nsec_now();
		assert_int_equal(set.count, i + 1);
		warrant_set_clear(&set);
		assert_int_equal(read(done[0], &committed, sizeof(committed)), (int)sizeof(committed));
		late[i] = seen > committed ? seen - committed : 0;
		changed(b);
	}
	close(words[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	qsort(late, ROUNDS, sizeof(late[0]), ascending);
	print_message("a change is seen after %.2f ms (median), %.2f ms at worst\n", (double)late[ROUNDS / 2] / 1e6,
		(double)late[ROUNDS - 1] / 1e6);
	assert_true(late[ROUNDS / 2] < WITHIN);
	close(words[0]);
	close(done[0]);
	close(done[1]);
}

/* However many there are, all are read as one: what a change costs those who act on it. */
static void a_thousand_warrants_are_read_within_a_second(void **state)
{
	struct bench *b = *state;
	struct warrant_set set;
	nsec_t begun, took = INT64_MAX;

	scene_agency(b, "Police");
	scene_sql(b,
		scene_text("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) " THOUSAND(
				   "zeroblob(16)"),
			"WITH n (i) AS (SELECT generate_series(1, 1000)) " THOUSAND(
				"decode(repeat('00', 16), 'hex')")));
	scene_sql(b, "INSERT INTO warrant_target (warrant, place, uri) SELECT number, 0, 'sip:' || liid || "
		     "'@ims.example' FROM warrant;"
		     "INSERT INTO warrant_target (warrant, place, uri) SELECT number, 1, 'tel:+64' || (1000000 + "
		     "number) FROM warrant");
	for (int i = 0; i < 5; i++) {
		begun = nsec_now();
		assert_int_equal(store_warrants_in_use(b->store, NULL, 0, &set, &b->err), 0);
		if (nsec_now() - begun < took)
			took = nsec_now() - begun;
		assert_int_equal(set.count, 1000);
		assert_int_equal(set.all[999].target_count, 2);
		assert_string_equal(set.all[999].targets[0].uri, "sip:L1000@ims.example");
		assert_string_equal(set.all[999].targets[1].uri, "tel:+641001000");
		warrant_set_clear(&set);
	}
	print_message("a thousand warrants are read in %.2f ms\n", (double)took / 1e6);
	assert_true(took < NSEC_PER_SEC); /* a tenth of it, but for sanitizers */
}

/* Each appends to the trail, and enters an agency of its own; all try to enter the same one. */
static void write_much(struct bench *b, int writer)
{
	struct bench own = *b;
	char name[32];

	scene_open(&own);
	for (int i = 0; i < ACTS; i++) {
		struct agency a = { .name = name };
		bool fresh;

		snprintf(name, sizeof(name), i % 2 == 0 ? "Agency %d" : "Agency %d of %d", i, writer);
		if (store_audit(own.store, "decrypt", "captures", "{}", NULL, &own.err) < 0 ||
			store_agency_add(own.store, &a, &fresh, &own.err) < 0) {
			fprintf(stderr, "%s\n", own.err.text);
			_exit(1);
		}
	}
	store_free(own.store);
	_exit(0);
}

static void writers_at_the_same_time_make_one_chain(void **state)
{
	struct bench *b = *state;
	uint64_t count;
	int status;

	store_free(b->store); /* nothing that a child would share */
	b->store = NULL;
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_much(b, i);
	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	scene_open(b);
	if (scene_verify(b, &count) < 0)
		fail_msg("%s", b->err.text);
	/* Of each writer: its acts, and the agencies of its own; and those that all entered, once each. */
	assert_int_equal(count, WRITERS * ACTS + WRITERS * ACTS / 2 + ACTS / 2);
}

static void makers_at_the_same_time_make_one_store(void **state)
{
	struct bench *b = *state;
	int status;

	scene_empty(b);
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0) {
			struct bench own = *b;

			_exit(store_open(&own.store, own.url, true, "alice", &own.err) < 0);
		}
	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	scene_open(b);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM store_identity"), 1);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM schema_version"), 1);
}

static void a_store_keeps_its_identity_and_another_has_another(void **state)
{
	struct bench *b = *state;
	char first[33];

	snprintf(first, sizeof(first), "%s", store_id(b->store));
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	store_free(b->store);
	scene_open(b);
	assert_string_equal(store_id(b->store), first);
	scene_empty(b);
	scene_open(b);
	assert_string_not_equal(store_id(b->store), first);
}

static void a_file_in_the_place_of_the_store_is_not_taken_for_it(void **state)
{
	struct bench *b = *state;
	char aside[128];
	bool is;

	changed(b);
	snprintf(aside, sizeof(aside), "%s.aside", b->path);
	assert_int_equal(rename(b->path, aside), 0);
	assert_int_equal(store_changed(b->store, &is, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_true(is);
	by_another(b, "Customs");
	assert_int_equal(store_changed(b->store, &is, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_non_null(strstr(b->err.text, "another file"));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest of_files[] = {
		WITH_STORE(a_file_in_the_place_of_the_store_is_not_taken_for_it),
	};
	const struct CMUnitTest of_both[] = {
		WITH_STORE(the_first_look_tells_of_a_change),
		WITH_STORE(what_others_commit_is_told_once_and_what_we_do_is_not),
		WITH_STORE(a_change_is_told_even_if_a_reading_took_its_signal_in),
		WITH_STORE(what_is_not_committed_is_not_told),
		WITH_STORE(a_warrant_is_seen_within_a_tenth_of_a_second),
		WITH_STORE(a_thousand_warrants_are_read_within_a_second),
		WITH_STORE(writers_at_the_same_time_make_one_chain),
		WITH_STORE(makers_at_the_same_time_make_one_store),
		WITH_STORE(a_store_keeps_its_identity_and_another_has_another),
	};
	int failed;

	scene_arguments(argc, argv);
	failed = cmocka_run_group_tests(of_both, NULL, NULL);
	return scene_postgresql() ? failed : failed + cmocka_run_group_tests(of_files, NULL, NULL);
}
