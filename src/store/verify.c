/*
 * verify: is the trail whole, and are agencies and warrants still what the trail last saw? The first finding is told.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

struct verify {
	const struct audit_kept *kept;
	size_t kept_count, kept_at; /* kept_at: the next one not compared yet */
	uint64_t count;
	char head[SHA256_HEX];
	struct err *err;
};

static int compare_kept(struct verify *v, int64_t number, const char *hash)
{
	char hex[SHA256_HEX];

	if (v->kept_at == v->kept_count || v->kept[v->kept_at].number != (uint64_t)number)
		return 0;
	text_hex((struct bytes){ v->kept[v->kept_at++].hash, SHA256_LEN }, hex);
	if (strcmp(hex, hash) == 0)
		return 0;
	return err_code(v->err, EXIT_INTEGRITY,
		"audit record %lld is not the one that was kept: the trail was rewritten", (long long)number);
}

/* Columns: number, at, actor, act, subject, detail, before, hash. */
static bool whole(const struct db_value *c, char hash[SHA256_HEX])
{
	const char *text[8] = { NULL };
	json_t *detail;
	bool ok;

	for (size_t i = 1; i < 8; i++)
		if ((text[i] = db_string(&c[i])) == NULL)
			return false;
	detail = json_loads(text[5], JSON_REJECT_DUPLICATES, NULL);
	ok = detail != NULL && audit_hash(c[0].number, text[1], text[2], text[3], text[4], detail, text[6], hash) &&
	     strcmp(hash, text[7]) == 0;
	json_decref(detail);
	return ok;
}

static int verify_row(void *arg, const struct db_value *c)
{
	struct verify *v = arg;
	char hash[SHA256_HEX];

	if (c[0].kind != DB_NUMBER || c[0].number < (int64_t)v->count + 1)
		return err_code(v->err, EXIT_INTEGRITY, "an audit record has a number that is none");
	if (c[0].number > (int64_t)v->count + 1)
		return err_code(
			v->err, EXIT_INTEGRITY, "audit record %llu is missing", (unsigned long long)v->count + 1);
	if (!whole(c, hash))
		return err_code(v->err, EXIT_INTEGRITY, "audit record %lld was altered", (long long)c[0].number);
	if (strcmp(db_string(&c[6]), v->head) != 0)
		return err_code(v->err, EXIT_INTEGRITY,
			"audit record %lld does not follow on the one before: the trail was rewritten",
			(long long)c[0].number);
	v->count++;
	memcpy(v->head, hash, sizeof(v->head));
	return compare_kept(v, c[0].number, hash);
}

struct last {
	int64_t number;
	char *detail;
};

static int take_last(void *arg, const struct db_value *c)
{
	struct last *l = arg;

	l->number = c[0].number;
	return take_text(&l->detail, &c[1]);
}

struct contents {
	struct store *s;
	struct err *err;
};

/* The content of something against the last record of the trail that hashed it. content is taken over. */
static int verify_content(struct contents *v, const char *subject, const char *acts, json_t *content)
{
	struct last last = { 0, NULL };
	char hash[SHA256_HEX];
	const char *there;
	json_t *detail;
	int rc = store_run(v->s,
		"SELECT number, detail FROM audit WHERE subject = $1 AND act LIKE $2 ORDER BY number DESC LIMIT 1",
		take_last, &last, v->err, db_text(subject), db_text(acts));

	json_sha256(content, hash);
	json_decref(content);
	detail = json_loads(last.detail != NULL ? last.detail : "{}", 0, NULL);
	there = json_string_value(json_object_get(detail, "content_sha256"));
	if (rc == 0 && last.number == 0)
		rc = err_code(v->err, EXIT_INTEGRITY, "%s is in the store but not in the audit trail", subject);
	else if (rc == 0 && (there == NULL || strcmp(there, hash) != 0))
		rc = err_code(v->err, EXIT_INTEGRITY, "%s is not as audit record %lld left it", subject,
			(long long)last.number);
	json_decref(detail);
	free(last.detail);
	return rc;
}

static int verify_agency(void *arg, const struct agency *a)
{
	struct contents *v = arg;
	char subject[40];

	snprintf(subject, sizeof(subject), "agency %u", a->number);
	return verify_content(v, subject, "agency.%", agency_content(a));
}

static int verify_warrant(void *arg, const struct warrant_row *r)
{
	struct contents *v = arg;
	char subject[40];

	snprintf(subject, sizeof(subject), "warrant %u", r->w.number);
	return verify_content(v, subject, "warrant.%", warrant_content(r));
}

static int verify_kms(void *arg, const struct kms_agreement *a, nsec_t added, struct bytes salt)
{
	struct contents *v = arg;
	char subject[40];

	(void)added;
	snprintf(subject, sizeof(subject), "kms %u", a->number);
	return verify_content(v, subject, "kms.%", kms_content(a, salt));
}

/* What the trail saw come and go, against what is there: a row taken out leaves no content to compare. */
static int verify_count(struct store *s, const char *what, const char *sql, struct err *err)
{
	int64_t difference = 0;

	if (store_ask(s, sql, take_number, &difference, err) < 0)
		return -1;
	if (difference != 0)
		return err_code(err, EXIT_INTEGRITY, "by the audit trail there are %lld more %s than the store has",
			(long long)difference, what);
	return 0;
}

static const char agencies_gone[] = "SELECT (SELECT COUNT(*) FROM audit WHERE act = 'agency.add')"
				    " - (SELECT COUNT(*) FROM audit WHERE act = 'agency.remove')"
				    " - (SELECT COUNT(*) FROM agency)";
static const char warrants_gone[] = "SELECT (SELECT COUNT(*) FROM audit WHERE act = 'warrant.add')"
				    " - (SELECT COUNT(*) FROM warrant)";

static const char kms_gone[] = "SELECT (SELECT COUNT(*) FROM audit WHERE act = 'kms.add')"
			       " - (SELECT COUNT(*) FROM audit WHERE act = 'kms.remove')"
			       " - (SELECT COUNT(*) FROM kms)";

static int verify_chain(struct store *s, void *arg, struct err *err)
{
	struct verify *v = arg;

	v->err = err;
	if (read_audit(s, verify_row, v, err) < 0)
		return -1;
	if (v->kept_at < v->kept_count)
		return err_code(err, EXIT_INTEGRITY,
			"the audit trail ends at record %llu, but record %llu was kept: it was cut off",
			(unsigned long long)v->count, (unsigned long long)v->kept[v->kept_count - 1].number);
	return 0;
}

static int verify_work(struct store *s, void *arg, struct err *err)
{
	struct contents contents = { s, err };

	if (verify_chain(s, arg, err) < 0)
		return -1;
	if (read_agencies(s, NULL, verify_agency, &contents, err) < 0 ||
		read_warrants(s, NULL, verify_warrant, &contents, err) < 0 ||
		read_kms(s, NULL, verify_kms, &contents, err) < 0)
		return -1;
	if (verify_count(s, "agencies", agencies_gone, err) < 0)
		return -1;
	if (verify_count(s, "warrants", warrants_gone, err) < 0)
		return -1;
	return verify_count(s, "agreements with a KMS", kms_gone, err);
}

int audit_verify_chain(struct store *s, uint64_t *count, struct err *err)
{
	struct verify v = { 0 };
	int rc;

	memcpy(v.head, audit_nothing_before, sizeof(v.head));
	rc = store_reading(s, verify_chain, &v, err);
	*count = v.count;
	return rc;
}

int store_audit_verify(struct store *s, const struct audit_kept *kept, size_t kept_count, uint64_t *count,
	uint8_t head[SHA256_LEN], struct err *err)
{
	struct verify v = { .kept = kept, .kept_count = kept_count };
	int rc;

	memcpy(v.head, audit_nothing_before, sizeof(v.head));
	rc = store_reading(s, verify_work, &v, err);
	*count = v.count;
	text_unhex(bytes_of(v.head), head, SHA256_LEN);
	return rc;
}
