/* authority: what a KMS decides of MIKEY-TICKET, and what it gives the LI side of it. The users' side is made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../support/authority_scene.h"
#include "otway/mikey_transfer.h"

#define OWN_FLAGS (MIKEY_E | MIKEY_F | MIKEY_G | MIKEY_H | MIKEY_I | MIKEY_L | MIKEY_N | MIKEY_O)

static const char *const uris[] = { "sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com",
	"sip:dave@example.com" };

/* Alice calls Bob; who answers may be another. */
struct call {
	struct scene s;
	struct mikey_policy wish;
	int r;
	uint8_t number; /* makes the randoms of a message its own */
	uint8_t mac;
	const struct mikey_keys *wanted;
	nsec_t skew; /* of the users' clock */
	struct buf request, granted, own, init, resolve, resolved, resp;
	struct mikey m_request, m_granted, m_init, m_resolve, m_resolved, m_resp;
	struct mikey_payload ticket, inside[MIKEY_PAYLOADS];
	struct mikey_secrets alice, alice_forked, bob;
	uint8_t randi[16], randr[16], resolve_randr[16]; /* RFC 6043 4.2.2.3: that of TRANSFER_RESP is fresh */
};

static struct mikey_name name_of(const char *uri)
{
	return (struct mikey_name){ MIKEY_URI, bytes_of(uri) };
}

static void begin(struct call *c)
{
	memset(c, 0, sizeof(*c));
	scene_begin(&c->s);
	c->r = BOB;
	c->mac = MIKEY_MAC_SHA1;
	memset(c->randi, 0x11, sizeof(c->randi));
	memset(c->randr, 0x22, sizeof(c->randr));
	memset(c->resolve_randr, 0x55, sizeof(c->resolve_randr));
	c->wish = (struct mikey_policy){ .type = 1,
		.subtype = 1,
		.version = 1,
		.flags = MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_G | MIKEY_I | MIKEY_N | MIKEY_O,
		.kms = name_of("sip:kms@example.com"),
		.initiator = name_of(uris[ALICE]),
		.start = NSEC_NONE,
		.end = SCENE_NOW + 3600 * NSEC_PER_SEC,
		.responders = { name_of(uris[BOB]) },
		.responder_count = 1 };
}

static void end(struct call *c)
{
	struct buf *const bufs[] = { &c->request, &c->granted, &c->own, &c->init, &c->resolve, &c->resolved, &c->resp };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_clear(bufs[i]);
	scene_end(&c->s);
}

static void must(bool done, const struct err *err)
{
	if (!done)
		fail_msg("%s", err->text);
}

static void take(struct buf *octets, struct mikey *out)
{
	struct err err = { .text = "" };

	must(mikey_decode(buf_bytes(octets), out, &err), &err);
}

/* Sends a message to the KMS; returns the number of the Error that comes back, or -1. */
static int send_message(struct call *c, struct bytes message, struct buf *to, struct mikey *answer)
{
	struct err err = { .text = "" };

	buf_reset(to);
	must(authority_user(c->s.kms, KEY_MGMT_MIKEY, message, "user", c->s.now, to, &err) == 0, &err);
	take(to, answer);
	return answer->type == MIKEY_ERROR ? mikey_find(answer, MIKEY_ERR, 0)->error.number : -1;
}

static void make_request(struct call *c, int with)
{
	uint8_t randi[16];
	const struct mikey_request r = { .mac = c->mac,
		.csb = 1,
		.at = c->s.now + c->skew,
		.randi = { randi, sizeof(randi) },
		.initiator = name_of(uris[ALICE]),
		.kms = name_of("sip:kms@example.com"),
		.wish = &c->wish,
		.wanted = c->wanted };
	struct err err = { .text = "" };

	memset(randi, ++c->number, sizeof(randi));
	buf_reset(&c->request);
	must(mikey_request_make(&r, scene_psk(&c->s, with), &c->request, &err), &err);
	take(&c->request, &c->m_request);
}

static int ask_ticket(struct call *c)
{
	struct err err = { .text = "" };
	int error;

	make_request(c, ALICE);
	error = send_message(c, buf_bytes(&c->request), &c->granted, &c->m_granted);
	if (error >= 0)
		return error;
	must(mikey_request_answered(&c->m_granted, &c->m_request, scene_psk(&c->s, ALICE), &c->alice, &err), &err);
	c->ticket = *mikey_find(&c->m_granted, MIKEY_TICKET, 0);
	return -1;
}

/* Mode 3: Alice makes the ticket, under the key of `with`. */
static void make_own_ticket(struct call *c, int with)
{
	uint8_t rand[32], mpk[16], tgk[16];
	struct mikey_keys keys = { .count = 0 };
	const struct mikey_ticket_new t = { .policy = &c->wish,
		.at = c->s.now,
		.rand = { rand, sizeof(rand) },
		.encr = MIKEY_ENCR_CM_128,
		.mac = c->mac,
		.keys = &keys };
	struct err err = { .text = "" };

	memset(rand, 0x70 + ++c->number, sizeof(rand));
	memset(mpk, 0x80, sizeof(mpk));
	memset(tgk, 0x90, sizeof(tgk));
	c->wish.flags = OWN_FLAGS;
	assert_non_null(mikey_keys_add(
		&keys, MIKEY_MPK, (struct bytes){ mpk, 16 }, (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 }));
	assert_non_null(mikey_keys_add(
		&keys, MIKEY_TGK, (struct bytes){ tgk, 16 }, (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 }));
	buf_reset(&c->own);
	must(mikey_ticket_seal(&t, scene_psk(&c->s, with), &c->own, &err), &err);
	assert_int_equal(mikey_inside(buf_bytes(&c->own), MIKEY_TICKET, c->inside, &err), 1);
	c->ticket = c->inside[0];
	must(mikey_ticket_open(&c->ticket, scene_psk(&c->s, with), &c->alice, &err), &err);
}

/* Two sessions of a call; the answer tells SSRC and SPI. */
static void make_map(struct buf *map, bool answer)
{
	static const uint8_t policy[] = { 0 }, spi[] = { 0xaa, 0xbb };

	for (uint8_t cs = 1; cs <= 2; cs++) {
		const uint8_t data[] = { 0xde, 0xad, 0xbe, cs };
		struct mikey_cs s = { .id = cs, .policies = { policy, 1 } };

		if (answer) {
			s.data = (struct bytes){ data, sizeof(data) };
			s.spi = (struct bytes){ spi, sizeof(spi) };
		}
		assert_true(mikey_session_add(map, &s));
	}
}

static void make_offer(struct call *c)
{
	const struct mikey_payload sp = { .type = MIKEY_SP };
	struct buf map = { 0 };
	struct mikey_transfer t = { .mac = c->mac,
		.encr = MIKEY_ENCR_CM_128,
		.csb = 7,
		.at = c->s.now,
		.initiator = name_of(uris[ALICE]),
		.responder = name_of(uris[BOB]),
		.randi = { c->randi, 16 },
		.policies = &sp,
		.policy_count = 1,
		.cs_count = 2,
		.ticket = &c->ticket,
		.secrets = &c->alice };
	struct err err = { .text = "" };

	make_map(&map, false);
	t.map = buf_bytes(&map);
	buf_reset(&c->init);
	must(mikey_transfer_make(&t, &c->init, &err), &err);
	take(&c->init, &c->m_init);
	buf_clear(&map);
}

/* R asks the KMS to resolve the ticket of the offer; `with` is who R really is. */
static int resolve(struct call *c, int with)
{
	const struct mikey_resolve r = { .mac = c->mac,
		.csb = c->number,
		.at = c->s.now + c->skew,
		.randr = { c->resolve_randr, 16 },
		.responder = name_of(uris[c->r]),
		.kms = name_of("sip:kms@example.com"),
		.ticket = mikey_find(&c->m_init, MIKEY_TICKET, 0) };
	struct err err = { .text = "" };

	c->number++;
	buf_reset(&c->resolve);
	must(mikey_resolve_make(&r, scene_psk(&c->s, with), &c->resolve, &err), &err);
	take(&c->resolve, &c->m_resolve);
	return send_message(c, buf_bytes(&c->resolve), &c->resolved, &c->m_resolved);
}

/* R takes the keys, and answers; Alice takes the answer. */
static void answer(struct call *c)
{
	struct mikey_name answered;
	struct buf map = { 0 };
	struct bytes rand_kms;
	struct mikey_transfer t = { .mac = c->mac,
		.encr = MIKEY_ENCR_CM_128,
		.at = c->s.now,
		.cs_count = 2,
		.secrets = &c->bob,
		.randr = { c->randr, c->ticket.ticket.flags & MIKEY_G ? 16 : 0 } };
	struct err err = { .text = "" };

	must(mikey_resolve_answered(
		     &c->m_resolved, &c->m_resolve, scene_psk(&c->s, c->r), &c->bob, &answered, &rand_kms, &err),
		&err);
	assert_true(mikey_transfer_verify(&c->m_init, &c->bob, NULL));
	make_map(&map, true);
	t.map = buf_bytes(&map);
	t.responder = answered.data.len > 0 ? answered : name_of(uris[c->r]);
	t.rand_kms = rand_kms;
	buf_reset(&c->resp);
	must(mikey_transfer_answer(&c->m_init, &t, &c->resp, &err), &err);
	take(&c->resp, &c->m_resp);
	must(mikey_transfer_answered(&c->m_resp, &c->m_init, &c->alice, &c->alice_forked, &err), &err);
	buf_clear(&map);
}

static void call_with_ticket(struct call *c)
{
	make_offer(c);
	assert_int_equal(resolve(c, c->r), -1);
	answer(c);
}

static void call(struct call *c)
{
	assert_int_equal(ask_ticket(c), -1);
	call_with_ticket(c);
}

static struct xk_request request_of(const struct call *c, char number, const char *target, bool messages)
{
	struct xk_request r = scene_request(&c->s, number, KEY_MGMT_MIKEY, target);

	r.answered = bytes_of(uris[c->r]);
	if (messages) {
		r.offer = buf_bytes(&c->init);
		r.answer = buf_bytes(&c->resp);
	}
	return r;
}

static enum xk_failure ask(struct call *c, const struct xk_request *r, struct xk_answer *out)
{
	assert_int_equal(authority_keys(c->s.kms, r, "mediation", c->s.now, out, NULL), 0);
	assert_string_equal(
		scene_last(&c->s)->outcome, out->failure == XK_NONE ? "keys" : xk_failure_text(out->failure));
	assert_true((out->failure == XK_NONE) == (out->key_count > 0));
	return out->failure;
}

/* A session's key as a party derives it from its own TGK. */
static void assert_party_has(const struct call *c, const struct mikey_secrets *s, const struct xk_key *seen)
{
	struct bytes randi = { c->randi, c->ticket.ticket.flags & MIKEY_H ? 16 : 0 };
	struct bytes randr = { c->randr, c->ticket.ticket.flags & MIKEY_G ? 16 : 0 };
	struct mikey_source from =
		mikey_keys_traffic(MIKEY_PRF_SHA1, mikey_key_octets(&s->keys.at[0]), seen->cs, randi, randr);
	uint8_t key[16], salt[14];

	assert_true(mikey_keys_derive(&from, MIKEY_C_TEK, key, sizeof(key)));
	assert_true(mikey_keys_derive(&from, MIKEY_C_TGK_SALT, salt, sizeof(salt)));
	assert_int_equal(seen->key_len, 16);
	assert_int_equal(seen->salt_len, 14);
	assert_memory_equal(seen->key, key, 16);
	assert_memory_equal(seen->salt, salt, 14);
}

static void assert_keys(const struct call *c, const struct xk_answer *a, size_t sessions, bool mki)
{
	assert_int_equal(a->key_count, sessions);
	for (size_t i = 0; i < sessions; i++) {
		assert_int_equal(a->keys[i].cs, i + 1);
		assert_party_has(c, &c->bob, &a->keys[i]);
		assert_party_has(c, &c->alice_forked, &a->keys[i]);
		assert_int_equal(a->keys[i].mki_len, mki ? 2 : 0);
	}
}

static void a_ticket_of_the_kms_gives_three_sides_the_same_keys(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	for (uint8_t mac = MIKEY_MAC_SHA1; mac <= MIKEY_MAC_SHA256; mac++) {
		begin(&c);
		c.mac = mac;
		call(&c);
		assert_int_equal(c.ticket.ticket.flags, c.wish.flags);                     /* as wished: no K */
		assert_memory_not_equal(c.alice.keys.at[0].key, c.bob.keys.at[0].key, 32); /* forked */
		r = request_of(&c, '1', uris[ALICE], true);
		assert_int_equal(ask(&c, &r, &a), XK_NONE);
		assert_keys(&c, &a, 2, true);
		end(&c);
	}
}

static void a_ticket_of_its_initiator_does_too(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	make_own_ticket(&c, ALICE);
	call_with_ticket(&c);
	r = request_of(&c, '1', uris[BOB], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	end(&c);
}

/* A TEK needs no random of signalling: the only keys that a KMS has without it. */
static void by_identity_the_kms_gives_the_teks_of_a_ticket(void **state)
{
	static const uint8_t zeroes[16];
	struct mikey_keys wanted = { .count = 0 };
	struct xk_request r;
	struct xk_answer a;
	struct call c;

	(void)state;
	begin(&c);
	call(&c);
	r = request_of(&c, '1', uris[ALICE], false);
	assert_int_equal(ask(&c, &r, &a), XK_UNKNOWN); /* a TGK */
	mikey_keys_add(&wanted, MIKEY_TEK_SALT, (struct bytes){ zeroes, 16 }, (struct bytes){ zeroes, 14 },
		(struct bytes){ NULL, 0 });
	c.wanted = &wanted;
	call(&c);
	scene_restart(&c.s);
	r = request_of(&c, '2', uris[ALICE], false);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_int_equal(a.key_count, 8);
	assert_memory_equal(a.keys[7].key, c.bob.keys.at[0].key, 16);
	assert_memory_equal(a.keys[7].salt, c.bob.keys.at[0].salt, 14);
	r = request_of(&c, '3', uris[DAVE], false);
	assert_int_equal(ask(&c, &r, &a), XK_REFUSED);
	end(&c);
}

static void an_answer_that_was_not_seen_is_made_up_for_by_what_was_kept(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	c.wish.flags = (c.wish.flags & (uint16_t)~MIKEY_G) | MIKEY_H; /* RANDRi alone goes into traffic keys */
	call(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	r.answer.len = 0;
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, false);
	end(&c);
	begin(&c);
	call(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	r.answer.len = 0;
	assert_int_equal(ask(&c, &r, &a), XK_UNKNOWN); /* RANDRr was in it */
	end(&c);
}

static void who_a_call_is_diverted_to_must_be_named(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	c.r = CAROL;
	assert_int_equal(ask_ticket(&c), -1);
	make_offer(&c);
	assert_int_equal(resolve(&c, CAROL), MIKEY_INVALID_ID);
	assert_string_equal(scene_last(&c.s)->act, "resolve");
	assert_string_equal(scene_last(&c.s)->outcome, "not-authorised");
	assert_int_equal(scene_kept(&c.s), 1); /* the ticket */
	scene_answerer(&c.s, BOB, "*@example.com");
	call_with_ticket(&c);
	for (int user = ALICE; user <= CAROL; user++) {
		r = request_of(&c, (char)('1' + user), uris[user], true);
		assert_int_equal(ask(&c, &r, &a), XK_NONE);
		assert_keys(&c, &a, 2, true);
	}
	r = request_of(&c, '5', uris[DAVE], true);
	assert_int_equal(ask(&c, &r, &a), XK_REFUSED);
	end(&c);
}

static void each_leg_has_keys_of_its_own(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;
	uint8_t tgk[32];

	(void)state;
	begin(&c);
	scene_answerer(&c.s, -1, "sip:carol@example.com");
	call(&c);
	memcpy(tgk, c.bob.keys.at[0].key, 32);
	c.r = CAROL;
	call_with_ticket(&c);
	assert_memory_not_equal(tgk, c.bob.keys.at[0].key, 32);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	c.r = BOB; /* asks again: the same keys */
	call_with_ticket(&c);
	assert_memory_equal(tgk, c.bob.keys.at[0].key, 32);
	end(&c);
}

/* Who answers a call cannot have the KMS forget what its ticket was under. */
static void a_ticket_that_is_resolved_over_and_over_is_still_known(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;
	int verdict = -1;

	(void)state;
	begin(&c);
	call(&c);
	for (int i = 0; i < 70; i++)
		verdict = resolve(&c, BOB);
	assert_int_equal(verdict, MIKEY_INVALID_TICKET);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	end(&c);
}

/* Nor does the LI side, which may ask as often. */
static void a_ticket_that_is_asked_for_over_and_over_is_still_known(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	call(&c);
	r = request_of(&c, '1', uris[ALICE], false);
	for (int i = 0; i < 70; i++) {
		snprintf(r.request, sizeof(r.request), "%032x", (unsigned int)i);
		ask(&c, &r, &a);
	}
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	end(&c);
}

static void who_is_not_who_it_says_gets_nothing(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	make_request(&c, DAVE); /* says it is Alice */
	assert_int_equal(send_message(&c, buf_bytes(&c.request), &c.granted, &c.m_granted), MIKEY_AUTH_FAILURE);
	assert_null(mikey_find(&c.m_granted, MIKEY_V, 0));
	assert_int_equal(ask_ticket(&c), -1);
	make_offer(&c);
	assert_int_equal(resolve(&c, DAVE), MIKEY_AUTH_FAILURE); /* says it is Bob */
	assert_string_equal(scene_last(&c.s)->outcome, "not-authenticated");
	assert_int_equal(scene_kept(&c.s), 1);
	end(&c);
}

static void errors_are_signed_where_the_user_is_known(void **state)
{
	struct mikey_source s;
	struct call c;

	(void)state;
	begin(&c);
	c.skew = -301 * NSEC_PER_SEC;
	assert_int_equal(ask_ticket(&c), MIKEY_INVALID_TS);
	s = mikey_keys_message(MIKEY_PRF_SHA1, scene_psk(&c.s, ALICE), 1, false,
		mikey_rand_of(&c.m_request, MIKEY_RAND_INITIATOR), (struct bytes){ NULL, 0 });
	assert_true(mikey_keys_verify(&c.m_granted, &s, NULL, 0));
	end(&c);
}

static void stale_times_and_replays_are_refused(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	c.skew = 301 * NSEC_PER_SEC;
	assert_int_equal(ask_ticket(&c), MIKEY_INVALID_TS);
	c.skew = 299 * NSEC_PER_SEC;
	assert_int_equal(ask_ticket(&c), -1);
	scene_restart(&c.s);
	assert_int_equal(send_message(&c, buf_bytes(&c.request), &c.own, &c.m_granted), MIKEY_INVALID_TS);
	c.skew = 0;
	assert_int_equal(ask_ticket(&c), -1);
	make_offer(&c);
	assert_int_equal(resolve(&c, BOB), -1);
	assert_int_equal(send_message(&c, buf_bytes(&c.resolve), &c.own, &c.m_resolved), MIKEY_INVALID_TS);
	assert_string_equal(scene_last(&c.s)->outcome, "replayed");
	end(&c);
}

static void a_wish_is_granted_as_the_kms_would_have_it(void **state)
{
	struct mikey_policy granted;
	struct call c;

	(void)state;
	begin(&c);
	c.wish.flags = MIKEY_D | MIKEY_F | MIKEY_H | MIKEY_J | MIKEY_N;
	c.wish.end = NSEC_NONE;
	assert_int_equal(ask_ticket(&c), -1);
	assert_true(mikey_policy_read(&c.ticket, &granted, NULL, NULL));
	assert_int_equal(granted.flags, MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_H | MIKEY_I | MIKEY_K | MIKEY_N | MIKEY_O);
	assert_true(granted.end == SCENE_NOW + 86400 * NSEC_PER_SEC);
	assert_true(bytes_equal(granted.kms.data, bytes_of("sip:kms@example.com")));
	assert_int_equal(granted.responder_count, 1);
	c.s.policy.no_forking = true;
	c.wish.end = SCENE_NOW + 60 * NSEC_PER_SEC;
	assert_int_equal(ask_ticket(&c), -1);
	assert_int_equal(c.ticket.ticket.flags & MIKEY_I, 0);
	call_with_ticket(&c);
	assert_false(c.bob.has_mpkr);
	c.wish.end = SCENE_NOW - 1;
	assert_int_equal(ask_ticket(&c), MIKEY_INVALID_TPPAR);
	c.wish.end = NSEC_NONE;
	c.wish.initiator = name_of(uris[DAVE]); /* Alice asks for a ticket that says it is Dave's */
	assert_int_equal(ask_ticket(&c), MIKEY_INVALID_TPPAR);
	end(&c);
}

static void keys_are_as_many_and_as_long_as_wished(void **state)
{
	static const uint8_t zeroes[16], spi[] = { 1, 2 };
	struct mikey_keys wanted = { .count = 0 };
	struct mikey_request r = { .mac = MIKEY_MAC_SHA1, .csb = 1, .randi = { zeroes, 16 }, .wanted = &wanted };
	struct call c;

	(void)state;
	begin(&c);
	r.at = c.s.now;
	r.initiator = name_of(uris[ALICE]);
	r.kms = name_of("sip:kms@example.com");
	r.wish = &c.wish;
	mikey_keys_add(&wanted, MIKEY_TEK_SALT, (struct bytes){ zeroes, 16 }, (struct bytes){ zeroes, 14 },
		(struct bytes){ spi, 2 });
	mikey_keys_add(
		&wanted, MIKEY_TGK, (struct bytes){ zeroes, 16 }, (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 });
	assert_true(mikey_request_make(&r, scene_psk(&c.s, ALICE), &c.request, NULL));
	take(&c.request, &c.m_request);
	assert_int_equal(send_message(&c, buf_bytes(&c.request), &c.granted, &c.m_granted), -1);
	assert_true(mikey_request_answered(&c.m_granted, &c.m_request, scene_psk(&c.s, ALICE), &c.alice, NULL));
	assert_int_equal(c.alice.keys.count, 2);
	assert_int_equal(c.alice.keys.at[0].kind, MIKEY_TEK_SALT);
	assert_int_equal(c.alice.keys.at[0].salt_len, 14);
	assert_memory_equal(c.alice.keys.at[0].spi, spi, 2);
	assert_memory_not_equal(c.alice.keys.at[0].key, zeroes, 16);
	assert_int_equal(c.alice.keys.at[1].key_len, 16);
	end(&c);
}

static void an_own_ticket_is_under_the_key_of_who_it_names(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	make_own_ticket(&c, DAVE); /* a ticket of Dave's that says it is Alice's */
	make_offer(&c);
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_UNKNOWN);
	assert_int_equal(scene_kept(&c.s), 0);
	end(&c);
}

static void a_ticket_that_was_changed_does_not_open(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;
	size_t at;

	(void)state;
	begin(&c);
	assert_int_equal(ask_ticket(&c), -1);
	make_offer(&c);
	at = (size_t)(mikey_find(&c.m_init, MIKEY_TICKET, 0)->ticket.data.at - c.init.at) + 50;
	c.init.at[at] ^= 1;
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_UNKNOWN);
	assert_int_equal(scene_kept(&c.s), 1);
	end(&c);
}

static void initiator_data_of_another_is_refused(void **state)
{
	const struct mikey_payload *ticket;
	struct call c;

	(void)state;
	begin(&c);
	assert_int_equal(ask_ticket(&c), -1);
	make_offer(&c);
	ticket = mikey_find(&c.m_init, MIKEY_TICKET, 0);
	c.init.at[(size_t)(ticket->ticket.initiator.at - c.init.at) + ticket->ticket.initiator.len - 1] ^= 1;
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	assert_string_equal(scene_last(&c.s)->outcome, "ticket-refused");
	end(&c);
}

static void messages_forged_in_signalling_change_nothing(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;
	size_t puts;

	(void)state;
	begin(&c);
	call(&c);
	puts = c.s.puts;
	c.resp.at[c.resp.len - 1] ^= 1; /* the answer: its MAC fails, what was kept of the leg stands */
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, false);
	c.init.at[c.init.len - 1] ^=
		1; /* the offer too: the ticket in it is whole, and which sessions there are is believed */
	r = request_of(&c, '2', uris[ALICE], true);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	assert_int_equal(c.s.puts, puts);
	c.init.at[(size_t)(mikey_find(&c.m_init, MIKEY_TICKET, 0)->ticket.data.at - c.init.at) + 50] ^= 1;
	r = request_of(&c, '3', uris[ALICE], true); /* and the ticket */
	assert_int_equal(ask(&c, &r, &a), XK_UNKNOWN);
	end(&c);
}

static void a_ticket_of_a_purged_call_is_of_no_use(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;
	size_t purged;

	(void)state;
	begin(&c);
	call(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(authority_ended(c.s.kms, &r, "mediation", c.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 1);
	assert_int_equal(ask(&c, &r, &a), XK_PURGED);
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	end(&c);
	begin(&c); /* of its initiator's making too, and also when nobody resolved it before */
	make_own_ticket(&c, ALICE);
	make_offer(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	assert_int_equal(authority_ended(c.s.kms, &r, "mediation", c.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 0);
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	assert_int_equal(ask(&c, &r, &a), XK_PURGED);
	end(&c);
}

static void a_ticket_has_its_time(void **state)
{
	struct xk_answer a;
	struct xk_request r;
	struct call c;

	(void)state;
	begin(&c);
	call(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	c.s.now += 3601 *
		   NSEC_PER_SEC; /* past its policy's end: nobody may answer with it any more, but its keys are there */
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	c.s.now += 86400 * NSEC_PER_SEC;
	assert_int_equal(ask(&c, &r, &a), XK_PURGED);
	end(&c);
	begin(&c); /* one of which nothing was kept goes by its own date */
	c.wish.end = NSEC_NONE;
	make_own_ticket(&c, ALICE);
	make_offer(&c);
	r = request_of(&c, '1', uris[ALICE], true);
	c.s.now += 86400 * NSEC_PER_SEC;
	assert_int_equal(ask(&c, &r, &a), XK_PURGED);
	assert_int_equal(resolve(&c, BOB), MIKEY_INVALID_TICKET);
	end(&c);
}

static void a_rekeyed_call_gives_the_keys_that_were_sent_last(void **state)
{
	static const uint8_t tek[16] = "0123456789abcde", salt[14] = "ABCDEFGHIJKLM", spi[] = { 0xaa, 0xbb };
	const struct mikey_payload sp = { .type = MIKEY_SP };
	struct mikey_keys sent = { .count = 0 };
	struct mikey_exchange first;
	struct buf update = { 0 };
	struct err err = { .text = "" };
	struct mikey_transfer t;
	struct xk_request r;
	struct xk_answer a;
	struct call c;

	(void)state;
	begin(&c);
	make_own_ticket(&c, ALICE); /* L: the initiator may supply keys */
	call_with_ticket(&c);
	first = (struct mikey_exchange){ &c.m_init, &c.m_resp };
	mikey_keys_add(
		&sent, MIKEY_TEK_SALT, (struct bytes){ tek, 16 }, (struct bytes){ salt, 14 }, (struct bytes){ spi, 2 });
	t = (struct mikey_transfer){ .mac = c.mac,
		.encr = MIKEY_ENCR_CM_128,
		.csb = 7,
		.at = c.s.now + NSEC_PER_SEC,
		.initiator = name_of(uris[ALICE]),
		.responder = name_of(uris[BOB]),
		.policies = &sp,
		.policy_count = 0,
		.secrets = &c.alice_forked,
		.keys = &sent };
	must(mikey_update_make(&t, &first, &update, &err), &err);
	r = request_of(&c, '1', uris[ALICE], false);
	r.first_offer = buf_bytes(&c.init);
	r.first_answer = buf_bytes(&c.resp);
	r.offer = buf_bytes(&update);
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_int_equal(a.key_count, 2);
	assert_memory_equal(a.keys[0].key, tek, 16);
	assert_memory_equal(a.keys[0].salt, salt, 14);
	update.at[update.len - 1] ^= 1; /* forged: what it says is not believed */
	r.offer = buf_bytes(&update);
	r.request[0] = '2';
	assert_int_equal(ask(&c, &r, &a), XK_NONE);
	assert_keys(&c, &a, 2, true);
	buf_clear(&update);
	end(&c);
}

static void nothing_is_given_that_was_not_stored_and_logged(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	make_request(&c, ALICE);
	c.s.put_fails = true;
	assert_int_equal(
		authority_user(c.s.kms, KEY_MGMT_MIKEY, buf_bytes(&c.request), "a", c.s.now, &c.granted, NULL), -1);
	c.s.put_fails = false;
	c.s.log_fails = true;
	assert_int_equal(
		authority_user(c.s.kms, KEY_MGMT_MIKEY, buf_bytes(&c.request), "a", c.s.now, &c.granted, NULL), -1);
	assert_int_equal(c.granted.len, 0);
	c.s.log_fails = false;
	assert_int_equal(ask_ticket(&c), -1);
	assert_int_equal(scene_last(&c.s)->stored, 2); /* the one that was stored but not logged, and this */
	assert_string_equal(scene_last(&c.s)->act, "ticket");
	assert_string_equal(scene_last(&c.s)->outcome, "given");
	end(&c);
}

static void requests_under_certificates_are_not_supported(void **state)
{
	struct err err;
	struct call c;

	(void)state;
	begin(&c);
	make_request(&c, ALICE);
	c.request.at[1] = MIKEY_REQUEST_INIT_PK;
	assert_int_equal(send_message(&c, buf_bytes(&c.request), &c.granted, &c.m_granted), MIKEY_INVALID_DT);
	assert_string_equal(scene_last(&c.s)->outcome, "not-supported");
	c.request.at[1] = MIKEY_TRANSFER_INIT;
	assert_int_equal(send_message(&c, buf_bytes(&c.request), &c.granted, &c.m_granted), MIKEY_INVALID_DT);
	assert_int_equal(authority_user(c.s.kms, KEY_MGMT_MIKEY, bytes_part(buf_bytes(&c.request), 0, 30), "a", c.s.now,
				 &c.resolved, &err),
		-1);
	assert_int_equal(err.code, EXIT_USAGE);
	assert_int_equal(
		authority_user(c.s.kms, KEY_MGMT_MIKEY, buf_bytes(&c.granted), "a", c.s.now, &c.resolved, NULL), -1);
	assert_int_equal(c.resolved.len, 0);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_of_the_kms_gives_three_sides_the_same_keys),
		cmocka_unit_test(a_ticket_of_its_initiator_does_too),
		cmocka_unit_test(by_identity_the_kms_gives_the_teks_of_a_ticket),
		cmocka_unit_test(an_answer_that_was_not_seen_is_made_up_for_by_what_was_kept),
		cmocka_unit_test(who_a_call_is_diverted_to_must_be_named),
		cmocka_unit_test(each_leg_has_keys_of_its_own),
		cmocka_unit_test(a_ticket_that_is_resolved_over_and_over_is_still_known),
		cmocka_unit_test(a_ticket_that_is_asked_for_over_and_over_is_still_known),
		cmocka_unit_test(who_is_not_who_it_says_gets_nothing),
		cmocka_unit_test(errors_are_signed_where_the_user_is_known),
		cmocka_unit_test(stale_times_and_replays_are_refused),
		cmocka_unit_test(a_wish_is_granted_as_the_kms_would_have_it),
		cmocka_unit_test(keys_are_as_many_and_as_long_as_wished),
		cmocka_unit_test(an_own_ticket_is_under_the_key_of_who_it_names),
		cmocka_unit_test(a_ticket_that_was_changed_does_not_open),
		cmocka_unit_test(initiator_data_of_another_is_refused),
		cmocka_unit_test(messages_forged_in_signalling_change_nothing),
		cmocka_unit_test(a_ticket_of_a_purged_call_is_of_no_use),
		cmocka_unit_test(a_ticket_has_its_time),
		cmocka_unit_test(a_rekeyed_call_gives_the_keys_that_were_sent_last),
		cmocka_unit_test(nothing_is_given_that_was_not_stored_and_logged),
		cmocka_unit_test(requests_under_certificates_are_not_supported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
