/*
 * recent: a ring of the media packets that just went by, for the media that comes before its description.
 * Bounded in octets and in time; nothing is kept elsewhere and what is overwritten is gone. It counts nothing.
 */
#ifndef OTWAY_RECENT_H
#define OTWAY_RECENT_H

#include "otway/model/packet.h"

struct recent;

/* octets: all that is kept, headers too, as a power of two that is not more, or 4 KiB; span: how long. In memory pages of 2 MiB. NULL: out of
 * memory. */
struct recent *recent_new(size_t octets, nsec_t span);
void recent_free(struct recent *r);

/* Keeps a copy of a datagram that may be RTP or RTCP; anything else is passed over. For every packet: no allocation. */
void recent_keep(struct recent *r, const struct datagram *d);

/*
 * The next kept datagram to or from `place`, not older than the span before `at`, oldest first; *step begins at 0. It is
 * given once only, and borrowed until the next call on r. False: no more.
 */
bool recent_next(struct recent *r, const struct addr *place, nsec_t at, uint64_t *step, struct datagram *out);

#endif
