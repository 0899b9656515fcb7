/*
 * cases_held: a file for each front and call: how far it was handed back, then the packets as they came. Sealed by their senders, so nothing
 * of them is to be wiped.
 */
#include "cases_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

enum { HEAD = 8, GATHER = 8 << 20 };

struct held_key {
	uint32_t front, call;
};

struct held_file {
	struct held_key key;
	struct held_file *next;
	struct append *packets;
	struct journal *reader; /* NULL: none was handed back yet */
	int fd;                 /* to note how far; -1: likewise */
	uint64_t taken;         /* offset of the next one */
	uint64_t count;
};

struct held_store {
	struct stage *stage;
	struct appends *appends;
	struct table *files;
	struct held_file *first, **last; /* in the order they came to be */
	uint64_t most, octets, count;
	struct buf body, entry;
};

static char *path_of(struct held_key key, char out[CASES_PATH])
{
	snprintf(out, CASES_PATH, ".journal/held/%" PRIu32 "-%" PRIu32, key.front, key.call);
	return out;
}

static struct held_file *file_new(struct held_store *s, struct held_key key)
{
	struct held_file *f = calloc(1, sizeof(*f));
	char path[CASES_PATH];

	if (f == NULL)
		return NULL;
	*f = (struct held_file){ .key = key, .fd = -1, .taken = HEAD };
	f->packets = append_new(s->appends, path_of(key, path), 0);
	if (f->packets == NULL || !table_put(s->files, (struct bytes){ (uint8_t *)&key, sizeof(key) }, f)) {
		append_free(f->packets);
		free(f);
		return NULL;
	}
	*s->last = f;
	s->last = &f->next;
	return f;
}

/* What is read through is done with. */
static void file_free(struct held_store *s, struct held_file *f, bool remove)
{
	struct held_file **at = &s->first;
	char path[CASES_PATH];

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (f->next == NULL)
		s->last = at;
	table_take(s->files, (struct bytes){ (uint8_t *)&f->key, sizeof(f->key) });
	append_free(f->packets);
	journal_free(f->reader);
	if (f->fd >= 0)
		close(f->fd);
	if (remove)
		stage_remove(s->stage, path_of(f->key, path));
	s->count -= f->count;
	free(f);
}

void held_store_free(struct held_store *s)
{
	if (s == NULL)
		return;
	while (s->first != NULL)
		file_free(s, s->first, false);
	appends_free(s->appends);
	table_free(s->files);
	buf_clear(&s->body);
	buf_clear(&s->entry);
	free(s);
}

/* Reads a file through from where it was handed back: how much there is, and where it ends. */
static int measure(struct held_store *s, struct held_file *f, struct gap *times, struct err *err)
{
	char path[CASES_PATH];
	uint8_t head[HEAD];
	struct journal *j;
	enum journal_type type;
	struct bytes body;
	int fd = stage_read_fd(s->stage, path_of(f->key, path), err), got;

	if (fd < 0)
		return -1;
	if (pread(fd, head, HEAD, 0) == HEAD)
		f->taken = be64(head);
	close(fd);
	if (journal_open(&j, s->stage, path, f->taken, err) < 0)
		return -1;
	while ((got = journal_next(j, &type, &body, err)) > 0) {
		struct msg_held h;

		if (type != JOURNAL_HELD || !msg_get_held(body, &h))
			continue;
		times->from = times->packets == 0 || h.datagram.at < times->from ? h.datagram.at : times->from;
		times->until = times->packets == 0 || h.datagram.at > times->until ? h.datagram.at : times->until;
		times->packets++;
		f->count++;
	}
	s->count += f->count;
	s->octets += journal_offset(j) - f->taken;
	append_good(f->packets, journal_offset(j));
	journal_free(j);
	return got;
}

static bool parse_name(const char *name, struct held_key *out)
{
	struct bytes rest, front = text_cut(bytes_of(name), '-', &rest);
	uint64_t a, b;

	if (!text_number(front, UINT32_MAX, &a) || !text_number(rest, UINT32_MAX, &b))
		return false;
	*out = (struct held_key){ (uint32_t)a, (uint32_t)b };
	return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Those of another run wait for keys that nobody will ask for: they are told of as lost. */
static int find(struct held_store *s, bool keep, struct gap *lost, struct err *err)
{
	struct dirent **all = NULL;
	int count = scandirat(stage_fd(s->stage), ".journal/held", &all, NULL, by_name), rc = 0;
	struct gap ignored = { 0 };

	for (int i = 0; i < count; i++) {
		struct held_key key;
		struct held_file *f;

		if (rc == 0 && parse_name(all[i]->d_name, &key)) {
			f = file_new(s, key);
			rc = f == NULL ? err_set(err, "out of memory") : measure(s, f, keep ? &ignored : lost, err);
		}
		free(all[i]);
	}
	free(all);
	while (!keep && s->first != NULL)
		file_free(s, s->first, true);
	s->octets = keep ? s->octets : 0;
	return rc;
}

int held_store_new(
	struct held_store **out, struct stage *stage, uint64_t most, bool keep, struct gap *lost, struct err *err)
{
	struct held_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(err, "out of memory");
	*s = (struct held_store){ .stage = stage, .most = most, .last = &s->first };
	s->appends = appends_new(stage, GATHER);
	s->files = table_new();
	if (s->appends == NULL || s->files == NULL || find(s, keep, lost, err) < 0) {
		held_store_free(s);
		return s != NULL ? -1 : err_set(err, "out of memory");
	}
	*out = s;
	return 0;
}

int held_store_flush(struct held_store *s, struct err *err)
{
	return appends_flush(s->appends, err);
}

void held_store_set(struct held_store *s, uint64_t most)
{
	s->most = most;
}

uint64_t held_store_count(const struct held_store *s)
{
	return s->count;
}

uint64_t held_store_octets(const struct held_store *s)
{
	return s->octets;
}

int held_store_put(struct held_store *s, uint32_t front, uint32_t call, const struct datagram *d, struct err *err)
{
	struct held_key key = { front, call };
	struct held_file *f = table_get(s->files, (struct bytes){ (uint8_t *)&key, sizeof(key) });
	uint8_t head[HEAD] = { [HEAD - 1] = HEAD };

	buf_reset(&s->body);
	buf_reset(&s->entry);
	if (!msg_put_held(&s->body, &(struct msg_held){ call, *d }) ||
		!journal_entry(&s->entry, JOURNAL_HELD, buf_bytes(&s->body)))
		return err_set(err, "out of memory");
	if (s->octets + s->entry.len > s->most)
		return err_set(err, "there is no room for packets that wait for keys");
	if (f == NULL && (f = file_new(s, key)) == NULL)
		return err_set(err, "out of memory");
	if (append_size(f->packets) == 0 && !append_add(f->packets, (struct bytes){ head, HEAD }))
		return err_set(err, "the disk is full");
	if (!append_add(f->packets, buf_bytes(&s->entry)))
		return err_set(err, "the disk is full");
	s->octets += s->entry.len;
	s->count++;
	f->count++;
	return 0;
}

static void note_taken(struct held_store *s, struct held_file *f)
{
	uint8_t head[HEAD];
	char path[CASES_PATH];

	put_be32(head, (uint32_t)(f->taken >> 32));
	put_be32(head + 4, (uint32_t)f->taken);
	if (f->fd < 0)
		f->fd = openat(stage_fd(s->stage), path_of(f->key, path), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (f->fd < 0 || pwrite(f->fd, head, HEAD, 0) != HEAD)
		errno = 0; /* whoever comes after this process hands it back once more: an identical copy, which media knows */
}

/* The next packet of one file. 0: it has none; -1: it has, but not on the disk. */
static int take(struct held_store *s, struct held_file *f, struct msg_held *out)
{
	char path[CASES_PATH];
	enum journal_type type;
	struct bytes body;
	uint64_t before = f->taken;
	bool flushed = append_flush(f->packets, NULL) == 0;

	if (f->reader == NULL && journal_open(&f->reader, s->stage, path_of(f->key, path), f->taken, NULL) < 0)
		return -1;
	while (journal_next(f->reader, &type, &body, NULL) > 0) {
		f->taken = journal_offset(f->reader);
		if (type != JOURNAL_HELD || !msg_get_held(body, out))
			continue;
		note_taken(s, f);
		s->octets -= f->taken - before;
		s->count -= f->count > 0;
		f->count -= f->count > 0;
		return 1;
	}
	return flushed ? 0 : -1;
}

static bool wanted(const struct held_file *f, uint32_t front, uint32_t call)
{
	return f->key.front == front && (call == UINT32_MAX || f->key.call == call);
}

bool held_store_take(struct held_store *s, uint32_t front, uint32_t call, uint32_t *of, struct datagram *out)
{
	for (struct held_file *f = s->first, *next; f != NULL; f = next) {
		struct msg_held h;
		int got;

		next = f->next;
		if (!wanted(f, front, call))
			continue;
		got = take(s, f, &h);
		if (got > 0) {
			*of = h.call;
			*out = h.datagram;
			return true;
		}
		if (got == 0)
			file_free(s, f, true);
	}
	return false;
}
