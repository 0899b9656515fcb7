/* text: small tools, none of which asks the locale. */
#include "otway/base/text.h"

#include <stdlib.h>

bool text_same(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (text_lower(a.at[i]) != text_lower(b.at[i]))
			return false;
	return true;
}

/* Octets at the front of `a` that are those of `word`, but for case; nothing walks the word ahead. */
static size_t alike(struct bytes a, const char *word)
{
	size_t i = 0;

	while (i < a.len && word[i] != '\0' && text_lower(a.at[i]) == text_lower((uint8_t)word[i]))
		i++;
	return i;
}

bool text_is(struct bytes a, const char *word)
{
	size_t len = alike(a, word);

	return len == a.len && word[len] == '\0';
}

bool text_begins(struct bytes a, const char *word)
{
	return word[alike(a, word)] == '\0';
}

struct bytes text_trim(struct bytes a)
{
	while (a.len > 0 && text_space(a.at[0])) {
		a.at++;
		a.len--;
	}
	while (a.len > 0 && text_space(a.at[a.len - 1]))
		a.len--;
	return a;
}

struct bytes text_cut(struct bytes a, char mark, struct bytes *rest)
{
	const uint8_t *at = a.len > 0 ? memchr(a.at, mark, a.len) : NULL;
	size_t len = at != NULL ? (size_t)(at - a.at) : a.len;

	if (rest != NULL)
		*rest = at != NULL ? bytes_part(a, len + 1, a.len) : (struct bytes){ NULL, 0 };
	return (struct bytes){ a.at, len };
}

struct bytes text_word(struct bytes a, struct bytes *rest)
{
	size_t from = 0, to;

	while (from < a.len && (a.at[from] == ' ' || a.at[from] == '\t'))
		from++;
	for (to = from; to < a.len && a.at[to] != ' ' && a.at[to] != '\t';)
		to++;
	if (rest != NULL)
		*rest = bytes_part(a, to, a.len);
	return bytes_part(a, from, to - from);
}

bool text_number(struct bytes a, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (a.len == 0)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		uint64_t digit = (uint64_t)(a.at[i] - '0');

		if (!text_digit(a.at[i]) || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

char *text_copy(struct bytes a, char *out, size_t size)
{
	size_t len = a.len < size - 1 ? a.len : size - 1;

	if (len > 0)
		memcpy(out, a.at, len);
	out[len] = '\0';
	return out;
}

char *text_hex(struct bytes a, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < a.len; i++) {
		out[2 * i] = digits[a.at[i] >> 4];
		out[2 * i + 1] = digits[a.at[i] & 15];
	}
	out[2 * a.len] = '\0';
	return out;
}

static int unhex(uint8_t c)
{
	if (text_digit(c))
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long text_unhex(struct bytes a, uint8_t *out, size_t max)
{
	if (a.len % 2 != 0 || a.len / 2 > max)
		return -1;
	for (size_t i = 0; i < a.len; i += 2) {
		int high = unhex(a.at[i]), low = unhex(a.at[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (long)(a.len / 2);
}

char *text_base64(struct bytes a, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *to = out;

	for (size_t i = 0; i < a.len; i += 3) {
		size_t n = a.len - i < 3 ? a.len - i : 3;
		uint32_t v = (uint32_t)a.at[i] << 16;

		if (n > 1)
			v |= (uint32_t)a.at[i + 1] << 8;
		if (n > 2)
			v |= a.at[i + 2];
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*to++ = n > 2 ? digits[v & 63] : '=';
	}
	*to = '\0';
	return out;
}

static int unbase64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (text_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long text_unbase64(struct bytes a, uint8_t *out, size_t max)
{
	uint32_t v = 0;
	size_t digits = 0, n = 0, pads = 0;

	for (size_t i = 0; i < a.len; i++) {
		int d;

		if (text_space(a.at[i]))
			continue;
		if (a.at[i] == '=') {
			pads++;
			continue;
		}
		d = unbase64(a.at[i]);
		if (d < 0 || pads > 0)
			return -1;
		v = v << 6 | (uint32_t)d;
		digits++;
		if (digits % 4 == 1)
			continue;
		if (n == max)
			return -1;
		out[n++] = (uint8_t)(v >> (digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0));
	}
	if (digits % 4 == 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 != 0))
		return -1;
	return (long)n;
}

size_t text_unquoted_printable(struct bytes a, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < a.len; i++) {
		struct bytes behind = bytes_part(a, i + 1, 2);

		if (a.at[i] != '=') {
			out[n++] = a.at[i];
		} else if (text_begins(behind, "\r\n")) { /* a soft line break */
			i += 2;
		} else if (text_begins(behind, "\n")) {
			i++;
		} else if (behind.len == 2 && text_unhex(behind, out + n, 1) == 1) {
			n++;
			i += 2;
		} else {
			out[n++] = '=';
		}
	}
	return n;
}

size_t text_utf8(struct bytes a, size_t at)
{
	uint8_t c = a.at[at];
	size_t len = c < 0x80                ? 1
		     : c >= 0xc2 && c < 0xe0 ? 2
		     : c >= 0xe0 && c < 0xf0 ? 3
		     : c >= 0xf0 && c < 0xf5 ? 4
					     : 0;

	if (len == 0 || len > a.len - at)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((a.at[at + i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && a.at[at + 1] < 0xa0) || (c == 0xed && a.at[at + 1] > 0x9f) ||
		(c == 0xf0 && a.at[at + 1] < 0x90) || (c == 0xf4 && a.at[at + 1] > 0x8f))
		return 0;
	return len;
}

unsigned text_distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	unsigned row[3][LONGEST + 1] = { 0 }; /* of the octets of `a` so far: now, one before, two before */
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > LONGEST || b_len > LONGEST)
		return UINT32_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[a_len % 3][b_len];
}
