/*
 * decap: frame → datagrams. Takes off the link layer and what wraps the IP packet inside, rejoins fragments,
 * and stops at the transport payload. No header field is trusted further than the octets that are there.
 */
#ifndef OTWAY_DECAP_H
#define OTWAY_DECAP_H

#include "otway/model/counter.h"
#include "otway/model/packet.h"

struct decap;

struct decap *decap_new(void); /* NULL: out of memory */
void decap_free(struct decap *d);

/* True for the LINKTYPE_ values it knows: Ethernet, raw IP (IPv4, IPv6 too), Linux SLL and SLL2, BSD null and loop. */
bool decap_knows(int link);

/* In: one frame, borrowed until the datagrams of it are taken out. */
void decap_take(struct decap *d, const struct frame *in);

/* Out: the next datagram; false when there is none. *out is borrowed until the next call on d. */
bool decap_next(struct decap *d, struct datagram *out);

/* "datagrams", "fragments", "truncated", "not_ip", "broken", … Returns how many were written. */
size_t decap_counts(const struct decap *d, struct counter *out, size_t max);

#endif
