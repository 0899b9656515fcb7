/* call: offers and answers, wherever they stand: where media flows, under which keys, seen from which side. */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/call_scene.h"

#define ALICE "10.0.0.1:5060"
#define PROXY "10.0.0.9:5060"
#define BOB   "10.0.0.2:5060"
#define CAROL "10.0.0.3:5060"
#define A     "sip:alice@ims.example"
#define B     "sip:bob@ims.example"
#define SAVP  "RTP/SAVP"
#define AVP   "RTP/AVP"
#define CM80  "AES_CM_128_HMAC_SHA1_80"
#define CM32  "AES_CM_128_HMAC_SHA1_32"
#define GCM   "AEAD_AES_256_GCM"

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

static struct scene *begin(void **state)
{
	struct scene *s = *state;

	scene_begin(s);
	scene_warrant(s, B, SCOPE_ALL, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	return s;
}

/* Alice at 10.0.0.1:4000 under a key of 0x10, Bob at 10.0.0.2:5000 under one of 0x20. */
static const char *alice(struct scene *s)
{
	return scene_sdp(s, "10.0.0.1", 4000, SAVP, scene_crypto(s, 1, CM80, 0x10));
}

static const char *bob(struct scene *s)
{
	return scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, CM80, 0x20));
}

static void set_up(struct scene *s)
{
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 910, .start = "ACK " B, .method = "ACK", .branch = "2", .to_tag = "b");
}

static void assert_key(const struct scene *s, uint8_t first, bool chosen, enum toward toward, const char *sender)
{
	const struct key_given *k = scene_key(s, 1, first, chosen);
	char text[ADDR_TEXT];

	assert_non_null(k);
	assert_int_equal(k->toward, toward);
	assert_string_equal(addr_text(&k->sender, text), sender);
	assert_int_equal(k->key.source, KEY_SDES);
}

static void an_offer_opens_its_place_and_gives_its_keys_at_once(void **state)
{
	struct scene *s = begin(state);
	const struct place *p;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	p = scene_place(s, 1, "10.0.0.1:4000");
	assert_non_null(p);
	assert_int_equal(p->toward, TOWARD_CALLER);
	assert_int_equal(p->rtcp.port, 4001);
	assert_false(p->answered);
	assert_true(p->secure);
	assert_string_equal(p->kind, "audio");
	assert_string_equal(p->profile, SAVP);
	assert_int_equal(p->format_count, 2);
	assert_key(s, 0x10, false, TOWARD_CALLEE, "10.0.0.1:4000");
	scene_end(s);
}

static void an_answer_chooses_the_keys_of_both_directions(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->answered);
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->answered);
	assert_int_equal(scene_place(s, 1, "10.0.0.2:5000")->toward, TOWARD_CALLEE);
	assert_key(s, 0x10, true, TOWARD_CALLEE, "10.0.0.1:4000");
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	scene_end(s);
}

static void a_cover_is_said_before_the_first_place(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	for (size_t i = 0; i < s->count; i++) {
		assert_int_not_equal(s->heard[i].step.kind, STEP_PLACE);
		assert_int_not_equal(s->heard[i].step.kind, STEP_KEY);
		if (s->heard[i].step.kind == STEP_COVER)
			break;
	}
	assert_int_equal(scene_steps(s, STEP_COVER, 1), 1);
	scene_end(s);
}

static void early_media_has_its_key_with_the_session_progress(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 100, BACK, .start = "183 Session Progress", .method = "INVITE", .to_tag = "b", .body = bob(s));
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	/* Another fork may still answer, so not every key of what goes to Alice is known. */
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->answered);
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->answered);
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->answered);
	scene_end(s);
}

static void the_answer_may_come_with_ringing_or_only_at_the_end(void **state)
{
	static const char *const answers[] = { "180 Ringing", "183 Session Progress", "200 OK" };

	for (size_t i = 0; i < 3; i++) {
		struct scene *s = begin(state);

		SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
		SAY(.ms = 900, BACK, .start = answers[i], .method = "INVITE", .to_tag = "b", .body = bob(s));
		assert_non_null(scene_place(s, 1, "10.0.0.2:5000"));
		assert_non_null(scene_key(s, 1, 0x20, true));
		scene_end(s);
	}
}

static void the_tag_of_the_answer_chooses_among_suites(void **state)
{
	struct scene *s = begin(state);
	const char *lines = scene_text(s, "%s%s%s%s", scene_crypto(s, 1, CM80, 0x10), scene_crypto(s, 2, CM32, 0x11),
		scene_crypto(s, 3, GCM, 0x12), scene_crypto(s, 4, CM80, 0x13));

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = scene_sdp(s, "10.0.0.1", 4000, SAVP, lines));
	for (uint8_t first = 0x10; first <= 0x13; first++)
		assert_non_null(scene_key(s, 1, first, false));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 4, CM80, 0x20)));
	assert_non_null(scene_key(s, 1, 0x13, true));
	assert_null(scene_key(s, 1, 0x10, true));
	assert_int_equal(scene_key(s, 1, 0x20, true)->key.suite, AES_CM_128_HMAC_SHA1_80);
	scene_end(s);
}

static uint64_t count_of(const struct scene *s, const char *name)
{
	struct counter counts[16];
	size_t n = call_counts(s->call, counts, 16);

	for (size_t i = 0; i < n; i++)
		if (strcmp(counts[i].name, name) == 0)
			return counts[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void where_tag_and_suite_disagree_the_suite_decides(void **state)
{
	struct scene *s = begin(state);
	const char *lines = scene_text(s, "%s%s%s", scene_crypto(s, 1, CM80, 0x10), scene_crypto(s, 2, CM32, 0x11),
		scene_crypto(s, 3, GCM, 0x12));

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = scene_sdp(s, "10.0.0.1", 4000, SAVP, lines));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, GCM, 0x20)));
	assert_non_null(scene_key(s, 1, 0x12, true));
	assert_null(scene_key(s, 1, 0x10, true));
	assert_int_equal(count_of(s, "sdes_mismatches"), 1);
	scene_end(s);
}

static void a_suite_that_nothing_opens_is_said(void **state)
{
	struct scene *s = begin(state);
	const char *lines =
		scene_text(s, "%s%s", scene_crypto(s, 1, "F8_128_HMAC_SHA1_80", 0x10), scene_crypto(s, 2, CM80, 0x11));

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = scene_sdp(s, "10.0.0.1", 4000, SAVP, lines));
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->unsupported);
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, "F8_128_HMAC_SHA1_80", 0x20)));
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->unsupported);
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->unsupported);
	assert_null(scene_key(s, 1, 0x20, true));
	scene_end(s);
}

static void a_key_counts_on_a_profile_without_security_too(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_sdp(s, "10.0.0.1", 4000, AVP, scene_crypto(s, 1, CM80, 0x10)));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, AVP, scene_crypto(s, 1, CM80, 0x20)));
	assert_false(scene_place(s, 1, "10.0.0.1:4000")->secure);
	assert_non_null(scene_key(s, 1, 0x10, true));
	assert_non_null(scene_key(s, 1, 0x20, true));
	scene_end(s);
}

static void an_answer_without_crypto_leaves_the_offered_keys_offered(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, NULL));
	assert_non_null(scene_key(s, 1, 0x10, false));
	assert_null(scene_key(s, 1, 0x10, true));
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->secure);
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->answered);
	scene_end(s);
}

static void each_answering_fork_has_its_own_key(void **state)
{
	struct scene *s = begin(state);
	const char *carol = scene_sdp(s, "10.0.0.3", 6000, SAVP, scene_crypto(s, 1, CM80, 0x30));

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 100, BACK, .start = "183 Session Progress", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 110, BACK, .start = "183 Session Progress", .method = "INVITE", .to_tag = "c", .body = carol);
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "c", .body = carol);
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	assert_key(s, 0x30, true, TOWARD_CALLER, "10.0.0.3:6000");
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	scene_end(s);
}

static void each_hop_of_a_proxied_call_keeps_its_own_offer_and_answer(void **state)
{
	struct scene *s = begin(state);
	/* A relay at 10.0.0.8 stands between: same Call-ID and tags, other SDP on each hop; both hops offer tag 1 and 2. */
	const char *near_offer = scene_sdp(s, "10.0.0.1", 4000, SAVP,
		scene_text(s, "%s%s", scene_crypto(s, 1, CM80, 0x10), scene_crypto(s, 2, CM32, 0x11)));
	const char *far_offer = scene_sdp(s, "10.0.0.8", 7000, SAVP,
		scene_text(s, "%s%s", scene_crypto(s, 1, CM32, 0x40), scene_crypto(s, 2, CM80, 0x41)));

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE", .body = near_offer);
	SAY(.ms = 5, .src = PROXY, .branch = "2", .start = "INVITE sip:b@10.0.0.2", .method = "INVITE",
		.body = far_offer);
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .branch = "2", .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 2, CM80, 0x20)));
	SAY(.ms = 905, .src = PROXY, .dst = ALICE, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.8", 7002, SAVP, scene_crypto(s, 1, CM80, 0x50)));
	assert_key(s, 0x41, true, TOWARD_CALLEE, "10.0.0.8:7000");
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	assert_key(s, 0x10, true, TOWARD_CALLEE, "10.0.0.1:4000");
	assert_key(s, 0x50, true, TOWARD_CALLER, "10.0.0.8:7002");
	assert_null(scene_key(s, 1, 0x40, true));
	assert_null(scene_key(s, 1, 0x11, true));
	assert_int_equal(scene_place(s, 1, "10.0.0.8:7000")->toward, TOWARD_CALLER);
	assert_int_equal(scene_place(s, 1, "10.0.0.8:7002")->toward, TOWARD_CALLEE);
	scene_end(s);
}

static void a_delayed_offer_is_answered_in_the_ack_of_its_hop(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 5, .src = PROXY, .branch = "2", .start = "INVITE sip:b@10.0.0.2", .method = "INVITE");
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .branch = "2", .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = bob(s));
	SAY(.ms = 905, .src = PROXY, .dst = ALICE, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.8", 7000, SAVP, scene_crypto(s, 1, CM80, 0x40)));
	assert_key(s, 0x20, false, TOWARD_CALLER, "10.0.0.2:5000");
	SAY(.ms = 910, .dst = PROXY, .start = "ACK " B, .method = "ACK", .branch = "3", .to_tag = "b",
		.body = alice(s));
	assert_key(s, 0x10, true, TOWARD_CALLEE, "10.0.0.1:4000");
	assert_key(s, 0x40, true, TOWARD_CALLER, "10.0.0.8:7000");
	assert_null(scene_key(s, 1, 0x20, true));
	SAY(.ms = 915, .src = PROXY, .start = "ACK sip:b@10.0.0.2", .method = "ACK", .branch = "4", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.8", 7002, SAVP, scene_crypto(s, 1, CM80, 0x50)));
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	assert_key(s, 0x50, true, TOWARD_CALLEE, "10.0.0.8:7002");
	assert_int_equal(scene_place(s, 1, "10.0.0.8:7002")->toward, TOWARD_CALLER);
	scene_end(s);
}

static void an_offer_in_a_reliable_response_is_answered_in_the_prack(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 100, BACK, .start = "183 Session Progress", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 110, .start = "PRACK " B, .method = "PRACK", .cseq = 2, .branch = "2", .to_tag = "b",
		.body = alice(s));
	assert_key(s, 0x10, true, TOWARD_CALLEE, "10.0.0.1:4000");
	assert_key(s, 0x20, true, TOWARD_CALLER, "10.0.0.2:5000");
	assert_true(scene_place(s, 1, "10.0.0.2:5000")->answered);
	scene_end(s);
}

static void a_prack_may_offer_anew(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 100, BACK, .start = "183 Session Progress", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 110, .start = "PRACK " B, .method = "PRACK", .cseq = 2, .branch = "2", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.1", 4000, SAVP, scene_crypto(s, 1, CM80, 0x60)));
	SAY(.ms = 120, BACK, .start = "200 OK", .method = "PRACK", .cseq = 2, .branch = "2", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, CM80, 0x70)));
	assert_key(s, 0x60, true, TOWARD_CALLEE, "10.0.0.1:4000");
	assert_key(s, 0x70, true, TOWARD_CALLER, "10.0.0.2:5000");
	scene_end(s);
}

static void an_update_of_the_callee_is_seen_from_its_side(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	SAY(.ms = 3000, BACK, .start = "UPDATE " A, .method = "UPDATE", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .cseq = 7, .branch = "7",
		.body = scene_sdp(s, "10.0.0.2", 5002, SAVP, scene_crypto(s, 1, CM80, 0x60)));
	SAY(.ms = 3010, .start = "200 OK", .method = "UPDATE", .from = B, .from_tag = "b", .to = A, .to_tag = "a",
		.cseq = 7, .branch = "7", .body = scene_sdp(s, "10.0.0.1", 4002, SAVP, scene_crypto(s, 1, CM80, 0x70)));
	assert_int_equal(scene_place(s, 1, "10.0.0.2:5002")->toward, TOWARD_CALLEE);
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4002")->toward, TOWARD_CALLER);
	assert_key(s, 0x60, true, TOWARD_CALLER, "10.0.0.2:5002");
	assert_key(s, 0x70, true, TOWARD_CALLEE, "10.0.0.1:4002");
	scene_end(s);
}

static void a_refused_reoffer_chooses_nothing(void **state)
{
	struct scene *s = begin(state);
	size_t before;

	set_up(s);
	before = scene_steps(s, STEP_CLOSE, 1);
	SAY(.ms = 3000, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "7", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.1", 4000, AVP, scene_crypto(s, 1, CM80, 0x60)));
	SAY(.ms = 3010, BACK, .start = "488 Not Acceptable Here", .method = "INVITE", .cseq = 2, .branch = "7",
		.to_tag = "b", .body = scene_sdp(s, "10.0.0.2", 5555, AVP, scene_crypto(s, 1, CM80, 0x70)));
	assert_null(scene_key(s, 1, 0x60, true));
	assert_null(scene_key(s, 1, 0x70, true));
	assert_null(scene_place(s, 1, "10.0.0.2:5555"));
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->answered);
	/* What was agreed before still stands: the place is what it was. */
	assert_string_equal(scene_place(s, 1, "10.0.0.1:4000")->profile, SAVP);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), before);
	scene_end(s);
}

static void an_accepted_reoffer_gives_new_keys_beside_the_old(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	SAY(.ms = 3000, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "7", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.1", 4000, SAVP, scene_crypto(s, 1, CM80, 0x60)));
	SAY(.ms = 3010, BACK, .start = "200 OK", .method = "INVITE", .cseq = 2, .branch = "7", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, CM80, 0x70)));
	assert_non_null(scene_key(s, 1, 0x60, true));
	assert_non_null(scene_key(s, 1, 0x70, true));
	assert_non_null(scene_key(s, 1, 0x10, true));
	scene_end(s);
}

static void a_new_codec_is_known_at_the_place_it_is_sent_to(void **state)
{
	struct scene *s = begin(state);
	const struct place *p;
	bool found = false;

	set_up(s);
	SAY(.ms = 3000, BACK, .start = "INVITE " A, .method = "INVITE", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .cseq = 7, .branch = "7",
		.body = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP "
			"96\r\n"
			"a=rtpmap:96 opus/48000/2\r\n");
	SAY(.ms = 3010, .start = "200 OK", .method = "INVITE", .from = B, .from_tag = "b", .to = A, .to_tag = "a",
		.cseq = 7, .branch = "7",
		.body = "v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP "
			"96\r\n"
			"a=rtpmap:96 opus/48000/2\r\n");
	p = scene_place(s, 1, "10.0.0.1:4000");
	assert_int_equal(p->formats[0].pt, 96);
	assert_string_equal(p->formats[0].name, "opus");
	/* What is still under way is of the codec before. */
	for (size_t i = 0; i < p->format_count; i++)
		found |= p->formats[i].pt == 0 && strcmp(p->formats[i].name, "PCMU") == 0;
	assert_true(found);
	scene_end(s);
}

static void hold_opens_nothing_and_closes_nothing(void **state)
{
	struct scene *s = begin(state);
	size_t places;

	set_up(s);
	places = scene_steps(s, STEP_PLACE, 1);
	SAY(.ms = 3000, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "7", .to_tag = "b",
		.body = scene_sdp(s, "0.0.0.0", 4000, SAVP, scene_crypto(s, 1, CM80, 0x10)));
	SAY(.ms = 3010, BACK, .start = "200 OK", .method = "INVITE", .cseq = 2, .branch = "7", .to_tag = "b",
		.body = bob(s));
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	SAY(.ms = 19000, .start = "INVITE " B, .method = "INVITE", .cseq = 3, .branch = "8", .to_tag = "b",
		.body = alice(s));
	SAY(.ms = 19010, BACK, .start = "200 OK", .method = "INVITE", .cseq = 3, .branch = "8", .to_tag = "b",
		.body = bob(s));
	/* All is where it was: nothing to say. */
	assert_int_equal(scene_steps(s, STEP_PLACE, 1), places);
	assert_null(scene_place(s, 1, "0.0.0.0:4000"));
	scene_end(s);
}

#define TWO_LINES(ip, audio, video)                                                                                    \
	"v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nt=0 0\r\nm=audio " audio " RTP/SAVP 0\r\nc=IN IP4 " ip                 \
	"\r\n%sm=video " video " RTP/SAVP 99\r\nc=IN IP4 " ip "\r\na=rtpmap:99 H264/90000\r\n%s"

static void each_line_has_its_own_place_and_keys(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_text(s, TWO_LINES("10.0.0.1", "4000", "4010"), scene_crypto(s, 1, CM80, 0x10),
			scene_crypto(s, 1, CM80, 0x11)));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_text(s, TWO_LINES("10.0.0.2", "5000", "5010"), scene_crypto(s, 1, CM80, 0x20),
			scene_crypto(s, 1, CM80, 0x21)));
	assert_string_equal(scene_place(s, 1, "10.0.0.1:4010")->kind, "video");
	assert_int_equal(scene_place(s, 1, "10.0.0.2:5010")->line, 1);
	assert_int_equal(scene_key(s, 1, 0x10, true)->line, 0);
	assert_int_equal(scene_key(s, 1, 0x11, true)->line, 1);
	assert_int_equal(scene_key(s, 1, 0x21, true)->line, 1);
	assert_key(s, 0x21, true, TOWARD_CALLER, "10.0.0.2:5010");
	scene_end(s);
}

static void a_refused_line_has_no_place(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_text(s, TWO_LINES("10.0.0.1", "4000", "4010"), scene_crypto(s, 1, CM80, 0x10),
			scene_crypto(s, 1, CM80, 0x11)));
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_text(s, TWO_LINES("10.0.0.2", "5000", "0"), scene_crypto(s, 1, CM80, 0x20), ""));
	assert_non_null(scene_place(s, 1, "10.0.0.2:5000"));
	assert_null(scene_place(s, 1, "10.0.0.2:0"));
	assert_null(scene_key(s, 1, 0x11, true));
	scene_end(s);
}

static void candidates_are_places_too(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_sdp(s, "10.0.0.1", 4000, AVP,
			"a=candidate:1 1 UDP 2130706431 10.0.0.1 4000 typ host\r\na=candidate:2 1 UDP 1694498815 "
			"192.0.2.7 4444 typ srflx raddr "
			"10.0.0.1 rport 4000\r\n"));
	assert_non_null(scene_place(s, 1, "192.0.2.7:4444"));
	assert_int_equal(scene_place(s, 1, "192.0.2.7:4444")->line, 0);
	assert_int_equal(scene_steps(s, STEP_PLACE, 1), 2);
	scene_end(s);
}

static void media_of_a_retransmission_is_said_once(void **state)
{
	struct scene *s = begin(state);
	size_t steps;

	set_up(s);
	steps = scene_steps(s, STEP_PLACE, 1) + scene_steps(s, STEP_KEY, 1);
	SAY(.ms = 1400, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 1410, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	assert_int_equal(scene_steps(s, STEP_PLACE, 1) + scene_steps(s, STEP_KEY, 1), steps);
	scene_end(s);
}

static void the_end_closes_once_and_a_new_leg_opens_again(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 900, BACK, .start = "486 Busy Here", .method = "INVITE", .to_tag = "b");
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	SAY(.ms = 950, .src = PROXY, .dst = CAROL, .call_id = "two", .branch = "5",
		.start = "INVITE sip:carol@ims.example", .method = "INVITE",
		.more = "Diversion: <" B ">;reason=user-busy\r\n", .body = alice(s));
	SAY(.ms = 1900, .src = CAROL, .dst = PROXY, .call_id = "two", .branch = "5", .start = "200 OK",
		.method = "INVITE", .to_tag = "c",
		.body = scene_sdp(s, "10.0.0.3", 6000, SAVP, scene_crypto(s, 1, CM80, 0x30)));
	assert_int_equal(s->heard[s->count - 1].step.kind, STEP_KEY);
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->answered);
	assert_int_equal(scene_place(s, 1, "10.0.0.3:6000")->toward, TOWARD_CALLEE);
	SAY(.ms = 5000, .src = PROXY, .dst = CAROL, .call_id = "two", .branch = "6", .start = "BYE " B, .method = "BYE",
		.cseq = 2, .to_tag = "c");
	SAY(.ms = 5010, .src = CAROL, .dst = PROXY, .call_id = "two", .branch = "6", .start = "200 OK", .method = "BYE",
		.cseq = 2, .to_tag = "c");
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 2);
	scene_end(s);
}

static void a_key_of_a_file_goes_to_the_call_it_names(void **state)
{
	struct scene *s = begin(state);
	struct key_given any = { .line = UINT32_MAX,
		.key = { .suite = AES_CM_128_HMAC_SHA1_80, .source = KEY_FILE, .key = { 0xa1 } } };
	struct key_given two = any;

	two.key.key[0] = 0xa2;
	assert_true(call_key_file(s->call, &any, NULL));
	assert_true(call_key_file(s->call, &two, "two"));
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 10, .call_id = "two", .branch = "5", .start = "INVITE " B, .method = "INVITE", .body = bob(s));
	assert_int_equal(scene_key(s, 1, 0xa1, false)->key.source, KEY_FILE);
	assert_null(scene_key(s, 1, 0xa2, false));
	assert_non_null(scene_key(s, 2, 0xa1, false));
	assert_non_null(scene_key(s, 2, 0xa2, false));
	scene_end(s);
}

static void an_sdp_whose_request_was_not_seen_opens_its_place(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	assert_int_equal(scene_place(s, 1, "10.0.0.2:5000")->toward, TOWARD_CALLEE);
	assert_false(scene_place(s, 1, "10.0.0.2:5000")->answered);
	assert_key(s, 0x20, false, TOWARD_CALLER, "10.0.0.2:5000");
	scene_end(s);
}

static void a_description_without_an_address_does_no_harm(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = "v=0\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\n");
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	assert_non_null(scene_place(s, 1, "10.0.0.2:5000"));
	scene_end(s);
}

static void two_sides_of_a_box_that_rewrites_addresses_are_two_hops(void **state)
{
	struct scene *s = begin(state);

	/* The same text but for the SDP: an application-level gateway at 10.0.0.8 keeps Via as it was. */
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = alice(s));
	SAY(.ms = 1, .src = "10.0.0.8:5060", .start = "INVITE " B, .method = "INVITE",
		.body = scene_sdp(s, "10.0.0.8", 7000, SAVP, scene_crypto(s, 2, CM32, 0x40)));
	SAY(.ms = 900, .src = BOB, .dst = "10.0.0.8:5060", .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 2, CM32, 0x20)));
	SAY(.ms = 901, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.8", 7002, SAVP, scene_crypto(s, 1, CM80, 0x50)));
	assert_key(s, 0x40, true, TOWARD_CALLEE, "10.0.0.8:7000");
	assert_key(s, 0x10, true, TOWARD_CALLEE, "10.0.0.1:4000");
	scene_end(s);
}

static void a_branch_used_again_is_another_transaction(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	SAY(.ms = 3000, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "1", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.1", 4002, SAVP, scene_crypto(s, 1, CM80, 0x60)));
	SAY(.ms = 3010, BACK, .start = "200 OK", .method = "INVITE", .cseq = 2, .branch = "1", .to_tag = "b",
		.body = bob(s));
	assert_key(s, 0x60, true, TOWARD_CALLEE, "10.0.0.1:4002");
	SAY(.ms = 3500, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5004, SAVP, scene_crypto(s, 1, CM80, 0x70)));
	assert_int_equal(scene_place(s, 1, "10.0.0.2:5004")->toward, TOWARD_CALLEE);
	scene_end(s);
}

static void nothing_opens_after_the_end(void **state)
{
	struct scene *s = begin(state);

	set_up(s);
	SAY(.ms = 3000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "7", .to_tag = "b");
	SAY(.ms = 3002, BACK, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "7", .to_tag = "b");
	SAY(.ms = 3005, BACK, .start = "INVITE " A, .method = "INVITE", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .cseq = 7, .branch = "8",
		.body = scene_sdp(s, "10.0.0.2", 5050, SAVP, scene_crypto(s, 1, CM80, 0x60)));
	assert_null(scene_place(s, 1, "10.0.0.2:5050"));
	assert_null(scene_key(s, 1, 0x60, false));
	scene_end(s);
}

static void an_ack_answers_the_invite_of_its_number(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .body = bob(s));
	SAY(.ms = 950, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "2", .to_tag = "b");
	SAY(.ms = 960, BACK, .start = "200 OK", .method = "INVITE", .cseq = 2, .branch = "2", .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, SAVP, scene_crypto(s, 1, CM80, 0x21)));
	SAY(.ms = 970, .start = "ACK " B, .method = "ACK", .cseq = 1, .branch = "3", .to_tag = "b", .body = alice(s));
	assert_non_null(scene_key(s, 1, 0x20, true));
	assert_null(scene_key(s, 1, 0x21, true));
	scene_end(s);
}

static void keys_of_bundled_lines_are_bound_to_none(void **state)
{
	struct scene *s = begin(state);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_text(s,
			"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\na=group:BUNDLE a v\r\n"
			"m=audio 4000 RTP/SAVP 0\r\na=mid:a\r\n%sm=video 4000 RTP/SAVP 99\r\na=mid:v\r\n",
			scene_crypto(s, 1, CM80, 0x10)));
	assert_int_equal(scene_key(s, 1, 0x10, false)->line, UINT32_MAX);
	scene_end(s);
}

/* One stage for all: it is large. */
#define TEST(f) cmocka_unit_test_prestate(f, scene)

int main(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct CMUnitTest tests[] = {
		TEST(an_offer_opens_its_place_and_gives_its_keys_at_once),
		TEST(an_answer_chooses_the_keys_of_both_directions),
		TEST(a_cover_is_said_before_the_first_place),
		TEST(early_media_has_its_key_with_the_session_progress),
		TEST(the_answer_may_come_with_ringing_or_only_at_the_end),
		TEST(the_tag_of_the_answer_chooses_among_suites),
		TEST(where_tag_and_suite_disagree_the_suite_decides),
		TEST(a_suite_that_nothing_opens_is_said),
		TEST(a_key_counts_on_a_profile_without_security_too),
		TEST(an_answer_without_crypto_leaves_the_offered_keys_offered),
		TEST(each_answering_fork_has_its_own_key),
		TEST(each_hop_of_a_proxied_call_keeps_its_own_offer_and_answer),
		TEST(a_delayed_offer_is_answered_in_the_ack_of_its_hop),
		TEST(an_offer_in_a_reliable_response_is_answered_in_the_prack),
		TEST(a_prack_may_offer_anew),
		TEST(an_update_of_the_callee_is_seen_from_its_side),
		TEST(a_refused_reoffer_chooses_nothing),
		TEST(an_accepted_reoffer_gives_new_keys_beside_the_old),
		TEST(a_new_codec_is_known_at_the_place_it_is_sent_to),
		TEST(hold_opens_nothing_and_closes_nothing),
		TEST(each_line_has_its_own_place_and_keys),
		TEST(a_refused_line_has_no_place),
		TEST(candidates_are_places_too),
		TEST(media_of_a_retransmission_is_said_once),
		TEST(the_end_closes_once_and_a_new_leg_opens_again),
		TEST(a_key_of_a_file_goes_to_the_call_it_names),
		TEST(an_sdp_whose_request_was_not_seen_opens_its_place),
		TEST(a_description_without_an_address_does_no_harm),
		TEST(two_sides_of_a_box_that_rewrites_addresses_are_two_hops),
		TEST(a_branch_used_again_is_another_transaction),
		TEST(nothing_opens_after_the_end),
		TEST(an_ack_answers_the_invite_of_its_number),
		TEST(keys_of_bundled_lines_are_bound_to_none),
	};
	int failed = scene != NULL ? cmocka_run_group_tests(tests, NULL, NULL) : 1;

	free(scene);
	return failed;
}
