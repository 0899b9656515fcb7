/*
 * framing: whether octets can be a payload of a codec, by the rules of its payload format. It never decodes; it asks what
 * ciphertext of the same length would hardly meet.
 */
#ifndef OTWAY_MEDIA_FRAMING_H
#define OTWAY_MEDIA_FRAMING_H

#include "otway/model/media_desc.h"

struct framing {
	bool fits;       /* no rule of the format is broken; formats without rules always fit */
	bool beside;     /* events and comfort noise: they go beside a codec and have a time of their own */
	bool sized;      /* a codec of frames of one size: its packets come in a few lengths */
	uint8_t bits;    /* of evidence: octets at random would fit once in 2^bits; 0 where that says little */
	uint32_t ticks;  /* of the RTP clock that it plays for; 0: not known */
	uint32_t period; /* octets after which bits mean the same again; 0: they count from the start */
};

/* In: the format (NULL: unknown) and the codec's octets. */
struct framing framing_of(const struct media_format *format, struct bytes media);

#endif
