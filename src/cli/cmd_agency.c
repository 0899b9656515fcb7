/* cmd_agency: law-enforcement agencies: add, list, show, remove. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

#define NAME_MAX_OCTETS 100
#define DEST_MAX_OCTETS 500

static json_t *agency_json(const struct agency *a)
{
	json_t *deliver = json_array();

	for (size_t i = 0; i < a->deliver_count; i++)
		json_array_append_new(deliver, json_string(a->deliver[i]));
	return json_pack("{s:i, s:s, s:s?, s:o, s:i, s:o}", "number", (int)a->number, "name", a->name, "country",
		a->country[0] != '\0' ? a->country : NULL, "deliver", deliver, "warrants", (int)a->warrants, "added",
		output_time(a->added));
}

/* ISO 3166 alpha-2, in capitals. */
static int read_country(const char *text, char out[3], struct err *err)
{
	if (strlen(text) != 2 || !text_alpha((uint8_t)text[0]) || !text_alpha((uint8_t)text[1]))
		return err_code(err, EXIT_USAGE, "--country takes two letters (ISO 3166), as in NZ");
	snprintf(out, 3, "%c%c", text[0] & ~0x20, text[1] & ~0x20);
	return 0;
}

static int read_deliver(const struct cli *c, struct agency *a, struct err *err)
{
	size_t count;
	const char **all = args_all(c, "deliver", &count);
	int rc = 0;

	a->deliver = calloc(count + 1, sizeof(*a->deliver));
	if (all == NULL || a->deliver == NULL)
		rc = err_set(err, "out of memory");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = cli_check_text("--deliver", all[i], DEST_MAX_OCTETS, err);
		a->deliver[i] = strdup(all[i]);
		if (a->deliver[i] == NULL)
			rc = err_set(err, "out of memory");
		a->deliver_count++;
	}
	free(all);
	return rc;
}

static int read_agency(const struct cli *c, struct agency *a, struct err *err)
{
	if (cli_check_text("the name", c->operands[0], NAME_MAX_OCTETS, err) < 0)
		return -1;
	if (args_text(c, "country") != NULL && read_country(args_text(c, "country"), a->country, err) < 0)
		return -1;
	if (read_deliver(c, a, err) < 0)
		return -1;
	a->name = strdup(c->operands[0]);
	return a->name != NULL ? 0 : err_set(err, "out of memory");
}

static int print_json(void *arg, const struct agency *a)
{
	(void)arg;
	output_json(agency_json(a));
	return 0;
}

static int run_add(struct cli *c, struct err *err)
{
	struct agency a = { 0 };
	bool fresh = false;
	int rc = -1;

	if (read_agency(c, &a, err) == 0 && cli_store(c, true, err) == 0 &&
		store_agency_add(c->store, &a, &fresh, err) == 0)
		rc = EXIT_DONE;
	if (rc == EXIT_DONE && c->json)
		rc = store_agency_each(c->store, a.name, print_json, NULL, err);
	else if (rc == EXIT_DONE)
		output_say(c, fresh ? "agency '%s' entered" : "agency '%s' unchanged", a.name);
	agency_clear(&a);
	return rc;
}

static int add_json(void *arg, const struct agency *a)
{
	json_array_append_new(arg, agency_json(a));
	return 0;
}

static int add_row(void *arg, const struct agency *a)
{
	char warrants[16], deliver[16];
	const char *const cells[] = { a->name, a->country[0] != '\0' ? a->country : "-", warrants, deliver };

	snprintf(warrants, sizeof(warrants), "%" PRIu32, a->warrants);
	snprintf(deliver, sizeof(deliver), "%zu", a->deliver_count);
	output_row(arg, cells, COUNT_OF(cells));
	return 0;
}

static int run_list(struct cli *c, struct err *err)
{
	static const char *const heads[] = { "AGENCY", "COUNTRY", "WARRANTS", "DESTINATIONS" };
	struct output_table table = { 0 };
	json_t *all = json_array();
	int rc;

	output_row(&table, heads, COUNT_OF(heads));
	rc = cli_store(c, false, err);
	if (rc == 0)
		rc = store_agency_each(
			c->store, NULL, c->json ? add_json : add_row, c->json ? (void *)all : (void *)&table, err);
	if (rc == 0 && c->json)
		output_json(json_pack("{s:O}", "agencies", all));
	output_table(&table, rc == 0 && !c->json);
	json_decref(all);
	return rc;
}

static int print_text(void *arg, const struct agency *a)
{
	char added[NSEC_TEXT];

	(void)arg;
	printf("agency    %s\ncountry   %s\nadded     %s\nwarrants  %" PRIu32 "\n", a->name,
		a->country[0] != '\0' ? a->country : "-", nsec_text(a->added, added), a->warrants);
	for (size_t i = 0; i < a->deliver_count; i++)
		printf("deliver   %s\n", a->deliver[i]);
	return 0;
}

static int run_show(struct cli *c, struct err *err)
{
	if (cli_store(c, false, err) < 0)
		return -1;
	return store_agency_each(c->store, c->operands[0], c->json ? print_json : print_text, NULL, err);
}

static int run_remove(struct cli *c, struct err *err)
{
	if (cli_store(c, false, err) < 0 || store_agency_remove(c->store, c->operands[0], err) < 0)
		return -1;
	if (c->json)
		output_json(json_pack("{s:s}", "removed", c->operands[0]));
	output_say(c, "agency '%s' removed", c->operands[0]);
	return EXIT_DONE;
}

static const struct cli_option add_options[] = {
	{ .name = "country", .argument = "CC", .help = "its country, two letters (ISO 3166)" },
	{ .name = "deliver", .argument = "DEST", .help = "where its records go", .many = true },
};

static const struct cli_verb verbs[] = {
	{ .name = "add",
		.operands = "NAME",
		.operands_min = 1,
		.operands_max = 1,
		.help = "enter an agency; the same again is done already",
		.examples = "otway agency add Police --country NZ",
		.options = add_options,
		.option_count = COUNT_OF(add_options),
		.run = run_add },
	{ .name = "list", .help = "all agencies", .examples = "otway agency list --json", .run = run_list },
	{ .name = "show",
		.operands = "NAME",
		.operands_min = 1,
		.operands_max = 1,
		.help = "one agency, whole",
		.examples = "otway agency show Police",
		.run = run_show },
	{ .name = "remove",
		.operands = "NAME",
		.operands_min = 1,
		.operands_max = 1,
		.help = "take out one that has no warrants",
		.examples = "otway agency remove Police",
		.run = run_remove },
};

const struct cli_group cmd_agency = {
	.name = "agency",
	.help = "the law-enforcement agencies and where their records go",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
