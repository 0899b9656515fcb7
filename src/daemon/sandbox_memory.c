/* sandbox_memory: locked pages. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "sandbox_parts.h"

/* Is there anywhere that pages could be written to? A file we cannot read may say so. */
static bool has_swap(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	int lines = 0, c;

	if (f == NULL)
		return true;
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	return lines > 1; /* the first is the heading */
}

/*
 * What is allocated later counts against the limit, once no capability lifts it: without one that is high enough, memory would run
 * out. Then only what there is now is locked; and that is refused where the rest could be written to swap.
 */
int sandbox_memory_lock(struct err *err)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	bool lifted = setrlimit(RLIMIT_MEMLOCK, &none) == 0;

	if (mlockall(MCL_CURRENT | MCL_ONFAULT | (lifted ? MCL_FUTURE : 0)) == 0 && lifted)
		return 0;
	if (has_swap())
		return err_code(err, EXIT_REFUSED,
			"memory cannot be locked: lift its limit (LimitMEMLOCK=infinity), or put swap off");
	return 0;
}
