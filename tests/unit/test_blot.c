/* blot: keys that stand where nobody looks for "inline:" alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/delivery/blot.h"
#include "otway/base/inflate.h"
#include "otway/base/text.h"

/* The key of the SDP below, and of the MIKEY message further down. */
static struct table *keys_of(const char *base64)
{
	static uint8_t material[46];
	struct table *t = table_new();
	long len = text_unbase64(bytes_of(base64), material, sizeof(material));

	assert_true(t != NULL && len > 0);
	assert_true(table_put(t, (struct bytes){ material, (size_t)len }, material));
	return t;
}

/* An SDP with a=crypto … inline:bLgs8lhX…, written by gzip. */
static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xb3, 0x35, 0xe0,
	0xe5, 0xca, 0xb5, 0x4d, 0x2c, 0x4d, 0xc9, 0xcc, 0x57, 0x30, 0x31, 0x30, 0x30, 0x50, 0x08, 0x0a, 0x09, 0xd0,
	0x0f, 0x76, 0x0c, 0x0b, 0x50, 0x00, 0x4a, 0x24, 0xda, 0x26, 0x17, 0x55, 0x16, 0x94, 0xe4, 0x5b, 0x19, 0x2a,
	0x38, 0xba, 0x06, 0xc7, 0x3b, 0xfb, 0xc6, 0x1b, 0x1a, 0x59, 0xc4, 0x7b, 0xf8, 0x3a, 0x3a, 0xc7, 0x07, 0x7b,
	0x38, 0x1a, 0xc6, 0x5b, 0x18, 0x28, 0x64, 0xe6, 0xe5, 0x64, 0xe6, 0xa5, 0x5a, 0x25, 0xf9, 0xa4, 0x17, 0x5b,
	0xe4, 0x64, 0x44, 0x64, 0x45, 0xb9, 0xa4, 0x78, 0x99, 0x7b, 0x55, 0x98, 0x97, 0x55, 0x65, 0x56, 0xb9, 0xb9,
	0x78, 0x57, 0x56, 0x66, 0x67, 0xbb, 0x87, 0x44, 0x05, 0xa7, 0x57, 0x19, 0x06, 0x15, 0x05, 0x45, 0x39, 0xf2,
	0x72, 0x01, 0x00, 0x6b, 0x54, 0x68, 0x6c, 0x72, 0x00, 0x00, 0x00 };

static size_t message_with_packed_body(uint8_t *out, size_t size)
{
	static const char head[] =
		"INVITE sip:b@x SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n";

	assert_true(sizeof(head) - 1 + sizeof(packed) <= size);
	memcpy(out, head, sizeof(head) - 1);
	memcpy(out + sizeof(head) - 1, packed, sizeof(packed));
	return sizeof(head) - 1 + sizeof(packed);
}

static void a_key_in_a_compressed_body_takes_the_body_with_it(void **state)
{
	struct table *keys = keys_of("bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA");
	uint8_t text[512];
	size_t len = message_with_packed_body(text, sizeof(text));

	(void)state;
	assert_int_equal(blot_message(text, len, keys, false), 1);
	for (size_t i = len - sizeof(packed); i < len; i++)
		assert_int_equal(text[i], '*');
	assert_memory_equal(text, "INVITE sip:b@x", 14);
	table_free(keys);
}

static void a_compressed_body_with_other_keys_stays(void **state)
{
	struct table *keys = keys_of("DWHjvj7eFsJPrq2ZuDleG6FCM9P5+SDGl4xaEcHi");
	uint8_t text[512];
	size_t len = message_with_packed_body(text, sizeof(text));

	(void)state;
	assert_int_equal(blot_message(text, len, keys, false), 0);
	assert_memory_equal(text + len - sizeof(packed), packed, sizeof(packed));
	assert_int_equal(blot_message(text, len, keys, true), 1);
	table_free(keys);
}

/* The same key in parts of a body, as Python writes them: base64, gzip within base64, quoted-printable, gzip in a body in base64. */
static void a_key_in_a_coded_part_takes_the_part_with_it(void **state)
{
	static const char *const parts[][2] = {
		{ "Content-Transfer-Encoding: base64\r\n",
			"dj0wDQptPWF1ZGlvIDQwMDIgUlRQL1NBVlAgMA0KYT1jcnlwdG86MSBBRVNfQ01fMTI4X0hNQUNf\r\nU0hBMV84MC"
			"BpbmxpbmU6YkxnczhsaFhqWkRkSjdKeDd2eml6RkRLeXlra0dUWlNnejFSclJaQQ0K\r\n" },
		{ "Content-Encoding: gzip\r\nContent-Transfer-Encoding:\r\n Base64\r\n",
			"H4sIAAAAAAACAyuzNeDlyrVNLE3JzFcwMTAwUggKCdAPdgwLUABKJNomF1UWlORbGSo4ugbHO/vG\r\nGxpZxHv4Oj"
			"rHB3s4GsZbGChk5uVk5qVaJfmkF1vkZERkRbmkeJl7VZiXVWVWubl4V1ZmZ7uHRAWn\r\nVxkGFQVFOfJyAQDFfuO5"
			"cgAAAA==\r\n" },
		{ "content-transfer-encoding: quoted-printable\r\n",
			"v=3D0=0D=0Aa=3Dcrypto:1 AES_CM_128_HMAC_SHA1_80 inline:bLgs8lhXj=\r\nZDdJ7Jx7vzizFDKyykkGT"
			"ZSgz1RrRZA" },
		{ "Content-Transfer-Encoding: base64\r\n",
			"LS1pbg0KQ29udGVudC1FbmNvZGluZzogZ3ppcA0KDQofiwgAAAAAAAIDK7M14OXKtU0sTcnMVzAx\r\nMDBSCAoJ0A"
			"92DAtQAEok2iYXVRaU5FsZKji6Bsc7+8YbGlnEe/g6OscHezgaxlsYKGTm5WTmpVol\r\n+aQXW+RkRGRFuaR4mXtV"
			"mJdVZVa5uXhXVmZnu4dEBadXGQYVBUU58nIBAMV+47lyAAAADQotLWlu\r\nLS0NCg==\r\n" },
	};
	struct table *keys = keys_of("bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA"),
		     *other = keys_of("DWHjvj7eFsJPrq2ZuDleG6FCM9P5+SDGl4xaEcHi");

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		static const char before[] = "INVITE sip:b@x SIP/2.0\r\nAccept-Encoding: gzip\r\n"
					     "c: multipart/mixed;boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n";
		static const char after[] = "\r\n--b\r\nc: text/plain\r\n\r\nlast\r\n--b--\r\n";
		struct buf text = { 0 };
		size_t from, to;

		buf_printf(&text, "%s%s\r\n", before, parts[i][0]);
		from = text.len;
		buf_text(&text, parts[i][1]);
		to = text.len;
		buf_text(&text, after);
		assert_int_equal(blot_message(text.at, text.len, other, false), 0);
		assert_memory_equal(text.at + from, parts[i][1], to - from);
		assert_int_equal(blot_message(text.at, text.len, keys, false), 1);
		for (size_t k = from; k < to; k++)
			assert_int_equal(text.at[k], '*');
		assert_memory_equal(text.at, before, sizeof(before) - 1);
		assert_memory_equal(text.at + to + 2, after + 2, sizeof(after) - 3);
		buf_clear(&text);
	}
	table_free(keys);
	table_free(other);
}

/* Each block asks for all that is behind it to be tried: what cannot be searched with as much work as is fair is not kept. */
static void what_names_codings_without_end_is_searched_in_bounded_time(void **state)
{
	struct table *keys = keys_of("bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA");
	struct buf text = { 0 };

	(void)state;
	buf_text(&text, "INVITE sip:b@x SIP/2.0\r\n\r\n");
	for (int i = 0; i < 4000; i++)
		buf_printf(&text, "--%d\r\ngzip\r\n\r\n", i);
	assert_true(blot_message(text.at, text.len, keys, false) > 0);
	assert_int_equal(text.at[text.len - 1], '*');
	buf_clear(&text);
	table_free(keys);
}

/* Of a real call (captures/s25): PSK, NULL encryption, the key readable by anyone. */
static void a_key_in_a_mikey_message_in_clear_takes_the_message_with_it(void **state)
{
	static const char sdp[] =
		"a=key-mgmt:mikey AQAFAGj7tq0CAABj3GI8AAAAAAB3URHcAAAAAAsA7qx3AcT3AVMKEPK4eOd51EkOyj5tNbqk8pIBAAAA"
		"FQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAeDWHjvj7eFsJPrq2ZuDleG6FCM9P5+SDGl4xaEcHiAA==\r\na=x\r\n";
	struct table *keys = keys_of("DWHjvj7eFsJPrq2ZuDleG6FCM9P5+SDGl4xaEcHi"),
		     *other = keys_of("bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA");
	uint8_t text[sizeof(sdp)];

	(void)state;
	memcpy(text, sdp, sizeof(sdp));
	assert_int_equal(blot_message(text, sizeof(sdp) - 1, other, false), 0);
	assert_memory_equal(text, sdp, sizeof(sdp));
	assert_int_equal(blot_message(text, sizeof(sdp) - 1, keys, false), 1);
	assert_memory_equal(text, "a=key-mgmt:mikey ****", 21);
	assert_memory_equal(text + sizeof(sdp) - 1 - 7, "\r\na=x\r\n", 7);
	assert_null(memchr(text + 17, 'A', sizeof(sdp) - 17));
	table_free(keys);
	table_free(other);
}

static void what_unpacks_to_more_than_allowed_is_refused(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_false(inflate_bytes((struct bytes){ packed, sizeof(packed) }, 20, &out));
	buf_reset(&out);
	assert_false(inflate_bytes((struct bytes){ packed, sizeof(packed) - 9 }, 1000, &out));
	buf_reset(&out);
	assert_true(inflate_bytes((struct bytes){ packed, sizeof(packed) }, 1000, &out));
	assert_memory_equal(out.at, "v=0\r\n", 5);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_a_compressed_body_takes_the_body_with_it),
		cmocka_unit_test(a_compressed_body_with_other_keys_stays),
		cmocka_unit_test(a_key_in_a_mikey_message_in_clear_takes_the_message_with_it),
		cmocka_unit_test(a_key_in_a_coded_part_takes_the_part_with_it),
		cmocka_unit_test(what_names_codings_without_end_is_searched_in_bounded_time),
		cmocka_unit_test(what_unpacks_to_more_than_allowed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
