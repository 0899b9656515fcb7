/*
 * key_store: where a KMS keeps what it must know to answer again: an SQLite file, every secret in it sealed with AES-256-GCM under
 * a key from a file, everything it is found by a keyed hash. What was put survives kill -9 and a power cut (write-ahead log,
 * synchronous = FULL).
 */
#ifndef OTWAY_KEY_STORE_H
#define OTWAY_KEY_STORE_H

#include "otway/base/err.h"
#include "otway/model/key_record.h"

struct key_store;

/* path: made when missing, mode 0600. key_file: 64 hex digits, readable by its owner alone (else EXIT_REFUSED). A file sealed under
 * another key: EXIT_INTEGRITY. */
int key_store_open(struct key_store **out, const char *path, const char *key_file, struct err *err);
void key_store_free(struct key_store *s);

/* A key of 32 octets for another use, derived from the key file's under a label of its own. */
bool key_store_derive(const struct key_store *s, const char *label, uint8_t out[32]);

int key_store_put(struct key_store *s, const struct key_record *r, struct err *err); /* replaces its handle; durable on return */
/* Calls back with each record that fits `like`, oldest first, until fn returns non-zero, which it returns; 0: through; -1: err.
 * Empty views fit all; times are not compared. The record has made, until and secret, borrowed for the call: what it is found by
 * cannot be read back. */
typedef int key_store_each(void *arg, const struct key_record *r);
int key_store_find(struct key_store *s, const struct key_record *like, key_store_each *fn, void *arg, struct err *err);
/* Purges what fits `like` (not all of it empty), or what is past its `until`; leaves a tombstone (of handle, run and call_id,
 * hashed) so that purged can be told from unknown, for seven days. *count (may be NULL): how many. */
int key_store_purge(struct key_store *s, const struct key_record *like, nsec_t now, size_t *count, struct err *err);
int key_store_expire(struct key_store *s, nsec_t now, size_t *count, struct err *err);
/* 1: something was purged that had this handle, run or call_id (those given); 0: nothing; -1: err. */
int key_store_purged(struct key_store *s, const struct key_record *like, struct err *err);

/*
 * The KMS's own audit trail, hash-chained as that of warrants is (store.h): act "kms.ACT", actor the peer, subject "request ID" or
 * "user", detail {"outcome","warrant"}. Durable on return.
 */
int key_store_log(struct key_store *s, const struct key_event *e, struct err *err);
int key_store_log_each(struct key_store *s, int (*fn)(void *arg, uint64_t number, const struct key_event *e), void *arg,
		       struct err *err);
int key_store_log_verify(struct key_store *s, uint64_t *count, struct err *err); /* EXIT_INTEGRITY, as store_audit_verify */

#endif
