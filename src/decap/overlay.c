/* overlay: the tunnels of data centres: VXLAN (RFC 7348) and its generic extension, Geneve (RFC 8926), NSH (RFC 8300). */
#include "walk.h"

#define VXLAN_NETWORK 0x08 /* the network identifier is valid: always set */
#define VXLAN_NEXT    0x04 /* draft-ietf-nvo3-vxlan-gpe: the last octet of the first word names what follows */

/* The one list of next protocols that the generic extension and NSH share. */
static enum layer next_protocol(uint8_t next)
{
	static const uint8_t layers[] = { END_UNKNOWN, LAYER_IPV4, LAYER_IPV6, LAYER_ETHERNET, LAYER_NSH, LAYER_MPLS };

	return next < sizeof(layers) ? (enum layer)layers[next] : END_UNKNOWN;
}

enum layer overlay_vxlan(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	if (w->in.len < 8)
		return walk_short(w);
	if ((p[0] & VXLAN_NETWORK) == 0)
		return END_BROKEN;
	walk_strip(w, 8);
	d->count[COUNT_TUNNELS + DECAP_VXLAN]++;
	walk_scope(w, be32(p + 4) >> 8);
	return (p[0] & VXLAN_NEXT) != 0 ? next_protocol(p[3]) : LAYER_ETHERNET;
}

enum layer overlay_geneve(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t options;

	if (w->in.len < 8)
		return walk_short(w);
	options = (p[0] & 63) * 4u;
	if (p[0] >> 6 != 0)
		return END_BROKEN;
	if (!walk_strip(w, 8 + options))
		return walk_short(w);
	d->count[COUNT_TUNNELS + DECAP_GENEVE]++;
	walk_scope(w, be32(p + 4) >> 8);
	return be16(p + 2) >= 0x600 ? link_typed(w, be16(p + 2)) : END_UNKNOWN;
}

/* RFC 8300 2.2: the length is that of the whole header, in words. */
enum layer overlay_nsh(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	size_t header;

	(void)d;
	if (w->in.len < 8)
		return walk_short(w);
	header = (p[1] & 63) * 4u;
	if (p[0] >> 6 != 0 || header < 8)
		return END_BROKEN;
	if (!walk_strip(w, header))
		return walk_short(w);
	walk_scope(w, be32(p + 4));
	return next_protocol(p[3]);
}
