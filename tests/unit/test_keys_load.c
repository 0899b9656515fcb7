/* keys under load, in virtual time: set-ups come evenly, each needs a key, and a script plays the KMS that answers after a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "otway/keys.h"
#include "otway/xk.h"

#define MS(n)  ((nsec_t)(n)*1000000)
#define RING   1024 /* exchanges under way */
#define WANTED 5000 /* keys */

static char kms[] = "sip:kms@abc.com";

struct scene {
	struct keys *keys;
	struct kms_agreement agreement;
	struct kms_agreements agreements;
	struct warrant warrant;
	struct warrant_set warrants;
	nsec_t now, delay; /* of the KMS */
	struct {
		nsec_t at;
		uint64_t exchange;
		char request[KEY_REQUEST_ID];
		bool ended; /* the end of a call is told */
	} due[RING];
	size_t first, last; /* answers come in the order of asking */
	nsec_t wanted[WANTED + 1], longest;
	size_t answered, unreachable, deepest, under_way;
};

static void begin(struct scene *s, nsec_t delay, const struct keys_options *o)
{
	*s = (struct scene){ .delay = delay };
	s->agreement = (struct kms_agreement){ .number = 1, .identity = kms };
	s->agreements = (struct kms_agreements){ &s->agreement, 1 };
	s->warrant = (struct warrant){ .number = 9, .liid = "LI-7" };
	s->warrants = (struct warrant_set){ &s->warrant, 1 };
	s->keys = keys_new(o);
	assert_non_null(s->keys);
	keys_agreements(s->keys, &s->agreements);
	keys_warrants(s->keys, &s->warrants);
}

static void note_answer(struct scene *s, const struct key_answer *a)
{
	nsec_t took = s->now - s->wanted[a->number];

	if (a->reason == SEAL_NONE) {
		s->answered++;
		s->longest = took > s->longest ? took : s->longest;
	} else {
		assert_int_equal(a->reason, SEAL_KMS_UNREACHABLE);
		s->unreachable++;
	}
}

static void drain(struct scene *s)
{
	char request[KEY_REQUEST_ID] = "";
	struct keys_out out;

	while (keys_next(s->keys, &out)) {
		if (out.kind == KEYS_TRACE) {
			memcpy(request, out.request, sizeof(request));
		} else if (out.kind == KEYS_ANSWER) {
			note_answer(s, out.answer);
		} else {
			assert_true(s->last - s->first < RING);
			s->due[s->last % RING].at = s->now + s->delay;
			s->due[s->last % RING].exchange = out.exchange;
			s->due[s->last % RING].ended = strcmp(out.path, XK_ENDED_PATH) == 0;
			memcpy(s->due[s->last++ % RING].request, request, sizeof(request));
			if (s->last - s->first > s->under_way)
				s->under_way = s->last - s->first;
		}
	}
}

/* The oldest exchange is answered: key and salt of RFC 3711 B.3, or that of the call nothing was kept. */
static void reply(struct scene *s)
{
	char body[200];
	struct keys_reply r = { s->due[s->first % RING].exchange, 200, true, { NULL, 0 } };

	snprintf(body, sizeof(body), "{\"request\":\"%s\",%s}", s->due[s->first % RING].request,
		s->due[s->first % RING].ended ? "\"purged\":0"
					      : "\"keys\":[{\"cs\":1,\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\","
						"\"salt\":\"DsZ1rUmK/uu2lgs6q+Y=\"}]");
	s->first++;
	r.body = bytes_of(body);
	keys_reply(s->keys, &r, s->now);
	drain(s);
}

static void pass(struct scene *s, nsec_t until)
{
	while (s->first < s->last && s->due[s->first % RING].at <= until) {
		s->now = s->due[s->first % RING].at;
		reply(s);
	}
	s->now = until;
	keys_time(s->keys, s->now);
	drain(s);
}

static void take(struct scene *s, uint32_t i)
{
	const struct key_wanted w = { .number = i,
		.call = i,
		.warrant = 9,
		.target = bytes_of("sip:alice@abc.com"),
		.call_id = bytes_of("1@abc.com") };

	s->wanted[i] = s->now;
	assert_true(keys_take(s->keys, &w, s->now));
	drain(s);
}

/* So many a second until all WANTED were wanted, and then until nothing is under way. */
static void set_up(struct scene *s, unsigned rate)
{
	for (uint32_t i = 1; i <= WANTED; i++) {
		pass(s, (nsec_t)i * NSEC_PER_SEC / rate);
		take(s, i);
		if (keys_waiting(s->keys) > s->deepest)
			s->deepest = keys_waiting(s->keys);
	}
	pass(s, s->now + 60 * NSEC_PER_SEC);
	assert_int_equal(keys_waiting(s->keys), 0);
	assert_int_equal(s->answered + s->unreachable, WANTED);
}

static void end(struct scene *s)
{
	keys_free(s->keys);
}

/* S96. By Little's law 25 of them wait at a time. */
static void five_hundred_set_ups_a_second_wait_only_as_long_as_the_kms_takes(void **state)
{
	static struct scene s;

	(void)state;
	begin(&s, MS(50), NULL);
	set_up(&s, 500);
	assert_int_equal(s.answered, WANTED);
	assert_true(s.longest == MS(50));
	assert_true(s.deepest <= 26);
	end(&s);
}

/* 128 exchanges at a time of 100 ms each: 1,280 a second go, what is above that waits in order, then the oldest gives way. */
static void more_than_a_kms_can_answer_stays_bounded_and_is_all_accounted_for(void **state)
{
	const struct keys_options o = { .wanted_max = 200 };
	static struct scene s;

	(void)state;
	begin(&s, MS(100), &o);
	set_up(&s, 2000);
	assert_int_equal(s.deepest, 200);
	assert_true(s.unreachable > 0);
	assert_true(s.answered >= 1280 * 5 / 2 - 128); /* of the two and a half seconds in which they came */
	assert_true(s.longest <= MS(1000));
	end(&s);
}

/* Ends of calls wait for those who want keys; what they take is bounded, and none of it costs a look at all of them. */
static void ends_that_cannot_be_told_in_time_give_way(void **state)
{
	const struct keys_options o = { .wanted_max = 1000 };
	static struct scene s;
	size_t told = 0;

	(void)state;
	begin(&s, MS(50), &o);
	for (uint32_t i = 1; i <= 2000; i++) {
		take(&s, i);
		pass(&s, s.now + MS(1));
	}
	pass(&s, s.now + NSEC_PER_SEC);
	assert_int_equal(s.answered, 2000);
	for (uint32_t i = 1; i <= 2000; i++)
		keys_call_over(s.keys, i, true, s.now);
	drain(&s);
	assert_int_equal(s.last - s.first, 128); /* the others wait */
	for (uint32_t i = 2001; i <= 2900; i++)
		take(&s, i);
	assert_int_equal(keys_waiting(s.keys), 900);
	assert_int_equal(s.unreachable, 0); /* a key never gives way to an end */
	told = s.last;
	pass(&s, s.now + 10 * NSEC_PER_SEC);
	assert_int_equal(s.answered, 2900);
	assert_int_equal(s.last - told, 900 + 2000 - 128 - 900); /* for each that came one end is not told */
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_hundred_set_ups_a_second_wait_only_as_long_as_the_kms_takes),
		cmocka_unit_test(more_than_a_kms_can_answer_stays_bounded_and_is_all_accounted_for),
		cmocka_unit_test(ends_that_cannot_be_told_in_time_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
