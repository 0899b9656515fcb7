/*
 * secret: memory that must not outlive its use.
 */
#ifndef OTWAY_BASE_SECRET_H
#define OTWAY_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites; the compiler may not leave it out. NULL is fine. */
void secret_wipe(void *p, size_t len);

/* Compares in time that depends on len alone. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Wipes, then frees. NULL is fine. */
void secret_free(void *p, size_t len);

#endif
