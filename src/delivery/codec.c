/* codec: the frames within a payload, and libavcodec behind them, bit-exact and single-threaded. */
#include "codec.h"

#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/cpu.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "otway/base/text.h"

#include "amr.h"

enum { PAYLOAD_MAX = 8192 };

/* Who decodes what. */
static const enum AVCodecID decoders[CODECS] = {
	[CODEC_PCMU] = AV_CODEC_ID_PCM_MULAW,
	[CODEC_PCMA] = AV_CODEC_ID_PCM_ALAW,
	[CODEC_G722] = AV_CODEC_ID_ADPCM_G722,
	[CODEC_GSM] = AV_CODEC_ID_GSM,
	[CODEC_G729] = AV_CODEC_ID_G729,
	[CODEC_ILBC] = AV_CODEC_ID_ILBC,
	[CODEC_AMR] = AV_CODEC_ID_AMR_NB,
	[CODEC_AMR_WB] = AV_CODEC_ID_AMR_WB,
	[CODEC_OPUS] = AV_CODEC_ID_OPUS,
	[CODEC_L16] = AV_CODEC_ID_PCM_S16BE,
	[CODEC_G726] = AV_CODEC_ID_ADPCM_G726LE,
	[CODEC_G726_AAL2] = AV_CODEC_ID_ADPCM_G726,
};

struct codec {
	const struct codec_format *format;
	bool aligned;          /* AMR: octet-aligned */
	size_t frame, samples; /* octets of a frame, what comes out of it; 0: the whole payload */
	uint32_t rate;
	AVCodecContext *decoder;
	AVPacket *packet;
	AVFrame *decoded;
	SwrContext *resampler;               /* NULL: what came so far was 16 bits, one channel, the right rate */
	int in_format, in_rate, in_channels; /* of the resampler */
	uint8_t padded[PAYLOAD_MAX + AV_INPUT_BUFFER_PADDING_SIZE];
};

/* Channels that come out of the decoder. Opus is always announced with two (RFC 7587 7). */
static int channels_of(const struct held_format *f, const struct codec_format *known)
{
	if (known->kind == CODEC_OPUS)
		return 2;
	if (known->kind == CODEC_L16)
		return f->channels > 0 ? f->channels : 1;
	return 1;
}

/* Octets of an iLBC frame: 20 ms when the fmtp says mode=20 (RFC 3952 4.2, 5). */
static void choose_frame(struct codec *c, const struct held_format *f)
{
	c->frame = c->format->frame;
	c->samples = c->format->samples;
	if (c->format->kind == CODEC_ILBC && strstr(f->fmtp, "mode=20") != NULL) {
		c->frame = 38;
		c->samples = 160;
	}
}

static bool open_decoder(struct codec *c, const struct held_format *f, uint32_t rate)
{
	const AVCodec *codec = avcodec_find_decoder(decoders[c->format->kind]);

	c->decoder = avcodec_alloc_context3(codec);
	c->packet = av_packet_alloc();
	c->decoded = av_frame_alloc();
	if (c->decoder == NULL || c->packet == NULL || c->decoded == NULL)
		return false;
	c->decoder->sample_rate = (int)rate;
	av_channel_layout_default(&c->decoder->ch_layout, channels_of(f, c->format));
	c->decoder->bits_per_coded_sample = c->format->bits;
	c->decoder->block_align = (int)c->frame;
	c->decoder->flags |= AV_CODEC_FLAG_BITEXACT;
	c->decoder->thread_count = 1;
	return avcodec_open2(c->decoder, codec, NULL) == 0;
}

struct codec *codec_new(const struct held_format *f, uint32_t rate)
{
	struct codec *c = calloc(1, sizeof(*c));
	uint32_t own;

	if (c == NULL || !codec_known(f, &own)) {
		free(c);
		return NULL;
	}
	av_log_set_level(AV_LOG_QUIET);
	av_force_cpu_flags(0); /* the same samples whatever the processor can do */
	c->format = codec_format(f);
	c->rate = rate;
	c->aligned = amr_aligned(f->fmtp);
	choose_frame(c, f);
	if (!open_decoder(c, f, own)) {
		codec_free(c);
		return NULL;
	}
	return c;
}

void codec_free(struct codec *c)
{
	if (c == NULL)
		return;
	avcodec_free_context(&c->decoder);
	av_packet_free(&c->packet);
	av_frame_free(&c->decoded);
	swr_free(&c->resampler);
	free(c);
}

static void add_silence(const struct codec *c, size_t samples, struct buf *out)
{
	size_t rate = c->format->rate != 0 ? c->format->rate : c->rate;
	size_t len = samples * c->rate / rate * sizeof(int16_t);
	uint8_t *to = buf_room(out, len);

	if (to != NULL) {
		memset(to, 0, len);
		out->len += len;
	}
}

/* A resampler for what comes now; the decoder may change its mind about rate and channels. */
static bool ready_resampler(struct codec *c, const AVFrame *in)
{
	AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO, from;

	if (c->resampler != NULL && c->in_format == in->format && c->in_rate == in->sample_rate &&
		c->in_channels == in->ch_layout.nb_channels)
		return true;
	swr_free(&c->resampler);
	c->in_format = in->format;
	c->in_rate = in->sample_rate;
	c->in_channels = in->ch_layout.nb_channels;
	av_channel_layout_default(&from, c->in_channels);
	return swr_alloc_set_opts2(&c->resampler, &mono, AV_SAMPLE_FMT_S16, (int)c->rate, &from, in->format,
		       in->sample_rate, 0, NULL) == 0 &&
	       swr_init(c->resampler) == 0;
}

/* in NULL: what is left. */
static void resample(struct codec *c, const AVFrame *in, struct buf *out)
{
	int wanted = swr_get_out_samples(c->resampler, in != NULL ? in->nb_samples : 0);
	uint8_t *to = wanted > 0 ? buf_room(out, (size_t)wanted * sizeof(int16_t)) : NULL;
	int got = to == NULL ? 0
			     : swr_convert(c->resampler, &to, wanted,
				       in != NULL ? (const uint8_t **)in->extended_data : NULL,
				       in != NULL ? in->nb_samples : 0);

	if (got > 0)
		out->len += (size_t)got * sizeof(int16_t);
}

static void add_frame(struct codec *c, const AVFrame *f, struct buf *out)
{
	bool plain = (f->format == AV_SAMPLE_FMT_S16 || f->format == AV_SAMPLE_FMT_S16P) &&
		     f->ch_layout.nb_channels == 1 && f->sample_rate == (int)c->rate && c->resampler == NULL;

	if (f->nb_samples <= 0 || f->nb_samples > 1 << 20)
		return;
	if (plain)
		buf_add(out, f->extended_data[0], (size_t)f->nb_samples * sizeof(int16_t));
	else if (ready_resampler(c, f))
		resample(c, f, out);
}

/* One packet of the decoder's; a frame of known length that does not decode is silence. */
static void decode(struct codec *c, struct bytes in, struct buf *out)
{
	size_t before = out->len;

	memcpy(c->padded, in.at, in.len);
	memset(c->padded + in.len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	c->packet->data = c->padded;
	c->packet->size = (int)in.len;
	if (avcodec_send_packet(c->decoder, c->packet) == 0)
		while (avcodec_receive_frame(c->decoder, c->decoded) == 0)
			add_frame(c, c->decoded, out);
	if (out->len == before && c->samples > 0)
		add_silence(c, c->samples, out);
}

static void take_amr(struct codec *c, struct bytes payload, struct buf *out)
{
	struct amr_frame frames[AMR_FRAMES];
	size_t count = amr_split(payload, c->format->kind == CODEC_AMR_WB, c->aligned, frames);

	for (size_t i = 0; i < count; i++) {
		if (frames[i].len > 0)
			decode(c, (struct bytes){ frames[i].octets, frames[i].len }, out);
		else
			add_silence(c, c->samples, out);
	}
}

void codec_take(struct codec *c, struct bytes payload, struct buf *out)
{
	if (payload.len == 0 || payload.len > PAYLOAD_MAX)
		return;
	if (c->format->kind == CODEC_AMR || c->format->kind == CODEC_AMR_WB) {
		take_amr(c, payload, out);
		return;
	}
	if (c->frame == 0) {
		decode(c, payload, out);
		return;
	}
	/* What is left over is comfort noise (G.729 B: 2 octets) or nothing that could be read. */
	for (size_t at = 0; at + c->frame <= payload.len; at += c->frame)
		decode(c, bytes_part(payload, at, c->frame), out);
}

void codec_end(struct codec *c, struct buf *out)
{
	if (c->resampler != NULL)
		resample(c, NULL, out);
}
