/* warrant_trace: what a change of a warrant leaves behind: lines of its history, and a record in the trail. */
#include "inside.h"

#include <stdio.h>

#include "otway/base/text.h"

static json_t *targets_json(const struct warrant *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->target_count; i++)
		json_array_append_new(list, json_string(w->targets[i].uri));
	return list;
}

json_t *warrant_content(const struct warrant_row *r)
{
	char document[SHA256_HEX], salt[2 * sizeof(r->salt) + 1];
	json_t *revoked = r->revoked != NSEC_NONE ? json_integer(r->revoked) : json_null();

	text_hex((struct bytes){ r->document_sha256, SHA256_LEN }, document);
	text_hex((struct bytes){ r->salt, sizeof(r->salt) }, salt);
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:s, s:s, s:s, s:s, s:b, s:s?, s:s?, s:o, s:s?, s:s}", "liid",
		r->w.liid, "agency", r->w.agency, "authority", r->w.authority, "targets", targets_json(&r->w), "from",
		(json_int_t)r->w.from, "until", (json_int_t)r->w.until, "from_entered", r->from_entered,
		"until_entered", r->until_entered, "scope", warrant_scope_text(r->w.scope), "diverted",
		warrant_diverted_text(r->w.diverted), "trust_from", r->w.trust_from, "document", r->document,
		"document_sha256", r->document != NULL ? document : NULL, "revoked", revoked, "revoked_reason",
		r->revoked_reason, "salt", salt);
}

int write_change(struct store *s, uint32_t warrant, const char *act, const struct change_line *line, struct err *err)
{
	return store_run(s,
		"INSERT INTO warrant_change (warrant, at, actor, act, field, before, after)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)",
		NULL, NULL, err, db_number(warrant), db_number(s->at), db_text(s->actor), db_text(act),
		db_text(line->field), db_text(line->before), db_text(line->after));
}

int audit_change(struct store *s, const char *act, const struct warrant_row *r, json_t *fields, struct err *err)
{
	json_t *content = warrant_content(r);
	char subject[40], hash[SHA256_HEX];

	if (content == NULL || fields == NULL) {
		json_decref(content);
		json_decref(fields);
		return err_set(err, "out of memory, or text that is not UTF-8");
	}
	json_sha256(content, hash);
	json_decref(content);
	snprintf(subject, sizeof(subject), "warrant %u", r->w.number);
	return audit_append(s, act, subject,
		json_pack("{s:s, s:s, s:o, s:s}", "liid", r->w.liid, "agency", r->w.agency, "fields", fields,
			"content_sha256", hash),
		NULL, err);
}
