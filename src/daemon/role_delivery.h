/* role_delivery: what its files share. */
#ifndef OTWAY_DAEMON_ROLE_DELIVERY_H
#define OTWAY_DAEMON_ROLE_DELIVERY_H

#include "otway/cases.h"
#include "role.h"

/* What one intercept wants back. */
struct wanted {
	uint32_t *calls; /* in the order of asking */
	size_t count, cap;
};

struct delivery {
	struct role_start *start;
	struct crew *crew;
	struct cases *cases;
	struct loop_timer *beat;
	struct loop_later *back;
	struct warrant_set coming;
	bool is_coming;
	bool has_table, disk_full, stopping, ending;
	nsec_t marks[ROLE_PEERS]; /* of each intercept: it has told all that came before; NSEC_NONE: it never said */
	nsec_t written;           /* wall clock: what came before is beyond reach of whatever becomes of this process */
	nsec_t heard;             /* loop_now of the last record */
	nsec_t stop_until;
	struct wanted wanted[ROLE_PEERS];
	struct msg_room room;
	struct buf octets;
	uint64_t broken, lost_back;
};

/* role_delivery_held.c: packets that were held back go to the intercept that wants them, no faster than it takes them in */
void held_wanted(void *role, uint32_t index, struct bytes body);
void held_go_on(void *role); /* as loop_later and the beat call it */
void held_clear(struct delivery *d);

#endif
