/* ip: IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers, and what follows them. */
#include "walk.h"

#define EXT_HOP_BY_HOP  0
#define EXT_ROUTING     43
#define EXT_FRAGMENT    44
#define EXT_AUTH        51 /* RFC 4302, in IPv4 too */
#define EXT_DESTINATION 60
#define EXT_MOBILITY    135
#define EXT_HIP         139
#define EXT_SHIM6       140

static enum layer tunnel_or(struct decap *d, struct walk *w, enum decap_tunnel t, enum layer next)
{
	return walk_enter(d, w, t) ? next : END_WRAPPED;
}

enum layer ip_protocol(struct decap *d, struct walk *w, uint8_t protocol)
{
	bool six = w->src.family == 6;

	walk_name(w, DECAP_LEFT_PROTOCOL, protocol);
	switch (protocol) {
	case IP_PROTO_UDP:
		return LAYER_UDP;
	case IP_PROTO_TCP:
		return LAYER_TCP;
	case IP_PROTO_SCTP:
		return LAYER_SCTP;
	case 4:
		return tunnel_or(d, w, DECAP_IPIP, LAYER_IPV4);
	case 41:
		return tunnel_or(d, w, DECAP_IPIP, LAYER_IPV6);
	case 47:
		return LAYER_GRE;
	case 50:
		return LAYER_ESP;
	case 97:
		return tunnel_or(d, w, DECAP_IPIP, LAYER_ETHERIP);
	case 137:
		return LAYER_MPLS; /* RFC 4023 */
	case EXT_HOP_BY_HOP:
	case EXT_ROUTING:
	case EXT_FRAGMENT:
	case EXT_DESTINATION:
	case EXT_MOBILITY:
	case EXT_HIP:
	case EXT_SHIM6:
		w->next = protocol;
		return six ? LAYER_EXTENSION : END_NOT_TRANSPORT;
	case EXT_AUTH:
		w->next = protocol;
		return LAYER_EXTENSION;
	default:
		return END_NOT_TRANSPORT;
	}
}

bool ip_looks_right(const struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t whole = w->in.len + w->missing, header;

	if (w->in.len < 6)
		return false;
	if (p[0] >> 4 == 6)
		return be16(p + 4) + (size_t)40 <= whole;
	header = (p[0] & 15) * 4u;
	return p[0] >> 4 == 4 && header >= 20 && be16(p + 2) <= whole && (be16(p + 2) >= header || be16(p + 2) == 0);
}

enum layer ip_any(struct decap *d, struct walk *w)
{
	(void)d;
	if (w->in.len == 0)
		return walk_short(w);
	return w->in.at[0] >> 4 == 4 ? LAYER_IPV4 : w->in.at[0] >> 4 == 6 ? LAYER_IPV6 : END_BROKEN;
}

static void address(struct addr *a, uint8_t family, const uint8_t *ip)
{
	*a = (struct addr){ .family = family };
	memcpy(a->ip, ip, family == 6 ? 16 : 4);
}

static enum layer take_fragment(struct decap *d, struct walk *w, struct fragment *f)
{
	struct bytes whole;

	if (w->missing == 0 && owner_is_another(d, w, f->protocol))
		return END_OTHERS;
	d->count[COUNT_FRAGMENTS]++;
	w->wrapped = true;
	if (w->missing > 0 && f->offset == 0) {
		w->missing = 65535; /* what the capture left of the first one is all there will be */
		return ip_protocol(d, w, f->protocol);
	}
	if (w->missing > 0)
		return END_CUT;
	f->data = w->in;
	switch (fragments_add(d->fragments, f, w->at, &whole)) {
	case FRAGMENT_WHOLE:
		w->in = whole;
		w->forwarded = false;
		return whole.at[0] >> 4 == 4 ? LAYER_IPV4 : LAYER_IPV6;
	case FRAGMENT_BROKEN:
		return END_BROKEN;
	default:
		return END_HELD;
	}
}

static enum layer fragment_v4(struct decap *d, struct walk *w, const uint8_t *p, size_t header)
{
	struct fragment f = {
		.key = { .src = w->src, .dst = w->dst, .scope = w->scope, .id = be16(p + 4), .protocol = p[9] },
		.header = { p, header },
		.protocol = p[9],
		.offset = (be16(p + 6) & 0x1fffu) * 8u,
		.more = (p[6] & 0x20) != 0,
	};

	return take_fragment(d, w, &f);
}

enum layer ip_v4(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t header, total;

	if (w->in.len < 20)
		return walk_short(w);
	header = (p[0] & 15) * 4u;
	total = be16(p + 2);
	if (p[0] >> 4 != 4 || header < 20 || (total < header && total != 0))
		return END_BROKEN;
	if (total != 0) /* 0: the network card cuts it into segments later, and the capture was made before */
		walk_clip(w, total);
	w->packet = w->in;
	w->next_at = 9;
	address(&w->src, 4, p + 12);
	address(&w->dst, 4, p + 16);
	if (!walk_strip(w, header))
		return walk_short(w);
	return (be16(p + 6) & 0x3fff) != 0 ? fragment_v4(d, w, p, header) : ip_protocol(d, w, p[9]);
}

enum layer ip_v6(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t length;

	if (w->in.len < 40)
		return walk_short(w);
	length = be16(p + 4);
	if (p[0] >> 4 != 6 || (length == 0 && p[6] == EXT_HOP_BY_HOP)) /* a jumbogram (RFC 2675) is not supported */
		return END_BROKEN;
	if (length != 0) /* 0: as in IPv4 */
		walk_clip(w, length + 40);
	w->packet = w->in;
	w->next_at = 6;
	address(&w->src, 6, p + 8);
	address(&w->dst, 6, p + 24);
	walk_strip(w, 40);
	return ip_protocol(d, w, p[6]);
}

static enum layer fragment_v6(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	struct fragment f = {
		.key = { .src = w->src, .dst = w->dst, .scope = w->scope },
		.header = { w->packet.at, (size_t)(p - w->packet.at) },
		.next_at = w->next_at,
	};

	if (!walk_strip(w, 8))
		return walk_short(w);
	f.key.id = be32(p + 4);
	f.protocol = p[0];
	f.offset = be16(p + 2) & 0xfff8u;
	f.more = (p[3] & 1) != 0;
	if (f.offset == 0 && !f.more) { /* an atomic fragment is whole (RFC 6946) */
		w->next_at = (size_t)(p - w->packet.at);
		return ip_protocol(d, w, f.protocol);
	}
	return take_fragment(d, w, &f);
}

enum layer ip_extension(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t length;

	if (w->next == EXT_FRAGMENT)
		return fragment_v6(d, w);
	if (w->in.len < 8)
		return walk_short(w);
	length = w->next == EXT_AUTH ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
	w->next_at = (size_t)(p - w->packet.at);
	return walk_strip(w, length) ? ip_protocol(d, w, p[0]) : walk_short(w);
}

/* RFC 3378: version 3, twelve zero bits, then the frame. */
enum layer ip_etherip(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	(void)d;
	if (!walk_strip(w, 2))
		return walk_short(w);
	return p[0] == 0x30 ? LAYER_ETHERNET : END_BROKEN;
}
