/* blot: searched in the raw text, so that it matters not which header, body or part of a body a key stands in. */
#include "blot.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"

enum {
	PIECES = 8,          /* lines that one key may be folded over */
	MATERIAL = 46,       /* octets of the longest key and salt (RFC 6188) */
	LONGEST = 96,        /* characters of base64 that can be a key */
	KEY_LEAST = 16,      /* octets of the shortest master key */
	MIKEY_MAX = 64 << 10 /* characters of a MIKEY message in base64 */
};

/* The base64 behind one "inline:", in the pieces that folding leaves. */
struct inlined {
	struct {
		size_t from, len;
	} pieces[PIECES];
	size_t count;
};

static bool base64(uint8_t c)
{
	return text_alpha(c) || text_digit(c) || c == '+' || c == '/' || c == '=';
}

/* Behind white space at `at`, line ends that fold included. */
static size_t behind_space(const uint8_t *text, size_t at, size_t len)
{
	while (at < len && text_space(text[at]))
		at++;
	return at;
}

/* Is there a fold at `at`: a line end, then white space that continues the line? */
static bool fold(const uint8_t *text, size_t at, size_t len)
{
	if (at < len && text[at] == '\r')
		at++;
	if (at >= len || text[at] != '\n')
		return false;
	return at + 1 < len && (text[at + 1] == ' ' || text[at + 1] == '\t');
}

static const char word[] = "inline:";

static bool another(const uint8_t *text, size_t at, size_t len)
{
	return text_lower(text[at]) == 'i' && text_begins((struct bytes){ text + at, len - at }, word);
}

static void find_pieces(const uint8_t *text, size_t at, size_t len, struct inlined *out)
{
	out->count = 0;
	if (at < len && (text[at] == ' ' || text[at] == '\t' || fold(text, at, len)))
		at = behind_space(text, at, len);
	while (out->count < PIECES) {
		size_t from = at;

		while (at < len && base64(text[at]) && !another(text, at, len))
			at++;
		if (at == from)
			return;
		out->pieces[out->count].from = from;
		out->pieces[out->count++].len = at - from;
		if (!fold(text, at, len))
			return;
		at = behind_space(text, at, len);
	}
}

/* The octets of the first `count` pieces, or -1. */
static long decoded(const uint8_t *text, const struct inlined *in, size_t count, uint8_t out[MATERIAL])
{
	uint8_t joined[LONGEST];
	size_t len = 0;
	long octets;

	for (size_t i = 0; i < count; i++) {
		if (in->pieces[i].len > sizeof(joined) - len)
			return -1;
		memcpy(joined + len, text + in->pieces[i].from, in->pieces[i].len);
		len += in->pieces[i].len;
	}
	while (len > 0 && joined[len - 1] == '=') /* padding, too much and too little of it */
		len--;
	octets = text_unbase64((struct bytes){ joined, len }, out, MATERIAL);
	secret_wipe(joined, sizeof(joined));
	return octets;
}

/* Master key and salt of some suite. */
static bool key_length(long octets)
{
	return octets == 28 || octets == 30 || octets == 38 || octets == 44 || octets == MATERIAL;
}

/* The second print of a key, told from the first by its length. */
struct beginning {
	uint8_t zero, print[KEY_PRINT];
};

bool blot_print(struct table *keys, const uint8_t print[2 * KEY_PRINT], void *value)
{
	struct beginning b = { 0 };

	memcpy(b.print, print + KEY_PRINT, KEY_PRINT);
	return table_put(keys, (struct bytes){ print, KEY_PRINT }, value) &&
	       table_put(keys, (struct bytes){ (uint8_t *)&b, sizeof(b) }, value);
}

static bool known(struct bytes material, const struct table *keys)
{
	uint8_t print[KEY_PRINT];

	if (keys == NULL || table_size(keys) == 0)
		return false;
	if (table_get(keys, material) != NULL)
		return true;
	srtp_key_print_of(material, print);
	return table_get(keys, (struct bytes){ print, KEY_PRINT }) != NULL;
}

/* How many pieces are to go; 0: none. What is behind a fold may be a session parameter, so fewer pieces are tried
 * first. */
static size_t condemned(const uint8_t *text, const struct inlined *in, const struct table *keys, bool all)
{
	uint8_t material[MATERIAL];
	size_t go = 0;

	for (size_t n = 1; n <= in->count && go == 0; n++) {
		long octets = decoded(text, in, n, material);

		if (octets <= 0)
			continue;
		if (all ? key_length(octets) : known((struct bytes){ material, (size_t)octets }, keys))
			go = n;
	}
	secret_wipe(material, sizeof(material));
	return go == 0 && all && in->count > 0 ? 1 : go;
}

size_t blot_keys(uint8_t *text, size_t len, const struct table *keys, bool all)
{
	const size_t word_len = sizeof(word) - 1;
	size_t places = 0;

	for (size_t at = 0; at + word_len <= len; at++) {
		struct inlined in;
		size_t go;

		if (!another(text, at, len))
			continue;
		find_pieces(text, at + word_len, len, &in);
		go = condemned(text, &in, keys, all);
		for (size_t i = 0; i < go; i++)
			memset(text + in.pieces[i].from, '*', in.pieces[i].len);
		places += go > 0;
	}
	return places;
}

/* Is the print of any octets in here that of a key's beginning? */
static bool holds_print(struct bytes octets, const struct table *keys)
{
	struct beginning b = { 0 };

	for (size_t at = 0; at + KEY_LEAST <= octets.len; at++) {
		srtp_key_print_of(bytes_part(octets, at, KEY_LEAST), b.print);
		if (table_get(keys, (struct bytes){ (uint8_t *)&b, sizeof(b) }) != NULL)
			return true;
	}
	return false;
}

/* Does this hold the beginning of a key? What a MIKEY message carries in clear has key and salt apart (RFC 3830 6.13). */
static bool holds_key(struct bytes octets, const struct table *keys)
{
	struct bytes key;
	size_t step = 0;
	bool prints = false;

	while (keys != NULL && table_next(keys, &step, &key) != NULL) {
		prints = prints || key.len == sizeof(struct beginning);
		if (key.len > sizeof(struct beginning) && memmem(octets.at, octets.len, key.at, KEY_LEAST) != NULL)
			return true;
	}
	return prints && holds_print(octets, keys);
}

/* The base64 behind "key-mgmt:mikey" at `at` (RFC 4567 3.1), when it holds a key of `keys` in clear. */
static size_t blot_mikey(uint8_t *text, size_t at, size_t len, const struct table *keys)
{
	struct bytes rest, protocol = text_word((struct bytes){ text + at, len - at }, &rest),
			   data = text_word(rest, NULL);
	struct buf octets = { 0 };
	uint8_t *to;
	long n;

	data = text_trim(text_cut(data, '\n', NULL));
	if (!text_is(protocol, "mikey") || data.len == 0 || data.len > MIKEY_MAX ||
		(to = buf_room(&octets, data.len)) == NULL)
		return 0;
	n = text_unbase64(data, to, data.len);
	octets.len = n > 0 ? (size_t)n : 0;
	n = holds_key(buf_bytes(&octets), keys);
	if (n)
		memset(text + (data.at - text), '*', data.len);
	buf_clear(&octets);
	return (size_t)n;
}

/* Keys in the clear parts of MIKEY messages. */
static size_t blot_key_mgmt(uint8_t *text, size_t len, const struct table *keys)
{
	static const char attribute[] = "key-mgmt:";
	const size_t attribute_len = sizeof(attribute) - 1;
	size_t places = 0;

	for (size_t at = 0; at + attribute_len <= len; at++)
		if (text_lower(text[at]) == 'k' && text_begins((struct bytes){ text + at, len - at }, attribute))
			places += blot_mikey(text, at + attribute_len, len, keys);
	return places;
}

size_t blot_clear(uint8_t *text, size_t len, const struct table *keys, bool all)
{
	return blot_keys(text, len, keys, all) + blot_key_mgmt(text, len, keys);
}
