/* mikey_ticket, mikey_transfer: calls by MIKEY-TICKET, what a third party makes of them, and what none may make of a message that
 * was changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/mikey_calls.h"

#define PLAIN  (MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_G | MIKEY_H | MIKEY_N | MIKEY_O)
#define FORKED (PLAIN | MIKEY_I)

static struct err err;
static const struct bytes none = { NULL, 0 };

static struct call_plan plan(uint16_t flags)
{
	return (struct call_plan){
		.encr = MIKEY_ENCR_CM_128, .mac = MIKEY_MAC_SHA1, .flags = flags, .kind = MIKEY_TGK
	};
}

/* The key of a session as one of the parties derives it from what it holds. */
static void assert_party_has(const struct call_scene *c, const struct mikey_secrets *s, const struct mikey_stream *seen)
{
	const struct mikey_key *k = &s->keys.at[0];
	struct mikey_source from = mikey_keys_traffic((enum mikey_prf)c->plan.prf, mikey_key_octets(k), seen->cs,
		c->plan.flags & MIKEY_H ? octets_view(&c->randi) : none,
		c->plan.flags & MIKEY_G ? octets_view(&c->randr) : none);
	uint8_t key[32], salt[14];

	assert_true(mikey_keys_derive(&from, MIKEY_C_TEK, key, seen->key_len));
	assert_memory_equal(seen->key.key, key, seen->key_len);
	assert_true(mikey_keys_derive(&from, MIKEY_C_TGK_SALT, salt, seen->salt_len));
	assert_memory_equal(seen->key.salt, k->salt_len > 0 ? k->salt : salt, seen->salt_len);
}

static size_t keys_of(const struct call_scene *c, const struct mikey_exchange *e, size_t exchanges,
	struct mikey_stream out[MIKEY_STREAMS], bool *verified)
{
	struct mikey_call call = { .exchanges = e, .count = exchanges };
	size_t count = 99;

	if (!mikey_session_keys(&c->kms, &call, out, &count, verified, &err))
		fail_msg("%s", err.text);
	return count;
}

static struct mikey_exchange exchange_of(const struct call_scene *c)
{
	return (struct mikey_exchange){ &c->m_init, c->resp.len > 0 ? &c->m_resp : NULL };
}

static void a_call_as_a_third_party_sees_it(const struct call_plan *p)
{
	struct mikey_stream out[MIKEY_STREAMS];
	struct call_scene *c = call_new(*p);
	struct mikey_exchange e = exchange_of(c);
	bool verified;

	assert_int_equal(keys_of(c, &e, 1, out, &verified), 2);
	assert_true(verified);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(out[i].cs, i + 1);
		assert_int_equal(out[i].lack, MIKEY_KEYED);
		assert_int_equal(out[i].has_ssrc, c->resp.len > 0);
		if (c->resp.len > 0)
			assert_int_equal(out[i].ssrc, 0xdeadbe00 + i + 1);
		assert_party_has(c, &c->bob, &out[i]);
		if (c->resp.len > 0)
			assert_party_has(c, &c->alice_forked, &out[i]);
		assert_octets((struct bytes){ out[i].key.mki, out[i].key.mki_len }, "00000007");
	}
	mikey_streams_clear(out, 2);
	call_free(c);
}

static void every_way_of_a_call_gives_the_keys_that_its_parties_have(void **state)
{
	static const uint16_t flags[] = { PLAIN, FORKED, MIKEY_D | MIKEY_H, MIKEY_D | MIKEY_F | MIKEY_H,
		MIKEY_D | MIKEY_F | MIKEY_G, MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_H | MIKEY_I,
		MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_G | MIKEY_I };
	static const uint8_t ciphers[] = { MIKEY_ENCR_NULL, MIKEY_ENCR_CM_128, MIKEY_ENCR_KW_128, MIKEY_ENCR_CM_256 };

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (unsigned j = 0; j < 32; j++) {
			struct call_plan p = { .prf = j & 1,
				.ticket_prf = j >> 1 & 1,
				.mac = j >> 2 & 1 ? MIKEY_MAC_SHA256 : MIKEY_MAC_SHA1,
				.encr = ciphers[j >> 3],
				.flags = flags[i],
				.kind = j & 1 ? MIKEY_TGK : MIKEY_GTGK,
				.salted = j >> 1 & 1 };

			a_call_as_a_third_party_sees_it(&p);
			p.own_ticket = true; /* mode 3 */
			p.flags = (uint16_t)((p.flags & ~MIKEY_D) | MIKEY_L);
			a_call_as_a_third_party_sees_it(&p);
		}
}

/* Alice's values were computed beside, by a program of another language, from the labels of RFC 6043 5.1. */
static void the_keys_of_a_forked_call_are_those_computed_beside(void **state)
{
	struct mikey_stream out[MIKEY_STREAMS];
	struct call_scene *c = call_new(plan(FORKED));
	struct mikey_exchange e = exchange_of(c);
	bool verified;

	(void)state;
	assert_octets(mikey_key_octets(&c->kms.mpki), "78cc99de44b750c92b6e0d731d8302f0");
	assert_octets(mikey_key_octets(&c->bob.mpkr), "4f1349a61d565f16072cf7c073957a61");
	assert_int_equal(keys_of(c, &e, 1, out, &verified), 2);
	assert_octets((struct bytes){ out[0].key.key, 16 }, "8a787bf3d067511d1a7cd57a2d513158");
	assert_octets((struct bytes){ out[1].key.key, 16 }, "1b5d5281ee862cef4f986f80da26f7d9");
	assert_octets((struct bytes){ out[0].key.salt, 14 }, "c6dd136f99abe651a6048c65748e");
	mikey_streams_clear(out, 2);
	call_free(c);
}

static void forking_gives_the_one_who_answered_a_key_of_its_own(void **state)
{
	struct call_scene *forked = call_new(plan(FORKED)), *plainly = call_new(plan(PLAIN));

	(void)state;
	assert_true(forked->bob.has_mpkr);
	assert_memory_not_equal(forked->bob.mpkr.key, forked->alice.mpkr.key, 16);
	assert_memory_not_equal(forked->bob.keys.at[0].key, forked->alice.keys.at[0].key, 16);
	assert_memory_equal(forked->bob.keys.at[0].key, forked->alice_forked.keys.at[0].key, 16);
	assert_false(plainly->bob.has_mpkr);
	assert_memory_equal(plainly->bob.keys.at[0].key, plainly->alice.keys.at[0].key, 16);
	call_free(forked);
	call_free(plainly);
}

/* The octets of one message changed one by one: `taken` may say yes to none but the original. */
static void assert_no_octet_may_change(struct call_scene *c, struct buf *message, struct mikey *m, size_t but_from,
	size_t but_to, bool (*taken)(struct call_scene *c))
{
	struct mikey whole = *m;

	assert_true(taken(c));
	for (size_t i = 0; i < message->len; i++) {
		if (i >= but_from && i < but_to)
			continue;
		message->at[i] ^= 0x01;
		mikey_decode(buf_bytes(message), m, NULL); /* where it fails, what it left must not pass either */
		if (taken(c))
			fail_msg("%s: octet %zu was changed, and nobody saw", mikey_type_text(whole.type), i);
		message->at[i] ^= 0x01;
	}
	*m = whole;
}

static bool request_taken(struct call_scene *c)
{
	return mikey_request_verify(&c->m_request, octets_view(&c->psk_alice), NULL);
}

static bool granted_taken(struct call_scene *c)
{
	struct mikey_secrets s;

	return mikey_request_answered(&c->m_granted, &c->m_request, octets_view(&c->psk_alice), &s, NULL);
}

static bool init_taken(struct call_scene *c)
{
	return mikey_transfer_verify(&c->m_init, &c->bob, NULL);
}

static bool resolve_taken(struct call_scene *c)
{
	return mikey_request_verify(&c->m_resolve, octets_view(&c->psk_bob), NULL);
}

static bool resolved_taken(struct call_scene *c)
{
	struct mikey_secrets s;
	struct mikey_name answered;
	struct bytes rand_kms;

	return mikey_resolve_answered(
		&c->m_resolved, &c->m_resolve, octets_view(&c->psk_bob), &s, &answered, &rand_kms, NULL);
}

static bool resp_taken(struct call_scene *c)
{
	struct mikey_secrets s;

	return mikey_transfer_answered(&c->m_resp, &c->m_init, &c->alice, &s, NULL);
}

static bool ticket_taken(struct call_scene *c)
{
	struct mikey_payload p[MIKEY_PAYLOADS];
	struct mikey_secrets s;

	return mikey_inside((struct bytes){ c->ticket.at - 1, c->ticket.len + 1 }, MIKEY_TICKET, p, NULL) == 1 &&
	       mikey_ticket_open(&p[0], octets_view(&c->tpk), &s, NULL);
}

static void no_octet_of_any_message_may_change(void **state)
{
	struct call_scene *c = call_new(plan(FORKED));
	const struct mikey_payload *t = mikey_find(&c->m_init, MIKEY_TICKET, 0);
	struct mikey unused = { .type = MIKEY_REQUEST_RESP };
	size_t data = t->at + t->ticket.initiator_at; /* MAC of TRANSFER_INIT leaves out from here, but for Vi */

	(void)state;
	assert_no_octet_may_change(c, &c->request, &c->m_request, 0, 0, request_taken);
	assert_no_octet_may_change(c, &c->granted, &c->m_granted, 0, 0, granted_taken);
	assert_no_octet_may_change(c, &c->init, &c->m_init, data + 2 + 1 + 22, data + 2 + 1 + 44, init_taken);
	assert_no_octet_may_change(c, &c->resolve, &c->m_resolve, 0, 0, resolve_taken);
	assert_no_octet_may_change(c, &c->resolved, &c->m_resolved, 0, 0, resolved_taken);
	assert_no_octet_may_change(c, &c->resp, &c->m_resp, 0, 0, resp_taken);
	c->ticket.at++; /* its next payload octet is not covered: it changes from message to message */
	c->ticket.len--;
	assert_no_octet_may_change(c, &c->ticket, &unused, 0, 0, ticket_taken);
	c->ticket.at--;
	c->ticket.len++;
	call_free(c);
}

/* A TEK with its salt under an SPI. */
static struct mikey_keys sent_keys(uint8_t from, const char *spi_hex)
{
	struct octets key = octets_up(from, 16), salt = octets_up((uint8_t)(from + 0x40), 14),
		      spi = octets_hex(spi_hex);
	struct mikey_keys k = { .count = 0 };

	assert_non_null(mikey_keys_add(&k, MIKEY_TEK_SALT, octets_view(&key), octets_view(&salt), octets_view(&spi)));
	return k;
}

/* Either side changes keys in mid-call (RFC 6043 5.2): no RAND, no ticket, the keys of the last message. */
static void update(struct call_scene *c, bool by_bob, const struct mikey_keys *keys, struct buf *init, struct buf *resp,
	struct mikey *m_init, struct mikey *m_resp)
{
	const struct mikey_exchange first = exchange_of(c);
	const struct mikey_secrets *own = by_bob ? &c->bob : &c->alice_forked,
				   *peer = by_bob ? &c->alice_forked : &c->bob;
	const uint8_t spi[] = { 0, 0, 0, 8 }, policy[] = { 3 };
	const struct mikey_cs cs = { .id = 1, .policies = { policy, 1 }, .spi = { spi, 4 } };
	struct buf map = { 0 };
	struct mikey_transfer t = { .mac = c->plan.mac,
		.encr = c->plan.encr,
		.at = CALL_TIME + 60 * NSEC_PER_SEC,
		.initiator = call_alice,
		.responder = call_bob,
		.cs_count = 1,
		.secrets = own,
		.keys = keys };

	assert_true(mikey_session_add(&map, &cs));
	t.map = buf_bytes(&map);
	call_must(mikey_update_make(&t, &first, init, &err), &err);
	call_decode(init, m_init);
	assert_true(mikey_update_verify(m_init, NULL, &first, peer, NULL));
	t.secrets = peer;
	t.keys = NULL;
	t.at += NSEC_PER_SEC;
	call_must(mikey_update_answer(m_init, &t, &first, resp, &err), &err);
	call_decode(resp, m_resp);
	assert_true(mikey_update_verify(m_resp, m_init, &first, own, NULL));
	buf_clear(&map);
}

static void an_update_brings_a_new_key_and_leaves_the_other_session_alone(void **state)
{
	(void)state;
	for (int forked = 0; forked < 2; forked++)
		for (int by_bob = 0; by_bob < 2; by_bob++) {
			struct call_scene *c =
				call_new(plan((uint16_t)((forked ? FORKED : PLAIN) | MIKEY_L | MIKEY_M)));
			struct mikey_keys keys = sent_keys(0x90, "00000008");
			struct buf init = { 0 }, resp = { 0 };
			struct mikey m_init, m_resp;
			struct mikey_stream out[MIKEY_STREAMS];
			struct mikey_exchange e[2] = { exchange_of(c), { &m_init, &m_resp } };
			bool verified;

			update(c, by_bob, &keys, &init, &resp, &m_init, &m_resp);
			assert_null(mikey_find(&m_init, MIKEY_RANDR, 0));
			assert_null(mikey_find(&m_init, MIKEY_TICKET, 0));
			assert_int_equal(keys_of(c, e, 2, out, &verified), 2);
			assert_true(verified);
			assert_octets((struct bytes){ out[0].key.key, 16 }, "909192939495969798999a9b9c9d9e9f");
			assert_octets((struct bytes){ out[0].key.salt, 14 }, "d0d1d2d3d4d5d6d7d8d9dadbdcdd");
			assert_octets((struct bytes){ out[0].key.mki, out[0].key.mki_len }, "00000008");
			assert_int_equal(out[0].ssrc, 0xdeadbe01); /* not said again: as it was */
			assert_party_has(c, &c->bob, &out[1]);
			init.at[init.len - 1] ^= 1; /* a forged update changes nothing: it is refused */
			{
				struct mikey_call call = { .exchanges = e, .count = 2 };
				size_t count;

				assert_false(mikey_session_keys(&c->kms, &call, out, &count, &verified, &err));
				assert_int_equal(count, 0);
			}
			buf_clear(&init);
			buf_clear(&resp);
			call_free(c);
		}
}

static enum mikey_lack lack_of(const struct call_scene *c, struct mikey_call call)
{
	struct mikey_stream out[MIKEY_STREAMS];
	size_t count;
	bool verified;

	call.ticket = &c->ticket_payload[0];
	call.sessions = 1;
	if (!mikey_session_keys(&c->kms, &call, out, &count, &verified, &err))
		fail_msg("%s", err.text);
	assert_false(verified);
	assert_int_equal(count > 0, 1);
	return out[0].lack;
}

/* What the KMS can still do when nobody saw the one message or the other. */
static void without_a_message_the_flags_tell_what_is_missing(void **state)
{
	struct call_scene *c = call_new(plan(PLAIN)), *only_g = call_new(plan(MIKEY_D | MIKEY_F | MIKEY_G)),
			  *forked = call_new(plan(FORKED)), *tek;
	struct call_plan p = plan(PLAIN);
	const struct mikey_exchange init = { &c->m_init, NULL }, resp = { NULL, &c->m_resp };
	const struct mikey_exchange g_resp = { NULL, &only_g->m_resp }, forked_init = { &forked->m_init, NULL };
	struct mikey_call remembered = { .randi = octets_view(&c->randi), .randr = octets_view(&c->randr) };

	(void)state;
	p.kind = MIKEY_TEK;
	tek = call_new(p);
	assert_int_equal(lack_of(c, (struct mikey_call){ .exchanges = &init, .count = 1 }), MIKEY_WANTS_RANDR);
	assert_int_equal(lack_of(c, (struct mikey_call){ .exchanges = &resp, .count = 1 }), MIKEY_WANTS_RANDI);
	assert_int_equal(lack_of(only_g, (struct mikey_call){ .exchanges = &g_resp, .count = 1 }), MIKEY_KEYED);
	assert_int_equal(
		lack_of(forked, (struct mikey_call){ .exchanges = &forked_init, .count = 1 }), MIKEY_WANTS_FORK);
	assert_int_equal(lack_of(c, (struct mikey_call){ .count = 0 }), MIKEY_WANTS_RANDI);
	assert_int_equal(lack_of(c, remembered), MIKEY_KEYED);
	assert_int_equal(lack_of(tek, (struct mikey_call){ .count = 0 }), MIKEY_KEYED);
	remembered.answered = call_bob.data;
	remembered.rand_kms = octets_view(&forked->rand_kms);
	assert_int_equal(lack_of(forked, remembered), MIKEY_KEYED);
	call_free(c);
	call_free(only_g);
	call_free(forked);
	call_free(tek);
}

static void the_mediation_reads_sessions_without_any_key(void **state)
{
	struct mikey_stream out[MIKEY_STREAMS];
	struct octets gcm = octets_hex("000106"
				       "010120"
				       "04010c"
				       "140110");
	struct call_plan p = plan(FORKED);
	struct mikey_exchange e;
	struct call_scene *c;

	(void)state;
	p.policy = octets_view(&gcm);
	c = call_new(p);
	e = exchange_of(c);
	assert_int_equal(mikey_read_sessions(&e, 1, out), 2);
	assert_int_equal(out[1].cs, 2);
	assert_int_equal(out[1].key.suite, AEAD_AES_256_GCM);
	assert_int_equal(out[1].key_len, 32);
	assert_int_equal(out[1].salt_len, 12);
	assert_int_equal(out[1].ssrc, 0xdeadbe02);
	assert_true(out[1].has_roc);
	assert_int_equal(out[1].roc, 1);
	assert_int_equal(out[1].seq, 9);
	assert_octets((struct bytes){ out[1].key.mki, out[1].key.mki_len }, "00000007");
	assert_int_equal(out[1].lack, MIKEY_NOT_ASKED);
	call_free(c);
}

static void policies_become_suites(void **state)
{
	static const struct {
		const char *params;
		enum srtp_suite suite;
	} rows[] = {
		{ "", AES_CM_128_HMAC_SHA1_80 },
		{ "0b0104", AES_CM_128_HMAC_SHA1_32 },
		{ "000101"
		  "010118",
			AES_192_CM_HMAC_SHA1_80 },
		{ "000101"
		  "010120"
		  "0b010a",
			AES_256_CM_HMAC_SHA1_80 },
		{ "010120"
		  "0b0104",
			AES_256_CM_HMAC_SHA1_32 },
		{ "000106"
		  "140110",
			AEAD_AES_128_GCM },
		{ "000106"
		  "010120"
		  "04010c",
			AEAD_AES_256_GCM },
		{ "000106"
		  "140108",
			SUITE_UNSUPPORTED },
		{ "000100", NULL_HMAC_SHA1_80 },
		{ "000102", SUITE_UNSUPPORTED }, /* F8 */
		{ "060101", SUITE_UNSUPPORTED }, /* KDR */
		{ "050101", SUITE_UNSUPPORTED }, /* another PRF */
		{ "020102", SUITE_UNSUPPORTED }, /* RCCm1 */
		{ "0c0101", SUITE_UNSUPPORTED }, /* a prefix */
		{ "0b0108", SUITE_UNSUPPORTED }, /* a tag of 8 */
		{ "630101", SUITE_UNSUPPORTED }, /* a parameter nobody knows */
		{ "03010a", AES_CM_128_HMAC_SHA1_80 },
	};
	struct srtp_key key;
	uint8_t key_len, salt_len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets o = octets_hex(rows[i].params);

		mikey_suite_read(octets_view(&o), &key, &key_len, &salt_len);
		if (key.suite != rows[i].suite)
			fail_msg("%s: suite %d", rows[i].params, key.suite);
		if (key.suite != SUITE_UNSUPPORTED) {
			assert_int_equal(key_len, suite_facts(key.suite)->key);
			assert_int_equal(salt_len, suite_facts(key.suite)->salt);
		}
	}
}

static void a_ticket_that_breaks_the_rules_is_not_made(void **state)
{
	static const uint16_t flags[] = { 0, MIKEY_D, MIKEY_D | MIKEY_G, MIKEY_D | MIKEY_H | MIKEY_I,
		MIKEY_D | MIKEY_E | MIKEY_H | MIKEY_I /* forks a TGK without F */ };

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct mikey_policy p = { .type = 1, .subtype = 1, .version = 1, .flags = flags[i] };
		struct octets rand = octets_up(1, 16), key = octets_up(2, 16);
		struct mikey_keys k = { .count = 0 };
		struct mikey_ticket_new t = {
			.policy = &p, .at = CALL_TIME, .rand = octets_view(&rand), .mac = MIKEY_MAC_SHA1, .keys = &k
		};
		struct buf out = { 0 };

		p.start = p.end = NSEC_NONE;
		assert_non_null(mikey_keys_add(&k, MIKEY_MPK, octets_view(&key), none, none));
		assert_non_null(mikey_keys_add(&k, MIKEY_TGK, octets_view(&key), none, none));
		assert_false(mikey_ticket_seal(&t, octets_view(&key), &out, &err));
		buf_clear(&out);
	}
}

static void an_error_is_signed_as_the_message_it_is_about(void **state)
{
	struct call_scene *c = call_new(plan(FORKED));
	struct bytes mpki = mikey_key_octets(&c->bob.mpki);
	struct mikey_source s = mikey_keys_message(MIKEY_PRF_SHA1, mpki, CALL_CSB, false, octets_view(&c->randi), none);
	struct buf b = { 0 };
	struct mikey m;

	(void)state;
	assert_true(mikey_error_make(&c->m_init, NULL, MIKEY_INVALID_TPPAR, CALL_TIME, mpki, &b));
	call_decode(&b, &m);
	assert_int_equal(m.type, MIKEY_ERROR);
	assert_int_equal(m.csb, CALL_CSB);
	assert_int_equal(m.payloads[1].error.number, 15);
	assert_true(mikey_keys_verify(&m, &s, NULL, 0));
	b.at[b.len - 30] ^= 1;
	assert_false(mikey_decode(buf_bytes(&b), &m, NULL) && mikey_keys_verify(&m, &s, NULL, 0));
	buf_clear(&b);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_a_call_gives_the_keys_that_its_parties_have),
		cmocka_unit_test(the_keys_of_a_forked_call_are_those_computed_beside),
		cmocka_unit_test(forking_gives_the_one_who_answered_a_key_of_its_own),
		cmocka_unit_test(no_octet_of_any_message_may_change),
		cmocka_unit_test(an_update_brings_a_new_key_and_leaves_the_other_session_alone),
		cmocka_unit_test(without_a_message_the_flags_tell_what_is_missing),
		cmocka_unit_test(the_mediation_reads_sessions_without_any_key),
		cmocka_unit_test(policies_become_suites),
		cmocka_unit_test(a_ticket_that_breaks_the_rules_is_not_made),
		cmocka_unit_test(an_error_is_signed_as_the_message_it_is_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
