/*
 * case_facts: what case.json and the page both tell, so that they tell the same.
 */
#ifndef DELIVERY_CASE_FACTS_H
#define DELIVERY_CASE_FACTS_H

#include "otway/folder.h"
#include "otway/model/gap.h"

#include "holdings.h"

/* What is said of a folder that grows, in place of the captures it was made from. */
struct period_facts {
	nsec_t from, until; /* until: NSEC_NONE while it is open */
	const struct gap *gaps;
	size_t gap_count;
};

/* Does a gap touch the time of a call? */
bool case_gap_touches(const struct gap *g, const struct held_call *c);

/* What is said of the whole run, the same in every warrant's folder. */
struct run_facts {
	const struct folder_input *inputs;
	size_t input_count;
	const struct counter *counters;
	size_t counter_count;
	const struct period_facts *period; /* NULL: it was made of captures */
};

/* The counters of a warrant's folder: the run's, then those of its own packets, which replace the run's of the
 * same name. */
#define COUNTERS_OWN 12
size_t case_counters(const struct holding *h, struct counter out[COUNTERS_OWN]);

/* Streams in the order of their first packets; those without a distinct packet are left out. Borrowed from c but
 * for the array, which is freed by the caller. NULL: none, or out of memory (then *count is not 0). */
struct held_stream **case_streams(const struct held_call *c, size_t *count);

#endif
