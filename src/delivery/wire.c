/* wire: finding the transport header behind IP, and the internet checksum. */
#include "wire.h"

#include "otway/model/checksum.h"

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, SCTP_HEADER = 12 };

/* What an IP packet's own headers say. */
struct layout {
	uint8_t version, proto;
	size_t transport; /* where the UDP or TCP header begins */
	size_t end;       /* where the packet ends by its header; may lie behind what was captured */
};

static bool layout_v4(struct bytes p, struct layout *out)
{
	if (p.len < IPV4_HEADER)
		return false;
	out->version = 4;
	out->proto = p.at[9];
	out->transport = (size_t)(p.at[0] & 15) * 4;
	out->end = be16(p.at + 2) != 0 ? be16(p.at + 2) : p.len; /* 0: segmented by the card, after the capture */
	return out->transport >= IPV4_HEADER && out->transport <= p.len && out->transport <= out->end;
}

/* Octets of an extension header (RFC 8200 4, RFC 4302 2.2), or 0: it is none. */
static size_t extension(struct bytes p, uint8_t kind, size_t at)
{
	if (at + 8 > p.len)
		return 0;
	switch (kind) {
	case 0:  /* hop-by-hop options */
	case 43: /* routing */
	case 60: /* destination options */
		return ((size_t)p.at[at + 1] + 1) * 8;
	case 44: /* fragment: only of one that was rejoined, or was whole */
		return 8;
	case 51: /* authentication */
		return ((size_t)p.at[at + 1] + 2) * 4;
	default:
		return 0;
	}
}

static bool layout_v6(struct bytes p, struct layout *out)
{
	size_t len;

	if (p.len < IPV6_HEADER)
		return false;
	*out = (struct layout){ .version = 6, .proto = p.at[6], .transport = IPV6_HEADER };
	out->end = IPV6_HEADER + (size_t)be16(p.at + 4);
	while ((len = extension(p, out->proto, out->transport)) > 0) {
		out->proto = p.at[out->transport];
		out->transport += len;
	}
	return out->transport <= p.len && out->transport <= out->end;
}

static bool layout_of(struct bytes p, struct layout *out)
{
	if (p.len == 0)
		return false;
	return p.at[0] >> 4 == 4 ? layout_v4(p, out) : p.at[0] >> 4 == 6 ? layout_v6(p, out) : false;
}

uint32_t wire_length(struct bytes packet)
{
	struct layout l;

	return layout_of(packet, &l) && l.end > packet.len ? (uint32_t)l.end : (uint32_t)packet.len;
}

/* The sum of the addresses of a packet, as they stand one behind the other. */
static uint32_t addresses(const uint8_t *p, const struct layout *l)
{
	return checksum_add(0, l->version == 4 ? (struct bytes){ p + 12, 8 } : (struct bytes){ p + 8, 32 });
}

/* Of the pseudo header and the transport's `len` octets (RFC 768, RFC 9293 3.1, RFC 8200 8.1), its checksum field
 * being zero. */
static uint16_t transport_checksum(const uint8_t *p, const struct layout *l, size_t len)
{
	uint32_t total = addresses(p, l) + l->proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
	uint16_t check = checksum_value(checksum_add(total, (struct bytes){ p + l->transport, len }));

	return check == 0 && l->proto == IP_PROTO_UDP ? 0xffff : check;
}

bool wire_carry(struct bytes packet, size_t payload_at, struct bytes payload, struct buf *out)
{
	struct layout l;
	size_t total = payload_at + payload.len;

	buf_reset(out);
	if (!layout_of(packet, &l) || l.proto != IP_PROTO_UDP || l.transport + UDP_HEADER != payload_at ||
		payload_at > packet.len || total - (l.version == 6 ? IPV6_HEADER : 0) > 65535)
		return false;
	if (!buf_add(out, packet.at, payload_at) || !buf_add(out, payload.at, payload.len))
		return false;
	if (l.version == 4) {
		put_be16(out->at + 2, (uint16_t)total);
		put_be16(out->at + 10, 0);
		put_be16(out->at + 10, checksum_value(checksum_add(0, (struct bytes){ out->at, l.transport })));
	} else {
		put_be16(out->at + 4, (uint16_t)(total - IPV6_HEADER));
	}
	put_be16(out->at + l.transport + 4, (uint16_t)(UDP_HEADER + payload.len));
	put_be16(out->at + l.transport + 6, 0);
	put_be16(out->at + l.transport + 6, transport_checksum(out->at, &l, UDP_HEADER + payload.len));
	return true;
}

/* RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m'), over every octet behind the IP header. */
static uint16_t difference(uint16_t check, const uint8_t *now, const uint8_t *was, const struct layout *l, size_t len)
{
	uint32_t total = (uint16_t)~check;

	for (size_t i = l->transport; i < len; i++) {
		unsigned int shift = (i - l->transport) % 2 == 0 ? 8 : 0;

		total += (uint16_t) ~(unsigned int)(was[i] << shift);
		total += (uint16_t)(now[i] << shift);
		total = (total & 0xffff) + (total >> 16);
	}
	return checksum_value(total);
}

/* RFC 9260 6.8; one that the capture cut cannot be redone, and keeps what it had. */
static void sctp_checksum(uint8_t *p, size_t len)
{
	uint32_t crc;

	memset(p + 8, 0, 4);
	crc = checksum_crc32c((struct bytes){ p, len });
	for (int i = 0; i < 4; i++)
		p[8 + i] = (uint8_t)(crc >> (8 * i));
}

void wire_checksum(uint8_t *packet, const uint8_t *was, size_t len)
{
	struct layout l;
	size_t field;
	uint16_t check;

	if (!layout_of((struct bytes){ packet, len }, &l))
		return;
	if (l.proto == IP_PROTO_SCTP && l.transport + SCTP_HEADER <= l.end && l.end <= len) {
		sctp_checksum(packet + l.transport, l.end - l.transport);
		return;
	}
	if (l.proto == IP_PROTO_UDP && l.transport + UDP_HEADER <= len)
		field = l.transport + 6;
	else if (l.proto == IP_PROTO_TCP && l.transport + TCP_HEADER <= len)
		field = l.transport + 16;
	else
		return;
	check = be16(packet + field);
	if (l.proto == IP_PROTO_UDP && check == 0)
		return;
	if (l.end > len) {
		put_be16(packet + field, difference(check, packet, was, &l, len));
		return;
	}
	put_be16(packet + field, 0);
	put_be16(packet + field, transport_checksum(packet, &l, l.end - l.transport));
}
