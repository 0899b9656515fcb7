/*
 * codec: RTP payloads of speech to linear samples, by libavcodec. codec_new and what follows run in a confined
 * process only (decoder.h): they read octets that anybody may have written.
 */
#ifndef DELIVERY_CODEC_H
#define DELIVERY_CODEC_H

#include "holdings.h"

/* Can the format be decoded? *rate: samples a second that come out of it. */
bool codec_known(const struct held_format *f, uint32_t *rate);

/* The clock of its RTP timestamps, in Hz. */
uint32_t codec_clock(const struct held_format *f);

struct codec;

/* Out comes one channel of 16 bits at `rate`. NULL: it cannot be. */
struct codec *codec_new(const struct held_format *f, uint32_t rate);
void codec_free(struct codec *c);

/* Appends samples (int16_t, host order) of one payload to out; what cannot be decoded is silence, or nothing. */
void codec_take(struct codec *c, struct bytes payload, struct buf *out);

/* Appends what a resampler still holds. */
void codec_end(struct codec *c, struct buf *out);

#endif
