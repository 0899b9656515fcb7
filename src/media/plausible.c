/*
 * plausible: counts over the first half of each payload, where neither tag nor MKI can lie. For ciphertext the sum over k
 * positions is bounded as a chi-square variable is: above k + 2 sqrt(k t) + 2 t with a probability below exp(-t)
 * (Laurent and Massart, lemma 1). Four such sums are asked, at a few moments of a stream's life.
 */
#include "plausible.h"

#define TAG_MAX      16
#define MKI_USUAL    4    /* octets of an MKI that nobody told of, where neither length nor clock would show it */
#define BOUND        30.0 /* t: less than one stream of ciphertext in 10^12 passes */
#define BOUND_LAST   12.0 /* the same where only ciphertext without a tag could come so far */
#define BOUND_LEAN   6.0  /* one stream of ciphertext in a hundred leans so far */
#define EVIDENCE     40   /* bits of it that suffice alone */
#define HEAD         4    /* octets where formats have their headers */
#define BROKEN_SHARE 8    /* at most one packet in so many breaks a rule */

static void count_bits(struct plausible_bits *b, size_t position, uint8_t octet)
{
	b->count[position]++;
	for (size_t i = 0; i < 8; i++)
		b->ones[position * 8 + i] += octet >> i & 1;
}

static void count_payload(struct plausible *p, uint32_t period, struct bytes part)
{
	for (size_t i = 0; i < part.len; i++) {
		size_t position = period > 0 ? i % period : i;

		if (position >= PLAUSIBLE_OCTETS) {
			if (period == 0)
				return;
			continue;
		}
		count_bits(&p->bits, position, part.at[i]);
		if (p->frame_seen[position])
			count_bits(&p->changes, position, part.at[i] ^ p->frame[position]);
		p->frame[position] = part.at[i];
		p->frame_seen[position] = true;
	}
}

/* Where cipher text would be and its trailer would not. */
static struct bytes examined(struct bytes media, size_t mki)
{
	size_t len = (media.len + 1) / 2;

	if (mki > 0 && len + mki + TAG_MAX > media.len)
		len = media.len > mki + TAG_MAX ? media.len - mki - TAG_MAX : 0;
	return bytes_part(media, 0, len);
}

static void usual_length(struct usual *u, uint16_t length)
{
	for (uint8_t i = 0; i < u->length_count; i++)
		if (u->lengths[i] == length)
			return;
	u->lengths[u->length_next] = length;
	u->length_next = (uint8_t)((u->length_next + 1) % PLAUSIBLE_LENGTHS);
	if (u->length_count < PLAUSIBLE_LENGTHS)
		u->length_count++;
}

static void usual_head(struct usual *u, struct bytes media)
{
	if (media.len == 0)
		return;
	if (!u->seen)
		u->mask = 0xff, u->value = media.at[0];
	u->seen = true;
	u->mask &= (uint8_t) ~(u->value ^ media.at[0]);
}

/* The packet before plays until this one begins, or there is a pause; a tag would make it play longer. */
static void compare_clock(struct plausible *p, uint16_t seq, uint32_t timestamp, uint8_t pt)
{
	uint32_t step = timestamp - p->timestamp;

	if (!p->before || p->framing.beside || p->framing.ticks == 0 || (uint16_t)(p->seq + 1) != seq || p->pt != pt)
		return;
	if (step < p->framing.ticks || step > INT32_MAX)
		p->broken += p->framing.fits; /* else it is counted already */
	else if (step == p->framing.ticks && p->framing.fits && p->framing.sized)
		usual_length(&p->usual, p->length);
}

void plausible_add(struct plausible *p, const struct media_format *format, uint8_t pt, uint16_t seq, uint32_t timestamp,
	struct bytes media, size_t mki)
{
	struct framing f = framing_of(format, media);
	bool untimed = f.ticks == 0 && !f.beside;

	compare_clock(p, seq, timestamp, pt);
	p->packets++;
	p->broken += !f.fits;
	p->evidence += f.fits ? f.bits : 0;
	count_payload(p, f.period, examined(media, untimed && mki < MKI_USUAL ? MKI_USUAL : mki));
	if (!f.beside)
		usual_head(&p->usual, media);
	p->before = true;
	p->seq = seq;
	p->timestamp = timestamp;
	p->pt = pt;
	p->length = (uint16_t)media.len;
	p->framing = f;
}

static bool biased(const struct plausible_bits *b, size_t octets, double bound)
{
	double sum = 0, positions = 0, above;

	for (size_t i = 0; i < octets; i++) {
		for (size_t j = 0; b->count[i] > 0 && j < 8; j++) {
			double n = b->count[i], difference = 2.0 * b->ones[i * 8 + j] - n;

			sum += difference * difference / n;
			positions++;
		}
	}
	above = sum - positions - 2 * bound;
	return above > 0 && above * above > 4 * positions * bound;
}

static bool biased_anywhere(const struct plausible *p, double bound)
{
	return biased(&p->bits, PLAUSIBLE_OCTETS, bound) || biased(&p->changes, PLAUSIBLE_OCTETS, bound) ||
	       biased(&p->bits, HEAD, bound) || biased(&p->changes, HEAD, bound);
}

static bool rules_kept(const struct plausible *p)
{
	return p->packets > 0 && p->broken * BROKEN_SHARE <= p->packets;
}

bool plausible_clear(const struct plausible *p, bool last)
{
	bool exact = p->broken == 0 && p->usual.length_count > 0;

	if (!rules_kept(p))
		return false;
	if (p->broken == 0 && p->evidence >= EVIDENCE)
		return true;
	return biased_anywhere(p, last && exact ? BOUND_LAST : BOUND);
}

bool plausible_leaning(const struct plausible *p)
{
	return rules_kept(p) && (p->evidence > 0 || biased_anywhere(p, BOUND_LEAN));
}

/* Among others that were looked at: shorter than the longest is no tag's doing. */
static bool usual_size(const struct usual *u, size_t length, bool among)
{
	size_t longest = 0;

	for (uint8_t i = 0; i < u->length_count; i++) {
		if (u->lengths[i] == length)
			return true;
		if (u->lengths[i] > longest)
			longest = u->lengths[i];
	}
	return among && (u->length_count == 0 || length < longest);
}

bool plausible_usual(const struct usual *u, const struct media_format *format, struct bytes media, bool among)
{
	struct framing f = framing_of(format, media);

	if (!f.fits || f.beside || media.len == 0)
		return f.fits;
	if (f.sized)
		return usual_size(u, media.len, among);
	return among || (u->seen && ((u->value ^ media.at[0]) & u->mask) == 0);
}

void plausible_learn(struct usual *u, const struct usual *more)
{
	for (uint8_t i = 0; i < more->length_count; i++)
		usual_length(u, more->lengths[i]);
	if (!u->seen)
		u->mask = more->mask, u->value = more->value;
	else if (more->seen)
		u->mask &= more->mask & (uint8_t) ~(u->value ^ more->value);
	u->seen |= more->seen;
}
