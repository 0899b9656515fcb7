/*
 * intake: the FILE is made with fopencookie, so that whoever reads it need not know about the hash, and so that each
 * octet is read from the system once, also when it is a pipe.
 */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t intake_read(void *cookie, char *to, size_t size)
{
	struct intake *s = cookie;
	ssize_t n;

	do
		n = read(s->fd, to, size);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		s->fault = errno;
		return n;
	}
	if (s->octets < sizeof(s->begin) && n > 0) {
		size_t room = sizeof(s->begin) - s->octets;

		memcpy(s->begin + s->octets, to, (size_t)n < room ? (size_t)n : room);
	}
	s->octets += (uint64_t)n;
	if (s->hash != NULL)
		sha256_add(s->hash, (struct bytes){ (const uint8_t *)to, (size_t)n });
	return n;
}

static int intake_close(void *cookie)
{
	struct intake *s = cookie;

	if (!s->borrowed)
		close(s->fd);
	s->fd = -1;
	return 0;
}

/* What a name leads to must be something that gives octets, and at least one of them. */
static int check_kind(const struct intake *s, struct err *err)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return err_set(err, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(err, "is a folder; name the captures in it");
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return err_set(err, "is empty");
	return 0;
}

static int open_file(struct intake *s, size_t size, bool hash, struct err *err)
{
	static const cookie_io_functions_t calls = { .read = intake_read, .close = intake_close };

	if (check_kind(s, err) < 0)
		return -1;
	s->buffer = malloc(size);
	s->hash = hash ? sha256_new() : NULL;
	s->file = s->buffer != NULL && (s->hash != NULL || !hash) ? fopencookie(s, "r", calls) : NULL;
	if (s->file == NULL)
		return err_set(err, "out of memory");
	setvbuf(s->file, s->buffer, _IOFBF, size);
	__fsetlocking(s->file, FSETLOCKING_BYCALLER); /* one thread reads it */
	return 0;
}

int intake_open(struct intake *s, const char *name, size_t size, bool hash, struct err *err)
{
	*s = (struct intake){ .borrowed = strcmp(name, "-") == 0 };
	s->fd = s->borrowed ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return err_code(
			err, errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND : EXIT_FAILED, "%s", strerror(errno));
	if (open_file(s, size, hash, err) == 0)
		return 0;
	intake_close(s);
	intake_clear(s);
	return -1;
}

void intake_clear(struct intake *s)
{
	free(s->buffer);
	sha256_free(s->hash);
	*s = (struct intake){ .fd = -1 };
}

bool intake_drain(struct intake *s)
{
	char scratch[4096];

	while (fread(scratch, 1, sizeof(scratch), s->file) > 0)
		;
	return s->fault == 0;
}
