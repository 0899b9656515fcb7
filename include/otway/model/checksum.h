/*
 * checksum: the Internet checksum (RFC 1071) with its pseudo headers (RFC 768, RFC 8200 8.1), and that of SCTP.
 */
#ifndef OTWAY_MODEL_CHECKSUM_H
#define OTWAY_MODEL_CHECKSUM_H

#include "otway/model/packet.h"

/* Adds octets to a running sum; only the last addend may be of odd length. */
uint32_t checksum_add(uint32_t sum, struct bytes in);

/* The checksum field's value for a sum; 0 when the sum covers a right checksum. */
uint16_t checksum_value(uint32_t sum);

/* The sum of the pseudo header of a transport segment of `len` octets. */
uint32_t checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol, size_t len);

/* CRC32c of a whole SCTP packet whose checksum field is zero (RFC 9260 appendix A); it is sent with the lowest octet first. */
uint32_t checksum_crc32c(struct bytes packet);

#endif
