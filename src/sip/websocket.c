/* websocket: frames. Only a segment that begins with a frame brings it back to its place once that is lost. */
#include "websocket.h"

#include "otway/base/text.h"
#include "recognise.h"
#include "splitter.h"

#define HTTP_MAX      16384
#define GLANCE        64  /* octets of payload unmasked to see whether they begin a SIP message */
#define GLANCE_PACKED 512 /* and of compressed ones unpacked */

enum opcode { CONTINUATION, TEXT, BINARY, CLOSE = 8, PONG = 10 };

struct frame_head {
	bool fin, packed, masked;
	uint8_t opcode, mask[4];
	size_t len; /* of the header itself */
	uint64_t payload_len;
};

enum head_seen { HEAD_MORE, HEAD_BAD, HEAD_WHOLE };

static bool opcode_known(uint8_t opcode)
{
	return opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG);
}

/* RFC 6455 5.2. */
static enum head_seen read_head(struct bytes view, struct frame_head *h)
{
	size_t extended;

	*h = (struct frame_head){ 0 };
	if (view.len < 2)
		return HEAD_MORE;
	h->fin = (view.at[0] & 0x80) != 0;
	h->packed = (view.at[0] & 0x40) != 0;
	h->opcode = view.at[0] & 0x0f;
	h->masked = (view.at[1] & 0x80) != 0;
	h->payload_len = view.at[1] & 0x7f;
	if ((view.at[0] & 0x30) != 0 || !opcode_known(h->opcode))
		return HEAD_BAD;
	if (h->packed && h->opcode != TEXT && h->opcode != BINARY)
		return HEAD_BAD; /* RFC 7692 6.1 */
	if (h->opcode >= CLOSE && (!h->fin || h->payload_len > 125))
		return HEAD_BAD;
	extended = h->payload_len == 126 ? 2 : h->payload_len == 127 ? 8 : 0;
	h->len = 2 + extended + (h->masked ? 4 : 0);
	if (view.len < h->len)
		return HEAD_MORE;
	if (extended > 0)
		h->payload_len = extended == 2 ? be16(view.at + 2) : be64(view.at + 2);
	if (h->payload_len > INT64_MAX)
		return HEAD_BAD;
	if (h->masked)
		memcpy(h->mask, view.at + h->len - 4, 4);
	return HEAD_WHOLE;
}

void websocket_unmask(uint8_t *to, struct bytes from, const uint8_t mask[4])
{
	for (size_t i = 0; i < from.len; i++)
		to[i] = from.at[i] ^ mask[i % 4];
}

/* Compressed octets whose message begins with SIP, if that can be told without those before it. */
static bool packed_sip(struct bytes payload)
{
	struct inflater *f = inflater_new();
	struct buf plain = { 0 };
	bool sip = false;

	if (f != NULL) {
		inflater_message(f, payload, GLANCE_PACKED, &plain); /* most likely cut: what there is will do */
		sip = start_seen(buf_bytes(&plain), 0) >= START_LIKELY;
	}
	buf_clear(&plain);
	inflater_free(f);
	return sip;
}

bool websocket_sip(struct bytes view)
{
	uint8_t glance[GLANCE_PACKED];
	struct frame_head h;
	struct bytes payload;
	uint8_t opcode = view.len > 0 ? view.at[0] & 0x3f : 0;
	size_t most;

	if ((opcode != TEXT && opcode != BINARY) || read_head(view, &h) != HEAD_WHOLE || h.payload_len > MESSAGE_MAX)
		return false;
	most = h.packed ? GLANCE_PACKED : GLANCE;
	payload = bytes_part(view, h.len, h.payload_len < most ? (size_t)h.payload_len : most);
	websocket_unmask(glance, payload, h.mask);
	payload.at = glance;
	return h.packed ? packed_sip(payload) : start_seen(payload, 0) >= START_LIKELY;
}

bool websocket_packed(struct bytes view)
{
	struct frame_head h;

	return view.len > 0 && view.at[0] == (0x80 | 0x40 | TEXT) && read_head(view, &h) == HEAD_WHOLE &&
	       h.payload_len > GLANCE && h.payload_len == view.len - h.len;
}

size_t websocket_octets(const struct websocket *ws)
{
	return ws->parts.cap + ws->plain.cap + (ws->inflater != NULL ? INFLATER_OCTETS : 0);
}

void websocket_clear(struct websocket *ws)
{
	buf_clear(&ws->parts);
	buf_clear(&ws->plain);
	inflater_free(ws->inflater);
	ws->inflater = NULL;
}

/* Messages from here on may refer to what was not seen. */
static void forget_context(struct websocket *ws)
{
	if (ws->inflater != NULL)
		inflater_forget(ws->inflater);
}

static void forget_parts(struct websocket *ws)
{
	if (ws->open && ws->packing)
		forget_context(ws);
	buf_clear(&ws->parts);
	ws->open = false;
}

void websocket_lose(struct websocket *ws, size_t have, size_t lost)
{
	uint64_t due = ws->skip > 0 ? ws->skip : ws->frame > have ? ws->frame - have : 0;

	forget_parts(ws);
	forget_context(ws);
	ws->looked = 0;
	ws->frame = 0;
	ws->skip = due > lost ? due - lost : 0;
	if (due == 0 || due < lost)
		ws->state = WS_LOST;
}

static enum websocket_cut lose_place(struct websocket *ws, struct bytes view, size_t *used)
{
	ws->lost++;
	forget_parts(ws);
	forget_context(ws);
	ws->state = WS_LOST;
	*used = view.len;
	return WS_SKIP;
}

/* Up to the empty line. */
static enum websocket_cut http(struct websocket *ws, struct bytes view, size_t *used)
{
	const uint8_t *end = memmem(view.at + ws->looked, view.len - ws->looked, "\r\n\r\n", 4);

	ws->looked = view.len > 3 ? view.len - 3 : 0;
	if (end == NULL)
		return view.len > HTTP_MAX ? lose_place(ws, view, used) : WS_MORE;
	ws->state = WS_FRAMES;
	ws->looked = 0;
	*used = (size_t)(end - view.at) + 4;
	return WS_SKIP;
}

/* A compressed message is all in ws->parts (RFC 7692 6.2). */
static enum websocket_cut unpack(struct websocket *ws, struct websocket_message *out)
{
	bool whole;

	if (ws->inflater == NULL)
		ws->inflater = inflater_new();
	whole = ws->inflater != NULL && inflater_message(ws->inflater, out->payload, MESSAGE_MAX, &ws->plain);
	ws->unpacked += whole;
	if (ws->plain.len > MESSAGE_MAX)
		ws->too_long++;
	else
		ws->packed += !whole;
	out->payload = buf_bytes(&ws->plain);
	return whole ? WS_MESSAGE : WS_SKIP;
}

/* A part of a message in several frames, or of a compressed one. */
static enum websocket_cut part(struct websocket *ws, const struct frame_head *h, struct websocket_message *out)
{
	uint8_t *to = buf_room(&ws->parts, out->payload.len);

	if (to == NULL) {
		forget_parts(ws);
		return WS_SKIP;
	}
	websocket_unmask(to, out->payload, h->mask);
	ws->parts.len += out->payload.len;
	if (!h->fin)
		return WS_SKIP;
	memset(out->mask, 0, sizeof(out->mask));
	out->payload = buf_bytes(&ws->parts);
	ws->open = false;
	return ws->packing ? unpack(ws, out) : WS_MESSAGE;
}

/* A frame that is too long is no use, nor is the message that it belongs to. */
static enum websocket_cut leave_out(struct websocket *ws, uint64_t len)
{
	ws->too_long++;
	forget_parts(ws);
	forget_context(ws);
	ws->skip = len;
	return WS_SKIP;
}

static enum websocket_cut data_frame(struct websocket *ws, const struct frame_head *h, struct websocket_message *out)
{
	if (h->opcode != CONTINUATION) {
		forget_parts(ws);
		ws->packing = h->packed;
		if (h->fin && !h->packed)
			return WS_MESSAGE;
		ws->open = true;
	}
	return ws->open ? part(ws, h, out) : WS_SKIP;
}

static enum websocket_cut frame(struct websocket *ws, struct bytes view, size_t *used, struct websocket_message *out)
{
	struct frame_head h;
	enum head_seen seen = read_head(view, &h);

	ws->frame = 0;
	if (seen != HEAD_WHOLE)
		return seen == HEAD_MORE ? WS_MORE : lose_place(ws, view, used);
	if (h.payload_len + ws->parts.len > MESSAGE_MAX)
		return leave_out(ws, h.len + h.payload_len);
	if (view.len - h.len < h.payload_len) {
		ws->frame = h.len + h.payload_len;
		return WS_MORE;
	}
	*used = h.len + (size_t)h.payload_len;
	if (h.opcode >= CLOSE)
		return WS_SKIP;
	out->at = h.len;
	out->payload = bytes_part(view, h.len, (size_t)h.payload_len);
	memcpy(out->mask, h.mask, sizeof(out->mask));
	return data_frame(ws, &h, out);
}

enum websocket_cut websocket_cut(struct websocket *ws, struct bytes view, size_t *used, struct websocket_message *out)
{
	*used = 0;
	if (!ws->open)
		buf_clear(&ws->parts);
	buf_clear(&ws->plain);
	if (view.len == 0)
		return WS_MORE;
	if (ws->skip > 0) {
		*used = ws->skip < view.len ? (size_t)ws->skip : view.len;
		ws->skip -= *used;
		return WS_SKIP;
	}
	if (ws->state == WS_LOST) {
		if (!websocket_sip(view)) {
			*used = view.len;
			return WS_SKIP;
		}
		ws->state = WS_FRAMES;
	}
	return ws->state == WS_HTTP ? http(ws, view, used) : frame(ws, view, used, out);
}
