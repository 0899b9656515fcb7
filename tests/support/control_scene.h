/*
 * control_scene: the control role in a process of its own, confined as it is live, and this process at the other ends of its ports: supervise,
 * intercept 0, keys and delivery at once.
 */
#ifndef OTWAY_TESTS_CONTROL_SCENE_H
#define OTWAY_TESTS_CONTROL_SCENE_H

#include <jansson.h>

#include "../../src/daemon/role.h"
#include "store_scene.h"

/* What one of its peers was sent. */
struct got {
	struct control_scene *scene;
	enum role as;
	struct port *port;
	struct warrant_set coming, table;
	size_t agreements_coming, agreements, tables, leases;
	struct msg_lease lease; /* the last */
	bool begun;
	char order[64]; /* of whole tables with warrants, whose they are: "d", "k" or "i" */
	uint64_t audited[4096];
	bool written[4096];
	size_t audit_count;
	size_t alive, ready;
};

struct control_scene {
	struct bench *store;
	struct loop *loop;
	struct got supervise, intercept, keys, delivery;
	int theirs[4]; /* the role's ends */
	int mine[4];
	pid_t pid;
	char run[96], status[128], metrics[160], lease[16];
	uint32_t number; /* of the run */
	unsigned intercepts;
};

int control_scene_setup(void **state); /* a store, with an agency; control is not started */
int control_scene_teardown(void **state);

/* Before control is started: all that it tells anybody comes to `delivery`, in its order. */
void control_scene_one_way(struct control_scene *s);
void control_start(struct control_scene *s, bool again);
void control_kill(struct control_scene *s); /* -9 */
int control_stop(struct control_scene *s);  /* told to; its exit code */

/* Lets the loop turn until fn(s) or the end of patience (15 s), which fails. Returns how long it took. */
nsec_t control_until(struct control_scene *s, bool (*fn)(struct control_scene *s), const char *what);
void control_turn(struct control_scene *s, nsec_t span);

json_t *control_told(struct control_scene *s); /* what status says; the caller's */
bool control_alarmed(struct control_scene *s, const char *alarm);
const char *control_state(struct control_scene *s, char out[16]); /* of the store */

void control_send(struct got *as, enum msg_type type, const struct buf *body);

/* A warrant of the scene's store by another hand, in force from an hour ago for an hour. */
void control_warrant(struct control_scene *s, const char *liid, nsec_t from, nsec_t until);
void control_revoke(struct control_scene *s, const char *liid);

#endif
