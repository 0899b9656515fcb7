/*
 * front: what a message that matters to nobody costs, as a multiple of osip_message_parse of the same messages in the same round: in
 * triage alone, and all the way from its frame; and what a capture costs with 100,000 targets, as a multiple of one: front FILE.
 * Nobody in the file is a target. Frames lie in memory and come evenly, 5,000 a second; what is measured is a second pass over
 * them, when all that grows has grown; user CPU time, medians of rounds. Prints; judges nothing.
 */
#include <osipparser2/osip_parser.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "otway/model/warrant.h"
#include "otway/pipeline.h"
#include "otway/triage.h"

#define ROUNDS   9
#define MANY     100000
#define EVERY    (NSEC_PER_SEC / 5000)
#define SIP_PORT 5060
#define HEAD     42 /* Ethernet, IPv4 and UDP, as traffic.c writes them */

struct frames {
	struct frame *all;
	size_t count, room;
};

static int port_at(const uint8_t *octets, size_t at)
{
	return octets[at] << 8 | octets[at + 1];
}

static bool is_sip(struct bytes b)
{
	return b.len > HEAD && (port_at(b.at, 34) == SIP_PORT || port_at(b.at, 36) == SIP_PORT);
}

static bool keep(struct frames *f, const struct frame *one)
{
	if (f->count == f->room) {
		size_t room = f->room > 0 ? 2 * f->room : 1024;
		struct frame *grown = realloc(f->all, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		f->all = grown;
		f->room = room;
	}
	f->all[f->count++] = *one;
	return true;
}

/* All frames of a file, and those with SIP; they share their octets. */
static bool load(const char *path, struct frames *all, struct frames *sip)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *head;
	const u_char *octets;
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);

	while (p != NULL && pcap_next_ex(p, &head, &octets) == 1) {
		uint8_t *copy = malloc(head->caplen);
		struct frame one = { .at = (nsec_t)head->ts.tv_sec * NSEC_PER_SEC + head->ts.tv_usec,
			.link = 1,
			.wire_len = head->len,
			.bytes = { copy, head->caplen } };

		if (copy == NULL)
			return false;
		memcpy(copy, octets, head->caplen);
		if (!keep(all, &one) || (is_sip(one.bytes) && !keep(sip, &one)))
			return false;
	}
	if (p != NULL)
		pcap_close(p);
	return sip->count > 0;
}

static double seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6;
}

static double parse_all(const struct frames *f)
{
	double start = seconds();

	for (size_t i = 0; i < f->count; i++) {
		osip_message_t *m;

		if (osip_message_init(&m) != OSIP_SUCCESS)
			exit(2);
		if (osip_message_parse(m, (const char *)f->all[i].bytes.at + HEAD, f->all[i].bytes.len - HEAD) !=
			OSIP_SUCCESS)
			exit(2);
		osip_message_free(m);
	}
	return seconds() - start;
}

/*
 * So many targets, none of whom the traffic knows, nor anybody whose last digits are theirs: who looks like a target is parsed in
 * full. They are the pipeline's, or the triage's.
 */
static void aim(size_t count, struct pipeline *p, struct triage *t)
{
	struct target *targets = calloc(count, sizeof(*targets));
	char nobody[] = "", (*uris)[40] = calloc(count, sizeof(*uris));
	struct warrant w = { .number = 1,
		.liid = "B",
		.agency = nobody,
		.authority = nobody,
		.targets = targets,
		.target_count = count,
		.until = NSEC_EVER };
	struct warrant_set set = { 0 };
	bool ok = targets != NULL && uris != NULL;

	for (size_t i = 0; ok && i < count; i++) {
		snprintf(uris[i], sizeof(uris[i]), "tel:+49501%06zu", i);
		targets[i].uri = uris[i];
		ok = identity_parse((struct bytes){ (const uint8_t *)uris[i], strlen(uris[i]) }, &targets[i].id);
	}
	ok = ok && warrant_add(&set, &w) && (p == NULL || pipeline_targets(p, &set)) &&
	     (t == NULL || triage_targets(t, &set));
	warrant_set_clear(&set);
	free(targets);
	free(uris);
	if (!ok)
		exit(2);
}

static double look_all(const struct frames *f)
{
	struct triage *t = triage_new();
	struct glance g;
	double start, took;

	aim(1, NULL, t);
	start = seconds();
	for (size_t i = 0; i < f->count; i++) {
		triage_look(t, bytes_part(f->all[i].bytes, HEAD, f->all[i].bytes.len), &g);
		if (g.may_match)
			exit(2);
	}
	took = seconds() - start;
	triage_free(t);
	return took;
}

static double pass(struct pipeline *p, const struct frames *f, size_t turn)
{
	const struct record *r;
	double start = seconds();

	for (size_t i = 0; i < f->count; i++) {
		struct frame one = f->all[i];

		one.at = f->all[0].at + (nsec_t)(turn * f->count + i) * EVERY;
		pipeline_take(p, &one);
		if (pipeline_next(p, &r))
			exit(2); /* nobody is a target */
	}
	return seconds() - start;
}

static double take_all(const struct frames *f, size_t targets)
{
	struct pipeline *p = pipeline_new(NULL);
	double took;

	if (p == NULL)
		exit(2);
	aim(targets, p, NULL);
	pass(p, f, 0);
	took = pass(p, f, 1);
	pipeline_free(p);
	return took;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *all)
{
	qsort(all, ROUNDS, sizeof(*all), by_value);
	return all[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	struct frames all = { 0 }, sip = { 0 };
	double parse[ROUNDS], looked[ROUNDS], taken[ROUNDS], sip_many[ROUNDS], all_many[ROUNDS];

	if (argc != 2 || !load(argv[1], &all, &sip)) {
		fprintf(stderr, "front FILE\n");
		return 2;
	}
	parser_init();
	for (int i = 0; i < ROUNDS; i++) {
		double full = parse_all(&sip), one = take_all(&sip, 1);

		parse[i] = full;
		looked[i] = look_all(&sip) / full;
		taken[i] = one / full;
		sip_many[i] = take_all(&sip, MANY) / one;
		one = take_all(&all, 1);
		all_many[i] = take_all(&all, MANY) / one;
	}
	printf("SIP that matters to nobody, beside osip_message_parse (%.0f ns a message): %.3fx in triage, %.3fx in "
	       "all\n",
		median(parse) / (double)sip.count * 1e9, median(looked), median(taken));
	printf("%d targets against one: %.2fx for its SIP alone (%zu messages), %.2fx for the capture (%zu packets)\n",
		MANY, median(sip_many), sip.count, median(all_many), all.count);
	return 0;
}
