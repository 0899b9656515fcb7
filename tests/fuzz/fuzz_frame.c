/*
 * frame: the first octet picks a link type, the rest are frames, each behind a length of two octets (big endian; its
 * top bit says that the capture cut it). All of them go through one decap, so that fragments and tunnels meet.
 */
#include <stdlib.h>

#include "otway/decap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever came in, a payload lies within its packet and behind its header. */
static void check(const struct datagram *g)
{
	if (g->packet.len > 65535 + 40 + 256 || g->payload.at < g->packet.at + g->header ||
		g->payload.at + g->payload.len > g->packet.at + g->packet.len ||
		(g->flow.src.family != 4 && g->flow.src.family != 6) || g->flow.src.family != g->flow.dst.family ||
		g->header < 8)
		abort();
	if (g->packet.at[0] >> 4 != g->flow.src.family || be16(g->payload.at - g->header) != g->flow.src.port)
		abort();
	for (size_t i = 0; i < g->payload.len; i++) /* every octet is there to be read */
		(void)((const volatile uint8_t *)g->payload.at)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { 1, 101, 113, 276, 0, 108, 228, 229 };
	struct decap *d = decap_new(NULL);
	struct frame f = { 0 };
	struct datagram g;
	size_t at = 1;

	if (d == NULL || size == 0) {
		decap_free(d);
		return 0;
	}
	f.link = links[data[0] % 8];
	for (; size - at >= 2; at += 2 + f.bytes.len, f.at += NSEC_PER_SEC / 2) {
		size_t len = be16(data + at) & 0x7fff;
		uint8_t *copy;

		len = len < size - at - 2 ? len : size - at - 2;
		copy = malloc(
			len + (len == 0)); /* as long as the frame, so that a sanitizer sees the octet behind it */
		if (copy == NULL)
			break;
		memcpy(copy, data + at + 2, len);
		f.bytes = (struct bytes){ copy, len };
		f.wire_len = (uint32_t)len + (data[at] >> 7) * 1000u;
		if (decap_plain(d, &f, &g))
			check(&g);
		decap_take(d, &f);
		while (decap_next(d, &g))
			check(&g);
		free(copy);
	}
	decap_free(d);
	return 0;
}
