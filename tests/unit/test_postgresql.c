/*
 * store in PostgreSQL: what its URL may say, how it is reached, what each role may do, and connections that go. The arguments are
 * those of tests/support/postgres.py: the URL of a server, and a folder of certificates.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/store_scene.h"

static const char *certs;

static const char *sockets(void)
{
	return getenv("OTWAY_TEST_SOCKETS");
}

static const char *port(void)
{
	return getenv("OTWAY_TEST_PORT");
}

/* A URL of the server's socket for a user, with more settings behind it ("&key=value"). */
static const char *socket_url(const char *user, const char *more, char url[512])
{
	snprintf(url, 512, "postgresql://%s@/otway?host=%s&port=%s%s", user, sockets(), port(), more);
	return url;
}

static void refused(struct bench *b, const char *url, enum exit_code code, const char *words)
{
	struct store *s = NULL;

	assert_int_equal(store_open(&s, url, false, "alice", &b->err), -1);
	assert_null(s);
	if (strstr(b->err.text, words) == NULL || b->err.code != code)
		fail_msg("%s: %d %s", url, b->err.code, b->err.text);
}

static void opens(struct bench *b, const char *url)
{
	struct store *s = NULL;

	if (store_open(&s, url, false, "alice", &b->err) < 0)
		fail_msg("%s: %s", url, b->err.text);
	store_free(s);
}

static void a_password_in_the_url_is_refused_and_not_repeated(void **state)
{
	struct bench *b = *state;
	char url[512];

	snprintf(url, sizeof(url), "postgresql://secretive:hunter2@/otway?host=%s&port=%s", sockets(), port());
	refused(b, url, EXIT_REFUSED, "passfile=FILE");
	assert_null(strstr(b->err.text, "hunter2"));
	refused(b, socket_url("secretive", "&password=hunter2", url), EXIT_REFUSED, "passfile=FILE");
	assert_null(strstr(b->err.text, "hunter2"));
	refused(b, "postgresql://secretive:hunter2@[::1/otway", EXIT_USAGE, "cannot be read");
	assert_null(strstr(b->err.text, "hunter2"));
	refused(b, "postgres://secretive:hunter2@/otway", EXIT_USAGE, "names no store");
	assert_null(strstr(b->err.text, "hunter2"));
}

static void a_url_takes_no_setting_that_is_not_known(void **state)
{
	struct bench *b = *state;
	char url[512];

	refused(b, socket_url("admin", "&options=-c%20search_path%3Devil", url), EXIT_USAGE, "'options'");
	refused(b, socket_url("admin", "&service=x", url), EXIT_USAGE, "'service'");
	refused(b, socket_url("admin", "&hostaddr=192.0.2.1", url), EXIT_USAGE, "'hostaddr'");
	refused(b, socket_url("admin", "&connect_timeout=0", url), EXIT_USAGE, "connect_timeout");
	refused(b, socket_url("admin", "&connect_timeout=61", url), EXIT_USAGE, "connect_timeout");
	refused(b, "postgresql:otway", EXIT_USAGE, "cannot be read");
}

static void the_environment_has_no_say(void **state)
{
	static const char *const names[] = { "PGPASSWORD", "PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGSSLMODE" };
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv(names[i], "hunter2", 1);
		refused(b, b->url, EXIT_REFUSED, names[i]);
		assert_null(strstr(b->err.text, "hunter2"));
		unsetenv(names[i]);
	}
}

static void over_a_network_nothing_less_than_verify_full_will_do(void **state)
{
	static const char *const modes[] = { "disable", "allow", "prefer", "require", "verify-ca" };
	struct bench *b = *state;
	char url[512];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(url, sizeof(url), "postgresql://admin@127.0.0.1:%s/otway?sslmode=%s", port(), modes[i]);
		refused(b, url, EXIT_REFUSED, "verify-full");
	}
	snprintf(url, sizeof(url), "postgresql://admin@127.0.0.1:%s/otway", port());
	refused(b, url, EXIT_USAGE, "sslrootcert");
	snprintf(url, sizeof(url), "postgresql://admin@/otway?host=%s,127.0.0.1", sockets());
	refused(b, url, EXIT_USAGE, "sslrootcert");
}

/* A file of passwords in the bench's folder. */
static const char *passfile(const struct bench *b, const char *password, mode_t mode, char path[128])
{
	FILE *f;

	snprintf(path, 128, "%s/pgpass", b->folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "*:*:*:secretive:%s\n", password);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void let_secretive_read(const struct bench *b)
{
	scene_sql(
		b, "GRANT USAGE ON SCHEMA otway TO secretive; GRANT SELECT ON ALL TABLES IN SCHEMA otway TO secretive");
}

static void a_password_comes_out_of_a_file_that_is_private(void **state)
{
	struct bench *b = *state;
	char url[512], more[160], path[128];

	let_secretive_read(b);
	setenv("HOME", b->folder, 1);
	refused(b, socket_url("secretive", "", url), EXIT_REFUSED, "wants a password");
	snprintf(more, sizeof(more), "&passfile=%s", passfile(b, "open sesame", 0600, path));
	opens(b, socket_url("secretive", more, url));
	passfile(b, "open sesame", 0640, path);
	refused(b, url, EXIT_REFUSED, "chmod");
	passfile(b, "open barley", 0600, path);
	refused(b, url, EXIT_REFUSED, "missing or wrong");
	remove(path);
	refused(b, url, EXIT_NOT_FOUND, path);
}

static void the_usual_file_of_passwords_is_held_to_the_same(void **state)
{
	struct bench *b = *state;
	char url[512], path[128], usual[128];

	let_secretive_read(b);
	setenv("HOME", b->folder, 1);
	snprintf(usual, sizeof(usual), "%s/.pgpass", b->folder);
	assert_int_equal(rename(passfile(b, "open sesame", 0600, path), usual), 0);
	opens(b, socket_url("secretive", "", url));
	assert_int_equal(chmod(usual, 0604), 0);
	refused(b, url, EXIT_REFUSED, "chmod");
}

static void the_server_proves_itself_by_its_certificate(void **state)
{
	struct bench *b = *state;
	char url[512], path[128];

	let_secretive_read(b);
	passfile(b, "open sesame", 0600, path);
	snprintf(url, sizeof(url), "postgresql://secretive@127.0.0.1:%s/otway?sslrootcert=%s/one.ca.pem&passfile=%s",
		port(), certs, path);
	opens(b, url);
	snprintf(url, sizeof(url), "postgresql://secretive@127.0.0.1:%s/otway?sslrootcert=%s/other.ca.pem&passfile=%s",
		port(), certs, path);
	refused(b, url, EXIT_UNREACHABLE, "certificate verify failed");
	snprintf(url, sizeof(url), "postgresql://secretive@127.0.0.2:%s/otway?sslrootcert=%s/one.ca.pem&passfile=%s",
		port(), certs, path);
	refused(b, url, EXIT_UNREACHABLE, "cannot be reached");
}

static void who_is_not_there_is_told(void **state)
{
	struct bench *b = *state;
	char url[512];

	snprintf(url, sizeof(url), "postgresql://admin@/otway?host=%s", b->folder);
	refused(b, url, EXIT_UNREACHABLE, "cannot be reached");
	snprintf(url, sizeof(url), "postgresql://admin@/recipes?host=%s&port=%s", sockets(), port());
	refused(b, url, EXIT_NOT_FOUND, "no such database");
	refused(b, socket_url("nobody_at_all", "", url), EXIT_REFUSED, "let that user in");
	scene_sql(b, "DROP DATABASE IF EXISTS latin");
	scene_sql(b, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
	snprintf(url, sizeof(url), "postgresql://admin@/latin?host=%s&port=%s", sockets(), port());
	refused(b, url, EXIT_FAILED, "UTF-8");
}

static void who_takes_a_call_and_says_nothing_is_given_up(void **state)
{
	struct bench *b = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	nsec_t begun = nsec_now();
	char url[512];

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", b->folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(url, sizeof(url), "postgresql://admin@/otway?host=%s&connect_timeout=2", b->folder);
	refused(b, url, EXIT_UNREACHABLE, "does not answer");
	assert_true(nsec_now() - begun < 10 * NSEC_PER_SEC);
	close(fd);
}

/* The roles as deploy/postgresql.sql makes them: it is run by support/postgres.py before the tests. */
static int opened_as(struct bench *b, const char *role, struct store **s)
{
	char url[512];

	return store_open(s, socket_url(role, "", url), true, "bob", &b->err);
}

static const char make_roles[] =
	"DO $$ BEGIN"
	" IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reads') THEN"
	"  CREATE ROLE reads LOGIN; CREATE ROLE appends LOGIN; CREATE ROLE writes LOGIN; CREATE ROLE enters LOGIN;"
	"  GRANT otway_reader TO reads; GRANT otway_appender TO appends; GRANT otway_writer TO writes;"
	"  GRANT otway_reader, otway_appender, otway_writer TO enters;"
	" END IF; END $$";

/* An empty store of otway_owner's, in the schema that deploy/postgresql.sql makes. */
static void owned_store(struct bench *b)
{
	struct store *s;

	scene_empty(b);
	scene_sql(b, "CREATE SCHEMA otway AUTHORIZATION otway_owner");
	scene_sql(b, make_roles);
	if (opened_as(b, "otway_owner", &s) < 0)
		fail_msg("%s", b->err.text);
	b->store = s;
}

/* Does a statement go through for a user? By its right alone: nothing of it stays. */
static bool may(const struct bench *b, const char *role, const char *sql)
{
	char as[1024];

	snprintf(as, sizeof(as),
		"SET SESSION AUTHORIZATION %s; BEGIN; DO $do$ BEGIN %s; EXCEPTION WHEN insufficient_privilege THEN"
		" RAISE EXCEPTION 'may not'; END $do$; ROLLBACK",
		role, sql);
	switch (scene_try(b, as)) {
	case SQL_DONE:
		return true;
	case SQL_REFUSED_BY_TRIGGER: /* "may not" has its SQLSTATE */
		return false;
	default:
		fail_msg("%s", sql);
		return false;
	}
}

static void each_role_may_do_its_own_and_no_more(void **state)
{
	static const struct {
		const char *sql;
		bool reads, writes, appends;
	} rights[] = {
		{ "PERFORM uri FROM warrant_target", true, false, false },
		{ "PERFORM * FROM warrant", true, false, false },
		{ "PERFORM * FROM warrant_change", true, false, false },
		{ "PERFORM detail FROM audit", true, false, false },
		{ "PERFORM number, hash FROM audit", true, false, true },
		{ "INSERT INTO agency (name, country, added) VALUES ('x', 'NZ', 1)", false, true, false },
		{ "INSERT INTO warrant_target (warrant, place, uri) VALUES (1, 9, 'sip:x@y')", false, true, false },
		{ "UPDATE warrant SET ends = 9223372036854775807", false, true, false },
		{ "UPDATE warrant SET liid = 'other'", false, false, false },
		{ "DELETE FROM kms", false, true, false },
		{ "DELETE FROM warrant", false, false, false },
		{ "INSERT INTO warrant_change (warrant, at, actor, act, field) VALUES (1, 1, 'x', 'add', 'y')", false,
			false, true },
		{ "INSERT INTO audit VALUES (3, '', 'x', 'x', 'x', '{}', repeat('0', 64), repeat('0', 64))", false,
			false, true },
		{ "UPDATE audit SET actor = 'x'", false, false, false },
		{ "DELETE FROM audit", false, false, false },
		{ "TRUNCATE audit", false, false, false },
		{ "ALTER TABLE audit DISABLE TRIGGER ALL", false, false, false },
		{ "UPDATE schema_version SET version = 9", false, false, false },
		{ "CREATE TABLE otway.mine (x int)", false, false, false },
	};
	struct bench *b = *state;

	owned_store(b);
	scene_agency(b, "Police");
	scene_add_warrant(b, "LIID-1");
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		if (may(b, "reads", rights[i].sql) != rights[i].reads ||
			may(b, "writes", rights[i].sql) != rights[i].writes ||
			may(b, "appends", rights[i].sql) != rights[i].appends)
			fail_msg("%s", rights[i].sql);
	}
}

static int none(void *arg, const struct warrant_row *r)
{
	(void)r;
	(*(int *)arg)++;
	return 0;
}

static void who_reads_reads_and_who_enters_enters(void **state)
{
	struct bench *b = *state;
	struct agency a = { .name = (char *)(uintptr_t) "Customs" };
	struct bench own = { 0 };
	uint64_t count;
	bool fresh;
	int seen = 0;

	owned_store(b);
	scene_agency(b, "Police");
	assert_int_equal(opened_as(b, "reads", &own.store), 0);
	assert_int_equal(store_agency_add(own.store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "which roles may"));
	assert_int_equal(store_audit(own.store, "decrypt", "captures", "{}", NULL, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_int_equal(scene_verify(&own, &count), 0);
	assert_int_equal(count, 1);
	store_free(own.store);
	assert_int_equal(opened_as(b, "enters", &own.store), 0);
	assert_int_equal(store_agency_add(own.store, &a, &fresh, &b->err), 0);
	scene_add_warrant(&own, "LIID-1");
	assert_int_equal(store_warrant_revoke(own.store, "LIID-1", "done", &fresh, &b->err), 0);
	assert_int_equal(store_warrant_each(own.store, NULL, none, &seen, &b->err), 0);
	assert_int_equal(seen, 1);
	assert_int_equal(scene_verify(&own, &count), 0);
	assert_int_equal(count, 4);
	store_free(own.store);
	assert_int_equal(opened_as(b, "appends", &own.store), 0);
	assert_int_equal(store_audit(own.store, "decrypt", "captures", "{}", NULL, &b->err), 0);
	assert_int_equal(store_warrant_each(own.store, NULL, none, &seen, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	store_free(own.store);
}

static void who_does_not_own_an_older_store_cannot_renew_it(void **state)
{
	struct bench *b = *state;
	struct store *s = NULL;

	owned_store(b);
	scene_sql(b, "UPDATE schema_version SET version = 2");
	assert_int_equal(opened_as(b, "enters", &s), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_null(s);
}

/* A trigger that fails as a serialization would, so many times; what a sequence counted is not undone. */
static void in_the_way(struct bench *b, int times)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"CREATE SEQUENCE tries; CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		" IF nextval('tries') <= %d THEN RAISE EXCEPTION 'secret' USING ERRCODE = 'serialization_failure'; END "
		"IF;"
		" RETURN NEW; END $$;"
		"CREATE TRIGGER in_the_way BEFORE INSERT ON audit EXECUTE FUNCTION in_the_way()",
		times);
	scene_sql(b, sql);
}

static void two_in_each_others_way_try_again(void **state)
{
	struct bench *b = *state;
	uint64_t count;

	in_the_way(b, 3);
	scene_agency(b, "Police");
	assert_int_equal(scene_number(b, "SELECT last_value FROM tries"), 4);
	assert_int_equal(scene_verify(b, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM agency"), 1);
}

/* Somebody who takes no lock appends at the same moment: the primary key lets one of the two be the end. */
static void a_writer_that_takes_no_lock_cannot_fork_the_trail(void **state)
{
	struct bench *b = *state;
	uint64_t number = 0;
	int status;
	pid_t child;

	scene_agency(b, "Police");
	child = fork();
	if (child == 0)
		_exit(scene_try(b, "BEGIN; INSERT INTO audit SELECT 2, at, actor, act, subject, detail, before, hash "
				   "FROM audit;"
				   "SELECT pg_sleep(2); COMMIT") != SQL_DONE);
	sleep(1);
	assert_int_equal(store_audit(b->store, "decrypt", "captures", "{}", &number, &b->err), 0);
	assert_int_equal(number, 3);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(scene_number(b, "SELECT COUNT(DISTINCT number) FROM audit"), 3);
}

static void trying_again_has_an_end(void **state)
{
	struct bench *b = *state;
	struct agency a = { .name = (char *)(uintptr_t) "Police" };
	bool fresh;

	in_the_way(b, 1000);
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "others write at the same time"));
	assert_null(strstr(b->err.text, "secret"));
	assert_true(scene_number(b, "SELECT last_value FROM tries") < 20);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM agency"), 0);
}

static void no_value_is_in_an_error(void **state)
{
	struct bench *b = *state;
	struct target target;
	struct warrant_row r = scene_warrant("LIID-1", &target);
	bool fresh;

	scene_agency(b, "Police");
	scene_sql(b, "ALTER TABLE warrant_target ADD CHECK (uri <> 'sip:bob@ims.example')");
	assert_int_equal(store_warrant_add(b->store, &r, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "SQLSTATE 23514"));
	assert_null(strstr(b->err.text, "bob"));
}

#define CUT_OFF "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'otway'"

static void a_connection_that_was_cut_is_made_anew(void **state)
{
	struct bench *b = *state;
	uint64_t count;
	bool is;

	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	assert_int_equal(scene_number(b, CUT_OFF), 1);
	scene_agency(b, "Police");
	assert_int_equal(scene_number(b, CUT_OFF), 1);
	assert_int_equal(scene_verify(b, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	assert_true(is); /* whatever was notified meanwhile is not known */
	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	assert_false(is);
}

static void a_loss_is_told_and_then_mended(void **state)
{
	struct bench *b = *state;
	bool is;

	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	assert_int_equal(scene_number(b, CUT_OFF), 1);
	assert_int_equal(store_changed(b->store, &is, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_UNREACHABLE);
	assert_true(is);
	assert_int_equal(store_fd(b->store), -1);
	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	assert_true(is);
	assert_true(store_fd(b->store) >= 0);
}

/* In the midst of a change the connection goes, once: nothing of the first try is there, and the second is whole. */
static void a_change_whose_connection_went_is_done_once(void **state)
{
	struct bench *b = *state;
	uint64_t count;

	scene_sql(b, "CREATE SEQUENCE tries; CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		     " IF nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
		     " RETURN NEW; END $$;"
		     "CREATE TRIGGER cut BEFORE INSERT ON audit EXECUTE FUNCTION cut()");
	scene_agency(b, "Police");
	assert_int_equal(scene_number(b, "SELECT last_value FROM tries"), 2);
	assert_int_equal(scene_verify(b, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM agency"), 1);
}

/* A constraint that is looked at when the transaction commits cuts the connection there. */
static void a_loss_while_committing_is_said_to_be_unsure(void **state)
{
	struct bench *b = *state;
	struct agency a = { .name = (char *)(uintptr_t) "Police" };
	bool fresh;

	scene_sql(b, "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		     " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
		     "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED"
		     " FOR EACH ROW EXECUTE FUNCTION cut()");
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_UNREACHABLE);
	assert_non_null(strstr(b->err.text, "nobody knows whether it was"));
	scene_sql(b, "DROP TRIGGER cut ON audit");
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), 0);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM agency"), 1);
}

static void another_store_that_answers_after_a_loss_is_not_taken_for_it(void **state)
{
	struct bench *b = *state;
	struct bench other = *b;
	struct agency a = { .name = (char *)(uintptr_t) "Police" };
	bool fresh, is;

	assert_int_equal(store_changed(b->store, &is, &b->err), 0);
	other.store = NULL;
	scene_empty(&other);
	assert_int_equal(scene_number(b, CUT_OFF), 1);
	assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_non_null(strstr(b->err.text, "empty database"));
	scene_open(&other);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_agency_add(b->store, &a, &fresh, &b->err), -1);
		assert_int_equal(b->err.code, EXIT_INTEGRITY);
		assert_non_null(strstr(b->err.text, "another store"));
	}
	assert_int_equal(store_changed(b->store, &is, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_INTEGRITY);
	assert_int_equal(scene_number(b, "SELECT COUNT(*) FROM agency"), 0);
	store_free(other.store);
}

static void a_server_that_stands_still_is_given_up(void **state)
{
	struct bench *b = *state;
	struct bench hasty = *b;
	nsec_t begun;
	pid_t backend;
	int none_seen = 0, rc;

	store_free(b->store);
	b->store = NULL;
	socket_url("admin", "&connect_timeout=2", hasty.url);
	scene_open(&hasty);
	backend = (pid_t)scene_number(b, "SELECT pid FROM pg_stat_activity WHERE application_name = 'otway'");
	assert_true(backend > 1);
	begun = nsec_now();
	assert_int_equal(kill(backend, SIGSTOP), 0);
	rc = store_warrant_each(hasty.store, NULL, none, &none_seen, &b->err);
	kill(backend, SIGCONT);
	/* The reading begins anew over another connection, to a server that goes on. */
	assert_int_equal(rc, 0);
	assert_true(nsec_now() - begun > 4 * NSEC_PER_SEC && nsec_now() - begun < 20 * NSEC_PER_SEC);
	store_free(hasty.store);
}

static void another_writer_that_goes_on_and_on_is_waited_for_and_then_told(void **state)
{
	struct bench *b = *state;
	struct bench hasty = *b;
	struct agency a = { .name = (char *)(uintptr_t) "Customs" };
	bool fresh;
	int status;
	pid_t child;

	store_free(b->store);
	b->store = NULL;
	child = fork();
	if (child == 0) /* the lock that every writer takes, for longer than anybody waits */
		_exit(scene_try(b, "SELECT pg_advisory_lock(1869903737, 1), pg_sleep(6)") != SQL_DONE);
	sleep(1);
	socket_url("admin", "&connect_timeout=2", hasty.url);
	scene_open(&hasty);
	assert_int_equal(store_agency_add(hasty.store, &a, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, EXIT_REFUSED);
	assert_non_null(strstr(b->err.text, "locked"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	scene_agency(&hasty, "Customs");
	store_free(hasty.store);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_password_in_the_url_is_refused_and_not_repeated),
		WITH_STORE(a_url_takes_no_setting_that_is_not_known),
		WITH_STORE(the_environment_has_no_say),
		WITH_STORE(over_a_network_nothing_less_than_verify_full_will_do),
		WITH_STORE(a_password_comes_out_of_a_file_that_is_private),
		WITH_STORE(the_usual_file_of_passwords_is_held_to_the_same),
		WITH_STORE(the_server_proves_itself_by_its_certificate),
		WITH_STORE(who_is_not_there_is_told),
		WITH_STORE(who_takes_a_call_and_says_nothing_is_given_up),
		WITH_STORE(each_role_may_do_its_own_and_no_more),
		WITH_STORE(who_reads_reads_and_who_enters_enters),
		WITH_STORE(who_does_not_own_an_older_store_cannot_renew_it),
		WITH_STORE(two_in_each_others_way_try_again),
		WITH_STORE(a_writer_that_takes_no_lock_cannot_fork_the_trail),
		WITH_STORE(trying_again_has_an_end),
		WITH_STORE(no_value_is_in_an_error),
		WITH_STORE(a_connection_that_was_cut_is_made_anew),
		WITH_STORE(a_loss_is_told_and_then_mended),
		WITH_STORE(a_change_whose_connection_went_is_done_once),
		WITH_STORE(a_loss_while_committing_is_said_to_be_unsure),
		WITH_STORE(another_store_that_answers_after_a_loss_is_not_taken_for_it),
		WITH_STORE(a_server_that_stands_still_is_given_up),
		WITH_STORE(another_writer_that_goes_on_and_on_is_waited_for_and_then_told),
	};

	if (argc < 3)
		return 1;
	scene_arguments(argc, argv);
	certs = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
