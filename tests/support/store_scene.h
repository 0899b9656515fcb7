/*
 * store_scene: a store for each test, in SQLite or, when the program was given the URL of a server, in PostgreSQL; and what an
 * intruder could do in it, with the database's own library, not with the store's code.
 */
#ifndef OTWAY_TESTS_STORE_SCENE_H
#define OTWAY_TESTS_STORE_SCENE_H

#include <stdbool.h>

#include "otway/store.h"

struct bench {
	char folder[64], path[96], url[512];
	struct store *store;
	struct err err;
};

/* argv[1], if there is one: the URL of a server, as tests/support/postgres.py gives it. */
void scene_arguments(int argc, char **argv);
bool scene_postgresql(void);
const char *scene_text(const char *sqlite, const char *postgresql);

/* For cmocka: a store just made, opened by "alice". */
int scene_setup(void **state);
int scene_teardown(void **state);

/* Opens the bench's store. */
void scene_open(struct bench *b);
/* Closes it and leaves nothing of it: an empty place. */
void scene_empty(struct bench *b);

/* What became of SQL that nobody's program sent. */
enum scene_sql { SQL_DONE, SQL_REFUSED_BY_TRIGGER, SQL_FAILED };
enum scene_sql scene_try(const struct bench *b, const char *sql);
void scene_sql(const struct bench *b, const char *sql);
int64_t scene_number(const struct bench *b, const char *sql);
/* With the triggers off: no foreign hand is stopped by them but by taking them off. */
void scene_tamper(const struct bench *b, const char *sql);

void scene_agency(struct bench *b, const char *name);
struct warrant_row scene_warrant(const char *liid, struct target *target);
void scene_add_warrant(struct bench *b, const char *liid);
int scene_verify(struct bench *b, uint64_t *count);

#endif
