/*
 * config_show: the configuration as it holds, defaults filled in.
 */
#ifndef OTWAY_CLI_CONFIG_SHOW_H
#define OTWAY_CLI_CONFIG_SHOW_H

#include "inside.h"

/* The caller's; NULL: out of memory. store: as it holds. Read as YAML it is a configuration again. */
json_t *config_json(const struct conf *conf, const struct decap_options *decap, const char *store);
/* The same in YAML, on standard output. */
void config_print(const json_t *config);

#endif
