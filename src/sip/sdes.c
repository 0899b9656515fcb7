/* sdes: a=crypto (RFC 4568 9.1, 9.2): tag, suite, master keys with lifetime and MKI, session parameters. */
#include "sdes.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"

/* A decimal number as `len` octets, big-endian, zeroes before it (RFC 4568 6.1). False: none, or too large. */
static bool read_mki_value(struct bytes digits, uint8_t *out, size_t len)
{
	memset(out, 0, len);
	if (digits.len > 3 * MKI_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned int carry = (unsigned int)(digits.at[i] - '0');

		if (!text_digit(digits.at[i]))
			return false;
		for (size_t j = len; j > 0; j--) {
			carry += out[j - 1] * 10u;
			out[j - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry > 0)
			return false;
	}
	return digits.len > 0;
}

/* "1:4": value, length in octets. */
static bool read_mki(struct bytes field, struct srtp_key *key)
{
	struct bytes length, value = text_cut(field, ':', &length);
	uint64_t octets;

	if (!text_number(length, MKI_MAX, &octets) || octets == 0 || !read_mki_value(value, key->mki, (size_t)octets))
		return false;
	key->mki_len = (uint8_t)octets;
	return true;
}

/*
 * "inline:b64|2^20|1:4". A lifetime says when its sender will change the key, which we see when it does: it is
 * passed over in any form, whereas an MKI changes the octets of every packet.
 */
static bool read_key(struct bytes param, enum srtp_suite suite, struct srtp_key *key)
{
	struct bytes field, rest, method = text_cut(param, ':', &rest);

	if (!text_is(method, "inline") || !srtp_key_inline(text_cut(rest, '|', &rest), suite, key))
		return false;
	key->source = KEY_SDES;
	while (rest.len > 0) {
		field = text_cut(rest, '|', &rest);
		if (field.len > 0 && memchr(field.at, ':', field.len) != NULL && !read_mki(field, key))
			return false;
	}
	return true;
}

static void read_keys(struct bytes params, struct media_crypto *out)
{
	while (params.len > 0 && out->key_count < MEDIA_KEYS) {
		struct srtp_key *key = &out->keys[out->key_count];

		if (read_key(text_cut(params, ';', &params), out->suite, key))
			out->key_count++;
		else
			srtp_key_clear(key);
	}
}

/* What the session parameters of a line ask for. */
struct asked {
	bool unencrypted_srtp, unencrypted_srtcp, unauthenticated_srtp, key_derivation;
};

/* One session parameter (RFC 4568 6.3). False: it makes the line invalid. */
static bool read_param(struct bytes param, struct asked *asked)
{
	struct bytes value, name = text_cut(param, '=', &value);
	uint64_t number;

	if (param.at[0] == '-')
		return true; /* its sender lets us do without */
	if (text_is(param, "UNENCRYPTED_SRTP"))
		return asked->unencrypted_srtp = true;
	if (text_is(param, "UNENCRYPTED_SRTCP"))
		return asked->unencrypted_srtcp = true;
	if (text_is(param, "UNAUTHENTICATED_SRTP"))
		return asked->unauthenticated_srtp = true;
	if (text_is(name, "KDR")) {
		if (!text_number(value, 24, &number))
			return false;
		asked->key_derivation = number != 0;
		return true;
	}
	if (text_is(name, "FEC_ORDER"))
		return text_is(value, "FEC_SRTP") || text_is(value, "SRTP_FEC");
	if (text_is(name, "WSH"))
		return text_number(value, UINT32_MAX, &number);
	return text_is(name, "FEC_KEY") && value.len > 0;
}

/* Keys of a line that nothing here opens are not kept. */
static void apply(const struct asked *asked, struct media_crypto *out)
{
	if (asked->key_derivation) {
		secret_wipe(out->keys, sizeof(out->keys));
		out->key_count = 0;
		out->suite = SUITE_UNSUPPORTED;
	}
	for (size_t i = 0; i < out->key_count; i++) {
		out->keys[i].unencrypted_srtp = asked->unencrypted_srtp;
		out->keys[i].unencrypted_srtcp = asked->unencrypted_srtcp;
		out->keys[i].unauthenticated_srtp = asked->unauthenticated_srtp;
	}
}

bool sdes_parse(struct bytes value, struct media_crypto *out)
{
	struct bytes rest, word, tag = text_word(text_trim(value), &rest), suite = text_word(rest, &rest),
				 keys = text_word(rest, &rest);
	struct asked asked = { false, false, false, false };
	uint64_t number;

	memset(out, 0, sizeof(*out));
	if (tag.len > 9 || !text_number(tag, UINT32_MAX, &number) || keys.len == 0)
		return false;
	for (word = text_word(rest, &rest); word.len > 0; word = text_word(rest, &rest))
		if (!read_param(word, &asked))
			return false;
	out->tag = (uint32_t)number;
	out->suite = suite_parse(suite);
	text_copy(suite, out->suite_name, sizeof(out->suite_name));
	read_keys(keys, out);
	apply(&asked, out);
	return true;
}
