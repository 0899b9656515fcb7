/* help: pages of one screen, examples first, out of the tables that arguments are read by; and the help command. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#include "otway/base/text.h"

#define COLUMN 20 /* where explanations begin */

bool help_usage(const struct cli_verb *v, struct buf *out)
{
	for (size_t i = 0; i < v->option_count; i++) {
		const struct cli_option *o = &v->options[i];

		if (o->help != NULL)
			buf_printf(out, " %s--%s%s%s%s%s", o->required ? "" : "[", o->name,
				o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "",
				o->required ? "" : "]", o->many ? "..." : "");
	}
	if (v->operands != NULL)
		buf_printf(out, v->operands_min > 0 ? " %s" : " [%s]", v->operands);
	return buf_add(out, "", 1);
}

/* Lines, each moved in by two. */
static void lines(const char *text)
{
	struct bytes rest = bytes_of(text);

	while (rest.len > 0) {
		struct bytes line = text_cut(rest, '\n', &rest);

		printf("  %.*s\n", (int)line.len, (const char *)line.at);
	}
}

static void options(const struct cli_option *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct cli_option *o = &all[i];
		char left[64];

		if (o->help == NULL)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->argument != NULL ? " " : "",
			o->argument != NULL ? o->argument : "");
		printf("  %-*s%s%s\n", COLUMN, left, o->help, o->many ? " (repeatable)" : "");
	}
}

static void verb_examples(const struct cli_verb *v)
{
	if (v->examples != NULL)
		lines(v->examples);
}

static void page_of_program(const struct cli *c)
{
	puts("otway: lawful interception of IMS calls, from warrant to evidence\n\nExamples:");
	lines("otway agency add Police --country NZ\n"
	      "otway warrant add --liid NZ-1 --agency Police --target sip:bob@ims.example \\\n"
	      "    --from now --until +72h --authority 'Court 12/26'\n"
	      "otway decrypt call.pcap --out case/\n"
	      "otway explain call.pcap");
	puts("\nCommands:");
	for (size_t g = 0; g < c->group_count; g++)
		if (c->groups[g]->help != NULL)
			printf("  %-*s%s\n", COLUMN, c->groups[g]->name, c->groups[g]->help);
	puts("\nEverywhere:");
	options(args_global, args_global_count);
	puts("\nWithout --store and --config: the store that " CLI_CONFIG " names.");
	puts("\nExit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by policy,\n"
	     "5 partly done (a stream stayed sealed), 6 a peer could not be reached,\n"
	     "7 an integrity check failed. 'otway COMMAND --help' tells more.");
}

static void page_of_group(const struct cli_group *g)
{
	printf("otway %s: %s\n\nExamples:\n", g->name, g->help);
	for (size_t i = 0; i < g->verb_count; i++)
		verb_examples(&g->verbs[i]);
	puts("\nCommands:");
	for (size_t i = 0; i < g->verb_count; i++) {
		const struct cli_verb *v = &g->verbs[i];
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", v->name, v->operands != NULL ? " " : "",
			v->operands != NULL ? v->operands : "");
		printf("  %-*s%s\n", COLUMN, left, v->help);
	}
	printf("\n'otway %s COMMAND --help' shows the options of one.\n", g->name);
}

static void page_of_verb(const struct cli_group *g, const struct cli_verb *v)
{
	printf("otway %s%s%s%s%s: %s\n\nExamples:\n", g->name, v->name != NULL ? " " : "",
		v->name != NULL ? v->name : "", v->operands != NULL ? " " : "", v->operands != NULL ? v->operands : "",
		v->help);
	verb_examples(v);
	if (v->option_count > 0) {
		puts("\nOptions:");
		options(v->options, v->option_count);
	}
	if (v->notes != NULL)
		printf("\n%s\n", v->notes);
	puts("\nEverywhere:");
	options(args_global, args_global_count);
}

void help_page(const struct cli *c)
{
	if (c->group == NULL)
		page_of_program(c);
	else if (c->verb == NULL)
		page_of_group(c->group);
	else
		page_of_verb(c->group, c->verb);
}

static int help_run(struct cli *c, struct err *err)
{
	const char *name = args_text(c, "man") != NULL ? args_text(c, "man")
			   : c->operand_count > 0      ? c->operands[0]
						       : "otway";
	const struct cli_group *g = cli_group_of(c, name);

	if (g == NULL && strcmp(name, "otway") != 0)
		return err_code(err, EXIT_USAGE, "there is no command '%.60s'", name);
	if (args_text(c, "man") != NULL) {
		man_page(c, g);
		return EXIT_DONE;
	}
	c->group = g;
	c->verb = g != NULL && g->verbs[0].name == NULL ? &g->verbs[0] : NULL;
	help_page(c);
	return EXIT_DONE;
}

static const struct cli_option help_options[] = {
	{ .name = "man", .argument = "COMMAND", .help = "its man page, as roff; 'otway' for the whole" },
};

static const struct cli_verb help_verbs[] = {
	{ .operands = "COMMAND",
		.operands_max = 1,
		.help = "what a command does and how it is used",
		.examples = "otway help warrant\notway help --man warrant | man -l -",
		.options = help_options,
		.option_count = COUNT_OF(help_options),
		.run = help_run },
};

const struct cli_group cmd_help = {
	.name = "help",
	.help = "what a command does and how it is used",
	.verbs = help_verbs,
	.verb_count = COUNT_OF(help_verbs),
};
