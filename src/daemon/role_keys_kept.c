/*
 * role_keys_kept: what intercepts leave for those that follow them: octets that nobody here can read, by number, given back in the order of
 * numbers. Bounded all together, and each intercept has a part of that for itself: what finds no room there is not kept, and there is an alarm.
 */
#include "role_keys.h"

#include <stdio.h>
#include <stdlib.h>

#define BESIDE ((size_t)128)             /* octets that one takes beside its own: its place in tables */
#define AGAIN  (2 * NSEC_PER_SEC / 1000) /* until more is sent to one that had no room */

struct checkpoint {
	size_t len;
	uint8_t octets[]; /* of its MSG_RESUMED */
};

/* Numbers lie in tables as they are written, so that their octets are in order too. */
static struct bytes number_key(uint8_t out[8], uint64_t number)
{
	put_be32(out, (uint32_t)(number >> 32));
	put_be32(out + 4, (uint32_t)number);
	return (struct bytes){ out, 8 };
}

static void item_free(struct checkpoint_place *p, struct checkpoint *item)
{
	if (item == NULL)
		return;
	p->octets -= item->len + BESIDE;
	free(item);
}

/* The first one, which has the messages of all calls beside the states of its streams, may leave as much as all others together. */
static size_t part_of(uint32_t index, uint32_t intercepts)
{
	if (intercepts < 2)
		return KEPT_OCTETS;
	return index == 0 ? KEPT_OCTETS / 2 : KEPT_OCTETS / 2 / (intercepts - 1);
}

/* Room again for a tenth: not on and off with each one. */
static void tell(struct checkpoints *k, uint32_t index, bool full)
{
	struct checkpoint_place *p = &k->places[index];
	char of[GAP_WHERE];

	if (full == p->full || (!full && p->octets > p->max / 10 * 9))
		return;
	p->full = full;
	snprintf(of, sizeof(of), "intercept %u", (unsigned int)index);
	crew_alarm(k->role->crew, ALARM_ROOM, full, of,
		"it leaves more than %zu MiB of checkpoints: some of its calls would be lost if it were started anew",
		p->max >> 20);
}

void checkpoints_put(struct checkpoints *k, uint32_t index, struct bytes body)
{
	struct checkpoint_place *p = index < ROLE_PEERS ? &k->places[index] : NULL;
	struct msg_checkpoint c;
	struct checkpoint *item, *had;
	uint8_t key[8];

	if (p == NULL || p->items == NULL || !msg_get_checkpoint(body, &c))
		return;
	had = table_get(p->items, number_key(key, c.number));
	item = p->octets + body.len + BESIDE - (had != NULL ? had->len + BESIDE : 0) <= p->max
		       ? malloc(sizeof(*item) + body.len)
		       : NULL;
	if (item == NULL || !table_put(p->items, number_key(key, c.number), item)) {
		free(item);
		item_free(p, table_take(p->items, number_key(key, MSG_CHECKPOINT_WHOLE)));
		k->refused++;
		tell(k, index, true);
		return;
	}
	item->len = body.len;
	memcpy(item->octets, body.at, body.len);
	p->octets += body.len + BESIDE;
	item_free(p, had);
}

void checkpoints_drop(struct checkpoints *k, uint32_t index, struct bytes body)
{
	struct checkpoint_place *p = index < ROLE_PEERS ? &k->places[index] : NULL;
	struct msg_checkpoint c;
	uint8_t key[8];

	if (p == NULL || p->items == NULL || !msg_get_checkpoint(body, &c))
		return;
	item_free(p, table_take(p->items, number_key(key, c.number)));
	tell(k, index, false);
}

void checkpoints_stop(struct checkpoints *k, uint32_t index)
{
	struct checkpoint_place *p = &k->places[index < ROLE_PEERS ? index : 0];

	if (index >= ROLE_PEERS)
		return;
	free(p->sending);
	p->sending = NULL;
	p->count = p->at = 0;
	buf_clear(&p->token);
}

/* True: all is sent. */
static bool send_some(struct checkpoints *k, uint32_t index)
{
	struct checkpoint_place *p = &k->places[index];
	struct crew *crew = k->role->crew;
	uint8_t key[8];

	for (; p->at < p->count; p->at++) {
		const struct checkpoint *item = table_get(p->items, number_key(key, p->sending[p->at]));

		if (item != NULL &&
			!crew_send(crew, ROLE_INTERCEPT, index, MSG_RESUMED, (struct bytes){ item->octets, item->len }))
			return false;
	}
	if (!crew_send(crew, ROLE_INTERCEPT, index, MSG_RESUME_END, buf_bytes(&p->token)))
		return false;
	checkpoints_stop(k, index);
	return true;
}

static void send_all(void *arg)
{
	struct checkpoints *k = arg;
	bool room = true;

	for (uint32_t i = 0; i < ROLE_PEERS; i++)
		if (k->places[i].sending != NULL)
			room &= send_some(k, i);
	loop_timer_at(k->timer, room ? NSEC_NONE : loop_now() + AGAIN);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void checkpoints_resume(struct checkpoints *k, uint32_t index, struct bytes token)
{
	struct checkpoint_place *p = index < ROLE_PEERS ? &k->places[index] : NULL;
	size_t step = 0;
	struct bytes key;

	if (p == NULL || p->items == NULL)
		return;
	checkpoints_stop(k, index);
	p->sending = malloc((table_size(p->items) + 1) * sizeof(*p->sending));
	if (p->sending == NULL)
		return; /* it goes on without: it waits for no end */
	while (table_next(p->items, &step, &key) != NULL)
		p->sending[p->count++] = be64(key.at);
	qsort(p->sending, p->count, sizeof(*p->sending), by_number);
	if (token.len > 0) {
		buf_add(&p->token, token.at, token.len);
		crew_send(k->role->crew, ROLE_INTERCEPT, index, MSG_RESUME, token);
	}
	send_all(k);
}

size_t checkpoints_octets(const struct checkpoints *k, size_t *items)
{
	size_t octets = 0;

	*items = 0;
	for (uint32_t i = 0; i < ROLE_PEERS && k->places[i].items != NULL; i++) {
		octets += k->places[i].octets;
		*items += table_size(k->places[i].items);
	}
	return octets;
}

bool checkpoints_init(struct checkpoints *k, struct key_role *r)
{
	*k = (struct checkpoints){ .role = r };
	for (uint32_t i = 0; i < ROLE_PEERS && i < r->start->intercepts; i++) {
		k->places[i].max = part_of(i, r->start->intercepts);
		if ((k->places[i].items = table_new()) == NULL)
			return false;
	}
	k->timer = loop_timer_new(crew_loop(r->crew), send_all, k);
	return k->timer != NULL;
}

void checkpoints_clear(struct checkpoints *k)
{
	for (uint32_t i = 0; i < ROLE_PEERS; i++) {
		struct checkpoint_place *p = &k->places[i];
		struct checkpoint *item;
		size_t step = 0;

		while (p->items != NULL && (item = table_next(p->items, &step, NULL)) != NULL)
			item_free(p, item);
		table_free(p->items);
		checkpoints_stop(k, i);
	}
	loop_timer_free(k->timer);
	*k = (struct checkpoints){ 0 };
}
