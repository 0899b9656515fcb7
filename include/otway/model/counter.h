/*
 * counter: what a stage counts, by name. Never by identity. And what each means, for people.
 */
#ifndef OTWAY_MODEL_COUNTER_H
#define OTWAY_MODEL_COUNTER_H

#include <stddef.h>
#include <stdint.h>

struct counter {
	const char *name; /* lives as long as the program */
	uint64_t value;
};

struct counter_words {
	const char *name;
	const char *meaning;
	const char *lost; /* what to tell, behind the number, when something was lost by it; NULL: nothing was */
};

const struct counter_words *counter_words(const char *name); /* NULL: no such counter */
const struct counter_words *counter_words_at(size_t i);      /* NULL: there are no more */

#endif
