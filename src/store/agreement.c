/* agreement: with whose key management services we may speak. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

#define SALT_LEN 16

static json_t *list_json(char *const *all, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(all[i]));
	return list;
}

json_t *kms_content(const struct kms_agreement *a, struct bytes salt)
{
	char hex[2 * SALT_LEN + 1] = "";

	if (salt.len == SALT_LEN)
		text_hex(salt, hex);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:s}", "identity", a->identity, "url", a->url,
		"ca", a->ca, "cert", a->cert, "key", a->key, "homes", list_json(a->homes, a->home_count), "users",
		list_json(a->users, a->user_count), "roaming_partner", a->roaming_partner, "network_default",
		a->network_default, "salt", hex);
}

struct reading {
	struct store *s;
	const char *identity;
	kms_row_fn fn;
	void *arg;
	struct err *err;
	uint64_t found;
};

static int add_binding(void *arg, const struct db_value *c)
{
	struct kms_agreement *a = arg;
	bool home = strcmp(db_string(&c[0]), "home") == 0, ok = true;
	char ***list = home ? &a->homes : &a->users;
	size_t *count = home ? &a->home_count : &a->user_count;
	char **grown = realloc(*list, (*count + 1) * sizeof(*grown));

	if (grown == NULL)
		return -1;
	*list = grown;
	grown[(*count)++] = copy_text(&c[1], &ok);
	return ok ? 0 : -1;
}

static int kms_row(void *arg, const struct db_value *c)
{
	struct reading *r = arg;
	struct kms_agreement a = { .number = (uint32_t)c[0].number,
		.roaming_partner = c[6].number != 0,
		.network_default = c[7].number != 0 };
	char **const texts[5] = { &a.identity, &a.url, &a.ca, &a.cert, &a.key };
	bool ok = true;
	int rc = -1;

	r->found++;
	for (size_t i = 0; i < 5; i++)
		*texts[i] = copy_text(&c[i + 1], &ok);
	err_set(r->err, "out of memory");
	if (ok)
		rc = store_run(r->s, "SELECT kind, value FROM kms_binding WHERE kms = $1 ORDER BY kind, place",
			add_binding, &a, r->err, db_number(a.number));
	if (rc == 0)
		rc = r->fn(r->arg, &a, c[8].number, c[9].octets);
	kms_agreement_clear(&a);
	return rc;
}

int read_kms(struct store *s, const char *identity, kms_row_fn fn, void *arg, struct err *err)
{
	struct reading r = { s, identity, fn, arg, err, 0 };
	int rc = store_run(s,
		"SELECT number, identity, url, ca, cert, key_file, roaming_partner, network_default, added, salt"
		" FROM kms WHERE $1 IS NULL OR identity = $1 ORDER BY number",
		kms_row, &r, err, db_text(identity));

	if (rc == 0 && identity != NULL && r.found == 0)
		return err_code(err, EXIT_NOT_FOUND,
			"there is no agreement with '%.200s'; 'otway kms list' shows which there are", identity);
	return rc;
}

struct telling {
	struct store *s;
	const char *identity;
	int (*fn)(void *arg, const struct kms_agreement *a, nsec_t added);
	void *arg;
};

static int tell(void *arg, const struct kms_agreement *a, nsec_t added, struct bytes salt)
{
	struct telling *t = arg;

	(void)salt;
	return t->fn(t->arg, a, added);
}

static int each_work(struct store *s, void *arg, struct err *err)
{
	struct telling *t = arg;

	return read_kms(s, t->identity, tell, t, err);
}

int store_kms_each(struct store *s, const char *identity,
	int (*fn)(void *arg, const struct kms_agreement *a, nsec_t added), void *arg, struct err *err)
{
	struct telling t = { s, identity, fn, arg };

	return store_reading(s, each_work, &t, err);
}

static int collect(void *arg, const struct kms_agreement *a, nsec_t added)
{
	(void)added;
	return kms_agreement_add(arg, a) ? 0 : -1;
}

int store_kms_all(struct store *s, struct kms_agreements *out, struct err *err)
{
	err_set(err, "out of memory");
	return store_kms_each(s, NULL, collect, out, err) == 0 ? 0 : -1;
}

struct adding {
	const struct kms_agreement *a;
	bool fresh;
	struct err *err;
};

static bool lists_differ(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	if (a_count != b_count)
		return true;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return true;
	return false;
}

/* The agreement of that identity, as it is, against the one that is to be added. */
static int compare(void *arg, const struct kms_agreement *there, nsec_t added, struct bytes salt)
{
	struct adding *add = arg;
	const struct kms_agreement *a = add->a;
	const struct {
		const char *field;
		bool differs;
	} fields[] = {
		{ "url", strcmp(there->url, a->url) != 0 },
		{ "ca", strcmp(there->ca, a->ca) != 0 },
		{ "cert", strcmp(there->cert, a->cert) != 0 },
		{ "key", strcmp(there->key, a->key) != 0 },
		{ "home", lists_differ(there->homes, there->home_count, a->homes, a->home_count) },
		{ "user", lists_differ(there->users, there->user_count, a->users, a->user_count) },
		{ "roaming-partner", there->roaming_partner != a->roaming_partner },
		{ "default", there->network_default != a->network_default },
	};

	(void)added;
	(void)salt;
	add->fresh = false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].differs)
			return err_code(add->err, EXIT_REFUSED,
				"there is an agreement with '%.200s' already, with another --%s; remove it first",
				there->identity, fields[i].field);
	return 0;
}

static int insert_list(
	struct store *s, int64_t number, const char *kind, char *const *all, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = store_run(s, "INSERT INTO kms_binding (kms, kind, place, value) VALUES ($1, $2, $3, $4)", NULL,
			NULL, err, db_number(number), db_text(kind), db_number((int64_t)i), db_text(all[i]));
	return rc;
}

static int insert(struct store *s, const struct kms_agreement *a, struct err *err)
{
	uint8_t salt[SALT_LEN];
	char subject[40], hash[SHA256_HEX];
	json_t *content;
	int64_t number = 0;
	int rc;

	if (!crypto_random(salt, sizeof(salt)))
		return err_set(err, "no random octets to be had");
	content = kms_content(a, (struct bytes){ salt, sizeof(salt) });
	json_sha256(content, hash);
	json_decref(content);
	rc = store_run(s,
		"INSERT INTO kms (identity, url, ca, cert, key_file, roaming_partner, network_default, added, salt)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number",
		take_number, &number, err, db_text(a->identity), db_text(a->url), db_text(a->ca), db_text(a->cert),
		db_text(a->key), db_number(a->roaming_partner), db_number(a->network_default), db_number(s->at),
		db_octets(salt, sizeof(salt)));
	if (rc == 0)
		rc = insert_list(s, number, "home", a->homes, a->home_count, err);
	if (rc == 0)
		rc = insert_list(s, number, "user", a->users, a->user_count, err);
	snprintf(subject, sizeof(subject), "kms %lld", (long long)number);
	if (rc == 0)
		rc = audit_append(s, "kms.add", subject,
			json_pack("{s:s, s:s}", "kms", a->identity, "content_sha256", hash), NULL, err);
	return rc;
}

static int add_work(struct store *s, void *arg, struct err *err)
{
	struct adding *add = arg;
	struct err inner = { EXIT_FAILED, "" };

	add->err = &inner;
	if (read_kms(s, add->a->identity, compare, add, &inner) < 0 && inner.code != EXIT_NOT_FOUND) {
		*err = inner;
		return -1;
	}
	return add->fresh ? insert(s, add->a, err) : 0;
}

int store_kms_add(struct store *s, const struct kms_agreement *a, bool *fresh, struct err *err)
{
	struct adding add = { a, true, NULL };
	int rc = store_change(s, add_work, &add, err);

	*fresh = rc == 0 && add.fresh;
	return rc;
}

static int take_kms_number(void *arg, const struct kms_agreement *a, nsec_t added, struct bytes salt)
{
	(void)added;
	(void)salt;
	*(uint32_t *)arg = a->number;
	return 0;
}

static int remove_work(struct store *s, void *arg, struct err *err)
{
	const char *identity = arg;
	char subject[40];
	uint32_t number = 0;

	if (read_kms(s, identity, take_kms_number, &number, err) < 0)
		return -1;
	snprintf(subject, sizeof(subject), "kms %u", number);
	if (audit_append(s, "kms.remove", subject, json_pack("{s:s}", "kms", identity), NULL, err) < 0)
		return -1;
	return store_run(s, "DELETE FROM kms WHERE number = $1", NULL, NULL, err, db_number(number));
}

int store_kms_remove(struct store *s, const char *identity, struct err *err)
{
	return store_change(s, remove_work, (void *)(uintptr_t)identity, err);
}
