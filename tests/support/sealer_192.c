/* sealer_192: RFC 3711 with AES-192 (RFC 6188), as a sender, straight from the text. */
#include "sealer_192.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static void ctr(const uint8_t key[24], const uint8_t iv[16], uint8_t *data, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out;

	EVP_EncryptInit_ex(ctx, EVP_aes_192_ctr(), NULL, key, iv);
	EVP_EncryptUpdate(ctx, data, &out, data, (int)len);
	EVP_CIPHER_CTX_free(ctx);
}

/* RFC 3711 4.3.1 and 4.3.3: AES-CM over (label << 48 XOR salt) << 16; key derivation rate 0. */
static void derive(const uint8_t key[38], uint8_t label, uint8_t *out, size_t len)
{
	uint8_t iv[16] = { 0 };

	memcpy(iv, key + 24, 14);
	iv[7] ^= label;
	memset(out, 0, len);
	ctr(key, iv, out, len);
}

void sealer_192_open(struct sealer_192 *s, const uint8_t key[38], uint32_t roc, size_t tag)
{
	memset(s, 0, sizeof(*s));
	derive(key, 0, s->rtp_key, sizeof(s->rtp_key));
	derive(key, 1, s->rtp_auth, sizeof(s->rtp_auth));
	derive(key, 2, s->rtp_salt, sizeof(s->rtp_salt));
	derive(key, 3, s->rtcp_key, sizeof(s->rtcp_key));
	derive(key, 4, s->rtcp_auth, sizeof(s->rtcp_auth));
	derive(key, 5, s->rtcp_salt, sizeof(s->rtcp_salt));
	s->roc = roc;
	s->tag = tag;
}

/* RFC 3711 4.1.1: IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16) */
static void encrypt(
	const uint8_t key[24], const uint8_t salt[14], const uint8_t *ssrc, uint64_t index, uint8_t *data, size_t len)
{
	uint8_t iv[16] = { 0 };

	memcpy(iv, salt, 14);
	for (int i = 0; i < 4; i++)
		iv[4 + i] ^= ssrc[i];
	for (int i = 0; i < 6; i++)
		iv[8 + i] ^= (uint8_t)(index >> (8 * (5 - i)));
	ctr(key, iv, data, len);
}

/* Authenticates packet and its 4 octets of `behind`; appends the tag after `keep` of those octets. */
static size_t sign(const uint8_t key[20], const uint8_t behind[4], size_t keep, size_t tag, uint8_t *packet, size_t len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned size;

	memcpy(packet + len, behind, 4);
	HMAC(EVP_sha1(), key, 20, packet, len + 4, mac, &size);
	memcpy(packet + len + keep, mac, tag);
	return len + keep + tag;
}

static void put32(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

size_t sealer_192_rtp(struct sealer_192 *s, uint8_t *packet, size_t len)
{
	uint16_t seq = (uint16_t)(packet[2] << 8 | packet[3]);
	size_t head = 12 + 4U * (packet[0] & 15);
	uint8_t roc[4];

	if ((packet[0] & 0x10) != 0)
		head += 4 + 4U * (size_t)(packet[head + 2] << 8 | packet[head + 3]);
	if (s->started && seq < 0x4000 && s->last > 0xc000)
		s->roc++;
	s->started = 1;
	s->last = seq;
	encrypt(s->rtp_key, s->rtp_salt, packet + 8, (uint64_t)s->roc << 16 | seq, packet + head, len - head);
	put32(roc, s->roc);
	return sign(s->rtp_auth, roc, 0, s->tag, packet, len);
}

size_t sealer_192_rtcp(struct sealer_192 *s, uint8_t *packet, size_t len)
{
	uint8_t index[4];

	s->rtcp_index++;
	encrypt(s->rtcp_key, s->rtcp_salt, packet + 4, s->rtcp_index, packet + 8, len - 8);
	put32(index, 0x80000000U | s->rtcp_index);
	return sign(s->rtcp_auth, index, 4, 10, packet, len);
}
