/* pcapfile: the one file of this folder that sees libpcap. */
#include "pcapfile.h"

#include <stdlib.h>

#include <pcap/pcap.h>

#include "wire.h"

#define LINKTYPE_RAW 101
#define SNAPLEN      262144 /* more than any IP packet: the header of the file is always the same */

struct pcapfile {
	struct stage *stage;
	char *path;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	bool failed;
};

struct pcapfile *pcapfile_new(struct stage *stage, const char *path)
{
	struct pcapfile *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->stage = stage;
	p->path = strdup(path);
	p->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
	if (p->path == NULL || p->pcap == NULL) {
		pcapfile_close(p, NULL, NULL);
		return NULL;
	}
	return p;
}

static int begin(struct pcapfile *p, struct err *err)
{
	FILE *f = stage_create(p->stage, p->path, err);

	if (f == NULL)
		return -1;
	p->dumper = pcap_dump_fopen(p->pcap, f);
	if (p->dumper == NULL) {
		fclose(f);
		return err_set(err, "cannot write %s: %s", p->path, pcap_geterr(p->pcap));
	}
	return 0;
}

int pcapfile_add(struct pcapfile *p, nsec_t at, struct bytes packet, struct err *err)
{
	nsec_t rest = at % NSEC_PER_SEC;
	struct pcap_pkthdr head = { .caplen = (bpf_u_int32)packet.len, .len = wire_length(packet) };

	if (rest < 0)
		rest += NSEC_PER_SEC;
	head.ts.tv_sec = (time_t)((at - rest) / NSEC_PER_SEC);
	head.ts.tv_usec = (suseconds_t)rest; /* nanoseconds, as the precision says */
	if (p->dumper == NULL && begin(p, err) < 0)
		return -1;
	pcap_dump((u_char *)p->dumper, &head, packet.at);
	if (ferror(pcap_dump_file(p->dumper)) != 0) {
		p->failed = true;
		return stage_failed(p->path, err);
	}
	return 0;
}

/* As libpcap writes them on this machine: in its own order of octets, the magic number says which and that stamps are in nanoseconds. */
bool pcapfile_head(struct buf *out)
{
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, link;
	} head = { 0xa1b23c4d, PCAP_VERSION_MAJOR, PCAP_VERSION_MINOR, 0, 0, SNAPLEN, LINKTYPE_RAW };

	return buf_add(out, &head, sizeof(head));
}

bool pcapfile_record(struct buf *out, nsec_t at, struct bytes packet)
{
	nsec_t rest = at % NSEC_PER_SEC;
	uint32_t head[4];

	if (rest < 0)
		rest += NSEC_PER_SEC;
	head[0] = (uint32_t)((at - rest) / NSEC_PER_SEC);
	head[1] = (uint32_t)rest;
	head[2] = (uint32_t)packet.len;
	head[3] = wire_length(packet);
	return buf_add(out, head, sizeof(head)) && buf_add(out, packet.at, packet.len);
}

int pcapfile_close(struct pcapfile *p, bool *written, struct err *err)
{
	int rc = 0;

	if (p == NULL)
		return 0;
	if (written != NULL)
		*written = p->dumper != NULL;
	if (p->dumper != NULL) {
		if (pcap_dump_flush(p->dumper) != 0 || p->failed)
			rc = stage_failed(p->path, err);
		pcap_dump_close(p->dumper);
	}
	if (p->pcap != NULL)
		pcap_close(p->pcap);
	free(p->path);
	free(p);
	return rc;
}
