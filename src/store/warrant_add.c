/* warrant_add: entering a warrant, in one transaction with its history and its record in the trail. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

/* Two times entered are the same when their words are, or when both are moments (not spans) and equal. */
static bool same_time(const char *a, nsec_t at, const char *b, nsec_t bt)
{
	bool moments = text_digit((uint8_t)a[0]) && text_digit((uint8_t)b[0]);

	return strcmp(a, b) == 0 || (moments && at == bt);
}

static bool same_targets(const struct warrant *a, const struct warrant *b)
{
	bool same = a->target_count == b->target_count;

	for (size_t i = 0; same && i < a->target_count; i++)
		same = strcmp(a->targets[i].uri, b->targets[i].uri) == 0;
	return same;
}

static bool same_document(const struct warrant_row *a, const struct warrant_row *b)
{
	if (a->document == NULL || b->document == NULL)
		return a->document == b->document;
	return strcmp(a->document, b->document) == 0 && memcmp(a->document_sha256, b->document_sha256, SHA256_LEN) == 0;
}

/* The first field in which two warrants differ; NULL: none. */
static const char *differs(const struct warrant_row *a, const struct warrant_row *b)
{
	if (strcmp(a->w.agency, b->w.agency) != 0)
		return "agency";
	if (!same_targets(&a->w, &b->w))
		return "target";
	if (!same_time(a->from_entered, a->w.from, b->from_entered, b->w.from))
		return "from";
	if (!same_time(a->until_entered, a->w.until, b->until_entered, b->w.until))
		return "until";
	if (strcmp(a->w.authority, b->w.authority) != 0)
		return "authority";
	if (a->w.scope != b->w.scope)
		return "scope";
	if (a->w.diverted != b->w.diverted)
		return "diverted";
	if (a->w.trust_from != b->w.trust_from)
		return "trust-from";
	return same_document(a, b) ? NULL : "document";
}

struct adding {
	const struct warrant_row *row;
	bool fresh;
	struct err *err;
};

static int compare(void *arg, const struct warrant_row *there)
{
	struct adding *add = arg;
	const char *field = differs(there, add->row);

	add->fresh = false;
	if (field != NULL)
		return err_code(
			add->err, EXIT_REFUSED, "a warrant of this LIID is there already, with another --%s", field);
	if (there->revoked != NSEC_NONE)
		return err_code(add->err, EXIT_REFUSED,
			"the warrant of this LIID is revoked, which is for good; enter a new order "
			"under a new LIID");
	return 0;
}

static int insert_row(struct store *s, const struct warrant_row *r, int64_t agency, int64_t *number, struct err *err)
{
	int rc = store_run(s,
		"INSERT INTO warrant (liid, agency, authority, scope, diverted, trust_from, starts, ends, from_entered,"
		" until_entered, document, document_sha256, added, salt)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING number",
		take_number, number, err, db_text(r->w.liid), db_number(agency), db_text(r->w.authority),
		db_text(warrant_scope_text(r->w.scope)), db_text(warrant_diverted_text(r->w.diverted)),
		db_number(r->w.trust_from), db_number(r->w.from), db_number(r->w.until), db_text(r->from_entered),
		db_text(r->until_entered), db_text(r->document),
		db_octets(r->document != NULL ? r->document_sha256 : NULL, SHA256_LEN), db_number(s->at),
		db_octets(r->salt, sizeof(r->salt)));

	for (size_t i = 0; rc == 0 && i < r->w.target_count; i++)
		rc = store_run(s, "INSERT INTO warrant_target (warrant, place, uri) VALUES ($1, $2, $3)", NULL, NULL,
			err, db_number(*number), db_number((int64_t)i), db_text(r->w.targets[i].uri));
	return rc;
}

/* Every field as a line of history: nothing before, this after. */
static int insert_history(struct store *s, const struct warrant_row *r, struct err *err)
{
	char from[NSEC_TEXT], until[NSEC_TEXT];
	const struct change_line lines[] = {
		{ "agency", NULL, r->w.agency },
		{ "from", NULL, nsec_text(r->w.from, from) },
		{ "until", NULL, nsec_text(r->w.until, until) },
		{ "authority", NULL, r->w.authority },
		{ "scope", NULL, warrant_scope_text(r->w.scope) },
		{ "diverted", NULL, warrant_diverted_text(r->w.diverted) },
		{ "trust_from", NULL, r->w.trust_from ? "true" : "false" },
		{ "document", NULL, r->document },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->w.target_count; i++) {
		const struct change_line target = { "target", NULL, r->w.targets[i].uri };

		rc = write_change(s, r->w.number, "add", &target, err);
	}
	for (size_t i = 0; rc == 0 && i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].after != NULL)
			rc = write_change(s, r->w.number, "add", &lines[i], err);
	return rc;
}

static int insert(struct store *s, const struct warrant_row *r, struct err *err)
{
	struct warrant_row now = *r; /* shares its texts */
	int64_t agency = 0, number = 0;

	if (store_run(s, "SELECT number FROM agency WHERE name = $1", take_number, &agency, err, db_text(r->w.agency)) <
		0)
		return -1;
	if (agency == 0)
		return err_code(err, EXIT_NOT_FOUND,
			"there is no agency '%.100s'; enter it first with 'otway agency add'", r->w.agency);
	if (!crypto_random(now.salt, sizeof(now.salt)))
		return err_set(err, "the system gives no random octets");
	if (insert_row(s, &now, agency, &number, err) < 0)
		return -1;
	now.w.number = (uint32_t)number;
	if (insert_history(s, &now, err) < 0)
		return -1;
	return audit_change(s, "warrant.add", &now,
		json_pack("[s, s, s, s, s, s, s, s, s]", "agency", "targets", "from", "until", "authority", "scope",
			"diverted", "trust_from", "document"),
		err);
}

static int add_work(struct store *s, void *arg, struct err *err)
{
	struct adding *add = arg;
	struct err inner = { EXIT_FAILED, "" };

	add->err = &inner;
	if (read_warrants(s, add->row->w.liid, compare, add, &inner) < 0 && inner.code != EXIT_NOT_FOUND) {
		*err = inner;
		return -1;
	}
	return add->fresh ? insert(s, add->row, err) : 0;
}

int store_warrant_add(struct store *s, const struct warrant_row *r, bool *fresh, struct err *err)
{
	struct adding add = { r, true, NULL };
	int rc = store_change(s, add_work, &add, err);

	*fresh = rc == 0 && add.fresh;
	return rc;
}
