/*
 * intercept_seal: what is left is for the one that follows in the same place alone. What is sealed with it but not written says which
 * intercept left it, under which number, and in which form: given back to another one, or as another number's, it is not opened.
 */
#include "intercept.h"

#include "otway/base/crypto.h"

#define VERSION 1 /* of what is sealed */
#define AAD     13

static struct bytes aad_of(const struct intercept *it, uint64_t number, uint8_t out[AAD])
{
	out[0] = VERSION;
	put_be32(out + 1, it->index);
	put_be32(out + 5, (uint32_t)(number >> 32));
	put_be32(out + 9, (uint32_t)number);
	return (struct bytes){ out, AAD };
}

/* The nonce is never used again: all 12 octets are drawn by each process, and the last 8 are counted on from there. */
static void nonce_make(struct intercept *it, uint8_t out[CRYPTO_NONCE_LEN])
{
	memcpy(out, it->salt, sizeof(it->salt));
	put_be32(out + 4, (uint32_t)(it->sealed >> 32));
	put_be32(out + 8, (uint32_t)it->sealed);
	it->sealed++;
}

bool seal_begin(struct intercept *it)
{
	return crypto_random(it->salt, sizeof(it->salt)) && crypto_random(&it->sealed, sizeof(it->sealed));
}

size_t seal_size(size_t plain)
{
	return CRYPTO_NONCE_LEN + plain + CRYPTO_TAG_LEN;
}

bool seal_close(struct intercept *it, uint64_t number, struct bytes plain, uint8_t *sealed)
{
	const struct bytes key = { it->start->seal, ROLE_SEAL };
	uint8_t aad[AAD];

	nonce_make(it, sealed);
	return crypto_gcm_seal(key, sealed, aad_of(it, number, aad), plain, sealed + CRYPTO_NONCE_LEN);
}

bool seal_open(const struct intercept *it, const struct msg_checkpoint *c, uint8_t *plain, size_t *len)
{
	const struct bytes key = { it->start->seal, ROLE_SEAL };
	uint8_t aad[AAD];

	if (c->sealed.len < seal_size(0))
		return false;
	*len = c->sealed.len - seal_size(0);
	return crypto_gcm_open(key, c->sealed.at, aad_of(it, c->number, aad),
		bytes_part(c->sealed, CRYPTO_NONCE_LEN, c->sealed.len), plain);
}
