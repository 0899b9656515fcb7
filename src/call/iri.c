/*
 * iri: what is content in a SIP message, and blanking it. Works on the text alone, and takes for content what it cannot tell:
 * a body without a type, an unknown body of a MESSAGE (RFC 3428), a multipart nested too deep.
 */
#include "iri.h"

#include "otway/base/text.h"

#define DEPTH_MAX 3

/* Types of bodies that are what people say to each other. SDP, sipfrag, presence and the like are not. */
static const char *const content_types[] = {
	"text/",
	"message/cpim",
	"application/vnd.3gpp.sms",
	"application/octet-stream",
	"image/",
	"audio/",
	"video/",
};

struct headers {
	struct bytes type, subject; /* values, folded lines and all */
	struct bytes body;          /* behind the empty line; NULL: there is none */
};

/* The line at *at, its line end included. */
static struct bytes line_at(struct bytes text, size_t at)
{
	struct bytes rest = bytes_part(text, at, text.len);
	const uint8_t *end = rest.len > 0 ? memchr(rest.at, '\n', rest.len) : NULL;

	return end != NULL ? bytes_part(rest, 0, (size_t)(end - rest.at) + 1) : rest;
}

static bool line_is_empty(struct bytes line)
{
	return text_trim(line).len == 0;
}

/* A header's line and those it is folded over (RFC 3261 7.3.1). */
static struct bytes header_at(struct bytes text, size_t at)
{
	size_t len = line_at(text, at).len;

	while (at + len < text.len && (text.at[at + len] == ' ' || text.at[at + len] == '\t') &&
		!line_is_empty(line_at(text, at + len)))
		len += line_at(text, at + len).len;
	return bytes_part(text, at, len);
}

static void headers_read(struct bytes text, size_t at, struct headers *out)
{
	*out = (struct headers){ 0 };
	while (at < text.len) {
		struct bytes header = header_at(text, at), value, name;

		at += header.len;
		if (line_is_empty(header)) {
			out->body = bytes_part(text, at, text.len);
			return;
		}
		name = text_trim(text_cut(header, ':', &value));
		if (text_is(name, "Content-Type") || text_is(name, "c"))
			out->type = text_trim(value);
		else if (text_is(name, "Subject") || text_is(name, "s"))
			out->subject = text_trim(value);
	}
}

static bool is_content(struct bytes type)
{
	for (size_t i = 0; i < sizeof(content_types) / sizeof(content_types[0]); i++)
		if (text_begins(type, content_types[i]))
			return true;
	return type.len == 0;
}

/* b lies in h: the same octets, to be written to. */
static void blank(struct held *h, struct bytes b)
{
	if (b.len > 0)
		memset(h->bytes + (b.at - h->bytes), ' ', b.len);
}

/* The boundary parameter (RFC 2046 5.1.1), without quotes. */
static struct bytes boundary_of(struct bytes type)
{
	struct bytes rest = type, parameter, value;

	text_cut(type, ';', &rest);
	while (rest.len > 0) {
		parameter = text_cut(rest, ';', &rest);
		if (!text_is(text_trim(text_cut(parameter, '=', &value)), "boundary"))
			continue;
		value = text_trim(value);
		if (value.len >= 2 && value.at[0] == '"')
			value = bytes_part(value, 1, value.len - 2);
		return value;
	}
	return (struct bytes){ NULL, 0 };
}

static bool is_delimiter(struct bytes line, struct bytes boundary)
{
	return line.len >= boundary.len + 2 && line.at[0] == '-' && line.at[1] == '-' &&
	       bytes_equal(bytes_part(line, 2, boundary.len), boundary);
}

static void blank_body(struct held *h, struct bytes type, struct bytes body, int depth);

static void blank_part(struct held *h, struct bytes part, int depth)
{
	struct headers headers;

	headers_read(part, 0, &headers);
	blank_body(h, headers.type, headers.body, depth);
}

static void blank_multipart(struct held *h, struct bytes boundary, struct bytes body, int depth)
{
	size_t at = 0, begin = 0;
	bool within = false;

	while (at < body.len) {
		struct bytes line = line_at(body, at);

		if (is_delimiter(line, boundary)) {
			if (within)
				blank_part(h, bytes_part(body, begin, at - begin), depth + 1);
			within = true;
			begin = at + line.len;
		}
		at += line.len;
	}
	if (within && begin < body.len) /* the closing delimiter is cut off */
		blank_part(h, bytes_part(body, begin, body.len), depth + 1);
}

static void blank_body(struct held *h, struct bytes type, struct bytes body, int depth)
{
	struct bytes boundary = text_begins(type, "multipart/") ? boundary_of(type) : (struct bytes){ NULL, 0 };

	if (boundary.len > 0 && depth < DEPTH_MAX)
		blank_multipart(h, boundary, body, depth);
	else if (is_content(type) || text_begins(type, "multipart/"))
		blank(h, body);
}

static uint32_t sum_words(struct bytes b)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < b.len; i++) {
		sum += i % 2 == 0 ? (uint32_t)b.at[i] << 8 : b.at[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* RFC 1624: HC' = ~(~HC + ~m + m'), over a UDP payload, which begins on a word. A checksum of 0 is none (RFC 768). */
static void fix_checksum(struct held *h, struct bytes before)
{
	uint8_t *payload = held_payload(h), *field = payload - 2;
	uint32_t sum;

	if (h->datagram.proto != IP_PROTO_UDP || payload - h->bytes < 28 || be16(field) == 0)
		return;
	sum = (uint16_t)~be16(field);
	sum += (uint16_t)~sum_words(before);
	sum += sum_words(h->datagram.payload);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = (uint16_t)~sum;
	put_be16(field, sum == 0 ? 0xffff : (uint16_t)sum);
}

bool iri_blank(struct held *message, struct held **out)
{
	struct held *h = held_new(&message->datagram);
	struct bytes text;
	struct headers headers;
	size_t at = 0;

	*out = h;
	if (h == NULL)
		return false;
	text = h->datagram.payload;
	while (at < text.len && line_is_empty(line_at(text, at)))
		at += line_at(text, at).len;
	headers_read(text, at + line_at(text, at).len, &headers);
	blank(h, headers.subject);
	if (text_begins(bytes_part(text, at, text.len), "MESSAGE "))
		blank(h, headers.body);
	else
		blank_body(h, headers.type, headers.body, 0);
	fix_checksum(h, message->datagram.payload);
	return true;
}
