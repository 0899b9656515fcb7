/*
 * backend: a database as the store sees it. The store's SQL is written once, with $1, $2 … where values go; what differs
 * between databases lies behind this table and in their schemas.
 */
#ifndef OTWAY_STORE_BACKEND_H
#define OTWAY_STORE_BACKEND_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"

enum db_kind { DB_NULL, DB_NUMBER, DB_TEXT, DB_OCTETS };

/* A value that goes in or a column that comes out. Text that comes out ends in a NUL that octets.len does not count. */
struct db_value {
	enum db_kind kind;
	int64_t number;
	struct bytes octets;
	enum db_kind null_of; /* of a null value that goes in: what it would have been */
};

static inline struct db_value db_number(int64_t number)
{
	return (struct db_value){ .kind = DB_NUMBER, .number = number };
}

static inline struct db_value db_text(const char *text) /* NULL: the null value */
{
	return (struct db_value){ .kind = text != NULL ? DB_TEXT : DB_NULL, .octets = bytes_of(text), .null_of = DB_TEXT };
}

static inline struct db_value db_octets(const void *at, size_t len) /* at NULL: the null value */
{
	return (struct db_value){
		.kind = at != NULL ? DB_OCTETS : DB_NULL, .octets = { at, at != NULL ? len : 0 }, .null_of = DB_OCTETS
	};
}

/* The text of a column, or NULL when it has none. */
static inline const char *db_string(const struct db_value *v)
{
	return v->kind == DB_TEXT ? (const char *)v->octets.at : NULL;
}

/* One row; its columns are borrowed for the call. Non-zero ends the statement, which returns it. */
typedef int (*db_row_fn)(void *arg, const struct db_value *columns);

#define DB_COLUMNS 24 /* at most, of one row */

/* What the last failure of a statement was. */
enum db_failure {
	DB_FINAL,  /* the same would fail again; or nothing failed since the transaction began */
	DB_AGAIN,  /* two transactions were in each other's way: another try may get through */
	DB_LOST,   /* the connection is gone, and with it what was not committed */
	DB_UNSURE, /* the connection went while it was committing: nobody knows whether that was done */
};

struct backend {
	const char *scheme; /* of its urls: "sqlite" */

	/* What marks a database as a store of this kind: nobody's warrants are taken for a KMS's keys. */
	int32_t application;
	const char *maker; /* the command that makes one */
	bool busy;         /* written to many times a second */
	bool identified;   /* it has a table store_identity */

	/* With create, made private to its owner when it is not there; without, EXIT_NOT_FOUND. */
	int (*open)(void **db, const struct backend *kind, const char *place, bool create, struct err *err);
	void (*close)(void *db);

	/* One statement. fn (may be NULL) gets its rows. 0, -1 with err, or what fn returned. */
	int (*run)(void *db, const char *sql, const struct db_value *values, size_t count, db_row_fn fn, void *arg,
		struct err *err);

	/* Statements without values or rows, separated by semicolons. */
	int (*script)(void *db, const char *sql, struct err *err);

	/* The version of the schema that is there, 0 for none at all; -1 with err when it holds something else than a store. */
	int (*version)(void *db, struct err *err);

	/* Of databases behind a connection; NULL where there is none to lose. reopen: connects anew, if it is lost. */
	enum db_failure (*failure)(void *db);
	int (*reopen)(void *db, struct err *err);

	/* store_changed and store_fd of store.h. */
	int (*changed)(void *db, bool *changed, struct err *err);
	int (*fd)(void *db);

	const char *begin_read;     /* from here on one state is seen */
	const char *begin_write;    /* takes the right to write at once, or fails; writers come one after the other */
	const char *const *schemas; /* schemas[n] leads from version n to n + 1 */
	const size_t *schema_count;
};

extern const struct backend backend_sqlite;     /* of warrants */
extern const struct backend backend_postgresql; /* of warrants */
extern const struct backend backend_keys;       /* of a KMS's keys, in SQLite too */

/* Made from schema/ when building. */
extern const char *const schema_sqlite[], *const schema_postgresql[], *const schema_keys[];
extern const size_t schema_sqlite_count, schema_postgresql_count, schema_keys_count;

#endif
