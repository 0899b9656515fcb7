/* checksum: sums of 16-bit words, folded. */
#include "checksum.h"

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
