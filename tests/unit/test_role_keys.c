/*
 * role_keys: the role in a process of its own, confined, driven by its ports; the test is control, two intercepts, and the KMS. The folder of
 * certificates is the argument (made by support/certs.py).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otway/base/file.h"
#include "otway/http.h"
#include "otway/xk.h"

#include "../../src/daemon/role.h"

#define USER    "64991" /* nobody's */
#define USER_ID 64991
#define QUEUE   ((size_t)16 << 20)
#define SOON    (NSEC_PER_SEC / 4)
#define LONG    (10 * NSEC_PER_SEC)

static const char *certs;

enum trail { WRITTEN, REFUSED, SILENT };
enum other { SUPERVISE, CONTROL, FIRST, SECOND, PLACES };

struct came {
	struct came *next;
	enum other from;
	enum msg_type type;
	struct buf body;
};

struct scene {
	char dir[40], url[64];
	struct loop *loop;
	struct http_server *kms;
	struct port *ports[PLACES];
	int fds[PLACES][2];
	struct end {
		struct scene *scene;
		enum other place;
	} ends[PLACES];
	struct came *came;
	enum trail trail;
	const char *kms_says; /* a failure; NULL: keys */
	unsigned asked, ended;
	char acts[1024];
	pid_t role;
	struct role_start start;
};

/* The KMS: key and salt of RFC 3711 B.3. */
static void serve(void *arg, const struct http_request *in, struct http_answer *out)
{
	struct scene *s = arg;
	struct xk_request r;
	bool ended = strcmp(in->path, XK_ENDED_PATH) == 0;

	assert_int_equal((ended ? xk_read_ended : xk_read_request)(in->body, &r, NULL), 0);
	assert_string_equal(in->peer, "li");
	out->status = 200;
	out->type = "application/json";
	if (ended)
		buf_printf(&out->body, "{\"request\":\"%s\",\"purged\":1}", r.request);
	else if (s->kms_says != NULL)
		buf_printf(&out->body, "{\"request\":\"%s\",\"failure\":\"%s\"}", r.request, s->kms_says);
	else
		buf_printf(&out->body,
			"{\"request\":\"%s\",\"keys\":[{\"cs\":1,\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\","
			"\"salt\":\"DsZ1rUmK/uu2lgs6q+Y=\"}]}",
			r.request);
	s->ended += ended;
	s->asked += !ended;
	if (!ended)
		assert_true(bytes_equal(r.warrant, bytes_of("LI-9")));
	xk_request_clear(&r);
}

static void audited(struct scene *s, uint64_t number, bool written)
{
	struct buf body = { 0 };

	assert_true(msg_put_audited(&body, number, written));
	assert_true(port_send(s->ports[CONTROL], MSG_AUDITED, buf_bytes(&body)));
	buf_clear(&body);
}

static void on_audit(struct scene *s, struct bytes body)
{
	struct msg_audit m;
	const char *outcome;
	size_t len = strlen(s->acts);

	assert_true(msg_get_audit(body, &m));
	assert_string_equal(m.subject, "kms");
	outcome = strstr(m.detail, "\"outcome\":\"");
	snprintf(s->acts + len, sizeof(s->acts) - len, "%s", m.act);
	len = strlen(s->acts);
	if (outcome != NULL)
		snprintf(s->acts + len, sizeof(s->acts) - len, "=%.*s", (int)strcspn(outcome + 11, "\""), outcome + 11);
	strncat(s->acts, " ", sizeof(s->acts) - strlen(s->acts) - 1);
	if (s->trail != SILENT)
		audited(s, m.number, s->trail == WRITTEN);
}

static void on_taken(void *arg, enum msg_type type, struct bytes body)
{
	const struct end *e = arg;
	struct came **at = &e->scene->came, *one;

	if (type == MSG_AUDIT)
		on_audit(e->scene, body);
	if (type == MSG_COUNTS)
		return;
	while (*at != NULL)
		at = &(*at)->next;
	one = *at = calloc(1, sizeof(*one));
	assert_non_null(one);
	one->from = e->place;
	one->type = type;
	buf_add(&one->body, body.at, body.len);
}

/* The first message of that kind, which is taken out; false: none came in that time. */
static bool came(struct scene *s, enum other from, enum msg_type type, nsec_t span, struct buf *out)
{
	nsec_t until = loop_now() + span;

	do {
		for (struct came **at = &s->came, *one; (one = *at) != NULL; at = &one->next) {
			if (one->from != from || one->type != type)
				continue;
			*at = one->next;
			if (out != NULL)
				buf_clear(out);
			if (out != NULL)
				*out = one->body;
			else
				buf_clear(&one->body);
			free(one);
			return true;
		}
		loop_run(s->loop, loop_now() + NSEC_PER_SEC / 200);
	} while (loop_now() < until);
	return false;
}

static void wait_for(struct scene *s, nsec_t span)
{
	loop_run(s->loop, loop_now() + span);
}

/* Until the KMS was asked so often. */
static void until_asked(struct scene *s, unsigned times)
{
	nsec_t until = loop_now() + LONG;

	while (s->asked < times && loop_now() < until)
		wait_for(s, NSEC_PER_SEC / 200);
	assert_int_equal(s->asked, times);
}

static void tell(struct scene *s, enum other to, enum msg_type type, struct buf *body)
{
	assert_true(port_send(s->ports[to], type, buf_bytes(body)));
	buf_clear(body);
}

static void file_of(const struct scene *s, const char *name, bool inside, char out[96])
{
	snprintf(out, 96, "%s%s/%s", s->dir, inside ? "/kms" : "", name);
}

static void copy(const struct scene *s, const char *name, bool inside)
{
	char from[512], to[96];
	struct buf octets = { 0 };
	FILE *f;

	snprintf(from, sizeof(from), "%s/%s", certs, name);
	file_of(s, name, inside, to);
	assert_int_equal(file_read(from, 65536, &octets, NULL), 0);
	f = fopen(to, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(octets.at, 1, octets.len, f), octets.len);
	fclose(f);
	assert_int_equal(chmod(to, 0600), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(to, USER_ID, USER_ID), 0);
	buf_clear(&octets);
}

static void role_begin(struct scene *s)
{
	static const enum role roles[PLACES] = { ROLE_SUPERVISE, ROLE_CONTROL, ROLE_INTERCEPT, ROLE_INTERCEPT };

	s->role = fork();
	assert_true(s->role >= 0);
	if (s->role > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s->start.role = ROLE_KEYS;
	s->start.intercepts = 2;
	s->start.supervise = s->fds[SUPERVISE][1];
	s->start.peer_count = 0;
	for (int i = CONTROL; i < PLACES; i++)
		s->start.peers[s->start.peer_count++] =
			(struct role_peer){ roles[i], i == SECOND ? 1 : 0, s->fds[i][1] };
	for (int i = 0; i < PLACES; i++)
		close(s->fds[i][0]);
	struct err err = { 0 };
	int rc = role_keys(&s->start, &err);

	if (rc != 0)
		fprintf(stderr, "the role ended: %s\n", err.text);
	_exit(rc != 0);
}

static void role_kill(struct scene *s)
{
	kill(s->role, SIGKILL);
	waitpid(s->role, NULL, 0);
}

static void scene_begin(struct scene *s)
{
	static const char *const inside[] = { "one.ca.pem", "one.li.pem", "one.li.key", "other.ca.pem" };
	char ca[512], cert[512], key[512];
	struct tls_files own = { ca, cert, key };

	*s = (struct scene){ .loop = loop_new() };
	snprintf(s->dir, sizeof(s->dir), "/tmp/role-keys-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	chmod(s->dir, 0755);
	file_of(s, "kms", false, ca);
	assert_int_equal(mkdir(ca, 0755), 0);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		copy(s, inside[i], true);
	copy(s, "one.li.pem", false);
	snprintf(ca, sizeof(ca), "%s/one.ca.pem", certs);
	snprintf(cert, sizeof(cert), "%s/one.kms.pem", certs);
	snprintf(key, sizeof(key), "%s/one.kms.key", certs);
	assert_int_equal(http_server_new(&s->kms, s->loop, "127.0.0.1:0", &own, XK_BODY_MAX, serve, s, NULL), 0);
	snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u", http_server_port(s->kms));
	assert_true(conf_run_defaults(&s->start.conf.run));
	free(s->start.conf.run.users.keys);
	s->start.conf.run.users.keys = strdup(USER);
	free(s->start.conf.run.kms_files);
	assert_true(asprintf(&s->start.conf.run.kms_files, "%s/kms", s->dir) > 0);
	for (int i = 0; i < PLACES; i++) {
		s->ends[i] = (struct end){ s, (enum other)i };
		assert_int_equal(port_pair(s->fds[i], QUEUE, NULL), 0);
		assert_int_equal(
			port_new(&s->ports[i], s->loop, dup(s->fds[i][0]), QUEUE, on_taken, &s->ends[i], NULL), 0);
	}
	role_begin(s);
	assert_true(came(s, SUPERVISE, MSG_READY, LONG, NULL));
}

static void scene_end(struct scene *s)
{
	int status = -1;

	assert_true(port_send(s->ports[SUPERVISE], MSG_STOP, (struct bytes){ NULL, 0 }));
	wait_for(s, SOON);
	assert_int_equal(waitpid(s->role, &status, 0), s->role);
	assert_int_equal(status, 0);
	while (s->came != NULL) {
		struct came *one = s->came;

		s->came = one->next;
		buf_clear(&one->body);
		free(one);
	}
	for (int i = 0; i < PLACES; i++) {
		port_free(s->ports[i]);
		close(s->fds[i][0]);
		close(s->fds[i][1]);
	}
	http_server_free(s->kms);
	loop_free(s->loop);
	file_remove_tree(s->dir, NULL);
	conf_clear(&s->start.conf);
}

/* As control says it: warrant 9 (or none) and one agreement, whose CA and certificate are those of the names. */
static void say_table(struct scene *s, bool warrant, const char *ca, bool inside, nsec_t lease)
{
	static char identity[] = "sip:kms@abc.com", none[] = "";
	struct warrant w = { .number = 9, .liid = "LI-9", .agency = none, .authority = none, .until = NSEC_EVER };
	char files[3][96];
	struct kms_agreement a = { 2, identity, s->url, files[0], files[1], files[2], NULL, 0, NULL, 0, false, false };
	struct msg_lease l = { nsec_now(), nsec_now() + lease };
	struct buf body = { 0 };

	w.scope = SCOPE_ALL;
	file_of(s, ca, true, files[0]);
	file_of(s, "one.li.pem", inside, files[1]);
	file_of(s, "one.li.key", true, files[2]);
	tell(s, CONTROL, MSG_TABLE_BEGIN, &body);
	if (warrant && msg_put_warrant(&body, &w, false, true, false))
		tell(s, CONTROL, MSG_WARRANT, &body);
	assert_true(msg_put_agreement(&body, &a));
	tell(s, CONTROL, MSG_AGREEMENT, &body);
	assert_true(msg_put_lease(&body, &l));
	tell(s, CONTROL, MSG_TABLE_END, &body);
}

static void say_usual_table(struct scene *s)
{
	say_table(s, true, "one.ca.pem", true, NSEC_PER_SEC * 3600);
}

static void want(struct scene *s, uint64_t number, uint32_t call)
{
	struct key_wanted w = { .number = number,
		.call = call,
		.warrant = 9,
		.at = nsec_now() / NSEC_PER_SEC / 1000, /* the same each time */
		.target = bytes_of("sip:alice@abc.com"),
		.from = bytes_of("sip:alice@abc.com"),
		.to = bytes_of("sip:bob@abc.com"),
		.call_id = bytes_of("c1") };
	struct buf body = { 0 };

	assert_true(msg_put_key_wanted(&body, &w));
	tell(s, FIRST, MSG_KEY_WANTED, &body);
}

static void answered(struct scene *s, uint64_t number, enum seal_reason reason)
{
	struct key_answer a;
	struct buf body = { 0 };

	assert_true(came(s, FIRST, MSG_KEY, LONG, &body));
	assert_true(msg_get_key_answer(buf_bytes(&body), &a));
	assert_int_equal(a.number, number);
	assert_string_equal(seal_reason_text(a.reason) != NULL ? seal_reason_text(a.reason) : "keys",
		seal_reason_text(reason) != NULL ? seal_reason_text(reason) : "keys");
	assert_int_equal(a.key_count > 0, reason == SEAL_NONE);
	if (reason == SEAL_NONE)
		assert_memory_equal(
			a.keys[0].key.key, "\xE1\xF9\x7A\x0D\x3E\x01\x8B\xE0\xD6\x4F\xA3\x2C\x06\xDE\x41\x39", 16);
	key_answer_clear(&a);
	buf_clear(&body);
}

static void over(struct scene *s, uint32_t call)
{
	struct buf body = { 0 };

	assert_true(msg_put_call(&body, call));
	tell(s, FIRST, MSG_CALL_OVER, &body);
}

static void alarm_is(struct scene *s, enum alarm which, bool on, const char *of)
{
	struct buf body = { 0 };
	struct msg_alarm a = { 0 };

	do {
		assert_true(came(s, CONTROL, MSG_ALARM, LONG, &body));
		assert_true(msg_get_alarm(buf_bytes(&body), &a));
	} while (a.alarm != which || a.on != on || strcmp(a.of, of) != 0);
	buf_clear(&body);
}

static void a_key_is_asked_for_when_the_trail_has_it_and_not_before(void **state)
{
	struct scene s;
	struct buf body = { 0 };
	struct msg_audit m;

	(void)state;
	scene_begin(&s);
	s.trail = SILENT;
	say_usual_table(&s);
	want(&s, 5, 1);
	assert_true(came(&s, CONTROL, MSG_AUDIT, LONG, &body));
	assert_true(msg_get_audit(buf_bytes(&body), &m));
	assert_string_equal(m.act, "key-request");
	wait_for(&s, SOON);
	assert_int_equal(s.asked, 0);
	s.trail = WRITTEN;
	audited(&s, m.number, true);
	answered(&s, 5, SEAL_NONE);
	assert_int_equal(s.asked, 1);
	wait_for(&s, SOON);
	assert_string_equal(s.acts, "key-request key-answer=keys ");
	buf_clear(&body);
	scene_end(&s);
}

static void while_the_trail_cannot_be_written_nobody_is_asked(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.trail = REFUSED;
	say_usual_table(&s);
	want(&s, 1, 1);
	alarm_is(&s, ALARM_AUDIT, true, "");
	wait_for(&s, 5 * NSEC_PER_SEC); /* in which keys tries again more than once, and the act is told again */
	assert_int_equal(s.asked, 0);
	assert_true(strlen(s.acts) > strlen("key-request key-request "));
	s.trail = WRITTEN;
	alarm_is(&s, ALARM_AUDIT, false, "");
	answered(&s, 1, SEAL_NONE);
	assert_int_equal(s.asked, 1);
	scene_end(&s);
}

/* Nothing was done, so that nothing of it is told when it can be again. */
static void what_was_never_asked_is_not_in_the_trail(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.trail = REFUSED;
	say_usual_table(&s);
	want(&s, 1, 1);
	alarm_is(&s, ALARM_AUDIT, true, "");
	over(&s, 1);
	wait_for(&s, SOON);
	s.acts[0] = '\0';
	s.trail = WRITTEN;
	wait_for(&s, 2 * NSEC_PER_SEC);
	assert_string_equal(s.acts, "");
	assert_int_equal(s.asked, 0);
	scene_end(&s);
}

static void an_intercept_that_was_started_anew_has_its_keys_at_once(void **state)
{
	const struct msg_peer first = { ROLE_INTERCEPT, 0, NSEC_NONE };
	struct scene s;
	struct buf body = { 0 };

	(void)state;
	scene_begin(&s);
	say_usual_table(&s);
	want(&s, 5, 1);
	answered(&s, 5, SEAL_NONE);
	assert_true(msg_put_peer(&body, &first));
	tell(&s, SUPERVISE, MSG_PEER_UP, &body);
	want(&s, 77, 1);
	answered(&s, 77, SEAL_NONE);
	assert_int_equal(s.asked, 1);
	want(&s, 78, 2); /* another call */
	answered(&s, 78, SEAL_NONE);
	assert_int_equal(s.asked, 2);
	scene_end(&s);
}

static void when_a_call_is_over_its_kms_is_told_and_its_keys_are_forgotten(void **state)
{
	struct scene s;
	nsec_t until = loop_now() + LONG;

	(void)state;
	scene_begin(&s);
	say_usual_table(&s);
	want(&s, 1, 1);
	answered(&s, 1, SEAL_NONE);
	over(&s, 1);
	while (s.ended == 0 && loop_now() < until)
		wait_for(&s, NSEC_PER_SEC / 100);
	assert_int_equal(s.ended, 1);
	assert_string_equal(s.acts, "key-request key-answer=keys call-ended ");
	want(&s, 2, 1);
	answered(&s, 2, SEAL_NONE);
	assert_int_equal(s.asked, 2);
	scene_end(&s);
}

static void without_its_warrant_nobody_is_asked_and_kept_keys_are_gone(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	say_usual_table(&s);
	want(&s, 1, 1);
	answered(&s, 1, SEAL_NONE);
	say_table(&s, false, "one.ca.pem", true, NSEC_PER_SEC * 3600);
	wait_for(&s, SOON);
	want(&s, 2, 1);
	answered(&s, 2, SEAL_NO_KEY);
	assert_int_equal(s.asked, 1);
	scene_end(&s);
}

static void what_is_wanted_before_the_table_comes_waits_for_it(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	want(&s, 1, 1);
	wait_for(&s, 3 * NSEC_PER_SEC);
	assert_int_equal(s.asked, 0);
	say_usual_table(&s);
	answered(&s, 1, SEAL_NONE);
	scene_end(&s);
}

static void when_the_lease_is_over_nobody_is_asked(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	say_table(&s, true, "one.ca.pem", true, NSEC_PER_SEC / 2);
	wait_for(&s, 2 * NSEC_PER_SEC);
	want(&s, 1, 1);
	answered(&s, 1, SEAL_NO_KEY);
	assert_int_equal(s.asked, 0);
	scene_end(&s);
}

static void a_kms_that_is_not_believed_is_not_asked_and_there_is_an_alarm(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	say_table(&s, true, "other.ca.pem", true, NSEC_PER_SEC * 3600);
	want(&s, 1, 1);
	alarm_is(&s, ALARM_KMS, true, "agreement 2");
	answered(&s, 1, SEAL_KMS_UNREACHABLE);
	assert_int_equal(s.asked, 0);
	say_usual_table(&s); /* the right CA */
	want(&s, 2, 2);
	answered(&s, 2, SEAL_NONE);
	alarm_is(&s, ALARM_KMS, false, "agreement 2");
	scene_end(&s);
}

/* The sandbox lets it read nothing else, and that is what is said. */
static void files_of_an_agreement_lie_below_one_folder(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	say_table(&s, true, "one.ca.pem", false, NSEC_PER_SEC * 3600);
	want(&s, 1, 1);
	alarm_is(&s, ALARM_KMS, true, "agreement 2");
	answered(&s, 1, SEAL_KMS_UNREACHABLE);
	assert_int_equal(s.asked, 0);
	scene_end(&s);
}

static void a_refusal_is_an_answer_and_an_alarm(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.kms_says = "refused";
	say_usual_table(&s);
	want(&s, 1, 1);
	answered(&s, 1, SEAL_KMS_REFUSED);
	alarm_is(&s, ALARM_KMS, true, "agreement 2");
	scene_end(&s);
}

static void what_was_sent_to_one_that_died_is_done_by_the_next(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	role_kill(&s);
	want(&s, 3, 1);
	say_usual_table(&s);
	wait_for(&s, SOON);
	role_begin(&s);
	answered(&s, 3, SEAL_NONE);
	until_asked(&s, 1);
	scene_end(&s);
}

static void leave(struct scene *s, enum other from, uint64_t number, const char *sealed)
{
	const struct msg_checkpoint c = { number, bytes_of(sealed) };
	struct buf body = { 0 };

	assert_true(msg_put_checkpoint(&body, &c));
	tell(s, from, sealed != NULL ? MSG_CHECKPOINT : MSG_CHECKPOINT_DROP, &body);
}

/* What comes back, as "number:octets ". */
static void resumed(struct scene *s, enum other who, const char *token, const char *expected)
{
	char text[256] = "";
	struct buf body = { 0 };
	struct msg_checkpoint c;

	buf_text(&body, token);
	tell(s, who, MSG_RESUME, &body);
	assert_true(came(s, who, MSG_RESUME_END, LONG, &body));
	assert_true(bytes_equal(buf_bytes(&body), bytes_of(token)));
	while (came(s, who, MSG_RESUMED, 0, &body)) {
		size_t len = strlen(text);

		assert_true(msg_get_checkpoint(buf_bytes(&body), &c));
		snprintf(text + len, sizeof(text) - len, "%llu:%.*s ", (unsigned long long)c.number, (int)c.sealed.len,
			(const char *)c.sealed.at);
	}
	assert_string_equal(text, expected);
	buf_clear(&body);
}

static void each_intercept_has_back_what_it_left_in_order(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	leave(&s, FIRST, 300, "c");
	leave(&s, FIRST, 2, "a");
	leave(&s, FIRST, UINT64_C(1) << 40, "d");
	leave(&s, SECOND, 2, "other");
	leave(&s, FIRST, 4, "gone");
	leave(&s, FIRST, 2, "b");
	leave(&s, FIRST, 4, NULL);
	resumed(&s, FIRST, "", "2:b 300:c 1099511627776:d ");
	assert_false(came(&s, FIRST, MSG_RESUME, 0, NULL));
	resumed(&s, SECOND, "mine", "2:other ");
	assert_true(came(&s, SECOND, MSG_RESUME, 0, NULL));   /* its token, before the first */
	resumed(&s, FIRST, "", "2:b 300:c 1099511627776:d "); /* it is kept until it is dropped */
	scene_end(&s);
}

/* Its part of what may be kept: all but the first have half of it together, and here there is one. */
static void one_that_leaves_more_than_it_may_is_named_and_takes_no_room_of_others(void **state)
{
	static char much[200001];
	struct scene s;
	struct buf body = { 0 };
	unsigned back = 0;

	(void)state;
	scene_begin(&s);
	memset(much, 'x', sizeof(much) - 1);
	leave(&s, SECOND, MSG_CHECKPOINT_WHOLE, "all"); /* which is forgotten when something is not kept */
	leave(&s, FIRST, MSG_CHECKPOINT_WHOLE, "all");
	for (uint64_t i = 0; i < 1500; i++) {
		leave(&s, SECOND, i, much);
		while (!port_drain(s.ports[SECOND], NSEC_PER_SEC))
			;
	}
	alarm_is(&s, ALARM_ROOM, true, "intercept 1");
	tell(&s, SECOND, MSG_RESUME, &body);
	while (came(&s, SECOND, MSG_RESUMED, 2 * NSEC_PER_SEC, &body))
		back++;
	assert_true(came(&s, SECOND, MSG_RESUME_END, 0, NULL));
	assert_int_equal(back, (128u << 20) / (200008 + 128));
	for (uint64_t i = 0; i < 600; i++) {
		leave(&s, FIRST, i, much);
		while (!port_drain(s.ports[FIRST], NSEC_PER_SEC))
			;
	}
	tell(&s, FIRST, MSG_RESUME, &body);
	for (back = 0; came(&s, FIRST, MSG_RESUMED, 2 * NSEC_PER_SEC, &body);)
		back++;
	assert_int_equal(back, 601);
	for (uint64_t i = 0; i < 400; i++)
		leave(&s, SECOND, i, NULL);
	alarm_is(&s, ALARM_ROOM, false, "intercept 1");
	assert_false(came(&s, CONTROL, MSG_ALARM, 0, NULL)); /* of the first there was none */
	buf_clear(&body);
	scene_end(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_asked_for_when_the_trail_has_it_and_not_before),
		cmocka_unit_test(while_the_trail_cannot_be_written_nobody_is_asked),
		cmocka_unit_test(what_was_never_asked_is_not_in_the_trail),
		cmocka_unit_test(an_intercept_that_was_started_anew_has_its_keys_at_once),
		cmocka_unit_test(when_a_call_is_over_its_kms_is_told_and_its_keys_are_forgotten),
		cmocka_unit_test(without_its_warrant_nobody_is_asked_and_kept_keys_are_gone),
		cmocka_unit_test(what_is_wanted_before_the_table_comes_waits_for_it),
		cmocka_unit_test(when_the_lease_is_over_nobody_is_asked),
		cmocka_unit_test(a_kms_that_is_not_believed_is_not_asked_and_there_is_an_alarm),
		cmocka_unit_test(files_of_an_agreement_lie_below_one_folder),
		cmocka_unit_test(a_refusal_is_an_answer_and_an_alarm),
		cmocka_unit_test(what_was_sent_to_one_that_died_is_done_by_the_next),
		cmocka_unit_test(each_intercept_has_back_what_it_left_in_order),
		cmocka_unit_test(one_that_leaves_more_than_it_may_is_named_and_takes_no_room_of_others),
	};

	certs = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
