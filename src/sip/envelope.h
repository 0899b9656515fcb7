/*
 * envelope: the headers of TCP and SCTP, read from a segment and made around a message, so that what lies in the
 * evidence is a packet with the addresses, ports and place in the sequence that the message had.
 */
#ifndef OTWAY_SIP_ENVELOPE_H
#define OTWAY_SIP_ENVELOPE_H

#include "otway/model/packet.h"

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct tcp_head {
	uint32_t seq, ack;
	uint8_t flags;
	uint32_t lost; /* octets of payload that the capture cut off */
};

/* False: the header is not there. */
bool tcp_read(const struct datagram *d, struct tcp_head *out);

/* The verification tag of an SCTP packet. False: the header is not there. */
bool envelope_tag(const struct datagram *d, uint32_t *tag);

struct envelope {
	struct flow flow;
	uint8_t proto;
	uint32_t seq;     /* of the first octet, or of the chunk */
	uint32_t ack;     /* TCP */
	uint32_t tag;     /* SCTP */
	uint8_t label[8]; /* SCTP: stream, its sequence number, payload protocol */
};

/* Octets between the IP header and the payload. */
uint8_t envelope_header(const struct envelope *e);

/* Begins a packet in `out` (emptied first): returns where its `len` octets of payload go; NULL: out of memory, or no IP. */
uint8_t *envelope_open(struct buf *out, const struct envelope *e, size_t len);

/* They are there: pads, sums up. *payload and the returned packet lie in `out`. */
struct bytes envelope_seal(struct buf *out, const struct envelope *e, size_t len, struct bytes *payload);

#endif
