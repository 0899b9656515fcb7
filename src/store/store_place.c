/*
 * store_place: where a store lies, for those who come before it is opened: whoever confines itself, and root, who makes one for another user.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"
#include "otway/base/file.h"
#include "postgres_inside.h"
#include "sqlite_owner.h"

static const char sqlite[] = "sqlite:", postgresql[] = "postgresql:";

void store_place_clear(struct store_place *p)
{
	free(p->file);
	free(p->folder);
	for (size_t i = 0; i < STORE_PLACE_FILES; i++)
		free(p->files[i]);
	*p = (struct store_place){ 0 };
}

static int file_place(struct store_place *p, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');

	p->file = strdup(path);
	p->folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	return p->file != NULL && p->folder != NULL ? 0 : err_set(err, "out of memory");
}

/* What libpq reads when it connects. */
static int server_place(struct store_place *p, const char *place, struct err *err)
{
	static const char *const named[STORE_PLACE_FILES] = { "sslrootcert", "sslcert", "sslkey", "sslcrl",
		"passfile" };
	struct postgres_target t;
	size_t count = 0;
	int rc = 0;

	if (postgres_target_read(&t, place, err) < 0)
		return -1;
	for (size_t i = 0; i < t.count; i++)
		for (size_t k = 0; k < STORE_PLACE_FILES && named[k] != NULL; k++)
			if (rc == 0 && strcmp(t.keys[i], named[k]) == 0 && t.values[i][0] == '/') {
				p->files[count] = strdup(t.values[i]);
				rc = p->files[count++] != NULL ? 0 : err_set(err, "out of memory");
			}
	postgres_target_clear(&t);
	return rc;
}

int store_place_of(const char *url, struct store_place *out, struct err *err)
{
	int rc;

	*out = (struct store_place){ 0 };
	if (strncmp(url, sqlite, sizeof(sqlite) - 1) == 0)
		rc = file_place(out, url + sizeof(sqlite) - 1, err);
	else if (strncmp(url, postgresql, sizeof(postgresql) - 1) == 0)
		rc = server_place(out, url + sizeof(postgresql) - 1, err);
	else
		rc = err_code(err, EXIT_USAGE, "the store is named as sqlite:PATH or postgresql://USER@HOST/DATABASE");
	if (rc < 0)
		store_place_clear(out);
	return rc;
}

static int make_folder(const char *folder, uid_t user, gid_t group, struct err *err)
{
	struct stat st;

	if (stat(folder, &st) == 0)
		return 0;
	if (file_make_dirs(folder, err) < 0)
		return -1;
	return lchown(folder, user, group) == 0
		       ? 0
		       : err_set(err, "%s: cannot be given to user %u: %s", folder, (unsigned)user, strerror(errno));
}

/* As that user, so that what is there already decides. */
static int make_empty(const char *file, uid_t user, gid_t group, struct err *err)
{
	struct sqlite_owner owner = { true, user, group, 0 };
	int fd, error;

	sqlite_owner_enter(&owner);
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	error = errno;
	if (fd >= 0) {
		fchmod(fd, 0600);
		close(fd);
	}
	sqlite_owner_leave(&owner);
	if (fd >= 0 || error == EEXIST)
		return 0;
	return err_code(err, EXIT_REFUSED, "%s: user %u, whose store it is to be, cannot make it there: %s", file,
		(unsigned)user, strerror(error));
}

int store_place_give(const char *url, uid_t user, gid_t group, struct err *err)
{
	struct store_place p;
	struct stat st;
	int rc = 0;

	if (geteuid() != 0 || user == 0)
		return 0;
	if (store_place_of(url, &p, err) < 0)
		return -1;
	if (p.file != NULL && lstat(p.file, &st) < 0 && errno == ENOENT) {
		rc = make_folder(p.folder, user, group, err);
		if (rc == 0)
			rc = make_empty(p.file, user, group, err);
	}
	store_place_clear(&p);
	return rc;
}
