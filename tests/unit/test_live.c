/* live: frames sent at one end of a virtual cable, and heard at the other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/veth.h"
#include "otway/live.h"

#define MIB ((size_t)1 << 20)

static const char *const one[] = { "mirror" };
static const struct live_options plain = {
	.interfaces = one, .count = 1, .ring = 8 * MIB, .snaplen = 65535, .retire = 5000000
};
static struct err err;

struct heard {
	uint64_t count;
	uint64_t others; /* that are not numbered */
	int64_t last;
	bool out_of_order;
	struct frame frame; /* the last one */
	uint8_t octets[65536];
};

static void hear(void *arg, const struct frame *f)
{
	struct heard *h = arg;
	int64_t number = veth_number(f->bytes.at, f->bytes.len);

	if (number < 0) {
		h->others++;
		return;
	}
	h->out_of_order |= number <= h->last;
	h->last = number;
	h->count++;
	h->frame = *f;
	assert_true(f->bytes.len <= sizeof(h->octets));
	memcpy(h->octets, f->bytes.at, f->bytes.len);
	h->frame.bytes.at = h->octets;
}

static struct live *open_live(const struct live_options *o)
{
	struct live *l;

	if (live_new(&l, o, false, &err) < 0)
		fail_msg("%s", err.text);
	return l;
}

/* Takes until nothing has come for a fifth of a second. Returns what live_take said last. */
static int listen_to(struct live *l, size_t i, struct heard *h)
{
	struct pollfd p = { .fd = live_fd(l, i), .events = POLLIN };
	int got;

	do
		while ((got = live_take(l, i, 100, hear, h)) > 0)
			;
	while (got == 0 && poll(&p, 1, 200) > 0);
	return got;
}

static struct heard *nothing(void)
{
	static struct heard h;

	memset(&h, 0, sizeof(h));
	h.last = -1;
	return &h;
}

static void what_is_sent_arrives_octet_by_octet(void **state)
{
	struct live *l = open_live(&plain);
	int wire = veth_socket("wire");
	struct heard *h = nothing();
	uint8_t frame[VETH_MAX];
	nsec_t before = 0, odd = 0;

	(void)state;
	for (uint32_t i = 0; i < 25; i++) {
		size_t len = 60 + i * 997 % (VETH_MAX - 59);
		nsec_t now = nsec_now();

		veth_frame(frame, len, i, i, false);
		assert_int_equal(send(wire, frame, len, 0), len);
		assert_int_equal(listen_to(l, 0, h), 0);
		assert_int_equal(h->count, i + 1);
		assert_int_equal(h->frame.bytes.len, len);
		assert_int_equal(h->frame.wire_len, len);
		assert_memory_equal(h->octets, frame, len);
		assert_int_equal(h->frame.link, 1); /* LINKTYPE_ETHERNET */
		assert_true(h->frame.at >= before && h->frame.at > now - NSEC_PER_SEC && h->frame.at <= nsec_now());
		before = h->frame.at;
		odd |= before % 1000;
	}
	assert_true(odd != 0); /* nanoseconds, not microseconds */
	assert_int_equal(h->others, 0);
	close(wire);
	live_free(l);
}

static void nothing_is_lost_that_the_ring_has_room_for(void **state)
{
	struct live_options o = plain;
	struct live *l;
	int wire = veth_socket("wire");
	struct heard *h = nothing();
	uint32_t sent;

	(void)state;
	o.ring = 32 * MIB; /* 128 blocks, of which one may be taken every 5 ms, however little is in it */
	l = open_live(&o);
	sent = veth_send(wire, 0, 5000, 1, false);
	listen_to(l, 0, h);
	assert_int_equal(h->count + live_missed(l, 0), sent);
	assert_int_equal(live_dropped(l, 0), 0);
	assert_false(h->out_of_order);
	assert_int_equal(h->others, 0);
	close(wire);
	live_free(l);
}

static void what_the_ring_has_no_room_for_is_counted_to_the_packet(void **state)
{
	struct live_options o = plain;
	struct live *l;
	int wire = veth_socket("wire");
	struct heard *h = nothing();
	uint64_t dropped, missed;
	uint32_t sent;

	(void)state;
	o.ring = MIB;
	l = open_live(&o);
	for (unsigned turn = 0; turn < 3; turn++) {
		h->count = 0;
		h->last = -1;
		sent = veth_send(wire, 0, 20000, 1, false);
		listen_to(l, 0, h);
		dropped = live_dropped(l, 0);
		missed = live_missed(l, 0);
		assert_true(dropped > 1000);
		assert_true(h->count > 1000);
		assert_int_equal(h->count + dropped + missed, sent);
		assert_int_equal(live_dropped(l, 0), 0); /* since the last call */
		assert_false(h->out_of_order);
	}
	close(wire);
	live_free(l);
}

static void each_interface_has_its_number(void **state)
{
	static const char *const two[] = { "mirror", "other" };
	struct live_options o = plain;
	struct live *l;
	int wire = veth_socket("wire"), far;
	struct heard *h = nothing();

	(void)state;
	run("ip link add other type veth peer name far; ip link set other arp off up; ip link set far arp off up");
	far = veth_socket("far");
	o.interfaces = two;
	o.count = 2;
	l = open_live(&o);
	veth_send(wire, 0, 3, 1, false);
	veth_send(far, 100, 2, 1, false);
	listen_to(l, 0, h);
	assert_int_equal(h->count, 3);
	assert_int_equal(h->frame.source, 0);
	listen_to(l, 1, h);
	assert_int_equal(h->count, 5);
	assert_int_equal(h->frame.source, 1);
	assert_int_equal(h->last, 101);
	close(wire);
	close(far);
	live_free(l);
}

static void a_frame_is_cut_at_the_snapshot_length(void **state)
{
	struct live_options o = plain;
	struct live *l;
	int wire = veth_socket("wire");
	struct heard *h = nothing();
	uint8_t frame[224];

	(void)state;
	o.snaplen = 96;
	l = open_live(&o);
	veth_frame(frame, sizeof(frame), 7, 1, false);
	veth_send(wire, 7, 1, 1, false);
	listen_to(l, 0, h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->frame.bytes.len, 96);
	assert_int_equal(h->frame.wire_len, 224);
	assert_memory_equal(h->octets, frame, 96);
	close(wire);
	live_free(l);
}

static void keep(void *arg, const struct frame *f)
{
	struct heard *h = arg;

	h->count++;
	h->frame = *f;
	memcpy(h->octets, f->bytes.at, f->bytes.len);
}

/* The kernel takes the outer tag off every frame before anybody sees it. */
static void a_vlan_tag_is_where_it_was(void **state)
{
	struct live *l = open_live(&plain);
	int wire = veth_socket("wire");
	struct heard *h = nothing();
	uint8_t bare[200], tagged[208];
	static const uint8_t tags[8] = { 0x88, 0xa8, 0x60, 0x2a, 0x81, 0x00, 0x0f, 0xfe }; /* 802.1ad, 802.1Q */

	(void)state;
	veth_frame(bare, sizeof(bare), 7, 1, false);
	for (size_t count = 1; count <= 2; count++) {
		size_t len = 200 + 4 * count;

		memcpy(tagged, bare, 12);
		memcpy(tagged + 12, tags + (count == 1 ? 4 : 0), 4 * count);
		memcpy(tagged + 12 + 4 * count, bare + 12, 188);
		assert_int_equal(send(wire, tagged, len, 0), len);
		usleep(50000);
		assert_int_equal(live_take(l, 0, 10, keep, h), 1);
		assert_int_equal(h->frame.bytes.len, len);
		assert_int_equal(h->frame.wire_len, len);
		assert_memory_equal(h->octets, tagged, len);
	}
	close(wire);
	live_free(l);
}

static void what_this_host_sends_is_not_heard(void **state)
{
	struct live *l = open_live(&plain);
	int wire = veth_socket("wire"), self = veth_socket("mirror");
	struct heard *h = nothing();

	(void)state;
	veth_send(self, 0, 50, 1, false);
	veth_send(wire, 1000, 1, 1, false);
	veth_send(self, 50, 50, 1, false);
	listen_to(l, 0, h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->last, 1000);
	assert_int_equal(live_dropped(l, 0), 0);
	close(wire);
	close(self);
	live_free(l);
}

static void no_more_frames_are_given_at_once_than_asked_for(void **state)
{
	struct live *l = open_live(&plain);
	int wire = veth_socket("wire");
	struct heard *h = nothing();

	(void)state;
	veth_send(wire, 0, 25, 1, false);
	usleep(50000);
	assert_int_equal(live_take(l, 0, 10, hear, h), 10);
	assert_int_equal(live_take(l, 0, 10, hear, h), 10);
	assert_int_equal(live_take(l, 0, 10, hear, h), 5);
	assert_int_equal(live_take(l, 0, 10, hear, h), 0);
	assert_int_equal(h->count, 25);
	assert_false(h->out_of_order);
	close(wire);
	live_free(l);
}

int main(void)
{
#define IN_NETWORK(f) cmocka_unit_test_setup(f, veth_setup)
	const struct CMUnitTest tests[] = {
		IN_NETWORK(what_is_sent_arrives_octet_by_octet),
		IN_NETWORK(nothing_is_lost_that_the_ring_has_room_for),
		IN_NETWORK(what_the_ring_has_no_room_for_is_counted_to_the_packet),
		IN_NETWORK(each_interface_has_its_number),
		IN_NETWORK(a_frame_is_cut_at_the_snapshot_length),
		IN_NETWORK(a_vlan_tag_is_where_it_was),
		IN_NETWORK(what_this_host_sends_is_not_heard),
		IN_NETWORK(no_more_frames_are_given_at_once_than_asked_for),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
