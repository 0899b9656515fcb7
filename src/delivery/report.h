/*
 * report: report.html of one warrant: the same facts as case.json for a person, in one page that needs no network.
 */
#ifndef DELIVERY_REPORT_H
#define DELIVERY_REPORT_H

#include "case_facts.h"

/* To be called when everything else of the folder is written: the page shows the sound of the calls. */
int report_write(
	const struct holding *h, const struct run_facts *run, struct stage *stage, const char *name, struct err *err);

#endif
