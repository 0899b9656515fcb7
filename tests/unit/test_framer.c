/* framer: SIP out of TCP, WebSocket and SCTP, however the segments come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/sip/envelope.h"
#include "../../src/sip/framer.h"
#include "otway/base/inflate.h"
#include "otway/base/nsec.h"
#include "otway/base/text.h"

#define FIRST 1000u /* sequence number of the first octet */
#define START (INT64_C(1700000000) * NSEC_PER_SEC)
#define MS    INT64_C(1000000)

/* A sender, and what the framer made of it: the messages' texts one behind the other, each ended by '|'. */
struct scene {
	struct framer *f;
	struct flow flow;
	nsec_t at;
	uint32_t seq; /* of what say() sends next */
	struct buf heard;
	size_t messages, truncated;
	nsec_t last_at;
	uint32_t last_seq;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->f = framer_new();
	assert_true(addr_parse(bytes_of("192.0.2.1:5060"), &s->flow.src));
	assert_true(addr_parse(bytes_of("192.0.2.2:5070"), &s->flow.dst));
	s->at = START;
	s->seq = FIRST;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	framer_free(s->f);
	buf_clear(&s->heard);
	free(s);
	return 0;
}

static uint64_t count_of(const struct scene *s, const char *name)
{
	struct counter all[FRAMER_COUNTS];
	size_t n = framer_counts(s->f, all, FRAMER_COUNTS);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

/* RFC 1071, written for itself: the sum with its checksum in it is all ones. */
static uint32_t ones_sum(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)at[i] * 256 : at[i];
	return sum;
}

static bool sums_up(uint32_t sum)
{
	return sum % 65535 == 0 && sum > 0;
}

static void check_packet(const struct datagram *d)
{
	const uint8_t *p = d->packet.at;
	bool v4 = d->flow.src.family == 4;
	size_t ip = v4 ? 20 : 40, size = v4 ? 4 : 16, at = v4 ? 12 : 8;
	uint32_t pseudo;

	assert_true(d->framed);
	assert_ptr_equal(d->payload.at - d->header, p + ip);
	assert_int_equal(v4 ? be16(p + 2) : be16(p + 4) + 40, d->packet.len);
	assert_memory_equal(p + at, d->flow.src.ip, size);
	assert_memory_equal(p + at + size, d->flow.dst.ip, size);
	assert_int_equal(be16(p + ip), d->flow.src.port);
	assert_int_equal(be16(p + ip + 2), d->flow.dst.port);
	if (v4)
		assert_true(sums_up(ones_sum(p, 20)));
	if (d->proto != IP_PROTO_TCP)
		return;
	assert_int_equal(d->packet.len, ip + 20 + d->payload.len);
	pseudo = ones_sum(p + at, 2 * size) + IP_PROTO_TCP + (uint32_t)(d->packet.len - ip);
	assert_true(sums_up(pseudo + ones_sum(p + ip, d->packet.len - ip)));
}

static void listen(struct scene *s)
{
	struct datagram d;

	while (framer_next(s->f, &d)) {
		check_packet(&d);
		buf_add(&s->heard, d.payload.at, d.payload.len);
		buf_text(&s->heard, "|");
		s->messages++;
		s->truncated += d.truncated;
		s->last_at = d.at;
		if (d.proto == IP_PROTO_TCP)
			s->last_seq = be32(d.payload.at - 16);
	}
}

/* A segment as decap gives it. `wire`: octets of payload that were sent, more than there are when the capture cut it. */
static void send_wire(struct scene *s, uint32_t seq, uint8_t flags, struct bytes payload, size_t wire)
{
	bool v4 = s->flow.src.family == 4;
	size_t ip = v4 ? 20 : 40;
	uint8_t *p = calloc(1, ip + 20 + payload.len);
	struct datagram d = { .at = s->at, .proto = IP_PROTO_TCP, .flow = s->flow, .header = 20 };

	p[0] = v4 ? 0x45 : 0x60;
	put_be16(p + (v4 ? 2 : 4), (uint16_t)((v4 ? 40 : 20) + wire));
	put_be16(p + ip, s->flow.src.port);
	put_be16(p + ip + 2, s->flow.dst.port);
	put_be32(p + ip + 4, seq);
	put_be32(p + ip + 8, 77);
	p[ip + 12] = 0x50;
	p[ip + 13] = flags;
	if (payload.len > 0)
		memcpy(p + ip + 20, payload.at, payload.len);
	d.packet = (struct bytes){ p, ip + 20 + payload.len };
	d.payload = (struct bytes){ p + ip + 20, payload.len };
	d.truncated = wire > payload.len;
	framer_take(s->f, &d);
	listen(s);
	free(p);
}

static void send(struct scene *s, uint32_t seq, uint8_t flags, struct bytes payload)
{
	send_wire(s, seq, flags, payload, payload.len);
}

static void syn(struct scene *s)
{
	send(s, s->seq - 1, TCP_SYN, (struct bytes){ NULL, 0 });
}

/* The next octets of the stream, one segment. */
static void say_bytes(struct scene *s, struct bytes what)
{
	send(s, s->seq, TCP_ACK, what);
	s->seq += (uint32_t)what.len;
}

static void say(struct scene *s, const char *text)
{
	say_bytes(s, bytes_of(text));
}

static void lose(struct scene *s, const char *text)
{
	s->seq += (uint32_t)strlen(text);
}

static void heard(const struct scene *s, const char *expected)
{
	struct bytes wanted = bytes_of(expected);

	if (!bytes_equal(buf_bytes(&s->heard), wanted))
		fail_msg("heard:\n%.*s\ninstead of:\n%s", (int)s->heard.len, (const char *)s->heard.at, expected);
}

#define HEADERS "Via: SIP/2.0/TCP 192.0.2.1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
#define SESSION "SIP/2.0 183 Session Progress\r\n" HEADERS "Content-Length: 5\r\n\r\nhello"
#define OK      "SIP/2.0 200 OK\r\n" HEADERS "Content-Length: 0\r\n\r\n"
#define BYE     "BYE sip:bob@ims.example SIP/2.0\r\n" HEADERS "Content-Length: 0\r\n\r\n"
#define NOTIFY1 "NOTIFY sip:bob@ims.example SIP/2.0\r\n" HEADERS "Content-Len"
#define NOTIFY2 "gth: 4\r\n\r\nbody"
#define NOTIFY  NOTIFY1 NOTIFY2

static void s17_a_segment_with_two_and_a_half_messages_gives_three_in_order(void **state)
{
	struct scene *s = *state;

	say(s, SESSION OK NOTIFY1);
	heard(s, SESSION "|" OK "|");
	s->at += 5 * MS;
	say(s, NOTIFY2);
	heard(s, SESSION "|" OK "|" NOTIFY "|");
	assert_int_equal(s->last_at, START + 5 * MS);
	assert_int_equal(s->last_seq, FIRST + strlen(SESSION OK));
}

static void s11_a_partial_response_that_comes_four_times_is_one_message(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 4; i++)
		send(s, FIRST, TCP_ACK, bytes_of(NOTIFY1));
	send(s, FIRST + (uint32_t)strlen(NOTIFY1), TCP_ACK, bytes_of(NOTIFY2));
	heard(s, NOTIFY "|");
	assert_int_equal(count_of(s, "tcp_retransmitted"), 3);
}

static void s18_keep_alives_between_messages_are_passed_over(void **state)
{
	static const char *const idle[] = { "\r\n\r\n", "jaK" };
	struct scene *s = *state;

	say(s, OK);
	say(s, idle[0]);
	say_bytes(s, (struct bytes){ (const uint8_t *)"\0", 1 });
	say(s, BYE);
	say_bytes(s, (struct bytes){ (const uint8_t *)"jaK\0", 4 });
	say_bytes(s, (struct bytes){ (const uint8_t *)"\0\0\0\0\0\0\0\0", 8 });
	say(s, OK);
	say(s, "ja");
	say_bytes(s, (struct bytes){ (const uint8_t *)"K\0", 2 });
	say(s, BYE);
	heard(s, OK "|" BYE "|" OK "|" BYE "|");
	assert_int_equal(count_of(s, "tcp_resync"), 0);
}

static void s20_segments_retransmitted_and_reordered_give_each_message_once(void **state)
{
	struct scene *s = *state;
	uint32_t second = FIRST + (uint32_t)strlen(SESSION), third = second + (uint32_t)strlen(NOTIFY1);

	syn(s);
	send(s, second, TCP_ACK, bytes_of(NOTIFY1));
	send(s, third, TCP_ACK, bytes_of(NOTIFY2 OK));
	heard(s, "");
	send(s, FIRST, TCP_ACK, bytes_of(SESSION));
	send(s, second, TCP_ACK, bytes_of(NOTIFY1));
	send(s, FIRST, TCP_ACK, bytes_of(SESSION));
	heard(s, SESSION "|" NOTIFY "|" OK "|");
	assert_int_equal(count_of(s, "tcp_gaps"), 0);
}

static void s21_after_a_segment_that_was_never_captured_it_goes_on_at_the_next_start_line(void **state)
{
	struct scene *s = *state;

	say(s, OK);
	say(s, NOTIFY1);
	lose(s, NOTIFY2 "INVITE sip:bo");
	say(s, "b@ims.example SIP/2.0\r\n" HEADERS "\r\n" BYE);
	heard(s, OK "|");
	s->at += 3 * NSEC_PER_SEC + 1;
	say(s, SESSION);
	heard(s, OK "|" NOTIFY1 "|" BYE "|" SESSION "|");
	assert_int_equal(s->truncated, 1);
	assert_int_equal(count_of(s, "tcp_gaps"), 1);
}

static void a_hole_is_waited_for_as_long_as_the_limits_allow(void **state)
{
	struct scene *s = *state;
	static uint8_t much[8192];

	say(s, OK);
	lose(s, BYE);
	for (int i = 0; i < 64; i++)
		say(s, OK);
	assert_int_equal(s->messages, 1);
	say(s, OK);
	assert_int_equal(s->messages, 66);
	lose(s, BYE);
	memset(much, 'x', sizeof(much));
	for (int i = 0; i < 31; i++)
		say_bytes(s, (struct bytes){ much, sizeof(much) });
	assert_int_equal(count_of(s, "tcp_gaps"), 1);
	say_bytes(s, (struct bytes){ much, sizeof(much) });
	assert_int_equal(count_of(s, "tcp_gaps"), 2);
	say(s, "\r\n" BYE);
	assert_int_equal(s->messages, 67);
}

static void other_connections_let_time_go_on_for_one_that_waits(void **state)
{
	struct scene *s = *state;

	say(s, OK);
	lose(s, OK);
	s->at += MS;
	say(s, BYE);
	heard(s, OK "|");
	framer_time(s->f, s->at + 3 * NSEC_PER_SEC);
	listen(s);
	heard(s, OK "|");
	framer_time(s->f, s->at + 3 * NSEC_PER_SEC + 1);
	listen(s);
	heard(s, OK "|" BYE "|");
	assert_int_equal(s->last_at, s->at); /* it was whole then */
}

static void nothing_more_comes_and_no_hole_is_waited_for(void **state)
{
	struct scene *s = *state;

	say(s, OK);
	for (int i = 0; i < 3; i++) {
		lose(s, OK);
		say(s, BYE);
	}
	framer_end(s->f);
	listen(s);
	heard(s, OK "|" BYE "|" BYE "|" BYE "|");
}

static void what_lies_in_a_hole_within_a_body_does_not_cost_the_next_message(void **state)
{
	struct scene *s = *state;

	say(s, "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "l: 60\r\n\r\n0123456789");
	lose(s, "01234567890123456789");
	say(s, "\r\nSIP/2.0 200 OK\r\nl: 0\r\n\r\n...." BYE);
	framer_end(s->f);
	listen(s);
	/* The length tells where the body ends, so what looks like a response in it is none. */
	heard(s, "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "l: 60\r\n\r\n0123456789|" BYE "|");
	assert_int_equal(s->truncated, 1);
	assert_int_equal(count_of(s, "tcp_cut"), 1);
}

static void s23_the_length_is_understood_in_every_spelling(void **state)
{
	static const char *const spellings[] = { "l: 5", "l:5", "L : 5", "Content-Length:5", "content-length : 5",
		"CONTENT-LENGTH:\t5", "Content-Length:\r\n 5", "Content-Length :\r\n\t 5 ", "Content-Length: 005",
		"Content-Length: 5\r\nl: 5" };
	struct scene *s = *state;
	char text[512];
	struct buf expected = { 0 };

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\n%s\r\n" HEADERS "\r\nBYE s", spellings[i]);
		say(s, text);
		buf_printf(&expected, "%s|", text);
		snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "%s\r\n\r\nBYE s", spellings[i]);
		say(s, text);
		buf_printf(&expected, "%s|", text);
	}
	say(s, OK);
	buf_printf(&expected, "%s|%c", OK, 0);
	heard(s, (const char *)expected.at);
	buf_clear(&expected);
	assert_int_equal(count_of(s, "tcp_refused"), 0);
}

static void without_a_length_there_is_no_body(void **state)
{
	struct scene *s = *state;

	say(s, "BYE sip:b@x SIP/2.0\r\n" HEADERS "\r\n" OK);
	heard(s, "BYE sip:b@x SIP/2.0\r\n" HEADERS "\r\n|" OK "|");
}

static void s24_a_length_that_cannot_be_is_refused_and_its_body_is_no_message(void **state)
{
	static const char *const values[] = { "4294967328", "18446744073709551648", "1048577", "-1", "+32", "32x",
		"0x20", "", "32, 32", "32\r\nl: 33", "3 2", "99999999999999999999999999999" };
	struct scene *s = *state;
	char text[1024];

	say(s, OK);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "Content-Length: %s\r\n\r\n%32s" BYE,
			values[i], "\r\n");
		say(s, text);
		assert_int_equal(count_of(s, "tcp_refused"), i + 1);
		assert_int_equal(s->messages, i + 1);
		say(s, OK); /* where a segment begins it goes on */
		assert_int_equal(s->messages, i + 2);
	}
}

static void a_message_too_long_for_a_packet_is_passed_over_and_counted(void **state)
{
	struct scene *s = *state;
	static char text[1 << 20];
	int len;

	len = snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "l: 200000\r\n\r\n");
	memset(text + len, 'x', 200000);
	memcpy(text + len + 1000, "\r\n" BYE, strlen("\r\n" BYE));
	memcpy(text + len + 200000, OK, strlen(OK));
	for (size_t at = 0, all = (size_t)len + 200000 + strlen(OK); at < all; at += 1460)
		say_bytes(s, bytes_part((struct bytes){ (uint8_t *)text, all }, at, 1460));
	heard(s, OK "|");
	assert_int_equal(count_of(s, "tcp_too_long"), 1);
}

static void a_message_of_65000_octets_is_whole_in_its_packet(void **state)
{
	struct scene *s = *state;
	static char text[65001];
	int len = snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\n" HEADERS "l: ");

	len += snprintf(text + len, sizeof(text) - (size_t)len, "%d\r\n\r\n", 65000 - len - 9);
	memset(text + len, 'x', 65000 - (size_t)len);
	for (size_t at = 0; at < 65000; at += 1448)
		say_bytes(s, bytes_part(bytes_of(text), at, 1448));
	assert_int_equal(s->messages, 1);
	assert_int_equal(s->heard.len, 65001);
}

static void s27_octets_behind_a_body_are_passed_over(void **state)
{
	struct scene *s = *state;

	say(s, SESSION "\r\n");
	say(s, SESSION "trailing octets\r\n");
	say(s, OK);
	say(s, SESSION "a=sendrecv" OK);
	say(s, SESSION "a=x:" BYE);
	heard(s, SESSION "|" SESSION "|" OK "|" SESSION "|" OK "|" SESSION "|" BYE "|");
	assert_int_equal(count_of(s, "tcp_resync"), 3);
}

static void a_connection_that_was_there_before_is_joined_at_a_start_line(void **state)
{
	struct scene *s = *state;

	say(s, "CSeq: 7 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n");
	say(s, "a=sendrecv\r\n" OK BYE);
	heard(s, OK "|" BYE "|");
	assert_int_equal(s->last_seq, s->seq - strlen(BYE));
}

static void what_came_first_wins_where_segments_overlap(void **state)
{
	struct scene *s = *state;
	const char *text = "MESSAGE sip:b@x SIP/2.0\r\nl: 20\r\n\r\n";
	uint32_t body = FIRST + (uint32_t)strlen(text);

	say(s, text);
	send(s, body + 5, TCP_ACK, bytes_of("FIRST"));
	send(s, body + 14, TCP_ACK, bytes_of("EF"));
	send(s, body + 3, TCP_ACK, bytes_of("ssssssssssssssss")); /* 3 to 19: around both */
	send(s, body, TCP_ACK, bytes_of("tttttttttttttttttttt"));
	heard(s, "MESSAGE sip:b@x SIP/2.0\r\nl: 20\r\n\r\ntttssFIRSTssssEFssst|");
	assert_int_equal(count_of(s, "tcp_overlaps"), 2);
	assert_int_equal(count_of(s, "tcp_gaps"), 0);
}

static void sequence_numbers_wrap(void **state)
{
	struct scene *s = *state;
	uint32_t first = UINT32_MAX - 30;

	s->seq = first;
	syn(s);
	send(s, first + (uint32_t)strlen(NOTIFY1), TCP_ACK, bytes_of(NOTIFY2));
	send(s, first, TCP_ACK, bytes_of(NOTIFY1));
	send(s, first, TCP_ACK, bytes_of(NOTIFY1));
	heard(s, NOTIFY "|");
	assert_int_equal(s->last_seq, first);
}

static void ports_used_again_are_another_connection(void **state)
{
	struct scene *s = *state;

	syn(s);
	say(s, OK NOTIFY1);
	s->seq += 5000;
	syn(s);
	say(s, BYE);
	heard(s, OK "|" NOTIFY1 "|" BYE "|");
	assert_int_equal(s->truncated, 1);
	s->seq = 4000000000u; /* and when its SYN was not seen */
	say(s, SESSION);
	heard(s, OK "|" NOTIFY1 "|" BYE "|" SESSION "|");
}

static void a_connection_ends_and_copies_of_its_segments_come_later(void **state)
{
	struct scene *s = *state;

	syn(s);
	send(s, FIRST, TCP_ACK, bytes_of(OK));
	send(s, FIRST + (uint32_t)strlen(OK), TCP_ACK | TCP_FIN, bytes_of(BYE));
	send(s, FIRST, TCP_ACK, bytes_of(OK));
	send(s, FIRST + (uint32_t)strlen(OK), TCP_ACK | TCP_FIN, bytes_of(BYE));
	heard(s, OK "|" BYE "|");
	s->seq = FIRST + 200000;
	syn(s);
	say(s, SESSION);
	heard(s, OK "|" BYE "|" SESSION "|");
}

static void a_fin_or_rst_that_overtook_data_waits_for_it(void **state)
{
	struct scene *s = *state;
	uint32_t second = FIRST + (uint32_t)strlen(NOTIFY1);

	say(s, NOTIFY1);
	send(s, second + (uint32_t)strlen(NOTIFY2), TCP_FIN, (struct bytes){ NULL, 0 });
	send(s, second, TCP_ACK, bytes_of(NOTIFY2));
	heard(s, NOTIFY "|");
	s->flow.src.port++;
	s->seq = FIRST;
	say(s, NOTIFY1);
	send(s, second + (uint32_t)strlen(NOTIFY2), TCP_RST, (struct bytes){ NULL, 0 });
	send(s, second, TCP_ACK, bytes_of(NOTIFY2));
	heard(s, NOTIFY "|" NOTIFY "|");
}

static void a_message_cut_by_the_end_of_its_connection_is_given_as_far_as_it_came(void **state)
{
	struct scene *s = *state;

	say(s, "INVITE sip:b@x SIP/2.0\r\n" HEADERS "l: 20\r\n\r\nv=0\r\n");
	send(s, s->seq, TCP_FIN, (struct bytes){ NULL, 0 });
	s->flow.src.port++;
	say(s, NOTIFY1);
	send(s, s->seq, TCP_RST, (struct bytes){ NULL, 0 });
	s->flow.src.port++;
	say(s, "OPTIONS sip:b@x SI");
	framer_end(s->f);
	listen(s);
	heard(s, "INVITE sip:b@x SIP/2.0\r\n" HEADERS "l: 20\r\n\r\nv=0\r\n|" NOTIFY1 "|");
	assert_int_equal(s->truncated, 2);
}

static void a_segment_that_the_capture_cut_holds_nothing_up(void **state)
{
	struct scene *s = *state;

	say(s, OK);
	send_wire(s, s->seq, TCP_ACK, bytes_of("INVITE sip:b@x SIP/2.0\r\nl: 20\r\n\r\nv=0\r\n"), 53);
	heard(s, OK "|INVITE sip:b@x SIP/2.0\r\nl: 20\r\n\r\nv=0\r\n|");
	s->seq += 53;
	say(s, BYE);
	heard(s, OK "|INVITE sip:b@x SIP/2.0\r\nl: 20\r\n\r\nv=0\r\n|" BYE "|");
	assert_int_equal(s->truncated, 1);
}

static void what_is_no_sip_leaves_nothing_behind(void **state)
{
	static const char *const others[] = { "GET /sip HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n<html>",
		"SSH-2.0-OpenSSH_9.2\r\n", "OPTIONS rtsp://x/y RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"INFO {\"server_id\":1}\r\n", "SUBSCRIBE /event HTTP/1.1\r\nHOST: x\r\n\r\n", "I", "SIP",
		"\x16\x03\x01" };
	struct scene *s = *state;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		s->flow.src.port = (uint16_t)(10000 + i);
		syn(s);
		say(s, others[i]);
		say(s, "\r\nAnd more text of it.\r\n\r\n");
	}
	heard(s, "");
	assert_int_equal(count_of(s, "tcp_resync"), 0);
}

static void every_octet_its_own_segment(void **state)
{
	struct scene *s = *state;
	struct bytes all = bytes_of("\r\n" SESSION "\r\n\r\n" NOTIFY OK);

	syn(s);
	for (size_t i = 0; i < all.len; i++)
		say_bytes(s, bytes_part(all, i, 1));
	heard(s, SESSION "|" NOTIFY "|" OK "|");
}

static void ipv6_packets_are_made_whole_too(void **state)
{
	struct scene *s = *state;

	assert_true(addr_parse(bytes_of("[2001:db8::1]:5060"), &s->flow.src));
	assert_true(addr_parse(bytes_of("[2001:db8::2]:5070"), &s->flow.dst));
	say(s, SESSION NOTIFY1);
	say(s, NOTIFY2);
	heard(s, SESSION "|" NOTIFY "|");
}

/* TLS: the two octets behind the version are a length. ClientHello with ALPN "sip/2", RFC 8446 4.1.2, RFC 7301 3.1. */
static void sip_over_tls_is_counted_and_not_guessed(void **state)
{
	static const uint8_t data[] = { 23, 3, 3, 0, 3, 'B', 'Y', 'E' };
	uint8_t hello[5 + 4 + 2 + 32 + 21] = { 22, 3, 1, 0, 59, 1, 0, 0, 55, 3, 3 };
	uint8_t *p = hello + 5 + 4 + 2 + 32;
	struct scene *s = *state;

	memcpy(p, "\0\0\2\x13\1\1\0\0\x0c\0\x10\0\x08\0\6\5sip/2", 21);
	say_bytes(s, (struct bytes){ data, sizeof(data) });
	assert_int_equal(count_of(s, "sip_tls"), 0);
	s->flow.dst.port = 5061;
	say_bytes(s, (struct bytes){ data, sizeof(data) });
	assert_int_equal(count_of(s, "sip_tls"), 1);
	s->flow.dst.port = 443;
	say_bytes(s, (struct bytes){ hello, sizeof(hello) });
	assert_int_equal(count_of(s, "sip_tls"), 2);
	assert_int_equal(count_of(s, "tcp_other"), 1); /* the first may be anybody's */
	heard(s, "");
}

/* RFC 6455 5.2. mask 0: none. */
static void frame(struct buf *out, uint8_t first, uint32_t mask, struct bytes payload)
{
	uint8_t head[14] = { first }, key[4];
	size_t len = 2;

	put_be32(key, mask);
	if (payload.len > 65535) {
		head[1] = 127;
		put_be32(head + 6, (uint32_t)payload.len);
		len = 10;
	} else if (payload.len > 125) {
		head[1] = 126;
		put_be16(head + 2, (uint16_t)payload.len);
		len = 4;
	} else {
		head[1] = (uint8_t)payload.len;
	}
	if (mask != 0) {
		head[1] |= 0x80;
		memcpy(head + len, key, 4);
		len += 4;
	}
	buf_add(out, head, len);
	for (size_t i = 0; i < payload.len; i++)
		buf_add(out, &(uint8_t){ (uint8_t)(payload.at[i] ^ (mask != 0 ? key[i % 4] : 0)) }, 1);
}

#define SHORT "BYE sip:b SIP/2.0\r\ni: 1\r\n\r\n" /* no length, as RFC 7118 5 allows; less than 126 octets */

static void websocket_messages_of_both_directions_are_found(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };
	uint32_t message;

	syn(s);
	say(s, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat, sip\r\n");
	say(s, "Sec-WebSocket-Version: 13\r\n\r\n");
	frame(&b, 0x81, 0x37fa213d, bytes_of(NOTIFY));
	frame(&b, 0x89, 0x01020304, bytes_of("ping"));
	frame(&b, 0x82, 0, bytes_of("\r\n\r\n"));
	frame(&b, 0x82, 0x0a0b0c0d, bytes_of(SHORT));
	message = s->seq + (uint32_t)b.len - (uint32_t)strlen(SHORT);
	for (size_t i = 0; i < b.len; i += 7)
		say_bytes(s, bytes_part(buf_bytes(&b), i, 7));
	heard(s, NOTIFY "|" SHORT "|");
	assert_int_equal(s->last_seq, message);
	s->flow = (struct flow){ s->flow.dst, s->flow.src };
	buf_reset(&b);
	frame(&b, 0x81, 0, bytes_of(OK));
	frame(&b, 0x88, 0, bytes_of("\x03\xe8"));
	say(s, "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-protocol: sip\r\n\r\n");
	say_bytes(s, buf_bytes(&b));
	heard(s, NOTIFY "|" SHORT "|" OK "|");
	assert_int_equal(count_of(s, "websocket"), 3);
	buf_clear(&b);
}

static void a_websocket_message_in_several_frames_is_one(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	say(s, "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
	frame(&b, 0x01, 0x11223344, bytes_of(NOTIFY1));
	frame(&b, 0x8a, 0x55667788, bytes_of("pong"));
	frame(&b, 0x80, 0x99aabbcc, bytes_of(NOTIFY2));
	frame(&b, 0x81, 0x99aabbcc, bytes_of(OK));
	say_bytes(s, buf_bytes(&b));
	heard(s, NOTIFY "|" OK "|");
	buf_clear(&b);
}

static void websocket_is_joined_and_joined_again_at_a_frame_with_sip_in_it(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	frame(&b, 0x81, 0xdeadbeef, bytes_of(SESSION));
	say_bytes(s, buf_bytes(&b));
	heard(s, SESSION "|");
	say_bytes(s, bytes_of("\xff\xff\xff"));
	assert_int_equal(count_of(s, "tcp_resync"), 1);
	say_bytes(s, buf_bytes(&b));
	heard(s, SESSION "|" SESSION "|");
	buf_clear(&b);
}

static void ports_used_again_may_carry_something_else_than_before(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	say(s, OK);
	s->seq += 1u << 30;
	frame(&b, 0x81, 0xdeadbeef, bytes_of(SESSION));
	say_bytes(s, buf_bytes(&b));
	s->seq += 1u << 30;
	say(s, BYE);
	heard(s, OK "|" SESSION "|" BYE "|");
	buf_clear(&b);
}

static void websocket_frames_that_are_too_long_or_compressed_are_counted(void **state)
{
	static uint8_t zeroes[70000];
	struct scene *s = *state;
	struct buf b = { 0 };

	frame(&b, 0x81, 0x01020304, bytes_of(OK));
	frame(&b, 0x82, 0x01020304, (struct bytes){ zeroes, sizeof(zeroes) });
	frame(&b, 0xc1, 0x01020304, bytes_of("compressed"));
	frame(&b, 0x81, 0x01020304, bytes_of(BYE));
	for (size_t i = 0; i < b.len; i += 1460)
		say_bytes(s, bytes_part(buf_bytes(&b), i, 1460));
	heard(s, OK "|" BYE "|");
	assert_int_equal(count_of(s, "tcp_too_long"), 1);
	assert_int_equal(count_of(s, "websocket_packed"), 1);
	buf_clear(&b);
}

/* SESSION, OK and BYE as Python's zlib sends them one after another (RFC 7692 7.2.1); the second and third refer to the first. */
static const uint8_t session_packed[] = { 0x24, 0xca, 0xb1, 0x0a, 0x80, 0x20, 0x14, 0x40, 0xd1, 0x5d, 0xf0, 0x1f, 0xde,
	0x0f, 0xa4, 0x59, 0x04, 0xe5, 0x5a, 0x0d, 0x42, 0x84, 0x60, 0xb8, 0x3b, 0x3c, 0x2c, 0x10, 0x25, 0xf3, 0xff,
	0xc9, 0x68, 0x3b, 0x17, 0xae, 0x51, 0x9a, 0x77, 0xac, 0x05, 0x31, 0xf6, 0x60, 0xf0, 0x79, 0xae, 0x14, 0x41,
	0xe7, 0xe4, 0x73, 0x35, 0x25, 0xf6, 0x72, 0x12, 0xcc, 0xbf, 0xf0, 0x63, 0xd6, 0x20, 0xa6, 0x2a, 0xd6, 0x31,
	0x41, 0xc9, 0xec, 0x42, 0x68, 0xd4, 0x22, 0xe1, 0xb3, 0xc1, 0xbb, 0x02, 0xd4, 0x6e, 0xd5, 0xb1, 0xd6, 0x4e,
	0xb1, 0x60, 0x2c, 0xcd, 0x86, 0xd1, 0x97, 0x53, 0xc2, 0x40, 0x09, 0x25, 0x27, 0x86, 0x90, 0x5e, 0x00 };
static const uint8_t ok_packed[] = { 0x82, 0x1a, 0xa6, 0x60, 0x64, 0x60, 0xa0, 0xe0, 0xef, 0x4d, 0x3d, 0x1b, 0x0c, 0x40,
	0x36, 0x00, 0x00 };
static const uint8_t bye_packed[] = { 0x72, 0x8a, 0x74, 0x55, 0x28, 0xce, 0x2c, 0xb0, 0x4a, 0xca, 0x4f, 0x72, 0xc8,
	0xcc, 0x2d, 0xd6, 0x4b, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0x85, 0x99, 0x4f, 0x65, 0xdb, 0x00, 0x00 };
static const uint8_t bye_alone[] = { 0x72, 0x8a, 0x74, 0x55, 0x28, 0xce, 0x2c, 0xb0, 0x4a, 0xca, 0x4f, 0x72, 0xc8, 0xcc,
	0x2d, 0xd6, 0x4b, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0x55, 0x08, 0xf6, 0x0c, 0xd0, 0x37, 0xd2, 0x33, 0xe0,
	0xe5, 0x0a, 0xcb, 0x4c, 0xb4, 0x82, 0xf1, 0xf4, 0x43, 0x9c, 0x03, 0x14, 0x0c, 0x2d, 0x81, 0x2c, 0x3d, 0x23,
	0x3d, 0x43, 0x5e, 0x2e, 0xe7, 0xc4, 0x9c, 0x1c, 0x5d, 0x4f, 0x17, 0x2b, 0x05, 0x10, 0x3b, 0x38, 0xb5, 0x10,
	0xc8, 0x50, 0xf0, 0xf4, 0x0b, 0xf3, 0x0c, 0x71, 0x05, 0xf2, 0xf3, 0xf3, 0x4a, 0x52, 0xf3, 0x4a, 0x74, 0x7d,
	0x52, 0xf3, 0xd2, 0x4b, 0x32, 0xac, 0x14, 0x80, 0x46, 0xf1, 0x72, 0x01, 0x00 };
static const uint8_t bye_final[] = { 0x73, 0x8a, 0x74, 0x55, 0x28, 0xce, 0x2c, 0xb0, 0x4a, 0xca, 0x4f, 0x72, 0xc8, 0xcc,
	0x2d, 0xd6, 0x4b, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0x55, 0x08, 0xf6, 0x0c, 0xd0, 0x37, 0xd2, 0x33, 0xe0,
	0xe5, 0x0a, 0xcb, 0x4c, 0xb4, 0x82, 0xf1, 0xf4, 0x43, 0x9c, 0x03, 0x14, 0x0c, 0x2d, 0x81, 0x2c, 0x3d, 0x23,
	0x3d, 0x43, 0x5e, 0x2e, 0xe7, 0xc4, 0x9c, 0x1c, 0x5d, 0x4f, 0x17, 0x2b, 0x05, 0x10, 0x3b, 0x38, 0xb5, 0x10,
	0xc8, 0x50, 0xf0, 0xf4, 0x0b, 0xf3, 0x0c, 0x71, 0x05, 0xf2, 0xf3, 0xf3, 0x4a, 0x52, 0xf3, 0x4a, 0x74, 0x7d,
	0x52, 0xf3, 0xd2, 0x4b, 0x32, 0xac, 0x14, 0x80, 0x46, 0xf1, 0x72, 0x01, 0x00,
	0x00 }; /* in a last block (7.2.3.4) */
static const uint8_t zeroes_packed[] = { 0xec, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x06,
	0x7f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0xd7,
	0x00 }; /* 200,000 */

#define PACKED(octets) ((struct bytes){ (octets), sizeof(octets) })
#define UPGRADE        "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

static void websocket_messages_that_came_compressed_refer_to_those_before(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	say(s, UPGRADE);
	frame(&b, 0xc1, 0x11223344, PACKED(session_packed));
	frame(&b, 0x81, 0x11223344, bytes_of(NOTIFY)); /* not each of them is compressed (6) */
	frame(&b, 0x42, 0x01020304, bytes_part(PACKED(ok_packed), 0, 7));
	frame(&b, 0x89, 0x01020304, bytes_of("ping"));
	frame(&b, 0x80, 0x01020304, bytes_part(PACKED(ok_packed), 7, SIZE_MAX));
	frame(&b, 0xc1, 0, PACKED(bye_packed));
	frame(&b, 0xc1, 0, PACKED(bye_final));
	for (size_t i = 0; i < b.len; i += 11)
		say_bytes(s, bytes_part(buf_bytes(&b), i, 11));
	heard(s, SESSION "|" NOTIFY "|" OK "|" BYE "|" BYE "|");
	assert_int_equal(count_of(s, "websocket"), 5);
	assert_int_equal(count_of(s, "websocket_unpacked"), 4);
	assert_int_equal(count_of(s, "websocket_packed"), 0);
	buf_clear(&b);
}

/* What refers to what was not seen is counted; what does not is read, and what refers to that. */
static void websocket_messages_whose_context_was_missed_are_counted(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	frame(&b, 0xc1, 0x11223344, PACKED(ok_packed)); /* joined too late: nobody can tell that it is SIP */
	say_bytes(s, buf_bytes(&b));
	assert_int_equal(count_of(s, "websocket_packed"), 0); /* too short to be worth a word */
	say(s, UPGRADE);
	say_bytes(s, buf_bytes(&b));
	assert_int_equal(count_of(s, "websocket_packed"), 1);
	buf_reset(&b);
	frame(&b, 0xc1, 0, bytes_of("compressed"));
	frame(&b, 0xc1, 0, PACKED(session_packed));
	frame(&b, 0xc1, 0, PACKED(zeroes_packed));
	frame(&b, 0xc1, 0x11223344, PACKED(bye_packed));
	frame(&b, 0xc1, 0x11223344, PACKED(bye_alone));
	say_bytes(s, buf_bytes(&b));
	heard(s, SESSION "|" BYE "|");
	assert_int_equal(count_of(s, "websocket_packed"), 3);
	assert_int_equal(count_of(s, "tcp_too_long"), 1);
	buf_clear(&b);
}

static void websocket_is_joined_at_a_compressed_message_that_can_be_read(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	frame(&b, 0xc1, 0x11223344, PACKED(session_packed));
	frame(&b, 0xc1, 0x11223344, PACKED(ok_packed));
	say_bytes(s, buf_bytes(&b));
	heard(s, SESSION "|" OK "|");
	s->seq += 100000; /* a hole: what follows has no context */
	say_bytes(s, buf_bytes(&b));
	framer_end(s->f);
	listen(s);
	heard(s, SESSION "|" OK "|" SESSION "|" OK "|");
	buf_clear(&b);
}

/* 7,000 messages of 10 octets, each of 65,000 zeroes at best: deflate gives 1,032 octets for one, no more. */
static void compressed_messages_unpack_to_a_bounded_number_of_octets(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 }, out = { 0 };
	struct inflater *f = inflater_new();
	size_t sent = 0, given = 0;

	assert_non_null(f);
	for (int i = 0; i < 1000; i++) {
		buf_reset(&out);
		assert_false(inflater_message(f, PACKED(zeroes_packed), 65000, &out));
		assert_in_range(out.len, 65001, 65000 + 4096);
		assert_true(inflater_message(f, PACKED(bye_alone), 65000, (buf_reset(&out), &out)));
		sent += sizeof(zeroes_packed) + sizeof(bye_alone);
		given += out.len;
	}
	assert_in_range(given, 1, sent * 1032);
	inflater_free(f);
	say(s, UPGRADE);
	for (int i = 0; i < 7000; i++)
		frame(&b, 0xc1, 0, bytes_of("\x02")); /* the shortest there is: nothing */
	for (size_t i = 0; i < b.len; i += 1400)
		say_bytes(s, bytes_part(buf_bytes(&b), i, 1400));
	assert_int_equal(count_of(s, "websocket_unpacked"), 0);
	buf_clear(&b);
	buf_clear(&out);
}

/* RFC 9260 3.3.1: a DATA chunk of stream 1. flags: 1 ends, 2 begins. */
static void chunk(struct buf *out, uint8_t flags, uint32_t tsn, struct bytes octets)
{
	uint8_t head[16] = { 0, flags };

	put_be16(head + 2, (uint16_t)(16 + octets.len));
	put_be32(head + 4, tsn);
	put_be16(head + 8, 1);
	buf_add(out, head, sizeof(head));
	buf_add(out, octets.at, octets.len);
	buf_add(out, "\0\0\0", (4 - octets.len % 4) % 4);
}

static void send_sctp(struct scene *s, struct buf *chunks)
{
	struct datagram d = { .at = s->at, .proto = IP_PROTO_SCTP, .flow = s->flow, .header = 12 };
	size_t len = 20 + 12 + chunks->len;
	uint8_t *p = calloc(1, len);

	p[0] = 0x45;
	put_be32(p + 24, 0xcafe);
	memcpy(p + 32, chunks->at, chunks->len);
	d.packet = (struct bytes){ p, len };
	d.payload = bytes_part(d.packet, 32, SIZE_MAX);
	framer_take(s->f, &d);
	listen(s);
	free(p);
	buf_clear(chunks);
}

static void sctp_chunks_bundled_fragmented_reordered_and_repeated_give_their_messages(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	chunk(&b, 3, 7, bytes_of(SHORT)); /* no length: it ends with the user message */
	chunk(&b, 3, 8, bytes_of("\r\n"));
	chunk(&b, 3, 9, bytes_of(SESSION OK));
	send_sctp(s, &b);
	heard(s, SHORT "|" SESSION "|" OK "|");
	chunk(&b, 1, 12, bytes_of("y"));
	send_sctp(s, &b);
	chunk(&b, 0, 11, bytes_of("gth: 4\r\n\r\nbod"));
	send_sctp(s, &b);
	assert_true(addr_parse(bytes_of("198.51.100.1:5060"), &s->flow.src)); /* another address of the same host */
	chunk(&b, 2, 10, bytes_of(NOTIFY1));
	chunk(&b, 3, 9, bytes_of(SESSION OK));
	send_sctp(s, &b);
	heard(s, SHORT "|" SESSION "|" OK "|" NOTIFY "|");
	assert_int_equal(count_of(s, "sctp"), 4);
	assert_int_equal(count_of(s, "tcp_retransmitted"), 1);
}

static void an_sctp_chunk_that_never_comes_costs_its_message_alone(void **state)
{
	struct scene *s = *state;
	struct buf b = { 0 };

	chunk(&b, 3, UINT32_MAX, bytes_of(OK));
	chunk(&b, 2, 0, bytes_of(NOTIFY1));
	chunk(&b, 3, 2, bytes_of(BYE));
	send_sctp(s, &b);
	heard(s, OK "|");
	framer_time(s->f, s->at + 4 * NSEC_PER_SEC);
	listen(s);
	heard(s, OK "|" BYE "|");
}

/* CRC32c as RFC 9260 appendix A states it, a bit at a time; the check value is that of RFC 3720 B.4. */
static uint32_t slow_crc(struct bytes b)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < b.len; i++) {
		crc ^= b.at[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void an_sctp_packet_that_is_made_has_its_checksum(void **state)
{
	struct envelope e = { .proto = IP_PROTO_SCTP, .seq = 5, .tag = 6 };
	struct buf out = { 0 };
	struct bytes payload, packet;
	uint32_t crc;
	uint8_t zeroes[32] = { 0 };

	(void)state;
	assert_int_equal(slow_crc((struct bytes){ zeroes, 32 }), 0x8a9136aa);
	assert_true(addr_parse(bytes_of("192.0.2.1:5060"), &e.flow.src));
	assert_true(addr_parse(bytes_of("192.0.2.2:5060"), &e.flow.dst));
	memcpy(envelope_open(&out, &e, 5), "hello", 5);
	packet = envelope_seal(&out, &e, 5, &payload);
	assert_int_equal(packet.len, 20 + 12 + 16 + 8);
	crc = (uint32_t)packet.at[28] | (uint32_t)packet.at[29] << 8 | (uint32_t)packet.at[30] << 16 |
	      (uint32_t)packet.at[31] << 24;
	memset(out.at + 28, 0, 4);
	assert_int_equal(crc, slow_crc(bytes_part(packet, 20, SIZE_MAX)));
	buf_clear(&out);
}

/* Numbers that are the same in every run. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 33) % below;
}

struct part {
	uint32_t seq;
	struct bytes octets;
};

/* Messages with bodies of any length, one in four with a start-line in its body, and keep-alives between them. */
static void compose(uint64_t *seed, struct buf *wire, struct buf *expected)
{
	for (int i = 0; i < 40; i++) {
		static const char *const methods[] = { "INVITE", "MESSAGE", "NOTIFY" };
		static const char *const lengths[] = { "Content-Length", "l", "CONTENT-LENGTH " };
		struct buf body = { 0 };
		size_t at = expected->len;

		for (uint32_t n = draw(seed, 4) == 0 ? draw(seed, 5000) : draw(seed, 50); n > 0; n--)
			buf_add(&body, &(uint8_t){ (uint8_t)(' ' + draw(seed, 90)) }, 1);
		if (draw(seed, 4) == 0)
			buf_text(&body, "\r\n\r\n" OK);
		buf_printf(expected, "%s sip:user%d@ims.example SIP/2.0\r\nCall-ID: %d\r\n%s: %zu\r\n\r\n",
			methods[draw(seed, 3)], i, i, lengths[draw(seed, 3)], body.len);
		if (body.len > 0)
			buf_add(expected, body.at, body.len);
		buf_add(wire, expected->at + at, expected->len - at);
		buf_text(expected, "|");
		if (draw(seed, 3) == 0)
			buf_text(wire, "\r\n\r\n");
		buf_clear(&body);
	}
}

/* Cuts at random points; segments less than `apart` from each other change places; some come twice, some overlap. */
static size_t cut_up(uint64_t *seed, struct bytes wire, uint32_t first, size_t apart, struct part *parts)
{
	size_t n = 0, at = 0;

	while (at < wire.len) {
		size_t len = draw(seed, 3) == 0 ? 1 + draw(seed, 3) : 1 + draw(seed, 1460);
		size_t back = draw(seed, 5) == 0 && at > 0 ? draw(seed, (uint32_t)(at < 300 ? at : 300)) : 0;
		struct part part = { first + (uint32_t)(at - back), bytes_part(wire, at - back, len + back) };

		parts[n++] = part;
		if (draw(seed, 6) == 0)
			parts[n++] = part;
		at += len;
	}
	for (size_t i = 0; apart > 0 && i < n; i++) {
		size_t j = i + draw(seed, (uint32_t)apart);
		struct part swap = parts[i];

		if (j >= n)
			continue;
		parts[i] = parts[j];
		parts[j] = swap;
	}
	return n;
}

static void any_segmentation_and_order_within_the_window_gives_the_same_messages(void **state)
{
	static struct part parts[200000];
	struct scene *s = *state;

	for (uint64_t round = 1; round <= 200; round++) {
		uint64_t seed = round * UINT64_C(0x9e3779b97f4a7c15);
		struct buf wire = { 0 }, expected = { 0 };
		size_t n;

		s->flow.src.port = (uint16_t)(20000 + round);
		s->seq = draw(&seed, UINT32_MAX); /* some wrap */
		if (round % 5 == 0)
			s->seq = UINT32_MAX - draw(&seed, 20000);
		compose(&seed, &wire, &expected);
		n = cut_up(&seed, buf_bytes(&wire), s->seq, round % 8, parts);
		buf_reset(&s->heard);
		syn(s);
		for (size_t i = 0; i < n; i++)
			send(s, parts[i].seq, TCP_ACK, parts[i].octets);
		if (!bytes_equal(buf_bytes(&s->heard), buf_bytes(&expected)))
			fail_msg("round %d: %zu octets instead of %zu", (int)round, s->heard.len, expected.len);
		buf_clear(&wire);
		buf_clear(&expected);
	}
	assert_int_equal(count_of(s, "tcp_gaps"), 0);
	assert_int_equal(count_of(s, "tcp_resync"), 0);
}

static void connections_beyond_the_limit_push_out_the_oldest(void **state)
{
	struct scene *s = *state;

	for (uint32_t i = 0; i < 65536; i++) {
		put_be32(s->flow.src.ip, i);
		send(s, FIRST, TCP_ACK, bytes_of(NOTIFY1));
	}
	assert_int_equal(count_of(s, "tcp_evicted"), 1);
	put_be32(s->flow.src.ip, 1);
	send(s, FIRST + (uint32_t)strlen(NOTIFY1), TCP_ACK, bytes_of(NOTIFY2));
	put_be32(s->flow.src.ip, 0);
	send(s, FIRST + (uint32_t)strlen(NOTIFY1), TCP_ACK, bytes_of(NOTIFY2));
	assert_int_equal(s->messages, 1);
}

static void octets_beyond_the_limit_push_out_the_oldest(void **state)
{
	static char text[60000];
	struct scene *s = *state;
	int len = snprintf(text, sizeof(text), "MESSAGE sip:b@x SIP/2.0\r\nl: 60000\r\n\r\n");

	memset(text + len, 'x', sizeof(text) - (size_t)len - 1);
	for (uint32_t i = 0; i < 2000; i++) {
		put_be32(s->flow.src.ip, i);
		send(s, FIRST, TCP_ACK, bytes_of(text));
	}
	/* 64 MiB hold between 512 (at twice their size) and 1,118 of them. */
	assert_in_range(count_of(s, "tcp_evicted"), 2000 - 1118, 2000 - 512);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(s17_a_segment_with_two_and_a_half_messages_gives_three_in_order),
		T(s11_a_partial_response_that_comes_four_times_is_one_message),
		T(s18_keep_alives_between_messages_are_passed_over),
		T(s20_segments_retransmitted_and_reordered_give_each_message_once),
		T(s21_after_a_segment_that_was_never_captured_it_goes_on_at_the_next_start_line),
		T(a_hole_is_waited_for_as_long_as_the_limits_allow),
		T(other_connections_let_time_go_on_for_one_that_waits),
		T(nothing_more_comes_and_no_hole_is_waited_for),
		T(what_lies_in_a_hole_within_a_body_does_not_cost_the_next_message),
		T(s23_the_length_is_understood_in_every_spelling),
		T(without_a_length_there_is_no_body),
		T(s24_a_length_that_cannot_be_is_refused_and_its_body_is_no_message),
		T(a_message_too_long_for_a_packet_is_passed_over_and_counted),
		T(a_message_of_65000_octets_is_whole_in_its_packet),
		T(s27_octets_behind_a_body_are_passed_over),
		T(a_connection_that_was_there_before_is_joined_at_a_start_line),
		T(what_came_first_wins_where_segments_overlap),
		T(sequence_numbers_wrap),
		T(ports_used_again_are_another_connection),
		T(a_connection_ends_and_copies_of_its_segments_come_later),
		T(a_fin_or_rst_that_overtook_data_waits_for_it),
		T(a_message_cut_by_the_end_of_its_connection_is_given_as_far_as_it_came),
		T(a_segment_that_the_capture_cut_holds_nothing_up),
		T(what_is_no_sip_leaves_nothing_behind),
		T(every_octet_its_own_segment),
		T(ipv6_packets_are_made_whole_too),
		T(sip_over_tls_is_counted_and_not_guessed),
		T(websocket_messages_of_both_directions_are_found),
		T(a_websocket_message_in_several_frames_is_one),
		T(websocket_is_joined_and_joined_again_at_a_frame_with_sip_in_it),
		T(ports_used_again_may_carry_something_else_than_before),
		T(websocket_messages_that_came_compressed_refer_to_those_before),
		T(websocket_messages_whose_context_was_missed_are_counted),
		T(websocket_is_joined_at_a_compressed_message_that_can_be_read),
		T(compressed_messages_unpack_to_a_bounded_number_of_octets),
		T(websocket_frames_that_are_too_long_or_compressed_are_counted),
		T(sctp_chunks_bundled_fragmented_reordered_and_repeated_give_their_messages),
		T(an_sctp_chunk_that_never_comes_costs_its_message_alone),
		T(an_sctp_packet_that_is_made_has_its_checksum),
		T(any_segmentation_and_order_within_the_window_gives_the_same_messages),
		T(connections_beyond_the_limit_push_out_the_oldest),
		T(octets_beyond_the_limit_push_out_the_oldest),
	};

	return cmocka_run_group_tests_name("framer", tests, NULL, NULL);
}
