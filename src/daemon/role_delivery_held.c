/* role_delivery_held: packets that waited for keys, on their way back. */
#include <stdlib.h>
#include <string.h>

#include "otway/base/log.h"
#include "role_delivery.h"

enum {
	BACK_WAITING = 1 << 20, /* octets on their way back to one intercept, at most */
	BACK_TURN = 512,        /* packets handed back in one turn of the loop */
	WANTED = 4096           /* calls whose packets one intercept may want at a time; more become "of every call" */
};

static bool want(struct wanted *w, uint32_t call)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->calls[i] == call || w->calls[i] == UINT32_MAX)
			return true;
	if (w->count == w->cap) {
		uint32_t *grown = realloc(w->calls, (w->cap * 2 + 16) * sizeof(*grown));

		if (grown == NULL)
			return false;
		w->calls = grown;
		w->cap = w->cap * 2 + 16;
	}
	w->calls[w->count] = w->count < WANTED ? call : UINT32_MAX;
	w->count++;
	return true;
}

void held_wanted(void *role, uint32_t index, struct bytes body)
{
	struct delivery *d = role;
	uint32_t call;

	if (!msg_get_call(body, &call) || index >= ROLE_PEERS) {
		d->broken++;
		return;
	}
	if (!want(&d->wanted[index], call))
		log_error("out of memory: packets that were held back are not handed on");
	loop_later_soon(d->back);
}

static bool send_back(struct delivery *d, uint32_t index, enum msg_type type, bool ok)
{
	ok = ok && crew_send(d->crew, ROLE_INTERCEPT, index, type, buf_bytes(&d->octets));
	buf_reset(&d->octets);
	return ok;
}

/* Packets of the first call that is wanted, as far as the other side takes them in. False: no more for now. */
static bool hand_back(struct delivery *d, uint32_t index, struct wanted *w)
{
	const struct port *port = crew_port(d->crew, ROLE_INTERCEPT, index);
	struct msg_held h;
	unsigned given = 0;

	while (port_waiting(port) < BACK_WAITING && given++ < BACK_TURN) {
		if (cases_held_back(d->cases, index, w->calls[0], &h.call, &h.datagram)) {
			d->lost_back += !send_back(d, index, MSG_HELD_BACK, msg_put_held(&d->octets, &h));
			continue;
		}
		if (!send_back(d, index, MSG_HELD_END, msg_put_call(&d->octets, w->calls[0])))
			return false;
		memmove(w->calls, w->calls + 1, --w->count * sizeof(*w->calls));
		return w->count > 0;
	}
	return port_waiting(port) < BACK_WAITING;
}

void held_go_on(void *role)
{
	struct delivery *d = role;
	bool more = false;

	for (uint32_t i = 0; i < ROLE_PEERS; i++)
		if (d->wanted[i].count > 0 && crew_port(d->crew, ROLE_INTERCEPT, i) != NULL)
			more = hand_back(d, i, &d->wanted[i]) || more;
	if (more)
		loop_later_soon(d->back); /* else the beat goes on with it */
}

void held_clear(struct delivery *d)
{
	for (size_t i = 0; i < ROLE_PEERS; i++)
		free(d->wanted[i].calls);
}
