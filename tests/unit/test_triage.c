/* triage: a message that may name a target is never denied, and what joins calls is found in any spelling. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/triage.h"

static struct triage *of(const char *target)
{
	struct triage *t = triage_new();
	struct identity id;
	struct err err;

	assert_non_null(t);
	assert_int_equal(identity_target(bytes_of(target), &id, &err), 0);
	assert_true(triage_add(t, &id));
	return t;
}

static bool may(const char *target, const char *message)
{
	struct triage *t = of(target);
	struct glance g;

	triage_look(t, bytes_of(message), &g);
	triage_free(t);
	return g.may_match;
}

static void a_number_is_found_in_every_spelling(void **state)
{
	static const char *const wires[] = {
		"To: <tel:+4930123456>\r\n",
		"To: <tel:+49-(30)-1234.56>\r\n",
		"P-Asserted-Identity: sip:004930123456@x;user=phone\r\n",
		"To: tel:123456;phone-context=+4930\r\n",
		"INVITE sip:%2B4930%3123456@x;user=phone SIP/2.0\r\n",
		"To:\r\n <SIP:+4930123456@x>\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		assert_true(may("tel:+4930123456", wires[i]));
	assert_false(may("tel:+4930123456", "To: <tel:+4930123457>\r\n"));
}

static void a_user_is_found_with_escapes_ports_and_parameters(void **state)
{
	(void)state;
	assert_true(may("sip:bob@ims.example", "t:<sips:b%6fb:secret@IMS.example:5061;lr>\r\n"));
	assert_true(may(
		"sip:bob@ims.example", "History-Info: <sip:a@x>;index=1,<sip:bob@ims.example?Reason=a>;index=1.1\r\n"));
	assert_false(may("sip:bob@ims.example", "To: \"bob\" <sip:rob@ims.example>\r\nCall-ID: bob\r\n"));
}

static void an_imei_is_found_whatever_its_check_digit(void **state)
{
	(void)state;
	assert_true(may("urn:gsma:imei:35690000-123456-0",
		"Contact: <sip:u@h>;+sip.instance=\"<urn:gsma:imei:35690000-123456-9>\"\r\n"));
	assert_false(may("urn:gsma:imei:35690000-123456-0",
		"Contact: <sip:u@h>;+sip.instance=\"<urn:gsma:imei:35690000-123457-0>\"\r\n"));
}

static void what_joins_calls_is_seen(void **state)
{
	static const char text[] =
		"INVITE sip:x@y SIP/2.0\r\n"
		"Call-ID :\t a84b4c76e66710@pc33 \r\n"
		"CSeq: 314159\r\n INVITE\r\n"
		"Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2\r\n"
		"P-Charging-Vector: icid-value=\"AyretyU0dm+6O2IrT5tAFrbHLso=023551024\";orig-ioi=a\r\n"
		"\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA|2^20\r\n";
	struct triage *t = of("sip:bob@ims.example");
	struct glance g;

	(void)state;
	triage_look(t, bytes_of(text), &g);
	assert_true(bytes_equal(g.call_id, bytes_of("a84b4c76e66710@pc33")));
	assert_true(g.setup);
	assert_true(bytes_equal(g.session[0], bytes_of("ab30317f1a784dc48ff824d0d3715d86")));
	assert_true(bytes_equal(g.session[1], bytes_of("47755a9de7794ba387653f2099600ef2")));
	assert_true(bytes_equal(g.icid, bytes_of("AyretyU0dm+6O2IrT5tAFrbHLso=023551024")));
	assert_int_equal(g.inline_count, 1);
	assert_true(bytes_equal(g.inlines[0], bytes_of("bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrRZA")));
	triage_look(t, bytes_of("REGISTER sip:y SIP/2.0\r\ni: x\r\nCSeq: 1 REGISTER\r\n\r\n"), &g);
	assert_true(bytes_equal(g.call_id, bytes_of("x")));
	assert_false(g.setup);
	triage_free(t);
}

static void a_table_is_replaced_whole(void **state)
{
	struct warrant_set none = { 0 };
	struct triage *t = of("sip:bob@ims.example");
	struct glance g;

	(void)state;
	assert_true(triage_targets(t, &none));
	triage_look(t, bytes_of("To: <sip:bob@ims.example>\r\n"), &g);
	assert_false(g.may_match);
	triage_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_found_in_every_spelling),
		cmocka_unit_test(a_user_is_found_with_escapes_ports_and_parameters),
		cmocka_unit_test(an_imei_is_found_whatever_its_check_digit),
		cmocka_unit_test(what_joins_calls_is_seen),
		cmocka_unit_test(a_table_is_replaced_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
