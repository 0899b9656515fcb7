/* hep: what comes in a UDP datagram to the port of HEP: between its own hosts, or wherever its chunks say. */
#include <stdlib.h>

#include "otway/decap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAW_IPV4  228
#define HEADERS   28
#define PROBE     50000
#define COLLECTOR 9060

/* Either the datagram as it came, or a packet made up of octets that came. */
static void check(const struct datagram *g, size_t size)
{
	size_t header = g->flow.src.family == 4 ? 20 : 40;

	if (g->flow.src.family != g->flow.dst.family || g->proto != IP_PROTO_UDP || g->header != 8)
		abort();
	if (g->packet.len != header + 8 + g->payload.len || g->payload.at != g->packet.at + header + 8)
		abort();
	if (be16(g->payload.at - 4) != 8 + g->payload.len || g->payload.len > (size > 64000 ? size : 64000))
		abort();
	for (size_t i = 0; i < g->payload.len; i++) /* every octet is there to be read */
		(void)((const volatile uint8_t *)g->payload.at)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t header[HEADERS] = { 0x45, [8] = 64, IP_PROTO_UDP, [12] = 192, 0, 2, 1, 192, 0, 2, 2 };
	struct decap *d = decap_new(NULL);
	uint8_t *p = size <= UINT16_MAX - HEADERS ? malloc(HEADERS + size) : NULL;
	struct frame f = { .link = RAW_IPV4, .wire_len = (uint32_t)(HEADERS + size), .bytes = { p, HEADERS + size } };
	struct datagram g;

	if (d != NULL && p != NULL) {
		memcpy(p, header, HEADERS);
		put_be16(p + 2, (uint16_t)(HEADERS + size));
		put_be16(p + 20, PROBE);
		put_be16(p + 22, COLLECTOR);
		put_be16(p + 24, (uint16_t)(8 + size));
		if (size > 0)
			memcpy(p + HEADERS, data, size);
		decap_take(d, &f);
		while (decap_next(d, &g))
			check(&g, size);
	}
	free(p);
	decap_free(d);
	return 0;
}
