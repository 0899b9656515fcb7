/*
 * inside: what the files of the store share: statements, transactions, and the trail's pen.
 */
#ifndef OTWAY_STORE_INSIDE_H
#define OTWAY_STORE_INSIDE_H

#include <jansson.h>

#include "backend.h"
#include "otway/store.h"

struct store {
	const struct backend *backend;
	void *db;
	char *actor;
	nsec_t at; /* of the change in hand: one moment for all that it writes */
	char id[33];
	bool lost; /* its connection; what answers next is not known to be this store */
};

/* Opens a store of a kind and brings its schema up to date. */
int store_begin(struct store **out, const struct backend *kind, const char *place, bool create, const char *actor,
	struct err *err);

/* A statement with its values: store_run(s, "…$1…", fn, arg, err, db_text(name), db_number(3)). */
int store_run_values(struct store *s, const char *sql, db_row_fn fn, void *arg, struct err *err,
	const struct db_value *values, size_t count);
#define store_run(s, sql, fn, arg, err, ...)                                                                           \
	store_run_values((s), (sql), (fn), (arg), (err), (const struct db_value[]){ __VA_ARGS__ },                     \
		sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value))
/* One without values. */
#define store_ask(s, sql, fn, arg, err) store_run_values((s), (sql), (fn), (arg), (err), NULL, 0)

/* Row functions for one column: into an int64_t; into a char * that the caller frees. */
int take_number(void *arg, const struct db_value *columns);
int take_text(void *arg, const struct db_value *columns);

/* A copy of a column's text, NULL when it has none; *ok is cleared when memory is out. */
char *copy_text(const struct db_value *v, bool *ok);

/*
 * A change: `work` runs in one transaction, which must have written the trail (audit_append). When the database fails in
 * any of it, all of it is refused (EXIT_REFUSED): what cannot be recorded is not done. Work may run again, after all that
 * it did was undone: it begins by what the database says, not by what an earlier run left in arg.
 */
int store_change(struct store *s, int (*work)(struct store *s, void *arg, struct err *err), void *arg, struct err *err);
/* A reading: `work` sees one state of the store, whoever writes meanwhile. */
int store_reading(
	struct store *s, int (*work)(struct store *s, void *arg, struct err *err), void *arg, struct err *err);

/* In transaction.c: the identity of the store that answers, by s->id; and a connection that is this store's, made if need be. */
int store_identify(struct store *s, struct err *err);
int store_reach(struct store *s, struct err *err);
/* One try of a transaction that writes no trail: a step of the schema. */
int store_attempt(struct store *s, const char *begin, int (*work)(struct store *s, void *arg, struct err *err), void *arg,
	struct err *err);

/* Within a transaction: the records of the trail, page by page. */
int read_audit(struct store *s, db_row_fn fn, void *arg, struct err *err);

/* Appends a record within a transaction; detail is taken over. */
int audit_append(
	struct store *s, const char *act, const char *subject, json_t *detail, uint64_t *number, struct err *err);

/* SHA-256 of a value's canonical JSON, as hex. */
void json_sha256(const json_t *value, char hex[SHA256_HEX]);

/* What the trail's content_sha256 covers. New references; NULL: out of memory. */
json_t *agency_content(const struct agency *a);
json_t *warrant_content(const struct warrant_row *r);

/* The chain alone, of whatever store: EXIT_INTEGRITY naming the first record that is not as it was written. */
int audit_verify_chain(struct store *s, uint64_t *count, struct err *err);

/* Within a transaction: the agencies in the order of names, or the one of a name (then EXIT_NOT_FOUND when there is none). */
int read_agencies(
	struct store *s, const char *name, int (*fn)(void *arg, const struct agency *a), void *arg, struct err *err);

/* Within a transaction: the warrants, or the one of a LIID (then EXIT_NOT_FOUND when there is none). */
int read_warrants(struct store *s, const char *liid, int (*fn)(void *arg, const struct warrant_row *r), void *arg,
	struct err *err);

/* Within a transaction: the agreements in the order of numbers, or the one of an identity (then EXIT_NOT_FOUND when there is
 * none), with when it was added and its salt. */
typedef int (*kms_row_fn)(void *arg, const struct kms_agreement *a, nsec_t added, struct bytes salt);
int read_kms(struct store *s, const char *identity, kms_row_fn fn, void *arg, struct err *err);
json_t *kms_content(const struct kms_agreement *a, struct bytes salt);

/* Writes the lines of a warrant's history for one act; before and after may be NULL. */
struct change_line {
	const char *field, *before, *after;
};
int write_change(struct store *s, uint32_t warrant, const char *act, const struct change_line *line, struct err *err);

/* The trail's record of a change: which warrant, which fields (taken over), and a hash of what it is now. */
int audit_change(struct store *s, const char *act, const struct warrant_row *r, json_t *fields, struct err *err);

/* SHA-256 of an audit record as hex, by the recipe of store.h. False: out of memory, or text that is not UTF-8. */
bool audit_hash(int64_t number, const char *at, const char *actor, const char *act, const char *subject, json_t *detail,
	const char *before, char hex[SHA256_HEX]);
extern const char audit_nothing_before[SHA256_HEX];

#endif
