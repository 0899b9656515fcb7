/* srtp_key: the table of suites (RFC 4568 6.2, RFC 6188 4, RFC 7714 14) and inline material. */
#include "otway/model/srtp_key.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"

static const struct suite_facts suites[SUITES] = {
	[SUITE_NONE] = { "NONE", 0, 0, 0, 0, false, false },
	[SUITE_UNSUPPORTED] = { "UNSUPPORTED", 0, 0, 0, 0, false, false },
	[AES_CM_128_HMAC_SHA1_80] = { "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false, false },
	[AES_CM_128_HMAC_SHA1_32] = { "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false, false },
	[AES_192_CM_HMAC_SHA1_80] = { "AES_192_CM_HMAC_SHA1_80", 24, 14, 10, 10, false, false },
	[AES_192_CM_HMAC_SHA1_32] = { "AES_192_CM_HMAC_SHA1_32", 24, 14, 4, 10, false, false },
	[AES_256_CM_HMAC_SHA1_80] = { "AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false, false },
	[AES_256_CM_HMAC_SHA1_32] = { "AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false, false },
	[AEAD_AES_128_GCM] = { "AEAD_AES_128_GCM", 16, 12, 16, 16, true, false },
	[AEAD_AES_256_GCM] = { "AEAD_AES_256_GCM", 32, 12, 16, 16, true, false },
	[NULL_HMAC_SHA1_80] = { "NULL_HMAC_SHA1_80", 16, 14, 10, 10, false, true },
	[NULL_HMAC_SHA1_32] = { "NULL_HMAC_SHA1_32", 16, 14, 4, 10, false, true },
};

/* Spellings of the field beside the registered ones. */
static const struct {
	const char *name;
	enum srtp_suite suite;
} spellings[] = {
	{ "AES_128_CM_HMAC_SHA1_80", AES_CM_128_HMAC_SHA1_80 },
	{ "AES_128_CM_HMAC_SHA1_32", AES_CM_128_HMAC_SHA1_32 },
	{ "AES_CM_192_HMAC_SHA1_80", AES_192_CM_HMAC_SHA1_80 },
	{ "AES_CM_192_HMAC_SHA1_32", AES_192_CM_HMAC_SHA1_32 },
	{ "AES_CM_256_HMAC_SHA1_80", AES_256_CM_HMAC_SHA1_80 },
	{ "AES_CM_256_HMAC_SHA1_32", AES_256_CM_HMAC_SHA1_32 },
};

const struct suite_facts *suite_facts(enum srtp_suite s)
{
	return &suites[(unsigned int)s < SUITES ? s : SUITE_UNSUPPORTED];
}

enum srtp_suite suite_parse(struct bytes name)
{
	for (int s = SUITE_UNSUPPORTED + 1; s < SUITES; s++)
		if (text_is(name, suites[s].name))
			return (enum srtp_suite)s;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (text_is(name, spellings[i].name))
			return spellings[i].suite;
	return SUITE_UNSUPPORTED;
}

const char *key_source_text(enum key_source s)
{
	static const char *const texts[] = { "none", "sdes", "kms", "file" };

	return texts[s];
}

bool srtp_key_same(const struct srtp_key *a, const struct srtp_key *b)
{
	return a->suite == b->suite && memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->salt, b->salt, sizeof(a->salt)) == 0;
}

void srtp_key_clear(struct srtp_key *k)
{
	secret_wipe(k, sizeof(*k));
}

void srtp_key_print_of(struct bytes material, uint8_t out[KEY_PRINT])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(material, hash);
	memcpy(out, hash, KEY_PRINT);
}

void srtp_key_print(const struct srtp_key *k, struct srtp_key *out)
{
	const struct suite_facts *f = suite_facts(k->suite);
	uint8_t material[32 + 14];

	*out = *k;
	if (k->print)
		return;
	memcpy(material, k->key, f->key);
	memcpy(material + f->key, k->salt, f->salt);
	secret_wipe(out->key, sizeof(out->key));
	secret_wipe(out->salt, sizeof(out->salt));
	secret_wipe(out->mki, sizeof(out->mki));
	out->mki_len = 0;
	out->print = true;
	srtp_key_print_of((struct bytes){ material, (size_t)f->key + f->salt }, out->key);
	srtp_key_print_of((struct bytes){ k->key, KEY_PRINT }, out->key + KEY_PRINT);
	secret_wipe(material, sizeof(material));
}

bool srtp_key_inline(struct bytes base64, enum srtp_suite suite, struct srtp_key *out)
{
	const struct suite_facts *f = suite_facts(suite);
	uint8_t material[32 + 14];
	long len = text_unbase64(base64, material, sizeof(material));
	bool fits = len > 0 && len == f->key + f->salt;

	memset(out, 0, sizeof(*out));
	if (fits) {
		out->suite = suite;
		memcpy(out->key, material, f->key);
		memcpy(out->salt, material + f->key, f->salt);
	}
	secret_wipe(material, sizeof(material));
	return fits;
}
