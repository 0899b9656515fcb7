/* rtp: headers of RTP and RTCP. */
#include "rtp.h"

#define FIXED 12 /* octets of the header without CSRCs (RFC 3550 5.1) */

static bool version_two(struct bytes packet)
{
	return packet.len >= 2 && packet.at[0] >> 6 == 2;
}

static bool rtcp_type(uint8_t octet)
{
	return octet >= 192 && octet <= 223;
}

/* SR to IDMS, as registered with IANA: ciphertext that hits a header by chance seldom hits these. */
static bool rtcp_known(uint8_t octet)
{
	return octet >= 200 && octet <= 213;
}

bool rtp_looks(struct bytes packet)
{
	return packet.len >= FIXED && version_two(packet) && !rtcp_type(packet.at[1]);
}

bool rtcp_looks(struct bytes packet)
{
	return packet.len >= 8 && version_two(packet) && rtcp_type(packet.at[1]);
}

bool rtp_parse(struct bytes packet, struct rtp *out)
{
	size_t header;

	if (packet.len < FIXED || !version_two(packet))
		return false;
	header = FIXED + 4u * (packet.at[0] & 0x0f);
	if (packet.at[0] & 0x10) {
		if (packet.len < header + 4)
			return false;
		header += 4 + 4u * be16(packet.at + header + 2);
	}
	if (packet.len < header)
		return false;
	*out = (struct rtp){
		.pt = packet.at[1] & 0x7f,
		.marker = packet.at[1] >> 7,
		.padding = (packet.at[0] & 0x20) != 0,
		.seq = be16(packet.at + 2),
		.timestamp = be32(packet.at + 4),
		.ssrc = be32(packet.at + 8),
		.header = header,
		.payload = bytes_part(packet, header, packet.len),
	};
	return true;
}

struct bytes rtp_media(struct bytes clear)
{
	struct rtp rtp;
	size_t padding;

	if (!rtp_parse(clear, &rtp))
		return (struct bytes){ NULL, 0 };
	padding = rtp.padding && rtp.payload.len > 0 ? rtp.payload.at[rtp.payload.len - 1] : 0;
	if (padding > rtp.payload.len)
		padding = 0;
	return bytes_part(rtp.payload, 0, rtp.payload.len - padding);
}

bool rtcp_clear(struct bytes packet)
{
	if (!rtcp_looks(packet))
		return false;
	do {
		size_t len = 4u + 4u * be16(packet.at + 2);

		if (!version_two(packet) || !rtcp_known(packet.at[1]) || len > packet.len)
			return false;
		packet = bytes_part(packet, len, packet.len);
	} while (packet.len >= 4);
	return packet.len == 0;
}
