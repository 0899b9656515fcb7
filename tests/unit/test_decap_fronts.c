/* decap: of several fronts each finds the same owner of a flow, and fragments come together at one of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "otway/decap.h"

#define LINK_ETHERNET 1
#define LINK_RAW      101
#define FRONTS        3
#define LONG          3000

/* An IPv4 header in front of what stands at p + 20. */
static void ipv4(uint8_t *p, size_t len, uint8_t protocol, uint16_t id, unsigned offset, bool more)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)(20 + len));
	put_be16(p + 4, id);
	put_be16(p + 6, (uint16_t)(offset / 8 | (more ? 0x2000u : 0)));
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, "\xc0\0\x02\x01\xc6\x33\x64\x02", 8);
}

/* The UDP datagram whose octets are the numbers of their places. */
static void datagram(uint8_t udp[8 + LONG], uint16_t port)
{
	put_be16(udp, 5060);
	put_be16(udp + 2, port);
	put_be16(udp + 4, 8 + LONG);
	put_be16(udp + 6, 0);
	for (size_t i = 0; i < LONG; i++)
		udp[8 + i] = (uint8_t)(i * 7 + i / 256);
}

static void is_datagram(const struct datagram *d, uint16_t port)
{
	uint8_t udp[8 + LONG];

	datagram(udp, port);
	assert_int_equal(d->flow.dst.port, port);
	assert_int_equal(d->payload.len, LONG);
	assert_memory_equal(d->payload.at, udp + 8, LONG);
	assert_true(d->wrapped);
}

struct crew {
	struct decap *fronts[FRONTS];
};

static void crew_open(struct crew *c, uint32_t count)
{
	for (uint32_t i = 0; i < FRONTS; i++) {
		struct decap_options o;

		decap_options_init(&o);
		o.fronts = count;
		o.own = i;
		c->fronts[i] = decap_new(&o);
		assert_non_null(c->fronts[i]);
	}
}

static void crew_close(struct crew *c)
{
	for (uint32_t i = 0; i < FRONTS; i++)
		decap_free(c->fronts[i]);
}

/* A frame taken in by one of them; fragments go where they belong. True: a whole datagram came of it, and from which front. */
static bool take(struct crew *c, uint32_t to, int link, struct bytes octets, struct datagram *out, uint32_t *from)
{
	struct frame f = { .link = link, .wire_len = (uint32_t)octets.len, .bytes = octets };
	uint32_t at = to;

	decap_take(c->fronts[to], &f);
	while (decap_next(c->fronts[at], out)) {
		*from = at;
		if (out->payload.at != NULL)
			return true;
		at = decap_owner(out, FRONTS);
		assert_true(at < FRONTS && at != *from);
		decap_fragment(c->fronts[at], out);
	}
	return false;
}

static uint64_t total(const struct crew *c, const char *name)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < FRONTS; i++) {
		struct counter counts[64];
		size_t n = decap_counts(c->fronts[i], counts, 64);

		for (size_t j = 0; j < n; j++)
			sum += strcmp(counts[j].name, name) == 0 ? counts[j].value : 0;
	}
	return sum;
}

static void a_flow_has_the_same_owner_both_ways_and_owners_share_the_work(void **state)
{
	unsigned owned[5] = { 0 };
	uint8_t payload = 0;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct datagram d = { .proto = IP_PROTO_UDP, .payload = { &payload, 1 } }, back = d;
		uint32_t owner;

		d.flow.src = (struct addr){ .family = 4, .port = (uint16_t)(1024 + i), .ip = { 10, 0, 0, 1 } };
		d.flow.dst = (struct addr){ .family = 4, .port = 4000, .ip = { 10, 0, 1, (uint8_t)(i / 256) } };
		if (i % 2 != 0)
			d.flow.src.family = d.flow.dst.family = 6;
		back.flow = (struct flow){ d.flow.dst, d.flow.src };
		for (uint32_t fronts = 0; fronts < 5; fronts++) {
			owner = decap_owner(&d, fronts);
			assert_true(owner < fronts || owner == 0);
			assert_int_equal(decap_owner(&back, fronts), owner);
		}
		owned[decap_owner(&d, 4)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_true(owned[i] > 800 && owned[i] < 1200);
}

static void fragments_come_together_whichever_fronts_they_came_in_at(void **state)
{
	uint8_t udp[8 + LONG], p[2][2048];
	unsigned by[FRONTS] = { 0 };
	struct crew c;

	(void)state;
	crew_open(&c, FRONTS);
	datagram(udp, 6000);
	for (uint16_t id = 0; id < 300; id++) {
		struct datagram d;
		uint32_t from = FRONTS;

		for (unsigned i = 0; i < 2; i++) {
			size_t at = i * 1600, len = i == 0 ? 1600 : sizeof(udp) - 1600;

			memcpy(p[i] + 20, udp + at, len);
			ipv4(p[i], len, IP_PROTO_UDP, id, (unsigned)at, i == 0);
			assert_int_equal(
				take(&c, (id + i) % FRONTS, LINK_RAW, (struct bytes){ p[i], 20 + len }, &d, &from), i);
		}
		is_datagram(&d, 6000);
		by[from]++;
	}
	for (int i = 0; i < FRONTS; i++)
		assert_true(by[i] > 60);
	assert_int_equal(total(&c, "fragments"), 600);
	assert_int_equal(total(&c, "fragments_rejoined"), 300);
	assert_int_equal(total(&c, "datagrams"), 300);
	assert_int_equal(total(&c, "held"), 300);
	crew_close(&c);
}

/* VXLAN around each half of an inner packet, and each of those in two pieces. */
static void fragments_within_a_tunnel_whose_packets_are_fragments_too(void **state)
{
	uint8_t udp[8 + LONG];
	struct crew c;

	(void)state;
	crew_open(&c, FRONTS);
	datagram(udp, 6000);
	for (uint16_t id = 0; id < 200; id++) {
		struct datagram d;
		uint32_t from = FRONTS, whole = 0, random = id;

		for (unsigned i = 0; i < 2; i++) {
			size_t at = i * 1600, len = i == 0 ? 1600 : sizeof(udp) - 1600,
			       outer_len = 8 + 8 + 14 + 20 + len;
			uint8_t outer[2048] = { 0 }, piece[2048];

			put_be16(outer, 50000);
			put_be16(outer + 2, 4789);
			put_be16(outer + 4, (uint16_t)outer_len);
			outer[8] = 8;
			outer[14] = 77;
			put_be16(outer + 16 + 12, 0x0800);
			memcpy(outer + 50, udp + at, len);
			ipv4(outer + 30, len, IP_PROTO_UDP, id, (unsigned)at, i == 0);
			for (unsigned j = 0; j < 2; j++) {
				size_t part = j * 800, part_len = j == 0 ? 800 : outer_len - 800;

				memcpy(piece + 20, outer + part, part_len);
				ipv4(piece, part_len, IP_PROTO_UDP, (uint16_t)(1000 + 2 * id + i), (unsigned)part,
					j == 0);
				random = random * 1664525 + 1013904223;
				whole += take(&c, (random >> 16) % FRONTS, LINK_RAW,
					(struct bytes){ piece, 20 + part_len }, &d, &from);
			}
		}
		assert_int_equal(whole, 1);
		is_datagram(&d, 6000);
	}
	assert_int_equal(total(&c, "fragments_rejoined"), 600);
	assert_int_equal(total(&c, "vxlan"), 400);
	crew_close(&c);
}

/* The same addresses and number in two VLANs are two packets, though both halves of each came in elsewhere. */
static void fragments_of_two_networks_do_not_mix(void **state)
{
	uint8_t udp[2][8 + LONG];
	struct crew c;
	struct datagram d;
	unsigned whole[2] = { 0 };

	(void)state;
	crew_open(&c, FRONTS);
	for (uint16_t id = 0; id < 100; id++)
		for (unsigned i = 0; i < 4; i++) {
			unsigned vlan = i % 2, half = i / 2;
			size_t at = half * 1600, len = half == 0 ? 1600 : sizeof(udp[0]) - 1600;
			uint8_t p[2048] = { 0 };
			uint32_t from;

			datagram(udp[vlan], (uint16_t)(6000 + vlan));
			put_be16(p + 12, 0x8100);
			put_be16(p + 14, (uint16_t)(100 + vlan));
			put_be16(p + 16, 0x0800);
			memcpy(p + 38, udp[vlan] + at, len);
			ipv4(p + 18, len, IP_PROTO_UDP, id, (unsigned)at, half == 0);
			if (take(&c, (id + i) % FRONTS, LINK_ETHERNET, (struct bytes){ p, 38 + len }, &d, &from)) {
				is_datagram(&d, (uint16_t)(6000 + vlan));
				whole[vlan]++;
			}
		}
	assert_int_equal(whole[0], 100);
	assert_int_equal(whole[1], 100);
	crew_close(&c);
}

static void one_that_is_alone_gives_no_fragment_out(void **state)
{
	uint8_t udp[8 + LONG], p[2048];
	struct crew c;
	struct datagram d;

	(void)state;
	for (uint32_t count = 0; count < 2; count++) {
		crew_open(&c, count);
		datagram(udp, 6000);
		memcpy(p + 20, udp, 1600);
		for (uint16_t id = 0; id < 100; id++) {
			struct frame f = { .link = LINK_RAW, .wire_len = 1620, .bytes = { p, 1620 } };

			ipv4(p, 1600, IP_PROTO_UDP, id, 0, true);
			decap_take(c.fronts[0], &f);
			assert_false(decap_next(c.fronts[0], &d));
		}
		crew_close(&c);
	}
}

/* What is no fragment, whatever the other front says it is, does no harm. */
static void what_is_forwarded_is_not_trusted(void **state)
{
	uint8_t p[2048];
	uint32_t random = 1;
	struct crew c;
	struct datagram d;

	(void)state;
	crew_open(&c, FRONTS);
	for (int i = 0; i < 20000; i++) {
		struct datagram in = { .packet = { p, 0 } };

		random = random * 1664525 + 1013904223;
		in.packet.len = (random >> 8) % 100;
		for (size_t j = 0; j < in.packet.len; j++) {
			random = random * 1664525 + 1013904223;
			p[j] = (uint8_t)(random >> 16);
		}
		p[0] = i % 3 == 0 ? 0x45 : i % 3 == 1 ? 0x60 : p[0];
		p[6] = i % 6 == 1 ? 44 : p[6];
		assert_true(decap_owner(&in, FRONTS) < FRONTS);
		decap_fragment(c.fronts[0], &in);
		while (decap_next(c.fronts[0], &d))
			;
	}
	crew_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_has_the_same_owner_both_ways_and_owners_share_the_work),
		cmocka_unit_test(fragments_come_together_whichever_fronts_they_came_in_at),
		cmocka_unit_test(fragments_within_a_tunnel_whose_packets_are_fragments_too),
		cmocka_unit_test(fragments_of_two_networks_do_not_mix),
		cmocka_unit_test(one_that_is_alone_gives_no_fragment_out),
		cmocka_unit_test(what_is_forwarded_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
