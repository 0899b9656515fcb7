/* crypto: AES in the three ways we use it: counter mode, key wrap, GCM. */
#include "otway/base/crypto.h"

#include <limits.h>

#include <openssl/evp.h>

#include "otway/base/secret.h"

/* What one run of a cipher is given; `tag` is read or written by GCM alone. */
struct run {
	const EVP_CIPHER *cipher;
	const uint8_t *iv;
	struct bytes key, aad, in;
	uint8_t *out;
	bool seal;
};

static const EVP_CIPHER *by_length(size_t len, const EVP_CIPHER *of_16, const EVP_CIPHER *of_32)
{
	return len == 16 ? of_16 : len == 32 ? of_32 : NULL;
}

/* A cipher whose output is complete after one update; out_len is what must come out. */
static bool cipher_once(const struct run *r, size_t out_len)
{
	EVP_CIPHER_CTX *run;
	int made = 0, end = 0;
	bool done;

	if (r->cipher == NULL || r->in.len > INT_MAX)
		return false;
	if (r->in.len == 0)
		return out_len == 0;
	run = EVP_CIPHER_CTX_new();
	if (run == NULL)
		return false;
	EVP_CIPHER_CTX_set_flags(run, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	done = EVP_CipherInit_ex(run, r->cipher, NULL, r->key.at, r->iv, r->seal) == 1 &&
	       EVP_CipherUpdate(run, r->out, &made, r->in.at, (int)r->in.len) == 1 && made > 0 &&
	       EVP_CipherFinal_ex(run, r->out + made, &end) == 1 && (size_t)made + (size_t)end == out_len;
	EVP_CIPHER_CTX_free(run);
	return done;
}

bool crypto_aes_ctr(struct bytes key, const uint8_t block[16], struct bytes in, uint8_t *out)
{
	const struct run r = {
		.cipher = by_length(key.len, EVP_aes_128_ctr(), EVP_aes_256_ctr()),
		.iv = block,
		.key = key,
		.in = in,
		.out = out,
		.seal = true,
	};

	return cipher_once(&r, in.len);
}

bool crypto_aes_wrap(struct bytes key, const uint8_t iv[8], struct bytes in, uint8_t *out)
{
	const struct run r = {
		.cipher = by_length(key.len, EVP_aes_128_wrap(), EVP_aes_256_wrap()),
		.iv = iv,
		.key = key,
		.in = in,
		.out = out,
		.seal = true,
	};

	return in.len >= 16 && in.len % 8 == 0 && cipher_once(&r, in.len + CRYPTO_WRAP_EXTRA);
}

bool crypto_aes_unwrap(struct bytes key, const uint8_t iv[8], struct bytes in, uint8_t *out)
{
	const struct run r = {
		.cipher = by_length(key.len, EVP_aes_128_wrap(), EVP_aes_256_wrap()),
		.iv = iv,
		.key = key,
		.in = in,
		.out = out,
	};

	if (in.len < 24 || in.len % 8 != 0)
		return false;
	if (cipher_once(&r, in.len - CRYPTO_WRAP_EXTRA))
		return true;
	secret_wipe(out, in.len - CRYPTO_WRAP_EXTRA);
	return false;
}

/* The tag lies at r->out + len when sealing, and behind r->in when opening. */
static bool gcm(EVP_CIPHER_CTX *run, const struct run *r)
{
	uint8_t none[16], tag[CRYPTO_TAG_LEN];
	int made;

	if (EVP_CipherInit_ex(run, r->cipher, NULL, r->key.at, r->iv, r->seal) != 1)
		return false;
	if (r->aad.len > 0 && EVP_CipherUpdate(run, NULL, &made, r->aad.at, (int)r->aad.len) != 1)
		return false;
	if (r->in.len > 0 && EVP_CipherUpdate(run, r->out, &made, r->in.at, (int)r->in.len) != 1)
		return false;
	if (r->seal)
		return EVP_CipherFinal_ex(run, none, &made) == 1 &&
		       EVP_CIPHER_CTX_ctrl(run, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_LEN, r->out + r->in.len) == 1;
	memcpy(tag, r->in.at + r->in.len, sizeof(tag));
	return EVP_CIPHER_CTX_ctrl(run, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_LEN, tag) == 1 &&
	       EVP_CipherFinal_ex(run, none, &made) == 1;
}

static bool gcm_once(const struct run *r)
{
	EVP_CIPHER_CTX *run;
	bool done;

	if (r->cipher == NULL || r->in.len > INT_MAX || r->aad.len > INT_MAX)
		return false;
	run = EVP_CIPHER_CTX_new();
	done = run != NULL && gcm(run, r);
	EVP_CIPHER_CTX_free(run);
	return done;
}

bool crypto_gcm_seal(
	struct bytes key, const uint8_t nonce[CRYPTO_NONCE_LEN], struct bytes aad, struct bytes in, uint8_t *out)
{
	const struct run r = {
		.cipher = by_length(key.len, EVP_aes_128_gcm(), EVP_aes_256_gcm()),
		.iv = nonce,
		.key = key,
		.aad = aad,
		.in = in,
		.out = out,
		.seal = true,
	};

	return gcm_once(&r);
}

bool crypto_gcm_open(
	struct bytes key, const uint8_t nonce[CRYPTO_NONCE_LEN], struct bytes aad, struct bytes in, uint8_t *out)
{
	const struct run r = {
		.cipher = by_length(key.len, EVP_aes_128_gcm(), EVP_aes_256_gcm()),
		.iv = nonce,
		.key = key,
		.aad = aad,
		.in = { in.at, in.len - CRYPTO_TAG_LEN },
		.out = out,
	};

	if (in.len < CRYPTO_TAG_LEN)
		return false;
	if (gcm_once(&r))
		return true;
	secret_wipe(out, in.len - CRYPTO_TAG_LEN); /* nothing that did not authenticate leaves here */
	return false;
}
