/*
 * plausible: whether RTP was never encrypted, by its packets and not by what SDP says. Two things must hold: the codec's
 * framing and the clock (a tag makes a packet longer than the time it plays for), and that bits are biased as no
 * cipher leaves them: the sum over bit positions of (ones - zeroes)^2 / n, which for ciphertext has a known bound.
 */
#ifndef OTWAY_MEDIA_PLAUSIBLE_H
#define OTWAY_MEDIA_PLAUSIBLE_H

#include "framing.h"

#define PLAUSIBLE_OCTETS  64 /* positions looked at */
#define PLAUSIBLE_LENGTHS 8

/* What is usual in a stream that was found clear. */
struct usual {
	uint16_t lengths[PLAUSIBLE_LENGTHS]; /* of packets that took as long as their octets play */
	uint8_t length_count, length_next;
	uint8_t mask, value; /* bits of the first octet that never changed */
	bool seen;
};

struct plausible_bits {
	uint32_t ones[PLAUSIBLE_OCTETS * 8], count[PLAUSIBLE_OCTETS];
};

struct plausible {
	struct plausible_bits bits, changes; /* as they are, and against the frame before */
	uint8_t frame[PLAUSIBLE_OCTETS];
	bool frame_seen[PLAUSIBLE_OCTETS];
	uint32_t packets, broken;
	uint32_t evidence; /* bits of it, from rules that were kept */
	struct usual usual;

	/* of the packet before */
	bool before;
	uint16_t seq, length;
	uint32_t timestamp;
	uint8_t pt;
	struct framing framing;
};

/* One packet more, in any order; `mki` is the longest that the call's keys speak of. All zeroes is a fresh start. */
void plausible_add(struct plausible *p, const struct media_format *format, uint8_t pt, uint16_t seq, uint32_t timestamp,
	struct bytes media, size_t mki);

/* True when the packets so far bear it out that they are in clear. False: not, or not yet. With `last`, no more will come:
 * lengths that agree with the clock, as no tagged packet's do, then make up for part of the proof. */
bool plausible_clear(const struct plausible *p, bool last);

/* False: they look like ciphertext. It is a weaker sign than plausible_clear: whoever waits for more packets should leave
 * these out of it, lest what follows in clear speak for them. */
bool plausible_leaning(const struct plausible *p);

/* One packet of a stream that was found clear: nothing unusual about it. With `among`, it lies among the packets that
 * were looked at, and only what a tag would do to it counts against it. */
bool plausible_usual(const struct usual *u, const struct media_format *format, struct bytes media, bool among);

/* What a fresh look found usual is usual too. */
void plausible_learn(struct usual *u, const struct usual *more);

#endif
