/* call: keys of KMSs: which exchanges want one, once, of whom it speaks, and what an answer does (RFC 4567, RFC 6043). */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/call_scene.h"
#include "otway/base/text.h"

#define ALICE "10.0.0.1:5060"
#define PROXY "10.0.0.9:5060"
#define BOB   "10.0.0.2:5060"
#define CAROL "10.0.0.3:5060"
#define A     "sip:alice@ims.example"
#define B     "sip:bob@ims.example"
#define C     "sip:carol@ims.example"
#define SAVP  "RTP/SAVP"
#define CM80  "AES_CM_128_HMAC_SHA1_80"

enum { TRANSFER_INIT = 14, TRANSFER_RESP = 15 }; /* RFC 6043 9: the values of the data type */

static struct said plain(struct said m)
{
	if (m.call_id == NULL)
		m.call_id = "one";
	if (m.branch == NULL)
		m.branch = "1";
	if (m.from == NULL)
		m.from = A;
	if (m.from_tag == NULL)
		m.from_tag = "a";
	if (m.to == NULL)
		m.to = B;
	if (m.src == NULL)
		m.src = ALICE;
	if (m.dst == NULL)
		m.dst = BOB;
	return m;
}

#define SAY(...) scene_say(s, &(struct said[]){ plain((struct said){ __VA_ARGS__ }) }[0])
#define BACK     .src = BOB, .dst = ALICE
#define INVITE   .start = "INVITE " B, .method = "INVITE"
#define OK       .start = "200 OK", .method = "INVITE"
#define PROGRESS .start = "183 Session Progress", .method = "INVITE"

static struct scene *begin_scope(void **state, enum warrant_scope scope)
{
	struct scene *s = *state;

	scene_begin(s);
	call_asks(s->call, true);
	scene_warrant(s, B, scope, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	return s;
}

static struct scene *begin(void **state)
{
	return begin_scope(state, SCOPE_ALL);
}

/* "a=key-mgmt:mikey …" of four octets: version 1, the type, and two of its own. */
static const char *mikey(struct scene *s, unsigned int type, unsigned int own)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t a = 1u << 16 | type << 8 | own, b = own << 16;

	return scene_text(s, "a=key-mgmt:mikey %c%c%c%c%c%c==\r\n", digits[a >> 18], digits[a >> 12 & 63],
		digits[a >> 6 & 63], digits[a & 63], digits[b >> 18], digits[b >> 12 & 63]);
}

static const char *alice(struct scene *s, const char *lines)
{
	return scene_sdp(s, "10.0.0.1", 4000, SAVP, lines);
}

static const char *bob(struct scene *s, const char *lines)
{
	return scene_sdp(s, "10.0.0.2", 5000, SAVP, lines);
}

/* The n-th wanted key, from 0; NULL: there is none. */
static const struct key_wanted *wanted(const struct scene *s, size_t n)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->heard[i].step.kind == STEP_KEY_WANTED && n-- == 0)
			return s->heard[i].step.wanted;
	return NULL;
}

static size_t wants(const struct scene *s)
{
	return scene_steps(s, STEP_KEY_WANTED, 1);
}

static void assert_bytes(struct bytes b, const char *text)
{
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.at, text, b.len);
}

/* Version, type and own octets of a message of mikey(). */
static void assert_token(struct bytes b, unsigned int type, unsigned int own)
{
	assert_int_equal(b.len, 4);
	assert_int_equal(b.at[0], 1);
	assert_int_equal(b.at[1], type);
	assert_int_equal(b.at[2], own);
	assert_int_equal(b.at[3], own);
}

static void set_up(struct scene *s)
{
	SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	SAY(.ms = 910, .start = "ACK " B, .method = "ACK", .branch = "2", .to_tag = "b");
}

static struct key_given key_of(uint8_t first)
{
	struct key_given k = { .line = UINT32_MAX };

	k.key.suite = AES_CM_128_HMAC_SHA1_80;
	for (size_t i = 0; i < 16; i++)
		k.key.key[i] = (uint8_t)(first + i);
	for (size_t i = 0; i < 14; i++)
		k.key.salt[i] = (uint8_t)(first + 16 + i);
	return k;
}

/* An answer to the n-th wanted key: one key that begins with `first`, or a reason. What it brings is not heard yet. */
static void give(struct scene *s, size_t n, uint8_t first, enum seal_reason reason)
{
	struct key_answer a = { .number = wanted(s, n)->number, .request = "0123456789abcdef0123456789abcdef" };

	a.call = 1;
	a.reason = reason;
	a.at = SCENE_T0 + NSEC_PER_SEC;
	a.tried_count = 1;
	a.tried[0] = (struct kms_tried){ .origin = KMS_CONVENTION, .kms = "sip:kms@ims.example", .outcome = reason };
	if (reason == SEAL_NONE)
		a.keys[a.key_count++] = key_of(first);
	call_key_answer(s->call, &a);
}

static void answer(struct scene *s, size_t n, uint8_t first, enum seal_reason reason)
{
	give(s, n, first, reason);
	scene_hear(s);
}

static void an_exchange_wants_its_key_and_says_of_whom(void **state)
{
	struct scene *s = begin(state);
	const struct key_wanted *w;

	set_up(s);
	assert_int_equal(wants(s), 1);
	w = wanted(s, 0);
	assert_int_equal(w->protocol, KEY_MGMT_MIKEY);
	assert_int_equal(w->call, 1);
	assert_int_equal(w->line, 0);
	assert_int_equal(w->warrant, 1);
	assert_int_equal(w->at, SCENE_T0 + 900 * (NSEC_PER_SEC / 1000));
	assert_token(w->offer, TRANSFER_INIT, 1);
	assert_token(w->answer, TRANSFER_RESP, 2);
	assert_int_equal(w->first_offer.len, 0);
	assert_bytes(w->target, B);
	assert_int_equal(w->target_sip.len, 0);
	assert_bytes(w->from, A);
	assert_bytes(w->to, B);
	assert_bytes(w->answered, B);
	assert_bytes(w->call_id, "one");
	assert_bytes(w->from_tag, "a");
	assert_bytes(w->to_tag, "b");
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->waiting);
	scene_end(s);
}

static void who_cannot_ask_wants_nothing_and_does_not_wait(void **state)
{
	struct scene *s = begin(state);

	call_asks(s->call, false);
	set_up(s);
	assert_int_equal(wants(s), 0);
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	scene_end(s);
}

static void repeated_and_on_both_sides_of_a_proxy_it_is_wanted_once(void **state)
{
	struct scene *s = begin(state);
	const char *offer = alice(s, mikey(s, TRANSFER_INIT, 1)), *taken = bob(s, mikey(s, TRANSFER_RESP, 2));

	SAY(.ms = 0, INVITE, .dst = PROXY, .body = offer);
	SAY(.ms = 1, INVITE, .src = PROXY, .branch = "p", .body = offer);
	SAY(.ms = 500, INVITE, .dst = PROXY, .body = offer);
	SAY(.ms = 800, .start = "183 Session Progress", .method = "INVITE", .src = BOB, .dst = PROXY, .branch = "p",
		.to_tag = "b", .body = taken);
	SAY(.ms = 801, PROGRESS, .src = PROXY, .dst = ALICE, .to_tag = "b", .body = taken);
	SAY(.ms = 900, OK, .src = BOB, .dst = PROXY, .branch = "p", .to_tag = "b", .body = taken);
	SAY(.ms = 901, OK, .src = PROXY, .dst = ALICE, .to_tag = "b", .body = taken);
	SAY(.ms = 1400, OK, .src = PROXY, .dst = ALICE, .to_tag = "b", .body = taken);
	assert_int_equal(wants(s), 1);
	scene_end(s);
}

static void messages_that_carry_their_keys_themselves_are_no_kms_tickets(void **state)
{
	for (unsigned int type = 0; type <= 10; type++) {
		struct scene *s = begin(state);

		SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, type, 1)));
		SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, type == 0 ? 1 : type, 2)));
		assert_int_equal(wants(s), 0);
		assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
		assert_true(scene_place(s, 1, "10.0.0.1:4000")->mikey);
		scene_end(s);
	}
}

static void what_is_no_base64_is_no_message(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, "a=key-mgmt:mikey A*Q\r\n"));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, "a=key-mgmt:mikey\r\n"));
	assert_int_equal(wants(s), 0);
	scene_end(s);
}

static void otway_rees_is_told_apart_and_white_space_does_no_harm(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, "a=key-mgmt:otway-rees AQID BAUG\tBw==\r\n"));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, "a=key-mgmt: otway-rees  CAkK\r\n"));
	assert_int_equal(wants(s), 1);
	assert_int_equal(wanted(s, 0)->protocol, KEY_MGMT_OTWAY_REES);
	assert_bytes(wanted(s, 0)->offer, "\1\2\3\4\5\6\7");
	assert_bytes(wanted(s, 0)->answer, "\10\11\12");
	scene_end(s);
}

static void of_two_protocols_offered_the_answered_one_counts(void **state)
{
	struct scene *s = begin(state);
	const char *offer = scene_text(s, "%sa=key-mgmt:otway-rees AQIDBAUGBw==\r\n", mikey(s, TRANSFER_INIT, 1));

	SAY(.ms = 0, INVITE, .body = alice(s, offer));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, "a=key-mgmt:otway-rees CAkK\r\n"));
	assert_int_equal(wants(s), 1);
	assert_int_equal(wanted(s, 0)->protocol, KEY_MGMT_OTWAY_REES);
	scene_end(s);
}

static void each_forked_answer_wants_its_own_early_media_too(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 500, BACK, PROGRESS, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	assert_int_equal(wants(s), 1);
	SAY(.ms = 600, PROGRESS, .src = CAROL, .dst = ALICE, .to_tag = "c",
		.body = scene_sdp(s, "10.0.0.3", 6000, SAVP, mikey(s, TRANSFER_RESP, 3)));
	SAY(.ms = 900, OK, .src = CAROL, .dst = ALICE, .to_tag = "c",
		.body = scene_sdp(s, "10.0.0.3", 6000, SAVP, mikey(s, TRANSFER_RESP, 3)));
	assert_int_equal(wants(s), 2);
	assert_bytes(wanted(s, 1)->to_tag, "c");
	assert_token(wanted(s, 1)->offer, TRANSFER_INIT, 1);
	assert_token(wanted(s, 1)->answer, TRANSFER_RESP, 3);
	scene_end(s);
}

static void an_offer_in_the_200_is_answered_in_the_ack(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE);
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_INIT, 1)));
	assert_int_equal(wants(s), 0);
	SAY(.ms = 910, .start = "ACK " B, .method = "ACK", .branch = "2", .to_tag = "b",
		.body = alice(s, mikey(s, TRANSFER_RESP, 2)));
	assert_int_equal(wants(s), 1);
	assert_token(wanted(s, 0)->offer, TRANSFER_INIT, 1);
	assert_token(wanted(s, 0)->answer, TRANSFER_RESP, 2);
	scene_end(s);
}

static void a_change_of_keys_refers_to_the_first_exchange(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	/* Bob changes keys; Alice refreshes the session as it is. */
	SAY(.ms = 5000, .src = BOB, .dst = ALICE, .start = "UPDATE " A, .method = "UPDATE", .branch = "u", .from = B,
		.from_tag = "b", .to = A, .to_tag = "a", .body = bob(s, mikey(s, TRANSFER_INIT, 3)));
	SAY(.ms = 5100, .start = "200 OK", .method = "UPDATE", .branch = "u", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .body = alice(s, mikey(s, TRANSFER_RESP, 4)));
	assert_int_equal(wants(s), 2);
	assert_token(wanted(s, 1)->offer, TRANSFER_INIT, 3);
	assert_token(wanted(s, 1)->first_offer, TRANSFER_INIT, 1);
	assert_token(wanted(s, 1)->first_answer, TRANSFER_RESP, 2);
	assert_bytes(wanted(s, 1)->from_tag, "a");
	assert_bytes(wanted(s, 1)->to_tag, "b");
	SAY(.ms = 6000, INVITE, .branch = "r", .cseq = 2, .to_tag = "b", .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 6100, BACK, OK, .branch = "r", .cseq = 2, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	assert_int_equal(wants(s), 2);
	scene_end(s);
}

static void a_silent_answer_wants_by_the_offer_alone_once_it_is_final(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 500, BACK, PROGRESS, .to_tag = "b", .body = bob(s, NULL));
	assert_int_equal(wants(s), 0);
	SAY(.ms = 900, BACK, OK, .to_tag = "b");
	assert_int_equal(wants(s), 1);
	assert_token(wanted(s, 0)->offer, TRANSFER_INIT, 1);
	assert_int_equal(wanted(s, 0)->answer.len, 0);
	scene_end(s);
}

static void an_answer_that_chose_a_crypto_line_needs_no_kms(void **state)
{
	struct scene *s = begin(state);
	const char *offer = scene_text(s, "%s%s", mikey(s, TRANSFER_INIT, 1), scene_crypto(s, 1, CM80, 0x10));

	SAY(.ms = 0, INVITE, .body = alice(s, offer));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, scene_crypto(s, 1, CM80, 0x20)));
	assert_int_equal(wants(s), 0);
	assert_non_null(scene_key(s, 1, 0x10, true));
	assert_non_null(scene_key(s, 1, 0x20, true));
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	scene_end(s);
}

static void a_token_of_the_session_is_for_all_its_encrypted_lines(void **state)
{
	struct scene *s = begin(state);
	const char *token = mikey(s, TRANSFER_INIT, 1);

	SAY(.ms = 0, INVITE,
		.body = scene_text(s,
			"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n%s"
			"m=audio 4000 RTP/SAVP 0\r\nm=video 4002 RTP/SAVP 96\r\nm=audio 4004 RTP/AVP 0\r\n",
			token));
	SAY(.ms = 900, BACK, OK, .to_tag = "b",
		.body = scene_text(s,
			"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n%s"
			"m=audio 5000 RTP/SAVP 0\r\nm=video 5002 RTP/SAVP 96\r\nm=audio 5004 RTP/AVP 0\r\n",
			mikey(s, TRANSFER_RESP, 2)));
	assert_int_equal(wants(s), 1);
	assert_int_equal(wanted(s, 0)->line, UINT32_MAX);
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	assert_true(scene_place(s, 1, "10.0.0.1:4002")->waiting);
	assert_false(scene_place(s, 1, "10.0.0.1:4004")->waiting);
	scene_end(s);
}

static void a_warrant_on_signalling_alone_asks_nobody(void **state)
{
	struct scene *s = begin_scope(state, SCOPE_IRI);

	set_up(s);
	assert_int_equal(wants(s), 0);
	scene_end(s);
}

static void a_warrant_asks_when_it_comes_into_force(void **state)
{
	struct scene *s = begin_scope(state, SCOPE_IRI);

	scene_warrant(s, A, SCOPE_CC, DIVERTED_CONTENT, 3000, INT_MAX);
	set_up(s);
	SAY(.ms = 2000, .start = "INFO " B, .method = "INFO", .cseq = 2, .branch = "i", .to_tag = "b");
	assert_int_equal(wants(s), 0);
	SAY(.ms = 3500, .start = "INVITE " B, .method = "INVITE", .cseq = 3, .branch = "j", .to_tag = "b",
		.more = "P-Asserted-Identity: <" A ">\r\n");
	assert_int_equal(wants(s), 1);
	assert_int_equal(wanted(s, 0)->warrant, 2);
	assert_bytes(wanted(s, 0)->target, A);
	scene_end(s);
}

static void a_call_met_in_its_midst_wants_with_what_is_there(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .to_tag = "b", .cseq = 7, .body = alice(s, mikey(s, TRANSFER_INIT, 5)));
	SAY(.ms = 100, BACK, OK, .to_tag = "b", .cseq = 7, .body = bob(s, mikey(s, TRANSFER_RESP, 6)));
	assert_int_equal(wants(s), 1);
	assert_token(wanted(s, 0)->answer, TRANSFER_RESP, 6);
	assert_int_equal(wanted(s, 0)->first_offer.len, 0);
	scene_end(s);
	s = begin(state);
	SAY(.ms = 100, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 6)));
	assert_int_equal(wants(s), 1);
	assert_int_equal(wanted(s, 0)->offer.len, 0);
	assert_token(wanted(s, 0)->answer, TRANSFER_RESP, 6);
	scene_end(s);
}

static void of_a_diverted_call_it_is_who_answered(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 10, .start = "INVITE " C ";cause=486", .method = "INVITE", .branch = "d", .src = PROXY, .dst = CAROL,
		.more = "History-Info: <" B ">;index=1, <" C ";cause=486>;index=1.1;mp=1\r\n",
		.body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 900, OK, .src = CAROL, .dst = PROXY, .branch = "d", .to_tag = "c",
		.body = scene_sdp(s, "10.0.0.3", 6000, SAVP, mikey(s, TRANSFER_RESP, 3)));
	assert_int_equal(wants(s), 1);
	assert_bytes(wanted(s, 0)->answered, C);
	assert_bytes(wanted(s, 0)->to, B);
	assert_bytes(wanted(s, 0)->target, B);
	scene_end(s);
}

static void who_answers_may_name_itself(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .more = "P-Asserted-Identity: <sip:bobs-desk@ims.example>\r\n",
		.body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	assert_bytes(wanted(s, 0)->answered, "sip:bobs-desk@ims.example");
	scene_end(s);
}

static void a_number_goes_with_the_sip_uri_asserted_beside_it(void **state)
{
	struct scene *s = *state;

	scene_begin(s);
	call_asks(s->call, true);
	scene_warrant(s, "tel:+15550100", SCOPE_ALL, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	SAY(.ms = 0, INVITE, .more = "P-Asserted-Identity: <tel:+15550100>, <" A ">\r\n",
		.body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	assert_bytes(wanted(s, 0)->target, "tel:+15550100");
	assert_bytes(wanted(s, 0)->target_sip, A);
	scene_end(s);
}

static void an_answer_gives_its_keys_and_the_wait_is_over(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	answer(s, 0, 0x40, SEAL_NONE);
	assert_non_null(scene_key(s, 1, 0x40, true));
	assert_int_equal(scene_key(s, 1, 0x40, true)->key.source, KEY_KMS);
	assert_int_equal(scene_key(s, 1, 0x40, true)->line, 0);
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4000")->refusal, SEAL_NONE);
	scene_end(s);
}

static void a_refusal_is_told_with_its_reason(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	answer(s, 0, 0, SEAL_KEY_PURGED);
	assert_int_equal(scene_steps(s, STEP_KEY, 1), 0);
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4000")->refusal, SEAL_KEY_PURGED);
	scene_end(s);
}

static void a_key_forged_beside_a_ticket_is_not_used_and_is_told(void **state)
{
	struct scene *s = begin(state);
	const char *offer = scene_text(s, "%s%s", mikey(s, TRANSFER_INIT, 1), scene_crypto(s, 1, CM80, 0x10));
	const char *taken = scene_text(s, "%s%s", mikey(s, TRANSFER_RESP, 2), scene_crypto(s, 1, CM80, 0x20));

	SAY(.ms = 0, INVITE, .body = alice(s, offer));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, taken));
	assert_int_equal(wants(s), 1);
	answer(s, 0, 0x40, SEAL_NONE);
	assert_int_equal(scene_steps(s, STEP_KEY, 1), 1);
	assert_non_null(scene_key(s, 1, 0x40, true));
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4000")->refusal, SEAL_KEY_MISMATCH);
	scene_end(s);
}

/* What the call says of its keys now. */
static const struct call_kms *facts_now(struct scene *s, int ms, size_t *count)
{
	const struct call_kms *kms = NULL;
	const struct step *step;

	call_end(s->call, SCENE_T0 + ms * (NSEC_PER_SEC / 1000));
	while (call_next(s->call, &step)) {
		if (step->kind != STEP_RECORD || step->record.kind != RECORD_CALL)
			continue;
		*count = step->record.facts.kms_count;
		kms = step->record.facts.kms;
		break;
	}
	return kms;
}

static void what_became_of_it_is_a_fact_of_the_call(void **state)
{
	struct scene *s = begin(state);
	struct key_answer a = { .request = "0123456789abcdef0123456789abcdef", .at = SCENE_T0, .mismatch = true };
	const struct call_kms *kms;
	size_t count = 0;

	set_up(s);
	a.number = wanted(s, 0)->number;
	a.reason = SEAL_KMS_NO_AGREEMENT;
	a.tried_count = 1;
	a.tried[0] = (struct kms_tried){ KMS_SIGNALLED, "sip:kms@evil.example", SEAL_KMS_NO_AGREEMENT };
	call_key_answer(s->call, &a);
	kms = facts_now(s, 2000, &count);
	assert_int_equal(count, 1);
	assert_string_equal(kms->protocol, "mikey");
	assert_string_equal(kms->request, a.request);
	assert_string_equal(kms->outcome, "kms-no-agreement");
	assert_true(kms->mismatch);
	assert_int_equal(kms->tried_count, 1);
	assert_string_equal(kms->tried[0].kms, "sip:kms@evil.example");
	assert_string_equal(kms->tried[0].by, "signalled");
	scene_end(s);
}

static void a_stranger_number_or_a_second_answer_changes_nothing(void **state)
{
	struct scene *s = begin(state);
	struct key_answer a = { .number = 77 };

	set_up(s);
	call_key_answer(s->call, &a);
	answer(s, 0, 0x40, SEAL_NONE);
	answer(s, 0, 0x50, SEAL_NONE);
	answer(s, 0, 0, SEAL_KMS_REFUSED);
	assert_null(scene_key(s, 1, 0x50, true));
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4000")->refusal, SEAL_NONE);
	scene_end(s);
}

static void hang_up(struct scene *s, int ms)
{
	SAY(.ms = ms, .start = "BYE " B, .method = "BYE", .cseq = 9, .branch = "z", .to_tag = "b");
	SAY(.ms = ms + 10, BACK, .start = "200 OK", .method = "BYE", .cseq = 9, .branch = "z", .to_tag = "b");
}

static void a_call_that_is_over_is_told_once_nothing_is_wanted_any_more(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	hang_up(s, 5000);
	scene_time(s, 20000);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 0);
	scene_time(s, 60000); /* 55 s after: it is still waited for */
	answer(s, 0, 0x40, SEAL_NONE);
	assert_non_null(scene_key(s, 1, 0x40, true));
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 1);
	scene_time(s, 120000);
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 1);
	scene_end(s);
}

static void a_call_whose_keys_are_there_is_over_with_its_end(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	answer(s, 0, 0x40, SEAL_NONE);
	hang_up(s, 5000);
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 1);
	scene_time(s, 100000);
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 1);
	scene_end(s);
}

static void a_kms_that_signalling_names_is_told(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, INVITE, .more = "X-KMS: <sip:kms@visited.example>\r\n",
		.body = alice(s, mikey(s, TRANSFER_INIT, 1)));
	SAY(.ms = 900, BACK, OK, .to_tag = "b", .body = bob(s, mikey(s, TRANSFER_RESP, 2)));
	assert_bytes(wanted(s, 0)->signalled, "sip:kms@visited.example");
	scene_end(s);
}

/* A re-INVITE with keys of its own, and its answer. */
static void change_keys(struct scene *s, unsigned int i)
{
	const char *branch = scene_text(s, "f%u", i), *nonce = scene_text(s, "%05u", i);
	char base64[16];
	uint8_t token[8] = { 1, TRANSFER_INIT };

	memcpy(token + 2, nonce, 5);
	text_base64((struct bytes){ token, sizeof(token) }, base64);
	SAY(.ms = (int)(1000 + 10 * i), INVITE, .branch = branch, .cseq = 2 + i, .to_tag = "b",
		.body = alice(s, scene_text(s, "a=key-mgmt:mikey %s\r\n", base64)));
	token[1] = TRANSFER_RESP;
	text_base64((struct bytes){ token, sizeof(token) }, base64);
	SAY(.ms = (int)(1005 + 10 * i), BACK, OK, .branch = branch, .cseq = 2 + i, .to_tag = "b",
		.body = bob(s, scene_text(s, "a=key-mgmt:mikey %s\r\n", base64)));
	while (s->text_count > 0)
		free(s->texts[--s->text_count]);
}

static void however_often_keys_change_each_is_wanted_and_answered(void **state)
{
	struct scene *s = begin(state);
	size_t count = 0, asked = 0;
	const struct call_kms *kms;

	set_up(s);
	answer(s, 0, 0x40, SEAL_NONE);
	for (unsigned int i = 1; i <= 200; i++) {
		change_keys(s, i);
		assert_int_equal(wants(s), i + 1);
		assert_token(wanted(s, i)->first_offer, TRANSFER_INIT, 1);
		assert_token(wanted(s, i)->first_answer, TRANSFER_RESP, 2);
		answer(s, i, (uint8_t)i, i % 3 == 0 ? SEAL_KMS_REFUSED : SEAL_NONE);
		assert_int_equal(
			scene_place(s, 1, "10.0.0.1:4000")->refusal, i % 3 == 0 ? SEAL_KMS_REFUSED : SEAL_NONE);
		assert_false(scene_place(s, 1, "10.0.0.1:4000")->waiting);
	}
	assert_non_null(scene_key(s, 1, 200, true));
	change_keys(s, 201);
	give(s, 201, 201, SEAL_KMS_REFUSED);
	kms = facts_now(s, 4000, &count);
	assert_int_equal(count, 202);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(kms[i].request, "0123456789abcdef0123456789abcdef");
		assert_string_equal(kms[i].outcome, i > 0 && i % 3 == 0 ? "kms-refused" : "keys");
		assert_string_equal(kms[i].tried[0].kms, "sip:kms@ims.example");
		asked += kms[i].tried_count;
	}
	assert_int_equal(asked, 202);
	scene_end(s);
}

static void of_very_many_changes_it_is_told_how_many_are_left_out(void **state)
{
	struct scene *s = begin(state);
	const struct step *step;
	size_t told = 0, left_out = 0;

	set_up(s);
	answer(s, 0, 0x40, SEAL_NONE);
	for (unsigned int i = 1; i <= 299; i++) {
		scene_hear(s);
		change_keys(s, i);
		give(s, i, (uint8_t)i, SEAL_NONE);
	}
	assert_int_equal(wants(s), 300);
	while (call_next(s->call, &step)) {
		if (step->kind != STEP_RECORD || step->record.kind != RECORD_CALL)
			continue;
		told = step->record.facts.kms_count;
		left_out = step->record.facts.kms_left_out;
	}
	assert_int_equal(told, 256);
	assert_int_equal(left_out, 300 - 256);
	scene_end(s);
}

static void of_changes_that_nobody_answers_so_many_wait_at_once(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	for (unsigned int i = 1; i <= 300; i++)
		change_keys(s, i);
	assert_int_equal(wants(s), 256);
	answer(s, 1, 0x40, SEAL_NONE); /* which makes room */
	change_keys(s, 301);
	assert_int_equal(wants(s), 257);
	scene_end(s);
}

static void when_the_warrant_goes_its_keys_go_and_another_asks_anew(void **state)
{
	struct scene *s = begin(state);
	struct warrant_set none = { 0 };

	set_up(s);
	answer(s, 0, 0x40, SEAL_NONE);
	call_targets(s->call, &none);
	scene_time(s, 10000);
	assert_int_equal(scene_steps(s, STEP_OVER, 1), 1);
	assert_int_equal(scene_steps(s, STEP_KEY, 1), 1);
	call_targets(s->call, &s->set);
	scene_time(s, 12000);
	assert_int_equal(scene_steps(s, STEP_KEY, 1), 1); /* the key of before is gone */
	assert_int_equal(wants(s), 2);
	assert_true(wanted(s, 1)->number > wanted(s, 0)->number);
	assert_token(wanted(s, 1)->answer, TRANSFER_RESP, 2);
	answer(s, 1, 0x40, SEAL_NONE);
	assert_int_equal(scene_steps(s, STEP_KEY, 1), 2);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	scene_end(s);
}

static int open_scene(void **state)
{
	*state = calloc(1, sizeof(struct scene));
	return *state == NULL;
}

static int close_scene(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_wants_its_key_and_says_of_whom),
		cmocka_unit_test(who_cannot_ask_wants_nothing_and_does_not_wait),
		cmocka_unit_test(repeated_and_on_both_sides_of_a_proxy_it_is_wanted_once),
		cmocka_unit_test(messages_that_carry_their_keys_themselves_are_no_kms_tickets),
		cmocka_unit_test(what_is_no_base64_is_no_message),
		cmocka_unit_test(otway_rees_is_told_apart_and_white_space_does_no_harm),
		cmocka_unit_test(of_two_protocols_offered_the_answered_one_counts),
		cmocka_unit_test(each_forked_answer_wants_its_own_early_media_too),
		cmocka_unit_test(an_offer_in_the_200_is_answered_in_the_ack),
		cmocka_unit_test(a_change_of_keys_refers_to_the_first_exchange),
		cmocka_unit_test(a_silent_answer_wants_by_the_offer_alone_once_it_is_final),
		cmocka_unit_test(an_answer_that_chose_a_crypto_line_needs_no_kms),
		cmocka_unit_test(a_token_of_the_session_is_for_all_its_encrypted_lines),
		cmocka_unit_test(a_warrant_on_signalling_alone_asks_nobody),
		cmocka_unit_test(a_warrant_asks_when_it_comes_into_force),
		cmocka_unit_test(a_call_met_in_its_midst_wants_with_what_is_there),
		cmocka_unit_test(of_a_diverted_call_it_is_who_answered),
		cmocka_unit_test(who_answers_may_name_itself),
		cmocka_unit_test(a_number_goes_with_the_sip_uri_asserted_beside_it),
		cmocka_unit_test(an_answer_gives_its_keys_and_the_wait_is_over),
		cmocka_unit_test(a_refusal_is_told_with_its_reason),
		cmocka_unit_test(a_key_forged_beside_a_ticket_is_not_used_and_is_told),
		cmocka_unit_test(what_became_of_it_is_a_fact_of_the_call),
		cmocka_unit_test(a_stranger_number_or_a_second_answer_changes_nothing),
		cmocka_unit_test(a_call_that_is_over_is_told_once_nothing_is_wanted_any_more),
		cmocka_unit_test(a_call_whose_keys_are_there_is_over_with_its_end),
		cmocka_unit_test(a_kms_that_signalling_names_is_told),
		cmocka_unit_test(however_often_keys_change_each_is_wanted_and_answered),
		cmocka_unit_test(of_very_many_changes_it_is_told_how_many_are_left_out),
		cmocka_unit_test(of_changes_that_nobody_answers_so_many_wait_at_once),
		cmocka_unit_test(when_the_warrant_goes_its_keys_go_and_another_asks_anew),
	};

	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
