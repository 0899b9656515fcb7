/* transport: the headers of UDP, TCP and SCTP, where the way of a frame ends, and the tunnels within UDP. */
#include "walk.h"

static enum layer found(struct decap *d, struct walk *w, enum ip_proto proto, size_t header)
{
	const uint8_t *p = w->in.at;

	d->out.at = w->at;
	d->out.source = w->source;
	d->out.proto = (uint8_t)proto;
	d->out.truncated = w->missing > 0;
	d->out.flow = (struct flow){ w->src, w->dst };
	d->out.flow.src.port = be16(p);
	d->out.flow.dst.port = be16(p + 2);
	d->out.packet = w->packet;
	d->out.payload = (struct bytes){ p + header, w->in.len - header };
	d->out.header = (uint8_t)header;
	d->out.wrapped = w->wrapped;
	d->ready = true;
	walk_strip(w, header);
	return END_FOUND;
}

static bool port_of(const struct decap_options *o, enum decap_tunnel t, uint16_t port)
{
	for (size_t i = 0; i < DECAP_PORTS; i++)
		if (o->ports[t][i] == port && port != 0)
			return true;
	return false;
}

/* The tunnel that lives on a port, or DECAP_TUNNELS. */
static enum decap_tunnel tunnel_on(const struct decap *d, uint16_t port)
{
	if ((d->ports[port / 64] >> (port % 64) & 1) == 0)
		return DECAP_TUNNELS;
	for (int t = 0; t < DECAP_UDP_TUNNELS; t++)
		if (port_of(&d->options, (enum decap_tunnel)t, port))
			return (enum decap_tunnel)t;
	return DECAP_TUNNELS;
}

/* The datagram stands in d->out, to be given if what follows turns out to be no tunnel. */
static enum layer tunnel(struct decap *d, struct walk *w, enum decap_tunnel t, uint16_t port)
{
	static const uint8_t layers[DECAP_UDP_TUNNELS] = {
		[DECAP_VXLAN] = LAYER_VXLAN,
		[DECAP_GENEVE] = LAYER_GENEVE,
		[DECAP_GTPU] = LAYER_GTPU,
		[DECAP_TZSP] = LAYER_TZSP,
		[DECAP_HEP] = LAYER_HEP,
		[DECAP_L2TP] = LAYER_L2TP,
		[DECAP_ESP] = LAYER_ESP_UDP,
	};

	w->tunnel = t;
	w->tunnel_port = port;
	if (!d->options.leave[t])
		return (enum layer)layers[t];
	d->count[COUNT_WRAPPED]++;
	left_add(d, DECAP_LEFT_TUNNEL, t, port, false);
	return END_FOUND;
}

enum layer transport_udp(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	uint16_t port;
	enum decap_tunnel t;
	size_t length;

	if (w->in.len < 8)
		return walk_short(w);
	length = be16(p + 4);
	if (length < 8 || length > w->in.len + w->missing)
		return END_BROKEN;
	walk_clip(w, length);
	found(d, w, IP_PROTO_UDP, 8);
	port = d->out.flow.dst.port;
	t = tunnel_on(d, port);
	if (t == DECAP_TUNNELS) {
		port = d->out.flow.src.port;
		t = tunnel_on(d, port);
	}
	return t == DECAP_TUNNELS ? END_FOUND : tunnel(d, w, t, port);
}

/* A segment that begins with HEP, to the port of its collector or of a probe: nothing here follows connections. */
static void count_hep(struct decap *d)
{
	const struct flow *f = &d->out.flow;

	d->count[COUNT_HEP_TCP] += (tunnel_on(d, f->dst.port) == DECAP_HEP || tunnel_on(d, f->src.port) == DECAP_HEP) &&
				   d->out.payload.len >= 4 && memcmp(d->out.payload.at, "HEP3", 4) == 0;
}

enum layer transport_tcp(struct decap *d, struct walk *w)
{
	size_t header;

	if (w->in.len < 20)
		return walk_short(w);
	header = (w->in.at[12] >> 4) * 4u;
	if (header < 20)
		return END_BROKEN;
	if (header > w->in.len)
		return walk_short(w);
	found(d, w, IP_PROTO_TCP, header);
	count_hep(d);
	return END_FOUND;
}

enum layer transport_sctp(struct decap *d, struct walk *w)
{
	return w->in.len >= 12 ? found(d, w, IP_PROTO_SCTP, 12) : walk_short(w);
}
