/* base: numbers, text, time, hash tables, hashes, files, errors and log lines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "otway/base/crypto.h"
#include "otway/base/err.h"
#include "otway/base/file.h"
#include "otway/base/log.h"
#include "otway/base/nsec.h"
#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

static struct err err;

/* bytes */

static void a_part_of_a_view_stays_within_it(void **state)
{
	struct bytes b = bytes_of("abcdef"), nothing = { NULL, 0 };

	(void)state;
	assert_true(bytes_equal(bytes_part(b, 2, 2), bytes_of("cd")));
	assert_true(bytes_equal(bytes_part(b, 4, 100), bytes_of("ef")));
	assert_true(bytes_equal(bytes_part(b, 4, SIZE_MAX), bytes_of("ef")));
	assert_int_equal(bytes_part(b, 6, 1).len, 0);
	assert_int_equal(bytes_part(b, 7, 1).len, 0);
	assert_int_equal(bytes_part(b, SIZE_MAX, SIZE_MAX).len, 0);
	assert_int_equal(bytes_part(nothing, 0, 1).len, 0);
	assert_true(bytes_equal(nothing, bytes_of("")));
	assert_true(bytes_equal(nothing, bytes_of(NULL)));
}

static void numbers_in_network_order_have_their_high_octet_first(void **state)
{
	static const uint8_t p[] = { 0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };
	uint8_t out[4];

	(void)state;
	assert_int_equal(be16(p), 0x8102);
	assert_int_equal(be32(p), 0x81020304);
	assert_true(be64(p) == UINT64_C(0x8102030405060708));
	put_be32(out, 0x81020304);
	assert_memory_equal(out, p, 4);
	put_be16(out, 0x0304);
	assert_memory_equal(out, p + 2, 2);
}

static void a_buffer_grows_and_keeps_what_is_in_it(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_true(buf_add(&b, NULL, 0));
	for (unsigned i = 0; i < 10000; i++)
		assert_true(buf_printf(&b, "%04u", i));
	assert_int_equal(b.len, 40000);
	assert_memory_equal(b.at + 4 * 1234, "1234", 4);
	assert_memory_equal(b.at + 4 * 9999, "9999", 4);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_true(buf_text(&b, "again"));
	assert_true(bytes_equal(buf_bytes(&b), bytes_of("again")));
	buf_clear(&b);
	assert_null(b.at);
}

static void a_buffer_that_failed_stays_failed_until_it_is_emptied(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_true(buf_text(&b, "x"));
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(b.failed);
	assert_false(buf_text(&b, "y"));
	buf_clear(&b);
	assert_true(buf_text(&b, "y"));
	buf_clear(&b);
}

/* table */

static struct bytes key_of(unsigned i)
{
	static char text[2][16];
	char *to = text[i % 2];

	snprintf(to, sizeof(text[0]), "key %u", i);
	return bytes_of(to);
}

static void a_table_of_thousands_finds_each_by_its_key(void **state)
{
	static int values[20000];
	struct table *t = table_new();

	(void)state;
	assert_non_null(t);
	for (unsigned i = 0; i < 20000; i++)
		assert_true(table_put(t, key_of(i), &values[i]));
	assert_int_equal(table_size(t), 20000);
	for (unsigned i = 0; i < 20000; i++)
		assert_ptr_equal(table_get(t, key_of(i)), &values[i]);
	assert_null(table_get(t, bytes_of("key 20000")));
	assert_null(table_get(t, bytes_of("key 1 ")));
	assert_null(table_get(t, bytes_of("")));
	table_free(t);
}

static void what_is_put_again_replaces_and_what_is_taken_is_gone(void **state)
{
	struct table *t = table_new();
	int a, b;

	(void)state;
	assert_null(table_get(t, bytes_of("x")));
	assert_null(table_take(t, bytes_of("x")));
	assert_true(table_put(t, bytes_of("x"), &a));
	assert_true(table_put(t, bytes_of("x"), &b));
	assert_int_equal(table_size(t), 1);
	assert_ptr_equal(table_take(t, bytes_of("x")), &b);
	assert_null(table_get(t, bytes_of("x")));
	assert_null(table_take(t, bytes_of("x")));
	assert_int_equal(table_size(t), 0);
	table_free(t);
	table_free(NULL);
}

static void keys_are_octets_of_any_length(void **state)
{
	struct table *t = table_new();
	int values[3];

	(void)state;
	assert_true(table_put(t, (struct bytes){ NULL, 0 }, &values[0]));
	assert_true(table_put(t, (struct bytes){ (const uint8_t *)"\0", 1 }, &values[1]));
	assert_true(table_put(t, (struct bytes){ (const uint8_t *)"\0\0", 2 }, &values[2]));
	assert_ptr_equal(table_get(t, bytes_of("")), &values[0]);
	assert_ptr_equal(table_get(t, (struct bytes){ (const uint8_t *)"\0", 1 }), &values[1]);
	assert_ptr_equal(table_get(t, (struct bytes){ (const uint8_t *)"\0\0", 2 }), &values[2]);
	assert_ptr_equal(table_take(t, (struct bytes){ NULL, 0 }), &values[0]);
	table_free(t);
}

/* Walks all and returns how many there were; each must come after the one before. */
static size_t walk_in_order(struct table *t, const int *values)
{
	size_t step = 0, n = 0;
	const int *last = NULL, *v;
	struct bytes key;

	while ((v = table_next(t, &step, &key)) != NULL) {
		assert_true(bytes_equal(key, key_of((unsigned)(v - values))));
		assert_true(last == NULL || v > last);
		last = v;
		n++;
	}
	return n;
}

/* Whatever was taken out and put in between, over several rebuildings. */
static void a_walk_goes_in_the_order_of_insertion(void **state)
{
	static int values[9000];
	struct table *t = table_new();

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		assert_true(table_put(t, key_of(i), &values[i]));
	for (unsigned i = 0; i < 3000; i++)
		if (i % 3 != 0)
			assert_ptr_equal(table_take(t, key_of(i)), &values[i]);
	assert_int_equal(walk_in_order(t, values), 1000);
	for (unsigned i = 3000; i < 9000; i++)
		assert_true(table_put(t, key_of(i), &values[i]));
	assert_int_equal(walk_in_order(t, values), 7000);
	for (unsigned i = 0; i < 3000; i++)
		assert_ptr_equal(table_get(t, key_of(i)), i % 3 == 0 ? &values[i] : NULL);
	table_free(t);
}

static void what_a_walk_gives_may_be_taken_out(void **state)
{
	static int values[1000];
	struct table *t = table_new();
	struct bytes key;
	size_t step = 0, n = 0;
	void *v;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(table_put(t, key_of(i), &values[i]));
	while ((v = table_next(t, &step, &key)) != NULL) {
		assert_ptr_equal(table_take(t, key), v);
		n++;
	}
	assert_int_equal(n, 1000);
	assert_int_equal(table_size(t), 0);
	table_free(t);
}

/* A table in which entries come and go does not grow: only what is there counts. */
static void a_million_entries_that_come_and_go_take_no_room(void **state)
{
	struct table *t = table_new();
	int value;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		assert_true(table_put(t, (struct bytes){ (const uint8_t *)&i, sizeof(i) }, &value));
		if (i >= 10) {
			unsigned old = i - 10;

			assert_ptr_equal(table_take(t, (struct bytes){ (const uint8_t *)&old, sizeof(old) }), &value);
		}
	}
	assert_int_equal(table_size(t), 10);
	table_free(t);
}

static void the_hash_of_equal_octets_is_equal_wherever_they_lie(void **state)
{
	uint8_t room[64];

	(void)state;
	for (size_t len = 0; len < 24; len++)
		for (size_t at = 0; at < 9; at++) {
			memset(room, 0x55, sizeof(room));
			memcpy(room + at, "abcdefghijklmnopqrstuvwxyz", len);
			assert_true(table_hash((struct bytes){ room + at, len }) ==
				    table_hash((struct bytes){ (const uint8_t *)"abcdefghijklmnopqrstuvwxyz", len }));
			if (len > 0) {
				room[at + len - 1] ^= 1;
				assert_true(table_hash((struct bytes){ room + at, len }) !=
					    table_hash((struct bytes){
						    (const uint8_t *)"abcdefghijklmnopqrstuvwxyz", len }));
			}
		}
}

/* text */

static void a_number_is_digits_up_to_its_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} cases[] = {
		{ "0", 0, 0, true },
		{ "1", 0, 0, false },
		{ "007", 7, 7, true },
		{ "5", 5, 5, true },
		{ "6", 5, 0, false },
		{ "19", 5, 0, false }, /* a digit greater than the limit, not the first */
		{ "10", 9, 0, false },
		{ "65535", 65535, 65535, true },
		{ "65536", 65535, 0, false },
		{ "4294967328", UINT32_MAX, 0, false },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
		{ "18446744073709551616", UINT64_MAX, 0, false },
		{ "99999999999999999999", UINT64_MAX, 0, false },
		{ "", UINT64_MAX, 0, false },
		{ " 1", UINT64_MAX, 0, false },
		{ "1 ", UINT64_MAX, 0, false },
		{ "-1", UINT64_MAX, 0, false },
		{ "+1", UINT64_MAX, 0, false },
		{ "0x1", UINT64_MAX, 0, false },
		{ "1/", UINT64_MAX, 0, false },
		{ "1:", UINT64_MAX, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 77;

		if (text_number(bytes_of(cases[i].text), cases[i].max, &value) != cases[i].good)
			fail_msg("'%s'", cases[i].text);
		assert_true(value == (cases[i].good ? cases[i].value : 77));
	}
}

/* RFC 4648 10, and what SDES keys look like without their padding. */
static void base64_is_read_with_padding_and_without(void **state)
{
	static const struct {
		const char *text, *octets;
	} cases[] = {
		{ "", "" },
		{ "Zg==", "f" },
		{ "Zg", "f" },
		{ "Zm8=", "fo" },
		{ "Zm8", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" },
		{ "Zm9vYmFy", "foobar" },
		{ " Zm9v\r\n\tYmFy ", "foobar" },
	};
	uint8_t out[16];
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].octets);

		assert_int_equal(text_unbase64(bytes_of(cases[i].text), out, sizeof(out)), len);
		assert_memory_equal(out, cases[i].octets, len);
		assert_int_equal(text_unbase64(bytes_of(cases[i].text), out, len), len);
		if (len > 0)
			assert_int_equal(text_unbase64(bytes_of(cases[i].text), out, len - 1), -1);
	}
	assert_string_equal(text_base64(bytes_of("f"), text), "Zg==");
	assert_string_equal(text_base64(bytes_of("fo"), text), "Zm8=");
	assert_string_equal(text_base64(bytes_of("foobar"), text), "Zm9vYmFy");
	assert_string_equal(text_base64(bytes_of("\xfb\xff\xbf"), text), "+/+/");
	assert_string_equal(text_base64((struct bytes){ NULL, 0 }, text), "");
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const bad[] = { "Z", "Zm9vY", "Zg=", "Zm8==", "Z===", "=",
		"====", "Zg==Zg==", "Zm9v=", "Zm9-", "Zm9_", "Zm9v!", "Zm=9v" };
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (text_unbase64(bytes_of(bad[i]), out, sizeof(out)) != -1)
			fail_msg("'%s' is taken", bad[i]);
}

static void hex_is_read_in_either_case(void **state)
{
	uint8_t out[4];
	char text[9];

	(void)state;
	assert_int_equal(text_unhex(bytes_of("00fFA5"), out, 4), 3);
	assert_memory_equal(out, "\x00\xff\xa5", 3);
	assert_string_equal(text_hex((struct bytes){ out, 3 }, text), "00ffa5");
	assert_int_equal(text_unhex(bytes_of(""), out, 0), 0);
	assert_int_equal(text_unhex(bytes_of("0"), out, 4), -1);
	assert_int_equal(text_unhex(bytes_of("0g"), out, 4), -1);
	assert_int_equal(text_unhex(bytes_of("0011223344"), out, 4), -1);
}

/* RFC 3629 4: no overlong forms, no surrogates, nothing above 10FFFF. */
static void utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "A", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },
		{ "\xbf", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2", 0 },
		{ "\xc2\x41", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe2\x82", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xed\xbf\xbf", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (text_utf8(bytes_of(cases[i].text), 0) != cases[i].len)
			fail_msg("case %zu", i);
	assert_int_equal(text_utf8(bytes_of("a\xc3\xa4"), 1), 2);
}

static void words_are_cut_trimmed_and_compared_without_case(void **state)
{
	struct bytes rest, word;

	(void)state;
	word = text_cut(bytes_of("a=b=c"), '=', &rest);
	assert_true(bytes_equal(word, bytes_of("a")));
	assert_true(bytes_equal(rest, bytes_of("b=c")));
	word = text_cut(bytes_of("abc"), '=', &rest);
	assert_true(bytes_equal(word, bytes_of("abc")));
	assert_int_equal(rest.len, 0);
	word = text_cut((struct bytes){ NULL, 0 }, '=', &rest);
	assert_int_equal(word.len + rest.len, 0);
	word = text_word(bytes_of(" \t one  two"), &rest);
	assert_true(bytes_equal(word, bytes_of("one")));
	word = text_word(rest, &rest);
	assert_true(bytes_equal(word, bytes_of("two")));
	assert_int_equal(text_word(rest, &rest).len, 0);
	assert_true(bytes_equal(text_trim(bytes_of("\r\n a b \t")), bytes_of("a b")));
	assert_int_equal(text_trim(bytes_of(" \t ")).len, 0);
	assert_true(text_is(bytes_of("ContENT-length"), "Content-Length"));
	assert_false(text_is(bytes_of("Content-Length "), "Content-Length"));
	assert_false(text_is(bytes_of("@"), "`")); /* 0x40 and 0x60 are no letters */
	assert_true(text_begins(bytes_of("SIPS:bob"), "sips:"));
	assert_false(text_begins(bytes_of("sip"), "sip:"));
}

static void a_copy_of_text_is_cut_to_fit(void **state)
{
	char out[4];

	(void)state;
	assert_string_equal(text_copy(bytes_of("ab"), out, sizeof(out)), "ab");
	assert_string_equal(text_copy(bytes_of("abcdef"), out, sizeof(out)), "abc");
	assert_string_equal(text_copy((struct bytes){ NULL, 0 }, out, 1), "");
}

static void mistakes_between_words_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_distance("store", "store"), 0);
	assert_int_equal(text_distance("stroe", "store"), 1); /* two swapped */
	assert_int_equal(text_distance("sore", "store"), 1);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("", "abc"), 3);
}

/* nsec */

static nsec_t parsed(const char *text, nsec_t base)
{
	nsec_t at = 0;

	if (nsec_parse(text, base, &at, &err) < 0)
		fail_msg("%s", err.text);
	return at;
}

/* The numbers are those of `date -u -d TIME +%s`. */
static void times_are_read_with_their_zone(void **state)
{
	(void)state;
	assert_true(parsed("1970-01-01T00:00:00Z", 0) == 0);
	assert_true(parsed("2026-11-21T09:00:00Z", 0) == 1795251600 * NSEC_PER_SEC);
	assert_true(parsed("2026-11-21t09:00:00z", 0) == 1795251600 * NSEC_PER_SEC);
	assert_true(parsed("2026-11-21 09:00:00Z", 0) == 1795251600 * NSEC_PER_SEC);
	assert_true(parsed("2026-11-21T22:00:00+13:00", 0) == 1795251600 * NSEC_PER_SEC);
	assert_true(parsed("2026-11-21T03:30:00-05:30", 0) == 1795251600 * NSEC_PER_SEC);
	assert_true(parsed("2026-11-21T09:00:00.123456789Z", 0) == 1795251600 * NSEC_PER_SEC + 123456789);
	assert_true(parsed("2026-11-21T09:00:00.1234567899Z", 0) == 1795251600 * NSEC_PER_SEC + 123456789);
	assert_true(parsed("2026-11-21T09:00:00.5Z", 0) == 1795251600 * NSEC_PER_SEC + 500000000);
	assert_true(parsed("1969-12-31T23:59:59.5Z", 0) == -500000000);
	assert_true(parsed("2024-02-29T00:00:00Z", 0) == 1709164800 * NSEC_PER_SEC);
	assert_true(parsed("2000-02-29T00:00:00Z", 0) == 951782400 * NSEC_PER_SEC);
	assert_true(parsed("2016-12-31T23:59:60Z", 0) == 1483228800 * NSEC_PER_SEC); /* RFC 3339 5.8: a leap second */
}

static void times_relative_to_another_are_read_in_their_units(void **state)
{
	const nsec_t base = 1795251600 * NSEC_PER_SEC;

	(void)state;
	assert_true(parsed("now", base) == base);
	assert_true(parsed("+72h", base) == base + 72 * 3600 * NSEC_PER_SEC);
	assert_true(parsed("-30m", base) == base - 1800 * NSEC_PER_SEC);
	assert_true(parsed("+1s", base) == base + NSEC_PER_SEC);
	assert_true(parsed("+2d", base) == base + 172800 * NSEC_PER_SEC);
	assert_true(parsed("+1w", base) == base + 604800 * NSEC_PER_SEC);
	assert_true(parsed("-0s", base) == base);
}

static void what_is_no_time_is_a_usage_error(void **state)
{
	static const char *const bad[] = { "", "2026-11-21", "2026-11-21T09:00:00", "2026-11-21T09:00Z",
		"2026-13-21T09:00:00Z", "2026-00-21T09:00:00Z", "2026-02-29T09:00:00Z", "1900-02-29T09:00:00Z",
		"2026-02-31T09:00:00Z", "2026-04-31T09:00:00Z", "2026-11-00T09:00:00Z", "2026-11-21T24:00:00Z",
		"2026-11-21T09:60:00Z", "2026-11-21T09:00:61Z", "2026-11-21T09:00:00.Z", "2026-11-21T09:00:00+24:00",
		"2026-11-21T09:00:00+0100", "2026-11-21T09:00:00ZZ", "2026-11-21T09:00:00Z ", "9999-01-01T00:00:00Z",
		"+", "+h", "+1", "+1y", "+-1h", "+1.5h", "-", "+999999999w", "+100000000w", "tomorrow", "Now" };
	nsec_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (nsec_parse(bad[i], 0, &at, &err) != -1)
			fail_msg("'%s' is taken", bad[i]);
		assert_int_equal(err.code, EXIT_USAGE);
	}
	assert_int_equal(nsec_parse("+1s", NSEC_EVER, &at, NULL), -1);
}

static void times_are_written_in_utc_with_microseconds(void **state)
{
	char text[NSEC_TEXT];

	(void)state;
	assert_string_equal(nsec_text(0, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(nsec_text(1795251600 * NSEC_PER_SEC + 123456789, text), "2026-11-21T09:00:00.123456Z");
	assert_string_equal(nsec_text(1795251600 * NSEC_PER_SEC + 999, text), "2026-11-21T09:00:00.000000Z");
	assert_string_equal(nsec_text(-1, text), "1969-12-31T23:59:59.999999Z");
	assert_string_equal(nsec_text(-NSEC_PER_SEC, text), "1969-12-31T23:59:59.000000Z");
	assert_string_equal(nsec_text(INT64_MAX, text), "2262-04-11T23:47:16.854775Z");
}

/* err */

static void each_level_puts_its_words_before_those_beneath(void **state)
{
	(void)state;
	assert_int_equal(err_code(&err, EXIT_REFUSED, "schema is version %d", 7), -1);
	assert_int_equal(err_in(&err, "opening the %s", "store"), -1);
	assert_int_equal(err_in(&err, "otway control"), -1);
	assert_string_equal(err.text, "otway control: opening the store: schema is version 7");
	assert_int_equal(err.code, EXIT_REFUSED);
	assert_int_equal(err_set(&err, "anew"), -1);
	assert_int_equal(err.code, EXIT_FAILED);
	assert_int_equal(err_set(NULL, "nobody asks"), -1);
	assert_int_equal(err_in(NULL, "nobody asks"), -1);
}

static void words_beyond_the_room_are_cut(void **state)
{
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_in(&err, "short");
	assert_memory_equal(err.text, "short: xxx", 10);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_in(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

/* file */

static char folder[64];

static const char *path_of(const char *name)
{
	static char paths[4][192];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void a_file_that_others_may_use_is_refused(void **state)
{
	static const mode_t open_to_others[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0777 };
	const char *path = path_of("key");

	(void)state;
	write_file(path, "secret");
	chmod(path, 0600);
	assert_int_equal(file_private(path, &err), 0);
	chmod(path, 0400);
	assert_int_equal(file_private(path, &err), 0);
	for (size_t i = 0; i < sizeof(open_to_others) / sizeof(open_to_others[0]); i++) {
		chmod(path, open_to_others[i]);
		assert_int_equal(file_private(path, &err), -1);
		assert_int_equal(err.code, EXIT_REFUSED);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "chmod"));
	}
	assert_int_equal(file_private(path_of("missing"), &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
}

static void a_file_is_read_whole_or_not_at_all(void **state)
{
	const char *path = path_of("text");
	struct buf b = { 0 };

	(void)state;
	write_file(path, "twelve bytes");
	assert_true(buf_text(&b, "before "));
	assert_int_equal(file_read(path, 12, &b, &err), 0);
	assert_true(bytes_equal(buf_bytes(&b), bytes_of("before twelve bytes")));
	assert_int_equal(file_read(path, 11, &b, &err), -1);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(file_read(path_of("missing"), 10, &b, &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
	assert_int_equal(file_read(folder, 10, &b, &err), -1);
	assert_int_equal(err.code, EXIT_FAILED);
	buf_clear(&b);
}

static void folders_are_made_with_those_above_and_for_their_owner_alone(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_make_dirs(path_of("a/b/c"), &err), 0);
	assert_int_equal(stat(path_of("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_make_dirs(path_of("a/b/c"), &err), 0);
	assert_int_equal(file_make_dirs(path_of("a//d/"), &err), 0);
	assert_int_equal(stat(path_of("a/d"), &st), 0);
	write_file(path_of("a/file"), "x");
	assert_int_equal(file_make_dirs(path_of("a/file"), &err), -1);
	assert_int_equal(file_make_dirs(path_of("a/file/below"), &err), -1);
	assert_non_null(strstr(err.text, "a/file"));
	assert_int_equal(file_make_dirs("", &err), -1);
	assert_int_equal(file_make_dirs("/", &err), 0);
}

static void a_folder_is_empty_or_missing_or_an_error(void **state)
{
	(void)state;
	assert_int_equal(file_make_dirs(path_of("empty"), &err), 0);
	assert_int_equal(file_empty_dir(path_of("empty"), &err), 1);
	assert_int_equal(file_empty_dir(path_of("missing"), &err), 0);
	write_file(path_of("empty/.hidden"), "x");
	assert_int_equal(file_empty_dir(path_of("empty"), &err), -1);
	assert_non_null(strstr(err.text, "not empty"));
	assert_int_equal(file_empty_dir(path_of("empty/.hidden"), &err), -1);
}

static void a_tree_is_removed_but_not_what_its_links_point_at(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_make_dirs(path_of("kept"), &err), 0);
	write_file(path_of("kept/file"), "x");
	assert_int_equal(file_make_dirs(path_of("tree/deep/er"), &err), 0);
	write_file(path_of("tree/deep/file"), "x");
	assert_int_equal(symlink(path_of("kept"), path_of("tree/deep/link")), 0);
	assert_int_equal(file_remove_tree(path_of("tree"), &err), 0);
	assert_int_equal(stat(path_of("tree"), &st), -1);
	assert_int_equal(stat(path_of("kept/file"), &st), 0);
	assert_int_equal(symlink(path_of("kept"), path_of("link")), 0);
	assert_int_equal(file_remove_tree(path_of("link"), &err), -1);
	assert_int_equal(stat(path_of("kept/file"), &st), 0);
	assert_int_equal(file_remove_tree(path_of("missing"), &err), -1);
}

/* crypto */

static void assert_sha256(const uint8_t value[SHA256_LEN], const char *expected)
{
	char text[SHA256_HEX];

	assert_string_equal(text_hex((struct bytes){ value, SHA256_LEN }, text), expected);
}

/* FIPS 180-2, appendix B.1 to B.3. */
static void sha256_gives_the_values_of_the_standard(void **state)
{
	struct sha256 *h = sha256_new();
	uint8_t value[SHA256_LEN], again[SHA256_LEN];
	char thousand[1000];

	(void)state;
	sha256_of(bytes_of("abc"), value);
	assert_sha256(value, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_of((struct bytes){ NULL, 0 }, value);
	assert_sha256(value, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_add(h, bytes_of("abcdbcdecdefdefgefghfghighij"));
	sha256_value(h, again); /* asked in between, it goes on as if not asked */
	sha256_add(h, bytes_of("hijkijkljklmklmnlmnomnopnopq"));
	sha256_value(h, value);
	assert_sha256(value, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	sha256_reset(h);
	memset(thousand, 'a', sizeof(thousand));
	for (int i = 0; i < 1000; i++)
		sha256_add(h, (struct bytes){ (const uint8_t *)thousand, sizeof(thousand) });
	sha256_value(h, value);
	assert_sha256(value, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	sha256_free(h);
	sha256_free(NULL);
}

static void random_octets_are_not_the_same_twice(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_true(crypto_random(a, sizeof(a)));
	assert_true(crypto_random(b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
}

/* secret */

static void a_secret_is_compared_whole_and_wiped_whole(void **state)
{
	uint8_t a[4] = { 1, 2, 3, 4 }, b[4] = { 1, 2, 3, 5 };

	(void)state;
	assert_true(secret_equal(a, b, 3));
	assert_false(secret_equal(a, b, 4));
	assert_true(secret_equal(a, b, 0));
	secret_wipe(a, 4);
	assert_memory_equal(a, "\0\0\0\0", 4);
	secret_wipe(NULL, 4);
	secret_free(NULL, 4);
}

/* log */

/* What log_line writes, with standard error led into a file meanwhile. */
static const char *logged(bool json, const char *text)
{
	static char line[4096];
	int kept = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	size_t len;

	assert_non_null(f);
	assert_true(kept >= 0);
	dup2(fileno(f), STDERR_FILENO);
	log_json_set(json);
	log_line(LOG_LEVEL_WARNING, "%s", text);
	log_line(LOG_LEVEL_DEBUG, "left out");
	log_json_set(false);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(f);
	len = fread(line, 1, sizeof(line) - 1, f);
	line[len] = '\0';
	fclose(f);
	return line;
}

static void a_log_line_is_one_line(void **state)
{
	(void)state;
	log_level_set(LOG_LEVEL_WARNING);
	assert_string_equal(logged(false, "peer: gone"), "otway: warning: peer: gone\n");
	assert_string_equal(logged(false, "a\nb"), "otway: warning: a?b\n");
}

/* RFC 8259 7 and 8.1: control characters are escaped, and all of it is UTF-8. */
static void a_log_line_in_json_is_json_whatever_is_in_it(void **state)
{
	(void)state;
	log_level_set(LOG_LEVEL_WARNING);
	assert_string_equal(
		logged(true, "say \"\\\" \n"), "{\"level\":\"warning\",\"text\":\"say \\\"\\\\\\\" \\u000a\"}\n");
	assert_string_equal(logged(true, "\xc3\xa4 \xff."), "{\"level\":\"warning\",\"text\":\"\xc3\xa4 \\ufffd.\"}\n");
}

/* As systemd's "Native Journal Protocol" has it; priorities of syslog(3). The last test that logs: it goes on so. */
static void lines_go_to_the_journal_with_their_fields_when_standard_error_does(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
	char stream[64], said[512] = "";
	struct stat st;

	(void)state;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/journal", folder);
	assert_int_equal(bind(journal, (struct sockaddr *)&to, sizeof(to)), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(log_journal_open(to.sun_path));
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(log_journal_open(to.sun_path));
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_journal_open(to.sun_path));
	log_role_set("intercept 1");
	log_level_set(LOG_LEVEL_WARNING);
	log_warning("two\nMESSAGE=lines");
	assert_true(recv(journal, said, sizeof(said) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(
		said, "SYSLOG_IDENTIFIER=otway\nPRIORITY=4\nOTWAY_ROLE=intercept 1\nMESSAGE=two?MESSAGE=lines\n");
	log_role_set("");
	log_error("x");
	memset(said, 0, sizeof(said));
	assert_true(recv(journal, said, sizeof(said) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(said, "SYSLOG_IDENTIFIER=otway\nPRIORITY=3\nMESSAGE=x\n");
	close(journal);
	unsetenv("JOURNAL_STREAM");
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/otway-base-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	(void)state;
	return file_remove_tree(folder, &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_of_a_view_stays_within_it),
		cmocka_unit_test(numbers_in_network_order_have_their_high_octet_first),
		cmocka_unit_test(a_buffer_grows_and_keeps_what_is_in_it),
		cmocka_unit_test(a_buffer_that_failed_stays_failed_until_it_is_emptied),
		cmocka_unit_test(a_table_of_thousands_finds_each_by_its_key),
		cmocka_unit_test(what_is_put_again_replaces_and_what_is_taken_is_gone),
		cmocka_unit_test(keys_are_octets_of_any_length),
		cmocka_unit_test(a_walk_goes_in_the_order_of_insertion),
		cmocka_unit_test(what_a_walk_gives_may_be_taken_out),
		cmocka_unit_test(a_million_entries_that_come_and_go_take_no_room),
		cmocka_unit_test(the_hash_of_equal_octets_is_equal_wherever_they_lie),
		cmocka_unit_test(a_number_is_digits_up_to_its_limit),
		cmocka_unit_test(base64_is_read_with_padding_and_without),
		cmocka_unit_test(what_is_no_base64_is_refused),
		cmocka_unit_test(hex_is_read_in_either_case),
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(words_are_cut_trimmed_and_compared_without_case),
		cmocka_unit_test(a_copy_of_text_is_cut_to_fit),
		cmocka_unit_test(mistakes_between_words_are_counted),
		cmocka_unit_test(times_are_read_with_their_zone),
		cmocka_unit_test(times_relative_to_another_are_read_in_their_units),
		cmocka_unit_test(what_is_no_time_is_a_usage_error),
		cmocka_unit_test(times_are_written_in_utc_with_microseconds),
		cmocka_unit_test(each_level_puts_its_words_before_those_beneath),
		cmocka_unit_test(words_beyond_the_room_are_cut),
		cmocka_unit_test(a_file_that_others_may_use_is_refused),
		cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
		cmocka_unit_test(folders_are_made_with_those_above_and_for_their_owner_alone),
		cmocka_unit_test(a_folder_is_empty_or_missing_or_an_error),
		cmocka_unit_test(a_tree_is_removed_but_not_what_its_links_point_at),
		cmocka_unit_test(sha256_gives_the_values_of_the_standard),
		cmocka_unit_test(random_octets_are_not_the_same_twice),
		cmocka_unit_test(a_secret_is_compared_whole_and_wiped_whole),
		cmocka_unit_test(a_log_line_is_one_line),
		cmocka_unit_test(a_log_line_in_json_is_json_whatever_is_in_it),
		cmocka_unit_test(lines_go_to_the_journal_with_their_fields_when_standard_error_does),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
