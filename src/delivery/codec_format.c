/* codec_format: the table of payload formats that can be decoded; who decodes them is another process. */
#include "codec_format.h"

#include "otway/base/text.h"

#include "amr.h"

enum { NO_STATIC = 255 };

/* Payload formats by their names (RFC 3551 4.5, 6) and what their decoders take. */
static const struct codec_format formats[] = {
	{ "PCMU", 0, 0, 0, 0, CODEC_PCMU, 0, 0 },
	{ "PCMA", 8, 0, 0, 0, CODEC_PCMA, 0, 0 },
	{ "G722", 9, 0, 0, 0, CODEC_G722, 8000, 16000 },
	{ "GSM", 3, 0, 33, 160, CODEC_GSM, 8000, 8000 },
	{ "G729", 18, 0, 10, 80, CODEC_G729, 8000, 8000 },
	{ "iLBC", NO_STATIC, 0, 50, 240, CODEC_ILBC, 8000, 8000 },
	{ "AMR", NO_STATIC, 0, 0, 160, CODEC_AMR, 8000, 8000 },
	{ "AMR-WB", NO_STATIC, 0, 0, 320, CODEC_AMR_WB, 16000, 16000 },
	{ "opus", NO_STATIC, 0, 0, 0, CODEC_OPUS, 48000, 48000 },
	{ "L16", 11, 0, 0, 0, CODEC_L16, 0, 0 },
	{ "G726-16", NO_STATIC, 2, 0, 0, CODEC_G726, 8000, 8000 },
	{ "G726-24", NO_STATIC, 3, 0, 0, CODEC_G726, 8000, 8000 },
	{ "G726-32", 2, 4, 0, 0, CODEC_G726, 8000, 8000 },
	{ "G726-40", NO_STATIC, 5, 0, 0, CODEC_G726, 8000, 8000 },
	{ "AAL2-G726-16", NO_STATIC, 2, 0, 0, CODEC_G726_AAL2, 8000, 8000 },
	{ "AAL2-G726-24", NO_STATIC, 3, 0, 0, CODEC_G726_AAL2, 8000, 8000 },
	{ "AAL2-G726-32", NO_STATIC, 4, 0, 0, CODEC_G726_AAL2, 8000, 8000 },
	{ "AAL2-G726-40", NO_STATIC, 5, 0, 0, CODEC_G726_AAL2, 8000, 8000 },
};

const struct codec_format *codec_format(const struct held_format *f)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (f->codec[0] == '\0' ? f->pt == formats[i].pt : text_is(bytes_of(f->codec), formats[i].name))
			return &formats[i];
	}
	return NULL;
}

uint32_t codec_clock(const struct held_format *f)
{
	const struct codec_format *known = codec_format(f);

	if (known != NULL && known->clock != 0)
		return known->clock;
	if (known != NULL && known->kind == CODEC_L16 && f->clock == 0)
		return 44100;
	return f->clock != 0 ? f->clock : 8000;
}

bool codec_known(const struct held_format *f, uint32_t *rate)
{
	const struct codec_format *known = codec_format(f);
	bool amr = known != NULL && (known->kind == CODEC_AMR || known->kind == CODEC_AMR_WB);

	if (known == NULL || (amr && amr_refused(f->fmtp, f->channels)))
		return false;
	*rate = known->rate != 0 ? known->rate : codec_clock(f);
	return *rate >= 4000 && *rate <= 192000;
}
