/*
 * live_group: several processes share an interface: the kernel gives each flow to one of them, both of its directions to the same
 * (PACKET_FANOUT_HASH). No flow rolls over to another process when a ring is full: what is lost is counted and told of, while a TCP
 * connection in two places would be lost in silence. Fragments are not put together by the kernel, for then they would not be
 * what was sent.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "live_inside.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING /* since Linux 5.11 */
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

#define NUMBERS 65536

/* From here on nothing gets into the ring. */
static bool shut(int fd)
{
	struct sock_filter none = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog program = { 1, &none };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static bool unshut(int fd)
{
	int zero = 0;

	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)) == 0;
}

static void throw_away(u_char *arg, const struct pcap_pkthdr *head, const u_char *octets)
{
	(void)arg;
	(void)head;
	(void)octets;
}

/* What is in the ring, and in the block that is being filled: it is handed over within two periods. */
static void empty(struct tap *t, nsec_t retire)
{
	int wait = (int)(2 * retire / 1000000) + 10;
	struct pollfd p = { .fd = pcap_fileno(t->handle), .events = POLLIN };

	while (poll(&p, 1, wait) > 0 && pcap_dispatch(t->handle, -1, throw_away, NULL) > 0)
		;
}

/*
 * Who else is in a group of that number is one of ours: a group of others would have other flags, or room for another number of
 * members, and then the kernel refuses.
 */
static int join(int fd, const char *name, uint16_t group, unsigned processes, struct err *err)
{
	struct fanout_args how = { .id = group,
		.type_flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING,
		.max_num_members = processes };

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &how, sizeof(how)) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSPC)
		return err_code(err, EXIT_REFUSED,
			"%s: fan-out group %u is another program's, or has its %u members already", name, group,
			processes);
	return err_set(err, "%s: sharing it with others: %s", name, strerror(errno));
}

/* From pcap_activate until it has joined it gets what others get too; a moment after that it gets nothing, so that a packet on its
 * way the old way is not there twice. */
int tap_join(struct tap *t, uint16_t group, const struct live_options *o, struct err *err)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int fd = pcap_fileno(t->handle);

	if (!shut(fd))
		return err_set(err, "%s: shutting it for a moment: %s", t->name, strerror(errno));
	empty(t, o->retire);
	if (join(fd, t->name, group, o->processes, err) < 0)
		return -1;
	nanosleep(&moment, NULL);
	if (!unshut(fd))
		return err_set(err, "%s: opening it again: %s", t->name, strerror(errno));
	return 0;
}

/* A socket in a new group, whose number the kernel chooses. A protocol that nobody sends, so that it gets nothing. */
static int new_group(uint16_t *number)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_LOOPBACK) };
	uint32_t choose = (uint32_t)(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16, got = 0;
	socklen_t len = sizeof(got);
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
		setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &choose, sizeof(choose)) == 0 &&
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &got, &len) == 0) {
		*number = (uint16_t)got;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Holds groups until so many in a row are held, or one cannot be had. */
int live_groups(size_t count, uint16_t *first, struct err *err)
{
	int held[LIVE_GROUPS] = { 0 };
	size_t run = 0;
	uint16_t number = 0, last = 0;
	bool ok = count <= LIVE_GROUPS;

	for (unsigned tries = 0; ok && run < count && tries < NUMBERS; tries++) {
		int fd = new_group(&number);

		ok = fd >= 0;
		while (ok && run > 0 && number != last + 1)
			close(held[--run]);
		if (ok)
			held[run++] = fd;
		last = number;
	}
	*first = (uint16_t)(last - (run > 0 ? run - 1 : 0));
	ok = ok && run == count;
	if (!ok)
		err_set(err, "finding %zu fan-out groups that nobody has: %s", count, strerror(errno));
	while (run > 0)
		close(held[--run]);
	return ok ? 0 : -1;
}
