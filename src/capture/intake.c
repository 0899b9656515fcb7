/* intake: a buffer that is filled at its end and taken from at its front. */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP (64u << 10) /* octets asked for at once: they are still in a near cache when they are looked at */

/* What a name leads to must be something that gives octets, and at least one of them. */
static int check_kind(const struct intake *in, struct err *err)
{
	struct stat st;

	if (fstat(in->fd, &st) < 0)
		return err_set(err, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(err, "is a folder; name the captures in it");
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return err_set(err, "is empty");
	return 0;
}

int intake_open(struct intake *in, const char *name, size_t size, bool hash, struct err *err)
{
	*in = (struct intake){ .borrowed = strcmp(name, "-") == 0, .room = size };
	in->fd = in->borrowed ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return err_code(
			err, errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND : EXIT_FAILED, "%s", strerror(errno));
	if (check_kind(in, err) < 0) {
		intake_clear(in);
		return -1;
	}
	in->buffer = malloc(size);
	in->hash = hash ? sha256_new() : NULL;
	if (in->buffer != NULL && (in->hash != NULL || !hash))
		return 0;
	intake_clear(in);
	return err_set(err, "out of memory");
}

void intake_clear(struct intake *in)
{
	if (in->fd >= 0 && !in->borrowed)
		close(in->fd);
	free(in->buffer);
	sha256_free(in->hash);
	*in = (struct intake){ .fd = -1, .ended = true };
}

/* One read into the room behind what waits. */
static void read_step(struct intake *in)
{
	size_t room = in->room - in->to < STEP ? in->room - in->to : STEP;
	ssize_t n = read(in->fd, in->buffer + in->to, room);

	if (n <= 0) { /* EINTR too: whoever catches a signal wants the waiting to end */
		in->ended = true;
		in->fault = n < 0 ? errno : 0;
		return;
	}
	if (in->hash != NULL)
		sha256_add(in->hash, (struct bytes){ in->buffer + in->to, (size_t)n });
	in->to += (size_t)n;
	in->octets += (uint64_t)n;
}

bool intake_fill(struct intake *in, size_t n)
{
	if (in->buffer == NULL)
		return false;
	memmove(in->buffer, in->buffer + in->from, in->to - in->from);
	in->to -= in->from;
	in->from = 0;
	if (n > in->room) {
		uint8_t *grown = realloc(in->buffer, n);

		if (grown == NULL) {
			in->fault = ENOMEM;
			return false;
		}
		in->buffer = grown;
		in->room = n;
	}
	while (in->to < n && !in->ended)
		read_step(in);
	return in->to >= n;
}

bool intake_skip(struct intake *in, uint64_t n)
{
	while (n > 0) {
		size_t waits = in->to - in->from, len = waits < n ? waits : (size_t)n;

		if (len == 0 && !intake_fill(in, 1))
			return false;
		intake_take(in, len);
		n -= len;
	}
	return true;
}

bool intake_drain(struct intake *in)
{
	while (!in->ended) {
		in->from = in->to = 0;
		read_step(in);
	}
	in->from = in->to;
	return in->fault == 0;
}

static ssize_t file_read_some(void *cookie, char *to, size_t size)
{
	struct intake *in = cookie;
	size_t waits;

	if (!intake_fill(in, 1)) {
		errno = in->fault;
		return in->fault != 0 ? -1 : 0;
	}
	waits = in->to - in->from;
	size = size < waits ? size : waits;
	memcpy(to, in->buffer + in->from, size);
	intake_take(in, size);
	return (ssize_t)size;
}

FILE *intake_file(struct intake *in)
{
	return fopencookie(in, "r", (cookie_io_functions_t){ .read = file_read_some });
}
