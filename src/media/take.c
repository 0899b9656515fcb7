/* take: which call and stream a datagram is of, and whether there is room for one more. */
#include "state.h"

#define SILENCE (60 * NSEC_PER_SEC)
#define EVICTED ((size_t)64 << 10) /* octets that are given up at once */

/* Where a datagram goes, as far as is known. */
struct aim {
	struct call *call;
	struct spot *spot; /* NULL: it came back, and the place is another call's by now */
	bool learned;      /* only its source is known */
	bool again;        /* it came back */
	nsec_t own;        /* when it came, by the stage's own time */
};

static bool formats_have(const struct spot *spot, uint8_t pt)
{
	for (uint8_t i = 0; i < spot->line_count; i++)
		for (uint8_t j = 0; j < spot->lines[i]->format_count; j++)
			if (spot->lines[i]->formats[j].pt == pt)
				return true;
	return false;
}

/* RFC 5761 4: packet types 192 to 223, unless that payload type was agreed on and RTCP goes elsewhere. */
static enum media_sort sort_of(const struct spot *spot, const struct datagram *in)
{
	if (spot == NULL)
		return rtcp_looks(in->payload) ? MEDIA_RTCP : MEDIA_RTP;
	if (rtcp_looks(in->payload) && (spot->rtcp || !formats_have(spot, in->payload.at[1] & 0x7f)))
		return MEDIA_RTCP;
	return spot->rtp ? MEDIA_RTP : MEDIA_NEITHER;
}

static void describe(struct stream *s, const struct aim *t)
{
	if (t->spot != NULL && t->spot->call == s->call)
		stream_describe(s, t->spot, t->learned);
}

/* The stream for a first packet: NULL when the call is over, or memory is. */
static struct stream *begin(const struct aim *t, const struct datagram *in, uint32_t ssrc, bool rtcp)
{
	struct stream *s;

	if (t->call->closed != NSEC_NONE && t->own > t->call->closed + NEW_AFTER_CLOSE)
		return NULL;
	s = stream_new(t->call, &in->flow, ssrc, rtcp);
	if (s == NULL)
		return NULL;
	s->late = t->call->closed != NSEC_NONE;
	describe(s, t);
	return s;
}

/*
 * Room for one more undecided SSRC. Where another has authenticated, a crowd is a flood of forgeries: only what opens at
 * once is believed. Else the oldest is decided. False: the packet is forged.
 */
static bool admit(struct media *m, struct stream *s, struct parcel *p)
{
	struct stream *oldest;
	bool authentic;
	bool full = table_size(s->call->streams) > STREAMS_MAX;
	bool crowd = stream_undecided_beside(s, &oldest, &authentic) >= UNDECIDED_MAX;

	if (!full && !crowd)
		return true;
	if (full || authentic)
		return !p->truncated && prove_all(s, p);
	if (oldest == NULL)
		return true;
	stream_settle(m, oldest);
	stream_forget(oldest);
	return true;
}

/*
 * A place may have become somebody else's when the end of the call was not seen: ports are used again. After silence, only what
 * goes between two places of the call is believed without a key.
 */
static bool believed(const struct media *m, const struct aim *t, const struct datagram *in)
{
	const struct spot *peer = places_find(&m->places, t->learned ? &in->flow.dst : &in->flow.src);

	return t->again || t->own <= t->spot->heard + SILENCE ||
	       (peer != NULL && (peer->call == t->call || peer->before == t->call));
}

static void take_stream(
	struct media *m, const struct aim *t, const struct datagram *in, const struct rtp *rtp, uint32_t ssrc)
{
	bool rtcp = rtp == NULL;
	struct stream *s = stream_find(t->call, &in->flow, ssrc, rtcp);
	bool first = s == NULL;
	struct parcel *p;

	if (first)
		s = begin(t, in, ssrc, rtcp);
	else
		describe(s, t);
	p = s != NULL ? parcel_new(&m->pool, in) : NULL;
	if (p == NULL)
		return;
	p->call = t->call;
	p->own = t->own;
	p->sort = rtcp ? MEDIA_RTCP : MEDIA_RTP;
	p->ssrc = ssrc;
	if (!rtcp) {
		if (first)
			s->highest = s->lowest = rtp->seq;
		p->place = rtp_index(s->highest, rtp->seq);
		p->pt = rtp->pt;
		p->timestamp = rtp->timestamp;
	}
	if (first && !believed(m, t, in) && (in->truncated || !prove_all(s, p))) {
		stream_forget(s);
		parcel_drop(&m->pool, p);
		return;
	}
	t->call->heard = t->own;
	if (t->spot != NULL)
		t->spot->heard = t->own;
	if (first && !admit(m, s, p)) {
		stream_forget(s);
		parcel_ready(m, p, MEDIA_FORGED, SEAL_NONE);
		return;
	}
	p->stream = s;
	stream_take(m, s, p, t->again);
}

static void take_neither(struct media *m, const struct aim *t, const struct datagram *in)
{
	struct parcel *p;

	if (t->learned)
		return; /* nothing shows that it is of this call */
	if (in->payload.len > 0 && in->payload.at[0] >= 20 && in->payload.at[0] <= 63)
		t->call->dtls_seen = true; /* RFC 7983 */
	p = parcel_new(&m->pool, in);
	if (p == NULL)
		return;
	p->call = t->call;
	p->own = t->own;
	p->sort = MEDIA_NEITHER;
	parcel_ready(m, p, MEDIA_BROKEN, SEAL_NONE);
}

/* The newest call that has the address; an older one, still open, keeps the streams that it knows there. What goes to a call that is over,
 * but comes from one that is not, is of that one: where it goes to was not said yet. */
static bool aim_at(const struct media *m, const struct datagram *in, struct aim *out)
{
	struct spot *spot = places_find(&m->places, &in->flow.dst), *src = NULL;

	if (spot == NULL || spot->call->closed != NSEC_NONE)
		src = places_find(&m->places, &in->flow.src);
	out->learned = src != NULL && (spot == NULL || src->call->closed == NSEC_NONE);
	if (out->learned)
		spot = src;
	if (spot == NULL)
		return false;
	out->spot = spot;
	out->call = spot->call;
	out->own = media_own(m, in->at);
	out->again = false;
	return true;
}

bool media_wants_late(const struct media *m, const struct datagram *in)
{
	struct aim t;

	return aim_at(m, in, &t) && t.call->closed != NSEC_NONE;
}

static void aim_at_known(struct aim *t, const struct datagram *in, uint32_t ssrc, bool rtcp)
{
	if (t->spot->before != NULL && stream_find(t->spot->before, &in->flow, ssrc, rtcp) != NULL)
		t->call = t->spot->before;
}

/* Of calls that hold most the oldest packets are given up first, for what all of them may hold; those that can go elsewhere do. */
static void evict(struct media *m)
{
	struct call *most = NULL;
	size_t until;

	for (struct call *c = m->calls; c != NULL; c = c->next)
		if (c->oldest != NULL && (most == NULL || c->held_octets > most->held_octets) &&
			!(m->options.spill && c->waits))
			most = c;
	for (struct call *c = m->calls; c != NULL && most == NULL; c = c->next)
		most = c->oldest != NULL ? c : NULL;
	if (most == NULL)
		return;
	until = most->held_octets > EVICTED ? most->held_octets - EVICTED : 0;
	for (; most->oldest != NULL && most->held_octets > until; m->counts[COUNT_EVICTED]++)
		stream_settle_oldest(m, most);
}

static void keep_bounds(struct media *m, struct call *c)
{
	while (c->held_octets > m->options.hold_octets)
		stream_settle_oldest(m, c);
	if (m->options.hold_octets_all > 0 && m->held_octets > m->options.hold_octets_all)
		evict(m);
}

void media_take(struct media *m, const struct datagram *in)
{
	struct aim t;
	struct rtp rtp;
	enum media_sort sort;
	uint32_t ssrc = 0;

	media_take_back(m);
	if (in->proto != IP_PROTO_UDP || !aim_at(m, in, &t))
		return;
	sort = sort_of(t.spot, in);
	if (sort == MEDIA_RTP && !rtp_parse(in->payload, &rtp))
		sort = MEDIA_NEITHER;
	if (sort != MEDIA_NEITHER) {
		ssrc = sort == MEDIA_RTP ? rtp.ssrc : rtcp_ssrc(in->payload);
		aim_at_known(&t, in, ssrc, sort == MEDIA_RTCP);
	}
	if (!call_covered(t.call, in->at) || call_over(m, t.call, t.own))
		return;
	if (sort == MEDIA_NEITHER) {
		take_neither(m, &t, in);
		return;
	}
	m->counts[sort == MEDIA_RTP ? COUNT_RTP : COUNT_RTCP]++;
	take_stream(m, &t, in, sort == MEDIA_RTP ? &rtp : NULL, ssrc);
	keep_bounds(m, t.call);
}

void take_again(struct media *m, struct call *c, const struct datagram *in)
{
	struct aim t;
	struct rtp rtp;
	enum media_sort sort;

	if (in->proto != IP_PROTO_UDP)
		return;
	if (!aim_at(m, in, &t) || t.call != c)
		t = (struct aim){ .call = c, .own = media_own(m, in->at) };
	t.again = true;
	sort = sort_of(t.spot, in);
	if (sort == MEDIA_RTP && rtp_parse(in->payload, &rtp))
		take_stream(m, &t, in, &rtp, rtp.ssrc);
	else if (sort == MEDIA_RTCP)
		take_stream(m, &t, in, NULL, rtcp_ssrc(in->payload));
	keep_bounds(m, c);
}
