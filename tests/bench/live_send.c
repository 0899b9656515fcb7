/*
 * live_send: sends frames of a capture file out of an interface, as fast as one core can or so many a second: live_send FILE INTERFACE
 * COUNT [RATE]. From the first, again and again, by sendmmsg past the queueing discipline. What the other end has no room for is sent
 * again. Prints frames, seconds, and how many were sent again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

struct frames {
	struct iovec *all;
	size_t count, room;
};

static bool load(const char *path, struct frames *f)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *head;
	const u_char *octets;
	pcap_t *p = pcap_open_offline(path, error);

	while (p != NULL && pcap_next_ex(p, &head, &octets) == 1) {
		if (f->count == f->room) {
			f->room = f->room > 0 ? 2 * f->room : 4096;
			f->all = realloc(f->all, f->room * sizeof(*f->all));
			if (f->all == NULL)
				return false;
		}
		f->all[f->count] = (struct iovec){ malloc(head->caplen), head->caplen };
		if (f->all[f->count].iov_base == NULL)
			return false;
		memcpy(f->all[f->count++].iov_base, octets, head->caplen);
	}
	if (p != NULL)
		pcap_close(p);
	return f->count > 0;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0)
		return -1;
	return fd;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned long again; /* frames that were sent again */

/* From the n-th on, at most a batch; returns how many. */
static size_t send_some(int fd, const struct frames *f, size_t n, size_t left)
{
	struct mmsghdr m[BATCH] = { 0 };
	size_t count = left < BATCH ? left : BATCH;
	int sent;

	for (size_t i = 0; i < count; i++) {
		m[i].msg_hdr.msg_iov = &f->all[(n + i) % f->count];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, m, (unsigned)count, 0);
	if (sent > 0)
		return (size_t)sent;
	if (errno != ENOBUFS && errno != EINTR) {
		perror("live_send");
		exit(1);
	}
	again++;
	return 0;
}

int main(int argc, char **argv)
{
	struct frames f = { 0 };
	size_t count = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0, sent = 0;
	double rate = argc == 5 ? atof(argv[4]) : 0, start;
	cpu_set_t first;
	int fd;

	if (count == 0 || argc > 5 || !load(argv[1], &f) || (fd = open_socket(argv[2])) < 0) {
		fprintf(stderr, "live_send FILE INTERFACE COUNT [RATE]\n");
		return 2;
	}
	CPU_ZERO(&first);
	CPU_SET(0, &first); /* the kernel's work for what it sends is done there too */
	sched_setaffinity(0, sizeof(first), &first);
	start = now();
	while (sent < count) {
		while (rate > 0 && (double)sent > (now() - start) * rate)
			usleep(100);
		sent += send_some(fd, &f, sent, count - sent);
	}
	printf("%zu %.6f %lu\n", sent, now() - start, again);
	return 0;
}
