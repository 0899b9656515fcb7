/* keys_peer: how much goes to one KMS: so many exchanges at once, and none but a probe while it fails. */
#include <stdlib.h>

#include "keys_parts.h"

#define UNDER_WAY_MAX 128 /* 1,000 calls a second, begun and ended, of a KMS that answers in 50 ms take 100 */
#define FAILURES_MAX  5
#define OPEN_FOR      (5 * NSEC_PER_SEC)

struct keys_peer *keys_peer_of(struct keys *k, uint32_t agreement)
{
	struct keys_peer **grown, *p;

	for (size_t i = 0; i < k->peer_count; i++)
		if (k->peers[i]->agreement == agreement)
			return k->peers[i];
	grown = realloc(k->peers, (k->peer_count + 1) * sizeof(struct keys_peer *));
	if (grown == NULL)
		return NULL;
	k->peers = grown;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->agreement = agreement;
	keys_link_init(&p->queue);
	keys_link_init(&p->ends);
	k->peers[k->peer_count++] = p;
	return p;
}

static bool open_circuit(const struct keys_peer *p)
{
	return p->failures >= FAILURES_MAX;
}

bool keys_peer_free(const struct keys_peer *p, nsec_t now)
{
	if (open_circuit(p))
		return p->under_way == 0 && now >= p->open_until;
	return p->under_way < UNDER_WAY_MAX;
}

bool keys_peer_failed(struct keys_peer *p, nsec_t now)
{
	p->failures++;
	if (open_circuit(p))
		p->open_until = now + OPEN_FOR;
	return p->failures == FAILURES_MAX;
}

bool keys_peer_waits(const struct keys_peer *p)
{
	return !keys_link_alone(&p->queue) || !keys_link_alone(&p->ends);
}

nsec_t keys_peer_due(const struct keys_peer *p)
{
	return open_circuit(p) && p->under_way == 0 && keys_peer_waits(p) ? p->open_until : NSEC_NONE;
}

/* ± 25 %; xorshift, Marsaglia 2003. */
nsec_t keys_peer_jitter(struct keys *k, nsec_t delay)
{
	k->random ^= k->random << 13;
	k->random ^= k->random >> 7;
	k->random ^= k->random << 17;
	return delay - delay / 4 + (nsec_t)(k->random % (uint64_t)(delay / 2 + 1));
}
