/* body: the first SDP of a message body, within multipart bodies too (RFC 2046 5.1, RFC 5621). */
#include "parts.h"

#include "otway/base/text.h"

#define NESTED_MAX 4

/* The lines up to the next delimiter; *rest moves behind the delimiter. False: none follows, *part is what there is. */
static bool next_part(struct bytes boundary, struct bytes *rest, struct bytes *part)
{
	*part = *rest;
	while (rest->len > 0) {
		const uint8_t *at = rest->at;
		struct bytes line = line_next(rest, NULL);

		if (line.len < boundary.len + 2 || line.at[0] != '-' || line.at[1] != '-' ||
			!bytes_equal(bytes_part(line, 2, boundary.len), boundary))
			continue;
		part->len = (size_t)(at -
				     part->at); /* with the line end that belongs to the delimiter: SDP does not mind */
		if (text_begins(bytes_part(line, 2 + boundary.len, line.len), "--"))
			rest->len = 0;
		return true;
	}
	return false;
}

static bool find(const struct part *p, unsigned int depth, struct codings *c, struct bytes *sdp);

/* A part of a multipart body: its own headers, and what it holds. */
static bool find_in_part(struct bytes octets, unsigned int depth, struct codings *c, struct bytes *sdp)
{
	struct part p = { .body = octets };
	unsigned int used = c->used;
	struct header h;

	while (header_next(&p.body, false, &h)) {
		if (h.field == FIELD_CONTENT_TYPE)
			p.type = h.value;
		else if (h.field == FIELD_CONTENT_TRANSFER)
			p.transfer = h.value;
		else if (h.field == FIELD_CONTENT_ENCODING)
			p.encoding = h.value;
	}
	if (p.type.len > 0 && find(&p, depth, c, sdp))
		return true;
	c->used = used;
	return false;
}

static bool find(const struct part *p, unsigned int depth, struct codings *c, struct bytes *sdp)
{
	struct bytes params, boundary, octets, body, media = text_trim(text_cut(p->type, ';', &params));
	bool more, is_sdp = text_is(media, "application/sdp");

	if (!is_sdp && (depth == NESTED_MAX || !text_begins(media, "multipart/") ||
			       !param_find(params, "boundary", &boundary) || boundary.len == 0))
		return false;
	if (!codings_undo(c, p, &body))
		return false;
	if (is_sdp) {
		*sdp = body;
		return body.len > 0;
	}
	more = next_part(boundary, &body, &octets); /* the preamble */
	while (more && body.len > 0) {
		more = next_part(boundary, &body, &octets);
		if (find_in_part(octets, depth + 1, c, sdp))
			return true;
	}
	return false;
}

bool body_sdp(const struct part *whole, struct codings *c, struct bytes *sdp)
{
	codings_begin(c);
	if (whole->type.len == 0)
		return codings_undo(c, whole, sdp) && text_begins(*sdp, "v=0"); /* its sender forgot to say so */
	return find(whole, 0, c, sdp);
}
