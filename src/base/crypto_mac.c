/* crypto: HMAC, and the key derivation that stands on it. */
#include "otway/base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "otway/base/secret.h"

/* The digests in the order of enum crypto_hash. */
static const struct {
	const char *name;
	size_t len;
} hashes[] = { { "SHA1", SHA1_LEN }, { "SHA256", SHA256_LEN } };

/* libcrypto wants an address even of nothing. */
static const uint8_t *address(struct bytes in)
{
	return in.len > 0 ? in.at : (const uint8_t *)"";
}

size_t crypto_hash_len(enum crypto_hash hash)
{
	return hashes[hash].len;
}

static bool hmac_run(
	EVP_MAC_CTX *run, enum crypto_hash hash, struct bytes key, const struct bytes *in, size_t count, uint8_t *out)
{
	char name[8];
	OSSL_PARAM params[2];
	size_t len = hashes[hash].len, made;

	memcpy(name, hashes[hash].name, strlen(hashes[hash].name) + 1);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_MAC_init(run, address(key), key.len, params) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (in[i].len > 0 && EVP_MAC_update(run, in[i].at, in[i].len) != 1)
			return false;
	return EVP_MAC_final(run, out, &made, len) == 1 && made == len;
}

bool crypto_hmac(enum crypto_hash hash, struct bytes key, const struct bytes *in, size_t count, uint8_t *out)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *run = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool done = run != NULL && hmac_run(run, hash, key, in, count, out);

	EVP_MAC_CTX_free(run);
	EVP_MAC_free(mac);
	return done;
}

bool crypto_hmac_sha1(struct bytes key, struct bytes in, uint8_t out[SHA1_LEN])
{
	return crypto_hmac(CRYPTO_SHA1, key, &in, 1, out);
}

bool crypto_hmac_sha256(struct bytes key, struct bytes in, uint8_t out[SHA256_LEN])
{
	return crypto_hmac(CRYPTO_SHA256, key, &in, 1, out);
}

bool crypto_sha1(struct bytes in, uint8_t out[SHA1_LEN])
{
	return EVP_Digest(address(in), in.len, out, NULL, EVP_sha1(), NULL) == 1;
}

/* RFC 5869 2.3: T(n) = HMAC(PRK, T(n-1) | info | n). */
static bool hkdf_expand(struct bytes prk, struct bytes info, uint8_t *out, size_t len)
{
	uint8_t block[SHA256_LEN], number = 0;
	struct bytes before = { block, 0 };
	bool done = true;

	for (size_t at = 0; done && at < len; at += SHA256_LEN) {
		const struct bytes in[] = { before, info, { &number, 1 } };

		number++;
		done = crypto_hmac(CRYPTO_SHA256, prk, in, 3, block);
		before.len = SHA256_LEN;
		if (done)
			memcpy(out + at, block, len - at < SHA256_LEN ? len - at : SHA256_LEN);
	}
	secret_wipe(block, sizeof(block));
	return done;
}

bool crypto_hkdf(struct bytes secret, struct bytes salt, struct bytes info, uint8_t *out, size_t len)
{
	uint8_t prk[SHA256_LEN];
	bool done;

	if (len > 255 * (size_t)SHA256_LEN)
		return false;
	done = crypto_hmac_sha256(salt, secret, prk) && hkdf_expand((struct bytes){ prk, sizeof(prk) }, info, out, len);
	secret_wipe(prk, sizeof(prk));
	return done;
}
