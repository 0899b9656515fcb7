/*
 * role: what every role is given when it starts, and the roles. Each is a process of its own: its function runs until it is told to stop
 * and returns an exit code. A role's file opens with the table of messages it accepts, from whom, and which function answers.
 */
#ifndef OTWAY_DAEMON_ROLE_H
#define OTWAY_DAEMON_ROLE_H

#include "otway/base/conf.h"
#include "otway/loop.h"
#include "otway/model/msg.h"
#include "otway/port.h"

#define ROLE_PEERS 40
#define ROLE_SEAL  32

struct role_peer {
	enum role role;
	uint32_t index;
	int fd; /* this role's end; the port that is made of it takes it over */
};

struct role_start {
	enum role role;
	uint32_t index;                 /* of intercept; others: 0 */
	uint32_t intercepts;            /* how many there are */
	bool again;                     /* one like it was there before and is gone: resume */
	nsec_t down;                    /* when that one was last known to be alive, wall clock; NSEC_NONE */
	uint32_t run;                   /* another number each time otway is started */
	struct conf conf;               /* the whole configuration, checked */
	uint8_t seal[ROLE_SEAL];        /* intercept only: what it seals checkpoints with; else zeroes */
	int supervise;                  /* the descriptor to supervise */
	struct role_peer peers[ROLE_PEERS];
	size_t peer_count;
	const char *try_text;           /* only in tests: see sandbox.h */
	char *config, *store;           /* the configuration's file, for errors; the store that comes before it, or NULL */
};

/* common.c: what every role does alike: its loop, its port to supervise (PING is answered, STOP and RELOAD are told), one port for each
 * peer, the table of what it accepts, counts and alarms toward control. */
struct crew;

struct crew_accepts {
	enum role from;
	enum msg_type type;
	void (*take)(void *role, uint32_t index, struct bytes body); /* index: of the peer */
};

struct crew_options {
	const struct crew_accepts *accepts;
	size_t count;
	void *role;                                             /* handed to the functions */
	void (*stop)(void *role);                               /* told to finish: to end with crew_stop */
	void (*reload)(void *role, const struct conf *conf);    /* NULL: nothing of it matters here. Borrowed for the call */
	void (*peer_up)(void *role, const struct msg_peer *p);  /* NULL: likewise */
	void (*tick)(void *role);                               /* every second; NULL: nothing to do */
	size_t (*counts)(void *role, struct msg_count *out, size_t max); /* told to control each second; NULL: none */
	nsec_t (*settled)(void *role);                          /* wall clock: what came before was handed on; NULL: all, always */
};

/* What comes in before crew_run waits. err: what cannot be. */
int crew_new(struct crew **out, struct role_start *start, const struct crew_options *o, struct err *err);
void crew_free(struct crew *c);
struct loop *crew_loop(struct crew *c);
struct port *crew_port(struct crew *c, enum role to, uint32_t index); /* NULL: it has none */
bool crew_send(struct crew *c, enum role to, uint32_t index, enum msg_type type, struct bytes body); /* false: no room */
void crew_refuse(struct crew *c); /* what is accepted of some of a role, but not of this one: it is counted */
/* on: told to control when it is new or says something else, and to every control that follows; !on: when it was on. Logged here. */
void crew_alarm(struct crew *c, enum alarm a, bool on, const char *of, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void crew_ready(struct crew *c);  /* confined, and at work: tells supervise */
int crew_run(struct crew *c);     /* until crew_stop; exit code */
void crew_stop(struct crew *c, int code); /* what was sent is drained first */

int role_control(struct role_start *start, struct err *err);
/* Before anything is started: is the store one that control may use, and are its places those of this machine? Nothing is connected to. */
int role_control_check(const struct conf *conf, struct err *err);
int role_intercept(struct role_start *start, struct err *err);
int role_keys(struct role_start *start, struct err *err);
int role_delivery(struct role_start *start, struct err *err);

#endif
