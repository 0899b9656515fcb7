/*
 * manifest: MANIFEST.sha256 over every file of a warrant's folder, as sha256sum writes it.
 */
#ifndef DELIVERY_MANIFEST_H
#define DELIVERY_MANIFEST_H

#include "stage.h"

/* folder: below the stage. Paths are relative to it, sorted by their octets. To be called last. */
int manifest_write(struct stage *stage, const char *folder, struct err *err);

#endif
