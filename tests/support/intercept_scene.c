/* intercept_scene: the intercept role, driven by its ports and its cable. */
#include "intercept_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "veth.h"

#define USER   "64992"           /* nobody's */
#define OCTETS ((size_t)1 << 20) /* that the kernel keeps between two roles */
#define QUEUE  ((size_t)64 << 20)
#define RING   128 /* MiB: nothing of these tests is dropped by the kernel */
#define TURN   (NSEC_PER_SEC / 200)

static const nsec_t *ahead; /* of the clock of this process and of the role */

nsec_t __real_nsec_now(void);
nsec_t __wrap_nsec_now(void);

nsec_t __wrap_nsec_now(void)
{
	return __real_nsec_now() + (ahead != NULL ? *ahead : 0);
}

nsec_t scene_now(void)
{
	return __real_nsec_now();
}

static void take_count(struct intercept_scene *s, struct bytes body)
{
	struct msg_count c;
	size_t i = 0;

	assert_true(msg_get_count(body, &c));
	while (i < s->count && (strcmp(s->counts[i].name, c.name) != 0 || strcmp(s->counts[i].of, c.of) != 0))
		i++;
	assert_true(i < sizeof(s->counts) / sizeof(s->counts[0]));
	s->count += i == s->count;
	snprintf(s->counts[i].name, sizeof(s->counts[i].name), "%s", c.name);
	snprintf(s->counts[i].of, sizeof(s->counts[i].of), "%s", c.of);
	s->counts[i].value = c.value;
	s->rounds += strcmp(c.name, "queue_lost") == 0;
}

static void on_taken(void *arg, enum msg_type type, struct bytes body)
{
	const struct seated *from = arg;
	struct intercept_scene *s = from->scene;
	struct came *one;

	if (type == MSG_COUNTS) {
		take_count(s, body);
		return;
	}
	one = calloc(1, sizeof(*one));
	assert_non_null(one);
	one->from = from->seat;
	one->type = type;
	buf_add(&one->body, body.at, body.len);
	*s->last = one;
	s->last = &one->next;
}

static void take_out(struct intercept_scene *s, struct came **at, struct buf *out)
{
	struct came *one = *at;

	*at = one->next;
	if (one->next == NULL)
		s->last = at;
	if (out != NULL) {
		buf_clear(out);
		*out = one->body;
	} else {
		buf_clear(&one->body);
	}
	free(one);
}

/* *type MSG_TYPES: any. */
static bool came(struct intercept_scene *s, enum seat from, enum msg_type *type, nsec_t span, struct buf *out)
{
	nsec_t until = loop_now() + span;

	do {
		for (struct came **at = &s->first; *at != NULL; at = &(*at)->next) {
			if ((*at)->from != from || (*type != MSG_TYPES && (*at)->type != *type))
				continue;
			*type = (*at)->type;
			take_out(s, at, out);
			return true;
		}
		loop_run(s->loop, loop_now() + TURN);
	} while (loop_now() < until);
	return false;
}

bool scene_came(struct intercept_scene *s, enum seat from, enum msg_type type, nsec_t span, struct buf *out)
{
	return came(s, from, &type, span, out);
}

bool scene_next(struct intercept_scene *s, enum seat from, nsec_t span, enum msg_type *type, struct buf *out)
{
	*type = MSG_TYPES;
	return came(s, from, type, span, out);
}

void scene_forget(struct intercept_scene *s, enum seat from)
{
	for (struct came **at = &s->first; *at != NULL;) {
		if ((*at)->from == from)
			take_out(s, at, NULL);
		else
			at = &(*at)->next;
	}
}

void scene_wait(struct intercept_scene *s, nsec_t span)
{
	nsec_t until = loop_now() + span;

	do
		loop_run(s->loop, until);
	while (loop_now() < until);
}

void seat_deaf(struct intercept_scene *s, enum seat seat, bool deaf)
{
	port_pause(s->ports[seat], deaf);
}

void seat_tell(struct intercept_scene *s, enum seat seat, enum msg_type type, struct buf *body)
{
	assert_true(port_send(s->ports[seat], type, buf_bytes(body)));
	buf_clear(body);
}

int intercept_scene_setup(void **state)
{
	struct intercept_scene *s = calloc(1, sizeof(*s));

	*state = s;
	if (veth_setup(state) < 0)
		return -1;
	run("ip link set mirror mtu 65000; ip link set wire mtu 65000");
	s->last = &s->first;
	s->loop = loop_new();
	s->wire = veth_socket("wire");
	s->ahead = mmap(NULL, sizeof(*s->ahead), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->ahead != MAP_FAILED);
	ahead = s->ahead;
	s->start.run = 1;
	memset(s->start.seal, 0x5e, sizeof(s->start.seal));
	assert_true(conf_run_defaults(&s->start.conf.run));
	free(s->start.conf.run.users.intercept);
	s->start.conf.run.users.intercept = strdup(USER);
	s->start.conf.run.interfaces[0] = strdup("mirror");
	s->start.conf.run.interfaces_count = 1;
	s->start.conf.run.ring_mib = RING;
	for (int i = 0; i < SEATS; i++) {
		s->seated[i] = (struct seated){ s, (enum seat)i };
		assert_int_equal(port_pair(s->fds[i], OCTETS, NULL), 0);
		assert_int_equal(
			port_new(&s->ports[i], s->loop, dup(s->fds[i][0]), QUEUE, on_taken, &s->seated[i], NULL), 0);
	}
	return 0;
}

int intercept_scene_teardown(void **state)
{
	struct intercept_scene *s = *state;

	if (s->role > 0)
		intercept_kill(s);
	while (s->first != NULL)
		take_out(s, &s->first, NULL);
	for (int i = 0; i < SEATS; i++) {
		port_free(s->ports[i]);
		close(s->fds[i][0]);
		close(s->fds[i][1]);
	}
	close(s->wire);
	loop_free(s->loop);
	conf_clear(&s->start.conf);
	ahead = NULL;
	munmap(s->ahead, sizeof(*s->ahead));
	free(s);
	return 0;
}

/* Intercepts beside this one, by their numbers. */
static void add_peers(struct intercept_scene *s)
{
	static const enum role roles[] = { [CONTROL] = ROLE_CONTROL, [KEYS] = ROLE_KEYS, [DELIVERY] = ROLE_DELIVERY };
	struct role_start *r = &s->start;
	int seat = OTHER;

	r->peer_count = 0;
	for (int i = CONTROL; i <= DELIVERY; i++)
		r->peers[r->peer_count++] = (struct role_peer){ roles[i], 0, s->fds[i][1] };
	for (uint32_t i = 0; i < r->intercepts; i++)
		if (i != r->index)
			r->peers[r->peer_count++] = (struct role_peer){ ROLE_INTERCEPT, i, s->fds[seat++][1] };
}

void intercept_begin(struct intercept_scene *s, uint32_t index, uint32_t fronts, bool again)
{
	struct err err = { 0 };
	int rc;

	s->sent = s->count = 0;
	s->start.role = ROLE_INTERCEPT;
	s->start.index = index;
	s->start.intercepts = fronts;
	s->start.again = again;
	s->start.down = NSEC_NONE;
	s->start.supervise = s->fds[SUPERVISE][1];
	add_peers(s);
	s->role = fork();
	assert_true(s->role >= 0);
	if (s->role > 0) {
		assert_true(scene_came(s, SUPERVISE, MSG_READY, LONG, NULL));
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(s->wire);
	for (int i = 0; i < SEATS; i++)
		close(s->fds[i][0]);
	rc = role_intercept(&s->start, &err);
	if (rc != 0)
		fprintf(stderr, "the role ended: %s\n", err.text);
	_exit(rc != 0);
}

void intercept_kill(struct intercept_scene *s)
{
	kill(s->role, SIGKILL);
	waitpid(s->role, NULL, 0);
	s->role = 0;
}

void intercept_stop(struct intercept_scene *s)
{
	struct buf body = { 0 };
	int status = -1;
	nsec_t until = loop_now() + LONG;

	assert_true(port_send(s->ports[SUPERVISE], MSG_STOP, (struct bytes){ NULL, 0 }));
	if (s->start.intercepts == 2 && msg_put_time(&body, NSEC_EVER)) /* it has said its last too */
		seat_tell(s, OTHER, MSG_MARK, &body);
	while (waitpid(s->role, &status, WNOHANG) == 0 && loop_now() < until)
		scene_wait(s, TURN);
	s->role = 0;
	assert_int_equal(status, 0);
}

/* As it was said last; UINT64_MAX: never. */
static uint64_t said(const struct intercept_scene *s, const char *name, const char *of)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->counts[i].name, name) == 0 && strcmp(s->counts[i].of, of) == 0)
			return s->counts[i].value;
	return UINT64_MAX;
}

uint64_t scene_count(struct intercept_scene *s, const char *name, const char *of)
{
	const unsigned round = s->rounds;
	const nsec_t until = loop_now() + LONG;

	while (s->rounds < round + 2 && loop_now() < until) /* of the one that has come, some may be on its way */
		scene_wait(s, TURN);
	assert_true(s->rounds >= round + 2);
	assert_true(said(s, name, of) != UINT64_MAX);
	return said(s, name, of);
}

void scene_counts(struct intercept_scene *s, const char *name, const char *of, uint64_t value)
{
	const nsec_t until = loop_now() + LONG;

	while (said(s, name, of) != value && loop_now() < until)
		scene_wait(s, TURN);
	assert_int_equal(said(s, name, of), value);
}

void scene_settle(struct intercept_scene *s)
{
	for (int i = 0; i < 2; i++) { /* others may have their turn behind the first */
		assert_true(port_send(s->ports[SUPERVISE], MSG_PING, (struct bytes){ NULL, 0 }));
		assert_true(scene_came(s, SUPERVISE, MSG_ALIVE, LONG, NULL));
	}
}

void scene_all_read(struct intercept_scene *s)
{
	scene_counts(s, "interface_frames", "mirror", s->sent);
	assert_int_equal(said(s, "interface_dropped", "mirror"), 0);
}

bool scene_alarmed(struct intercept_scene *s, enum alarm which, nsec_t span)
{
	struct buf body = { 0 };
	struct msg_alarm a = { 0 };
	bool there = false;

	while (!there && scene_came(s, CONTROL, MSG_ALARM, span, &body))
		there = msg_get_alarm(buf_bytes(&body), &a) && a.alarm == which && a.on;
	buf_clear(&body);
	return there;
}

void scene_alarm(struct intercept_scene *s, enum alarm which, bool on, const char *of)
{
	struct buf body = { 0 };
	struct msg_alarm a = { 0 };

	do {
		assert_true(scene_came(s, CONTROL, MSG_ALARM, LONG, &body));
		assert_true(msg_get_alarm(buf_bytes(&body), &a));
	} while (a.alarm != which || a.on != on || strcmp(a.of, of) != 0);
	buf_clear(&body);
}

bool scene_gap(struct intercept_scene *s, enum gap_reason why, nsec_t span, struct gap *out)
{
	struct buf body = { 0 };
	bool there = false;

	while (!there && scene_came(s, DELIVERY, MSG_GAP, span, &body))
		there = msg_get_gap(buf_bytes(&body), out) && out->reason == why;
	buf_clear(&body);
	return there;
}
