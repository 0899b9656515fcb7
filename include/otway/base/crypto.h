/*
 * crypto: hashes and random octets. The one module that sees libcrypto besides TLS and SRTP engines.
 */
#ifndef OTWAY_BASE_CRYPTO_H
#define OTWAY_BASE_CRYPTO_H

#include "otway/base/bytes.h"

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with its NUL */

struct sha256; /* a running SHA-256 (FIPS 180-4) */

struct sha256 *sha256_new(void); /* NULL: out of memory */
void sha256_free(struct sha256 *h);
void sha256_add(struct sha256 *h, struct bytes in);
/* The hash so far; h goes on as if not asked. */
void sha256_value(const struct sha256 *h, uint8_t out[SHA256_LEN]);
/* Begins anew. */
void sha256_reset(struct sha256 *h);

void sha256_of(struct bytes in, uint8_t out[SHA256_LEN]);

/* False: the system gives none, and nothing may go on without. */
bool crypto_random(void *out, size_t len);

#endif
