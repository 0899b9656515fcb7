/*
 * call_json: the facts of one call, in the order of the contract.
 */
#ifndef DELIVERY_CALL_JSON_H
#define DELIVERY_CALL_JSON_H

#include <jansson.h>

#include "case_facts.h"

json_t *call_json(const struct holding *h, const struct held_call *c, const struct run_facts *run);

/* Gaps of a period: those that touch a call, or (NULL) all. */
json_t *call_json_gaps(const struct period_facts *p, const struct held_call *c);

#endif
