/*
 * intercept_watch: what goes on though no frame comes: time, marks, what the kernel dropped, interfaces that go and return, clocks that
 * jump, the end of the lease.
 */
#include "intercept.h"

#include <inttypes.h>
#include <stdio.h>

#define DROPS_EVERY (NSEC_PER_SEC / 10)
#define STAGES      128                 /* numbers of one half, with room to spare */
#define JUMP        NSEC_PER_SEC        /* between the clocks: of the wall, and one that only goes forward */
#define KEPT_TIME   (60 * NSEC_PER_SEC) /* since it jumped: the alarm is over */

static const char *name_of(const struct intercept *it, size_t i)
{
	return it->start->conf.run.interfaces[i];
}

static void gap_of(struct intercept *it, size_t i, enum gap_reason why, nsec_t from, nsec_t until, uint64_t packets)
{
	struct gap g = { from, until, why, "", packets };

	snprintf(g.where, sizeof(g.where), "%s", name_of(it, i));
	send_gap(it, &g);
}

static void look_at_drops(struct intercept *it, size_t i, nsec_t wall)
{
	struct interface *f = &it->interfaces[i];
	uint64_t dropped = live_dropped(it->live, i), missed = it->index == 0 ? live_missed(it->live, i) : 0;

	if (dropped + missed > 0)
		gap_of(it, i, GAP_KERNEL, (f->looked != NSEC_NONE ? f->looked : it->begun) - it->margin, wall,
			dropped + missed);
	f->dropped += dropped;
	f->missed += missed;
	f->looked = wall;
}

static void went(struct intercept *it, size_t i, enum live_state state, nsec_t wall)
{
	struct interface *f = &it->interfaces[i];

	f->since = wall;
	f->gone = state == LIVE_GONE;
	gap_of(it, i, GAP_INTERFACE, wall - it->margin, NSEC_NONE, GAP_UNKNOWN);
	crew_alarm(it->crew, ALARM_INTERFACE, true, name_of(it, i),
		"peer: %s is %s: nothing is captured there until it is back", name_of(it, i),
		state == LIVE_GONE ? "gone" : "down");
	if (f->gone && f->watch != NULL) {
		loop_watch_free(f->watch);
		f->watch = NULL;
	}
}

static void is_back(struct intercept *it, size_t i, nsec_t wall)
{
	struct interface *f = &it->interfaces[i];

	gap_of(it, i, GAP_INTERFACE, f->since - it->margin, wall, GAP_UNKNOWN);
	f->since = NSEC_NONE;
	crew_alarm(it->crew, ALARM_INTERFACE, false, name_of(it, i), "%s is back", name_of(it, i));
}

/* One that was deleted and made again can be opened by a new process alone: this one may not any more. */
static void look_at_interface(struct intercept *it, size_t i, nsec_t wall)
{
	struct interface *f = &it->interfaces[i];
	enum live_state state = f->gone ? LIVE_GONE : live_state(it->live, i);

	if (state != LIVE_UP && f->since == NSEC_NONE)
		went(it, i, state, wall);
	else if (state == LIVE_UP && f->since != NSEC_NONE)
		is_back(it, i, wall);
	else if (state == LIVE_GONE && !f->gone)
		went(it, i, state, wall);
	if (f->gone && !f->renewed && !it->resuming && live_returned(it->live, i)) {
		f->renewed = true;
		is_back(it, i, wall);
		stop_renew(it);
	}
}

static void look_at_clocks(struct intercept *it, nsec_t wall, nsec_t steady)
{
	nsec_t jump = it->wall != NSEC_NONE ? wall - it->wall - (steady - it->steady) : 0;
	struct gap g = { it->wall, wall, GAP_CLOCK, "", 0 };

	if (jump > JUMP || jump < -JUMP) {
		if (jump < 0)
			g = (struct gap){ wall, it->wall, GAP_CLOCK, "", 0 };
		snprintf(g.where, sizeof(g.where), "intercept %u", (unsigned int)it->index);
		send_gap(it, &g);
		crew_alarm(it->crew, ALARM_CLOCK, true, "", "peer: the clock jumped by %" PRId64 " s",
			jump / NSEC_PER_SEC);
		it->jumped = steady;
	} else if (it->jumped != NSEC_NONE && steady - it->jumped >= KEPT_TIME) {
		it->jumped = NSEC_NONE;
		crew_alarm(it->crew, ALARM_CLOCK, false, "", "the clock has kept time since");
	}
	it->wall = wall;
	it->steady = steady;
}

static void look_at_lease(struct intercept *it, nsec_t wall)
{
	static const struct warrant_set none = { 0 };

	if (!it->has_table || it->lease_over || wall < it->lease)
		return;
	it->lease_over = true;
	back_set_table(it, &none);
	crew_alarm(it->crew, ALARM_LEASE, true, "",
		"the store has been away for longer than the lease: nothing is intercepted");
}

/* How far this front has come: what the rings have is read, and what the kernel still holds back is not older than the margin. */
static nsec_t come_to(struct intercept *it, nsec_t wall)
{
	nsec_t read = front_read(it), settled = wall - it->margin;

	return read < settled ? read : settled;
}

static void tell_time(struct intercept *it)
{
	front_time(it->front, it->settled);
	front_drain(it);
	if (it->back == NULL) {
		msg_put_time(&it->octets, it->settled);
		send_to(it, ROLE_INTERCEPT, 0, MSG_MARK);
		return;
	}
	back_mark(it, 0, it->settled);
	front_drain(it);
	/* A front that is away holds nobody up for long. */
	if (merge_reached(it->merge) >= it->settled - NSEC_PER_SEC)
		back_time(it->back, merge_reached(it->merge));
	else
		back_time(it->back, it->settled - NSEC_PER_SEC);
	front_drain(it);
}

/* Those to whom records and signals go. */
static const struct port *handed_to(const struct intercept *it, size_t i)
{
	return i == 0          ? crew_port(it->crew, ROLE_DELIVERY, 0)
	       : it->index > 0 ? crew_port(it->crew, ROLE_INTERCEPT, 0)
			       : NULL;
}

static bool has_left(const struct intercept *it, const uint64_t until[HANDED_TO])
{
	for (size_t i = 0; i < HANDED_TO; i++) {
		const struct port *to = handed_to(it, i);

		if (to != NULL && (until != NULL ? port_sent(to) < until[i] : port_waiting(to) > 0))
			return false;
	}
	return true;
}

/* What other fronts signalled waits for the slowest of them, for a second at most. */
static nsec_t told_until(const struct intercept *it)
{
	nsec_t settled = front_settled(it->front), merged;

	if (settled == NSEC_NONE || settled > it->settled)
		settled = it->settled;
	if (it->back == NULL)
		return settled;
	merged = merge_reached(it->merge);
	if (merged < it->settled - NSEC_PER_SEC)
		merged = it->settled - NSEC_PER_SEC;
	return merged < settled ? merged : settled;
}

/* How far what was told has left. */
static void look_at_handed(struct intercept *it)
{
	if (!has_left(it, it->handing_to))
		return;
	it->handed = it->handing;
	it->handing = told_until(it);
	for (size_t i = 0; i < HANDED_TO; i++) {
		const struct port *to = handed_to(it, i);

		it->handing_to[i] = to != NULL ? port_sent(to) + port_waiting(to) : 0;
	}
}

nsec_t watch_settled(const struct intercept *it)
{
	return has_left(it, NULL) ? told_until(it) : it->handed;
}

/* Behind all records of what came before: delivery knows then how far it has them. */
static void tell_delivery(struct intercept *it)
{
	msg_put_time(&it->octets, told_until(it));
	send_to(it, ROLE_DELIVERY, 0, MSG_MARK);
}

void watch_beat(struct intercept *it)
{
	nsec_t wall = nsec_now(), steady = loop_now();
	bool due = it->steady == NSEC_NONE || steady / DROPS_EVERY != it->steady / DROPS_EVERY;

	look_at_clocks(it, wall, steady);
	for (size_t i = 0; due && i < it->interface_count; i++) {
		look_at_interface(it, i, wall);
		if (!it->interfaces[i].gone)
			look_at_drops(it, i, wall);
	}
	if (it->back != NULL) {
		look_at_lease(it, wall);
		tell_untold(it);
	}
	if (!it->resuming) {
		it->settled = come_to(it, wall);
		tell_time(it);
		if (due)
			tell_delivery(it);
		look_at_handed(it);
	}
	if (it->again != NULL)
		again_time(it->again, it->settled);
	lost_told(it, false);
	leave_unsent(it);
	intercept_ask_unsent(it);
	want_back_unsent(it);
	resume_try(it);
}

static size_t count(
	struct msg_count *out, size_t n, size_t max, const char *name, const char *of, uint64_t value, bool gauge)
{
	if (n < max)
		out[n++] = (struct msg_count){ name, of, value, gauge };
	return n;
}

/* Of what the back counts: what goes down again. */
static bool is_height(const char *name)
{
	static const char *const heights[] = { "undecided", "setups", "setups_octets" };

	for (size_t i = 0; i < sizeof(heights) / sizeof(heights[0]); i++)
		if (strcmp(name, heights[i]) == 0)
			return true;
	return false;
}

size_t watch_counts(struct intercept *it, struct msg_count *out, size_t max)
{
	struct counter stage[STAGES], media[STAGES];
	size_t stages = front_counts_capture(it->front, stage, STAGES), n = 0;
	size_t medias = front_counts(it->front, media, STAGES);

	for (size_t i = 0; i < it->interface_count; i++) {
		n = count(out, n, max, "interface_frames", name_of(it, i), it->interfaces[i].frames, false);
		n = count(out, n, max, "interface_octets", name_of(it, i), it->interfaces[i].octets, false);
		n = count(out, n, max, "interface_dropped", name_of(it, i), it->interfaces[i].dropped, false);
		if (it->index == 0)
			n = count(out, n, max, "interface_missed", name_of(it, i), it->interfaces[i].missed, false);
		n = count(out, n, max, "interface_up", name_of(it, i), it->interfaces[i].since == NSEC_NONE, true);
	}
	n = count(out, n, max, "queue_lost", "", it->lost_ever, false);
	for (size_t i = 0; i < stages; i++)
		n = count(out, n, max, stage[i].name, "", stage[i].value, false);
	for (size_t i = 0; i < medias; i++) { /* of media alone: the rest is there already, or of the back */
		bool known = strncmp(media[i].name, "sip", 3) == 0 || strncmp(media[i].name, "sdp", 3) == 0;

		for (size_t k = 0; !known && k < stages; k++)
			known = strcmp(stage[k].name, media[i].name) == 0;
		if (!known)
			n = count(out, n, max, media[i].name, "", media[i].value,
				strcmp(media[i].name, "held_octets") == 0);
	}
	if (it->back == NULL)
		return n;
	stages = back_counts(it->back, stage, STAGES);
	for (size_t i = 0; i < stages; i++)
		if (strncmp(stage[i].name, "tcp", 3) != 0 && strncmp(stage[i].name, "sctp", 4) != 0 &&
			strcmp(stage[i].name, "sip") != 0)
			n = count(out, n, max, stage[i].name, "", stage[i].value, is_height(stage[i].name));
	return count(out, n, max, "calls_open", "", open_count(it->open), true);
}
