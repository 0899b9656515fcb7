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

/* What is on the disk stands; what is not, waits there in memory: an alarm as long as that is so. */
void delivery_disk(struct delivery *d, bool ok, const struct err *err);

/* role_delivery_told.c: what others say */
void delivery_record(void *role, uint32_t index, struct bytes body);
void delivery_mark(void *role, uint32_t index, struct bytes body);
void delivery_gap(void *role, uint32_t index, struct bytes body);
void delivery_held(void *role, uint32_t index, struct bytes body);
void delivery_table_begin(void *role, uint32_t index, struct bytes body);
void delivery_warrant(void *role, uint32_t index, struct bytes body);
void delivery_table_end(void *role, uint32_t index, struct bytes body);
void delivery_lease(void *role, uint32_t index, struct bytes body);
/* Whether intercepts are heard: records of warrants that are not known yet wait in the ports. */
void delivery_listen(struct delivery *d, bool on);

/* role_delivery_held.c: packets that were held back go to the intercept that wants them, no faster than it takes them in */
void held_wanted(void *role, uint32_t index, struct bytes body);
void held_go_on(void *role); /* as loop_later and the beat call it */
void held_clear(struct delivery *d);

#endif
