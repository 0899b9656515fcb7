/* window: a ring of hashes by place in the sequence, and a small one by arrival. */
#include "window.h"

#include <stdlib.h>

#include "otway/base/table.h"

#define PART (WINDOW_PLACES / WINDOW_PARTS)

void window_clear(struct window *w)
{
	for (size_t i = 0; i < WINDOW_PARTS; i++) {
		free(w->parts[i]);
		w->parts[i] = NULL;
	}
}

uint64_t window_hash(struct bytes packet)
{
	uint64_t hash = table_hash(packet);

	return hash != 0 ? hash : 1;
}

bool window_has(const struct window *w, int64_t place, uint64_t hash)
{
	const uint64_t *part = w->parts[(uint64_t)place / PART % WINDOW_PARTS];

	if (part != NULL && part[(uint64_t)place % PART] == hash)
		return true;
	for (int i = 0; i < WINDOW_RECENT; i++)
		if (w->recent[i] == hash)
			return true;
	return false;
}

void window_note(struct window *w, int64_t place, uint64_t hash)
{
	uint64_t **part = &w->parts[(uint64_t)place / PART % WINDOW_PARTS];

	if (*part == NULL)
		*part = calloc(PART, sizeof(**part));
	if (*part != NULL)
		(*part)[(uint64_t)place % PART] = hash;
	else
		window_note_recent(w, hash);
}

void window_note_recent(struct window *w, uint64_t hash)
{
	w->recent[w->recent_next] = hash;
	w->recent_next = (uint8_t)((w->recent_next + 1) % WINDOW_RECENT);
}
