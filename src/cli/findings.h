/*
 * findings: what in a capture could not be used, and why, each in one sentence.
 */
#ifndef OTWAY_CLI_FINDINGS_H
#define OTWAY_CLI_FINDINGS_H

#include "reading.h"

#define FINDING_TEXT 320

struct finding {
	const char *kind;        /* "tunnel-left", "ethertype", …, or the name of a counter */
	const char *name;        /* of the tunnel; NULL: none */
	long id;                 /* port, ethertype, protocol or link type; -1: none */
	uint64_t packets;        /* or whatever the counter counts */
	char text[FINDING_TEXT]; /* a sentence, no address or name of anybody in it */
};

/* The i-th; false: there are no more. */
bool findings_at(const struct reading *r, size_t i, struct finding *out);

#endif
