/*
 * role_keys: asks KMSs for the keys of calls under warrant, and keeps what intercepts leave for those that follow them. It sees no packet, and
 * of warrants only their references.
 *
 * Files of agreements (the CA of a KMS, our certificate and its key) are read when they are first needed, and from below one folder alone
 * (run: kms_files), which is all that its sandbox lets it read: an agreement that is added while it runs puts its files there.
 */
#include "role_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "otway/base/secret.h"
#include "otway/exchanges.h"
#include "otway/http.h"
#include "sandbox.h"

#define FILES_AGAIN (10 * NSEC_PER_SEC) /* until files that could not be used are tried again */

static void tell_of_kms(struct key_role *r, const struct keys_out *o)
{
	char of[GAP_WHERE];

	if (o->outcome == NULL || strcmp(o->act, "key-answer") != 0 ||
		key_role_agreement(r, o->agreement_number) == NULL)
		return;
	key_table_name(o->agreement_number, of);
	if (strcmp(o->outcome, "keys") == 0)
		crew_alarm(r->crew, ALARM_KMS, false, of, " ");
	else if (exchanges_trouble(r->exchanges, o->agreement_number) != EXCHANGES_FINE)
		return; /* which was told already, and better */
	else if (strcmp(o->outcome, seal_reason_text(SEAL_KMS_REFUSED)) == 0)
		crew_alarm(r->crew, ALARM_KMS, true, of, "peer: this KMS refused to give a key: ask who runs it why");
	else if (strcmp(o->outcome, seal_reason_text(SEAL_KMS_UNREACHABLE)) == 0)
		crew_alarm(r->crew, ALARM_KMS, true, of,
			"peer: this KMS could not be asked for a key, or gave no answer that can be right");
}

static void on_trouble(void *arg, uint32_t agreement, enum exchanges_trouble t, const char *why)
{
	struct key_role *r = arg;
	char of[GAP_WHERE];

	key_table_name(agreement, of);
	if (t == EXCHANGES_UNTRUSTED)
		crew_alarm(r->crew, ALARM_KMS, true, of, "peer: this KMS is not asked: %s", why);
	else
		crew_alarm(r->crew, ALARM_KMS, t == EXCHANGES_FILES, of,
			"config: this KMS cannot be asked: %s (files are read below %s alone)", why,
			r->start->conf.run.kms_files);
}

/* What there is to do now. Nothing is sent that the trail does not have. */
static void work(void *arg)
{
	struct key_role *r = arg;
	struct keys_out o;

	while (keys_next(r->keys, &o)) {
		if (o.kind == KEYS_TRACE) {
			tell_of_kms(r, &o);
			if (!trail_tell(&r->trail, &o)) {
				log_error("out of memory");
				crew_stop(r->crew, EXIT_FAILED);
				return;
			}
		} else if (o.kind == KEYS_ANSWER) {
			answers_give(&r->answers, o.answer);
		} else if (!trail_holds(&r->trail, &o)) {
			exchanges_send(r->exchanges, o.agreement, o.exchange, o.path, o.body, o.timeout);
		}
	}
	loop_timer_at(r->due, keys_due(r->keys));
}

void key_role_work(struct key_role *r)
{
	loop_later_soon(r->later);
}

static void on_due(void *arg)
{
	struct key_role *r = arg;

	keys_time(r->keys, loop_now());
	key_role_work(r);
}

static void on_replied(void *arg)
{
	key_role_work(arg);
}

static void on_table_begin(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	(void)body;
	key_table_begin(role);
}

static void on_warrant(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	key_table_warrant(role, body);
}

static void on_agreement(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	key_table_agreement(role, body);
}

static void on_table_end(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	key_table_end(role, body);
}

static void on_lease(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	key_table_lease(role, body);
}

static void on_audited(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	trail_audited(&((struct key_role *)role)->trail, body);
}

static void on_key_wanted(void *role, uint32_t index, struct bytes body)
{
	if (index == 0) /* signalling is understood there alone */
		early_want(&((struct key_role *)role)->early, body);
}

static void on_call_over(void *role, uint32_t index, struct bytes body)
{
	struct key_role *r = role;
	uint32_t call;

	if (index != 0 || !msg_get_call(body, &call))
		return;
	keys_call_over(r->keys, call, true, loop_now());
	early_call_over(&r->early, call);
	answers_call_over(&r->answers, call);
	key_role_work(r);
}

static void on_checkpoint(void *role, uint32_t index, struct bytes body)
{
	checkpoints_put(&((struct key_role *)role)->kept, index, body);
}

static void on_checkpoint_drop(void *role, uint32_t index, struct bytes body)
{
	checkpoints_drop(&((struct key_role *)role)->kept, index, body);
}

static void on_resume(void *role, uint32_t index, struct bytes body)
{
	checkpoints_resume(&((struct key_role *)role)->kept, index, body);
}

static const struct crew_accepts accepts[] = {
	{ ROLE_CONTROL, MSG_TABLE_BEGIN, on_table_begin },
	{ ROLE_CONTROL, MSG_WARRANT, on_warrant },
	{ ROLE_CONTROL, MSG_AGREEMENT, on_agreement },
	{ ROLE_CONTROL, MSG_TABLE_END, on_table_end },
	{ ROLE_CONTROL, MSG_LEASE, on_lease },
	{ ROLE_CONTROL, MSG_AUDITED, on_audited },
	{ ROLE_INTERCEPT, MSG_KEY_WANTED, on_key_wanted },
	{ ROLE_INTERCEPT, MSG_CALL_OVER, on_call_over },
	{ ROLE_INTERCEPT, MSG_CHECKPOINT, on_checkpoint },
	{ ROLE_INTERCEPT, MSG_CHECKPOINT_DROP, on_checkpoint_drop },
	{ ROLE_INTERCEPT, MSG_RESUME, on_resume },
};

static void on_peer_up(void *role, const struct msg_peer *p)
{
	struct key_role *r = role;

	if (p->role == ROLE_CONTROL)
		trail_again(&r->trail);
	if (p->role == ROLE_INTERCEPT && p->index == 0) {
		early_clear(&r->early);
		answers_nobody(&r->answers);
	}
	if (p->role == ROLE_INTERCEPT)
		checkpoints_stop(&r->kept, p->index);
}

static void on_tick(void *role)
{
	struct key_role *r = role;

	key_table_tick(r);
	early_look(&r->early);
	trail_tick(&r->trail);
	answers_tick(&r->answers);
}

/* Certificates that were renewed lie under their old names. */
static void on_reload(void *role, const struct conf *conf)
{
	(void)conf;
	exchanges_renew(((struct key_role *)role)->exchanges);
}

static void on_stop(void *role)
{
	crew_stop(((struct key_role *)role)->crew, EXIT_DONE);
}

static size_t on_counts(void *role, struct msg_count *out, size_t max)
{
	const struct key_role *r = role;
	struct counter counters[32];
	size_t n = keys_counts(r->keys, counters, 32), count = 0, items, octets = checkpoints_octets(&r->kept, &items);
	const struct msg_count own[] = {
		{ "waiting", "", keys_waiting(r->keys), true },
		{ "answers_kept", "", r->answers.count, true },
		{ "audit_waiting", "", r->trail.count, true },
		{ "audit_dropped", "", r->trail.dropped, false },
		{ "checkpoints", "", items, true },
		{ "checkpoint_octets", "", octets, true },
		{ "checkpoints_refused", "", r->kept.refused, false },
	};

	for (size_t i = 0; i < n && count < max; i++)
		out[count++] = (struct msg_count){ counters[i].name, "", counters[i].value, false };
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && count < max; i++)
		out[count++] = own[i];
	return count;
}

static int confine(const struct key_role *r, struct err *err)
{
	const struct conf_run *run = &r->start->conf.run;
	const char *const read[] = { run->kms_files, NULL };
	const struct sandbox s = {
		.role = ROLE_KEYS,
		.user = geteuid() == 0 ? run->users.keys : NULL,
		.read = read,
		.no_landlock = run->without_landlock,
		.lock_memory = true,
	};

	http_prepare();
	return sandbox_enter(&s, err);
}

static int begin(struct key_role *r, struct err *err)
{
	const struct crew_options o = {
		.accepts = accepts,
		.count = sizeof(accepts) / sizeof(accepts[0]),
		.role = r,
		.stop = on_stop,
		.reload = on_reload,
		.peer_up = on_peer_up,
		.tick = on_tick,
		.counts = on_counts,
	};

	if (crew_new(&r->crew, r->start, &o, err) < 0)
		return -1;
	r->keys = keys_new(NULL);
	r->exchanges = exchanges_new(
		&(struct exchanges_options){ crew_loop(r->crew), r->keys, on_replied, on_trouble, r, FILES_AGAIN });
	r->due = loop_timer_new(crew_loop(r->crew), on_due, r);
	r->later = loop_later_new(crew_loop(r->crew), work, r);
	if (r->keys == NULL || r->exchanges == NULL || r->due == NULL || r->later == NULL ||
		!trail_init(&r->trail, r) || !answers_init(&r->answers, r) || !checkpoints_init(&r->kept, r))
		return err_set(err, "out of memory");
	if (confine(r, err) < 0)
		return -1;
	crew_ready(r->crew);
	return 0;
}

static void clear(struct key_role *r)
{
	exchanges_free(r->exchanges); /* what is under way ends, and tells keys */
	keys_free(r->keys);
	trail_clear(&r->trail);
	early_clear(&r->early);
	answers_clear(&r->answers);
	checkpoints_clear(&r->kept);
	loop_timer_free(r->due);
	loop_later_free(r->later);
	key_table_clear(&r->now);
	key_table_clear(&r->coming);
	crew_free(r->crew);
	secret_free(r, sizeof(*r));
}

int role_keys(struct role_start *start, struct err *err)
{
	struct key_role *r = calloc(1, sizeof(*r));
	int rc = -1;

	if (r == NULL)
		return err_set(err, "out of memory");
	r->start = start;
	early_init(&r->early, r);
	if (begin(r, err) == 0)
		rc = crew_run(r->crew);
	clear(r);
	return rc;
}
