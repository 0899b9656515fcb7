/*
 * role_control: what others are told of the store, how soon, and what becomes of it when the store is away, another one, empty, or older than
 * it was. With SQLite, or with PostgreSQL at the URL that is the argument.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/control_scene.h"
#include "otway/base/file.h"

#define HOUR   (3600 * NSEC_PER_SEC)
#define ROUNDS 15
#define WITHIN (NSEC_PER_SEC / 10) /* of a change being in effect */

static bool intercept_has_none(struct control_scene *s)
{
	return s->intercept.tables > 0 && s->intercept.table.count == 0;
}

static bool intercept_has_one(struct control_scene *s)
{
	return s->intercept.tables > 0 && s->intercept.table.count == 1;
}

static bool all_have_one(struct control_scene *s)
{
	return intercept_has_one(s) && s->keys.tables > 0 && s->keys.table.count == 1 && s->delivery.tables > 0 &&
	       s->delivery.table.count == 1;
}

static bool intercept_has_two(struct control_scene *s)
{
	return s->intercept.table.count == 2;
}

static bool keys_have_one_and_delivery_two(struct control_scene *s)
{
	return s->keys.table.count == 1 && s->delivery.table.count == 2;
}

static bool two_leases_more(struct control_scene *s)
{
	return s->intercept.leases >= 2;
}

static bool is_ready(struct control_scene *s)
{
	return s->supervise.ready > 0;
}

static bool store_alarm(struct control_scene *s)
{
	return control_alarmed(s, "store");
}

static bool no_store_alarm(struct control_scene *s)
{
	return !control_alarmed(s, "store");
}

static bool lease_alarm(struct control_scene *s)
{
	return control_alarmed(s, "lease");
}

static void begin(struct control_scene *s)
{
	control_start(s, false);
	control_until(s, is_ready, "control is ready");
	control_until(s, intercept_has_none, "an empty table");
}

/* What control itself has to write is written: a file of SQLite's is not to be moved while somebody writes to it. */
static void trail_rests(struct control_scene *s)
{
	int64_t before = -1, now = 0;

	while (before != now) {
		before = now;
		control_turn(s, 3 * NSEC_PER_SEC / 10);
		now = scene_number(s->store, "SELECT COUNT(*) FROM audit");
	}
}

/* The store out of its place, and in it again. */
static void store_goes(struct control_scene *s)
{
	char away[128];

	trail_rests(s);
	if (scene_postgresql()) {
		scene_sql(
			s->store, "DROP SCHEMA IF EXISTS otway_away CASCADE; ALTER SCHEMA otway RENAME TO otway_away");
		return;
	}
	snprintf(away, sizeof(away), "%s.away", s->store->path);
	assert_int_equal(rename(s->store->path, away), 0);
}

static void store_comes_back(struct control_scene *s)
{
	char away[128];

	if (scene_postgresql()) {
		scene_sql(s->store, "DROP SCHEMA IF EXISTS otway CASCADE; ALTER SCHEMA otway_away RENAME TO otway");
		return;
	}
	snprintf(away, sizeof(away), "%s.away", s->store->path);
	assert_int_equal(rename(away, s->store->path), 0);
}

/* A store of the same kind in that place, which knows nothing of the first. */
static void another_store(struct control_scene *s)
{
	scene_open(s->store);
	scene_agency(s->store, "Others");
	store_free(s->store->store);
	s->store->store = NULL;
	if (!scene_postgresql() && geteuid() == 0)
		assert_int_equal(chown(s->store->path, 64991, 64991), 0);
}

static void each_role_is_sent_what_it_needs_and_no_more(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	const struct warrant *w;

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, all_have_one, "a warrant with all three");
	w = &s->intercept.table.all[0];
	assert_int_equal(w->target_count, 1);
	assert_string_equal(w->liid, "");
	assert_true(w->agency == NULL || w->agency[0] == '\0');
	w = &s->keys.table.all[0];
	assert_int_equal(w->target_count, 0);
	assert_string_equal(w->liid, "LIID-1");
	w = &s->delivery.table.all[0];
	assert_int_equal(w->target_count, 1);
	assert_string_equal(w->liid, "LIID-1");
	assert_string_equal(w->agency, "Police");
	assert_string_equal(w->authority, "Court 12/26");
}

static void a_warrant_never_reaches_back_to_before_it_was_entered(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	assert_true(s->intercept.table.all[0].from >= now - 1000);
	assert_true(s->intercept.table.all[0].from <= nsec_now());
	assert_true(s->intercept.table.all[0].until == now + HOUR);
}

static void a_pending_warrant_goes_along_and_an_ended_one_stays_with_delivery(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();

	control_warrant(s, "ENDED", now - 3 * HOUR, now - HOUR);
	control_warrant(s, "PENDING", now + HOUR, now + 2 * HOUR);
	control_start(s, false);
	control_until(s, intercept_has_one, "the pending one");
	assert_true(s->intercept.table.all[0].from == now + HOUR);
	control_until(s, keys_have_one_and_delivery_two, "the ended one with delivery alone");
}

static bool six_tables(struct control_scene *s)
{
	return strlen(s->delivery.order) >= 6;
}

/* What comes of a warrant is not to reach delivery, or be wanted of keys, before the warrant is known there. */
static void delivery_is_told_first_then_keys_then_the_intercept(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();

	control_scene_one_way(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_start(s, false);
	control_until(s, is_ready, "control is ready");
	control_turn(s, NSEC_PER_SEC / 2);
	assert_string_equal(s->delivery.order, "dki");
	control_warrant(s, "LIID-2", now - HOUR, now + HOUR);
	control_until(s, six_tables, "the new table with all three");
	control_turn(s, NSEC_PER_SEC / 5);
	assert_string_equal(s->delivery.order, "dkidki");
}

static bool revoked_with_delivery_alone(struct control_scene *s)
{
	return intercept_has_none(s) && s->keys.table.count == 0 && s->delivery.table.count == 1 &&
	       s->delivery.table.all[0].revoked;
}

/* Who intercepts knows nothing of it any more; who writes cases knows until when what is on its way may be taken in. */
static void a_revoked_warrant_stays_with_delivery_which_knows_when_it_was(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now(), before, after;
	json_t *told;

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, all_have_one, "a warrant with all three");
	before = nsec_now();
	control_revoke(s, "LIID-1");
	after = nsec_now();
	control_until(s, revoked_with_delivery_alone, "the revoked one with delivery alone");
	assert_true(s->delivery.table.all[0].until >= before - 1000);
	assert_true(s->delivery.table.all[0].until <= after);
	told = control_told(s);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(told, "table"), "in_force")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(told, "table"), "ended")), 1);
	json_decref(told);
}

static int ascending(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return x < y ? -1 : x > y;
}

/* From before the command commits to the table being with an intercept: more than what counts. */
static void a_change_is_in_effect_within_a_tenth_of_a_second(void **state)
{
	struct control_scene *s = *state;
	nsec_t late[ROUNDS], now = nsec_now();

	begin(s);
	for (int i = 0; i < ROUNDS; i++) {
		char liid[32];

		snprintf(liid, sizeof(liid), "LIID-%d", i);
		control_warrant(s, liid, now - HOUR, now + HOUR);
		late[i] = control_until(s, intercept_has_one, "a warrant");
		control_revoke(s, liid);
		control_until(s, intercept_has_none, "and none");
	}
	qsort(late, ROUNDS, sizeof(late[0]), ascending);
	print_message("a change is in effect after %.1f ms (median), %.1f ms at worst\n",
		(double)late[ROUNDS / 2] / 1e6, (double)late[ROUNDS - 1] / 1e6);
	assert_true(late[ROUNDS / 2] < WITHIN);
}

static void the_lease_goes_on_while_the_store_is_right_and_ends_when_it_is_not(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now(), until;
	size_t leases;

	strcpy(s->lease, "3s");
	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	control_until(s, two_leases_more, "leases");
	assert_true(s->intercept.lease.until - s->intercept.lease.seen == 3 * NSEC_PER_SEC);
	store_goes(s);
	control_until(s, store_alarm, "the alarm");
	until = s->intercept.lease.until;
	leases = s->intercept.leases;
	control_until(s, lease_alarm, "the lease's end");
	assert_true(nsec_now() >= until);
	assert_int_equal(s->intercept.leases, leases);
	assert_int_equal(s->intercept.table.count, 1); /* control took nothing away: the intercept knows by itself */
	store_comes_back(s);
	control_until(s, no_store_alarm, "no alarm");
	s->intercept.leases = 0;
	control_until(s, two_leases_more, "leases again");
	assert_true(s->intercept.lease.until > nsec_now());
	assert_false(lease_alarm(s));
}

static void what_was_revoked_while_the_store_was_away_is_gone_when_it_is_back(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	char usual[96];

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_warrant(s, "LIID-2", now - HOUR, now + HOUR);
	control_until(s, intercept_has_two, "two warrants");
	store_goes(s);
	control_until(s, store_alarm, "the alarm");
	assert_int_equal(s->intercept.table.count, 2);
	memcpy(usual, s->store->path, sizeof(usual));
	if (scene_postgresql()) { /* by a hand that finds it where it is */
		scene_sql(s->store,
			"UPDATE otway_away.warrant SET revoked = 1, revoked_reason = 'test' WHERE liid = 'LIID-1'");
	} else {
		snprintf(s->store->url, sizeof(s->store->url), "sqlite:%s.away", usual);
		control_revoke(s, "LIID-1");
	}
	store_comes_back(s);
	control_until(s, intercept_has_one, "one of them");
	assert_int_equal(s->intercept.table.all[0].number, 2);
	control_until(s, no_store_alarm, "no alarm");
}

static void another_store_changes_nothing_and_raises_the_alarm(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	char was[16];
	size_t tables;

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	store_goes(s);
	another_store(s);
	control_until(s, store_alarm, "the alarm");
	tables = s->intercept.tables;
	control_turn(s, 2 * NSEC_PER_SEC);
	assert_string_equal(control_state(s, was), "other");
	assert_int_equal(s->intercept.tables, tables);
	assert_int_equal(s->intercept.table.count, 1);
	if (!scene_postgresql())
		unlink(s->store->path);
	store_comes_back(s);
	control_until(s, no_store_alarm, "no alarm");
	assert_string_equal(control_state(s, was), "right");
}

static void an_empty_place_is_no_store_without_warrants(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	char was[16];

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	store_goes(s);
	if (!scene_postgresql()) {
		int fd = open(s->store->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		assert_true(fd >= 0 && (geteuid() != 0 || fchown(fd, 64991, 64991) == 0));
		close(fd);
	}
	control_until(s, store_alarm, "the alarm");
	control_turn(s, NSEC_PER_SEC);
	assert_string_equal(control_state(s, was), "other");
	assert_int_equal(s->intercept.table.count, 1);
}

/* A copy of the file, or of the trail's end, from before the revocation. */
static void keep_copy(struct control_scene *s, const char *from, const char *to)
{
	char command[300];

	(void)s;
	snprintf(command, sizeof(command), "cp -p '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static void an_older_copy_brings_back_nothing_that_was_revoked(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	char older[128], was[16];

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	trail_rests(s);
	snprintf(older, sizeof(older), "%s.older", s->store->path);
	if (!scene_postgresql())
		keep_copy(s, s->store->path, older);
	control_revoke(s, "LIID-1");
	control_until(s, intercept_has_none, "it is revoked");
	trail_rests(s);
	if (scene_postgresql()) /* as a restored backup would have it */
		scene_tamper(s->store, "DELETE FROM audit WHERE act IN ('warrant.revoke', 'table.change');"
				       "UPDATE warrant SET revoked = NULL, revoked_reason = NULL");
	else
		assert_int_equal(rename(older, s->store->path), 0);
	control_until(s, store_alarm, "the alarm");
	control_turn(s, NSEC_PER_SEC);
	assert_string_equal(control_state(s, was), "other");
	assert_int_equal(s->intercept.table.count, 0);
}

static void a_control_that_is_started_anew_knows_which_store_it_had(void **state)
{
	struct control_scene *s = *state;
	nsec_t now = nsec_now();
	char was[16];

	begin(s);
	control_warrant(s, "LIID-1", now - HOUR, now + HOUR);
	control_until(s, intercept_has_one, "a warrant");
	trail_rests(s);
	control_kill(s);
	store_goes(s);
	another_store(s);
	control_start(s, true);
	control_turn(s, 2 * NSEC_PER_SEC);
	assert_string_equal(control_state(s, was), "other");
	assert_true(store_alarm(s));
	assert_int_equal(s->intercept.table.count, 1);
	if (!scene_postgresql())
		unlink(s->store->path);
	store_comes_back(s);
	control_until(s, no_store_alarm, "no alarm");
	assert_int_equal(s->intercept.table.count, 1);
}

static bool intercept_got_another(struct control_scene *s)
{
	return s->intercept.tables >= 2;
}

static void one_that_is_started_anew_gets_the_table_anew(void **state)
{
	struct control_scene *s = *state;
	const struct msg_peer peer = { ROLE_INTERCEPT, 0, nsec_now() };
	struct buf body = { 0 };
	size_t keys;

	begin(s);
	control_turn(s, NSEC_PER_SEC / 10);
	s->intercept.tables = 1;
	keys = s->keys.tables;
	assert_true(msg_put_peer(&body, &peer));
	control_send(&s->supervise, MSG_PEER_UP, &body);
	control_until(s, intercept_got_another, "the table again");
	assert_int_equal(s->keys.tables, keys);
	buf_clear(&body);
}

static bool intercept_has_all(struct control_scene *s)
{
	return s->intercept.table.count == 4000;
}

static bool delivery_has_all(struct control_scene *s)
{
	return s->delivery.table.count == 4000;
}

/* More than all that may wait between two roles, for one that takes nothing for a while. */
static void a_table_that_is_larger_than_any_queue_gets_there_whole(void **state)
{
	struct control_scene *s = *state;

	scene_sql(s->store,
		scene_text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
			   " INSERT INTO warrant (liid, agency, authority, scope, diverted, trust_from, starts, ends, "
			   "from_entered,"
			   " until_entered, added, salt) SELECT 'L' || i, 1, replace(hex(zeroblob(700)), '0', 'x'), "
			   "'all', 'content', 0,"
			   " 1, 4000000000000000000, 'now', '+1h', 1, zeroblob(16) FROM n",
			"INSERT INTO warrant (liid, agency, authority, scope, diverted, trust_from, starts, ends, "
			"from_entered,"
			" until_entered, added, salt) SELECT 'L' || i, 1, repeat('x', 1400), 'all', 'content', 0, 1,"
			" 4000000000000000000, 'now', '+1h', 1, decode(repeat('00', 16), 'hex') FROM "
			"generate_series(1, 4000) AS i"));
	port_pause(s->delivery.port, true);
	control_start(s, false);
	control_until(s, is_ready, "control is ready");
	control_until(s, intercept_has_all, "all with the intercept");
	control_turn(s, NSEC_PER_SEC);
	assert_int_equal(s->delivery.tables, 0);
	port_pause(s->delivery.port, false);
	control_until(s, delivery_has_all, "all with delivery");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, control_scene_setup, control_scene_teardown)
		TEST(each_role_is_sent_what_it_needs_and_no_more),
		TEST(a_warrant_never_reaches_back_to_before_it_was_entered),
		TEST(a_pending_warrant_goes_along_and_an_ended_one_stays_with_delivery),
		TEST(delivery_is_told_first_then_keys_then_the_intercept),
		TEST(a_revoked_warrant_stays_with_delivery_which_knows_when_it_was),
		TEST(a_change_is_in_effect_within_a_tenth_of_a_second),
		TEST(the_lease_goes_on_while_the_store_is_right_and_ends_when_it_is_not),
		TEST(what_was_revoked_while_the_store_was_away_is_gone_when_it_is_back),
		TEST(another_store_changes_nothing_and_raises_the_alarm),
		TEST(an_empty_place_is_no_store_without_warrants),
		TEST(an_older_copy_brings_back_nothing_that_was_revoked),
		TEST(a_control_that_is_started_anew_knows_which_store_it_had),
		TEST(one_that_is_started_anew_gets_the_table_anew),
		TEST(a_table_that_is_larger_than_any_queue_gets_there_whole),
	};

	scene_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
