/*
 * role_intercept: mirror ports in, records out. It opens its rings, gives up everything, and takes up where the one before it ended.
 */
#include <stdlib.h>

#include "intercept.h"
#include "otway/media.h"
#include "otway/base/secret.h"
#include "otway/settings.h"
#include "sandbox.h"

#define BEAT          (NSEC_PER_SEC / 50)
#define RECENT_OCTETS ((size_t)16 << 20) /* signals of all fronts wait for each other, and media goes on meanwhile */
#define MILLI         (NSEC_PER_SEC / 1000)

static void on_signal(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct datagram d;

	nsec_t now = nsec_now();

	if (it->back == NULL || !msg_get_datagram(body, &d) || d.payload.at == NULL)
		return;
	if (d.at > now + NSEC_PER_SEC) /* nobody hears the future, and no front is to move the time of all */
		d.at = now;
	back_signal(it, index, &d);
	front_drain(it);
}

static void on_mark(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	nsec_t until;

	if (!msg_get_time(body, &until))
		return;
	if (it->back == NULL && index != 0) {
		crew_refuse(it->crew);
		return;
	}
	if (it->back == NULL) { /* from the first one: it has said its last */
		it->back_over = until == NSEC_EVER;
		return;
	}
	it->over[index] = until == NSEC_EVER;
	back_mark(it, index, until);
	if (!it->resuming)
		front_drain(it);
}

static void on_forward(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct datagram d;

	(void)index;
	if (!msg_get_datagram(body, &d))
		return;
	front_forwarded(it->front, &d);
	front_drain(it);
}

static void on_held_back(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct msg_held h;

	(void)index;
	if (!msg_get_held(body, &h))
		return;
	front_back(it->front, h.call, &h.datagram);
	front_drain(it);
}

static void on_held_end(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	uint32_t call;

	(void)index;
	if (!msg_get_call(body, &call))
		return;
	front_back_end(it->front, call);
	front_drain(it);
}

static void on_key(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct key_answer a;

	(void)index;
	if (it->back == NULL || !msg_get_key_answer(body, &a))
		return;
	if (intercept_ask_answered(it, &a)) /* else it was wanted by the one before */
		back_answer(it->back, &a);
	key_answer_clear(&a);
	front_drain(it);
}

static void on_resumed(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	resume_take(role, body);
}

static void on_resume(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	resume_heard(role, body);
}

static void on_resume_end(void *role, uint32_t index, struct bytes body)
{
	(void)index;
	resume_end(role, body);
}

static const struct crew_accepts accepts[] = {
	{ ROLE_CONTROL, MSG_TABLE_BEGIN, intercept_table_begin },
	{ ROLE_CONTROL, MSG_WARRANT, intercept_table_warrant },
	{ ROLE_CONTROL, MSG_TABLE_END, intercept_table_end },
	{ ROLE_CONTROL, MSG_LEASE, intercept_table_lease },
	{ ROLE_INTERCEPT, MSG_SIGNAL, on_signal },
	{ ROLE_INTERCEPT, MSG_MARK, on_mark },
	{ ROLE_INTERCEPT, MSG_STEP, intercept_told_step },
	{ ROLE_INTERCEPT, MSG_ESP, intercept_told_esp },
	{ ROLE_INTERCEPT, MSG_ANEW, intercept_told_anew },
	{ ROLE_INTERCEPT, MSG_ANEW_END, intercept_told_anew_end },
	{ ROLE_INTERCEPT, MSG_FORWARD, on_forward },
	{ ROLE_DELIVERY, MSG_HELD_BACK, on_held_back },
	{ ROLE_DELIVERY, MSG_HELD_END, on_held_end },
	{ ROLE_KEYS, MSG_KEY, on_key },
	{ ROLE_KEYS, MSG_RESUME, on_resume },
	{ ROLE_KEYS, MSG_RESUMED, on_resumed },
	{ ROLE_KEYS, MSG_RESUME_END, on_resume_end },
};

static void on_more(void *arg)
{
	back_turn(arg);
	resume_try(arg);
	front_drain(arg);
}

static void on_beat(void *arg)
{
	struct intercept *it = arg;

	back_turn(it);
	if (it->stopping)
		stop_try(it);
	else
		watch_beat(it);
	loop_timer_at(it->beat, loop_now() + BEAT);
}

/* A front that comes up is told of open calls. What was left with keys is left again. */
static void on_peer_up(void *role, const struct msg_peer *p)
{
	struct intercept *it = role;

	if (it->back != NULL && p->role == ROLE_INTERCEPT && p->index < it->fronts)
		tell_anew(it, p->index);
	if (p->role == ROLE_KEYS) {
		leave_again(it);
		intercept_ask_again(it);
	}
}

static void on_tick(void *role)
{
	struct intercept *it = role;

	leave_states(it);
	if (it->back != NULL)
		back_tell_active(it);
}

static size_t on_counts(void *role, struct msg_count *out, size_t max)
{
	return watch_counts(role, out, max);
}

static nsec_t on_settled(void *role)
{
	return watch_settled(role);
}

static int open_rings(struct intercept *it, struct err *err)
{
	const struct conf_run *r = &it->start->conf.run;
	const struct live_options o = {
		.interfaces = (const char *const *)r->interfaces,
		.count = r->interfaces_count,
		.ring = (size_t)r->ring_mib << 20,
		.snaplen = r->snaplen,
		.retire = r->retire_ms * MILLI,
		.group = (uint16_t)(it->start->run % 4000 * CONF_INTERFACES + 1),
		.processes = it->fronts,
		.known = decap_knows,
	};

	it->interface_count = r->interfaces_count;
	it->margin = (nsec_t)r->retire_ms * MILLI * 4 + NSEC_PER_SEC / 50;
	for (size_t i = 0; i < it->interface_count; i++)
		it->interfaces[i].since = it->interfaces[i].looked = NSEC_NONE;
	return live_new(&it->live, &o, it->start->again, err);
}

/* What the one before gave is less: its calls go on, or lie in case folders under their numbers, and are no others. */
static uint32_t numbers_from(nsec_t at)
{
	const uint32_t half = UINT32_C(1) << 30; /* of those there may be: it counts milliseconds, for twelve days */

	return half + (uint32_t)(at / MILLI % half);
}

static int make_halves(struct intercept *it, struct err *err)
{
	const struct conf *c = &it->start->conf;
	struct decap_options decap;
	struct front_options front = {
		.decap = &decap,
		.sip_ports = c->sip.ports,
		.sip_port_count = c->sip.ports_count,
		.hold_octets = (size_t)c->run.hold_kib << 10,
		.prints = true,
		.recent_octets = RECENT_OCTETS,
		.spill = true,
		.fronts = it->fronts,
		.own = it->index,
	};

	if (settings_decap(it->start->config, c, &decap, err) < 0)
		return -1;
	conf_span(c->run.hold_time, &front.hold_time);
	it->front = front_new(&front);
	if (it->front == NULL || !leave_begin(it) || !intercept_ask_begin(it))
		return err_set(err, "out of memory");
	if (it->fronts > 1 && (it->again = again_new()) == NULL)
		return err_set(err, "out of memory");
	if (it->index > 0) {
		it->told = told_new();
		return it->told != NULL ? 0 : err_set(err, "out of memory");
	}
	it->back = back_new(&(struct back_options){ .kms_header = c->kms_header,
		.kms = true,
		.journal = true,
		.numbers_from = it->start->again ? numbers_from(it->settled) : 0,
		.setups = c->run.midcall ? (size_t)c->run.midcall_mib << 20 : 0 });
	it->merge = merge_new(it->fronts);
	it->open = open_new(it->fronts);
	return it->back != NULL && it->merge != NULL && it->open != NULL ? 0 : err_set(err, "out of memory");
}

static int confine(struct intercept *it, struct err *err)
{
	const struct conf_run *r = &it->start->conf.run;
	int rings[CONF_INTERFACES + 1];
	size_t n = 0;
	const struct sandbox s = {
		.role = ROLE_INTERCEPT,
		.user = r->users.intercept,
		.listen_only = rings,
		.no_landlock = r->without_landlock,
		.lock_memory = true,
	};

	for (size_t i = 0; i < it->interface_count; i++)
		if (live_fd(it->live, i) >= 0)
			rings[n++] = live_fd(it->live, i);
	rings[n] = -1;
	media_prepare();
	return sandbox_enter(&s, err);
}

static int begin(struct intercept *it, struct err *err)
{
	const struct crew_options o = {
		.accepts = accepts,
		.count = sizeof(accepts) / sizeof(accepts[0]),
		.role = it,
		.stop = stop_begin,
		.peer_up = on_peer_up,
		.tick = on_tick,
		.counts = on_counts,
		.settled = on_settled,
	};

	if (open_rings(it, err) < 0 || make_halves(it, err) < 0 || crew_new(&it->crew, it->start, &o, err) < 0)
		return -1;
	it->loop = crew_loop(it->crew);
	it->beat = loop_timer_new(it->loop, on_beat, it);
	it->more = loop_later_new(it->loop, on_more, it);
	if (it->beat == NULL || it->more == NULL)
		return err_set(err, "out of memory");
	if (confine(it, err) < 0)
		return -1;
	resume_begin(it);
	if (!it->resuming)
		front_begin(it);
	loop_timer_at(it->beat, loop_now() + BEAT);
	crew_ready(it->crew);
	return 0;
}

static void clear(struct intercept *it)
{
	resume_free(it);
	leave_end(it);
	intercept_ask_free(it);
	open_free(it->open);
	told_free(it->told);
	merge_free(it->merge);
	back_free(it->back);
	front_free(it->front);
	again_free(it->again);
	loop_timer_free(it->beat);
	loop_later_free(it->more);
	for (size_t i = 0; i < it->interface_count; i++)
		loop_watch_free(it->interfaces[i].watch);
	live_free(it->live);
	crew_free(it->crew);
	warrant_set_clear(&it->coming);
	warrant_set_clear(&it->table);
	buf_clear(&it->octets);
	secret_free(it, sizeof(*it));
}

int role_intercept(struct role_start *start, struct err *err)
{
	struct intercept *it = calloc(1, sizeof(*it));
	int rc = -1;

	if (it == NULL)
		return err_set(err, "out of memory");
	it->start = start;
	it->index = start->index;
	it->fronts = start->intercepts > 0 ? start->intercepts : 1;
	it->begun = it->wall = it->steady = it->jumped = NSEC_NONE;
	it->settled = it->handed = it->handing = nsec_now();
	if (begin(it, err) == 0)
		rc = crew_run(it->crew);
	clear(it);
	return rc;
}
