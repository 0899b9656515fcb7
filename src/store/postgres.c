/*
 * postgres: the backend of a shared database. Its tables lie in a schema of their own, otway. One connection, which may be lost
 * and made anew; nothing is waited for without an end, even where the server stands still.
 */
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

#include "postgres_inside.h"

#define TYPE_OCTETS   17 /* the numbers of its types: pg_type.dat */
#define TYPE_NUMBER   20
#define TYPE_TEXT     25
#define VERSION_LEAST 130000 /* gen_random_uuid */

static uint64_t big_endian(const uint8_t *at, int len)
{
	uint64_t n = 0;

	for (int i = 0; i < len; i++)
		n = n << 8 | at[i];
	return n;
}

static struct db_value column(const PGresult *r, int row, int i)
{
	const uint8_t *at = (const uint8_t *)PQgetvalue(r, row, i);
	int len = PQgetlength(r, row, i);
	struct db_value v = { .kind = DB_NULL };

	if (PQgetisnull(r, row, i))
		return v;
	switch (PQftype(r, i)) {
	case TYPE_NUMBER:
		return db_number((int64_t)big_endian(at, len));
	case TYPE_OCTETS:
		return (struct db_value){ .kind = DB_OCTETS, .octets = { at, (size_t)len } };
	case TYPE_TEXT:
		return (struct db_value){ .kind = DB_TEXT, .octets = { at, (size_t)len } };
	default:
		return v;
	}
}

static int rows(const PGresult *r, db_row_fn fn, void *arg)
{
	int count = PQnfields(r), stop = 0;

	for (int row = 0; fn != NULL && stop == 0 && row < PQntuples(r); row++) {
		struct db_value columns[DB_COLUMNS] = { 0 };

		for (int i = 0; i < count && i < DB_COLUMNS; i++)
			columns[i] = column(r, row, i);
		stop = fn(arg, columns);
	}
	return stop;
}

/* Values as PostgreSQL takes them: types, octets, lengths; all binary. */
struct parameters {
	Oid types[DB_COLUMNS];
	const char *values[DB_COLUMNS];
	int lengths[DB_COLUMNS], formats[DB_COLUMNS];
	uint8_t numbers[DB_COLUMNS][8];
};

static void fill(struct parameters *p, size_t i, const struct db_value *v)
{
	enum db_kind kind = v->kind == DB_NULL ? v->null_of : v->kind;

	p->formats[i] = 1;
	p->types[i] = kind == DB_TEXT     ? TYPE_TEXT
		      : kind == DB_OCTETS ? TYPE_OCTETS
		      : kind == DB_NUMBER ? TYPE_NUMBER
					  : 0;
	for (size_t n = 0; n < 8; n++)
		p->numbers[i][n] = (uint8_t)((uint64_t)v->number >> (56 - 8 * n));
	if (v->kind == DB_NUMBER) {
		p->values[i] = (const char *)p->numbers[i];
		p->lengths[i] = 8;
	} else if (v->kind != DB_NULL) {
		p->values[i] = v->octets.len > 0 ? (const char *)v->octets.at : "";
		p->lengths[i] = (int)v->octets.len;
	}
}

static int postgres_run(void *arg_db, const char *sql, const struct db_value *values, size_t count, db_row_fn fn,
	void *arg, struct err *err)
{
	struct postgres *db = arg_db;
	struct parameters p = { 0 };
	PGresult *r = NULL;
	int rc;

	if (db->conn == NULL)
		return postgres_unreached(db, NULL, err);
	if (count > DB_COLUMNS)
		return err_set(err, "a statement with too many values");
	db->failure = DB_FINAL;
	for (size_t i = 0; i < count; i++)
		fill(&p, i, &values[i]);
	if (!PQsendQueryParams(db->conn, sql, (int)count, p.types, p.values, p.lengths, p.formats, 1))
		return postgres_went(db, err);
	if (postgres_collect(db, &r, err) < 0)
		return -1;
	rc = rows(r, fn, arg);
	PQclear(r);
	return rc;
}

static int postgres_script(void *arg_db, const char *sql, struct err *err)
{
	struct postgres *db = arg_db;
	PGresult *r = NULL;

	if (db->conn == NULL)
		return postgres_unreached(db, NULL, err);
	db->failure = DB_FINAL;
	if (!PQsendQuery(db->conn, sql))
		return postgres_went(db, err);
	if (postgres_collect(db, &r, err) < 0)
		return -1;
	PQclear(r);
	return 0;
}

static int take_number(void *arg, const struct db_value *columns)
{
	*(int64_t *)arg = columns[0].number;
	return 0;
}

static int ask(struct postgres *db, const char *sql, int64_t *out, struct err *err)
{
	*out = 0;
	return postgres_run(db, sql, NULL, 0, take_number, out, err);
}

static int postgres_version(void *arg_db, struct err *err)
{
	struct postgres *db = arg_db;
	int64_t tables, named, application, version;

	if (ask(db, "SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = 'otway'", &tables, err) < 0)
		return -1;
	if (tables == 0)
		return 0;
	if (ask(db,
		    "SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = 'otway' AND tablename = "
		    "'schema_version'",
		    &named, err) < 0)
		return -1;
	if (named == 0)
		return err_set(err, "%s: its schema otway is no otway store that '%s' makes", db->target.name,
			db->kind->maker);
	if (ask(db, "SELECT application FROM schema_version", &application, err) < 0 ||
		ask(db, "SELECT MAX(version) FROM schema_version", &version, err) < 0)
		return -1;
	if (application != db->kind->application)
		return err_set(err, "%s: its schema otway is no otway store that '%s' makes", db->target.name,
			db->kind->maker);
	return version > 0 && version < INT32_MAX ? (int)version
						  : err_set(err, "%s: its schema has no version", db->target.name);
}

/* Whatever the server's and the user's own settings are: our tables alone, written through to the disk, nothing without an end. */
static int settle(struct postgres *db, struct err *err)
{
	const char *encoding = PQparameterStatus(db->conn, "server_encoding");
	char sql[512];

	if (PQserverVersion(db->conn) < VERSION_LEAST)
		return err_set(err, "%s: the server is older than PostgreSQL 13", db->target.name);
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return err_set(err, "%s: the database is not in UTF-8; make it with ENCODING 'UTF8'", db->target.name);
	snprintf(sql, sizeof(sql),
		"SET search_path = otway, pg_temp; SET row_security = off; SET standard_conforming_strings = on;"
		"SET lock_timeout = '%us'; SET statement_timeout = '%us';"
		"SELECT pg_catalog.set_config('synchronous_commit', 'on', false)"
		" WHERE pg_catalog.current_setting('synchronous_commit') = 'off'",
		db->target.patience, 2 * db->target.patience);
	return postgres_script(db, sql, err);
}

static void postgres_close(void *arg_db)
{
	struct postgres *db = arg_db;

	if (db == NULL)
		return;
	PQfinish(db->conn);
	postgres_target_clear(&db->target);
	free(db);
}

static int postgres_reopen(void *arg_db, struct err *err)
{
	struct postgres *db = arg_db;

	if (db->conn != NULL)
		postgres_hang_up(db);
	if (postgres_dial(db, err) < 0)
		return -1;
	if (settle(db, err) == 0)
		return 0;
	postgres_hang_up(db);
	return -1;
}

static int postgres_open(void **out, const struct backend *kind, const char *place, bool create, struct err *err)
{
	struct postgres *db = calloc(1, sizeof(*db));
	int version = -1;

	if (db == NULL)
		return err_set(err, "out of memory");
	db->kind = kind;
	if (postgres_target_read(&db->target, place, err) == 0 && postgres_reopen(db, err) == 0)
		version = postgres_version(db, err);
	if (version > 0 || (version == 0 && create)) {
		*out = db;
		return 0;
	}
	if (version == 0)
		err_code(
			err, EXIT_NOT_FOUND, "%s: no store is there yet; '%s' makes one", db->target.name, kind->maker);
	postgres_close(db);
	return -1;
}

static enum db_failure postgres_failure(void *arg_db)
{
	return ((struct postgres *)arg_db)->failure;
}

/* The store's triggers notify when what they watch is committed. */
static int postgres_changed(void *arg_db, bool *changed, struct err *err)
{
	struct postgres *db = arg_db;
	PGnotify *n;

	*changed = !db->listening;
	if (!db->listening && postgres_script(db, "LISTEN otway_changed", err) < 0)
		return -1;
	db->listening = true;
	db->failure = DB_FINAL;
	do {
		if (!PQconsumeInput(db->conn))
			return postgres_went(db, err);
	} while (postgres_more(db)); /* the end of a connection comes behind its last words */
	while ((n = PQnotifies(db->conn)) != NULL) {
		*changed = *changed || n->be_pid != PQbackendPID(db->conn);
		PQfreemem(n);
	}
	return 0;
}

static int postgres_fd(void *arg_db)
{
	struct postgres *db = arg_db;

	return db->conn != NULL && db->listening ? PQsocket(db->conn) : -1;
}

const struct backend backend_postgresql = {
	.scheme = "postgresql",
	.application = 0x6f747779, /* "otwy" */
	.maker = "otway agency add",
	.identified = true,
	.open = postgres_open,
	.close = postgres_close,
	.run = postgres_run,
	.script = postgres_script,
	.version = postgres_version,
	.failure = postgres_failure,
	.reopen = postgres_reopen,
	.changed = postgres_changed,
	.fd = postgres_fd,
	.begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",

	/* Under the lock each statement sees all that the writer before it committed. A writer that stands still lets go in time. */
	.begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
		       "SET LOCAL idle_in_transaction_session_timeout = '15s';"
		       "SELECT pg_catalog.pg_advisory_xact_lock(1869903737, 1)",
	.schemas = schema_postgresql,
	.schema_count = &schema_postgresql_count,
};
