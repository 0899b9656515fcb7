/*
 * decoder: codec.h in a confined process: payloads go in by batches, samples come out, each with what it was sent with.
 */
#ifndef DELIVERY_DECODER_H
#define DELIVERY_DECODER_H

#include "holdings.h"

struct decoder;

/* What belongs to a payload and comes back with its samples. */
struct decoder_tag {
	uint32_t voice;
	int64_t timestamp; /* unwrapped, of the RTP clock */
	uint32_t clock;
	int64_t arrived; /* in samples since the first packet */
	int64_t lasting; /* how late the packets after it are, see audio.c */
};

/* Samples that came back, borrowed for the call; false stops. */
typedef bool decoder_take(void *context, const struct decoder_tag *tag, const int16_t *samples, size_t count);

/*
 * Begins with one call: by the process of the call before, in *kept, or by a new one when there is none or it failed. One serves
 * one warrant and no other, since what is hostile in it could carry over. NULL: it could not be started.
 */
struct decoder *decoder_begin(struct decoder **kept, uint32_t rate, decoder_take *take, void *context);
void decoder_free(struct decoder *d); /* ends the process; NULL is fine */

/* The payloads that follow are of this format; codec_known(f) must hold. What the one before still holds comes
 * out. NULL: none follow. */
bool decoder_format(struct decoder *d, const struct held_format *f);

/* A payload. False from here on: the process died or hung, or take said stop. */
bool decoder_payload(struct decoder *d, const struct decoder_tag *tag, struct bytes payload);

/* All that was put in has come out after it. */
bool decoder_flush(struct decoder *d);

#endif
