/*
 * conf_run: what conf.c needs of the settings of `otway run`.
 */
#ifndef OTWAY_BASE_CONF_RUN_H
#define OTWAY_BASE_CONF_RUN_H

#include "conf_load.h"
#include "otway/base/conf.h"

extern const cyaml_schema_field_t conf_run_fields[];

/* Of what the schema cannot say: ranges, spans, names. EXIT_USAGE with the line. */
int conf_run_check(const char *path, struct bytes text, const struct conf_run *r, struct err *err);
void conf_run_clear(struct conf_run *r);

#endif
