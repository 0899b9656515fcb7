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
static inline bool word_before(struct bytes text, size_t colon, const char *word, size_t len)
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

/* Where the line that `from` lies in ends: at CR, LF or the end of the text. */
static size_t line_end(struct bytes text, size_t from)
{
#ifdef __SSE2__
	for (; from + 16 <= text.len; from += 16) {
		__m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)(text.at + from));
		__m128i ends = _mm_or_si128(
			_mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\n')));
		unsigned int mask = (unsigned int)_mm_movemask_epi8(ends);

		if (mask != 0)
			return from + (size_t)__builtin_ctz(mask);
	}
#endif
	while (from < text.len && text.at[from] != '\r' && text.at[from] != '\n')
		from++;
	return from;
}

/* The value behind a colon, up to the end of its line (CRLF, or either alone), folded lines taken in. */
static struct bytes value_behind(struct bytes text, size_t colon)
{
	size_t from = colon + 1, line, end;

	do {
		line = line_end(text, from);
		end = line + 1;
		from = end + (end < text.len && text.at[line] == '\r' && text.at[end] == '\n');
	} while (from < text.len && (text.at[from] == ' ' || text.at[from] == '\t'));
	return text_trim((struct bytes){ text.at + colon + 1, line - colon - 1 });
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

/* Some functions are kept out of the loop over the colons, so that what is seldom wanted costs those that want nothing nothing. */
#define APART __attribute__((noinline))

APART static bool user_may(const struct triage *t, struct bytes rest)
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

/* Behind the number, which digits and a space tell at once. */
static struct bytes cseq_method(struct bytes cseq)
{
	struct bytes rest;
	size_t i = 0;

	while (i < cseq.len && text_digit(cseq.at[i]))
		i++;
	if (i > 0 && i + 1 < cseq.len && cseq.at[i] == ' ' && text_alpha(cseq.at[i + 1]))
		return bytes_part(cseq, i + 1, cseq.len);
	text_word(cseq, &rest);
	return text_word(rest, NULL);
}

static bool is_setup(struct bytes cseq)
{
	static const struct {
		const char *name;
		size_t len;
	} methods[] = { { "INVITE", 6 }, { "ACK", 3 }, { "BYE", 3 }, { "CANCEL", 6 }, { "PRACK", 5 }, { "UPDATE", 6 },
		{ "INFO", 4 } };
	struct bytes method = cseq_method(cseq);

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]) && method.len > 0; i++)
		if (text_lower(method.at[0]) == text_lower((uint8_t)methods[i].name[0]) &&
			text_begins(method, methods[i].name) &&
			(method.len == methods[i].len || method.at[methods[i].len] == ' ' ||
				method.at[methods[i].len] == '\t'))
			return true;
	return method.len == 0;
}

static void take_cseq(struct glance *g, struct bytes value)
{
	g->setup = is_setup(value);
	g->cseq = true;
}

/* Where base64 ends: at a space, a bar or a semicolon, or what is no text (RFC 4568 9.2). */
static size_t inline_end(struct bytes rest)
{
	size_t n = 0;

#ifdef __SSE2__
	for (; n + 16 <= rest.len; n += 16) {
		__m128i all = _mm_loadu_si128((const __m128i *)(const void *)(rest.at + n));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(' ')), all);
		__m128i ends =
			_mm_or_si128(_mm_cmpeq_epi8(all, _mm_set1_epi8('|')), _mm_cmpeq_epi8(all, _mm_set1_epi8(';')));
		unsigned int mask = (unsigned int)_mm_movemask_epi8(_mm_or_si128(low, ends));

		if (mask != 0)
			return n + (size_t)__builtin_ctz(mask);
	}
#endif
	while (n < rest.len && rest.at[n] > ' ' && rest.at[n] != '|' && rest.at[n] != ';')
		n++;
	return n;
}

APART static void take_inline(struct glance *g, struct bytes rest)
{
	g->inlines[g->inline_count++] = (struct bytes){ rest.at, inline_end(rest) };
}

/* Four octets as a number, as tail_of gives them. */
#define TAIL(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define TAIL_THREE       UINT32_C(0xffffff)
#define TAIL_ONE         UINT32_C(0xff)

/* The last four octets before `end`, letters in lower case; what is no letter may look like another octet. */
static inline uint32_t tail_of(struct bytes text, size_t end)
{
	uint32_t tail = 0;

	if (end >= 4)
		return be32(text.at + end - 4) | 0x20202020;
	for (size_t i = 0; i < end; i++)
		tail = tail << 8 | text.at[i] | 0x20;
	return tail;
}

/* The name of a header line, or what looks like one; it ends at `end`, with these octets. */
APART static void name_seen(struct bytes text, size_t at, size_t end, uint32_t tail, struct glance *g)
{
	switch (tail) {
	case TAIL('l', '-', 'i', 'd'):
		if (g->call_id.len == 0 && name_before(text, at, "call-id", 7))
			g->call_id = value_behind(text, at);
		break;
	case TAIL('n', '-', 'i', 'd'):
		if (name_before(text, at, "session-id", 10))
			take_session(g, value_behind(text, at));
		break;
	case TAIL('c', 's', 'e', 'q'):
		if (name_before(text, at, "cseq", 4))
			take_cseq(g, value_behind(text, at));
		break;
	case TAIL('c', 't', 'o', 'r'):
		if (name_before(text, at, "p-charging-vector", 17))
			take_icid(g, value_behind(text, at));
		break;
	case TAIL('r', 'v', 'e', 'r'):
		g->security |= word_before(text, end, "security-server", 15);
		break;
	case TAIL('r', 'i', 'f', 'y'):
		g->security |= word_before(text, end, "security-verify", 15);
		break;
	case TAIL('i', 'e', 'n', 't'):
		g->security |= word_before(text, end, "security-client", 15);
		break;
	default:
		if ((tail & TAIL_ONE) == 'i' && g->call_id.len == 0 && name_before(text, at, "i", 1))
			g->call_id = value_behind(text, at);
		break;
	}
}

/* What the colon at `at` says: the letters before it tell. A scheme stands right before it, a name may have space behind. */
static void colon_seen(const struct triage *t, struct bytes text, size_t at, struct glance *g)
{
	struct bytes rest = { text.at + at + 1, text.len - at - 1 };
	uint32_t tail = tail_of(text, at), three = tail & TAIL_THREE;
	size_t end = at;

	if (three == TAIL(0, 's', 'i', 'p') || three == TAIL(0, 't', 'e', 'l') || tail == TAIL('s', 'i', 'p', 's')) {
		g->may_match = g->may_match || user_may(t, rest);
	} else if (tail == TAIL('i', 'm', 'e', 'i')) {
		g->may_match = g->may_match || skeleton_wanted(t, imei_skeleton(rest));
	} else if (tail == TAIL('l', 'i', 'n', 'e')) {
		if (g->inline_count < GLANCE_INLINES && word_before(text, at, "inline", 6))
			take_inline(g, rest);
	} else {
		while (end > 0 && text_space(text.at[end - 1]))
			end--;
		name_seen(text, at, end, end == at ? tail : tail_of(text, end), g);
	}
}

/* What may stand before a colon that says something: the last letter of a scheme or name, or space behind it. */
#define ENDS(c) [(c)-0x20] = true, [c] = true

static const bool telling[256] = { ENDS('p'), ENDS('s'), ENDS('l'), ENDS('i'), ENDS('d'), ENDS('q'), ENDS('r'),
	ENDS('e'), ENDS('t'), ENDS('y'), [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true };

static inline bool tells(struct bytes text, size_t colon)
{
	return colon > 0 && telling[text.at[colon - 1]];
}

#ifdef __SSE2__
#define STRIDE 64

/* A bit for each of 16 octets that is a colon. */
static inline uint64_t sixteen(const uint8_t *at)
{
	__m128i all = _mm_loadu_si128((const __m128i *)(const void *)at);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8(':')));
}
#endif

void triage_look(const struct triage *t, struct bytes text, struct glance *out)
{
	size_t i = 0;

	out->may_match = out->security = false;
	out->setup = true;
	out->cseq = false;
	out->call_id = out->session[0] = out->session[1] = out->icid = (struct bytes){ NULL, 0 };
	out->inline_count = 0;
#ifdef __SSE2__
	for (; i + 16 <= text.len; i += i + STRIDE <= text.len ? STRIDE : 16) {
		const uint8_t *at = text.at + i;
		uint64_t colons = sixteen(at);

		if (i + STRIDE <= text.len)
			colons |= sixteen(at + 16) << 16 | sixteen(at + 32) << 32 | sixteen(at + 48) << 48;
		for (; colons != 0; colons &= colons - 1) {
			size_t colon = i + (size_t)__builtin_ctzll(colons);

			if (tells(text, colon))
				colon_seen(t, text, colon, out);
		}
	}
#endif
	for (; i < text.len; i++)
		if (text.at[i] == ':' && tells(text, i))
			colon_seen(t, text, i, out);
}
