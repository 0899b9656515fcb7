/*
 * loop: the event loop, turn by turn: what is ready, then what was to be done later. Memory that libevent gives back is wiped, since
 * keys and identities go through its buffers.
 */
#include "io.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "otway/base/secret.h"

struct loop {
	struct event_base *base;
	struct evdns_base *names;
	struct event *signals[2], *limit;
	struct loop_later *soon, **soon_end; /* those that were called for, in order */
	uint64_t turn;
	bool stopped; /* by loop_stop */
	bool limited; /* by the moment that loop_run was given */
};

struct loop_later {
	struct loop *loop;
	struct loop_later *next;
	uint64_t turn; /* in which it was called for */
	bool queued;
	loop_fn *fn;
	void *arg;
};

static void wiped_free(void *p)
{
	if (p != NULL)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

/* As realloc, but nothing of the old place stays behind. */
static void *wiped_realloc(void *p, size_t size)
{
	size_t had = p != NULL ? malloc_usable_size(p) : 0;
	void *to = malloc(size);

	if (to == NULL || p == NULL)
		return to;
	memcpy(to, p, had < size ? had : size);
	wiped_free(p);
	return to;
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	((struct loop *)arg)->limited = true;
}

struct loop *loop_new(void)
{
	struct loop *l;

	event_set_mem_functions(malloc, wiped_realloc, wiped_free);
	signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of its connection */
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->soon_end = &l->soon;
	l->base = event_base_new();
	l->limit = l->base != NULL ? evtimer_new(l->base, on_limit, l) : NULL;
	if (l->limit == NULL) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < 2; i++)
		if (l->signals[i] != NULL)
			event_free(l->signals[i]);
	if (l->limit != NULL)
		event_free(l->limit);
	if (l->names != NULL)
		evdns_base_free(l->names, 0);
	if (l->base != NULL)
		event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

struct evdns_base *loop_names(struct loop *l)
{
	if (l->names == NULL && (l->names = evdns_base_new(l->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE)) != NULL) {
		/* Without name servers the hosts file still answers. */
		evdns_base_resolv_conf_parse(l->names, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	}
	return l->names;
}

nsec_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

struct timeval loop_span(nsec_t span)
{
	if (span < 0)
		span = 0;
	return (struct timeval){ .tv_sec = span / NSEC_PER_SEC, .tv_usec = span % NSEC_PER_SEC / 1000 };
}

/* Those that are called for meanwhile have their turn after the next round of what is ready. */
static void run_soon(struct loop *l)
{
	uint64_t turn = l->turn++;

	while (!l->stopped && l->soon != NULL && l->soon->turn <= turn) {
		struct loop_later *a = l->soon;

		l->soon = a->next;
		if (l->soon == NULL)
			l->soon_end = &l->soon;
		a->queued = false;
		a->fn(a->arg); /* which may free any of them */
	}
}

/* No priorities of libevent: a lower one starves for as long as anything above it stays ready. False: nothing is left to wait for. */
static bool turn(struct loop *l)
{
	bool idle = event_base_loop(l->base, l->soon != NULL ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE) != 0;

	idle = idle && l->soon == NULL;
	if (!l->stopped)
		run_soon(l);
	return !idle;
}

bool loop_run(struct loop *l, nsec_t until)
{
	l->stopped = false;
	l->limited = false;
	if (until != NSEC_NONE) {
		const struct timeval span = loop_span(until - loop_now());

		evtimer_add(l->limit, &span);
	}
	while (turn(l) && !l->stopped && !l->limited)
		;
	evtimer_del(l->limit);
	return l->stopped;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
	event_base_loopbreak(l->base);
}

struct loop_later *loop_later_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct loop_later *a = calloc(1, sizeof(*a));

	if (a != NULL)
		*a = (struct loop_later){ .loop = l, .fn = fn, .arg = arg };
	return a;
}

void loop_later_soon(struct loop_later *a)
{
	if (a->queued)
		return;
	a->queued = true;
	a->turn = a->loop->turn;
	a->next = NULL;
	*a->loop->soon_end = a;
	a->loop->soon_end = &a->next;
}

static void unqueue(struct loop_later *a)
{
	struct loop_later **at = &a->loop->soon;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	if (a->next == NULL)
		a->loop->soon_end = at;
	a->queued = false;
}

void loop_later_free(struct loop_later *a)
{
	if (a == NULL)
		return;
	if (a->queued)
		unqueue(a);
	free(a);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	loop_stop(arg);
}

int loop_stop_on_signal(struct loop *l, struct err *err)
{
	static const int stops[2] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		l->signals[i] = evsignal_new(l->base, stops[i], on_signal, l);
		if (l->signals[i] == NULL || event_add(l->signals[i], NULL) < 0)
			return err_set(err, "no room for the handler of signal %d", stops[i]);
	}
	return 0;
}
