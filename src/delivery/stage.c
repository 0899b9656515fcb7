/* stage: made beside its final name on the same file system, renamed over it when whole. */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/file.h"

struct stage {
	char *final; /* absolute, or as given when it does not exist yet */
	char *path;  /* of the stage; NULL before stage_begin and after stage_place */
	bool there;  /* final exists, empty */
	bool within; /* the stage lies within final: a mount point, or its parent is not ours to write */
	int fd;
};

/* The first folder of a path bears the name of a warrant, which is said to nobody. */
int stage_failed(const char *path, struct err *err)
{
	const char *slash = strchr(path, '/');

	return err_set(err, "cannot write %s: %s", slash != NULL ? slash + 1 : "what is put aside", strerror(errno));
}

static int failed(const struct stage *s, struct err *err)
{
	return err_set(err, "cannot make %s: %s", s->final, strerror(errno));
}

/* dir without the slashes at its end. */
static char *trimmed(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return strndup(dir, len);
}

int stage_new(struct stage **out, const char *dir, struct err *err)
{
	int empty = file_empty_dir(dir, err);
	struct stage *s;

	if (empty < 0)
		return -1;
	if (dir[0] == '\0')
		return err_code(err, EXIT_USAGE, "the case folder has no name");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, "out of memory");
	s->fd = -1;
	s->there = empty == 1;
	s->final = s->there ? realpath(dir, NULL) : trimmed(dir);
	if (s->final == NULL) {
		free(s);
		return err_set(err, "%s: %s", dir, strerror(errno));
	}
	*out = s;
	return 0;
}

int stage_at(struct stage **out, const char *dir, struct err *err)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, "out of memory");
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0) {
		free(s);
		return err_set(err, "%s: %s", dir, strerror(errno));
	}
	*out = s;
	return 0;
}

void stage_free(struct stage *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->path != NULL)
		file_remove_tree(s->path, NULL);
	free(s->path);
	free(s->final);
	free(s);
}

/* PARENT/.NAME.partial-XXXXXX, or FINAL/.partial-XXXXXX. */
static char *pattern(const struct stage *s, bool within)
{
	const char *slash = strrchr(s->final, '/');
	const char *name = slash != NULL ? slash + 1 : s->final;
	char *out = NULL;
	int n;

	if (within)
		n = asprintf(&out, "%s/.partial-XXXXXX", s->final);
	else
		n = asprintf(&out, "%.*s.%s.partial-XXXXXX", (int)(name - s->final), s->final, name);
	return n < 0 ? NULL : out;
}

static int make_parents(const struct stage *s, struct err *err)
{
	const char *slash = strrchr(s->final, '/');
	char *parent;
	int rc;

	if (slash == NULL || slash == s->final)
		return 0;
	parent = strndup(s->final, (size_t)(slash - s->final));
	if (parent == NULL)
		return err_set(err, "out of memory");
	rc = file_make_dirs(parent, err);
	free(parent);
	return rc;
}

/* An empty folder that is a mount point cannot be renamed over. */
static bool mount_point(const char *path)
{
	struct stat here, above;
	char *up = NULL;
	bool yes;

	if (asprintf(&up, "%s/..", path) < 0)
		return false;
	yes = stat(path, &here) == 0 && stat(up, &above) == 0 &&
	      (here.st_dev != above.st_dev || here.st_ino == above.st_ino);
	free(up);
	return yes;
}

int stage_begin(struct stage *s, struct err *err)
{
	if (s->fd >= 0)
		return 0;
	if (!s->there && make_parents(s, err) < 0)
		return -1;
	s->within = s->there && mount_point(s->final);
	for (;;) {
		free(s->path);
		s->path = pattern(s, s->within);
		if (s->path != NULL && mkdtemp(s->path) != NULL)
			break;
		if (s->path == NULL || s->within || !s->there || (errno != EACCES && errno != EROFS)) {
			failed(s, err);
			free(s->path);
			s->path = NULL;
			return -1;
		}
		s->within = true;
	}
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->fd < 0 ? failed(s, err) : 0;
}

int stage_fd(const struct stage *s)
{
	return s->fd;
}

int stage_dir(struct stage *s, const char *path, struct err *err)
{
	return mkdirat(s->fd, path, 0700) < 0 && errno != EEXIST ? stage_failed(path, err) : 0;
}

static FILE *opened(int fd, const char *mode, const char *path, struct err *err)
{
	FILE *f = fd >= 0 ? fdopen(fd, mode) : NULL;

	if (f == NULL) {
		stage_failed(path, err);
		if (fd >= 0)
			close(fd);
	}
	return f;
}

FILE *stage_create(struct stage *s, const char *path, struct err *err)
{
	return opened(openat(s->fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), "w+", path, err);
}

FILE *stage_read(struct stage *s, const char *path, struct err *err)
{
	return opened(openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), "r", path, err);
}

int stage_append_fd(struct stage *s, const char *path, struct err *err)
{
	int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? stage_failed(path, err) : fd;
}

int stage_read_fd(struct stage *s, const char *path, struct err *err)
{
	int fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? stage_failed(path, err) : fd;
}

int stage_close(FILE *file, const char *path, struct err *err)
{
	bool lost = ferror(file) != 0;
	int why = errno;

	if (fflush(file) != 0) {
		lost = true;
		why = errno;
	}
	if (fclose(file) != 0 && !lost) {
		lost = true;
		why = errno;
	}
	errno = why;
	return lost ? stage_failed(path, err) : 0;
}

int stage_rename(struct stage *s, const char *from, const char *to, struct err *err)
{
	return renameat(s->fd, from, s->fd, to) < 0 ? stage_failed(to, err) : 0;
}

int stage_cut(struct stage *s, const char *path, uint64_t size, struct err *err)
{
	int fd = stage_append_fd(s, path, err), rc = 0;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0)
		rc = stage_failed(path, err);
	close(fd);
	return rc;
}

int64_t stage_size(struct stage *s, const char *path)
{
	struct stat st;

	return fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

void stage_remove(struct stage *s, const char *path)
{
	unlinkat(s->fd, path, 0);
}

/* Every entry of the stage one level up, into final; or, when one will not go, all that went back again. */
static int move_in(struct stage *s, struct err *err)
{
	int above = open(s->final, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent **entries = NULL;
	int count = above >= 0 ? scandirat(s->fd, ".", &entries, NULL, NULL) : -1;
	int moved = 0, rc = count < 0 ? failed(s, err) : 0;

	for (; rc == 0 && moved < count; moved++) {
		const char *name = entries[moved]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && renameat(s->fd, name, above, name) < 0) {
			rc = failed(s, err);
			break;
		}
	}
	while (rc < 0 && moved-- > 0)
		if (strcmp(entries[moved]->d_name, ".") != 0 && strcmp(entries[moved]->d_name, "..") != 0)
			renameat(above, entries[moved]->d_name, s->fd, entries[moved]->d_name);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (above >= 0)
		close(above);
	if (rc == 0 && rmdir(s->path) == 0) {
		free(s->path);
		s->path = NULL;
	}
	return rc;
}

int stage_place(struct stage *s, struct err *err)
{
	/* Late errors of a file system (delayed allocation, network) come out here, before anything bears its
	 * final name. */
	if (syncfs(s->fd) < 0)
		return failed(s, err);
	if (s->within)
		return move_in(s, err);
	if (rename(s->path, s->final) < 0)
		return failed(s, err);
	free(s->path);
	s->path = NULL;
	return 0;
}
