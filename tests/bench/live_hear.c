/*
 * live_hear: hears what comes in at an interface until it is told to end, and says what that took: live_hear loop|live|front INTERFACE
 * MIB. An empty loop of libpcap with a ring of so many MiB; live; or live and all of the way that a packet goes which is nobody's.
 * Says "ready" when it hears; at the end: packets, what the ring and the interface lost, seconds of CPU.
 */
#include <pcap/pcap.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "otway/front.h"
#include "otway/live.h"

#define RETIRE_MS 10
#define SNAPLEN   65535
#define BATCH     256
#define RECENT    ((size_t)16 << 20) /* as the role has it */

static volatile sig_atomic_t over;
static pcap_t *loop;

static void end(int number)
{
	(void)number;
	over = 1;
	if (loop != NULL)
		pcap_breakloop(loop);
}

static double seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Memory is locked, as a role's is: none of it is met for the first time while it hears. */
static double ready(void)
{
	mlockall(MCL_CURRENT | MCL_FUTURE);
	printf("ready\n");
	fflush(stdout);
	return seconds();
}

static int tell(uint64_t packets, uint64_t dropped, uint64_t missed, double took)
{
	printf("%llu %llu %llu %.6f\n", (unsigned long long)packets, (unsigned long long)dropped,
		(unsigned long long)missed, took);
	return 0;
}

static void nothing(u_char *user, const struct pcap_pkthdr *header, const u_char *octets)
{
	(void)user;
	(void)header;
	(void)octets;
}

static int hear_loop(const char *interface, int ring)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_stat stat;
	uint64_t packets = 0;
	double start;
	int got;

	loop = pcap_create(interface, error);
	if (loop == NULL)
		return 1;
	pcap_set_snaplen(loop, SNAPLEN);
	pcap_set_promisc(loop, 1);
	pcap_set_timeout(loop, RETIRE_MS);
	pcap_set_buffer_size(loop, ring);
	if (pcap_activate(loop) < 0)
		return 1;
	start = ready();
	while ((got = pcap_dispatch(loop, -1, nothing, NULL)) >= 0)
		packets += (uint64_t)got;
	start = seconds() - start;
	if (pcap_stats(loop, &stat) < 0)
		return 1;
	return tell(packets, stat.ps_drop, 0, start);
}

struct hearing {
	uint64_t packets;
	struct front *front;
};

static void count(void *arg, const struct frame *f)
{
	struct hearing *h = arg;

	(void)f;
	h->packets++;
}

static void take(void *arg, const struct frame *f)
{
	struct hearing *h = arg;
	const struct media_packet *media;
	const struct cover *covers;
	struct front_out out;
	size_t covered;

	h->packets++;
	if (!front_take(h->front, f))
		return;
	while (front_media(h->front, &media, &covers, &covered) || front_next(h->front, &out))
		;
}

static int hear_live(const char *interface, size_t ring, bool with_front)
{
	const struct live_options o = { .interfaces = &interface,
		.count = 1,
		.ring = ring,
		.snaplen = SNAPLEN,
		.retire = (nsec_t)RETIRE_MS * 1000000 };
	struct hearing h = { 0, front_new(&(struct front_options){ .recent_octets = RECENT }) };
	struct live *l;
	struct err err;
	struct pollfd p = { .events = POLLIN };
	double start;

	if (h.front == NULL || live_new(&l, &o, false, &err) < 0)
		return 1;
	p.fd = live_fd(l, 0);
	start = ready();
	while (!over || poll(&p, 1, 0) > 0) {
		poll(&p, 1, -1);
		while (live_take(l, 0, BATCH, with_front ? take : count, &h) > 0)
			;
	}
	tell(h.packets, live_dropped(l, 0), live_missed(l, 0), seconds() - start);
	front_free(h.front);
	live_free(l);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = end };
	size_t ring = argc == 4 ? (size_t)atoi(argv[3]) << 20 : 0;
	cpu_set_t last;

	if (ring == 0 || ring > (size_t)1 << 30) {
		fprintf(stderr, "live_hear loop|live|front INTERFACE MIB\n");
		return 2;
	}
	CPU_ZERO(&last);
	CPU_SET(1, &last); /* not where the sender is; on a host of one core it stays where it is */
	sched_setaffinity(0, sizeof(last), &last);
	sigaction(SIGTERM, &act, NULL);
	if (strcmp(argv[1], "loop") == 0)
		return hear_loop(argv[2], (int)ring);
	return hear_live(argv[2], ring, strcmp(argv[1], "front") == 0);
}
