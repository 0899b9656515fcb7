/* srtp_sender: SRTP and SRTCP as RFC 3711 and RFC 7714 write them down, step by step. */
#include "srtp_sender.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void sender_counter(
	const uint8_t *key, size_t key_len, const uint8_t block[16], const uint8_t *in, size_t len, uint8_t *out)
{
	const EVP_CIPHER *cipher = key_len == 16   ? EVP_aes_128_ctr()
				   : key_len == 24 ? EVP_aes_192_ctr()
						   : EVP_aes_256_ctr();
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	EVP_EncryptInit_ex(c, cipher, NULL, key, block);
	EVP_EncryptUpdate(c, out, &n, in, (int)len);
	assert(n == (int)len);
	EVP_CIPHER_CTX_free(c);
}

void sender_gcm(
	const uint8_t *key, size_t key_len, const uint8_t iv[12], struct bytes aad, struct bytes plain, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	EVP_EncryptInit_ex(c, key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL, key, iv);
	EVP_EncryptUpdate(c, NULL, &n, aad.at, (int)aad.len);
	if (plain.len > 0)
		EVP_EncryptUpdate(c, out, &n, plain.at, (int)plain.len);
	EVP_EncryptFinal_ex(c, out + plain.len, &n);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, out + plain.len);
	EVP_CIPHER_CTX_free(c);
}

static void derive(const struct srtp_key *key, uint8_t label, uint8_t *out, size_t len)
{
	static const uint8_t zeroes[64];
	uint8_t block[16] = { 0 };

	memcpy(block, key->salt, suite_facts(key->suite)->salt);
	block[7] ^= label;
	sender_counter(key->key, suite_facts(key->suite)->key, block, zeroes, len, out);
}

void sender_derive(const struct srtp_key *key, uint8_t label, struct session_keys *out)
{
	memset(out, 0, sizeof(*out));
	out->cipher_len = suite_facts(key->suite)->key;
	derive(key, label, out->cipher, out->cipher_len);
	derive(key, label + 1, out->auth, sizeof(out->auth));
	derive(key, label + 2, out->salt, suite_facts(key->suite)->salt);
}

/* (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16), RFC 3711 4.1.1. */
static void counter_block(const uint8_t salt[14], uint32_t ssrc, uint64_t index, uint8_t block[16])
{
	memcpy(block, salt, 14);
	block[14] = block[15] = 0;
	for (int i = 0; i < 4; i++)
		block[4 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (int i = 0; i < 6; i++)
		block[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

static void mac(const uint8_t auth[20], struct bytes packet, struct bytes tail, uint8_t *out, size_t tag)
{
	uint8_t all[4096], digest[20];
	unsigned int n = sizeof(digest);

	assert(packet.len + tail.len <= sizeof(all));
	memcpy(all, packet.at, packet.len);
	if (tail.len > 0)
		memcpy(all + packet.len, tail.at, tail.len);
	HMAC(EVP_sha1(), auth, 20, all, packet.len + tail.len, digest, &n);
	memcpy(out, digest, tag);
}

static size_t rtp_header(struct bytes rtp)
{
	size_t len = 12 + 4u * (rtp.at[0] & 15);

	return rtp.at[0] & 0x10 ? len + 4 + 4u * be16(rtp.at + len + 2) : len;
}

/* Encrypts unless `plain`, then appends the MKI and a tag of `tag` octets. */
static size_t hmac_rtp(const struct session_keys *s, uint64_t index, struct bytes rtp, bool plain, struct bytes mki,
	size_t tag, uint8_t *out)
{
	size_t header = rtp_header(rtp);
	uint8_t block[16], roc[4];

	memcpy(out, rtp.at, rtp.len);
	counter_block(s->salt, be32(rtp.at + 8), index, block);
	if (!plain)
		sender_counter(s->cipher, s->cipher_len, block, rtp.at + header, rtp.len - header, out + header);
	put_be32(roc, (uint32_t)(index >> 16));
	if (mki.len > 0)
		memcpy(out + rtp.len, mki.at, mki.len);
	mac(s->auth, (struct bytes){ out, rtp.len }, (struct bytes){ roc, 4 }, out + rtp.len + mki.len, tag);
	return rtp.len + mki.len + tag;
}

size_t sender_rtp_with(const struct session_keys *s, uint64_t index, struct bytes rtp, size_t tag, uint8_t *out)
{
	return hmac_rtp(s, index, rtp, false, (struct bytes){ NULL, 0 }, tag, out);
}

size_t sender_rtp(const struct srtp_key *key, uint64_t index, struct bytes rtp, uint8_t *out)
{
	const struct suite_facts *f = suite_facts(key->suite);
	struct bytes mki = { key->mki, key->mki_len };
	size_t header = rtp_header(rtp);
	struct session_keys s;
	uint8_t iv[12];

	sender_derive(key, 0, &s);
	if (!f->aead)
		return hmac_rtp(&s, index, rtp, f->null_cipher || key->unencrypted_srtp, mki,
			key->unauthenticated_srtp ? 0 : f->srtp_tag, out);
	memcpy(iv, s.salt, 12);
	for (int i = 0; i < 4; i++)
		iv[2 + i] ^= rtp.at[8 + i];
	for (int i = 0; i < 6; i++)
		iv[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	memcpy(out, rtp.at, header);
	sender_gcm(s.cipher, s.cipher_len, iv, (struct bytes){ rtp.at, header }, bytes_part(rtp, header, rtp.len),
		out + header);
	if (mki.len > 0)
		memcpy(out + rtp.len + 16, mki.at, mki.len);
	return rtp.len + 16 + mki.len;
}

static size_t gcm_rtcp(const struct session_keys *s, uint32_t word, struct bytes rtcp, uint8_t *out)
{
	uint8_t iv[12], aad[4096];
	bool flag = word >> 31;
	size_t clear = flag ? 8 : rtcp.len;

	memcpy(iv, s->salt, 12);
	for (int i = 0; i < 4; i++) {
		iv[2 + i] ^= rtcp.at[4 + i];
		iv[8 + i] ^= (uint8_t)((word & 0x7fffffff) >> (24 - 8 * i));
	}
	memcpy(out, rtcp.at, clear);
	memcpy(aad, rtcp.at, clear);
	put_be32(aad + clear, word);
	sender_gcm(s->cipher, s->cipher_len, iv, (struct bytes){ aad, clear + 4 }, bytes_part(rtcp, clear, rtcp.len),
		out + clear);
	put_be32(out + rtcp.len + 16, word);
	return rtcp.len + 20;
}

size_t sender_rtcp(const struct srtp_key *key, uint32_t index, bool flag, struct bytes rtcp, uint8_t *out)
{
	const struct suite_facts *f = suite_facts(key->suite);
	uint32_t word = index | (flag ? 0x80000000u : 0);
	struct session_keys s;
	uint8_t block[16];
	size_t len;

	sender_derive(key, 3, &s);
	if (f->aead) {
		len = gcm_rtcp(&s, word, rtcp, out);
		memcpy(out + len, key->mki, key->mki_len);
		return len + key->mki_len;
	}
	memcpy(out, rtcp.at, rtcp.len);
	counter_block(s.salt, be32(rtcp.at + 4), index, block);
	if (flag && !f->null_cipher)
		sender_counter(s.cipher, s.cipher_len, block, rtcp.at + 8, rtcp.len - 8, out + 8);
	put_be32(out + rtcp.len, word);
	memcpy(out + rtcp.len + 4, key->mki, key->mki_len);
	mac(s.auth, (struct bytes){ out, rtcp.len + 4 }, (struct bytes){ NULL, 0 }, out + rtcp.len + 4 + key->mki_len,
		f->srtcp_tag);
	return rtcp.len + 4 + key->mki_len + f->srtcp_tag;
}
