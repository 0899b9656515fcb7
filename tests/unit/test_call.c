/* call: which messages make a call, who takes it, and what is told of it. */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/call_scene.h"

#define ALICE "10.0.0.1:5060"
#define PROXY "10.0.0.9:5060"
#define BOB   "10.0.0.2:5060"
#define CAROL "10.0.0.3:5060"
#define A     "sip:alice@ims.example"
#define B     "sip:bob@ims.example"
#define C     "sip:carol@ims.example"

/* A message of a plain call from Alice to Bob; what a test leaves out is this. */
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

#define SAY(...)   scene_say(s, &(struct said[]){ plain((struct said){ __VA_ARGS__ }) }[0])
#define CLAIM(...) scene_claim(s, &(struct said[]){ plain((struct said){ __VA_ARGS__ }) }[0])
#define BACK       .src = BOB, .dst = ALICE

static struct scene *begin(void **state)
{
	struct scene *s = *state;

	scene_begin(s);
	return s;
}

static uint32_t always(struct scene *s, const char *uri)
{
	return scene_warrant(s, uri, SCOPE_ALL, DIVERTED_CONTENT, INT_MIN, INT_MAX);
}

static nsec_t at(int ms)
{
	return SCENE_T0 + ms * (NSEC_PER_SEC / 1000);
}

static void answered_call(struct scene *s, int ms)
{
	SAY(.ms = ms, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = ms + 100, BACK, .start = "180 Ringing", .method = "INVITE", .to_tag = "b");
	SAY(.ms = ms + 2000, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b");
	SAY(.ms = ms + 2010, .start = "ACK " B, .method = "ACK", .branch = "2", .to_tag = "b");
}

static void a_call_has_a_beginning_an_answer_and_an_end(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	answered_call(s, 0);
	SAY(.ms = 9000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	SAY(.ms = 9010, BACK, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	f = scene_facts(s, w, 1);
	assert_non_null(f);
	assert_int_equal(f->started, at(0));
	assert_int_equal(f->answered, at(2000));
	assert_int_equal(f->ended, at(9000));
	assert_int_equal(f->outcome, CALL_ANSWERED);
	assert_string_equal(f->caller, A);
	assert_string_equal(f->callee, B);
	assert_int_equal(f->call_id_count, 1);
	assert_string_equal(f->call_ids[0], "one");
	assert_int_equal(f->target, TOWARD_CALLEE);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 6);
	scene_end(s);
}

static void outcome_after(struct scene *s, const char *final, enum call_outcome outcome)
{
	uint32_t w;
	const struct call_facts *f;

	scene_begin(s);
	w = always(s, B);
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 3000, BACK, .start = final, .method = "INVITE", .to_tag = "b");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->outcome, outcome);
	assert_int_equal(f->ended, at(3000));
	assert_int_equal(f->answered, NSEC_NONE);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	scene_end(s);
}

static void a_final_failure_says_how_the_call_ended(void **state)
{
	struct scene *s = *state;

	outcome_after(s, "486 Busy Here", CALL_REFUSED);
	outcome_after(s, "603 Decline", CALL_REFUSED);
	outcome_after(s, "487 Request Terminated", CALL_CANCELLED);
	outcome_after(s, "408 Request Timeout", CALL_UNANSWERED);
	outcome_after(s, "480 Temporarily Unavailable", CALL_UNANSWERED);
}

static void a_challenge_is_not_the_end(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 10, BACK, .start = "407 Proxy Authentication Required", .method = "INVITE", .to_tag = "p");
	SAY(.ms = 20, .start = "ACK " B, .method = "ACK", .to_tag = "p");
	SAY(.ms = 30, .start = "INVITE " B, .method = "INVITE", .cseq = 2, .branch = "2");
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .cseq = 2, .branch = "2", .to_tag = "b");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->outcome, CALL_ANSWERED);
	assert_int_equal(f->started, at(0));
	assert_int_equal(f->ended, NSEC_NONE);
	assert_null(scene_facts(s, w, 2));
	scene_end(s);
}

static void a_fork_that_loses_does_not_end_the_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 10, .src = PROXY, .start = "INVITE sip:bob@10.0.0.2", .method = "INVITE", .branch = "2");
	SAY(.ms = 11, .src = PROXY, .dst = CAROL, .start = "INVITE sip:bob@10.0.0.3", .method = "INVITE",
		.branch = "3");
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .start = "486 Busy", .method = "INVITE", .branch = "2", .to_tag = "b");
	assert_int_equal(scene_facts(s, w, 1)->ended, NSEC_NONE);
	SAY(.ms = 1900, .src = CAROL, .dst = PROXY, .start = "200 OK", .method = "INVITE", .branch = "3",
		.to_tag = "c");
	SAY(.ms = 1910, .src = PROXY, .dst = ALICE, .start = "200 OK", .method = "INVITE", .to_tag = "c");
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	SAY(.ms = 5000, .dst = PROXY, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "4", .to_tag = "c");
	SAY(.ms = 5010, .src = PROXY, .dst = ALICE, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "4",
		.to_tag = "c");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->answered, at(1900));
	assert_int_equal(f->ended, at(5000));
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	scene_end(s);
}

static void a_call_nobody_answers_ends_by_itself(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 100, BACK, .start = "180 Ringing", .method = "INVITE", .to_tag = "b");
	scene_time(s, 179000);
	assert_int_equal(scene_facts(s, w, 1)->outcome, CALL_INCOMPLETE);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	scene_time(s, 181000);
	assert_int_equal(scene_facts(s, w, 1)->outcome, CALL_UNANSWERED);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	scene_end(s);
}

static void six_hours_without_signalling_are_still_one_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	for (int minute = 1; minute <= 360; minute++)
		scene_time(s, minute * 60000);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	assert_true(SAY(.ms = 21600000, .start = "BYE sip:x@10.0.0.2", .from = "sip:x@y.example",
		.to = "sip:z@y.example", .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b"));
	assert_int_equal(scene_facts(s, w, 1)->ended, at(21600000));
	scene_end(s);
}

static void a_call_is_forgotten_after_its_end(void **state)
{
	struct scene *s = begin(state);

	always(s, B);
	answered_call(s, 0);
	SAY(.ms = 9000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	scene_time(s, 30000);
	assert_true(SAY(.ms = 30000, BACK, .from = "sip:x@y.example", .to = "sip:x@y.example", .start = "200 OK",
		.method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b"));
	scene_time(s, 80000);
	assert_false(SAY(.ms = 80000, .from = "sip:x@y.example", .to = "sip:x@y.example",
		.start = "BYE sip:x@y.example", .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b"));
	scene_end(s);
}

static void a_mirror_copy_goes_out_once_and_a_retransmission_twice(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	struct counter counts[16];
	size_t n;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 1, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 500, .start = "INVITE " B, .method = "INVITE");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 2);
	n = call_counts(s->call, counts, 16);
	for (size_t i = 0; i < n; i++)
		if (strcmp(counts[i].name, "sip_duplicates") == 0)
			assert_int_equal(counts[i].value, 1);
	/* The same text on another hop is another message. */
	SAY(.ms = 501, .src = BOB, .dst = CAROL, .start = "INVITE " B, .method = "INVITE");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 3);
	scene_end(s);
}

static void the_caller_is_whom_the_network_asserts(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .dst = PROXY, .from = "sip:anonymous@anonymous.invalid", .start = "INVITE " B, .method = "INVITE");
	assert_string_equal(scene_facts(s, w, 1)->caller, "sip:anonymous@anonymous.invalid");
	SAY(.ms = 5, .src = PROXY, .from = "sip:anonymous@anonymous.invalid", .start = "INVITE sip:b@10.0.0.2",
		.method = "INVITE", .branch = "2", .more = "P-Asserted-Identity: <tel:+15550100>, <" A ";x=y>\r\n");
	assert_string_equal(scene_facts(s, w, 1)->caller, A);
	scene_end(s);
}

static void two_agencies_get_the_whole_call_each_with_its_own_matches(void **state)
{
	struct scene *s = begin(state);
	uint32_t wa = always(s, A), wb = always(s, B);
	const struct call_facts *fa, *fb;

	/* Alice is named by her network only, on the second hop. */
	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 5, .src = PROXY, .start = "INVITE sip:b@10.0.0.2", .method = "INVITE", .branch = "2",
		.more = "P-Asserted-Identity: <" A ">\r\n");
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .start = "200 OK", .method = "INVITE", .branch = "2", .to_tag = "b");
	fa = scene_facts(s, wa, 1);
	fb = scene_facts(s, wb, 1);
	assert_int_equal(scene_records(s, RECORD_SIP, wa, 1), 3);
	assert_int_equal(scene_records(s, RECORD_SIP, wb, 1), 3);
	assert_int_equal(fa->match_count, 1);
	assert_int_equal(fa->matches[0].header, SIP_HEADER_PAI);
	assert_int_equal(fa->matches[0].side, HIT_FROM_TARGET);
	assert_int_equal(fa->target, TOWARD_CALLER);
	assert_int_equal(fb->match_count, 2); /* Request-URI and To */
	assert_int_equal(fb->target, TOWARD_CALLEE);
	assert_int_equal(scene_cover(s, wa, 1)->from, at(-100)); /* media may overtake the first message */
	assert_int_equal(scene_cover(s, wb, 1)->from, at(-100));
	scene_end(s);
}

static void a_warrant_that_comes_late_gets_two_seconds_of_past_and_no_more(void **state)
{
	struct scene *s = begin(state);
	uint32_t wa = always(s, A), wb = always(s, B);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 1500, BACK, .start = "180 Ringing", .method = "INVITE", .to_tag = "b");
	SAY(.ms = 3000, .start = "UPDATE " B, .method = "UPDATE", .cseq = 2, .branch = "2", .to_tag = "b",
		.more = "P-Asserted-Identity: <" A ">\r\n");
	assert_int_equal(scene_records(s, RECORD_SIP, wb, 1), 3);
	assert_int_equal(scene_records(s, RECORD_SIP, wa, 1), 2);
	assert_int_equal(scene_cover(s, wa, 1)->from, at(1500));
	scene_end(s);
}

static void claimed_messages_wait_for_the_one_that_claims_them(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, A);
	const char *offer =
		scene_sdp(s, "10.0.0.1", 4000, "RTP/SAVP", scene_crypto(s, 1, "AES_CM_128_HMAC_SHA1_80", 7));
	const struct call_facts *f;

	/* Topology hiding: two Call-IDs, and only the second leg names the target. */
	CLAIM(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE", .body = offer);
	assert_int_equal(s->count, 0);
	SAY(.ms = 4, .src = PROXY, .call_id = "two", .branch = "2", .start = "INVITE sip:b@10.0.0.2",
		.method = "INVITE", .body = offer, .more = "P-Asserted-Identity: <" A ">\r\n");
	f = scene_facts(s, w, 1);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 2);
	assert_int_equal(f->call_id_count, 2);
	assert_string_equal(f->call_ids[0], "one");
	assert_string_equal(f->call_ids[1], "two");
	assert_int_equal(f->started, at(0));
	assert_non_null(scene_place(s, 1, "10.0.0.1:4000"));
	assert_non_null(scene_key(s, 1, 7, false));
	scene_end(s);
}

static void claimed_messages_that_belong_nowhere_leave_no_trace(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, C);

	CLAIM(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_sdp(s, "10.0.0.1", 4000, "RTP/AVP", NULL));
	SAY(.ms = 4, .call_id = "two", .from = "sip:x@y.example", .to = C, .branch = "2", .start = "INVITE " C,
		.method = "INVITE");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 1);
	assert_int_equal(scene_facts(s, w, 1)->call_id_count, 1);
	assert_null(scene_place(s, 1, "10.0.0.1:4000"));
	assert_false(SAY(.ms = 10, .from = "sip:x@y.example", .to = "sip:x@y.example", BACK, .start = "100 Trying",
		.method = "INVITE"));
	scene_end(s);
}

static void messages_claimed_for_a_call_that_goes_on_go_to_all_who_take_it(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .call_id = "two", .branch = "2", .start = "INVITE " B, .method = "INVITE");
	CLAIM(.ms = 1, .from = "sip:x@y.example", .to = "sip:x@y.example", .start = "INVITE sip:x@y.example",
		.method = "INVITE", .more = "Session-ID: 00112233445566778899aabbccddeeff\r\n");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 1);
	SAY(.ms = 5, BACK, .call_id = "two", .branch = "2", .start = "180 Ringing", .method = "INVITE", .to_tag = "b",
		.more = "Session-ID: 00112233445566778899aabbccddeeff\r\n");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 3);
	assert_string_equal(scene_facts(s, w, 1)->call_ids[1], "one");
	scene_end(s);
}

/* Joining. */

/* Whether a second INVITE, with another Call-ID and 20 ms after the first, is of the same call. */
static bool joins(struct scene *s, const char *first, const char *second, const char *body)
{
	bool joined;

	scene_begin(s);
	always(s, B);
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .more = first, .body = body);
	SAY(.ms = 20, .call_id = "two", .branch = "2", .start = "INVITE " B, .method = "INVITE", .more = second,
		.body = body);
	joined = scene_facts(s, 1, 2) == NULL;
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, joined ? 2 : 1);
	scene_end(s);
	return joined;
}

static void legs_are_joined_by_session_id_or_icid(void **state)
{
	struct scene *s = *state;
	const char *session = "Session-ID: 00112233445566778899aabbccddeeff\r\n";
	const char *icid = "P-Charging-Vector: icid-value=abc;orig-ioi=ims.example\r\n";
	const char *nil = "Session-ID: 00000000000000000000000000000000\r\n";
	const char *upper = "Session-ID: 00112233445566778899AABBCCDDEEFF\r\n";

	assert_true(joins(s, session, session, NULL));
	assert_true(joins(s, session, upper, NULL));
	assert_true(joins(s, icid, icid, NULL));
	assert_false(joins(s, session, icid, NULL));
	assert_false(joins(s, nil, nil, NULL));
}

static void one_half_of_a_session_id_does_not_join(void **state)
{
	/* A conference keeps its own UUID towards all who are in it. */
	assert_false(joins(*state,
		"Session-ID: 00112233445566778899aabbccddeeff;remote=10112233445566778899aabbccddeeff\r\n",
		"Session-ID: 00112233445566778899aabbccddeeff;remote=20112233445566778899aabbccddeeff\r\n", NULL));
}

static void the_same_origin_line_never_joins(void **state)
{
	static const char sdp[] =
		"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

	assert_false(joins(*state, NULL, NULL, sdp));
}

static void the_same_inline_key_joins_until_the_first_is_answered(void **state)
{
	struct scene *s = begin(state);
	const char *offer =
		scene_sdp(s, "10.0.0.1", 4000, "RTP/SAVP", scene_crypto(s, 1, "AES_CM_128_HMAC_SHA1_80", 7));

	always(s, B);
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = offer);
	SAY(.ms = 10, .call_id = "two", .branch = "2", .start = "INVITE " B, .method = "INVITE", .body = offer);
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, 2);
	SAY(.ms = 20, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b");
	SAY(.ms = 20, BACK, .call_id = "two", .branch = "2", .start = "200 OK", .method = "INVITE", .to_tag = "b");
	SAY(.ms = 30, .call_id = "three", .branch = "3", .start = "INVITE " B, .method = "INVITE", .body = offer);
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, 2);
	assert_non_null(scene_facts(s, 1, 2));
	scene_end(s);
}

static void a_diverted_leg_joins_the_call_it_comes_from(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	/* B does not answer; the application server goes on to C with a Call-ID of its own (CFNR, S36). */
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .more = "P-Asserted-Identity: <" A ">\r\n");
	SAY(.ms = 100, BACK, .start = "180 Ringing", .method = "INVITE", .to_tag = "b");
	SAY(.ms = 20000, BACK, .start = "480 Gone", .method = "INVITE", .to_tag = "b");
	assert_int_equal(scene_facts(s, w, 1)->outcome, CALL_UNANSWERED);
	SAY(.ms = 20100, .src = PROXY, .dst = CAROL, .call_id = "two", .branch = "2", .to = C, .start = "INVITE " C,
		.method = "INVITE",
		.more = "P-Asserted-Identity: <" A ">\r\nHistory-Info: <" B ">;index=1, <" C
			";cause=408>;index=1.1;mp=1\r\n");
	SAY(.ms = 24000, .src = CAROL, .dst = PROXY, .call_id = "two", .branch = "2", .to = C, .start = "200 OK",
		.method = "INVITE", .to_tag = "c");
	f = scene_facts(s, w, 1);
	assert_null(scene_facts(s, w, 2));
	assert_int_equal(f->call_id_count, 2);
	assert_int_equal(f->outcome, CALL_ANSWERED);
	assert_int_equal(f->answered, at(24000));
	assert_int_equal(f->ended, NSEC_NONE);
	assert_string_equal(f->callee, B);
	assert_int_equal(f->diversion_count, 1);
	assert_string_equal(f->diversions[0].service, "CFNR");
	assert_int_equal(f->diversions[0].cause, 408);
	assert_string_equal(f->diversions[0].by, B);
	assert_string_equal(f->diversions[0].to, C);
	assert_int_equal(f->target, TOWARD_CALLEE);
	scene_end(s);
}

static void a_diverted_leg_of_another_caller_is_another_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .more = "P-Asserted-Identity: <" A ">\r\n");
	SAY(.ms = 100, .src = PROXY, .dst = CAROL, .call_id = "two", .branch = "2", .from = "sip:x@y.example", .to = C,
		.start = "INVITE " C, .method = "INVITE",
		.more = "P-Asserted-Identity: <sip:x@y.example>\r\nDiversion: <" B ">;reason=user-busy\r\n");
	assert_int_equal(scene_facts(s, w, 1)->call_id_count, 1);
	assert_int_equal(scene_facts(s, w, 2)->call_id_count, 1);
	assert_int_equal(scene_facts(s, w, 2)->diversion_count, 1);
	assert_int_equal(scene_facts(s, w, 1)->diversion_count, 0);
	scene_end(s);
}

static void a_called_target_that_calls_makes_a_second_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	/* S38: A calls B, and B calls C, both still ringing. */
	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 5, BACK, .start = "100 Trying", .method = "INVITE");
	SAY(.ms = 10, .src = BOB, .dst = CAROL, .call_id = "two", .branch = "2", .from = B, .from_tag = "b", .to = C,
		.start = "INVITE " C, .method = "INVITE", .more = "P-Asserted-Identity: <" B ">\r\n");
	SAY(.ms = 15, .src = CAROL, .dst = BOB, .call_id = "two", .branch = "2", .from = B, .from_tag = "b", .to = C,
		.start = "100 Trying", .method = "INVITE");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 2);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 2), 2);
	assert_int_equal(scene_facts(s, w, 2)->target, TOWARD_CALLER);
	scene_end(s);
}

/* Diversions. */

static struct call_diversion diversion_of(struct scene *s, const char *more)
{
	const struct call_facts *f;

	scene_begin(s);
	always(s, B);
	SAY(.ms = 0, .start = "INVITE " C, .method = "INVITE", .more = more);
	f = scene_facts(s, 1, 1);
	assert_int_equal(f->diversion_count, 1);
	assert_string_equal(f->diversions[0].by, B);
	assert_string_equal(f->diversions[0].to, C);
	return f->diversions[0];
}

static void the_cause_of_history_info_names_the_service(void **state)
{
	static const struct {
		uint16_t cause;
		const char *service;
	} table[] = { { 302, "CFU" }, { 486, "CFB" }, { 408, "CFNR" }, { 404, "CFNL" }, { 480, "CD" }, { 487, "CD" },
		{ 503, "CFNRc" }, { 499, "unknown" } };
	struct scene *s = *state;
	char more[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct call_diversion d;

		snprintf(more, sizeof(more),
			"History-Info: <" B ">;index=1\r\nHistory-Info: <" C ";cause=%u>;index=1.1;mp=1\r\n",
			table[i].cause);
		d = diversion_of(s, more);
		assert_string_equal(d.service, table[i].service);
		assert_int_equal(d.cause, table[i].cause);
		scene_end(s);
	}
}

static void the_reason_of_diversion_names_the_service_where_no_cause_does(void **state)
{
	static const char *const table[][2] = {
		{ "unconditional", "CFU" },
		{ "user-busy", "CFB" },
		{ "no-answer", "CFNR" },
		{ "unknown", "CFNL" },
		{ "deflection", "CD" },
		{ "unavailable", "CFNRc" },
		{ "away", "unknown" },
	};
	struct scene *s = *state;
	char more[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct call_diversion d;

		snprintf(more, sizeof(more), "Diversion: <" B ">;reason=%s;counter=1\r\n", table[i][0]);
		d = diversion_of(s, more);
		assert_string_equal(d.service, table[i][1]);
		assert_int_equal(d.cause, 0);
		scene_end(s);
	}
}

static void history_info_outweighs_diversion(void **state)
{
	struct call_diversion d = diversion_of(*state, "Diversion: <" B ">;reason=unavailable\r\nHistory-Info: <" B
						       ">;index=1,<" C ";cause=404>;index=1.1;mp=1\r\n");

	assert_string_equal(d.service, "CFNL");
	scene_end(*state);
}

static void an_embedded_reason_tells_how_the_party_before_ended(void **state)
{
	struct call_diversion d = diversion_of(*state, "History-Info: <" B "?Reason=SIP%3Bcause%3D486>;index=1\r\n"
						       "History-Info: <" C ">;index=2;mp=1\r\n");

	assert_string_equal(d.service, "CFB");
	assert_int_equal(d.cause, 486);
	scene_end(*state);
}

static void every_diversion_of_a_chain_is_told_once_though_hops_repeat_it(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const char *history = "History-Info: <" B ">;index=1, <" C ";cause=486>;index=1.1;mp=1, "
			      "<sip:dave@ims.example;cause=302>;index=1.1.1;mp=1.1\r\n";
	const struct call_facts *f;

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE sip:dave@ims.example", .method = "INVITE", .more = history);
	SAY(.ms = 5, .src = PROXY, .branch = "2", .start = "INVITE sip:d@10.0.0.4", .method = "INVITE",
		.more = history);
	f = scene_facts(s, w, 1);
	assert_int_equal(f->diversion_count, 2);
	assert_string_equal(f->diversions[0].service, "CFB");
	assert_string_equal(f->diversions[0].to, C);
	assert_string_equal(f->diversions[1].service, "CFU");
	assert_string_equal(f->diversions[1].by, C);
	assert_string_equal(f->diversions[1].to, "sip:dave@ims.example");
	scene_end(s);
}

static void a_deflection_shows_in_the_flow_alone(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 5, .src = PROXY, .branch = "2", .start = "INVITE sip:bob@10.0.0.2", .method = "INVITE");
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .branch = "2", .start = "302 Moved", .method = "INVITE", .to_tag = "b",
		.more = "Contact: <" C ">\r\n");
	SAY(.ms = 905, .src = PROXY, .dst = ALICE, .start = "181 Forwarded", .method = "INVITE", .to_tag = "x");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->diversion_count, 1);
	assert_string_equal(f->diversions[0].service, "unknown");
	SAY(.ms = 910, .src = PROXY, .dst = CAROL, .branch = "3", .start = "INVITE sip:carol@10.0.0.3",
		.method = "INVITE");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->diversion_count, 1);
	assert_string_equal(f->diversions[0].service, "CD");
	assert_string_equal(f->diversions[0].by, B);
	assert_string_equal(f->diversions[0].to, C);
	scene_end(s);
}

static void a_deflection_that_is_signalled_too_is_one(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 900, .src = PROXY, .dst = ALICE, .start = "302 Moved", .method = "INVITE", .to_tag = "b",
		.more = "Contact: <" C ">\r\n");
	SAY(.ms = 910, .src = ALICE, .dst = CAROL, .branch = "3", .start = "INVITE " C, .method = "INVITE",
		.more = "History-Info: <" B ">;index=1, <" C ";cause=480>;index=1.1;mp=1\r\n");
	assert_int_equal(scene_facts(s, w, 1)->diversion_count, 1);
	assert_int_equal(scene_facts(s, w, 1)->diversions[0].cause, 480);
	scene_end(s);
}

static void a_key_that_is_nobodys_own_does_not_join(void **state)
{
	static const char zeroes[] =
		"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";

	assert_false(joins(*state, NULL, NULL, zeroes));
}

static void a_diverted_leg_long_after_is_another_call(void **state)
{
	struct scene *s = begin(state);

	always(s, B);
	answered_call(s, 0); /* answered at 2 s, and goes on */
	SAY(.ms = 33000, .src = PROXY, .dst = CAROL, .call_id = "two", .branch = "5", .to = C, .start = "INVITE " C,
		.method = "INVITE", .more = "Diversion: <" B ">;reason=user-busy\r\n");
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, 2);
	SAY(.ms = 33500, .src = CAROL, .dst = PROXY, .call_id = "two", .branch = "5", .to = C, .start = "486 Busy",
		.method = "INVITE", .to_tag = "c");
	SAY(.ms = 35000, .src = PROXY, .dst = CAROL, .call_id = "three", .branch = "6", .from = "sip:x@y.example",
		.to = C, .start = "INVITE " C, .method = "INVITE", .more = "Diversion: <" B ">;reason=user-busy\r\n");
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, 2);
	SAY(.ms = 70000, .src = PROXY, .dst = CAROL, .call_id = "four", .branch = "7", .to = C, .start = "INVITE " C,
		.method = "INVITE", .more = "Diversion: <" B ">;reason=user-busy\r\n");
	assert_int_equal(scene_facts(s, 1, 1)->call_id_count, 2);
	scene_end(s);
}

static void a_diversion_repeated_towards_a_contact_is_told_once(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const char *more = "Diversion: <" B ">;reason=user-busy\r\n";

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " C, .method = "INVITE", .more = more);
	SAY(.ms = 5, .src = PROXY, .dst = CAROL, .branch = "2", .start = "INVITE sip:c77@10.0.0.3", .method = "INVITE",
		.more = more);
	assert_int_equal(scene_facts(s, w, 1)->diversion_count, 1);
	assert_string_equal(scene_facts(s, w, 1)->diversions[0].to, C);
	scene_end(s);
}

static void a_flood_of_diversions_is_bounded(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	for (int i = 0; i < 40; i++)
		SAY(.ms = i, .branch = scene_text(s, "%d", i), .start = "INVITE " B, .method = "INVITE",
			.more = scene_text(s, "Diversion: <sip:d%d@ims.example>;reason=user-busy\r\n", i));
	assert_int_equal(scene_facts(s, w, 1)->diversion_count, 16);
	scene_end(s);
}

static void a_leg_whose_bye_was_missed_ends_soon_after_the_other(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const char *icid = "P-Charging-Vector: icid-value=abc\r\n";

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE", .more = icid);
	SAY(.ms = 10, .src = PROXY, .call_id = "two", .branch = "2", .start = "INVITE " B, .method = "INVITE",
		.more = icid);
	SAY(.ms = 900, .src = BOB, .dst = PROXY, .call_id = "two", .branch = "2", .start = "200 OK", .method = "INVITE",
		.to_tag = "b");
	SAY(.ms = 910, .src = PROXY, .dst = ALICE, .start = "200 OK", .method = "INVITE", .to_tag = "p");
	SAY(.ms = 5000, .dst = PROXY, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "p");
	scene_time(s, 36000);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	scene_time(s, 38000);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	assert_int_equal(scene_facts(s, w, 1)->ended, at(5000));
	scene_end(s);
}

/* BYE and its answer. */

#define BYE(time, n, id)                                                                                               \
	SAY(.ms = (time), .start = "BYE " B, .method = "BYE", .cseq = (n), .branch = (id), .to_tag = "b")
#define BYE_ANSWER(time, n, id, status)                                                                                \
	SAY(.ms = (time), BACK, .start = (status), .method = "BYE", .cseq = (n), .branch = (id), .to_tag = "b")

static void assert_open(struct scene *s, uint32_t w)
{
	assert_int_equal(scene_facts(s, w, 1)->ended, NSEC_NONE);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
}

static void assert_over(struct scene *s, uint32_t w, int ended)
{
	assert_int_equal(scene_facts(s, w, 1)->ended, at(ended));
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
}

/* RFC 3261 15.1.1: 2xx, 481 and 408 end the dialog, and no answer for 64 * T1 does. */
static void a_bye_begins_the_end_and_its_answer_completes_it(void **state)
{
	static const char *const ends[] = { "200 OK", "481 Call/Transaction Does Not Exist", "408 Request Timeout" };

	for (size_t i = 0; i < 3; i++) {
		struct scene *s = begin(state);
		uint32_t w = always(s, B);

		answered_call(s, 0);
		BYE(9000, 2, "3");
		assert_int_equal(scene_facts(s, w, 1)->ended, at(9000));
		assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
		BYE(9500, 2, "3");
		BYE_ANSWER(9510, 2, "3", "100 Trying");
		assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
		BYE_ANSWER(10000, 2, "3", ends[i]);
		assert_over(s, w, 9000);
		scene_end(s);
	}
}

static void a_bye_that_nobody_answers_ends_when_its_time_is_over(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	BYE(9000, 2, "3");
	scene_time(s, 40900);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 0);
	scene_time(s, 42000);
	assert_over(s, w, 9000);
	scene_end(s);
}

static void a_bye_that_is_challenged_or_refused_leaves_the_call_open(void **state)
{
	static const char *const refusals[] = { "407 Proxy Authentication Required", "401 Unauthorized",
		"403 Forbidden", "500 Server Internal Error" };

	for (size_t i = 0; i < 4; i++) {
		struct scene *s = begin(state);
		uint32_t w = always(s, B);

		answered_call(s, 0);
		BYE(9000, 2, "3");
		BYE_ANSWER(9010, 2, "3", refusals[i]);
		assert_open(s, w);
		scene_time(s, 60000);
		assert_open(s, w);
		BYE(60010, 3, "4");
		BYE_ANSWER(60020, 3, "4", "200 OK");
		assert_over(s, w, 60010);
		scene_end(s);
	}
}

static void a_bye_of_other_tags_is_no_end(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	SAY(.ms = 9000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "other");
	SAY(.ms = 9010, BACK, .start = "481 No", .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "other");
	SAY(.ms = 9020, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "4", .from_tag = "x", .to_tag = "b");
	SAY(.ms = 9030, BACK, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "4", .from_tag = "x",
		.to_tag = "b");
	scene_time(s, 60000);
	assert_open(s, w);
	BYE(60010, 2, "5");
	BYE_ANSWER(60020, 2, "5", "200 OK");
	assert_over(s, w, 60010);
	scene_end(s);
}

static void a_bye_of_a_stranger_is_no_end_unless_it_is_accepted(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	SAY(.ms = 9000, .src = CAROL, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	assert_open(s, w);
	SAY(.ms = 9010, .src = CAROL, .dst = ALICE, .start = "200 OK", .method = "BYE", .cseq = 7, .branch = "9",
		.to_tag = "b");
	scene_time(s, 60000);
	assert_open(s, w);
	BYE(60010, 2, "4");
	BYE_ANSWER(60020, 2, "4", "200 OK");
	assert_over(s, w, 60010);
	scene_end(s);

	s = begin(state);
	w = always(s, B);
	answered_call(s, 0);
	SAY(.ms = 9000, .src = CAROL, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	SAY(.ms = 9010, .src = BOB, .dst = CAROL, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "3",
		.to_tag = "b");
	assert_over(s, w, 9000);
	scene_end(s);
}

static void who_moved_and_was_answered_since_is_no_stranger(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	SAY(.ms = 5000, .src = CAROL, .start = "UPDATE " B, .method = "UPDATE", .cseq = 2, .branch = "3",
		.to_tag = "b");
	SAY(.ms = 5010, .src = BOB, .dst = CAROL, .start = "200 OK", .method = "UPDATE", .cseq = 2, .branch = "3",
		.to_tag = "b");
	SAY(.ms = 9000, .src = CAROL, .start = "BYE " B, .method = "BYE", .cseq = 3, .branch = "4", .to_tag = "b");
	assert_int_equal(scene_facts(s, w, 1)->ended, at(9000));
	scene_time(s, 42000);
	assert_over(s, w, 9000);
	scene_end(s);
}

static void a_bye_whose_set_up_was_answered_unseen_ends_it(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE");
	SAY(.ms = 9000, BACK, .start = "BYE " A, .method = "BYE", .cseq = 2, .branch = "3", .from = B, .from_tag = "b",
		.to = A, .to_tag = "a");
	SAY(.ms = 9010, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "3", .from = B, .from_tag = "b",
		.to = A, .to_tag = "a");
	assert_over(s, w, 9000);
	scene_end(s);
}

static void what_does_not_fit_into_a_call_is_another_or_given_up(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const char *icid = "P-Charging-Vector: icid-value=abc\r\n";

	for (int i = 0; i < 70; i++)
		SAY(.ms = i, .call_id = scene_text(s, "leg-%d", i), .branch = scene_text(s, "%d", i),
			.start = "INVITE " B, .method = "INVITE", .more = icid);
	assert_int_equal(scene_facts(s, w, 1)->call_id_count, 64);
	assert_int_equal(scene_facts(s, w, 2)->call_id_count, 6);
	scene_end(s);

	s = begin(state);
	w = always(s, B);
	for (int i = 0; i < 70; i++)
		SAY(.ms = i, .branch = scene_text(s, "%d", i), .start = "INVITE " B, .method = "INVITE");
	for (int i = 6; i < 70; i++)
		SAY(.ms = 100 + i, BACK, .branch = scene_text(s, "%d", i), .start = "486 Busy", .method = "INVITE",
			.to_tag = "b");
	assert_int_equal(scene_facts(s, w, 1)->outcome, CALL_REFUSED);
	scene_end(s);
}

static void a_callee_who_is_named_in_a_dialog_alone_is_still_the_callee(void **state)
{
	struct scene *s = begin(state);
	uint32_t wa = always(s, "sip:hotline@ims.example"), wb = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .to = "sip:hotline@ims.example", .start = "INVITE sip:hotline@ims.example", .method = "INVITE");
	SAY(.ms = 900, BACK, .to = "sip:hotline@ims.example", .start = "200 OK", .method = "INVITE", .to_tag = "b");
	SAY(.ms = 9000, BACK, .start = "UPDATE " A, .method = "UPDATE", .from = "sip:hotline@ims.example",
		.from_tag = "b", .to = A, .to_tag = "a", .cseq = 7, .branch = "5",
		.more = "P-Asserted-Identity: <" B ">\r\n");
	f = scene_facts(s, wb, 1);
	assert_int_equal(f->match_count, 1);
	assert_int_equal(f->matches[0].side, HIT_TO_TARGET);
	assert_int_equal(f->target, TOWARD_CALLEE);
	assert_int_equal(scene_records(s, RECORD_SIP, wa, 1), 3);
	assert_int_equal(scene_records(s, RECORD_SIP, wb, 1), 1);
	assert_int_equal(scene_cover(s, wb, 1)->from, at(9000));
	scene_end(s);
}

/* Warrants. */

static void report_covers_no_media_once_the_call_has_left_the_target(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = scene_warrant(s, B, SCOPE_ALL, DIVERTED_REPORT, INT_MIN, INT_MAX);

	SAY(.ms = 0, .dst = PROXY, .start = "INVITE " B, .method = "INVITE");
	assert_true(scene_facts(s, w, 1)->keep_keys);
	assert_int_equal(scene_cover(s, w, 1)->until, NSEC_EVER);
	SAY(.ms = 4000, .src = PROXY, .dst = CAROL, .branch = "2", .start = "INVITE sip:carol@10.0.0.3",
		.method = "INVITE", .more = "Diversion: <" B ">;reason=no-answer\r\n");
	assert_int_equal(scene_cover(s, w, 1)->until, at(4000));
	assert_false(scene_facts(s, w, 1)->keep_keys);
	SAY(.ms = 5000, .src = CAROL, .dst = PROXY, .branch = "2", .start = "200 OK", .method = "INVITE",
		.to_tag = "c");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 3);
	scene_end(s);
}

static void content_covers_media_of_a_diverted_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	SAY(.ms = 0, .start = "INVITE " C, .method = "INVITE", .more = "Diversion: <" B ">;reason=no-answer\r\n");
	assert_int_equal(scene_cover(s, w, 1)->until, NSEC_EVER);
	assert_true(scene_facts(s, w, 1)->keep_keys);
	scene_end(s);
}

static void a_call_that_crosses_the_end_of_a_warrant_is_cut(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = scene_warrant(s, B, SCOPE_ALL, DIVERTED_CONTENT, INT_MIN, 5000);

	answered_call(s, 0);
	assert_int_equal(scene_cover(s, w, 1)->until, at(5000));
	SAY(.ms = 5000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	SAY(.ms = 5010, BACK, .start = "200 OK", .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 4);
	assert_int_equal(scene_facts(s, w, 1)->ended, NSEC_NONE);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	scene_end(s);
}

static void a_revoked_warrant_gets_nothing_more(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	struct warrant_set none = { 0 };

	answered_call(s, 0);
	assert_non_null(scene_cover(s, w, 1));
	call_targets(s->call, &none);
	scene_hear(s);
	assert_null(scene_cover(s, w, 1));
	SAY(.ms = 5000, .start = "BYE " B, .method = "BYE", .cseq = 2, .branch = "3", .to_tag = "b");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 4);
	scene_end(s);
}

static void a_warrant_that_begins_in_mid_call_is_told_then(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = scene_warrant(s, B, SCOPE_ALL, DIVERTED_CONTENT, 40000, INT_MAX);
	struct datagram d = { .at = at(0), .proto = IP_PROTO_UDP };
	struct sip_message *m = calloc(1, sizeof(*m));
	struct hit hit = { w, 0, SIP_HEADER_TO, bytes_of(B), HIT_TO_TARGET, true };

	*m = (struct sip_message){ .at = at(0),
		.datagram = &d,
		.request = true,
		.method = SIP_INVITE,
		.call_id = bytes_of("one"),
		.from_tag = bytes_of("a"),
		.branch = bytes_of("1"),
		.cseq = 1 };
	call_take(s->call, m, &hit, 1);
	scene_hear(s);
	free(m);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 0);
	assert_null(scene_facts(s, w, 1));
	assert_int_equal(scene_cover(s, w, 1)->from, at(40000));
	SAY(.ms = 2000, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .branch = "1");
	for (int ms = 3000; ms <= 41000; ms += 1000)
		scene_time(s, ms);
	assert_int_equal(scene_facts(s, w, 1)->started, at(0));
	scene_end(s);
}

static void a_warrant_for_content_alone_gets_no_signalling(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = scene_warrant(s, B, SCOPE_CC, DIVERTED_CONTENT, INT_MIN, INT_MAX);

	answered_call(s, 0);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 0);
	assert_non_null(scene_facts(s, w, 1));
	assert_non_null(scene_cover(s, w, 1));
	scene_end(s);
}

static void a_warrant_for_signalling_alone_opens_no_media_until_another_does(void **state)
{
	struct scene *s = begin(state);
	uint32_t wb = scene_warrant(s, B, SCOPE_IRI, DIVERTED_CONTENT, INT_MIN, INT_MAX), wa = always(s, A);

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE",
		.body = scene_sdp(s, "10.0.0.1", 4000, "RTP/SAVP", scene_crypto(s, 1, "AES_CM_128_HMAC_SHA1_80", 7)));
	assert_int_equal(
		scene_steps(s, STEP_COVER, 1) + scene_steps(s, STEP_PLACE, 1) + scene_steps(s, STEP_KEY, 1), 0);
	assert_false(scene_facts(s, wb, 1)->keep_keys);
	SAY(.ms = 10, BACK, .start = "UPDATE " A, .method = "UPDATE", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .cseq = 9, .branch = "2");
	assert_non_null(scene_cover(s, wa, 1));
	assert_null(scene_cover(s, wb, 1));
	assert_non_null(scene_place(s, 1, "10.0.0.1:4000"));
	assert_int_equal(scene_place(s, 1, "10.0.0.1:4000")->call, 1);
	assert_int_equal(scene_key(s, 1, 7, false)->call, 1);
	scene_end(s);
}

static void a_call_met_in_its_midst_has_no_beginning(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .cseq = 5, .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.1", 4000, "RTP/AVP", NULL));
	SAY(.ms = 10, BACK, .start = "200 OK", .method = "INVITE", .cseq = 5, .to_tag = "b",
		.body = scene_sdp(s, "10.0.0.2", 5000, "RTP/AVP", NULL));
	f = scene_facts(s, w, 1);
	assert_int_equal(f->started, NSEC_NONE);
	assert_int_equal(f->answered, NSEC_NONE);
	assert_int_equal(f->outcome, CALL_INCOMPLETE);
	assert_true(f->match_count > 0);
	assert_true(scene_place(s, 1, "10.0.0.1:4000")->answered);
	SAY(.ms = 900, .start = "BYE " B, .method = "BYE", .cseq = 6, .branch = "3", .to_tag = "b");
	SAY(.ms = 910, BACK, .start = "200 OK", .method = "BYE", .cseq = 6, .branch = "3", .to_tag = "b");
	assert_int_equal(scene_facts(s, w, 1)->ended, at(900));
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	scene_end(s);
}

static void in_a_dialog_from_and_to_do_not_say_who_called(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	answered_call(s, 0);
	SAY(.ms = 3000, BACK, .start = "INVITE " A, .method = "INVITE", .from = B, .from_tag = "b", .to = A,
		.to_tag = "a", .cseq = 7, .branch = "5", .more = "P-Asserted-Identity: <" B ">\r\n");
	f = scene_facts(s, w, 1);
	assert_int_equal(f->match_count, 2);
	assert_int_equal(f->target, TOWARD_CALLEE);
	assert_string_equal(f->caller, A);
	scene_end(s);
}

static void what_the_capture_cut_before_its_call_id_is_still_one_call(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);
	const struct call_facts *f;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .cut = 90);
	SAY(.ms = 10, BACK, .start = "180 Ringing", .method = "INVITE", .to_tag = "b", .cut = 90);
	SAY(.ms = 900, BACK, .start = "200 OK", .method = "INVITE", .to_tag = "b", .cut = 90);
	SAY(.ms = 910, .start = "ACK " B, .method = "ACK", .branch = "2", .cut = 90);
	SAY(.ms = 5000, .start = "BYE " B, .method = "BYE", .branch = "3", .cut = 90);
	f = scene_facts(s, w, 1);
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 5);
	assert_int_equal(f->call_id_count, 0);
	assert_int_equal(f->answered, at(900));
	assert_int_equal(f->ended, at(5000));
	assert_null(scene_facts(s, w, 2));
	scene_end(s);
}

static void a_reinvite_of_another_dialog_is_no_part_of_it(void **state)
{
	struct scene *s = begin(state);

	always(s, B);
	answered_call(s, 0);
	assert_false(SAY(.ms = 3000, .call_id = "other", .from = "sip:x@y.example", .to = "sip:z@y.example",
		.start = "INVITE sip:z@y.example", .method = "INVITE"));
	/* Nor a second call on the same addresses (S46): that is a call of its own. */
	assert_true(SAY(.ms = 4000, .call_id = "two", .branch = "9", .start = "INVITE " B, .method = "INVITE"));
	assert_int_equal(scene_records(s, RECORD_SIP, 1, 2), 1);
	scene_end(s);
}

static void the_end_of_the_capture_says_what_is_known(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	SAY(.ms = 3000, .call_id = "two", .branch = "9", .start = "INVITE " B, .method = "INVITE");
	scene_over(s, 4000);
	assert_int_equal(scene_facts(s, w, 1)->outcome, CALL_ANSWERED);
	assert_int_equal(scene_facts(s, w, 1)->ended, NSEC_NONE);
	assert_int_equal(scene_facts(s, w, 2)->outcome, CALL_INCOMPLETE);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 1), 1);
	assert_int_equal(scene_steps(s, STEP_CLOSE, 2), 1);
	scene_end(s);
}

/* Events. */

static void signalling_outside_calls_is_told_with_its_responses(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, A), cc = scene_warrant(s, A, SCOPE_CC, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	const struct record *r;

	SAY(.ms = 0, .call_id = "reg", .to = A, .start = "REGISTER sip:ims.example", .method = "REGISTER");
	SAY(.ms = 10, BACK, .call_id = "reg", .to = "sip:x@y.example", .start = "200 OK", .method = "REGISTER",
		.to_tag = "r");
	assert_int_equal(scene_records(s, RECORD_EVENT, w, 0), 2);
	r = &s->heard[0].step.record;
	assert_string_equal(r->event.method, "REGISTER");
	assert_int_equal(r->event.status, 0);
	assert_string_equal(r->event.from, A);
	assert_int_equal(s->heard[1].step.record.event.status, 200);
	assert_int_equal(scene_records(s, RECORD_EVENT, cc, 0), 0);
	scene_time(s, 400000);
	assert_false(SAY(.ms = 400000, BACK, .call_id = "reg", .from = "sip:x@y.example", .to = "sip:x@y.example",
		.start = "200 OK", .method = "REGISTER", .to_tag = "r"));
	scene_end(s);
}

static void a_refer_within_a_call_is_a_message_of_it(void **state)
{
	struct scene *s = begin(state);
	uint32_t w = always(s, B);

	answered_call(s, 0);
	SAY(.ms = 3000, .start = "REFER " B, .method = "REFER", .cseq = 2, .branch = "4", .to_tag = "b",
		.more = "Refer-To: <" C ">\r\n");
	assert_int_equal(scene_records(s, RECORD_SIP, w, 1), 5);
	assert_int_equal(scene_records(s, RECORD_EVENT, w, 0), 0);
	scene_end(s);
}

static bool checksum_right(const struct heard *h)
{
	uint32_t sum = 17 + (uint32_t)h->packet_len - 20;

	h->packet[h->packet_len] = 0;
	for (size_t i = 12; i < h->packet_len; i += 2)
		sum += be16(h->packet + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static void text_is_blanked_at_equal_length_where_content_is_not_covered(void **state)
{
	struct scene *s = begin(state);
	uint32_t all = always(s, B), iri = scene_warrant(s, B, SCOPE_IRI, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	const struct heard *whole, *blank;

	SAY(.ms = 0, .call_id = "m", .start = "MESSAGE " B, .method = "MESSAGE", .type = "text/plain",
		.body = "meet me at nine", .more = "Subject: our\r\n secret\r\n");
	whole = scene_sip(s, all, "meet me");
	blank = scene_sip(s, iri, "MESSAGE " B);
	assert_non_null(whole);
	assert_non_null(blank);
	assert_int_equal(strlen(whole->text), strlen(blank->text));
	assert_null(strstr(blank->text, "meet"));
	assert_null(strstr(blank->text, "secret"));
	assert_non_null(strstr(blank->text, "Content-Type: text/plain"));
	assert_true(checksum_right(whole));
	assert_true(checksum_right(blank));
	scene_end(s);
}

static void a_description_of_media_is_not_content(void **state)
{
	struct scene *s = begin(state);
	uint32_t iri = scene_warrant(s, B, SCOPE_IRI, DIVERTED_CONTENT, INT_MIN, INT_MAX);
	const char *sdp = scene_sdp(s, "10.0.0.1", 4000, "RTP/AVP", NULL);
	const char *mixed = scene_text(s,
		"--xx\r\nContent-Type: application/sdp\r\n\r\n%s--xx\r\nContent-Type: text/plain\r\n\r\nhush\r\n"
		"--xx--\r\n",
		sdp);
	const struct heard *h;

	SAY(.ms = 0, .start = "INVITE " B, .method = "INVITE", .body = mixed, .type = "multipart/mixed;boundary=xx");
	h = scene_sip(s, iri, "m=audio 4000");
	assert_non_null(h);
	assert_null(strstr(h->text, "hush"));
	assert_non_null(strstr(h->text, "--xx--"));
	assert_true(checksum_right(h));
	scene_end(s);
}

/* One stage for all: it is large. */
#define TEST(f) cmocka_unit_test_prestate(f, scene)

int main(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct CMUnitTest tests[] = {
		TEST(a_call_has_a_beginning_an_answer_and_an_end),
		TEST(a_final_failure_says_how_the_call_ended),
		TEST(a_challenge_is_not_the_end),
		TEST(a_fork_that_loses_does_not_end_the_call),
		TEST(a_call_nobody_answers_ends_by_itself),
		TEST(six_hours_without_signalling_are_still_one_call),
		TEST(a_call_is_forgotten_after_its_end),
		TEST(a_mirror_copy_goes_out_once_and_a_retransmission_twice),
		TEST(the_caller_is_whom_the_network_asserts),
		TEST(two_agencies_get_the_whole_call_each_with_its_own_matches),
		TEST(a_warrant_that_comes_late_gets_two_seconds_of_past_and_no_more),
		TEST(claimed_messages_wait_for_the_one_that_claims_them),
		TEST(claimed_messages_that_belong_nowhere_leave_no_trace),
		TEST(messages_claimed_for_a_call_that_goes_on_go_to_all_who_take_it),
		TEST(legs_are_joined_by_session_id_or_icid),
		TEST(one_half_of_a_session_id_does_not_join),
		TEST(the_same_origin_line_never_joins),
		TEST(the_same_inline_key_joins_until_the_first_is_answered),
		TEST(a_diverted_leg_joins_the_call_it_comes_from),
		TEST(a_diverted_leg_of_another_caller_is_another_call),
		TEST(a_called_target_that_calls_makes_a_second_call),
		TEST(the_cause_of_history_info_names_the_service),
		TEST(the_reason_of_diversion_names_the_service_where_no_cause_does),
		TEST(history_info_outweighs_diversion),
		TEST(an_embedded_reason_tells_how_the_party_before_ended),
		TEST(every_diversion_of_a_chain_is_told_once_though_hops_repeat_it),
		TEST(a_deflection_shows_in_the_flow_alone),
		TEST(a_deflection_that_is_signalled_too_is_one),
		TEST(a_key_that_is_nobodys_own_does_not_join),
		TEST(a_diverted_leg_long_after_is_another_call),
		TEST(a_diversion_repeated_towards_a_contact_is_told_once),
		TEST(a_flood_of_diversions_is_bounded),
		TEST(a_leg_whose_bye_was_missed_ends_soon_after_the_other),
		TEST(a_bye_begins_the_end_and_its_answer_completes_it),
		TEST(a_bye_that_nobody_answers_ends_when_its_time_is_over),
		TEST(a_bye_that_is_challenged_or_refused_leaves_the_call_open),
		TEST(a_bye_of_other_tags_is_no_end),
		TEST(a_bye_of_a_stranger_is_no_end_unless_it_is_accepted),
		TEST(who_moved_and_was_answered_since_is_no_stranger),
		TEST(a_bye_whose_set_up_was_answered_unseen_ends_it),
		TEST(what_does_not_fit_into_a_call_is_another_or_given_up),
		TEST(a_callee_who_is_named_in_a_dialog_alone_is_still_the_callee),
		TEST(report_covers_no_media_once_the_call_has_left_the_target),
		TEST(content_covers_media_of_a_diverted_call),
		TEST(a_call_that_crosses_the_end_of_a_warrant_is_cut),
		TEST(a_revoked_warrant_gets_nothing_more),
		TEST(a_warrant_that_begins_in_mid_call_is_told_then),
		TEST(a_warrant_for_content_alone_gets_no_signalling),
		TEST(a_warrant_for_signalling_alone_opens_no_media_until_another_does),
		TEST(a_call_met_in_its_midst_has_no_beginning),
		TEST(in_a_dialog_from_and_to_do_not_say_who_called),
		TEST(what_the_capture_cut_before_its_call_id_is_still_one_call),
		TEST(a_reinvite_of_another_dialog_is_no_part_of_it),
		TEST(the_end_of_the_capture_says_what_is_known),
		TEST(signalling_outside_calls_is_told_with_its_responses),
		TEST(a_refer_within_a_call_is_a_message_of_it),
		TEST(text_is_blanked_at_equal_length_where_content_is_not_covered),
		TEST(a_description_of_media_is_not_content),
	};
	int failed = scene != NULL ? cmocka_run_group_tests(tests, NULL, NULL) : 1;

	free(scene);
	return failed;
}
