/* warrant_read: warrants out of the store: rows, states, what may be opened, and their history. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

static void text_free(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

void warrant_row_clear(struct warrant_row *r)
{
	warrant_clear(&r->w);
	text_free(r->from_entered);
	text_free(r->until_entered);
	text_free(r->document);
	text_free(r->revoked_reason);
	*r = (struct warrant_row){ 0 };
}

const char *warrant_state(const struct warrant_row *r, nsec_t now)
{
	if (r->revoked != NSEC_NONE)
		return "revoked";
	if (now < r->w.from)
		return "pending";
	return now < r->w.until ? "active" : "ended";
}

struct reading {
	struct store *s;
	const char *liid;
	int (*fn)(void *arg, const struct warrant_row *r);
	void *arg;
	struct err *err;
	uint64_t found;
	struct warrant_row row; /* whose targets are coming */
};

static int add_target(struct reading *r, const struct db_value *uri)
{
	struct warrant *w = &r->row.w;
	struct target *grown = realloc(w->targets, (w->target_count + 1) * sizeof(*grown));
	struct target *one;
	bool ok = true;

	if (grown == NULL)
		return err_set(r->err, "out of memory");
	w->targets = grown;
	one = &grown[w->target_count++];
	*one = (struct target){ .uri = copy_text(uri, &ok) };
	if (!ok || one->uri == NULL)
		return err_set(r->err, "out of memory");
	if (!identity_parse(bytes_of(one->uri), &one->id)) /* left out in silence, it would never match */
		return err_code(r->err, EXIT_INTEGRITY, "target %zu of warrant %u names no subscriber", w->target_count,
			w->number);
	return 0;
}

#define WARRANT_COLUMNS                                                                                                \
	"warrant.number, liid, agency.name, authority, scope, diverted, trust_from, starts, ends, from_entered,"       \
	" until_entered, document, document_sha256, warrant.added, revoked, revoked_reason, salt, uri"

static bool fill_octets(const struct db_value *v, uint8_t *out, size_t len)
{
	if (v->kind == DB_OCTETS && v->octets.len == len)
		memcpy(out, v->octets.at, len);
	return v->kind == DB_NULL || (v->kind == DB_OCTETS && v->octets.len == len);
}

/* Everything but the targets. False: the row is not one that this program wrote, or memory is out. */
static bool fill(struct warrant_row *r, const struct db_value *c)
{
	const char *liid = db_string(&c[1]), *scope = db_string(&c[4]), *diverted = db_string(&c[5]);
	bool ok = true;

	r->w.number = (uint32_t)c[0].number;
	r->w.agency = copy_text(&c[2], &ok);
	r->w.authority = copy_text(&c[3], &ok);
	r->w.trust_from = c[6].number != 0;
	r->w.from = c[7].number;
	r->w.until = c[8].number;
	r->from_entered = copy_text(&c[9], &ok);
	r->until_entered = copy_text(&c[10], &ok);
	r->document = copy_text(&c[11], &ok);
	r->added = c[13].number;
	r->revoked = c[14].kind == DB_NUMBER ? c[14].number : NSEC_NONE;
	r->revoked_reason = copy_text(&c[15], &ok);
	if (liid == NULL || !warrant_liid_valid(liid) || r->w.agency == NULL || r->w.authority == NULL ||
		scope == NULL || diverted == NULL || r->from_entered == NULL || r->until_entered == NULL)
		return false;
	snprintf(r->w.liid, sizeof(r->w.liid), "%s", liid);
	return ok && warrant_scope_parse(scope, &r->w.scope) && warrant_diverted_parse(diverted, &r->w.diverted) &&
	       fill_octets(&c[12], r->document_sha256, SHA256_LEN) && fill_octets(&c[16], r->salt, sizeof(r->salt));
}

/* The warrant whose targets are all there, if there is one. */
static int tell(struct reading *r)
{
	int rc = r->found > 0 ? r->fn(r->arg, &r->row) : 0;

	warrant_row_clear(&r->row);
	return rc;
}

/* A row for each target, those of a warrant one after the other; one without for a warrant that has none. */
static int target_row(void *arg, const struct db_value *c)
{
	struct reading *r = arg;
	int rc;

	if (r->found == 0 || (uint32_t)c[0].number != r->row.w.number) {
		if ((rc = tell(r)) != 0)
			return rc;
		r->found++;
		if (!fill(&r->row, c))
			return err_code(r->err, EXIT_INTEGRITY, "warrant %lld is not as it was written",
				(long long)c[0].number);
	}
	return c[17].kind != DB_NULL ? add_target(r, &c[17]) : 0;
}

int read_warrants(struct store *s, const char *liid, int (*fn)(void *arg, const struct warrant_row *r), void *arg,
	struct err *err)
{
	struct reading r = { .s = s, .liid = liid, .fn = fn, .arg = arg, .err = err };
	int rc = store_run(s,
		"SELECT " WARRANT_COLUMNS " FROM warrant JOIN agency ON agency.number = warrant.agency"
		" LEFT JOIN warrant_target ON warrant_target.warrant = warrant.number"
		" WHERE $1 IS NULL OR liid = $1 ORDER BY warrant.number, place",
		target_row, &r, err, db_text(liid));

	if (rc == 0)
		rc = tell(&r);
	warrant_row_clear(&r.row);
	if (rc == 0 && liid != NULL && r.found == 0)
		return err_code(err, EXIT_NOT_FOUND,
			"there is no warrant of LIID '%.25s'; 'otway warrant list' shows which there are", liid);
	return rc;
}

static int read_work(struct store *s, void *arg, struct err *err)
{
	struct reading *r = arg;

	return read_warrants(s, r->liid, r->fn, r->arg, err);
}

int store_warrant_each(struct store *s, const char *liid, int (*fn)(void *arg, const struct warrant_row *r), void *arg,
	struct err *err)
{
	struct reading r = { .s = s, .liid = liid, .fn = fn, .arg = arg, .err = err };

	return store_reading(s, read_work, &r, err);
}

struct in_use {
	const char *const *liids;
	size_t count;
	struct warrant_set *out;
	struct err *err;
};

static int add_in_use(void *arg, const struct warrant_row *r)
{
	struct in_use *u = arg;

	if (r->revoked != NSEC_NONE && u->count == 0)
		return 0;
	if (r->revoked != NSEC_NONE)
		return err_code(u->err, EXIT_REFUSED,
			"the warrant of LIID '%.25s' is revoked; nothing is opened under it any more", r->w.liid);
	if (u->count > 0 && warrant_find(u->out, r->w.number) != NULL) /* named twice */
		return 0;
	return warrant_add(u->out, &r->w) ? 0 : err_set(u->err, "out of memory");
}

static int in_use_work(struct store *s, void *arg, struct err *err)
{
	struct in_use *u = arg;
	int rc = 0;

	u->err = err;
	if (u->count == 0)
		return read_warrants(s, NULL, add_in_use, u, err);
	for (size_t i = 0; rc == 0 && i < u->count; i++)
		rc = read_warrants(s, u->liids[i], add_in_use, u, err);
	return rc;
}

int store_warrants_in_use(
	struct store *s, const char *const *liids, size_t liid_count, struct warrant_set *out, struct err *err)
{
	struct in_use u = { liids, liid_count, out, err };
	int rc;

	*out = (struct warrant_set){ 0 };
	rc = store_reading(s, in_use_work, &u, err);
	if (rc < 0)
		warrant_set_clear(out);
	return rc;
}

struct history {
	const char *liid;
	int (*fn)(void *arg, const struct warrant_change *c);
	void *arg;
};

static int change_row(void *arg, const struct db_value *c)
{
	struct history *h = arg;
	struct warrant_change change = { c[0].number, db_string(&c[1]), db_string(&c[2]), db_string(&c[3]),
		db_string(&c[4]), db_string(&c[5]) };

	return h->fn(h->arg, &change);
}

static int history_work(struct store *s, void *arg, struct err *err)
{
	struct history *h = arg;
	int64_t number = 0;

	if (store_run(s, "SELECT number FROM warrant WHERE liid = $1", take_number, &number, err, db_text(h->liid)) < 0)
		return -1;
	if (number == 0)
		return err_code(err, EXIT_NOT_FOUND,
			"there is no warrant of LIID '%.25s'; 'otway warrant list' shows which there are", h->liid);
	return store_run(s,
		"SELECT at, actor, act, field, before, after FROM warrant_change WHERE warrant = $1 ORDER BY number",
		change_row, h, err, db_number(number));
}

int store_warrant_history(struct store *s, const char *liid, int (*fn)(void *arg, const struct warrant_change *c),
	void *arg, struct err *err)
{
	struct history h = { liid, fn, arg };

	return store_reading(s, history_work, &h, err);
}
