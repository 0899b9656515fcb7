/*
 * manifest: MANIFEST.sha256 over every file of a warrant's folder, as sha256sum writes it.
 */
#ifndef DELIVERY_MANIFEST_H
#define DELIVERY_MANIFEST_H

#include <stdbool.h>

#include "stage.h"

/* Is a file, by its path below the folder, to be left out? */
typedef bool manifest_skip(void *arg, const char *path);

/* folder: below the stage; name: of the manifest in it. Paths are relative to the folder, sorted by their octets. skip: NULL: nothing is
 * left out. To be called last. */
int manifest_write(
	struct stage *stage, const char *folder, const char *name, manifest_skip *skip, void *arg, struct err *err);

#endif
