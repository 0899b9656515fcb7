/*
 * target: what a warrant may name. One subscriber, never a set of them: each kind of wider selector is refused with
 * a sentence of its own.
 */
#include "otway/model/identity.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"

/* A URI of a warrant taken apart, as far as refusing it needs. */
struct selector {
	struct bytes uri, scheme, rest;
	struct bytes user, place; /* of sip and sips: before and behind the "@"; of tel: the digits, and nothing */
	bool has_at;
	char text[2 * IDENTITY_MAX]; /* user, every escape decoded */
};

static bool is_sip(const struct selector *s)
{
	return text_is(s->scheme, "sip") || text_is(s->scheme, "sips");
}

static bool is_tel(const struct selector *s)
{
	return text_is(s->scheme, "tel");
}

static bool has_any(struct bytes text, const char *marks)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] != '\0' && strchr(marks, text.at[i]) != NULL)
			return true;
	return false;
}

/* RFC 3261 allows a comma in a user part; nobody is called so, and a list would pass for one. */
static bool several(const struct selector *s)
{
	return has_any(s->rest, " \t\r\n,");
}

static bool no_user(const struct selector *s)
{
	return is_sip(s) && (!s->has_at || text_cut(s->user, ':', NULL).len == 0);
}

/* "example.com", "@example.com", "*@example.com": a domain or more where one subscriber should be. */
static bool bare_domain(const struct selector *s)
{
	struct bytes rest, before = text_cut(s->scheme, '@', &rest);

	if (s->rest.len > 0 || s->scheme.len == 0)
		return false;
	if (before.len < s->scheme.len)
		return before.len == 0 || has_any(before, "*!");
	return has_any(s->scheme, ".*!") && !has_any(s->scheme, " \t\r\n/<>\"");
}

/* A star may begin a service number ("*21"), and stands for itself there; behind digits it would mean a prefix. */
static bool wildcard(const struct selector *s)
{
	const char *user = s->text;

	if (!is_sip(s) && !is_tel(s))
		return false;
	if (user[0] == '*' && text_digit((uint8_t)user[1]))
		user++;
	return strpbrk(user, "*![]{}^|\\") != NULL || has_any(s->place, "*!^|\\{}");
}

/* A number so short that it is the beginning of others, or one that ends in placeholders. */
static bool prefix(const struct selector *s)
{
	size_t digits = strspn(s->text, "+-.()0123456789"), rest = strlen(s->text) - digits;
	struct identity id;
	bool is_short;

	identity_parse(s->uri, &id);
	is_short = id.number[0] != '\0' && strlen(id.number) < sizeof("+12345") - 1;
	identity_clear(&id);
	return is_short || (digits > 1 && rest > 0 && strspn(s->text + digits, "?%xX$") == rest);
}

/* RFC 3966 5.1.3: an extension is another person than the number before it, and it is not compared. */
static bool extension(const struct selector *s)
{
	struct bytes part, rest = is_sip(s) ? s->user : s->rest;

	while (rest.len > 0) {
		part = text_cut(rest, ';', &rest);
		if (text_begins(part, "ext="))
			return is_sip(s) || is_tel(s);
	}
	return false;
}

/* An octet that no name has, as it is or escaped. */
static bool control(const struct selector *s)
{
	for (size_t i = 0; i < s->uri.len; i++) {
		uint8_t c = s->uri.at[i];

		if (c == '%')
			(void)text_unhex(bytes_part(s->uri, i + 1, 2), &c, 1);
		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

/* RFC 3261 19.1.1: the password beside the user. */
static bool password(const struct selector *s)
{
	return is_sip(s) && s->has_at && has_any(s->user, ":");
}

/* RFC 3966 5.1.4, 5.1.5: a number that is not global is somebody's only together with its context. */
static bool without_context(const struct selector *s)
{
	struct identity id;
	bool local = is_tel(s) && identity_parse(s->uri, &id) && id.number[0] == '\0' &&
		     strstr(id.uri, ";phone-context=") == NULL;

	identity_clear(&id);
	return local;
}

static const struct {
	bool (*is)(const struct selector *s);
	const char *why;
} refusals[] = {
	{ several, "target: it holds several values; give one target for each subscriber" },
	{ control, "target: it holds a control character, which is part of no subscriber's name" },
	{ bare_domain,
		"target: a domain or a pattern is not one subscriber; give a sip, sips or tel URI with a user part" },
	{ no_user, "target: the URI has no user part, so that it names a whole domain; give one subscriber" },
	{ password, "target: it holds a password, which is no part of a subscriber's identity; leave it out" },
	{ wildcard, "target: wildcards and patterns are refused; give one subscriber" },
	{ extension, "target: an extension cannot be told from others of its number; give the subscriber's own URI" },
	{ prefix, "target: the number is a prefix of others; give one subscriber's whole number" },
	{ without_context,
		"target: a local number is one subscriber's only with its phone-context (RFC 3966); give that, or the "
		"global number" },
};

static void take_apart(struct bytes uri, struct selector *s)
{
	size_t len = 0;

	memset(s, 0, sizeof(*s));
	s->uri = uri;
	s->scheme = text_cut(uri, ':', &s->rest);
	s->has_at = s->rest.len > 0 && memchr(s->rest.at, '@', s->rest.len) != NULL;
	s->user = is_sip(s) ? text_cut(s->rest, '@', &s->place) : text_cut(s->rest, ';', NULL);
	for (size_t i = 0; i < s->user.len && len + 1 < sizeof(s->text); i++) {
		uint8_t c = s->user.at[i];

		if (c == '%' && text_unhex(bytes_part(s->user, i + 1, 2), &c, 1) == 1)
			i += 2;
		s->text[len++] = c != '\0' ? (char)c : '?';
	}
}

int identity_target(struct bytes uri, struct identity *out, struct err *err)
{
	struct selector s;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	take_apart(text_trim(uri), &s);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]) && rc == 0; i++)
		if (refusals[i].is(&s))
			rc = err_code(err, EXIT_REFUSED, "%s", refusals[i].why);
	if (rc == 0 && !identity_parse(uri, out))
		rc = err_code(err, EXIT_USAGE,
			"target: neither a sip, sips or tel URI with a user part nor urn:gsma:imei with 14 or 15 "
			"digits");
	secret_wipe(&s, sizeof(s));
	return rc;
}
