/* start: whether octets begin a SIP message, asked of every datagram (RFC 3261 7.1, 7.2). */
#include "parts.h"

#include "otway/base/text.h"
#include "otway/sip.h"

#define METHOD_MAX 64

static const char version[] = "SIP/2.0";

static bool token(uint8_t c)
{
	return text_digit(c) || text_alpha(c) || (c != '\0' && strchr("-.!%*_+`'~", c) != NULL);
}

/* "SIP/2.0 180 Ringing" */
static bool read_status(struct bytes line, struct start_line *out)
{
	struct bytes code = text_word(bytes_part(line, sizeof(version), line.len), NULL);
	uint64_t status;

	if (line.len < sizeof(version) || line.at[sizeof(version) - 1] != ' ' || code.len != 3 ||
		!text_number(code, 699, &status) || status < 100)
		return false;
	*out = (struct start_line){ .status = (uint16_t)status };
	return true;
}

/* The method that begins a line; empty when none does. */
static struct bytes read_method(struct bytes line)
{
	size_t len = 0;

	while (len < line.len && len <= METHOD_MAX && token(line.at[len]))
		len++;
	if (len > METHOD_MAX || len == line.len || line.at[len] != ' ')
		len = 0;
	return bytes_part(line, 0, len);
}

/* "INVITE sip:bob@ims.example SIP/2.0"; more space than one is wrong, and met (RFC 4475 3.1.2.8, 3.1.2.9). */
static bool read_request(struct bytes line, struct bytes method, struct start_line *out)
{
	const size_t len = sizeof(version) - 1;
	struct bytes uri;

	line = text_trim(line);
	if (line.len < method.len + len + 2 || !text_is(bytes_part(line, line.len - len, len), version) ||
		!text_space(line.at[line.len - len - 1]))
		return false;
	uri = text_trim(bytes_part(line, method.len, line.len - method.len - len));
	*out = (struct start_line){ .request = true, .method = method, .uri = uri };
	return uri.len > 0;
}

bool start_line_read(struct bytes payload, struct start_line *out, struct bytes *from, struct bytes *rest)
{
	struct bytes method, line;

	while (payload.len > 0 && (payload.at[0] == '\r' || payload.at[0] == '\n'))
		payload = bytes_part(payload, 1, payload.len);
	*from = *rest = payload;
	if (text_begins(payload, version)) {
		line = line_next(rest, NULL);
		return read_status(line, out);
	}
	method = read_method(payload);
	if (method.len == 0)
		return false;
	line = line_next(rest, NULL);
	return read_request(line, method, out);
}

/* "SIP/2.0 180 " */
static bool plain_status(struct bytes p)
{
	return p.len > sizeof(version) + 3 && memcmp(p.at, "SIP/2.0 ", sizeof(version)) == 0 && p.at[8] >= '1' &&
	       p.at[8] <= '6' && text_digit(p.at[9]) && text_digit(p.at[10]) && p.at[11] == ' ';
}

/* Capital letters, a space, a URI without any, a space, the version, CRLF. False: it may be a request all the same. */
static bool plain_request(struct bytes p)
{
	const size_t len = sizeof(version) - 1;
	const uint8_t *end;
	size_t n = 0;

	while (n < p.len && n < METHOD_MAX && p.at[n] >= 'A' && p.at[n] <= 'Z')
		n++;
	if (n == 0 || p.len < n + len + 5 || p.at[n] != ' ' || p.at[n + 1] <= ' ')
		return false;
	end = memchr(p.at + n, '\r', p.len - n - 1);
	return end != NULL && end[1] == '\n' && end >= p.at + n + 3 + len &&
	       memcmp(end - len - 1, " SIP/2.0", len + 1) == 0 &&
	       memchr(p.at + n, '\n', (size_t)(end - p.at) - n) == NULL;
}

bool sip_is(struct bytes payload)
{
	struct start_line line;
	struct bytes from, rest;

	/* Most that is not SIP is media, whose first octet is none of text. */
	if (payload.len == 0 || payload.at[0] >= 0x80)
		return false;
	return plain_status(payload) || plain_request(payload) || start_line_read(payload, &line, &from, &rest);
}
