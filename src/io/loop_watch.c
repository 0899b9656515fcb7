/* loop_watch: what a loop waits for: descriptors, moments, signals. */
#include "io.h"

#include <event2/event.h>
#include <stdlib.h>

/* All three are an event of libevent and whom to call. */
struct loop_watch {
	struct event *event;
	loop_fn *fn;
	void *arg;
	bool paused;
};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;

	(void)fd;
	(void)what;
	w->fn(w->arg);
}

struct loop_watch *loop_watch_new(struct loop *l, int fd, enum loop_what what, loop_fn *fn, void *arg)
{
	struct loop_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	*w = (struct loop_watch){ .fn = fn, .arg = arg };
	w->event = event_new(
		loop_base(l), fd, (short)((what == LOOP_WRITE ? EV_WRITE : EV_READ) | EV_PERSIST), on_ready, w);
	if (w->event == NULL || event_add(w->event, NULL) < 0) {
		loop_watch_free(w);
		return NULL;
	}
	return w;
}

void loop_watch_pause(struct loop_watch *w, bool paused)
{
	if (paused == w->paused)
		return;
	w->paused = paused;
	if (paused)
		event_del(w->event);
	else
		event_add(w->event, NULL);
}

void loop_watch_free(struct loop_watch *w)
{
	if (w == NULL)
		return;
	if (w->event != NULL)
		event_free(w->event);
	free(w);
}

struct loop_timer {
	struct event *event;
	loop_fn *fn;
	void *arg;
	nsec_t at;
};

static void wait_for(struct loop_timer *t)
{
	nsec_t now = loop_now();
	const struct timeval span = loop_span(t->at > now ? t->at - now : 0);

	event_add(t->event, &span);
}

/* libevent's clock is coarser than loop_now, and of the loop's turn: it may be early, never we. */
static void on_moment(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	if (t->at > loop_now()) {
		wait_for(t);
		return;
	}
	t->at = NSEC_NONE;
	t->fn(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	*t = (struct loop_timer){ .fn = fn, .arg = arg, .at = NSEC_NONE };
	t->event = evtimer_new(loop_base(l), on_moment, t);
	if (t->event == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void loop_timer_at(struct loop_timer *t, nsec_t at)
{
	t->at = at;
	if (at == NSEC_NONE)
		event_del(t->event);
	else
		wait_for(t);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_free(t->event);
	free(t);
}

struct loop_signal {
	struct loop_watch watch;
};

struct loop_signal *loop_signal_new(struct loop *l, int number, loop_fn *fn, void *arg)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->watch = (struct loop_watch){ .fn = fn, .arg = arg };
	s->watch.event = evsignal_new(loop_base(l), number, on_ready, &s->watch);
	if (s->watch.event == NULL || event_add(s->watch.event, NULL) < 0) {
		loop_signal_free(s);
		return NULL;
	}
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (s == NULL)
		return;
	if (s->watch.event != NULL)
		event_free(s->watch.event);
	free(s);
}
