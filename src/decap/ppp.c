/* ppp: PPP (RFC 1661), and what bears it: PPPoE (RFC 2516) and L2TP version 2 (RFC 2661). */
#include "walk.h"

/* The protocol field is one octet long when it is odd (RFC 1661 6.5); address and control may be left out (6.6). */
enum layer ppp_take(struct decap *d, struct walk *w)
{
	const uint8_t *p;
	uint16_t protocol;
	size_t len;

	(void)d;
	if (w->in.len < 2)
		return walk_short(w);
	if (w->in.at[0] == 0xff && w->in.at[1] == 0x03)
		walk_strip(w, 2);
	p = w->in.at;
	len = w->in.len > 0 && (p[0] & 1) != 0 ? 1 : 2;
	if (!walk_strip(w, len))
		return walk_short(w);
	protocol = len == 1 ? p[0] : be16(p);
	walk_name(w, DECAP_LEFT_PPP, protocol);
	switch (protocol) {
	case 0x21:
		return LAYER_IPV4;
	case 0x57:
		return LAYER_IPV6;
	case 0x281:
	case 0x283:
		return LAYER_MPLS;
	case 0x31: /* bridging (RFC 3518): flags, type of MAC, then the frame */
		p = w->in.at;
		if (!walk_strip(w, 2))
			return walk_short(w);
		return p[1] == 1 ? LAYER_ETHERNET : END_UNKNOWN;
	default: /* 0x4000 and up: of a link's own control, as LCP; the rest bears something we do not know */
		return protocol >= 0x4000 ? END_NOT_IP : END_UNKNOWN;
	}
}

enum layer ppp_over_ethernet(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	if (!walk_enter(d, w, DECAP_PPPOE))
		return END_WRAPPED;
	if (!walk_strip(w, 6))
		return walk_short(w);
	if (p[0] != 0x11 || p[1] != 0)
		return END_BROKEN;
	walk_scope(w, be16(p + 2));
	walk_clip(w, be16(p + 4));
	return LAYER_PPP;
}

#define L2TP_CONTROL  0x8000
#define L2TP_LENGTH   0x4000
#define L2TP_SEQUENCE 0x0800
#define L2TP_OFFSET   0x0200
#define L2TP_VERSION  0x000f

/* RFC 2661 3.1. What PPP bears in clear is taken; control messages are the datagrams they are. */
enum layer ppp_l2tp(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	uint16_t flags;
	size_t header = 6, tunnel;

	if (w->in.len < 2)
		return walk_short(w);
	flags = be16(p);
	if ((flags & L2TP_VERSION) != 2 || (flags & L2TP_CONTROL) != 0)
		return END_UNKNOWN;
	header += (flags & L2TP_LENGTH) != 0 ? 2 : 0;
	tunnel = header - 4;
	header += (flags & L2TP_SEQUENCE) != 0 ? 4 : 0;
	header += (flags & L2TP_OFFSET) != 0 ? 2 : 0;
	if (w->in.len < header)
		return walk_short(w);
	if ((flags & L2TP_OFFSET) != 0)
		header += be16(p + header - 2);
	if ((flags & L2TP_LENGTH) != 0 && (be16(p + 2) > w->in.len + w->missing || be16(p + 2) < header))
		return END_BROKEN;
	if ((flags & L2TP_LENGTH) != 0)
		walk_clip(w, be16(p + 2));
	if (!walk_strip(w, header))
		return walk_short(w);
	if (!walk_enter(d, w, DECAP_L2TP))
		return END_WRAPPED;
	walk_scope(w, be32(p + tunnel));
	return LAYER_PPP;
}
