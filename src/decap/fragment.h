/*
 * fragment: IP packets rejoined from their fragments (RFC 791 3.2, RFC 8200 4.5), in any order. Where fragments
 * overlap, the octets that came first stay. Bounded in number, octets and time.
 */
#ifndef OTWAY_DECAP_FRAGMENT_H
#define OTWAY_DECAP_FRAGMENT_H

#include "otway/model/packet.h"

#define FRAGMENT_DATAGRAMS 4096                /* packets incomplete at once */
#define FRAGMENT_DONE      256                 /* whole ones remembered, to know copies of their fragments */
#define FRAGMENT_OCTETS    (64u << 20)         /* of memory for all their octets */
#define FRAGMENT_SPAN      (30 * NSEC_PER_SEC) /* from the first fragment of a packet to its last, by packet time */
#define FRAGMENT_HEADER    256                 /* octets of the header that is kept, extensions included */

struct fragments;

/* What fragments of one packet have in common. All octets count: unused ones are zero. */
struct fragment_key {
	struct addr src, dst;
	uint64_t scope;
	uint32_t id;
	uint8_t protocol, zero[3]; /* IPv4 only */
};

struct fragment {
	struct fragment_key key;
	struct bytes header; /* what goes in front of the rejoined packet: the IP header, without a fragment header */
	size_t next_at;      /* IPv6: offset in header of the octet that named the fragment header */
	uint8_t protocol;    /* what the rejoined octets are */
	struct bytes data;
	size_t offset;
	bool more;
};

enum fragment_fate {
	FRAGMENT_HELD,  /* kept, or a copy of one that is kept */
	FRAGMENT_WHOLE, /* the last that was missing */
	FRAGMENT_BROKEN /* of a length or at a place where none can be */
};

struct fragment_counts {
	uint64_t rejoined, overlapping, twice, evicted, expired;
	uint64_t incomplete; /* packets that wait for more fragments at this moment */
	uint64_t sip_lost; /* of the evicted, expired and incomplete, those whose first fragment begins a SIP message */
};

struct fragments *fragments_new(void); /* NULL: out of memory */
void fragments_free(struct fragments *f);

/* In: a fragment. FRAGMENT_WHOLE: *whole is the packet, borrowed until some 200 more are rejoined. */
enum fragment_fate fragments_add(struct fragments *f, const struct fragment *in, nsec_t at, struct bytes *whole);

struct fragment_counts fragments_counts(const struct fragments *f);

#endif
