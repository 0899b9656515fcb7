/*
 * text: small tools for octets that are text: case, space, numbers, hex, base64, quoted-printable, UTF-8.
 */
#ifndef OTWAY_BASE_TEXT_H
#define OTWAY_BASE_TEXT_H

#include "otway/base/bytes.h"

/* ASCII only; the locale is never asked. */
static inline uint8_t text_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline bool text_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool text_alpha(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool text_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Equal but for ASCII case. */
bool text_same(struct bytes a, struct bytes b);
bool text_is(struct bytes a, const char *word);

/* True when `a` begins with `word`, but for ASCII case. */
bool text_begins(struct bytes a, const char *word);

/* Without spaces, tabs and line ends at both ends. */
struct bytes text_trim(struct bytes a);

/* Up to the first `mark` (all of it when there is none); *rest begins behind the mark. */
struct bytes text_cut(struct bytes a, char mark, struct bytes *rest);

/* The next word, spaces and tabs skipped; *rest begins behind it. Empty at the end. */
struct bytes text_word(struct bytes a, struct bytes *rest);

/* All of `a` as a decimal number of at most `max`; false when it is anything else. */
bool text_number(struct bytes a, uint64_t max, uint64_t *out);

/* Copies as a C string, cut to fit `size`; returns out. */
char *text_copy(struct bytes a, char *out, size_t size);

/* Lower-case hex of `a` with its NUL; out holds 2 * a.len + 1. Returns out. */
char *text_hex(struct bytes a, char *out);
/* Octets decoded, or -1: odd length, other characters, or more than `max`. */
long text_unhex(struct bytes a, uint8_t *out, size_t max);

/* RFC 4648 base64, with padding; out holds 4 * ((len + 2) / 3) + 1. Returns out. */
char *text_base64(struct bytes a, char *out);
/* Octets decoded, padding or none, white space skipped; -1: other characters, or more than `max`. */
long text_unbase64(struct bytes a, uint8_t *out, size_t max);
/* Octets decoded of RFC 2045 6.7, of which there are at most as many as there were. What is malformed stands for itself. */
size_t text_unquoted_printable(struct bytes a, uint8_t *out);

/* Length of the UTF-8 sequence at `at` (1 to 4), or 0: not UTF-8 (RFC 3629). */
size_t text_utf8(struct bytes a, size_t at);

/* How many single mistakes (a letter wrong, missing, too many, or two swapped) lie between two words of at most 40 octets;
 * longer ones are infinitely far. For "did you mean". */
unsigned text_distance(const char *a, const char *b);

#endif
