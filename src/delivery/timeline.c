/* timeline: slices are joined to runs, and what is missing is drawn over the rest, wide enough to be seen. */
#include "timeline.h"

#include <inttypes.h>

#include "figure.h"

enum { NONE, CLEAR, SEALED, MISSING };

/* Slices without a packet are part of what is around them up to this long: packets come every 20 ms or so. */
#define PAUSE (250 * INT64_C(1000000))

int64_t timeline_x(const struct timeline *t, nsec_t at)
{
	int64_t span = (t->to - t->from) / 1000 + 1;

	return (at - t->from) / 1000 * (TIMELINE_WIDTH * 10) / span;
}

static nsec_t slice_width(const struct held_call *c)
{
	return (c->media_last - c->media_first) / HOLDING_BINS + 1;
}

static void states_of(const struct held_call *c, const struct held_stream *s, uint8_t out[HOLDING_BINS])
{
	size_t most = (size_t)(PAUSE / slice_width(c)), last = HOLDING_BINS;

	for (size_t i = 0; i < HOLDING_BINS; i++) {
		uint8_t b = s->bins[i];

		out[i] = (b & BIN_SEALED) != 0 ? SEALED : (b & BIN_CLEAR) != 0 ? CLEAR : NONE;
		if (out[i] == NONE)
			continue;
		if (last < i && i - last <= most)
			for (size_t j = last + 1; j < i; j++)
				out[j] = out[last];
		last = i;
	}
}

static void draw_run(const struct timeline *t, FILE *f, const struct held_call *c, size_t from, size_t to,
	const char *look, int64_t least, int y, int height)
{
	nsec_t width = slice_width(c);
	int64_t x = timeline_x(t, c->media_first + (nsec_t)from * width);
	int64_t w = timeline_x(t, c->media_first + (nsec_t)to * width) - x;

	if (w < least)
		w = least;
	fprintf(f, "<rect class=\"%s\" x=\"%" PRId64 ".%d\" y=\"%d\" width=\"%" PRId64 ".%d\" height=\"%d\"/>\n", look,
		x / 10, (int)(x % 10), y, w / 10, (int)(w % 10), height);
}

void timeline_band(
	const struct timeline *t, FILE *f, const struct held_call *c, const struct held_stream *s, int y, int height)
{
	const char *open = held_state(s) == HELD_CLEAR ? "clear" : "decrypted";
	uint8_t states[HOLDING_BINS];

	states_of(c, s, states);
	fprintf(f, "<rect class=\"track\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", y, TIMELINE_WIDTH, height);
	for (size_t i = 0, end; i < HOLDING_BINS; i = end) {
		for (end = i + 1; end < HOLDING_BINS && states[end] == states[i];)
			end++;
		if (states[i] != NONE)
			draw_run(t, f, c, i, end, states[i] == SEALED ? "sealed" : open, 10, y, height);
	}
	for (size_t i = 0, end; i < HOLDING_BINS; i = end) {
		for (end = i + 1; end < HOLDING_BINS && (s->bins[end] & BIN_MISSING) == (s->bins[i] & BIN_MISSING);)
			end++;
		if ((s->bins[i] & BIN_MISSING) != 0)
			draw_run(t, f, c, i, end, "missing", 20, y, height);
	}
}

/* A round number of seconds that divides the span into ten parts or fewer. */
static int64_t step_of(nsec_t span)
{
	static const int64_t steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200,
		86400 };
	size_t i = 0;

	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && span / NSEC_PER_SEC / steps[i] > 10)
		i++;
	return span / NSEC_PER_SEC / steps[i] > 10 ? span / NSEC_PER_SEC / 10 : steps[i];
}

void timeline_scale(const struct timeline *t, FILE *f, int top, int bottom)
{
	int64_t step = step_of(t->to - t->from);

	for (int64_t s = 0; s * NSEC_PER_SEC <= t->to - t->from; s += step) {
		int64_t x = timeline_x(t, t->from + s * NSEC_PER_SEC);
		const char *anchor = x < 200 ? "start" : x > TIMELINE_WIDTH * 10 - 300 ? "end" : "middle";

		fprintf(f, "<line class=\"tick\" x1=\"%" PRId64 ".%d\" x2=\"%" PRId64 ".%d\" y1=\"%d\" y2=\"%d\"/>",
			x / 10, (int)(x % 10), x / 10, (int)(x % 10), top, bottom);
		fprintf(f, "<text class=\"soft\" x=\"%" PRId64 ".%d\" y=\"%d\" text-anchor=\"%s\">", x / 10,
			(int)(x % 10), bottom + 14, anchor);
		if (s >= 3600)
			fprintf(f, "%" PRId64 ":%02d:%02d</text>\n", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
		else
			fprintf(f, "%" PRId64 ":%02d</text>\n", s / 60, (int)(s % 60));
	}
}
