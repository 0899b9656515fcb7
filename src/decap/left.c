/* left: what was left as it is, kind by kind: a bounded list, since a mirror port may carry anything. */
#include "walk.h"

/* IP's protocols that are neither a transport of SIP or media nor anything wrapped around one, and commonly met. */
static bool common_protocol(uint32_t protocol)
{
	static const uint8_t common[] = { 1, 2, 58, 88, 89, 103, 112,
		59 }; /* ICMP, IGMP, ICMPv6, EIGRP, OSPF, PIM, VRRP, none */

	return memchr(common, (int)protocol, sizeof(common)) != NULL;
}

void left_add(struct decap *d, enum decap_left_kind kind, enum decap_tunnel t, uint32_t id, bool known)
{
	struct decap_left *l = d->left;

	for (; l < d->left + d->left_count; l++)
		if (l->kind == kind && l->id == id && l->tunnel == t)
			break;
	if (l == d->left + DECAP_LEFT_MAX) {
		d->left_more++;
		return;
	}
	if (l == d->left + d->left_count) {
		*l = (struct decap_left){ .kind = kind, .tunnel = t, .id = id, .known = known };
		d->left_count++;
	}
	l->packets++;
}

void left_end(struct decap *d, const struct walk *w, enum layer end)
{
	if (end == END_WRAPPED)
		left_add(d, DECAP_LEFT_TUNNEL, w->tunnel, 0, false);
	else if (d->ready)
		left_add(d, DECAP_LEFT_NOT_TUNNEL, w->tunnel, w->tunnel_port, true);
	else if (end == END_NOT_IP || end == END_UNKNOWN)
		left_add(d, w->named, DECAP_TUNNELS, w->named_id, end == END_NOT_IP);
	else if (end == END_NOT_TRANSPORT)
		left_add(d, DECAP_LEFT_PROTOCOL, DECAP_TUNNELS, w->named_id, common_protocol(w->named_id));
}

bool decap_left(const struct decap *d, size_t i, struct decap_left *out)
{
	if (i == d->left_count && d->left_more > 0) {
		*out = (struct decap_left){ .kind = DECAP_LEFT_MORE, .tunnel = DECAP_TUNNELS, .packets = d->left_more };
		return true;
	}
	if (i >= d->left_count)
		return false;
	*out = d->left[i];
	return true;
}
