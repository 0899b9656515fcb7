/* inflate: zlib behind one call. */
#include "otway/base/inflate.h"

#include <zlib.h>

#include "otway/base/text.h"

#define EITHER_HEADER (15 + 32) /* of gzip or of zlib, told apart by what stands there */
#define NO_HEADER     (-15)
#define STEP          4096

bool inflate_knows(struct bytes encoding)
{
	return text_is(encoding, "gzip") || text_is(encoding, "x-gzip") || text_is(encoding, "deflate");
}

/* "deflate" is RFC 1950, but some send RFC 1951 alone by that name. */
static int header_of(struct bytes in)
{
	bool gzip = in.len >= 2 && in.at[0] == 0x1f && in.at[1] == 0x8b;
	bool zlib = in.len >= 2 && (in.at[0] & 0x0f) == Z_DEFLATED && be16(in.at) % 31 == 0;

	return gzip || zlib ? EITHER_HEADER : NO_HEADER;
}

bool inflate_bytes(struct bytes in, size_t max, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.at, .avail_in = (uInt)in.len };
	size_t before = out->len;
	int state = Z_OK;

	if (in.len == 0 || in.len > UINT32_MAX || inflateInit2(&z, header_of(in)) != Z_OK)
		return false;
	while (state == Z_OK && out->len - before <= max) {
		z.next_out = buf_room(out, STEP);
		z.avail_out = STEP;
		if (z.next_out == NULL)
			break;
		state = inflate(&z, Z_NO_FLUSH);
		out->len += STEP - z.avail_out;
	}
	inflateEnd(&z);
	return state == Z_STREAM_END && out->len - before <= max;
}
