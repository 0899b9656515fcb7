/* amr: a reader of bits over both layouts: octet-aligned is bandwidth-efficient with padding at known places. */
#include "amr.h"

#include "otway/base/text.h"

/* Speech bits of each frame type (TS 26.101 table 1a, TS 26.201 table 1a); 0: not speech. */
static const uint16_t narrow_bits[16] = { 95, 103, 118, 134, 148, 159, 204, 244 };
static const uint16_t wide_bits[16] = { 132, 177, 253, 285, 317, 365, 397, 461, 477 };

enum { NARROW_NOISE = 8, WIDE_NOISE = 9, NARROW_NOISE_BITS = 39, WIDE_NOISE_BITS = 40 };

struct bits {
	struct bytes in;
	size_t at; /* in bits */
};

static bool bits_left(const struct bits *b, size_t count)
{
	return count <= b->in.len * 8 - b->at;
}

static unsigned int bits_take(struct bits *b, unsigned int count)
{
	unsigned int v = 0;

	for (; count > 0; count--, b->at++)
		v = v << 1 | (b->in.at[b->at / 8] >> (7 - b->at % 8) & 1u);
	return v;
}

static void bits_align(struct bits *b)
{
	b->at = (b->at + 7) / 8 * 8;
}

/* The value of a parameter of an fmtp line ("octet-align=1; mode-set=0,2"); empty when it is not there. */
static struct bytes parameter(const char *fmtp, const char *name)
{
	struct bytes rest = bytes_of(fmtp);

	while (rest.len > 0) {
		struct bytes value, one = text_trim(text_cut(rest, ';', &rest));

		if (text_is(text_trim(text_cut(one, '=', &value)), name))
			return text_trim(value);
	}
	return (struct bytes){ NULL, 0 };
}

bool amr_refused(const char *fmtp, uint8_t channels)
{
	struct bytes interleaving = parameter(fmtp, "interleaving");

	return channels > 1 || interleaving.len > 0 || text_is(parameter(fmtp, "crc"), "1") ||
	       text_is(parameter(fmtp, "robust-sorting"), "1");
}

bool amr_aligned(const char *fmtp)
{
	return text_is(parameter(fmtp, "octet-align"), "1");
}

static size_t bits_of(unsigned int type, bool wide)
{
	if (type == (wide ? (unsigned int)WIDE_NOISE : (unsigned int)NARROW_NOISE))
		return wide ? WIDE_NOISE_BITS : NARROW_NOISE_BITS;
	return wide ? wide_bits[type] : narrow_bits[type];
}

/* The table of contents (4.3.2, 4.4.2): a frame type and quality for each frame. */
static size_t read_contents(struct bits *b, bool aligned, uint8_t types[AMR_FRAMES], uint8_t good[AMR_FRAMES])
{
	size_t count = 0;
	bool more = true;

	while (more && count < AMR_FRAMES && bits_left(b, aligned ? 8 : 6)) {
		more = bits_take(b, 1) != 0;
		types[count] = (uint8_t)bits_take(b, 4);
		good[count++] = (uint8_t)bits_take(b, 1);
		if (aligned)
			bits_align(b);
	}
	return more ? 0 : count;
}

/* One frame's speech, which begins at an octet of its own in `out`. */
static void read_speech(struct bits *b, size_t bits, struct amr_frame *out)
{
	size_t octets = (bits + 7) / 8;

	for (size_t i = 0; i < octets; i++) {
		unsigned int some = i + 1 < octets || bits % 8 == 0 ? 8 : (unsigned int)(bits % 8);

		out->octets[1 + i] = (uint8_t)(bits_take(b, some) << (8 - some));
	}
	out->len = (uint8_t)(1 + octets);
}

size_t amr_split(struct bytes payload, bool wide, bool aligned, struct amr_frame out[AMR_FRAMES])
{
	struct bits b = { payload, 0 };
	uint8_t types[AMR_FRAMES], good[AMR_FRAMES];
	size_t count;

	if (!bits_left(&b, 10))
		return 0;
	bits_take(&b, 4); /* the codec mode that the sender asks for */
	if (aligned)
		bits_align(&b);
	count = read_contents(&b, aligned, types, good);
	for (size_t i = 0; i < count; i++) {
		size_t bits = bits_of(types[i], wide);
		bool speech = types[i] != (wide ? (int)WIDE_NOISE : (int)NARROW_NOISE) && bits > 0;

		out[i].len = 0;
		if (!bits_left(&b, bits))
			return i;
		if (speech) {
			out[i].octets[0] = (uint8_t)(types[i] << 3 | good[i] << 2);
			read_speech(&b, bits, &out[i]);
		} else {
			b.at += bits;
		}
		if (aligned)
			bits_align(&b);
	}
	return count;
}
