/* owner: which of several fronts a flow or a fragment belongs to. Every front must find the same one: no key is drawn for the hash. */
#include "walk.h"

#define EXT_HOP_BY_HOP  0
#define EXT_ROUTING     43
#define EXT_FRAGMENT    44
#define EXT_AUTH        51
#define EXT_DESTINATION 60

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

static uint64_t hash_of(const struct addr *a, uint16_t port)
{
	return mix(mix(be64(a->ip) + a->family) + be64(a->ip + 8) + ((uint64_t)port << 8));
}

/* RFC 8200 4.5: the identification stands in the fragment header, wherever that is; 0: there is none. */
static uint32_t id_v6(struct bytes packet)
{
	uint8_t next = packet.at[6];
	size_t at = 40;

	while (at + 8 <= packet.len) {
		const uint8_t *p = packet.at + at;

		if (next == EXT_FRAGMENT)
			return be32(p + 4);
		if (next != EXT_HOP_BY_HOP && next != EXT_ROUTING && next != EXT_DESTINATION && next != EXT_AUTH)
			return 0;
		at += next == EXT_AUTH ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
		next = p[0];
	}
	return 0;
}

static uint32_t fragment_id(struct bytes packet)
{
	if (packet.len >= 20 && packet.at[0] >> 4 == 4)
		return be16(packet.at + 4);
	return packet.len >= 40 ? id_v6(packet) : 0;
}

uint32_t decap_owner(const struct datagram *d, uint32_t fronts)
{
	bool fragment = d->payload.at == NULL;
	const struct addr *src = &d->flow.src, *dst = &d->flow.dst;
	/* RTP and its RTCP, on the port above (RFC 3550 11), belong together: what opens the one tells of the other. */
	uint64_t both = hash_of(src, fragment ? 0 : src->port & ~1u) + hash_of(dst, fragment ? 0 : dst->port & ~1u);

	if (fronts < 2)
		return 0;
	return (uint32_t)((mix(both + (fragment ? fragment_id(d->packet) : 0)) >> 32) * fronts >> 32);
}

bool owner_is_another(struct decap *d, const struct walk *w, uint8_t protocol)
{
	struct datagram fragment = {
		.at = w->at,
		.source = w->source,
		.proto = protocol,
		.flow = { w->src, w->dst },
		.packet = w->packet,
		.wrapped = w->wrapped,
	};

	if (d->options.fronts < 2 || w->forwarded)
		return false;
	fragment.flow.src.port = (uint16_t)(w->scope >> 16);
	fragment.flow.dst.port = (uint16_t)w->scope;
	if (decap_owner(&fragment, d->options.fronts) == d->options.own)
		return false;
	d->out = fragment;
	d->ready = true;
	return true;
}
