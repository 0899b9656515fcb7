/* spool: one file each, opened only while a buffer is written out. */
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/secret.h"

enum {
	BUFFER_MAX = 64 * 1024,         /* octets gathered by one spool */
	BUFFERS_MAX = 16 * 1024 * 1024, /* by all of them */
	WINDOW = 256 * 1024,            /* octets read at once */
	BEHIND = 64 * 1024              /* of them before the record asked for: late packets lie near */
};

struct record_head {
	nsec_t at;
	uint64_t len;
};

struct spool {
	struct spools *all;
	struct spool *next;
	uint32_t number;
	bool disordered, written;
	nsec_t last;
	uint64_t size; /* buffer included */
	struct buf buffer;
};

struct spools {
	struct stage *stage;
	struct spool *first;
	uint32_t count;
	size_t gathered;
};

struct reader {
	int fd;
	const struct spool *spool;
	uint64_t next;
	uint64_t from; /* where the window begins */
	size_t len;
	size_t cap;
	uint8_t *window;
};

struct spools *spools_new(struct stage *stage)
{
	struct spools *all = calloc(1, sizeof(*all));

	if (all != NULL)
		all->stage = stage;
	return all;
}

void spools_free(struct spools *all)
{
	while (all != NULL && all->first != NULL) {
		struct spool *s = all->first;

		all->first = s->next;
		buf_clear(&s->buffer);
		free(s);
	}
	free(all);
}

static char *name_of(const struct spool *s, char out[32])
{
	snprintf(out, 32, ".spool-%" PRIu32, s->number);
	return out;
}

void spools_remove(struct spools *all)
{
	char name[32];

	for (struct spool *s = all->first; s != NULL; s = s->next)
		if (s->written)
			stage_remove(all->stage, name_of(s, name));
}

struct spool *spool_new(struct spools *all)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct spool){ .all = all, .next = all->first, .number = all->count++, .last = NSEC_NONE };
	all->first = s;
	return s;
}

bool spool_empty(const struct spool *s)
{
	return s == NULL || s->size == 0;
}

bool spool_ordered(const struct spool *s)
{
	return !s->disordered;
}

static int write_all(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = write(fd, b.at, b.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		b = bytes_part(b, (size_t)n, b.len);
	}
	return 0;
}

static int flush(struct spool *s, struct err *err)
{
	char name[32];
	int fd, rc = 0;

	if (s->buffer.len == 0)
		return 0;
	fd = stage_append_fd(s->all->stage, name_of(s, name), err);
	if (fd < 0)
		return -1;
	s->written = true;
	if (write_all(fd, buf_bytes(&s->buffer)) < 0)
		rc = stage_failed(name, err);
	if (close(fd) < 0 && rc == 0)
		rc = stage_failed(name, err);
	s->all->gathered -= s->buffer.len;
	buf_clear(&s->buffer);
	return rc;
}

static int flush_all(struct spools *all, struct err *err)
{
	for (struct spool *s = all->first; s != NULL; s = s->next)
		if (flush(s, err) < 0)
			return -1;
	return 0;
}

int spool_add(struct spool *s, nsec_t at, const struct bytes *parts, size_t count, struct err *err)
{
	struct record_head head = { .at = at };

	for (size_t i = 0; i < count; i++)
		head.len += parts[i].len;
	buf_add(&s->buffer, &head, sizeof(head));
	for (size_t i = 0; i < count; i++)
		buf_add(&s->buffer, parts[i].at, parts[i].len);
	if (s->buffer.failed)
		return err_set(err, "out of memory");
	s->disordered = s->disordered || at < s->last;
	s->last = at;
	s->size += sizeof(head) + head.len;
	s->all->gathered += sizeof(head) + head.len;
	if (s->all->gathered > BUFFERS_MAX)
		return flush_all(s->all, err);
	return s->buffer.len > BUFFER_MAX ? flush(s, err) : 0;
}

int reader_new(struct reader **out, struct spool *s, struct err *err)
{
	struct reader *r;
	char name[32];

	if (flush(s, err) < 0)
		return -1;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(err, "out of memory");
	r->spool = s;
	r->fd = -1;
	if (s->size > 0) {
		r->fd = stage_read_fd(s->all->stage, name_of(s, name), err);
		if (r->fd < 0) {
			free(r);
			return -1;
		}
	}
	*out = r;
	return 0;
}

void reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	secret_free(r->window, r->cap);
	free(r);
}

void reader_rewind(struct reader *r)
{
	r->next = 0;
}

/* Room for a window of `cap` octets. */
static bool widen(struct reader *r, size_t cap)
{
	uint8_t *grown;

	if (cap <= r->cap)
		return true;
	grown = malloc(cap);
	if (grown == NULL)
		return false;
	secret_free(r->window, r->cap);
	r->window = grown;
	r->cap = cap;
	r->len = 0;
	return true;
}

/* `len` octets at `offset`, from the window or by moving it. NULL: err. */
static const uint8_t *octets(struct reader *r, uint64_t offset, size_t len, struct err *err)
{
	bool ahead = offset >= r->from + r->len;
	uint64_t from = ahead ? offset : offset > BEHIND ? offset - BEHIND : 0;

	if (r->len > 0 && offset >= r->from && offset + len <= r->from + r->len)
		return r->window + (offset - r->from);
	if (!widen(r, len + BEHIND > WINDOW ? len + BEHIND : WINDOW)) {
		err_set(err, "out of memory");
		return NULL;
	}
	for (r->from = from, r->len = 0; r->len < r->cap;) {
		ssize_t n = pread(r->fd, r->window + r->len, r->cap - r->len, (off_t)(from + r->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		r->len += (size_t)n;
	}
	if (offset + len > r->from + r->len) {
		err_set(err, "cannot read back what was put aside: %s", errno != 0 ? strerror(errno) : "cut short");
		return NULL;
	}
	return r->window + (offset - r->from);
}

int reader_at(struct reader *r, uint64_t offset, struct spooled *out, struct err *err)
{
	struct record_head head;
	const uint8_t *p;

	if (offset >= r->spool->size)
		return 0;
	p = octets(r, offset, sizeof(head), err);
	if (p == NULL)
		return -1;
	memcpy(&head, p, sizeof(head));
	p = octets(r, offset, sizeof(head) + head.len, err);
	if (p == NULL)
		return -1;
	*out = (struct spooled){ .at = head.at, .offset = offset, .bytes = { p + sizeof(head), head.len } };
	r->next = offset + sizeof(head) + head.len;
	return 1;
}

int reader_next(struct reader *r, struct spooled *out, struct err *err)
{
	return reader_at(r, r->next, out, err);
}
