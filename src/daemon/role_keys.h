/*
 * role_keys: what the files of this role share.
 *
 *   role_keys.c           the role: its table of messages, what keys has to say
 *   role_keys_table.c     warrants and agreements, as control says them
 *   role_keys_trail.c     acts are in the trail before they are done
 *   role_keys_early.c     what is wanted before its warrant is known
 *   role_keys_answers.c   what was answered, for as long as it may be wanted again
 *   role_keys_kept.c      what intercepts leave for those that follow them
 */
#ifndef OTWAY_DAEMON_ROLE_KEYS_H
#define OTWAY_DAEMON_ROLE_KEYS_H

#include "otway/base/table.h"
#include "otway/keys.h"
#include "role.h"

#define KEPT_OCTETS ((size_t)256 << 20) /* of checkpoints, of all intercepts together */

struct key_role;

/* An act: told to control, and not yet known to be written. */
struct act;
struct trail {
	struct key_role *role;
	struct act *first, *last;
	struct table *numbers; /* number -> act */
	struct table *gates;   /* request -> the act that what is sent for it waits for */
	uint64_t number;
	size_t count;
	uint64_t dropped;
};
bool trail_init(struct trail *t, struct key_role *r);
void trail_clear(struct trail *t);
/* A KEYS_TRACE: told to control. False: out of memory, and nothing may be sent for it. */
bool trail_tell(struct trail *t, const struct keys_out *o);
/* A KEYS_SEND whose act is not written yet is kept until it is: true. */
bool trail_holds(struct trail *t, const struct keys_out *o);
void trail_audited(struct trail *t, struct bytes body);
void trail_tick(struct trail *t);
void trail_again(struct trail *t); /* control is another one */

/* What was answered, and what is being asked. */
struct answer;
struct answers {
	struct key_role *role;
	struct table *contents; /* hash of what is wanted -> answer */
	struct table *numbers;  /* number that keys knows it by -> answer, while it is asked */
	struct table *calls;    /* call -> the last answer of it */
	struct answer *oldest, *newest;
	uint64_t number;
	size_t count, octets;
};
bool answers_init(struct answers *a, struct key_role *r);
void answers_clear(struct answers *a);
void answers_want(struct answers *a, struct bytes body, const struct key_wanted *w); /* MSG_KEY_WANTED */
void answers_refuse(struct answers *a, const struct key_wanted *w, enum seal_reason reason);
void answers_give(struct answers *a, const struct key_answer *answer); /* KEYS_ANSWER */
void answers_call_over(struct answers *a, uint32_t call);
void answers_table(struct answers *a);  /* the table of warrants is another one: answers of those that are gone go */
void answers_nobody(struct answers *a); /* who asked is gone; its numbers say nothing any more */
void answers_tick(struct answers *a);   /* those that found no room are sent again */

/* What came before the table that has its warrant did. */
struct early_wanted;
struct early {
	struct key_role *role;
	struct early_wanted *first, **end;
	size_t count;
};
void early_init(struct early *e, struct key_role *r);
void early_clear(struct early *e);
void early_want(struct early *e, struct bytes body); /* MSG_KEY_WANTED, every one */
void early_call_over(struct early *e, uint32_t call);
void early_look(struct early *e); /* the table is another one, or time has gone by */

/* Checkpoints. */
struct checkpoint_place {
	struct table *items; /* number -> struct checkpoint */
	uint64_t *sending;   /* numbers, in order */
	size_t count, at;
	struct buf token; /* what the one that resumes said */
	size_t octets, max;
	bool full;
};
struct checkpoints {
	struct key_role *role;
	struct checkpoint_place places[ROLE_PEERS];
	struct loop_timer *timer;
	uint64_t refused;
};
bool checkpoints_init(struct checkpoints *k, struct key_role *r);
void checkpoints_clear(struct checkpoints *k);
void checkpoints_put(struct checkpoints *k, uint32_t index, struct bytes body);
void checkpoints_drop(struct checkpoints *k, uint32_t index, struct bytes body);
void checkpoints_resume(struct checkpoints *k, uint32_t index, struct bytes token);
void checkpoints_stop(struct checkpoints *k, uint32_t index);          /* who resumed is gone */
size_t checkpoints_octets(const struct checkpoints *k, size_t *items); /* of all */

/* Warrants and agreements. */
struct key_table {
	struct warrant_set warrants;
	struct kms_agreements agreements;
	struct msg_lease lease;
};

struct key_role {
	struct role_start *start;
	struct crew *crew;
	struct keys *keys;
	struct exchanges *exchanges;
	struct loop_timer *due;
	struct loop_later *later;
	struct key_table now, coming;
	bool begun, has_table, holds; /* holds: its lease is not over */
	struct trail trail;
	struct early early;
	struct answers answers;
	struct checkpoints kept;
};

void key_role_work(struct key_role *r); /* soon */

void key_table_begin(struct key_role *r);
void key_table_warrant(struct key_role *r, struct bytes body);
void key_table_agreement(struct key_role *r, struct bytes body);
void key_table_end(struct key_role *r, struct bytes body);
void key_table_lease(struct key_role *r, struct bytes body);
void key_table_tick(struct key_role *r);
void key_table_clear(struct key_table *t);
void key_table_name(uint32_t agreement, char out[GAP_WHERE]); /* "agreement 2" */
/* The warrant of that number, where it is known and the table holds; NULL. */
const struct warrant *key_role_warrant(const struct key_role *r, uint32_t number);
const struct kms_agreement *key_role_agreement(const struct key_role *r, uint32_t number); /* likewise */

#endif
