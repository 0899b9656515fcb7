/* mikey_calls: a call by MIKEY-TICKET between Alice and Bob, its KMS beside: every message made, each taken by who gets it. */
#ifndef OTWAY_SUPPORT_MIKEY_CALLS_H
#define OTWAY_SUPPORT_MIKEY_CALLS_H

#include "mikey_scene.h"
#include "otway/mikey_transfer.h"

/* How a call is set up. */
struct call_plan {
	uint8_t prf, ticket_prf, encr, mac;
	uint16_t flags;
	enum mikey_key_type kind; /* of the session key in the ticket */
	bool own_ticket;          /* mode 3: Alice makes it */
	bool salted;
	struct bytes policy; /* parameters of SP */
};

/* What goes over the wire, and what each party holds of it. */
struct call_scene {
	struct call_plan plan;
	struct mikey_policy policy;
	struct buf ticket, request, granted, init, resolve, resolved, resp;
	struct mikey m_request, m_granted, m_init, m_resolve, m_resolved, m_resp;
	struct mikey_payload ticket_payload[MIKEY_PAYLOADS];
	struct mikey_secrets kms, alice, alice_forked, bob;
	struct octets tpk, psk_alice, psk_bob, randi, randr, rand_kms;
};

#define CALL_CSB  0x01020304
#define CALL_TIME (INT64_C(1767225600) * NSEC_PER_SEC) /* 2026-01-01 */

static const struct mikey_name call_alice = { MIKEY_URI, { (const uint8_t *)"sip:alice@abc.com", 17 } };
static const struct mikey_name call_bob = { MIKEY_URI, { (const uint8_t *)"sip:bob@abc.com", 15 } };
static const struct mikey_name call_desk = { MIKEY_URI, { (const uint8_t *)"sip:helpdesk@abc.com", 20 } };
static const struct mikey_name call_kms = { MIKEY_URI, { (const uint8_t *)"sip:kms@abc.com", 15 } };

static inline void call_decode(struct buf *b, struct mikey *m)
{
	struct err e = { .text = "" };

	if (!mikey_decode(buf_bytes(b), m, &e))
		fail_msg("%s", e.text);
}

static inline void call_must(bool done, const struct err *e)
{
	if (!done)
		fail_msg("%s", e->text);
}

static inline void call_make_ticket(struct call_scene *c, struct err *e)
{
	static const uint8_t spi_mpk[] = { 0 }, spi[] = { 0, 0, 0, 7 };
	struct octets rand = octets_up(0x70, 32), mpk = octets_up(0xc0, 16), key = octets_up(0x00, 16),
		      salt = octets_up(0xe0, 14);
	struct mikey_keys k = { .count = 0 };
	struct mikey_ticket_new t = {
		.policy = &c->policy,
		.at = CALL_TIME,
		.rand = octets_view(&rand),
		.encr = c->plan.encr,
		.mac = c->plan.mac,
		.keys = &k,
		.psk = { MIKEY_BYTES, bytes_of("tpk-1") },
	};

	assert_non_null(mikey_keys_add(
		&k, MIKEY_MPK, octets_view(&mpk), (struct bytes){ NULL, 0 }, (struct bytes){ spi_mpk, 1 }));
	if (c->plan.kind != MIKEY_MPK)
		assert_non_null(mikey_keys_add(&k, (enum mikey_key_type)(c->plan.kind + c->plan.salted),
			octets_view(&key), c->plan.salted ? octets_view(&salt) : (struct bytes){ NULL, 0 },
			(struct bytes){ spi, 4 }));
	call_must(mikey_ticket_seal(&t, octets_view(&c->tpk), &c->ticket, e), e);
	assert_int_equal(mikey_inside(buf_bytes(&c->ticket), MIKEY_TICKET, c->ticket_payload, e), 1);
	call_must(mikey_ticket_open(&c->ticket_payload[0], octets_view(&c->tpk), &c->kms, e), e);
	mikey_keys_clear(&k);
}

static inline void call_request(struct call_scene *c, struct err *e)
{
	struct mikey_request r = { .prf = c->plan.prf,
		.mac = c->plan.mac,
		.csb = CALL_CSB ^ 0x55,
		.at = CALL_TIME,
		.randi = octets_view(&c->randr), /* another random than the call's */
		.initiator = call_alice,
		.kms = call_kms,
		.psk = { MIKEY_BYTES, bytes_of("alice-psk") },
		.wish = &c->policy };
	struct mikey_grant g = { .encr = c->plan.encr,
		.mac = c->plan.mac,
		.at = CALL_TIME + NSEC_PER_SEC,
		.kms = call_kms,
		.secrets = &c->kms,
		.ticket = buf_bytes(&c->ticket) };

	if (c->plan.own_ticket) {
		c->alice = c->kms;
		return;
	}
	call_must(mikey_request_make(&r, octets_view(&c->psk_alice), &c->request, e), e);
	call_decode(&c->request, &c->m_request);
	assert_true(mikey_request_verify(&c->m_request, octets_view(&c->psk_alice), NULL));
	assert_false(mikey_request_verify(&c->m_request, octets_view(&c->psk_bob), NULL));
	call_must(mikey_request_answer(&c->m_request, octets_view(&c->psk_alice), &g, &c->granted, e), e);
	call_decode(&c->granted, &c->m_granted);
	call_must(mikey_request_answered(&c->m_granted, &c->m_request, octets_view(&c->psk_alice), &c->alice, e), e);
	c->ticket_payload[0] = *mikey_find(&c->m_granted, MIKEY_TICKET, 0);
}

/* Two crypto sessions; the answer tells SSRC, ROC and SPI. */
static inline void call_map(struct buf *map, bool answer)
{
	static const uint8_t policy[] = { 3 }, spi[] = { 0, 0, 0, 7 };

	for (uint8_t cs = 1; cs <= 2; cs++) {
		const uint8_t data[] = { 0xde, 0xad, 0xbe, cs, 0, 0, 0, 1, 0, 9 };
		struct mikey_cs s = { .id = cs, .s = answer, .policies = { policy, 1 } };

		if (answer) {
			s.data = (struct bytes){ data, sizeof(data) };
			s.spi = (struct bytes){ spi, sizeof(spi) };
		}
		assert_true(mikey_session_add(map, &s));
	}
}

static inline void call_offer(struct call_scene *c, const struct mikey_keys *keys, struct err *e)
{
	const struct mikey_payload sp = { .type = MIKEY_SP, .sp = { .number = 3, .params = c->plan.policy } };
	struct buf map = { 0 };
	struct mikey_transfer t = { .prf = c->plan.prf,
		.mac = c->plan.mac,
		.encr = c->plan.encr,
		.csb = CALL_CSB,
		.at = CALL_TIME + 2 * NSEC_PER_SEC,
		.initiator = call_alice,
		.responder = call_desk,
		.randi = octets_view(&c->randi),
		.policies = &sp,
		.policy_count = 1,
		.cs_count = 2,
		.ticket = &c->ticket_payload[0],
		.secrets = &c->alice,
		.keys = keys };

	call_map(&map, false);
	t.map = buf_bytes(&map);
	call_must(mikey_transfer_make(&t, &c->init, e), e);
	call_decode(&c->init, &c->m_init);
	buf_clear(&map);
}

static inline void call_resolve(struct call_scene *c, struct err *e)
{
	struct mikey_secrets opened;
	struct mikey_name answered;
	struct bytes rand_kms;
	struct mikey_resolve r = { .prf = c->plan.prf,
		.mac = c->plan.mac,
		.csb = CALL_CSB ^ 0xaa,
		.at = CALL_TIME + 3 * NSEC_PER_SEC,
		.randr = octets_view(&c->rand_kms), /* another than the call's */
		.responder = call_bob,
		.kms = call_kms,
		.ticket = mikey_find(&c->m_init, MIKEY_TICKET, 0) };
	struct mikey_grant g = { .encr = c->plan.encr,
		.mac = c->plan.mac,
		.at = CALL_TIME + 4 * NSEC_PER_SEC,
		.kms = call_kms,
		.secrets = &opened,
		.answered = call_bob,
		.rand_kms = octets_view(&c->rand_kms) };

	call_must(mikey_resolve_make(&r, octets_view(&c->psk_bob), &c->resolve, e), e);
	call_decode(&c->resolve, &c->m_resolve);
	assert_true(mikey_request_verify(&c->m_resolve, octets_view(&c->psk_bob), NULL));
	call_must(mikey_ticket_open(mikey_find(&c->m_resolve, MIKEY_TICKET, 0), octets_view(&c->tpk), &opened, e), e);
	call_must(mikey_resolve_answer(&c->m_resolve, octets_view(&c->psk_bob), &g, &c->resolved, e), e);
	call_decode(&c->resolved, &c->m_resolved);
	call_must(mikey_resolve_answered(
			  &c->m_resolved, &c->m_resolve, octets_view(&c->psk_bob), &c->bob, &answered, &rand_kms, e),
		e);
	assert_true(mikey_transfer_verify(&c->m_init, &c->bob, NULL));
}

static inline void call_answer(struct call_scene *c, const struct mikey_keys *keys, struct err *e)
{
	struct buf map = { 0 };
	struct mikey_transfer t = { .mac = c->plan.mac,
		.encr = c->plan.encr,
		.at = CALL_TIME + 5 * NSEC_PER_SEC,
		.responder = call_bob,
		.cs_count = 2,
		.secrets = &c->bob,
		.keys = keys };

	if (!(c->plan.flags & MIKEY_F))
		return;
	if (c->plan.flags & MIKEY_G)
		t.randr = octets_view(&c->randr);
	if (c->plan.flags & MIKEY_I)
		t.rand_kms = octets_view(&c->rand_kms);
	call_map(&map, true);
	t.map = buf_bytes(&map);
	call_must(mikey_transfer_answer(&c->m_init, &t, &c->resp, e), e);
	call_decode(&c->resp, &c->m_resp);
	call_must(mikey_transfer_answered(&c->m_resp, &c->m_init, &c->alice, &c->alice_forked, e), e);
	buf_clear(&map);
}

/* A whole call. */
static inline struct call_scene *call_new(struct call_plan plan)
{
	struct call_scene *c = test_calloc(1, sizeof(*c));
	struct err e = { .text = "" };

	c->plan = plan;
	c->tpk = octets_up(0x21, 16);
	c->psk_alice = octets_up(0xa0, 32);
	c->psk_bob = octets_up(0xb0, 32);
	c->randi = octets_up(0x10, 16);
	c->randr = octets_up(0x30, 16);
	c->rand_kms = octets_up(0x50, 16);
	c->policy = (struct mikey_policy){ .type = 1,
		.subtype = 1,
		.version = 1,
		.prf = plan.ticket_prf,
		.flags = plan.flags,
		.kms = call_kms,
		.initiator = call_alice,
		.start = CALL_TIME - 60 * NSEC_PER_SEC,
		.end = CALL_TIME + 3600 * NSEC_PER_SEC,
		.rekey = 1800,
		.responders = { call_desk },
		.responder_count = 1 };
	call_make_ticket(c, &e);
	call_request(c, &e);
	call_offer(c, NULL, &e);
	call_resolve(c, &e);
	call_answer(c, NULL, &e);
	return c;
}

static inline void call_free(struct call_scene *c)
{
	struct buf *const bufs[] = { &c->ticket, &c->request, &c->granted, &c->init, &c->resolve, &c->resolved,
		&c->resp };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_clear(bufs[i]);
	test_free(c);
}

#endif
