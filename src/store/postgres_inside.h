/*
 * postgres_inside: what the files of the PostgreSQL backend share.
 */
#ifndef OTWAY_STORE_POSTGRES_INSIDE_H
#define OTWAY_STORE_POSTGRES_INSIDE_H

#include "backend.h"

struct pg_conn;   /* PGconn and PGresult of libpq-fe.h */
struct pg_result;

#define POSTGRES_SETTINGS 32

/* Where a database is, as libpq takes it: a list that ends in NULL. */
struct postgres_target {
	const char *keys[POSTGRES_SETTINGS + 1];
	char *values[POSTGRES_SETTINGS + 1];
	size_t count;
	unsigned patience; /* seconds, for connecting and for a lock; a statement has twice that */
	char name[160];    /* for errors: "PostgreSQL database 'otway' at db.example" */
};

/* place: the url without its "postgresql:". By the rules of store_open. */
int postgres_target_read(struct postgres_target *t, const char *place, struct err *err);
void postgres_target_clear(struct postgres_target *t);

struct postgres {
	const struct backend *kind;
	struct postgres_target target;
	struct pg_conn *conn; /* NULL: lost */
	enum db_failure failure;
	bool listening;
};

/* What went wrong, in words that say what to do and quote no data: of a statement; of a connection that was not made, or went. */
int postgres_refused(struct postgres *db, const struct pg_result *r, struct err *err);
int postgres_unreached(struct postgres *db, const struct pg_conn *conn, struct err *err);

/* The connection: made, or err filled. One that went, or whose server is silent, is hung up: DB_LOST. */
int postgres_dial(struct postgres *db, struct err *err);
void postgres_hang_up(struct postgres *db);
int postgres_went(struct postgres *db, struct err *err);

/* Is there something to read that was not asked for? */
bool postgres_more(const struct postgres *db);

/* The result of what was sent: of several statements the last one's, or that of the first which failed. */
int postgres_collect(struct postgres *db, struct pg_result **out, struct err *err);

#endif
