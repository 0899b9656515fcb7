/*
 * window: what came lately, so that the copies that a mirror makes are known for what they are. It keeps a keyed 64-bit
 * hash of the octets of each packet: the same place in the sequence with other octets is no copy.
 */
#ifndef OTWAY_MEDIA_WINDOW_H
#define OTWAY_MEDIA_WINDOW_H

#include "otway/base/bytes.h"

#define WINDOW_PLACES 4096 /* places in the sequence that it looks back */
#define WINDOW_PARTS  32
#define WINDOW_RECENT 16 /* and packets whose place is not sure */

struct window {
	uint64_t *parts[WINDOW_PARTS]; /* each made with the first packet of it: most calls are short */
	uint64_t recent[WINDOW_RECENT];
	uint8_t recent_next;
};

void window_clear(struct window *w);

uint64_t window_hash(struct bytes packet); /* never 0 */

/* True when the same packet was noted at that place, or lately. */
bool window_has(const struct window *w, int64_t place, uint64_t hash);

void window_note(struct window *w, int64_t place, uint64_t hash);
void window_note_recent(struct window *w, uint64_t hash);

#endif
