/* inflate: zlib behind one call. */
#include "otway/base/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

#define EITHER_HEADER (15 + 32) /* of gzip or of zlib, told apart by what stands there */
#define NO_HEADER     (-15)
#define STEP          4096
#define AT_BLOCK      128 /* of data_type: a block has ended there */

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

struct inflater {
	z_stream z;
};

/* What zlib remembers of messages is wiped: its length stands in front of it. */
static voidpf take_memory(voidpf opaque, uInt items, uInt size)
{
	size_t len = (size_t)items * size;
	max_align_t *at = malloc(sizeof(*at) + len);

	(void)opaque;
	if (at == NULL)
		return Z_NULL;
	memcpy(at, &len, sizeof(len));
	memset(at + 1, 0, len);
	return at + 1;
}

static void give_memory(voidpf opaque, voidpf address)
{
	max_align_t *at = (max_align_t *)address - 1;
	size_t len;

	(void)opaque;
	memcpy(&len, at, sizeof(len));
	secret_free(at, sizeof(*at) + len);
}

struct inflater *inflater_new(void)
{
	struct inflater *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->z.zalloc = take_memory;
	f->z.zfree = give_memory;
	if (inflateInit2(&f->z, NO_HEADER) != Z_OK) {
		free(f);
		return NULL;
	}
	return f;
}

void inflater_free(struct inflater *f)
{
	if (f == NULL)
		return;
	inflateEnd(&f->z);
	free(f);
}

void inflater_forget(struct inflater *f)
{
	inflateReset(&f->z);
}

/* Z_OK: all of it is in; Z_STREAM_END: it said that it ends there. */
static int feed(struct inflater *f, struct bytes in, size_t most, struct buf *out)
{
	int state = Z_OK;

	f->z.next_in = (Bytef *)(uintptr_t)in.at;
	f->z.avail_in = (uInt)in.len;
	do {
		f->z.next_out = buf_room(out, STEP);
		f->z.avail_out = STEP;
		if (f->z.next_out == NULL)
			return Z_MEM_ERROR;
		state = inflate(&f->z, Z_SYNC_FLUSH);
		out->len += STEP - f->z.avail_out;
	} while (state == Z_OK && out->len <= most && (f->z.avail_out == 0 || f->z.avail_in > 0));
	return state == Z_BUF_ERROR ? Z_OK : state;
}

bool inflater_message(struct inflater *f, struct bytes in, size_t max, struct buf *out)
{
	static const uint8_t tail[] = { 0, 0, 0xff, 0xff };
	const size_t most = out->len + max;
	int state = in.len <= UINT32_MAX ? feed(f, in, most, out) : Z_DATA_ERROR;

	if (state == Z_OK && out->len <= most &&
		(feed(f, (struct bytes){ tail, sizeof(tail) }, most, out) != Z_OK || (f->z.data_type & AT_BLOCK) == 0))
		state = Z_DATA_ERROR; /* a message ends where a block does (RFC 7692 7.2.1) */
	if (state != Z_OK || out->len > most)
		inflater_forget(f);
	return (state == Z_OK || state == Z_STREAM_END) && out->len <= most;
}

struct deflater {
	z_stream z;
};

struct deflater *deflater_new(void)
{
	struct deflater *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->z.zalloc = take_memory;
	d->z.zfree = give_memory;
	if (deflateInit(&d->z, Z_BEST_SPEED) != Z_OK) {
		free(d);
		return NULL;
	}
	return d;
}

void deflater_free(struct deflater *d)
{
	if (d == NULL)
		return;
	deflateEnd(&d->z);
	free(d);
}

bool deflater_octets(struct deflater *d, struct bytes in, struct buf *out)
{
	uLong most = in.len <= UINT32_MAX ? deflateBound(&d->z, (uLong)in.len) : 0;
	uint8_t *to = most > 0 ? buf_room(out, most) : NULL;

	if (to == NULL || deflateReset(&d->z) != Z_OK)
		return false;
	d->z.next_in = (Bytef *)(uintptr_t)in.at;
	d->z.avail_in = (uInt)in.len;
	d->z.next_out = to;
	d->z.avail_out = (uInt)most;
	if (deflate(&d->z, Z_FINISH) != Z_STREAM_END)
		return false;
	out->len += most - d->z.avail_out;
	return true;
}
