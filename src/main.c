/* main: the table of subcommands, and what protects the memory of the process from the first moment on. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <jansson.h>

#include "cli/cli.h"
#include "otway/base/secret.h"

static const struct cli_group *const groups[] = { &cmd_agency, &cmd_warrant, &cmd_decrypt, &cmd_explain, &cmd_audit,
	&cmd_help };

/* Identities and keys pass through JSON. */
static void wiping_free(void *p)
{
	if (p != NULL)
		secret_free(p, malloc_usable_size(p));
}

/* No core dump, no debugger of another process of the same user, no file that others may read; a full disk is an error, not
 * a signal. */
static void protect(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGXFSZ, SIG_IGN);
	json_set_alloc_funcs(malloc, wiping_free);
}

int main(int argc, char **argv)
{
	protect();
	return cli_main(argc, argv, groups, COUNT_OF(groups));
}
