/*
 * supervise: the first process. It reads the configuration, makes mirror ports fit, joins the roles by sockets, starts them and keeps
 * them up. Nothing that comes from a network ever reaches it.
 */
#include "supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "notify.h"
#include "otway/base/crypto.h"
#include "otway/base/file.h"
#include "otway/base/log.h"
#include "otway/base/secret.h"
#include "otway/mirror.h"
#include "sandbox.h"
#include "start.h"

#define TEXT_MAX ((size_t)128 << 10)

static int parse(const struct supervise *s, struct bytes text, struct conf *conf, struct err *err)
{
	const struct role_start start = { .config = (char *)(uintptr_t)s->o->config,
		.store = (char *)(uintptr_t)s->o->store };

	return start_conf(&start, text, conf, err);
}

int supervise_read(const struct supervise *s, struct buf *text, struct conf *conf, struct err *err)
{
	if (file_read(s->o->config, TEXT_MAX, text, err) < 0) {
		err->code = EXIT_FAILED; /* what "not found" speaks of is what the configuration names */
		return err_in(err, "reading the configuration");
	}
	return parse(s, buf_bytes(text), conf, err);
}

static void add_child(struct supervise *s, enum role role, uint32_t index)
{
	struct child *c = &s->children[s->child_count++];

	*c = (struct child){ .s = s, .role = role, .index = index, .ready_at = NSEC_NONE, .settled = NSEC_NONE };
	if (role == ROLE_INTERCEPT)
		snprintf(c->name, sizeof(c->name), "%s %u", role_text(role), index);
	else
		snprintf(c->name, sizeof(c->name), "%s", role_text(role));
}

static void on_child(void *arg)
{
	loop_later_soon(((struct supervise *)arg)->reaper); /* its last words come first */
}

static void on_reaper(void *arg)
{
	child_reap(arg);
}

static void on_end(void *arg)
{
	supervise_end(arg);
}

static void on_reload(void *arg)
{
	supervise_reload(arg);
}

static int listen_to_signals(struct supervise *s, struct err *err)
{
	static const struct {
		int number;
		loop_fn *fn;
	} wanted[] = { { SIGCHLD, on_child }, { SIGTERM, on_end }, { SIGINT, on_end }, { SIGHUP, on_reload } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		s->signals[i] = loop_signal_new(s->loop, wanted[i].number, wanted[i].fn, s);
		if (s->signals[i] == NULL)
			return err_set(err, "out of memory");
	}
	return 0;
}

/* Two descriptors of each pair, and there are many pairs. */
static void more_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= 4096)
		return;
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_self(struct supervise *s, struct err *err)
{
	s->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); /* the same one, whatever an upgrade puts there */
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->program < 0 || s->null < 0)
		return err_set(err, "%s cannot be opened", s->program < 0 ? "/proc/self/exe" : "/dev/null");
	s->loop = loop_new();
	s->timer = s->loop != NULL ? loop_timer_new(s->loop, supervise_tick, s) : NULL;
	s->reaper = s->loop != NULL ? loop_later_new(s->loop, on_reaper, s) : NULL;
	if (s->timer == NULL || s->reaper == NULL)
		return err_set(err, "out of memory");
	if (!crypto_random(&s->run, sizeof(s->run)) || !crypto_random(s->seal, sizeof(s->seal)))
		return err_set(err, "the system gives no random numbers");
	return listen_to_signals(s, err);
}

/* The first thing that is wrong. */
static void keep_first(void *err, const char *what, const struct err *why)
{
	struct err *first = err;

	(void)what;
	if (why != NULL && first->text[0] == '\0')
		*first = *why;
}

/* Before anything is changed. */
static int check(const struct supervise *s, const struct conf *conf, struct err *err)
{
	struct err first = { EXIT_FAILED, "" };

	if (run_check(s->o->config, conf, keep_first, &first) == 0)
		return 0;
	*err = first;
	return -1;
}

static int make_fit(const struct conf_run *r, struct err *err)
{
	for (unsigned i = 0; i < r->interfaces_count; i++)
		if (mirror_fit(r->interfaces[i], r->prepare, err) < 0)
			return err_in(err, "run: interfaces: %s", r->interfaces[i]);
	return 0;
}

void supervise_fit_again(struct supervise *s)
{
	const struct conf_run *r = &s->conf.run;
	struct err err;

	for (unsigned i = 0; i < r->interfaces_count; i++) {
		const char *name = r->interfaces[i];
		bool unfit = mirror_fit(name, r->prepare, &err) < 0 && err.code != EXIT_NOT_FOUND;

		/* It is listened on all the same: that it is not alone hurts less than what would be missing. */
		alarms_set(&s->alarms, ALARM_INTERFACE, unfit, name, err.text);
	}
}

/* It stays root, for its children's sake: what nobody here needs goes all the same, theirs too. */
static int confine(struct err *err)
{
	const struct sandbox s = { .role = ROLE_SUPERVISE, .no_landlock = true };

	return sandbox_enter(&s, err);
}

static int begin(struct supervise *s, struct err *err)
{
	if (supervise_read(s, &s->text, &s->conf, err) < 0 || parse(s, buf_bytes(&s->text), &s->conf_now, err) < 0)
		return -1;
	log_level_named(s->conf.run.log_level);
	log_journal_open(NULL);
	more_descriptors();
	if (check(s, &s->conf, err) < 0 || supervise_places_prepare(s, err) < 0 || make_fit(&s->conf.run, err) < 0 ||
		open_self(s, err) < 0)
		return -1;
	add_child(s, ROLE_CONTROL, 0);
	add_child(s, ROLE_KEYS, 0);
	add_child(s, ROLE_DELIVERY, 0);
	for (uint32_t i = 0; i < s->conf.run.intercepts; i++)
		add_child(s, ROLE_INTERCEPT, i);
	if (supervise_pairs(s, err) < 0)
		return -1;
	s->notify = notify_open();
	if (confine(err) < 0)
		return -1;
	for (size_t i = 0; i < s->child_count; i++)
		if (child_init(&s->children[i], err) < 0 || child_start(&s->children[i], err) < 0)
			return -1;
	s->ticked = loop_now();
	s->since = nsec_now();
	loop_timer_at(s->timer, s->ticked + NSEC_PER_SEC);
	return 0;
}

static void supervise_clear(struct supervise *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		child_clear(&s->children[i]);
	for (size_t i = 0; i < sizeof(s->signals) / sizeof(s->signals[0]); i++)
		loop_signal_free(s->signals[i]);
	loop_timer_free(s->timer);
	loop_later_free(s->reaper);
	loop_free(s->loop);
	supervise_pairs_close(s);
	for (const int *fd = (const int[]){ s->program, s->null, s->notify, -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	supervise_places_release(s);
	conf_clear(&s->conf);
	conf_clear(&s->conf_now);
	buf_clear(&s->text);
	buf_clear(&s->text_now);
	secret_free(s, sizeof(*s));
}

int run_supervise(const struct run_options *o, struct err *err)
{
	struct supervise *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return err_set(err, "out of memory");
	s->o = o;
	s->err = err;
	s->alarms.tell = supervise_alarm;
	s->alarms.arg = s;
	s->program = s->null = s->notify = s->locks[0] = s->locks[1] = -1;
	rc = begin(s, err);
	if (rc == 0) {
		loop_run(s->loop, NSEC_NONE);
		rc = s->failed ? -1 : EXIT_DONE;
		if (rc == EXIT_DONE)
			log_info("otway has ended");
	}
	supervise_clear(s);
	return rc;
}
