/*
 * manifest: MANIFEST.sha256 over every file of a warrant's folder, as sha256sum writes it.
 */
#ifndef DELIVERY_MANIFEST_H
#define DELIVERY_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

/* Of a folder that grows; a path is one below the folder. */
struct manifest_choice {
	bool (*skip)(void *arg, const char *path); /* it is left out */
	const uint8_t *(*known)(
		void *arg, const char *path); /* its SHA-256, when it need not be read for that; else NULL */
	void *arg;
};

/* folder: below the stage; name: of the manifest in it. Paths are relative to the folder, sorted by their octets. choice NULL: everything
 * there is. To be called last. */
int manifest_write(struct stage *stage, const char *folder, const char *name, const struct manifest_choice *choice,
	struct err *err);

/* The SHA-256 of one file. */
int manifest_hash(struct stage *stage, const char *path, uint8_t *out, struct err *err);

#endif
