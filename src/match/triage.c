/*
 * triage: the pass goes from colon to colon, since every URI, header name and inline key has one: what stands before
 * it says what follows. Header names and folding do not matter to it, so no spelling of them can hide a URI.
 */
#include "otway/triage.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "otway/base/secret.h"
#include "otway/base/text.h"

#define SKELETON 8

struct triage {
	uint64_t *slots;    /* open addressing, 0 free */
	size_t count, room; /* room: a power of two, at least twice count */
	bool all;           /* some target has no skeleton, so everything may be it */
};

struct triage *triage_new(void)
{
	return calloc(1, sizeof(struct triage));
}

void triage_free(struct triage *t)
{
	if (t == NULL)
		return;
	secret_free(t->slots, t->room * sizeof(*t->slots));
	free(t);
}

static int hex_value(uint8_t c)
{
	c = text_lower(c);
	return text_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One octet of a user part at *i, an escape decoded, *i moved behind it. */
static uint8_t octet_at(struct bytes user, size_t *i)
{
	uint8_t c = user.at[(*i)++];
	int high, low;

	if (c != '%' || *i + 2 > user.len)
		return c;
	high = hex_value(user.at[*i]);
	low = hex_value(user.at[*i + 1]);
	if (high < 0 || low < 0)
		return c;
	*i += 2;
	return (uint8_t)(high << 4 | low);
}

/* What each octet is within a user part: 0 nothing, END behind it, ESCAPE, else a letter or digit of the skeleton. */
enum { END = 1, ESCAPE = 2 };

#define LETTERS(c) ['A' + (c)] = 'a' + (c), ['a' + (c)] = 'a' + (c)
#define SIX(c)     LETTERS(c), LETTERS(c + 1), LETTERS(c + 2), LETTERS(c + 3), LETTERS(c + 4), LETTERS(c + 5)

/* clang-format off */
static const uint8_t octets[256] = {
	[';'] = END, [':'] = END, ['@'] = END, ['>'] = END, ['"'] = END, ['?'] = END, [','] = END, ['%'] = ESCAPE,
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	SIX(0), SIX(6), SIX(12), SIX(18), LETTERS(24), LETTERS(25),
};
/* clang-format on */

/* The skeleton of what begins at user, *end where it ends. */
static uint64_t skeleton_of(struct bytes user, size_t *end)
{
	uint64_t skeleton = 0;
	size_t i = 0;

	while (i < user.len && user.at[i] > ' ' && octets[user.at[i]] != END) {
		uint8_t c = octets[user.at[i]];

		if (c == ESCAPE) {
			c = octets[octet_at(user, &i)];
			if (c <= ESCAPE)
				continue;
		} else {
			i++;
		}
		if (c != 0)
			skeleton = skeleton << 8 | c;
	}
	*end = i;
	for (int top = SKELETON - 1; top > 0 && (skeleton >> (8 * top) == '0' || skeleton >> (8 * top) == 0); top--)
		skeleton &= ((uint64_t)1 << (8 * top)) - 1;
	return skeleton;
}

uint64_t triage_skeleton(struct bytes user)
{
	size_t end;

	return skeleton_of(user, &end);
}

static size_t slot_of(const struct triage *t, uint64_t skeleton)
{
	size_t i = (skeleton * 0x9e3779b97f4a7c15ULL >> 20) & (t->room - 1);

	while (t->slots[i] != 0 && t->slots[i] != skeleton)
		i = (i + 1) & (t->room - 1);
	return i;
}

static bool has(const struct triage *t, uint64_t skeleton)
{
	return skeleton == 0 || t->all || (t->room > 0 && t->slots[slot_of(t, skeleton)] != 0);
}

static bool grow(struct triage *t)
{
	struct triage bigger = { .room = t->room > 0 ? t->room * 2 : 64, .count = t->count };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i] != 0)
			bigger.slots[slot_of(&bigger, t->slots[i])] = t->slots[i];
	secret_free(t->slots, t->room * sizeof(*t->slots));
	t->slots = bigger.slots;
	t->room = bigger.room;
	return true;
}

static bool add(struct triage *t, uint64_t skeleton)
{
	size_t i;

	if (skeleton == 0) {
		t->all = true;
		return true;
	}
	if (2 * (t->count + 1) > t->room && !grow(t))
		return false;
	i = slot_of(t, skeleton);
	t->count += t->slots[i] == 0;
	t->slots[i] = skeleton;
	return true;
}

/* What stands behind the scheme of a canonical URI: "sip:", "tel:", "urn:gsma:imei:". */
static struct bytes behind_scheme(const char *uri)
{
	struct bytes rest, all = bytes_of(uri);

	if (text_begins(all, "urn:"))
		return bytes_part(all, strlen("urn:gsma:imei:"), all.len);
	text_cut(all, ':', &rest);
	return rest;
}

bool triage_add(struct triage *t, const struct identity *id)
{
	return (id->uri[0] == '\0' || add(t, triage_skeleton(behind_scheme(id->uri)))) &&
	       (id->number[0] == '\0' || add(t, triage_skeleton(bytes_of(id->number))));
}

bool triage_targets(struct triage *t, const struct warrant_set *set)
{
	if (t->room > 0)
		secret_wipe(t->slots, t->room * sizeof(*t->slots));
	t->count = 0;
	t->all = false;
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->all[i].target_count; j++)
			if (!triage_add(t, &set->all[i].targets[j].id))
				return false;
	return true;
}

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

	return has(t, skeleton) ||
	       (end < rest.len && rest.at[end] == ';' && has_context(bytes_part(rest, end, rest.len)));
}

static bool is_uuid(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (hex_value(value.at[i]) < 0)
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
			g->may_match = has(t, imei_skeleton(rest));
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
