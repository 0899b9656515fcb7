/* esp_evidence: does this packet look like ESP without encryption? The tests of RFC 5879 section 8, by weight. */
#include "otway/model/checksum.h"
#include "esp.h"

#define ESP_HEADER 8 /* SPI and sequence number */

bool esp_trailer(struct bytes data, unsigned icv, struct bytes *inner, uint8_t *next)
{
	size_t body, pad;

	if (data.len < ESP_HEADER + icv + 2 || (data.len - icv) % 4 != 0)
		return false;
	body = data.len - ESP_HEADER - icv - 2;
	pad = data.at[data.len - icv - 2];
	if (pad > body)
		return false;
	for (size_t i = 0; i < pad; i++) /* RFC 4303 2.4: 1, 2, 3 … */
		if (data.at[ESP_HEADER + body - pad + i] != i + 1)
			return false;
	*inner = bytes_part(data, ESP_HEADER, body - pad);
	*next = data.at[data.len - icv - 1];
	return true;
}

static bool checksum_right(const struct esp_packet *in, uint8_t protocol, struct bytes segment)
{
	return checksum_value(checksum_add(checksum_pseudo(&in->src, &in->dst, protocol, segment.len), segment)) == 0;
}

/* A wrong checksum says nothing against it: addresses may have been translated on the way. */
static unsigned of_udp(const struct esp_packet *in, struct bytes s)
{
	if (s.len < 8 || be16(s.at + 4) != s.len)
		return 0;
	if (be16(s.at + 6) == 0)
		return 2;
	return checksum_right(in, IP_PROTO_UDP, s) ? ESP_SURE : 1;
}

static unsigned of_tcp(const struct esp_packet *in, struct bytes s)
{
	if (s.len < 20 || s.at[12] >> 4 < 5 || (s.at[12] >> 4) * 4u > s.len)
		return 0;
	return checksum_right(in, IP_PROTO_TCP, s) ? 3 : 0;
}

static unsigned of_ipv4(struct bytes s)
{
	size_t header;

	if (s.len < 20 || s.at[0] >> 4 != 4 || (s.at[0] & 15) < 5 || be16(s.at + 2) != s.len)
		return 0;
	header = (s.at[0] & 15) * 4u;
	if (header > s.len)
		return 0;
	return checksum_value(checksum_add(0, bytes_part(s, 0, header))) == 0 ? ESP_SURE : 1;
}

static unsigned of_icmp(struct bytes s)
{
	return s.len >= 8 && checksum_value(checksum_add(0, s)) == 0 ? 3 : 0;
}

unsigned esp_evidence(const struct esp_packet *in, unsigned icv)
{
	struct bytes s;
	uint8_t next;

	if (!esp_trailer(in->data, icv, &s, &next))
		return 0;
	switch (next) {
	case IP_PROTO_UDP:
		return of_udp(in, s);
	case IP_PROTO_TCP:
		return of_tcp(in, s);
	case IP_PROTO_SCTP:
		return s.len >= 16 && s.len % 4 == 0 ? 1 : 0;
	case 1:
		return of_icmp(s);
	case 58:
		return s.len >= 8 && checksum_right(in, 58, s) ? 3 : 0;
	case 4:
		return of_ipv4(s);
	case 41:
		return s.len >= 40 && s.at[0] >> 4 == 6 && be16(s.at + 4) + 40u == s.len ? 3 : 0;
	default:
		return 0;
	}
}
