/* kms_store: the key store as the memory of a KMS (authority.h), for programs that measure it. */
#ifndef TESTS_BENCH_KMS_STORE_H
#define TESTS_BENCH_KMS_STORE_H

#include "otway/authority.h"
#include "otway/key_store.h"

struct authority_memory store_memory(struct key_store *s);

#endif
