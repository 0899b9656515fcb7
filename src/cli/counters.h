/*
 * counters: what each counter means, for `explain` and the man pages.
 */
#ifndef OTWAY_CLI_COUNTERS_H
#define OTWAY_CLI_COUNTERS_H

#include <stddef.h>

struct counter_words {
	const char *name;
	const char *meaning;
	const char *lost; /* what to tell, behind the number, when something was lost by it; NULL: nothing was */
};

const struct counter_words *counter_words(const char *name); /* NULL: no such counter */
const struct counter_words *counter_words_at(size_t i);      /* NULL: there are no more */

#endif
