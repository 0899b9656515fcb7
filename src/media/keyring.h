/*
 * keyring: the keys of one call, and in which order they are worth a try on a packet. Signalling only orders them:
 * which one opens is proven by the tag.
 */
#ifndef OTWAY_MEDIA_KEYRING_H
#define OTWAY_MEDIA_KEYRING_H

#include "otway/model/step.h"
#include "unseal.h"

#define KEYRING_MAX 64 /* keys of one call; beyond, the oldest that opened nothing goes */

struct ring_key {
	struct key_given given;
	struct srtp_key print; /* of its key: made once, told with every packet that it opens */
	uint32_t turn;        /* when it came, or came again: higher is newer */
	bool spare;           /* made up: a key with an MKI as one without, for senders that leave it out */
	bool opened;          /* it opened something: never goes before the call does */
	struct unseal *probe; /* made ready and bound to no stream yet, or NULL */
};

struct keyring {
	struct ring_key *keys[KEYRING_MAX];
	size_t count;
	uint32_t turn; /* of the newest */
	uint32_t age;  /* rises with each key that says something new */
};

/* What a key is wanted for. */
struct key_sought {
	struct flow flow;
	bool rtcp;
	uint32_t ssrc;
	enum toward toward;
	const uint32_t *lines; /* the m-lines of the place */
	size_t line_count;
};

void keyring_clear(struct keyring *r); /* wipes */

/* Adds a key, or freshens the one that is there. `age` rises only when it, or something of it, is new. */
void keyring_add(struct keyring *r, const struct key_given *given);

/* The keys that may open it, those worth most first. Returns how many. */
size_t keyring_order(const struct keyring *r, const struct key_sought *wanted, struct ring_key *out[KEYRING_MAX]);

/* True when a key was signalled (or given for this very stream) that should have opened it. */
bool keyring_expects(const struct keyring *r, const struct key_sought *wanted);

/* The longest MKI among them, in octets. */
size_t keyring_mki(const struct keyring *r);

#endif
