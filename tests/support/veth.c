/* veth: interfaces are made by ip(8), frames are sent through a packet socket. */
#include "veth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "otway/base/bytes.h"

static const char quiet[] =
	"sysctl -qw net/ipv6/conf/default/disable_ipv6=1; ip link add mirror type veth peer name wire";

bool veth_possible(void)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0)
		_exit(unshare(CLONE_NEWNET) == 0 && system(quiet) == 0 ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void veth_wait(const char *interface)
{
	struct ifreq ask = { 0 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ask.ifr_name, sizeof(ask.ifr_name), "%s", interface);
	for (int i = 0; i < 5000 && ioctl(fd, SIOCGIFFLAGS, &ask) == 0 && (ask.ifr_flags & IFF_RUNNING) == 0; i++)
		usleep(1000);
	close(fd);
	assert_true((ask.ifr_flags & IFF_RUNNING) != 0);
}

int veth_setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || system(quiet) != 0 ||
		system("ip link set mirror arp off multicast off up; ip link set wire arp off multicast off up") != 0)
		return -1;
	veth_wait("mirror");
	veth_wait("wire");
	return 0;
}

void run(const char *fmt, ...)
{
	char command[512], whole[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "{ %s; } >/dev/null 2>&1", command);
	if (system(whole) != 0)
		fail_msg("%s", command);
}

int veth_socket(const char *interface)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, room = 8 << 20;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static const uint8_t sign[] = "numbered";

void veth_frame(uint8_t *out, size_t len, uint32_t number, unsigned flow, bool back)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2, 8, 0, 0x45 };
	uint32_t a = 0x0a000000 + flow, b = 0x0a800000 + flow / 7;
	uint16_t pa = (uint16_t)(10000 + flow), pb = 20000;

	assert_true(len >= 60 && len <= VETH_MAX);
	memset(out, 0, len);
	memcpy(out, head, sizeof(head));
	put_be16(out + 16, (uint16_t)(len - 14));
	out[22] = 64;
	out[23] = IPPROTO_UDP;
	put_be32(out + 26, back ? b : a);
	put_be32(out + 30, back ? a : b);
	put_be16(out + 34, back ? pb : pa);
	put_be16(out + 36, back ? pa : pb);
	put_be16(out + 38, (uint16_t)(len - 34));
	memcpy(out + 42, sign, 8);
	put_be32(out + 50, number);
	for (size_t i = 54; i < len; i++)
		out[i] = (uint8_t)(number * 31 + i);
}

int64_t veth_number(const uint8_t *frame, size_t len)
{
	return len >= 54 && memcmp(frame + 42, sign, 8) == 0 ? (int64_t)be32(frame + 50) : -1;
}

uint32_t veth_send(int fd, uint32_t first, uint32_t count, unsigned flow, bool back)
{
	uint8_t frame[224];
	uint32_t tries = 0;

	for (uint32_t i = 0; i < count; i++, tries++) {
		veth_frame(frame, sizeof(frame), first + i, flow, back);
		for (; send(fd, frame, sizeof(frame), 0) < 0; tries++)
			assert_true(errno == ENOBUFS);
	}
	return tries;
}
