/* mikey_suite: an SRTP policy as a suite that we know (RFC 3830 6.10.1, RFC 4771, RFC 6188, RFC 7714 15). */
#include "mikey_make.h"

/* Types of parameters, and values of the first. */
enum {
	ENCR_ALG,
	ENCR_KEY_LEN,
	AUTH_ALG,
	AUTH_KEY_LEN,
	SALT_LEN,
	SRTP_PRF,
	KEY_DERIVATION_RATE,
	SRTP_ENCR,
	SRTCP_ENCR,
	FEC_ORDER,
	SRTP_AUTH,
	TAG_LEN,
	PREFIX_LEN,
	ROC_RATE, /* means something with the RCC transforms alone */
	PARAMS,
	AEAD_TAG_LEN = 20
};
enum { ENCR_NULL, ENCR_AES_CM, ENCR_AES_F8, ENCR_AES_GCM = 6 };
enum { AUTH_NULL, AUTH_HMAC_SHA1 };

/* Every parameter as SRTP has it where nobody says otherwise (RFC 3711 5, 8.2). */
static const uint8_t defaults[PARAMS] = { [ENCR_ALG] = ENCR_AES_CM,
	[ENCR_KEY_LEN] = 16,
	[AUTH_ALG] = AUTH_HMAC_SHA1,
	[AUTH_KEY_LEN] = 20,
	[SALT_LEN] = 14,
	[SRTP_ENCR] = 1,
	[SRTCP_ENCR] = 1,
	[SRTP_AUTH] = 1,
	[TAG_LEN] = 10 };

struct policy {
	uint8_t value[PARAMS];
	bool given[PARAMS];
	uint8_t aead_tag;
	bool unknown; /* a parameter that nobody here knows, or a value that does not fit */
};

/* Numbers of one octet; some write them longer, with zeroes in front. */
static bool small(struct bytes value, uint8_t *out)
{
	for (size_t i = 0; i + 1 < value.len; i++)
		if (value.at[i] != 0)
			return false;
	*out = value.len > 0 ? value.at[value.len - 1] : 0;
	return value.len > 0;
}

static void read_policy(struct bytes params, struct policy *p)
{
	struct bytes value;
	uint8_t type;

	*p = (struct policy){ .aead_tag = 16 };
	memcpy(p->value, defaults, sizeof(defaults));
	for (size_t i = 0; mikey_param(params, i, &type, &value); i++) {
		if (type == ROC_RATE)
			continue;
		if (type == AEAD_TAG_LEN) {
			p->unknown |= !small(value, &p->aead_tag);
		} else if (type < PARAMS) {
			p->unknown |= !small(value, &p->value[type]);
			p->given[type] = true;
		} else {
			p->unknown = true;
		}
	}
	/* RFC 7714 12: 12 octets, whatever the default of the others. */
	if (p->value[ENCR_ALG] == ENCR_AES_GCM && !p->given[SALT_LEN])
		p->value[SALT_LEN] = 12;
}

static const struct {
	uint8_t encr, key, salt, tag;
	enum srtp_suite suite;
} rows[] = {
	{ ENCR_AES_CM, 16, 14, 10, AES_CM_128_HMAC_SHA1_80 },
	{ ENCR_AES_CM, 16, 14, 4, AES_CM_128_HMAC_SHA1_32 },
	{ ENCR_AES_CM, 24, 14, 10, AES_192_CM_HMAC_SHA1_80 },
	{ ENCR_AES_CM, 24, 14, 4, AES_192_CM_HMAC_SHA1_32 },
	{ ENCR_AES_CM, 32, 14, 10, AES_256_CM_HMAC_SHA1_80 },
	{ ENCR_AES_CM, 32, 14, 4, AES_256_CM_HMAC_SHA1_32 },
	{ ENCR_NULL, 16, 14, 10, NULL_HMAC_SHA1_80 },
	{ ENCR_NULL, 16, 14, 4, NULL_HMAC_SHA1_32 },
	{ ENCR_AES_GCM, 16, 12, 16, AEAD_AES_128_GCM },
	{ ENCR_AES_GCM, 32, 12, 16, AEAD_AES_256_GCM },
};

/* What nothing here opens, whatever the algorithm. */
static bool exotic(const struct policy *p)
{
	return p->unknown || p->value[SRTP_PRF] != 0 || p->value[KEY_DERIVATION_RATE] != 0 || p->value[PREFIX_LEN] != 0;
}

static enum srtp_suite suite_of(const struct policy *p)
{
	bool aead = p->value[ENCR_ALG] == ENCR_AES_GCM;
	uint8_t tag = aead ? p->aead_tag : p->value[TAG_LEN];

	/* AUTH_KEY_LEN is not looked at: some write 10 and use 20. Whether it was 20 the tags tell. */
	if (exotic(p) || (!aead && p->value[AUTH_ALG] > AUTH_HMAC_SHA1))
		return SUITE_UNSUPPORTED;
	if (!aead && p->value[AUTH_ALG] == AUTH_NULL)
		tag = 10; /* there is none; see mikey_suite_read */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].encr == p->value[ENCR_ALG] && rows[i].key == p->value[ENCR_KEY_LEN] &&
			rows[i].salt == p->value[SALT_LEN] && rows[i].tag == tag)
			return rows[i].suite;
	return SUITE_UNSUPPORTED;
}

/* Doubt: authentication by NULL leaves SRTCP without a tag, too, which RFC 3711 forbids. We open the SRTP of it. */
void mikey_suite_read(struct bytes params, struct srtp_key *out, uint8_t *key_len, uint8_t *salt_len)
{
	struct policy p;

	read_policy(params, &p);
	memset(out, 0, sizeof(*out));
	out->suite = suite_of(&p);
	out->unencrypted_srtp = p.value[SRTP_ENCR] == 0;
	out->unencrypted_srtcp = p.value[SRTCP_ENCR] == 0;
	out->unauthenticated_srtp =
		p.value[ENCR_ALG] != ENCR_AES_GCM && (p.value[SRTP_AUTH] == 0 || p.value[AUTH_ALG] == AUTH_NULL);
	*key_len = p.value[ENCR_KEY_LEN] <= sizeof(out->key) ? p.value[ENCR_KEY_LEN] : 0;
	*salt_len = p.value[SALT_LEN] <= sizeof(out->salt) ? p.value[SALT_LEN] : 0;
}
