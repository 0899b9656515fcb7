/*
 * walk: what the files of decap share: the way through one frame, layer by layer. Each layer has one function, which
 * takes its header off and names the layer that follows, or the end.
 */
#ifndef OTWAY_DECAP_WALK_H
#define OTWAY_DECAP_WALK_H

#include "otway/decap.h"
#include "esp.h"
#include "fragment.h"

enum layer {
	LAYER_ETHERNET,
	LAYER_VLAN,     /* 802.1Q and kin, behind their ethertype */
	LAYER_BACKBONE, /* 802.1ah I-tag */
	LAYER_ETAG,     /* 802.1BR */
	LAYER_VNTAG,
	LAYER_METADATA, /* Cisco's security group tag */
	LAYER_LLC,      /* 802.2 */
	LAYER_SLL,
	LAYER_SLL2,
	LAYER_FAMILY, /* BSD null and loop */
	LAYER_IP,     /* the first nibble tells */
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_EXTENSION, /* an IPv6 extension header, or AH in either: walk.next names it */
	LAYER_UDP,
	LAYER_TCP,
	LAYER_SCTP,
	LAYER_MPLS,
	LAYER_PPPOE,
	LAYER_PPP,
	LAYER_GRE,
	LAYER_ERSPAN2,
	LAYER_ERSPAN3,
	LAYER_ETHERIP,
	LAYER_NSH,
	LAYER_VXLAN,
	LAYER_GENEVE,
	LAYER_GTPU,
	LAYER_TZSP,
	LAYER_HEP,
	LAYER_L2TP,
	LAYER_ESP,
	LAYER_ESP_UDP,
	LAYERS,

	END_FOUND = LAYERS, /* d->out is a datagram */
	END_HELD,           /* kept, a datagram may come of it later */
	END_NOT_IP,         /* well-formed, of a kind that bears no IP: ARP, LLDP … */
	END_NOT_TRANSPORT,  /* IP, but neither UDP, TCP nor SCTP: ICMP … */
	END_UNKNOWN,        /* a kind nothing here knows */
	END_BROKEN,         /* a header contradicts itself or the octets there are */
	END_CUT,            /* the capture cut it within a header */
	END_WRAPPED,        /* a tunnel that is left alone by option */
	END_SEALED,         /* ESP that is encrypted */
	END_OTHERS          /* a fragment that another front rejoins: d->out is it */
};

#define DECAP_MADE 65536u /* octets of room for a packet made up */

enum count {
	COUNT_DATAGRAMS,
	COUNT_TRUNCATED,
	COUNT_NOT_IP,
	COUNT_NOT_TRANSPORT,
	COUNT_UNKNOWN,
	COUNT_BROKEN,
	COUNT_TOO_DEEP,
	COUNT_WRAPPED,
	COUNT_NOT_TUNNEL,
	COUNT_VLAN,
	COUNT_FRAGMENTS,
	COUNT_ESP_SEALED,
	COUNT_HELD,
	COUNT_HEP_TCP,
	COUNT_TUNNELS, /* one for each enum decap_tunnel */
	COUNTS = COUNT_TUNNELS + DECAP_TUNNELS
};

/* Where the way through a frame stands. */
struct walk {
	struct bytes in; /* what is left, from the current layer's header on */
	size_t missing;  /* octets that would follow, had the capture not cut them */
	nsec_t at;
	uint32_t source;
	uint8_t next;               /* LAYER_EXTENSION: which one */
	size_t next_at;             /* offset in packet of the octet that named it */
	enum decap_left_kind named; /* what the current layer was named by, for when nothing here knows it */
	uint32_t named_id;
	enum decap_tunnel tunnel; /* the last that was met */
	uint16_t tunnel_port;
	uint32_t scope;       /* which VLAN, network or tunnel: the same address may live in many */
	bool wrapped;         /* a tunnel was taken off, or fragments were rejoined */
	bool forwarded;       /* a fragment that another front gave to this one */
	struct bytes packet;  /* the innermost IP packet */
	struct addr src, dst; /* of it; port 0 */
};

struct decap {
	struct datagram out;
	bool ready;                 /* out is to be given */
	bool esp_used;              /* a held packet may be ready */
	uint64_t ports[65536 / 64]; /* a bit for each UDP port of a tunnel */
	struct decap_options options;
	unsigned depth; /* headers of a frame */
	struct fragments *fragments;
	struct esp *esp;
	uint8_t *made;       /* room for a packet made up around a payload */
	struct buf unpacked; /* and for such a payload that came compressed */
	struct decap_left left[DECAP_LEFT_MAX];
	size_t left_count;
	uint64_t left_more;
	uint64_t count[COUNTS];
};

/* Takes n octets off the front; false when they are not there. */
static inline bool walk_strip(struct walk *w, size_t n)
{
	if (n > w->in.len)
		return false;
	w->in.at += n;
	w->in.len -= n;
	return true;
}

/* The layer is n octets long by its own word: what lies behind is padding, what is not there is missing. */
static inline void walk_clip(struct walk *w, size_t n)
{
	if (n <= w->in.len) {
		w->in.len = n;
		w->missing = 0;
	} else {
		w->missing = n - w->in.len;
	}
}

/* The end when a header is not all there. */
static inline enum layer walk_short(const struct walk *w)
{
	return w->missing > 0 ? END_CUT : END_BROKEN;
}

static inline void walk_scope(struct walk *w, uint32_t id)
{
	w->scope = w->scope * 0x01000193u + id + 1;
}

/* What the header in hand says is next. */
static inline void walk_name(struct walk *w, enum decap_left_kind kind, uint32_t id)
{
	w->named = kind;
	w->named_id = id;
}

/* Counts a tunnel; false when it is left alone. */
static inline bool walk_enter(struct decap *d, struct walk *w, enum decap_tunnel t)
{
	w->tunnel = t;
	if (d->options.leave[t])
		return false;
	d->count[COUNT_TUNNELS + t]++;
	return true;
}

typedef enum layer layer_fn(struct decap *d, struct walk *w);

/* link.c */
#define LINK_ETHERNET 1
enum layer link_begin(int link); /* the first layer of a LINKTYPE_; END_UNKNOWN */
enum layer link_typed(struct walk *w, uint16_t ethertype);
bool link_looks_ethernet(struct bytes in); /* an Ethernet frame of a known ethertype */
layer_fn link_ethernet, link_vlan, link_backbone, link_etag, link_vntag, link_metadata, link_llc, link_sll, link_sll2,
	link_family;

/* ip.c */
enum layer ip_protocol(struct decap *d, struct walk *w, uint8_t protocol); /* what follows, by IP protocol number */
bool ip_looks_right(const struct walk *w);                                 /* an IP header that fits what is there */
layer_fn ip_any, ip_v4, ip_v6, ip_extension, ip_etherip;

/* transport.c */
layer_fn transport_udp, transport_tcp, transport_sctp;

/* The tunnels. */
layer_fn mpls_take;
layer_fn ppp_take, ppp_over_ethernet, ppp_l2tp;
layer_fn gre_take, gre_erspan2, gre_erspan3;
layer_fn overlay_vxlan, overlay_geneve, overlay_nsh;
layer_fn gtpu_take;
layer_fn tzsp_take;
layer_fn hep_take;
layer_fn esp_direct, esp_in_udp;

/* owner.c */
bool owner_is_another(struct decap *d, const struct walk *w, uint8_t protocol); /* then d->out is the fragment */

/* left.c */
void left_add(struct decap *d, enum decap_left_kind kind, enum decap_tunnel t, uint32_t id, bool known);
void left_end(struct decap *d, const struct walk *w, enum layer end); /* of a frame that ended so */

#endif
