/* crypto: libcrypto behind a few calls. */
#include "otway/base/crypto.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

struct sha256 {
	EVP_MD_CTX *running, *spare;
};

void sha256_reset(struct sha256 *h)
{
	if (EVP_DigestInit_ex(h->running, EVP_sha256(), NULL) != 1)
		abort(); /* a libcrypto without SHA-256 is no libcrypto */
}

struct sha256 *sha256_new(void)
{
	struct sha256 *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->running = EVP_MD_CTX_new();
	h->spare = EVP_MD_CTX_new();
	if (h->running == NULL || h->spare == NULL) {
		sha256_free(h);
		return NULL;
	}
	sha256_reset(h);
	return h;
}

void sha256_free(struct sha256 *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->running);
	EVP_MD_CTX_free(h->spare);
	free(h);
}

void sha256_add(struct sha256 *h, struct bytes in)
{
	if (in.len > 0 && EVP_DigestUpdate(h->running, in.at, in.len) != 1)
		abort(); /* better no evidence than one with a wrong hash */
}

void sha256_value(const struct sha256 *h, uint8_t out[SHA256_LEN])
{
	if (EVP_MD_CTX_copy_ex(h->spare, h->running) != 1 || EVP_DigestFinal_ex(h->spare, out, NULL) != 1)
		abort();
}

void sha256_of(struct bytes in, uint8_t out[SHA256_LEN])
{
	if (EVP_Digest(in.len > 0 ? in.at : (const uint8_t *)"", in.len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

bool crypto_random(void *out, size_t len)
{
	return RAND_bytes(out, (int)len) == 1;
}
