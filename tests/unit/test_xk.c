/* xk: requests and answers of the LI side, both ways. What is read here is written out in deploy/xk.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/xk.h"

#define ID "0123456789abcdef0123456789abcdef"

static const char get_keys[] =
	"{\"request\":\"" ID "\",\"protocol\":\"mikey\",\"warrant\":\"LI-7\",\"kms\":\"sip:kms@abc.com\","
	"\"target\":\"sip:alice@abc.com\",\"parties\":{\"from\":\"sip:bob@abc.com\",\"to\":\"sip:alice@abc.com\","
	"\"answered\":null},\"dialog\":{\"call_id\":\"c1@h\",\"from_tag\":\"f\",\"to_tag\":\"t\"},"
	"\"offer\":\"AQ4=\",\"answer\":null,\"first_offer\":null,\"first_answer\":null,"
	"\"at\":\"2026-11-21T20:58:23.000000Z\"}";

static void a_request_is_written_as_the_page_says(void **state)
{
	struct xk_request r = { .request = ID,
		.warrant = bytes_of("LI-7"),
		.kms = bytes_of("sip:kms@abc.com"),
		.target = bytes_of("sip:alice@abc.com"),
		.from = bytes_of("sip:bob@abc.com"),
		.to = bytes_of("sip:alice@abc.com"),
		.call_id = bytes_of("c1@h"),
		.from_tag = bytes_of("f"),
		.to_tag = bytes_of("t"),
		.offer = bytes_of("\x01\x0e"),
		.at = INT64_C(1795294703) * NSEC_PER_SEC }; /* date -u -d 2026-11-21T20:58:23 +%s */
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(xk_write_request(&r, &out, NULL), 0);
	assert_int_equal(out.len, strlen(get_keys));
	assert_memory_equal(out.at, get_keys, out.len);
	buf_clear(&out);
}

static void a_request_is_read(void **state)
{
	struct xk_request r;

	(void)state;
	assert_int_equal(xk_read_request(bytes_of(get_keys), &r, NULL), 0);
	assert_string_equal(r.request, ID);
	assert_int_equal(r.protocol, KEY_MGMT_MIKEY);
	assert_true(bytes_equal(r.warrant, bytes_of("LI-7")));
	assert_true(bytes_equal(r.kms, bytes_of("sip:kms@abc.com")));
	assert_true(bytes_equal(r.from, bytes_of("sip:bob@abc.com")));
	assert_int_equal(r.answered.len, 0);
	assert_true(bytes_equal(r.call_id, bytes_of("c1@h")));
	assert_true(bytes_equal(r.offer, bytes_of("\x01\x0e")));
	assert_int_equal(r.answer.len, 0);
	assert_int_equal(r.at, INT64_C(1795294703) * NSEC_PER_SEC);
	xk_request_clear(&r);
	assert_int_equal(r.text.len, 0);
}

/* `json` with its first `from` replaced by `to`. */
static char *changed(const char *json, const char *from, const char *to)
{
	const char *at = strstr(json, from);
	size_t size = strlen(json) + strlen(to) + 1;
	char *out = malloc(size);

	assert_non_null(at);
	assert_non_null(out);
	snprintf(out, size, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
	return out;
}

static void assert_request(const char *from, const char *to, const char *why)
{
	char *json = changed(get_keys, from, to);
	struct err err = { 0 };
	struct xk_request r;
	int rc = xk_read_request(bytes_of(json), &r, &err);

	assert_int_equal(rc, why != NULL ? -1 : 0);
	if (why != NULL) {
		assert_non_null(strstr(err.text, why));
		assert_int_equal(err.code, EXIT_FAILED);
		assert_null(strstr(err.text, "alice"));
		assert_null(r.text.at);
	}
	xk_request_clear(&r);
	free(json);
}

static void what_is_wrong_with_a_request_is_told_by_member(void **state)
{
	(void)state;
	assert_request("\"request\":\"" ID "\",", "", "\"request\" is missing");
	assert_request("\"request\":\"0", "\"request\":\"", "\"request\"");
	assert_request("\"request\":\"0", "\"request\":\"A", "\"request\"");
	assert_request("\"mikey\"", "\"sdes\"", "\"protocol\"");
	assert_request("\"warrant\":\"LI-7\",", "", "\"warrant\" is missing");
	assert_request("\"LI-7\"", "7", "\"warrant\" is not a string");
	assert_request("\"LI-7\"", "\"\"", "\"warrant\" is empty");
	assert_request("\"LI-7\"", "\"L\\n7\"", "\"warrant\" has a control character");
	assert_request("\"sip:kms@abc.com\"", "null", "\"kms\" is missing");
	assert_request("\"target\":\"sip:alice@abc.com\"", "\"target\":null", "\"target\" is missing");
	assert_request("{\"from\"", "\"x\",\"y\":{\"from\"", "\"parties\" is not an object");
	assert_request("\"dialog\"", "\"dialogue\"", "\"dialog\" is missing");
	assert_request("\"AQ4=\"", "\"AQ4\"", "\"offer\" is not base64");
	assert_request("\"AQ4=\"", "\"A?4=\"", "\"offer\" is not base64");
	assert_request("2026-11-21T20:58:23.000000Z", "now", "\"at\"");
	assert_request("2026-11-21T20:58:23.000000Z", "2026-11-21T20:58:23+01:00", "\"at\"");
	assert_request("Z\"}", "Z\"", "JSON");
	assert_request("\"warrant\"", "\"kms\":\"sip:a@b\",\"warrant\"", "JSON"); /* twice the same member */
}

static void what_a_later_version_adds_is_passed_over(void **state)
{
	(void)state;
	assert_request("\"warrant\"", "\"later\":{\"x\":[1]},\"warrant\"", NULL);
	assert_request("\"answer\":null,\"first_offer\":null,", "", NULL);
	assert_request("\"AQ4=\"", "null", NULL);
	assert_request("23.000000Z", "23Z", NULL);
}

static void what_is_too_long_is_neither_read_nor_written(void **state)
{
	static char uri[XK_TEXT_MAX + 2], json[XK_BODY_MAX + 2];
	static uint8_t token[KEY_TOKEN_MAX + 1];
	struct xk_request r;
	struct err err;
	struct buf out = { 0 };
	char *wrong;

	(void)state;
	memset(uri, 'x', sizeof(uri) - 1);
	wrong = changed(get_keys, "sip:bob@abc.com", uri);
	assert_int_equal(xk_read_request(bytes_of(wrong), &r, &err), -1);
	assert_non_null(strstr(err.text, "\"from\" has more than"));
	free(wrong);
	memset(json, ' ', sizeof(json) - 1);
	assert_int_equal(xk_read_request(bytes_of(json), &r, &err), -1);
	assert_non_null(strstr(err.text, "more than 65536 octets"));
	assert_int_equal(xk_read_request(bytes_of(get_keys), &r, NULL), 0);
	r.answer = (struct bytes){ token, sizeof(token) };
	assert_int_equal(xk_write_request(&r, &out, &err), -1);
	assert_non_null(strstr(err.text, "\"answer\" has more than 8192 octets"));
	assert_int_equal(out.len, 0);
	r.answer.len--;
	r.offer = r.first_offer = r.first_answer = r.answer;
	assert_int_equal(xk_write_request(&r, &out, &err), 0); /* four tokens of the longest fit */
	xk_request_clear(&r);
	assert_int_equal(xk_read_request(buf_bytes(&out), &r, NULL), 0);
	assert_int_equal(r.first_answer.len, KEY_TOKEN_MAX);
	xk_request_clear(&r);
	buf_clear(&out);
}

static void octets_of_the_wire_that_are_no_text_stay_json(void **state)
{
	struct buf out = { 0 };
	struct xk_request r, again;

	(void)state;
	assert_int_equal(xk_read_request(bytes_of(get_keys), &r, NULL), 0);
	r.from = (struct bytes){ (const uint8_t *)"a\xff\"\\\n", 5 };
	assert_int_equal(xk_write_request(&r, &out, NULL), 0);
	assert_int_equal(xk_read_request(buf_bytes(&out), &again, NULL), 0);
	assert_true(bytes_equal(again.from, bytes_of("a\xEF\xBF\xBD\"\\\xEF\xBF\xBD")));
	xk_request_clear(&r);
	xk_request_clear(&again);
	buf_clear(&out);
}

static void a_call_that_ended_is_told_and_read(void **state)
{
	static const char json[] =
		"{\"request\":\"" ID "\",\"protocol\":\"otway-rees\",\"kms\":\"sip:kms@abc.com\","
		"\"dialog\":{\"call_id\":\"c1@h\",\"from_tag\":null,\"to_tag\":null},\"offer\":null}";
	struct buf out = { 0 };
	struct xk_request r;
	struct err err;

	(void)state;
	assert_int_equal(xk_read_ended(bytes_of(json), &r, NULL), 0);
	assert_int_equal(r.protocol, KEY_MGMT_OTWAY_REES);
	assert_int_equal(xk_write_ended(&r, &out, NULL), 0);
	assert_int_equal(out.len, strlen(json));
	assert_memory_equal(out.at, json, out.len);
	r.call_id.len = 0;
	assert_int_equal(xk_write_ended(&r, &out, &err), -1);
	assert_non_null(strstr(err.text, "\"call_id\" is missing"));
	xk_request_clear(&r);
	buf_clear(&out);
}

static void how_many_were_purged_is_told_and_read(void **state)
{
	char request[KEY_REQUEST_ID];
	struct buf out = { 0 };
	uint64_t purged;

	(void)state;
	assert_int_equal(xk_write_purged(ID, 2, &out, NULL), 0);
	assert_memory_equal(out.at, "{\"request\":\"" ID "\",\"purged\":2}", out.len);
	assert_int_equal(xk_read_purged(buf_bytes(&out), request, &purged, NULL), 0);
	assert_string_equal(request, ID);
	assert_int_equal(purged, 2);
	assert_int_equal(
		xk_read_purged(bytes_of("{\"request\":\"" ID "\",\"purged\":-1}"), request, &purged, NULL), -1);
	assert_int_equal(xk_write_purged("short", 2, &out, NULL), -1);
	buf_clear(&out);
}

/* Key and salt of RFC 3711 B.3, in base64 as python3's base64.b64encode gives them. */
static const char keys[] =
	"{\"request\":\"" ID "\",\"keys\":[{\"cs\":1,\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\",\"salt\":"
	"\"DsZ1rUmK/uu2lgs6q+Y=\",\"mki\":\"deadbeef\",\"from\":null,\"until\":\"2026-11-21T20:58:23.000000Z\"}]}";

static void keys_are_read_and_written(void **state)
{
	static const uint8_t key[] = "\xE1\xF9\x7A\x0D\x3E\x01\x8B\xE0\xD6\x4F\xA3\x2C\x06\xDE\x41\x39";
	static const uint8_t salt[] = "\x0E\xC6\x75\xAD\x49\x8A\xFE\xEB\xB6\x96\x0B\x3A\xAB\xE6";
	struct xk_answer a;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(xk_read_answer(bytes_of(keys), &a, NULL), 0);
	assert_int_equal(a.failure, XK_NONE);
	assert_int_equal(a.key_count, 1);
	assert_int_equal(a.keys[0].cs, 1);
	assert_int_equal(a.keys[0].key_len, 16);
	assert_memory_equal(a.keys[0].key, key, 16);
	assert_int_equal(a.keys[0].salt_len, 14);
	assert_memory_equal(a.keys[0].salt, salt, 14);
	assert_int_equal(a.keys[0].mki_len, 4);
	assert_memory_equal(a.keys[0].mki, "\xde\xad\xbe\xef", 4);
	assert_int_equal(a.keys[0].from, NSEC_NONE);
	assert_int_equal(a.keys[0].until, INT64_C(1795294703) * NSEC_PER_SEC);
	assert_int_equal(xk_write_answer(&a, &out, NULL), 0);
	assert_int_equal(out.len, strlen(keys));
	assert_memory_equal(out.at, keys, out.len);
	xk_answer_clear(&a);
	assert_int_equal(a.keys[0].key[0], 0);
	buf_clear(&out);
}

static void each_failure_is_read_and_written(void **state)
{
	static const char *const words[] = { "unknown", "purged", "refused", "no-agreement", "try-later" };
	char json[200];

	(void)state;
	for (int f = 0; f < 5; f++) {
		struct buf out = { 0 };
		struct xk_answer a;

		snprintf(json, sizeof(json), "{\"request\":\"" ID "\",\"failure\":\"%s\",\"retry_after\":%s}", words[f],
			f == 4 ? "7" : "null");
		assert_int_equal(xk_read_answer(bytes_of(json), &a, NULL), 0);
		assert_string_equal(xk_failure_text(a.failure), words[f]);
		assert_int_equal(a.retry_after, f == 4 ? 7 : 0);
		assert_int_equal(a.key_count, 0);
		assert_int_equal(xk_write_answer(&a, &out, NULL), 0);
		assert_memory_equal(out.at, json, out.len);
		buf_clear(&out);
	}
	assert_null(xk_failure_text(XK_NONE));
	assert_null(xk_failure_text(XK_FAILURES));
}

static void assert_answer(const char *from, const char *to, const char *why)
{
	char *json = changed(keys, from, to);
	struct xk_answer a;
	struct err err = { 0 };

	assert_int_equal(xk_read_answer(bytes_of(json), &a, &err), why != NULL ? -1 : 0);
	if (why != NULL) {
		assert_non_null(strstr(err.text, why));
		assert_null(strstr(err.text, "4fl6"));
		assert_int_equal(a.key_count, 0);
		assert_int_equal(a.keys[0].key[0], 0);
	}
	xk_answer_clear(&a);
	free(json);
}

static void what_is_wrong_with_an_answer_is_told_by_member(void **state)
{
	(void)state;
	assert_answer("\"request\":\"0", "\"request\":\"", "\"request\"");
	assert_answer("\"keys\"", "\"key\"", "\"keys\" or a \"failure\"");
	assert_answer("\"keys\"", "\"failure\":\"refused\",\"keys\"", "not both");
	assert_answer("\"cs\":1", "\"cs\":256", "\"cs\" is not a number");
	assert_answer("\"cs\":1", "\"cs\":1.0", "\"cs\" is not a number");
	assert_answer("\"cs\":1,", "", "\"cs\" is missing");
	assert_answer("4fl6DT4Bi+DWT6MsBt5BOQ==", "4fl6DT4Bi+DWT6MsBt5B", "\"key\" has 15 octets");
	assert_answer("DsZ1rUmK/uu2lgs6q+Y=", "DsZ1rUmK/uu2lgs6qw==", "\"salt\" has 13 octets");
	assert_answer("DsZ1rUmK/uu2lgs6q+Y=", "DsZ1rUmK/uu2lgs6q+Zm", "\"salt\" is not base64");
	assert_answer("deadbeef", "deadbee", "\"mki\"");
	assert_answer("\"deadbeef\"", "4", "\"mki\"");
	assert_answer("\"from\":null", "\"from\":\"2027-01-01T00:00:00Z\"", "\"until\" is not behind");
	assert_answer("[{", "[7,{", "key 0: it is not an object");
	assert_answer("[{", "{", "JSON");
	assert_answer("\"mki\":\"deadbeef\",", "", NULL);
	assert_answer("\"cs\"", "\"later\":7,\"cs\"", NULL);
}

static void an_answer_has_as_many_keys_as_fit_and_one_at_least(void **state)
{
	static const char one[] = "{\"cs\":1,\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\",\"salt\":\"DsZ1rUmK/uu2lgs6q+Y=\"}";
	struct buf json = { 0 };
	struct xk_answer a;

	(void)state;
	for (int count = 0; count <= KEY_SESSIONS + 1; count++) {
		buf_reset(&json);
		buf_text(&json, "{\"request\":\"" ID "\",\"keys\":[");
		for (int i = 0; i < count; i++) {
			buf_text(&json, i > 0 ? "," : "");
			buf_text(&json, one);
		}
		buf_text(&json, "]}");
		assert_int_equal(
			xk_read_answer(buf_bytes(&json), &a, NULL), count > 0 && count <= KEY_SESSIONS ? 0 : -1);
	}
	buf_clear(&json);
}

static void an_answer_that_says_nothing_valid_is_not_written(void **state)
{
	struct xk_answer a = { .request = ID };
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(xk_write_answer(&a, &out, NULL), -1);
	a.key_count = 1;
	a.keys[0] = (struct xk_key){ .key_len = 16, .salt_len = 13, .from = NSEC_NONE, .until = NSEC_NONE };
	assert_int_equal(xk_write_answer(&a, &out, NULL), -1);
	a.keys[0].salt_len = 14;
	assert_int_equal(xk_write_answer(&a, &out, NULL), 0);
	a.request[3] = 'G';
	assert_int_equal(xk_write_answer(&a, &out, NULL), -1);
	buf_clear(&out);
}

static void an_error_is_a_sentence(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(xk_write_error("\"kms\" is missing", &out), 0);
	assert_memory_equal(out.at, "{\"error\":\"\\\"kms\\\" is missing\"}", out.len);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_written_as_the_page_says),
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(what_is_wrong_with_a_request_is_told_by_member),
		cmocka_unit_test(what_a_later_version_adds_is_passed_over),
		cmocka_unit_test(what_is_too_long_is_neither_read_nor_written),
		cmocka_unit_test(octets_of_the_wire_that_are_no_text_stay_json),
		cmocka_unit_test(a_call_that_ended_is_told_and_read),
		cmocka_unit_test(how_many_were_purged_is_told_and_read),
		cmocka_unit_test(keys_are_read_and_written),
		cmocka_unit_test(each_failure_is_read_and_written),
		cmocka_unit_test(what_is_wrong_with_an_answer_is_told_by_member),
		cmocka_unit_test(an_answer_has_as_many_keys_as_fit_and_one_at_least),
		cmocka_unit_test(an_answer_that_says_nothing_valid_is_not_written),
		cmocka_unit_test(an_error_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
