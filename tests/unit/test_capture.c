/* capture: files made octet by octet, in every form the formats have, and files that are none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "otway/base/file.h"
#include "otway/base/text.h"
#include "otway/capture.h"

static char folder[64];
static struct err err;

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/otway-capture-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	(void)state;
	return file_remove_tree(folder, &err);
}

static const char *path_of(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, struct bytes octets)
{
	FILE *f = fopen(path_of(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(octets.at, 1, octets.len, f), octets.len);
	assert_int_equal(fclose(f), 0);
}

/* A file as it grows, and the byte order and the unit of its stamps. */
static struct buf file;
static bool big;
static uint32_t per_second;

static void add(uint32_t value, size_t octets)
{
	for (size_t i = 0; i < octets; i++) {
		uint8_t octet = (uint8_t)(value >> 8 * (big ? octets - 1 - i : i));

		assert_true(buf_add(&file, &octet, 1));
	}
}

/* draft-ietf-opsawg-pcap */
static void begin_pcap(bool is_big, bool nano, uint32_t link)
{
	buf_reset(&file);
	big = is_big;
	per_second = nano ? 1000000000 : 1000000;
	add(nano ? 0xa1b23c4d : 0xa1b2c3d4, 4);
	add(2, 2);
	add(4, 2);
	add(0, 4);
	add(0, 4);
	add(65535, 4);
	add(link, 4);
}

static void add_packet(nsec_t at, const char *octets, uint32_t wire_len)
{
	add((uint32_t)(at / NSEC_PER_SEC), 4);
	add((uint32_t)(at % NSEC_PER_SEC / (NSEC_PER_SEC / per_second)), 4);
	add((uint32_t)strlen(octets), 4);
	add(wire_len, 4);
	assert_true(buf_text(&file, octets));
}

/* draft-ietf-opsawg-pcapng: section header and one interface, with if_tsresol when it is not microseconds. */
static void begin_pcapng(bool is_big, bool nano, uint32_t link)
{
	buf_reset(&file);
	big = is_big;
	per_second = nano ? 1000000000 : 1000000;
	add(0x0a0d0d0a, 4);
	add(28, 4);
	add(0x1a2b3c4d, 4);
	add(1, 2);
	add(0, 2);
	add(0xffffffff, 4);
	add(0xffffffff, 4);
	add(28, 4);
	add(1, 4);
	add(nano ? 32 : 20, 4);
	add(link, 2);
	add(0, 2);
	add(65535, 4);
	if (nano) {
		add(9, 2); /* if_tsresol */
		add(1, 2);
		add(9, 1);
		add(0, 1);
		add(0, 2);
		add(0, 4); /* opt_endofopt */
	}
	add(nano ? 32 : 20, 4);
}

/* An interface description with a resolution (if_tsresol) and an offset in seconds (if_tsoffset). */
static void add_interface(uint32_t link, uint32_t snap, uint8_t resolution, uint64_t offset)
{
	add(1, 4);
	add(40, 4);
	add(link, 2);
	add(0, 2);
	add(snap, 4);
	add(9, 2);
	add(1, 2);
	add(big ? (uint32_t)resolution << 24 : resolution, 4);
	add(14, 2);
	add(8, 2);
	add((uint32_t)(big ? offset >> 32 : offset), 4);
	add((uint32_t)(big ? offset : offset >> 32), 4);
	add(40, 4);
}

/* An enhanced packet block of an interface, with a stamp in its units. */
static void add_packet_of(uint32_t interface, uint64_t units, const char *octets)
{
	uint32_t len = (uint32_t)strlen(octets), padding = (4 - len % 4) % 4;

	add(6, 4);
	add(32 + len + padding, 4);
	add(interface, 4);
	add((uint32_t)(units >> 32), 4);
	add((uint32_t)units, 4);
	add(len, 4);
	add(len, 4);
	assert_true(buf_text(&file, octets));
	add(0, padding);
	add(32 + len + padding, 4);
}

/* An enhanced packet block; octets in a multiple of four. */
static void add_block(nsec_t at, const char *octets, uint32_t wire_len)
{
	uint64_t stamp = (uint64_t)at / (uint64_t)(NSEC_PER_SEC / per_second);
	uint32_t len = (uint32_t)strlen(octets);

	assert_int_equal(len % 4, 0);
	add(6, 4);
	add(32 + len, 4);
	add(0, 4);
	add((uint32_t)(stamp >> 32), 4);
	add((uint32_t)stamp, 4);
	add(len, 4);
	add(wire_len, 4);
	assert_true(buf_text(&file, octets));
	add(32 + len, 4);
}

static bool knows_ethernet(int link)
{
	return link == 1;
}

static struct capture *open_named(const char *const *names, size_t count)
{
	struct capture *c;

	if (capture_open_files(&c, names, count, true, knows_ethernet, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

static struct capture *open_one(const char *name)
{
	const char *names[] = { path_of(name) };

	return open_named(names, 1);
}

static void assert_frame(struct capture *c, nsec_t at, const char *octets, uint32_t wire_len)
{
	struct frame f;

	assert_int_equal(capture_next(c, &f, &err), 1);
	assert_int_equal(f.at, at);
	assert_int_equal(f.bytes.len, strlen(octets));
	assert_memory_equal(f.bytes.at, octets, strlen(octets));
	assert_int_equal(f.wire_len, wire_len);
	assert_int_equal(f.link, 1);
}

static void assert_end(struct capture *c)
{
	struct frame f;

	assert_int_equal(capture_next(c, &f, &err), 0);
	assert_int_equal(capture_next(c, &f, &err), 0);
}

/* What cannot be opened: what is said about it, and that the name is in it. */
static void assert_refused(const char *name, const char *words, enum exit_code code)
{
	const char *names[] = { path_of(name) };
	struct capture *c;

	assert_int_equal(capture_open_files(&c, names, 1, true, knows_ethernet, &err), -1);
	assert_null(c);
	if (strstr(err.text, words) == NULL || strstr(err.text, names[0]) != err.text)
		fail_msg("'%s' does not say '%s'", err.text, words);
	assert_int_equal(err.code, code);
}

#define AT (1700000000 * NSEC_PER_SEC + 123456000)

static void every_form_of_file_gives_the_same_frames(void **state)
{
	(void)state;
	for (unsigned form = 0; form < 8; form++) {
		bool is_big = (form & 1) != 0, nano = (form & 2) != 0, ng = (form & 4) != 0;
		nsec_t more = nano ? 789 : 0;
		struct capture *c;

		(ng ? begin_pcapng : begin_pcap)(is_big, nano, 1);
		(ng ? add_block : add_packet)(AT + more, "eins", 4);
		(ng ? add_block : add_packet)(AT + NSEC_PER_SEC, "zweizwei", 1500);
		write_file("x", buf_bytes(&file));
		c = open_one("x");
		assert_frame(c, AT + more, "eins", 4);
		assert_frame(c, AT + NSEC_PER_SEC, "zweizwei", 1500);
		assert_end(c);
		assert_int_equal(capture_file_count(c), 1);
		assert_int_equal(capture_file(c, 0)->packets, 2);
		assert_int_equal(capture_file(c, 0)->first, AT + more);
		assert_int_equal(capture_file(c, 0)->last, AT + NSEC_PER_SEC);
		assert_false(capture_file(c, 0)->cut);
		assert_int_equal(capture_octets(c), file.len);
		capture_free(c);
	}
}

static void an_octet_behind_the_last_packet_is_hashed_too(void **state)
{
	uint8_t expected[SHA256_LEN];
	struct capture *c;

	(void)state;
	begin_pcapng(false, false, 1);
	add_block(AT, "eins", 4);
	add(0x0bad, 4); /* a block of a type of somebody's own */
	add(16, 4);
	add(0x12345678, 4);
	add(16, 4);
	write_file("x", buf_bytes(&file));
	sha256_of(buf_bytes(&file), expected);
	c = open_one("x");
	assert_frame(c, AT, "eins", 4);
	assert_end(c);
	assert_memory_equal(capture_file(c, 0)->sha256, expected, SHA256_LEN);
	capture_free(c);
}

/* draft-ietf-opsawg-pcapng 4.2: link type, snapshot length, unit and offset belong to the interface. */
static void interfaces_of_one_file_may_differ_in_everything(void **state)
{
	static const struct {
		uint8_t resolution;
		uint64_t units;
		nsec_t nsec; /* beyond 1,000 s */
	} stamps[] = {
		{ 0, 1000, 0 },
		{ 3, 1000123, 123000000 },
		{ 6, 1000123456, 123456000 },
		{ 9, 1000123456789, 123456789 },
		{ 12, 1000123456789999, 123456789 },
		{ 0x80, 1000, 0 },
		{ 0x80 | 1, 2001, 500000000 },
		{ 0x80 | 20, (1000 << 20) + (1 << 19), 500000000 },
		{ 0x80 | 50, (UINT64_C(1000) << 50) + (UINT64_C(3) << 48), 750000000 },
	};
	const size_t count = sizeof(stamps) / sizeof(stamps[0]);

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct capture *c;
		struct frame f;

		begin_pcapng(order == 1, false, 1);
		for (size_t i = 0; i < count; i++)
			add_interface(i % 2 == 0 ? 101 : 113, (uint32_t)i * 100, stamps[i].resolution,
				i == 3 ? (uint64_t)-500 : i);
		for (size_t i = 0; i < count; i++)
			add_packet_of((uint32_t)i + 1, stamps[i].units, "abcde");
		write_file("x", buf_bytes(&file));
		c = open_one("x");
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(capture_next(c, &f, &err), 1);
			assert_int_equal(f.link, i % 2 == 0 ? 101 : 113);
			assert_int_equal(f.at, (1000 + (i == 3 ? -500 : (nsec_t)i)) * NSEC_PER_SEC + stamps[i].nsec);
			assert_int_equal(f.bytes.len, 5);
		}
		assert_end(c);
		capture_free(c);
	}
}

/* 4.1: interfaces are counted anew in each section, whose byte order may be the other. */
static void sections_of_one_file_may_differ_in_byte_order(void **state)
{
	struct buf both = { 0 };
	struct capture *c;

	(void)state;
	begin_pcapng(false, false, 1);
	add_block(AT, "eins", 4);
	assert_true(buf_add(&both, file.at, file.len));
	begin_pcapng(true, true, 1);
	add_block(AT + 1, "zwei", 4);
	assert_true(buf_add(&both, file.at, file.len));
	write_file("x", buf_bytes(&both));
	buf_clear(&both);
	c = open_one("x");
	assert_frame(c, AT, "eins", 4);
	assert_frame(c, AT + 1, "zwei", 4);
	assert_end(c);
	capture_free(c);
}

/* 4.4 and appendix A: a simple packet block has no stamp; the obsolete packet block names its interface in 16 bits. */
static void simple_and_obsolete_packet_blocks_are_read(void **state)
{
	struct capture *c;

	(void)state;
	begin_pcapng(false, false, 1);
	add(2, 4);
	add(36, 4);
	add(0, 2);
	add(7, 2); /* packets dropped */
	add((uint32_t)((uint64_t)AT / 1000 >> 32), 4);
	add((uint32_t)((uint64_t)AT / 1000), 4);
	add(4, 4);
	add(1500, 4);
	assert_true(buf_text(&file, "eins"));
	add(36, 4);
	add(3, 4);
	add(20, 4);
	add(3, 4);
	assert_true(buf_text(&file, "zwe "));
	add(20, 4);
	write_file("x", buf_bytes(&file));
	c = open_one("x");
	assert_frame(c, AT, "eins", 1500);
	assert_frame(c, AT, "zwe", 3);
	assert_end(c);
	capture_free(c);
}

static void blocks_that_contradict_themselves_are_errors(void **state)
{
	static const struct {
		size_t at; /* in the packet block */
		uint8_t value;
		const char *words;
	} cases[] = {
		{ 4, 35, "length" },      /* not a multiple of four */
		{ 4, 8, "length" },       /* shorter than a block can be */
		{ 4, 32, "two lengths" }, /* not what stands at its end */
		{ 8, 1, "interface" },    /* there is one only */
		{ 20, 5, "longer" },      /* more octets than the block has */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture *c;
		struct frame f;
		size_t at;

		begin_pcapng(false, false, 1);
		add_block(AT, "eins", 4);
		at = file.len;
		add_block(AT, "zwei", 4);
		add_block(AT, "drei", 4);
		file.at[at + cases[i].at] = cases[i].value;
		write_file("x", buf_bytes(&file));
		c = open_one("x");
		assert_frame(c, AT, "eins", 4);
		assert_int_equal(capture_next(c, &f, &err), -1);
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("'%s' does not say '%s'", err.text, cases[i].words);
		capture_free(c);
	}
}

/* Kuznetzov's pcap, of old Linux: libpcap reads it, through the same pass that hashes. */
static void a_format_only_libpcap_knows_is_read_and_hashed(void **state)
{
	uint8_t expected[SHA256_LEN];
	struct capture *c;

	(void)state;
	begin_pcap(false, false, 1);
	put_be32(file.at, 0x34cdb2a1);
	for (int i = 0; i < 2; i++) {
		add((uint32_t)(AT / NSEC_PER_SEC), 4);
		add((uint32_t)(AT % NSEC_PER_SEC / 1000), 4);
		add(4, 4);
		add(4, 4);
		add(0, 4); /* interface */
		add(0, 2); /* protocol */
		add(0, 2); /* type, and padding */
		assert_true(buf_text(&file, "eins"));
	}
	for (size_t missing = 0; missing <= 3; missing += 3) {
		write_file("x", (struct bytes){ file.at, file.len - missing });
		sha256_of((struct bytes){ file.at, file.len - missing }, expected);
		c = open_one("x");
		assert_frame(c, AT, "eins", 4);
		if (missing == 0)
			assert_frame(c, AT, "eins", 4);
		assert_end(c);
		assert_int_equal(capture_file(c, 0)->cut, missing > 0);
		assert_memory_equal(capture_file(c, 0)->sha256, expected, SHA256_LEN);
		capture_free(c);
	}
}

/* More than the buffer of 1 MiB, so that it is read in several steps. */
static void a_long_file_is_hashed_whole(void **state)
{
	static char text[60001];
	uint8_t expected[SHA256_LEN];
	struct capture *c;

	(void)state;
	memset(text, 'x', 60000);
	begin_pcap(false, true, 1);
	for (int i = 0; i < 50; i++)
		add_packet(AT + i, text, 60000);
	write_file("x", buf_bytes(&file));
	sha256_of(buf_bytes(&file), expected);
	c = open_one("x");
	for (int i = 0; i < 50; i++)
		assert_frame(c, AT + i, text, 60000);
	assert_end(c);
	assert_memory_equal(capture_file(c, 0)->sha256, expected, SHA256_LEN);
	capture_free(c);
}

/* Cut at every octet of its last packet: that one is lost, and no other. */
static void a_file_that_ends_within_a_packet_loses_that_packet(void **state)
{
	(void)state;
	for (int ng = 0; ng < 2; ng++) {
		size_t whole;

		(ng ? begin_pcapng : begin_pcap)(false, false, 1);
		(ng ? add_block : add_packet)(AT, "einseins", 8);
		whole = file.len;
		(ng ? add_block : add_packet)(AT + 1000, "zweizwei", 8);
		for (size_t len = whole; len <= file.len; len++) {
			uint8_t expected[SHA256_LEN];
			struct capture *c;

			write_file("x", (struct bytes){ file.at, len });
			sha256_of((struct bytes){ file.at, len }, expected);
			c = open_one("x");
			assert_frame(c, AT, "einseins", 8);
			if (len == file.len)
				assert_frame(c, AT + 1000, "zweizwei", 8);
			assert_end(c);
			assert_int_equal(capture_file(c, 0)->cut, len != whole && len != file.len);
			assert_memory_equal(capture_file(c, 0)->sha256, expected, SHA256_LEN);
			capture_free(c);
		}
	}
}

static void garbage_within_a_file_is_an_error_that_says_where(void **state)
{
	struct capture *c;
	struct frame f;

	(void)state;
	begin_pcap(false, false, 1);
	add_packet(AT, "eins", 4);
	for (int i = 0; i < 100; i++)
		assert_true(buf_text(&file, "\xff\xff\xff\xff\xff\xff\xff\xff"));
	write_file("x", buf_bytes(&file));
	c = open_one("x");
	assert_frame(c, AT, "eins", 4);
	assert_int_equal(capture_next(c, &f, &err), -1);
	assert_non_null(strstr(err.text, path_of("x")));
	assert_non_null(strstr(err.text, "packet 2"));
	assert_int_equal(capture_next(c, &f, &err), 0);
	capture_free(c);
}

static void files_are_merged_by_time_and_then_as_named(void **state)
{
	const char *names[3];
	struct capture *c;

	(void)state;
	begin_pcap(false, false, 1);
	add_packet(AT + 2000, "a2", 2);
	add_packet(AT + 4000, "a4", 2);
	add_packet(AT + 4000, "a4 again", 8);
	write_file("a", buf_bytes(&file));
	begin_pcapng(true, true, 1);
	add_block(AT + 1, "b0.1", 4);
	add_block(AT + 4000, "b4.0", 4);
	add_block(AT + 9000, "b9.0", 4);
	write_file("b", buf_bytes(&file));
	begin_pcap(true, false, 1);
	add_packet(AT + 2000, "c2", 2);
	add_packet(AT + 1000, "c1, out of order", 16);
	add_packet(AT + 5000, "c5", 2);
	write_file("c", buf_bytes(&file));
	names[0] = path_of("a");
	names[1] = path_of("b");
	names[2] = path_of("c");
	c = open_named(names, 3);
	assert_frame(c, AT + 1, "b0.1", 4);
	assert_frame(c, AT + 2000, "a2", 2);
	assert_frame(c, AT + 2000, "c2", 2);
	assert_frame(c, AT + 1000, "c1, out of order", 16);
	assert_frame(c, AT + 4000, "a4", 2);
	assert_frame(c, AT + 4000, "a4 again", 8);
	assert_frame(c, AT + 4000, "b4.0", 4);
	assert_frame(c, AT + 5000, "c5", 2);
	assert_frame(c, AT + 9000, "b9.0", 4);
	assert_end(c);
	assert_int_equal(capture_file(c, 2)->first, AT + 1000);
	assert_int_equal(capture_file(c, 2)->last, AT + 5000);
	capture_free(c);
}

static void a_file_that_fails_does_not_take_the_others_with_it(void **state)
{
	const char *names[2];
	struct capture *c;
	struct frame f;

	(void)state;
	begin_pcap(false, false, 1);
	assert_true(buf_text(&file, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
	write_file("a", buf_bytes(&file));
	begin_pcap(false, false, 1);
	add_packet(AT, "b", 1);
	add_packet(AT + 1000, "bb", 2);
	write_file("b", buf_bytes(&file));
	names[0] = path_of("a");
	names[1] = path_of("b");
	c = open_named(names, 2);
	assert_int_equal(capture_next(c, &f, &err), -1);
	assert_frame(c, AT, "b", 1);
	assert_frame(c, AT + 1000, "bb", 2);
	assert_end(c);
	capture_free(c);
}

static void frames_know_which_file_they_are_of(void **state)
{
	const char *names[2];
	struct capture *c;
	struct frame f;

	(void)state;
	begin_pcap(false, false, 1);
	write_file("none", buf_bytes(&file));
	add_packet(AT, "a", 1);
	write_file("a", buf_bytes(&file));
	names[0] = path_of("none");
	names[1] = path_of("a");
	c = open_named(names, 2);
	assert_int_equal(capture_next(c, &f, &err), 1);
	assert_int_equal(f.source, 1);
	assert_end(c);
	assert_int_equal(capture_file(c, 0)->packets, 0);
	assert_int_equal(capture_file(c, 0)->first, NSEC_NONE);
	assert_int_equal(capture_file(c, 0)->last, NSEC_NONE);
	capture_free(c);
}

static void what_is_no_capture_is_refused_in_clear_words(void **state)
{
	(void)state;
	assert_refused("missing", "No such file", EXIT_NOT_FOUND);
	assert_int_equal(mkdir(path_of("dir"), 0700), 0);
	assert_refused("dir", "folder", EXIT_FAILED);
	write_file("empty", (struct bytes){ (const uint8_t *)"", 0 });
	assert_refused("empty", "is empty", EXIT_FAILED);
	write_file("text", bytes_of("Dear Sir or Madam, this is a letter and no capture."));
	assert_refused("text", "is no capture", EXIT_FAILED);
	write_file("gz", bytes_of("\x1f\x8b\x08 and so on and on and on"));
	assert_refused("gz", "gzip -dc", EXIT_FAILED);
	begin_pcap(false, false, 1);
	write_file("cut", (struct bytes){ file.at, 20 });
	assert_refused("cut", "no whole capture", EXIT_FAILED);
	write_file("cut", (struct bytes){ file.at, 2 });
	assert_refused("cut", "is no capture", EXIT_FAILED);
	begin_pcapng(false, false, 1);
	write_file("cut", (struct bytes){ file.at, 40 });
	assert_refused("cut", "no whole capture", EXIT_FAILED);
}

static void a_link_type_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	begin_pcap(false, false, 105);
	write_file("wlan", buf_bytes(&file));
	assert_refused("wlan", "IEEE802_11", EXIT_FAILED);
	begin_pcap(false, false, 60000);
	write_file("unknown", buf_bytes(&file));
	assert_refused("unknown", "60000", EXIT_FAILED);
}

/* DLT_RAW is another number on each system (pcap-linktype(7)); in files it is 101, or 12 and 14 in old ones. */
static void raw_ip_is_one_link_type_whatever_the_system_calls_it(void **state)
{
	static const uint32_t numbers[] = { 101, 12, 14 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *names[] = { path_of("raw") };
		struct capture *c;
		struct frame f;

		begin_pcap(false, false, numbers[i]);
		add_packet(AT, "x", 1);
		write_file("raw", buf_bytes(&file));
		assert_int_equal(capture_open_files(&c, names, 1, false, NULL, &err), 0);
		assert_int_equal(capture_next(c, &f, &err), 1);
		assert_int_equal(f.link, 101);
		capture_free(c);
	}
}

static void standard_input_is_read_once(void **state)
{
	const char *names[] = { "-", "-" };
	uint8_t expected[SHA256_LEN];
	int pipe_ends[2], kept = dup(STDIN_FILENO);
	struct capture *c;

	(void)state;
	begin_pcap(false, false, 1);
	add_packet(AT, "eins", 4);
	sha256_of(buf_bytes(&file), expected);
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(write(pipe_ends[1], file.at, file.len), file.len);
	close(pipe_ends[1]);
	assert_int_equal(dup2(pipe_ends[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_ends[0]);
	c = open_named(names, 1);
	assert_frame(c, AT, "eins", 4);
	assert_end(c);
	assert_memory_equal(capture_file(c, 0)->sha256, expected, SHA256_LEN);
	assert_int_equal(capture_octets(c), file.len);
	capture_free(c);
	assert_int_equal(capture_open_files(&c, names, 1, true, knows_ethernet, &err), -1);
	assert_non_null(strstr(err.text, "standard input: is empty"));
	assert_int_equal(capture_open_files(&c, names, 2, true, knows_ethernet, &err), -1);
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	close(kept);
}

static void a_stamp_that_is_no_time_is_the_nearest_that_is(void **state)
{
	struct capture *c;
	struct frame f;

	(void)state;
	begin_pcapng(false, false, 1);
	add_block(0, "eins", 4);
	memset(file.at + file.len - 24, 0x7f, 8); /* the stamp: some 290,000 years in microseconds */
	write_file("x", buf_bytes(&file));
	c = open_one("x");
	assert_int_equal(capture_next(c, &f, &err), 1);
	assert_true(f.at > 0);
	assert_true(f.at < NSEC_EVER);
	assert_end(c);
	capture_free(c);
}

static void counters_tell_of_frames_and_cuts(void **state)
{
	struct counter counts[8];
	struct capture *c;

	(void)state;
	begin_pcap(false, false, 1);
	add_packet(AT, "a", 1);
	add_packet(AT, "b", 100);
	add_packet(AT, "c", 1);
	write_file("x", (struct bytes){ file.at, file.len - 1 });
	c = open_one("x");
	assert_frame(c, AT, "a", 1);
	assert_frame(c, AT, "b", 100);
	assert_end(c);
	assert_int_equal(capture_counts(c, counts, 8), 3);
	assert_string_equal(counts[0].name, "frames");
	assert_int_equal(counts[0].value, 2);
	assert_string_equal(counts[1].name, "frames_cut");
	assert_int_equal(counts[1].value, 1);
	assert_string_equal(counts[2].name, "capture_cut");
	assert_int_equal(counts[2].value, 1);
	assert_int_equal(capture_counts(c, counts, 2), 2);
	capture_free(c);
}

static int drop_file(void **state)
{
	buf_clear(&file);
	return remove_folder(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_file_gives_the_same_frames),
		cmocka_unit_test(an_octet_behind_the_last_packet_is_hashed_too),
		cmocka_unit_test(interfaces_of_one_file_may_differ_in_everything),
		cmocka_unit_test(sections_of_one_file_may_differ_in_byte_order),
		cmocka_unit_test(simple_and_obsolete_packet_blocks_are_read),
		cmocka_unit_test(blocks_that_contradict_themselves_are_errors),
		cmocka_unit_test(a_format_only_libpcap_knows_is_read_and_hashed),
		cmocka_unit_test(a_long_file_is_hashed_whole),
		cmocka_unit_test(a_file_that_ends_within_a_packet_loses_that_packet),
		cmocka_unit_test(garbage_within_a_file_is_an_error_that_says_where),
		cmocka_unit_test(files_are_merged_by_time_and_then_as_named),
		cmocka_unit_test(a_file_that_fails_does_not_take_the_others_with_it),
		cmocka_unit_test(frames_know_which_file_they_are_of),
		cmocka_unit_test(what_is_no_capture_is_refused_in_clear_words),
		cmocka_unit_test(a_link_type_that_cannot_be_read_is_named),
		cmocka_unit_test(raw_ip_is_one_link_type_whatever_the_system_calls_it),
		cmocka_unit_test(standard_input_is_read_once),
		cmocka_unit_test(a_stamp_that_is_no_time_is_the_nearest_that_is),
		cmocka_unit_test(counters_tell_of_frames_and_cuts),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_file);
}
