/* unseal_openssl: SRTP and SRTCP as RFC 3711 3 and 4 have them, by contexts that are keyed once. */
#include "unseal_openssl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "otway/base/secret.h"
#include "rtp.h"

#define AUTH_KEY 20 /* octets of HMAC-SHA1's key (RFC 3711 5.2) */
#define DIGEST   20
#define SALT     14

/* What SRTP and SRTCP each have of their own. */
struct session {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;
	uint8_t salt[SALT];
};

struct unseal_openssl {
	bool encrypted_rtp;
	size_t rtp_tag, rtcp_tag;
	struct session rtp, rtcp;
};

static const EVP_CIPHER *cipher_for(size_t key_len)
{
	return key_len == 16 ? EVP_aes_128_ctr() : key_len == 24 ? EVP_aes_192_ctr() : EVP_aes_256_ctr();
}

static bool counter(EVP_CIPHER_CTX *c, const uint8_t block[16], uint8_t *at, size_t len)
{
	int n = 0;

	return EVP_EncryptInit_ex(c, NULL, NULL, NULL, block) == 1 &&
	       (len == 0 || EVP_EncryptUpdate(c, at, &n, at, (int)len) == 1);
}

/* RFC 3711 4.3.1, at key derivation rate 0. */
static bool derive(EVP_CIPHER_CTX *prf, const struct srtp_key *key, uint8_t label, uint8_t *out, size_t len)
{
	uint8_t block[16] = { 0 };

	memcpy(block, key->salt, SALT);
	block[7] ^= label;
	memset(out, 0, len);
	return counter(prf, block, out, len);
}

static EVP_MAC_CTX *hmac_new(const uint8_t key[AUTH_KEY])
{
	char digest[] = "SHA1";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac);
	if (mac != NULL && EVP_MAC_init(mac, key, AUTH_KEY, params) != 1) {
		EVP_MAC_CTX_free(mac);
		return NULL;
	}
	return mac;
}

/* Labels 0, 1, 2 for SRTP; 3, 4, 5 for SRTCP (RFC 3711 4.3.2). */
static bool session_init(struct session *s, EVP_CIPHER_CTX *prf, const struct srtp_key *key, uint8_t label)
{
	size_t key_len = suite_facts(key->suite)->key;
	uint8_t cipher[32], auth[AUTH_KEY];
	bool ok = derive(prf, key, label, cipher, key_len) && derive(prf, key, label + 1, auth, AUTH_KEY) &&
		  derive(prf, key, label + 2, s->salt, SALT);

	s->cipher = EVP_CIPHER_CTX_new();
	s->mac = ok ? hmac_new(auth) : NULL;
	ok = s->mac != NULL && s->cipher != NULL &&
	     EVP_EncryptInit_ex(s->cipher, cipher_for(key_len), NULL, cipher, NULL) == 1;
	secret_wipe(cipher, sizeof(cipher));
	secret_wipe(auth, sizeof(auth));
	return ok;
}

struct unseal_openssl *unseal_openssl_new(const struct srtp_key *key)
{
	const struct suite_facts *f = suite_facts(key->suite);
	struct unseal_openssl *o = calloc(1, sizeof(*o));
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();
	bool ok = o != NULL && prf != NULL && EVP_EncryptInit_ex(prf, cipher_for(f->key), NULL, key->key, NULL) == 1;

	if (ok) {
		o->encrypted_rtp = !key->unencrypted_srtp && !f->null_cipher;
		o->rtp_tag = unseal_proves(key) ? f->srtp_tag : 0;
		o->rtcp_tag = f->srtcp_tag;
		ok = session_init(&o->rtp, prf, key, 0) && session_init(&o->rtcp, prf, key, 3);
	}
	EVP_CIPHER_CTX_free(prf);
	if (!ok) {
		unseal_openssl_free(o);
		return NULL;
	}
	return o;
}

static void session_clear(struct session *s)
{
	EVP_CIPHER_CTX_free(s->cipher);
	EVP_MAC_CTX_free(s->mac);
}

void unseal_openssl_free(struct unseal_openssl *o)
{
	if (o == NULL)
		return;
	session_clear(&o->rtp);
	session_clear(&o->rtcp);
	secret_free(o, sizeof(*o));
}

/* The tag over the packet, and the roll-over counter where there is one (RFC 3711 4.2). */
static bool verified(
	const struct session *s, struct bytes packet, const uint8_t *roc, const uint8_t *tag, size_t tag_len)
{
	uint8_t digest[DIGEST];
	size_t len = 0;

	if (tag_len == 0)
		return true;
	return EVP_MAC_init(s->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(s->mac, packet.at, packet.len) == 1 &&
	       (roc == NULL || EVP_MAC_update(s->mac, roc, 4) == 1) &&
	       EVP_MAC_final(s->mac, digest, &len, DIGEST) == 1 && secret_equal(digest, tag, tag_len);
}

/* (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16), RFC 3711 4.1.1. */
static bool decrypt(const struct session *s, uint32_t ssrc, uint64_t index, uint8_t *at, size_t len)
{
	uint8_t block[16] = { 0 };

	memcpy(block, s->salt, SALT);
	for (int i = 0; i < 4; i++)
		block[4 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (int i = 0; i < 6; i++)
		block[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	return counter(s->cipher, block, at, len);
}

static enum unseal_fate open_rtp(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	struct bytes packet = { p->out, len - o->rtp_tag };
	uint8_t roc[4];
	struct rtp rtp;

	put_be32(roc, (uint32_t)(p->index >> 16));
	if (!rtp_parse(packet, &rtp))
		return UNSEAL_UNFIT;
	if (!verified(&o->rtp, packet, roc, p->out + packet.len, o->rtp_tag))
		return UNSEAL_REFUSED;
	if (o->encrypted_rtp && !decrypt(&o->rtp, rtp.ssrc, p->index, p->out + rtp.header, packet.len - rtp.header))
		return UNSEAL_UNFIT;
	p->out_len = packet.len;
	return UNSEAL_OPENED;
}

/* The E bit says whether it is encrypted (RFC 3711 3.4). */
static enum unseal_fate open_rtcp(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	size_t clear_len = len - o->rtcp_tag - 4;
	uint32_t word = be32(p->out + clear_len);

	if (!verified(&o->rtcp, (struct bytes){ p->out, clear_len + 4 }, NULL, p->out + clear_len + 4, o->rtcp_tag))
		return UNSEAL_REFUSED;
	p->rtcp_index = word & 0x7fffffff;
	if (word >> 31 && !decrypt(&o->rtcp, be32(p->out + 4), p->rtcp_index, p->out + 8, clear_len - 8))
		return UNSEAL_UNFIT;
	p->out_len = clear_len;
	return UNSEAL_OPENED;
}

enum unseal_fate unseal_openssl_open(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	return p->rtcp ? open_rtcp(o, p, len) : open_rtp(o, p, len);
}
