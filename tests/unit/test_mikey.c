/* mikey: messages taken apart and put together, with the examples of RFC 4567 and messages of our own making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/mikey_scene.h"

static struct err err;

static void assert_encodes_again(const struct mikey *m, struct bytes octets)
{
	struct buf b = { 0 };

	assert_true(mikey_encode(m, &b));
	assert_true(bytes_equal(buf_bytes(&b), octets));
	buf_clear(&b);
}

static void the_offer_of_rfc_4567_is_read(void **state)
{
	struct octets o = octets_base64(offer_4567);
	struct mikey_cs cs;
	struct mikey m;

	(void)state;
	assert_true(mikey_decode(octets_view(&o), &m, &err));
	assert_true(mikey_check(&m, &err));
	assert_int_equal(m.type, MIKEY_PSK_INIT);
	assert_true(m.v);
	assert_int_equal(m.prf, MIKEY_PRF_SHA1);
	assert_int_equal(m.csb, 0xcd177e50);
	assert_int_equal(m.cs_count, 1);
	assert_true(mikey_session(&m, 0, &cs));
	assert_int_equal(cs.id, 1);
	assert_octets(cs.policies, "00");
	assert_octets(cs.data, "0000000000000000");
	assert_false(mikey_session(&m, 1, &cs));
	assert_int_equal(m.count, 5);
	assert_int_equal(m.payloads[0].type, MIKEY_T);
	assert_int_equal(mikey_time_of(&m.payloads[0]), 1161351786 * NSEC_PER_SEC); /* 2006-10-20T13:43:06Z */
	assert_int_equal(m.payloads[1].type, MIKEY_RAND);
	assert_octets(m.payloads[1].rand.value, "4a28da979ee21a7651a0d7f19136d98c");
	assert_int_equal(m.payloads[2].type, MIKEY_ID);
	assert_int_equal(m.payloads[2].id.kind, MIKEY_NAI);
	assert_true(bytes_equal(m.payloads[2].id.data, bytes_of("donald@duck.com")));
	assert_int_equal(m.payloads[3].type, MIKEY_SP);
	assert_int_equal(m.payloads[3].sp.params.len, 0);
	assert_int_equal(m.payloads[4].type, MIKEY_KEMAC);
	assert_int_equal(m.payloads[4].kemac.encr, MIKEY_ENCR_CM_128);
	assert_int_equal(m.payloads[4].kemac.data.len, 36);
	assert_octets(m.payloads[4].kemac.value, "5f627a69c6508675f5f59050e4abcca4c0bfdcd5");
	assert_encodes_again(&m, octets_view(&o));
}

static void the_answer_of_rfc_4567_is_read(void **state)
{
	struct octets o = octets_base64(answer_4567);
	struct mikey m;

	(void)state;
	assert_true(mikey_decode(octets_view(&o), &m, &err));
	assert_true(mikey_check(&m, &err));
	assert_int_equal(m.type, MIKEY_PSK_RESP);
	assert_int_equal(m.count, 3);
	assert_true(bytes_equal(m.payloads[1].id.data, bytes_of("mickey@mouse.com")));
	assert_int_equal(m.payloads[2].type, MIKEY_V);
	assert_octets(m.payloads[2].v.value, "9fc1dd184e413035c522e18481afbad80818e5c7");
	assert_encodes_again(&m, octets_view(&o));
}

static void a_message_cut_anywhere_is_refused_with_the_octet(void **state)
{
	struct octets o = octets_base64(offer_4567);
	struct mikey m;

	(void)state;
	for (size_t len = 0; len < o.len; len++) {
		uint8_t *exact = test_malloc(len + 1); /* an octet beyond is seen */

		memcpy(exact, o.at, len);
		err.text[0] = '\0';
		assert_false(mikey_decode((struct bytes){ exact, len }, &m, &err));
		assert_non_null(strstr(err.text, "octet "));
		test_free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_offer_of_rfc_4567_is_read),
		cmocka_unit_test(the_answer_of_rfc_4567_is_read),
		cmocka_unit_test(a_message_cut_anywhere_is_refused_with_the_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
