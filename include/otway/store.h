/*
 * store: agencies, warrants, their history, and the audit trail. In an SQLite file, the embedded default, or in PostgreSQL.
 * Every change is audited in the same transaction: if the trail cannot be written the act is refused.
 */
#ifndef OTWAY_STORE_H
#define OTWAY_STORE_H

#include <sys/types.h>

#include "otway/base/crypto.h"
#include "otway/base/err.h"
#include "otway/model/agreement.h"
#include "otway/model/warrant.h"

struct store;

/*
 * url: "sqlite:PATH". With create it is made (mode 0600, its directory 0700) when it is not there; else EXIT_NOT_FOUND.
 * Refuses (EXIT_REFUSED) a store that others may read or write, or of a newer schema; migrates an older one.
 *
 * Or "postgresql://USER@HOST/DATABASE?sslrootcert=FILE", "postgresql://USER@/DATABASE?host=/run/postgresql": the database is
 * there already (deploy/postgresql.sql), with create the tables are made in its schema otway. A password comes out of
 * passfile=FILE or ~/.pgpass, which nobody else may read, and from nowhere else (EXIT_REFUSED). A host that is reached by
 * network proves itself by a certificate of sslrootcert and its name (sslmode=verify-full; weaker is refused). connect_timeout=N:
 * seconds (2 to 60, 5 if not said) for connecting and for waiting behind another writer; a statement has twice that.
 * Nobody there, or no answer in that time: EXIT_UNREACHABLE, by any function below.
 *
 * A connection that was lost is made anew when the next function needs it. A change during which it went is done once, or not at
 * all; only where it went while committing is that not known, and said (EXIT_UNREACHABLE). Where another store answers then, or
 * none (EXIT_INTEGRITY), this one is of no more use.
 *
 * actor: who acts, for history and audit ("root", "alice"): the login name of the real user.
 */
int store_open(struct store **out, const char *url, bool create, const char *actor, struct err *err);
void store_free(struct store *s);

/* 32 hex digits, drawn at random when the store was made: tells whether it is the one last seen. A copy has the same. */
const char *store_id(const struct store *s);

/*
 * Have others committed something since the last call? *changed is true the first time, and after a connection was lost: then
 * call this, read, wait, call this again, and nothing is missed. True also for changes of no warrant (SQLite: any commit, of
 * the trail too). What this very store wrote does not count. EXIT_UNREACHABLE: it is away; EXIT_INTEGRITY: it is another one.
 * On failure *changed is true, and the next call tries anew, which may take as long as connecting does.
 */
int store_changed(struct store *s, bool *changed, struct err *err);
/* Readable when store_changed may have something to tell; to be asked for after each call of that, as it changes with the
 * connection. A reading takes signals in, too: call store_changed between it and the next wait. -1: none, as before the first
 * call; then store_changed is to be called now and then, which is cheap. On file systems of other hosts SQLite's tells nothing. */
int store_fd(struct store *s);

/* The url meant when none is given: root's /var/lib/otway/otway.db, else $XDG_DATA_HOME/otway/otway.db (or ~/.local/share). */
int store_default_url(char *out, size_t size, struct err *err);

/*
 * Where the store of a url lies, before it is opened: an SQLite file and its folder, in which files come and go beside it; or the files
 * that a connection to a server reads. Nothing is looked at.
 */
#define STORE_PLACE_FILES 8
struct store_place {
	char *file, *folder;            /* SQLite; else NULL */
	char *files[STORE_PLACE_FILES]; /* PostgreSQL: NULL behind the last */
};
int store_place_of(const char *url, struct store_place *out, struct err *err);
void store_place_clear(struct store_place *p);

/*
 * An SQLite store belongs to a user, and root acts as that one: whoever its folder belongs to, or else its file. This makes an empty file for
 * a user, where there is none yet and we are root, and the folder with it. EXIT_REFUSED: the user could not make it there.
 */
int store_place_give(const char *url, uid_t user, gid_t group, struct err *err);

struct agency {
	char *name;
	char country[3];     /* ISO 3166 alpha-2, or "" */
	char **deliver;      /* destinations, as entered */
	size_t deliver_count;
	nsec_t added;
	uint32_t warrants;   /* how many it has, whatever their state */
	uint32_t number;     /* local, from 1, never reused */
};
void agency_clear(struct agency *a);

/* Again the same: done, *fresh false; other content under its name: EXIT_REFUSED, naming the field. */
int store_agency_add(struct store *s, const struct agency *a, bool *fresh, struct err *err);
int store_agency_remove(struct store *s, const char *name, struct err *err);       /* EXIT_NOT_FOUND; EXIT_REFUSED while it has warrants */
/* Calls back in the order of names; stops when fn returns non-zero, and returns that. */
int store_agency_each(struct store *s, const char *name /* NULL: all */, int (*fn)(void *arg, const struct agency *a), void *arg,
		      struct err *err);

/* Agreements with KMSs, in the order they were made. The same again: done, *fresh false; other content under its identity:
 * EXIT_REFUSED, naming the field. identity as kms_identity of resolve.h gives it. */
int store_kms_add(struct store *s, const struct kms_agreement *a, bool *fresh, struct err *err);
int store_kms_remove(struct store *s, const char *identity, struct err *err); /* EXIT_NOT_FOUND */
int store_kms_each(struct store *s, const char *identity /* NULL: all */,
		   int (*fn)(void *arg, const struct kms_agreement *a, nsec_t added), void *arg, struct err *err);
int store_kms_all(struct store *s, struct kms_agreements *out, struct err *err); /* appended to out */

/* A warrant as the store keeps it: what the pipeline needs and what people entered. */
struct warrant_row {
	struct warrant w;
	char *from_entered, *until_entered; /* the words given, for "the same again" */
	char *document;                     /* base name of --document, or NULL */
	uint8_t document_sha256[SHA256_LEN];
	nsec_t added;
	nsec_t revoked;                     /* NSEC_NONE: not */
	char *revoked_reason;
	uint8_t salt[16];                   /* random, drawn when added: part of what content_sha256 of the trail covers */
};
void warrant_row_clear(struct warrant_row *r);

/* "pending", "active", "ended", "revoked": at a moment. */
const char *warrant_state(const struct warrant_row *r, nsec_t now);

/* *fresh: false when the very same was there already (times that are spans compare by the words entered). Other content
 * under its LIID, or a revoked one: EXIT_REFUSED, naming the field. The agency must be there (EXIT_NOT_FOUND). */
int store_warrant_add(struct store *s, const struct warrant_row *r, bool *fresh, struct err *err);
/* until and the words it was given in; authority NULL: as before. EXIT_NOT_FOUND; EXIT_REFUSED when revoked, or when until is
 * earlier than it was; *fresh: false when all was so already. */
int store_warrant_extend(struct store *s, const char *liid, nsec_t until, const char *until_entered, const char *authority,
			 bool *fresh, struct err *err);
int store_warrant_revoke(struct store *s, const char *liid, const char *reason, bool *fresh, struct err *err); /* again: done */
int store_warrant_each(struct store *s, const char *liid /* NULL: all */, int (*fn)(void *arg, const struct warrant_row *r),
		       void *arg, struct err *err);

/* One change of a warrant: who, when, which field, before, after. */
struct warrant_change {
	nsec_t at;
	const char *actor, *act;           /* "add", "extend", "revoke" */
	const char *field, *before, *after; /* before NULL where there was none */
};
int store_warrant_history(struct store *s, const char *liid, int (*fn)(void *arg, const struct warrant_change *c), void *arg,
			  struct err *err);

/* What may be opened: every warrant not revoked (whatever its times; packets' own time decides). Or only those of
 * `liids`: EXIT_NOT_FOUND for an unknown one, EXIT_REFUSED for a revoked one. */
int store_warrants_in_use(struct store *s, const char *const *liids, size_t liid_count, struct warrant_set *out, struct err *err);

/*
 * The audit trail: append-only. An act is written before it takes effect; when it cannot be, the act is refused (EXIT_REFUSED).
 * A record's hash is the SHA-256 of the JSON object {"act","actor","at","before","detail","number","subject"} in UTF-8: keys
 * sorted, no white space, nothing escaped but " \\ (control characters do not occur). "at" is the text of the time, "detail" an
 * object, "before" the hash of the record before in lower-case hex (64 zeroes for the first). `audit export` writes these
 * objects with their "hash", one a line, so that anyone can recompute the chain; the last line's is the head to keep.
 * subject: "warrant 3", "agency 1": local numbers where there is one. No target is ever in it: a change is told by the names
 * of its fields and a SHA-256 over the salted content.
 */
struct audit_record {
	uint64_t number; /* from 1 */
	nsec_t at;       /* whole microseconds */
	const char *actor, *act, *subject, *detail;
	uint8_t before[SHA256_LEN], hash[SHA256_LEN];
};

/* detail: a JSON object as text. number (may be NULL): the record's. */
int store_audit(struct store *s, const char *act, const char *subject, const char *detail, uint64_t *number, struct err *err);
/* Several at once: all are written, in their order, or none. */
struct store_act {
	const char *act, *subject, *detail;
};
int store_audit_all(struct store *s, const struct store_act *all, size_t count, struct err *err);
int store_audit_each(struct store *s, int (*fn)(void *arg, const struct audit_record *r), void *arg, struct err *err);

/* A hash that was kept outside. */
struct audit_kept {
	uint64_t number;
	uint8_t hash[SHA256_LEN];
};

/* The last record of the trail; number 0: there is none. */
int store_audit_last(struct store *s, struct audit_kept *last, struct err *err);
/* Is that record in the trail? If not, a store of the same identity is an older copy, in which what was revoked since is in force. */
int store_audit_holds(struct store *s, const struct audit_kept *kept, bool *holds, struct err *err);

/*
 * Walks the chain: EXIT_INTEGRITY naming the first record that is altered, missing, cut off, or not the one kept (`kept` in
 * ascending order of number; 0: none). Also that every agency and warrant still is as the trail last saw it.
 * *count and *head tell what was verified.
 */
int store_audit_verify(struct store *s, const struct audit_kept *kept, size_t kept_count, uint64_t *count,
		       uint8_t head[SHA256_LEN], struct err *err);

#endif
