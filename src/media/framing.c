/* framing: one row for each payload format, and the function that knows its rules. */
#include "framing.h"

#include "otway/base/text.h"

struct rule {
	const char *name;
	struct framing (*look)(const struct rule *rule, const struct media_format *format, struct bytes media);
	uint32_t octets; /* of a frame, or of what is sampled at once */
	uint32_t ticks;  /* of a frame */
};

static struct framing broken(void)
{
	return (struct framing){ .fits = false };
}

/* As many octets as the clock ticks (RFC 3551 4.5). */
static struct framing look_sampled(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint32_t unit = rule->octets * (format->channels > 1 ? format->channels : 1);

	return (struct framing){
		.fits = media.len % unit == 0,
		.sized = true,
		.ticks = (uint32_t)(media.len / unit * rule->ticks),
		.period = unit,
	};
}

/* Frames of one size, and a silence descriptor of 2 octets behind them for G.729 (RFC 3551 4.5.6). */
static struct framing look_g729(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint32_t frames = (uint32_t)(media.len / rule->octets), rest = (uint32_t)(media.len % rule->octets);

	(void)format;
	return (struct framing){
		.fits = media.len > 0 && (rest == 0 || rest == 2),
		.sized = true,
		.ticks = (frames + (rest != 0)) * rule->ticks,
		.period = rule->octets,
	};
}

/* 24, 20, 4 or 1 octet, as the two low bits of the first one say (RFC 3551 4.5.3). */
static struct framing look_g723(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	static const uint8_t sizes[4] = { 24, 20, 4, 1 };
	struct framing f = { .fits = media.len > 0 };
	size_t at = 0;

	(void)format;
	while (at < media.len) {
		at += sizes[media.at[at] & 3];
		f.ticks += rule->ticks;
	}
	f.fits &= at == media.len;
	return f;
}

/* Every frame of 33 octets begins with 0xd (RFC 3551 4.5.8.1). */
static struct framing look_gsm(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	struct framing f = {
		.fits = media.len > 0 && media.len % rule->octets == 0, .sized = true, .period = rule->octets
	};

	(void)format;
	for (size_t at = 0; f.fits && at < media.len; at += rule->octets, f.bits += 4)
		f.fits = media.at[at] >> 4 == 0xd;
	f.ticks = (uint32_t)(media.len / rule->octets) * rule->ticks;
	return f;
}

/* 38 octets for 20 ms or 50 for 30 ms, the last bit of each frame 0 (RFC 3951 3.8, RFC 3952). */
static struct framing look_ilbc(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint32_t octets = media.len % 50 == 0 ? 50 : 38;
	struct framing f = { .fits = media.len > 0 && media.len % octets == 0, .sized = true, .period = octets };

	(void)rule;
	(void)format;
	for (size_t at = octets; f.fits && at <= media.len; at += octets)
		f.fits = (media.at[at - 1] & 1) == 0;
	f.ticks = (uint32_t)(media.len / octets) * (octets == 50 ? 240 : 160);
	return f;
}

/* Bits of a speech frame by frame type (RFC 4867 tables 1 and 2); -1: reserved. */
static const int16_t amr_bits[16] = { 95, 103, 118, 134, 148, 159, 204, 244, 39, -1, -1, -1, -1, -1, -1, 0 };
static const int16_t amr_wb_bits[16] = { 132, 177, 253, 285, 317, 365, 397, 461, 477, 40, -1, -1, -1, -1, 0, 0 };

/* Octet-aligned (RFC 4867 4.4): a mode request, a table of contents, whole octets for each frame. */
static bool amr_aligned(const int16_t bits[16], struct bytes media, uint32_t *frames)
{
	size_t at = 1, speech = 0;
	bool more = true;

	if (media.len < 2 || (media.at[0] & 0x0f) != 0)
		return false;
	for (*frames = 0; more; (*frames)++, at++) {
		if (at >= media.len || (media.at[at] & 3) != 0 || bits[media.at[at] >> 3 & 15] < 0)
			return false;
		speech += ((size_t)bits[media.at[at] >> 3 & 15] + 7) / 8;
		more = media.at[at] >> 7;
	}
	return at + speech == media.len;
}

/* Bandwidth-efficient (RFC 4867 4.3): the same without filling. */
static bool amr_packed(const int16_t bits[16], struct bytes media, uint32_t *frames)
{
	size_t at = 4, speech = 0;
	bool more = true;

	for (*frames = 0; more; (*frames)++, at += 6) {
		uint32_t entry;

		if ((at + 6 + 7) / 8 > media.len)
			return false;
		entry = (uint32_t)media.at[at / 8] << 8 | (at / 8 + 1 < media.len ? media.at[at / 8 + 1] : 0);
		entry = entry >> (16 - 6 - at % 8) & 0x3f;
		if (bits[entry >> 1 & 15] < 0)
			return false;
		speech += (size_t)bits[entry >> 1 & 15];
		more = entry >> 5;
	}
	return (at + speech + 7) / 8 == media.len;
}

static struct framing look_amr(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	const int16_t *bits = rule->octets == 1 ? amr_bits : amr_wb_bits;
	uint32_t frames = 0;

	if (strstr(format->fmtp, "crc=1") != NULL || strstr(format->fmtp, "interleaving") != NULL ||
		strstr(format->fmtp, "robust-sorting=1") != NULL)
		return (struct framing){ .fits = true };
	if (amr_aligned(bits, media, &frames)) /* the zeroes, and the one type of that length */
		return (struct framing){ .fits = true, .ticks = frames * rule->ticks, .bits = 8 };
	if (amr_packed(bits, media, &frames))
		return (struct framing){ .fits = true, .ticks = frames * rule->ticks, .bits = 4 };
	return broken();
}

/* Octets of a frame length (RFC 6716 3.2.1), and the length itself; 0: not there. */
static size_t opus_length(struct bytes b, size_t at, size_t *len)
{
	if (at >= b.len)
		return 0;
	*len = b.at[at];
	if (*len < 252)
		return 1;
	if (at + 1 >= b.len)
		return 0;
	*len += 4u * b.at[at + 1];
	return 2;
}

/* Code 3 (RFC 6716 3.2.5): a count, padding, and the lengths when they differ. Returns the frames, 0: broken. */
static uint32_t opus_many(struct bytes b)
{
	uint32_t frames = b.len > 1 ? b.at[1] & 0x3f : 0;
	size_t at = 2, padding = 0, len, n;

	if (frames == 0 || frames > 48)
		return 0;
	if (b.at[1] & 0x40) {
		uint8_t octet = 255;

		while (octet == 255) {
			if (at >= b.len)
				return 0;
			octet = b.at[at++];
			padding += octet == 255 ? 254 : octet;
		}
	}
	if (at + padding > b.len)
		return 0;
	if ((b.at[1] & 0x80) == 0)
		return (b.len - at - padding) % frames == 0 ? frames : 0;
	for (uint32_t i = 0; i + 1 < frames; i++) {
		n = opus_length(b, at, &len);
		if (n == 0)
			return 0;
		at += n;
		padding += len;
	}
	return at + padding <= b.len ? frames : 0;
}

/* Ticks of 48 kHz of a frame, by the configuration of its first octet (RFC 6716 table 2). */
static uint32_t opus_ticks(uint8_t toc)
{
	static const uint16_t silk[4] = { 480, 960, 1920, 2880 }, celt[4] = { 120, 240, 480, 960 };
	uint8_t config = toc >> 3;

	if (config < 12)
		return silk[config & 3];
	return config < 16 ? (config & 1 ? 960 : 480) : celt[config & 3];
}

static struct framing look_opus(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint32_t frames = 1;
	size_t n, len;

	(void)rule;
	(void)format;
	if (media.len == 0)
		return broken();
	switch (media.at[0] & 3) {
	case 1:
		frames = media.len % 2 == 1 ? 2 : 0;
		break;
	case 2:
		n = opus_length(media, 1, &len);
		frames = n > 0 && 1 + n + len <= media.len ? 2 : 0;
		break;
	case 3:
		frames = opus_many(media);
		break;
	}
	if (frames == 0 || frames * opus_ticks(media.at[0]) > 5760) /* 120 ms, R5 */
		return broken();
	return (struct framing){ .fits = true, .ticks = frames * opus_ticks(media.at[0]) };
}

/* Four octets, the reserved bit 0 (RFC 4733 2.3). */
static struct framing look_event(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	(void)format;
	return (struct framing){ .fits = media.len == rule->octets && (media.at[1] & 0x40) == 0, .beside = true };
}

/* A level with its first bit 0, perhaps a spectrum (RFC 3389 3). */
static struct framing look_noise(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	(void)rule;
	(void)format;
	return (struct framing){ .fits = media.len > 0 && media.len <= 33 && media.at[0] < 128, .beside = true };
}

/* The units of an aggregate, each behind its length, fill it (RFC 6184 5.7.1, RFC 7798 4.4.2). */
static bool aggregate(struct bytes b, size_t at)
{
	while (at + 2 <= b.len)
		at += 2u + be16(b.at + at);
	return at == b.len;
}

/* RFC 6184 5.2 to 5.8. */
static struct framing look_h264(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint8_t type;

	(void)rule;
	(void)format;
	if (media.len < 2 || media.at[0] & 0x80)
		return broken();
	type = media.at[0] & 0x1f;
	if (type == 24)
		return (struct framing){ .fits = aggregate(media, 1) };
	if (type == 28) /* a fragment: not first and last at once, the reserved bit 0 */
		return (struct framing){ .fits = (media.at[1] & 0x20) == 0 && (media.at[1] & 0xc0) != 0xc0 };
	return (struct framing){ .fits = type != 0 && type <= 29 };
}

/* RFC 7798 4.4: a base layer, a temporal id that is not 0. */
static struct framing look_h265(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	uint8_t type;

	(void)rule;
	(void)format;
	if (media.len < 3 || media.at[0] & 0x81 || (media.at[1] & 7) == 0 || media.at[1] >> 3 != 0)
		return broken();
	type = media.at[0] >> 1 & 0x3f;
	if (type == 48)
		return (struct framing){ .fits = aggregate(media, 2) };
	if (type == 49)
		return (struct framing){ .fits = (media.at[2] & 0xc0) != 0xc0 };
	return (struct framing){ .fits = type <= 50 };
}

/* RFC 7741 4.2: reserved bits 0 in the first octet and in the extension. */
static struct framing look_vp8(const struct rule *rule, const struct media_format *format, struct bytes media)
{
	(void)rule;
	(void)format;
	if (media.len < 2 || media.at[0] & 0x48)
		return broken();
	return (struct framing){ .fits = (media.at[0] & 0x80) == 0 || (media.at[1] & 0x0f) == 0 };
}

/* Static payload types have their name in the description too. Formats without a row have no rule. */
static const struct rule rules[] = {
	{ "PCMU", look_sampled, 1, 1 },
	{ "PCMA", look_sampled, 1, 1 },
	{ "G722", look_sampled, 1, 1 },
	{ "L8", look_sampled, 1, 1 },
	{ "L16", look_sampled, 2, 1 },
	{ "L24", look_sampled, 3, 1 },
	{ "G726-16", look_sampled, 1, 4 },
	{ "G726-32", look_sampled, 1, 2 },
	{ "G729", look_g729, 10, 80 },
	{ "G723", look_g723, 0, 240 },
	{ "GSM", look_gsm, 33, 160 },
	{ "iLBC", look_ilbc, 0, 0 },
	{ "AMR", look_amr, 1, 160 },
	{ "AMR-WB", look_amr, 2, 320 },
	{ "opus", look_opus, 0, 0 },
	{ "telephone-event", look_event, 4, 0 },
	{ "CN", look_noise, 0, 0 },
	{ "H264", look_h264, 0, 0 },
	{ "H265", look_h265, 0, 0 },
	{ "VP8", look_vp8, 0, 0 },
};

struct framing framing_of(const struct media_format *format, struct bytes media)
{
	for (size_t i = 0; format != NULL && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (text_is(bytes_of(format->name), rules[i].name))
			return rules[i].look(&rules[i], format, media);
	return (struct framing){ .fits = true };
}
