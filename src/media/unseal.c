/* unseal: packets are matched with their key's MKI, SSRC and index; the engine behind it opens them. */
#include "unseal.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "unseal_openssl.h"

#define RTP_MIN   12
#define RTCP_MIN  8
#define RTCP_WORD 4 /* E bit and SRTCP index (RFC 3711 3.4) */

struct unseal {
	struct srtp_key key;
	bool bound; /* ssrc is known */
	uint32_t ssrc;
	struct unseal_openssl *engine, *other; /* other: the second kind of session keys; NULL: there is none */
};

bool unseal_proves(const struct srtp_key *key)
{
	/* RFC 7714 has no AEAD without its tag, whatever the session parameters say. */
	return !key->unauthenticated_srtp || suite_facts(key->suite)->aead;
}

size_t unseal_trailer(const struct srtp_key *key)
{
	return key->mki_len + (unseal_proves(key) ? suite_facts(key->suite)->srtp_tag : 0u);
}

static struct unseal *make(const struct srtp_key *key, bool bound, uint32_t ssrc)
{
	bool two_kinds;
	struct unseal *u;

	if (key->suite <= SUITE_UNSUPPORTED || key->suite >= SUITES)
		return NULL;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->key = *key;
	u->bound = bound;
	u->ssrc = ssrc;
	two_kinds = suite_facts(key->suite)->key == 24;
	u->engine = unseal_openssl_new(key, UNSEAL_AS_STANDARD);
	u->other = two_kinds ? unseal_openssl_new(key, UNSEAL_AS_LIBSRTP) : NULL;
	if (u->engine == NULL || (two_kinds && u->other == NULL)) {
		unseal_free(u);
		return NULL;
	}
	return u;
}

struct unseal *unseal_new(const struct srtp_key *key)
{
	return make(key, false, 0);
}

struct unseal *unseal_new_for(const struct srtp_key *key, uint32_t ssrc)
{
	return make(key, true, ssrc);
}

void unseal_prepare(void)
{
	static const enum srtp_suite kinds[] = { AES_CM_128_HMAC_SHA1_80, AEAD_AES_256_GCM };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		unseal_free(unseal_new(&(struct srtp_key){ .suite = kinds[i] }));
}

void unseal_free(struct unseal *u)
{
	if (u == NULL)
		return;
	unseal_openssl_free(u->engine);
	unseal_openssl_free(u->other);
	secret_free(u, sizeof(*u));
}

/*
 * Copies the packet without its MKI, which neither suite authenticates: it stands before the tag of HMAC (RFC 3711
 * 3.1, 3.4) and behind everything with AEAD (RFC 7714 8.2, 9.2). Returns the length, or 0: no room for what must be there,
 * or, with *other set, another MKI.
 */
static size_t copy_in(const struct unseal *u, const struct unseal_packet *p, bool *other)
{
	const struct suite_facts *f = suite_facts(u->key.suite);
	size_t tag = p->rtcp ? f->srtcp_tag : unseal_proves(&u->key) ? f->srtp_tag : 0u;
	size_t tail = f->aead ? 0 : tag, mki = u->key.mki_len;
	size_t least = (p->rtcp ? RTCP_MIN + RTCP_WORD : RTP_MIN) + tag + mki;

	if (p->in.len < least)
		return 0;
	*other = mki > 0 && memcmp(p->in.at + p->in.len - tail - mki, u->key.mki, mki) != 0;
	if (*other)
		return 0;
	memcpy(p->out, p->in.at, p->in.len - tail - mki);
	memcpy(p->out + p->in.len - tail - mki, p->in.at + p->in.len - tail, tail);
	return p->in.len - mki;
}

static enum unseal_fate open_one(struct unseal *u, struct unseal_packet *p)
{
	bool other = false;
	size_t len = copy_in(u, p, &other);
	enum unseal_fate fate;

	if (len == 0 || len > INT32_MAX)
		return other ? UNSEAL_REFUSED : UNSEAL_UNFIT;
	if (!p->rtcp && be16(p->in.at + 2) != (p->index & 0xffff))
		return UNSEAL_UNFIT;
	if (u->bound ? be32(p->in.at + (p->rtcp ? 4 : 8)) != u->ssrc : !p->rtcp && p->index > 0xffff)
		return UNSEAL_REFUSED;
	fate = unseal_openssl_open(u->engine, p, len);
	if (fate != UNSEAL_OPENED && u->other != NULL && copy_in(u, p, &other) > 0)
		fate = unseal_openssl_open(u->other, p, len);
	if (fate == UNSEAL_OPENED && !u->bound) {
		u->bound = true;
		u->ssrc = be32(p->in.at + (p->rtcp ? 4 : 8));
	}
	return fate;
}

void unseal_batch(struct unseal_packet *packets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		packets[i].fate = open_one(packets[i].with, &packets[i]);
}
