/* main: the table of subcommands, and what protects the memory of the process from the first moment on. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "otway/cli.h"

static const struct cli_group *const groups[] = { &cmd_agency, &cmd_warrant, &cmd_decrypt, &cmd_explain, &cmd_kms,
	&cmd_audit, &cmd_run, &cmd_config, &cmd_status, &cmd_role, &cmd_help };

/* No core dump, no debugger of another process of the same user, no file that others may read; a full disk is an error, not
 * a signal. */
static void protect(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv)
{
	protect();
	return cli_main(argc, argv, groups, sizeof(groups) / sizeof(groups[0]));
}
