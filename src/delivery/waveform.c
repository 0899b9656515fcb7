/* waveform: one reading of the file, drawn as one closed outline a side. */
#include "waveform.h"

#include <inttypes.h>

#include "wav.h"

enum { QUIET = 1500 }; /* peaks are drawn full height from here on */

static void take(struct waveform *w, size_t column, const uint8_t frame[4])
{
	for (int side = 0; side < 2; side++) {
		int16_t v = (int16_t)(uint16_t)(frame[side * 2] | frame[side * 2 + 1] << 8);

		if (v < w->low[side][column])
			w->low[side][column] = v;
		if (v > w->high[side][column])
			w->high[side][column] = v;
		if (v > w->peak || -v > w->peak)
			w->peak = v < 0 ? -v : v;
	}
}

int waveform_read(struct waveform *w, struct stage *stage, const char *path, uint64_t frames, struct err *err)
{
	FILE *f = stage_read(stage, path, err);
	uint8_t octets[4096];
	uint64_t done = 0;
	int rc = 0;

	if (f == NULL)
		return -1;
	*w = (struct waveform){ .peak = QUIET };
	if (fread(octets, WAV_HEAD, 1, f) != 1)
		rc = stage_failed(path, err);
	while (rc == 0 && done < frames) {
		size_t n = fread(octets, 4, sizeof(octets) / 4, f);

		for (size_t i = 0; i < n && done < frames; i++, done++)
			take(w, (size_t)(done * WAVEFORM_COLUMNS / frames), octets + 4 * i);
		if (n == 0)
			rc = stage_failed(path, err);
	}
	fclose(f);
	return rc;
}

/* A point, both in tenths. */
static void point(FILE *f, char how, int64_t x, int64_t y)
{
	fprintf(f, "%c%" PRId64 ".%d %" PRId64 ".%d", how, x / 10, (int)(x % 10), y / 10, (int)(y % 10));
}

void waveform_draw(const struct waveform *w, FILE *f, int side, const char *look, int64_t from_x, int64_t to_x,
	int middle_y, int height)
{
	int64_t middle = (int64_t)middle_y * 10, half = (int64_t)height * 5;

	fprintf(f, "<path class=\"%s\" d=\"", look);
	for (int i = 0; i < WAVEFORM_COLUMNS; i++)
		point(f, i == 0 ? 'M' : 'L', from_x + (to_x - from_x) * i / (WAVEFORM_COLUMNS - 1),
			middle - w->high[side][i] * half / w->peak - 3);
	for (int i = WAVEFORM_COLUMNS - 1; i >= 0; i--)
		point(f, 'L', from_x + (to_x - from_x) * i / (WAVEFORM_COLUMNS - 1),
			middle - w->low[side][i] * half / w->peak + 3);
	fputs("Z\"/>\n", f);
}
