/* streams: each (source, destination, SSRC) of a call, where it belongs, and who is beside it. */
#include "state.h"

#include <stdlib.h>

/* What a stream is found by; no holes, so that it may be hashed. */
struct stream_key {
	struct flow flow;
	uint32_t ssrc;
	uint32_t rtcp;
};

static struct stream_key key_of(const struct flow *flow, uint32_t ssrc, bool rtcp)
{
	_Static_assert(sizeof(struct stream_key) == 48, "no holes");
	return (struct stream_key){ .flow = *flow, .ssrc = ssrc, .rtcp = rtcp };
}

struct stream *stream_find(const struct call *c, const struct flow *flow, uint32_t ssrc, bool rtcp)
{
	struct stream_key key = key_of(flow, ssrc, rtcp);

	return table_get(c->streams, (struct bytes){ (const uint8_t *)&key, sizeof(key) });
}

struct stream *stream_new(struct call *c, const struct flow *flow, uint32_t ssrc, bool rtcp)
{
	struct stream_key key = key_of(flow, ssrc, rtcp);
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct stream){ .call = c, .flow = *flow, .ssrc = ssrc, .rtcp = rtcp };
	if (!table_put(c->streams, (struct bytes){ (const uint8_t *)&key, sizeof(key) }, s)) {
		free(s);
		return NULL;
	}
	return s;
}

void stream_free(struct stream *s)
{
	for (uint8_t i = 0; i < s->opened_count; i++)
		unseal_free(s->opened[i].with);
	window_clear(&s->window);
	free(s->plausible);
	free(s->prints);
	free(s);
}

void stream_forget(struct stream *s)
{
	struct stream_key key = key_of(&s->flow, s->ssrc, s->rtcp);

	table_take(s->call->streams, (struct bytes){ (const uint8_t *)&key, sizeof(key) });
	s->forgotten = true;
	if (s->queued == 0)
		stream_free(s);
}

static enum toward other_way(enum toward t)
{
	return t == TOWARD_CALLER ? TOWARD_CALLEE : t == TOWARD_CALLEE ? TOWARD_CALLER : TOWARD_UNKNOWN;
}

void stream_describe(struct stream *s, const struct spot *spot, bool learned)
{
	s->line_count = spot->line_count;
	memcpy(s->lines, spot->lines, sizeof(s->lines));
	s->learned = learned;
	if (s->line_count > 0)
		s->toward = learned ? other_way(s->lines[0]->toward) : s->lines[0]->toward;
}

struct stream *stream_next(const struct call *c, size_t *step)
{
	struct bytes key;

	return table_next(c->streams, step, &key);
}

static const struct media_format *format_in(const struct place *p, uint8_t pt)
{
	for (uint8_t i = 0; i < p->format_count; i++)
		if (p->formats[i].pt == pt)
			return &p->formats[i];
	return NULL;
}

const struct place *stream_place(const struct stream *s, uint8_t pt)
{
	for (uint8_t i = 0; i < s->line_count; i++)
		if (format_in(s->lines[i], pt) != NULL)
			return s->lines[i];
	return s->line_count > 0 ? s->lines[0] : NULL;
}

const struct media_format *stream_format(const struct stream *s, uint8_t pt)
{
	for (uint8_t i = 0; i < s->line_count; i++) {
		const struct media_format *f = format_in(s->lines[i], pt);

		if (f != NULL)
			return f;
	}
	return NULL;
}

struct key_sought stream_wants(const struct stream *s, uint32_t lines[SPOT_LINES])
{
	for (uint8_t i = 0; i < s->line_count; i++)
		lines[i] = s->lines[i]->line;
	return (struct key_sought){
		.flow = s->flow,
		.rtcp = s->rtcp,
		.ssrc = s->ssrc,
		.toward = s->toward,
		.lines = lines,
		.line_count = s->line_count,
	};
}

static bool same_way(const struct stream *a, const struct stream *b)
{
	return a != b && a->rtcp == b->rtcp && addr_equal(&a->flow.dst, &b->flow.dst);
}

bool stream_beside_authentic(const struct stream *s)
{
	const struct stream *other;
	size_t step = 0;

	while ((other = stream_next(s->call, &step)) != NULL) {
		nsec_t from, until;

		if (!same_way(s, other) || !other->authenticated)
			continue;
		from = s->first > other->authenticated_first ? s->first : other->authenticated_first;
		until = s->last < other->authenticated_last ? s->last : other->authenticated_last;
		/* A stream that takes over from another may cross with its last packets. */
		if (from <= until && (until - from >= NSEC_PER_SEC || (until - from) * 2 >= s->last - s->first))
			return true;
	}
	return false;
}

uint32_t stream_undecided_beside(const struct stream *s, struct stream **oldest, bool *authentic)
{
	struct stream *other;
	uint32_t count = 0;
	size_t step = 0;

	*oldest = NULL;
	*authentic = false;
	while ((other = stream_next(s->call, &step)) != NULL) {
		if (!same_way(s, other))
			continue;
		*authentic |= other->authenticated;
		if (other->state != STREAM_UNDECIDED)
			continue;
		count++;
		if (*oldest == NULL && other->away == 0)
			*oldest = other;
	}
	return count;
}
