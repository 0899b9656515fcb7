/*
 * crew: what the files of a role's crew share: common.c has its loop and its ports, common_told.c what control is told.
 */
#ifndef OTWAY_DAEMON_CREW_H
#define OTWAY_DAEMON_CREW_H

#include "alarms.h"
#include "role.h"

struct crew_link {
	struct crew *crew;
	enum role role;
	uint32_t index;
	struct port *port;
};

struct crew {
	struct crew_options o;
	const struct role_start *start;
	struct loop *loop;
	struct loop_timer *timer;
	nsec_t next_tick;

	struct crew_link supervise, peers[ROLE_PEERS];
	size_t peer_count;
	struct port *by[ROLES][ROLE_PEERS]; /* the port to a role of that index */
	void (*take[ROLES][MSG_TYPES])(void *role, uint32_t index, struct bytes body);

	struct alarms alarms;
	uint64_t refused; /* messages that nobody has said are accepted */
	bool stopping;
	int code;
};

/* To a role, or to this one itself by its own table. */
bool crew_tell(struct crew *c, enum role to, enum msg_type type, struct bytes body);
void crew_tell_counts(struct crew *c);
bool crew_tell_alarm(void *crew, enum msg_type type, struct bytes body);

#endif
