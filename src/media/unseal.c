/*
 * unseal: the engine on libsrtp2. That library keeps a replay list and a place in the sequence, as a receiver of live
 * calls must; here a packet that meets them is opened by a session beside the main one, whose list is fresh.
 */
#include "unseal.h"

#include <pthread.h>
#include <srtp2/crypto_types.h>
#include <srtp2/srtp.h>
#include <stdlib.h>

#include "otway/base/secret.h"
#include "unseal_openssl.h"

#define WINDOW    4096  /* positions of libsrtp's replay list */
#define HALF      32768 /* it finds its place in the sequence within so many positions */
#define RTP_MIN   12
#define RTCP_MIN  8
#define RTCP_WORD 4 /* E bit and SRTCP index (RFC 3711 3.4) */

/* The sessions of one key. Only RTP needs `aside` for its place in the sequence, RTCP for its replay list. */
enum session { MAIN, ASIDE, FLIPPED, FLIPPED_ASIDE, SESSIONS };

struct unseal {
	struct srtp_key key;
	bool bound; /* ssrc is known */
	uint32_t ssrc;
	struct unseal_openssl *other; /* asked first, for the suites that libsrtp2 does in a way of its own */
	srtp_t sessions[SESSIONS];
	uint64_t highest[SESSIONS]; /* index of RTP that a session has come to */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t init_status;

static void init(void)
{
	init_status = srtp_init();
}

bool unseal_proves(const struct srtp_key *key)
{
	/* RFC 7714 has no AEAD without its tag, whatever the session parameters say. */
	return !key->unauthenticated_srtp || suite_facts(key->suite)->aead;
}

size_t unseal_trailer(const struct srtp_key *key)
{
	return key->mki_len + (unseal_proves(key) ? suite_facts(key->suite)->srtp_tag : 0u);
}

/* How one of SRTP and SRTCP is protected. */
static void policy_of(
	const struct srtp_key *key, bool encrypted, bool authenticated, uint8_t tag, srtp_crypto_policy_t *p)
{
	const struct suite_facts *f = suite_facts(key->suite);

	p->cipher_type = f->aead          ? (f->key == 32 ? SRTP_AES_GCM_256 : SRTP_AES_GCM_128)
			 : f->null_cipher ? SRTP_NULL_CIPHER
			 : f->key == 32   ? SRTP_AES_ICM_256
			 : f->key == 24   ? SRTP_AES_ICM_192
					  : SRTP_AES_ICM_128;
	p->cipher_key_len = f->key + f->salt;
	p->auth_type = f->aead || !authenticated ? SRTP_NULL_AUTH : SRTP_HMAC_SHA1;
	p->auth_key_len = f->aead || !authenticated ? 0 : 20;
	p->auth_tag_len = authenticated || f->aead ? tag : 0;
	p->sec_serv = (srtp_sec_serv_t)((encrypted || f->aead ? sec_serv_conf : 0) |
					(authenticated || f->aead ? sec_serv_auth : 0));
}

/* libsrtp refuses SRTCP whose E bit is not as its policy says; a flipped session says the opposite. */
static srtp_t session_new(const struct unseal *u, bool flipped)
{
	const struct suite_facts *f = suite_facts(u->key.suite);
	uint8_t material[32 + 14];
	srtp_policy_t policy;
	srtp_t s = NULL;

	memset(&policy, 0, sizeof(policy));
	memcpy(material, u->key.key, f->key);
	memcpy(material + f->key, u->key.salt, f->salt);
	policy_of(
		&u->key, !u->key.unencrypted_srtp && !f->null_cipher, unseal_proves(&u->key), f->srtp_tag, &policy.rtp);
	policy_of(&u->key, (!u->key.unencrypted_srtcp && !f->null_cipher) != flipped, true, f->srtcp_tag, &policy.rtcp);
	policy.ssrc.type = u->bound ? ssrc_specific : ssrc_any_inbound;
	policy.ssrc.value = u->ssrc;
	policy.key = material;
	policy.window_size = WINDOW;
	if (srtp_create(&s, &policy) != srtp_err_status_ok)
		s = NULL;
	secret_wipe(material, sizeof(material));
	return s;
}

static bool ready(struct unseal *u, enum session which)
{
	if (u->sessions[which] == NULL) {
		u->sessions[which] = session_new(u, which >= FLIPPED);
		u->highest[which] = 0;
	}
	return u->sessions[which] != NULL;
}

static bool ready_anew(struct unseal *u, enum session which)
{
	if (u->sessions[which] != NULL)
		srtp_dealloc(u->sessions[which]);
	u->sessions[which] = NULL;
	return ready(u, which);
}

static struct unseal *make(const struct srtp_key *key, bool bound, uint32_t ssrc)
{
	struct unseal *u;

	pthread_once(&once, init);
	if (init_status != srtp_err_status_ok || key->suite <= SUITE_UNSUPPORTED || key->suite >= SUITES)
		return NULL;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->key = *key;
	u->bound = bound;
	u->ssrc = ssrc;
	if (suite_facts(key->suite)->key == 24)
		u->other = unseal_openssl_new(key);
	if (!ready(u, MAIN)) {
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

void unseal_free(struct unseal *u)
{
	if (u == NULL)
		return;
	unseal_openssl_free(u->other);
	for (int i = 0; i < SESSIONS; i++)
		if (u->sessions[i] != NULL)
			srtp_dealloc(u->sessions[i]);
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

/* Which word of the copy holds E bit and index. */
static uint32_t rtcp_word(const struct unseal *u, const uint8_t *copy, size_t len)
{
	const struct suite_facts *f = suite_facts(u->key.suite);

	return be32(copy + len - RTCP_WORD - (f->aead ? 0u : f->srtcp_tag));
}

/* Once a packet opened, libsrtp has a state for its SSRC, which alone can be told a roll-over counter. */
static void opened(struct unseal *u, enum session which, const struct unseal_packet *p)
{
	if (!p->rtcp && p->index > u->highest[which])
		u->highest[which] = p->index;
	if (!u->bound) {
		u->bound = true;
		u->ssrc = be32(p->in.at + (p->rtcp ? 4 : 8));
	}
}

/* A session made before the SSRC was known, and bound by another, cannot be told: it is made again. */
static void place(struct unseal *u, enum session which, uint32_t roc)
{
	if (u->bound && srtp_set_stream_roc(u->sessions[which], u->ssrc, roc) != srtp_err_status_ok &&
		ready_anew(u, which))
		srtp_set_stream_roc(u->sessions[which], u->ssrc, roc);
}

/* One try in one session. libsrtp may spoil the buffer even when it refuses, so each try has a fresh copy. */
static srtp_err_status_t attempt(struct unseal *u, enum session which, struct unseal_packet *p, size_t len)
{
	bool other = false;
	int n = (int)len;
	srtp_err_status_t status;

	if (copy_in(u, p, &other) == 0)
		return srtp_err_status_bad_param;
	if (p->rtcp) {
		p->rtcp_index = rtcp_word(u, p->out, len) & 0x7fffffff;
		status = srtp_unprotect_rtcp(u->sessions[which], p->out, &n);
	} else {
		place(u, which, (uint32_t)(p->index >> 16));
		status = srtp_unprotect(u->sessions[which], p->out, &n);
	}
	if (status == srtp_err_status_ok) {
		p->out_len = (size_t)n;
		opened(u, which, p);
	}
	return status;
}

/* That it was seen before, or lies too far back: nothing that concerns evidence. */
static bool about_the_past(srtp_err_status_t s)
{
	return s == srtp_err_status_replay_fail || s == srtp_err_status_replay_old || s == srtp_err_status_pkt_idx_old;
}

/* libsrtp would take another roll-over counter than the one it is told (it cannot be told 0). */
static bool out_of_reach(const struct unseal *u, enum session which, const struct unseal_packet *p)
{
	return !p->rtcp && p->index + HALF < u->highest[which];
}

/* SRTCP whose E bit is not as the session parameters say goes to the session that expects it so. */
static enum session session_for(const struct unseal *u, const struct unseal_packet *p, size_t len)
{
	const struct suite_facts *f = suite_facts(u->key.suite);
	bool usual = !u->key.unencrypted_srtcp && !f->null_cipher;

	if (!p->rtcp || f->aead)
		return MAIN;
	return (rtcp_word(u, p->out, len) >> 31 != 0) == usual ? MAIN : FLIPPED;
}

/* Opens, if need be beside the main session. That one's list is spent by a packet that opened alone, so no flood of
 * forgeries makes it anew. */
static srtp_err_status_t open_in(struct unseal *u, enum session which, struct unseal_packet *p, size_t len)
{
	enum session aside = which == MAIN ? ASIDE : FLIPPED_ASIDE;
	srtp_err_status_t s = srtp_err_status_pkt_idx_old;

	if (!ready(u, which))
		return srtp_err_status_alloc_fail;
	if (!out_of_reach(u, which, p))
		s = attempt(u, which, p, len);
	if (!about_the_past(s))
		return s;
	if (!ready(u, aside))
		return srtp_err_status_alloc_fail;
	if (!out_of_reach(u, aside, p))
		s = attempt(u, aside, p, len);
	if (!about_the_past(s))
		return s;
	return ready_anew(u, aside) ? attempt(u, aside, p, len) : srtp_err_status_alloc_fail;
}

static bool open_other(struct unseal *u, struct unseal_packet *p, size_t len)
{
	if (unseal_openssl_open(u->other, p, len) != UNSEAL_OPENED)
		return false;
	opened(u, MAIN, p);
	return true;
}

static enum unseal_fate open_one(struct unseal *u, struct unseal_packet *p)
{
	bool other = false;
	size_t len = copy_in(u, p, &other);
	srtp_err_status_t s;

	if (len == 0 || len > INT32_MAX)
		return other ? UNSEAL_REFUSED : UNSEAL_UNFIT;
	if (!p->rtcp && be16(p->in.at + 2) != (p->index & 0xffff))
		return UNSEAL_UNFIT;
	if (u->bound ? be32(p->in.at + (p->rtcp ? 4 : 8)) != u->ssrc : !p->rtcp && p->index > 0xffff)
		return UNSEAL_REFUSED;
	if (u->other != NULL && open_other(u, p, len))
		return UNSEAL_OPENED;
	s = open_in(u, session_for(u, p, len), p, len);
	if (s == srtp_err_status_ok)
		return UNSEAL_OPENED;
	return s == srtp_err_status_auth_fail || s == srtp_err_status_cipher_fail ? UNSEAL_REFUSED : UNSEAL_UNFIT;
}

void unseal_batch(struct unseal_packet *packets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		packets[i].fate = open_one(packets[i].with, &packets[i]);
}
