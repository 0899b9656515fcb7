/*
 * wav: a stereo file of 16-bit samples that may be written at any place; what nothing is written to is silence.
 */
#ifndef DELIVERY_WAV_H
#define DELIVERY_WAV_H

#include "otway/base/bytes.h"

#include "stage.h"

enum wav_side { WAV_LEFT, WAV_RIGHT };

#define WAV_HEAD       44
#define WAV_FRAMES_MAX ((INT64_C(0xffffffff) - WAV_HEAD) / 4) /* what the header's 32 bits can say */

struct wav;

int wav_new(struct wav **out, struct stage *stage, const char *path, uint32_t rate, struct err *err);

/* Adds samples to what is there already, from frame `at` on. -1: err; 1: it lies beyond what a WAV file can hold. */
int wav_add(struct wav *w, enum wav_side side, int64_t at, const int16_t *samples, size_t count, struct err *err);

uint64_t wav_frames(const struct wav *w);

/* Writes the header, closes and frees. */
int wav_close(struct wav *w, struct err *err);

/* Closes, frees and removes. NULL is fine. */
void wav_drop(struct wav *w);

#endif
