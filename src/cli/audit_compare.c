/* audit_compare: every request for a key, by its id, as we tell it and as the KMS tells it. */
#include "inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_compare.h"

/* Both as id → array of outcomes in the words of Xk; ours has none where no answer came. */
struct trails {
	json_t *ours, *theirs;
	struct err *err;
};

static void add(json_t *trail, const char *request, const char *outcome)
{
	json_t *outcomes = json_object_get(trail, request);

	if (outcomes == NULL) {
		outcomes = json_array();
		json_object_set_new(trail, request, outcomes);
	}
	if (outcome != NULL)
		json_array_append_new(outcomes, json_string(outcome));
}

static bool has(json_t *outcomes, const char *outcome)
{
	size_t i;
	json_t *value;

	json_array_foreach(outcomes, i, value) if (strcmp(json_string_value(value), outcome) == 0) return true;
	return false;
}

/* What a KMS calls it; NULL: the answer never came, whatever the KMS said. */
static const char *in_their_words(const char *outcome)
{
	static const char *const words[][2] = { { "keys", "keys" }, { "kms-unknown", "unknown" },
		{ "key-purged", "purged" }, { "kms-refused", "refused" }, { "kms-no-agreement", "no-agreement" } };

	for (size_t i = 0; outcome != NULL && i < COUNT_OF(words); i++)
		if (strcmp(words[i][0], outcome) == 0)
			return words[i][1];
	return NULL;
}

static int take_ours(void *arg, const struct audit_record *r)
{
	struct trails *t = arg;
	json_t *detail;
	const char *request;

	if (strcmp(r->act, "key-request") != 0 && strcmp(r->act, "key-answer") != 0)
		return 0;
	detail = json_loads(r->detail, 0, NULL);
	request = json_string_value(json_object_get(detail, "request"));
	if (request != NULL)
		add(t->ours, request,
			strcmp(r->act, "key-answer") == 0
				? in_their_words(json_string_value(json_object_get(detail, "outcome")))
				: NULL);
	json_decref(detail);
	return 0;
}

static int count_warrant(void *arg, const struct warrant_row *r)
{
	(void)r;
	++*(uint64_t *)arg;
	return 0;
}

static bool is_ours(struct cli *c, const char *liid)
{
	uint64_t count = 0;
	struct err none;

	return liid != NULL && store_warrant_each(c->store, liid, count_warrant, &count, &none) == 0 && count > 0;
}

static int take_line(struct cli *c, struct trails *t, const char *line, struct audit_compared *out)
{
	json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *act = json_string_value(json_object_get(record, "act"));
	const char *request = json_string_value(json_object_get(record, "request"));
	const char *outcome = json_string_value(json_object_get(record, "outcome"));
	int rc = 0;

	if (act == NULL) {
		rc = err_code(t->err, EXIT_USAGE, "not a record of a KMS's trail");
	} else if (strcmp(act, "xk-keys") == 0 && request != NULL && json_object_get(t->ours, request) == NULL) {
		if (is_ours(c, json_string_value(json_object_get(record, "warrant"))))
			rc = err_code(t->err, EXIT_INTEGRITY,
				"the KMS tells of request %.40s under a warrant of ours, but our trail knows nothing "
				"of it",
				request);
		out->foreign += rc == 0;
	} else if (strcmp(act, "xk-keys") == 0 && request != NULL && outcome != NULL) {
		add(t->theirs, request, outcome);
	}
	json_decref(record);
	return rc;
}

static int take_file(struct cli *c, struct trails *t, const char *path, struct audit_compared *out)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, number = 0;
	int rc = 0;

	if (f == NULL)
		return err_set(t->err, "--kms-log: %s: %s", path, strerror(errno));
	while (rc == 0 && getline(&line, &size, f) >= 0) {
		number++;
		if (take_line(c, t, line, out) < 0)
			rc = err_in(t->err, "--kms-log: %s: line %zu", path, number);
	}
	if (rc == 0 && ferror(f))
		rc = err_set(t->err, "--kms-log: %s: cannot be read", path);
	free(line);
	fclose(f);
	return rc;
}

static int match_one(struct trails *t, const char *request, json_t *ours, json_t *theirs, struct audit_compared *out)
{
	size_t i;
	json_t *value;

	if (has(theirs, "keys") && !has(ours, "keys") && json_array_size(ours) > 0)
		return err_code(t->err, EXIT_INTEGRITY,
			"the KMS gave keys for request %.40s, but our trail tells of another end", request);
	json_array_foreach(ours, i, value)
	{
		if (!has(theirs, json_string_value(value)))
			return err_code(t->err, EXIT_INTEGRITY,
				"request %.40s was answered '%.40s', says our trail, but no KMS's trail says so",
				request, json_string_value(value));
	}
	if (json_array_size(ours) > 0)
		out->same++;
	else
		out->unheard++;
	return 0;
}

static int match(struct trails *t, struct audit_compared *out)
{
	const char *request;
	json_t *value;
	int rc = 0;

	json_object_foreach(t->ours, request, value)
	{
		if (rc == 0)
			rc = match_one(t, request, value, json_object_get(t->theirs, request), out);
	}
	return rc;
}

int audit_compare(struct cli *c, struct audit_compared *out, struct err *err)
{
	struct trails t = { json_object(), json_object(), err };
	size_t count;
	const char **files = args_all(c, "kms-log", &count);
	int rc = t.ours != NULL && t.theirs != NULL && files != NULL ? 0 : err_set(err, "out of memory");

	if (rc == 0)
		rc = store_audit_each(c->store, take_ours, &t, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = take_file(c, &t, files[i], out);
	if (rc == 0)
		rc = match(&t, out);
	free(files);
	json_decref(t.ours);
	json_decref(t.theirs);
	return rc;
}
