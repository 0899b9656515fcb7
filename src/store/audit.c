/*
 * audit: the hash-chained trail. Each record covers the hash of the one before, so that whoever kept a head can tell whether
 * anything up to it was altered, taken out or cut off.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

const char audit_nothing_before[SHA256_HEX] = "0000000000000000000000000000000000000000000000000000000000000000";

#define AUDIT_COLUMNS "number, at, actor, act, subject, detail, before, hash"

void json_sha256(const json_t *value, char hex[SHA256_HEX])
{
	char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT);
	uint8_t hash[SHA256_LEN];

	sha256_of(bytes_of(text), hash);
	text_hex((struct bytes){ hash, sizeof(hash) }, hex);
	free(text);
}

bool audit_hash(int64_t number, const char *at, const char *actor, const char *act, const char *subject, json_t *detail,
	const char *before, char hex[SHA256_HEX])
{
	json_t *record = json_pack("{s:I, s:s, s:s, s:s, s:s, s:O, s:s}", "number", (json_int_t)number, "at", at,
		"actor", actor, "act", act, "subject", subject, "detail", detail, "before", before);

	if (record == NULL)
		return false;
	json_sha256(record, hex);
	json_decref(record);
	return true;
}

struct head {
	int64_t number;
	char *hash;
};

static int take_head(void *arg, const struct db_value *columns)
{
	struct head *h = arg;

	h->number = columns[0].number;
	return take_text(&h->hash, columns + 1);
}

static int append(
	struct store *s, const char *act, const char *subject, json_t *detail, uint64_t *number, struct err *err)
{
	struct head head = { 0, NULL };
	char at[NSEC_TEXT], hash[SHA256_HEX], *text = json_dumps(detail, JSON_SORT_KEYS | JSON_COMPACT);
	const char *before;
	int rc = store_ask(s, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", take_head, &head, err);

	before = head.hash != NULL ? head.hash : audit_nothing_before;
	nsec_text(s->at, at);
	if (rc == 0 && (text == NULL || !audit_hash(head.number + 1, at, s->actor, act, subject, detail, before, hash)))
		rc = err_set(err, "out of memory, or text that is not UTF-8");
	if (rc == 0)
		rc = store_run(s, "INSERT INTO audit (" AUDIT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", NULL,
			NULL, err, db_number(head.number + 1), db_text(at), db_text(s->actor), db_text(act),
			db_text(subject), db_text(text), db_text(before), db_text(hash));
	if (rc == 0 && number != NULL)
		*number = (uint64_t)head.number + 1;
	free(text);
	free(head.hash);
	return rc;
}

int audit_append(
	struct store *s, const char *act, const char *subject, json_t *detail, uint64_t *number, struct err *err)
{
	int rc = detail != NULL ? append(s, act, subject, detail, number, err) : err_set(err, "out of memory");

	json_decref(detail);
	return rc;
}

struct entries {
	const struct store_act *all;
	size_t count;
	uint64_t *number;
};

static int write_entries(struct store *s, void *arg, struct err *err)
{
	const struct entries *e = arg;

	for (size_t i = 0; i < e->count; i++)
		if (audit_append(s, e->all[i].act, e->all[i].subject,
			    json_loads(e->all[i].detail, JSON_REJECT_DUPLICATES, NULL), e->number, err) < 0)
			return -1;
	return 0;
}

int store_audit(
	struct store *s, const char *act, const char *subject, const char *detail, uint64_t *number, struct err *err)
{
	const struct store_act one = { act, subject, detail };
	struct entries e = { &one, 1, number };

	return store_change(s, write_entries, &e, err);
}

int store_audit_all(struct store *s, const struct store_act *all, size_t count, struct err *err)
{
	struct entries e = { all, count, NULL };

	return store_change(s, write_entries, &e, err);
}

static bool unhex_hash(const char *hex, uint8_t out[SHA256_LEN])
{
	return hex != NULL && text_unhex(bytes_of(hex), out, SHA256_LEN) == SHA256_LEN;
}

struct walk {
	int (*fn)(void *arg, const struct audit_record *r);
	void *arg;
	struct err *err;
};

static int walk_row(void *arg, const struct db_value *c)
{
	struct walk *w = arg;
	struct audit_record r = { .number = (uint64_t)c[0].number,
		.actor = db_string(&c[2]),
		.act = db_string(&c[3]),
		.subject = db_string(&c[4]),
		.detail = db_string(&c[5]) };
	const char *at = db_string(&c[1]);

	if (at == NULL || nsec_parse(at, 0, &r.at, NULL) < 0 || r.actor == NULL || r.act == NULL || r.subject == NULL ||
		r.detail == NULL || !unhex_hash(db_string(&c[6]), r.before) || !unhex_hash(db_string(&c[7]), r.hash))
		return err_code(w->err, EXIT_INTEGRITY, "audit record %lld was altered", (long long)c[0].number);
	return w->fn(w->arg, &r);
}

#define PAGE 1000

struct page {
	db_row_fn fn;
	void *arg;
	int64_t last;
	uint64_t rows;
};

static int page_row(void *arg, const struct db_value *c)
{
	struct page *p = arg;

	p->rows++;
	p->last = c[0].number;
	return p->fn(p->arg, c);
}

/* However long the trail is, a page of it is in memory. */
int read_audit(struct store *s, db_row_fn fn, void *arg, struct err *err)
{
	struct page p = { fn, arg, INT64_MIN, 0 };
	int rc;

	do {
		p.rows = 0;
		rc = store_run(s, "SELECT " AUDIT_COLUMNS " FROM audit WHERE number > $1 ORDER BY number LIMIT $2",
			page_row, &p, err, db_number(p.last), db_number(PAGE));
	} while (rc == 0 && p.rows == PAGE);
	return rc;
}

static int each_work(struct store *s, void *arg, struct err *err)
{
	return read_audit(s, walk_row, arg, err);
}

int store_audit_each(struct store *s, int (*fn)(void *arg, const struct audit_record *r), void *arg, struct err *err)
{
	struct walk w = { fn, arg, err };

	return store_reading(s, each_work, &w, err);
}

struct kept {
	uint64_t number; /* 0: the last */
	struct audit_kept found;
	struct err *err;
};

static int take_kept(void *arg, const struct db_value *c)
{
	struct kept *k = arg;

	k->found.number = (uint64_t)c[0].number;
	if (!unhex_hash(db_string(&c[1]), k->found.hash))
		return err_code(k->err, EXIT_INTEGRITY, "audit record %lld was altered", (long long)c[0].number);
	return 0;
}

static int kept_work(struct store *s, void *arg, struct err *err)
{
	struct kept *k = arg;

	k->err = err;
	if (k->number == 0)
		return store_ask(s, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", take_kept, k, err);
	return store_run(s, "SELECT number, hash FROM audit WHERE number = $1", take_kept, k, err,
		db_number((int64_t)k->number));
}

int store_audit_last(struct store *s, struct audit_kept *last, struct err *err)
{
	struct kept k = { 0 };
	int rc = store_reading(s, kept_work, &k, err);

	*last = k.found;
	return rc;
}

int store_audit_holds(struct store *s, const struct audit_kept *kept, bool *holds, struct err *err)
{
	struct kept k = { .number = kept->number };
	int rc = kept->number > 0 ? store_reading(s, kept_work, &k, err) : 0;

	*holds = rc == 0 && k.found.number == kept->number &&
		 (kept->number == 0 || memcmp(k.found.hash, kept->hash, SHA256_LEN) == 0);
	return rc;
}
