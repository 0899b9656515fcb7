/* mpls: label stacks (RFC 3032) over IP or over an Ethernet pseudowire, with and without control word (RFC 4448). */
#include "walk.h"

/*
 * Nothing says what lies beneath the last label. A first nibble of 4 or 6 is IP, when the header bears it out; 0 is a
 * control word (RFC 4385), unless the frame that begins right there makes more sense: its address may begin so too.
 */
static enum layer beneath(struct walk *w)
{
	struct bytes behind = bytes_part(w->in, 4, w->in.len);

	if (w->in.len < 14)
		return walk_short(w);
	if (ip_looks_right(w))
		return LAYER_IP;
	if (w->in.at[0] >> 4 == 0 && (link_looks_ethernet(behind) || !link_looks_ethernet(w->in)))
		walk_strip(w, 4);
	else if (w->in.at[0] >> 4 == 1 && !link_looks_ethernet(w->in))
		return END_NOT_IP; /* the associated channel (RFC 5586) */
	return LAYER_ETHERNET;
}

enum layer mpls_take(struct decap *d, struct walk *w)
{
	const uint8_t *p;

	if (!walk_enter(d, w, DECAP_MPLS))
		return END_WRAPPED;
	do {
		p = w->in.at;
		if (!walk_strip(w, 4))
			return walk_short(w);
	} while ((p[2] & 1) == 0); /* the bottom of the stack */
	return beneath(w);
}
