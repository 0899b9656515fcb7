/*
 * audio: each voice is decoded and laid where its RTP timestamps say. Arrival anchors them: a sender whose timestamps
 * jump, or stand still while it holds, is moved to when its packets really came, and nothing said is ever laid over
 * or left out.
 */
#include "audio.h"

#include <stdlib.h>

#include "captures.h"
#include "codec_format.h"
#include "decoder.h"
#include "tally.h"
#include "voices.h"
#include "wav.h"

enum {
	AHEAD = 50,     /* packets looked at before one is held to be late for good (1 s of them mostly) */
	EARLY_MS = 250, /* before its place: the timestamps jumped */
	LATE_MS = 2000, /* after its place, and all that follow too */
	SNAP_MS = 10    /* a gap that is none: what a resampler or decoder holds back */
};

/* Where a voice is. */
struct track {
	bool begun;
	int64_t base;   /* place of timestamp 0, in samples */
	int64_t cursor; /* behind the last sample laid */
};

struct mixer {
	const struct voice *voices;
	struct track tracks[VOICES];
	uint32_t rate;
	nsec_t from; /* time of sample 0 */
	struct wav *wav;
	uint64_t laid;
	bool too_long;
	struct err *err;
	bool failed; /* err is filled */
};

/* A time in samples. */
static int64_t samples_of(nsec_t span, uint32_t rate)
{
	return span / NSEC_PER_SEC * rate + span % NSEC_PER_SEC * rate / NSEC_PER_SEC;
}

/* Where a timestamp lies, counted from the first, in samples. */
static int64_t own_place(const struct decoder_tag *tag, uint32_t rate)
{
	return tag->timestamp / tag->clock * rate + tag->timestamp % tag->clock * rate / tag->clock;
}

static int64_t place_of(struct mixer *m, struct track *t, const struct decoder_tag *tag)
{
	int64_t own = own_place(tag, m->rate);
	int64_t late = tag->arrived - own, second = m->rate, at;

	if (!t->begun)
		t->base = late;
	else if (late < t->base - second * EARLY_MS / 1000)
		t->base = (tag->arrived > t->cursor ? tag->arrived : t->cursor) - own;
	else if (tag->lasting > t->base + second * LATE_MS / 1000)
		t->base = tag->lasting;
	at = t->base + own;
	if (t->begun && at < t->cursor + second * SNAP_MS / 1000)
		at = t->cursor;
	t->begun = true;
	return at < 0 ? 0 : at;
}

/* Samples came back: they are laid. */
static bool lay(void *context, const struct decoder_tag *tag, const int16_t *samples, size_t count)
{
	struct mixer *m = context;
	const struct voice *v = &m->voices[tag->voice];
	struct track *t = &m->tracks[tag->voice];
	int64_t at = place_of(m, t, tag);
	int rc = 0;

	if (v->left)
		rc = wav_add(m->wav, WAV_LEFT, at, samples, count, m->err);
	if (v->right && rc == 0)
		rc = wav_add(m->wav, WAV_RIGHT, at, samples, count, m->err);
	m->failed = rc < 0;
	m->too_long = rc > 0;
	t->cursor = at + (int64_t)count;
	m->laid += count;
	return rc == 0;
}

/* A packet read ahead of its turn. */
struct waiting {
	struct decoder_tag tag;
	int64_t late; /* when it came, less where its timestamp puts it, in samples */
	uint32_t format;
	struct buf payload;
};

/* One voice on its way from the spool to the decoder. */
struct feeding {
	struct mixer *mixer;
	struct decoder *decoder;
	const struct held_stream *stream;
	bool heard[HOLDING_FORMATS]; /* which of its formats are speech that can be decoded */
	uint32_t voice, format;      /* the format the decoder has now */
	bool begun;
	uint32_t timestamp; /* of the last packet */
	int64_t unwrapped;
	struct waiting ring[AHEAD];
	size_t first, count;
};

static struct waiting *waiting_at(struct feeding *f, size_t i)
{
	return &f->ring[(f->first + i) % AHEAD];
}

/* How late the packet is that is the least late of all that wait. */
static int64_t lasting(struct feeding *f)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < f->count; i++)
		if (waiting_at(f, i)->late < least)
			least = waiting_at(f, i)->late;
	return least;
}

/* The packet that has waited longest goes to the decoder. */
static bool feed_one(struct feeding *f)
{
	struct waiting *w = waiting_at(f, 0);

	w->tag.lasting = lasting(f);
	if (w->format != f->format && !decoder_format(f->decoder, &f->stream->formats[w->format]))
		return false;
	f->format = w->format;
	f->first = (f->first + 1) % AHEAD;
	f->count--;
	return decoder_payload(f->decoder, &w->tag, buf_bytes(&w->payload));
}

/* Timestamps without their wrap (RFC 3550 5.1), counted from the first. */
static int64_t unwrap(struct feeding *f, uint32_t timestamp)
{
	if (f->begun)
		f->unwrapped += (int32_t)(timestamp - f->timestamp);
	f->begun = true;
	f->timestamp = timestamp;
	return f->unwrapped;
}

static bool wait_one(struct feeding *f, const struct spooled_media *m, nsec_t at, struct bytes payload)
{
	const struct held_format *format = &f->stream->formats[m->format];
	struct waiting *w;

	if (f->count == AHEAD && !feed_one(f))
		return false;
	w = waiting_at(f, f->count++);
	w->format = m->format;
	w->tag = (struct decoder_tag){
		.voice = f->voice,
		.timestamp = unwrap(f, m->timestamp),
		.clock = codec_clock(format),
		.arrived = samples_of(at - f->mixer->from, f->mixer->rate),
	};
	w->late = w->tag.arrived - own_place(&w->tag, f->mixer->rate);
	buf_reset(&w->payload);
	return buf_add(&w->payload, payload.at, payload.len);
}

/* Is there something in the packet that can be heard? */
static bool audible(const struct feeding *f, const struct spooled_media *m)
{
	return m->fate == MEDIA_CLEAR && m->format < f->stream->format_count && f->heard[m->format] && m->media_len > 0;
}

/* All packets of one voice. -1: err; 0: done, or the decoder gave up. */
static int feed_voice(struct feeding *f, struct in_order *packets, struct err *err)
{
	struct spooled one;
	struct spooled_media m;
	struct bytes clear;
	int got;

	while ((got = in_order_next(packets, &one, &m, &clear, err)) > 0)
		if (audible(f, &m) && !wait_one(f, &m, one.at, bytes_part(clear, m.media_at, m.media_len)))
			return 0;
	while (got == 0 && f->count > 0 && feed_one(f))
		;
	if (got == 0 && f->count == 0 && decoder_format(f->decoder, NULL))
		decoder_flush(f->decoder);
	return got;
}

static int mix_voice(struct mixer *m, struct decoder *decoder, struct held_call *c, uint32_t voice,
	const struct marks *marks, struct err *err)
{
	struct feeding *f = calloc(1, sizeof(*f));
	struct in_order *packets = NULL;
	uint32_t rate;
	int rc;

	if (f == NULL)
		return err_set(err, "out of memory");
	*f = (struct feeding){ .mixer = m, .decoder = decoder, .stream = m->voices[voice].stream, .voice = voice };
	f->format = HOLDING_NONE;
	for (uint32_t i = 0; i < f->stream->format_count; i++)
		f->heard[i] = held_speech(&f->stream->formats[i]) && codec_known(&f->stream->formats[i], &rate);
	rc = in_order_new(&packets, c, f->stream, marks, err);
	if (rc == 0)
		rc = feed_voice(f, packets, err);
	in_order_free(packets);
	for (size_t i = 0; i < AHEAD; i++)
		buf_clear(&f->ring[i].payload);
	free(f);
	return rc;
}

/* The highest rate that comes out of any format, and when the first packet came. */
static void choose_frame(struct mixer *m, size_t count)
{
	m->rate = 0;
	m->from = NSEC_EVER;
	for (size_t i = 0; i < count; i++) {
		const struct held_stream *s = m->voices[i].stream;
		uint32_t rate;

		if (s->first < m->from)
			m->from = s->first;
		for (uint32_t j = 0; j < s->format_count; j++)
			if (held_speech(&s->formats[j]) && codec_known(&s->formats[j], &rate) && rate > m->rate)
				m->rate = rate;
	}
}

static int mix_voices(struct mixer *m, struct decoder **kept, struct held_call *c, size_t count, struct err *err)
{
	struct decoder *decoder = decoder_begin(kept, m->rate, lay, m);
	struct marks marks = { 0 };
	int rc = decoder != NULL ? tally_marks(c, &marks, err) : 0;
	bool alive = decoder != NULL;

	for (uint32_t i = 0; rc == 0 && alive && i < count; i++) {
		rc = mix_voice(m, decoder, c, i, &marks, err);
		alive = decoder_flush(decoder);
	}
	marks_clear(&marks);
	if (rc < 0 || m->failed)
		return -1;
	c->audio = alive ? AUDIO_WRITTEN : AUDIO_FAILED;
	return 0;
}

/* Keeps the file, or takes it away when it does not hold what was said. */
static int finish(struct holding *h, struct held_call *c, struct mixer *m, int rc, struct err *err)
{
	if (rc == 0 && c->audio == AUDIO_WRITTEN && m->laid == 0)
		c->audio = AUDIO_FAILED;
	if (rc < 0 || c->audio != AUDIO_WRITTEN) {
		h->counts.audio_failed += rc == 0;
		wav_drop(m->wav);
		return rc;
	}
	c->audio_rate = m->rate;
	c->audio_frames = wav_frames(m->wav);
	c->audio_from = m->from;
	return wav_close(m->wav, err);
}

int audio_call(struct holding *h, struct held_call *c, struct stage *stage, struct err *err)
{
	char path[192], name[CALL_NAME];
	struct voice voices[VOICES];
	struct mixer m = { .voices = voices, .err = err };
	bool refused;
	size_t count = spool_empty(c->media) ? 0 : voices_choose(c, voices, &refused);

	if (count == 0) {
		c->audio = !spool_empty(c->media) && refused ? AUDIO_UNKNOWN_CODEC : AUDIO_NONE;
		return 0;
	}
	choose_frame(&m, count);
	snprintf(path, sizeof(path), "%s/%s/audio.wav", h->name, captures_name(c, name));
	if (wav_new(&m.wav, stage, path, m.rate, err) < 0)
		return -1;
	return finish(h, c, &m, mix_voices(&m, &h->decoder, c, count, err), err);
}
