/*
 * key_store: keys of legs, sealed. The key from the file is never used itself: one derived from it seals, another hashes what records
 * are found by.
 */
#include "otway/key_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "inside.h"
#include "key_inside.h"
#include "otway/base/file.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"

#define KEY_OCTETS 32
#define MARK_LEN   SHA256_LEN
#define MARKS      6
#define GONE_FOR   (7 * 24 * 3600 * NSEC_PER_SEC)
#define SEAL_EXTRA (CRYPTO_NONCE_LEN + CRYPTO_TAG_LEN)
#define SECRET_MAX ((size_t)64 << 10)
#define FILE_MAX   256

static const char proof_words[] = "otway key store";

static struct bytes octets(const uint8_t *at, size_t len)
{
	return (struct bytes){ at, len };
}

/* NONCE ciphertext TAG; to holds in.len + SEAL_EXTRA. */
static bool seal(const struct key_store *s, struct bytes aad, struct bytes in, uint8_t *to)
{
	return crypto_random(to, CRYPTO_NONCE_LEN) &&
	       crypto_gcm_seal(octets(s->sealing, KEY_OCTETS), to, aad, in, to + CRYPTO_NONCE_LEN);
}

static bool unseal(const struct key_store *s, struct bytes aad, struct bytes in, uint8_t *to)
{
	return in.len >= SEAL_EXTRA && crypto_gcm_open(octets(s->sealing, KEY_OCTETS), in.at, aad,
					       bytes_part(in, CRYPTO_NONCE_LEN, in.len), to);
}

/* What a record is found by, by kind: a run that spells like a handle has another mark. */
static bool mark(const struct key_store *s, char kind, struct bytes value, uint8_t out[MARK_LEN])
{
	const struct bytes parts[2] = { octets((const uint8_t *)&kind, 1), value };

	return crypto_hmac(CRYPTO_SHA256, octets(s->marking, KEY_OCTETS), parts, 2, out);
}

static int take_proof(void *arg, const struct db_value *c)
{
	struct buf *out = arg;

	return buf_add(out, c[0].octets.at, c[0].octets.len) ? 0 : -1;
}

/* The first opening leaves a proof of the key; later ones must open it. */
static int prove(struct store *store, void *arg, struct err *err)
{
	const struct key_store *s = arg;
	const struct bytes words = bytes_of(proof_words);
	uint8_t sealed[sizeof(proof_words) + SEAL_EXTRA], opened[sizeof(proof_words)];
	struct buf there = { 0 };
	int rc = store_ask(store, "SELECT sealed FROM proof", take_proof, &there, err);

	if (rc == 0 && there.len == 0) {
		if (!seal(s, words, words, sealed))
			rc = err_set(err, "no random octets to be had");
		else
			rc = store_run(store, "INSERT INTO proof (sealed) VALUES ($1)", NULL, NULL, err,
				db_octets(sealed, words.len + SEAL_EXTRA));
	} else if (rc == 0 && (there.len != words.len + SEAL_EXTRA || !unseal(s, words, buf_bytes(&there), opened))) {
		rc = err_code(err, EXIT_INTEGRITY, "it is sealed under another key than that of the key file");
	}
	buf_clear(&there);
	return rc;
}

static bool derive(struct bytes key, const char *label, uint8_t out[KEY_OCTETS])
{
	return crypto_hkdf(key, (struct bytes){ NULL, 0 }, bytes_of(label), out, KEY_OCTETS);
}

static int keys_read(struct key_store *s, const char *path, struct err *err)
{
	static const char seal_label[] = "otway key store seal", mark_label[] = "otway key store mark",
			  derive_label[] = "otway key store derive";
	struct buf text = { 0 };
	uint8_t key[KEY_OCTETS];
	int rc = -1;

	if (file_private(path, err) < 0 || file_read(path, FILE_MAX, &text, err) < 0)
		goto out;
	if (text_unhex(text_trim(buf_bytes(&text)), key, sizeof(key)) != KEY_OCTETS) {
		err_code(err, EXIT_USAGE, "%s: a key is 64 hex digits; 'openssl rand -hex 32' makes one", path);
		goto out;
	}
	if (derive(octets(key, KEY_OCTETS), seal_label, s->sealing) &&
		derive(octets(key, KEY_OCTETS), mark_label, s->marking) &&
		derive(octets(key, KEY_OCTETS), derive_label, s->deriving))
		rc = 0;
	else
		err_set(err, "the key store's keys cannot be derived");
out:
	secret_wipe(key, sizeof(key));
	buf_clear(&text);
	return rc;
}

int key_store_open(struct key_store **out, const char *path, const char *key_file, struct err *err)
{
	struct key_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, "out of memory");
	if (keys_read(s, key_file, err) < 0 || store_begin(&s->store, &backend_keys, path, true, "kms", err) < 0 ||
		store_change(s->store, prove, s, err) < 0) {
		key_store_free(s);
		return err_in(err, "opening the key store %s", path);
	}
	*out = s;
	return 0;
}

void key_store_free(struct key_store *s)
{
	if (s == NULL)
		return;
	store_free(s->store);
	secret_free(s, sizeof(*s));
}

bool key_store_derive(const struct key_store *s, const char *label, uint8_t out[32])
{
	return derive(octets(s->deriving, KEY_OCTETS), label, out);
}

/* A record's six marks as values, NULL where its view is empty. */
struct marks {
	uint8_t at[MARKS][MARK_LEN];
	struct db_value values[MARKS];
};

static bool marks_of(const struct key_store *s, const struct key_record *r, struct marks *m)
{
	static const char kinds[MARKS] = { 'h', 'm', 'c', 'a', 'b', 'r' };
	const struct bytes views[MARKS] = { r->handle, r->run, r->call_id, r->a, r->b, r->r };

	for (size_t i = 0; i < MARKS; i++) {
		m->values[i] = db_octets(views[i].len > 0 ? m->at[i] : NULL, MARK_LEN);
		if (views[i].len > 0 && !mark(s, kinds[i], views[i], m->at[i]))
			return false;
	}
	return true;
}

struct put {
	const struct key_store *s;
	const struct key_record *r;
};

static int put_work(struct store *store, void *arg, struct err *err)
{
	const struct put *p = arg;
	const struct key_record *r = p->r;
	struct marks m;
	size_t len = r->secret.len + SEAL_EXTRA;
	uint8_t *sealed = r->secret.len <= SECRET_MAX && r->handle.len > 0 ? malloc(len) : NULL;
	int rc;

	if (sealed == NULL || !marks_of(p->s, r, &m) || !seal(p->s, octets(m.at[0], MARK_LEN), r->secret, sealed)) {
		free(sealed);
		return err_set(err, "a key cannot be sealed: no handle, too long, or no memory");
	}
	rc = store_run(store,
		"INSERT INTO leg_key (handle, run, call_id, a, b, r, made, ends, secret) VALUES ($1, $2, $3, $4, $5, "
		"$6, $7, $8, $9)"
		" ON CONFLICT (handle) DO UPDATE SET run = $2, call_id = $3, a = $4, b = $5, r = $6, made = $7, ends = "
		"$8,"
		" secret = $9",
		NULL, NULL, err, m.values[0], m.values[1], m.values[2], m.values[3], m.values[4], m.values[5],
		db_number(r->made), db_number(r->until), db_octets(sealed, len));
	free(sealed);
	return rc;
}

int key_store_put(struct key_store *s, const struct key_record *r, struct err *err)
{
	struct put p = { s, r };

	return store_change(s->store, put_work, &p, err);
}

struct find {
	const struct key_store *s;
	key_store_each *fn;
	void *arg;
	struct err *err;
};

static int find_row(void *arg, const struct db_value *c)
{
	struct find *f = arg;
	struct key_record r = { .made = c[1].number, .until = c[2].number };
	size_t len = c[3].octets.len;
	uint8_t *opened = malloc(len + 1);
	int rc;

	if (opened == NULL)
		return err_set(f->err, "out of memory");
	if (unseal(f->s, c[0].octets, c[3].octets, opened)) {
		r.secret = octets(opened, len - SEAL_EXTRA);
		rc = f->fn(f->arg, &r);
	} else {
		rc = err_code(f->err, EXIT_INTEGRITY, "a key in the store was altered");
	}
	secret_free(opened, len + 1);
	return rc;
}

static const char *const mark_columns[MARKS] = { "handle", "run", "call_id", "a", "b", "r" };

/* "… WHERE run = $1 AND r = $2": only what is given, so that an index answers. Returns how many values that takes. */
static size_t add_fits(struct buf *sql, const struct marks *m, struct db_value values[MARKS])
{
	size_t count = 0;

	for (size_t i = 0; i < MARKS; i++)
		if (m->values[i].kind != DB_NULL) {
			values[count++] = m->values[i];
			buf_printf(sql, " %s %s = $%zu", count == 1 ? "WHERE" : "AND", mark_columns[i], count);
		}
	return count;
}

int key_store_find(struct key_store *s, const struct key_record *like, key_store_each *fn, void *arg, struct err *err)
{
	struct find f = { s, fn, arg, err };
	struct db_value values[MARKS];
	struct buf sql = { 0 };
	struct marks m;
	size_t count;
	int rc;

	if (!marks_of(s, like, &m))
		return err_set(err, "out of memory");
	buf_text(&sql, "SELECT handle, made, ends, secret FROM leg_key");
	count = add_fits(&sql, &m, values);
	buf_add(&sql, " ORDER BY number", sizeof(" ORDER BY number"));
	rc = sql.failed ? err_set(err, "out of memory")
			: store_run_values(s->store, (char *)sql.at, find_row, &f, err, values, count);
	buf_clear(&sql);
	return rc;
}

struct purge {
	const struct marks *m; /* NULL: what is past its time */
	nsec_t now;
	int64_t count;
};

static int purge_step(struct store *store, const struct purge *p, const char *before, const char *behind, db_row_fn fn,
	void *arg, struct err *err)
{
	struct db_value values[MARKS] = { db_number(p->now) };
	struct buf sql = { 0 };
	size_t count = 1;
	int rc;

	buf_text(&sql, before);
	if (p->m != NULL)
		count = add_fits(&sql, p->m, values);
	else
		buf_text(&sql, " WHERE ends <= $1");
	buf_add(&sql, behind, strlen(behind) + 1);
	rc = sql.failed ? err_set(err, "out of memory")
			: store_run_values(store, (char *)sql.at, fn, arg, err, values, count);
	buf_clear(&sql);
	return rc;
}

static int purge_work(struct store *store, void *arg, struct err *err)
{
	struct purge *p = arg;
	char before[128], behind[40];
	int rc = store_run(store, "DELETE FROM gone WHERE until <= $1", NULL, NULL, err, db_number(p->now));

	if (rc == 0)
		rc = purge_step(store, p, "SELECT COUNT(*) FROM leg_key", "", take_number, &p->count, err);
	for (size_t i = 0; rc == 0 && p->count > 0 && i < 3; i++) { /* handle, run, call_id */
		snprintf(before, sizeof(before), "INSERT INTO gone (mark, until) SELECT %s, %lld FROM leg_key",
			mark_columns[i], (long long)(p->now + GONE_FOR));
		snprintf(behind, sizeof(behind), " AND %s IS NOT NULL", mark_columns[i]);
		rc = purge_step(store, p, before, behind, NULL, NULL, err);
	}
	if (rc == 0 && p->count > 0)
		rc = purge_step(store, p, "DELETE FROM leg_key", "", NULL, NULL, err);
	return rc;
}

static int purge(struct key_store *s, struct purge *p, size_t *count, struct err *err)
{
	int rc = store_change(s->store, purge_work, p, err);

	/* What was purged does not stay in the log that lies beside the file. */
	if (rc == 0 && p->count > 0)
		rc = store_ask(s->store, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, err);
	if (count != NULL)
		*count = rc == 0 ? (size_t)p->count : 0;
	return rc;
}

int key_store_purge(struct key_store *s, const struct key_record *like, nsec_t now, size_t *count, struct err *err)
{
	struct marks m;
	struct purge p = { &m, now, 0 };

	if (like->handle.len + like->run.len + like->call_id.len + like->a.len + like->b.len + like->r.len == 0)
		return err_set(err, "nothing says which keys to purge");
	return marks_of(s, like, &m) ? purge(s, &p, count, err) : err_set(err, "out of memory");
}

int key_store_expire(struct key_store *s, nsec_t now, size_t *count, struct err *err)
{
	struct purge p = { NULL, now, 0 };

	return purge(s, &p, count, err);
}

int key_store_purged(struct key_store *s, const struct key_record *like, struct err *err)
{
	struct marks m;
	int64_t count = 0;

	if (!marks_of(s, like, &m))
		return err_set(err, "out of memory");
	if (store_run(s->store, "SELECT COUNT(*) FROM gone WHERE mark IN ($1, $2, $3)", take_number, &count, err,
		    m.values[0], m.values[1], m.values[2]) < 0)
		return -1;
	return count > 0;
}
