/*
 * decode: the program that turns payloads into samples for otway. It is one of its own, so that nothing of otway's memory is in
 * it, and it gives up everything but computing and the socket at 0 before it reads an octet.
 */
#include "decode.h"

#include <unistd.h>

#include "codec.h"
#include "confined.h"

/* Within the process: one item in, its samples out. */
static bool serve(struct codec **codec, uint32_t rate, const struct item *item, struct bytes octets, struct buf *reply)
{
	size_t at = reply->len;
	uint32_t count = 0;
	struct held_format format;

	buf_add(reply, &count, sizeof(count));
	if (item->kind == ITEM_PAYLOAD && *codec != NULL) {
		codec_take(*codec, octets, reply);
	} else if (item->kind == ITEM_FORMAT) {
		if (*codec != NULL)
			codec_end(*codec, reply);
		codec_free(*codec);
		*codec = NULL;
		if (octets.len == sizeof(format)) {
			memcpy(&format, octets.at, sizeof(format));
			*codec = codec_new(&format, rate);
		}
	}
	if (reply->failed)
		return false;
	count = (uint32_t)((reply->len - at - sizeof(count)) / sizeof(int16_t));
	memcpy(reply->at + at, &count, sizeof(count));
	return true;
}

static bool serve_batch(struct codec **codec, const struct batch *head, struct bytes all, struct buf *reply)
{
	buf_reset(reply);
	for (uint32_t i = 0; i < head->items; i++) {
		struct item item;
		struct bytes octets;

		if (all.len < sizeof(item))
			return false;
		memcpy(&item, all.at, sizeof(item));
		octets = bytes_part(all, sizeof(item), item.len);
		if (octets.len != item.len || !serve(codec, head->rate, &item, octets, reply))
			return false;
		all = bytes_part(all, sizeof(item) + item.len, all.len);
	}
	return true;
}

/* What the process does. It ends with its memory. */
static void serve_all(int fd)
{
	struct codec *codec = NULL;
	struct buf in = { 0 }, reply = { 0 };
	struct batch head;
	uint64_t len;

	while (confined_read(fd, &head, sizeof(head))) {
		buf_reset(&in);
		if (buf_room(&in, head.len) == NULL || !confined_read(fd, in.at, head.len))
			return;
		in.len = head.len;
		if (!serve_batch(&codec, &head, buf_bytes(&in), &reply))
			return;
		len = reply.len;
		if (!confined_write(fd, (struct bytes){ (uint8_t *)&len, sizeof(len) }) ||
			!confined_write(fd, buf_bytes(&reply)))
			return;
	}
}

int main(void)
{
	if (!confined_begin())
		return 1;
	serve_all(STDIN_FILENO);
	_exit(0); /* it ends with its memory */
}
