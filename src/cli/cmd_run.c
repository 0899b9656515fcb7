/* cmd_run: the live system in the foreground; and a role of it, which nobody starts by hand. */
#include "inside.h"

#include "otway/run.h"

static int run_all(struct cli *c, struct err *err)
{
	const struct run_options options = {
		.config = cli_config(c), .store = args_text(c, "store"), .try_text = args_text(c, "try")
	};

	return run_supervise(&options, err);
}

static const struct cli_option run_options[] = {
	{ .name = "try", .argument = "TEXT" }, /* for tests: a role tries what it may not do */
};

static const struct cli_verb run_verbs[] = {
	{ .name = NULL,
		.help = "intercept live: hear mirror ports until told to stop",
		.examples = "otway run --config otway.yaml",
		.notes = "In the foreground, as root: it starts a process for each role, and each gives\n"
			 "up what it does not need. One that dies is started again; the time that it was\n"
			 "missing stands in the evidence as a gap.\n\n"
			 "SIGTERM, SIGINT  end in good order, with all cases written (twice: at once)\n"
			 "SIGHUP           read the configuration again; a wrong one changes nothing\n\n"
			 "Without --config: " CLI_CONFIG ". What may be in it: deploy/otway.yaml.",
		.options = run_options,
		.option_count = COUNT_OF(run_options),
		.run = run_all },
};

const struct cli_group cmd_run = {
	.name = "run",
	.help = "intercept live, on mirror ports",
	.verbs = run_verbs,
	.verb_count = COUNT_OF(run_verbs),
};

/* What it fails of it tells supervise, which tells people. */
static int run_one(struct cli *c, struct err *err)
{
	int rc = run_role(c->operands[0], c->operands[1], err);

	return rc < 0 && err->code != EXIT_USAGE ? (int)err->code : rc;
}

static const struct cli_verb role_verbs[] = {
	{ .name = NULL,
		.operands = "NAME INDEX",
		.operands_min = 2,
		.operands_max = 2,
		.help = "a process of 'otway run', which starts it",
		.run = run_one },
};

const struct cli_group cmd_role = { .name = "role", .verbs = role_verbs, .verb_count = COUNT_OF(role_verbs) };
