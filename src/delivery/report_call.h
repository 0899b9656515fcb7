/*
 * report_call: what the page says of one call.
 */
#ifndef DELIVERY_REPORT_CALL_H
#define DELIVERY_REPORT_CALL_H

#include "case_facts.h"

/* *sound: octets of sound that may still go into the page. */
int report_call(FILE *f, const struct holding *h, const struct held_call *c, const struct run_facts *run,
	struct stage *stage, uint64_t *sound, struct err *err);

/* A row of a table of gaps. */
void report_gap(FILE *f, const struct gap *g);

/* How its streams stand, as badges. */
void report_states(FILE *f, const struct held_call *c);

#endif
