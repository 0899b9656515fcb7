/*
 * key_inside: a KMS's store, as its two files see it.
 */
#ifndef OTWAY_STORE_KEY_INSIDE_H
#define OTWAY_STORE_KEY_INSIDE_H

#include "otway/base/crypto.h"
#include "otway/key_store.h"

struct key_store {
	struct store *store;
	uint8_t sealing[32], marking[32], deriving[32];
};

#endif
