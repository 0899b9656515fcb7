/*
 * intercept_leave: what is left with keys for the intercept that follows, sealed under a key that only intercepts have: the messages that
 * made what is known of calls under warrant, and the states of streams. Numbers tell the two apart: notes are even.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

#define STATE_EMPTY 8                 /* octets of the state of a call that has no streams any more */
#define AT_ONCE     ((size_t)2 << 20) /* octets that wait for keys, when all is left again */

struct left {
	uint64_t number;
	size_t len;       /* 0: keys is to forget it */
	bool unsent;      /* there was no room for it */
	uint8_t octets[]; /* sealed */
};

static struct bytes key_of(const uint64_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

void leave_keep(struct intercept *it, const struct msg_checkpoint *c)
{
	struct left *l = malloc(sizeof(*l) + c->sealed.len);

	free(table_take(it->left, key_of(&c->number)));
	if (l == NULL)
		return;
	l->number = c->number;
	l->len = c->sealed.len;
	l->unsent = false;
	if (l->len > 0)
		memcpy(l->octets, c->sealed.at, c->sealed.len);
	if (!table_put(it->left, key_of(&c->number), l))
		free(l);
}

static bool send_left(struct intercept *it, const struct left *l)
{
	const struct msg_checkpoint c = { l->number, { l->octets, l->len } };

	msg_put_checkpoint(&it->octets, &c);
	return send_to(it, ROLE_KEYS, 0, l->len > 0 ? MSG_CHECKPOINT : MSG_CHECKPOINT_DROP);
}

/* Now, or when there is room: until then what is to be forgotten is kept as nothing. */
static void tell(struct intercept *it, uint64_t number)
{
	struct left *l = table_get(it->left, key_of(&number));

	if (l == NULL)
		return; /* out of memory: who follows will know less */
	l->unsent = !send_left(it, l);
	it->left_unsent |= l->unsent;
	if (l->len == 0 && !l->unsent)
		free(table_take(it->left, key_of(&number)));
}

/* Seals it->octets, and sends it as the checkpoint of that number. */
static void leave(struct intercept *it, uint64_t number)
{
	struct bytes plain = buf_bytes(&it->octets);
	uint8_t *sealed = malloc(seal_size(plain.len));
	struct msg_checkpoint c = { number, { sealed, seal_size(plain.len) } };

	if (sealed != NULL && !it->octets.failed && seal_close(it, number, plain, sealed)) {
		secret_wipe(it->octets.at, it->octets.len);
		buf_reset(&it->octets);
		leave_keep(it, &c);
		tell(it, number);
	}
	buf_reset(&it->octets);
	free(sealed);
}

static void forget(struct intercept *it, uint64_t number)
{
	leave_keep(it, &(struct msg_checkpoint){ number, { NULL, 0 } });
	tell(it, number);
}

void leave_note(struct intercept *it, const struct back_note *n)
{
	uint8_t head[NOTE_HEAD];

	put_be32(head, (uint32_t)(n->number >> 32));
	put_be32(head + 4, (uint32_t)n->number);
	put_be32(head + 8, n->call);
	head[12] = (uint8_t)(n->claimed | n->before << 1);
	buf_add(&it->octets, head, sizeof(head));
	msg_put_datagram(&it->octets, n->datagram);
	leave(it, n->number << 1);
}

void leave_forget(struct intercept *it, uint64_t number)
{
	forget(it, number << 1);
}

/* The state of the streams of one call each, which begins with its number; nothing behind that, and there is none any more. */
void leave_states(struct intercept *it)
{
	while (front_state(it->front, &it->octets) && it->octets.len >= 4) {
		uint64_t number = (uint64_t)be32(it->octets.at) << 1 | 1;

		if (it->octets.len > STATE_EMPTY) {
			leave(it, number);
			continue;
		}
		buf_reset(&it->octets);
		forget(it, number);
	}
	buf_reset(&it->octets);
}

bool leave_begin(struct intercept *it)
{
	it->left = table_new();
	return it->left != NULL && seal_begin(it);
}

void leave_end(struct intercept *it)
{
	struct left *l;
	size_t step = 0;

	while (it->left != NULL && (l = table_next(it->left, &step, NULL)) != NULL)
		free(l);
	table_free(it->left);
}

void leave_again(struct intercept *it)
{
	struct left *l;
	size_t step = 0;

	while ((l = table_next(it->left, &step, NULL)) != NULL)
		l->unsent = true;
	it->left_unsent = true;
	it->whole_told = false;
	leave_unsent(it);
}

/* Keys that are wanted need room beside it. */
static bool has_room(const struct intercept *it)
{
	const struct port *to = crew_port(it->crew, ROLE_KEYS, 0);

	return to != NULL && port_waiting(to) < AT_ONCE;
}

/* So that who follows knows whether it knows all: keys may have died too, and have only a part. */
static void tell_whole(struct intercept *it)
{
	static const uint8_t all = 1;
	uint8_t sealed[64];
	const struct msg_checkpoint c = { MSG_CHECKPOINT_WHOLE, { sealed, seal_size(sizeof(all)) } };

	if (it->whole_told || it->resuming || !seal_close(it, c.number, (struct bytes){ &all, sizeof(all) }, sealed))
		return;
	msg_put_checkpoint(&it->octets, &c);
	it->whole_told = send_to(it, ROLE_KEYS, 0, MSG_CHECKPOINT);
}

void leave_unsent(struct intercept *it)
{
	struct left *l;
	size_t step = 0;
	bool sent = true;

	if (!it->left_unsent) {
		tell_whole(it);
		return;
	}
	while (sent && (l = table_next(it->left, &step, NULL)) != NULL)
		if (l->unsent) {
			sent = has_room(it) && send_left(it, l);
			l->unsent = !sent;
		}
	it->left_unsent = !sent;
	for (step = 0; sent && (l = table_next(it->left, &step, NULL)) != NULL;)
		if (l->len == 0)
			free(table_take(it->left, key_of(&l->number)));
}
