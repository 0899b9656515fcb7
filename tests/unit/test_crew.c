/* What every role does alike, tried with the other ends of its ports in the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/daemon/role.h"
#include "../../src/daemon/start.h"

#define HEARD 512

/* Somebody at the other end. */
struct other {
	struct scene *scene;
	struct port *port;
	int fd;
	size_t count;
	enum msg_type types[HEARD];
	struct buf last; /* the body that came last */
	struct msg_alarm alarms[8];
	char texts[8][64];
	size_t alarm_count;
	uint64_t queue_octets, refused;
	bool counted;
};

struct scene {
	struct role_start start;
	struct crew *crew;
	struct other supervise, control, delivery, keys;
	struct loop_timer *timer;
	int step;
	/* what the role was told */
	size_t stops, reloads, peers, taken, own_counts, own_alarms, ticks;
	uint32_t index;
	char lease[16], store[64];
	nsec_t settled;
	struct msg_peer peer;
};

static void heard(void *arg, enum msg_type type, struct bytes body)
{
	struct other *o = arg;
	struct msg_count count;

	if (type == MSG_COUNTS) {
		assert_true(msg_get_count(body, &count));
		o->counted = true;
		if (strcmp(count.name, "queue_octets") == 0 && strcmp(count.of, "delivery") == 0)
			o->queue_octets = count.value;
		if (strcmp(count.name, "messages_refused") == 0)
			o->refused = count.value;
		return;
	}
	if (type == MSG_ALARM && o->alarm_count < 8) {
		struct msg_alarm *a = &o->alarms[o->alarm_count];

		assert_true(msg_get_alarm(body, a));
		snprintf(o->texts[o->alarm_count], sizeof(o->texts[0]), "%s", a->text);
		o->alarm_count++;
	}
	assert_true(o->count < HEARD);
	o->types[o->count++] = type;
	buf_reset(&o->last);
	buf_add(&o->last, body.at, body.len);
}

static void on_take(void *role, uint32_t index, struct bytes body)
{
	struct scene *s = role;

	(void)body;
	s->taken++;
	s->index = index;
}

static void on_own_count(void *role, uint32_t index, struct bytes body)
{
	struct msg_count count;

	(void)index;
	assert_true(msg_get_count(body, &count));
	((struct scene *)role)->own_counts++;
}

static void on_own_alarm(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	(void)body;
	((struct scene *)role)->own_alarms++;
}

static void on_stop(void *role)
{
	((struct scene *)role)->stops++;
}

static void on_reload(void *role, const struct conf *conf)
{
	struct scene *s = role;

	s->reloads++;
	snprintf(s->lease, sizeof(s->lease), "%s", conf->run.lease);
	snprintf(s->store, sizeof(s->store), "%s", conf->store != NULL ? conf->store : "");
}

static void on_peer_up(void *role, const struct msg_peer *p)
{
	struct scene *s = role;

	s->peers++;
	s->peer = *p;
}

static void on_tick(void *role)
{
	((struct scene *)role)->ticks++;
}

static size_t on_counts(void *role, struct msg_count *out, size_t max)
{
	(void)role;
	assert_true(max >= 1);
	out[0] = (struct msg_count){ "frames", "eth1", 7, false };
	return 1;
}

static nsec_t on_settled(void *role)
{
	return ((struct scene *)role)->settled;
}

static const struct crew_accepts accepts[] = {
	{ ROLE_KEYS, MSG_KEY, on_take },
	{ ROLE_CONTROL, MSG_COUNTS, on_own_count },
	{ ROLE_CONTROL, MSG_ALARM, on_own_alarm },
};

/* A pair: the role's end into the start, the other one kept. */
static void join(struct scene *s, struct other *o, enum role role)
{
	struct err err;
	int fds[2];

	assert_int_equal(port_pair(fds, 0, &err), 0);
	o->scene = s;
	o->fd = fds[1];
	if (role == ROLE_SUPERVISE)
		s->start.supervise = fds[0];
	else
		s->start.peers[s->start.peer_count++] = (struct role_peer){ role, 0, fds[0] };
}

static void listen_at(struct scene *s, struct other *o)
{
	struct err err;

	assert_int_equal(port_new(&o->port, crew_loop(s->crew), o->fd, 1 << 20, heard, o, &err), 0);
}

static void scene_init(struct scene *s, enum role role)
{
	struct crew_options o = { .accepts = accepts,
		.count = 3,
		.role = s,
		.stop = on_stop,
		.reload = on_reload,
		.peer_up = on_peer_up,
		.tick = on_tick,
		.counts = on_counts,
		.settled = on_settled };
	struct err err;

	*s = (struct scene){ .start = { .role = role, .config = strdup("x.yaml"), .store = strdup("sqlite:/s.db") } };
	s->settled = 1234567890;
	join(s, &s->supervise, ROLE_SUPERVISE);
	if (role != ROLE_CONTROL)
		join(s, &s->control, ROLE_CONTROL);
	join(s, &s->delivery, ROLE_DELIVERY);
	join(s, &s->keys, ROLE_KEYS);
	assert_int_equal(crew_new(&s->crew, &s->start, &o, &err), 0);
	listen_at(s, &s->supervise);
	if (role != ROLE_CONTROL)
		listen_at(s, &s->control);
	listen_at(s, &s->delivery);
	listen_at(s, &s->keys);
}

static void scene_clear(struct scene *s)
{
	struct other *all[] = { &s->supervise, &s->control, &s->delivery, &s->keys };

	for (size_t i = 0; i < 4; i++) {
		port_free(all[i]->port);
		buf_clear(&all[i]->last);
	}
	loop_timer_free(s->timer);
	crew_free(s->crew);
	start_clear(&s->start);
}

/* Some turns of the loop, as if time went on. */
static void turns(struct scene *s, nsec_t span)
{
	loop_run(crew_loop(s->crew), loop_now() + span);
}

#define SHORT (NSEC_PER_SEC / 20)

static void say(struct scene *s, struct other *from, enum msg_type type, const char *text)
{
	assert_true(port_send(from->port, type, bytes_of(text)));
	turns(s, SHORT);
}

static void a_question_is_answered_with_what_is_settled(void **state)
{
	struct scene s;
	nsec_t at;

	(void)state;
	scene_init(&s, ROLE_INTERCEPT);
	crew_ready(s.crew);
	say(&s, &s.supervise, MSG_PING, NULL);
	assert_int_equal(s.supervise.count, 2);
	assert_int_equal(s.supervise.types[0], MSG_READY);
	assert_int_equal(s.supervise.types[1], MSG_ALIVE);
	assert_true(msg_get_time(buf_bytes(&s.supervise.last), &at));
	assert_int_equal(at, 1234567890);
	scene_clear(&s);
}

static void what_is_in_the_table_is_taken_and_nothing_else(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_INTERCEPT);
	say(&s, &s.keys, MSG_KEY, "k");
	assert_int_equal(s.taken, 1);
	say(&s, &s.delivery, MSG_KEY, "k"); /* from somebody else */
	say(&s, &s.keys, MSG_WARRANT, "w"); /* something else */
	say(&s, &s.keys, MSG_STOP, NULL);   /* what supervise alone may say */
	say(&s, &s.keys, MSG_RELOAD, "run: {}");
	assert_int_equal(s.taken, 1);
	assert_int_equal(s.stops + s.reloads, 0);
	turns(&s, NSEC_PER_SEC + SHORT);
	assert_int_equal(s.control.refused, 4);
	scene_clear(&s);
}

static void a_new_configuration_has_its_defaults_and_the_store_that_comes_first(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_KEYS);
	say(&s, &s.supervise, MSG_RELOAD, "store: sqlite:/other.db\nrun:\n  settle: 9s\n");
	assert_int_equal(s.reloads, 1);
	assert_string_equal(s.lease, "24h");
	assert_string_equal(s.store, "sqlite:/s.db");
	say(&s, &s.supervise, MSG_RELOAD, "run:\n  sattle: 9s\n");
	assert_int_equal(s.reloads, 1);
	scene_clear(&s);
}

static void it_ends_when_it_says_so_and_what_it_sent_has_gone(void **state)
{
	static const char octets[1000];
	struct scene s;
	size_t sent = 0;

	(void)state;
	scene_init(&s, ROLE_INTERCEPT);
	say(&s, &s.supervise, MSG_STOP, NULL);
	assert_int_equal(s.stops, 1);
	for (; sent < 200; sent++)
		assert_true(crew_send(
			s.crew, ROLE_DELIVERY, 0, MSG_RECORD, (struct bytes){ (const uint8_t *)octets, 1000 }));
	crew_stop(s.crew, 5);
	assert_int_equal(crew_run(s.crew), 5);
	assert_int_equal(port_waiting(crew_port(s.crew, ROLE_DELIVERY, 0)), 0);
	turns(&s, SHORT);
	assert_int_equal(s.delivery.count, sent);
	scene_clear(&s);
}

static void nobody_is_sent_to_who_is_not_there(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_INTERCEPT);
	assert_null(crew_port(s.crew, ROLE_INTERCEPT, 1));
	assert_null(crew_port(s.crew, ROLE_KEYS, 1000));
	assert_false(crew_send(s.crew, ROLE_INTERCEPT, 1, MSG_SIGNAL, (struct bytes){ NULL, 0 }));
	scene_clear(&s);
}

static void an_alarm_is_told_once_and_again_to_the_control_that_follows(void **state)
{
	struct msg_peer up = { ROLE_CONTROL, 0, 17 };
	struct buf body = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_DELIVERY);
	crew_alarm(s.crew, ALARM_DISK, true, "", "%s", "full");
	crew_alarm(s.crew, ALARM_DISK, true, "", "%s", "full");
	crew_alarm(s.crew, ALARM_DROPS, true, "eth1", "many");
	crew_alarm(s.crew, ALARM_KMS, false, "", "never was");
	turns(&s, SHORT);
	assert_int_equal(s.control.alarm_count, 2);
	assert_true(s.control.alarms[0].on && s.control.alarms[0].alarm == ALARM_DISK);
	assert_string_equal(s.control.texts[0], "full");
	assert_string_equal(s.control.alarms[1].of, "eth1");

	crew_alarm(s.crew, ALARM_DISK, true, "", "fuller");
	crew_alarm(s.crew, ALARM_DROPS, false, "eth1", "-");
	turns(&s, SHORT);
	assert_int_equal(s.control.alarm_count, 4);
	assert_string_equal(s.control.texts[2], "fuller");
	assert_false(s.control.alarms[3].on);

	assert_true(msg_put_peer(&body, &up));
	assert_true(port_send(s.supervise.port, MSG_PEER_UP, buf_bytes(&body)));
	buf_clear(&body);
	turns(&s, SHORT);
	assert_int_equal(s.peers, 1);
	assert_int_equal(s.peer.role, ROLE_CONTROL);
	assert_int_equal(s.peer.down, 17);
	assert_int_equal(s.control.alarm_count, 5);
	assert_string_equal(s.control.texts[4], "fuller");
	scene_clear(&s);
}

static void fill(struct scene *s, enum role to)
{
	struct buf body = { 0 };

	assert_true(msg_put_count(&body, &(struct msg_count){ "frames", "eth1", 7, false }));
	while (crew_send(s->crew, to, 0, MSG_COUNTS, buf_bytes(&body)))
		;
	buf_clear(&body);
}

static void an_alarm_that_found_no_room_is_told_when_there_is(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_DELIVERY);
	for (size_t on = 2; on > 0; on--) {
		fill(&s, ROLE_CONTROL);
		crew_alarm(s.crew, ALARM_DISK, on == 2, "", "full");
		turns(&s, SHORT);
		assert_int_equal(s.control.alarm_count, 2 - on);
		turns(&s, 2 * NSEC_PER_SEC);
		assert_int_equal(s.control.alarm_count, 3 - on);
		assert_int_equal(s.control.alarms[2 - on].on, on == 2);
	}
	scene_clear(&s);
}

static void counts_go_to_control_each_second(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_INTERCEPT);
	turns(&s, NSEC_PER_SEC / 2);
	assert_false(s.control.counted);
	turns(&s, NSEC_PER_SEC);
	assert_true(s.control.counted);
	assert_int_equal(s.ticks, 1);
	scene_clear(&s);
}

static void controls_own_counts_and_alarms_reach_it_by_its_table(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, ROLE_CONTROL);
	crew_alarm(s.crew, ALARM_STORE, true, "", "away");
	assert_int_equal(s.own_alarms, 1);
	turns(&s, NSEC_PER_SEC + SHORT);
	assert_true(s.own_counts >= 2); /* frames, and what the crew counts */
	scene_clear(&s);
}

static void it_ends_when_supervise_is_gone(void **state)
{
	struct scene s;
	nsec_t begun = loop_now();

	(void)state;
	scene_init(&s, ROLE_KEYS);
	port_free(s.supervise.port);
	s.supervise.port = NULL;
	assert_int_equal(crew_run(s.crew), EXIT_FAILED);
	assert_true(loop_now() - begun < 2 * NSEC_PER_SEC);
	scene_clear(&s);
}

static void a_start_arrives_as_it_was_sent(void **state)
{
	static const char text[] = "run:\n  lease: 3h\n";
	char config[] = "/etc/c.yaml";
	struct role_start s = { .role = ROLE_INTERCEPT,
		.index = 3,
		.intercepts = 4,
		.again = true,
		.down = INT64_C(1795000000123456789),
		.run = 0xdeadbeef,
		.peers = { { ROLE_KEYS, 0, 4 }, { ROLE_INTERCEPT, 2, 5 } },
		.peer_count = 2,
		.try_text = "x",
		.config = config };
	struct role_start got;
	struct buf body = { 0 };
	struct err err;

	(void)state;
	memset(s.seal, 0xa5, sizeof(s.seal));
	assert_true(start_put(&body, &s, bytes_of(text)));
	assert_int_equal(start_get(buf_bytes(&body), &got, &err), 0);
	assert_int_equal(got.role, ROLE_INTERCEPT);
	assert_int_equal(got.index, 3);
	assert_int_equal(got.intercepts, 4);
	assert_true(got.again);
	assert_int_equal(got.down, s.down);
	assert_int_equal(got.run, 0xdeadbeef);
	assert_memory_equal(got.seal, s.seal, sizeof(s.seal));
	assert_int_equal(got.peer_count, 2);
	assert_int_equal(got.peers[1].role, ROLE_INTERCEPT);
	assert_int_equal(got.peers[1].index, 2);
	assert_int_equal(got.peers[1].fd, 5);
	assert_string_equal(got.try_text, "x");
	assert_string_equal(got.config, "/etc/c.yaml");
	assert_null(got.store);
	assert_string_equal(got.conf.run.lease, "3h");
	assert_string_equal(got.conf.run.settle, "40s");
	start_clear(&got);
	for (size_t len = 0; len < body.len - strlen(text); len++) {
		assert_int_equal(start_get(bytes_part(buf_bytes(&body), 0, len), &got, &err), -1);
		start_clear(&got);
	}
	buf_clear(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_answered_with_what_is_settled),
		cmocka_unit_test(what_is_in_the_table_is_taken_and_nothing_else),
		cmocka_unit_test(a_new_configuration_has_its_defaults_and_the_store_that_comes_first),
		cmocka_unit_test(it_ends_when_it_says_so_and_what_it_sent_has_gone),
		cmocka_unit_test(nobody_is_sent_to_who_is_not_there),
		cmocka_unit_test(an_alarm_is_told_once_and_again_to_the_control_that_follows),
		cmocka_unit_test(counts_go_to_control_each_second),
		cmocka_unit_test(an_alarm_that_found_no_room_is_told_when_there_is),
		cmocka_unit_test(controls_own_counts_and_alarms_reach_it_by_its_table),
		cmocka_unit_test(it_ends_when_supervise_is_gone),
		cmocka_unit_test(a_start_arrives_as_it_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
