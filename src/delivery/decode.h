/*
 * decode: what is said between otway and otway-decode, over a socket, in the order of octets of the machine that both run on.
 * One batch of items goes in whole before it is answered. A reply is its length (uint64_t), and for each item a count
 * of samples (uint32_t) and the samples.
 */
#ifndef DELIVERY_DECODE_H
#define DELIVERY_DECODE_H

#include <stdint.h>

/* A struct held_format, or a payload of that format. */
enum item_kind { ITEM_FORMAT, ITEM_PAYLOAD };

struct item {
	uint32_t kind, len;
};

struct batch {
	uint32_t items, len; /* octets of all items, heads included */
	uint32_t rate;
};

#endif
