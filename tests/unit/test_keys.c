/* keys: KMSs are asked, in virtual time. A script plays the KMS: what it says to each exchange, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/base/secret.h"
#include "otway/keys.h"
#include "otway/otway_rees.h"
#include "otway/xk.h"

#define TEXT(text)                                                                                                     \
	(char[])                                                                                                       \
	{                                                                                                              \
		text                                                                                                   \
	}
#define MS(n)    ((nsec_t)(n)*1000000)
#define SENT_MAX 512

static char own[] = "sip:kms@abc.com", ticket[] = "sip:keys@ticket.example", other_own[] = "sip:other@abc.com";

struct sent {
	uint64_t exchange;
	nsec_t at, timeout;
	uint32_t agreement;
	char request[KEY_REQUEST_ID], path[32];
};

struct scene {
	struct keys *keys;
	struct kms_agreement all[2];
	struct kms_agreements agreements;
	struct warrant warrant;
	struct warrant_set warrants;
	nsec_t now;
	struct sent sent[SENT_MAX];
	size_t sent_count;
	struct key_answer answer;
	size_t answers, traces;
	char trail[2048]; /* acts and outcomes */
};

/* Empties what is to be done. */
static void drain(struct scene *s)
{
	struct keys_out out;

	while (keys_next(s->keys, &out)) {
		if (out.kind == KEYS_ANSWER) {
			s->answer = *out.answer;
			s->answers++;
		} else if (out.kind == KEYS_TRACE) {
			size_t len = strlen(s->trail);

			s->traces++;
			snprintf(s->trail + len, sizeof(s->trail) - len, "%s%s%s ", out.act, out.outcome ? "=" : "",
				out.outcome ? out.outcome : "");
		} else {
			struct sent *to = &s->sent[s->sent_count++ % SENT_MAX];
			struct xk_request r;
			bool ended = strcmp(out.path, XK_ENDED_PATH) == 0;

			*to = (struct sent){ .exchange = out.exchange,
				.at = s->now,
				.timeout = out.timeout,
				.agreement = out.agreement->number };
			snprintf(to->path, sizeof(to->path), "%s", out.path);
			assert_int_equal((ended ? xk_read_ended : xk_read_request)(out.body, &r, NULL), 0);
			snprintf(to->request, sizeof(to->request), "%s", r.request);
			if (!ended)
				assert_true(bytes_equal(r.warrant, bytes_of("LI-7")));
			xk_request_clear(&r);
		}
	}
}

static struct sent *last(struct scene *s)
{
	assert_true(s->sent_count > 0);
	return &s->sent[(s->sent_count - 1) % SENT_MAX];
}

/* Lets time pass, each timer at its moment, until `until`. */
static void pass(struct scene *s, nsec_t until)
{
	nsec_t due;

	while ((due = keys_due(s->keys)) != NSEC_NONE && due <= until) {
		s->now = due > s->now ? due : s->now;
		keys_time(s->keys, s->now);
		drain(s);
	}
	s->now = until;
	keys_time(s->keys, until);
	drain(s);
}

static void reply(struct scene *s, const struct sent *to, unsigned status, const char *body)
{
	const struct keys_reply r = { to->exchange, status, true, bytes_of(body) };

	keys_reply(s->keys, &r, s->now);
	drain(s);
}

static const char *body_with(const char *request, const char *rest)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{\"request\":\"%s\",%s}", request, rest);
	return text;
}

/* Key and salt of RFC 3711 B.3. */
#define KEYS_OF(cs, more)                                                                                              \
	"\"keys\":[{\"cs\":" #cs ",\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\",\"salt\":\"DsZ1rUmK/uu2lgs6q+Y=\"" more "}]"

static void reply_keys(struct scene *s)
{
	reply(s, last(s), 200, body_with(last(s)->request, KEYS_OF(1, "")));
}

static void reply_failure(struct scene *s, const char *failure)
{
	char rest[100];

	snprintf(rest, sizeof(rest), "\"failure\":\"%s\"", failure);
	reply(s, last(s), 200, body_with(last(s)->request, rest));
}

static void begin(struct scene *s, const struct keys_options *o)
{
	static const struct keys_options seeded = { .seed = 7 };

	*s = (struct scene){ .now = 1000 * NSEC_PER_SEC };
	s->all[0] = (struct kms_agreement){ .number = 1, .identity = own };
	s->all[1] = (struct kms_agreement){ .number = 2, .identity = ticket };
	s->agreements = (struct kms_agreements){ s->all, 2 };
	s->warrant = (struct warrant){ .number = 9, .liid = "LI-7" };
	s->warrants = (struct warrant_set){ &s->warrant, 1 };
	s->keys = keys_new(o != NULL ? o : &seeded);
	assert_non_null(s->keys);
	keys_agreements(s->keys, &s->agreements);
	keys_warrants(s->keys, &s->warrants);
}

static struct key_wanted wanted(uint64_t number)
{
	return (struct key_wanted){ .number = number,
		.call = (uint32_t)number,
		.line = 0,
		.warrant = 9,
		.at = 500 * NSEC_PER_SEC,
		.target = bytes_of("sip:alice@abc.com"),
		.from = bytes_of("sip:alice@abc.com"),
		.to = bytes_of("sip:bob@abc.com"),
		.call_id = bytes_of("c1") };
}

static void take(struct scene *s, const struct key_wanted *w)
{
	assert_true(keys_take(s->keys, w, s->now));
	drain(s);
}

static void want(struct scene *s, uint64_t number)
{
	struct key_wanted w = wanted(number);

	take(s, &w);
}

static uint64_t count_of(struct scene *s, const char *name)
{
	struct counter all[16];
	size_t count = keys_counts(s->keys, all, 16);

	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	fail();
	return 0;
}

static void assert_refused(struct scene *s, enum seal_reason reason)
{
	assert_int_equal(s->answers, 1);
	assert_string_equal(seal_reason_text(s->answer.reason), seal_reason_text(reason));
	assert_int_equal(s->answer.key_count, 0);
	assert_int_equal(keys_waiting(s->keys), 0);
	assert_int_equal(keys_due(s->keys), NSEC_NONE);
}

static void end(struct scene *s)
{
	keys_free(s->keys);
	secret_wipe(s, sizeof(*s));
}

static void a_key_is_asked_for_and_given(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	want(&s, 5);
	assert_int_equal(s.sent_count, 1);
	assert_int_equal(last(&s)->agreement, 1);
	assert_string_equal(last(&s)->path, "/xk/v1/keys");
	assert_int_equal(keys_waiting(s.keys), 1);
	reply_keys(&s);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.answer.number, 5);
	assert_int_equal(s.answer.call, 5);
	assert_int_equal(s.answer.reason, SEAL_NONE);
	assert_string_equal(s.answer.request, last(&s)->request);
	assert_int_equal(s.answer.tried_count, 1);
	assert_int_equal(s.answer.tried[0].origin, KMS_CONVENTION);
	assert_string_equal(s.answer.tried[0].kms, "sip:kms@abc.com");
	assert_true(s.answer.key_count >= 1);
	assert_int_equal(s.answer.keys[0].key.source, KEY_KMS);
	assert_memory_equal(
		s.answer.keys[0].key.key, "\xE1\xF9\x7A\x0D\x3E\x01\x8B\xE0\xD6\x4F\xA3\x2C\x06\xDE\x41\x39", 16);
	assert_string_equal(s.trail, "key-request key-answer=keys ");
	assert_int_equal(keys_waiting(s.keys), 0);
	assert_int_equal(keys_due(s.keys), NSEC_NONE);
	end(&s);
}

/* Its first exchanges time out; each has more time than the one before, under the same id. */
static void a_kms_that_is_slow_by_five_seconds_answers_in_the_end(void **state)
{
	struct scene s;
	char request[KEY_REQUEST_ID];

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	memcpy(request, last(&s)->request, sizeof(request));
	assert_int_equal(last(&s)->timeout, MS(2000));
	pass(&s, s.now + MS(2000));
	reply(&s, last(&s), 0, "");
	pass(&s, s.now + MS(320));
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(last(&s)->timeout, MS(4000));
	pass(&s, s.now + MS(4000));
	reply(&s, last(&s), 0, "");
	pass(&s, s.now + MS(630));
	assert_int_equal(s.sent_count, 3);
	assert_int_equal(last(&s)->timeout, MS(8000));
	assert_string_equal(last(&s)->request, request);
	pass(&s, s.now + MS(5000));
	assert_int_equal(s.sent_count, 3);
	reply_keys(&s);
	assert_int_equal(s.answer.reason, SEAL_NONE);
	assert_int_equal(count_of(&s, "retried"), 2);
	assert_string_equal(s.trail, "key-request key-answer=keys ");
	end(&s);
}

/* S94 */
static void a_kms_that_is_down_for_thirty_seconds_is_asked_until_it_answers(void **state)
{
	struct scene s;
	nsec_t up;

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	up = s.now + 30 * NSEC_PER_SEC;
	while (s.now < up) {
		size_t sent = s.sent_count;

		reply(&s, last(&s), 0, "");
		while (s.sent_count == sent)
			pass(&s, s.now + MS(50));
	}
	assert_true(s.sent_count < 15); /* back-off */
	assert_true(s.now < up + 9 * NSEC_PER_SEC);
	reply_keys(&s);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.answer.reason, SEAL_NONE);
	assert_int_equal(count_of(&s, "circuit_opened"), 1);
	end(&s);
}

static void patience_has_an_end(void **state)
{
	struct scene s;
	nsec_t from;

	(void)state;
	begin(&s, NULL);
	from = s.now;
	want(&s, 1);
	while (s.answers == 0) {
		if (s.sent_count > 0 && s.sent_count != s.traces)
			reply(&s, last(&s), 0, "");
		reply(&s, last(&s), 0, "");
		pass(&s, s.now + MS(250));
		assert_true(s.now <= from + 75 * NSEC_PER_SEC);
	}
	assert_true(s.now >= from + 60 * NSEC_PER_SEC);
	assert_refused(&s, SEAL_KMS_UNREACHABLE);
	assert_string_equal(s.trail, "key-request key-answer=kms-unreachable ");
	end(&s);
}

/* An exchange that nobody reports on is over all the same. */
static void a_time_out_that_is_not_reported_is_noticed(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	pass(&s, s.now + MS(2900));
	assert_int_equal(s.sent_count, 1);
	pass(&s, s.now + MS(500));
	assert_int_equal(s.sent_count, 2);
	reply(&s, &s.sent[0], 200, body_with(last(&s)->request, KEYS_OF(1, ""))); /* too late: asked anew */
	assert_int_equal(s.answers, 0);
	reply_keys(&s);
	assert_int_equal(s.answers, 1);
	end(&s);
}

/* S95 */
static void a_refusal_is_final_and_never_asked_again(void **state)
{
	static const struct {
		const char *failure;
		enum seal_reason reason;
	} finals[] = { { "refused", SEAL_KMS_REFUSED }, { "purged", SEAL_KEY_PURGED },
		{ "no-agreement", SEAL_KMS_NO_AGREEMENT } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct scene s;

		begin(&s, NULL);
		want(&s, 1);
		reply_failure(&s, finals[i].failure);
		assert_refused(&s, finals[i].reason);
		pass(&s, s.now + 600 * NSEC_PER_SEC);
		assert_int_equal(s.sent_count, 1);
		assert_int_equal(s.answer.tried[0].outcome, finals[i].reason);
		end(&s);
	}
}

static void http_400_and_403_are_refusals(void **state)
{
	static const unsigned statuses[] = { 400, 403 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene s;

		begin(&s, NULL);
		want(&s, 1);
		reply(&s, last(&s), statuses[i], "{\"error\":\"no\"}");
		assert_refused(&s, SEAL_KMS_REFUSED);
		end(&s);
	}
}

/* Whatever cannot be right is a failure of the exchange: asked again, and the right answer still counts. */
static void what_cannot_be_right_is_asked_again(void **state)
{
	static const char other[] = "{\"request\":\"ffffffffffffffffffffffffffffffff\"," KEYS_OF(1, "") "}";
	static const char *const bodies[] = { "", "garbage", "[]", "{}", "{\"keys\":[]}", other };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct scene s;

		begin(&s, NULL);
		want(&s, 1);
		reply(&s, last(&s), 200, bodies[i]);
		assert_int_equal(s.answers, 0);
		pass(&s, s.now + MS(320));
		assert_int_equal(s.sent_count, 2);
		assert_string_equal(s.sent[0].request, s.sent[1].request);
		reply_keys(&s);
		assert_int_equal(s.answers, 1);
		assert_int_equal(s.answer.reason, SEAL_NONE);
		end(&s);
	}
}

static void a_certificate_that_is_not_believed_ends_it(void **state)
{
	struct scene s;
	struct keys_reply r = { .status = 0, .trusted = false };

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	r.exchange = last(&s)->exchange;
	keys_reply(s.keys, &r, s.now);
	drain(&s);
	assert_refused(&s, SEAL_KMS_UNREACHABLE);
	pass(&s, s.now + 600 * NSEC_PER_SEC);
	assert_int_equal(s.sent_count, 1);
	end(&s);
}

static void the_next_candidate_is_asked_on_unknown_alone(void **state)
{
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.signalled = bytes_of("sip:keys@ticket.example");
	take(&s, &w);
	assert_int_equal(last(&s)->agreement, 2);
	reply_failure(&s, "unknown");
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(last(&s)->agreement, 1);
	assert_string_equal(s.sent[0].request, s.sent[1].request);
	reply_keys(&s);
	assert_int_equal(s.answer.tried_count, 2);
	assert_int_equal(s.answer.tried[0].origin, KMS_SIGNALLED);
	assert_int_equal(s.answer.tried[0].outcome, SEAL_KMS_UNKNOWN);
	assert_int_equal(s.answer.tried[1].outcome, SEAL_NONE);
	assert_string_equal(s.trail, "key-request key-answer=kms-unknown key-request key-answer=keys ");
	end(&s);
	begin(&s, NULL);
	take(&s, &w);
	reply_failure(&s, "refused");
	assert_int_equal(s.sent_count, 1);
	assert_refused(&s, SEAL_KMS_REFUSED);
	assert_int_equal(s.answer.tried_count, 1);
	end(&s);
}

/* S97 */
static void without_an_agreement_nobody_is_asked(void **state)
{
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.target = bytes_of("sip:alice@elsewhere.example");
	take(&s, &w);
	assert_int_equal(s.sent_count, 0);
	assert_refused(&s, SEAL_KMS_NO_AGREEMENT);
	assert_string_equal(s.answer.request, "");
	assert_int_equal(s.answer.tried_count, 1);
	assert_string_equal(s.answer.tried[0].kms, "sip:kms@elsewhere.example");
	assert_int_equal(s.answer.tried[0].outcome, SEAL_KMS_NO_AGREEMENT);
	assert_string_equal(s.trail, "");
	end(&s);
}

static void the_reason_is_what_the_best_claim_came_to(void **state)
{
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.signalled = bytes_of("sip:kms@evil.example");
	take(&s, &w); /* passed over, the target's own does not know */
	assert_int_equal(last(&s)->agreement, 1);
	reply_failure(&s, "unknown");
	assert_refused(&s, SEAL_KMS_NO_AGREEMENT);
	assert_int_equal(s.answer.tried_count, 2);
	end(&s);
	begin(&s, NULL);
	w.signalled = bytes_of("sip:keys@ticket.example");
	s.agreements.all[0].number = 3;
	s.agreements.all[0].identity = other_own;
	take(&s, &w); /* it does not know, the convention's is passed over */
	reply_failure(&s, "unknown");
	assert_refused(&s, SEAL_KMS_UNKNOWN);
	assert_int_equal(s.answer.tried_count, 2);
	assert_int_equal(s.answer.tried[1].outcome, SEAL_KMS_NO_AGREEMENT);
	end(&s);
}

static void keys_made_between_the_ends_are_wanted_of_nobody(void **state)
{
	static const uint8_t psk[] = { 1, 0, 0, 0, 0, 0, 0, 1, 0, 1 };
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.offer = (struct bytes){ psk, sizeof(psk) };
	take(&s, &w);
	assert_int_equal(s.sent_count, 0);
	assert_refused(&s, SEAL_NO_KEY);
	assert_int_equal(s.answer.tried_count, 0);
	end(&s);
}

static void without_a_warrant_nobody_is_asked(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	s.warrants.count = 0;
	want(&s, 1);
	assert_int_equal(s.sent_count, 0);
	assert_refused(&s, SEAL_NO_KEY);
	assert_string_equal(s.trail, "");
	end(&s);
}

static void the_circuit_opens_waits_and_probes(void **state)
{
	struct scene s;
	nsec_t opened;

	(void)state;
	begin(&s, NULL);
	for (uint64_t i = 1; i <= 160; i++)
		want(&s, i);
	assert_int_equal(s.sent_count, 128); /* at once, no more */
	for (size_t i = 0; i < 128; i++)
		reply(&s, &s.sent[i], 503, "");
	assert_int_equal(count_of(&s, "circuit_opened"), 1);
	opened = s.now;
	assert_int_equal(s.sent_count, 132); /* four went out before the fifth failure */
	for (size_t i = 128; i < 132; i++)
		reply(&s, &s.sent[i], 503, "");
	pass(&s, opened + MS(4990));
	assert_int_equal(s.sent_count, 132);
	pass(&s, opened + MS(5010));
	assert_int_equal(s.sent_count, 133); /* one probe */
	reply(&s, last(&s), 503, "");
	pass(&s, s.now + MS(4900));
	assert_int_equal(s.sent_count, 133);
	pass(&s, s.now + MS(200));
	assert_int_equal(s.sent_count, 134);
	reply_failure(&s, "refused"); /* an answer: it is there again */
	assert_int_equal(s.sent_count, 134 + 128);
	assert_int_equal(keys_waiting(s.keys), 159);
	end(&s);
}

static void later_is_as_much_later_as_the_kms_says(void **state)
{
	struct scene s;
	nsec_t from;

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	from = s.now;
	reply(&s, last(&s), 200, body_with(last(&s)->request, "\"failure\":\"try-later\",\"retry_after\":100"));
	pass(&s, from + 99 * NSEC_PER_SEC);
	assert_int_equal(s.sent_count, 1);
	assert_int_equal(s.answers, 0);
	pass(&s, from + 101 * NSEC_PER_SEC);
	assert_int_equal(s.sent_count, 2);
	reply(&s, last(&s), 200, body_with(last(&s)->request, "\"failure\":\"try-later\",\"retry_after\":86400"));
	pass(&s, from + 601 * NSEC_PER_SEC);
	assert_refused(&s, SEAL_KMS_UNREACHABLE);
	end(&s);
}

/* S96 */
static void twenty_thousand_wanted_keys_are_bounded_and_the_oldest_gives_way(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	for (uint64_t i = 1; i <= 20003; i++)
		want(&s, i);
	assert_int_equal(s.sent_count, 128);
	assert_int_equal(keys_waiting(s.keys), 20000);
	assert_int_equal(s.answers, 3);
	assert_int_equal(s.answer.number, 131); /* those that are being asked stay */
	assert_int_equal(s.answer.reason, SEAL_KMS_UNREACHABLE);
	assert_int_equal(count_of(&s, "dropped"), 3);
	end(&s);
}

static void the_octets_that_wait_are_bounded_too(void **state)
{
	static uint8_t token[KEY_TOKEN_MAX];
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	token[0] = 1;
	token[1] = 14;
	w.offer = w.answer = w.first_offer = w.first_answer = (struct bytes){ token, sizeof(token) };
	for (uint64_t i = 1; i <= 2100; i++) { /* 32 KiB each */
		w.number = i;
		w.call = (uint32_t)i;
		take(&s, &w);
	}
	assert_true(keys_waiting(s.keys) * 4 * KEY_TOKEN_MAX <= (size_t)64 << 20);
	assert_true(keys_waiting(s.keys) > 1500);
	assert_int_equal(keys_waiting(s.keys) + s.answers, 2100);
	end(&s);
}

static void a_call_that_is_over_wants_nothing_and_its_kms_is_told(void **state)
{
	struct key_wanted w = wanted(1);
	struct scene s;

	(void)state;
	begin(&s, NULL);
	take(&s, &w);
	w.number = 2; /* a re-keying of the same call */
	take(&s, &w);
	assert_int_equal(s.sent_count, 2);
	reply_keys(&s);
	keys_call_over(s.keys, 1, true, s.now);
	drain(&s);
	assert_int_equal(s.answers, 1);
	assert_int_equal(keys_waiting(s.keys), 0);
	assert_int_equal(s.sent_count, 4);
	assert_string_equal(s.sent[2].path, "/xk/v1/ended");
	assert_string_equal(s.sent[3].path, "/xk/v1/ended");
	reply(&s, &s.sent[0], 200, body_with(s.sent[0].request, KEYS_OF(1, ""))); /* nobody waits for it */
	assert_int_equal(s.answers, 1);
	reply(&s, &s.sent[2], 200, body_with(s.sent[2].request, "\"purged\":1"));
	reply(&s, &s.sent[3], 500, "");
	pass(&s, s.now + MS(320));
	assert_int_equal(s.sent_count, 5);
	reply(&s, last(&s), 200, body_with(last(&s)->request, "\"purged\":0"));
	assert_int_equal(keys_due(s.keys), NSEC_NONE);
	assert_int_equal(s.answers, 1);
	assert_non_null(strstr(s.trail, "key-answer=dropped "));
	assert_non_null(strstr(s.trail, "call-ended "));
	end(&s);
}

/* A KMS has as much to do as it is given: what calls wait for goes before that others are over. */
static void keys_are_asked_for_before_ends_are_told(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	for (uint64_t i = 1; i <= 130; i++) {
		want(&s, i);
		reply_keys(&s);
	}
	for (uint32_t i = 1; i <= 130; i++)
		keys_call_over(s.keys, i, true, s.now);
	drain(&s);
	assert_int_equal(s.sent_count, 130 + 128);
	want(&s, 1000);
	assert_int_equal(s.sent_count, 130 + 128);
	for (size_t i = 130; i < 133; i++)
		reply(&s, &s.sent[i], 200, body_with(s.sent[i].request, "\"purged\":1"));
	assert_int_equal(s.sent_count, 130 + 131);
	assert_string_equal(s.sent[258].path, "/xk/v1/keys");
	assert_string_equal(s.sent[259].path, "/xk/v1/ended");
	assert_string_equal(s.sent[260].path, "/xk/v1/ended");
	end(&s);
}

static void a_call_that_is_over_may_end_without_a_word(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	keys_call_over(s.keys, 1, false, s.now);
	keys_call_over(s.keys, 77, true, s.now);
	drain(&s);
	assert_int_equal(s.sent_count, 1);
	assert_int_equal(s.answers, 0);
	assert_int_equal(keys_due(s.keys), NSEC_NONE);
	end(&s);
}

static void an_agreement_that_ends_is_not_used_any_more(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	want(&s, 1);
	reply(&s, last(&s), 503, "");
	keys_agreements(s.keys, NULL);
	pass(&s, s.now + NSEC_PER_SEC);
	assert_int_equal(s.sent_count, 1);
	assert_refused(&s, SEAL_KMS_NO_AGREEMENT);
	end(&s);
}

/* The same seed waits the same, and every wait is within a quarter of what it is to be. */
static void the_jitter_is_of_the_seed(void **state)
{
	struct keys_options o = { .seed = 12345 };
	nsec_t first[4] = { 0 };

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct scene s;
		nsec_t at;

		begin(&s, &o);
		want(&s, 1);
		for (int i = 0; i < 4; i++) {
			at = s.now;
			reply(&s, last(&s), 0, "");
			pass(&s, keys_due(s.keys));
			at = last(&s)->at - at;
			assert_in_range((uint64_t)at, (uint64_t)MS(250 << i) * 3 / 4, (uint64_t)MS(250 << i) * 5 / 4);
			assert_true(run == 0 || at == first[i]);
			first[i] = at;
		}
		end(&s);
	}
}

/* TRANSFER_INIT and TRANSFER_RESP (RFC 6043 6.1.1, RFC 3830 6.10), octet by octet; the answer says the SPI. */
static const uint8_t transfer_init[] = { 1, 14, 10, 0, 1, 2, 3, 4, 2, 2,             /* two sessions, GENERIC-ID */
	1, 0, 1, 7, 0, 0, 0,                                                         /* CS 1, SRTP, policy 7 */
	2, 0, 1, 7, 0, 0, 0,                                                         /* CS 2 */
	0, 7, 0, 0, 6, 1, 1, 16, 11, 1, 4 };                                         /* SP 7: key 16, tag 4 */
static const uint8_t transfer_resp[] = { 1, 15, 5, 0, 1, 2, 3, 4, 2, 2,              /* then T */
	1, 0, 1, 7, 0, 4, 0xaa, 0xbb, 0xcc, 0xdd, 2, 0x51, 0x52,                     /* SSRC and SPI */
	2, 0, 1, 7, 0, 4, 0x11, 0x22, 0x33, 0x44, 2, 0x53, 0x54, 0, 2, 0, 0, 0, 1 }; /* a counter */

static struct key_wanted ticketed(void)
{
	struct key_wanted w = wanted(1);

	w.line = UINT32_MAX;
	w.offer = (struct bytes){ transfer_init, sizeof(transfer_init) };
	w.answer = (struct bytes){ transfer_resp, sizeof(transfer_resp) };
	return w;
}

static void what_is_not_in_the_answer_is_read_in_the_transfer(void **state)
{
	struct key_wanted w = ticketed();
	struct scene s;

	(void)state;
	begin(&s, NULL);
	take(&s, &w);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(2, "")));
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.answer.key_count, 1);
	assert_int_equal(s.answer.keys[0].key.suite, AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(s.answer.keys[0].line, 0);
	assert_int_equal(s.answer.keys[0].call, 1);
	assert_int_equal(s.answer.keys[0].key.mki_len, 2);
	assert_memory_equal(s.answer.keys[0].key.mki, "\x53\x54", 2);
	assert_false(s.answer.mismatch);
	end(&s);
}

static void an_mki_that_signalling_says_otherwise_is_a_mismatch_and_the_kms_wins(void **state)
{
	struct key_wanted w = ticketed();
	struct scene s;

	(void)state;
	begin(&s, NULL);
	take(&s, &w);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(1, ",\"mki\":\"9999\"")));
	assert_true(s.answer.mismatch);
	assert_memory_equal(s.answer.keys[0].key.mki, "\x99\x99", 2);
	assert_int_equal(count_of(&s, "mismatches"), 1);
	end(&s);
}

#define ONE_KEY(key, salt) "\"keys\":[{\"cs\":1,\"key\":\"" key "\",\"salt\":\"" salt "\"}]"

static void a_session_or_a_length_that_signalling_has_not_is_asked_again(void **state)
{
	static const char key_32[] = ONE_KEY("4fl6DT4Bi+DWT6MsBt5BOeH5eg0+AYvg1k+jLAbeQTk=", "DsZ1rUmK/uu2lgs6q+Y=");
	static const char salt_12[] = ONE_KEY("4fl6DT4Bi+DWT6MsBt5BOQ==", "DsZ1rUmK/uu2lgs6");
	static const char no_session[] = KEYS_OF(3, "");
	static const char *const wrong[] = { no_session, key_32, salt_12 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct key_wanted w = ticketed();
		struct scene s;

		begin(&s, NULL);
		take(&s, &w);
		reply(&s, last(&s), 200, body_with(last(&s)->request, wrong[i]));
		assert_int_equal(s.answers, 0);
		pass(&s, s.now + MS(320));
		assert_int_equal(s.sent_count, 2);
		end(&s);
	}
}

/* S92: KEMAC without encryption: anybody can have written it. */
static void a_key_that_signalling_carries_in_clear_is_a_mismatch(void **state)
{
	static const uint8_t forged[] = { 1, 14, 1, 0, 1, 2, 3, 4, 1, 2, 1, 0, 0, 0, 0, 0, /* KEMAC next */
		0, 0, 0, 20, 0, 0x20, 0, 16, 'f', 'o', 'r', 'g', 'e', 'd', ' ', 'k', 'e', 'y', ' ', 'b', 'l', 'o', 'b',
		'!', 0 };
	struct key_wanted w = ticketed();
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.offer = (struct bytes){ forged, sizeof(forged) };
	take(&s, &w);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(1, ",\"mki\":\"5152\"")));
	assert_int_equal(s.answers, 1);
	assert_true(s.answer.mismatch);
	assert_memory_equal(s.answer.keys[0].key.key, "\xE1\xF9\x7A\x0D", 4);
	end(&s);
}

static void a_suite_that_nothing_here_opens_is_said_so(void **state)
{
	static const uint8_t f8[] = { 1, 14, 10, 0, 1, 2, 3, 4, 1, 2, 1, 0, 1, 7, 0, 0, 0, 0, 7, 0, 0, 3, 0, 1, 2 };
	struct key_wanted w = ticketed();
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.offer = (struct bytes){ f8, sizeof(f8) };
	w.answer = (struct bytes){ NULL, 0 };
	take(&s, &w);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(1, "")));
	assert_refused(&s, SEAL_SUITE_UNSUPPORTED);
	assert_string_equal(s.trail, "key-request key-answer=keys ");
	end(&s);
}

/* RFC 6043 5.2: a re-keying says neither map nor policy again. */
static void a_re_keying_is_of_the_first_exchanges_sessions(void **state)
{
	static const uint8_t update[] = { 1, 14, 5, 0, 1, 2, 3, 4, 0, 1, 0, 2, 0, 0, 0, 2 };
	struct key_wanted w = ticketed();
	struct scene s;

	(void)state;
	begin(&s, NULL);
	w.first_offer = w.offer;
	w.first_answer = w.answer;
	w.offer = (struct bytes){ update, sizeof(update) };
	w.answer = (struct bytes){ NULL, 0 };
	take(&s, &w);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(1, ",\"mki\":\"5555\"")));
	assert_int_equal(s.answer.key_count, 1);
	assert_int_equal(s.answer.keys[0].key.suite, AES_CM_128_HMAC_SHA1_32);
	assert_memory_equal(s.answer.keys[0].key.mki, "\x55\x55", 2);
	assert_false(s.answer.mismatch);
	end(&s);
}

static void otway_rees_says_suite_mki_and_direction(void **state)
{
	static const uint8_t m[16] = "run", envelope[137] = "sealed";
	struct or_message message = { .type = OR_OFFER,
		.m = { m, 16 },
		.a = bytes_of("sip:alice@abc.com"),
		.b = bytes_of("sip:bob@abc.com"),
		.envelope_a = { envelope, sizeof(envelope) },
		.session_count = 2,
		.sessions = {
			{ .cs = 1, .suite = AES_CM_128_HMAC_SHA1_32, .suite_number = 2, .mki_len = 1, .mki = { 9 } },
			{ .cs = 4, .suite = AES_CM_128_HMAC_SHA1_80, .suite_number = 1 } } };
	struct key_wanted w = wanted(1);
	struct buf token = { 0 };
	struct scene s;

	(void)state;
	begin(&s, NULL);
	assert_int_equal(or_write(&message, &token, NULL), 0);
	w.protocol = KEY_MGMT_OTWAY_REES;
	w.line = UINT32_MAX;
	w.offer = buf_bytes(&token);
	take(&s, &w);
	buf_clear(&token);
	reply(&s, last(&s), 200, body_with(last(&s)->request, KEYS_OF(1, "")));
	assert_int_equal(s.answer.keys[0].key.suite, AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(s.answer.keys[0].toward, TOWARD_CALLEE); /* A is the caller, and sends it */
	assert_int_equal(s.answer.keys[0].line, 0);
	assert_int_equal(s.answer.keys[0].key.mki_len, 1);
	assert_int_equal(s.answer.keys[0].key.mki[0], 9);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_asked_for_and_given),
		cmocka_unit_test(a_kms_that_is_slow_by_five_seconds_answers_in_the_end),
		cmocka_unit_test(a_kms_that_is_down_for_thirty_seconds_is_asked_until_it_answers),
		cmocka_unit_test(patience_has_an_end),
		cmocka_unit_test(a_time_out_that_is_not_reported_is_noticed),
		cmocka_unit_test(a_refusal_is_final_and_never_asked_again),
		cmocka_unit_test(http_400_and_403_are_refusals),
		cmocka_unit_test(what_cannot_be_right_is_asked_again),
		cmocka_unit_test(a_certificate_that_is_not_believed_ends_it),
		cmocka_unit_test(the_next_candidate_is_asked_on_unknown_alone),
		cmocka_unit_test(without_an_agreement_nobody_is_asked),
		cmocka_unit_test(the_reason_is_what_the_best_claim_came_to),
		cmocka_unit_test(keys_made_between_the_ends_are_wanted_of_nobody),
		cmocka_unit_test(without_a_warrant_nobody_is_asked),
		cmocka_unit_test(the_circuit_opens_waits_and_probes),
		cmocka_unit_test(later_is_as_much_later_as_the_kms_says),
		cmocka_unit_test(twenty_thousand_wanted_keys_are_bounded_and_the_oldest_gives_way),
		cmocka_unit_test(the_octets_that_wait_are_bounded_too),
		cmocka_unit_test(a_call_that_is_over_wants_nothing_and_its_kms_is_told),
		cmocka_unit_test(keys_are_asked_for_before_ends_are_told),
		cmocka_unit_test(a_call_that_is_over_may_end_without_a_word),
		cmocka_unit_test(an_agreement_that_ends_is_not_used_any_more),
		cmocka_unit_test(the_jitter_is_of_the_seed),
		cmocka_unit_test(what_is_not_in_the_answer_is_read_in_the_transfer),
		cmocka_unit_test(an_mki_that_signalling_says_otherwise_is_a_mismatch_and_the_kms_wins),
		cmocka_unit_test(a_session_or_a_length_that_signalling_has_not_is_asked_again),
		cmocka_unit_test(a_key_that_signalling_carries_in_clear_is_a_mismatch),
		cmocka_unit_test(a_suite_that_nothing_here_opens_is_said_so),
		cmocka_unit_test(a_re_keying_is_of_the_first_exchanges_sessions),
		cmocka_unit_test(otway_rees_says_suite_mki_and_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
