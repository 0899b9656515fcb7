/*
 * ladder: the messages of a call as a drawing: a column for every host, an arrow for every message.
 */
#ifndef DELIVERY_LADDER_H
#define DELIVERY_LADDER_H

#include "holdings.h"

int ladder_write(FILE *f, const struct held_call *c, struct err *err);

#endif
