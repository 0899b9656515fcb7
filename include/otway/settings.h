/*
 * settings: what the configuration says of unwrapping, as decap has it.
 */
#ifndef OTWAY_SETTINGS_H
#define OTWAY_SETTINGS_H

#include "otway/base/conf.h"
#include "otway/decap.h"

/* config: the file's name, for errors. EXIT_USAGE: it cannot be. */
int settings_decap(const char *config, const struct conf *c, struct decap_options *out, struct err *err);

#endif
