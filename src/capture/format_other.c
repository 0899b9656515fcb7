/* format_other: what files libpcap can read besides. */
#include "format.h"

#include <pcap/pcap.h>

static enum format_got next(struct format *f, struct intake *in, struct frame *out)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int got = pcap_next_ex(f->other, &header, &bytes);

	if (got == PCAP_ERROR_BREAK)
		return GOT_END;
	if (got != 1) {
		snprintf(f->why, sizeof(f->why), "%.100s", pcap_geterr(f->other));
		return feof(pcap_file(f->other)) && in->fault == 0 ? GOT_CUT : GOT_BAD;
	}
	out->at = format_time(header->ts.tv_sec, (uint32_t)header->ts.tv_usec); /* which holds nanoseconds */
	out->bytes = (struct bytes){ bytes, header->caplen };
	out->wire_len = header->len > header->caplen ? header->len : header->caplen;
	return GOT_FRAME;
}

static void clear(struct format *f)
{
	pcap_close(f->other);
}

const char *format_link_name(int link)
{
	return pcap_datalink_val_to_name(link);
}

int format_open_other(struct format *f, struct intake *in, struct err *err)
{
	static const struct format_kind kind = { .next = next, .clear = clear };
	char reason[PCAP_ERRBUF_SIZE];
	FILE *file = intake_file(in);
	struct interface only = { 0 };

	if (file == NULL)
		return err_set(err, "out of memory");
	f->other = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (f->other == NULL) {
		fclose(file);
		return strstr(reason, "unknown file format") != NULL ? 0
								     : err_set(err, "is no whole capture: %s", reason);
	}
	f->kind = &kind; /* the file is libpcap's from here on */
	only.link = format_link(pcap_datalink(f->other));
	return format_add_interface(f, &only) ? 1 : err_set(err, "out of memory");
}
