/*
 * otway_rees: the profile's messages, envelopes and keys. The constants are printed by tests/support/otway_rees_vectors.py, a
 * second reading of the header's docstring on other tools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "otway/base/crypto.h"
#include "otway/base/text.h"
#include "otway/otway_rees.h"

static const char key_of_a[] = "8a35a746b16df6497a399144066f3ed1f8099f815509774893ae271c752f207f";
static const char key_of_r[] = "f35707b32915646d50b63281e6a3a0e9d6609f0393be079aa9cb6351fd38f062";
static const char leg_key[] = "4f2daa47da6b48750bc8039967207e1000b34dc98667bd0cb09203b1f977247a";
static const char p_of_offer[] = "64ae7166186e3f495137a9841b4f76e3e60f2d8775242285694c03b8154fb769";
static const char message_1[] =
	"4f520101000102030405060708090a0b0c0d0e0f0100157369703a616c696365406578616d706c652e636f6d02001373"
	"69703a626f62406578616d706c652e636f6d0400137369703a6b6d73406578616d706c652e636f6d05000d0101000206"
	"04deadbeef030300060010f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff100089c0c1c2c3c4c5c6c7c8c9cacb03ee939a3ec3"
	"f4eaeb9b80105afed969ef20952c101082ba8f7e6ae984e9c2cd3a623f76a4864135ad3d1733628def61d92fdef4c59a"
	"436378f9b7d62bac64bc705131feda688f745170ce445fb36b4fd97ae8fc2897ac942ceb0eb62ec69af6dcc06c05ac6d"
	"9fc5e51ff4896eec3ac0f89ad55d592d18be92244e7789";
static const char message_2[] =
	"4f520102000102030405060708090a0b0c0d0e0f0100157369703a616c696365406578616d706c652e636f6d02001373"
	"69703a626f62406578616d706c652e636f6d0300157369703a6361726f6c406578616d706c652e6e6574040013736970"
	"3a6b6d73406578616d706c652e636f6d05000d010100020604deadbeef030300060010f0f1f2f3f4f5f6f7f8f9fafbfc"
	"fdfeff070027333834383237363239383232303138383531314061746c616e74612e6578616d706c652e636f6d100089"
	"c0c1c2c3c4c5c6c7c8c9cacb03ee939a3ec3f4eaeb9b80105afed969ef20952c101082ba8f7e6ae984e9c2cd3a623f76"
	"a4864135ad3d1733628def61d92fdef4c59a436378f9b7d62bac64bc705131feda688f745170ce445fb36b4fd97ae8fc"
	"2897ac942ceb0eb62ec69af6dcc06c05ac6d9fc5e51ff4896eec3ac0f89ad55d592d18be92244e7789110080cccdcecf"
	"d0d1d2d3d4d5d6d774d893d3939300965300bbc90710de5a2d75089cc28b901ec4387d5486442ec982ded5593fc94864"
	"3d30c31510c7b59e2865090f0736699f8a072e33bd7336a0852636e3d7351808f27f2724f46516b932d4d3a55c845caf"
	"b9230c147693e5ffb12f0d47aed507b1a0dcf551dd2673e30374f026";
static const char message_3[] =
	"4f520103000102030405060708090a0b0c0d0e0f0100157369703a616c696365406578616d706c652e636f6d02001373"
	"69703a626f62406578616d706c652e636f6d0300157369703a6361726f6c406578616d706c652e6e6574040013736970"
	"3a6b6d73406578616d706c652e636f6d05000d010100020604deadbeef030300060010f0f1f2f3f4f5f6f7f8f9fafbfc"
	"fdfeff080010808182838485868788898a8b8c8d8e8f100074d0d1d2d3d4d5d6d7d8d9dadb1191d053289ec5885dd243"
	"d8599e3301e48a6a119f717b9c1bfe0cc4ceefdad6b1bc055bdfbf7f576a1bee4ae37f413a9ae9ed7474478c2d2abe8a"
	"4b58b2cb5b4d73b8c1b8ab1d94291ecd7a08a3db2895fa2be7fa106e41bb3a87c2364d5998a7961033dc92c47e110074"
	"dcdddedfe0e1e2e3e4e5e6e7366a1a7e72d9d7e2c069de0e17d5d4378d31c77ee02bfb2bb855a81c3cb2617d1cf5af5c"
	"7296aaee8488ea0c396738f8172fb72b8bc462e600587f0d128b6258a2e9fba23db66472379b6c7363b7dfdeb743e38e"
	"ab1480546d01425acdc96962bc2c390c32364088";
static const char message_4[] =
	"4f520104000102030405060708090a0b0c0d0e0f0100157369703a616c696365406578616d706c652e636f6d02001373"
	"69703a626f62406578616d706c652e636f6d0300157369703a6361726f6c406578616d706c652e6e6574040013736970"
	"3a6b6d73406578616d706c652e636f6d050003010100060010f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff08001080818283"
	"8485868788898a8b8c8d8e8f100074d0d1d2d3d4d5d6d7d8d9dadb1191d053289ec5885dd243d8599e3301e48a6a119f"
	"717b9c1bfe0cc4ceefdad6b1bc055bdfbf7f576a1bee4ae37f413a9ae9ed7474478c2d2abe8a4b58b2cb5b4d73b8c1b8"
	"ab1d94291ecd7a08a3db2895fa2be7fa106e41bb3a87c2364d5998a7961033dc92c47e";
static const char message_5[] = "4f520105000102030405060708090a0b0c0d0e0f12000103";
static const char srtp_1[] = "c92eceffc68482e139f051ce85cd9661fa85a1df1db53a72df6b365e1b69";
static const char srtp_2[] = "8debee8948d20d804bb49c796cb243dfd0817924449e71f0658f60cd916919f6d883354919bc87e6e33a5f03";
static const char srtp_3[] =
	"4cb22ddfd788203b5ec734c1341c52df0e64a7dd0d7e65a4c1a30c8c02c299c7c07ccd3c3fcdac8ccca26858aa7b";

static const char *const messages[] = { NULL, message_1, message_2, message_3, message_4, message_5 };

/* A message of the vectors, in octets that a test may change. */
struct octets {
	uint8_t at[1024];
	size_t len;
};

static struct octets octets(const char *hex)
{
	struct octets o = { .len = 0 };
	long len = text_unhex(bytes_of(hex), o.at, sizeof(o.at));

	assert_true(len > 0);
	o.len = (size_t)len;
	return o;
}

static struct bytes view(const struct octets *o)
{
	return (struct bytes){ o->at, o->len };
}

/* `len` octets that count up from `first`, as the vectors' random octets do. */
static struct octets count_up(uint8_t first, size_t len)
{
	struct octets o = { .len = len };

	for (size_t i = 0; i < len; i++)
		o.at[i] = (uint8_t)(first + i);
	return o;
}

static void assert_octets(const void *seen, size_t len, const char *hex)
{
	struct octets o = octets(hex);

	assert_int_equal(len, o.len);
	assert_memory_equal(seen, o.at, len);
}

static void assert_text(struct bytes seen, const char *expected)
{
	assert_true(bytes_equal(seen, bytes_of(expected)));
}

static void assert_counts(struct bytes seen, uint8_t first)
{
	struct octets o = count_up(first, OR_NONCE);

	assert_true(bytes_equal(seen, view(&o)));
}

/* A message of the vectors with one field put at the end. */
static struct octets with_field(int type, const char *hex)
{
	struct octets o = octets(messages[type]), more = octets(hex);

	memcpy(o.at + o.len, more.at, more.len);
	o.len += more.len;
	return o;
}

static void the_request_says_what_its_docstring_says(void **state)
{
	struct octets in = octets(message_2);
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&in), &m, NULL), 0);
	assert_int_equal(m.type, OR_REQUEST);
	assert_counts(m.m, 0x00);
	assert_text(m.a, "sip:alice@example.com");
	assert_text(m.b, "sip:bob@example.com");
	assert_text(m.r, "sip:carol@example.net");
	assert_text(m.kms, "sip:kms@example.com");
	assert_text(m.call_id, "3848276298220188511@atlanta.example.com");
	assert_counts(m.prior, 0xf0);
	assert_int_equal(m.nr.len, 0);
	assert_int_equal(m.session_count, 3);
	assert_int_equal(m.sessions[1].cs, 2);
	assert_int_equal(m.sessions[1].suite, AEAD_AES_256_GCM);
	assert_int_equal(m.sessions[1].mki_len, 4);
	assert_octets(m.sessions[1].mki, 4, "deadbeef");
	assert_int_equal(m.sessions[2].suite, AES_256_CM_HMAC_SHA1_80);
}

static void the_answer_has_the_policy_that_was_accepted(void **state)
{
	struct octets in = octets(message_4);
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&in), &m, NULL), 0);
	assert_counts(m.nr, 0x80);
	assert_int_equal(m.session_count, 1);
	assert_int_equal(m.sessions[0].suite, AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(m.envelope_r.len, 0);
}

static void what_is_read_is_written_again_octet_for_octet(void **state)
{
	struct or_message m;

	(void)state;
	for (int type = 1; type <= 5; type++) {
		struct octets in = octets(messages[type]);
		struct buf out = { 0 };

		assert_int_equal(or_read(view(&in), &m, NULL), 0);
		assert_int_equal(m.type, type);
		assert_int_equal(or_write(&m, &out, NULL), 0);
		assert_octets(out.at, out.len, messages[type]);
		buf_clear(&out);
	}
}

static void the_error_comes_out(void **state)
{
	struct octets in = octets(message_5);
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&in), &m, NULL), 0);
	assert_int_equal(m.error, OR_NOT_AUTHORISED);
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
	struct or_message m;

	(void)state;
	for (int type = 1; type <= 5; type++) {
		struct octets in = octets(messages[type]);

		for (size_t len = 0; len < in.len; len++)
			assert_int_equal(or_read((struct bytes){ in.at, len }, &m, NULL), -1);
	}
}

static void a_later_field_is_passed_over_and_an_unknown_one_is_not(void **state)
{
	struct octets later = with_field(5, "8000056c61746572"), last = with_field(5, "ff0000");
	struct octets unknown = with_field(5, "7f0000"), between = with_field(5, "130000");
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&later), &m, NULL), 0);
	assert_int_equal(or_read(view(&last), &m, NULL), 0);
	assert_int_equal(or_read(view(&unknown), &m, NULL), -1);
	assert_int_equal(or_read(view(&between), &m, NULL), -1);
}

static void a_field_twice_or_out_of_order_is_refused(void **state)
{
	struct octets twice = with_field(5, "12000103"), back = with_field(5, "810000800000");
	struct octets rising = with_field(5, "800000810000");
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&twice), &m, NULL), -1);
	assert_int_equal(or_read(view(&back), &m, NULL), -1);
	assert_int_equal(or_read(view(&rising), &m, NULL), 0);
}

static void a_field_that_belongs_to_another_message_is_refused(void **state)
{
	struct octets in = with_field(1, "12000103");
	struct or_message m;

	(void)state;
	assert_int_equal(or_read(view(&in), &m, NULL), -1);
	in = octets(message_2); /* has a Call-ID and R's envelope */
	for (uint8_t type = 1; type <= 5; type++) {
		in.at[3] = type;
		assert_int_equal(or_read(view(&in), &m, NULL), type == 2 ? 0 : -1);
	}
}

/* What a change of one octet in message 1 makes of it. */
static int read_changed(size_t at, uint8_t value)
{
	struct octets in = octets(message_1);
	struct or_message m;

	in.at[at] = value;
	return or_read(view(&in), &m, NULL);
}

static void an_identity_is_text_and_a_policy_rises(void **state)
{
	enum { IN_A = 30, POLICY = 91, PRIOR_LEN = 106 };

	(void)state;
	assert_int_equal(read_changed(IN_A, 'x'), 0);
	assert_int_equal(read_changed(IN_A, 0xff), -1); /* no UTF-8 */
	assert_int_equal(read_changed(IN_A, ' '), -1);
	assert_int_equal(read_changed(POLICY, 0), -1);
	assert_int_equal(read_changed(POLICY, 2), -1);      /* as the next */
	assert_int_equal(read_changed(POLICY + 1, 200), 0); /* a suite that is not known is kept */
	assert_int_equal(read_changed(POLICY + 2, 129), -1);
	assert_int_equal(read_changed(PRIOR_LEN, 15), -1);
}

static void what_is_required_must_be_written(void **state)
{
	struct octets in = octets(message_2);
	struct or_message whole, m;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(or_read(view(&in), &whole, NULL), 0);
	m = whole;
	m.call_id.len = 0;
	assert_int_equal(or_write(&m, &out, NULL), -1);
	m = whole;
	m.session_count = 0;
	assert_int_equal(or_write(&m, &out, NULL), -1);
	m = whole;
	m.m.len = 15;
	assert_int_equal(or_write(&m, &out, NULL), -1);
	m = whole;
	m.kms.len = m.prior.len = 0; /* these may be missing */
	assert_int_equal(out.len, 0);
	assert_int_equal(or_write(&m, &out, NULL), 0);
	buf_clear(&out);
}

static void a_message_is_no_longer_than_it_may(void **state)
{
	static uint8_t octets_of_8k[OR_MESSAGE_MAX + 1];
	struct octets in = octets(message_2);
	struct or_message m;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(or_read(view(&in), &m, NULL), 0);
	m.envelope_a = (struct bytes){ octets_of_8k, OR_MESSAGE_MAX - in.len + m.envelope_a.len };
	assert_int_equal(or_write(&m, &out, NULL), 0);
	assert_int_equal(out.len, OR_MESSAGE_MAX);
	assert_int_equal(or_read(buf_bytes(&out), &m, NULL), 0);
	buf_add(&out, "\x80\x00\x00", 3);
	assert_int_equal(or_read(buf_bytes(&out), &m, NULL), -1);
	buf_reset(&out);
	m.envelope_a.len++;
	assert_int_equal(or_write(&m, &out, NULL), -1);
	buf_clear(&out);
}

/* The keys of the vectors' run. */
struct run {
	struct octets in[6];
	struct or_message m[6];
	uint8_t a[OR_KEY], r[OR_KEY];
};

static void the_run(struct run *run)
{
	struct octets psk_a = count_up(0x10, 32), psk_r = count_up(0x40, 16), m = count_up(0, 16);

	for (int type = 1; type <= 5; type++) {
		run->in[type] = octets(messages[type]);
		assert_int_equal(or_read(view(&run->in[type]), &run->m[type], NULL), 0);
	}
	assert_true(or_envelope_key(view(&psk_a), view(&m), run->m[1].a, run->a));
	assert_true(or_envelope_key(view(&psk_r), view(&m), run->m[2].r, run->r));
}

static void keys_are_those_of_the_second_reading(void **state)
{
	static const char *const srtp[] = { srtp_1, srtp_2, srtp_3 };
	struct octets root = count_up(0xa0, 32);
	struct run run;
	uint8_t k[OR_KEY];

	(void)state;
	the_run(&run);
	assert_octets(run.a, OR_KEY, key_of_a);
	assert_octets(run.r, OR_KEY, key_of_r);
	assert_true(or_leg_key(root.at, run.m[3].nr, run.m[3].r, k));
	assert_octets(k, OR_KEY, leg_key);
	for (size_t i = 0; i < 3; i++) {
		const struct or_session *s = &run.m[3].sessions[i];
		size_t key_len = suite_facts(s->suite)->key, salt_len = suite_facts(s->suite)->salt;
		struct octets expected = octets(srtp[i]);
		struct srtp_key key;

		assert_true(or_srtp_key(k, run.m[3].m, s, &key));
		assert_int_equal(expected.len, key_len + salt_len);
		assert_memory_equal(key.key, expected.at, key_len);
		assert_memory_equal(key.salt, expected.at + key_len, salt_len);
		assert_int_equal(key.mki_len, s->mki_len);
		assert_int_equal(key.suite, s->suite);
	}
}

static void no_key_is_made_for_a_suite_that_is_not_known(void **state)
{
	struct or_session s = { .cs = 1, .suite = SUITE_UNSUPPORTED, .suite_number = 7 };
	struct octets k = count_up(0, 32), m = count_up(0, 16);
	struct srtp_key key;

	(void)state;
	assert_false(or_srtp_key(k.at, view(&m), &s, &key));
}

static void envelopes_of_the_second_reading_open(void **state)
{
	struct run run;
	struct or_sealed s;

	(void)state;
	the_run(&run);
	assert_true(or_open(&run.m[2], run.a, 1, run.m[2].envelope_a, &s));
	assert_counts((struct bytes){ s.nonce, OR_NONCE }, 0x60);
	assert_octets(s.p, 32, p_of_offer);
	assert_true(or_open(&run.m[2], run.r, 2, run.m[2].envelope_r, &s));
	assert_counts((struct bytes){ s.nonce, OR_NONCE }, 0x70);
	assert_text((struct bytes){ s.r, s.r_len }, "sip:carol@example.net");
	assert_true(or_open(&run.m[4], run.a, 3, run.m[4].envelope_a, &s));
	assert_counts((struct bytes){ s.nonce, OR_NONCE }, 0x60);
	assert_counts((struct bytes){ s.nr, OR_NONCE }, 0x80);
	assert_octets(s.k, OR_KEY, leg_key);
	assert_true(or_open(&run.m[3], run.r, 4, run.m[3].envelope_r, &s));
	assert_counts((struct bytes){ s.nonce, OR_NONCE }, 0x70);
	assert_octets(s.k, OR_KEY, leg_key);
}

static void the_policy_that_an_offer_is_bound_to_is_that_of_its_message(void **state)
{
	struct run run;
	uint8_t p[SHA256_LEN];

	(void)state;
	the_run(&run);
	for (int type = 1; type <= 3; type++) {
		sha256_of(run.m[type].policy_octets, p);
		assert_octets(p, sizeof(p), p_of_offer);
	}
	sha256_of(run.m[4].policy_octets, p); /* what R accepted is less */
	assert_memory_not_equal(p, octets(p_of_offer).at, sizeof(p));
}

/* The type flaw of the protocol as published: that message 1's envelope is given back as message 3's. */
static void an_envelope_of_one_type_is_never_taken_for_another(void **state)
{
	struct run run;
	struct or_sealed s;

	(void)state;
	the_run(&run);
	for (uint8_t type = 1; type <= 4; type++) {
		assert_int_equal(or_open(&run.m[3], run.a, type, run.m[2].envelope_a, &s), type == 1);
		assert_int_equal(or_open(&run.m[3], run.r, type, run.m[2].envelope_r, &s), type == 2);
		assert_int_equal(or_open(&run.m[3], run.a, type, run.m[3].envelope_a, &s), type == 3);
		assert_int_equal(or_open(&run.m[3], run.r, type, run.m[3].envelope_r, &s), type == 4);
	}
	assert_false(or_open(&run.m[3], run.a, 0, run.m[3].envelope_a, &s));
	assert_false(or_open(&run.m[3], run.a, 5, run.m[3].envelope_a, &s));
}

static void every_octet_of_an_envelope_counts(void **state)
{
	struct or_sealed s, nothing = { 0 };
	struct octets envelope;
	struct run run;

	(void)state;
	the_run(&run);
	envelope.len = run.m[3].envelope_a.len;
	for (size_t i = 0; i < envelope.len; i++) {
		memcpy(envelope.at, run.m[3].envelope_a.at, envelope.len);
		envelope.at[i] ^= 1;
		assert_false(or_open(&run.m[3], run.a, 3, view(&envelope), &s));
		assert_false(or_open(&run.m[3], run.a, 3, bytes_part(run.m[3].envelope_a, 0, i), &s));
		assert_memory_equal(&s, &nothing, sizeof(s));
	}
}

static void an_envelope_is_of_one_run_and_one_leg(void **state)
{
	struct octets other = count_up(1, OR_NONCE);
	struct or_message m;
	struct or_sealed s;
	struct run run;

	(void)state;
	the_run(&run);
	m = run.m[3];
	m.m = view(&other);
	assert_false(or_open(&m, run.a, 3, run.m[3].envelope_a, &s));
	m = run.m[3];
	m.a = bytes_of("sip:mallory@example.com");
	assert_false(or_open(&m, run.a, 3, run.m[3].envelope_a, &s));
	m = run.m[3];
	m.b = bytes_of("sip:mallory@example.com");
	assert_false(or_open(&m, run.a, 3, run.m[3].envelope_a, &s));
	m = run.m[3];
	m.r = bytes_of("sip:mallory@example.com");
	assert_false(or_open(&m, run.a, 3, run.m[3].envelope_a, &s));
	m = run.m[3];
	m.nr = view(&other);
	assert_false(or_open(&m, run.a, 3, run.m[3].envelope_a, &s));
	assert_false(or_open(&run.m[3], run.r, 3, run.m[3].envelope_a, &s)); /* A's, with R's key */
}

static void what_is_sealed_opens_again(void **state)
{
	struct or_sealed out, in = { .type = 3 };
	struct buf once = { 0 }, again = { 0 };
	struct run run;

	(void)state;
	the_run(&run);
	memcpy(in.r, run.m[3].r.at, in.r_len = run.m[3].r.len);
	memcpy(in.nr, run.m[3].nr.at, OR_NONCE);
	memset(in.k, 0x5a, OR_KEY);
	assert_true(or_seal(&run.m[3], run.a, &in, &once));
	assert_true(or_seal(&run.m[3], run.a, &in, &again));
	assert_false(bytes_equal(buf_bytes(&once), buf_bytes(&again))); /* a nonce is never used twice */
	assert_true(or_open(&run.m[3], run.a, 3, buf_bytes(&once), &out));
	assert_memory_equal(&in, &out, sizeof(in));
	buf_clear(&once);
	buf_clear(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_says_what_its_docstring_says),
		cmocka_unit_test(the_answer_has_the_policy_that_was_accepted),
		cmocka_unit_test(what_is_read_is_written_again_octet_for_octet),
		cmocka_unit_test(the_error_comes_out),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(a_later_field_is_passed_over_and_an_unknown_one_is_not),
		cmocka_unit_test(a_field_twice_or_out_of_order_is_refused),
		cmocka_unit_test(a_field_that_belongs_to_another_message_is_refused),
		cmocka_unit_test(an_identity_is_text_and_a_policy_rises),
		cmocka_unit_test(what_is_required_must_be_written),
		cmocka_unit_test(a_message_is_no_longer_than_it_may),
		cmocka_unit_test(keys_are_those_of_the_second_reading),
		cmocka_unit_test(no_key_is_made_for_a_suite_that_is_not_known),
		cmocka_unit_test(envelopes_of_the_second_reading_open),
		cmocka_unit_test(the_policy_that_an_offer_is_bound_to_is_that_of_its_message),
		cmocka_unit_test(an_envelope_of_one_type_is_never_taken_for_another),
		cmocka_unit_test(every_octet_of_an_envelope_counts),
		cmocka_unit_test(an_envelope_is_of_one_run_and_one_leg),
		cmocka_unit_test(what_is_sealed_opens_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
