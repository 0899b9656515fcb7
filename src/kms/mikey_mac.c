/* mikey_mac: what a MAC covers, made and compared (RFC 3830 5.2, RFC 6043 5.5). */
#include "mikey_parts.h"

#include "otway/base/secret.h"
#include "otway/base/crypto.h"
#include "otway/mikey_keys.h"

bool mikey_keys_mac(const struct mikey_source *s, uint8_t mac, const struct bytes *in, size_t parts, uint8_t *out)
{
	uint8_t key[MIKEY_MAC_MAX];
	int len = mikey_mac_len(mac);
	bool done;

	if (len <= 0 || !mikey_keys_derive(s, MIKEY_C_AUTH, key, (size_t)len)) /* a key as long as the hash */
		return false;
	done = crypto_hmac(mac == MIKEY_MAC_SHA256 ? CRYPTO_SHA256 : CRYPTO_SHA1, (struct bytes){ key, (size_t)len },
		in, parts, out);
	secret_wipe(key, sizeof(key));
	return done;
}

static size_t add(struct bytes out[MIKEY_PARTS], size_t count, struct bytes whole, size_t from, size_t to)
{
	if (to > from)
		out[count++] = bytes_part(whole, from, to - from);
	return count;
}

/* Where the value that closes the message begins; its length too. False: there is none. */
static bool closing(const struct mikey *m, size_t *at, size_t *len)
{
	const struct mikey_payload *p = mikey_find(m, MIKEY_V, 0);

	if (p == NULL)
		p = mikey_find(m, MIKEY_SIGN, 0);
	if (p == NULL)
		return false;
	*len = p->type == MIKEY_V ? p->v.value.len : p->sign.value.len;
	*at = p->at + p->whole.len - *len;
	return true;
}

size_t mikey_keys_covered(
	const struct mikey *m, const struct bytes *behind, size_t behind_count, struct bytes out[MIKEY_PARTS])
{
	const struct mikey_payload *ticket = mikey_find(m, MIKEY_TICKET, 0);
	size_t at, len, from = 0, count = 0;

	if (behind_count > 4 || m->whole.len == 0 || !closing(m, &at, &len))
		return 0;
	if (m->type == MIKEY_TRANSFER_INIT && ticket != NULL && ticket->at < at) {
		count = add(out, count, m->whole, 0, ticket->at + ticket->ticket.initiator_at);
		from = ticket->at + ticket->whole.len; /* Initiator Data is the ticket's last field */
	}
	count = add(out, count, m->whole, from, at);
	count = add(out, count, m->whole, at + len, m->whole.len);
	for (size_t i = 0; i < behind_count; i++)
		out[count++] = behind[i];
	return count;
}

size_t mikey_keys_covered_kemac(const struct mikey *m, bool public_key, struct bytes out[MIKEY_PARTS])
{
	static const uint8_t zero;
	const struct mikey_payload *p = mikey_find(m, MIKEY_KEMAC, 0);
	size_t count = 0, at;

	if (p == NULL || m->whole.len == 0)
		return 0;
	at = p->at + p->whole.len - p->kemac.value.len;
	if (!public_key)
		return add(out, count, m->whole, 0, at);
	out[count++] = (struct bytes){ &zero, 1 };
	return add(out, count, m->whole, p->at + 1, at);
}

static bool same(const struct mikey_source *s, uint8_t mac, struct bytes value, const struct bytes *parts, size_t count)
{
	uint8_t own[MIKEY_MAC_MAX];
	bool equal = count > 0 && value.len > 0 && mikey_keys_mac(s, mac, parts, count, own) &&
		     secret_equal(own, value.at, value.len);

	secret_wipe(own, sizeof(own));
	return equal;
}

bool mikey_keys_verify(
	const struct mikey *m, const struct mikey_source *s, const struct bytes *behind, size_t behind_count)
{
	const struct mikey_payload *v = mikey_find(m, MIKEY_V, 0);
	struct bytes parts[MIKEY_PARTS];

	return v != NULL && same(s, v->v.mac, v->v.value, parts, mikey_keys_covered(m, behind, behind_count, parts));
}

bool mikey_keys_verify_kemac(const struct mikey *m, const struct mikey_source *s, bool public_key)
{
	const struct mikey_payload *k = mikey_find(m, MIKEY_KEMAC, 0);
	struct bytes parts[MIKEY_PARTS];

	return k != NULL &&
	       same(s, k->kemac.mac, k->kemac.value, parts, mikey_keys_covered_kemac(m, public_key, parts));
}

bool mikey_keys_sign(const struct mikey *m, const struct mikey_source *s, const struct bytes *behind,
	size_t behind_count, struct buf *out)
{
	struct bytes parts[MIKEY_PARTS];
	size_t before = out->len, at, len, count;
	const struct mikey_payload *v;
	struct mikey own;

	if (!mikey_encode(m, out) || !mikey_decode(bytes_part(buf_bytes(out), before, SIZE_MAX), &own, NULL) ||
		!closing(&own, &at, &len))
		return false;
	v = mikey_find(&own, MIKEY_V, 0);
	count = mikey_keys_covered(&own, behind, behind_count, parts);
	return v != NULL && count > 0 && mikey_keys_mac(s, v->v.mac, parts, count, out->at + before + at);
}
