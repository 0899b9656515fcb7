/* text: lines, lists and parameters of SIP text. */
#include "parts.h"

#include "otway/base/text.h"

#define RETURNS_MAX 3 /* CRs before an LF that are one line end with it; some senders double them */

/* Octets of the line end at `at`; 0: at the end of the text. */
static size_t line_end(struct bytes text, size_t at)
{
	size_t end = at;

	while (end < text.len && end - at < RETURNS_MAX && text.at[end] == '\r')
		end++;
	if (end < text.len && text.at[end] == '\n')
		return end + 1 - at;
	return at < text.len ? 1 : 0;
}

#define WINDOW 256 /* so far ahead an end of the other kind is looked for, lest a text of one kind be walked often */

/* Where the line ends; text.len: nowhere. */
static size_t line_length(struct bytes text)
{
	for (size_t from = 0; from < text.len; from += WINDOW) {
		struct bytes part = bytes_part(text, from, WINDOW);
		const uint8_t *end = memchr(part.at, '\n', part.len);
		const uint8_t *other = memchr(part.at, '\r', end != NULL ? (size_t)(end - part.at) : part.len);

		if (end != NULL || other != NULL)
			return (size_t)((other != NULL ? other : end) - text.at);
	}
	return text.len;
}

struct bytes line_next(struct bytes *rest, bool *ended)
{
	struct bytes line = *rest;
	size_t end = line_length(*rest), skip = line_end(*rest, end);

	if (ended != NULL)
		*ended = skip > 0;
	line.len = end;
	*rest = bytes_part(*rest, end + skip, rest->len);
	return line;
}

/* Behind the closing quote of the string that begins at `at`; 0: it never closes. */
static size_t quoted_end(struct bytes text, size_t at)
{
	for (size_t i = at + 1; i < text.len; i++) {
		if (text.at[i] == '\\')
			i++;
		else if (text.at[i] == '"')
			return i + 1;
	}
	return 0;
}

size_t list_skip(struct list *l, struct bytes text, size_t at)
{
	const uint8_t *close;
	size_t end;

	if (text.at[at] == '"' && !l->no_quotes) {
		end = quoted_end(text, at);
		l->no_quotes = end == 0;
		return end > 0 ? end : at + 1;
	}
	if (text.at[at] == '<' && !l->no_angles) {
		close = memchr(text.at + at, '>', text.len - at);
		l->no_angles = close == NULL;
		return close != NULL ? (size_t)(close - text.at) + 1 : at + 1;
	}
	return at + 1;
}

bool list_next(struct list *l, struct bytes *item)
{
	while (l->rest.len > 0) {
		size_t end = 0;

		while (end < l->rest.len && l->rest.at[end] != ',')
			end = list_skip(l, l->rest, end);
		*item = text_trim(bytes_part(l->rest, 0, end));
		l->rest = bytes_part(l->rest, end + 1, l->rest.len);
		if (item->len > 0)
			return true;
	}
	return false;
}

static struct bytes unquote(struct bytes value)
{
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		return bytes_part(value, 1, value.len - 2);
	return value;
}

bool param_find(struct bytes params, const char *name, struct bytes *value)
{
	struct list state = { params, false, true };
	size_t at = 0;

	while (at < params.len) {
		size_t start = at;
		struct bytes one;

		while (at < params.len && params.at[at] != ';')
			at = list_skip(&state, params, at);
		one = bytes_part(params, start, at++ - start);
		if (text_is(text_trim(text_cut(one, '=', value)), name)) {
			*value = unquote(text_trim(*value));
			return true;
		}
	}
	*value = (struct bytes){ NULL, 0 };
	return false;
}
