/* file: permissions, whole files, folders made and taken away. */
#include "otway/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int file_private(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_code(err, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "%s: %s", path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return err_code(err, EXIT_REFUSED,
			"%s: others than its owner may use it (mode %04o); run: chmod go= '%s'", path,
			st.st_mode & 07777u, path);
	return 0;
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	size_t before = out->len;

	if (fd < 0)
		return err_code(err, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "%s: %s", path, strerror(errno));
	for (;;) {
		uint8_t *to = buf_room(out, 65536);
		ssize_t n = to != NULL ? read(fd, to, 65536) : -1;

		if (n < 0 && to != NULL && errno == EINTR)
			continue;
		if (n < 0) {
			err_set(err, "%s: %s", path, to == NULL ? "out of memory" : strerror(errno));
			break;
		}
		if (n == 0) {
			rc = 0;
			break;
		}
		out->len += (size_t)n;
		if (out->len - before > max) {
			err_set(err, "%s: more than %zu octets", path, max);
			break;
		}
	}
	close(fd);
	return rc;
}

static int make_dir(const char *path, struct err *err)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(err, "%s: cannot make the folder: %s", path, strerror(errno));
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_set(err, "%s: cannot make the folder: there is something else of that name", path);
}

int file_make_dirs(const char *path, struct err *err)
{
	char *copy = strdup(path);
	int rc = 0;

	if (copy == NULL)
		return err_set(err, "out of memory");
	for (char *p = copy; rc == 0; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (p > copy || c == '\0') /* what stands before a leading slash is the root */
			rc = make_dir(copy, err);
		*p = c;
		if (c == '\0')
			break;
	}
	free(copy);
	return rc;
}

static int remove_below(int fd, const char *path, struct err *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		close(fd);
		return err_set(err, "%s: %s", path, strerror(errno));
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
			int below = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			rc = below < 0 ? err_set(err, "%s: %s", path, strerror(errno)) : remove_below(below, path, err);
			if (rc == 0 && unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) < 0)
				rc = err_set(err, "%s: %s", path, strerror(errno));
		} else if (unlinkat(dirfd(dir), e->d_name, 0) < 0) {
			rc = err_set(err, "%s: %s", path, strerror(errno));
		}
	}
	closedir(dir);
	return rc;
}

int file_remove_tree(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (remove_below(fd, path, err) < 0)
		return -1;
	return rmdir(path) < 0 ? err_set(err, "%s: %s", path, strerror(errno)) : 0;
}

int file_empty_dir(const char *path, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 1;

	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return err_set(err, "%s: %s", path, strerror(errno));
	while (rc == 1 && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = err_set(err, "%s: exists and is not empty; name a new folder", path);
	closedir(dir);
	return rc;
}
