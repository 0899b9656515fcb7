/*
 * link: link layers and the tags between them and IP. Ethernet, the VLAN stacks of 802.1Q, 802.1ad and their
 * predecessors, 802.1ah, 802.1BR, VN-Tag, LLC/SNAP; Linux cooked v1 and v2; BSD null and loop.
 */
#include "walk.h"

#define LINK_NULL 0
#define LINK_RAW  101
#define LINK_LOOP 108
#define LINK_SLL  113
#define LINK_IPV4 228
#define LINK_IPV6 229
#define LINK_SLL2 276

enum layer link_begin(int link)
{
	switch (link) {
	case LINK_ETHERNET:
		return LAYER_ETHERNET;
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return LAYER_IP;
	case LINK_SLL:
		return LAYER_SLL;
	case LINK_SLL2:
		return LAYER_SLL2;
	case LINK_NULL:
	case LINK_LOOP:
		return LAYER_FAMILY;
	default:
		return END_UNKNOWN;
	}
}

bool decap_knows(int link)
{
	return link_begin(link) != END_UNKNOWN;
}

static const struct {
	uint16_t type;
	uint8_t next; /* enum layer */
} ethertypes[] = {
	{ 0x0800, LAYER_IPV4 },     /* RFC 894 */
	{ 0x86dd, LAYER_IPV6 },     /* RFC 2464 */
	{ 0x8100, LAYER_VLAN },     /* 802.1Q */
	{ 0x88a8, LAYER_VLAN },     /* 802.1ad */
	{ 0x9100, LAYER_VLAN },     /* what QinQ was before there was a standard */
	{ 0x9200, LAYER_VLAN },     /* likewise */
	{ 0x9300, LAYER_VLAN },     /* likewise */
	{ 0x8847, LAYER_MPLS },     /* RFC 5332: from upstream */
	{ 0x8848, LAYER_MPLS },     /* from downstream */
	{ 0x8864, LAYER_PPPOE },    /* RFC 2516 */
	{ 0x880b, LAYER_PPP },      /* RFC 2637 */
	{ 0x6558, LAYER_ETHERNET }, /* transparent Ethernet bridging, within GRE and Geneve */
	{ 0x88e7, LAYER_BACKBONE }, /* 802.1ah */
	{ 0x893f, LAYER_ETAG },     /* 802.1BR */
	{ 0x8926, LAYER_VNTAG },    /* what 802.1BR was before there was a standard */
	{ 0x8909, LAYER_METADATA }, /* Cisco's security group tag */
	{ 0x894f, LAYER_NSH },      /* RFC 8300 */
	{ 0x0806, END_NOT_IP },     /* ARP */
	{ 0x8035, END_NOT_IP },     /* RARP */
	{ 0x8809, END_NOT_IP },     /* LACP and other slow protocols */
	{ 0x8863, END_NOT_IP },     /* PPPoE discovery */
	{ 0x888e, END_NOT_IP },     /* 802.1X */
	{ 0x88cc, END_NOT_IP },     /* LLDP */
	{ 0x88f7, END_NOT_IP },     /* PTP */
	{ 0x8902, END_NOT_IP },     /* CFM */
	{ 0x9000, END_NOT_IP },     /* loop test */
};

static enum layer layer_of(uint16_t ethertype)
{
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++)
		if (ethertypes[i].type == ethertype)
			return (enum layer)ethertypes[i].next;
	return END_UNKNOWN;
}

/* Beneath 0x600 it is no type but the length of an 802.3 frame, with LLC inside. */
enum layer link_typed(struct walk *w, uint16_t ethertype)
{
	walk_name(w, ethertype >= 0x600 ? DECAP_LEFT_ETHERTYPE : DECAP_LEFT_LLC, ethertype >= 0x600 ? ethertype : 0);
	if (ethertype >= 0x600)
		return layer_of(ethertype);
	if (ethertype < w->in.len)
		walk_clip(w, ethertype);
	return LAYER_LLC;
}

bool link_looks_ethernet(struct bytes in)
{
	enum layer next = in.len >= 14 ? layer_of(be16(in.at + 12)) : END_UNKNOWN;

	if ((next == LAYER_IPV4 || next == LAYER_IPV6) && in.len > 14)
		return in.at[14] >> 4 == (next == LAYER_IPV4 ? 4 : 6);
	return next != END_UNKNOWN;
}

enum layer link_ethernet(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	(void)d;
	return walk_strip(w, 14) ? link_typed(w, be16(p + 12)) : walk_short(w);
}

enum layer link_vlan(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	if (!walk_strip(w, 4))
		return walk_short(w);
	d->count[COUNT_VLAN]++;
	walk_scope(w, be16(p) & 0xfff);
	return link_typed(w, be16(p + 2));
}

/* 802.1ah 9.7: the I-tag's control and service identifier, then the customer's whole frame. */
enum layer link_backbone(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	if (!walk_strip(w, 4))
		return walk_short(w);
	d->count[COUNT_VLAN]++;
	walk_scope(w, be32(p) & 0xffffff);
	return LAYER_ETHERNET;
}

static enum layer skip_tag(struct decap *d, struct walk *w, size_t len)
{
	const uint8_t *p = w->in.at;

	if (!walk_strip(w, len + 2))
		return walk_short(w);
	d->count[COUNT_VLAN]++;
	return link_typed(w, be16(p + len));
}

enum layer link_etag(struct decap *d, struct walk *w)
{
	return skip_tag(d, w, 6);
}

enum layer link_vntag(struct decap *d, struct walk *w)
{
	return skip_tag(d, w, 4);
}

/* Version, length in words, options and tag. */
enum layer link_metadata(struct decap *d, struct walk *w)
{
	return w->in.len < 2 ? walk_short(w) : skip_tag(d, w, 2 + w->in.at[1] * 4u);
}

/* IP comes behind LLC only with SNAP (RFC 1042), under the OUI of encapsulated Ethernet. */
enum layer link_llc(struct decap *d, struct walk *w)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	const uint8_t *p = w->in.at;

	(void)d;
	if (w->in.len < 8 && w->missing > 0)
		return END_CUT;
	if (w->in.len < 8 || memcmp(p, snap, sizeof(snap)) != 0 || be16(p + 6) < 0x600)
		return END_NOT_IP;
	walk_strip(w, 8);
	return link_typed(w, be16(p + 6));
}

/* Cooked captures name what follows by ethertype, or by a small number of Linux's own (if_ether.h). */
static enum layer cooked(struct walk *w, uint16_t protocol)
{
	walk_name(w, protocol == 4 ? DECAP_LEFT_LLC : DECAP_LEFT_ETHERTYPE, protocol == 4 ? 0 : protocol);
	if (protocol >= 0x600)
		return layer_of(protocol);
	return protocol == 4 && w->in.len > 0 ? LAYER_LLC : END_NOT_IP;
}

enum layer link_sll(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	(void)d;
	return walk_strip(w, 16) ? cooked(w, be16(p + 14)) : walk_short(w);
}

enum layer link_sll2(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;

	(void)d;
	return walk_strip(w, 20) ? cooked(w, be16(p)) : walk_short(w);
}

/* An address family: null has it in the byte order of the machine that captured, loop in network order. */
enum layer link_family(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	uint32_t family;

	(void)d;
	if (!walk_strip(w, 4))
		return walk_short(w);
	family = be32(p);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return LAYER_IPV4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return LAYER_IPV6;
	default:
		return END_NOT_IP;
	}
}
