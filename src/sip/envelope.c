/* envelope: a plain IP header without options, TCP or SCTP behind it, every length and checksum right. */
#include "envelope.h"

#include "otway/model/checksum.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER  20
#define SCTP_HEADER 12
#define DATA_HEADER 16
#define TTL         64

/* The transport header, which ends where the payload begins; NULL: not that much of it is there. */
static const uint8_t *transport(const struct datagram *d, size_t least)
{
	size_t before = d->payload.at != NULL && d->packet.at != NULL ? (size_t)(d->payload.at - d->packet.at) : 0;

	return d->header >= least && before >= d->header ? d->payload.at - d->header : NULL;
}

/* Octets of the IP packet on the wire, as its header says. */
static size_t ip_length(struct bytes packet)
{
	if (packet.len >= IPV4_HEADER && packet.at[0] >> 4 == 4)
		return be16(packet.at + 2);
	if (packet.len >= IPV6_HEADER && packet.at[0] >> 4 == 6)
		return IPV6_HEADER + be16(packet.at + 4);
	return 0;
}

bool tcp_read(const struct datagram *d, struct tcp_head *out)
{
	const uint8_t *p = transport(d, TCP_HEADER);
	size_t there, wire;

	if (p == NULL)
		return false;
	*out = (struct tcp_head){ .seq = be32(p + 4), .ack = be32(p + 8), .flags = p[13] };
	there = (size_t)(d->payload.at - d->packet.at) + d->payload.len;
	wire = d->truncated ? ip_length(d->packet) : 0;
	if (wire > there)
		out->lost = (uint32_t)(wire - there);
	return true;
}

bool envelope_tag(const struct datagram *d, uint32_t *tag)
{
	const uint8_t *p = transport(d, SCTP_HEADER);

	if (p != NULL)
		*tag = be32(p + 4);
	return p != NULL;
}

static size_t ip_header(const struct envelope *e)
{
	return e->flow.src.family == 4 ? IPV4_HEADER : IPV6_HEADER;
}

uint8_t envelope_header(const struct envelope *e)
{
	return e->proto == IP_PROTO_TCP ? TCP_HEADER : SCTP_HEADER + DATA_HEADER;
}

uint8_t *envelope_open(struct buf *out, const struct envelope *e, size_t len)
{
	size_t headers = ip_header(e) + envelope_header(e);

	buf_reset(out);
	if (e->flow.src.family != 4 && e->flow.src.family != 6)
		return NULL;
	if (buf_room(out, headers + len + 3) == NULL)
		return NULL;
	memset(out->at, 0, headers);
	return out->at + headers;
}

static void put_ip(uint8_t *p, const struct envelope *e, size_t transport_len)
{
	bool v4 = e->flow.src.family == 4;
	size_t size = v4 ? 4 : 16, at = v4 ? 12 : 8;

	memcpy(p + at, e->flow.src.ip, size);
	memcpy(p + at + size, e->flow.dst.ip, size);
	if (v4) {
		p[0] = 0x45;
		put_be16(p + 2, (uint16_t)(IPV4_HEADER + transport_len));
		p[6] = 0x40; /* do not fragment; so the identification may be 0 (RFC 6864 4.1) */
		p[8] = TTL;
		p[9] = e->proto;
		put_be16(p + 10, checksum_value(checksum_add(0, (struct bytes){ p, IPV4_HEADER })));
	} else {
		p[0] = 0x60;
		put_be16(p + 4, (uint16_t)transport_len);
		p[6] = e->proto;
		p[7] = TTL;
	}
}

static void put_tcp(uint8_t *p, const struct envelope *e, size_t len)
{
	uint32_t sum = checksum_pseudo(&e->flow.src, &e->flow.dst, IP_PROTO_TCP, TCP_HEADER + len);

	put_be32(p + 4, e->seq);
	put_be32(p + 8, e->ack);
	p[12] = TCP_HEADER / 4 << 4;
	p[13] = TCP_PSH | TCP_ACK;
	put_be16(p + 14, UINT16_MAX);
	put_be16(p + 16, checksum_value(checksum_add(sum, (struct bytes){ p, TCP_HEADER + len })));
}

/* One DATA chunk with the whole message. Its length leaves the padding out, the packet's does not. */
static void put_sctp(uint8_t *p, const struct envelope *e, size_t len, size_t padded)
{
	uint8_t *chunk = p + SCTP_HEADER;
	uint32_t crc;

	put_be32(p + 4, e->tag);
	chunk[1] = 3; /* begins and ends */
	put_be16(chunk + 2, (uint16_t)(DATA_HEADER + len));
	put_be32(chunk + 4, e->seq);
	memcpy(chunk + 8, e->label, sizeof(e->label));
	memset(chunk + DATA_HEADER + len, 0, padded - len);
	crc = checksum_crc32c((struct bytes){ p, SCTP_HEADER + DATA_HEADER + padded });
	for (int i = 0; i < 4; i++)
		p[8 + i] = (uint8_t)(crc >> (8 * i));
}

struct bytes envelope_seal(struct buf *out, const struct envelope *e, size_t len, struct bytes *payload)
{
	size_t ip = ip_header(e), header = envelope_header(e);
	size_t padded = e->proto == IP_PROTO_TCP ? len : (len + 3) & ~(size_t)3;
	uint8_t *p = out->at + ip;

	put_be16(p, e->flow.src.port);
	put_be16(p + 2, e->flow.dst.port);
	if (e->proto == IP_PROTO_TCP)
		put_tcp(p, e, len);
	else
		put_sctp(p, e, len, padded);
	put_ip(out->at, e, header + padded);
	out->len = ip + header + padded;
	*payload = bytes_part(buf_bytes(out), ip + header, len);
	return buf_bytes(out);
}
