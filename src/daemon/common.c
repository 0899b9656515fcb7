/*
 * common: what every role does alike. Its loop, its port to supervise and one to each peer, and the table of what it accepts: what is
 * not in it is counted and passed over, whoever sent it.
 */
#include <stdlib.h>

#include "crew.h"
#include "otway/base/log.h"
#include "start.h"

#define TICK         NSEC_PER_SEC
#define DRAIN        (3 * NSEC_PER_SEC) /* at the end, for all that was sent */
#define TO_SUPERVISE ((size_t)1 << 20)

/* Octets that may wait for a peer: records come in bursts and may not be lost (ten seconds of 1,000 calls a second), tables and keys are small. */
static size_t queue_max(enum role from, enum role to)
{
	if (from == ROLE_INTERCEPT && to == ROLE_DELIVERY)
		return (size_t)128 << 20;
	if (from == ROLE_CONTROL || to == ROLE_CONTROL)
		return (size_t)4 << 20;
	return (size_t)8 << 20;
}

static void take_reload(struct crew *c, struct bytes text)
{
	struct conf conf = { 0 };
	struct err err;

	if (start_conf(c->start, text, &conf, &err) < 0) {
		log_error("bug: a configuration that supervise found right: %s", err.text); /* the old one holds */
	} else {
		log_level_named(conf.run.log_level);
		if (c->o.reload != NULL)
			c->o.reload(c->o.role, &conf);
	}
	conf_clear(&conf);
}

static void take_peer_up(struct crew *c, struct bytes body)
{
	struct msg_peer peer;

	if (!msg_get_peer(body, &peer)) {
		c->refused++;
		return;
	}
	if (c->o.peer_up != NULL)
		c->o.peer_up(c->o.role, &peer);
	if (peer.role == ROLE_CONTROL)
		alarms_again(&c->alarms);
}

static void say_alive(struct crew *c)
{
	struct buf body = { 0 };

	if (msg_put_time(&body, c->o.settled != NULL ? c->o.settled(c->o.role) : nsec_now()))
		port_send(c->supervise.port, MSG_ALIVE, buf_bytes(&body));
	buf_clear(&body);
}

static void take_stop(struct crew *c)
{
	if (c->o.stop != NULL)
		c->o.stop(c->o.role);
	else
		crew_stop(c, EXIT_DONE);
}

/* False: not one that every role knows. */
static bool taken_by_all(struct crew *c, enum msg_type type, struct bytes body)
{
	switch (type) {
	case MSG_PING:
		say_alive(c);
		return true;
	case MSG_RELOAD:
		take_reload(c, body);
		return true;
	case MSG_STOP:
		take_stop(c);
		return true;
	case MSG_PEER_UP:
		take_peer_up(c, body);
		return true;
	default:
		return false;
	}
}

static void taken(void *arg, enum msg_type type, struct bytes body)
{
	struct crew_link *from = arg;
	struct crew *c = from->crew;

	if (from->role == ROLE_SUPERVISE && taken_by_all(c, type, body))
		return;
	if ((unsigned)type < MSG_TYPES && c->take[from->role][type] != NULL)
		c->take[from->role][type](c->o.role, from->index, body);
	else
		c->refused++;
}

static void tick(void *arg)
{
	struct crew *c = arg;
	nsec_t now = loop_now();

	c->next_tick = c->next_tick + TICK > now ? c->next_tick + TICK : now + TICK;
	loop_timer_at(c->timer, c->next_tick);
	if (c->o.tick != NULL)
		c->o.tick(c->o.role);
	alarms_untold(&c->alarms);
	crew_tell_counts(c);
	if (port_ended(c->supervise.port)) /* it is gone, and its roles go with it */
		crew_stop(c, EXIT_FAILED);
}

static int open_link(struct crew *c, struct crew_link *l, const struct role_peer *p, size_t max, struct err *err)
{
	*l = (struct crew_link){ .crew = c, .role = p->role, .index = p->index };
	if (p->index >= ROLE_PEERS || p->role >= ROLES)
		return err_set(err, "there is no %s %u", p->role < ROLES ? role_text(p->role) : "role", p->index);
	if (port_new(&l->port, c->loop, p->fd, max, taken, l, err) < 0)
		return err_in(err, "opening the port to %s %u", role_text(p->role), p->index);
	c->by[p->role][p->index] = l->port;
	return 0;
}

static int open_links(struct crew *c, const struct role_start *s, struct err *err)
{
	const struct role_peer supervise = { ROLE_SUPERVISE, 0, s->supervise };

	if (open_link(c, &c->supervise, &supervise, TO_SUPERVISE, err) < 0)
		return -1;
	for (; c->peer_count < s->peer_count; c->peer_count++)
		if (open_link(c, &c->peers[c->peer_count], &s->peers[c->peer_count],
			    queue_max(s->role, s->peers[c->peer_count].role), err) < 0)
			return -1;
	return 0;
}

int crew_new(struct crew **out, struct role_start *start, const struct crew_options *o, struct err *err)
{
	struct crew *c = calloc(1, sizeof(*c));
	int rc = -1;

	if (c == NULL)
		return err_set(err, "out of memory");
	c->o = *o;
	c->start = start;
	c->alarms.tell = crew_tell_alarm;
	c->alarms.arg = c;
	for (size_t i = 0; i < o->count; i++)
		c->take[o->accepts[i].from][o->accepts[i].type] = o->accepts[i].take;
	c->loop = loop_new();
	c->timer = c->loop != NULL ? loop_timer_new(c->loop, tick, c) : NULL;
	if (c->timer == NULL) {
		err_set(err, "out of memory");
		goto out;
	}
	if (open_links(c, start, err) < 0)
		goto out;
	c->next_tick = loop_now() + TICK;
	loop_timer_at(c->timer, c->next_tick);
	*out = c; /* the caller's from here on */
	c = NULL;
	rc = 0;
out:
	crew_free(c);
	return rc;
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->peer_count; i++)
		port_free(c->peers[i].port);
	port_free(c->supervise.port);
	loop_timer_free(c->timer);
	loop_free(c->loop);
	free(c);
}

struct loop *crew_loop(struct crew *c)
{
	return c->loop;
}

struct port *crew_port(struct crew *c, enum role to, uint32_t index)
{
	return to < ROLES && index < ROLE_PEERS ? c->by[to][index] : NULL;
}

bool crew_send(struct crew *c, enum role to, uint32_t index, enum msg_type type, struct bytes body)
{
	struct port *p = crew_port(c, to, index);

	return p != NULL && port_send(p, type, body);
}

void crew_refuse(struct crew *c)
{
	c->refused++;
}

void crew_ready(struct crew *c)
{
	port_send(c->supervise.port, MSG_READY, (struct bytes){ NULL, 0 });
	port_flush(c->supervise.port);
}

int crew_run(struct crew *c)
{
	nsec_t until;

	if (!c->stopping)
		loop_run(c->loop, NSEC_NONE);
	until = loop_now() + DRAIN;
	for (size_t i = 0; i < c->peer_count; i++) {
		nsec_t left = until - loop_now();

		port_drain(c->peers[i].port, left > 0 ? left : 0);
	}
	port_drain(c->supervise.port, 0);
	return c->code;
}

void crew_stop(struct crew *c, int code)
{
	c->stopping = true;
	c->code = code;
	loop_stop(c->loop);
}
