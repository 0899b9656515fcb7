/*
 * identity: canonical forms of sip, sips, tel and IMEI URIs (RFC 3261 19.1, RFC 3966, RFC 7254).
 * A SIP user part that is a telephone-subscriber (RFC 3261 19.1.6) gets the form of its number.
 */
#include "otway/model/identity.h"

#include <arpa/inet.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

#define DIGITS_MAX 64
#define GLOBAL_MIN 5 /* digits of a user part that counts as a global number without user=phone */

/* A canonical form while it is written: it fails rather than is cut. */
struct form {
	char *text;
	size_t len, size;
	bool full;
};

static void put(struct form *f, uint8_t c)
{
	if (f->len + 1 >= f->size) {
		f->full = true;
		return;
	}
	f->text[f->len++] = (char)c;
	f->text[f->len] = '\0';
}

static void put_text(struct form *f, const char *text)
{
	while (*text != '\0')
		put(f, (uint8_t)*text++);
}

/* RFC 3261 25.1: alphanum and mark. */
static bool unreserved(uint8_t c)
{
	return text_digit(c) || text_alpha(c) || (c != '\0' && strchr("-_.!~*'()", c) != NULL);
}

/* The octet at *at, its escape decoded; *at moves behind it. */
static uint8_t unescape(struct bytes text, size_t *at, bool *escaped)
{
	uint8_t c = text.at[(*at)++];

	*escaped = c == '%' && text_unhex(bytes_part(text, *at, 2), &c, 1) == 1;
	if (*escaped)
		*at += 2;
	return c;
}

/* A user part: unreserved escapes decoded, others in upper case, what may not stand there escaped. */
static void put_user(struct form *f, struct bytes user)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < user.len;) {
		bool escaped;
		uint8_t c = unescape(user, &i, &escaped);

		if (unreserved(c) || (!escaped && c > ' ' && c < 0x7f && c != '%')) {
			put(f, c);
			continue;
		}
		put(f, '%');
		put(f, (uint8_t)hex[c >> 4]);
		put(f, (uint8_t)hex[c & 15]);
	}
}

/* An IPv6reference in the one form of inet_ntop (RFC 5952 but for case, which is lower there too). */
static bool put_ip6(struct form *f, struct bytes host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (host.len < 4 || host.len - 2 >= sizeof(text) || host.at[host.len - 1] != ']')
		return false;
	text_copy(bytes_part(host, 1, host.len - 2), text, sizeof(text));
	if (inet_pton(AF_INET6, text, &ip) != 1)
		return false;
	put(f, '[');
	put_text(f, inet_ntop(AF_INET6, &ip, text, sizeof(text)));
	put(f, ']');
	return true;
}

/* A host in lower case, without the dot of the root. False: no host. */
static bool put_host(struct form *f, struct bytes host)
{
	size_t start = f->len;

	if (host.len > 0 && host.at[0] == '[')
		return put_ip6(f, host);
	for (size_t i = 0; i < host.len;) {
		bool escaped;
		uint8_t c = unescape(host, &i, &escaped);

		if (!text_digit(c) && !text_alpha(c) && c != '-' && c != '.' && c != '_' && c < 0x80)
			return false;
		put(f, text_lower(c));
	}
	while (f->len > start && f->text[f->len - 1] == '.')
		f->text[--f->len] = '\0';
	return f->len > start;
}

/* The value of a parameter in "a=b;c=d"; false when it is not there. */
static bool param(struct bytes params, const char *name, struct bytes *value)
{
	while (params.len > 0) {
		struct bytes one = text_cut(params, ';', &params);

		if (text_is(text_cut(one, '=', value), name))
			return true;
	}
	return false;
}

/* A telephone-subscriber (RFC 3966 3). */
struct subscriber {
	char digits[DIGITS_MAX];    /* "+4930123" or "1234": no separators, hex digits in lower case */
	char context[IDENTITY_MAX]; /* "+49", a domain, or "" */
};

/* Digits without their visual separators. False: something else among them, none at all, or too many. */
static bool read_digits(struct bytes raw, char *out, size_t size)
{
	struct form f = { out, 0, size, false };
	bool global = false;

	*out = '\0';
	for (size_t i = 0; i < raw.len;) {
		bool escaped;
		uint8_t c = text_lower(unescape(raw, &i, &escaped));

		if (c == '+' && f.len == 0)
			global = true;
		else if (c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		else if (!text_digit(c) && (global || ((c < 'a' || c > 'f') && c != '*' && c != '#')))
			return false;
		put(&f, c);
	}
	return !f.full && f.len > (global ? 1 : 0);
}

static bool read_subscriber(struct bytes raw, struct subscriber *out)
{
	struct form f = { out->context, 0, sizeof(out->context), false };
	struct bytes params, context;

	out->context[0] = '\0';
	if (!read_digits(text_cut(raw, ';', &params), out->digits, sizeof(out->digits)))
		return false;
	if (!param(params, "phone-context", &context) || context.len == 0)
		return true;
	if (read_digits(context, out->context, sizeof(out->context)) && out->context[0] == '+')
		return true;
	if (!put_host(&f, context) || f.full)
		out->context[0] = '\0';
	return true;
}

/* The global number that a subscriber has; false: it is local. */
static bool global_number(const struct subscriber *s, struct identity *out)
{
	struct form f = { out->number, 0, sizeof(out->number), false };
	const char *digits = s->digits;
	bool global = true;

	if (digits[0] == '0' && digits[1] == '0' && digits[2] >= '1' &&
		strspn(digits, "0123456789") == strlen(digits)) {
		put(&f, '+'); /* the international prefix of ITU-T E.164 */
		digits += 2;
	} else if (digits[0] != '+') {
		global = s->context[0] == '+' && strspn(digits, "0123456789") == strlen(digits);
		put_text(&f, s->context);
	}
	put_text(&f, digits);
	if (!global || f.full)
		out->number[0] = '\0';
	return out->number[0] != '\0';
}

static void put_local(struct form *f, const struct subscriber *s)
{
	put_text(f, "tel:");
	put_text(f, s->digits);
	if (s->context[0] != '\0') {
		put_text(f, ";phone-context=");
		put_text(f, s->context);
	}
}

static bool parse_tel(struct bytes rest, struct identity *out)
{
	struct form f = { out->uri, 0, sizeof(out->uri), false };
	struct subscriber s;

	if (!read_subscriber(rest, &s))
		return false;
	if (global_number(&s, out)) {
		put_text(&f, "tel:");
		put_text(&f, out->number);
	} else {
		put_local(&f, &s);
	}
	return !f.full;
}

/* Whether a user part is to be read as a number, said by user=phone or by its own shape. */
static bool is_phone(const char *user, struct bytes params, const struct subscriber *s)
{
	struct bytes value;

	return (param(params, "user", &value) && text_is(value, "phone")) || s->context[0] != '\0' ||
	       (user[0] == '+' && strlen(s->digits) > GLOBAL_MIN);
}

/* "host", "host:port" or "[v6]:port" without its port. */
static struct bytes without_port(struct bytes hostport)
{
	const uint8_t *end = hostport.len > 0 && hostport.at[0] == '[' ? memchr(hostport.at, ']', hostport.len) : NULL;

	if (end != NULL)
		return bytes_part(hostport, 0, (size_t)(end - hostport.at) + 1);
	return text_cut(hostport, ':', NULL);
}

static bool parse_sip(struct bytes rest, struct identity *out)
{
	struct form f = { out->uri, 0, sizeof(out->uri), false };
	char name[IDENTITY_MAX] = "";
	struct form user = { name, 0, sizeof(name), false };
	struct bytes place, params;
	struct subscriber s;

	put_user(&user, text_cut(text_cut(rest, '@', &place), ':', NULL));
	place = text_cut(place, '?', NULL);
	place = text_cut(place, ';', &params);
	if (user.len == 0 || user.full)
		return false;
	put_text(&f, "sip:");
	if (!read_subscriber(bytes_of(name), &s) || !is_phone(name, params, &s)) {
		put_text(&f, name);
	} else if (global_number(&s, out)) {
		put_text(&f, out->number);
	} else if (s.context[0] != '\0') {
		f.len = 0; /* its context says whose number it is, the host only where to send it */
		put_local(&f, &s);
		return !f.full;
	} else {
		put_text(&f, s.digits);
	}
	put(&f, '@');
	return put_host(&f, without_port(place)) && !f.full;
}

/* "gsma:imei:TTTTTTTT-SSSSSS-C", of which the check digit does not count (RFC 7254 4.2.3). */
static bool parse_imei(struct bytes rest, struct identity *out)
{
	struct form f = { out->uri, 0, sizeof(out->uri), false };
	size_t digits = 0;

	if (!text_begins(rest, "gsma:imei:"))
		return false;
	put_text(&f, "urn:gsma:imei:");
	rest = text_cut(bytes_part(rest, strlen("gsma:imei:"), rest.len), ';', NULL);
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.at[i] == '-')
			continue;
		if (!text_digit(rest.at[i]))
			return false;
		if (digits++ < 14)
			put(&f, rest.at[i]);
	}
	return digits == 14 || digits == 15;
}

bool identity_parse(struct bytes uri, struct identity *out)
{
	struct bytes rest, scheme = text_cut(text_trim(uri), ':', &rest);
	bool named = false;

	memset(out, 0, sizeof(*out));
	if (text_is(scheme, "sip") || text_is(scheme, "sips"))
		named = parse_sip(rest, out);
	else if (text_is(scheme, "tel"))
		named = parse_tel(rest, out);
	else if (text_is(scheme, "urn"))
		named = parse_imei(rest, out);
	if (!named)
		identity_clear(out);
	return named;
}

bool identity_same(const struct identity *a, const struct identity *b)
{
	return (a->number[0] != '\0' && strcmp(a->number, b->number) == 0) ||
	       (a->uri[0] != '\0' && strcmp(a->uri, b->uri) == 0);
}

void identity_clear(struct identity *id)
{
	secret_wipe(id, sizeof(*id));
}
