/* undecided: messages that wait for a leg under warrant. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/undecided.h"

#define SECOND NSEC_PER_SEC

struct scene {
	struct undecided *undecided;
	struct sip_message message;
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

/* A message of this Call-ID whose payload is `text`. */
static struct sip_message *message(struct scene *s, nsec_t at, const char *call_id, const char *text)
{
	memset(&s->message, 0, offsetof(struct sip_message, sdp));
	memset(&s->datagram, 0, sizeof(s->datagram));
	memset(s->text, '.', sizeof(s->text));
	memcpy(s->text + 28, text, strlen(text));
	s->datagram.at = s->message.at = at;
	s->datagram.packet = (struct bytes){ (const uint8_t *)s->text, 28 + strlen(text) };
	s->datagram.payload = bytes_part(s->datagram.packet, 28, strlen(text));
	s->message.datagram = &s->datagram;
	s->message.method = SIP_INVITE;
	s->message.request = true;
	s->message.call_id = bytes_of(call_id);
	return &s->message;
}

static void keep(struct scene *s, nsec_t at, const char *call_id, const char *text)
{
	undecided_keep(s->undecided, message(s, at, call_id, text));
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
	undecided_claim(s->undecided, message(s, at, call_id, "claims"));
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

	message(s, 1, "a", "1")->session_local = bytes_of("ab30317f1a784dc48ff824d0d3715d86");
	undecided_keep(s->undecided, &s->message);
	keep(s, 2, "a", "2");
	message(s, 3, "b", "3")->session_remote = bytes_of("AB30317F1A784DC48FF824D0D3715D86");
	s->message.icid = bytes_of("i1");
	undecided_keep(s->undecided, &s->message);
	message(s, 4, "c", "4")->icid = bytes_of("i1");
	undecided_keep(s->undecided, &s->message);
	message(s, 5, "i1", "5"); /* a Call-ID that is somebody's icid joins nothing */
	undecided_keep(s->undecided, &s->message);
	claim(s, 6, "c");
	assert_string_equal(next(s), "1");
	assert_string_equal(next(s), "2");
	assert_string_equal(next(s), "3");
	assert_string_equal(next(s), "4");
	assert_string_equal(next(s), "");
}

static void with_key(struct sip_message *m, uint8_t octet)
{
	m->has_sdp = true;
	m->sdp.line_count = 1;
	m->sdp.lines[0].crypto_count = 1;
	m->sdp.lines[0].cryptos[0].key_count = 1;
	memset(m->sdp.lines[0].cryptos[0].keys[0].key, octet, 16);
}

static void an_inline_key_in_common_joins(void **state)
{
	struct scene *s = *state;

	with_key(message(s, 1, "a", "same"), 7);
	undecided_keep(s->undecided, &s->message);
	with_key(message(s, 2, "b", "other"), 8);
	undecided_keep(s->undecided, &s->message);
	with_key(message(s, 3, "c", "claims"), 7);
	undecided_claim(s->undecided, &s->message);
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
	static const enum sip_method kept[] = { SIP_INVITE, SIP_ACK, SIP_BYE, SIP_CANCEL, SIP_PRACK, SIP_UPDATE,
		SIP_INFO };
	struct scene *s = *state;
	struct counter c[2];

	for (int m = SIP_INVITE; m <= SIP_OTHER; m++) {
		message(s, 1, "a", "x")->method = (enum sip_method)m;
		undecided_keep(s->undecided, &s->message);
	}
	assert_int_equal(undecided_counts(s->undecided, c, 2), 2);
	assert_string_equal(c[0].name, "undecided");
	assert_int_equal(c[0].value, sizeof(kept) / sizeof(kept[0]));
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

	undecided_keep(small, message(s, 1, "a", "x"));
	undecided_claim(small, message(s, 2, "a", "x"));
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
	undecided_keep(s->undecided, &s->message);
	memset(other, '!', sizeof(other));
	claim(s, 2, "a");
	assert_true(undecided_next(s->undecided, &d));
	assert_memory_equal(d->payload.at, "apart", 5);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
