/* undecided: messages that wait for a leg under warrant. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/undecided.h"

#define SECOND NSEC_PER_SEC

struct scene {
	struct undecided *undecided;
	struct glance glance;
	struct datagram datagram;
	char text[64];
};

static int open_scene(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->undecided = undecided_new(2 * SECOND, 1 << 20);
	*state = s;
	return s->undecided == NULL;
}

static int close_scene(void **state)
{
	struct scene *s = *state;

	undecided_free(s->undecided);
	free(s);
	return 0;
}

/* A message of a set-up with this Call-ID, whose payload is `text`. */
static struct glance *message(struct scene *s, nsec_t at, const char *call_id, const char *text)
{
	memset(&s->glance, 0, sizeof(s->glance));
	memset(&s->datagram, 0, sizeof(s->datagram));
	memset(s->text, '.', sizeof(s->text));
	memcpy(s->text + 28, text, strlen(text));
	s->datagram.at = at;
	s->datagram.packet = (struct bytes){ (const uint8_t *)s->text, 28 + strlen(text) };
	s->datagram.payload = bytes_part(s->datagram.packet, 28, strlen(text));
	s->glance.setup = true;
	s->glance.call_id = bytes_of(call_id);
	return &s->glance;
}

static void keep_it(struct scene *s)
{
	undecided_keep(s->undecided, &s->datagram, &s->glance);
}

static void keep(struct scene *s, nsec_t at, const char *call_id, const char *text)
{
	message(s, at, call_id, text);
	keep_it(s);
}

/* The next claimed payload, "" when there is none. The copy must not be the original. */
static const char *next(struct scene *s)
{
	static char text[64];
	const struct datagram *d;

	memset(s->text, '!', sizeof(s->text));
	if (!undecided_next(s->undecided, &d))
		return "";
	assert_int_equal(d->packet.len, d->payload.len + 28);
	assert_ptr_equal(d->packet.at + 28, d->payload.at);
	assert_int_equal(d->packet.at[0], '.');
	memcpy(text, d->payload.at, d->payload.len);
	text[d->payload.len] = '\0';
	return text;
}

static void claim(struct scene *s, nsec_t at, const char *call_id)
{
	undecided_claim(s->undecided, at, message(s, at, call_id, "claims"));
}

static void one_call_id_is_claimed_oldest_first_and_once(void **state)
{
	struct scene *s = *state;

	keep(s, 1, "a", "a1");
	keep(s, 2, "b", "b1");
	keep(s, 3, "a", "a2");
	keep(s, 4, "a", "a3");
	claim(s, 5, "a");
	assert_string_equal(next(s), "a1");
	assert_string_equal(next(s), "a2");
	assert_string_equal(next(s), "a3");
	assert_string_equal(next(s), "");
	claim(s, 6, "a");
	assert_string_equal(next(s), "");
	claim(s, 7, "b");
	assert_string_equal(next(s), "b1");
}

static void what_belongs_with_the_claimed_is_claimed_in_turn(void **state)
{
	struct scene *s = *state;

	message(s, 1, "a", "1")->session[0] = bytes_of("ab30317f1a784dc48ff824d0d3715d86");
	keep_it(s);
	keep(s, 2, "a", "2");
	message(s, 3, "b", "3")->session[1] = bytes_of("AB30317F1A784DC48FF824D0D3715D86");
	s->glance.icid = bytes_of("i1");
	keep_it(s);
	message(s, 4, "c", "4")->icid = bytes_of("i1");
	keep_it(s);
	message(s, 5, "i1", "5"); /* a Call-ID that is somebody's icid joins nothing */
	keep_it(s);
	claim(s, 6, "c");
	assert_string_equal(next(s), "1");
	assert_string_equal(next(s), "2");
	assert_string_equal(next(s), "3");
	assert_string_equal(next(s), "4");
	assert_string_equal(next(s), "");
}

static void with_key(struct glance *g, const char *base64)
{
	g->inlines[g->inline_count++] = bytes_of(base64);
}

static void an_inline_key_in_common_joins(void **state)
{
	struct scene *s = *state;

	with_key(message(s, 1, "a", "same"), "bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrQ==");
	keep_it(s);
	with_key(message(s, 2, "b", "other"), "P8wK6NP4nwHQAPP8E/geIRScsBTUyI0c9hm/HGLm");
	keep_it(s);
	with_key(message(s, 3, "c", "claims"), "bLgs8lhXjZDdJ7Jx7vzizFDKyykkGTZSgz1RrQ");
	undecided_claim(s->undecided, 3, &s->glance);
	assert_string_equal(next(s), "same");
	assert_string_equal(next(s), "");
}

static void nothing_in_common_is_nothing(void **state)
{
	struct scene *s = *state;

	keep(s, 1, "a", "a");
	keep(s, 2, "", "cut");
	claim(s, 3, "");
	assert_string_equal(next(s), "");
}

static void two_seconds_and_no_longer(void **state)
{
	struct scene *s = *state;

	keep(s, 10 * SECOND, "a", "first");
	keep(s, 11 * SECOND, "a", "second");
	undecided_time(s->undecided, 12 * SECOND);
	undecided_time(s->undecided, 12 * SECOND + 1);
	claim(s, 12 * SECOND + 1, "a");
	assert_string_equal(next(s), "second");
	assert_string_equal(next(s), "");
	keep(s, 20 * SECOND, "a", "third");
	claim(s, 22 * SECOND, "a");
	assert_string_equal(next(s), "third");
}

static void only_calls_are_kept(void **state)
{
	struct scene *s = *state;
	struct counter c[2];

	keep(s, 1, "a", "x");
	message(s, 1, "a", "x")->setup = false;
	keep_it(s);
	assert_int_equal(undecided_counts(s->undecided, c, 2), 2);
	assert_string_equal(c[0].name, "undecided");
	assert_int_equal(c[0].value, 1);
}

static void the_oldest_go_when_room_is_short(void **state)
{
	struct scene *s = *state;
	struct counter c[2];

	for (int i = 0; i < 20000; i++)
		keep(s, i, i == 0 ? "first" : "more", "x");
	undecided_counts(s->undecided, c, 2);
	assert_string_equal(c[1].name, "undecided_evicted");
	assert_true(c[1].value > 0);
	claim(s, 20000, "first");
	assert_string_equal(next(s), "");
	claim(s, 20000, "more");
	for (uint64_t i = c[1].value; i < 20000; i++)
		assert_string_equal(next(s), "x");
	assert_string_equal(next(s), "");
}

static void a_message_larger_than_all_room_is_not_kept(void **state)
{
	struct scene *s = *state;
	struct undecided *small = undecided_new(2 * SECOND, 16);
	const struct datagram *d;

	message(s, 1, "a", "x");
	undecided_keep(small, &s->datagram, &s->glance);
	undecided_claim(small, 2, &s->glance);
	assert_false(undecided_next(small, &d));
	undecided_free(small);
}

static void a_payload_outside_its_packet_is_copied_too(void **state)
{
	struct scene *s = *state;
	const struct datagram *d;
	char other[] = "apart";

	message(s, 1, "a", "x");
	s->datagram.payload = bytes_of(other);
	keep_it(s);
	memset(other, '!', sizeof(other));
	claim(s, 2, "a");
	assert_true(undecided_next(s->undecided, &d));
	assert_memory_equal(d->payload.at, "apart", 5);
}

/*
 * So many messages fit as their packets and 512 octets each leave room for, with all that a set-up has in common with others: a
 * Call-ID, two Session-IDs, an icid, and two keys.
 */
static void beside_its_packet_a_message_costs_no_more_than_512_octets(void **state)
{
	enum { MESSAGES = 10000, PACKET = 28 + 8, ROOM = MESSAGES * (PACKET + 512) };
	struct scene *s = *state;
	struct undecided *u = undecided_new(2 * SECOND, ROOM);
	char texts[6][48];
	struct counter counts[2];

	for (unsigned i = 0; i < MESSAGES; i++) {
		struct glance *g = message(s, 1 + i, "", "........");

		for (unsigned k = 0; k < 6; k++)
			snprintf(texts[k], sizeof(texts[k]), "%u%0*u", k + 1, k == 1 || k == 2 ? 31 : 39, i);
		g->call_id = bytes_of(texts[0]);
		g->session[0] = bytes_of(texts[1]);
		g->session[1] = bytes_of(texts[2]);
		g->icid = bytes_of(texts[3]);
		g->inlines[0] = bytes_of(texts[4]);
		g->inlines[1] = bytes_of(texts[5]);
		g->inline_count = 2;
		undecided_keep(u, &s->datagram, g);
	}
	assert_int_equal(undecided_counts(u, counts, 2), 2);
	assert_int_equal(counts[0].value, MESSAGES);
	assert_int_equal(counts[1].value, 0);
	undecided_free(u);
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
	const struct CMUnitTest tests[] = {
		IN_SCENE(one_call_id_is_claimed_oldest_first_and_once),
		IN_SCENE(what_belongs_with_the_claimed_is_claimed_in_turn),
		IN_SCENE(an_inline_key_in_common_joins),
		IN_SCENE(nothing_in_common_is_nothing),
		IN_SCENE(two_seconds_and_no_longer),
		IN_SCENE(only_calls_are_kept),
		IN_SCENE(the_oldest_go_when_room_is_short),
		IN_SCENE(a_message_larger_than_all_room_is_not_kept),
		IN_SCENE(a_payload_outside_its_packet_is_copied_too),
		IN_SCENE(beside_its_packet_a_message_costs_no_more_than_512_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
