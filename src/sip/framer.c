/*
 * framer: in. Which direction of which connection a segment belongs to, whether that is known to carry SIP, or begins to.
 */
#include "framer.h"

#include <stdlib.h>

#include "cutter.h"
#include "envelope.h"
#include "halves.h"
#include "recognise.h"

#define SIPS_PORT 5061
#define NEAR      65536 /* octets; so far behind its SYN a segment may have overtaken the first */
#define NEAR_TSN  64

struct framer {
	struct halves *halves;
	struct cutter cutter;
	struct datagram packet; /* SCTP: whose chunks are being taken */
	struct bytes chunks;
	uint32_t tag;
	nsec_t now;
	uint64_t tls, other;
};

struct framer *framer_new(void)
{
	struct framer *f = calloc(1, sizeof(*f));

	if (f != NULL && (f->halves = halves_new()) == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void framer_free(struct framer *f)
{
	if (f == NULL)
		return;
	halves_free(f->halves);
	cutter_clear(&f->cutter);
	free(f);
}

void framer_time(struct framer *f, nsec_t at)
{
	struct half *h;

	if (at > f->now)
		f->now = at;
	while ((h = halves_waited(f->halves, f->now)) != NULL) {
		sequence_give_up(&h->stream);
		halves_ready(f->halves, h);
	}
}

void framer_end(struct framer *f)
{
	for (struct half *h = f->halves->oldest; h != NULL; h = h->newer) {
		h->leaving = true;
		halves_ready(f->halves, h);
	}
}

static struct half *add(struct framer *f, const struct flow *key, enum half_kind kind, uint32_t first)
{
	struct half *h = halves_add(f->halves, key);

	if (h == NULL)
		return NULL;
	h->kind = kind;
	sequence_open(&h->stream, first);
	return h;
}

static void count_tls(struct framer *f, const struct flow *flow, enum kind_seen seen)
{
	f->tls += seen == SEEN_TLS_SIP || flow->src.port == SIPS_PORT || flow->dst.port == SIPS_PORT;
}

/* The SYN of this connection was seen: what overtook its first segment waits for it, if that may be text. */
static struct half *begin_known(
	struct framer *f, const struct datagram *d, uint32_t seq, uint32_t first, enum kind_seen seen)
{
	bool sip = seen == SEEN_SIP || seen == SEEN_MAYBE;

	if (seq != first && (sip || recognise_text(d->payload)))
		return add(f, &d->flow, HALF_SIP, first);
	halves_forget(f->halves, &d->flow);
	return seq == first && sip ? add(f, &d->flow, HALF_SIP, first) : NULL;
}

/* What carries the messages: WebSocket, or TCP itself. */
static void set_kind(struct half *h, enum kind_seen seen)
{
	h->kind = seen == SEEN_UPGRADE || seen == SEEN_WEBSOCKET ? HALF_WEBSOCKET : HALF_SIP;
	websocket_clear(&h->websocket);
	h->websocket = (struct websocket){ .state = seen == SEEN_UPGRADE ? WS_HTTP : WS_FRAMES };
}

/* A segment with payload of a connection that is not known for SIP. NULL: it still is not. */
static struct half *begin(struct framer *f, const struct datagram *d, uint32_t seq)
{
	uint32_t first;
	size_t offset;
	enum kind_seen seen = recognise(d->payload, &offset);
	bool known = halves_began(f->halves, &d->flow, &first);
	struct half *h = NULL;

	if (seen == SEEN_TLS || seen == SEEN_TLS_SIP)
		count_tls(f, &d->flow, seen);
	f->cutter.count[COUNT_PACKED] += seen == SEEN_NOTHING && websocket_packed(d->payload);
	if (seen == SEEN_UPGRADE || seen == SEEN_WEBSOCKET)
		h = add(f, &d->flow, HALF_WEBSOCKET, seq);
	else if (known && seq - first < NEAR && !(seen == SEEN_SIP && seq == first))
		return begin_known(f, d, seq, first, seen);
	else if (seen == SEEN_SIP)
		h = add(f, &d->flow, HALF_SIP, seq + (uint32_t)offset);
	if (h != NULL)
		set_kind(h, seen);
	return h;
}

/* It is far from where it should be, or behind the end: a new connection with the same ports whose SYN was not seen. */
static void begin_anew(struct framer *f, struct half *h, const struct arrival *a)
{
	size_t offset;
	bool overlapped;
	enum kind_seen seen = recognise(a->octets, &offset);

	if (h->kind == HALF_SCTP || (seen != SEEN_SIP && seen != SEEN_UPGRADE && seen != SEEN_WEBSOCKET))
		return;
	f->cutter.count[COUNT_GAPS] += !h->done;
	buf_clear(&h->rest);
	sequence_open(&h->stream, a->seq);
	h->splitter = (struct splitter){ .state = AT_GARBAGE };
	set_kind(h, seen);
	h->done = false;
	sequence_take(&h->stream, a, &overlapped);
}

static void arrive(struct framer *f, struct half *h, const struct arrival *a)
{
	bool overlapped;
	enum sequence_fate fate = sequence_take(&h->stream, a, &overlapped);

	f->cutter.count[COUNT_SEGMENTS]++;
	f->cutter.count[COUNT_OLD] += fate == SEQUENCE_OLD;
	f->cutter.count[COUNT_OVERLAPS] += overlapped && fate != SEQUENCE_OLD;
	if (fate == SEQUENCE_FAR || (h->done && fate != SEQUENCE_OLD))
		begin_anew(f, h, a);
}

/* The segment is in: what can be taken out, and what it waits for. */
static void settle(struct framer *f, struct half *h)
{
	halves_ready(f->halves, h);
	halves_wait(f->halves, h, f->now);
	halves_used(f->halves, h);
}

/* A SYN: again the same, or the end of what had these ports before. */
static void take_syn(struct framer *f, struct half *h, const struct flow *flow, uint32_t first)
{
	if (h != NULL && h->stream.first == first)
		return;
	halves_begins(f->halves, flow, first);
	if (h != NULL) {
		h->leaving = true;
		halves_ready(f->halves, h);
	}
}

static void take_tcp(struct framer *f, const struct datagram *d)
{
	struct arrival a = { .span = (uint32_t)d->payload.len, .source = d->source, .at = d->at, .octets = d->payload };
	struct tcp_head head;
	struct half *h;

	if (!tcp_read(d, &head) || (d->payload.len == 0 && (head.flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0))
		return;
	h = halves_find(f->halves, &d->flow);
	a.seq = head.seq + ((head.flags & TCP_SYN) != 0);
	a.lost = head.lost;
	if ((head.flags & TCP_SYN) != 0)
		take_syn(f, h, &d->flow, a.seq);
	if (h == NULL && a.span > 0) {
		uint64_t tls = f->tls;

		h = begin(f, d, a.seq);
		f->other += h == NULL && f->tls == tls;
	}
	if (h == NULL || h->leaving)
		return;
	h->flow = d->flow;
	h->ack = (head.flags & TCP_ACK) != 0 ? head.ack : h->ack;
	if (a.span > 0)
		arrive(f, h, &a);
	if ((head.flags & (TCP_FIN | TCP_RST)) != 0)
		sequence_end(&h->stream, a.seq + a.span + a.lost);
	settle(f, h);
}

static struct flow sctp_key(const struct flow *flow, uint32_t tag)
{
	struct flow key = { .src = { .port = flow->src.port }, .dst = { .port = flow->dst.port } };

	memcpy(key.src.ip, &tag, sizeof(tag));
	return key;
}

/* A DATA chunk of an association that is not known for SIP. */
static struct half *begin_sctp(struct framer *f, const struct flow *key, const struct sctp_data *data)
{
	const struct flow *flow = &f->packet.flow;
	uint32_t first = 0;
	bool known = halves_began(f->halves, flow, &first) && data->tsn - first < NEAR_TSN;
	size_t idle = start_idle(data->octets);
	bool sip = data->begins && start_seen(bytes_part(data->octets, idle, SIZE_MAX), 0) >= START_LIKELY;

	if (known && data->tsn == first)
		halves_forget(f->halves, flow);
	if (known && (sip || (data->tsn != first && recognise_text(data->octets))))
		return add(f, key, HALF_SCTP, first);
	return sip ? add(f, key, HALF_SCTP, data->tsn) : NULL;
}

static void take_chunk(struct framer *f, struct bytes chunk)
{
	struct arrival a = { .span = 1, .source = f->packet.source, .at = f->packet.at, .octets = chunk };
	struct flow key = sctp_key(&f->packet.flow, f->tag);
	struct sctp_data data;
	uint32_t first;
	struct half *h;

	if (sctp_first_tsn(chunk, &first))
		halves_begins(f->halves, &f->packet.flow, first);
	if (!sctp_data(chunk, &data))
		return;
	h = halves_find(f->halves, &key);
	if (h == NULL)
		h = begin_sctp(f, &key, &data);
	if (h == NULL || h->leaving)
		return;
	h->flow = f->packet.flow;
	h->tag = f->tag;
	a.seq = data.tsn;
	arrive(f, h, &a);
	settle(f, h);
}

void framer_take(struct framer *f, const struct datagram *segment)
{
	struct datagram left;

	while (framer_next(f, &left))
		; /* it lies in memory that was lent until now */
	framer_time(f, segment->at);
	if (segment->proto == IP_PROTO_TCP)
		take_tcp(f, segment);
	if (segment->proto == IP_PROTO_SCTP && envelope_tag(segment, &f->tag)) {
		f->packet = *segment;
		f->chunks = segment->payload;
	}
}

static bool sctp_sip(struct bytes chunks)
{
	struct sctp_data data;
	struct bytes chunk;
	size_t offset;

	while (sctp_chunk(&chunks, &chunk))
		if (sctp_data(chunk, &data) && data.begins && recognise(data.octets, &offset) == SEEN_SIP)
			return true;
	return false;
}

bool framer_pass(struct framer *f, const struct datagram *segment)
{
	size_t offset;
	enum kind_seen seen;

	if (segment->proto != IP_PROTO_TCP || segment->payload.len == 0)
		return segment->proto == IP_PROTO_SCTP && sctp_sip(segment->payload);
	seen = recognise(segment->payload, &offset);
	if (seen == SEEN_TLS || seen == SEEN_TLS_SIP)
		count_tls(f, &segment->flow, seen);
	return seen == SEEN_SIP || seen == SEEN_UPGRADE || seen == SEEN_WEBSOCKET;
}

/* One of those that may have something; false when none is left. */
static bool next_ready(struct framer *f, struct datagram *message)
{
	struct half *h;

	while ((h = f->halves->ready_first) != NULL) {
		if (cutter_next(&f->cutter, h, message))
			return true;
		halves_pop_ready(f->halves);
		if (h->leaving || h->drop) {
			halves_remove(f->halves, h);
			continue;
		}
		halves_wait(f->halves, h, f->now);
		halves_used(f->halves, h);
	}
	return false;
}

bool framer_next(struct framer *f, struct datagram *message)
{
	struct bytes chunk;

	for (;;) {
		if (next_ready(f, message))
			return true;
		if (!sctp_chunk(&f->chunks, &chunk)) {
			f->chunks = (struct bytes){ NULL, 0 }; /* what is left is no chunk */
			return false;
		}
		take_chunk(f, chunk);
	}
}

size_t framer_counts(const struct framer *f, struct counter *out, size_t max)
{
	const struct counter all[FRAMER_COUNTS] = {
		{ "tcp_segments", f->cutter.count[COUNT_SEGMENTS] },
		{ "tcp_retransmitted", f->cutter.count[COUNT_OLD] },
		{ "tcp_overlaps", f->cutter.count[COUNT_OVERLAPS] },
		{ "tcp_gaps", f->cutter.count[COUNT_GAPS] },
		{ "tcp_resync", f->cutter.count[COUNT_RESYNCS] },
		{ "tcp_refused", f->cutter.count[COUNT_REFUSED] },
		{ "tcp_too_long", f->cutter.count[COUNT_TOO_LONG] },
		{ "tcp_cut", f->cutter.count[COUNT_CUT] },
		{ "tcp_evicted", f->halves->evicted },
		{ "sip_tcp", f->cutter.count[COUNT_SIP] },
		{ "websocket", f->cutter.count[COUNT_WEBSOCKET] },
		{ "sctp", f->cutter.count[COUNT_SCTP] },
		{ "websocket_unpacked", f->cutter.count[COUNT_UNPACKED] },
		{ "websocket_packed", f->cutter.count[COUNT_PACKED] },
		{ "sip_tls", f->tls },
		{ "tcp_other", f->other },
	};
	size_t n = 0;

	for (; n < FRAMER_COUNTS && n < max; n++)
		out[n] = all[n];
	return n;
}
