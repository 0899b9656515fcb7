/* checksum: sums of 16-bit words, folded. */
#include "otway/model/checksum.h"

uint32_t checksum_add(uint32_t sum, struct bytes in)
{
	uint64_t wide = sum;
	size_t i = 0;

	for (; i + 2 <= in.len; i += 2)
		wide += be16(in.at + i);
	if (i < in.len)
		wide += (uint64_t)in.at[i] << 8;
	while (wide > UINT32_MAX)
		wide = (wide & UINT32_MAX) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t checksum_value(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol, size_t len)
{
	size_t octets = src->family == 6 ? 16 : 4;
	uint32_t sum = checksum_add(0, (struct bytes){ src->ip, octets });

	sum = checksum_add(sum, (struct bytes){ dst->ip, octets });
	return sum + protocol + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
}

/* Its polynomial reflected, four bits a step. */
uint32_t checksum_crc32c(struct bytes packet)
{
	static const uint32_t step[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab,
		0xe330a81a, 0xf36e6f75 };
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < packet.len; i++) {
		crc ^= packet.at[i];
		crc = crc >> 4 ^ step[crc & 15];
		crc = crc >> 4 ^ step[crc & 15];
	}
	return ~crc;
}
