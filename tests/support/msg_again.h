/*
 * msg_again: a message of any kind is read and written again, so that what was read can be compared octet by octet.
 */
#ifndef OTWAY_TESTS_MSG_AGAIN_H
#define OTWAY_TESTS_MSG_AGAIN_H

#include "otway/model/msg.h"

/* False: `in` is no message of that kind. True: it is, and out (emptied first) has what is written of it. Kinds without a body, and those
 * whose body is not model/msg's: true when in is empty. */
bool msg_again(enum msg_type type, struct bytes in, struct buf *out);

#endif
