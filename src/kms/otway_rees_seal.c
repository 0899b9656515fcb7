/* otway_rees: envelopes, and the keys that are derived. */
#include "otway/otway_rees.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

/* What stands in front of every identity that is authenticated: its length. */
static void put_id(struct buf *out, struct bytes id)
{
	uint8_t len[2];

	put_be16(len, (uint16_t)id.len);
	buf_add(out, len, sizeof(len));
	buf_add(out, id.at, id.len);
}

static void put(struct buf *out, struct bytes part)
{
	buf_add(out, part.at, part.len);
}

/* HKDF with an info of a label and what follows it. */
static bool derive(
	struct bytes secret, struct bytes salt, const char *label, const struct buf *rest, uint8_t *out, size_t len)
{
	struct buf info = { 0 };
	bool done;

	buf_text(&info, label);
	buf_add(&info, rest->at, rest->len);
	done = !info.failed && !rest->failed && crypto_hkdf(secret, salt, buf_bytes(&info), out, len);
	buf_clear(&info);
	return done;
}

bool or_envelope_key(struct bytes psk, struct bytes m, struct bytes identity, uint8_t out[OR_KEY])
{
	struct buf id = { 0 };
	bool done;

	put_id(&id, identity);
	done = identity.len <= OR_ID_MAX && derive(psk, m, "otway-rees 1 envelope", &id, out, OR_KEY);
	buf_clear(&id);
	return done;
}

bool or_leg_key(const uint8_t root[OR_KEY], struct bytes nr, struct bytes r, uint8_t out[OR_KEY])
{
	struct buf id = { 0 };
	bool done;

	put_id(&id, r);
	done = r.len <= OR_ID_MAX && derive((struct bytes){ root, OR_KEY }, nr, "otway-rees 1 leg", &id, out, OR_KEY);
	buf_clear(&id);
	return done;
}

bool or_srtp_key(const uint8_t k[OR_KEY], struct bytes m, const struct or_session *s, struct srtp_key *out)
{
	const struct suite_facts *f = suite_facts(s->suite);
	uint8_t numbers[] = { s->cs, s->suite_number }, material[sizeof(out->key) + sizeof(out->salt)];
	struct buf rest = { numbers, sizeof(numbers), sizeof(numbers), false };
	bool done;

	memset(out, 0, sizeof(*out));
	if (f->key == 0 || s->mki_len > MKI_MAX)
		return false;
	done = derive((struct bytes){ k, OR_KEY }, m, "otway-rees 1 srtp", &rest, material, (size_t)f->key + f->salt);
	if (done) {
		out->suite = s->suite;
		memcpy(out->key, material, f->key);
		memcpy(out->salt, material + f->key, f->salt);
		out->mki_len = s->mki_len;
		memcpy(out->mki, s->mki, s->mki_len);
	}
	secret_wipe(material, sizeof(material));
	return done;
}

/* What is authenticated beside the text: the envelope's type and its run. */
static void associated(const struct or_message *m, uint8_t type, struct buf *out)
{
	uint8_t head[] = { 'O', 'R', 1, type };

	buf_add(out, head, sizeof(head));
	put(out, m->m);
	put_id(out, m->a);
	put_id(out, m->b);
}

/* The text of an envelope. */
static void plain_text(const struct or_message *m, const struct or_sealed *in, struct buf *out)
{
	struct bytes r = { in->r, in->r_len };

	buf_add(out, &in->type, 1);
	buf_add(out, in->nonce, sizeof(in->nonce));
	if (in->type <= 2) {
		put(out, m->m);
		put_id(out, m->a);
		put_id(out, m->b);
	}
	if (in->type == 1) {
		buf_add(out, in->p, sizeof(in->p));
		return;
	}
	put_id(out, r);
	if (in->type >= 3) {
		buf_add(out, in->nr, sizeof(in->nr));
		buf_add(out, in->k, sizeof(in->k));
	}
}

static bool run_fits(const struct or_message *m)
{
	return m->m.len == OR_NONCE && m->a.len <= OR_ID_MAX && m->b.len <= OR_ID_MAX && m->r.len <= OR_ID_MAX;
}

/* Nonce, ciphertext and tag behind out's end. */
static bool seal_into(const uint8_t key[OR_KEY], struct bytes aad, struct bytes plain, struct buf *out)
{
	size_t len = CRYPTO_NONCE_LEN + plain.len + CRYPTO_TAG_LEN;
	uint8_t *room = buf_room(out, len);

	if (room == NULL || !crypto_random(room, CRYPTO_NONCE_LEN) ||
		!crypto_gcm_seal((struct bytes){ key, OR_KEY }, room, aad, plain, room + CRYPTO_NONCE_LEN))
		return false;
	out->len += len;
	return true;
}

bool or_seal(const struct or_message *m, const uint8_t key[OR_KEY], const struct or_sealed *in, struct buf *out)
{
	struct buf aad = { 0 }, plain = { 0 };
	bool done = false;

	if (in->type < 1 || in->type > 4 || in->r_len > OR_ID_MAX || !run_fits(m))
		return false;
	associated(m, in->type, &aad);
	plain_text(m, in, &plain);
	if (!aad.failed && !plain.failed)
		done = seal_into(key, buf_bytes(&aad), buf_bytes(&plain), out);
	buf_clear(&plain);
	buf_clear(&aad);
	return done;
}

/* Takes from the text what the message does not say, and asks that the whole be what the message and these make. */
static bool take_text(const struct or_message *m, uint8_t type, struct bytes text, struct or_sealed *out)
{
	struct buf expected = { 0 };
	size_t tail = type == 1 ? sizeof(out->p) : type == 2 ? 0 : OR_NONCE + OR_KEY;
	bool same;

	if (text.len < 1 + OR_NONCE + tail)
		return false;
	out->type = type;
	memcpy(out->nonce, text.at + 1, OR_NONCE);
	if (type == 1) {
		memcpy(out->p, text.at + text.len - tail, tail);
	} else {
		memcpy(out->r, m->r.at, m->r.len);
		out->r_len = m->r.len;
	}
	if (type >= 3) {
		if (m->nr.len != OR_NONCE)
			return false;
		memcpy(out->nr, m->nr.at, OR_NONCE);
		memcpy(out->k, text.at + text.len - OR_KEY, OR_KEY);
	}
	plain_text(m, out, &expected);
	same = !expected.failed && bytes_equal(buf_bytes(&expected), text);
	buf_clear(&expected);
	return same;
}

bool or_open(const struct or_message *m, const uint8_t key[OR_KEY], uint8_t type, struct bytes envelope,
	struct or_sealed *out)
{
	uint8_t text[8 + 3 * (2 + OR_ID_MAX) + 2 * OR_NONCE + 2 * OR_KEY];
	struct bytes sealed = bytes_part(envelope, CRYPTO_NONCE_LEN, SIZE_MAX);
	struct buf aad = { 0 };
	bool opened = false;

	memset(out, 0, sizeof(*out));
	if (type < 1 || type > 4 || !run_fits(m) || (type >= 2 && m->r.len == 0) || sealed.len <= CRYPTO_TAG_LEN ||
		sealed.len - CRYPTO_TAG_LEN > sizeof(text))
		return false;
	associated(m, type, &aad);
	if (!aad.failed)
		opened = crypto_gcm_open((struct bytes){ key, OR_KEY }, envelope.at, buf_bytes(&aad), sealed, text) &&
			 take_text(m, type, (struct bytes){ text, sealed.len - CRYPTO_TAG_LEN }, out);
	buf_clear(&aad);
	secret_wipe(text, sizeof(text));
	if (!opened)
		secret_wipe(out, sizeof(*out));
	return opened;
}
