/* store_scene: stores for tests, in SQLite and in PostgreSQL. */
#include "store_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "otway/base/file.h"

static const char *server;

void scene_arguments(int argc, char **argv)
{
	server = argc > 1 ? argv[1] : NULL;
}

bool scene_postgresql(void)
{
	return server != NULL;
}

const char *scene_text(const char *sqlite, const char *postgresql)
{
	return scene_postgresql() ? postgresql : sqlite;
}

static void quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static PGconn *connected(void)
{
	PGconn *conn = PQconnectdb(server);

	PQsetNoticeProcessor(conn, quiet, NULL);
	assert_int_equal(PQstatus(conn), CONNECTION_OK);
	PQclear(PQexec(conn, "SET search_path = otway"));
	return conn;
}

static enum scene_sql try_postgresql(const char *sql)
{
	PGconn *conn = connected();
	PGresult *r = PQexec(conn, sql);
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	enum scene_sql became = code == NULL                 ? SQL_DONE
				: strcmp(code, "P0001") == 0 ? SQL_REFUSED_BY_TRIGGER
							     : SQL_FAILED;

	if (became == SQL_FAILED)
		print_message("%s", PQerrorMessage(conn));
	PQclear(r);
	PQfinish(conn);
	return became;
}

static enum scene_sql try_sqlite(const char *path, const char *sql)
{
	enum scene_sql became;
	sqlite3 *db;
	int rc;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	became = rc == SQLITE_OK                                             ? SQL_DONE
		 : sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_TRIGGER ? SQL_REFUSED_BY_TRIGGER
									     : SQL_FAILED;
	if (became == SQL_FAILED)
		print_message("%s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
	return became;
}

enum scene_sql scene_try(const struct bench *b, const char *sql)
{
	return scene_postgresql() ? try_postgresql(sql) : try_sqlite(b->path, sql);
}

void scene_sql(const struct bench *b, const char *sql)
{
	assert_int_equal(scene_try(b, sql), SQL_DONE);
}

int64_t scene_number(const struct bench *b, const char *sql)
{
	int64_t number = -1;

	if (scene_postgresql()) {
		PGconn *conn = connected();
		PGresult *r = PQexec(conn, sql);

		assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
		number = PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : -1;
		PQclear(r);
		PQfinish(conn);
	} else {
		sqlite3_stmt *stmt;
		sqlite3 *db;

		assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
		sqlite3_busy_timeout(db, 5000);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			number = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
		sqlite3_close(db);
	}
	return number;
}

void scene_tamper(const struct bench *b, const char *sql)
{
	scene_sql(b, scene_text("DROP TRIGGER audit_grows; DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps;"
				"DROP TRIGGER warrant_closed; DROP TRIGGER target_stays; DROP TRIGGER warrant_keeps",
			     "DROP TRIGGER audit_grows ON audit; DROP TRIGGER audit_stays ON audit;"
			     "DROP TRIGGER audit_keeps ON audit; DROP TRIGGER warrant_closed ON warrant;"
			     "DROP TRIGGER target_stays ON warrant_target; DROP TRIGGER warrant_keeps ON warrant"));
	scene_sql(b, sql);
}

void scene_open(struct bench *b)
{
	if (store_open(&b->store, b->url, true, "alice", &b->err) < 0)
		fail_msg("%s", b->err.text);
}

void scene_empty(struct bench *b)
{
	store_free(b->store);
	b->store = NULL;
	if (scene_postgresql())
		scene_sql(b, "DROP SCHEMA IF EXISTS otway CASCADE");
	else
		remove(b->path);
}

int scene_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	strcpy(b->folder, "/tmp/test_store_XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof(b->path), "%s/made/otway.db", b->folder);
	if (scene_postgresql())
		snprintf(b->url, sizeof(b->url), "%s", server);
	else
		snprintf(b->url, sizeof(b->url), "sqlite:%s", b->path);
	scene_empty(b);
	scene_open(b);
	*state = b;
	return 0;
}

int scene_teardown(void **state)
{
	struct bench *b = *state;

	store_free(b->store);
	file_remove_tree(b->folder, &b->err);
	free(b);
	return 0;
}

void scene_agency(struct bench *b, const char *name)
{
	char *deliver[] = { (char *)(uintptr_t) "hi2:192.0.2.1:7000" };
	struct agency a = { .name = (char *)(uintptr_t)name, .country = "NZ", .deliver = deliver, .deliver_count = 1 };
	bool fresh;

	if (store_agency_add(b->store, &a, &fresh, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_true(fresh);
}

struct warrant_row scene_warrant(const char *liid, struct target *target)
{
	struct warrant_row r = { .from_entered = (char *)(uintptr_t) "now",
		.until_entered = (char *)(uintptr_t) "+72h",
		.revoked = NSEC_NONE };

	snprintf(r.w.liid, sizeof(r.w.liid), "%s", liid);
	r.w.agency = (char *)(uintptr_t) "Police";
	r.w.authority = (char *)(uintptr_t) "Court 12/26";
	target->uri = (char *)(uintptr_t) "sip:bob@ims.example";
	r.w.targets = target;
	r.w.target_count = 1;
	r.w.from = 1000 * NSEC_PER_SEC;
	r.w.until = 2000 * NSEC_PER_SEC;
	r.w.scope = SCOPE_ALL;
	r.w.diverted = DIVERTED_CONTENT;
	return r;
}

void scene_add_warrant(struct bench *b, const char *liid)
{
	struct target target;
	struct warrant_row r = scene_warrant(liid, &target);
	bool fresh;

	if (store_warrant_add(b->store, &r, &fresh, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_true(fresh);
}

int scene_verify(struct bench *b, uint64_t *count)
{
	uint8_t head[SHA256_LEN];

	return store_audit_verify(b->store, NULL, 0, count, head, &b->err);
}
