/*
 * codec_format: which RTP payloads of speech can be decoded, and what comes of them.
 */
#ifndef DELIVERY_CODEC_FORMAT_H
#define DELIVERY_CODEC_FORMAT_H

#include "holdings.h"

enum codec_kind {
	CODEC_PCMU,
	CODEC_PCMA,
	CODEC_G722,
	CODEC_GSM,
	CODEC_G729,
	CODEC_ILBC,
	CODEC_AMR,
	CODEC_AMR_WB,
	CODEC_OPUS,
	CODEC_L16,
	CODEC_G726,
	CODEC_G726_AAL2,
	CODECS
};

struct codec_format {
	const char *name;
	uint8_t pt;       /* static payload type that means it where no name is known */
	uint8_t bits;     /* of one coded sample, where the decoder asks */
	uint8_t frame;    /* octets of a frame that the decoder takes one by one; 0: the whole payload */
	uint16_t samples; /* of such a frame */
	enum codec_kind kind;
	uint32_t clock; /* 0: as signalled */
	uint32_t rate;  /* 0: the clock */
};

/* Its row, or NULL. */
const struct codec_format *codec_format(const struct held_format *f);

/* Can the format be decoded? *rate: samples a second that come out of it. */
bool codec_known(const struct held_format *f, uint32_t *rate);

/* The clock of its RTP timestamps, in Hz. */
uint32_t codec_clock(const struct held_format *f);

#endif
