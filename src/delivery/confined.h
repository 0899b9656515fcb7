/*
 * confined: a process that can do nothing but compute and talk over descriptor 0, seen from within.
 */
#ifndef DELIVERY_CONFINED_H
#define DELIVERY_CONFINED_H

#include "otway/base/bytes.h"

/* From here on it may not gain privileges, open, connect, start or signal anything; what it tries beyond that ends it. */
bool confined_begin(void);

/* All octets of a message; false: nobody is there any more. */
bool confined_read(int fd, void *to, size_t len);
bool confined_write(int fd, struct bytes all);

#endif
