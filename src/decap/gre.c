/*
 * gre: GRE (RFC 2784, with key and sequence of RFC 2890, the source routes of RFC 1701, and the version 1 of PPTP,
 * RFC 2637), and the ERSPAN mirrors in it (draft-foschiano-erspan).
 */
#include "walk.h"

#define GRE_CHECKSUM    0x8000
#define GRE_ROUTING     0x4000
#define GRE_KEY         0x2000
#define GRE_SEQUENCE    0x1000
#define GRE_ACKNOWLEDGE 0x0080 /* version 1 */
#define GRE_VERSION     0x0007

#define GRE_PPP       0x880b
#define GRE_ERSPAN    0x88be /* types I and II */
#define GRE_ERSPAN3   0x22eb
#define GRE_WCCP      0x883e
#define GRE_METADATA  0x8909 /* Cisco's security group tag */
#define GRE_KEEPALIVE 0

/* RFC 1701: entries of family, offset, length, until the empty one. */
static bool strip_routes(struct walk *w)
{
	const uint8_t *p;

	do {
		p = w->in.at;
		if (!walk_strip(w, 4) || !walk_strip(w, p[3]))
			return false;
	} while (be16(p) != 0 || p[3] != 0);
	return true;
}

/* ERSPAN type I has no header of its own, and is told from type II by the GRE sequence number it lacks. */
static enum layer follow_ethertype(struct walk *w, uint16_t flags, uint16_t type)
{
	switch (type) {
	case GRE_ERSPAN:
		return (flags & GRE_SEQUENCE) != 0 ? LAYER_ERSPAN2 : LAYER_ETHERNET;
	case GRE_ERSPAN3:
		return LAYER_ERSPAN3;
	case GRE_WCCP: /* the redirect header of version 2 is there or not: no IP header begins with a nibble of 0 */
		if (w->in.len > 4 && w->in.at[0] >> 4 != 4)
			walk_strip(w, 4);
		return LAYER_IPV4;
	case GRE_METADATA: /* what follows, version, length, options, tag */
		if (w->in.len < 8)
			return walk_short(w);
		type = be16(w->in.at);
		walk_strip(w, 8);
		return type >= 0x600 ? link_typed(w, type) : END_UNKNOWN;
	case GRE_KEEPALIVE:
		return END_NOT_IP;
	default:
		return type >= 0x600 ? link_typed(w, type) : END_UNKNOWN;
	}
}

static enum layer version_0(struct decap *d, struct walk *w, uint16_t flags, uint16_t type)
{
	bool mirror = type == GRE_ERSPAN || type == GRE_ERSPAN3;
	size_t optional = ((flags & (GRE_CHECKSUM | GRE_ROUTING)) != 0) * 4u;
	const uint8_t *key = w->in.at + optional;

	if (!walk_enter(d, w, mirror ? DECAP_ERSPAN : DECAP_GRE))
		return END_WRAPPED;
	optional += ((flags & GRE_KEY) != 0) * 4u + ((flags & GRE_SEQUENCE) != 0) * 4u;
	if (!walk_strip(w, optional) || ((flags & GRE_ROUTING) != 0 && !strip_routes(w)))
		return walk_short(w);
	if ((flags & GRE_KEY) != 0)
		walk_scope(w, be32(key));
	return follow_ethertype(w, flags, type);
}

/* RFC 2637 4.1: the key is the length of the payload and the call. */
static enum layer version_1(struct decap *d, struct walk *w, uint16_t flags, uint16_t type)
{
	const uint8_t *p = w->in.at;
	size_t optional = 4 + ((flags & GRE_SEQUENCE) != 0) * 4u + ((flags & GRE_ACKNOWLEDGE) != 0) * 4u;

	if (type != GRE_PPP || (flags & GRE_KEY) == 0)
		return END_BROKEN;
	if (!walk_enter(d, w, DECAP_GRE))
		return END_WRAPPED;
	if (!walk_strip(w, optional))
		return walk_short(w);
	if ((flags & GRE_SEQUENCE) == 0)
		return END_NOT_IP; /* an acknowledgement alone */
	if (be16(p) < w->in.len)
		walk_clip(w, be16(p));
	walk_scope(w, be16(p + 2));
	return LAYER_PPP;
}

enum layer gre_take(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	uint16_t flags;

	if (!walk_strip(w, 4))
		return walk_short(w);
	flags = be16(p);
	switch (flags & GRE_VERSION) {
	case 0:
		return version_0(d, w, flags, be16(p + 2));
	case 1:
		return version_1(d, w, flags, be16(p + 2));
	default:
		return END_UNKNOWN;
	}
}

enum layer gre_erspan2(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	if (w->in.len >= 1 && p[0] >> 4 == 2) /* some switches send type III under this number */
		return gre_erspan3(d, w);
	if (!walk_strip(w, 8))
		return walk_short(w);
	return p[0] >> 4 == 1 ? LAYER_ETHERNET : END_BROKEN;
}

enum layer gre_erspan3(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	(void)d;
	if (!walk_strip(w, 12))
		return walk_short(w);
	if (p[0] >> 4 != 2)
		return END_BROKEN;
	if ((p[11] & 1) != 0 && !walk_strip(w, 8)) /* the platform's own header */
		return walk_short(w);
	switch (p[10] >> 2 & 31) {
	case 0:
		return LAYER_ETHERNET;
	case 2:
		return LAYER_IP;
	default:
		return END_UNKNOWN;
	}
}
