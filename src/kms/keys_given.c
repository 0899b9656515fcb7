/*
 * keys_given: keys as a KMS gives them, with what signalling says of the crypto sessions they are for. What the KMS says stands:
 * where signalling says otherwise, that is told and nothing more.
 */
#include <stdlib.h>

#include "otway/base/secret.h"

#include "keys_parts.h"

static bool lengths(const struct xk_key *k, enum srtp_suite suite)
{
	const struct suite_facts *f = suite_facts(suite);

	return k->key_len == f->key && k->salt_len == f->salt;
}

/* RFC 4567 7.1.1.3, otway_rees.h: two crypto sessions for each m-line. */
static uint32_t line_of(const struct key_wanted *w, uint8_t cs)
{
	return w->line == UINT32_MAX && cs > 0 ? (uint32_t)(cs - 1) / 2 : w->line;
}

static bool same_mki(const struct xk_key *k, const struct keys_session *s)
{
	return k->mki_len == s->mki_len && memcmp(k->mki, s->mki, k->mki_len) == 0;
}

static void set_mki(const struct xk_key *k, const struct keys_session *s, struct srtp_key *out)
{
	out->mki_len = k->mki_len > 0 ? k->mki_len : s->mki_len;
	memcpy(out->mki, k->mki_len > 0 ? k->mki : s->mki, out->mki_len);
}

static bool add(const struct key_wanted *w, const struct xk_key *k, const struct keys_session *s, enum srtp_suite suite,
	struct key_answer *out)
{
	struct key_given *g;

	if (out->key_count == KEY_SESSIONS)
		return true;
	g = &out->keys[out->key_count++];
	memset(g, 0, sizeof(*g));
	g->call = w->call;
	g->line = line_of(w, k->cs);
	g->chosen = true;
	g->toward = s->toward;
	/* A tag proves a key better than an SSRC, which may change, names its stream. */
	g->ssrc_set = s->ssrc_set && s->unauthenticated_srtp;
	g->ssrc = g->ssrc_set ? s->ssrc : 0;
	g->key.suite = suite;
	g->key.source = KEY_KMS;
	g->key.unencrypted_srtp = s->unencrypted_srtp;
	g->key.unencrypted_srtcp = s->unencrypted_srtcp;
	g->key.unauthenticated_srtp = s->unauthenticated_srtp;
	memcpy(g->key.key, k->key, k->key_len);
	memcpy(g->key.salt, k->salt, k->salt_len);
	set_mki(k, s, &g->key);
	return true;
}

/* Nothing signalled says which suite: every one that has such keys, since a tag tells them apart. */
static bool add_by_length(
	const struct key_wanted *w, const struct xk_key *k, const struct keys_session *s, struct key_answer *out)
{
	bool fits = false;

	for (int suite = AES_CM_128_HMAC_SHA1_80; suite <= AEAD_AES_256_GCM; suite++)
		if (lengths(k, (enum srtp_suite)suite))
			fits = add(w, k, s, (enum srtp_suite)suite, out);
	return fits;
}

static bool add_signalled(
	const struct key_wanted *w, const struct keys_policy *p, const struct xk_key *k, struct key_answer *out)
{
	static const struct keys_session nothing;
	const struct keys_session *s = p->known ? keys_policy_of(p, k->cs) : &nothing;

	if (s == NULL)
		return false;
	if (p->known && (!s->srtp || s->suite == SUITE_UNSUPPORTED))
		return true; /* of another protocol, or of a suite that nothing here opens */
	if (s->suite == SUITE_NONE)
		return add_by_length(w, k, s, out);
	return lengths(k, s->suite) && add(w, k, s, s->suite, out);
}

/* Every key of the session has an MKI, and none that was signalled. */
static bool other_mki(const struct keys_session *s, const struct xk_answer *a)
{
	bool seen = false;

	for (size_t i = 0; i < a->key_count; i++) {
		if (a->keys[i].cs != s->cs)
			continue;
		if (a->keys[i].mki_len == 0 || same_mki(&a->keys[i], s))
			return false;
		seen = true;
	}
	return seen;
}

static bool mismatch(const struct key_wanted *w, const struct keys_policy *p, const struct xk_answer *a)
{
	/* A re-keying need not say its SPI: what the first exchange said is of another key. */
	for (size_t i = 0; p->mapped && w->first_offer.len == 0 && i < p->count; i++)
		if (p->sessions[i].mki_len > 0 && other_mki(&p->sessions[i], a))
			return true;
	return keys_policy_claims(w, a);
}

bool keys_given(const struct key_wanted *w, const struct xk_answer *a, struct key_answer *out)
{
	struct keys_policy *p = malloc(sizeof(*p));
	bool fits = p != NULL;

	if (p != NULL)
		keys_policy_read(w, p);
	for (size_t i = 0; fits && i < a->key_count; i++)
		fits = add_signalled(w, p, &a->keys[i], out);
	if (fits)
		out->mismatch = mismatch(w, p, a);
	if (fits && out->key_count == 0)
		out->reason = SEAL_SUITE_UNSUPPORTED;
	free(p);
	return fits;
}
