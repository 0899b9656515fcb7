/* control_scene: the control role, driven by its ports. */
#include "control_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otway/base/file.h"
#include "otway/local.h"

#define USER     64991 /* nobody's */
#define PATIENCE (15 * NSEC_PER_SEC)
#define OCTETS   ((size_t)1 << 20)
#define QUEUE    ((size_t)4 << 20)

/* Delivery alone gets papers, keys no targets. */
static void note_order(struct got *g)
{
	const struct warrant *w = g->table.count > 0 ? &g->table.all[0] : NULL;
	size_t len = strlen(g->order);

	if (w == NULL || len + 1 >= sizeof(g->order))
		return;
	g->order[len] = w->agency != NULL && w->agency[0] != '\0' ? 'd' : w->target_count == 0 ? 'k' : 'i';
}

static void take_table(struct got *g, enum msg_type type, struct bytes body)
{
	struct warrant w = { 0 };
	struct kms_agreement a = { 0 };

	switch (type) {
	case MSG_TABLE_BEGIN:
		warrant_set_clear(&g->coming);
		g->agreements_coming = 0;
		g->begun = true;
		break;
	case MSG_WARRANT:
		assert_true(g->begun && msg_get_warrant(body, &w) && warrant_add(&g->coming, &w));
		break;
	case MSG_AGREEMENT:
		assert_true(g->begun && msg_get_agreement(body, &a));
		g->agreements_coming++;
		break;
	case MSG_TABLE_END:
		assert_true(g->begun && msg_get_lease(body, &g->lease));
		warrant_set_clear(&g->table);
		g->table = g->coming;
		g->coming = (struct warrant_set){ 0 };
		g->agreements = g->agreements_coming;
		g->begun = false;
		g->tables++;
		note_order(g);
		break;
	default:
		break;
	}
	warrant_clear(&w);
	kms_agreement_clear(&a);
}

static void taken(void *arg, enum msg_type type, struct bytes body)
{
	struct got *g = arg;

	if (type == MSG_LEASE) {
		assert_true(msg_get_lease(body, &g->lease));
		g->leases++;
	} else if (type == MSG_AUDITED) {
		assert_true(g->audit_count < 4096);
		assert_true(msg_get_audited(body, &g->audited[g->audit_count], &g->written[g->audit_count]));
		g->audit_count++;
	} else if (type == MSG_ALIVE) {
		g->alive++;
	} else if (type == MSG_READY) {
		g->ready++;
	} else {
		take_table(g, type, body);
	}
}

/* The server's sockets, which a user of another number is to reach. */
static void open_server(const char *url)
{
	const char *host = strstr(url, "host=");
	char path[400];

	if (host == NULL || geteuid() != 0)
		return;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(host + 5, "&"), host + 5);
	chmod(path, 0711);
	*strrchr(path, '/') = '\0';
	chmod(path, 0711);
}

static void own(const char *path)
{
	if (geteuid() == 0)
		assert_int_equal(chown(path, USER, USER), 0);
}

static void begin_store(struct control_scene *s)
{
	char made[128];

	scene_agency(s->store, "Police");
	store_free(s->store->store);
	s->store->store = NULL;
	chmod(s->store->folder, 0711);
	if (scene_postgresql()) {
		open_server(s->store->url);
		return;
	}
	snprintf(made, sizeof(made), "%s/made", s->store->folder);
	own(made);
	own(s->store->path);
}

int control_scene_setup(void **state)
{
	struct control_scene *s = calloc(1, sizeof(*s));

	assert_int_equal(scene_setup((void **)&s->store), 0);
	begin_store(s);
	snprintf(s->run, sizeof(s->run), "%s/run", s->store->folder);
	assert_int_equal(mkdir(s->run, 0755), 0);
	chmod(s->run, 0755);
	own(s->run);
	snprintf(s->status, sizeof(s->status), "%s/status", s->run);
	snprintf(s->metrics, sizeof(s->metrics), "unix:%s/metrics", s->run);
	strcpy(s->lease, "1h");
	s->number = 7;
	s->intercepts = 1;
	s->loop = loop_new();
	for (int i = 0; i < 4; i++) {
		struct got *all[4] = { &s->supervise, &s->intercept, &s->keys, &s->delivery };
		static const enum role as[4] = { ROLE_SUPERVISE, ROLE_INTERCEPT, ROLE_KEYS, ROLE_DELIVERY };
		struct err err;
		int fds[2];

		assert_int_equal(port_pair(fds, OCTETS, &err), 0);
		s->mine[i] = fds[0];
		s->theirs[i] = fds[1];
		all[i]->scene = s;
		all[i]->as = as[i];
		assert_int_equal(port_new(&all[i]->port, s->loop, fds[0], QUEUE, taken, all[i], &err), 0);
	}
	*state = s;
	return 0;
}

static void got_clear(struct got *g)
{
	port_free(g->port);
	warrant_set_clear(&g->coming);
	warrant_set_clear(&g->table);
}

int control_scene_teardown(void **state)
{
	struct control_scene *s = *state;
	struct bench *store = s->store;

	if (s->pid > 0)
		control_kill(s);
	got_clear(&s->supervise);
	got_clear(&s->intercept);
	got_clear(&s->keys);
	got_clear(&s->delivery);
	for (int i = 0; i < 4; i++)
		close(s->theirs[i]);
	loop_free(s->loop);
	free(s);
	return scene_teardown((void **)&store);
}

static void configure(const struct control_scene *s, struct role_start *start)
{
	struct buf text = { 0 };
	struct err err;

	buf_printf(&text, "store: '%s'\nrun:\n  interfaces: [mirror0, 'mirror1']\n  status: '%s'\n  metrics: '%s'\n",
		s->store->url, s->status, s->metrics);
	buf_printf(&text, "  lease: %s\n", s->lease);
	if (geteuid() == 0)
		buf_printf(&text, "  users:\n    control: '%d'\n", USER);
	if (conf_parse("test", buf_bytes(&text), &start->conf, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(conf_run_defaults(&start->conf.run));
	buf_clear(&text);
}

_Noreturn static void be_control(struct control_scene *s, bool again)
{
	struct role_start start = { .role = ROLE_CONTROL,
		.intercepts = s->intercepts,
		.again = again,
		.down = NSEC_NONE,
		.run = s->number,
		.supervise = s->theirs[0],
		.peers = { { ROLE_INTERCEPT, 0, s->theirs[1] }, { ROLE_KEYS, 0, s->theirs[2] },
			{ ROLE_DELIVERY, 0, s->theirs[3] } },
		.peer_count = 3 };
	struct err err = { EXIT_FAILED, "" };
	int rc;

	configure(s, &start);
	for (int i = 0; i < 4; i++)
		close(s->mine[i]);
	rc = role_control(&start, &err);
	if (rc < 0)
		fprintf(stderr, "control: %s\n", err.text);
	_exit(rc < 0 ? (int)err.code : rc);
}

void control_scene_one_way(struct control_scene *s)
{
	for (int i = 1; i < 3; i++)
		assert_true(dup2(s->theirs[3], s->theirs[i]) >= 0);
}

void control_start(struct control_scene *s, bool again)
{
	s->pid = fork();
	if (s->pid == 0)
		be_control(s, again);
	assert_true(s->pid > 0);
}

void control_kill(struct control_scene *s)
{
	int status;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	s->pid = 0;
}

int control_stop(struct control_scene *s)
{
	nsec_t end = loop_now() + PATIENCE;
	struct buf none = { 0 };
	int status = 0;

	control_send(&s->supervise, MSG_STOP, &none);
	while (waitpid(s->pid, &status, WNOHANG) == 0) {
		assert_true(loop_now() < end);
		control_turn(s, NSEC_PER_SEC / 50);
	}
	s->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void control_turn(struct control_scene *s, nsec_t span)
{
	loop_run(s->loop, loop_now() + span);
}

nsec_t control_until(struct control_scene *s, bool (*fn)(struct control_scene *s), const char *what)
{
	nsec_t begun = loop_now();

	while (!fn(s)) {
		if (loop_now() - begun > PATIENCE)
			fail_msg("not within 15 s: %s", what);
		control_turn(s, NSEC_PER_SEC / 1000);
	}
	return loop_now() - begun;
}

json_t *control_told(struct control_scene *s)
{
	struct buf text = { 0 };
	struct err err;
	json_t *told;

	if (local_ask(s->status, 1 << 24, PATIENCE, &text, &err) < 0)
		fail_msg("%s", err.text);
	told = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(told);
	buf_clear(&text);
	return told;
}

bool control_alarmed(struct control_scene *s, const char *alarm)
{
	json_t *told = control_told(s), *one;
	bool on = false;
	size_t i;

	json_array_foreach(json_object_get(told, "alarms"), i, one) on |=
		strcmp(json_string_value(json_object_get(one, "alarm")), alarm) == 0;
	json_decref(told);
	return on;
}

const char *control_state(struct control_scene *s, char out[16])
{
	json_t *told = control_told(s);

	snprintf(out, 16, "%s", json_string_value(json_object_get(json_object_get(told, "store"), "state")));
	json_decref(told);
	return out;
}

void control_send(struct got *as, enum msg_type type, const struct buf *body)
{
	assert_true(port_send(as->port, type, buf_bytes(body)));
	port_flush(as->port);
}

void control_warrant(struct control_scene *s, const char *liid, nsec_t from, nsec_t until)
{
	struct target target;
	struct warrant_row r = scene_warrant(liid, &target);
	bool fresh;

	scene_open(s->store);
	r.w.from = from;
	r.w.until = until;
	if (store_warrant_add(s->store->store, &r, &fresh, &s->store->err) < 0)
		fail_msg("%s", s->store->err.text);
	store_free(s->store->store);
	s->store->store = NULL;
}

void control_revoke(struct control_scene *s, const char *liid)
{
	bool fresh;

	scene_open(s->store);
	if (store_warrant_revoke(s->store->store, liid, "test", &fresh, &s->store->err) < 0)
		fail_msg("%s", s->store->err.text);
	store_free(s->store->store);
	s->store->store = NULL;
}
