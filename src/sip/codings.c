/*
 * codings: what undoes the codings of a body: Content-Transfer-Encoding (RFC 2045 6), then Content-Encoding (RFC 3261 20.12).
 * All the parts of a message may unpack to UNPACKED_MAX octets together, however they are nested.
 */
#include "parts.h"

#include "otway/base/inflate.h"
#include "otway/base/text.h"

/* The next buffer; NULL: as many codings lie in each other as are followed. */
static struct buf *room(struct codings *c)
{
	struct buf *b = c->used < CODINGS_MAX ? &c->undone[c->used] : NULL;

	if (b != NULL) {
		c->used++;
		buf_reset(b);
	}
	return b;
}

/* Neither grows what it undoes. */
static bool undo_transfer(struct codings *c, struct bytes coding, struct bytes *body)
{
	bool base64 = text_is(coding, "base64");
	struct buf *b;
	uint8_t *to;
	long n;

	if (!base64 && !text_is(coding, "quoted-printable"))
		return true; /* 7bit, 8bit, binary: as it stands */
	b = body->len > 0 && body->len <= c->left ? room(c) : NULL;
	to = b != NULL ? buf_room(b, body->len) : NULL;
	if (to == NULL)
		return false;
	n = base64 ? text_unbase64(*body, to, body->len) : (long)text_unquoted_printable(*body, to);
	if (n < 0)
		return false;
	b->len = (size_t)n;
	c->left -= b->len;
	*body = buf_bytes(b);
	return true;
}

static bool undo_content(struct codings *c, struct bytes coding, struct bytes *body)
{
	struct buf *b;
	bool whole;

	if (!inflate_knows(coding))
		return true;
	b = c->left > 0 ? room(c) : NULL;
	if (b == NULL)
		return false;
	whole = inflate_bytes(*body, c->left, b);
	c->left -= b->len < c->left ? b->len : c->left;
	*body = buf_bytes(b);
	return whole;
}

void codings_begin(struct codings *c)
{
	c->used = 0;
	c->left = UNPACKED_MAX;
}

bool codings_undo(struct codings *c, const struct part *p, struct bytes *body)
{
	*body = p->body;
	return undo_transfer(c, p->transfer, body) && undo_content(c, p->encoding, body);
}

void codings_clear(struct codings *c)
{
	for (size_t i = 0; i < CODINGS_MAX; i++)
		buf_clear(&c->undone[i]);
}
