/* manifest: walks the folder, sorts, hashes. */
#include "manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/crypto.h"
#include "otway/base/text.h"

struct paths {
	char **at;
	size_t len;
};

static void paths_clear(struct paths *p)
{
	for (size_t i = 0; i < p->len; i++)
		free(p->at[i]);
	free(p->at);
}

/* Takes path over. */
static int paths_add(struct paths *p, char *path, struct err *err)
{
	char **grown = path != NULL ? realloc(p->at, (p->len + 1) * sizeof(char *)) : NULL;

	if (grown == NULL) {
		free(path);
		return err_set(err, "out of memory");
	}
	p->at = grown;
	p->at[p->len++] = path;
	return 0;
}

static char *joined(const char *above, const char *name)
{
	char *out;

	if (above[0] == '\0')
		return strdup(name);
	return asprintf(&out, "%s/%s", above, name) < 0 ? NULL : out;
}

/* Every file below a folder that is open; takes fd over. Folders are two deep. */
static int collect(int fd, const char *above, struct paths *out, struct err *err)
{
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return stage_failed("MANIFEST.sha256", err);
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		struct stat st;
		char *path;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = joined(above, e->d_name);
		if (path != NULL && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode)) {
			rc = collect(openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				path, out, err);
			free(path);
		} else {
			rc = paths_add(out, path, err);
		}
	}
	closedir(dir);
	return rc;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int hash_file(struct stage *stage, const char *path, struct sha256 *h, char hex[SHA256_HEX], struct err *err)
{
	static const size_t room = 65536;
	uint8_t value[SHA256_LEN], *octets = malloc(room);
	FILE *f = octets != NULL ? stage_read(stage, path, err) : NULL;
	size_t n;
	int rc = 0;

	if (f == NULL) {
		free(octets);
		return octets == NULL ? err_set(err, "out of memory") : -1;
	}
	sha256_reset(h);
	while ((n = fread(octets, 1, room, f)) > 0)
		sha256_add(h, (struct bytes){ octets, n });
	if (ferror(f))
		rc = stage_failed(path, err);
	fclose(f);
	free(octets);
	sha256_value(h, value);
	text_hex((struct bytes){ value, sizeof(value) }, hex);
	return rc;
}

/* Those that are not left out, sorted. */
static void choose(struct paths *paths, manifest_skip *skip, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < paths->len; i++) {
		if (skip != NULL && skip(arg, paths->at[i]))
			free(paths->at[i]);
		else
			paths->at[kept++] = paths->at[i];
	}
	paths->len = kept;
	if (kept > 0)
		qsort(paths->at, kept, sizeof(char *), compare);
}

static int write_lines(struct stage *stage, const char *folder, const struct paths *paths, FILE *out, struct err *err)
{
	struct sha256 *h = sha256_new();
	int rc = h == NULL ? err_set(err, "out of memory") : 0;

	for (size_t i = 0; rc == 0 && i < paths->len; i++) {
		char hex[SHA256_HEX], *path = joined(folder, paths->at[i]);

		rc = path == NULL ? err_set(err, "out of memory") : hash_file(stage, path, h, hex, err);
		free(path);
		if (rc == 0)
			fprintf(out, "%s  %s\n", hex, paths->at[i]);
	}
	sha256_free(h);
	return rc;
}

int manifest_write(
	struct stage *stage, const char *folder, const char *name, manifest_skip *skip, void *arg, struct err *err)
{
	struct paths paths = { 0 };
	char *path = joined(folder, name);
	int rc = path == NULL ? err_set(err, "out of memory") : 0;
	FILE *out;

	if (rc == 0)
		rc = collect(openat(stage_fd(stage), folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "",
			&paths, err);
	if (rc == 0)
		choose(&paths, skip, arg);
	out = rc == 0 ? stage_create(stage, path, err) : NULL;
	if (out == NULL) {
		rc = -1;
	} else {
		rc = write_lines(stage, folder, &paths, out, err);
		if (stage_close(out, path, rc == 0 ? err : NULL) < 0)
			rc = -1;
	}
	paths_clear(&paths);
	free(path);
	return rc;
}
