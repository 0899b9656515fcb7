/*
 * guests: the connections of a server. They are bounded in number, and none may keep a place by saying little or nothing: whoever
 * is in has so long for its handshake, and so long from one whole request to the next.
 */
#include "io.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>

#define MOST      512 /* below the 1,024 files that a process may open by default */
#define HANDSHAKE (10 * NSEC_PER_SEC)
#define SILENCE   (90 * NSEC_PER_SEC)
#define LOOK      1 /* s */

struct guest {
	struct tls_watch watch; /* of its connection */
	struct guest *prev, *next;
	struct guests *of; /* NULL: the server is gone */
	struct bufferevent *connection;
	nsec_t since; /* it came in, or was last answered */
};

struct guests {
	struct guest *all;
	struct evconnlistener *door;
	struct event *look;
	struct guest_limits limits;
	unsigned count;
};

static void leave(struct guest *g)
{
	struct guests *all = g->of;

	if (g->prev != NULL)
		g->prev->next = g->next;
	else
		all->all = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	g->of = NULL;
	all->count--;
	if (all->door != NULL && all->count < all->limits.most)
		evconnlistener_enable(all->door);
}

/* Its connection is freed. */
static void on_gone(struct tls_watch *w)
{
	struct guest *g = (struct guest *)w;

	if (g->of != NULL)
		leave(g);
	free(g);
}

/* Who has had its time is hung up on; that its connection ended, the server hears as of any other. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct guests *all = arg;
	nsec_t now = loop_now();

	(void)fd;
	(void)what;
	for (struct guest *g = all->all; g != NULL; g = g->next) {
		nsec_t limit = tls_is_ready(g->connection) ? all->limits.silence : all->limits.handshake;

		if (now - g->since > limit)
			shutdown(bufferevent_getfd(g->connection), SHUT_RDWR);
	}
}

struct guests *guests_new(struct loop *l)
{
	const struct timeval span = { .tv_sec = LOOK };
	struct guests *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->limits = (struct guest_limits){ MOST, HANDSHAKE, SILENCE };
	all->look = event_new(loop_base(l), -1, EV_PERSIST, on_look, all);
	if (all->look == NULL || event_add(all->look, &span) < 0) {
		guests_free(all);
		return NULL;
	}
	return all;
}

void guests_free(struct guests *all)
{
	if (all == NULL)
		return;
	all->door = NULL;
	while (all->all != NULL)
		leave(all->all);
	if (all->look != NULL)
		event_free(all->look);
	free(all);
}

void guests_door(struct guests *all, struct evconnlistener *door)
{
	all->door = door;
}

void guests_limit(struct guests *all, const struct guest_limits *limits)
{
	all->limits = *limits;
}

bool guests_take(struct guests *all, struct tls *t, struct bufferevent *b)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return false;
	*g = (struct guest){ { on_gone }, NULL, all->all, all, b, loop_now() };
	if (!tls_watch(t, b, &g->watch)) {
		free(g);
		return false;
	}
	if (all->all != NULL)
		all->all->prev = g;
	all->all = g;
	if (++all->count >= all->limits.most && all->door != NULL)
		evconnlistener_disable(all->door);
	return true;
}

void guests_answered(struct tls *t, struct bufferevent *b)
{
	struct guest *g = (struct guest *)tls_watched(t, b);

	if (g != NULL)
		g->since = loop_now();
}
