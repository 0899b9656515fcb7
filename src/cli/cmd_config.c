/* cmd_config: the configuration of the live system, looked at without starting it. */
#include "inside.h"

const char *cli_config(const struct cli *c)
{
	return args_text(c, "config") != NULL ? args_text(c, "config") : CLI_CONFIG;
}

static int run_show(struct cli *c, struct err *err)
{
	(void)c;
	return err_set(err, "not built");
}

static const struct cli_verb verbs[] = {
	{ .name = "show", .help = "every setting, as it holds", .examples = "otway config show", .run = run_show },
};

const struct cli_group cmd_config = {
	.name = "config",
	.help = "look at the configuration",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
