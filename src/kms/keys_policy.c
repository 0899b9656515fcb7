/*
 * keys_policy: what TRANSFER_INIT and TRANSFER_RESP, or Otway-Rees messages 1 and 4, say of each crypto session. The answer's word
 * counts more than the offer's. Xk gives keys and salts alone (TS 33.107 7A.7), so the rest is read here.
 */
#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/mikey.h"
#include "otway/model/identity.h"
#include "otway/otway_rees.h"

#include "keys_parts.h"

/* SRTP policy parameters (RFC 3830 6.10.1, RFC 7714 14.3) and their defaults. */
enum {
	ENCR = 0,
	KEY_LEN = 1,
	AUTH = 2,
	SALT_LEN = 4,
	PRF = 5,
	RATE = 6,
	SRTP_ENCR = 7,
	SRTCP_ENCR = 8,
	SRTP_AUTH = 10,
	TAG_LEN = 11,
	AEAD_TAG_LEN = 20,
	PARAMS = 21
};
enum { ENCR_NULL = 0, ENCR_AES_CM = 1, ENCR_AES_GCM = 6 };

struct parameters {
	uint64_t value[PARAMS];
	bool set[PARAMS];
};

static void read_parameters(struct bytes params, struct parameters *out)
{
	struct bytes value;
	uint8_t type;

	*out = (struct parameters){ .value = { [ENCR] = ENCR_AES_CM,
					    [KEY_LEN] = 16,
					    [AUTH] = 1,
					    [SALT_LEN] = 14,
					    [SRTP_ENCR] = 1,
					    [SRTCP_ENCR] = 1,
					    [SRTP_AUTH] = 1,
					    [TAG_LEN] = 10,
					    [AEAD_TAG_LEN] = 16 } };
	for (size_t i = 0; mikey_param(params, i, &type, &value); i++) {
		if (type >= PARAMS)
			continue;
		out->set[type] = true;
		out->value[type] = 0;
		for (size_t at = 0; at < value.len; at++)
			out->value[type] = out->value[type] << 8 | value.at[at];
	}
}

static enum srtp_suite gcm_suite(const struct parameters *p)
{
	if (p->value[AEAD_TAG_LEN] != 16)
		return SUITE_UNSUPPORTED;
	return p->value[KEY_LEN] == 16   ? AEAD_AES_128_GCM
	       : p->value[KEY_LEN] == 32 ? AEAD_AES_256_GCM
					 : SUITE_UNSUPPORTED;
}

static enum srtp_suite suite_of(const struct parameters *p)
{
	bool authenticated = p->value[AUTH] == 1 && p->value[SRTP_AUTH] != 0;
	bool short_tag = authenticated && p->value[TAG_LEN] == 4;

	if (p->value[PRF] != 0 || p->value[RATE] != 0 || p->value[AUTH] > 1)
		return SUITE_UNSUPPORTED;
	if (p->value[ENCR] == ENCR_AES_GCM)
		return gcm_suite(p);
	if (authenticated && p->value[TAG_LEN] != 4 && p->value[TAG_LEN] != 10)
		return SUITE_UNSUPPORTED;
	if (p->value[SALT_LEN] != 14)
		return SUITE_UNSUPPORTED;
	if (p->value[ENCR] == ENCR_NULL)
		return short_tag ? NULL_HMAC_SHA1_32 : NULL_HMAC_SHA1_80;
	if (p->value[ENCR] != ENCR_AES_CM)
		return SUITE_UNSUPPORTED;
	switch (p->value[KEY_LEN]) {
	case 16:
		return short_tag ? AES_CM_128_HMAC_SHA1_32 : AES_CM_128_HMAC_SHA1_80;
	case 24:
		return short_tag ? AES_192_CM_HMAC_SHA1_32 : AES_192_CM_HMAC_SHA1_80;
	case 32:
		return short_tag ? AES_256_CM_HMAC_SHA1_32 : AES_256_CM_HMAC_SHA1_80;
	default:
		return SUITE_UNSUPPORTED;
	}
}

static void apply(struct bytes params, struct keys_session *out)
{
	struct parameters p;

	read_parameters(params, &p);
	out->suite = suite_of(&p);
	out->unencrypted_srtp = p.value[SRTP_ENCR] == 0;
	out->unencrypted_srtcp = p.value[SRTCP_ENCR] == 0;
	out->unauthenticated_srtp = p.value[ENCR] != ENCR_AES_GCM && (p.value[SRTP_AUTH] == 0 || p.value[AUTH] == 0);
}

/* The SP payload of that number (-1: any of SRTP); NULL: there is none. */
static const struct mikey_payload *policy_numbered(const struct mikey *m, int number)
{
	for (size_t i = 0; m != NULL && i < m->count; i++) {
		const struct mikey_payload *p = &m->payloads[i];

		if (p->type == MIKEY_SP && p->sp.protocol == 0 && (number < 0 || p->sp.number == number))
			return p;
	}
	return NULL;
}

static void find_policy(
	const struct mikey *offer, const struct mikey *answer, struct bytes numbers, struct keys_session *out)
{
	int number = numbers.len > 0 ? numbers.at[0] : -1;
	const struct mikey_payload *p = policy_numbered(answer, number);

	if (p == NULL)
		p = policy_numbered(offer, number);
	apply(p != NULL ? p->sp.params : (struct bytes){ NULL, 0 }, out);
}

static struct keys_session *session_of(struct keys_policy *p, uint8_t cs)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->sessions[i].cs == cs)
			return &p->sessions[i];
	if (p->count == KEYS_SESSIONS_MAX)
		return NULL;
	p->sessions[p->count] = (struct keys_session){ .cs = cs };
	return &p->sessions[p->count++];
}

/* RFC 6043 6.1.1: the answer's map repeats the offer's and fills in what it left open. */
static void read_map(
	const struct mikey *m, const struct mikey *offer, const struct mikey *answer, struct keys_policy *out)
{
	struct mikey_cs cs;

	for (size_t i = 0; m != NULL && mikey_session(m, i, &cs); i++) {
		struct keys_session *s = session_of(out, cs.id);

		if (s == NULL)
			return;
		out->mapped = true;
		s->srtp = cs.protocol == 0;
		find_policy(offer, answer, cs.policies, s);
		if (cs.spi.len > 0 && cs.spi.len <= MKI_MAX) {
			s->mki_len = (uint8_t)cs.spi.len;
			memcpy(s->mki, cs.spi.at, cs.spi.len);
		}
		if (cs.data.len >= 4) {
			s->ssrc = be32(cs.data.at);
			s->ssrc_set = s->ssrc != 0 || m->map_type == MIKEY_MAP_GENERIC;
		}
	}
}

static struct mikey *decoded(struct bytes in)
{
	struct mikey *m = in.len > 0 ? malloc(sizeof(*m)) : NULL;

	if (m != NULL && mikey_decode(in, m, NULL))
		return m;
	free(m);
	return NULL;
}

static void read_mikey(const struct key_wanted *w, struct keys_policy *out)
{
	struct mikey *offer = decoded(w->offer), *answer = decoded(w->answer);

	out->known = offer != NULL || answer != NULL;
	read_map(offer, offer, answer, out);
	read_map(answer, offer, answer, out);
	if (out->known && !out->mapped) {
		out->sessions[0] = (struct keys_session){ .srtp = true };
		find_policy(offer, answer, (struct bytes){ NULL, 0 }, &out->sessions[0]);
		out->count = 1;
	}
	free(offer);
	free(answer);
}

static bool same_user(struct bytes a, struct bytes b)
{
	struct identity x, y;
	bool same = identity_parse(a, &x) && identity_parse(b, &y) && identity_same(&x, &y);

	identity_clear(&x);
	identity_clear(&y);
	return same;
}

/* otway_rees.h: odd ones protect what A sends. */
static enum toward toward_of(const struct key_wanted *w, struct bytes a, uint8_t cs)
{
	bool odd = (cs & 1) != 0;

	if (same_user(a, w->from))
		return odd ? TOWARD_CALLEE : TOWARD_CALLER;
	if (same_user(a, w->to) || same_user(a, w->answered))
		return odd ? TOWARD_CALLER : TOWARD_CALLEE;
	return TOWARD_UNKNOWN;
}

static void read_otway_rees(const struct key_wanted *w, struct keys_policy *out)
{
	const struct bytes messages[] = { w->answer, w->offer };
	struct or_message *m = malloc(sizeof(*m));

	for (size_t i = 0; m != NULL && i < 2 && !out->known; i++) {
		if (messages[i].len == 0 || or_read(messages[i], m, NULL) != 0)
			continue;
		out->known = out->mapped = true;
		for (size_t s = 0; s < m->session_count; s++) {
			struct keys_session *to = session_of(out, m->sessions[s].cs);
			size_t at = m->sessions[s].mki_len;

			if (to == NULL)
				break;
			to->srtp = true;
			to->suite = m->sessions[s].suite;
			to->toward = toward_of(w, m->a, to->cs);
			to->mki_len = (uint8_t)at;
			memcpy(to->mki, m->sessions[s].mki, at);
		}
	}
	free(m);
}

void keys_policy_read(const struct key_wanted *w, struct keys_policy *out)
{
	memset(out, 0, sizeof(*out));
	if (w->protocol == KEY_MGMT_OTWAY_REES)
		read_otway_rees(w, out);
	else
		read_mikey(w, out);
}

const struct keys_session *keys_policy_of(const struct keys_policy *p, uint8_t cs)
{
	if (p->known && !p->mapped)
		return &p->sessions[0];
	for (size_t i = 0; i < p->count; i++)
		if (p->sessions[i].cs == cs)
			return &p->sessions[i];
	return NULL;
}

static bool is_given(const struct mikey_payload *claimed, const struct xk_answer *a)
{
	for (size_t i = 0; i < a->key_count; i++)
		if (bytes_equal(claimed->key.key, (struct bytes){ a->keys[i].key, a->keys[i].key_len }))
			return true;
	return false;
}

/* A KEMAC that is not encrypted (RFC 3830 6.2): anybody on the way can have written it. */
static bool claims(struct bytes message, const struct xk_answer *a, struct mikey_payload *inside)
{
	struct mikey *m = decoded(message);
	const struct mikey_payload *kemac = m != NULL ? mikey_find(m, MIKEY_KEMAC, 0) : NULL;
	long count = kemac != NULL && kemac->kemac.encr == MIKEY_ENCR_NULL
			     ? mikey_inside(kemac->kemac.data, MIKEY_KEY, inside, NULL)
			     : 0;
	bool other = false;

	for (long i = 0; i < count; i++)
		other = other || !is_given(&inside[i], a);
	free(m);
	return other;
}

bool keys_policy_claims(const struct key_wanted *w, const struct xk_answer *a)
{
	struct mikey_payload *inside;
	bool other;

	if (w->protocol != KEY_MGMT_MIKEY)
		return false;
	inside = calloc(MIKEY_PAYLOADS, sizeof(*inside));
	other = inside != NULL && (claims(w->offer, a, inside) || claims(w->answer, a, inside));
	free(inside);
	return other;
}
