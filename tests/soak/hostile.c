/*
 * hostile: what somebody might send past a mirror port to bring otway down: ten million frames of random flows, fragments that
 * never become whole, Call-IDs of calls that never go on, and TCP streams that stop in the midst of a message; now and then the
 * set-up of a call with the target. Peak memory must stay under BOUND, whatever their number. Time per frame is told.
 *
 * BOUND: 64 MiB each for fragments, streams and undecided messages, the calls of the target, and as much again for tables and malloc.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "otway/model/warrant.h"
#include "otway/pipeline.h"

#define FRAMES   10000000u
#define BOUND    (UINT64_C(512) << 20)
#define STEP     INT64_C(10000) /* a frame every 10 us: ten million are 100 seconds */
#define TARGETS  10000          /* one frame in so many is an INVITE to the target */
#define ROOM     2048
#define COUNTERS 128
#define SLICES   10
#define ETHERNET 1

struct maker {
	uint64_t state;
	size_t len;
	uint8_t octets[ROOM];
};

/* SplitMix64. */
static uint64_t draw(struct maker *m)
{
	uint64_t x = m->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void random_octets(struct maker *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		m->octets[m->len++] = (uint8_t)(draw(m) >> 32);
}

/* Ethernet, and IPv4 from anywhere to anywhere; its length is mended by `finish`. */
static void begin(struct maker *m, uint8_t protocol)
{
	static const uint8_t head[22] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };

	memcpy(m->octets, head, sizeof(head));
	m->len = sizeof(head);
	m->octets[m->len++] = 64;
	m->octets[m->len++] = protocol;
	put16(m->octets + m->len, 0);
	m->len += 2;
	random_octets(m, 8);
}

static void finish(struct maker *m)
{
	put16(m->octets + 16, (unsigned)m->len - 14);
}

static void udp(struct maker *m, size_t payload)
{
	random_octets(m, 4);
	put16(m->octets + m->len, (unsigned)payload + 8);
	put16(m->octets + m->len + 2, 0);
	m->len += 4;
}

/* A datagram of a flow of its own that may be RTP. */
static void make_flow(struct maker *m)
{
	size_t payload = 12 + draw(m) % 180;

	begin(m, 17);
	udp(m, payload);
	random_octets(m, payload);
	m->octets[42] = 0x80;
	finish(m);
}

/* One fragment of a packet whose others never come. */
static void make_fragment(struct maker *m)
{
	begin(m, 17);
	random_octets(m, 8 * (1 + draw(m) % 64));
	finish(m);
	put16(m->octets + 18, (unsigned)draw(m) & 0xffff);
	put16(m->octets + 20, 0x2000 | (unsigned)(draw(m) % 180));
}

/* The same over IPv6. */
static void make_fragment6(struct maker *m)
{
	static const uint8_t head[22] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 44, 64 };

	memcpy(m->octets, head, sizeof(head));
	m->len = sizeof(head);
	random_octets(m, 32);
	m->octets[m->len++] = 17;
	m->octets[m->len++] = 0;
	put16(m->octets + m->len, (unsigned)(draw(m) % 180) << 3 | 1);
	m->len += 2;
	random_octets(m, 4 + 8 * (1 + draw(m) % 64));
	put16(m->octets + 18, (unsigned)m->len - 54);
}

static size_t invite(struct maker *m, char *to, size_t room, const char *callee)
{
	uint64_t id = draw(m), who = draw(m) % 1000000000;

	return (size_t)snprintf(to, room,
		"INVITE sip:%s@ims.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%" PRIx64 "\r\n"
		"From: <sip:+4940%09" PRIu64 "@ims.example>;tag=%" PRIx64 "\r\nTo: <sip:%s@ims.example>\r\n"
		"Call-ID: %016" PRIx64 "@ims.example\r\nCSeq: 1 INVITE\r\nSession-ID: %016" PRIx64 "%016" PRIx64 "\r\n"
		"P-Charging-Vector: icid-value=%" PRIx64
		"\r\nContent-Type: application/sdp\r\nContent-Length: 134\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 10.%03u.%03u.%03u\r\nt=0 0\r\n"
		"m=audio %05u RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		callee, id, who, id, callee, id, id, ~id, id, (unsigned)(id & 127) + 100,
		(unsigned)(id >> 8 & 127) + 100, (unsigned)(id >> 16 & 127) + 100,
		10000 + (unsigned)(id >> 24) % 50000);
}

/* The set-up of a call that does not go on. */
static void make_invite(struct maker *m, const char *callee)
{
	char text[1400], somebody[32];
	size_t len;

	snprintf(somebody, sizeof(somebody), "+4930%09u", (unsigned)(draw(m) % 1000000000));
	len = invite(m, text, sizeof(text), callee != NULL ? callee : somebody);
	begin(m, 17);
	udp(m, len);
	memcpy(m->octets + m->len, text, len);
	m->len += len;
	finish(m);
}

/* A stream that begins, with or without SYN, with the first part of a message, and is never heard of again. */
static void make_half_open(struct maker *m)
{
	char text[1400];
	size_t len = invite(m, text, sizeof(text), "+49301") * (draw(m) % 100) / 100;
	bool syn = draw(m) % 4 == 0;

	begin(m, 6);
	random_octets(m, 12);
	m->octets[m->len++] = 0x50;
	m->octets[m->len++] = syn ? 0x02 : 0x18;
	memset(m->octets + m->len, 0xff, 6);
	m->len += 6;
	if (!syn) {
		memcpy(m->octets + m->len, text, len);
		m->len += len;
	}
	finish(m);
}

static void make(struct maker *m, uint64_t number)
{
	if (number % TARGETS == 0) {
		make_invite(m, "bob");
		return;
	}
	switch (draw(m) % 5) {
	case 0:
		make_flow(m);
		break;
	case 1:
		make_fragment(m);
		break;
	case 2:
		make_fragment6(m);
		break;
	case 3:
		make_invite(m, NULL);
		break;
	default:
		make_half_open(m);
	}
}

static bool aim(struct pipeline *p)
{
	struct target target = { 0 };
	char nobody[] = "";
	struct warrant w = { .number = 1,
		.liid = "S",
		.agency = nobody,
		.authority = nobody,
		.targets = &target,
		.target_count = 1,
		.until = NSEC_EVER };
	struct warrant_set set = { 0 };
	char uri[] = "sip:bob@ims.example";
	bool ok;

	target.uri = uri;
	ok = identity_parse((struct bytes){ (const uint8_t *)uri, strlen(uri) }, &target.id) && warrant_add(&set, &w) &&
	     pipeline_targets(p, &set);
	warrant_set_clear(&set);
	return ok;
}

static uint64_t drain(struct pipeline *p)
{
	const struct record *r;
	uint64_t n = 0;

	while (pipeline_next(p, &r))
		n++;
	return n;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t peak(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)used.ru_maxrss << 10;
}

/* The frames of one slice; returns the records they gave. */
static uint64_t slice(struct pipeline *p, struct maker *m, uint64_t from, uint64_t until, double *cpu)
{
	uint64_t records = 0;

	*cpu = 0;
	for (uint64_t i = from; i < until; i++) {
		struct frame f = { .at = (nsec_t)i * STEP + 1700000000 * NSEC_PER_SEC, .link = ETHERNET };
		double start;

		make(m, i);
		f.bytes = (struct bytes){ m->octets, m->len };
		f.wire_len = (uint32_t)m->len;
		start = i % 16 == 0 ? seconds() : 0; /* asking the clock costs more than most frames */
		pipeline_take(p, &f);
		records += drain(p);
		if (i % 16 == 0)
			*cpu += seconds() - start;
	}
	return records;
}

int main(int argc, char **argv)
{
	static struct maker m = { .state = 42 };
	uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : FRAMES, records = 0, each = frames / SLICES;
	struct pipeline *p = pipeline_new(NULL);
	struct counter counts[COUNTERS];
	double halves[2] = { 0, 0 };
	size_t count;

	if (p == NULL || !aim(p))
		return 2;
	for (unsigned i = 0; i < SLICES; i++) {
		double cpu, all = seconds();

		records += slice(p, &m, i * each, (i + 1) * each, &cpu);
		halves[i >= SLICES / 2] += cpu;
		printf("%u: %.0f ns a frame, %.1f s with making them, peak %" PRIu64 " MiB\n", i,
			cpu * 16e9 / (double)each, seconds() - all, peak() >> 20);
		fflush(stdout);
	}
	pipeline_end(p);
	records += drain(p);
	count = pipeline_counts(p, counts, COUNTERS);
	for (size_t i = 0; i < count; i++)
		if (counts[i].value > 0)
			printf("%s: %" PRIu64 "\n", counts[i].name, counts[i].value);
	pipeline_free(p);
	printf("%" PRIu64 " records; the second half took %.2f of the first; peak %" PRIu64 " MiB, bound %" PRIu64
	       " MiB\n",
		records, halves[1] / halves[0], peak() >> 20, BOUND >> 20);
	return records == 0 || peak() > BOUND;
}
