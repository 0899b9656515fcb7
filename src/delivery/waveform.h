/*
 * waveform: the two sides of an audio.wav as outlines.
 */
#ifndef DELIVERY_WAVEFORM_H
#define DELIVERY_WAVEFORM_H

#include "otway/base/bytes.h"

#include "stage.h"

#define WAVEFORM_COLUMNS 500

/* The lowest and the highest sample of each column, left and right. */
struct waveform {
	int16_t low[2][WAVEFORM_COLUMNS], high[2][WAVEFORM_COLUMNS];
	int peak; /* the greatest distance from zero anywhere, and not too little: silence shall look silent */
};

/* frames: of the file. */
int waveform_read(struct waveform *w, struct stage *stage, const char *path, uint64_t frames, struct err *err);

/* One side (0 left, 1 right) as an SVG path between from_x and to_x, in tenths, around middle_y. */
void waveform_draw(const struct waveform *w, FILE *f, int side, const char *look, int64_t from_x, int64_t to_x,
	int middle_y, int height);

#endif
