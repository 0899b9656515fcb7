/* keyring: the keys of one call, ordered by what signalling says of them. */
#include "keyring.h"

#include <stdlib.h>

#include "otway/base/secret.h"

static void drop(struct ring_key *k)
{
	unseal_free(k->probe);
	secret_free(k, sizeof(*k));
}

void keyring_clear(struct keyring *r)
{
	for (size_t i = 0; i < r->count; i++)
		drop(r->keys[i]);
	r->count = 0;
}

/* The same key in the same part: everything said of it but the suite's own. */
static bool same(const struct key_given *a, const struct key_given *b)
{
	return srtp_key_same(&a->key, &b->key) && a->key.mki_len == b->key.mki_len &&
	       memcmp(a->key.mki, b->key.mki, a->key.mki_len) == 0 && a->key.source == b->key.source &&
	       a->key.unencrypted_srtp == b->key.unencrypted_srtp &&
	       a->key.unencrypted_srtcp == b->key.unencrypted_srtcp &&
	       a->key.unauthenticated_srtp == b->key.unauthenticated_srtp && a->line == b->line &&
	       a->toward == b->toward && addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) &&
	       a->ssrc_set == b->ssrc_set && a->ssrc == b->ssrc;
}

/* Makes room by the oldest key that opened nothing. */
static bool make_room(struct keyring *r)
{
	size_t oldest = KEYRING_MAX;

	for (size_t i = 0; i < r->count; i++)
		if (!r->keys[i]->opened && (oldest == KEYRING_MAX || r->keys[i]->turn < r->keys[oldest]->turn))
			oldest = i;
	if (oldest == KEYRING_MAX)
		return false;
	drop(r->keys[oldest]);
	r->keys[oldest] = r->keys[--r->count];
	return true;
}

/* It is said again. True: something of it is new. */
static bool freshen(struct ring_key *k, const struct key_given *given, bool spare)
{
	bool moved = given->sender.family != 0 && !addr_equal(&k->given.sender, &given->sender);
	bool news = moved || (given->chosen && !k->given.chosen) || (k->spare && !spare);

	k->given.chosen |= given->chosen;
	if (moved)
		k->given.sender = given->sender;
	k->spare &= spare;
	return news;
}

static void add(struct keyring *r, const struct key_given *given, bool spare)
{
	struct ring_key *k;

	for (size_t i = 0; i < r->count; i++)
		if (same(&r->keys[i]->given, given)) {
			r->keys[i]->turn = ++r->turn;
			r->age += freshen(r->keys[i], given, spare);
			srtp_key_print(&r->keys[i]->given.key, &r->keys[i]->print);
			return;
		}
	if (r->count == KEYRING_MAX && !make_room(r))
		return;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return;
	k->given = *given;
	srtp_key_print(&k->given.key, &k->print);
	k->spare = spare;
	k->turn = ++r->turn;
	r->age++;
	r->keys[r->count++] = k;
}

void keyring_add(struct keyring *r, const struct key_given *given)
{
	struct key_given bare;

	if (given->key.suite <= SUITE_UNSUPPORTED || given->key.suite >= SUITES || given->key.mki_len > MKI_MAX)
		return;
	if (given->key.mki_len > 0 && unseal_proves(&given->key)) {
		bare = *given;
		bare.key.mki_len = 0;
		memset(bare.key.mki, 0, sizeof(bare.key.mki));
		add(r, &bare, true);
		secret_wipe(&bare, sizeof(bare));
	}
	add(r, given, false);
}

/* RTCP goes from and to the port above that of RTP (RFC 3550 11), if not to the same one. */
static bool within(const struct addr *wanted, const struct addr *is, bool rtcp)
{
	if (wanted->family == 0)
		return true;
	return addr_same_host(wanted, is) &&
	       (wanted->port == 0 || wanted->port == is->port || (rtcp && wanted->port + 1 == is->port));
}

/* What --keys says of where a key belongs. */
static bool allowed(const struct key_given *g, const struct key_sought *w)
{
	return within(&g->src, &w->flow.src, w->rtcp) && within(&g->dst, &w->flow.dst, w->rtcp) &&
	       (!g->ssrc_set || g->ssrc == w->ssrc);
}

static bool on_line(const struct key_given *g, const struct key_sought *w)
{
	for (size_t i = 0; i < w->line_count; i++)
		if (g->line == w->lines[i])
			return true;
	return g->line == UINT32_MAX;
}

static bool right_way(const struct key_given *g, const struct key_sought *w)
{
	return g->toward == w->toward || g->toward == TOWARD_UNKNOWN || w->toward == TOWARD_UNKNOWN;
}

/* Worth, as digits of falling weight: out of signalling, line, direction, sender, agreed on; the age decides. */
static uint32_t worth(const struct key_given *g, const struct key_sought *w)
{
	bool constrained = g->ssrc_set || g->src.family != 0 || g->dst.family != 0;

	return (uint32_t)(g->key.source != KEY_FILE || constrained) << 5 | (uint32_t)on_line(g, w) << 4 |
	       (uint32_t)right_way(g, w) << 3 | (uint32_t)addr_equal(&g->sender, &w->flow.src) << 2 |
	       (uint32_t)addr_same_host(&g->sender, &w->flow.src) << 1 | (uint32_t)g->chosen;
}

static bool before(const struct ring_key *a, uint32_t worth_a, const struct ring_key *b, uint32_t worth_b)
{
	return worth_a != worth_b ? worth_a > worth_b : a->turn > b->turn;
}

size_t keyring_order(const struct keyring *r, const struct key_sought *w, struct ring_key *out[KEYRING_MAX])
{
	uint32_t worths[KEYRING_MAX];
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		uint32_t v = worth(&r->keys[i]->given, w) | (uint32_t)!r->keys[i]->spare << 6;
		size_t at = count;

		if (!allowed(&r->keys[i]->given, w))
			continue;
		for (; at > 0 && before(r->keys[i], v, out[at - 1], worths[at - 1]); at--) {
			out[at] = out[at - 1];
			worths[at] = worths[at - 1];
		}
		out[at] = r->keys[i];
		worths[at] = v;
		count++;
	}
	return count;
}

bool keyring_expects(const struct keyring *r, const struct key_sought *w)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct key_given *g = &r->keys[i]->given;
		bool constrained = g->ssrc_set || g->src.family != 0 || g->dst.family != 0;

		if (g->key.source == KEY_FILE ? constrained && allowed(g, w) : on_line(g, w) && right_way(g, w))
			return true;
	}
	return false;
}

size_t keyring_mki(const struct keyring *r)
{
	size_t most = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->keys[i]->given.key.mki_len > most)
			most = r->keys[i]->given.key.mki_len;
	return most;
}
