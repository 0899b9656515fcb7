/*
 * loop: the event loop. Memory that libevent gives back is wiped, since keys and identities go through its buffers.
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
	bool stopped; /* by loop_stop */
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
	event_base_loopbreak(((struct loop *)arg)->base);
}

struct loop *loop_new(void)
{
	struct loop *l;

	event_set_mem_functions(malloc, wiped_realloc, wiped_free);
	signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of its connection */
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
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

bool loop_run(struct loop *l, nsec_t until)
{
	l->stopped = false;
	if (until != NSEC_NONE) {
		const struct timeval span = loop_span(until - loop_now());

		evtimer_add(l->limit, &span);
	}
	event_base_loop(l->base, 0);
	evtimer_del(l->limit);
	return l->stopped;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
	event_base_loopbreak(l->base);
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
