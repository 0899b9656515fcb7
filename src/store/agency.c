/* agency: law-enforcement agencies and where their records go. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

void agency_clear(struct agency *a)
{
	free(a->name);
	for (size_t i = 0; i < a->deliver_count; i++)
		free(a->deliver[i]);
	free(a->deliver);
	*a = (struct agency){ 0 };
}

static json_t *deliver_json(const struct agency *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->deliver_count; i++)
		json_array_append_new(list, json_string(a->deliver[i]));
	return list;
}

json_t *agency_content(const struct agency *a)
{
	return json_pack("{s:s, s:s, s:o}", "name", a->name, "country", a->country, "deliver", deliver_json(a));
}

struct reading {
	struct store *s;
	const char *name;
	int (*fn)(void *arg, const struct agency *a);
	void *arg;
	struct err *err;
	uint64_t found;
};

static int add_deliver(void *arg, const struct db_value *c)
{
	struct agency *a = arg;
	char **grown = realloc(a->deliver, (a->deliver_count + 1) * sizeof(*grown));
	bool ok = true;

	if (grown == NULL)
		return -1;
	a->deliver = grown;
	a->deliver[a->deliver_count++] = copy_text(&c[0], &ok);
	return ok ? 0 : -1;
}

static int agency_row(void *arg, const struct db_value *c)
{
	struct reading *r = arg;
	struct agency a = { .added = c[3].number, .warrants = (uint32_t)c[4].number, .number = (uint32_t)c[0].number };
	const char *country = db_string(&c[2]);
	bool ok = true;
	int rc = -1;

	r->found++;
	a.name = copy_text(&c[1], &ok);
	snprintf(a.country, sizeof(a.country), "%s", country != NULL ? country : "");
	err_set(r->err, "out of memory");
	if (ok && a.name != NULL)
		rc = store_run(r->s, "SELECT destination FROM agency_deliver WHERE agency = $1 ORDER BY place",
			add_deliver, &a, r->err, db_number(a.number));
	if (rc == 0)
		rc = r->fn(r->arg, &a);
	agency_clear(&a);
	return rc;
}

int read_agencies(
	struct store *s, const char *name, int (*fn)(void *arg, const struct agency *a), void *arg, struct err *err)
{
	struct reading r = { s, name, fn, arg, err, 0 };
	int rc = store_run(s,
		"SELECT number, name, country, added, (SELECT COUNT(*) FROM warrant WHERE warrant.agency = "
		"agency.number)"
		" FROM agency WHERE $1 IS NULL OR name = $1 ORDER BY name",
		agency_row, &r, err, db_text(name));

	if (rc == 0 && name != NULL && r.found == 0)
		return err_code(err, EXIT_NOT_FOUND,
			"there is no agency '%.100s'; 'otway agency list' shows which there are", name);
	return rc;
}

static int read_work(struct store *s, void *arg, struct err *err)
{
	struct reading *r = arg;

	return read_agencies(s, r->name, r->fn, r->arg, err);
}

int store_agency_each(
	struct store *s, const char *name, int (*fn)(void *arg, const struct agency *a), void *arg, struct err *err)
{
	struct reading r = { s, name, fn, arg, err, 0 };

	return store_reading(s, read_work, &r, err);
}

struct adding {
	const struct agency *a;
	bool fresh;
	struct err *err;
};

/* The agency of that name, as it is, against the one that is to be added. */
static int compare(void *arg, const struct agency *there)
{
	struct adding *add = arg;
	const char *field = NULL;

	add->fresh = false;
	if (strcmp(there->country, add->a->country) != 0)
		field = "country";
	else if (there->deliver_count != add->a->deliver_count)
		field = "deliver";
	for (size_t i = 0; field == NULL && i < there->deliver_count; i++)
		if (strcmp(there->deliver[i], add->a->deliver[i]) != 0)
			field = "deliver";
	if (field == NULL)
		return 0;
	return err_code(
		add->err, EXIT_REFUSED, "agency '%.100s' is there already, with another --%s", there->name, field);
}

static int insert(struct store *s, const struct agency *a, struct err *err)
{
	json_t *content = agency_content(a);
	char subject[40], hash[SHA256_HEX];
	int64_t number = 0;
	int rc;

	json_sha256(content, hash);
	json_decref(content);
	rc = store_run(s, "INSERT INTO agency (name, country, added) VALUES ($1, $2, $3) RETURNING number", take_number,
		&number, err, db_text(a->name), db_text(a->country), db_number(s->at));
	for (size_t i = 0; rc == 0 && i < a->deliver_count; i++)
		rc = store_run(s, "INSERT INTO agency_deliver (agency, place, destination) VALUES ($1, $2, $3)", NULL,
			NULL, err, db_number(number), db_number((int64_t)i), db_text(a->deliver[i]));
	snprintf(subject, sizeof(subject), "agency %lld", (long long)number);
	if (rc == 0)
		rc = audit_append(s, "agency.add", subject,
			json_pack("{s:s, s:s}", "agency", a->name, "content_sha256", hash), NULL, err);
	return rc;
}

static int add_work(struct store *s, void *arg, struct err *err)
{
	struct adding *add = arg;
	struct err inner = { EXIT_FAILED, "" };

	add->err = &inner;
	if (read_agencies(s, add->a->name, compare, add, &inner) < 0 && inner.code != EXIT_NOT_FOUND) {
		*err = inner;
		return -1;
	}
	return add->fresh ? insert(s, add->a, err) : 0;
}

int store_agency_add(struct store *s, const struct agency *a, bool *fresh, struct err *err)
{
	struct adding add = { a, true, NULL };
	int rc = store_change(s, add_work, &add, err);

	*fresh = rc == 0 && add.fresh;
	return rc;
}

struct removing {
	const char *name;
	uint32_t number, warrants;
};

static int take_removing(void *arg, const struct agency *a)
{
	struct removing *r = arg;

	r->number = a->number;
	r->warrants = a->warrants;
	return 0;
}

static int remove_work(struct store *s, void *arg, struct err *err)
{
	struct removing *r = arg;
	char subject[40];

	if (read_agencies(s, r->name, take_removing, r, err) < 0)
		return -1;
	if (r->warrants > 0)
		return err_code(err, EXIT_REFUSED,
			"agency '%.100s' has %u warrant%s; what was ordered stays on record, so it cannot go", r->name,
			r->warrants, r->warrants == 1 ? "" : "s");
	snprintf(subject, sizeof(subject), "agency %u", r->number);
	if (audit_append(s, "agency.remove", subject, json_pack("{s:s}", "agency", r->name), NULL, err) < 0)
		return -1;
	return store_run(s, "DELETE FROM agency WHERE number = $1", NULL, NULL, err, db_number(r->number));
}

int store_agency_remove(struct store *s, const char *name, struct err *err)
{
	struct removing r = { name, 0, 0 };

	return store_change(s, remove_work, &r, err);
}
