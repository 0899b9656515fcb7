/*
 * triage: the pass goes from colon to colon, since every URI, header name and inline key has one: what stands before
 * it says what follows. Header names and folding do not matter to it, so no spelling of them can hide a URI.
 */
#include "skeleton.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "otway/base/text.h"

/* Whether the word before the colon at `colon` is `word` (in lower case), whatever stands before that. */
static bool word_before(struct bytes text, size_t colon, const char *word, size_t len)
{
	if (colon < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text_lower(text.at[colon - len + i]) != (uint8_t)word[i])
			return false;
	return true;
}

/* The header line's name: the word before the colon, spaces allowed between, a line end before it. */
static bool name_before(struct bytes text, size_t colon, const char *name, size_t len)
{
	while (colon > 0 && text_space(text.at[colon - 1]))
		colon--;
	return word_before(text, colon, name, len) &&
	       (colon == len || text.at[colon - len - 1] == '\n' || text.at[colon - len - 1] == '\r');
}

/* The value behind a colon, up to the end of its line (CRLF, or either alone), folded lines taken in. */
static struct bytes value_behind(struct bytes text, size_t colon)
{
	size_t end = colon + 1;

	while (end < text.len) {
		size_t line = end;

		while (end < text.len && text.at[end] != '\r' && text.at[end] != '\n')
			end++;
		line = end;
		end += end + 1 < text.len && text.at[end] == '\r' && text.at[end + 1] == '\n' ? 2 : 1;
		if (end >= text.len || (text.at[end] != ' ' && text.at[end] != '\t')) {
			end = line;
			break;
		}
	}
	return text_trim(bytes_part(text, colon + 1, end - colon - 1));
}

/*
 * A number within a context is another number altogether, which may be any. RFC 3966 puts the context behind the digits, as a
 * parameter.
 */
static bool has_context(struct bytes parameters)
{
	for (size_t i = 0;
		i < parameters.len && parameters.at[i] > ' ' && parameters.at[i] != '>' && parameters.at[i] != '@'; i++)
		if (parameters.at[i] == '=' && word_before(parameters, i, "phone-context", 13))
			return true;
	return false;
}

/* The skeleton of an IMEI: of its first 14 digits. */
static uint64_t imei_skeleton(struct bytes rest)
{
	uint8_t digits[14];
	size_t n = 0;

	for (size_t i = 0; i < rest.len && n < sizeof(digits) && (text_digit(rest.at[i]) || rest.at[i] == '-'); i++)
		if (rest.at[i] != '-')
			digits[n++] = rest.at[i];
	return triage_skeleton((struct bytes){ digits, n });
}

static bool user_may(const struct triage *t, struct bytes rest)
{
	size_t end;
	uint64_t skeleton = skeleton_of(rest, &end);

	return skeleton_wanted(t, skeleton) ||
	       (end < rest.len && rest.at[end] == ';' && has_context(bytes_part(rest, end, rest.len)));
}

static bool is_uuid(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (skeleton_hex(value.at[i]) < 0)
			return false;
	return value.len == 32;
}

static bool is_nil(struct bytes uuid)
{
	for (size_t i = 0; i < uuid.len; i++)
		if (uuid.at[i] != '0')
			return false;
	return true;
}

/* The first that is not nil counts. What is not written the plain way is left to the parser. */
static void take_session(struct glance *g, struct bytes value)
{
	struct bytes rest, uuid = text_cut(value, ';', &rest), remote = rest;

	if (g->session[0].len > 0)
		return;
	if (text_begins(rest, "remote="))
		remote = text_cut(bytes_part(rest, 7, rest.len), ';', NULL);
	if (!is_uuid(uuid) || (rest.len > 0 && !is_uuid(remote)))
		g->may_match = true;
	else if (!is_nil(uuid))
		g->session[0] = uuid;
	if (g->session[0].len > 0 && rest.len > 0 && !is_nil(remote))
		g->session[1] = remote;
}

static bool is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] <= ' ' || value.at[i] == '"' || value.at[i] == '\\')
			return false;
	return value.len > 0;
}

static void take_icid(struct glance *g, struct bytes value)
{
	struct bytes rest, icid = text_cut(value, ';', &rest);

	if (g->icid.len > 0)
		return;
	icid = text_begins(icid, "icid-value=") ? bytes_part(icid, 11, icid.len) : (struct bytes){ NULL, 0 };
	if (icid.len > 2 && icid.at[0] == '"' && icid.at[icid.len - 1] == '"')
		icid = bytes_part(icid, 1, icid.len - 2);
	if (is_plain(icid))
		g->icid = icid;
	else
		g->may_match = true;
}

static bool is_setup(struct bytes cseq)
{
	static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO" };
	struct bytes rest, method;

	text_word(cseq, &rest);
	method = text_word(rest, NULL);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (text_is(method, methods[i]))
			return true;
	return method.len == 0;
}

static void take_cseq(struct glance *g, struct bytes value)
{
	g->setup = is_setup(value);
	g->cseq = true;
}

/* What the colon at `at` says; the last letter before it tells most colons apart at once. */
static void colon_seen(const struct triage *t, struct bytes text, size_t at, struct glance *g)
{
	size_t end = at;
	struct bytes rest = { text.at + at + 1, text.len - at - 1 };

	while (end > 0 && text_space(text.at[end - 1]))
		end--;
	switch (end > 0 ? text_lower(text.at[end - 1]) : 0) {
	case 'p':
		if (!g->may_match && word_before(text, at, "sip", 3))
			g->may_match = user_may(t, rest);
		break;
	case 's':
		if (!g->may_match && word_before(text, at, "sips", 4))
			g->may_match = user_may(t, rest);
		break;
	case 'l':
		if (!g->may_match && word_before(text, at, "tel", 3))
			g->may_match = user_may(t, rest);
		break;
	case 'i':
		if (!g->may_match && word_before(text, at, "imei", 4))
			g->may_match = skeleton_wanted(t, imei_skeleton(rest));
		else if (g->call_id.len == 0 && name_before(text, at, "i", 1))
			g->call_id = value_behind(text, at);
		break;
	case 'd':
		if (g->call_id.len == 0 && name_before(text, at, "call-id", 7))
			g->call_id = value_behind(text, at);
		else if (name_before(text, at, "session-id", 10))
			take_session(g, value_behind(text, at));
		break;
	case 'q':
		if (name_before(text, at, "cseq", 4))
			take_cseq(g, value_behind(text, at));
		break;
	case 'r':
		if (name_before(text, at, "p-charging-vector", 17))
			take_icid(g, value_behind(text, at));
		break;
	case 'e':
		if (g->inline_count < GLANCE_INLINES && word_before(text, at, "inline", 6)) {
			size_t n = 0;

			while (n < rest.len && rest.at[n] > ' ' && rest.at[n] != '|' && rest.at[n] != ';')
				n++;
			g->inlines[g->inline_count++] = (struct bytes){ rest.at, n };
		}
		break;
	default:
		break;
	}
}

void triage_look(const struct triage *t, struct bytes text, struct glance *out)
{
	size_t i = 0;

	out->may_match = false;
	out->setup = true;
	out->cseq = false;
	out->call_id = out->session[0] = out->session[1] = out->icid = (struct bytes){ NULL, 0 };
	out->inline_count = 0;
#ifdef __SSE2__
	for (; i + 16 <= text.len; i += 16) {
		__m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)(text.at + i));
		unsigned int mask = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(sixteen, _mm_set1_epi8(':')));

		for (; mask != 0; mask &= mask - 1)
			colon_seen(t, text, i + (size_t)__builtin_ctz(mask), out);
	}
#endif
	for (; i < text.len; i++)
		if (text.at[i] == ':')
			colon_seen(t, text, i, out);
}
