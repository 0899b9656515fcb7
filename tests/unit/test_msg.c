/*
 * msg: what is written is read as it was; what is cut, too long, or has a value that no enum has, is no message. Values that are not
 * said here stand in support/msg_specimens.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/msg_again.h"
#include "../support/msg_specimens.h"

/* As foreign octets lie: with nothing behind them that could be read by mistake. */
static struct bytes alone(struct bytes in)
{
	uint8_t *at = malloc(in.len > 0 ? in.len : 1);

	assert_non_null(at);
	if (in.len > 0)
		memcpy(at, in.at, in.len);
	return (struct bytes){ at, in.len };
}

static bool is_message(enum msg_type type, struct bytes in)
{
	struct bytes copy = alone(in);
	struct buf out = { 0 };
	bool is = msg_again(type, copy, &out);

	if (is)
		assert_true(bytes_equal(buf_bytes(&out), in));
	buf_clear(&out);
	free((void *)(uintptr_t)copy.at);
	return is;
}

static void every_message_reads_as_it_was_written(void **state)
{
	struct buf b = { 0 };
	enum msg_type type;
	size_t i;

	(void)state;
	for (i = 0; specimen_message(i, &type, &b); i++)
		assert_true(is_message(type, buf_bytes(&b)));
	assert_int_equal(i, 28);
	buf_clear(&b);
}

/* A checkpoint's octets go on to the end of the message, wherever that is: port keeps its length. */
static void a_message_that_is_cut_anywhere_is_none(void **state)
{
	struct buf b = { 0 };
	enum msg_type type;

	(void)state;
	for (size_t i = 0; specimen_message(i, &type, &b); i++)
		for (size_t len = 0; len < (type == MSG_CHECKPOINT ? 8 : b.len); len++)
			assert_false(is_message(type, bytes_part(buf_bytes(&b), 0, len)));
	buf_clear(&b);
}

static void an_octet_too_many_is_no_message(void **state)
{
	struct buf b = { 0 };
	enum msg_type type;

	(void)state;
	for (size_t i = 0; specimen_message(i, &type, &b); i++) {
		assert_true(buf_add(&b, "", 1));
		assert_true(type == MSG_CHECKPOINT || !is_message(type, buf_bytes(&b)));
	}
	buf_clear(&b);
}

/* is_message compares what was read with what came: nothing is bent into something that fits. */
static void an_octet_that_is_changed_is_read_as_it_is_or_refused(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff, 0x10 };
	struct buf b = { 0 };
	enum msg_type type;
	unsigned refused = 0;

	(void)state;
	for (size_t i = 0; specimen_message(i, &type, &b); i++)
		for (size_t at = 0; at < b.len * 4; at++) {
			b.at[at / 4] ^= changes[at % 4];
			refused += !is_message(type, buf_bytes(&b));
			b.at[at / 4] ^= changes[at % 4];
		}
	assert_true(refused > 1000);
	buf_clear(&b);
}

static void a_kind_that_has_no_body_has_none(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_true(msg_again(MSG_PING, (struct bytes){ NULL, 0 }, &out));
	assert_false(msg_again(MSG_PING, bytes_of("x"), &out));
	assert_false(msg_again(MSG_RECORD, (struct bytes){ NULL, 0 }, &out));
}

static void every_kind_and_every_word_of_an_enum_has_its_text(void **state)
{
	(void)state;
	for (int t = MSG_START; t < MSG_TYPES; t++)
		assert_non_null(msg_type_text((enum msg_type)t));
	assert_null(msg_type_text(MSG_TYPES));
	assert_string_equal(msg_type_text(MSG_HELD_BACK), "held-back");
	assert_string_equal(role_text(ROLE_SUPERVISE), "supervise");
	assert_string_equal(role_text(ROLE_DELIVERY), "delivery");
	assert_null(role_text(ROLES));
	assert_string_equal(alarm_text(ALARM_STORE), "store");
	assert_string_equal(alarm_text(ALARM_CONFIG), "config");
	assert_string_equal(alarm_text(ALARM_ROOM), "room");
	assert_null(alarm_text(ALARMS));
	assert_string_equal(gap_reason_text(GAP_KERNEL), "kernel");
	assert_string_equal(gap_reason_text(GAP_CLOCK), "clock");
	assert_string_equal(gap_reason_text(GAP_STATE), "state");
	assert_null(gap_reason_text(GAP_REASONS));
}

static void a_wanted_key_comes_over_whole(void **state)
{
	struct key_wanted w, back;
	struct buf b = { 0 };

	(void)state;
	specimen_wanted(&w);
	assert_true(msg_put_key_wanted(&b, &w));
	assert_true(msg_get_key_wanted(buf_bytes(&b), &back));
	assert_int_equal(back.number, 81);
	assert_int_equal(back.call, 82);
	assert_int_equal(back.line, UINT32_MAX);
	assert_int_equal(back.warrant, 83);
	assert_int_equal(back.at, 84);
	assert_int_equal(back.protocol, KEY_MGMT_OTWAY_REES);
	assert_true(bytes_equal(back.offer, w.offer) && bytes_equal(back.answer, w.answer));
	assert_true(bytes_equal(back.first_offer, w.first_offer) && bytes_equal(back.first_answer, w.first_answer));
	assert_true(bytes_equal(back.target, w.target) && bytes_equal(back.target_sip, w.target_sip));
	assert_true(
		bytes_equal(back.from, w.from) && bytes_equal(back.to, w.to) && bytes_equal(back.answered, w.answered));
	assert_true(bytes_equal(back.call_id, w.call_id) && bytes_equal(back.from_tag, w.from_tag));
	assert_true(bytes_equal(back.to_tag, w.to_tag) && bytes_equal(back.signalled, w.signalled));
	w.protocol = (enum key_mgmt)2;
	buf_reset(&b);
	assert_true(msg_put_key_wanted(&b, &w));
	assert_false(msg_get_key_wanted(buf_bytes(&b), &back));
	buf_clear(&b);
}

static void an_answer_comes_over_with_its_keys(void **state)
{
	struct key_answer a, back;
	struct buf b = { 0 };

	(void)state;
	specimen_answer(&a);
	assert_true(msg_put_key_answer(&b, &a));
	assert_true(msg_get_key_answer(buf_bytes(&b), &back));
	assert_int_equal(back.number, 91);
	assert_int_equal(back.call, 92);
	assert_int_equal(back.line, 1);
	assert_int_equal(back.at, 93);
	assert_string_equal(back.request, "00112233445566778899aabbccddeeff");
	assert_int_equal(back.reason, SEAL_KMS_NO_AGREEMENT);
	assert_true(back.mismatch);
	assert_int_equal(back.tried_count, 2);
	assert_int_equal(back.tried[0].origin, KMS_NETWORK_DEFAULT);
	assert_string_equal(back.tried[0].kms, "sip:kms@x.example");
	assert_int_equal(back.tried[1].outcome, SEAL_KEY_PURGED);
	assert_int_equal(back.key_count, 2);
	assert_memory_equal(&back.keys[0], &a.keys[0], sizeof(a.keys[0]));
	assert_memory_equal(&back.keys[1], &a.keys[1], sizeof(a.keys[1]));
	buf_clear(&b);
}

/* Each has more or other things in it than an answer may. */
static void an_answer_with_a_value_that_there_is_not_is_none(void **state)
{
	struct key_answer a[8], back;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		specimen_answer(&a[i]);
	a[0].reason = SEAL_REASONS;
	a[1].tried[1].origin = KMS_ORIGINS;
	a[2].tried[0].outcome = SEAL_REASONS;
	a[3].keys[0].toward = (enum toward)3;
	a[4].keys[0].key.suite = SUITES;
	a[5].keys[1].key.source = (enum key_source)4;
	a[6].keys[0].sender.family = 5;
	a[7].keys[0].key.mki_len = MKI_MAX + 1;
	for (size_t i = 0; i < 8; i++) {
		struct buf b = { 0 };

		assert_true(msg_put_key_answer(&b, &a[i]));
		assert_false(msg_get_key_answer(buf_bytes(&b), &back));
		assert_int_equal(back.key_count, 0); /* no half of it stays behind */
		buf_clear(&b);
	}
}

static void each_role_sees_of_a_warrant_what_it_needs(void **state)
{
	struct warrant w, intercept, delivery, keys;
	struct buf b = { 0 };

	(void)state;
	specimen_warrant(&w);
	assert_true(msg_put_warrant(&b, &w, true, false, false));
	assert_true(msg_get_warrant(buf_bytes(&b), &intercept));
	assert_string_equal(intercept.liid, "");
	assert_string_equal(intercept.agency, "");
	assert_string_equal(intercept.authority, "");
	assert_int_equal(intercept.target_count, 2);
	assert_string_equal(intercept.targets[0].uri, "sip:Alice@X.example");
	assert_true(identity_same(&intercept.targets[0].id, &w.targets[0].id));
	assert_true(identity_same(&intercept.targets[1].id, &w.targets[1].id));
	assert_true(intercept.number == 101 && intercept.from == 102 && intercept.until == NSEC_EVER);
	assert_true(intercept.scope == SCOPE_CC && intercept.diverted == DIVERTED_REPORT && intercept.trust_from);
	assert_false(intercept.revoked);
	buf_reset(&b);
	w.revoked = true;
	assert_true(msg_put_warrant(&b, &w, false, true, true));
	assert_null(memmem(b.at, b.len, "lice", 4));
	assert_true(msg_get_warrant(buf_bytes(&b), &delivery));
	assert_string_equal(delivery.liid, "LIID-101");
	assert_string_equal(delivery.agency, "agency-a");
	assert_string_equal(delivery.authority, "court of x");
	assert_int_equal(delivery.target_count, 0);
	assert_true(delivery.revoked && delivery.trust_from);
	buf_reset(&b);
	assert_true(msg_put_warrant(&b, &w, false, true, false));
	assert_null(memmem(b.at, b.len, "court", 5));
	assert_true(msg_get_warrant(buf_bytes(&b), &keys));
	assert_string_equal(keys.liid, "LIID-101");
	warrant_clear(&intercept);
	warrant_clear(&delivery);
	warrant_clear(&keys);
	buf_clear(&b);
}

static void an_agreement_comes_over_whole(void **state)
{
	struct kms_agreement a, back;
	struct buf b = { 0 };

	(void)state;
	specimen_agreement(&a);
	assert_true(msg_put_agreement(&b, &a));
	assert_true(msg_get_agreement(buf_bytes(&b), &back));
	assert_int_equal(back.number, 111);
	assert_string_equal(back.identity, a.identity);
	assert_string_equal(back.url, a.url);
	assert_string_equal(back.ca, a.ca);
	assert_string_equal(back.cert, a.cert);
	assert_string_equal(back.key, a.key);
	assert_int_equal(back.home_count, 1);
	assert_string_equal(back.homes[0], "x.example");
	assert_int_equal(back.user_count, 2);
	assert_string_equal(back.users[1], "tel:+15550199");
	assert_true(back.roaming_partner && !back.network_default);
	kms_agreement_clear(&back);
	buf_clear(&b);
}

static void what_is_longer_than_a_message_is_not_written(void **state)
{
	static uint8_t much[MSG_MAX];
	struct msg_checkpoint c = { 1, { much, sizeof(much) - 8 } };
	struct buf b = { 0 };

	(void)state;
	assert_true(buf_text(&b, "before"));
	assert_true(msg_put_checkpoint(&b, &c));
	assert_int_equal(b.len, 6 + MSG_MAX);
	b.len = 6;
	c.sealed.len++;
	assert_false(msg_put_checkpoint(&b, &c));
	assert_int_equal(b.len, 6); /* and what was there stays */
	buf_clear(&b);
}

static void only_plain_names_are_counted(void **state)
{
	static const char *const bad[] = { "", "Name", "a b", "a-b", "a\n", "a{of=\"x\"}" };
	struct msg_count c = { "sip_2xx", "", 1, false };
	struct buf b = { 0 };

	(void)state;
	assert_true(msg_put_count(&b, &c));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c.name = bad[i];
		assert_false(msg_put_count(&b, &c));
	}
	b.at[4] = 'S'; /* the first letter of the name */
	assert_false(msg_get_count(buf_bytes(&b), &c));
	buf_clear(&b);
}

static void a_text_with_a_nul_within_is_none(void **state)
{
	struct msg_audit a = { 1, "act", "subject", "detail" };
	struct buf b = { 0 };

	(void)state;
	assert_true(msg_put_audit(&b, &a));
	assert_true(msg_get_audit(buf_bytes(&b), &a));
	assert_string_equal(a.subject, "subject");
	((uint8_t *)memmem(b.at, b.len, "subject", 7))[2] = '\0';
	assert_false(msg_get_audit(buf_bytes(&b), &a));
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_reads_as_it_was_written),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_none),
		cmocka_unit_test(an_octet_too_many_is_no_message),
		cmocka_unit_test(an_octet_that_is_changed_is_read_as_it_is_or_refused),
		cmocka_unit_test(a_kind_that_has_no_body_has_none),
		cmocka_unit_test(every_kind_and_every_word_of_an_enum_has_its_text),
		cmocka_unit_test(a_wanted_key_comes_over_whole),
		cmocka_unit_test(an_answer_comes_over_with_its_keys),
		cmocka_unit_test(an_answer_with_a_value_that_there_is_not_is_none),
		cmocka_unit_test(each_role_sees_of_a_warrant_what_it_needs),
		cmocka_unit_test(an_agreement_comes_over_whole),
		cmocka_unit_test(what_is_longer_than_a_message_is_not_written),
		cmocka_unit_test(only_plain_names_are_counted),
		cmocka_unit_test(a_text_with_a_nul_within_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
