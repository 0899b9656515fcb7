/*
 * splitter: after a length it could not believe it does not look for a start-line in what may be the body, only where a
 * segment begins; after a hole, or garbage, it takes the next start-line.
 */
#include "splitter.h"

#include "otway/base/text.h"
#include "parts.h"
#include "recognise.h"

#define RETURNS_MAX 3 /* CRs before an LF that are one line end with it */

bool splitter_length(struct bytes message, bool *found, size_t *length)
{
	struct bytes rest = message;
	struct header h;
	uint64_t number;

	*found = false;
	*length = 0;
	line_next(&rest, NULL);
	while (header_next(&rest, false, &h)) {
		if (h.field != FIELD_CONTENT_LENGTH)
			continue;
		if (!text_number(h.value, LENGTH_MAX, &number) || (*found && number != *length))
			return false;
		*found = true;
		*length = (size_t)number;
	}
	return true;
}

/* Octets of the line end at `at`, which may have several CRs; 0: none is there; view.len - at: none that is whole. */
static size_t empty_line(struct bytes view, size_t at)
{
	size_t end = at;

	while (end < view.len && end - at < RETURNS_MAX && view.at[end] == '\r')
		end++;
	if (end == view.len)
		return end - at;
	return view.at[end] == '\n' ? end + 1 - at : 0;
}

/* Octets up to and with the empty line; 0: it has not come. */
static size_t header_end(struct splitter *s, struct bytes view)
{
	const uint8_t *feed;

	while ((feed = memchr(view.at + s->looked, '\n', view.len - s->looked)) != NULL) {
		size_t at = (size_t)(feed - view.at) + 1, empty = empty_line(view, at);

		s->looked = at - 1; /* the line feed is looked at again, with what comes behind it */
		if (at + empty == view.len && (empty == 0 || view.at[view.len - 1] != '\n'))
			return 0;
		if (empty > 0)
			return at + empty;
		s->looked = at;
	}
	s->looked = view.len;
	return 0;
}

static void go_to(struct splitter *s, int state)
{
	s->state = state;
	s->looked = s->header_len = s->body_len = 0;
}

void splitter_lose(struct splitter *s, size_t have, size_t lost)
{
	size_t due = s->skip;

	if (s->state == AT_HEADER && s->header_len > 0)
		due = s->header_len + s->body_len - have;
	s->skip = due > lost ? due - lost : 0;
	go_to(s, due >= lost && due > 0 ? AT_MESSAGE : AT_GARBAGE);
}

static enum cut refuse(struct splitter *s, struct bytes view, size_t *used)
{
	s->refused++;
	go_to(s, AT_REFUSED);
	*used = view.len;
	return CUT_SKIP;
}

/* Header and body are known; what is too long goes by without being kept. */
static enum cut whole(struct splitter *s, struct bytes view, bool last, size_t *used)
{
	size_t len = s->header_len + s->body_len;

	if (len > MESSAGE_MAX) {
		s->too_long++;
		s->skip = len;
		go_to(s, AT_MESSAGE);
		return CUT_SKIP;
	}
	if (len > view.len && !last)
		return CUT_MORE;
	*used = len > view.len ? view.len : len;
	go_to(s, AT_MESSAGE);
	return *used == len ? CUT_MESSAGE : CUT_PARTLY;
}

static enum cut header(struct splitter *s, struct bytes view, bool last, size_t *used)
{
	bool found;

	if (s->header_len > 0)
		return whole(s, view, last, used);
	s->header_len = header_end(s, view);
	if (s->header_len == 0)
		return view.len > MESSAGE_MAX ? refuse(s, view, used) : CUT_MORE;
	if (!splitter_length(bytes_part(view, 0, s->header_len), &found, &s->body_len))
		return refuse(s, view, used);
	if (!found && last)
		s->body_len = view.len - s->header_len;
	return whole(s, view, last, used);
}

/* Keep-alives, then a start-line. */
static enum cut begin(struct splitter *s, struct bytes view, size_t *used)
{
	enum start start;

	*used = start_idle(view);
	if (*used > 0)
		return CUT_SKIP;
	start = start_seen(view, s->looked);
	if (start == START_NO) {
		s->resyncs++;
		go_to(s, AT_GARBAGE);
		return CUT_SKIP;
	}
	if (start == START_YES) {
		go_to(s, AT_HEADER);
		return CUT_SKIP;
	}
	s->looked = view.len;
	return CUT_MORE;
}

/* Up to the next start-line. An unfinished line is kept, for the rest of it to come, unless it is too long for one. */
static enum cut garbage(struct splitter *s, struct bytes view, size_t *used)
{
	const uint8_t *end = memrchr(view.at + s->looked, '\n', view.len - s->looked);
	size_t at = 0;

	if (s->looked == 0 && start_seen(view, 0) >= START_LIKELY) {
		go_to(s, AT_MESSAGE);
		return CUT_SKIP;
	}
	if (end != NULL) {
		at = start_find(view, 0, true);
		if (at < view.len) {
			go_to(s, AT_MESSAGE);
			*used = at;
			return CUT_SKIP;
		}
		at = (size_t)(end - view.at) + 1;
	}
	*used = view.len - at > START_LINE_MAX ? view.len : at;
	s->looked = view.len - *used;
	return *used > 0 ? CUT_SKIP : CUT_MORE;
}

/* A segment's begin: whatever came before it was used up. */
static enum cut refused(struct splitter *s, struct bytes view, size_t *used)
{
	size_t idle = start_idle(view);

	if (start_seen(bytes_part(view, idle, SIZE_MAX), 0) >= START_LIKELY)
		go_to(s, AT_MESSAGE);
	else
		*used = view.len;
	return CUT_SKIP;
}

enum cut splitter_cut(struct splitter *s, struct bytes view, bool last, size_t *used)
{
	*used = 0;
	if (view.len == 0)
		return CUT_MORE;
	if (s->skip > 0) {
		*used = s->skip < view.len ? s->skip : view.len;
		s->skip -= *used;
		return CUT_SKIP;
	}
	switch (s->state) {
	case AT_MESSAGE:
		return begin(s, view, used);
	case AT_HEADER:
		return header(s, view, last, used);
	case AT_GARBAGE:
		return garbage(s, view, used);
	case AT_REFUSED:
		return refused(s, view, used);
	}
	return CUT_MORE;
}
