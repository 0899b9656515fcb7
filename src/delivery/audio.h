/*
 * audio: the conversation of a call as one WAV file: what the caller said left, what the callee said right.
 */
#ifndef DELIVERY_AUDIO_H
#define DELIVERY_AUDIO_H

#include "holdings.h"

/*
 * Writes call-NNNN/audio.wav when there is a voice in clear that can be decoded, and says in c->audio what became of
 * it. What goes wrong with a codec costs the file only; -1 is for what costs the folder: disk, memory.
 */
int audio_call(struct holding *h, struct held_call *c, struct stage *stage, struct err *err);

#endif
