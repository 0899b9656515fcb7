/*
 * args: words into options and operands, by the tables. Options may stand anywhere, before the command's own words too; so an
 * option's name means the same kind of thing in every command that has it.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otway/base/text.h"

const struct cli_option args_global[] = {
	{ .name = "store", .argument = "STORE", .help = "where warrants are kept: sqlite:PATH or postgresql://..." },
	{ .name = "config", .argument = "FILE", .help = "the configuration, YAML" },
	{ .name = "json", .help = "machine-readable output and errors" },
	{ .name = "quiet", .help = "no confirmations, no progress" },
	{ .name = "verbose", .help = "tell on standard error what is done (also -v)" },
	{ .name = "version", .help = "the version of otway" },
	{ .name = "help", .help = "this page (also -h)" },
};
const size_t args_global_count = COUNT_OF(args_global);

static const struct cli_option *find_in(const struct cli_option *options, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(options[i].name, name, len) == 0 && options[i].name[len] == '\0')
			return &options[i];
	return NULL;
}

/* An option of that name in any command; which command's it is matters once that is known. */
static const struct cli_option *find_any(const struct cli *c, const char *name, size_t len)
{
	const struct cli_option *o = find_in(args_global, args_global_count, name, len);

	for (size_t g = 0; o == NULL && g < c->group_count; g++)
		for (size_t v = 0; o == NULL && v < c->groups[g]->verb_count; v++)
			o = find_in(c->groups[g]->verbs[v].options, c->groups[g]->verbs[v].option_count, name, len);
	return o;
}

struct nearest {
	const char *word, *best;
	unsigned distance;
};

static void consider(struct nearest *n, const char *candidate)
{
	unsigned distance = text_distance(n->word, candidate);

	if (distance < n->distance) {
		n->distance = distance;
		n->best = candidate;
	}
}

static void consider_options(struct nearest *n, const struct cli_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].help != NULL)
			consider(n, options[i].name);
}

static void suggest(const struct nearest *n, const char *dashes, struct err *err)
{
	size_t len = strlen(err->text);

	if (n->best != NULL)
		snprintf(err->text + len, sizeof(err->text) - len, "; did you mean %s%s?", dashes, n->best);
}

static int unknown_option(const struct cli *c, const char *name, struct err *err)
{
	struct nearest n = { name, NULL, 3 };

	consider_options(&n, args_global, args_global_count);
	for (size_t g = 0; g < c->group_count; g++)
		for (size_t v = 0; v < c->groups[g]->verb_count; v++)
			if (c->verb == NULL || c->verb == &c->groups[g]->verbs[v])
				consider_options(
					&n, c->groups[g]->verbs[v].options, c->groups[g]->verbs[v].option_count);
	if (c->verb == NULL)
		err_code(err, EXIT_USAGE, "there is no option --%.60s", name);
	else
		err_code(err, EXIT_USAGE, "--%.60s is no option of this command", name);
	suggest(&n, "--", err);
	return -1;
}

static void add_value(struct cli *c, const struct cli_option *o, const char *text)
{
	c->values[c->value_count++] = (struct cli_value){ o, text };
	c->json |= strcmp(o->name, "json") == 0;
	c->quiet |= strcmp(o->name, "quiet") == 0;
	c->help |= strcmp(o->name, "help") == 0;
	c->version |= strcmp(o->name, "version") == 0;
}

/* One --name, --name=value, or --name value; *i is moved over the value. */
static int long_option(struct cli *c, int argc, char **argv, int *i, struct err *err)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *o = find_any(c, name, len);
	char copy[64];

	text_copy((struct bytes){ (const uint8_t *)name, len }, copy, sizeof(copy));
	if (o == NULL)
		return unknown_option(c, copy, err);
	if (o->argument == NULL) {
		if (equals != NULL)
			return err_code(err, EXIT_USAGE, "--%s takes no value", copy);
		add_value(c, o, NULL);
		return 0;
	}
	if (equals == NULL && (*i + 1 >= argc || strcmp(argv[*i + 1], "--") == 0))
		return err_code(err, EXIT_USAGE, "--%s needs a value: %s", copy, o->argument);
	add_value(c, o, equals != NULL ? equals + 1 : argv[++*i]);
	return 0;
}

static int short_option(struct cli *c, const char *word, struct err *err)
{
	if (strcmp(word, "-h") == 0)
		add_value(c, find_any(c, "help", 4), NULL);
	else if (strcmp(word, "-v") == 0)
		add_value(c, find_any(c, "verbose", 7), NULL);
	else
		return err_code(
			err, EXIT_USAGE, "there is no option %.60s; 'otway --help' shows which there are", word);
	return 0;
}

/* Takes the first operand away. */
static void shift(struct cli *c)
{
	c->operand_count--;
	memmove(c->operands, c->operands + 1, c->operand_count * sizeof(*c->operands));
}

static int find_verb(struct cli *c, struct err *err)
{
	const struct cli_group *g = c->group;
	struct nearest n = { c->operand_count > 0 ? c->operands[0] : "", NULL, 3 };

	if (g->verbs[0].name == NULL) {
		c->verb = &g->verbs[0];
		return 0;
	}
	for (size_t v = 0; v < g->verb_count; v++) {
		if (strcmp(n.word, g->verbs[v].name) == 0) {
			c->verb = &g->verbs[v];
			shift(c);
			return 0;
		}
		consider(&n, g->verbs[v].name);
	}
	if (c->help)
		return 0;
	if (n.word[0] == '\0')
		return err_code(err, EXIT_USAGE, "say what to do; 'otway %s --help' shows what there is", g->name);
	err_code(err, EXIT_USAGE, "%s has no '%.60s'", g->name, n.word);
	suggest(&n, "", err);
	return -1;
}

static int find_group(struct cli *c, struct err *err)
{
	struct nearest n = { c->operands[0], NULL, 3 };

	for (size_t g = 0; g < c->group_count; g++) {
		if (strcmp(n.word, c->groups[g]->name) == 0) {
			c->group = c->groups[g];
			shift(c);
			return find_verb(c, err);
		}
		if (c->groups[g]->help != NULL)
			consider(&n, c->groups[g]->name);
	}
	err_code(err, EXIT_USAGE, "there is no command '%.60s'", n.word);
	suggest(&n, "", err);
	return -1;
}

static bool verb_has(const struct cli_verb *v, const char *name)
{
	return find_in(v->options, v->option_count, name, strlen(name)) != NULL ||
	       find_in(args_global, args_global_count, name, strlen(name)) != NULL;
}

/* Do the options belong to the command, each as often as it may, and none missing? */
static int check_options(const struct cli *c, struct err *err)
{
	for (size_t i = 0; i < c->value_count; i++) {
		const struct cli_option *o = c->values[i].option;

		if (!verb_has(c->verb, o->name))
			return unknown_option(c, o->name, err);
		if (o->absent != NULL)
			return err_code(err, EXIT_USAGE, "--%s: %s", o->name, o->absent);
		if (!o->many && o->argument != NULL && args_text(c, o->name) != c->values[i].text)
			return err_code(err, EXIT_USAGE, "--%s is given twice", o->name);
	}
	for (size_t i = 0; i < c->verb->option_count; i++)
		if (c->verb->options[i].required && args_text(c, c->verb->options[i].name) == NULL)
			return err_code(err, EXIT_USAGE, "--%s %s is needed", c->verb->options[i].name,
				c->verb->options[i].argument);
	return 0;
}

static int check_operands(const struct cli *c, struct err *err)
{
	const struct cli_verb *v = c->verb;

	if (c->operand_count < v->operands_min)
		return err_code(err, EXIT_USAGE, "%s is needed", v->operands);
	if (c->operand_count > v->operands_max)
		return err_code(err, EXIT_USAGE, "'%.60s' is one word too many", c->operands[v->operands_max]);
	return 0;
}

int args_read(struct cli *c, int argc, char **argv, struct err *err)
{
	bool options = true;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && strncmp(word, "--", 2) == 0 && long_option(c, argc, argv, &i, err) < 0)
			return -1;
		else if (options && word[0] == '-' && word[1] != '-' && word[1] != '\0' &&
			 short_option(c, word, err) < 0)
			return -1;
		else if (!options || word[0] != '-' || word[1] == '\0')
			c->operands[c->operand_count++] = word;
	}
	if (c->version || (c->help && c->operand_count == 0))
		return 0;
	if (c->operand_count == 0)
		return err_code(err, EXIT_USAGE, "say what to do; 'otway --help' shows what there is");
	if (find_group(c, err) < 0)
		return -1;
	if (c->help)
		return 0;
	return check_options(c, err) < 0 ? -1 : check_operands(c, err);
}

const char **args_all(const struct cli *c, const char *name, size_t *count)
{
	const char **all = calloc(c->value_count + 1, sizeof(*all));

	*count = 0;
	for (size_t i = 0; all != NULL && i < c->value_count; i++)
		if (strcmp(c->values[i].option->name, name) == 0)
			all[(*count)++] = c->values[i].text;
	return all;
}

const char *args_text(const struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->value_count; i++)
		if (strcmp(c->values[i].option->name, name) == 0)
			return c->values[i].text;
	return NULL;
}

bool args_given(const struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->value_count; i++)
		if (strcmp(c->values[i].option->name, name) == 0)
			return true;
	return false;
}
