/* in_order: a stream that came in order is read through; one that did not is read by its marks. */
#include "tally.h"

#include <stdlib.h>

struct in_order {
	struct reader *reader;
	const struct held_stream *stream;
	struct marks marks; /* of a disordered stream, borrowed */
	size_t next;
};

/* Is it a packet that belongs to a stream, and is delivered? */
static bool counts(const struct spooled_media *m)
{
	return m->sort == MEDIA_RTP && (m->fate == MEDIA_CLEAR || m->fate == MEDIA_SEALED) && m->stream != HOLDING_NONE;
}

int tally_marks(struct held_call *c, struct marks *out, struct err *err)
{
	struct reader *reader;
	struct spooled one;
	int got = reader_new(&reader, c->media, err);

	if (got < 0)
		return -1;
	while ((got = reader_next(reader, &one, err)) > 0) {
		struct spooled_media m;
		struct bytes packet, clear;

		if (!holding_media(&one, &m, &packet, &clear) || !counts(&m) || !c->streams[m.stream]->disordered)
			continue;
		if (!marks_add(out, (struct mark){ m.stream, m.index, one.offset })) {
			got = err_set(err, "out of memory");
			break;
		}
	}
	reader_free(reader);
	marks_sort(out);
	return got;
}

int in_order_new(struct in_order **out, struct held_call *c, const struct held_stream *s, const struct marks *marks,
	struct err *err)
{
	struct in_order *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return err_set(err, "out of memory");
	o->stream = s;
	if (s->disordered)
		o->marks = marks_group(marks, s->order);
	if (reader_new(&o->reader, c->media, err) < 0) {
		free(o);
		return -1;
	}
	*out = o;
	return 0;
}

void in_order_free(struct in_order *o)
{
	if (o == NULL)
		return;
	reader_free(o->reader);
	free(o);
}

static int read_through(
	struct in_order *o, struct spooled *one, struct spooled_media *m, struct bytes *clear, struct err *err)
{
	struct bytes packet;
	int got;

	while ((got = reader_next(o->reader, one, err)) > 0)
		if (holding_media(one, m, &packet, clear) && counts(m) && m->stream == o->stream->order)
			return 1;
	return got;
}

/* Of the packets with the same index the first that is clear, or else the first. */
static int read_marked(
	struct in_order *o, struct spooled *one, struct spooled_media *m, struct bytes *clear, struct err *err)
{
	size_t from = o->next, to = from, chosen = from;
	struct bytes packet;

	if (from == o->marks.len)
		return 0;
	while (to < o->marks.len && o->marks.at[to].key == o->marks.at[from].key)
		to++;
	o->next = to;
	for (size_t i = from; i < to && to - from > 1; i++) {
		int got = reader_at(o->reader, o->marks.at[i].offset, one, err);

		if (got < 0)
			return -1;
		if (got > 0 && holding_media(one, m, &packet, clear) && m->fate == MEDIA_CLEAR) {
			chosen = i;
			break;
		}
	}
	if (reader_at(o->reader, o->marks.at[chosen].offset, one, err) < 0)
		return -1;
	return holding_media(one, m, &packet, clear) ? 1 : err_set(err, "what was put aside is not whole");
}

int in_order_next(
	struct in_order *o, struct spooled *one, struct spooled_media *m, struct bytes *clear, struct err *err)
{
	return o->stream->disordered ? read_marked(o, one, m, clear, err) : read_through(o, one, m, clear, err);
}
