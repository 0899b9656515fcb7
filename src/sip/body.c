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

static bool find(struct bytes type, struct bytes body, unsigned int depth, struct bytes *sdp);

/* A part of a multipart body: its own headers, and what it holds. */
static bool find_in_part(struct bytes part, unsigned int depth, struct bytes *sdp)
{
	struct bytes type = { NULL, 0 };
	struct header h;

	while (header_next(&part, false, &h))
		if (h.field == FIELD_CONTENT_TYPE)
			type = h.value;
	return type.len > 0 && find(type, part, depth, sdp);
}

static bool find(struct bytes type, struct bytes body, unsigned int depth, struct bytes *sdp)
{
	struct bytes params, boundary, part, media = text_trim(text_cut(type, ';', &params));
	bool more;

	if (text_is(media, "application/sdp")) {
		*sdp = body;
		return body.len > 0;
	}
	if (depth == NESTED_MAX || !text_begins(media, "multipart/") || !param_find(params, "boundary", &boundary) ||
		boundary.len == 0)
		return false;
	more = next_part(boundary, &body, &part); /* the preamble */
	while (more && body.len > 0) {
		more = next_part(boundary, &body, &part);
		if (find_in_part(part, depth + 1, sdp))
			return true;
	}
	return false;
}

bool body_sdp(struct bytes type, struct bytes body, struct bytes *sdp)
{
	if (type.len == 0 && text_begins(body, "v=0")) {
		*sdp = body; /* its sender forgot to say so */
		return true;
	}
	return find(type, body, 0, sdp);
}
