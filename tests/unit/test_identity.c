/* identity: canonical forms, and what a warrant may name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/model/identity.h"

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static struct identity parsed(const char *uri)
{
	struct identity id;

	identity_parse(bytes_of(uri), &id);
	return id;
}

static bool same(const char *a, const char *b)
{
	struct identity x = parsed(a), y = parsed(b);

	return identity_same(&x, &y);
}

static void assert_form(const char *uri, const char *form, const char *number)
{
	struct identity id = parsed(uri);

	assert_string_equal(id.uri, form);
	assert_string_equal(id.number, number);
}

/* RFC 3261 19.1.4, the pairs that it calls equivalent. */
static void what_rfc_3261_calls_equivalent_is_the_same(void **state)
{
	(void)state;
	assert_true(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"));
	assert_true(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
	assert_true(same("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
	assert_true(same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
}

/* Of its pairs that are not equivalent, case and address tell people apart; this one must stay so. */
static void a_user_part_keeps_its_case(void **state)
{
	(void)state;
	assert_false(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
	assert_false(same("sip:bob@example.com", "sip:Bob@example.com"));          /* S34 */
	assert_true(same("sip:Bob@Example.COM", "sip:Bob@example.com"));           /* S34 */
	assert_false(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4")); /* also of 19.1.4 */
}

/* The other pairs of 19.1.4 differ by port, transport or headers, which lead to the same subscriber. */
static void where_a_message_is_sent_does_not_change_who_is_meant(void **state)
{
	(void)state;
	assert_true(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
	assert_true(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
	assert_true(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
	assert_true(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
	assert_true(same("sip:carol@chicago.com", "sips:carol@chicago.com:5061"));
	assert_true(same("sip:carol:secret@chicago.com", "sip:carol@chicago.com"));
	assert_true(same("sip:carol@chicago.com.", "sip:carol@chicago.com"));
}

static void reserved_escapes_stay_and_unreserved_ones_go(void **state)
{
	(void)state;
	assert_form("sip:%62ob%2d%5f@h.example", "sip:bob-_@h.example", "");
	assert_form("sip:a%3bb%40c@h.example", "sip:a%3Bb%40c@h.example", "");
}

/* RFC 4475 3.1.1.2, 3.1.1.3, 3.1.1.4 and 3.1.1.6: odd user parts. */
static void odd_user_parts_of_the_torture_test_are_read(void **state)
{
	(void)state;
	assert_form("sip:sips%3Auser%40example.com@example.net", "sip:sips%3Auser%40example.com@example.net", "");
	assert_form("sip:null-%00-null@example.com", "sip:null-%00-null@example.com", "");
	assert_form("sip:user;par=u%40example.net@example.com", "sip:user;par=u%40example.net@example.com", "");
	assert_form("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
		    ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
		"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com", "");
}

static void an_ipv6_host_has_one_form(void **state)
{
	(void)state;
	assert_form("sip:bob@[2001:DB8:0::10]:5070;lr", "sip:bob@[2001:db8::10]", "");
	assert_true(same("sip:bob@[2001:db8:0:0:0:0:0:1]", "sip:bob@[2001:db8::1]")); /* RFC 5118 4.10 asks for it */
	assert_form("sip:bob@[2001:db8::zz]", "", "");
	assert_form("sip:bob@[2001:db8::1", "", "");
}

/* RFC 3966 4 and 3 (separators), 6 (its examples). */
static void what_rfc_3966_calls_equivalent_is_the_same(void **state)
{
	(void)state;
	assert_form("tel:+1-201-555-0123", "tel:+12015550123", "+12015550123");
	assert_true(same("tel:+1-201-555-0123", "tel:+1(201)555.0123"));
	assert_true(same("tel:7042;phone-context=example.com", "tel:70-42;phone-context=EXAMPLE.com"));
	assert_form("tel:7042;phone-context=example.com", "tel:7042;phone-context=example.com", "");
	assert_form("tel:863-1234;phone-context=+1-914-555", "tel:+19145558631234", "+19145558631234");
	assert_true(same("TEL:*21%23;phone-context=A.example", "tel:*21#;phone-context=a.example"));
}

static void local_and_global_numbers_are_not_the_same(void **state)
{
	(void)state;
	assert_false(same("tel:12015550123;phone-context=example.com", "tel:+12015550123"));
	assert_false(same("tel:7042;phone-context=example.com", "tel:7042;phone-context=example.org"));
	assert_false(same("tel:+12015550123", "tel:+12015550124"));
	assert_false(same("tel:3257781;phone-context=a.example", "tel:913257781;phone-context=a.example")); /* S35 */
	assert_false(same("sip:3257781@a.example;user=phone", "sip:913257781@a.example;user=phone"));       /* S35 */
}

/* One-sided parameters make RFC 3966 4 say no; they do not make another subscriber. */
static void parameters_that_only_route_are_left_out(void **state)
{
	(void)state;
	assert_true(same("tel:+441134960000;npdi;rn=+441134960999", "tel:+441134960000"));
	assert_true(same("tel:+441134960000;isub=1411", "tel:+441134960000"));
}

/* S31 */
static void a_number_is_the_same_in_every_scheme(void **state)
{
	static const char *const forms[] = {
		"tel:+49(30)1234-56",
		"tel:+4930123456",
		"sip:004930123456@x;user=phone",
		"sip:004930123456@x:5060;lr;USER=Phone?Subject=x",
		"tel:0049-30-123456",
		"tel:123456;phone-context=+4930",
		"tel:123456;npdi;phone-context=+49-30",
		"sip:123456;phone-context=+4930@x;user=phone",
		"sip:123456;phone-context=%2B4930@x;user=phone",
		"sip:+49(30)12-34-56;phone-context=ims.example@host;user=phone",
		"sip:+4930123456@any.example",
		"sips:+49-30-123456@[2001:db8::1]:5061;user=phone",
		"sip:%2B4930123456@x;user=phone",
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(forms); i++) {
		struct identity id = parsed(forms[i]);

		assert_string_equal(id.number, "+4930123456");
		assert_true(same(forms[0], forms[i]));
	}
}

static void digits_that_nobody_calls_a_number_are_a_name(void **state)
{
	(void)state;
	assert_form("sip:004930123456@x", "sip:004930123456@x", "");
	assert_form("sip:+123@x", "sip:+123@x", "");
	assert_form("sip:+12-345@x", "sip:+12345@x", "+12345");
	assert_form("sip:+4930abc@x", "sip:+4930abc@x", "");
	assert_form("sip:000@x;user=phone", "sip:000@x", "");
	assert_form("sip:bob@x;user=phone", "sip:bob@x", "");
	assert_form("sip:1-2-3@x;user=phone", "sip:123@x", "");
}

static void a_local_number_belongs_to_its_context(void **state)
{
	(void)state;
	assert_true(same(
		"sip:1234;phone-context=ims.example@proxy.example;user=phone", "tel:1234;phone-context=IMS.example."));
	assert_false(same("sip:1234;phone-context=ims.example@x;user=phone", "tel:1234"));
}

static void an_imei_is_compared_on_fourteen_digits(void **state)
{
	(void)state;
	assert_form("urn:gsma:imei:90420156-025763-0;svn=42", "urn:gsma:imei:90420156025763", ""); /* RFC 7254 4.1 */
	assert_true(same("urn:gsma:imei:90420156-025763-0", "URN:GSMA:IMEI:904201560257637"));
	assert_false(same("urn:gsma:imei:90420156-025763-0", "urn:gsma:imei:90420156-025764-0"));
	assert_form("urn:gsma:imei:90420156-02576", "", "");
	assert_form("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "", "");
}

static void what_names_no_subscriber_has_no_form(void **state)
{
	static const char *const uris[] = { "", "sip:", "sip:example.com", "sip:@example.com", "sip::pw@example.com",
		"bob", "sip:bob@", "sip:bob@:5060", "sip:bob@;lr", "sip:bob@a b", "tel:", "tel:+", "tel:+1-800-FLOWERS",
		"tel:bob", "http://bob@example.com", "urn:service:sos", "sip:bob@." };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(uris); i++) {
		struct identity id;

		assert_false(identity_parse(bytes_of(uris[i]), &id));
		assert_form(uris[i], "", "");
	}
}

static void a_form_too_long_to_hold_is_none(void **state)
{
	char uri[600] = "sip:";
	struct identity id;

	(void)state;
	memset(uri + 4, 'a', 500);
	strcpy(uri + 504, "@x.example");
	assert_false(identity_parse(bytes_of(uri), &id));
	memset(uri + 4, '1', 500);
	memcpy(uri, "tel:+", 5);
	uri[504] = '\0';
	assert_false(identity_parse(bytes_of(uri), &id));
}

static void nothing_is_the_same_as_nothing(void **state)
{
	(void)state;
	assert_false(same("", ""));
	assert_false(same("sip:example.com", "sip:example.com"));
}

static void one_subscriber_may_be_a_target(void **state)
{
	static const char *const uris[] = { "sip:alice@ims.example", "sips:alice@ims.example", "tel:+4930123456",
		"sip:+4930123456@ims.example;user=phone", "tel:7042;phone-context=example.com",
		"tel:*21;phone-context=example.com", "urn:gsma:imei:90420156-025763-0", "sip:a.b_c~d@[2001:db8::1]" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(uris); i++) {
		struct identity id;
		struct err err = { 0 };

		assert_int_equal(identity_target(bytes_of(uris[i]), &id, &err), 0);
		assert_true(id.uri[0] != '\0');
	}
}

static void more_than_one_subscriber_is_refused(void **state)
{
	static const char *const uris[] = { "sip:*@ims.example", "sip:alice*@ims.example", "sip:%2a@ims.example",
		"sip:alice@*.example", "sip:alice@*", "sip:ims.example", "sip:@ims.example", "sips:ims.example;lr",
		"ims.example", "@ims.example", "*@ims.example", "sip:foo!.*!@ims.example", "sip:[ab]lice@ims.example",
		"tel:+4930*", "tel:+4930?", "tel:+4930xx", "tel:+49", "tel:123*;phone-context=x.example",
		"sip:+4930%25@ims.example", "sip:a@x.example, sip:b@x.example", "tel:+4930123456,tel:+4930123457",
		"tel:+4930123456;ext=12", "sip:+4930123456;ext=12@x.example;user=phone",
		"sip:alice@ims.example sip:bob@ims.example" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(uris); i++) {
		struct identity id;
		struct err err = { 0 };

		assert_int_equal(identity_target(bytes_of(uris[i]), &id, &err), -1);
		if (err.code != EXIT_REFUSED)
			fail_msg("number %zu was not refused by policy", i);
		assert_null(strstr(err.text, "ims.example"));
		assert_int_equal(id.uri[0], '\0');
	}
}

static void what_is_no_uri_at_all_is_a_usage_error(void **state)
{
	static const char *const uris[] = { "", "alice", "alice@ims.example", "http://alice@ims.example",
		"urn:gsma:imei:123", "tel:alice", "\"Alice\" <sip:alice@ims.example>" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(uris); i++) {
		struct identity id;
		struct err err = { 0 };

		assert_int_equal(identity_target(bytes_of(uris[i]), &id, &err), -1);
		if (err.code != EXIT_USAGE)
			fail_msg("number %zu was taken for a URI: %s", i, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rfc_3261_calls_equivalent_is_the_same),
		cmocka_unit_test(a_user_part_keeps_its_case),
		cmocka_unit_test(where_a_message_is_sent_does_not_change_who_is_meant),
		cmocka_unit_test(reserved_escapes_stay_and_unreserved_ones_go),
		cmocka_unit_test(odd_user_parts_of_the_torture_test_are_read),
		cmocka_unit_test(an_ipv6_host_has_one_form),
		cmocka_unit_test(what_rfc_3966_calls_equivalent_is_the_same),
		cmocka_unit_test(local_and_global_numbers_are_not_the_same),
		cmocka_unit_test(parameters_that_only_route_are_left_out),
		cmocka_unit_test(a_number_is_the_same_in_every_scheme),
		cmocka_unit_test(digits_that_nobody_calls_a_number_are_a_name),
		cmocka_unit_test(a_local_number_belongs_to_its_context),
		cmocka_unit_test(an_imei_is_compared_on_fourteen_digits),
		cmocka_unit_test(what_names_no_subscriber_has_no_form),
		cmocka_unit_test(a_form_too_long_to_hold_is_none),
		cmocka_unit_test(nothing_is_the_same_as_nothing),
		cmocka_unit_test(one_subscriber_may_be_a_target),
		cmocka_unit_test(more_than_one_subscriber_is_refused),
		cmocka_unit_test(what_is_no_uri_at_all_is_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
