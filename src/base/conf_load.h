/*
 * conf_load: what the readers of configuration files share. These are the files that see libcyaml.
 */
#ifndef OTWAY_BASE_CONF_LOAD_H
#define OTWAY_BASE_CONF_LOAD_H

#include <cyaml/cyaml.h>

#include "otway/base/bytes.h"
#include "otway/base/err.h"

/* Reads a file into a new structure of the schema (a mapping by pointer; NULL for an empty file) and its text, for conf_line.
 * EXIT_USAGE with line and what may have been meant. Free with conf_unload. */
int conf_load(const char *path, const cyaml_schema_value_t *schema, void **out, struct buf *text, struct err *err);
/* The same of a text that is there; path stands in errors. */
int conf_load_text(const char *path, const cyaml_schema_value_t *schema, void **out, struct bytes text, struct err *err);
void conf_unload(const cyaml_schema_value_t *schema, void *loaded);

/* The line a key stands on, from 1; 0: on none. */
unsigned conf_line(struct bytes text, const char *key);

#endif
