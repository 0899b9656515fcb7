/* msg: records, steps and datagrams come over as they were, and with nothing in them that there is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/msg_specimens.h"

struct over {
	struct buf octets;
	struct msg_room room;
	struct datagram sip;
	struct record r;
	struct step s;
};

static bool record_over(struct over *o, const struct record *r)
{
	buf_reset(&o->octets);
	return msg_put_record(&o->octets, r) && msg_get_record(buf_bytes(&o->octets), &o->r, &o->sip, &o->room);
}

static bool step_over(struct over *o, const struct step *s)
{
	buf_reset(&o->octets);
	return msg_put_step(&o->octets, s) && msg_get_step(buf_bytes(&o->octets), &o->s);
}

static void over_clear(struct over *o)
{
	buf_clear(&o->octets);
	msg_room_clear(&o->room);
}

static void is_the_same_datagram(const struct datagram *a, const struct datagram *b)
{
	assert_int_equal(a->at, b->at);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->truncated, b->truncated);
	assert_int_equal(a->framed, b->framed);
	assert_int_equal(a->wrapped, b->wrapped);
	assert_int_equal(a->header, b->header);
	assert_true(addr_equal(&a->flow.src, &b->flow.src) && addr_equal(&a->flow.dst, &b->flow.dst));
	assert_true(bytes_equal(a->packet, b->packet) && bytes_equal(a->payload, b->payload));
}

static void a_datagram_comes_over_with_its_payload_within_its_packet(void **state)
{
	struct datagram d, back;
	struct buf b = { 0 };

	(void)state;
	specimen_datagram(&d);
	assert_true(msg_put_datagram(&b, &d));
	assert_true(msg_get_datagram(buf_bytes(&b), &back));
	is_the_same_datagram(&d, &back);
	assert_ptr_equal(back.payload.at, back.packet.at + 28);
	d.payload = (struct bytes){ d.packet.at + 40, 0 }; /* empty, at the end: it is there all the same */
	buf_reset(&b);
	assert_true(msg_put_datagram(&b, &d));
	assert_true(msg_get_datagram(buf_bytes(&b), &back));
	assert_ptr_equal(back.payload.at, back.packet.at + 40);
	buf_clear(&b);
}

static void a_fragment_has_no_payload(void **state)
{
	struct datagram d, back;
	struct buf b = { 0 };

	(void)state;
	specimen_fragment(&d);
	assert_true(msg_put_datagram(&b, &d));
	assert_true(msg_get_datagram(buf_bytes(&b), &back));
	is_the_same_datagram(&d, &back);
	assert_null(back.payload.at);
	buf_clear(&b);
}

static void a_payload_outside_its_packet_is_not_written(void **state)
{
	static const uint8_t elsewhere[4];
	struct datagram d;
	struct buf b = { 0 };

	(void)state;
	specimen_datagram(&d);
	d.payload.len = 13;
	assert_false(msg_put_datagram(&b, &d));
	d.payload = (struct bytes){ elsewhere, sizeof(elsewhere) };
	assert_false(msg_put_datagram(&b, &d));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void a_header_longer_than_what_stands_before_the_payload_is_refused(void **state)
{
	struct datagram d;
	struct buf b = { 0 };

	(void)state;
	specimen_datagram(&d);
	d.header = 29;
	assert_true(msg_put_datagram(&b, &d));
	assert_false(msg_get_datagram(buf_bytes(&b), &d));
	buf_clear(&b);
}

static void signalling_comes_over_as_captured(void **state)
{
	struct over o = { 0 };
	struct record r;

	(void)state;
	specimen_event(&r);
	assert_true(record_over(&o, &r));
	assert_int_equal(o.r.kind, RECORD_EVENT);
	assert_true(o.r.warrant == 11 && o.r.call == 12 && o.r.at == 13);
	is_the_same_datagram(o.r.sip, r.sip);
	assert_string_equal(o.r.event.method, "MESSAGE");
	assert_int_equal(o.r.event.status, 202);
	assert_null(o.r.event.from);
	assert_string_equal(o.r.event.to, "sip:b@x.example");
	specimen_sip(&r);
	assert_true(record_over(&o, &r));
	assert_int_equal(o.r.kind, RECORD_SIP);
	is_the_same_datagram(o.r.sip, r.sip);
	over_clear(&o);
}

static void the_facts_of_a_call_come_over_with_their_lists(void **state)
{
	struct over o = { 0 };
	struct record r;
	const struct call_facts *f = &o.r.facts;

	(void)state;
	specimen_call(&r);
	assert_true(record_over(&o, &r));
	assert_true(f->started == 31 && f->answered == 32 && f->ended == NSEC_NONE);
	assert_int_equal(f->outcome, CALL_ANSWERED);
	assert_string_equal(f->caller, "sip:a@x.example");
	assert_null(f->callee);
	assert_int_equal(f->target, TOWARD_CALLEE);
	assert_true(f->keep_keys);
	assert_int_equal(f->kms_left_out, 9);
	assert_int_equal(f->call_id_count, 2);
	assert_string_equal(f->call_ids[1], "id-2");
	assert_int_equal(f->match_count, 2);
	assert_true(f->matches[0].target == 1 && f->matches[0].header == SIP_HEADER_PAI);
	assert_true(f->matches[1].side == HIT_DIVERTING && !f->matches[1].verified);
	assert_string_equal(f->matches[1].value, "tel:+15550101");
	assert_int_equal(f->diversion_count, 1);
	assert_string_equal(f->diversions[0].service, "CFU");
	assert_int_equal(f->diversions[0].cause, 302);
	assert_null(f->diversions[0].to);
	assert_int_equal(f->kms_count, 2);
	assert_int_equal(f->kms[0].tried_count, 2);
	assert_string_equal(f->kms[0].tried[1].kms, "sip:kms@y.example");
	assert_null(f->kms[1].request);
	assert_string_equal(f->kms[1].protocol, "otway-rees");
	assert_true(f->kms[1].line == 1 && f->kms[1].wanted == 23 && f->kms[1].at == NSEC_NONE);
	assert_string_equal(f->kms[1].tried[0].outcome, "no-key");
	over_clear(&o);
}

static void no_key_leaves_by_a_record_only_its_print(void **state)
{
	struct over o = { 0 };
	struct srtp_key print;
	struct record r;

	(void)state;
	specimen_media(&r);
	srtp_key_print(&r.media.key, &print);
	assert_true(record_over(&o, &r));
	assert_true(o.r.media.key_used && o.r.media.key.print);
	assert_memory_equal(o.r.media.key.key, print.key, 2 * KEY_PRINT);
	assert_int_equal(o.r.media.key.suite, AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(o.r.media.key.source, KEY_KMS);
	assert_true(o.r.media.key.unencrypted_srtcp && !o.r.media.key.unencrypted_srtp);
	assert_null(memmem(o.octets.at, o.octets.len, "0123456789abcdef", 16));
	assert_null(memmem(o.octets.at, o.octets.len, "salt salt", 9));
	over_clear(&o);
}

static void a_media_packet_comes_over_whole(void **state)
{
	struct over o = { 0 };
	struct record r;
	const struct media_packet *m = &o.r.media;

	(void)state;
	specimen_media(&r);
	assert_true(record_over(&o, &r));
	assert_true(m->at == 41 && m->call == 12 && m->stream == 43);
	assert_true(m->sort == MEDIA_RTCP && m->fate == MEDIA_CLEAR && m->reason == SEAL_KMS_UNKNOWN);
	assert_true(addr_equal(&m->flow.src, &r.media.flow.src) && addr_equal(&m->flow.dst, &r.media.flow.dst));
	assert_true(bytes_equal(m->packet, r.media.packet) && bytes_equal(m->payload, r.media.payload));
	assert_true(bytes_equal(m->clear, r.media.clear) && bytes_equal(m->media, bytes_of("codec-octets")));
	assert_ptr_equal(m->media.at, m->clear.at + 12);
	assert_true(
		m->ssrc == 0xdeadbeef && m->index == UINT64_C(0x123456789abc) && m->pt == 101 && m->timestamp == 44);
	assert_int_equal(m->toward, TOWARD_CALLER);
	assert_string_equal(m->kind, "audio");
	assert_string_equal(m->profile, "RTP/SAVP");
	assert_string_equal(m->codec, "AMR-WB");
	assert_string_equal(m->fmtp, "octet-align=1");
	assert_true(m->clock == 16000 && m->channels == 2 && m->rekeys == 6 && m->learned);
	assert_true(m->suite == AES_CM_128_HMAC_SHA1_80 && m->source == KEY_KMS);
	over_clear(&o);
}

static void what_was_never_encrypted_goes_over_once(void **state)
{
	struct over o = { 0 };
	struct record r;

	(void)state;
	specimen_media_bare(&r);
	assert_true(record_over(&o, &r));
	assert_ptr_equal(o.r.media.clear.at, o.r.media.payload.at);
	assert_int_equal(o.r.media.clear.len, 12);
	assert_null(o.r.media.media.at);
	over_clear(&o);
}

static void a_record_with_a_value_that_there_is_not_is_none(void **state)
{
	struct over o = { 0 };
	struct record r[10];
	struct call_match match = { 1, SIP_HEADERS, HIT_FROM_TARGET, true, "x" };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		specimen_media(&r[i]);
	r[0].media.sort = (enum media_sort)3;
	r[1].media.fate = MEDIA_FATES;
	r[2].media.reason = SEAL_REASONS;
	r[3].media.toward = (enum toward)3;
	r[4].media.suite = SUITES;
	r[5].media.source = (enum key_source)4;
	r[6].media.flow.dst.family = 7;
	for (size_t i = 7; i < 10; i++)
		specimen_call(&r[i]);
	r[7].facts.outcome = (enum call_outcome)5;
	r[8].facts.target = (enum toward)3;
	r[9].facts.matches = &match;
	r[9].facts.match_count = 1;
	for (size_t i = 0; i < 10; i++) {
		assert_false(record_over(&o, &r[i]));
		assert_true(o.octets.len > 0); /* it is the reader that says so */
	}
	match = (struct call_match){ 1, SIP_HEADER_TO, (enum hit_side)3, true, "x" };
	assert_false(record_over(&o, &r[9]));
	over_clear(&o);
}

static void what_is_nobody_s_evidence_is_no_record(void **state)
{
	struct record r = { .kind = RECORD_KEY_WANTED };
	struct buf b = { 0 };

	(void)state;
	assert_false(msg_put_record(&b, &r));
	r.kind = RECORD_CALL_OVER;
	assert_false(msg_put_record(&b, &r));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void steps_about_media_come_over(void **state)
{
	struct over o = { 0 };
	struct step s;

	(void)state;
	specimen_cover(&s);
	assert_true(step_over(&o, &s));
	assert_memory_equal(&o.s, &s, sizeof(s));
	specimen_place(&s);
	assert_true(step_over(&o, &s));
	assert_true(o.s.at == 61 && o.s.call == 62 && o.s.kind == STEP_PLACE);
	assert_memory_equal(&o.s.place, &s.place, sizeof(s.place));
	specimen_key(&s);
	assert_true(step_over(&o, &s));
	assert_memory_equal(&o.s.key, &s.key, sizeof(s.key));
	over_clear(&o);
}

static void other_steps_and_values_that_there_are_not_are_none(void **state)
{
	struct over o = { 0 };
	struct step s = { .kind = STEP_RECORD };

	(void)state;
	assert_false(step_over(&o, &s));
	s.kind = STEP_KEY_WANTED;
	assert_false(step_over(&o, &s));
	specimen_place(&s);
	s.place.refusal = SEAL_REASONS;
	assert_false(step_over(&o, &s));
	specimen_place(&s);
	s.place.toward = (enum toward)3;
	assert_false(step_over(&o, &s));
	specimen_key(&s);
	s.key.key.suite = SUITES;
	assert_false(step_over(&o, &s));
	over_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_comes_over_with_its_payload_within_its_packet),
		cmocka_unit_test(a_fragment_has_no_payload),
		cmocka_unit_test(a_payload_outside_its_packet_is_not_written),
		cmocka_unit_test(a_header_longer_than_what_stands_before_the_payload_is_refused),
		cmocka_unit_test(signalling_comes_over_as_captured),
		cmocka_unit_test(the_facts_of_a_call_come_over_with_their_lists),
		cmocka_unit_test(no_key_leaves_by_a_record_only_its_print),
		cmocka_unit_test(a_media_packet_comes_over_whole),
		cmocka_unit_test(what_was_never_encrypted_goes_over_once),
		cmocka_unit_test(a_record_with_a_value_that_there_is_not_is_none),
		cmocka_unit_test(what_is_nobody_s_evidence_is_no_record),
		cmocka_unit_test(steps_about_media_come_over),
		cmocka_unit_test(other_steps_and_values_that_there_are_not_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
