/*
 * foreign: kept packets of a place that was said just now, which belong to another front: they wait to be forwarded. Bounded in number;
 * what finds no room is accounted for.
 */
#ifndef OTWAY_FOREIGN_H
#define OTWAY_FOREIGN_H

#include "otway/model/packet.h"

struct foreign {
	struct foreign_packet *first, *last, *given;
	size_t count;
	uint64_t lost; /* found no room, since somebody set it to 0 */
	nsec_t lost_from, lost_until;
}; /* all zero: none */

void foreign_clear(struct foreign *q);
/* A copy; without room for it, it is lost. */
void foreign_keep(struct foreign *q, const struct datagram *d);
/* The oldest, which is out of the queue and stands until the next call; NULL: none. */
const struct datagram *foreign_next(struct foreign *q);

/* Whether there is anything to be given or taken back. */
static inline bool foreign_any(const struct foreign *q)
{
	return q->first != NULL || q->given != NULL || q->lost > 0;
}

#endif
