/*
 * role_control_keeper: what the files of the process that has the store share.
 *
 *   role_control_keeper.c   the process: confined, and gone when control is
 *   role_control_look.c     is it the right store, and what changed in it
 *   role_control_acts.c     what is to be in the trail
 *   role_control_read.c     a table out of the store
 */
#ifndef OTWAY_DAEMON_ROLE_CONTROL_KEEPER_H
#define OTWAY_DAEMON_ROLE_CONTROL_KEEPER_H

#include "role_control.h"

struct keeper {
	const struct keeper_options *o;
	nsec_t lease;
	struct loop *loop;
	struct port *port;
	struct loop_watch *life, *watch;
	struct loop_timer *timer;
	struct loop_later *later;
	struct store *store;
	struct keeper_memory known;
	uint8_t sent[SHA256_LEN];
	bool sent_one, trouble, audit_trouble;
	nsec_t pause, checked;
	struct msg_audit *acts; /* texts owned */
	size_t count, room;
};

void keeper_tell(struct keeper *k, enum msg_type type, const struct buf *body);
void keeper_tell_alarm(struct keeper *k, enum alarm alarm, bool on, const char *of, const char *text);

/* role_control_look.c */
void keeper_on_look(void *keeper);                   /* now, and again when it is due */
int keeper_look(struct keeper *k, struct err *err);  /* opens it if need be; tells what changed */
int keeper_check(struct keeper *k, struct err *err); /* EXIT_INTEGRITY: it is another one */
void keeper_unwatch(struct keeper *k);               /* before anything is done with it */
void keeper_lose(struct keeper *k, const struct err *why);

/* role_control_acts.c */
void keeper_act(struct keeper *k, struct bytes body); /* MSG_AUDIT */
void keeper_on_acts(void *keeper);                    /* all that came */

#endif
