/*
 * cutter: octets are looked at where they lie, in the segment if they can be; only what is not a whole message yet is
 * copied, and each octet is moved once at most.
 */
#include "cutter.h"

#include "envelope.h"
#include "recognise.h"

#define USELESS_MAX     ((size_t)2 << 20)  /* octets without a message: it carries something else */
#define USELESS_UNHEARD ((size_t)64 << 10) /* and when it never gave one */

void cutter_clear(struct cutter *c)
{
	buf_clear(&c->out);
}

/* The front of the view is used up. */
static void use(struct cutter *c, struct half *h, size_t octets)
{
	bool lost = h->kind == HALF_WEBSOCKET ? h->websocket.state == WS_LOST : h->splitter.state >= AT_GARBAGE;

	c->view = bytes_part(c->view, octets, SIZE_MAX);
	h->seq += (uint32_t)octets;
	h->useless = lost ? h->useless + octets : 0;
}

/* What is left of the view waits in `rest`. */
static void put_by(struct cutter *c, struct half *h)
{
	if (!c->in_hand)
		return;
	if (c->view.len == 0)
		buf_clear(&h->rest);
	else if (c->lent)
		buf_add(&h->rest, c->view.at, c->view.len);
	else if (c->view.at != h->rest.at)
		memmove(h->rest.at, c->view.at, c->view.len);
	if (h->rest.at != NULL)
		h->rest.len = c->view.len;
	c->view = (struct bytes){ NULL, 0 };
	c->in_hand = false;
}

/* A packet with `octets`, to be unmasked when there is a mask, as its payload. False: out of memory. */
static bool make(
	struct cutter *c, struct half *h, struct bytes octets, const uint8_t *mask, uint32_t seq, struct datagram *out)
{
	struct envelope e = { .flow = h->flow, .proto = IP_PROTO_TCP, .seq = seq, .ack = h->ack };
	uint8_t *to;

	if (h->kind == HALF_SCTP) {
		e.proto = IP_PROTO_SCTP;
		e.seq = h->user.tsn;
		e.tag = h->tag;
		memcpy(e.label, h->user.label, sizeof(e.label));
	}
	to = envelope_open(&c->out, &e, octets.len);
	if (to == NULL)
		return false;
	if (mask != NULL)
		websocket_unmask(to, octets, mask);
	else
		memcpy(to, octets.at, octets.len);
	*out = (struct datagram){ .at = h->at, .source = h->source, .proto = e.proto, .flow = h->flow, .framed = true };
	out->packet = envelope_seal(&c->out, &e, octets.len, &out->payload);
	out->header = envelope_header(&e);
	return true;
}

static bool make_sip(struct cutter *c, struct half *h, struct bytes octets, bool partly, struct datagram *out)
{
	if (!make(c, h, octets, NULL, h->seq, out))
		return false;
	h->heard = true;
	out->truncated = partly;
	c->count[h->kind == HALF_SCTP ? COUNT_SCTP : COUNT_SIP]++;
	c->count[COUNT_CUT] += partly;
	return true;
}

static void harvest(struct cutter *c, struct half *h)
{
	struct splitter *s = &h->splitter;
	struct websocket *ws = &h->websocket;

	h->heard |= s->too_long > 0;
	h->drop |= !h->heard && (s->resyncs > 0 || ws->lost > 0); /* it only looked like SIP */
	if (!h->drop)
		c->count[COUNT_RESYNCS] += s->resyncs + ws->lost;
	c->count[COUNT_REFUSED] += s->refused;
	c->count[COUNT_TOO_LONG] += s->too_long + ws->too_long;
	c->count[COUNT_PACKED] += ws->packed;
	c->count[COUNT_UNPACKED] += ws->unpacked;
	s->resyncs = s->refused = s->too_long = ws->lost = ws->too_long = ws->packed = 0;
	ws->unpacked = 0;
}

/* TCP, or a user message of SCTP that is whole. */
static bool cut_sip(struct cutter *c, struct half *h, struct datagram *out)
{
	bool last = h->kind == HALF_SCTP, made = false;
	size_t used;
	enum cut cut;

	while (!made && !h->drop && (cut = splitter_cut(&h->splitter, c->view, last, &used)) != CUT_MORE) {
		if (cut != CUT_SKIP)
			made = make_sip(c, h, bytes_part(c->view, 0, used), cut == CUT_PARTLY, out);
		use(c, h, used);
		harvest(c, h);
	}
	return made;
}

static bool cut_sctp(struct cutter *c, struct half *h, struct datagram *out)
{
	if (!h->user_whole)
		return false;
	if (cut_sip(c, h, out))
		return true;
	use(c, h, c->view.len); /* what is left of the user message is no message of SIP */
	h->splitter = (struct splitter){ 0 };
	h->user_whole = false;
	return false;
}

static bool cut_websocket(struct cutter *c, struct half *h, struct datagram *out)
{
	struct websocket_message m;
	enum websocket_cut cut;
	bool made = false;
	size_t used;

	while (!made && !h->drop && (cut = websocket_cut(&h->websocket, c->view, &used, &m)) != WS_MORE) {
		if (cut == WS_MESSAGE && make(c, h, m.payload, m.mask, h->seq + (uint32_t)m.at, out))
			made = start_seen(bytes_part(out->payload, start_idle(out->payload), SIZE_MAX), 0) == START_YES;
		h->heard |= made;
		c->count[COUNT_WEBSOCKET] += made;
		use(c, h, used);
		harvest(c, h);
	}
	return made;
}

static bool cut(struct cutter *c, struct half *h, struct datagram *out)
{
	switch (h->kind) {
	case HALF_SIP:
		return cut_sip(c, h, out);
	case HALF_WEBSOCKET:
		return cut_websocket(c, h, out);
	case HALF_SCTP:
		return cut_sctp(c, h, out);
	}
	return false;
}

static void lose(struct half *h, uint32_t lost)
{
	splitter_lose(&h->splitter, h->rest.len, lost);
	websocket_lose(&h->websocket, h->rest.len, lost);
	h->user_open = false;
	buf_clear(&h->rest);
}

/* A chunk's octets, if they belong to a user message whose begin was seen. */
static struct bytes user_octets(struct half *h, const struct arrival *a)
{
	struct sctp_data data = { 0 };

	sctp_data(a->octets, &data);
	if (data.begins) {
		buf_clear(&h->rest);
		h->user = data;
		h->user.octets = (struct bytes){ NULL, 0 };
		h->user_open = true;
		h->splitter = (struct splitter){ 0 };
	}
	if (!h->user_open || h->rest.len + data.octets.len > LENGTH_MAX) {
		h->user_open = false;
		return (struct bytes){ NULL, 0 };
	}
	h->user_whole = data.ends;
	h->user_open = !data.ends;
	return data.octets;
}

/* Octets in order: the view is what was left, and they. */
static void receive(struct cutter *c, struct half *h, const struct arrival *a)
{
	struct bytes octets = h->kind == HALF_SCTP ? user_octets(h, a) : a->octets;

	h->at = a->at > h->at ? a->at : h->at;
	h->source = a->source;
	c->in_hand = true;
	c->lent = h->rest.len == 0;
	c->view = octets;
	if (c->lent) {
		h->seq = a->seq;
	} else if (buf_add(&h->rest, octets.at, octets.len)) {
		c->view = buf_bytes(&h->rest);
	} else {
		lose(h, (uint32_t)octets.len);
		c->view = (struct bytes){ NULL, 0 };
	}
}

/* What is there of a message whose rest will not come, if that is more than its start-line; false: there is none. */
static bool give_partly(struct cutter *c, struct half *h, uint32_t lost, struct datagram *out)
{
	bool partly = h->kind == HALF_SIP && h->splitter.state == AT_HEADER && h->rest.len > 0;
	bool made = partly && make_sip(c, h, buf_bytes(&h->rest), true, out);

	lose(h, lost);
	return made;
}

static bool waits_too_long(const struct half *h)
{
	return h->leaving || h->stream.held_count > HOLE_ARRIVALS_MAX || h->stream.held_octets > HOLE_OCTETS_MAX;
}

bool cutter_next(struct cutter *c, struct half *h, struct datagram *out)
{
	struct arrival a;

	for (;;) {
		if (cut(c, h, out))
			return true;
		put_by(c, h);
		h->drop |= h->useless > (h->heard ? USELESS_MAX : USELESS_UNHEARD);
		if (h->drop)
			return false;
		if (sequence_next(&h->stream, &a)) {
			c->count[COUNT_GAPS] += a.gap;
			if (!a.gap)
				receive(c, h, &a);
			else if (give_partly(c, h, a.span, out))
				return true;
			continue;
		}
		if (sequence_waits(&h->stream) && waits_too_long(h)) {
			sequence_give_up(&h->stream);
			continue;
		}
		if (!h->leaving && !sequence_ended(&h->stream))
			return false;
		h->done = true;
		return give_partly(c, h, 0, out);
	}
}
