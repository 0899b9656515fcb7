/*
 * role_delivery: records in, case folders out. It sees what was intercepted, in clear, and so has nothing but its folders: no network, no
 * key, no table of targets but what the evidence itself must name.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otway/base/log.h"
#include "otway/base/secret.h"
#include "role_delivery.h"
#include "sandbox.h"

#define BEAT      (NSEC_PER_SEC / 20)
#define MARGIN    (NSEC_PER_SEC / 2)  /* how much older than now a packet may be that nobody held back */
#define QUIET     (NSEC_PER_SEC / 4)  /* at the end: nothing more is on its way */
#define STOP_SPAN (25 * NSEC_PER_SEC) /* at the end: what is not finished then waits for the next start */
#define MILLI     (NSEC_PER_SEC / 1000)

static const struct crew_accepts accepts[] = {
	{ ROLE_CONTROL, MSG_TABLE_BEGIN, delivery_table_begin },
	{ ROLE_CONTROL, MSG_WARRANT, delivery_warrant },
	{ ROLE_CONTROL, MSG_TABLE_END, delivery_table_end },
	{ ROLE_CONTROL, MSG_LEASE, delivery_lease },
	{ ROLE_CONTROL, MSG_GAP, delivery_gap },
	{ ROLE_SUPERVISE, MSG_GAP, delivery_gap },
	{ ROLE_INTERCEPT, MSG_RECORD, delivery_record },
	{ ROLE_INTERCEPT, MSG_MARK, delivery_mark },
	{ ROLE_INTERCEPT, MSG_GAP, delivery_gap },
	{ ROLE_INTERCEPT, MSG_HELD, delivery_held },
	{ ROLE_INTERCEPT, MSG_HELD_WANTED, held_wanted },
};

void delivery_disk(struct delivery *d, bool ok, const struct err *err)
{
	if (d->disk_full == !ok)
		return;
	d->disk_full = !ok;
	if (ok)
		crew_alarm(d->crew, ALARM_DISK, false, "", "there is room again");
	else
		crew_alarm(d->crew, ALARM_DISK, true, "",
			"case folders cannot be written (%s): make room; meanwhile records are kept in memory as far "
			"as it goes",
			err->text);
}

/* Folders that were begun and calls that were finished, by local numbers, for the trail. */
static void tell_audit(struct delivery *d)
{
	struct cases_note n;

	while (cases_note(d->cases, &n)) {
		char subject[48], detail[96], from[NSEC_TEXT];
		const struct msg_audit a = {
			.act = n.begun ? "case.begin" : "case.call", .subject = subject, .detail = detail
		};

		snprintf(subject, sizeof(subject), "warrant %" PRIu32, n.warrant);
		if (n.begun)
			snprintf(detail, sizeof(detail), "{\"period\":\"%s\"}", nsec_text(n.from, from));
		else
			snprintf(detail, sizeof(detail), "{\"period\":\"%s\",\"call\":%" PRIu32 "}",
				nsec_text(n.from, from), n.call);
		if (msg_put_audit(&d->octets, &a))
			crew_send(d->crew, ROLE_CONTROL, 0, MSG_AUDIT, buf_bytes(&d->octets));
		buf_reset(&d->octets);
	}
}

/* At the end: what is on its way comes in first, then everything is finished, as far as there is time. */
static void go_on_ending(struct delivery *d)
{
	if (!d->ending && loop_now() - d->heard < QUIET && loop_now() < d->stop_until - STOP_SPAN / 2)
		return;
	d->ending = true;
	if (cases_ended(d->cases)) {
		crew_stop(d->crew, EXIT_DONE);
	} else if (loop_now() > d->stop_until) {
		log_warning("case folders are not finished yet; that goes on when otway is started again");
		crew_stop(d->crew, EXIT_DONE);
	}
}

/* What intercepts have told all of, and is written: however long it was on its way, and however much still is. */
static nsec_t written_now(const struct delivery *d, nsec_t now)
{
	nsec_t written = now - MARGIN;

	for (size_t i = 0; i < ROLE_PEERS; i++)
		if (d->marks[i] != NSEC_NONE && d->marks[i] < written)
			written = d->marks[i];
	return written;
}

static void on_beat(void *arg)
{
	struct delivery *d = arg;
	nsec_t now = nsec_now();
	struct err err;
	bool ok = cases_time(d->cases, now, &err) == 0;

	if (ok)
		d->written = written_now(d, now);
	delivery_disk(d, ok, &err);
	held_go_on(d);
	tell_audit(d);
	if (d->stopping)
		go_on_ending(d);
	loop_timer_at(d->beat, loop_now() + BEAT);
}

static void on_stop(void *role)
{
	struct delivery *d = role;

	if (d->stopping)
		return;
	d->stopping = true;
	d->heard = loop_now();
	d->stop_until = loop_now() + STOP_SPAN;
}

static nsec_t on_settled(void *role)
{
	return ((const struct delivery *)role)->written;
}

static void options_of(const struct conf_run *r, uint32_t run, struct cases_options *out)
{
	*out = (struct cases_options){
		.dir = r->cases,
		.rotate_octets = (uint64_t)r->rotate_mib << 20,
		.sync_every = r->sync_ms * MILLI,
		.held_octets = (uint64_t)r->held_mib << 20,
		.run = run,
	};
	conf_span(r->rotate_time, &out->rotate_time);
	conf_span(r->settle, &out->settle);
}

static void on_reload(void *role, const struct conf *conf)
{
	struct delivery *d = role;
	struct cases_options o;

	options_of(&conf->run, d->start->run, &o);
	cases_set(d->cases, &o);
}

static bool is_gauge(const char *name)
{
	static const char *const gauges[] = { "calls_open", "folders_open", "held", "held_octets", "waiting" };

	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (strcmp(name, gauges[i]) == 0)
			return true;
	return false;
}

static size_t on_counts(void *role, struct msg_count *out, size_t max)
{
	const struct delivery *d = role;
	struct counter all[32];
	size_t n = cases_counts(d->cases, all, 32), i;

	for (i = 0; i < n && i < max; i++)
		out[i] = (struct msg_count){ all[i].name, "", all[i].value, is_gauge(all[i].name) };
	if (i < max)
		out[i++] = (struct msg_count){ "messages_broken", "", d->broken, false };
	if (i < max)
		out[i++] = (struct msg_count){ "held_lost_back", "", d->lost_back, false };
	return i;
}

static int confine(const struct conf_run *r, struct err *err)
{
	char decoder[PATH_MAX];
	const char *const write[] = { r->cases, NULL };
	const char *run[] = { decoder, NULL };
	const struct sandbox s = {
		.role = ROLE_DELIVERY,
		.user = r->users.delivery,
		.write = write,
		.run = run,
		.no_landlock = r->without_landlock,
		.lock_memory = true,
	};

	if (!cases_decoder(decoder, sizeof(decoder)))
		return err_code(err, EXIT_NOT_FOUND, "otway-decode is not where it should be: install otway whole");
	return sandbox_enter(&s, err);
}

static int begin(struct delivery *d, struct err *err)
{
	const struct crew_options o = {
		.accepts = accepts,
		.count = sizeof(accepts) / sizeof(accepts[0]),
		.role = d,
		.stop = on_stop,
		.reload = on_reload,
		.counts = on_counts,
		.settled = on_settled,
	};
	struct cases_options cases;

	options_of(&d->start->conf.run, d->start->run, &cases);
	if (crew_new(&d->crew, d->start, &o, err) < 0)
		return -1;
	d->beat = loop_timer_new(crew_loop(d->crew), on_beat, d);
	d->back = loop_later_new(crew_loop(d->crew), held_go_on, d);
	if (d->beat == NULL || d->back == NULL)
		return err_set(err, "out of memory");
	delivery_listen(d, false);
	if (confine(&d->start->conf.run, err) < 0 || cases_new(&d->cases, &cases, err) < 0)
		return -1;
	d->written = nsec_now();
	for (uint32_t i = 0; i < ROLE_PEERS;
		i++) /* from here on: what was on its way before is in the gap of who died */
		d->marks[i] = i < d->start->intercepts ? d->written : NSEC_NONE;
	loop_timer_at(d->beat, loop_now());
	crew_ready(d->crew);
	return 0;
}

static void clear(struct delivery *d)
{
	cases_free(d->cases);
	loop_later_free(d->back);
	loop_timer_free(d->beat);
	crew_free(d->crew);
	warrant_set_clear(&d->coming);
	held_clear(d);
	msg_room_clear(&d->room);
	buf_clear(&d->octets);
	secret_free(d, sizeof(*d));
}

int role_delivery(struct role_start *start, struct err *err)
{
	struct delivery *d = calloc(1, sizeof(*d));
	int rc = -1;

	if (d == NULL)
		return err_set(err, "out of memory");
	d->start = start;
	if (begin(d, err) == 0)
		rc = crew_run(d->crew);
	clear(d);
	return rc;
}
