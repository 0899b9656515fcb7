/* gtpu: the user plane of GTP version 1 (TS 29.281): what a subscriber sends and receives. */
#include "walk.h"

#define GTP_VERSION_1 0x30 /* version 1, protocol type GTP */
#define GTP_EXTENSION 0x04
#define GTP_OPTIONAL  0x07 /* any of extension, sequence, N-PDU: then all their fields are there */
#define GTP_G_PDU     255

/* TS 29.281 5.2: each extension header gives its length in words, and ends with the type of the next; 0: none. */
static enum layer strip_extensions(struct walk *w, uint8_t next)
{
	while (next != 0) {
		size_t len;

		if (w->in.len < 4)
			return walk_short(w);
		len = w->in.at[0] * 4u;
		if (len == 0)
			return END_BROKEN;
		if (!walk_strip(w, len))
			return walk_short(w);
		next = w->in.at[-1];
	}
	return END_FOUND;
}

/* A session is of IP, PPP or Ethernet, which only its set-up said. */
static enum layer follow_content(const struct walk *w)
{
	if (w->in.len == 0)
		return walk_short(w);
	if (ip_looks_right(w))
		return LAYER_IP;
	if (link_looks_ethernet(w->in))
		return LAYER_ETHERNET;
	if (w->in.at[0] >> 4 == 4 || w->in.at[0] >> 4 == 6)
		return LAYER_IP; /* cut short, perhaps */
	return LAYER_PPP;
}

enum layer gtpu_take(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	enum layer end;

	if (w->in.len < 8)
		return walk_short(w);
	if ((p[0] & 0xf0) != GTP_VERSION_1 || be16(p + 2) > w->in.len + w->missing - 8)
		return END_BROKEN;
	if (p[1] != GTP_G_PDU)
		return END_UNKNOWN;
	walk_strip(w, 8);
	walk_clip(w, be16(p + 2));
	if ((p[0] & GTP_OPTIONAL) != 0) {
		if (!walk_strip(w, 4))
			return walk_short(w);
		end = (p[0] & GTP_EXTENSION) != 0 ? strip_extensions(w, p[11]) : END_FOUND;
		if (end != END_FOUND)
			return end;
	}
	d->count[COUNT_TUNNELS + DECAP_GTPU]++;
	walk_scope(w, be32(p + 4));
	return follow_content(w);
}
