/* decap: the loop over the layers of a frame, a short cut for the plainest of frames, options and counters. */
#include "otway/decap.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "walk.h"

static layer_fn *const layers[LAYERS] = {
	[LAYER_ETHERNET] = link_ethernet,
	[LAYER_VLAN] = link_vlan,
	[LAYER_BACKBONE] = link_backbone,
	[LAYER_ETAG] = link_etag,
	[LAYER_VNTAG] = link_vntag,
	[LAYER_METADATA] = link_metadata,
	[LAYER_LLC] = link_llc,
	[LAYER_SLL] = link_sll,
	[LAYER_SLL2] = link_sll2,
	[LAYER_FAMILY] = link_family,
	[LAYER_IP] = ip_any,
	[LAYER_IPV4] = ip_v4,
	[LAYER_IPV6] = ip_v6,
	[LAYER_EXTENSION] = ip_extension,
	[LAYER_UDP] = transport_udp,
	[LAYER_TCP] = transport_tcp,
	[LAYER_SCTP] = transport_sctp,
	[LAYER_MPLS] = mpls_take,
	[LAYER_PPPOE] = ppp_over_ethernet,
	[LAYER_PPP] = ppp_take,
	[LAYER_GRE] = gre_take,
	[LAYER_ERSPAN2] = gre_erspan2,
	[LAYER_ERSPAN3] = gre_erspan3,
	[LAYER_ETHERIP] = ip_etherip,
	[LAYER_NSH] = overlay_nsh,
	[LAYER_VXLAN] = overlay_vxlan,
	[LAYER_GENEVE] = overlay_geneve,
	[LAYER_GTPU] = gtpu_take,
	[LAYER_TZSP] = tzsp_take,
	[LAYER_HEP] = hep_take,
	[LAYER_L2TP] = ppp_l2tp,
	[LAYER_ESP] = esp_direct,
	[LAYER_ESP_UDP] = esp_in_udp,
};

static const char *const tunnel_names[DECAP_TUNNELS] = {
	[DECAP_VXLAN] = "vxlan",
	[DECAP_GENEVE] = "geneve",
	[DECAP_GTPU] = "gtpu",
	[DECAP_TZSP] = "tzsp",
	[DECAP_HEP] = "hep",
	[DECAP_L2TP] = "l2tp",
	[DECAP_ESP] = "esp",
	[DECAP_MPLS] = "mpls",
	[DECAP_PPPOE] = "pppoe",
	[DECAP_GRE] = "gre",
	[DECAP_ERSPAN] = "erspan",
	[DECAP_IPIP] = "ipip",
};

const char *decap_tunnel_name(enum decap_tunnel t)
{
	return tunnel_names[t];
}

void decap_options_init(struct decap_options *o)
{
	*o = (struct decap_options){
		.ports = {
			[DECAP_VXLAN] = { 4789, 4790, 8472 },
			[DECAP_GENEVE] = { 6081 },
			[DECAP_GTPU] = { 2152 },
			[DECAP_TZSP] = { 37008 },
			[DECAP_HEP] = { 9060 },
			[DECAP_L2TP] = { 1701 },
			[DECAP_ESP] = { 4500 },
		},
	};
}

struct decap *decap_new(const struct decap_options *o)
{
	struct decap *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	decap_options_init(&d->options);
	if (o != NULL)
		d->options = *o;
	d->depth = d->options.depth > 0 && d->options.depth < DECAP_DEPTH ? d->options.depth : DECAP_DEPTH;
	for (size_t t = 0; t < DECAP_UDP_TUNNELS; t++)
		for (size_t i = 0; i < DECAP_PORTS; i++)
			d->ports[d->options.ports[t][i] / 64] |= UINT64_C(1) << (d->options.ports[t][i] % 64);
	d->ports[0] &= ~UINT64_C(1); /* port 0 stands for none */
	d->fragments = fragments_new();
	d->esp = esp_new();
	if (d->fragments == NULL || d->esp == NULL) {
		decap_free(d);
		return NULL;
	}
	return d;
}

void decap_free(struct decap *d)
{
	if (d == NULL)
		return;
	fragments_free(d->fragments);
	esp_free(d->esp);
	secret_free(d->made, d->made != NULL ? DECAP_MADE : 0);
	buf_clear(&d->unpacked);
	free(d);
}

/* How a frame ended, in the counters: once for each frame that gave no datagram, or not the one that was tried for. */
static void count_end(struct decap *d, enum layer end)
{
	static const uint8_t counts[] = {
		[END_FOUND - LAYERS] = COUNT_DATAGRAMS,
		[END_HELD - LAYERS] = COUNT_HELD,
		[END_NOT_IP - LAYERS] = COUNT_NOT_IP,
		[END_NOT_TRANSPORT - LAYERS] = COUNT_NOT_TRANSPORT,
		[END_UNKNOWN - LAYERS] = COUNT_UNKNOWN,
		[END_BROKEN - LAYERS] = COUNT_BROKEN,
		[END_CUT - LAYERS] = COUNT_TRUNCATED,
		[END_WRAPPED - LAYERS] = COUNT_WRAPPED,
		[END_SEALED - LAYERS] = COUNT_ESP_SEALED,
	};

	if (end == END_OTHERS)
		return; /* it is counted where it is rejoined */
	if (end < LAYERS)
		d->count[COUNT_TOO_DEEP]++;
	else if (d->ready && end != END_FOUND)
		d->count[COUNT_NOT_TUNNEL]++;
	else
		d->count[counts[end - LAYERS]]++;
	if (d->ready) {
		d->count[COUNT_DATAGRAMS] += end != END_FOUND;
		d->count[COUNT_TRUNCATED] += d->out.truncated;
	}
}

/* Behind it lie packets that the outer addresses do not tell apart. */
static bool is_wrapper(enum layer layer, const struct walk *w)
{
	switch (layer) {
	case LAYER_IPV4:
	case LAYER_IPV6:
		return w->packet.at != NULL; /* an IP header stands before it already */
	case LAYER_BACKBONE:
	case LAYER_ETAG:
	case LAYER_VNTAG:
	case LAYER_METADATA:
	case LAYER_MPLS:
	case LAYER_PPPOE:
	case LAYER_ESP:
	case LAYER_ESP_UDP:
		return true;
	default:
		return false;
	}
}

/*
 * Walks on from a layer to the end. When what came on a tunnel's port is no tunnel, or nothing readable is in it, the
 * datagram that stands in d->out is what there is to give; else it has served.
 */
static void walk(struct decap *d, struct walk *w, enum layer layer)
{
	d->ready = false;
	for (unsigned i = 0; layer < LAYERS && i < d->depth; i++) {
		w->wrapped = w->wrapped || is_wrapper(layer, w);
		layer = layers[layer](d, w);
	}
	if (layer == END_HELD || layer == END_NOT_IP || layer == END_NOT_TRANSPORT || layer == END_WRAPPED ||
		layer == END_SEALED)
		d->ready = false;
	count_end(d, layer);
	if (layer != END_FOUND && layer != END_HELD && layer != END_OTHERS)
		left_end(d, w, layer);
}

static inline bool is_tunnel_port(const struct decap *d, uint16_t port)
{
	return (d->ports[port / 64] >> (port % 64) & 1) != 0;
}

/*
 * Most frames of most captures: Ethernet, IPv4 without options or fragments, UDP, of no tunnel, all there. False: it is
 * not one of them.
 */
static bool is_plain(const struct decap *d, const struct frame *in)
{
	const uint8_t *p = in->bytes.at;
	uint16_t total, length;

	if (in->link != LINK_ETHERNET || in->bytes.len < 42 || be16(p + 12) != 0x0800 || p[14] != 0x45 ||
		p[23] != IP_PROTO_UDP || (be16(p + 20) & 0x3fff) != 0)
		return false;
	total = be16(p + 16);
	length = be16(p + 38);
	return total <= in->bytes.len - 14 && length >= 8 && length + 20u <= total &&
	       !is_tunnel_port(d, be16(p + 34)) && !is_tunnel_port(d, be16(p + 36));
}

static inline void give_host(struct addr *a, uint16_t port, const uint8_t *ip)
{
	a->family = 4;
	a->zero = 0;
	a->port = port;
	memcpy(a->ip, ip, 4);
	memset(a->ip + 4, 0, 12);
}

/* The datagram of a plain frame, written once and where it is wanted. Must be what walk() gives. */
static void give_plain(const struct frame *in, struct datagram *out)
{
	const uint8_t *p = in->bytes.at;

	out->at = in->at;
	out->source = in->source;
	out->proto = IP_PROTO_UDP;
	out->truncated = false;
	give_host(&out->flow.src, be16(p + 34), p + 26);
	give_host(&out->flow.dst, be16(p + 36), p + 30);
	out->packet = (struct bytes){ p + 14, be16(p + 16) };
	out->payload = (struct bytes){ p + 42, be16(p + 38) - 8u };
	out->header = 8;
	out->framed = out->wrapped = false;
}

bool decap_plain(struct decap *d, const struct frame *in, struct datagram *out)
{
	if (!is_plain(d, in))
		return false;
	d->count[COUNT_DATAGRAMS]++;
	give_plain(in, out);
	return true;
}

void decap_take(struct decap *d, const struct frame *in)
{
	struct walk w = { .in = in->bytes, .at = in->at, .source = in->source };

	w.missing = in->wire_len > in->bytes.len ? in->wire_len - in->bytes.len : 0;
	walk_name(&w, DECAP_LEFT_LINK, (uint32_t)in->link);
	walk(d, &w, link_begin(in->link));
}

void decap_fragment(struct decap *d, const struct datagram *in)
{
	struct walk w = { .in = in->packet, .at = in->at, .source = in->source, .wrapped = true, .forwarded = true };

	w.scope = (uint32_t)in->flow.src.port << 16 | in->flow.dst.port;
	walk(d, &w, LAYER_IP);
}

/* A packet that was held begins its way anew; what was in doubt about it is known now. */
static bool take_held(struct decap *d)
{
	struct esp_packet held;

	while (!d->ready && d->esp_used) {
		struct walk w = { 0 };

		d->esp_used = esp_next(d->esp, &held);
		if (!d->esp_used)
			break;
		w.in = held.packet;
		w.at = held.at;
		w.source = held.source;
		walk(d, &w, LAYER_IP);
	}
	return d->ready;
}

bool decap_next(struct decap *d, struct datagram *out)
{
	if (!d->ready && (!d->esp_used || !take_held(d)))
		return false;
	*out = d->out;
	d->ready = false;
	return true;
}

bool decap_esp_null(struct decap *d, const struct addr *dst, uint32_t spi, unsigned icv)
{
	d->esp_used = true;
	return esp_learn(d->esp, dst, spi, icv);
}

size_t decap_counts(const struct decap *d, struct counter *out, size_t max)
{
	static const char *const names[COUNT_TUNNELS] = {
		[COUNT_DATAGRAMS] = "datagrams",
		[COUNT_TRUNCATED] = "truncated",
		[COUNT_NOT_IP] = "not_ip",
		[COUNT_NOT_TRANSPORT] = "not_transport",
		[COUNT_UNKNOWN] = "unknown_layer",
		[COUNT_BROKEN] = "broken",
		[COUNT_TOO_DEEP] = "too_deep",
		[COUNT_WRAPPED] = "wrapped",
		[COUNT_NOT_TUNNEL] = "not_tunnel",
		[COUNT_VLAN] = "vlan_tags",
		[COUNT_FRAGMENTS] = "fragments",
		[COUNT_HELD] = "held",
		[COUNT_ESP_SEALED] = "esp_sealed",
		[COUNT_HEP_TCP] = "hep_tcp",
	};
	const struct fragment_counts f = fragments_counts(d->fragments);
	const struct counter more[] = {
		{ "fragments_rejoined", f.rejoined },
		{ "fragments_overlapping", f.overlapping },
		{ "fragments_twice", f.twice },
		{ "fragments_evicted", f.evicted },
		{ "fragments_expired", f.expired },
		{ "fragments_incomplete", f.incomplete },
		{ "fragments_sip_lost", f.sip_lost },
		{ "esp_undecided", esp_undecided(d->esp) },
	};
	size_t n = 0;

	for (size_t i = 0; i < COUNTS && n < max; i++)
		out[n++] =
			(struct counter){ i < COUNT_TUNNELS ? names[i] : tunnel_names[i - COUNT_TUNNELS], d->count[i] };
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) && n < max; i++)
		out[n++] = more[i];
	return n;
}
