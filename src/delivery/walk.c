/* walk: a spool that came in order is read through; for one that did not, its places are sorted first (24 octets
 * each). */
#include "walk.h"

#include <stdlib.h>

struct walk {
	struct reader *reader;
	bool sorted;
	struct marks marks;
	size_t next;
};

bool marks_add(struct marks *m, struct mark one)
{
	if (m->len == m->cap) {
		size_t cap = m->cap > 0 ? m->cap * 2 : 256;
		struct mark *grown = realloc(m->at, cap * sizeof(*grown));

		if (grown == NULL)
			return false;
		m->at = grown;
		m->cap = cap;
	}
	m->at[m->len++] = one;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

void marks_sort(struct marks *m)
{
	if (m->len > 1)
		qsort(m->at, m->len, sizeof(*m->at), compare);
}

void marks_clear(struct marks *m)
{
	free(m->at);
	*m = (struct marks){ 0 };
}

/* How many marks stand before the group. */
static size_t before(const struct marks *m, uint64_t group)
{
	size_t low = 0, high = m->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->at[middle].group < group)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct marks marks_group(const struct marks *m, uint64_t group)
{
	size_t from = before(m, group), to = group < UINT64_MAX ? before(m, group + 1) : m->len;

	return (struct marks){ .at = m->len > 0 ? m->at + from : NULL, .len = to - from };
}

/* Times as unsigned numbers in the same order, those before 1970 too. */
static uint64_t time_key(nsec_t at)
{
	return (uint64_t)at ^ UINT64_C(1) << 63;
}

static int sort_by_time(struct walk *w, struct err *err)
{
	struct spooled one;
	int got;

	while ((got = reader_next(w->reader, &one, err)) > 0)
		if (!marks_add(&w->marks, (struct mark){ 0, time_key(one.at), one.offset }))
			return err_set(err, "out of memory");
	marks_sort(&w->marks);
	return got;
}

int walk_new(struct walk **out, struct spool *s, struct err *err)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_set(err, "out of memory");
	w->sorted = !spool_ordered(s);
	if (reader_new(&w->reader, s, err) < 0 || (w->sorted && sort_by_time(w, err) < 0)) {
		walk_free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	reader_free(w->reader);
	marks_clear(&w->marks);
	free(w);
}

int walk_next(struct walk *w, struct spooled *out, struct err *err)
{
	if (!w->sorted)
		return reader_next(w->reader, out, err);
	if (w->next == w->marks.len)
		return 0;
	return reader_at(w->reader, w->marks.at[w->next++].offset, out, err);
}
