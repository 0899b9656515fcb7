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

int manifest_hash(struct stage *stage, const char *path, uint8_t *out, struct err *err)
{
	static const size_t room = 65536;
	struct sha256 *h = sha256_new();
	uint8_t *octets = malloc(room);
	FILE *f = h != NULL && octets != NULL ? stage_read(stage, path, err) : NULL;
	size_t n;
	int rc = f != NULL ? 0 : h != NULL && octets != NULL ? -1 : err_set(err, "out of memory");

	while (rc == 0 && (n = fread(octets, 1, room, f)) > 0)
		sha256_add(h, (struct bytes){ octets, n });
	if (f != NULL && ferror(f))
		rc = stage_failed(path, err);
	if (f != NULL)
		fclose(f);
	if (rc == 0)
		sha256_value(h, out);
	sha256_free(h);
	free(octets);
	return rc;
}

/* Those that are not left out, sorted. */
static void choose(struct paths *paths, const struct manifest_choice *choice)
{
	size_t kept = 0;

	for (size_t i = 0; i < paths->len; i++) {
		if (choice != NULL && choice->skip(choice->arg, paths->at[i]))
			free(paths->at[i]);
		else
			paths->at[kept++] = paths->at[i];
	}
	paths->len = kept;
	if (kept > 0)
		qsort(paths->at, kept, sizeof(char *), compare);
}

static int write_line(struct stage *stage, const char *folder, const char *path, const struct manifest_choice *choice,
	FILE *out, struct err *err)
{
	const uint8_t *known = choice != NULL ? choice->known(choice->arg, path) : NULL;
	char hex[SHA256_HEX], *whole = joined(folder, path);
	uint8_t value[SHA256_LEN];
	int rc = whole == NULL ? err_set(err, "out of memory") : 0;

	if (rc == 0 && known == NULL)
		rc = manifest_hash(stage, whole, value, err);
	free(whole);
	if (rc == 0)
		fprintf(out, "%s  %s\n", text_hex((struct bytes){ known != NULL ? known : value, SHA256_LEN }, hex),
			path);
	return rc;
}

int manifest_write(struct stage *stage, const char *folder, const char *name, const struct manifest_choice *choice,
	struct err *err)
{
	struct paths paths = { 0 };
	char *path = joined(folder, name);
	int rc = path == NULL ? err_set(err, "out of memory") : 0;
	FILE *out = NULL;

	if (rc == 0)
		rc = collect(openat(stage_fd(stage), folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "",
			&paths, err);
	if (rc == 0) {
		choose(&paths, choice);
		out = stage_create(stage, path, err);
		rc = out == NULL ? -1 : 0;
	}
	for (size_t i = 0; rc == 0 && i < paths.len; i++)
		rc = write_line(stage, folder, paths.at[i], choice, out, err);
	if (out != NULL && stage_close(out, path, rc == 0 ? err : NULL) < 0)
		rc = -1;
	paths_clear(&paths);
	free(path);
	return rc;
}
