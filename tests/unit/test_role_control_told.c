/*
 * role_control: what it writes for others, what it is told and tells on, and that it answers whatever its store does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/control_scene.h"
#include "otway/local.h"

#define MANY 2000

static bool is_ready(struct control_scene *s)
{
	return s->supervise.ready > 0 && s->delivery.tables > 0;
}

static void begin(struct control_scene *s)
{
	control_start(s, false);
	control_until(s, is_ready, "control is ready");
}

static void ask_audit(struct got *as, uint64_t number, const char *act, const char *detail)
{
	const struct msg_audit a = { number, act, "call 3", detail };
	struct buf body = { 0 };

	assert_true(msg_put_audit(&body, &a));
	control_send(as, MSG_AUDIT, &body);
	buf_clear(&body);
}

static bool keys_heard(struct control_scene *s)
{
	return s->keys.audit_count >= 1;
}

static bool keys_heard_two(struct control_scene *s)
{
	return s->keys.audit_count >= 2;
}

static bool delivery_and_supervise_heard(struct control_scene *s)
{
	return s->delivery.audit_count >= 1 && s->supervise.audit_count >= 1;
}

static bool audit_alarm(struct control_scene *s)
{
	return control_alarmed(s, "audit");
}

static bool no_audit_alarm(struct control_scene *s)
{
	return !control_alarmed(s, "audit");
}

static bool store_alarm(struct control_scene *s)
{
	return control_alarmed(s, "store");
}

static bool no_store_alarm(struct control_scene *s)
{
	return !control_alarmed(s, "store");
}

static int64_t acts(struct control_scene *s, const char *act)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM audit WHERE act = '%s'", act);
	return scene_number(s->store, sql);
}

static void what_a_role_asks_for_is_in_the_trail_when_it_is_answered(void **state)
{
	struct control_scene *s = *state;

	begin(s);
	ask_audit(&s->keys, 5, "key.request", "{\"agreement\":1}");
	control_until(s, keys_heard, "the answer");
	assert_int_equal(acts(s, "key.request"), 1);
	assert_int_equal(s->keys.audited[0], 5);
	assert_true(s->keys.written[0]);
	ask_audit(&s->delivery, 5, "case.begin", "{}");
	ask_audit(&s->supervise, 6, "run.restart", "{}");
	control_until(s, delivery_and_supervise_heard, "the answers");
	assert_int_equal(s->delivery.audited[0], 5);
	assert_int_equal(s->supervise.audited[0], 6);
	assert_true(s->delivery.written[0] && s->supervise.written[0]);
	assert_int_equal(s->keys.audit_count, 1);
}

static void one_that_is_no_record_is_refused_and_spoils_none_beside_it(void **state)
{
	struct control_scene *s = *state;

	begin(s);
	ask_audit(&s->keys, 1, "key.request", "no object");
	ask_audit(&s->keys, 2, "key.request", "{}");
	control_until(s, keys_heard_two, "both answers");
	assert_int_equal(s->keys.audited[0], 1);
	assert_false(s->keys.written[0]);
	assert_int_equal(s->keys.audited[1], 2);
	assert_true(s->keys.written[1]);
	assert_int_equal(acts(s, "key.request"), 1);
}

static bool all_heard(struct control_scene *s)
{
	return s->keys.audit_count == MANY;
}

static void thousands_at_once_are_written_together(void **state)
{
	struct control_scene *s = *state;
	nsec_t took;

	begin(s);
	for (uint64_t i = 1; i <= MANY; i++) {
		const struct msg_audit a = { i, "key.request", "call 3", "{\"agreement\":1}" };
		struct buf body = { 0 };

		assert_true(msg_put_audit(&body, &a) && port_send(s->keys.port, MSG_AUDIT, buf_bytes(&body)));
		buf_clear(&body);
	}
	took = control_until(s, all_heard, "all answers");
	for (uint64_t i = 0; i < MANY; i++)
		assert_true(s->keys.audited[i] == i + 1 && s->keys.written[i]);
	assert_int_equal(acts(s, "key.request"), MANY);
	print_message("%d records in %.0f ms\n", MANY, (double)took / 1e6);
	assert_true(took < 4 * NSEC_PER_SEC);
}

static pid_t keeper_of(const struct control_scene *s)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)s->pid, (int)s->pid);
	f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%d", &child) != 1 || child <= 1)
		fail_msg("%s tells no child", path);
	fclose(f);
	return child;
}

static bool is_alive(struct control_scene *s)
{
	return s->supervise.alive > 0;
}

static bool is_silent(struct control_scene *s)
{
	char was[16];

	return strcmp(control_state(s, was), "silent") == 0;
}

static void control_answers_while_its_store_stands_still(void **state)
{
	struct control_scene *s = *state;
	struct buf none = { 0 };
	char was[16];
	pid_t keeper;

	begin(s);
	keeper = keeper_of(s);
	kill(keeper, SIGSTOP);
	control_send(&s->supervise, MSG_PING, &none);
	assert_true(control_until(s, is_alive, "an answer to PING") < NSEC_PER_SEC);
	control_until(s, is_silent, "the store is known to be silent");
	assert_true(store_alarm(s));
	ask_audit(&s->keys, 9, "key.request", "{}");
	assert_true(control_until(s, keys_heard, "no instead of waiting") < NSEC_PER_SEC);
	assert_false(s->keys.written[0]);
	kill(keeper, SIGCONT);
	control_until(s, no_store_alarm, "no alarm");
	assert_string_equal(control_state(s, was), "right");
}

static void while_the_store_is_away_nothing_is_written_and_control_makes_up_for_its_own(void **state)
{
	struct control_scene *s = *state;
	pid_t keeper;

	begin(s);
	keeper = keeper_of(s);
	kill(keeper, SIGSTOP);
	control_until(s, store_alarm, "the alarm");
	ask_audit(&s->keys, 1, "key.request", "{}");
	control_until(s, keys_heard, "the answer");
	assert_false(s->keys.written[0]);
	kill(keeper, SIGCONT);
	control_until(s, no_store_alarm, "no alarm");
	ask_audit(&s->keys, 2, "key.request", "{}");
	control_until(s, keys_heard_two, "the answer");
	assert_true(s->keys.written[1]);
	control_until(s, no_audit_alarm, "no alarm of the trail");
	control_turn(s, NSEC_PER_SEC + NSEC_PER_SEC / 2);
	assert_true(acts(s, "alarm.on") >= 1);
	assert_true(acts(s, "alarm.off") >= 1);
	assert_int_equal(acts(s, "key.request"), 1);
}

static void a_trail_that_takes_nothing_raises_the_alarm(void **state)
{
	struct control_scene *s = *state;

	begin(s);
	control_turn(s, NSEC_PER_SEC / 2);
	scene_sql(s->store,
		scene_text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END",
			"CREATE FUNCTION otway.full() RETURNS trigger LANGUAGE plpgsql AS"
			" $$BEGIN RAISE EXCEPTION 'full'; END$$;"
			"CREATE TRIGGER a_full BEFORE INSERT ON otway.audit FOR EACH ROW EXECUTE FUNCTION "
			"otway.full()"));
	ask_audit(&s->keys, 1, "key.request", "{}");
	control_until(s, keys_heard, "the answer");
	assert_false(s->keys.written[0]);
	control_until(s, audit_alarm, "the alarm");
	scene_sql(s->store, scene_text("DROP TRIGGER full", "DROP TRIGGER a_full ON otway.audit"));
	ask_audit(&s->keys, 2, "key.request", "{}");
	control_until(s, keys_heard_two, "the answer");
	assert_true(s->keys.written[1]);
	control_until(s, no_audit_alarm, "no alarm");
}

static bool keeper_is_gone(struct control_scene *s)
{
	char path[64], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", s->number);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	return strstr(line, ") Z ") != NULL; /* whoever is its parent now has not looked yet */
}

static void nobody_is_left_when_control_is_killed(void **state)
{
	struct control_scene *s = *state;
	pid_t keeper;

	begin(s);
	keeper = keeper_of(s);
	control_kill(s);
	s->number = (uint32_t)keeper;
	assert_true(control_until(s, keeper_is_gone, "the keeper's end") < NSEC_PER_SEC);
}

static void control_ends_when_its_keeper_does(void **state)
{
	struct control_scene *s = *state;
	int status;

	begin(s);
	kill(keeper_of(s), SIGKILL);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED);
}

static void start_and_stop_are_in_the_trail_and_a_restart_is_not(void **state)
{
	struct control_scene *s = *state;

	begin(s);
	control_turn(s, NSEC_PER_SEC / 2);
	control_kill(s);
	s->supervise.ready = 0;
	control_start(s, true);
	control_until(s, is_ready, "control is ready again");
	assert_int_equal(control_stop(s), 0);
	assert_int_equal(acts(s, "run.start"), 1);
	assert_int_equal(acts(s, "run.stop"), 1);
	assert_true(acts(s, "table.change") >= 1);
	assert_int_equal(
		scene_number(s->store, "SELECT COUNT(*) FROM audit WHERE actor <> 'otway run' AND act LIKE 'run.%'"),
		0);
}

static void tell_count(struct got *as, const char *name, const char *of, uint64_t value, bool gauge)
{
	const struct msg_count c = { name, of, value, gauge };
	struct buf body = { 0 };

	assert_true(msg_put_count(&body, &c));
	control_send(as, MSG_COUNTS, &body);
	buf_clear(&body);
}

static void tell_alarm(struct got *as, enum alarm alarm, bool on, const char *of, const char *text)
{
	struct msg_alarm a = { .alarm = alarm, .on = on, .text = text };
	struct buf body = { 0 };

	snprintf(a.of, sizeof(a.of), "%s", of);
	assert_true(msg_put_alarm(&body, &a));
	control_send(as, MSG_ALARM, &body);
	buf_clear(&body);
}

static void tell_active(struct got *as, uint32_t warrant, uint32_t calls)
{
	const struct msg_active a = { warrant, calls };
	struct buf body = { 0 };

	assert_true(msg_put_active(&body, &a));
	control_send(as, MSG_ACTIVE, &body);
	buf_clear(&body);
}

/* The entry of a list whose member has that text. */
static json_t *entry(json_t *told, const char *list, const char *key, const char *text)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(told, list), i,
		one) if (strcmp(json_string_value(json_object_get(one, key)), text) == 0) return one;
	return NULL;
}

static json_int_t number(json_t *object, const char *a, const char *b, const char *c)
{
	json_t *at = json_object_get(object, a);

	at = b != NULL ? json_object_get(at, b) : at;
	at = c != NULL ? json_object_get(at, c) : at;
	return json_is_integer(at) ? json_integer_value(at) : -1;
}

static bool has_alarm(struct control_scene *s)
{
	return control_alarmed(s, "interface");
}

static void status_tells_what_the_roles_tell(void **state)
{
	struct control_scene *s = *state;
	json_t *told, *role, *alarm;

	begin(s);
	tell_count(&s->intercept, "frames", "mirror0", 10, false);
	tell_count(&s->intercept, "frames", "mirror0", 12, false);
	tell_count(&s->intercept, "sip", "", 3, false);
	tell_count(&s->delivery, "records", "", 7, false);
	tell_count(&s->supervise, "role_restarts", "intercept 0", 4, false);
	tell_active(&s->intercept, UINT32_MAX, 0);
	tell_active(&s->intercept, 3, 2);
	tell_alarm(&s->intercept, ALARM_INTERFACE, true, "mirror1", "it is down");
	control_until(s, has_alarm, "the alarm");
	told = control_told(s);
	role = entry(told, "roles", "role", "intercept");
	assert_int_equal(number(role, "counters", "sip", NULL), 3);
	assert_int_equal(number(role, "of", "mirror0", "frames"), 12);
	assert_int_equal(number(role, "restarts", NULL, NULL), 4);
	assert_true(json_is_true(json_object_get(role, "alive")));
	assert_int_equal(number(told, "interfaces", "mirror0", "frames"), 12);
	assert_true(json_is_object(json_object_get(json_object_get(told, "interfaces"), "mirror1")));
	assert_int_equal(number(told, "counters", "records", NULL), 7);
	assert_int_equal(number(json_array_get(json_object_get(told, "interceptions"), 0), "warrant", NULL, NULL), 3);
	assert_int_equal(number(json_array_get(json_object_get(told, "interceptions"), 0), "calls", NULL, NULL), 2);
	alarm = entry(told, "alarms", "alarm", "interface");
	assert_string_equal(json_string_value(json_object_get(alarm, "of")), "mirror1");
	assert_string_equal(json_string_value(json_object_get(alarm, "text")), "it is down");
	assert_int_equal(number(told, "table", "in_force", NULL), 0);
	json_decref(told);
	control_turn(s, NSEC_PER_SEC / 2);
	assert_int_equal(acts(s, "alarm.on"), 1);
	assert_int_equal(scene_number(s->store, "SELECT COUNT(*) FROM audit WHERE detail LIKE '%it is down%'"), 0);
}

static bool no_alarm(struct control_scene *s)
{
	return !has_alarm(s);
}

static void one_that_is_started_anew_begins_with_nothing(void **state)
{
	const struct msg_peer peer = { ROLE_INTERCEPT, 0, nsec_now() };
	struct control_scene *s = *state;
	struct buf body = { 0 };
	json_t *told, *role;

	begin(s);
	tell_count(&s->intercept, "sip", "", 3, false);
	tell_active(&s->intercept, 3, 2);
	tell_alarm(&s->intercept, ALARM_INTERFACE, true, "mirror1", "it is down");
	control_until(s, has_alarm, "the alarm");
	assert_true(msg_put_peer(&body, &peer));
	control_send(&s->supervise, MSG_PEER_UP, &body);
	buf_clear(&body);
	control_until(s, no_alarm, "no alarm");
	told = control_told(s);
	role = entry(told, "roles", "role", "intercept");
	assert_int_equal(number(role, "restarts", NULL, NULL), 1);
	assert_int_equal(number(role, "counters", "sip", NULL), -1);
	assert_false(json_is_true(json_object_get(role, "alive")));
	assert_int_equal(json_array_size(json_object_get(told, "interceptions")), 0);
	json_decref(told);
}

/* A count with an octet that no count of ours has. */
static void tell_spoilt(struct got *as, const char *name, const char *of, char was, char is)
{
	const struct msg_count c = { name, of, 1, false };
	struct buf body = { 0 };
	uint8_t *at;

	assert_true(msg_put_count(&body, &c));
	at = memchr(body.at, was, body.len);
	assert_non_null(at);
	*at = (uint8_t)is;
	control_send(as, MSG_COUNTS, &body);
	buf_clear(&body);
}

static void words_and_texts_that_are_none_are_not_told_on(void **state)
{
	struct control_scene *s = *state;
	json_t *told, *role;

	begin(s);
	tell_spoilt(&s->intercept, "frxmes", "", 'x', ':');
	tell_spoilt(&s->intercept, "frames", "mirrox0", 'x', '"');
	tell_spoilt(&s->intercept, "frames", "mirrox0", 'x', '\n');
	tell_alarm(&s->intercept, ALARM_INTERFACE, true, "mirror1", "it is\ndown \xff");
	control_until(s, has_alarm, "the alarm");
	told = control_told(s);
	role = entry(told, "roles", "role", "intercept");
	assert_int_equal(json_object_size(json_object_get(role, "counters")), 0);
	assert_int_equal(json_object_size(json_object_get(role, "of")), 0);
	assert_string_equal(json_string_value(json_object_get(entry(told, "alarms", "alarm", "interface"), "text")),
		"it is?down ?");
	json_decref(told);
}

/* Even where the socket lets them in: who they are the kernel says. */
static void others_are_told_nothing(void **state)
{
	struct control_scene *s = *state;
	struct stat st;
	int status;
	pid_t other;

	if (geteuid() != 0)
		skip();
	begin(s);
	assert_int_equal(stat(s->status, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, 64991);
	assert_int_equal(chmod(s->status, 0666), 0);
	other = fork();
	if (other == 0) {
		struct buf text = { 0 };
		struct err err;

		if (setresgid(64992, 64992, 64992) < 0 || setresuid(64992, 64992, 64992) < 0)
			_exit(9);
		_exit(local_ask(s->status, 1 << 20, NSEC_PER_SEC, &text, &err) < 0 && text.len == 0 ? (int)err.code
												    : 8);
	}
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_REFUSED);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, control_scene_setup, control_scene_teardown)
		TEST(what_a_role_asks_for_is_in_the_trail_when_it_is_answered),
		TEST(one_that_is_no_record_is_refused_and_spoils_none_beside_it),
		TEST(thousands_at_once_are_written_together),
		TEST(control_answers_while_its_store_stands_still),
		TEST(while_the_store_is_away_nothing_is_written_and_control_makes_up_for_its_own),
		TEST(a_trail_that_takes_nothing_raises_the_alarm),
		TEST(nobody_is_left_when_control_is_killed),
		TEST(control_ends_when_its_keeper_does),
		TEST(start_and_stop_are_in_the_trail_and_a_restart_is_not),
		TEST(status_tells_what_the_roles_tell),
		TEST(one_that_is_started_anew_begins_with_nothing),
		TEST(words_and_texts_that_are_none_are_not_told_on),
		TEST(others_are_told_nothing),
	};

	scene_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
