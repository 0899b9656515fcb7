/*
 * packet: what moves down the first stages: a frame as captured, a datagram as decapsulated.
 */
#ifndef OTWAY_MODEL_PACKET_H
#define OTWAY_MODEL_PACKET_H

#include "otway/base/bytes.h"
#include "otway/base/nsec.h"

enum ip_proto { IP_PROTO_TCP = 6, IP_PROTO_UDP = 17, IP_PROTO_SCTP = 132 };

/* A transport address. Unused octets are zero, so that memory may be compared and hashed. */
struct addr {
	uint8_t family; /* 4, 6, or 0: none */
	uint8_t zero;
	uint16_t port; /* host order */
	uint8_t ip[16]; /* the first 4 octets for IPv4 */
};

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The same host, whatever the port. */
static inline bool addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

#define ADDR_TEXT 56 /* "[v6 address]:port" and its NUL */

/* "192.0.2.1:5060" or "[2001:db8::1]:5060". Returns out. */
char *addr_text(const struct addr *a, char out[ADDR_TEXT]);

/* Reads what addr_text writes, and a bare address (port 0). False: neither. */
bool addr_parse(struct bytes text, struct addr *out);

struct flow {
	struct addr src, dst;
};

/* One record of a capture. */
struct frame {
	nsec_t at;
	int link;            /* LINKTYPE_ value (pcap-linktype(7)), not DLT_ */
	uint32_t source;     /* which file or interface it came from, from 0 */
	uint32_t wire_len;   /* octets on the wire; more than bytes.len: cut by the snapshot length */
	struct bytes bytes;  /* borrowed */
};

/* One transport payload, tunnels taken off and fragments rejoined. */
struct datagram {
	nsec_t at;            /* of the last frame it needed */
	uint32_t source;
	uint8_t proto;        /* enum ip_proto */
	bool truncated;       /* the capture cut it: payload is what there is */
	struct flow flow;
	struct bytes packet;  /* the innermost IP packet, headers and all; payload lies within it */
	struct bytes payload; /* behind the UDP (TCP, SCTP) header; borrowed, as packet is; its `at` is set even when empty */
	uint8_t header;       /* octets of that header, which ends where payload begins; 0: there is none */
	bool framed;          /* one whole message out of a TCP or SCTP stream, packet made around it: not to be framed again */
	bool wrapped;         /* it came out of a tunnel or fragments: others of its flow may have come in elsewhere */
};

#endif
