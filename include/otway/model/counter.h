/*
 * counter: what a stage counts, by name. Never by identity.
 */
#ifndef OTWAY_MODEL_COUNTER_H
#define OTWAY_MODEL_COUNTER_H

#include <stddef.h>
#include <stdint.h>

struct counter {
	const char *name; /* lives as long as the program */
	uint64_t value;
};

#endif
