/* cases_append: each file has its buffer; those that have something in it are written in the order they were begun. */
#include "cases_append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/secret.h"

enum { FLUSH_AT = 256 << 10, KEEP = 16 << 10 }; /* octets of one buffer: written at once; kept for the next time */

struct append {
	struct appends *all;
	struct append *next, *before; /* among those with something to write */
	bool listed;
	char *path;
	uint64_t size; /* on the disk, whole */
	struct buf buffer;
};

struct appends {
	struct stage *stage;
	struct append *first, *last;
	size_t gathered, most;
	bool full; /* the last write failed: the next try is appends_flush's */
};

struct appends *appends_new(struct stage *stage, size_t most)
{
	struct appends *all = calloc(1, sizeof(*all));

	if (all != NULL)
		*all = (struct appends){ .stage = stage, .most = most };
	return all;
}

void appends_free(struct appends *all)
{
	free(all);
}

size_t appends_gathered(const struct appends *all)
{
	return all->gathered;
}

struct append *append_new(struct appends *all, const char *path, uint64_t size)
{
	struct append *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct append){ .all = all, .path = strdup(path), .size = size };
	if (a->path == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

static void list(struct append *a)
{
	if (a->listed)
		return;
	a->listed = true;
	a->next = NULL;
	a->before = a->all->last;
	if (a->before != NULL)
		a->before->next = a;
	else
		a->all->first = a;
	a->all->last = a;
}

static void unlist(struct append *a)
{
	if (!a->listed)
		return;
	a->listed = false;
	if (a->before != NULL)
		a->before->next = a->next;
	else
		a->all->first = a->next;
	if (a->next != NULL)
		a->next->before = a->before;
	else
		a->all->last = a->before;
}

static void empty(struct append *a)
{
	a->all->gathered -= a->buffer.len;
	if (a->buffer.cap > KEEP)
		buf_clear(&a->buffer);
	else
		buf_reset(&a->buffer);
	unlist(a);
}

void append_good(struct append *a, uint64_t size)
{
	empty(a);
	a->size = size;
}

void append_free(struct append *a)
{
	if (a == NULL)
		return;
	empty(a);
	buf_clear(&a->buffer);
	secret_free(a->path, strlen(a->path));
	free(a);
}

uint64_t append_size(const struct append *a)
{
	return a->size + a->buffer.len;
}

bool append_add(struct append *a, struct bytes octets)
{
	if (a->all->gathered + octets.len > a->all->most)
		return false;
	if (!buf_add(&a->buffer, octets.at, octets.len)) {
		a->buffer.failed = false; /* what is there stays whole: buf_add adds all or nothing */
		return false;
	}
	a->all->gathered += octets.len;
	list(a);
	if (a->buffer.len > FLUSH_AT && !a->all->full)
		append_flush(a, NULL); /* in vain: it stays, and the next appends_flush says why */
	return true;
}

int append_parents(struct stage *stage, const char *path, struct err *err)
{
	char *part = strdup(path);
	int rc = part == NULL ? err_set(err, "out of memory") : 0;

	for (char *slash = part; rc == 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		rc = stage_dir(stage, part, err);
		*slash = '/';
	}
	if (part != NULL)
		secret_free(part, strlen(part));
	return rc;
}

static int open_file(const struct append *a, struct err *err)
{
	static const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(stage_fd(a->all->stage), a->path, flags, 0600);

	if (fd < 0 && errno == ENOENT && append_parents(a->all->stage, a->path, err) == 0)
		fd = openat(stage_fd(a->all->stage), a->path, flags, 0600);
	return fd < 0 ? stage_failed(a->path, err) : fd;
}

static bool write_at(int fd, struct bytes b, uint64_t at)
{
	while (b.len > 0) {
		ssize_t n = pwrite(fd, b.at, b.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (uint64_t)n;
		b = bytes_part(b, (size_t)n, b.len);
	}
	return true;
}

int append_flush(struct append *a, struct err *err)
{
	int fd, rc = 0;

	if (a->buffer.len == 0)
		return 0;
	fd = open_file(a, err);
	a->all->full = fd < 0;
	if (fd < 0)
		return -1;
	if (!write_at(fd, buf_bytes(&a->buffer), a->size)) {
		rc = stage_failed(a->path, err);
		a->all->full = true;
		if (ftruncate(fd, (off_t)a->size) < 0) /* else it is written over the next time */
			errno = 0;
	} else {
		a->size += a->buffer.len;
		empty(a);
	}
	close(fd);
	return rc;
}

int appends_flush(struct appends *all, struct err *err)
{
	int rc = 0;

	for (struct append *a = all->first, *next; a != NULL; a = next) {
		next = a->next;
		if (append_flush(a, rc == 0 ? err : NULL) < 0)
			rc = -1;
	}
	return rc;
}
