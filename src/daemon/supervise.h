/*
 * supervise: what its files share. supervise.c begins and ends; supervise_pairs.c has the sockets between roles, supervise_child.c a
 * process of a role, supervise_watch.c what it hears of it, supervise_gaps.c the time that one was missing, supervise_stop.c the
 * end, supervise_reload.c the configuration read again, supervise_places.c users, directories and locks.
 */
#ifndef OTWAY_DAEMON_SUPERVISE_H
#define OTWAY_DAEMON_SUPERVISE_H

#include <sys/types.h>

#include "alarms.h"
#include "otway/run.h"
#include "role.h"

#define SUPERVISE_CHILDREN (CONF_INTERCEPTS + 3)
#define SUPERVISE_GAPS     64
#define SUPERVISE_WHY      512

struct supervise;

/* A role and the process that plays it now, if there is one. */
struct child {
	struct supervise *s;
	enum role role;
	uint32_t index;
	char name[GAP_WHERE]; /* "intercept 1" */

	pid_t pid;            /* 0: none */
	struct port *port;
	nsec_t started, ready_at, alive; /* of loop_now; ready_at NSEC_NONE: not yet */
	nsec_t settled, since;           /* wall clock: what came before it has handed on; it was ready */
	uint64_t asked, answered;        /* PINGs of this process, and its answers */
	uint64_t reload_asked;           /* it has the new configuration when it has answered this one; 0: nothing new */
	char why[SUPERVISE_WHY];         /* what it said last, if it could not start */

	bool begun, renew;               /* one was there before; it asked for another */
	unsigned failures;               /* that died in a row, soon after their start */
	uint64_t restarts;
	struct loop_timer *timer;        /* when it is started again */
};

/* Time that is missing, until delivery has surely heard of it. */
struct gap_told {
	struct gap gap;
	uint64_t asked; /* delivery has it when it has answered this PING; 0: not sent */
	nsec_t since;   /* of loop_now: sent then */
};

struct supervise {
	const struct run_options *o;
	struct conf conf, conf_now; /* as it began; as it was read last */
	struct buf text, text_now;  /* and their texts. conf_now's is empty while it is the same */
	struct loop *loop;
	struct loop_signal *signals[4];
	struct loop_timer *timer;
	struct loop_later *reaper;
	nsec_t ticked, since; /* of loop_now; wall clock: it was started */

	struct child children[SUPERVISE_CHILDREN];
	size_t child_count;
	int *pairs; /* supervise_pairs.c */
	int program, null;
	int notify;
	int locks[2];
	uint32_t run;
	uint8_t seal[ROLE_SEAL];

	struct gap_told gaps[SUPERVISE_GAPS];
	size_t gap_count;
	struct alarms alarms;

	bool up;        /* every role was ready once */
	bool failed;    /* err says why, and the end is near */
	bool reloading; /* not every role has the new configuration yet */
	unsigned stage; /* of the end; 0: it is not */
	nsec_t stage_until;
	char status[160];
	struct err *err;
};

/* supervise.c: the configuration and its text, checked. The caller clears both, after an error too. */
int supervise_read(const struct supervise *s, struct buf *text, struct conf *conf, struct err *err);

void supervise_fit_again(struct supervise *s); /* those interfaces that are there now */

/* supervise_pairs.c: pairs between roles. Makes all; the ends of a child's peers are put into its start. */
int supervise_pairs(struct supervise *s, struct err *err);
void supervise_pairs_close(struct supervise *s);
/* out: peers with the descriptors as they are here. Returns how many. */
size_t supervise_peers(const struct supervise *s, const struct child *c, struct role_peer *out);

/* supervise_child.c */
int child_init(struct child *c, struct err *err);
int child_start(struct child *c, struct err *err);
void child_start_again(struct child *c); /* at once, or after a moment when it keeps dying */
void child_kill(struct child *c);
void child_clear(struct child *c);
bool child_send(struct child *c, enum msg_type type, struct bytes body);
void child_reap(struct supervise *s); /* those that are gone */

/* supervise_watch.c */
void supervise_taken(void *child, enum msg_type type, struct bytes body);
void supervise_tick(void *supervise);
void supervise_ask(struct child *c); /* a PING */
bool supervise_alarm(void *supervise, enum msg_type type, struct bytes body); /* to control; false: no room */
void supervise_status(struct supervise *s);
struct child *supervise_child(struct supervise *s, enum role role);

/* supervise_gaps.c */
void supervise_gaps_begin(struct child *c);
void supervise_gaps_end(struct child *c);
void supervise_gaps_again(struct supervise *s); /* to a delivery that is new */
void supervise_gaps_heard(struct supervise *s);

/* supervise_stop.c */
void supervise_end(struct supervise *s);
void supervise_end_go_on(struct supervise *s); /* when somebody is gone, and when time goes on */
bool supervise_end_reached(const struct child *c); /* it is not started again */

/* supervise_reload.c */
void supervise_reload(struct supervise *s);
void supervise_reloaded(struct supervise *s); /* tells the manager when all have it */

/* supervise_places.c */
int supervise_places_user(const char *name, uid_t *uid, gid_t *gid, struct err *err);
int supervise_places_cases(const struct conf_run *r, bool make, struct err *err); /* there, or made, and whose it must be */
int supervise_places_status(const struct conf_run *r, bool make, struct err *err);
int supervise_places_prepare(struct supervise *s, struct err *err); /* directories and their owners; the lock */
void supervise_places_release(struct supervise *s);

#endif
