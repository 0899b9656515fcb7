/* findings: of decap's kinds that were left, of UDP that nobody takes, and of counters that mean a loss, in this order. */
#include "findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otway/model/counter.h"
#include "otway/decap.h"

static const struct {
	uint32_t id;
	const char *name;
} ethertypes[] = { { 0x0806, "ARP" }, { 0x8035, "RARP" }, { 0x8809, "LACP" }, { 0x8863, "PPPoE discovery" },
	{ 0x888e, "802.1X" }, { 0x88cc, "LLDP" }, { 0x88f7, "PTP" }, { 0x8902, "CFM" }, { 0x9000, "loop test" },
	{ 0x88e5, "MACsec: encrypted" } },
  protocols[] = { { 1, "ICMP" }, { 2, "IGMP" }, { 50, "ESP" }, { 58, "ICMPv6" }, { 88, "EIGRP" }, { 89, "OSPF" },
	  { 103, "PIM" }, { 112, "VRRP" }, { 115, "L2TP version 3" }, { 47, "GRE" } };

static const char *ethertype_name(uint32_t id)
{
	for (size_t i = 0; i < COUNT_OF(ethertypes); i++)
		if (ethertypes[i].id == id)
			return ethertypes[i].name;
	return "unknown";
}

static const char *protocol_name(uint32_t id)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (protocols[i].id == id)
			return protocols[i].name;
	return "unknown";
}

/* "VXLAN" for "vxlan": as people write it. */
static const char *tunnel_title(enum decap_tunnel t)
{
	static const char *const titles[DECAP_TUNNELS] = {
		[DECAP_VXLAN] = "VXLAN",
		[DECAP_GENEVE] = "Geneve",
		[DECAP_GTPU] = "GTP-U",
		[DECAP_TZSP] = "TZSP",
		[DECAP_HEP] = "HEP",
		[DECAP_L2TP] = "L2TP",
		[DECAP_ESP] = "ESP",
		[DECAP_MPLS] = "MPLS",
		[DECAP_PPPOE] = "PPPoE",
		[DECAP_GRE] = "GRE",
		[DECAP_ERSPAN] = "ERSPAN",
		[DECAP_IPIP] = "IP in IP",
	};

	return titles[t];
}

#define say(f, ...) snprintf((f)->text, sizeof((f)->text), __VA_ARGS__)

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void tell_tunnel(const struct decap_left *l, struct finding *f)
{
	const char *title = tunnel_title(l->tunnel);

	f->name = decap_tunnel_name(l->tunnel);
	f->id = l->id != 0 ? (long)l->id : -1;
	if (l->kind == DECAP_LEFT_NOT_TUNNEL)
		say(f,
			"UDP port %" PRIu32
			", which is %s's, and not that or nothing readable in it, taken as it is: %" PRIu64 " packet%s",
			l->id, title, l->packets, plural(l->packets));
	else if (l->id != 0)
		say(f,
			"un-stripped %s on UDP port %" PRIu32 ": %" PRIu64
			" packet%s; to unwrap it take '%s' out of decap: leave",
			title, l->id, l->packets, plural(l->packets), f->name);
	else
		say(f, "un-stripped %s: %" PRIu64 " packet%s; to unwrap it take '%s' out of decap: leave", title,
			l->packets, plural(l->packets), f->name);
}

static void tell_kind(const struct decap_left *l, struct finding *f)
{
	const char *s = plural(l->packets), *no_ip = l->known ? "which bears no IP" : "which cannot be taken apart";

	f->id = (long)l->id;
	if (l->kind == DECAP_LEFT_ETHERTYPE)
		say(f, "ethertype 0x%04" PRIx32 " (%s), %s: %" PRIu64 " frame%s", l->id, ethertype_name(l->id), no_ip,
			l->packets, s);
	else if (l->kind == DECAP_LEFT_PROTOCOL)
		say(f, "IP protocol %" PRIu32 " (%s), %s: %" PRIu64 " packet%s", l->id, protocol_name(l->id),
			l->known ? "which bears no signalling or media" : "which cannot be taken apart", l->packets, s);
	else if (l->kind == DECAP_LEFT_PPP)
		say(f, "PPP protocol 0x%04" PRIx32 ", %s: %" PRIu64 " packet%s", l->id, no_ip, l->packets, s);
	else if (l->kind == DECAP_LEFT_LINK)
		say(f, "link type %" PRIu32 ", %s: %" PRIu64 " frame%s", l->id, no_ip, l->packets, s);
	else if (l->kind == DECAP_LEFT_LLC)
		say(f, "802.2 (spanning tree and its kin), which bears no IP: %" PRIu64 " frame%s", l->packets, s);
	else
		say(f, "further kinds that cannot be taken apart: %" PRIu64 " packet%s", l->packets, s);
}

static void tell_left(const struct decap_left *l, struct finding *f)
{
	static const char *const kinds[DECAP_LEFT_KINDS] = { "tunnel-left", "not-tunnel", "link-type", "ethertype",
		"llc", "ppp", "protocol", "more" };

	*f = (struct finding){ .kind = kinds[l->kind], .id = -1, .packets = l->packets };
	if (l->kind == DECAP_LEFT_TUNNEL || l->kind == DECAP_LEFT_NOT_TUNNEL)
		tell_tunnel(l, f);
	else
		tell_kind(l, f);
	if (l->kind == DECAP_LEFT_LLC || l->kind == DECAP_LEFT_MORE)
		f->id = -1;
}

static void tell_unclaimed(const struct pipeline_unclaimed *u, struct finding *f)
{
	static const char *const kinds[PIPELINE_SORTS] = { "udp-tunnel", "udp-dtls", "udp-rtp", "udp-rtcp", "udp-stun",
		"udp-other" };
	const char *s = plural(u->packets), *tunnel = NULL;

	*f = (struct finding){ .kind = kinds[u->sort], .id = u->port != 0 ? u->port : -1, .packets = u->packets };
	switch (u->sort) {
	case SORT_TUNNEL:
		tunnel = decap_tunnel_name((enum decap_tunnel)u->id);
		f->name = tunnel;
		say(f,
			"un-stripped %s, as it seems, on UDP port %u: %" PRIu64
			" packet%s; to unwrap it add the port to decap: ports: "
			"%s",
			tunnel_title((enum decap_tunnel)u->id), u->port, u->packets, s, tunnel);
		break;
	case SORT_DTLS:
		say(f, "%s: %" PRIu64 " packet%s",
			u->port != 0 ? "SIP over DTLS on UDP port 5061, which is encrypted and never guessed at"
				     : "DTLS, whose keys are in no capture",
			u->packets, s);
		break;
	case SORT_RTP:
		say(f,
			"RTP or SRTP that was of no call under warrant when it came: %" PRIu64
			" packet%s; where it should be of one, the "
			"SDP was not seen or names other addresses",
			u->packets, s);
		break;
	case SORT_RTCP:
		say(f, "RTCP that was of no call under warrant when it came: %" PRIu64 " packet%s", u->packets, s);
		break;
	case SORT_STUN:
		say(f, "STUN, which bears no media: %" PRIu64 " packet%s", u->packets, s);
		break;
	default:
		if (u->port == 0)
			say(f, "UDP of no known kind on further ports: %" PRIu64 " packet%s", u->packets, s);
		else
			say(f, "UDP port %u, of no known kind: %" PRIu64 " packet%s", u->port, u->packets, s);
	}
}

/* A tunnel that is left alone is told as that. */
static bool told_as_left(const struct reading *r, const struct pipeline_unclaimed *u)
{
	struct decap_left l;

	for (size_t i = 0; u->sort == SORT_TUNNEL && pipeline_left(r->pipeline, i, &l); i++)
		if (l.kind == DECAP_LEFT_TUNNEL && l.id == u->port && l.tunnel == u->id)
			return true;
	return false;
}

static bool tell_counter(const struct counter *c, struct finding *f)
{
	const struct counter_words *words = counter_words(c->name);

	if (c->value == 0 || words == NULL || words->lost == NULL)
		return false;
	*f = (struct finding){ .kind = c->name, .id = -1, .packets = c->value };
	say(f, "%" PRIu64 " %s", c->value, words->lost);
	return true;
}

bool findings_at(const struct reading *r, size_t i, struct finding *out)
{
	struct counter counters[READING_COUNTERS];
	struct pipeline_unclaimed u;
	struct decap_left l;
	size_t count;

	for (size_t k = 0; pipeline_left(r->pipeline, k, &l); k++)
		if (i-- == 0) {
			tell_left(&l, out);
			return true;
		}
	for (size_t k = 0; pipeline_unclaimed(r->pipeline, k, &u); k++)
		if (!told_as_left(r, &u) && i-- == 0) {
			tell_unclaimed(&u, out);
			return true;
		}
	count = reading_counts(r, true, counters);
	for (size_t k = 0; k < count; k++)
		if (tell_counter(&counters[k], out) && i-- == 0)
			return true;
	return false;
}
