/*
 * intercept_scene: the intercept role in a process of its own, confined as it is live, which listens on one end of a cable. This process is at
 * the other end, and at the other ends of its ports: supervise, control, keys, delivery and other intercepts at once.
 * Linked with -Wl,--wrap=nsec_now: the wall clock of the role is this one, and `ahead` of it.
 */
#ifndef OTWAY_TESTS_INTERCEPT_SCENE_H
#define OTWAY_TESTS_INTERCEPT_SCENE_H

#include <sys/types.h>

#include "../../src/daemon/role.h"

#define SOON (NSEC_PER_SEC / 2)
#define LONG (20 * NSEC_PER_SEC)

enum seat {
	SUPERVISE,
	CONTROL,
	KEYS,
	DELIVERY,
	OTHER,
	THIRD,
	SEATS
}; /* OTHER and THIRD: intercepts, as far as there are */

struct came {
	struct came *next;
	enum seat from;
	enum msg_type type;
	struct buf body;
};

struct told_count {
	char name[48], of[GAP_WHERE];
	uint64_t value;
};

struct intercept_scene {
	struct loop *loop;
	struct port *ports[SEATS];
	int fds[SEATS][2];
	struct seated {
		struct intercept_scene *scene;
		enum seat seat;
	} seated[SEATS];
	struct came *first, **last; /* in the order they came */
	struct told_count counts[160];
	size_t count;
	unsigned rounds; /* of counts */
	nsec_t *ahead;   /* shared with the role */
	int wire;
	uint64_t sent; /* frames, to this role */
	pid_t role;
	struct role_start start;
};

/* Set-up and teardown of a cmocka test: a cable, and nothing yet at it. */
int intercept_scene_setup(void **state);
int intercept_scene_teardown(void **state);

/* So many intercepts, of which the role is the one of that index. It is ready when this returns; with `again`, it follows one that died. */
void intercept_begin(struct intercept_scene *s, uint32_t index, uint32_t fronts, bool again);
void intercept_kill(struct intercept_scene *s);
void intercept_stop(struct intercept_scene *s); /* which must end well */

/* A seat that takes nothing in for now. */
void seat_deaf(struct intercept_scene *s, enum seat seat, bool deaf);
void seat_tell(struct intercept_scene *s, enum seat seat, enum msg_type type, struct buf *body); /* emptied */

/* All that was said so far, by whatever seat, is taken in. And all frames. */
void scene_settle(struct intercept_scene *s);
void scene_all_read(struct intercept_scene *s);
void scene_wait(struct intercept_scene *s, nsec_t span);
/* The oldest message of that kind, which is taken out; false: none came in that time. out: NULL, or the caller's. */
bool scene_came(struct intercept_scene *s, enum seat from, enum msg_type type, nsec_t span, struct buf *out);
/* The oldest message from there, whatever it is. */
bool scene_next(struct intercept_scene *s, enum seat from, nsec_t span, enum msg_type *type, struct buf *out);
void scene_forget(struct intercept_scene *s, enum seat from); /* all that came from there */
nsec_t scene_now(void);                                       /* the wall clock itself */

/* What the role says of itself, once it has said it anew. */
uint64_t scene_count(struct intercept_scene *s, const char *name, const char *of);
/* Waits until it says just that, which it is to do. */
void scene_counts(struct intercept_scene *s, const char *name, const char *of, uint64_t value);

/* Alarms, until that one came; failing after a while. And whether it came. */
void scene_alarm(struct intercept_scene *s, enum alarm which, bool on, const char *of);
bool scene_alarmed(struct intercept_scene *s, enum alarm which, nsec_t span);
/* The next gap of that reason. */
bool scene_gap(struct intercept_scene *s, enum gap_reason why, nsec_t span, struct gap *out);

#endif
