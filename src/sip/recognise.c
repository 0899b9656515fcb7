/* recognise: cheap answers first; most segments of a mirror port are none of ours. */
#include "recognise.h"

#include "otway/base/text.h"
#include "parts.h"
#include "websocket.h"

#define METHOD_MAX 64

static const char version[] = "SIP/2.0";

#define VERSION_LEN (sizeof(version) - 1)

/* RFC 3261 25.1, a bit an octet: letters, digits and -.!%*_+`'~ */
static bool token(uint8_t c)
{
	static const uint64_t tokens[4] = { UINT64_C(0x03ff6ca200000000), UINT64_C(0x47ffffff87fffffe) };

	return (tokens[c / 64] >> (c % 64) & 1) != 0;
}

static bool whole(struct bytes line)
{
	struct start_line read;
	struct bytes from, rest;

	return start_line_read(line, &read, &from, &rest);
}

static struct bytes trim_end(struct bytes line)
{
	while (line.len > 0 && text_space(line.at[line.len - 1]))
		line.len--;
	return line;
}

static size_t method_length(struct bytes view)
{
	size_t n = 0;

	while (n < view.len && n <= METHOD_MAX && token(view.at[n]))
		n++;
	return n;
}

/* Behind the method: the schemes that a phone network uses, or what may yet become one. */
static enum start scheme(struct bytes uri)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:", "urn:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (text_begins(uri, schemes[i]))
			return START_LIKELY;
	return START_MAYBE;
}

/* The line is not whole. */
static enum start unfinished(struct bytes view, size_t method_len)
{
	if (text_begins(view, "SIP/2.0 "))
		return START_LIKELY;
	if (method_len == view.len)
		return START_MAYBE;
	if (view.at[method_len] == '/')
		return view.len <= VERSION_LEN ? START_MAYBE : START_NO;
	return scheme(bytes_part(view, method_len + 1, SIZE_MAX));
}

enum start start_seen(struct bytes view, size_t from)
{
	size_t method_len = method_length(view), window = view.len < START_LINE_MAX ? view.len : START_LINE_MAX;
	const uint8_t *end = NULL;

	if (view.len == 0)
		return START_MAYBE;
	if (method_len == 0 || method_len > METHOD_MAX)
		return START_NO;
	if (method_len < view.len && view.at[method_len] != ' ' && !(method_len == 3 && view.at[3] == '/'))
		return START_NO;
	if (from < window)
		end = memchr(view.at + from, '\n', window - from);
	if (end == NULL)
		return view.len >= START_LINE_MAX ? START_NO : unfinished(view, method_len);
	return whole(bytes_part(view, 0, (size_t)(end - view.at) + 1)) ? START_YES : START_NO;
}

size_t start_idle(struct bytes view)
{
	size_t n = 0;

	for (;;) {
		while (n < view.len && (view.at[n] == '\r' || view.at[n] == '\n' || view.at[n] == '\0'))
			n++;
		if (view.len - n < 4 || memcmp(view.at + n, "jaK", 4) != 0)
			return n;
		n += 4;
	}
}

/* Could a header line begin here, as far as can be seen? */
static bool header_begins(struct bytes view)
{
	size_t n = method_length(view);

	while (n > 0 && n < view.len && (view.at[n] == ' ' || view.at[n] == '\t'))
		n++;
	return view.len == 0 || (n > 0 && (n == view.len || view.at[n] == ':'));
}

static bool known_method(struct bytes at)
{
	static const char *const methods[] = { "INVITE ", "ACK ", "BYE ", "CANCEL ", "OPTIONS ", "REGISTER ", "PRACK ",
		"SUBSCRIBE ", "NOTIFY ", "PUBLISH ", "INFO ", "REFER ", "MESSAGE ", "UPDATE " };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (at.len > strlen(methods[i]) && memcmp(at.at, methods[i], strlen(methods[i])) == 0)
			return true;
	return false;
}

/* "SIP/2.0 200" */
static bool status(struct bytes at)
{
	return at.len >= VERSION_LEN + 4 && memcmp(at.at, version, VERSION_LEN) == 0 && at.at[VERSION_LEN] == ' ' &&
	       text_digit(at.at[VERSION_LEN + 1]) && text_digit(at.at[VERSION_LEN + 2]) &&
	       text_digit(at.at[VERSION_LEN + 3]);
}

/* A start-line on a line that something else begins; line.len: none. Looks at each octet once. */
static size_t within_line(struct bytes line)
{
	struct bytes tail =
		line.len > VERSION_LEN ? bytes_part(line, line.len - VERSION_LEN - 1, SIZE_MAX) : (struct bytes){ 0 };
	bool request = text_is(tail, " SIP/2.0");

	for (size_t at = 1; at + VERSION_LEN < line.len; at++) {
		struct bytes rest = bytes_part(line, at, SIZE_MAX);

		if (rest.at[0] == 'S' && status(rest))
			return at;
		if (request && rest.at[0] >= 'A' && rest.at[0] <= 'U' && known_method(rest))
			return at;
	}
	return line.len;
}

/* A start-line has the version at one of its ends; cheap, for every line of text. */
static bool has_version(struct bytes line)
{
	return line.len > VERSION_LEN &&
	       (text_begins(line, version) || text_is(bytes_part(line, line.len - VERSION_LEN, VERSION_LEN), version));
}

size_t start_find(struct bytes view, size_t from, bool within_lines)
{
	const uint8_t *end;

	for (; (end = memchr(view.at + from, '\n', view.len - from)) != NULL; from = (size_t)(end - view.at) + 1) {
		size_t behind = (size_t)(end - view.at) + 1, at = 0;
		struct bytes line = trim_end(bytes_part(view, from, behind - from));

		if (!has_version(line) || start_seen(bytes_part(view, from, behind - from), 0) != START_YES)
			at = within_lines ? within_line(line) : line.len;
		if (at < line.len && header_begins(bytes_part(view, behind, SIZE_MAX)))
			return from + at;
	}
	return view.len;
}

/* A comma list that has "sip" in it (RFC 7118 4.1). */
static bool names_sip(struct bytes list)
{
	while (list.len > 0)
		if (text_is(text_trim(text_cut(list, ',', &list)), "sip"))
			return true;
	return false;
}

static bool upgrade(struct bytes payload)
{
	struct bytes line;

	if (payload.at[0] != 'G' && payload.at[0] != 'H')
		return false;
	if (!text_begins(payload, "GET ") && !text_begins(payload, "HTTP/1.1 101"))
		return false;
	while (payload.len > 0) {
		line = text_trim(text_cut(payload, '\n', &payload));
		if (line.len == 0)
			return false;
		if (text_begins(line, "Sec-WebSocket-Protocol")) {
			text_cut(line, ':', &line);
			if (names_sip(line))
				return true;
		}
	}
	return false;
}

/* Takes a field with a length of `octets` octets before it off the front. */
static struct bytes vector(struct bytes *from, size_t octets)
{
	struct bytes field = { NULL, 0 };
	size_t len = 0;

	if (from->len < octets) {
		*from = field;
		return field;
	}
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | from->at[i];
	field = bytes_part(*from, octets, len);
	*from = bytes_part(*from, octets + field.len, SIZE_MAX);
	return field;
}

/* ALPN of a ClientHello (RFC 8446 4.1.2, RFC 7301 3.1). */
static bool hello_sip(struct bytes hello)
{
	struct bytes rest = bytes_part(hello, 9 + 2 + 32, SIZE_MAX), extensions, names;

	vector(&rest, 1); /* session */
	vector(&rest, 2); /* cipher suites */
	vector(&rest, 1); /* compression */
	extensions = vector(&rest, 2);
	while (extensions.len >= 4) {
		uint16_t type = be16(extensions.at);

		extensions = bytes_part(extensions, 2, SIZE_MAX);
		rest = vector(&extensions, 2);
		if (type != 16)
			continue;
		names = vector(&rest, 2);
		while (names.len > 0)
			if (text_is(vector(&names, 1), "sip/2"))
				return true;
	}
	return false;
}

/* A record of change_cipher_spec, alert, handshake or application data, of any version there is. */
static bool tls_record(struct bytes p)
{
	return p.len >= 6 && p.at[0] >= 20 && p.at[0] <= 23 && p.at[1] == 3 && p.at[2] <= 4 && be16(p.at + 3) > 0 &&
	       be16(p.at + 3) <= 16384 + 2048;
}

bool recognise_text(struct bytes payload)
{
	size_t ends = payload.len < 8 ? payload.len : 8;

	for (size_t i = 0; i < ends; i++) {
		uint8_t a = payload.at[i], b = payload.at[payload.len - 1 - i];

		if ((a < 0x20 && !text_space(a)) || (b < 0x20 && !text_space(b)) || a == 0x7f || b == 0x7f)
			return false;
	}
	return true;
}

/* Text of a connection that was there before us: a message may begin on one of its lines. */
static enum kind_seen within(struct bytes payload, size_t *offset)
{
	const uint8_t *line;

	if (!recognise_text(payload) || (line = memchr(payload.at, '\n', payload.len)) == NULL)
		return SEEN_NOTHING;
	*offset = start_find(payload, (size_t)(line - payload.at) + 1, false);
	return *offset < payload.len ? SEEN_SIP : SEEN_NOTHING;
}

enum kind_seen recognise(struct bytes payload, size_t *offset)
{
	enum start start;

	*offset = start_idle(payload);
	start = start_seen(bytes_part(payload, *offset, SIZE_MAX), 0);
	if (start >= START_LIKELY)
		return SEEN_SIP;
	if (tls_record(payload))
		return payload.at[0] == 22 && payload.at[5] == 1 && hello_sip(payload) ? SEEN_TLS_SIP : SEEN_TLS;
	if (websocket_sip(payload))
		return SEEN_WEBSOCKET;
	if (upgrade(payload))
		return SEEN_UPGRADE;
	if (start == START_MAYBE)
		return SEEN_MAYBE;
	return within(payload, offset);
}
