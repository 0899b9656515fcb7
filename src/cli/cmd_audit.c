/* cmd_audit: the audit trail: verify, list, export. */
#include "inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_compare.h"
#include "otway/base/text.h"

static json_t *record_json(const struct audit_record *r, bool hash)
{
	json_t *detail = json_loads(r->detail, 0, NULL);
	json_t *record = json_pack("{s:I, s:o, s:s, s:s, s:s, s:o}", "number", (json_int_t)r->number, "at",
		output_time(r->at), "actor", r->actor, "act", r->act, "subject", r->subject, "detail",
		detail != NULL ? detail : json_string(r->detail));

	if (hash && record != NULL) {
		json_object_set_new(record, "before", output_hash(r->before));
		json_object_set_new(record, "hash", output_hash(r->hash));
	}
	return record;
}

static int list_json(void *arg, const struct audit_record *r)
{
	(void)arg;
	output_json(record_json(r, false));
	return 0;
}

static int list_row(void *arg, const struct audit_record *r)
{
	char number[24], at[NSEC_TEXT];
	const char *const cells[] = { number, nsec_text(r->at, at), r->actor, r->act, r->subject, r->detail };

	snprintf(number, sizeof(number), "%" PRIu64, r->number);
	output_row(arg, cells, COUNT_OF(cells));
	return 0;
}

static int run_list(struct cli *c, struct err *err)
{
	static const char *const heads[] = { "RECORD", "AT", "WHO", "ACT", "SUBJECT", "DETAIL" };
	struct output_table table = { 0 };
	int rc;

	output_row(&table, heads, COUNT_OF(heads));
	rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_audit_each(c->store, c->json ? list_json : list_row, &table, err);
	output_table(&table, rc == 0 && !c->json);
	return rc;
}

/* Keys sorted and nothing spare, so that a line without its hash is the very text that was hashed. */
static int export_one(void *arg, const struct audit_record *r)
{
	json_t *record = record_json(r, true);

	(void)arg;
	if (record != NULL && json_dumpf(record, stdout, JSON_COMPACT | JSON_SORT_KEYS) == 0)
		putchar('\n');
	json_decref(record);
	return 0;
}

static int run_export(struct cli *c, struct err *err)
{
	if (cli_store(c, false, err) < 0)
		return -1;
	return store_audit_each(c->store, export_one, NULL, err);
}

struct kept {
	struct audit_kept *all;
	size_t count;
};

static int keep(struct kept *k, uint64_t number, const char *hash, struct err *err)
{
	struct audit_kept one = { .number = number }, *grown;

	if (number == 0 || text_unhex(bytes_of(hash), one.hash, SHA256_LEN) != SHA256_LEN ||
		(k->count > 0 && number <= k->all[k->count - 1].number))
		return err_code(err, EXIT_USAGE, "not a record's number and hash");
	grown = realloc(k->all, (k->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return err_set(err, "out of memory");
	k->all = grown;
	k->all[k->count++] = one;
	return 0;
}

/* NUMBER:HASH */
static int keep_head(struct kept *k, const char *text, struct err *err)
{
	struct bytes hash, number = text_cut(bytes_of(text), ':', &hash);
	char hex[SHA256_HEX];
	uint64_t value = 0;

	if (hash.len != SHA256_HEX - 1 || !text_number(number, INT64_MAX, &value) ||
		keep(k, value, text_copy(hash, hex, sizeof(hex)), NULL) < 0)
		return err_code(err, EXIT_USAGE, "--head takes NUMBER:HASH, as the last line of an export has them");
	return 0;
}

static int keep_line(struct kept *k, const char *line, struct err *err)
{
	json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	json_int_t number = json_integer_value(json_object_get(record, "number"));
	const char *hash = json_string_value(json_object_get(record, "hash"));
	int rc = keep(k, number > 0 ? (uint64_t)number : 0, hash != NULL ? hash : "", err);

	json_decref(record);
	return rc;
}

static int keep_export(struct kept *k, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, number = 0;
	int rc = 0;

	if (f == NULL)
		return err_set(err, "--against: %s: %s", path, strerror(errno));
	while (rc == 0 && getline(&line, &size, f) >= 0) {
		number++;
		if (keep_line(k, line, err) < 0)
			rc = err_in(err, "--against: %s: line %zu", path, number);
	}
	if (rc == 0 && ferror(f))
		rc = err_set(err, "--against: %s: cannot be read", path);
	else if (rc == 0 && k->count == 0)
		rc = err_code(err, EXIT_USAGE, "--against: %s: holds no record", path);
	free(line);
	fclose(f);
	return rc;
}

static void tell_verified(const struct cli *c, uint64_t count, const uint8_t head[SHA256_LEN], size_t kept)
{
	char hex[SHA256_HEX];

	text_hex((struct bytes){ head, SHA256_LEN }, hex);
	if (c->json)
		output_json(json_pack("{s:b, s:I, s:{s:I, s:s}, s:I}", "verified", 1, "records", (json_int_t)count,
			"head", "number", (json_int_t)count, "hash", hex, "compared", (json_int_t)kept));
	output_say(c, "the audit trail is whole: %" PRIu64 " records, head %" PRIu64 ":%s", count, count, hex);
	if (kept == 0)
		output_say(c, "that its end was not cut off only a head kept elsewhere can show: --head or --against");
}

static void tell_compared(const struct cli *c, const struct audit_compared *a)
{
	if (c->json)
		output_json(json_pack("{s:b, s:I, s:I, s:I}", "compared", 1, "same", (json_int_t)a->same, "unheard",
			(json_int_t)a->unheard, "foreign", (json_int_t)a->foreign));
	output_say(c,
		"the KMS's trail agrees; requests in both: %" PRIu64 ", without an answer: %" PRIu64
		", of others: %" PRIu64,
		a->same, a->unheard, a->foreign);
}

static int run_verify(struct cli *c, struct err *err)
{
	const char *head = args_text(c, "head"), *against = args_text(c, "against");
	uint8_t now[SHA256_LEN];
	struct audit_compared compared = { 0 };
	struct kept k = { 0 };
	uint64_t count = 0;
	int rc = 0;

	if (head != NULL && against != NULL)
		return err_code(err, EXIT_USAGE, "--head and --against are one or the other");
	if (head != NULL)
		rc = keep_head(&k, head, err);
	else if (against != NULL)
		rc = keep_export(&k, against, err);
	if (rc == 0)
		rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_audit_verify(c->store, k.all, k.count, &count, now, err);
	if (rc == 0 && args_given(c, "kms-log"))
		rc = audit_compare(c, &compared, err);
	if (rc == 0)
		tell_verified(c, count, now, k.count);
	if (rc == 0 && args_given(c, "kms-log"))
		tell_compared(c, &compared);
	free(k.all);
	return rc;
}

static const struct cli_option verify_options[] = {
	{ .name = "head", .argument = "NUMBER:HASH", .help = "a head that was kept" },
	{ .name = "against", .argument = "EXPORT", .help = "an export that was kept: every line of it" },
	{ .name = "kms-log", .argument = "FILE", .help = "what 'otway kms log --json' gave", .many = true },
};

static const struct cli_verb verbs[] = {
	{ .name = "verify",
		.help = "is the trail whole? exit code 7 when it is not",
		.examples = "otway audit verify --against /mnt/auditor/trail.jsonl",
		.notes = "Finds a record that was altered, is missing or was cut off, and an agency or\n"
			 "warrant that is not as the trail last saw it. With --kms-log: that each\n"
			 "request for a key stands in the KMS's trail as in ours, and none there alone.",
		.options = verify_options,
		.option_count = COUNT_OF(verify_options),
		.run = run_verify },
	{ .name = "list", .help = "every record: who did what, when", .examples = "otway audit list", .run = run_list },
	{ .name = "export",
		.help = "JSON Lines with hashes, to be kept elsewhere",
		.examples = "otway audit export > trail.jsonl",
		.run = run_export },
};

const struct cli_group cmd_audit = {
	.name = "audit",
	.help = "the audit trail of every change, decryption and refusal",
	.notes = "A record is written before its act takes effect; when it cannot be written, the act is refused. The "
		 "trail names\n"
		 "LIIDs, fields and hashes, never a target.\n\n"
		 "Each record's hash covers the record before it. To recompute it from a line of an export: take "
		 "\"hash\" out, write\n"
		 "the object as JSON in UTF-8 with its keys sorted, no white space, and nothing escaped but the "
		 "quotation mark and\n"
		 "the backslash (there are no control characters); its SHA-256 in hex is the hash. \"before\" is the "
		 "hash of the line\n"
		 "before, 64 zeroes in the first line. In Python:\n\n"
		 " json.dumps(record, sort_keys=True, separators=(\",\", \":\"), ensure_ascii=False)\n\n"
		 "The last line's number and hash are the head. Who keeps it where nobody who can write the store can "
		 "reach it,\n"
		 "can tell later whether anything up to it was altered, taken out or cut off.",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
