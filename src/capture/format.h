/*
 * format: how the packets of a capture file are told apart. pcap and pcapng are read here, octet by octet and in place,
 * since all of a capture goes through this; what else there is, libpcap reads.
 */
#ifndef OTWAY_CAPTURE_FORMAT_H
#define OTWAY_CAPTURE_FORMAT_H

#include "otway/model/packet.h"
#include "intake.h"

enum format_got {
	GOT_FRAME,
	GOT_END,
	GOT_CUT,  /* the file ends within a packet (or block) */
	GOT_BAD   /* it cannot be read on; format.why says why */
};

/* An interface of a pcapng section: its packets' link type and the unit of their stamps. */
struct interface {
	int link;
	uint32_t snap;
	uint8_t resolution; /* if_tsresol */
	int64_t offset;     /* if_tsoffset, seconds */
};

struct format;
struct format_kind {
	enum format_got (*next)(struct format *f, struct intake *in, struct frame *out);
	void (*clear)(struct format *f); /* NULL: there is nothing to clear */
};

struct format {
	const struct format_kind *kind;
	bool swapped;                 /* its numbers are in the other byte order than ours */
	uint32_t unit;                /* pcap: nanoseconds in a unit of its stamps */
	nsec_t last;                  /* pcapng: stamp of the packet before */
	struct interface *interfaces; /* pcapng: of the section; others: one */
	size_t interface_count;
	struct pcap *other;           /* libpcap's */
	char why[128];
};

/* A packet longer than this is none (libpcap's MAXIMUM_SNAPLEN). */
#define FORMAT_PACKET_MAX 262144u

/*
 * Finds out what the file is and reads it up to its first packet. Returns 0; or -1 with err: none of them, or of link
 * types of which `known` (NULL: all are) knows none.
 */
int format_open(struct format *f, struct intake *in, bool (*known)(int link), struct err *err);
void format_clear(struct format *f);

/* What one format's file offers; 1: it is of this format and open, 0: it is not, -1 with err. */
int format_open_pcap(struct format *f, struct intake *in, struct err *err);
int format_open_pcapng(struct format *f, struct intake *in, struct err *err);
int format_open_other(struct format *f, struct intake *in, struct err *err);

/* libpcap's name of a link type, or NULL. */
const char *format_link_name(int link);

/* One more interface; false: out of memory. */
bool format_add_interface(struct format *f, const struct interface *i);

/* LINKTYPE_RAW (101) was 12, and 14 on OpenBSD, in files of old (pcap-linktype(7)). */
static inline int format_link(int link)
{
	return link == 12 || link == 14 ? 101 : link;
}

static inline uint32_t format_u32(const struct format *f, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return f->swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t format_u64(const struct format *f, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return f->swapped ? __builtin_bswap64(v) : v;
}

static inline uint16_t format_u16(const struct format *f, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return f->swapped ? __builtin_bswap16(v) : v;
}

/* Seconds and nanoseconds as a point in time; what does not fit is the nearest that does. */
static inline nsec_t format_time(int64_t sec, uint32_t nsec)
{
	if (sec > 9000000000 || sec < -9000000000)
		return (sec > 0 ? 9000000000 : -9000000000) * NSEC_PER_SEC;
	return sec * NSEC_PER_SEC + nsec;
}

#endif
