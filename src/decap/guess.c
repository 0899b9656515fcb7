/*
 * guess: tunnels on ports that nobody named. Each must look right down to the header of what is inside: a few random
 * octets must not pass for one.
 */
#include "walk.h"

/* An IP header whose length is that of what is there. */
static bool is_ip(struct bytes in)
{
	struct walk w = { .in = in };

	return in.len >= 20 && ip_looks_right(&w) && (in.at[0] >> 4 == 4 || in.len >= 40);
}

/* An Ethernet frame with IP or ARP in it, tagged or not. */
static bool is_ethernet(struct bytes in)
{
	size_t at = 12;

	while (at + 4 < in.len && at < 24 && (be16(in.at + at) == 0x8100 || be16(in.at + at) == 0x88a8))
		at += 4;
	if (at + 2 > in.len)
		return false;
	if (be16(in.at + at) == 0x0806)
		return in.len >= at + 2 + 28 && be32(in.at + at + 2) == 0x00010800;
	return (be16(in.at + at) == 0x0800 || be16(in.at + at) == 0x86dd) && is_ip(bytes_part(in, at + 2, SIZE_MAX));
}

/* RFC 7348 5: the network identifier is valid, all that is reserved is 0. */
static bool is_vxlan(struct bytes p)
{
	return p.len > 8 && be32(p.at) == 0x08000000 && p.at[7] == 0 && is_ethernet(bytes_part(p, 8, SIZE_MAX));
}

/* RFC 8926 3.4: version 0; the reserved bits and octet are 0. */
static bool is_geneve(struct bytes p)
{
	size_t header = p.len > 8 ? 8 + (p.at[0] & 63) * 4u : 0;

	if (p.len <= 8 || p.at[0] >> 6 != 0 || (p.at[1] & 63) != 0 || p.at[7] != 0 || header >= p.len)
		return false;
	switch (be16(p.at + 2)) {
	case 0x6558:
		return is_ethernet(bytes_part(p, header, SIZE_MAX));
	case 0x0800:
	case 0x86dd:
		return is_ip(bytes_part(p, header, SIZE_MAX));
	default:
		return false;
	}
}

/* TS 29.281 5.1: a G-PDU that fills the datagram. */
static bool is_gtpu(struct bytes p)
{
	size_t header;

	if (p.len <= 12 || (p.at[0] & 0xf8) != 0x30 || p.at[1] != 255 || be16(p.at + 2) != p.len - 8)
		return false;
	header = (p.at[0] & 7) != 0 ? 12 : 8;
	for (uint8_t next = (p.at[0] & 4) != 0 ? p.at[11] : 0; next != 0; next = p.at[header - 1]) {
		size_t len = header < p.len ? p.at[header] * 4u : 0;

		header += len;
		if (len == 0 || header >= p.len)
			return false;
	}
	return is_ip(bytes_part(p, header, SIZE_MAX));
}

static bool is_hep(struct bytes p)
{
	return p.len > 12 && memcmp(p.at, "HEP3", 4) == 0 && be16(p.at + 4) == p.len;
}

/* Version 1, of Ethernet, and no more tags than there are. */
static bool is_tzsp(struct bytes p)
{
	size_t at = 4;

	if (p.len < 20 || p.at[0] != 1 || p.at[1] > 1 || be16(p.at + 2) != 1)
		return false;
	while (at + 1 < p.len && p.at[at] != 1)
		at += p.at[at] == 0 ? 1 : 2u + p.at[at + 1];
	return at + 1 < p.len && is_ethernet(bytes_part(p, at + 1, SIZE_MAX));
}

enum decap_tunnel decap_guess(struct bytes payload)
{
	return is_vxlan(payload)    ? DECAP_VXLAN
	       : is_gtpu(payload)   ? DECAP_GTPU
	       : is_hep(payload)    ? DECAP_HEP
	       : is_tzsp(payload)   ? DECAP_TZSP
	       : is_geneve(payload) ? DECAP_GENEVE
				    : DECAP_TUNNELS;
}
