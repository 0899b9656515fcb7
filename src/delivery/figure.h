/*
 * figure: the media of a call over time: what was said, above what was seen of every stream, and a player beneath.
 */
#ifndef DELIVERY_FIGURE_H
#define DELIVERY_FIGURE_H

#include "holdings.h"

/* How many octets of sound may still go into the page; beyond it, the page has a link. */
#define FIGURE_SOUND_MAX (UINT64_C(20) * 1024 * 1024)

/* streams: as case_streams gives them. Takes from *sound what it puts in. */
int figure_write(FILE *f, const struct holding *h, const struct held_call *c, struct held_stream *const *streams,
	size_t count, struct stage *stage, uint64_t *sound, struct err *err);

/* "decrypted", "clear", "sealed". */
const char *figure_state(const struct held_stream *s);

#endif
