/* authority: what a KMS decides of Otway-Rees, and what it gives the LI side. The users' side is made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../support/authority_scene.h"
#include "otway/base/crypto.h"
#include "otway/otway_rees.h"

static const char *const uris[] = { "sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com",
	"sip:dave@example.com" };

/* A run of Otway-Rees, and what its parties know. */
struct run {
	struct scene s;
	uint8_t m[OR_NONCE], na[OR_NONCE], nb[OR_NONCE];
	int a, b, r;
	const char *r_uri, *call_id;
	uint8_t first_suite;
	struct buf offer, request, response, answer;
	struct or_message of_response;
	struct or_sealed for_a, for_r; /* what A and R took out of message 3 */
	bool error_only;
};

static void begin(struct run *x)
{
	memset(x, 0, sizeof(*x));
	scene_begin(&x->s);
	memset(x->m, 0x01, sizeof(x->m));
	memset(x->na, 0x0a, sizeof(x->na));
	memset(x->nb, 0x0b, sizeof(x->nb));
	x->a = ALICE;
	x->b = x->r = BOB;
	x->call_id = "call-1@example.com";
	x->first_suite = 1;
}

static void end(struct run *x)
{
	buf_clear(&x->offer);
	buf_clear(&x->request);
	buf_clear(&x->response);
	buf_clear(&x->answer);
	scene_end(&x->s);
}

static void key_of(const struct run *x, int user, const char *uri, uint8_t key[OR_KEY])
{
	assert_true(or_envelope_key(scene_psk(&x->s, user), (struct bytes){ x->m, OR_NONCE }, bytes_of(uri), key));
}

static struct or_message basis(const struct run *x, enum or_type type)
{
	struct or_message m = { .type = type,
		.m = { x->m, OR_NONCE },
		.a = bytes_of(uris[x->a]),
		.b = bytes_of(uris[x->b]),
		.kms = bytes_of("sip:kms@example.com"),
		.session_count = 2 };

	if (type != OR_OFFER)
		m.r = bytes_of(x->r_uri != NULL ? x->r_uri : uris[x->r]);
	m.sessions[0] =
		(struct or_session){ .cs = 1, .suite_number = x->first_suite, .mki_len = 2, .mki = { 0xbe, 0xef } };
	m.sessions[1] = (struct or_session){ .cs = 2, .suite_number = 6 };
	return m;
}

/* What P is the hash of: the fields of the message as they are written. */
static void hash_policy(struct or_message m, uint8_t p[SHA256_LEN])
{
	static const uint8_t octet[1];
	struct or_message read;
	struct buf out = { 0 };

	m.envelope_a = (struct bytes){ octet, 1 };
	assert_int_equal(or_write(&m, &out, NULL), 0);
	assert_int_equal(or_read(buf_bytes(&out), &read, NULL), 0);
	sha256_of(read.policy_octets, p);
	buf_clear(&out);
}

/* A's offer, by A's key. */
static void make_offer(struct run *x)
{
	struct or_message m = basis(x, OR_OFFER);
	struct or_sealed s = { .type = 1 };
	uint8_t key[OR_KEY];
	struct buf envelope = { 0 };

	key_of(x, x->a, uris[x->a], key);
	hash_policy(m, s.p);
	memcpy(s.nonce, x->na, OR_NONCE);
	assert_true(or_seal(&m, key, &s, &envelope));
	m.envelope_a = buf_bytes(&envelope);
	buf_reset(&x->offer);
	assert_int_equal(or_write(&m, &x->offer, NULL), 0);
	buf_clear(&envelope);
}

/* R's request about the offer, by R's key; `with` is who R really is. */
static void make_request(struct run *x, int with)
{
	struct or_message offer, m = basis(x, OR_REQUEST);
	struct or_sealed s = { .type = 2, .r_len = m.r.len };
	uint8_t key[OR_KEY];
	struct buf envelope = { 0 };

	assert_int_equal(or_read(buf_bytes(&x->offer), &offer, NULL), 0);
	key_of(x, with, x->r_uri != NULL ? x->r_uri : uris[x->r], key);
	memcpy(s.r, m.r.at, m.r.len);
	memcpy(s.nonce, x->nb, OR_NONCE);
	assert_true(or_seal(&m, key, &s, &envelope));
	m.call_id = bytes_of(x->call_id);
	m.envelope_a = offer.envelope_a;
	m.envelope_r = buf_bytes(&envelope);
	buf_reset(&x->request);
	assert_int_equal(or_write(&m, &x->request, NULL), 0);
	buf_clear(&envelope);
}

/* Sends the request; returns the error of message 5, or 0. */
static int send_request(struct run *x)
{
	buf_reset(&x->response);
	assert_int_equal(authority_user(x->s.kms, KEY_MGMT_OTWAY_REES, buf_bytes(&x->request), "bob", x->s.now,
				 &x->response, NULL),
		0);
	assert_int_equal(or_read(buf_bytes(&x->response), &x->of_response, NULL), 0);
	assert_int_equal(x->of_response.m.len, OR_NONCE);
	return x->of_response.type == OR_ERROR ? x->of_response.error : 0;
}

/* Both take their envelope out of message 3; R makes message 4 of it. */
static void take_response(struct run *x)
{
	struct or_message m = x->of_response;
	uint8_t key[OR_KEY];

	assert_int_equal(m.type, OR_RESPONSE);
	key_of(x, x->r, x->r_uri != NULL ? x->r_uri : uris[x->r], key);
	assert_true(or_open(&m, key, 4, m.envelope_r, &x->for_r));
	assert_memory_equal(x->for_r.nonce, x->nb, OR_NONCE);
	key_of(x, x->a, uris[x->a], key);
	assert_true(or_open(&m, key, 3, m.envelope_a, &x->for_a));
	assert_memory_equal(x->for_a.nonce, x->na, OR_NONCE);
	assert_memory_equal(x->for_a.k, x->for_r.k, OR_KEY);
	m.type = OR_ANSWER;
	m.session_count = 1;
	buf_reset(&x->answer);
	assert_int_equal(or_write(&m, &x->answer, NULL), 0);
}

/* All of it, to the keys. */
static void call(struct run *x)
{
	make_offer(x);
	make_request(x, x->r);
	assert_int_equal(send_request(x), 0);
	take_response(x);
}

static int call_refused(struct run *x)
{
	make_offer(x);
	make_request(x, x->r);
	return send_request(x);
}

static struct xk_request request_of(const struct run *x, char number, const char *target, bool messages)
{
	struct xk_request r = scene_request(&x->s, number, KEY_MGMT_OTWAY_REES, target);

	r.answered = bytes_of(x->r_uri != NULL ? x->r_uri : uris[x->r]);
	if (messages) {
		r.offer = buf_bytes(&x->offer);
		r.answer = buf_bytes(&x->answer);
	}
	return r;
}

static enum xk_failure ask(struct run *x, const struct xk_request *r, struct xk_answer *out)
{
	assert_int_equal(authority_keys(x->s.kms, r, "mediation", x->s.now, out, NULL), 0);
	assert_string_equal(out->request, r->request);
	assert_string_equal(scene_last(&x->s)->act, "xk-keys");
	assert_string_equal(scene_last(&x->s)->request, r->request);
	assert_string_equal(
		scene_last(&x->s)->outcome, out->failure == XK_NONE ? "keys" : xk_failure_text(out->failure));
	assert_true((out->failure == XK_NONE) == (out->key_count > 0));
	return out->failure;
}

/* What the LI side gets is what the parties have. */
static void assert_keys(const struct run *x, const uint8_t k[OR_KEY], const struct xk_answer *answer)
{
	struct or_session s[] = { { .cs = 1, .suite = AES_CM_128_HMAC_SHA1_80, .suite_number = 1 },
		{ .cs = 2, .suite = AEAD_AES_256_GCM, .suite_number = 6 } };
	struct srtp_key key;

	assert_int_equal(answer->key_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_true(or_srtp_key(k, (struct bytes){ x->m, OR_NONCE }, &s[i], &key));
		assert_int_equal(answer->keys[i].cs, i + 1);
		assert_int_equal(answer->keys[i].key_len, i == 0 ? 16 : 32);
		assert_int_equal(answer->keys[i].salt_len, i == 0 ? 14 : 12);
		assert_memory_equal(answer->keys[i].key, key.key, answer->keys[i].key_len);
		assert_memory_equal(answer->keys[i].salt, key.salt, answer->keys[i].salt_len);
	}
	assert_int_equal(answer->keys[0].mki_len, 2);
	assert_memory_equal(answer->keys[0].mki, "\xbe\xef", 2);
	assert_int_equal(answer->keys[1].mki_len, 0);
}

static void both_parties_and_the_li_side_have_the_same_keys(void **state)
{
	struct run x;
	struct xk_answer answer;
	struct xk_request r;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	xk_answer_clear(&answer);
	end(&x);
}

static void keys_are_found_by_dialog_and_by_parties(void **state)
{
	struct run x;
	struct xk_answer answer;
	struct xk_request r;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[BOB], false);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	r = request_of(&x, '2', uris[BOB], false);
	r.call_id = bytes_of("the-other-leg-of-a-b2bua");
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	r.from = bytes_of(uris[DAVE]);
	r.request[0] = '3';
	assert_int_equal(ask(&x, &r, &answer), XK_UNKNOWN);
	xk_answer_clear(&answer);
	end(&x);
}

static void nothing_is_given_that_was_not_stored_and_logged(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	make_offer(&x);
	make_request(&x, BOB);
	x.s.put_fails = true;
	assert_int_equal(
		authority_user(x.s.kms, KEY_MGMT_OTWAY_REES, buf_bytes(&x.request), "bob", x.s.now, &x.response, NULL),
		-1);
	assert_int_equal(x.response.len, 0);
	x.s.put_fails = false;
	x.s.log_fails = true;
	assert_int_equal(
		authority_user(x.s.kms, KEY_MGMT_OTWAY_REES, buf_bytes(&x.request), "bob", x.s.now, &x.response, NULL),
		-1);
	assert_int_equal(x.response.len, 0);
	x.s.log_fails = false;
	assert_int_equal(send_request(&x), 0);
	assert_int_equal(scene_last(&x.s)->stored, 1);
	assert_string_equal(scene_last(&x.s)->outcome, "given");
	assert_string_equal(scene_last(&x.s)->peer, "bob");
	end(&x);
}

static void no_key_goes_to_the_li_side_without_a_line_in_the_log(void **state)
{
	struct xk_answer answer, none = { .failure = XK_NONE };
	struct xk_request r;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	x.s.log_fails = true;
	assert_int_equal(authority_keys(x.s.kms, &r, "mediation", x.s.now, &answer, NULL), -1);
	assert_memory_equal(answer.keys, none.keys, sizeof(none.keys));
	x.s.log_fails = false;
	x.s.find_fails = true;
	assert_int_equal(authority_keys(x.s.kms, &r, "mediation", x.s.now, &answer, NULL), -1);
	x.s.find_fails = false;
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_string_equal(scene_last(&x.s)->warrant, "LIID-7");
	assert_string_equal(scene_last(&x.s)->peer, "mediation");
	end(&x);
}

static void a_partner_is_given_keys_of_those_who_are_at_home_with_it(void **state)
{
	char own[] = "example.COM", other[] = "other.example", tail[] = "ample.com", top[] = "com", none[] = "";
	char *homes[] = { own }, *others[] = { other, tail, top, none }, here[] = "mediation", there[] = "elsewhere";
	struct kms_partner partners[] = { { here, others, 4 }, { there, homes, 1 } };
	struct xk_answer answer;
	struct xk_request r;
	struct run x;
	size_t purged, kept;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE); /* of the own network */
	x.s.policy.partners = partners;
	x.s.policy.partner_count = 2;
	r = request_of(&x, '2', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NO_AGREEMENT);
	r.target = bytes_of("sip:alice@other.example"); /* at home there, and no party of it */
	assert_int_equal(ask(&x, &r, &answer), XK_REFUSED);
	r.target = bytes_of("tel:+15550101");
	assert_int_equal(ask(&x, &r, &answer), XK_NO_AGREEMENT);
	r.target = bytes_of("sip:+15550101@other.example;user=phone");
	assert_int_equal(ask(&x, &r, &answer), XK_NO_AGREEMENT);
	kept = scene_kept(&x.s);
	r = request_of(&x, '3', uris[ALICE], true);
	assert_int_equal(authority_ended(x.s.kms, &r, "mediation", x.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 0);
	assert_int_equal(scene_kept(&x.s), kept);
	partners[0].homes = homes;
	partners[0].home_count = 1;
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	xk_answer_clear(&answer);
	x.s.policy.partners = NULL;
	x.s.policy.partner_count = 0;
	end(&x);
}

static void asked_again_it_gives_the_same_key_also_after_a_restart(void **state)
{
	uint8_t k[OR_KEY];
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	memcpy(k, x.for_a.k, OR_KEY);
	scene_restart(&x.s);
	memset(x.nb, 0x0c, sizeof(x.nb)); /* R asks with a nonce of its own again */
	make_request(&x, BOB);
	assert_int_equal(send_request(&x), 0);
	take_response(&x);
	assert_memory_equal(x.for_a.k, k, OR_KEY);
	assert_int_equal(scene_kept(&x.s), 1);
	end(&x);
}

static void each_leg_has_a_key_of_its_own(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	uint8_t k[OR_KEY];
	struct run x;

	(void)state;
	begin(&x);
	scene_answerer(&x.s, BOB, "sip:carol@example.com");
	call(&x);
	memcpy(k, x.for_a.k, OR_KEY);
	r = request_of(&x, '1', uris[ALICE], true);
	x.r = CAROL;
	call(&x);
	assert_memory_not_equal(x.for_a.k, k, OR_KEY);
	r.answer = (struct bytes){ NULL, 0 }; /* no message 4 was seen: signalling says who answered */
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, k, &answer);
	r = request_of(&x, '2', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	r.answer = r.answered = (struct bytes){ NULL, 0 }; /* which of them is not to be told by guessing */
	r.call_id.len = 0;
	r.from.len = 0;
	r.to.len = 0;
	assert_int_equal(ask(&x, &r, &answer), XK_UNKNOWN);
	end(&x);
}

static void who_is_no_user_is_refused(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	x.r_uri = "sip:mallory@example.com";
	make_offer(&x);
	make_request(&x, BOB);
	assert_int_equal(send_request(&x), OR_UNKNOWN_USER);
	assert_string_equal(scene_last(&x.s)->outcome, "unknown-user");
	assert_int_equal(scene_kept(&x.s), 0);
	end(&x);
}

static void a_request_under_another_key_is_refused(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	make_offer(&x);
	make_request(&x, DAVE); /* says it is Bob */
	assert_int_equal(send_request(&x), OR_AUTHENTICATION);
	assert_int_equal(scene_kept(&x.s), 0);
	end(&x);
}

static void an_offer_that_its_caller_did_not_make_is_refused(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	make_offer(&x);
	x.a = DAVE; /* Alice's envelope in an offer that says it is Dave's */
	make_request(&x, BOB);
	assert_int_equal(send_request(&x), OR_AUTHENTICATION);
	x.a = ALICE;
	x.first_suite = 2; /* the policy was changed on the way */
	make_request(&x, BOB);
	assert_int_equal(send_request(&x), OR_AUTHENTICATION);
	end(&x);
}

static void who_a_call_is_diverted_to_must_be_named(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	x.r = CAROL;
	assert_int_equal(call_refused(&x), OR_NOT_AUTHORISED);
	assert_string_equal(scene_last(&x.s)->outcome, "not-authorised");
	scene_answerer(&x.s, CAROL, "sip:bob@example.com"); /* the other way round is nothing */
	assert_int_equal(call_refused(&x), OR_NOT_AUTHORISED);
	scene_answerer(&x.s, BOB, "sips:carol@EXAMPLE.com:5061"); /* another spelling of her */
	call(&x);
	end(&x);
}

static void a_domain_or_the_operator_may_be_named(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	x.r = CAROL;
	scene_answerer(&x.s, BOB, "*@example.org");
	scene_answerer(&x.s, BOB, "*@ple.com");
	scene_answerer(&x.s, BOB, "*@");
	assert_int_equal(call_refused(&x), OR_NOT_AUTHORISED);
	scene_answerer(&x.s, BOB, "*@Example.com");
	call(&x);
	x.r = DAVE;
	x.b = CAROL;
	memset(x.m, 0x02, sizeof(x.m));
	assert_int_equal(call_refused(&x), OR_NOT_AUTHORISED);
	scene_answerer(&x.s, -1, "sip:dave@example.com");
	call(&x);
	end(&x);
}

static void a_run_is_what_it_was(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	scene_answerer(&x.s, -1, "*@example.com");
	call(&x);
	memset(x.na, 0x33, sizeof(x.na)); /* A uses M for another offer */
	assert_int_equal(call_refused(&x), OR_REPLAYED);
	x.r = CAROL;
	assert_int_equal(call_refused(&x), OR_REPLAYED);
	memset(x.na, 0x0a, sizeof(x.na));
	x.b = DAVE;
	assert_int_equal(call_refused(&x), OR_REPLAYED);
	x.b = x.r = BOB;
	call(&x);
	end(&x);
}

static void what_is_no_message_2_is_malformed(void **state)
{
	static const uint8_t zeroes[OR_NONCE];
	struct run x;

	(void)state;
	begin(&x);
	make_offer(&x);
	buf_add(&x.request, x.offer.at, x.offer.len);
	assert_int_equal(send_request(&x), OR_MALFORMED);
	assert_memory_equal(x.of_response.m.at, x.m, OR_NONCE);
	buf_reset(&x.request);
	buf_text(&x.request, "GET /");
	assert_int_equal(send_request(&x), OR_MALFORMED);
	assert_memory_equal(x.of_response.m.at, zeroes, OR_NONCE);
	end(&x);
}

static void a_request_for_another_kms_is_not_ours(void **state)
{
	struct run x;

	(void)state;
	begin(&x);
	x.s.policy.identity[4] = 'x';
	assert_int_equal(call_refused(&x), OR_UNKNOWN_USER);
	end(&x);
}

static void the_li_side_is_refused_what_is_not_of_its_target(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[DAVE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_REFUSED);
	r = request_of(&x, '2', uris[DAVE], false);
	assert_int_equal(ask(&x, &r, &answer), XK_REFUSED);
	r = request_of(&x, '3', uris[ALICE], true);
	r.warrant.len = 0;
	assert_int_equal(ask(&x, &r, &answer), XK_REFUSED);
	r = request_of(&x, '4', uris[ALICE], true);
	r.kms = bytes_of("sip:kms@example.org");
	assert_int_equal(ask(&x, &r, &answer), XK_UNKNOWN);
	end(&x);
}

static void the_diverting_party_may_be_the_target(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x;

	(void)state;
	begin(&x);
	scene_answerer(&x.s, BOB, "sip:carol@example.com");
	x.r = CAROL;
	call(&x);
	for (int user = ALICE; user <= CAROL; user++) {
		r = request_of(&x, (char)('1' + user), uris[user], true);
		assert_int_equal(ask(&x, &r, &answer), XK_NONE);
		assert_keys(&x, x.for_a.k, &answer);
	}
	end(&x);
}

static void messages_forged_in_signalling_change_nothing(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	x.offer.at[4] ^= 0xff; /* names a run that there is not: the dialog tells */
	r = request_of(&x, '1', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	x.offer.at[4] ^= 0xff;
	buf_reset(&x.answer); /* an answer of somebody who never asked */
	buf_text(&x.answer, "forged");
	r = request_of(&x, '2', uris[ALICE], true);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	assert_int_equal(x.s.count, 2); /* the leg, and what request 1 chose */
	end(&x);
}

static void a_message_replayed_from_another_call_does_not_hide_this_one(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x, other;
	struct buf offer = { 0 };

	(void)state;
	begin(&x);
	call(&x);
	buf_add(&offer, x.offer.at, x.offer.len);
	other = x;
	memset(x.m, 0x02, sizeof(x.m));
	x.call_id = "call-2@example.com";
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	r.call_id = bytes_of(x.call_id);
	r.offer = buf_bytes(&offer); /* that of call 1 */
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	r.call_id = bytes_of("as-a-b2bua-calls-it"); /* nothing speaks against the message */
	r.request[0] = '2';
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&other, other.for_a.k, &answer);
	buf_clear(&offer);
	end(&x);
}

/* R says the call has another name, and gives its own to a run that R has with itself. */
static void a_run_that_the_called_has_with_itself_does_not_hide_the_call(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x, decoy;

	(void)state;
	begin(&x);
	x.call_id = "another-name@example.com";
	call(&x);
	decoy = x; /* its KMS is that of x */
	decoy.offer = decoy.request = decoy.response = decoy.answer = (struct buf){ 0 };
	decoy.a = BOB;
	decoy.call_id = "call-1@example.com";
	memset(decoy.m, 0x02, sizeof(decoy.m));
	make_offer(&decoy);
	make_request(&decoy, BOB);
	assert_int_equal(send_request(&decoy), 0);
	r = request_of(&x, '1', uris[BOB], true);
	r.call_id = bytes_of("call-1@example.com");
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	buf_clear(&decoy.offer);
	buf_clear(&decoy.request);
	buf_clear(&decoy.response);
	end(&x);
}

static void what_was_reported_ended_is_purged_for_good(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	size_t purged;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	assert_int_equal(authority_ended(x.s.kms, &r, "mediation", x.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 1);
	assert_string_equal(scene_last(&x.s)->act, "xk-ended");
	assert_string_equal(scene_last(&x.s)->outcome, "purged");
	assert_int_equal(ask(&x, &r, &answer), XK_PURGED);
	r = request_of(&x, '2', uris[ALICE], false);
	assert_int_equal(ask(&x, &r, &answer), XK_PURGED);
	assert_int_equal(send_request(&x), OR_REPLAYED);
	assert_int_equal(authority_ended(x.s.kms, &r, "mediation", x.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 0);
	end(&x);
}

static void the_end_of_a_dialog_ends_every_run_of_it(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	size_t purged;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	memset(x.m, 0x02, sizeof(x.m)); /* re-keyed */
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	assert_int_equal(authority_ended(x.s.kms, &r, "mediation", x.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 2);
	assert_int_equal(ask(&x, &r, &answer), XK_PURGED);
	end(&x);
}

static void a_key_that_nobody_reports_ended_has_its_time(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x;

	(void)state;
	begin(&x);
	call(&x);
	r = request_of(&x, '1', uris[ALICE], true);
	x.s.now += 86400 * NSEC_PER_SEC - 1;
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	x.s.now++;
	assert_int_equal(ask(&x, &r, &answer), XK_PURGED); /* swept or not */
	assert_int_equal(send_request(&x), OR_REPLAYED);
	end(&x);
}

static void a_re_keyed_dialog_gives_the_run_of_its_time(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	uint8_t k[OR_KEY];
	struct run x, first;

	(void)state;
	begin(&x);
	call(&x);
	memcpy(k, x.for_a.k, OR_KEY);
	r = request_of(&x, '1', uris[ALICE], false);
	first = x;
	x.s.now += 60 * NSEC_PER_SEC;
	x.a = BOB; /* the other side begins the second */
	x.b = x.r = ALICE;
	memset(x.m, 0x02, sizeof(x.m));
	call(&x);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&first, k, &answer);
	r.at = x.s.now;
	r.request[0] = '2';
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	end(&x);
}

static void the_same_request_gets_the_same_answer(void **state)
{
	struct xk_answer answer;
	struct xk_request r;
	struct run x, first;
	uint8_t k[OR_KEY];
	size_t purged;

	(void)state;
	begin(&x);
	call(&x);
	memcpy(k, x.for_a.k, OR_KEY);
	r = request_of(&x, '1', uris[ALICE], false);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	first = x;
	memset(x.m, 0x02, sizeof(x.m)); /* at the same moment another run of the same dialog */
	call(&x);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&first, k, &answer);
	r.request[0] = '2';
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&x, x.for_a.k, &answer);
	r.request[0] = '1';
	scene_restart(&x.s);
	assert_int_equal(ask(&x, &r, &answer), XK_NONE);
	assert_keys(&first, k, &answer);
	assert_int_equal(authority_ended(x.s.kms, &r, "mediation", x.s.now, &purged, NULL), 0);
	assert_int_equal(purged, 2);
	assert_int_equal(ask(&x, &r, &answer), XK_PURGED);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parties_and_the_li_side_have_the_same_keys),
		cmocka_unit_test(keys_are_found_by_dialog_and_by_parties),
		cmocka_unit_test(nothing_is_given_that_was_not_stored_and_logged),
		cmocka_unit_test(no_key_goes_to_the_li_side_without_a_line_in_the_log),
		cmocka_unit_test(a_partner_is_given_keys_of_those_who_are_at_home_with_it),
		cmocka_unit_test(asked_again_it_gives_the_same_key_also_after_a_restart),
		cmocka_unit_test(each_leg_has_a_key_of_its_own),
		cmocka_unit_test(who_is_no_user_is_refused),
		cmocka_unit_test(a_request_under_another_key_is_refused),
		cmocka_unit_test(an_offer_that_its_caller_did_not_make_is_refused),
		cmocka_unit_test(who_a_call_is_diverted_to_must_be_named),
		cmocka_unit_test(a_domain_or_the_operator_may_be_named),
		cmocka_unit_test(a_run_is_what_it_was),
		cmocka_unit_test(what_is_no_message_2_is_malformed),
		cmocka_unit_test(a_request_for_another_kms_is_not_ours),
		cmocka_unit_test(the_li_side_is_refused_what_is_not_of_its_target),
		cmocka_unit_test(the_diverting_party_may_be_the_target),
		cmocka_unit_test(messages_forged_in_signalling_change_nothing),
		cmocka_unit_test(a_message_replayed_from_another_call_does_not_hide_this_one),
		cmocka_unit_test(a_run_that_the_called_has_with_itself_does_not_hide_the_call),
		cmocka_unit_test(what_was_reported_ended_is_purged_for_good),
		cmocka_unit_test(the_end_of_a_dialog_ends_every_run_of_it),
		cmocka_unit_test(a_key_that_nobody_reports_ended_has_its_time),
		cmocka_unit_test(a_re_keyed_dialog_gives_the_run_of_its_time),
		cmocka_unit_test(the_same_request_gets_the_same_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
