/*
 * case_json: case.json of one warrant, schema 1.
 */
#ifndef DELIVERY_CASE_JSON_H
#define DELIVERY_CASE_JSON_H

#include "case_facts.h"

int case_json(const struct holding *h, const struct run_facts *run, struct stage *stage, struct err *err);

#endif
