/* sandbox_describe: what holds of this process, asked of the kernel in ways that every table leaves open. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox_parts.h"

/* Landlock tells nobody that it is there, but this file is everybody's, otherwise: EACCES is Landlock's word, EPERM the filter's. */
static const char *files(char *out, size_t size)
{
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC), why = errno;

	if (fd >= 0)
		close(fd);
	if (fd >= 0)
		return "";
	if (why == EPERM)
		return " no_files";
	snprintf(out, size, " landlock:%d", sandbox_files_abi());
	return out;
}

static bool no_capability(void)
{
	for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0)
			return false;
	return true;
}

/* Pages that are locked cannot be called cold. */
static bool is_locked(void *page, size_t size)
{
	return page != MAP_FAILED && madvise(page, size, MADV_COLD) < 0 && errno == EINVAL;
}

/* What is mapped from now on, then. */
static const char *locked(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is = is_locked(page, size);
	char here;

	if (page != MAP_FAILED)
		munmap(page, size);
	if (is)
		return " locked";
	return is_locked((void *)((uintptr_t)&here & ~(uintptr_t)(size - 1)), size) ? " locked_in_part" : "";
}

char *sandbox_describe(char *out, size_t size)
{
	char landlock[24];

	snprintf(out, size, "%s%s%s%s%s%s%s", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? "seccomp" : "open",
		files(landlock, sizeof(landlock)), geteuid() != 0 ? " user" : "",
		no_capability() ? " no_capabilities" : "",
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? " no_new_privs" : "",
		prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? " undumpable" : "", locked());
	return out;
}
