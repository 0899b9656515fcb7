/*
 * blot_coded: keys in what came coded. No header is understood here: where a block of lines that ends with an empty one names
 * a coding, what stands behind is tried for it, for what is none does no harm. Bodies lie in each other, and so does this.
 */
#include "blot.h"

#include "otway/base/inflate.h"
#include "otway/base/text.h"

enum {
	UNPACKED_MAX = 256 << 10, /* octets that one coding may unpack to, as of the parser */
	DEEPEST = 10,             /* codings in each other; the parser follows fewer */
	TRIES = 16, /* each octet is tried so often on the average: more codings than any sender has cause for */
};

struct search {
	const struct table *keys;
	bool all;
	unsigned int depth;
	size_t tries; /* octets that may still be tried */
};

/* What a block of lines names. */
struct block {
	struct bytes delimiter; /* its first line, if that begins with "--"; a body ends before the next line like it */
	bool base64, quoted, packed;
};

/* Takes the next line off the front, its end too. */
static struct bytes take_line(struct bytes *rest)
{
	struct bytes line = *rest;
	size_t end = 0;

	while (end < rest->len && rest->at[end] != '\n' && rest->at[end] != '\r')
		end++;
	line.len = end;
	for (int returns = 0; returns < 3 && end < rest->len && rest->at[end] == '\r'; returns++)
		end++;
	if (end < rest->len && rest->at[end] == '\n')
		end++;
	*rest = bytes_part(*rest, end, rest->len);
	return line;
}

static bool has_word(struct bytes line, const char *word)
{
	for (size_t i = 0; i < line.len; i++)
		if (text_lower(line.at[i]) == (uint8_t)word[0] && text_begins(bytes_part(line, i, line.len), word))
			return true;
	return false;
}

static void note(struct block *b, struct bytes line)
{
	b->base64 = b->base64 || has_word(line, "base64");
	b->quoted = b->quoted || has_word(line, "quoted-printable");
	b->packed = b->packed || has_word(line, "gzip") || has_word(line, "deflate");
}

/* The lines before the next that begins with `begin`; all of them when it is empty. */
static struct bytes lines_before(struct bytes text, struct bytes begin)
{
	struct bytes rest = text;

	while (begin.len > 0 && rest.len > 0) {
		const uint8_t *at = rest.at;

		if (bytes_equal(bytes_part(take_line(&rest), 0, begin.len), begin))
			return bytes_part(text, 0, (size_t)(at - text.at));
	}
	return text;
}

static size_t search(struct search *s, uint8_t *text, size_t len, bool header);

/* Keys in `text`, which is a copy: unpacked or not. */
static size_t search_copy(struct search *s, struct buf *text, bool packed)
{
	size_t places = search(s, text->at, text->len, false);
	struct buf plain = { 0 };

	if (packed && inflate_bytes(buf_bytes(text), UNPACKED_MAX, &plain))
		places += search(s, plain.at, plain.len, false);
	buf_clear(&plain);
	return places;
}

/* Keys in `coded`, its codings undone. */
static size_t search_coded(struct search *s, const struct block *b, struct bytes coded)
{
	struct buf text = { 0 };
	size_t places = 0;
	long n = 0;

	if (b->base64 && buf_room(&text, coded.len + 1) != NULL) {
		n = text_unbase64(coded, text.at, coded.len);
		text.len = n > 0 ? (size_t)n : 0;
		places += search_copy(s, &text, b->packed);
	}
	buf_clear(&text);
	if (b->quoted && buf_room(&text, coded.len + 1) != NULL) {
		text.len = text_unquoted_printable(coded, text.at);
		places += search_copy(s, &text, b->packed);
	}
	buf_clear(&text);
	if (b->packed && inflate_bytes(coded, UNPACKED_MAX, &text))
		places += search(s, text.at, text.len, false);
	buf_clear(&text);
	return places;
}

/* What stands behind a block. */
static size_t behind(struct search *s, const struct block *b, struct bytes rest)
{
	struct bytes body = lines_before(rest, b->delimiter), coded = body;
	size_t places;

	if (b->base64)
		coded = lines_before(rest, bytes_of("--")); /* no base64 */
	else if (b->packed)
		coded = rest; /* may look like a delimiter, and what is behind its end does not matter */
	if (coded.len > s->tries) {
		memset((uint8_t *)(uintptr_t)rest.at, '*', rest.len);
		return 1;
	}
	s->tries -= coded.len;
	places = search_coded(s, b, coded);
	if (places > 0)
		memset((uint8_t *)(uintptr_t)body.at, '*', body.len);
	return places;
}

static size_t search(struct search *s, uint8_t *text, size_t len, bool header)
{
	struct bytes rest = { text, len };
	struct block b = { 0 };
	size_t places;

	if (len == 0 || s->depth == DEEPEST)
		return 0;
	s->depth++;
	places = blot_clear(text, len, s->keys, s->all);
	while (rest.len > 0) {
		struct bytes line = take_line(&rest);

		if (text_begins(line, "--")) {
			b = (struct block){ .delimiter = text_trim(line) };
			header = true;
		} else if (header && line.len == 0) {
			header = false;
			if (b.base64 || b.quoted || b.packed)
				places += behind(s, &b, rest);
		} else if (header) {
			note(&b, line);
		}
	}
	s->depth--;
	return places;
}

size_t blot_message(uint8_t *text, size_t len, const struct table *keys, bool all)
{
	struct search s = { .keys = keys, .all = all, .tries = TRIES * len + UNPACKED_MAX };

	return search(&s, text, len, true);
}
