/* mirror: an interface that would send by itself is refused, or made to be silent; its cable's other end listens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/veth.h"
#include "otway/base/bytes.h"
#include "otway/mirror.h"

static struct err err;

static void refused_for(const char *interface, bool prepare, const char *why)
{
	assert_int_equal(mirror_fit(interface, prepare, &err), -1);
	assert_int_equal(err.code, EXIT_REFUSED);
	if (strstr(err.text, why) == NULL)
		fail_msg("no \"%s\" in \"%s\"", why, err.text);
}

static short flags_of(const char *interface)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
	close(fd);
	return r.ifr_flags;
}

/* As a new interface is in most hosts, and more. */
static void make_talkative(void)
{
	run("sysctl -qw net/ipv6/conf/mirror/disable_ipv6=0; ip link set mirror arp on multicast on up");
	run("ip address add 192.0.2.1/24 dev mirror; ip address add 192.0.2.2/24 dev mirror;"
	    "ip -6 address add 2001:db8::1/64 dev mirror; ip route add 198.51.100.0/24 via 192.0.2.9");
	run("ethtool -K mirror gro on");
}

static void a_silent_interface_is_fit(void **state)
{
	(void)state;
	assert_int_equal(mirror_fit("mirror", false, &err), 0);
	assert_int_equal(mirror_fit("mirror", true, &err), 0);
	assert_true((flags_of("mirror") & IFF_PROMISC) != 0);
}

static void each_thing_that_is_wrong_is_named(void **state)
{
	static const struct {
		const char *make, *told;
	} wrong[] = {
		{ "sysctl -qw net/ipv6/conf/mirror/disable_ipv6=0",
			"speaks IPv6 (sysctl -w net/ipv6/conf/mirror/disable_ipv6=1)" },
		{ "ip address add 192.0.2.1/32 dev mirror", "has an address (ip address flush dev mirror)" },
		{ "ip route add 198.51.100.0/24 dev mirror", "has a route (ip route flush dev mirror)" },
		{ "ip link set mirror arp on", "answers ARP (ip link set dev mirror arp off)" },
		{ "ip link set mirror multicast on", "takes part in multicast (ip link set dev mirror multicast off)" },
		{ "ethtool -K mirror gro on", "merges packets (ethtool -K mirror gro off)" },
		{ "ip link set mirror down", "is down (ip link set dev mirror up)" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(veth_setup(state), 0);
		assert_int_equal(mirror_fit("mirror", false, &err), 0);
		run("%s", wrong[i].make);
		refused_for("mirror", false, wrong[i].told);
		assert_true(i == 0 || strstr(err.text, "), ") == NULL); /* nothing else is; but IPv6 has addresses */
		assert_int_equal(mirror_fit("mirror", true, &err), 0);
		assert_int_equal(mirror_fit("mirror", false, &err), 0);
	}
}

static void what_is_refused_is_left_as_it_was(void **state)
{
	(void)state;
	make_talkative();
	refused_for("mirror", false, "speaks IPv6");
	assert_int_equal(flags_of("mirror") & (IFF_UP | IFF_NOARP | IFF_MULTICAST), IFF_UP | IFF_MULTICAST);
	run("ip address show dev mirror | grep -q 192.0.2.2 && ip route | grep -q 198.51.100.0");
	run("ethtool -k mirror | grep -q 'generic-receive-offload: on'");
}

/* All commands that the text holds, between brackets. */
static void the_commands_that_are_named_mend_it(void **state)
{
	char text[sizeof(err.text)], *rest, *end;

	(void)state;
	make_talkative();
	refused_for("mirror", false, "merges packets (ethtool -K mirror gro off)");
	strcpy(text, err.text);
	for (rest = text; (rest = strchr(rest, '(')) != NULL && (end = strchr(rest, ')')) != NULL; rest = end + 1) {
		*end = '\0';
		run("%s", rest + 1);
	}
	if (mirror_fit("mirror", false, &err) < 0)
		fail_msg("%s", err.text);
}

/* Packets that came out of the mirror port; waits for so long. */
static unsigned heard(int wire, int ms)
{
	struct pollfd p = { .fd = wire, .events = POLLIN };
	uint8_t frame[2048];
	unsigned count = 0;

	while (poll(&p, 1, ms) > 0 && recv(wire, frame, sizeof(frame), 0) > 0)
		count++;
	return count;
}

/* An ICMPv6 message to whoever listens at a multicast address: of MLD (130), or a router's (134), or a neighbour's (135). */
static void ask_ipv6(int wire, uint8_t type)
{
	uint8_t f[86] = { 0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 9, 2, 0x86, 0xdd, 0x60 };
	uint32_t sum = 32 + 58;

	f[19] = 32;
	f[20] = 58;
	f[21] = type == 130 ? 1 : 255;
	memcpy(f + 22, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
	memcpy(f + 38, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	f[54] = type;
	if (type == 135)
		memcpy(f + 62, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	for (size_t i = 22; i < sizeof(f); i += 2)
		sum += be16(f + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	put_be16(f + 56, (uint16_t)~sum);
	assert_int_equal(send(wire, f, sizeof(f), 0), sizeof(f));
}

static void ask_arp(int wire)
{
	static const uint8_t f[60] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 9, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2,
		0, 0, 0, 9, 2, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1 };

	assert_int_equal(send(wire, f, sizeof(f), 0), sizeof(f));
}

/* From both sides: neighbours ask, and this host wishes to reach somebody. */
static void provoke(int wire)
{
	ask_arp(wire);
	ask_ipv6(wire, 130);
	ask_ipv6(wire, 134);
	ask_ipv6(wire, 135);
	run("ping -c 1 -W 1 -I mirror 192.0.2.77 || true; ping -6 -c 1 -W 1 fe80::77%%mirror || true");
	ask_arp(wire);
}

static void prepared_it_says_nothing_whatever_is_asked(void **state)
{
	int wire = veth_socket("wire");

	(void)state;
	make_talkative();
	provoke(wire);
	assert_true(heard(wire, 1500) > 3); /* it does speak */
	if (mirror_fit("mirror", true, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(heard(wire, 500), 0); /* not even a good-bye */
	provoke(wire);
	assert_int_equal(heard(wire, 3000), 0);
	assert_int_equal(mirror_fit("mirror", false, &err), 0);
	close(wire);
}

static void one_that_others_live_on_is_never_touched(void **state)
{
	static const struct {
		const char *make, *told;
	} busy[] = {
		{ "ip address add 192.0.2.1/24 dev mirror; ip route add default via 192.0.2.9", "default route" },
		{ "ip -6 route add default dev mirror", "default route" },
		{ "ip route add default nexthop dev mirror nexthop dev wire", "default route" },
		{ "ip link add name bridge type bridge; ip link set mirror master bridge", "bridge" },
		{ "ip link add link mirror name above type macvlan", "other interfaces upon it" },
	};

	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
		assert_int_equal(veth_setup(state), 0);
		run("sysctl -qw net/ipv6/conf/mirror/disable_ipv6=0; ip link set mirror arp on");
		run("%s", busy[i].make);
		refused_for("mirror", false, busy[i].told);
		refused_for("mirror", true, busy[i].told);
		assert_int_equal(flags_of("mirror") & (IFF_UP | IFF_NOARP), IFF_UP);
	}
	refused_for("lo", true, "loopback");
}

static void one_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(mirror_fit("nowhere", false, &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
	assert_int_equal(mirror_fit("a-name-that-no-interface-can-have", true, &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
}

int main(void)
{
#define IN_NETWORK(f) cmocka_unit_test_setup(f, veth_setup)
	const struct CMUnitTest tests[] = {
		IN_NETWORK(a_silent_interface_is_fit),
		IN_NETWORK(each_thing_that_is_wrong_is_named),
		IN_NETWORK(what_is_refused_is_left_as_it_was),
		IN_NETWORK(the_commands_that_are_named_mend_it),
		IN_NETWORK(prepared_it_says_nothing_whatever_is_asked),
		IN_NETWORK(one_that_others_live_on_is_never_touched),
		IN_NETWORK(one_that_is_not_there_is_not_found),
	};

	if (!veth_possible())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
