/* tzsp: the TaZmen sniffer protocol, by which routers and access points mirror frames to a collector. */
#include "walk.h"

#define TZSP_RECEIVED 0
#define TZSP_TRANSMIT 1
#define TZSP_ETHERNET 1
#define TAG_PADDING   0 /* these two have no length */
#define TAG_END       1

enum layer tzsp_take(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at, *tag;

	if (!walk_strip(w, 4))
		return walk_short(w);
	if (p[0] != 1 || p[1] > TZSP_TRANSMIT || be16(p + 2) != TZSP_ETHERNET)
		return END_UNKNOWN;
	for (;;) {
		tag = w->in.at;
		if (!walk_strip(w, 1))
			return walk_short(w);
		if (tag[0] == TAG_END)
			break;
		if (tag[0] != TAG_PADDING && (w->in.len == 0 || !walk_strip(w, 1u + tag[1])))
			return walk_short(w);
	}
	d->count[COUNT_TUNNELS + DECAP_TZSP]++;
	return LAYER_ETHERNET;
}
