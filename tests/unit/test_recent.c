/* recent: what is kept comes back once, in order, and no more than fits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/recent.h"

static struct datagram rtp(nsec_t at, uint16_t port, uint32_t number, size_t len, uint8_t *octets)
{
	struct datagram d = { .at = at, .proto = IP_PROTO_UDP };

	memset(octets, 0, len);
	octets[0] = 0x45;
	put_be16(octets + 20, 9);
	put_be16(octets + 22, port);
	octets[28] = 0x80;
	put_be32(octets + 32, number);
	d.flow.dst = (struct addr){ .family = 4, .port = port };
	d.flow.src = (struct addr){ .family = 4, .port = 9 };
	d.packet = (struct bytes){ octets, len };
	d.payload = (struct bytes){ octets + 28, len - 28 };
	return d;
}

static void packets_of_a_place_come_back_once_and_in_order(void **state)
{
	struct recent *r = recent_new(1 << 16, NSEC_PER_SEC);
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[200];
	struct datagram out;
	uint64_t step = 0;
	uint32_t next = 0;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		struct datagram d = rtp(i, i % 2 ? 4000 : 5000, i, sizeof(octets), octets);

		recent_keep(r, &d);
	}
	while (recent_next(r, &place, 20, &step, &out)) {
		assert_int_equal(be32(out.payload.at + 4), 2 * next + 1);
		assert_int_equal(out.packet.len, sizeof(octets));
		next++;
	}
	assert_int_equal(next, 10);
	step = 0;
	assert_false(recent_next(r, &place, 20, &step, &out));
	recent_free(r);
}

static void what_is_older_than_the_span_is_not_given(void **state)
{
	struct recent *r = recent_new(1 << 16, 10);
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[100];
	struct datagram d, out;
	uint64_t step = 0;

	(void)state;
	d = rtp(5, 4000, 1, sizeof(octets), octets);
	recent_keep(r, &d);
	assert_false(recent_next(r, &place, 16, &step, &out));
	step = 0;
	assert_true(recent_next(r, &place, 15, &step, &out));
	recent_free(r);
}

/* Sizes of every kind go round many times: what is there is always the newest, whole, and in order. */
static void a_full_ring_keeps_the_newest(void **state)
{
	struct recent *r = recent_new(1 << 14, INT64_MAX / 4);
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[2048];

	(void)state;
	srand(7);
	for (uint32_t i = 1; i < 20000; i++) {
		struct datagram d = rtp(i, 4000, i, 40 + (size_t)rand() % 1400, octets), out;
		uint64_t step = 0;
		uint32_t last = 0;

		recent_keep(r, &d);
		if (i % 97 != 0)
			continue;
		while (recent_next(r, &place, i, &step, &out)) {
			uint32_t number = be32(out.payload.at + 4);

			assert_true(last == 0 || number == last + 1);
			last = number;
		}
		assert_int_equal(last, i);
	}
	recent_free(r);
}

/* Whatever the lengths, no more than an eighth of a ring lies idle, and what each entry needs beside its packet. */
static void a_full_ring_is_mostly_full(void **state)
{
	struct recent *r = recent_new(1 << 16, INT64_MAX / 4);
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[200];
	struct datagram out;
	uint64_t step = 0;
	size_t count = 0;

	(void)state;
	for (uint32_t i = 1; i < 5000; i++) {
		struct datagram d = rtp(i, 4000, i, sizeof(octets), octets);

		recent_keep(r, &d);
	}
	while (recent_next(r, &place, 5000, &step, &out))
		count++;
	assert_in_range(count, (1 << 16) / 8 * 7 / (sizeof(octets) + 80) - 8, (1 << 16) / sizeof(octets));
	recent_free(r);
}

/* Back by an hour, then forward by a day: in both cases nobody knows how long ago the first one came. */
static void what_came_before_the_clock_was_set_is_not_given(void **state)
{
	const nsec_t hour = 3600 * NSEC_PER_SEC, jumps[] = { -hour, 24 * hour };
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[100];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct recent *r = recent_new(1 << 16, NSEC_PER_SEC);
		nsec_t at = 1000 * hour;
		struct datagram d = rtp(at, 4000, 1, sizeof(octets), octets), out;
		uint64_t step = 0;

		recent_keep(r, &d);
		at += jumps[i];
		d = rtp(at, 4000, 2, sizeof(octets), octets);
		recent_keep(r, &d);
		assert_true(recent_next(r, &place, at, &step, &out));
		assert_int_equal(be32(out.payload.at + 4), 2);
		assert_false(recent_next(r, &place, at, &step, &out));
		recent_free(r);
	}
}

/* Of all that goes by between two addresses in a thousand, and back, each place gets its own, in order, and both ways. */
static void each_place_has_its_own(void **state)
{
	struct recent *r = recent_new(1 << 22, NSEC_PER_SEC);
	uint8_t octets[60];

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		struct datagram d = rtp(i, (uint16_t)(2000 + i % 1000), i, sizeof(octets), octets);

		if (i / 1000 % 2 == 0) { /* the answers */
			struct addr src = d.flow.src;

			d.flow.src = d.flow.dst;
			d.flow.dst = src;
			put_be16(octets + 20, d.flow.src.port);
			put_be16(octets + 22, d.flow.dst.port);
		}
		recent_keep(r, &d);
	}
	for (uint32_t place = 0; place < 1000; place++) {
		struct addr a = { .family = 4, .port = (uint16_t)(2000 + place) };
		struct datagram out;
		uint64_t step = 0;
		uint32_t next = place;

		for (; recent_next(r, &a, 20000, &step, &out); next += 1000)
			assert_int_equal(be32(out.payload.at + 4), next);
		assert_int_equal(next, place + 20000);
	}
	recent_free(r);
}

/* Nobody asks for many laps, with lengths of every kind; then of all but the oldest part nothing is missing, up to the newest. */
static void a_ring_that_nobody_asked_for_long_has_the_newest(void **state)
{
	struct addr place = { .family = 4, .port = 4000 };
	uint8_t octets[400];

	(void)state;
	srand(3);
	for (uint32_t laps = 1; laps < 60; laps++) {
		struct recent *r = recent_new(1 << 16, INT64_MAX / 4);
		uint32_t last = laps * 257, count = 0, number = 0;
		struct datagram d, out;
		uint64_t step = 0;

		for (uint32_t i = 1; i <= last; i++) {
			d = rtp(i, 4000, i, 40 + (size_t)rand() % 360, octets);
			recent_keep(r, &d);
		}
		for (; recent_next(r, &place, last, &step, &out); count++) {
			assert_true(count == 0 || be32(out.payload.at + 4) == number + 1);
			number = be32(out.payload.at + 4);
		}
		assert_int_equal(number, last);
		assert_true(count > (1 << 16) / 448 / 2 || count == last);
		/* and goes on from there */
		d = rtp(last + 1, 4000, last + 1, 100, octets);
		recent_keep(r, &d);
		step = 0;
		assert_true(recent_next(r, &place, last + 1, &step, &out));
		assert_int_equal(be32(out.payload.at + 4), last + 1);
		assert_false(recent_next(r, &place, last + 1, &step, &out));
		recent_free(r);
	}
}

/* RFC 8200, with an extension header before UDP. What has no whole header before its payload is of no place. */
static void over_ipv6_too(void **state)
{
	struct recent *r = recent_new(1 << 16, NSEC_PER_SEC);
	struct addr place, source;
	uint8_t octets[40 + 8 + 8 + 40] = { 0x60 };
	struct datagram d = { .at = 1, .proto = IP_PROTO_UDP }, out;
	uint64_t step = 0;

	(void)state;
	assert_true(addr_parse(bytes_of("[2001:db8::1]:5000"), &source));
	assert_true(addr_parse(bytes_of("[2001:db8::2]:4000"), &place));
	memcpy(octets + 8, source.ip, 16);
	memcpy(octets + 24, place.ip, 16);
	put_be16(octets + 48, source.port);
	put_be16(octets + 50, place.port);
	octets[56] = 0x80;
	d.flow = (struct flow){ source, place };
	d.packet = (struct bytes){ octets, sizeof(octets) };
	d.payload = (struct bytes){ octets + 56, 40 };
	recent_keep(r, &d);
	d.packet.at += 24;
	d.packet.len -= 24;
	recent_keep(r, &d);
	assert_true(recent_next(r, &place, 1, &step, &out));
	assert_true(addr_equal(&out.flow.src, &source) && addr_equal(&out.flow.dst, &place));
	assert_int_equal(out.payload.len, 40);
	assert_memory_equal(out.packet.at, octets, sizeof(octets));
	assert_false(recent_next(r, &place, 1, &step, &out));
	step = 0;
	assert_false(recent_next(r, &source, 1, &step, &out)); /* it was given already */
	recent_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_a_place_come_back_once_and_in_order),
		cmocka_unit_test(what_is_older_than_the_span_is_not_given),
		cmocka_unit_test(a_full_ring_keeps_the_newest),
		cmocka_unit_test(a_full_ring_is_mostly_full),
		cmocka_unit_test(each_place_has_its_own),
		cmocka_unit_test(a_ring_that_nobody_asked_for_long_has_the_newest),
		cmocka_unit_test(over_ipv6_too),
		cmocka_unit_test(what_came_before_the_clock_was_set_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
