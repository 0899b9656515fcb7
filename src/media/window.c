/* window: a ring of hashes by place in the sequence, and a small one by arrival. */
#include "window.h"

#include <stdlib.h>

#include "otway/base/table.h"

void window_clear(struct window *w)
{
	free(w->places);
	w->places = NULL;
}

uint64_t window_hash(struct bytes packet)
{
	uint64_t hash = table_hash(packet);

	return hash != 0 ? hash : 1;
}

bool window_has(const struct window *w, int64_t place, uint64_t hash)
{
	if (w->places != NULL && w->places[(uint64_t)place % WINDOW_PLACES] == hash)
		return true;
	for (int i = 0; i < WINDOW_RECENT; i++)
		if (w->recent[i] == hash)
			return true;
	return false;
}

void window_note(struct window *w, int64_t place, uint64_t hash)
{
	if (w->places == NULL)
		w->places = calloc(WINDOW_PLACES, sizeof(*w->places));
	if (w->places != NULL)
		w->places[(uint64_t)place % WINDOW_PLACES] = hash;
	else
		window_note_recent(w, hash);
}

void window_note_recent(struct window *w, uint64_t hash)
{
	w->recent[w->recent_next] = hash;
	w->recent_next = (uint8_t)((w->recent_next + 1) % WINDOW_RECENT);
}
