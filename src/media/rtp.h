/*
 * rtp: headers of RTP and RTCP (RFC 3550), which of them a datagram is (RFC 5761, RFC 7983), and the place of a packet
 * in the sequence of its stream (RFC 3711 3.3.1).
 */
#ifndef OTWAY_MEDIA_RTP_H
#define OTWAY_MEDIA_RTP_H

#include "otway/base/bytes.h"

struct rtp {
	uint8_t pt;
	bool marker, padding;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	size_t header;        /* octets before the payload: fixed header, CSRCs and extension */
	struct bytes payload; /* behind the header, padding and trailer and all */
};

/* False: not a whole RTP header of version 2. */
bool rtp_parse(struct bytes packet, struct rtp *out);

/* The codec's octets of a clear RTP packet: no header, no padding. A padding that cannot be is left where it is. */
struct bytes rtp_media(struct bytes clear);

/* What the first two octets say; the rest is not looked at. */
bool rtp_looks(struct bytes packet);  /* version 2 and not RTCP */
bool rtcp_looks(struct bytes packet); /* version 2, packet type 192 to 223, and an SSRC */

static inline uint32_t rtcp_ssrc(struct bytes packet)
{
	return be32(packet.at + 4);
}

/* A whole compound RTCP packet in clear: each header fits, the lengths add up to the datagram (RFC 3550 A.2). The
 * trailer of SRTCP breaks the sum. */
bool rtcp_clear(struct bytes packet);

/* The index nearest to `highest` that has this sequence number; before the first roll-over it may be negative. */
static inline int64_t rtp_index(int64_t highest, uint16_t seq)
{
	return highest + (int16_t)(uint16_t)(seq - (uint16_t)highest);
}

#endif
