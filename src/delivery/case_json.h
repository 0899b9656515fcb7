/*
 * case_json: case.json of one warrant, schema 1.
 */
#ifndef DELIVERY_CASE_JSON_H
#define DELIVERY_CASE_JSON_H

#include "case_facts.h"

/* name: of the file in h's folder. */
int case_json(
	const struct holding *h, const struct run_facts *run, struct stage *stage, const char *name, struct err *err);

#endif
