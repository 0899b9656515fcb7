/* figure: one drawing with one scale of time for sound and streams, so that a hole can be heard and seen at the
 * same place. */
#include "figure.h"

#include <inttypes.h>
#include <stdlib.h>

#include "otway/base/text.h"

#include "captures.h"
#include "page.h"
#include "timeline.h"
#include "waveform.h"

enum { LANE = 56, BAND = 12, ROW = 34, SHOWN = 40, SCALE = 20 };

const char *figure_state(const struct held_stream *s)
{
	static const char *const names[] = { "clear", "decrypted", "sealed" };

	return names[held_state(s)];
}

/* The two voices, from the top of the drawing on. Returns where they end. */
static int draw_sound(FILE *f, const struct held_call *c, const struct timeline *t, const struct waveform *w)
{
	static const char *const names[] = { "Caller", "Callee" }, *const looks[] = { "left", "right" };
	nsec_t lasts = (nsec_t)(c->audio_frames * (uint64_t)NSEC_PER_SEC / c->audio_rate);

	for (int side = 0; side < 2; side++) {
		int middle = 8 + side * (LANE + 4) + LANE / 2;

		fprintf(f, "<line class=\"zero\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", TIMELINE_WIDTH, middle,
			middle);
		waveform_draw(w, f, side, looks[side], timeline_x(t, c->audio_from),
			timeline_x(t, c->audio_from + lasts), middle, LANE);
		fprintf(f, "<text class=\"soft name\" x=\"2\" y=\"%d\">%s</text>\n", middle - LANE / 2 + 8,
			names[side]);
	}
	return 8 + 2 * (LANE + 4);
}

static void draw_stream(
	FILE *f, const struct held_call *c, const struct timeline *t, const struct held_stream *s, int y)
{
	const struct held_format *format = held_format(s);
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	fprintf(f, "<text x=\"2\" y=\"%d\">%s · ", y + 11, held_direction(c, s));
	page_string(f, s->kind[0] != '\0' ? s->kind : "media");
	fputs(" ", f);
	page_string(f, format != NULL && format->codec[0] != '\0' ? format->codec : "");
	fprintf(f, " · %s</text>", figure_state(s));
	fprintf(f, "<text class=\"soft mono\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s → %s</text>\n",
		TIMELINE_WIDTH - 2, y + 11, addr_text(&s->flow.src, src), addr_text(&s->flow.dst, dst));
	timeline_band(t, f, c, s, y + 16, BAND);
}

static void draw(FILE *f, const struct held_call *c, struct held_stream *const *streams, size_t count,
	const struct timeline *t, const struct waveform *w)
{
	bool sound = c->audio == AUDIO_WRITTEN;
	int top = sound ? 8 + 2 * (LANE + 4) : 0, bottom = top + (int)count * ROW + 6;

	fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Sound and packets over time\">\n",
		TIMELINE_WIDTH, bottom + SCALE);
	timeline_scale(t, f, 0, bottom);
	if (sound)
		draw_sound(f, c, t, w);
	for (size_t i = 0; i < count; i++)
		draw_stream(f, c, t, streams[i], top + (int)i * ROW);
	if (sound)
		fprintf(f, "<line class=\"head\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"%d\" visibility=\"hidden\"/>\n",
			bottom);
	fputs("</svg>\n", f);
}

/* The file itself, in base64, into the page. */
static int embed(FILE *f, struct stage *stage, const char *path, struct err *err)
{
	enum { CHUNK = 3 * 8192 };
	char *text = malloc(4 * (CHUNK / 3) + 1);
	uint8_t *octets = malloc(CHUNK);
	FILE *wav = text != NULL && octets != NULL ? stage_read(stage, path, err) : NULL;
	int rc = wav != NULL ? 0 : text == NULL || octets == NULL ? err_set(err, "out of memory") : -1;
	size_t n;

	while (rc == 0 && (n = fread(octets, 1, CHUNK, wav)) > 0)
		fputs(text_base64((struct bytes){ octets, n }, text), f);
	if (wav != NULL)
		fclose(wav);
	free(text);
	free(octets);
	return rc;
}

static int player(
	FILE *f, const struct held_call *c, struct stage *stage, const char *path, uint64_t *sound, struct err *err)
{
	uint64_t octets = c->audio_frames * 4;
	char name[CALL_NAME];
	int rc;

	captures_name(c, name);
	if (octets > *sound) {
		fprintf(f,
			"<p>The sound is too long to lie within this page: <a "
			"href=\"%s/audio.wav\">%s/audio.wav</a></p>\n",
			name, name);
		return 0;
	}
	*sound -= octets;
	fputs("<audio controls preload=\"metadata\" src=\"data:audio/wav;base64,", f);
	rc = embed(f, stage, path, err);
	fputs("\"></audio>\n", f);
	return rc;
}

/* Seconds with three places, without the locale. */
static void seconds(FILE *f, const char *name, nsec_t span)
{
	fprintf(f, " data-%s=\"%" PRId64 ".%03d\"", name, span / NSEC_PER_SEC, (int)(span % NSEC_PER_SEC / 1000000));
}

static struct timeline span_of(const struct held_call *c)
{
	struct timeline t = { c->media_first, c->media_last };

	if (c->audio == AUDIO_WRITTEN) {
		nsec_t end = c->audio_from + (nsec_t)(c->audio_frames * (uint64_t)NSEC_PER_SEC / c->audio_rate);

		t.to = end > t.to ? end : t.to;
	}
	return t;
}

static void legend(FILE *f)
{
	fputs("<div class=\"legend\"><span><i class=\"decrypted\"></i>decrypted</span><span><i "
	      "class=\"clear\"></i>never encrypted"
	      "</span><span><i class=\"sealed\"></i>sealed</span><span><i class=\"missing\"></i>packets "
	      "missing</span></div>\n",
		f);
}

int figure_write(FILE *f, const struct holding *h, const struct held_call *c, struct held_stream *const *streams,
	size_t count, struct stage *stage, uint64_t *sound, struct err *err)
{
	char path[192], name[CALL_NAME];
	struct timeline t = span_of(c);
	struct waveform w;
	int rc = 0;

	if (count == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/audio.wav", h->name, captures_name(c, name));
	if (c->audio == AUDIO_WRITTEN && waveform_read(&w, stage, path, c->audio_frames, err) < 0)
		return -1;
	fputs("<figure class=\"media\"", f);
	seconds(f, "span", t.to - t.from);
	seconds(f, "offset", c->audio == AUDIO_WRITTEN ? c->audio_from - t.from : 0);
	fputs(">\n", f);
	draw(f, c, streams, count < SHOWN ? count : SHOWN, &t, &w);
	if (count > SHOWN)
		fprintf(f, "<p class=\"soft\">and %zu more streams, in the table below</p>\n", count - SHOWN);
	legend(f);
	if (c->audio == AUDIO_WRITTEN)
		rc = player(f, c, stage, path, sound, err);
	fputs("</figure>\n", f);
	return rc;
}
