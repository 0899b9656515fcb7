/*
 * sandbox_files: Landlock, by system calls, since no library knows it: files below the paths that were named, no TCP where none is needed,
 * no signal and no abstract socket to anybody outside. What a kernel can do more than another is told by the number of its ABI.
 *
 * A path that is named is pinned: where a file is replaced by another of its name, its folder is to be named.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_parts.h"

/* include/uapi/linux/landlock.h, as of ABI 7. */
enum {
	RULE_PATH = 1,
	ABI_ASKED = 1, /* a flag that asks for the ABI instead */

	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_FOLDER = 1 << 3,
	REMOVE_FOLDER = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_FOLDER = 1 << 7,
	MAKE_FILE = 1 << 8,
	EVERYTHING = (1 << 13) - 1, /* up to ABI 1 */
	MOVE = 1 << 13,             /* to another folder: ABI 2 */
	TRUNCATE = 1 << 14,         /* ABI 3 */
	DEVICE_IOCTL = 1 << 15,     /* ABI 5 */

	BIND_TCP = 1 << 0, /* ABI 4 */
	CONNECT_TCP = 1 << 1,

	ABSTRACT_SOCKETS = 1 << 0, /* ABI 6 */
	SIGNALS = 1 << 1,

	READS = READ_FILE | READ_FOLDER,
	WRITES = READS | WRITE_FILE | TRUNCATE | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MOVE,
	RUNS = EXECUTE | READ_FILE,
	OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE_IOCTL
};

struct ruleset {
	uint64_t files, network, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What libc and the libraries look at by themselves: time zones, chance, how libcrypto is set; and names of hosts for those who speak to
 * some. */
static const char *const always[] = { "/dev/null", "/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo",
	"/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf", NULL };
static const char *const names[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
	"/etc/gai.conf", "/etc/services", "/etc/protocols", NULL };
static const char *const libraries[] = { "/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
	"/usr/local/lib", NULL };

int sandbox_files_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ABI_ASKED);

	return abi > 0 ? (int)abi : 0;
}

static struct ruleset handled(int abi, enum role role)
{
	struct ruleset r = { .files = EVERYTHING };

	r.files |= (abi >= 2 ? MOVE : 0) | (abi >= 3 ? TRUNCATE : 0) | (abi >= 5 ? DEVICE_IOCTL : 0);
	if (abi >= 4)
		r.network = BIND_TCP | (role == ROLE_INTERCEPT || role == ROLE_DELIVERY ? CONNECT_TCP : 0);
	if (abi >= 6)
		r.scoped = ABSTRACT_SOCKETS | SIGNALS;
	return r;
}

static int allow_fd(int ruleset, int fd, uint64_t rights)
{
	struct path_rule rule = { .allowed = rights, .fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= OF_A_FILE;
	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
}

/* What is not there needs no leave, unless it is `needed`. */
static int allow(int ruleset, const char *const *paths, uint64_t rights, bool needed, struct err *err)
{
	for (; paths != NULL && *paths != NULL; paths++) {
		int fd = open(*paths, O_PATH | O_CLOEXEC), rc;

		if (fd < 0 && !needed && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (fd < 0)
			return err_set(err, "%s: %s", *paths, strerror(errno));
		rc = allow_fd(ruleset, fd, rights);
		close(fd);
		if (rc < 0)
			return err_set(err, "%s: Landlock: %s", *paths, strerror(errno));
	}
	return 0;
}

/* The loader that this program names is that of the others of the same make. */
static int note_loader(struct dl_phdr_info *program, size_t size, void *arg)
{
	(void)size;
	for (unsigned i = 0; i < program->dlpi_phnum; i++)
		if (program->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)arg = (const char *)(program->dlpi_addr + program->dlpi_phdr[i].p_vaddr);
	return 1; /* the program itself is the first */
}

static int allow_programs(int ruleset, const struct sandbox *s, struct err *err)
{
	const char *loader[2] = { NULL, NULL };

	if (s->run == NULL || s->run[0] == NULL)
		return 0;
	dl_iterate_phdr(note_loader, (void *)loader);
	if (allow(ruleset, s->run, RUNS, true, err) < 0 || allow(ruleset, loader, RUNS, true, err) < 0)
		return -1;
	return allow(ruleset, libraries, READS, false, err);
}

static int fill(int ruleset, int abi, const struct sandbox *s, struct err *err)
{
	const uint64_t known = handled(abi, s->role).files;
	bool speaks = s->role == ROLE_CONTROL || s->role == ROLE_KEYS;

	if (s->role == ROLE_INTERCEPT)
		return 0;
	if (allow(ruleset, always, READS, false, err) < 0 || (speaks && allow(ruleset, names, READS, false, err) < 0))
		return -1;
	if (allow(ruleset, s->read, READS, false, err) < 0 || allow(ruleset, s->write, WRITES & known, true, err) < 0)
		return -1;
	return allow_programs(ruleset, s, err);
}

int sandbox_files_open(int *ruleset, const struct sandbox *s, struct err *err)
{
	const int abi = sandbox_files_abi();
	const struct ruleset r = handled(abi, s->role);

	*ruleset = -1;
	if (s->role == ROLE_SUPERVISE) /* whose children would not get rid of it */
		return 0;
	if (abi == 0 && s->no_landlock)
		return 0;
	if (abi == 0)
		return err_code(err, EXIT_REFUSED,
			"this kernel has no Landlock (Linux 5.13, lsm=landlock); run.without_landlock goes on without");
	*ruleset = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (*ruleset < 0)
		return err_set(err, "Landlock: %s", strerror(errno));
	return fill(*ruleset, abi, s, err);
}

int sandbox_files_enter(int ruleset, struct err *err)
{
	if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_code(err, EXIT_REFUSED, "Landlock: %s", strerror(errno));
	return 0;
}
