/*
 * captures: the pcap files of a case folder, out of what was spooled.
 */
#ifndef DELIVERY_CAPTURES_H
#define DELIVERY_CAPTURES_H

#include "holdings.h"

/* "call-0001". Returns out. */
#define CALL_NAME 24
char *captures_name(const struct held_call *c, char out[CALL_NAME]);

/*
 * A message in the bytes it is delivered in: h's keys taken out, or every one when `all`. Counts in h->keys_removed.
 * out is reset first; the packet is in it.
 */
int captures_cleaned(
	struct holding *h, bool all, struct bytes packet, struct bytes payload, struct buf *out, struct err *err);

/* call-NNNN/signalling.pcap, before.pcap (of its set-up, where interception began during it), media.pcap, sealed.pcap and other.pcap, as far as there is something for them. */
int captures_call(struct holding *h, struct held_call *c, struct stage *stage, struct err *err);

/* other/signalling.pcap. */
int captures_other(struct holding *h, struct stage *stage, struct err *err);

#endif
