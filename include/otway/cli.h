/*
 * cli: the subcommands, each a group of verbs, and one run of the program. Only these print.
 */
#ifndef OTWAY_CLI_H
#define OTWAY_CLI_H

#include <stddef.h>

struct cli_group;

extern const struct cli_group cmd_agency, cmd_warrant, cmd_decrypt, cmd_explain, cmd_kms, cmd_audit,
	cmd_run, cmd_config, cmd_status, cmd_role, cmd_help;

/* The program, from argv to exit code (enum exit_code), with the subcommands that it has. */
int cli_main(int argc, char **argv, const struct cli_group *const *groups, size_t group_count);

#endif
