/*
 * voices: which streams of a call are voices to be heard, each once, and on which side.
 */
#ifndef DELIVERY_VOICES_H
#define DELIVERY_VOICES_H

#include "holdings.h"

#define VOICES 32 /* in one file */

struct voice {
	const struct held_stream *stream;
	bool left, right;
};

/*
 * Streams of audio in clear with a format that can be decoded, in the order of their first packet: toward the callee
 * left, toward the caller right, toward nobody knows whom on both sides. A voice that a relay passes on (the same
 * SSRC, the same payloads, or out of the host that the other one goes into, at the same time and to the same side) is
 * heard once. *refused: a voice in clear was left out because its format is unknown.
 */
size_t voices_choose(const struct held_call *c, struct voice out[VOICES], bool *refused);

#endif
