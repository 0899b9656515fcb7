/*
 * codec: RTP payloads of speech to linear samples, by libavcodec. It runs in a confined process only (decode.c): it
 * reads octets that anybody may have written.
 */
#ifndef DELIVERY_CODEC_H
#define DELIVERY_CODEC_H

#include "codec_format.h"

struct codec;

/* Out comes one channel of 16 bits at `rate`. NULL: it cannot be. */
struct codec *codec_new(const struct held_format *f, uint32_t rate);
void codec_free(struct codec *c);

/* Appends samples (int16_t, host order) of one payload to out; what cannot be decoded is silence, or nothing. */
void codec_take(struct codec *c, struct bytes payload, struct buf *out);

/* Appends what a resampler still holds. */
void codec_end(struct codec *c, struct buf *out);

#endif
