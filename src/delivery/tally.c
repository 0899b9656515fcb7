/* tally: one reading of the spool while streams keep their order, a second one for those that did not. */
#include "tally.h"

#include <stdlib.h>

/* One stream while it is gone through. */
struct running {
	struct sha256 *payload, *whole;
	bool begun;
	nsec_t at; /* of the last packet */
};

static void running_clear(struct running *r, uint32_t count)
{
	for (uint32_t i = 0; r != NULL && i < count; i++) {
		sha256_free(r[i].payload);
		sha256_free(r[i].whole);
	}
	free(r);
}

/* Anew: for the first time, or because a packet came that belongs before another. */
static bool running_begin(struct running *r, struct held_stream *s)
{
	if (r->payload == NULL) {
		r->payload = sha256_new();
		r->whole = sha256_new();
	}
	if (r->payload == NULL || r->whole == NULL)
		return false;
	sha256_reset(r->payload);
	sha256_reset(r->whole);
	memset(s->bins, 0, sizeof(s->bins));
	s->lost = 0;
	r->begun = false;
	return true;
}

static uint8_t *bin_at(const struct held_call *c, struct held_stream *s, nsec_t at)
{
	nsec_t width = (c->media_last - c->media_first) / HOLDING_BINS + 1;
	nsec_t bin = (at - c->media_first) / width;

	return &s->bins[bin < 0 ? 0 : bin >= HOLDING_BINS ? HOLDING_BINS - 1 : bin];
}

/* Packets missing between two: from where the first of them should have been to where the last. */
static void hole(const struct held_call *c, struct held_stream *s, uint64_t missing, nsec_t from, nsec_t to)
{
	nsec_t step = (to - from) / (nsec_t)(missing < INT32_MAX ? missing + 1 : INT32_MAX);
	uint8_t *bin = bin_at(c, s, from + step), *last = bin_at(c, s, to - step);

	s->lost += missing;
	do
		*bin |= BIN_MISSING;
	while (bin++ < last);
}

/* The next packet of a stream, in the order of its index. */
static void feed(const struct held_call *c, struct held_stream *s, struct running *r, nsec_t at,
	const struct spooled_media *m, struct bytes clear)
{
	if (!r->begun)
		s->first_index = m->index;
	else if (m->index > s->last_index + 1)
		hole(c, s, m->index - s->last_index - 1, r->at, at);
	r->begun = true;
	r->at = at;
	s->last_index = m->index;
	if (m->fate != MEDIA_CLEAR) {
		*bin_at(c, s, at) |= BIN_SEALED;
		return;
	}
	*bin_at(c, s, at) |= BIN_CLEAR;
	sha256_add(r->payload, bytes_part(clear, m->media_at, m->media_len));
	sha256_add(r->whole, clear);
}

/* The stream that a control packet's sender sends (RFC 3550 6.4: the SSRC in octets 4 to 7): on the same ports, on
 * the ports below, between the same hosts, or anywhere: a=rtcp may name another host (RFC 3605). */
static void count_rtcp(const struct holding *h, struct held_call *c, const struct spooled_media *m, struct bytes clear)
{
	struct flow flow = m->flow;
	struct held_stream *s = NULL;
	uint32_t ssrc = clear.len >= 8 ? be32(clear.at + 4) : 0;

	if (clear.len >= 8)
		s = holding_stream(h, c, &flow, ssrc);
	if (clear.len >= 8 && s == NULL) {
		flow.src.port--;
		flow.dst.port--;
		s = holding_stream(h, c, &flow, ssrc);
	}
	if (clear.len >= 8 && s == NULL) {
		flow.src.port = flow.dst.port = 0;
		s = holding_stream(h, c, &flow, ssrc);
	}
	if (clear.len >= 8 && s == NULL) {
		flow = (struct flow){ 0 };
		s = holding_stream(h, c, &flow, ssrc);
	}
	if (s == NULL) {
		c->rtcp_unmatched++;
		return;
	}
	s->rtcp++;
	s->rtcp_decrypted += m->decrypted;
}

static int first_reading(const struct holding *h, struct held_call *c, struct running *all, struct reader *reader,
	bool *disordered, struct err *err)
{
	struct spooled one;
	int got;

	while ((got = reader_next(reader, &one, err)) > 0) {
		struct spooled_media m;
		struct bytes packet, clear;
		struct held_stream *s;

		if (!holding_media(&one, &m, &packet, &clear))
			return err_set(err, "what was put aside is not whole");
		if (m.fate != MEDIA_CLEAR && m.fate != MEDIA_SEALED)
			continue;
		if (m.sort == MEDIA_RTCP)
			count_rtcp(h, c, &m, clear);
		if (m.sort != MEDIA_RTP || m.stream >= c->stream_count)
			continue;
		s = c->streams[m.stream];
		if (all[m.stream].begun && m.index <= s->last_index)
			*disordered = s->disordered = true;
		if (!s->disordered)
			feed(c, s, &all[m.stream], one.at, &m, clear);
	}
	return got;
}

/* One disordered stream, by its marks. */
static int read_again(
	struct held_call *c, struct held_stream *s, struct running *r, const struct marks *marks, struct err *err)
{
	struct in_order *o;
	struct spooled one;
	struct spooled_media m;
	struct bytes clear;
	int got;

	if (!running_begin(r, s))
		return err_set(err, "out of memory");
	if (in_order_new(&o, c, s, marks, err) < 0)
		return -1;
	while ((got = in_order_next(o, &one, &m, &clear, err)) > 0)
		feed(c, s, r, one.at, &m, clear);
	in_order_free(o);
	return got;
}

static int second_reading(struct held_call *c, struct running *all, struct err *err)
{
	struct marks marks = { 0 };
	int rc = tally_marks(c, &marks, err);

	for (uint32_t i = 0; rc == 0 && i < c->stream_count; i++)
		if (c->streams[i]->disordered)
			rc = read_again(c, c->streams[i], &all[i], &marks, err);
	marks_clear(&marks);
	return rc;
}

static int read_all(const struct holding *h, struct held_call *c, struct running *all, struct err *err)
{
	struct reader *reader;
	bool disordered = false;
	int rc = 0;

	for (uint32_t i = 0; i < c->stream_count; i++)
		if (!running_begin(&all[i], c->streams[i]))
			return err_set(err, "out of memory");
	if (reader_new(&reader, c->media, err) < 0)
		return -1;
	rc = first_reading(h, c, all, reader, &disordered, err);
	reader_free(reader);
	return rc == 0 && disordered ? second_reading(c, all, err) : rc;
}

int tally_call(const struct holding *h, struct held_call *c, struct err *err)
{
	struct running *all;
	int rc;

	if (spool_empty(c->media))
		return 0;
	all = calloc(c->stream_count > 0 ? c->stream_count : 1, sizeof(*all));
	if (all == NULL)
		return err_set(err, "out of memory");
	rc = read_all(h, c, all, err);
	for (uint32_t i = 0; rc == 0 && i < c->stream_count; i++) {
		sha256_value(all[i].payload, c->streams[i]->payload_sha256);
		sha256_value(all[i].whole, c->streams[i]->rtp_sha256);
	}
	running_clear(all, c->stream_count);
	return rc;
}
