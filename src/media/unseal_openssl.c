/* unseal_openssl: SRTP and SRTCP as RFC 3711 3 and 4, RFC 6188 and RFC 7714 have them, by contexts that are keyed once. */
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
#define GCM_IV   12
#define GCM_TAG  16
#define WORD     4 /* E bit and SRTCP index (RFC 3711 3.4) */

/* What SRTP and SRTCP each have of their own. */
struct session {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; /* NULL: of AEAD */
	uint8_t salt[SALT];
};

struct unseal_openssl {
	bool aead, null_cipher, encrypted_rtp;
	size_t rtp_tag, rtcp_tag;
	struct session rtp, rtcp;
};

/* What session keys are derived by: a keyed cipher, and the master salt. */
struct prf {
	EVP_CIPHER_CTX *cipher;
	uint8_t salt[SALT];
};

static const EVP_CIPHER *counter_for(size_t key_len)
{
	return key_len == 16 ? EVP_aes_128_ctr() : key_len == 24 ? EVP_aes_192_ctr() : EVP_aes_256_ctr();
}

static bool counter(EVP_CIPHER_CTX *c, const uint8_t block[16], uint8_t *at, size_t len)
{
	int n = 0;

	return EVP_EncryptInit_ex(c, NULL, NULL, NULL, block) == 1 &&
	       (len == 0 || EVP_EncryptUpdate(c, at, &n, at, (int)len) == 1);
}

/* RFC 7714 11: a salt of 96 bits has zeroes behind it. */
static bool prf_init(struct prf *p, const struct srtp_key *key, enum unseal_derivation how)
{
	const struct suite_facts *f = suite_facts(key->suite);
	uint8_t material[32 + SALT] = { 0 };
	size_t key_len = how == UNSEAL_AS_LIBSRTP ? 32 : f->key;
	bool ok;

	memcpy(material, key->key, f->key);
	memcpy(material + f->key, key->salt, f->salt);
	memcpy(p->salt, material + key_len, SALT);
	p->cipher = EVP_CIPHER_CTX_new();
	ok = p->cipher != NULL && EVP_EncryptInit_ex(p->cipher, counter_for(key_len), NULL, material, NULL) == 1;
	secret_wipe(material, sizeof(material));
	return ok;
}

static void prf_clear(struct prf *p)
{
	EVP_CIPHER_CTX_free(p->cipher);
	secret_wipe(p, sizeof(*p));
}

/* RFC 3711 4.3.1, at key derivation rate 0. */
static bool derive(const struct prf *p, uint8_t label, uint8_t *out, size_t len)
{
	uint8_t block[16] = { 0 };

	memcpy(block, p->salt, SALT);
	block[7] ^= label;
	memset(out, 0, len);
	return counter(p->cipher, block, out, len);
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

static bool keyed(struct session *s, const struct suite_facts *f, const uint8_t *key)
{
	s->cipher = EVP_CIPHER_CTX_new();
	if (s->cipher == NULL)
		return false;
	if (f->aead)
		return EVP_DecryptInit_ex(
			       s->cipher, f->key == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL, key, NULL) == 1;
	return EVP_EncryptInit_ex(s->cipher, counter_for(f->key), NULL, key, NULL) == 1;
}

/* Labels 0, 1, 2 for SRTP; 3, 4, 5 for SRTCP (RFC 3711 4.3.2). */
static bool session_init(struct session *s, const struct prf *p, const struct suite_facts *f, uint8_t label)
{
	uint8_t cipher[32], auth[AUTH_KEY];
	bool ok = derive(p, label, cipher, f->key) && derive(p, label + 1, auth, AUTH_KEY) &&
		  derive(p, label + 2, s->salt, f->salt) && keyed(s, f, cipher);

	if (ok && !f->aead) {
		s->mac = hmac_new(auth);
		ok = s->mac != NULL;
	}
	secret_wipe(cipher, sizeof(cipher));
	secret_wipe(auth, sizeof(auth));
	return ok;
}

struct unseal_openssl *unseal_openssl_new(const struct srtp_key *key, enum unseal_derivation how)
{
	const struct suite_facts *f = suite_facts(key->suite);
	struct unseal_openssl *o = calloc(1, sizeof(*o));
	struct prf p = { NULL, { 0 } };
	bool ok = o != NULL && prf_init(&p, key, how);

	if (ok) {
		o->aead = f->aead;
		o->null_cipher = f->null_cipher;
		o->encrypted_rtp = !key->unencrypted_srtp && !f->null_cipher;
		o->rtp_tag = unseal_proves(key) ? f->srtp_tag : 0;
		o->rtcp_tag = f->srtcp_tag;
		ok = session_init(&o->rtp, &p, f, 0) && session_init(&o->rtcp, &p, f, 3);
	}
	prf_clear(&p);
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

/* AES-GCM over associated data and, where it is not NULL, a word behind them; `len` octets are decrypted, the tag lies behind
 * them. The IV of SRTP has ROC and sequence number last, that of SRTCP its index (RFC 7714 8.1, 9.1): both are `index`. */
static bool open_gcm(const struct session *s, uint32_t ssrc, uint64_t index, struct bytes aad, const uint8_t *word,
	uint8_t *at, size_t len)
{
	uint8_t iv[GCM_IV], tag[GCM_TAG];
	int n = 0;

	memcpy(iv, s->salt, GCM_IV);
	memcpy(tag, at + len, GCM_TAG);
	for (int i = 0; i < 4; i++)
		iv[2 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (int i = 0; i < 6; i++)
		iv[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	return EVP_DecryptInit_ex(s->cipher, NULL, NULL, NULL, iv) == 1 &&
	       EVP_DecryptUpdate(s->cipher, NULL, &n, aad.at, (int)aad.len) == 1 &&
	       (word == NULL || EVP_DecryptUpdate(s->cipher, NULL, &n, word, WORD) == 1) &&
	       (len == 0 || EVP_DecryptUpdate(s->cipher, at, &n, at, (int)len) == 1) &&
	       EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_GCM_SET_TAG, GCM_TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(s->cipher, at + len, &n) == 1;
}

static enum unseal_fate open_rtp(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	struct bytes packet = { p->out, len - o->rtp_tag };
	uint8_t roc[4];
	struct rtp rtp;

	put_be32(roc, (uint32_t)(p->index >> 16));
	if (!rtp_parse(packet, &rtp))
		return UNSEAL_UNFIT;
	p->out_len = packet.len;
	if (o->aead)
		return open_gcm(&o->rtp, rtp.ssrc, p->index, (struct bytes){ p->out, rtp.header }, NULL,
			       p->out + rtp.header, packet.len - rtp.header)
			       ? UNSEAL_OPENED
			       : UNSEAL_REFUSED;
	if (!verified(&o->rtp, packet, roc, p->out + packet.len, o->rtp_tag))
		return UNSEAL_REFUSED;
	if (o->encrypted_rtp && !decrypt(&o->rtp, rtp.ssrc, p->index, p->out + rtp.header, packet.len - rtp.header))
		return UNSEAL_UNFIT;
	return UNSEAL_OPENED;
}

/* RFC 7714 9: the word stands behind the tag. Without the E bit all before the tag is associated data. */
static enum unseal_fate open_rtcp_gcm(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	size_t clear_len = len - WORD - GCM_TAG;
	const uint8_t *word = p->out + len - WORD;
	size_t head = word[0] & 0x80 ? 8 : clear_len;

	p->rtcp_index = be32(word) & 0x7fffffff;
	p->out_len = clear_len;
	return open_gcm(&o->rtcp, be32(p->out + 4), p->rtcp_index, (struct bytes){ p->out, head }, word, p->out + head,
		       clear_len - head)
		       ? UNSEAL_OPENED
		       : UNSEAL_REFUSED;
}

/* The E bit says whether it is encrypted (RFC 3711 3.4). */
static enum unseal_fate open_rtcp(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	size_t clear_len = len - o->rtcp_tag - WORD;
	uint32_t word = be32(p->out + clear_len);

	if (o->aead)
		return open_rtcp_gcm(o, p, len);
	if (!verified(
		    &o->rtcp, (struct bytes){ p->out, clear_len + WORD }, NULL, p->out + clear_len + WORD, o->rtcp_tag))
		return UNSEAL_REFUSED;
	p->rtcp_index = word & 0x7fffffff;
	if (word >> 31 && !o->null_cipher &&
		!decrypt(&o->rtcp, be32(p->out + 4), p->rtcp_index, p->out + 8, clear_len - 8))
		return UNSEAL_UNFIT;
	p->out_len = clear_len;
	return UNSEAL_OPENED;
}

enum unseal_fate unseal_openssl_open(struct unseal_openssl *o, struct unseal_packet *p, size_t len)
{
	return p->rtcp ? open_rtcp(o, p, len) : open_rtp(o, p, len);
}
