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

static void assert_refused(const char *hex, const char *why)
{
	struct octets o = octets_hex(hex);
	struct mikey m;

	err.text[0] = '\0';
	if (mikey_decode(octets_view(&o), &m, &err))
		mikey_check(&m, &err);
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' is not in '%s'", why, err.text);
}

/* Each a header of type Error with the empty map, then what is wrong. */
static void what_is_malformed_is_told_by_what_and_where(void **state)
{
	(void)state;
	assert_refused("", "octet 0: header: 1 octets are wanted, 0 are left");
	assert_refused("0206000000000001", "version 2 is not known");
	assert_refused("01060000010203040003", "CS ID map: map type 3 is not known");
	assert_refused("01061e00010203040001", "octet 10: next payload: payload 30 is not known");
	assert_refused("0106050001020304000100090000000000000000", "octet 12: T: timestamp of kind 9 is not known");
	assert_refused("01060900010203040001000701", "octet 12: V: MAC algorithm 7 is not known");
	assert_refused("01060c000102030400010003000000", "octet 14: end: 1 octets lie behind the last payload");
	assert_refused("01060a0001020304000100000000030701", "SP: 3 octets are wanted, 2 are left");
	assert_refused("01060a000102030400010000000003070201", "SP: its parameters end within one");
	assert_refused("01060300010203040001000500", "octet 12: DH: DH group 5 is not known");
	assert_refused("0106100001020304000100000101010000000005", "TP: 5 octets are wanted, 0 are left");
	assert_refused(
		"01061000010203040001000001010100000000020e00", "octet 10: TP Data: octet 2: IDR: 1 octets are wanted");
	assert_refused("0100050001020304000100000000000000000000ff", "end: 1 octets lie behind");
	assert_refused("010005000102030400010000"
		       "0000000000000000",
		"PSK: there is no KEMAC payload");
}

static void a_chain_of_payloads_without_end_is_refused(void **state)
{
	struct buf b = { 0 };
	struct mikey m;

	(void)state;
	buf_add(&b, "\x01\x06\x0c\x00\x01\x02\x03\x04\x00\x01", 10);
	for (int i = 0; i < MIKEY_PAYLOADS; i++)
		buf_add(&b, "\x0c\x00\x00\x00", 4);
	buf_add(&b, "\x00\x00\x00\x00", 4);
	assert_false(mikey_decode(buf_bytes(&b), &m, &err));
	assert_non_null(strstr(err.text, "more than 64 payloads"));
	buf_clear(&b);
}

/* RFC 6043 6.10, counted out apart from the code: of 4,096 sets of flags those that every sentence allows. */
static void the_rules_of_flags_hold_for_every_set(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4096; f++) {
		bool d = f & MIKEY_D, e = f & MIKEY_E, of = f & MIKEY_F, g = f & MIKEY_G, h = f & MIKEY_H,
		     i = f & MIKEY_I, k = f & MIKEY_K, l = f & MIKEY_L, m = f & MIKEY_M;
		bool well = (d || l) && (!g || of) && (g || h) && (h || g) && (!i || e) && (!k || d) && (!m || of);

		assert_int_equal(mikey_flags_broken((uint16_t)f) == NULL, well);
	}
}

/* RFC 6043 6.10: the bits as they lie: PRF 1, D, F, L and O set, then Res 21. */
static void the_flags_of_a_ticket_lie_as_the_figure_shows(void **state)
{
	struct octets o = octets_hex("01061000010203040001"
				     "00"
				     "0002"
				     "03"
				     "04"
				     "03"
				     "41"
				     "35"
				     "0000");
	struct mikey m;

	(void)state;
	assert_true(mikey_decode(octets_view(&o), &m, &err));
	assert_int_equal(m.payloads[0].ticket.type, 2);
	assert_int_equal(m.payloads[0].ticket.subtype, 3);
	assert_int_equal(m.payloads[0].ticket.version, 4);
	assert_int_equal(m.payloads[0].ticket.prf, 1);
	assert_int_equal(m.payloads[0].ticket.flags, MIKEY_D | MIKEY_F | MIKEY_L | MIKEY_O);
	assert_int_equal(m.payloads[0].ticket.reserved, 21);
	assert_encodes_again(&m, octets_view(&o));
}

static void a_generic_map_is_read_as_it_was_written(void **state)
{
	/* CS 9, SRTP, S set, two policies, SSRC ROC SEQ, SPI of 3; CS 2, protocol 5, nothing. */
	struct octets o = octets_hex("010e0000010203040202"
				     "0900"
				     "82"
				     "0301"
				     "000a"
				     "deadbeef00000002ffff"
				     "03aabbcc"
				     "0205"
				     "00"
				     "0000"
				     "00");
	struct mikey_cs cs;
	struct buf map = { 0 };
	struct mikey m;

	(void)state;
	assert_true(mikey_decode(octets_view(&o), &m, &err));
	assert_true(mikey_session(&m, 0, &cs));
	assert_int_equal(cs.id, 9);
	assert_true(cs.s);
	assert_octets(cs.policies, "0301");
	assert_octets(cs.data, "deadbeef00000002ffff");
	assert_octets(cs.spi, "aabbcc");
	assert_true(mikey_session_add(&map, &cs));
	assert_true(mikey_session(&m, 1, &cs));
	assert_int_equal(cs.id, 2);
	assert_int_equal(cs.protocol, 5);
	assert_int_equal(cs.spi.len, 0);
	assert_true(mikey_session_add(&map, &cs));
	assert_true(bytes_equal(buf_bytes(&map), m.map));
	assert_false(mikey_session(&m, 2, &cs));
	assert_encodes_again(&m, octets_view(&o));
	buf_clear(&map);
}

/* RFC 4330 3: seconds with the first bit set are of 1968 to 2036, others of 2036 to 2104. */
static void timestamps_reach_from_1968_to_2104(void **state)
{
	struct octets o = octets_hex("80000000"
				     "7fffffff"
				     "00000000"
				     "ffffffff");
	struct mikey_payload p = { .type = MIKEY_T, .time = { .kind = MIKEY_NTP_UTC_32, .value = { o.at, 4 } } };
	uint8_t at8[8];

	(void)state;
	assert_int_equal(mikey_time_of(&p), INT64_C(-61505152) * NSEC_PER_SEC); /* 1968-01-20T03:14:08Z */
	p.time.value.at = o.at + 4;
	assert_int_equal(mikey_time_of(&p), INT64_C(4233462143) * NSEC_PER_SEC); /* 2104-02-26T09:42:23Z */
	p.time.value.at = o.at + 8;
	assert_int_equal(mikey_time_of(&p), INT64_C(2085978496) * NSEC_PER_SEC); /* 2036-02-07T06:28:16Z */
	assert_true(mikey_time_64(&p, at8));
	p.time.value.at = o.at + 12;
	assert_true(mikey_time_64(&p, at8));
	assert_octets((struct bytes){ at8, 8 }, "ffffffff00000000"); /* zeroes behind NTP-UTC-32 */
	p.time.kind = MIKEY_COUNTER;
	assert_true(mikey_time_64(&p, at8));
	assert_octets((struct bytes){ at8, 8 }, "00000000ffffffff"); /* and before a counter */
	assert_int_equal(mikey_time_of(&p), NSEC_NONE);
	mikey_time_put(INT64_C(1161351786) * NSEC_PER_SEC + NSEC_PER_SEC / 2, at8);
	assert_octets((struct bytes){ at8, 8 }, "c8e350ea80000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_offer_of_rfc_4567_is_read),
		cmocka_unit_test(the_answer_of_rfc_4567_is_read),
		cmocka_unit_test(a_message_cut_anywhere_is_refused_with_the_octet),
		cmocka_unit_test(what_is_malformed_is_told_by_what_and_where),
		cmocka_unit_test(a_chain_of_payloads_without_end_is_refused),
		cmocka_unit_test(the_rules_of_flags_hold_for_every_set),
		cmocka_unit_test(the_flags_of_a_ticket_lie_as_the_figure_shows),
		cmocka_unit_test(a_generic_map_is_read_as_it_was_written),
		cmocka_unit_test(timestamps_reach_from_1968_to_2104),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
