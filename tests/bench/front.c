/*
 * front: what a message that matters to nobody costs in the pipeline, as a multiple of osip_message_parse of the same messages;
 * and what a capture costs with 100,000 targets, as a multiple of one: front FILE. Nobody in the file is a target. Frames lie in
 * memory; CPU time, medians of rounds. Prints; judges nothing.
 */
#include <osipparser2/osip_parser.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "otway/model/warrant.h"
#include "otway/pipeline.h"

#define ROUNDS   5
#define MANY     100000
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
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

/* A pipeline with so many targets, none of whom the traffic knows, nor anybody whose last digits are theirs: who looks like a target
 * is parsed in full. */
static struct pipeline *aimed(size_t count)
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
	struct pipeline *p = pipeline_new(NULL);
	bool ok = p != NULL && targets != NULL && uris != NULL;

	for (size_t i = 0; ok && i < count; i++) {
		snprintf(uris[i], sizeof(uris[i]), "tel:+49501%06zu", i);
		targets[i].uri = uris[i];
		ok = identity_parse((struct bytes){ (const uint8_t *)uris[i], strlen(uris[i]) }, &targets[i].id);
	}
	ok = ok && warrant_add(&set, &w) && pipeline_targets(p, &set);
	warrant_set_clear(&set);
	free(targets);
	free(uris);
	if (!ok)
		exit(2);
	return p;
}

static double take_all(const struct frames *f, size_t targets)
{
	struct pipeline *p = aimed(targets);
	const struct record *r;
	double start = seconds(), took;

	for (size_t i = 0; i < f->count; i++) {
		pipeline_take(p, &f->all[i]);
		if (pipeline_next(p, &r))
			exit(2); /* nobody is a target */
	}
	took = seconds() - start;
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
	double parse[ROUNDS], parsed[ROUNDS], nobody[ROUNDS], sip_many[ROUNDS], all_many[ROUNDS];

	if (argc != 2 || !load(argv[1], &all, &sip)) {
		fprintf(stderr, "front FILE\n");
		return 2;
	}
	parser_init();
	for (int i = 0; i < ROUNDS; i++) {
		double full = parse_all(&sip), one = take_all(&sip, 1);

		parse[i] = full;
		parsed[i] = one / full;
		nobody[i] = one;
		sip_many[i] = take_all(&sip, MANY) / one;
		one = take_all(&all, 1);
		all_many[i] = take_all(&all, MANY) / one;
	}
	printf("SIP that matters to nobody: %.0f ns a message, osip_message_parse %.0f ns: %.3fx\n",
		median(nobody) / (double)sip.count * 1e9, median(parse) / (double)sip.count * 1e9, median(parsed));
	printf("%d targets against one: %.2fx for its SIP alone (%zu messages), %.2fx for the capture (%zu packets)\n",
		MANY, median(sip_many), sip.count, median(all_many), all.count);
	return 0;
}
