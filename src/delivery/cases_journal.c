/* cases_journal: an entry is its length, a CRC32c over all behind it, its type, and its body, in network order. */
#include "cases_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/secret.h"
#include "otway/model/checksum.h"

enum { HEAD = 8, WINDOW = 256 << 10, ENTRY_MAX = 16 << 20 };

struct journal {
	int fd;
	uint64_t at; /* of the window's first octet that was not given out */
	uint8_t *window;
	size_t cap, from, len; /* what is there lies from `from` on */
};

bool journal_entry(struct buf *out, enum journal_type type, struct bytes body)
{
	uint8_t *at = buf_room(out, HEAD + 1 + body.len);

	if (at == NULL)
		return false;
	put_be32(at, (uint32_t)body.len + 1);
	at[HEAD] = (uint8_t)type;
	if (body.len > 0)
		memcpy(at + HEAD + 1, body.at, body.len);
	put_be32(at + 4, checksum_crc32c((struct bytes){ at + HEAD, body.len + 1 }));
	out->len += HEAD + 1 + body.len;
	return true;
}

int journal_open(struct journal **out, struct stage *stage, const char *path, uint64_t from, struct err *err)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return err_set(err, "out of memory");
	j->at = from;
	j->fd = openat(stage_fd(stage), path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (j->fd < 0 && errno != ENOENT) {
		free(j);
		return err_set(err, "cannot read the journal: %s", strerror(errno));
	}
	*out = j;
	return 0;
}

void journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	secret_free(j->window, j->cap);
	free(j);
}

uint64_t journal_offset(const struct journal *j)
{
	return j->at;
}

static bool widen(struct journal *j, size_t cap)
{
	uint8_t *grown = malloc(cap);

	if (grown == NULL)
		return false;
	if (j->len > 0)
		memcpy(grown, j->window + j->from, j->len);
	secret_free(j->window, j->cap);
	j->window = grown;
	j->cap = cap;
	j->from = 0;
	return true;
}

/* Makes `len` octets lie in the window. 1: they do; 0: there are not so many. */
static int want(struct journal *j, size_t len, struct err *err)
{
	if (j->len >= len)
		return 1;
	if (j->fd < 0)
		return 0;
	if (len > j->cap && !widen(j, len > WINDOW ? len : WINDOW))
		return err_set(err, "out of memory");
	if (j->from > 0)
		memmove(j->window, j->window + j->from, j->len);
	j->from = 0;
	while (j->len < len) {
		ssize_t n = pread(j->fd, j->window + j->len, j->cap - j->len, (off_t)(j->at + j->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "cannot read the journal: %s", strerror(errno));
		if (n == 0)
			return 0;
		j->len += (size_t)n;
	}
	return 1;
}

int journal_next(struct journal *j, enum journal_type *type, struct bytes *body, struct err *err)
{
	int got = want(j, HEAD, err);
	uint32_t len, crc;
	const uint8_t *p;

	if (got <= 0)
		return got;
	len = be32(j->window + j->from);
	if (len == 0 || len > ENTRY_MAX)
		return 0;
	got = want(j, HEAD + (size_t)len, err);
	if (got <= 0)
		return got;
	p = j->window + j->from;
	crc = be32(p + 4);
	if (checksum_crc32c((struct bytes){ p + HEAD, len }) != crc || p[HEAD] == 0 || p[HEAD] >= JOURNAL_TYPES)
		return 0;
	*type = (enum journal_type)p[HEAD];
	*body = (struct bytes){ p + HEAD + 1, len - 1 };
	j->from += HEAD + (size_t)len;
	j->len -= HEAD + (size_t)len;
	j->at += HEAD + (uint64_t)len;
	return 1;
}
