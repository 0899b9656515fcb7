/*
 * back_journal: numbers of notes, in a list for each call. Of those outside calls the newest are kept; of one call the first, which made
 * it, and the newest.
 */
#include "back_journal.h"

#include <stdlib.h>

#include "otway/base/table.h"

#define OUTSIDE_MAX 4096 /* notes outside calls: registrations, mostly */
#define CALL_MAX    512  /* of one call */
#define CALL_FIRST  64   /* never given up while it lasts */

struct notes {
	uint64_t *numbers;
	size_t count, room;
};

struct journal {
	struct table *calls; /* number of a call → its notes; 0: outside */
	uint64_t last;
	struct back_note noted;
	bool is_noted;
	uint64_t resumed;     /* the number that the next one has already; 0: none */
	struct notes claimed; /* taken before the message that claimed them, which tells their call */
	struct notes forgotten;
	size_t forgotten_given;
};

struct journal *back_journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j != NULL && (j->calls = table_new()) == NULL) {
		free(j);
		return NULL;
	}
	return j;
}

static void notes_free(struct notes *n)
{
	free(n->numbers);
	free(n);
}

void back_journal_free(struct journal *j)
{
	struct notes *n;
	size_t step = 0;

	if (j == NULL)
		return;
	while ((n = table_next(j->calls, &step, NULL)) != NULL)
		notes_free(n);
	table_free(j->calls);
	free(j->claimed.numbers);
	free(j->forgotten.numbers);
	free(j);
}

static bool push(struct notes *n, uint64_t number)
{
	if (n->count == n->room) {
		size_t room = n->room > 0 ? 2 * n->room : 16;
		uint64_t *numbers = realloc(n->numbers, room * sizeof(*numbers));

		if (numbers == NULL)
			return false;
		n->numbers = numbers;
		n->room = room;
	}
	n->numbers[n->count++] = number;
	return true;
}

static struct bytes key_of(const uint32_t *call)
{
	return (struct bytes){ (const uint8_t *)call, sizeof(*call) };
}

static struct notes *notes_of(struct journal *j, uint32_t call)
{
	struct notes *n = table_get(j->calls, key_of(&call));

	if (n != NULL)
		return n;
	n = calloc(1, sizeof(*n));
	if (n != NULL && !table_put(j->calls, key_of(&call), n)) {
		free(n);
		return NULL;
	}
	return n;
}

/* The oldest that may go. */
static void give_up(struct journal *j, struct notes *n, size_t at)
{
	push(&j->forgotten, n->numbers[at]);
	memmove(n->numbers + at, n->numbers + at + 1, (n->count - at - 1) * sizeof(*n->numbers));
	n->count--;
}

void back_journal_note(struct journal *j, uint32_t call, bool claimed, bool before, const struct datagram *d)
{
	struct notes *n = claimed ? &j->claimed : notes_of(j, call);
	uint64_t number = j->resumed != 0 ? j->resumed : j->last + 1;

	for (size_t i = 0; n != NULL && !claimed && i < j->claimed.count; i++)
		push(n, j->claimed.numbers[i]);
	if (!claimed)
		j->claimed.count = 0;
	if (n == NULL || !push(n, number))
		return; /* out of memory: who follows will know less */
	while (!claimed && n->count > (call == 0 ? OUTSIDE_MAX : CALL_MAX))
		give_up(j, n, call == 0 ? 0 : CALL_FIRST);
	if (number > j->last)
		j->last = number;
	j->is_noted = j->resumed == 0;
	j->resumed = 0;
	j->noted = (struct back_note){ number, call, claimed, before, d };
}

void back_journal_resume(struct journal *j, const struct back_note *n)
{
	if (j != NULL)
		j->resumed = n->number;
}

bool back_journal_noted(struct journal *j, struct back_note *out)
{
	if (!j->is_noted)
		return false;
	j->is_noted = false;
	*out = j->noted;
	return true;
}

void back_journal_gone(struct journal *j, uint32_t call)
{
	struct notes *n = table_take(j->calls, key_of(&call));

	for (size_t i = 0; n != NULL && i < n->count; i++)
		push(&j->forgotten, n->numbers[i]);
	if (n != NULL)
		notes_free(n);
}

bool back_journal_forgotten(struct journal *j, uint64_t *number)
{
	if (j->forgotten_given == j->forgotten.count) {
		j->forgotten.count = j->forgotten_given = 0;
		return false;
	}
	*number = j->forgotten.numbers[j->forgotten_given++];
	return true;
}
