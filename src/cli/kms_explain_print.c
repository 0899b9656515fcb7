/* kms_explain_print: one MIKEY message, as text or as a JSON line. */
#include "kms_explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"
#include "otway/mikey_facts.h"

static json_t *hex_json(struct bytes octets)
{
	char *hex = malloc(2 * octets.len + 1);
	json_t *value = hex != NULL ? json_string(text_hex(octets, hex)) : json_null();

	free(hex);
	return value;
}

/* An identity as it stands where it is UTF-8, else in hex: which one, its key tells. */
static void name_json(json_t *to, const char *name, struct bytes octets)
{
	json_t *text = json_stringn((const char *)octets.at, octets.len);
	char key[24];

	if (text != NULL || octets.len == 0) {
		json_object_set_new(to, name, text != NULL ? text : json_string(""));
		return;
	}
	snprintf(key, sizeof(key), "%s_hex", name);
	json_object_set_new(to, key, hex_json(octets));
}

static void fact_json(json_t *to, const struct mikey_fact *f)
{
	char key[40];

	if (f->kind == MIKEY_FACT_NUMBER) {
		json_object_set_new(to, f->name, json_integer((json_int_t)f->number));
		snprintf(key, sizeof(key), "%s_text", f->name);
		if (f->text != NULL)
			json_object_set_new(to, key, json_string(f->text));
	} else if (f->kind == MIKEY_FACT_TRUTH) {
		json_object_set_new(to, f->name, json_boolean(f->number));
	} else if (f->kind == MIKEY_FACT_TEXT) {
		json_object_set_new(to, f->name, json_string(f->text));
	} else if (f->kind == MIKEY_FACT_OCTETS) {
		json_object_set_new(to, f->name, hex_json(f->octets));
	} else if (f->kind == MIKEY_FACT_NAME) {
		name_json(to, f->name, f->octets);
	} else {
		json_object_set_new(to, f->name, output_time(f->time));
	}
}

static void facts_json(json_t *to, const struct mikey_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fact_json(to, &facts[i]);
}

static json_t *payload_json(const struct mikey_payload *p, bool inside_too)
{
	json_t *value = json_pack("{s:s, s:i, s:i}", "payload", mikey_payload_text(p->type), "at", (int)p->at, "octets",
		(int)p->whole.len);
	struct mikey_payload inside[MIKEY_PAYLOADS];
	struct mikey_fact facts[MIKEY_FACTS];
	const char *name = NULL;

	facts_json(value, facts, mikey_facts(p, facts));
	for (size_t n = 0; inside_too && n < 3; n++) {
		long count = mikey_facts_inside(p, n, &name, inside);
		json_t *list;

		if (count < 0)
			continue;
		list = json_array();
		for (long i = 0; i < count; i++)
			json_array_append_new(list, payload_json(&inside[i], false));
		json_object_set_new(value, name, list);
	}
	return value;
}

static json_t *message_json(const struct mikey *m)
{
	json_t *value = json_object(), *sessions = json_array(), *payloads = json_array();
	struct mikey_fact facts[MIKEY_FACTS];
	struct err err = { .text = "" };
	struct mikey_cs cs;

	facts_json(value, facts, mikey_facts_header(m, facts));
	for (size_t i = 0; mikey_session(m, i, &cs); i++) {
		json_t *session = json_object();

		facts_json(session, facts, mikey_facts_session(&cs, facts));
		json_array_append_new(sessions, session);
	}
	for (size_t i = 0; i < m->count; i++)
		json_array_append_new(payloads, payload_json(&m->payloads[i], true));
	json_object_set_new(value, "crypto_sessions", sessions);
	json_object_set_new(value, "payloads", payloads);
	json_object_set_new(value, "well_formed", json_boolean(mikey_check(m, &err)));
	if (err.text[0] != '\0')
		json_object_set_new(value, "broken", json_string(err.text));
	return value;
}

static void print_json(const struct explain_place *place, const struct mikey *m, const char *error)
{
	json_t *line = json_object();

	if (place->what != NULL) {
		json_object_set_new(line, "at", output_time(place->at));
		json_object_set_new(line, "message", json_string(place->what));
		json_object_set_new(line, "line", place->line > 0 ? json_integer(place->line) : json_null());
	}
	json_object_set_new(line, "octets", json_integer((json_int_t)m->whole.len));
	json_object_set_new(line, "mikey", error == NULL ? message_json(m) : json_null());
	if (error != NULL)
		json_object_set_new(line, "error", json_string(error));
	output_json(line);
}

static void print_text(const struct explain_place *place, const struct mikey *m, const char *error)
{
	struct err broken = { .text = "" };
	char at[NSEC_TEXT];
	struct buf b = { 0 };

	if (place->what != NULL) {
		printf("%s %s", nsec_text(place->at, at), place->what);
		if (place->line > 0)
			printf(", m-line %d", place->line);
		putchar('\n');
	}
	if (error != NULL) {
		printf("  no MIKEY message: %s\n", error);
		return;
	}
	if (mikey_facts_text(m, place->what != NULL ? 2 : 0, &b))
		fwrite(b.at, 1, b.len, stdout);
	if (!mikey_check(m, &broken))
		printf("  not as its standard asks: %s\n", broken.text);
	buf_clear(&b);
}

/* As found in a capture: nothing tells here whose call it is, and no warrant is asked for. */
static void print_hidden(const struct cli *c, const struct explain_place *place, const struct mikey *m)
{
	uint8_t *copy = malloc(m->whole.len + 1);
	struct err err;
	struct mikey hidden;

	if (copy == NULL)
		return;
	explain_hide(m, copy);
	if (mikey_decode((struct bytes){ copy, m->whole.len }, &hidden, &err))
		(c->json ? print_json : print_text)(place, &hidden, NULL);
	free(copy);
}

bool explain_print(const struct cli *c, const struct explain_place *place, struct bytes octets)
{
	struct err err = { .text = "" };
	struct mikey m;
	bool well = mikey_decode(octets, &m, &err);

	if (c->quiet)
		return well;
	if (well && place->what != NULL)
		print_hidden(c, place, &m);
	else
		(c->json ? print_json : print_text)(place, &m, well ? NULL : err.text);
	return well;
}
