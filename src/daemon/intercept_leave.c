/*
 * intercept_leave: what is left with keys for the intercept that follows, sealed under a key that only intercepts have: the messages that
 * made what is known of calls under warrant, and the states of streams. Numbers tell the two apart: notes are even.
 */
#include "intercept.h"

#include <stdlib.h>

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/base/table.h"

#define STATE_EMPTY 8 /* octets of the state of a call that has no streams any more */

struct left {
	uint64_t number;
	size_t len;
	uint8_t octets[]; /* sealed */
};

/* The nonce is never used again: 4 octets drawn by each process, 8 counted in it. */
static void nonce_make(struct intercept *it, uint8_t out[CRYPTO_NONCE_LEN])
{
	memcpy(out, it->salt, sizeof(it->salt));
	put_be32(out + 4, (uint32_t)(it->sealed >> 32));
	put_be32(out + 8, (uint32_t)it->sealed);
	it->sealed++;
}

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
	memcpy(l->octets, c->sealed.at, c->sealed.len);
	if (!table_put(it->left, key_of(&c->number), l))
		free(l);
}

/* Seals it->octets, and sends it as the checkpoint of that number. */
static void leave(struct intercept *it, uint64_t number)
{
	const struct bytes key = { it->start->seal, ROLE_SEAL };
	struct bytes plain = buf_bytes(&it->octets);
	uint8_t *sealed = malloc(CRYPTO_NONCE_LEN + plain.len + CRYPTO_TAG_LEN), aad[8];
	struct msg_checkpoint c = { number, { sealed, CRYPTO_NONCE_LEN + plain.len + CRYPTO_TAG_LEN } };

	put_be32(aad, (uint32_t)(number >> 32));
	put_be32(aad + 4, (uint32_t)number);
	if (sealed != NULL && !it->octets.failed) {
		nonce_make(it, sealed);
		if (crypto_gcm_seal(key, sealed, (struct bytes){ aad, 8 }, plain, sealed + CRYPTO_NONCE_LEN)) {
			secret_wipe(it->octets.at, it->octets.len);
			buf_reset(&it->octets);
			leave_keep(it, &c);
			msg_put_checkpoint(&it->octets, &c);
			send_to(it, ROLE_KEYS, 0, MSG_CHECKPOINT);
		}
	}
	buf_reset(&it->octets);
	free(sealed);
}

static void forget(struct intercept *it, uint64_t number)
{
	const struct msg_checkpoint c = { number, { NULL, 0 } };

	free(table_take(it->left, key_of(&number)));
	msg_put_checkpoint(&it->octets, &c);
	send_to(it, ROLE_KEYS, 0, MSG_CHECKPOINT_DROP);
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
	return it->left != NULL && crypto_random(it->salt, sizeof(it->salt));
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

	while ((l = table_next(it->left, &step, NULL)) != NULL) {
		const struct msg_checkpoint c = { l->number, { l->octets, l->len } };

		msg_put_checkpoint(&it->octets, &c);
		send_to(it, ROLE_KEYS, 0, MSG_CHECKPOINT);
	}
}
