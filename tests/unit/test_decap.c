/* decap: frames made by hand, layer by layer, with what must come out of them known beforehand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "otway/base/text.h"
#include "otway/decap.h"

#define LINK_NULL     0
#define LINK_ETHERNET 1
#define LINK_RAW      101
#define LINK_LOOP     108
#define LINK_SLL      113
#define LINK_IPV4     228
#define LINK_IPV6     229
#define LINK_SLL2     276

#define TEXT "INVITE sip:bob@example.com SIP/2.0\r\n"

/* A packet that grows at its front. */
struct made {
	uint8_t room[70000];
	size_t from;
};

static struct made packet;

static uint8_t *front(size_t len)
{
	assert_true(packet.from >= len);
	packet.from -= len;
	return packet.room + packet.from;
}

static size_t made_len(void)
{
	return sizeof(packet.room) - packet.from;
}

static void begin(const void *payload, size_t len)
{
	packet.from = sizeof(packet.room);
	memcpy(front(len), payload, len);
}

static uint16_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void add_hex(const char *digits)
{
	uint8_t octets[512];
	long len = text_unhex(bytes_of(digits), octets, sizeof(octets));

	assert_true(len >= 0);
	memcpy(front((size_t)len), octets, (size_t)len);
}

static void add_ethernet(unsigned type)
{
	uint8_t *p = front(14);

	memcpy(p, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02", 12);
	put_be16(p + 12, (uint16_t)type);
}

static void add_udp(unsigned port)
{
	size_t len = made_len() + 8;
	uint8_t *p = front(8);

	put_be16(p, 5062);
	put_be16(p + 2, (uint16_t)port);
	put_be16(p + 4, (uint16_t)len);
	put_be16(p + 6, 0);
}

static void add_ipv4(unsigned protocol)
{
	size_t len = made_len() + 20;
	uint8_t *p = front(20);

	memcpy(p, "\x45\0\0\0\x12\x34\0\0\x40\0\0\0\xc0\0\x02\x01\xc6\x33\x64\x02", 20); /* 192.0.2.1 → 198.51.100.2 */
	put_be16(p + 2, (uint16_t)len);
	p[9] = (uint8_t)protocol;
	put_be16(p + 10, sum_of(p, 20, 0));
}

static void add_ipv6(unsigned next)
{
	size_t len = made_len();
	uint8_t *p = front(40);

	memset(p, 0, 40);
	p[0] = 0x60;
	put_be16(p + 4, (uint16_t)len);
	p[6] = (uint8_t)next;
	p[7] = 64;
	memcpy(p + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	memcpy(p + 24, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
}

/*
 * Puts layers in front of what is there. A recipe names them from the outermost on: "E0800" Ethernet with an ethertype,
 * "I17" IPv4 with a protocol, "S17" IPv6 with a next header, "U13c4" UDP to a port, "h0a0b" octets; "L" octets whose
 * length field of two octets, at their end, counts what follows.
 */
static void add(const char *recipe)
{
	char copy[1024], *token;
	size_t len;

	text_copy(bytes_of(recipe), copy, sizeof(copy));
	while (copy[0] != '\0') {
		token = strrchr(copy, ' ');
		token = token != NULL ? token + 1 : copy;
		switch (token[0]) {
		case 'E':
			add_ethernet((unsigned)strtoul(token + 1, NULL, 16));
			break;
		case 'I':
			add_ipv4((unsigned)strtoul(token + 1, NULL, 10));
			break;
		case 'S':
			add_ipv6((unsigned)strtoul(token + 1, NULL, 10));
			break;
		case 'U':
			add_udp((unsigned)strtoul(token + 1, NULL, 16));
			break;
		case 'L':
			len = made_len();
			put_be16(front(2), (uint16_t)len);
			add_hex(token + 1);
			break;
		default:
			assert_int_equal(token[0], 'h');
			add_hex(token + 1);
		}
		token[token > copy ? -1 : 0] = '\0';
	}
}

static struct bytes made(void)
{
	return (struct bytes){ packet.room + packet.from, made_len() };
}

static struct decap *d;
static struct datagram got;

/* On the heap and exactly as long, so that a sanitizer sees every octet read behind the end. */
static uint8_t *copy;
static struct frame frame;

static void take_at(nsec_t at, int link, struct bytes octets, size_t missing)
{
	free(copy);
	copy = malloc(octets.len + (octets.len == 0));
	assert_non_null(copy);
	if (octets.len > 0)
		memcpy(copy, octets.at, octets.len);
	frame = (struct frame){ .at = at, .link = link, .source = 3, .bytes = { copy, octets.len } };
	frame.wire_len = (uint32_t)(octets.len + missing);
	decap_take(d, &frame);
}

static void take(int link)
{
	take_at(1000, link, made(), 0);
}

static uint64_t count(const char *name)
{
	struct counter all[64];
	size_t n = decap_counts(d, all, 64);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	fail_msg("there is no counter %s", name);
	return 0;
}

static void assert_payload(const void *expected, size_t len)
{
	assert_true(decap_next(d, &got));
	assert_int_equal(got.payload.len, len);
	assert_memory_equal(got.payload.at, expected, len);
	assert_true(got.payload.at >= got.packet.at + got.header);
	assert_true(got.payload.at + got.payload.len <= got.packet.at + got.packet.len);
}

static void assert_text(void)
{
	assert_payload(TEXT, strlen(TEXT));
	assert_false(got.truncated);
}

static void assert_nothing(void)
{
	assert_false(decap_next(d, &got));
}

static int fresh(void **state)
{
	(void)state;
	d = decap_new(NULL);
	return d == NULL;
}

static int done(void **state)
{
	(void)state;
	decap_free(d);
	free(copy);
	copy = NULL;
	return 0;
}

static void begin_text(void)
{
	begin(TEXT, strlen(TEXT));
}

static void a_plain_datagram_comes_out_as_it_lies_in_its_frame(void **state)
{
	struct addr src, dst;

	(void)state;
	begin_text();
	add("E0800 I17 U13c4");
	take(LINK_ETHERNET);
	assert_text();
	assert_true(addr_parse(bytes_of("192.0.2.1:5062"), &src));
	assert_true(addr_parse(bytes_of("198.51.100.2:5060"), &dst));
	assert_true(addr_equal(&got.flow.src, &src));
	assert_true(addr_equal(&got.flow.dst, &dst));
	assert_int_equal(got.proto, IP_PROTO_UDP);
	assert_int_equal(got.header, 8);
	assert_int_equal(got.at, 1000);
	assert_int_equal(got.source, 3);
	assert_int_equal(got.packet.len, 28 + strlen(TEXT));
	assert_int_equal(got.packet.at[0], 0x45);
	assert_nothing();
	assert_int_equal(count("datagrams"), 1);
}

static void an_ipv6_datagram_has_ipv6_addresses(void **state)
{
	struct addr src, dst;

	(void)state;
	begin_text();
	add("E86dd S17 U13c4");
	take(LINK_ETHERNET);
	assert_text();
	assert_true(addr_parse(bytes_of("[2001:db8::1]:5062"), &src));
	assert_true(addr_parse(bytes_of("[2001:db8::2]:5060"), &dst));
	assert_true(addr_equal(&got.flow.src, &src));
	assert_true(addr_equal(&got.flow.dst, &dst));
	assert_int_equal(got.packet.len, 48 + strlen(TEXT));
}

/* The frame must be at least 60 octets long: short packets are padded (IEEE 802.3 3.2.8). */
static void padding_of_the_frame_is_not_payload(void **state)
{
	(void)state;
	begin("\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	packet.from = sizeof(packet.room) - 14;
	memcpy(front(4), "ping", 4);
	put_be16(front(8), 5062);
	put_be16(packet.room + packet.from + 2, 5060);
	put_be16(packet.room + packet.from + 4, 12);
	memcpy(front(20), "\x45\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\0\x02\x01\xc6\x33\x64\x02", 20);
	add_ethernet(0x0800);
	take(LINK_ETHERNET);
	assert_payload("ping", 4);
	assert_int_equal(got.packet.len, 32);
	assert_false(got.truncated);
}

/* The plainest frames have a short way. Whatever is wrong with a packet, what it gives is what the long way gives. */
static void the_short_way_gives_what_the_long_way_gives(void **state)
{
	uint32_t x = 7;
	int shorts = 0, longs = 0;

	(void)state;
	for (int n = 0; n < 50000; n++) {
		uint8_t *ip;
		size_t len, missing = 0;
		struct datagram plain;
		bool given = false;

		if (count("fragments") + count("held") > 0) { /* what was held must not meet what comes next */
			done(state);
			fresh(state);
		}
		begin_text();
		add("I17 U13c4");
		ip = packet.room + packet.from;
		len = made_len();
		for (int flips = n % 3; flips >= 0; flips--) {
			x = x * 1664525 + 1013904223;
			ip[x >> 8 & 31] = (uint8_t)(x >> 16 & (n % 2 != 0 ? 0xff : 0x4f));
		}
		x = x * 1664525 + 1013904223;
		if (n % 5 == 0) {
			missing = (x >> 16) % len;
			len -= missing;
		}
		add("E0800");
		take_at(n, LINK_ETHERNET, (struct bytes){ made().at, len + 14 }, n % 10 == 0 ? 0 : missing);
		while (decap_next(d, &got))
			given = true;
		longs += given;
		if (!decap_plain(d, &frame, &plain))
			continue;
		shorts++;
		assert_true(given);
		assert_true(got.at == plain.at && got.proto == plain.proto && got.header == plain.header);
		assert_true(got.truncated == plain.truncated && got.framed == plain.framed);
		assert_true(got.wrapped == plain.wrapped);
		assert_true(got.packet.at == plain.packet.at && got.packet.len == plain.packet.len);
		assert_true(got.payload.at == plain.payload.at && got.payload.len == plain.payload.len);
		assert_memory_equal(&got.flow, &plain.flow, sizeof(got.flow));
	}
	assert_true(shorts > 10000 && longs > shorts);
}

/* Each recipe is a way of wrapping the text; what is counted is the tunnel's own counter, if it has one. */
static const struct wrap {
	const char *name, *counter;
	int link;
	const char *recipe;
} wraps[] = {
	{ "raw IPv4", NULL, LINK_RAW, "I17 U13c4" },
	{ "raw IPv6", NULL, LINK_RAW, "S17 U13c4" },
	{ "LINKTYPE_IPV4", NULL, LINK_IPV4, "I17 U13c4" },
	{ "LINKTYPE_IPV6", NULL, LINK_IPV6, "S17 U13c4" },
	{ "SLL", NULL, LINK_SLL,
		"h000000010006020000000001000008"
		"00 I17 U13c4" },
	{ "SLL2", NULL, LINK_SLL2,
		"h86dd0000000000020001000602000000000100"
		"00 S17 U13c4" },
	{ "SLL with VLAN", "vlan_tags", LINK_SLL, "h0000000100060200000000010000810000640800 I17 U13c4" },
	{ "BSD null, little endian", NULL, LINK_NULL, "h02000000 I17 U13c4" },
	{ "BSD null, big endian", NULL, LINK_NULL, "h00000002 I17 U13c4" },
	{ "BSD null, Darwin IPv6", NULL, LINK_NULL, "h1e000000 S17 U13c4" },
	{ "BSD loop, FreeBSD IPv6", NULL, LINK_LOOP, "h0000001c S17 U13c4" },
	{ "IPv4 options", NULL, LINK_RAW,
		"h4700004800000000401100"
		"00c0000201c6336402"
		"0101010101010100 U13c4" },
	{ "AH over IPv4", NULL, LINK_RAW, "I51 h110400000000000100000001000000000000000000000000 U13c4" },
	{ "LLC/SNAP", NULL, LINK_ETHERNET, "E0050 haaaa030000000800 I17 U13c4" },
	{ "802.1Q", "vlan_tags", LINK_ETHERNET, "E8100 h00640800 I17 U13c4" },
	{ "802.1ad", NULL, LINK_ETHERNET, "E88a8 h00648100 h00c886dd S17 U13c4" },
	{ "three tags", NULL, LINK_ETHERNET, "E9100 h00649100 h00659100 h00660800 I17 U13c4" },
	{ "tags 9200 and 9300", NULL, LINK_ETHERNET, "E9200 h00649300 h00650800 I17 U13c4" },
	{ "802.1ah", NULL, LINK_ETHERNET, "E88e7 h00001234 E0800 I17 U13c4" },
	{ "802.1BR E-tag", NULL, LINK_ETHERNET, "E893f h0000000100000800 I17 U13c4" },
	{ "VN-tag", NULL, LINK_ETHERNET, "E8926 h000000010800 I17 U13c4" },
	{ "Cisco metadata", "vlan_tags", LINK_ETHERNET,
		"E8909 h010100010007"
		"0800 I17 U13c4" },
	{ "Cisco metadata in GRE", "gre", LINK_RAW,
		"I47 h20008909"
		"00000028"
		"0800010100010000 I17 U13c4" },
	{ "MPLS, two labels, IPv4", "mpls", LINK_ETHERNET, "E8847 h00064040 h00065140 I17 U13c4" },
	{ "MPLS, IPv6", "mpls", LINK_ETHERNET, "E8848 h00002140 S17 U13c4" },
	{ "MPLS pseudowire", "mpls", LINK_ETHERNET, "E8847 h00064140 E0800 I17 U13c4" },
	{ "MPLS pseudowire, control word", "mpls", LINK_ETHERNET, "E8847 h00064140 h00000007 E0800 I17 U13c4" },
	{ "MPLS pseudowire, to an address of 4…", "mpls", LINK_ETHERNET,
		"E8847 h00064140 h40aabbccddee0200000000010800 I17 U13c4" },
	{ "MPLS pseudowire, to an address of 0…", "mpls", LINK_ETHERNET,
		"E8847 h00064140 h001bbbccddee0200000000010800 I17 U13c4" },
	{ "MPLS in IP", "mpls", LINK_RAW, "I137 h00064140 I17 U13c4" },
	{ "PPPoE", "pppoe", LINK_ETHERNET, "E8864 L11000001 h0021 I17 U13c4" },
	{ "PPPoE, IPv6", "pppoe", LINK_ETHERNET, "E8864 L11000001 h0057 S17 U13c4" },
	{ "PPPoE, short protocol", "pppoe", LINK_ETHERNET, "E8864 L11000001 h21 I17 U13c4" },
	{ "GRE", "gre", LINK_RAW, "I47 h00000800 I17 U13c4" },
	{ "GRE, checksum, key, sequence", "gre", LINK_RAW, "I47 hb00086dd000000000000000100000002 S17 U13c4" },
	{ "GRE, source route", "gre", LINK_RAW,
		"I47 h40000800000000000800000401020304"
		"00000000 I17 U13c4" },
	{ "GRE, bridged", "gre", LINK_RAW, "S47 h00006558 E0800 I17 U13c4" },
	{ "GRE, VLAN", "gre", LINK_RAW, "I47 h00008100 h00640800 I17 U13c4" },
	{ "GRE, MPLS", "mpls", LINK_RAW, "I47 h00008847 h00064140 I17 U13c4" },
	{ "GRE version 1, PPP", "gre", LINK_RAW,
		"I47 h3081880b0044000100000005"
		"00000004 hff030021 I17 U13c4" },
	{ "ERSPAN I", "erspan", LINK_RAW, "I47 h000088be E0800 I17 U13c4" },
	{ "ERSPAN II", "erspan", LINK_RAW, "I47 h100088be00000001 h1064000100000000 E0800 I17 U13c4" },
	{ "ERSPAN III", "erspan", LINK_RAW, "I47 h100022eb00000001 h206400010000000000000000 E0800 I17 U13c4" },
	{ "ERSPAN III, platform", "erspan", LINK_RAW,
		"I47 h100022eb00000001 h206400010000000000000001 h0000000000000000 E0800 I17 U13c4" },
	{ "ERSPAN III, IP", "erspan", LINK_RAW, "I47 h100022eb00000001 h206400010000000000000800 I17 U13c4" },
	{ "VXLAN", "vxlan", LINK_ETHERNET, "E0800 I17 U12b5 h0800000000000100 E0800 I17 U13c4" },
	{ "VXLAN, old port, IPv6", "vxlan", LINK_ETHERNET,
		"E86dd S17 U2118 h0800000000000100 E8100 h00640800 I17 U13c4" },
	{ "VXLAN GPE, IPv4", "vxlan", LINK_RAW, "I17 U12b6 h0c00000100000100 I17 U13c4" },
	{ "VXLAN GPE, NSH, Ethernet", "vxlan", LINK_RAW,
		"I17 U12b6 h0c00000400000100 h00060103000001ff00000000000000000000000000000000 E0800 I17 U13c4" },
	{ "Geneve", "geneve", LINK_RAW, "I17 U17c1 h0000655800000100 E0800 I17 U13c4" },
	{ "Geneve, options, IPv6", "geneve", LINK_RAW, "I17 U17c1 h028086dd00000100 h0102000100000000 S17 U13c4" },
	{ "GTP-U", "gtpu", LINK_RAW, "I17 U0868 h30ff004000000001 I17 U13c4" },
	{ "GTP-U, sequence", "gtpu", LINK_RAW, "I17 U0868 h32ff004400000001 h00010000 I17 U13c4" },
	{ "GTP-U, two extension headers", "gtpu", LINK_RAW,
		"I17 U0868 h34ff006400000001 h00000085 h01100585 h0210050000000000 S17 U13c4" },
	{ "GTP-U, Ethernet session", "gtpu", LINK_RAW, "I17 U0868 h30ff004e00000001 E0800 I17 U13c4" },
	{ "GTP-U, PPP session", "gtpu", LINK_RAW, "I17 U0868 h30ff004400000001 hff030021 I17 U13c4" },
	{ "IP in IP", "ipip", LINK_RAW, "I4 I17 U13c4" },
	{ "6in4", "ipip", LINK_RAW, "I41 S17 U13c4" },
	{ "4in6", "ipip", LINK_RAW, "S4 I17 U13c4" },
	{ "6in6 behind destination options", "ipip", LINK_RAW, "S60 h2900010400000000 S17 U13c4" },
	{ "EtherIP", "ipip", LINK_RAW, "I97 h3000 E0800 I17 U13c4" },
	{ "IPv6 extension headers", NULL, LINK_RAW,
		"S0 h2b00010400000000 h3c00000000000000 h8700010400000000 h330000"
		"0000000000 h2c04"
		"0000000000000000000000"
		"0000000000000000000000 h11000000000000ff U13c4" },
	{ "TZSP", "tzsp", LINK_RAW, "I17 U9090 h01000001 h0a01c8 h00 h01 E0800 I17 U13c4" },
	{ "L2TP", "l2tp", LINK_RAW, "I17 U06a5 h000200010001 hff030021 I17 U13c4" },
	{ "L2TP, length, sequence, offset", "l2tp", LINK_RAW,
		"I17 U06a5 h4a02005200010001"
		"00000000"
		"0002"
		"0000 h0021 I17 U13c4" },
	{ "a tunnel in a tunnel in a tunnel", "geneve", LINK_ETHERNET,
		"E8100 h00640800 I17 U12b5 h0800000000000100 E0800 I47 h00000800 I17 U17c1 h0000655800000100 E0800 I17 "
		"U13c4" },
};

static void every_wrapping_is_taken_off(void **state)
{
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		const struct wrap *w = &wraps[i];

		done(state);
		fresh(state);
		begin_text();
		add(w->recipe);
		take(w->link);
		if (!decap_next(d, &got) || got.payload.len != strlen(TEXT) || got.truncated ||
			memcmp(got.payload.at, TEXT, got.payload.len) != 0)
			fail_msg("%s: the text does not come out", w->name);
		assert_int_equal(got.flow.dst.port, 5060);
		if (w->counter != NULL && count(w->counter) == 0)
			fail_msg("%s: %s is not counted", w->name, w->counter);
		assert_nothing();
		assert_int_equal(count("datagrams"), 1);
		assert_int_equal(count("broken") + count("unknown_layer") + count("not_tunnel"), 0);
	}
}

/* No header is trusted: however short a wrapped frame is cut, nothing outside of it is read. */
static void a_frame_cut_anywhere_gives_what_is_there_or_nothing(void **state)
{
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		size_t whole;

		begin_text();
		add(wraps[i].recipe);
		whole = made_len();
		for (size_t len = 0; len < whole; len++) {
			done(state);
			fresh(state);
			take_at(1000, wraps[i].link, (struct bytes){ made().at, len }, whole - len);
			if (decap_next(d, &got)) {
				assert_true(got.truncated);
				assert_true(got.payload.at >= got.packet.at);
				assert_true(got.payload.at + got.payload.len <= got.packet.at + got.packet.len);
				assert_nothing();
			}
			if (count("truncated") == 0)
				fail_msg("%s, cut to %zu octets: not counted", wraps[i].name, len);
		}
	}
}

static void a_datagram_cut_by_the_snapshot_length_is_marked(void **state)
{
	(void)state;
	begin_text();
	add("E0800 I17 U13c4");
	take_at(1000, LINK_ETHERNET, (struct bytes){ made().at, made_len() - 10 }, 10);
	assert_payload(TEXT, strlen(TEXT) - 10);
	assert_true(got.truncated);
	assert_int_equal(count("truncated"), 1);
}

static void a_udp_length_beyond_the_packet_is_broken(void **state)
{
	(void)state;
	for (unsigned length = 0; length < 70; length++) {
		begin_text();
		add_udp(5060);
		put_be16(packet.room + packet.from + 4, (uint16_t)length);
		add("E0800 I17");
		take(LINK_ETHERNET);
		if (length < 8 || length > strlen(TEXT) + 8)
			assert_nothing();
		else
			assert_payload(TEXT, length - 8);
	}
	assert_int_equal(count("broken"), 8 + 69 - strlen(TEXT) - 8);
}

/* A sender's own capture of what its network card will cut into segments. */
static void an_ip_length_of_zero_means_all_that_is_there(void **state)
{
	(void)state;
	begin_text();
	add("I17 U13c4");
	put_be16(packet.room + packet.from + 2, 0);
	take(LINK_RAW);
	assert_text();
	begin_text();
	add("S17 U13c4");
	put_be16(packet.room + packet.from + 4, 0);
	take(LINK_RAW);
	assert_text();
}

static void tcp_and_sctp_come_out_with_their_headers_off(void **state)
{
	(void)state;
	begin_text();
	add("E0800 I6 h13c613c4000000010000000260180200"
	    "00000000"
	    "01010101");
	take(LINK_ETHERNET);
	assert_text();
	assert_int_equal(got.proto, IP_PROTO_TCP);
	assert_int_equal(got.header, 24);
	assert_int_equal(got.flow.src.port, 5062);
	begin("", 0);
	add("E0800 I6 h13c613c40000000100000002500202000000"
	    "0000");
	take(LINK_ETHERNET);
	assert_true(decap_next(d, &got)); /* a SYN: no payload, but a place for it */
	assert_int_equal(got.payload.len, 0);
	assert_ptr_equal(got.payload.at, got.packet.at + got.packet.len);
	assert_int_equal(got.header, 20);
	begin_text();
	add("E0800 I132 h13c613c40000000100000000");
	take(LINK_ETHERNET);
	assert_text();
	assert_int_equal(got.proto, IP_PROTO_SCTP);
	assert_int_equal(got.header, 12);
}

static void what_bears_no_datagram_is_counted_by_kind(void **state)
{
	static const struct {
		const char *recipe, *counter;
	} kinds[] = {
		{ "E0806", "not_ip" },
		{ "E0026 h424203", "not_ip" },
		{ "E8863", "not_ip" },
		{ "E1234", "unknown_layer" },
		{ "E0800 I1", "not_transport" },
		{ "E86dd S58", "not_transport" },
		{ "E0800 I47 h00001234", "unknown_layer" },
		{ "E0800 h55", "broken" },
		{ "E0800 h42000000", "broken" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t before = count(kinds[i].counter);

		begin_text();
		add(kinds[i].recipe);
		take(LINK_ETHERNET);
		assert_nothing();
		assert_int_equal(count(kinds[i].counter), before + 1);
	}
	assert_int_equal(count("datagrams"), 0);
	(void)state;
}

static void a_frame_of_no_known_link_gives_nothing(void **state)
{
	(void)state;
	begin_text();
	add("E0800 I17 U13c4");
	take(147);
	assert_nothing();
	assert_false(decap_knows(147));
	assert_false(decap_knows(105)); /* 802.11 */
	assert_true(decap_knows(LINK_ETHERNET));
	assert_true(decap_knows(LINK_NULL));
	assert_true(decap_knows(LINK_SLL2));
}

/* Where a control word might stand is the address of an Ethernet frame, and in its ARP stands 0800 just there. */
static void arp_in_a_pseudowire_is_arp(void **state)
{
	(void)state;
	begin("\x02\x77\0\0\0\x0c\x0a\x4d\0\x0c\x02\x77\0\0\0\x0b\x0a\x4d\0\x0b", 20);
	add("E8847 h00064140 h02770000000b02770000000c0806 h0001080006040002");
	take(LINK_ETHERNET);
	assert_nothing();
	assert_int_equal(count("not_ip"), 1);
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	begin_text();
	add("I17 U13c4");
	for (int i = 0; i < 12; i++)
		add("I4");
	take(LINK_RAW);
	assert_text();
	for (int i = 0; i < 100; i++)
		add("I4");
	take(LINK_RAW);
	assert_nothing();
	assert_int_equal(count("too_deep"), 1);
}

/* Someone may speak SIP, or send media, on a port that a tunnel also uses. */
static void what_is_no_tunnel_comes_out_as_the_datagram_it_is(void **state)
{
	static const uint16_t ports[] = { 4789, 4790, 8472, 6081, 2152, 37008, 9060, 1701, 4500 };
	static const uint8_t rtp[] = { 0x80, 0, 0, 1, 0, 0, 0, 160, 0x12, 0x34, 0x56, 0x78, 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		begin_text();
		add_udp(ports[i]);
		add("E0800 I17");
		take(LINK_ETHERNET);
		assert_text();
		assert_int_equal(got.flow.dst.port, ports[i]);
		assert_nothing();
		begin(rtp, sizeof(rtp));
		add_udp(ports[i]);
		add("E0800 I17");
		take(LINK_ETHERNET);
		assert_payload(rtp, sizeof(rtp));
		assert_nothing();
	}
	assert_int_equal(count("not_tunnel"), 2 * sizeof(ports) / sizeof(ports[0]));
}

static void what_is_in_a_tunnel_but_no_datagram_does_not_bring_the_tunnel_out(void **state)
{
	(void)state;
	begin_text();
	add("E0800 I17 U12b5 h0800000000000100 E0806");
	take(LINK_ETHERNET);
	assert_nothing();
	begin_text();
	add("E0800 I17 U12b5 h0800000000000100 E0800 I1");
	take(LINK_ETHERNET);
	assert_nothing();
	assert_int_equal(count("not_ip"), 1);
	assert_int_equal(count("not_transport"), 1);
	assert_int_equal(count("vxlan"), 2);
}

static void a_tunnel_can_be_left_alone_and_its_port_be_another(void **state)
{
	struct decap_options o;

	(void)state;
	decap_free(d);
	decap_options_init(&o);
	o.leave[DECAP_GRE] = true;
	o.leave[DECAP_GENEVE] = true;
	o.ports[DECAP_VXLAN][0] = 7777;
	d = decap_new(&o);
	assert_non_null(d);
	begin_text();
	add("I47 h00000800 I17 U13c4");
	take(LINK_RAW);
	assert_nothing();
	begin_text();
	add("I17 U17c1 h0000655800000100 E0800 I17 U13c4");
	take(LINK_RAW);
	assert_true(decap_next(d, &got));
	assert_int_equal(got.flow.dst.port, 6081);
	assert_int_equal(count("wrapped"), 2);
	begin_text();
	add("I17 U12b5 h0800000000000100 E0800 I17 U13c4");
	take(LINK_RAW);
	assert_true(decap_next(d, &got));
	assert_int_equal(got.flow.dst.port, 4789);
	begin_text();
	add("I17 U1e61 h0800000000000100 E0800 I17 U13c4");
	take(LINK_RAW);
	assert_text();
}

static void take_text(const char *recipe)
{
	begin_text();
	add(recipe);
	take(LINK_ETHERNET);
	while (decap_next(d, &got))
		;
}

/* The i-th kind of what was left; how often it was. */
static uint64_t left(size_t i, enum decap_left_kind kind, unsigned id, bool known)
{
	struct decap_left l;

	assert_true(decap_left(d, i, &l));
	assert_int_equal(l.kind, kind);
	assert_int_equal(l.id, id);
	assert_int_equal(l.known, known);
	return l.packets;
}

static void s09_a_tunnel_that_is_left_alone_is_told_with_its_port(void **state)
{
	struct decap_options o;
	struct decap_left l;

	(void)state;
	decap_free(d);
	decap_options_init(&o);
	o.leave[DECAP_VXLAN] = o.leave[DECAP_GRE] = true;
	d = decap_new(&o);
	for (int i = 0; i < 3; i++)
		take_text("E0800 I17 U12b5 h0800000000000100 E0800 I17 U13c4");
	take_text("E0800 I17 U2118 h0800000000000100 E0800 I17 U13c4");
	take_text("E0800 I47 h00000800 I17 U13c4");
	assert_int_equal(left(0, DECAP_LEFT_TUNNEL, 4789, false), 3);
	assert_int_equal(left(1, DECAP_LEFT_TUNNEL, 8472, false), 1);
	assert_int_equal(left(2, DECAP_LEFT_TUNNEL, 0, false), 1);
	assert_true(decap_left(d, 1, &l));
	assert_int_equal(l.tunnel, DECAP_VXLAN);
	assert_true(decap_left(d, 2, &l));
	assert_int_equal(l.tunnel, DECAP_GRE);
	assert_false(decap_left(d, 3, &l));
	assert_int_equal(count("wrapped"), 5);
}

static void what_is_left_is_told_by_kind(void **state)
{
	struct decap_left l;

	(void)state;
	take_text("E0800 I17 U13c4");
	assert_false(decap_left(d, 0, &l));
	take_text("E0806");
	take_text("E0806");
	take_text("Eabcd");
	take_text("E8100 h0001abcd"); /* behind a tag too */
	take_text("E0800 I1");
	take_text("E0800 I99");
	take_text("E8864 L11000001 hc021");
	take_text("E0800 I17 U12b5"); /* text on the port of VXLAN */
	begin_text();
	take(147);
	assert_int_equal(left(0, DECAP_LEFT_ETHERTYPE, 0x0806, true), 2);
	assert_int_equal(left(1, DECAP_LEFT_ETHERTYPE, 0xabcd, false), 2);
	assert_int_equal(left(2, DECAP_LEFT_PROTOCOL, 1, true), 1);
	assert_int_equal(left(3, DECAP_LEFT_PROTOCOL, 99, false), 1);
	assert_int_equal(left(4, DECAP_LEFT_PPP, 0xc021, true), 1);
	assert_int_equal(left(5, DECAP_LEFT_NOT_TUNNEL, 4789, true), 1);
	assert_int_equal(left(6, DECAP_LEFT_LINK, 147, false), 1);
	assert_false(decap_left(d, 7, &l));
}

static void kinds_beyond_those_told_apart_are_counted_together(void **state)
{
	struct decap_left l;

	(void)state;
	for (unsigned i = 0; i < DECAP_LEFT_MAX + 6; i++) {
		begin_text();
		add_ethernet(0xa000 + i);
		take(LINK_ETHERNET);
	}
	assert_int_equal(left(DECAP_LEFT_MAX, DECAP_LEFT_MORE, 0, false), 6);
	assert_false(decap_left(d, DECAP_LEFT_MAX + 1, &l));
}

static enum decap_tunnel guess(const char *recipe)
{
	begin_text();
	add(recipe);
	return decap_guess((struct bytes){ packet.room + packet.from, made_len() });
}

static void s09_a_tunnel_on_a_port_that_nobody_named_is_recognised(void **state)
{
	(void)state;
	assert_int_equal(guess("h0800000000000100 E0800 I17 U13c4"), DECAP_VXLAN);
	assert_int_equal(guess("h0800000000000100 E8100 h00010800 I17 U13c4"), DECAP_VXLAN);
	assert_int_equal(guess("h0000655800000100 E0800 I17 U13c4"), DECAP_GENEVE);
	assert_int_equal(guess("h0200080000000100 h0102030405060708 I17 U13c4"), DECAP_GENEVE);
	assert_int_equal(guess("h01000001 h01 E0800 I17 U13c4"), DECAP_TZSP);
	/* and what is none */
	assert_int_equal(guess(""), DECAP_TUNNELS);
	assert_int_equal(guess("h0800000000000100"), DECAP_TUNNELS);
	assert_int_equal(guess("h0800000100000100 E0800 I17 U13c4"), DECAP_TUNNELS);
	assert_int_equal(guess("h80000001 h00000000 h00000001"), DECAP_TUNNELS);
	assert_int_equal(guess("h0800000000000100 Eabcd I17 U13c4"), DECAP_TUNNELS);
}

static void frames_are_followed_as_deep_as_the_options_say(void **state)
{
	struct decap_options o;

	(void)state;
	decap_free(d);
	decap_options_init(&o);
	o.depth = 8;
	d = decap_new(&o);
	begin_text();
	add("E0800 I4 I4 I4 I4 I4 I17 U13c4"); /* eight headers, with UDP's */
	take(LINK_ETHERNET);
	assert_text();
	begin_text();
	add("E0800 I4 I4 I4 I4 I4 I4 I17 U13c4");
	take(LINK_ETHERNET);
	assert_nothing();
	assert_int_equal(count("too_deep"), 1);
}

/* Fragments: a payload in which every octet tells where it stands. */
#define LONG 3000
static uint8_t longer[LONG];

static void begin_long(void)
{
	for (size_t i = 0; i < LONG; i++)
		longer[i] = (uint8_t)(i * 7 + (i >> 8));
	begin(longer, LONG);
	add_udp(5060);
}

/* The whole segment stands in `packet`; makes a fragment of it. */
static uint8_t piece_of[4000];
static struct bytes segment;

static void keep_segment(void)
{
	memcpy(piece_of, made().at, made_len());
	segment = (struct bytes){ piece_of, made_len() };
}

static void fragment4(size_t from, size_t len, unsigned id)
{
	bool more = from + len < segment.len;
	uint8_t *p;

	begin(segment.at + from, len);
	add_ipv4(IP_PROTO_UDP);
	p = packet.room + packet.from;
	put_be16(p + 4, (uint16_t)id);
	put_be16(p + 6, (uint16_t)((more ? 0x2000 : 0) | from / 8));
}

static void fragment6(size_t from, size_t len, uint32_t id)
{
	bool more = from + len < segment.len;
	uint8_t *p;

	begin(segment.at + from, len);
	p = front(8);
	p[0] = IP_PROTO_UDP;
	p[1] = 0;
	put_be16(p + 2, (uint16_t)(from | more));
	put_be32(p + 4, id);
	add("S60 h2c00010400000000"); /* what stands before the fragment header stays */
}

/* Six pieces, in each of their 720 orders. */
static void fragments_in_any_order_make_the_same_packet(void **state)
{
	int order[6] = { 0, 1, 2, 3, 4, 5 };

	(void)state;
	begin_long();
	keep_segment();
	for (unsigned n = 0; n < 720; n++) {
		unsigned rest = n;

		for (int i = 0; i < 6; i++)
			order[i] = i;
		for (unsigned i = 6; i > 1; i--, rest /= i + 1) {
			unsigned j = rest % i;
			int swap = order[i - 1];

			order[i - 1] = order[j];
			order[j] = swap;
		}
		for (int i = 0; i < 6; i++) {
			size_t from = (size_t)order[i] * 504;

			assert_nothing();
			fragment4(from, order[i] == 5 ? segment.len - from : 504, n);
			take_at(1000 + i, LINK_RAW, made(), 0);
		}
		assert_payload(longer, LONG);
		assert_int_equal(got.at, 1005);
	}
	assert_int_equal(count("fragments"), 4320);
	assert_int_equal(count("fragments_rejoined"), 720);
	assert_int_equal(count("fragments_overlapping") + count("fragments_twice"), 0);
}

static void a_rejoined_packet_has_a_header_that_is_true_of_it(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	fragment4(1504, segment.len - 1504, 7);
	take(LINK_RAW);
	fragment4(0, 1504, 7);
	take(LINK_RAW);
	assert_payload(longer, LONG);
	assert_int_equal(got.packet.len, 28 + LONG);
	assert_int_equal(be16(got.packet.at + 2), 28 + LONG);
	assert_int_equal(be16(got.packet.at + 6), 0);
	assert_int_equal(sum_of(got.packet.at, 20, 0), 0); /* its checksum is right */
	fragment6(1504, segment.len - 1504, 7);
	take(LINK_RAW);
	fragment6(0, 1504, 7);
	take(LINK_RAW);
	assert_payload(longer, LONG);
	assert_int_equal(got.packet.len, 40 + 8 + 8 + LONG);
	assert_int_equal(be16(got.packet.at + 4), 8 + 8 + LONG);
	assert_int_equal(got.packet.at[6], 60);
	assert_int_equal(got.packet.at[40], IP_PROTO_UDP);
	assert_memory_equal(got.packet.at + 42, "\x01\x04\0\0\0\0", 6);
}

/* RFC 6946: a fragment header with nothing before and nothing behind. */
static void an_atomic_fragment_is_whole(void **state)
{
	(void)state;
	begin_text();
	add_udp(5060);
	keep_segment();
	fragment6(0, segment.len, 9);
	take(LINK_RAW);
	assert_text();
	assert_int_equal(count("fragments"), 0);
}

static void where_fragments_overlap_the_first_stands(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	fragment4(0, 800, 1);
	take(LINK_RAW);
	fragment4(1600, segment.len - 1600, 1);
	take(LINK_RAW);
	fragment4(600, 1200, 1);
	memset(packet.room + packet.from + 20, 'x', 200); /* what was there already: another reading */
	memset(packet.room + packet.from + 20 + 1000, 'x', 200);
	take(LINK_RAW);
	assert_payload(longer, LONG);
	assert_int_equal(count("fragments_overlapping"), 1);
}

static void copies_of_fragments_change_nothing(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	for (int i = 0; i < 2; i++) {
		fragment4(0, 1504, 1);
		take(LINK_RAW);
		assert_nothing();
	}
	fragment4(1504, segment.len - 1504, 1);
	take(LINK_RAW);
	assert_payload(longer, LONG);
	take(LINK_RAW); /* the mirror's copy comes when all is done */
	assert_nothing();
	fragment4(0, 1504, 1);
	take(LINK_RAW);
	assert_nothing();
	assert_int_equal(count("fragments_twice"), 3);
	assert_int_equal(count("fragments_overlapping"), 0);
}

static void a_number_used_again_is_another_packet(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin_long();
		packet.room[packet.from + 8] = (uint8_t)i;
		packet.room[packet.from + 2900] = (uint8_t)i;
		keep_segment();
		fragment4(0, 1504, 1);
		take(LINK_RAW);
		assert_nothing();
		fragment4(1504, segment.len - 1504, 1);
		take(LINK_RAW);
		assert_true(decap_next(d, &got));
		assert_int_equal(got.payload.at[0], i);
	}
}

static void fragments_that_cannot_be_are_refused(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	fragment4(0, 1001, 1); /* not a multiple of 8 and not the last */
	take(LINK_RAW);
	begin(segment.at, 100);
	add_ipv4(IP_PROTO_UDP);
	put_be16(packet.room + packet.from + 6, 0x1fff); /* ends beyond the longest packet there is */
	take(LINK_RAW);
	assert_int_equal(count("broken"), 2);
	fragment4(1504, segment.len - 1504, 2); /* two ends: the first stands */
	take(LINK_RAW);
	fragment4(1504, 1304, 2);
	put_be16(packet.room + packet.from + 6, 1504 / 8);
	take(LINK_RAW);
	assert_int_equal(count("broken"), 3);
	fragment4(0, 1504, 2);
	take(LINK_RAW);
	assert_payload(longer, LONG);
}

static void fragments_of_the_outer_packet_are_rejoined_first(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	for (int half = 0; half < 2;
		half++) { /* each half of the inner packet in a tunnel, whose packets are in halves too */
		static struct bytes inner;

		inner = segment;
		fragment4(half ? 1504 : 0, half ? segment.len - 1504 : 1504, 5);
		add("U12b5 h0800000000000100 E0800");
		{
			static uint8_t outer[2000];
			struct bytes tunnel = { outer, made_len() };

			memcpy(outer, made().at, made_len());
			segment = tunnel;
			fragment4(800, tunnel.len - 800, 100 + (unsigned)half);
			take(LINK_RAW);
			assert_nothing();
			fragment4(0, 800, 100 + (unsigned)half);
			take(LINK_RAW);
		}
		segment = inner;
	}
	assert_payload(longer, LONG);
	assert_int_equal(got.flow.dst.port, 5060);
	assert_int_equal(count("fragments_rejoined"), 3);
	assert_int_equal(count("vxlan"), 2);
}

static void fragments_of_two_networks_do_not_mix(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	fragment4(0, 1504, 1);
	add("E8100 h00640800");
	take(LINK_ETHERNET);
	fragment4(1504, segment.len - 1504, 1);
	add("E8100 h00650800");
	take(LINK_ETHERNET);
	assert_nothing();
	fragment4(1504, segment.len - 1504, 1);
	add("E8100 h00640800");
	take(LINK_ETHERNET);
	assert_payload(longer, LONG);
}

static void a_fragment_waits_thirty_seconds_and_no_longer(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	for (unsigned i = 0; i < 2; i++) {
		fragment4(0, 1504, i);
		take_at(0, LINK_RAW, made(), 0);
	}
	fragment4(1504, segment.len - 1504, 0);
	take_at(30 * NSEC_PER_SEC, LINK_RAW, made(), 0);
	assert_payload(longer, LONG);
	fragment4(1504, segment.len - 1504, 1);
	take_at(30 * NSEC_PER_SEC + 1, LINK_RAW, made(), 0);
	assert_nothing();
	assert_int_equal(count("fragments_expired"), 1);
}

/* Back by an hour: numbers that wait since then are not waited for until the hour has come again. */
static void fragments_from_before_the_clock_was_set_back_are_given_up(void **state)
{
	const nsec_t hour = 3600 * NSEC_PER_SEC;

	(void)state;
	begin_long();
	keep_segment();
	fragment4(0, 1504, 1);
	take_at(hour, LINK_RAW, made(), 0);
	fragment4(0, 1504, 2);
	take_at(0, LINK_RAW, made(), 0);
	assert_int_equal(count("fragments_expired"), 1);
	fragment4(1504, segment.len - 1504, 1);
	take_at(1, LINK_RAW, made(), 0);
	assert_nothing();
	fragment4(1504, segment.len - 1504, 2);
	take_at(2, LINK_RAW, made(), 0);
	assert_payload(longer, LONG);
	fragment4(1504, segment.len - 1504, 2); /* a copy, unless it is of another time */
	take_at(3, LINK_RAW, made(), 0);
	assert_int_equal(count("fragments_twice"), 1);
	fragment4(0, 1504, 2);
	take_at(24 * hour, LINK_RAW, made(), 0);
	assert_int_equal(count("fragments_twice"), 1);
}

static void the_oldest_fragments_go_when_there_are_too_many(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	for (unsigned i = 0; i < 4096 + 10; i++) {
		fragment4(0, 1504, i);
		take(LINK_RAW);
	}
	assert_int_equal(count("fragments_evicted"), 10);
	fragment4(1504, segment.len - 1504, 9);
	take(LINK_RAW);
	assert_nothing(); /* its first half has gone, and the eleventh oldest with this one */
	fragment4(1504, segment.len - 1504, 11);
	take(LINK_RAW);
	assert_payload(longer, LONG);
	assert_int_equal(count("fragments_evicted"), 11);
}

/* The rest of a message never came: not only so many fragments are missing, but signalling is. */
static void signalling_lost_with_its_fragments_is_told(void **state)
{
	(void)state;
	for (int sip = 0; sip < 2; sip++) {
		begin_long();
		if (sip == 1)
			memcpy(packet.room + packet.from + 8, TEXT, sizeof(TEXT) - 1);
		keep_segment();
		fragment4(0, 1504, 1 + (unsigned)sip);
		take_at(1000, LINK_RAW, made(), 0);
		fragment4(1504, segment.len - 1504, 11 + (unsigned)sip); /* of yet another */
		take_at(1000, LINK_RAW, made(), 0);
	}
	assert_int_equal(count("fragments_incomplete"), 4);
	assert_int_equal(count("fragments_sip_lost"), 1);
	begin_text();
	add("I17 U13c4");
	fragment4(1504, segment.len - 1504, 99);
	take_at(1000 + 31 * NSEC_PER_SEC, LINK_RAW, made(), 0);
	assert_int_equal(count("fragments_expired"), 4);
	assert_int_equal(count("fragments_incomplete"), 1);
	assert_int_equal(count("fragments_sip_lost"), 1);
}

static void signalling_whose_fragments_all_came_is_not_lost(void **state)
{
	(void)state;
	begin_long();
	memcpy(packet.room + packet.from + 8, "SIP/2.0 200 OK\r\n", 16);
	keep_segment();
	fragment4(0, 1504, 1);
	take(LINK_RAW);
	assert_int_equal(count("fragments_sip_lost"), 1);
	fragment4(1504, segment.len - 1504, 1);
	take(LINK_RAW);
	assert_true(decap_next(d, &got));
	assert_int_equal(count("fragments_incomplete"), 0);
	assert_int_equal(count("fragments_sip_lost"), 0);
}

/* Each takes 64,680 octets and a little more, since its fragment stands at the end of the longest packet there is. */
static void the_oldest_fragments_go_when_they_take_too_much(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	for (unsigned i = 0; i < 2000; i++) {
		fragment4(0, 1504, i);
		put_be16(packet.room + packet.from + 6, 0x2000 | 7900);
		take(LINK_RAW);
	}
	assert_in_range(count("fragments_evicted"), 2000 - (64 << 20) / 64680, 1000);
}

static void a_first_fragment_that_the_capture_cut_is_given_as_it_is(void **state)
{
	(void)state;
	begin_long();
	keep_segment();
	fragment4(0, 1504, 1);
	take_at(0, LINK_RAW, (struct bytes){ made().at, 200 }, made_len() - 200);
	assert_payload(longer, 200 - 28);
	assert_true(got.truncated);
	fragment4(1504, segment.len - 1504, 1);
	take_at(0, LINK_RAW, (struct bytes){ made().at, 200 }, made_len() - 200);
	assert_nothing();
}

/* HEP3: family, protocol, addresses, ports, time, what it is, the message. */
static void add_hep_with(const char *payload, const char *chunks)
{
	size_t len = made_len() + 6;

	put_be16(front(2), (uint16_t)len);
	add_hex(payload);
	add_hex(chunks);
	len = made_len() + 6;
	put_be16(front(2), (uint16_t)len);
	memcpy(front(4), "HEP3", 4);
}

static void add_hep(const char *chunks)
{
	add_hep_with("0000000f", chunks);
}

#define HEP_FLOW4                                                                                                      \
	"00000001000702"                                                                                               \
	"00000002000711"                                                                                               \
	"00000003000a0a000001"                                                                                         \
	"00000004000a0a000002"                                                                                         \
	"0000000700081f90"                                                                                             \
	"00000008000813c4"
#define HEP_SIP "0000000b000701"

static void a_probes_message_comes_out_as_a_packet_of_its_own(void **state)
{
	struct addr src, dst;

	(void)state;
	begin_text();
	add_hep(HEP_FLOW4 "00000009000a60000000"
			  "0000000a000a000f4240" HEP_SIP); /* 1,000,000 µs: no such time */
	add("E0800 I17 U2364");
	take(LINK_ETHERNET);
	assert_text();
	assert_true(addr_parse(bytes_of("10.0.0.1:8080"), &src));
	assert_true(addr_parse(bytes_of("10.0.0.2:5060"), &dst));
	assert_true(addr_equal(&got.flow.src, &src));
	assert_true(addr_equal(&got.flow.dst, &dst));
	assert_int_equal(got.at, 1000);
	assert_int_equal(got.packet.len, 28 + strlen(TEXT));
	assert_int_equal(be16(got.packet.at + 2), got.packet.len);
	assert_int_equal(sum_of(got.packet.at, 20, 0), 0);
	assert_int_equal(be16(got.packet.at + 22), 5060);
	assert_int_equal(be16(got.packet.at + 24), 8 + strlen(TEXT));
	/* RFC 768: the sum of pseudo header and segment, checksum included */
	assert_int_equal(sum_of(got.packet.at + 12, got.packet.len - 12, 17 + 8 + (uint32_t)strlen(TEXT)), 0);
	assert_int_equal(count("hep"), 1);
	assert_nothing();
}

static void a_probes_time_is_taken_when_it_can_be_true(void **state)
{
	const nsec_t at = 0x60000000 * NSEC_PER_SEC;

	(void)state;
	begin_text();
	add_hep(HEP_FLOW4 "00000009000a60000000"
			  "0000000a000a00000007" HEP_SIP);
	add("E0800 I17 U2364");
	take_at(at + NSEC_PER_SEC / 2, LINK_ETHERNET, made(), 0);
	assert_text();
	assert_int_equal(got.at, at + 7000);
	take_at(at + 3600 * NSEC_PER_SEC, LINK_ETHERNET, made(), 0);
	assert_text();
	assert_int_equal(got.at, at + 3600 * NSEC_PER_SEC);
}

static void a_probes_message_over_ipv6_has_a_checksum(void **state)
{
	struct addr src;

	(void)state;
	begin_text();
	add_hep("0000000100070a"
		"00000005001620010db8000000000000000000000001"
		"00000006001620010db8000000000000000000000002"
		"0000000700081f90"
		"00000008000813c4" HEP_SIP);
	add("E0800 I17 U2364");
	take(LINK_ETHERNET);
	assert_text();
	assert_true(addr_parse(bytes_of("[2001:db8::1]:8080"), &src));
	assert_true(addr_equal(&got.flow.src, &src));
	assert_int_equal(sum_of(got.packet.at + 8, got.packet.len - 8, 17 + 8 + (uint32_t)strlen(TEXT)), 0);
}

/* Chunk 16, as zlib, gzip and raw deflate write it. */
static void a_probes_message_may_come_compressed(void **state)
{
	static const uint8_t zlib[] = { 0x78, 0x9c, 0xf3, 0xf4, 0x0b, 0xf3, 0x0c, 0x71, 0x55, 0x28, 0xce, 0x2c, 0xb0,
		0x4a, 0xca, 0x4f, 0x72, 0x48, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0xd5, 0x4b, 0xce, 0xcf, 0x55, 0x08,
		0xf6, 0x0c, 0xd0, 0x37, 0xd2, 0x33, 0xe0, 0xe5, 0x02, 0x00, 0xdf, 0x33, 0x0b, 0x24 };
	static const uint8_t gzip[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xf3, 0xf4, 0x0b,
		0xf3, 0x0c, 0x71, 0x55, 0x28, 0xce, 0x2c, 0xb0, 0x4a, 0xca, 0x4f, 0x72, 0x48, 0xad, 0x48, 0xcc, 0x2d,
		0xc8, 0x49, 0xd5, 0x4b, 0xce, 0xcf, 0x55, 0x08, 0xf6, 0x0c, 0xd0, 0x37, 0xd2, 0x33, 0xe0, 0xe5, 0x02,
		0x00, 0xfa, 0x38, 0x73, 0xe8, 0x24, 0x00, 0x00, 0x00 };
	static const uint8_t deflate[] = { 0xf3, 0xf4, 0x0b, 0xf3, 0x0c, 0x71, 0x55, 0x28, 0xce, 0x2c, 0xb0, 0x4a, 0xca,
		0x4f, 0x72, 0x48, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0xd5, 0x4b, 0xce, 0xcf, 0x55, 0x08, 0xf6, 0x0c,
		0xd0, 0x37, 0xd2, 0x33, 0xe0, 0xe5, 0x02, 0x00 };
	const struct bytes all[] = { { zlib, sizeof(zlib) }, { gzip, sizeof(gzip) }, { deflate, sizeof(deflate) } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(all[i].at, all[i].len);
		add_hep_with("00000010", HEP_FLOW4 HEP_SIP);
		add("E0800 I17 U2364");
		take(LINK_ETHERNET);
		assert_text();
		assert_int_equal(got.packet.len, 28 + strlen(TEXT));
		assert_nothing();
	}
	assert_int_equal(count("hep"), 3);
}

/* 65,536 zeroes in 84 octets: no packet holds them. And what ends too soon. */
static void a_probes_message_that_cannot_be_unpacked_is_a_datagram(void **state)
{
	static const uint8_t bomb[] = { 0x78, 0xda, 0xed, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf,
		0xee, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6a, 0x00,
		0x0f, 0x00, 0x01 };
	static const uint8_t cut[] = { 0x78, 0x9c, 0xf3, 0xf4, 0x0b, 0xf3, 0x0c, 0x71, 0x55, 0x28, 0xce, 0x2c, 0xb0,
		0x4a, 0xca, 0x4f, 0x72, 0x48, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0xd5, 0x4b, 0xce, 0xcf, 0x55, 0x08,
		0xf6, 0x0c, 0xd0, 0x37, 0xd2, 0x33, 0xe0, 0xe5 };
	const struct bytes all[] = { { bomb, sizeof(bomb) }, { cut, sizeof(cut) } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(all[i].at, all[i].len);
		add_hep_with("00000010", HEP_FLOW4 HEP_SIP);
		add("E0800 I17 U2364");
		take(LINK_ETHERNET);
		assert_true(decap_next(d, &got));
		assert_memory_equal(got.payload.at, "HEP3", 4);
	}
	assert_int_equal(count("not_tunnel"), 2);
	assert_int_equal(count("hep"), 0);
}

/* It comes out as the segment it is. */
static void a_probe_that_speaks_tcp_is_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin_text();
		if (i == 0)
			add_hep(HEP_FLOW4 HEP_SIP);
		add("E0800 I6 hc3502364000000010000000050100000 h00000000");
		take(LINK_ETHERNET);
		assert_true(decap_next(d, &got));
		assert_int_equal(got.proto, IP_PROTO_TCP);
		assert_int_equal(got.flow.dst.port, 9060);
		assert_memory_equal(got.payload.at, i == 0 ? "HEP3" : TEXT, 4);
	}
	assert_int_equal(count("hep_tcp"), 1);
	assert_int_equal(count("hep"), 0);
}

static void a_probes_packet_that_contradicts_itself_is_a_datagram(void **state)
{
	static const char *const bad[] = {
		HEP_SIP,                                    /* between whom? */
		HEP_FLOW4 "00000003000b0a00000100" HEP_SIP, /* an IPv4 address of five octets */
		HEP_FLOW4 "000000630005" HEP_SIP,           /* a chunk shorter than its header */
		"00000000ffff" HEP_FLOW4 HEP_SIP,           /* a chunk longer than all */
		HEP_FLOW4 "0000000b000705",                 /* a report, not a message */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin_text();
		add_hep(bad[i]);
		add("E0800 I17 U2364");
		take(LINK_ETHERNET);
		assert_true(decap_next(d, &got));
		assert_int_equal(got.flow.dst.port, 9060);
		assert_memory_equal(got.payload.at, "HEP3", 4);
	}
	assert_int_equal(count("not_tunnel"), 5);
	assert_int_equal(count("hep"), 0);
}

/* ESP without encryption (RFC 2410) around what stands in `packet`: padding 1, 2, 3 …, pad length, next header, value. */
static void add_esp(uint32_t spi, uint32_t sequence, size_t icv, uint8_t next)
{
	uint8_t inner[2000], *p;
	size_t len = made_len(), pad = (4 - (len + 2) % 4) % 4;

	memcpy(inner, made().at, len);
	for (size_t i = 0; i < pad; i++)
		inner[len + i] = (uint8_t)(i + 1);
	inner[len + pad] = (uint8_t)pad;
	inner[len + pad + 1] = next;
	for (size_t i = 0; i < icv; i++)
		inner[len + pad + 2 + i] = (uint8_t)(0x91 + 29 * i + sequence);
	begin(inner, len + pad + 2 + icv);
	p = front(8);
	put_be32(p, spi);
	put_be32(p + 4, sequence);
}

static void add_udp_checksum(void)
{
	uint8_t *p = packet.room + packet.from;
	uint32_t pseudo = 0xc000 + 0x0201 + 0xc633 + 0x6402 + 17 + (uint32_t)made_len();

	put_be16(p + 6, sum_of(p, made_len(), pseudo));
}

static void esp_that_is_not_encrypted_is_known_by_its_checksums(void **state)
{
	(void)state;
	for (size_t icv = 12; icv <= 32; icv += icv == 12 ? 4 : 8) {
		begin_text();
		add_udp(5060);
		add_udp_checksum();
		add_esp((uint32_t)icv, 1, icv, IP_PROTO_UDP);
		add("E0800 I50");
		take(LINK_ETHERNET);
		assert_text();
		assert_int_equal(got.flow.src.port, 5062);
		assert_nothing();
	}
	assert_int_equal(count("esp"), 4);
}

static void esp_in_doubt_is_held_until_it_is_known(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 2; n++) {
		begin_text();
		add_udp(5060); /* without a checksum: one packet alone proves nothing */
		add_esp(0x1234, n, 12, IP_PROTO_UDP);
		add("E0800 I50");
		for (int times = 0; times < 2 && n == 1; times++) {
			take_at(n, LINK_ETHERNET, made(), 0);
			assert_nothing(); /* nor does a mirror's copy of it */
		}
	}
	assert_int_equal(count("held"), 2);
	take_at(2, LINK_ETHERNET, made(), 0);
	for (nsec_t at = 1; at <= 2; at++) {
		assert_text();
		assert_int_equal(got.at, at);
		if (at == 1)
			assert_text(); /* the copy */
	}
	assert_nothing();
	take_at(3, LINK_ETHERNET, made(), 0);
	assert_text();
}

static void esp_that_signalling_says_is_clear_is_believed(void **state)
{
	struct addr dst;

	(void)state;
	assert_true(addr_parse(bytes_of("198.51.100.2"), &dst));
	begin_text();
	add_udp(5060);
	add_esp(0x1234, 1, 12, IP_PROTO_UDP);
	add("E0800 I50");
	take(LINK_ETHERNET);
	assert_nothing();
	assert_true(decap_esp_null(d, &dst, 0x1234, 12));
	assert_text();
	assert_nothing();
	assert_true(decap_esp_null(d, &dst, 0x1235, 0));
	begin_text();
	add_udp(5060);
	add_esp(0x1235, 1, 16, IP_PROTO_UDP);
	add("E0800 I50");
	take(LINK_ETHERNET);
	assert_text();
}

static void encrypted_esp_stays_sealed(void **state)
{
	uint8_t noise[200];
	uint32_t x = 1;

	(void)state;
	for (uint32_t n = 0; n < 300; n++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		begin(noise, sizeof(noise));
		put_be32(front(4), n);
		put_be32(front(4), 0x777);
		add("E0800 I50");
		take(LINK_ETHERNET);
		assert_nothing();
	}
	assert_in_range(count("esp_sealed"), 280, 300);
	assert_int_equal(count("esp"), 0);
}

static void esp_within_udp_is_taken_off_too(void **state)
{
	(void)state;
	begin_text();
	add_udp(5060);
	add_udp_checksum();
	add_esp(0x1234, 1, 12, IP_PROTO_UDP);
	add("E0800 I17 U1194");
	take(LINK_ETHERNET);
	assert_true(decap_next(d, &got)); /* in doubt the outer datagram is given … */
	assert_int_equal(got.flow.dst.port, 4500);
	assert_text(); /* … and the inner as soon as it is known */
	assert_int_equal(got.flow.dst.port, 5060);
	assert_nothing();
	begin("\0\0\0\0IKE goes on", 15); /* RFC 3948 2.2 */
	add("E0800 I17 U1194");
	take(LINK_ETHERNET);
	assert_true(decap_next(d, &got));
	assert_int_equal(got.payload.len, 15);
}

static void held_esp_is_bounded(void **state)
{
	struct addr dst;
	int out = 0;

	(void)state;
	assert_true(addr_parse(bytes_of("198.51.100.2"), &dst));
	begin_text();
	add_udp(5060);
	add_esp(0x1234, 1, 12, IP_PROTO_UDP);
	add("E0800 I50");
	for (int i = 0; i < 20; i++)
		take(LINK_ETHERNET);
	assert_true(decap_esp_null(d, &dst, 0x1234, 12));
	while (decap_next(d, &got))
		out++;
	assert_int_equal(out, 8);
}

int main(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, fresh, done)
	const struct CMUnitTest tests[] = {
		t(a_plain_datagram_comes_out_as_it_lies_in_its_frame),
		t(an_ipv6_datagram_has_ipv6_addresses),
		t(padding_of_the_frame_is_not_payload),
		t(the_short_way_gives_what_the_long_way_gives),
		t(every_wrapping_is_taken_off),
		t(a_frame_cut_anywhere_gives_what_is_there_or_nothing),
		t(a_datagram_cut_by_the_snapshot_length_is_marked),
		t(a_udp_length_beyond_the_packet_is_broken),
		t(an_ip_length_of_zero_means_all_that_is_there),
		t(tcp_and_sctp_come_out_with_their_headers_off),
		t(what_bears_no_datagram_is_counted_by_kind),
		t(a_frame_of_no_known_link_gives_nothing),
		t(arp_in_a_pseudowire_is_arp),
		t(nesting_has_a_limit),
		t(what_is_no_tunnel_comes_out_as_the_datagram_it_is),
		t(what_is_in_a_tunnel_but_no_datagram_does_not_bring_the_tunnel_out),
		t(a_tunnel_can_be_left_alone_and_its_port_be_another),
		t(s09_a_tunnel_that_is_left_alone_is_told_with_its_port),
		t(what_is_left_is_told_by_kind),
		t(kinds_beyond_those_told_apart_are_counted_together),
		t(s09_a_tunnel_on_a_port_that_nobody_named_is_recognised),
		t(frames_are_followed_as_deep_as_the_options_say),
		t(fragments_in_any_order_make_the_same_packet),
		t(a_rejoined_packet_has_a_header_that_is_true_of_it),
		t(an_atomic_fragment_is_whole),
		t(where_fragments_overlap_the_first_stands),
		t(copies_of_fragments_change_nothing),
		t(a_number_used_again_is_another_packet),
		t(fragments_that_cannot_be_are_refused),
		t(fragments_of_the_outer_packet_are_rejoined_first),
		t(fragments_of_two_networks_do_not_mix),
		t(a_fragment_waits_thirty_seconds_and_no_longer),
		t(fragments_from_before_the_clock_was_set_back_are_given_up),
		t(the_oldest_fragments_go_when_there_are_too_many),
		t(the_oldest_fragments_go_when_they_take_too_much),
		t(signalling_lost_with_its_fragments_is_told),
		t(signalling_whose_fragments_all_came_is_not_lost),
		t(a_first_fragment_that_the_capture_cut_is_given_as_it_is),
		t(a_probes_message_comes_out_as_a_packet_of_its_own),
		t(a_probes_time_is_taken_when_it_can_be_true),
		t(a_probes_message_over_ipv6_has_a_checksum),
		t(a_probes_message_may_come_compressed),
		t(a_probe_that_speaks_tcp_is_counted),
		t(a_probes_message_that_cannot_be_unpacked_is_a_datagram),
		t(a_probes_packet_that_contradicts_itself_is_a_datagram),
		t(esp_that_is_not_encrypted_is_known_by_its_checksums),
		t(esp_in_doubt_is_held_until_it_is_known),
		t(esp_that_signalling_says_is_clear_is_believed),
		t(encrypted_esp_stays_sealed),
		t(esp_within_udp_is_taken_off_too),
		t(held_esp_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
