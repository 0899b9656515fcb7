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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_a_call_gives_the_keys_that_its_parties_have),
		cmocka_unit_test(the_keys_of_a_forked_call_are_those_computed_beside),
		cmocka_unit_test(forking_gives_the_one_who_answered_a_key_of_its_own),
		cmocka_unit_test(no_octet_of_any_message_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
