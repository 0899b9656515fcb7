/*
 * conf: the configuration file, YAML. Everything in it has a default, so that an empty file is a good one.
 */
#ifndef OTWAY_BASE_CONF_H
#define OTWAY_BASE_CONF_H

#include "otway/base/err.h"

struct conf {
	char *store;      /* where warrants are kept: sqlite:PATH; NULL: the default of store_default_url */
	char *kms_header; /* the SIP header that names a KMS; NULL: none */
};

/*
 * Reads a file into out. What it does not know is an error, with its line and what may have been meant: EXIT_USAGE. A file
 * that is not there is EXIT_NOT_FOUND.
 */
int conf_read(const char *path, struct conf *out, struct err *err);
void conf_clear(struct conf *c);

#endif
