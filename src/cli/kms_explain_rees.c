/* kms_explain_rees: one message of the Otway-Rees profile, as text or as a JSON line. Envelopes are told by their length. */
#include "kms_explain.h"

#include <stdio.h>

#include "otway/base/text.h"
#include "otway/otway_rees.h"

static const char *type_text(enum or_type type)
{
	static const char *const names[] = { "", "offer", "request", "response", "answer", "error" };

	return (size_t)type < COUNT_OF(names) ? names[type] : "";
}

static json_t *text_json(struct bytes b)
{
	return b.len > 0 ? json_stringn((const char *)b.at, b.len) : json_null();
}

/* Of a user the domain: no warrant is asked for here. */
static json_t *domain_json(struct bytes id)
{
	const uint8_t *at = id.len > 0 ? memrchr(id.at, '@', id.len) : NULL;

	return at != NULL ? text_json(bytes_part(id, (size_t)(at - id.at), id.len)) : json_null();
}

static json_t *sessions_json(const struct or_message *m)
{
	json_t *all = json_array();

	for (size_t i = 0; i < m->session_count; i++) {
		const struct or_session *s = &m->sessions[i];
		char mki[2 * MKI_MAX + 1];

		json_array_append_new(
			all, json_pack("{s:i, s:s, s:s?}", "cs", s->cs, "suite",
				     s->suite != SUITE_UNSUPPORTED ? suite_facts(s->suite)->name : "unknown", "mki",
				     s->mki_len > 0 ? text_hex((struct bytes){ s->mki, s->mki_len }, mki) : NULL));
	}
	return all;
}

static json_t *message_json(const struct or_message *m)
{
	char run[33];

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:i, s:i}", "type", type_text(m->type), "run",
		text_hex(m->m, run), "kms", text_json(m->kms), "a", domain_json(m->a), "b", domain_json(m->b), "r",
		domain_json(m->r), "rekeys", m->prior.len > 0, "sessions", sessions_json(m), "envelope_a",
		(int)m->envelope_a.len, "envelope_r", (int)m->envelope_r.len);
}

static void print_field(const char *name, const json_t *value)
{
	if (json_is_string(value))
		printf(" %s=%s", name, json_string_value(value));
}

static void print_text(const struct explain_place *place, const json_t *said, const char *error)
{
	static const char *const fields[] = { "type", "run", "kms", "a", "b", "r" };
	char at[NSEC_TEXT];
	const json_t *session;
	size_t i;

	printf("%s %s, m-line %d\n", nsec_text(place->at, at), place->what, place->line);
	if (error != NULL) {
		printf("  no Otway-Rees message: %s\n", error);
		return;
	}
	printf("  Otway-Rees:");
	for (i = 0; i < COUNT_OF(fields); i++)
		print_field(fields[i], json_object_get(said, fields[i]));
	puts(json_is_true(json_object_get(said, "rekeys")) ? " re-keys" : "");
	json_array_foreach(json_object_get(said, "sessions"), i, session)
	{
		printf("    crypto session: cs=%d", (int)json_integer_value(json_object_get(session, "cs")));
		print_field("suite", json_object_get(session, "suite"));
		print_field("mki", json_object_get(session, "mki"));
		putchar('\n');
	}
}

bool explain_rees(const struct cli *c, const struct explain_place *place, struct bytes octets)
{
	struct or_message m;
	struct err err = { .text = "" };
	bool well = or_read(octets, &m, &err) == 0;
	json_t *said = well ? message_json(&m) : json_null();

	if (!c->quiet && c->json)
		output_json(json_pack("{s:o, s:s, s:i, s:i, s:O, s:s?}", "at", output_time(place->at), "message",
			place->what, "line", place->line, "octets", (int)octets.len, "otway_rees", said, "error",
			well ? NULL : err.text));
	else if (!c->quiet)
		print_text(place, said, well ? NULL : err.text);
	json_decref(said);
	return well;
}
