/* mikey_kemac: the keys that KEMAC carries, encrypted and decrypted (RFC 3830 4.2.3, 6.2, 6.13; RFC 6043 6.2). */
#include "mikey_parts.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/mikey_keys.h"

#define CM_MAX (1 << 20) /* octets that AES-CM may encrypt: 2^23 bits */

void mikey_keys_clear(struct mikey_keys *k)
{
	secret_wipe(k, sizeof(*k));
}

struct mikey_key *mikey_keys_add(
	struct mikey_keys *k, enum mikey_key_type kind, struct bytes key, struct bytes salt, struct bytes spi)
{
	struct mikey_key *to = &k->at[k->count];

	if (k->count == MIKEY_KEYS || key.len == 0 || key.len > MIKEY_KEY_MAX || salt.len > MIKEY_SALT_MAX ||
		spi.len > MIKEY_SPI_MAX)
		return NULL;
	memset(to, 0, sizeof(*to));
	to->kind = (uint8_t)kind;
	to->key_len = (uint16_t)key.len;
	to->salt_len = (uint16_t)salt.len;
	to->spi_len = (uint8_t)spi.len;
	to->kv = spi.len > 0 ? MIKEY_KV_SPI : MIKEY_KV_NULL;
	memcpy(to->key, key.at, key.len);
	if (salt.len > 0)
		memcpy(to->salt, salt.at, salt.len);
	if (spi.len > 0)
		memcpy(to->spi, spi.at, spi.len);
	k->count++;
	return to;
}

/* TGK for TGK+SALT too, and so on. */
static uint8_t family(uint8_t kind)
{
	return mikey_key_salted(kind) ? (uint8_t)(kind - 1) : kind;
}

const struct mikey_key *mikey_keys_of(const struct mikey_keys *k, enum mikey_key_type kind, size_t n)
{
	for (size_t i = 0; i < k->count; i++)
		if (family(k->at[i].kind) == family((uint8_t)kind) && n-- == 0)
			return &k->at[i];
	return NULL;
}

static bool keep_key(struct mikey_keys *k, const struct mikey_payload *p)
{
	const struct mikey_kv *kv = &p->key.kv;
	struct mikey_key *to;

	if (kv->from.len > sizeof(to->from) || kv->to.len > sizeof(to->to))
		return false;
	to = mikey_keys_add(k, (enum mikey_key_type)p->key.kind, p->key.key, p->key.salt, kv->spi);
	if (to == NULL)
		return false;
	to->kv = kv->kind;
	to->from_len = (uint8_t)kv->from.len;
	to->to_len = (uint8_t)kv->to.len;
	if (kv->from.len > 0)
		memcpy(to->from, kv->from.at, kv->from.len);
	if (kv->to.len > 0)
		memcpy(to->to, kv->to.at, kv->to.len);
	return true;
}

bool mikey_keys_read(struct bytes plain, struct mikey_keys *out, struct err *err)
{
	struct mikey_cursor c = { .in = plain, .what = "key data", .err = err };
	struct mikey_payload p[MIKEY_PAYLOADS];
	long count = plain.len > 0 ? mikey_read_chain(&c, MIKEY_KEY, true, p) : 0;

	memset(out, 0, sizeof(*out));
	for (long i = 0; i < count; i++)
		if (p[i].type == MIKEY_KEY && !keep_key(out, &p[i])) {
			mikey_keys_clear(out);
			err_set(err, "key data: more keys, or longer ones, than this takes");
			return false;
		}
	return count >= 0;
}

bool mikey_keys_write(const struct mikey_keys *k, struct buf *out)
{
	struct mikey_payload p[MIKEY_KEYS];

	memset(p, 0, sizeof(p));
	for (size_t i = 0; i < k->count; i++) {
		const struct mikey_key *from = &k->at[i];

		p[i].type = MIKEY_KEY;
		p[i].key.kind = from->kind;
		p[i].key.key = (struct bytes){ from->key, from->key_len };
		p[i].key.salted = mikey_key_salted(from->kind);
		p[i].key.salt = (struct bytes){ from->salt, from->salt_len };
		p[i].key.kv = (struct mikey_kv){ from->kv, { from->spi, from->spi_len }, { from->from, from->from_len },
			{ from->to, from->to_len } };
	}
	return mikey_encode_inside(p, k->count, false, out);
}

/*
 * IV = (S XOR (0x0000 || CSB ID || T)) || 0x0000.
 * Doubt: RFC 3830 takes "the timestamp sent by the Initiator", and there only the initiator encrypts. In RFC 6043 answers have
 * timestamps and KEMACs of their own. We take the T of the message (or ticket) that carries the KEMAC: figure 10 shows it so for
 * the ticket, and of an update both messages have the same keys, so that the initiator's T would use a key stream twice.
 */
static bool counter_mode(
	const struct mikey_source *s, size_t key_len, uint32_t csb, const uint8_t t[8], struct bytes in, uint8_t *out)
{
	uint8_t key[32], block[16] = { 0 }, mix[12];
	bool done;

	put_be32(mix, csb);
	memcpy(mix + 4, t, 8);
	done = in.len <= CM_MAX && mikey_keys_derive(s, MIKEY_C_ENCR, key, key_len) &&
	       mikey_keys_derive(s, MIKEY_C_SALT, block, 14);
	for (size_t i = 0; i < sizeof(mix); i++)
		block[2 + i] ^= mix[i];
	done = done && crypto_aes_ctr((struct bytes){ key, key_len }, block, in, out);
	secret_wipe(key, sizeof(key));
	secret_wipe(block, sizeof(block));
	return done;
}

static bool key_wrap(const struct mikey_source *s, bool seal, struct bytes in, uint8_t *out)
{
	uint8_t key[16], salt[8];
	struct bytes k = { key, sizeof(key) };
	bool done = mikey_keys_derive(s, MIKEY_C_ENCR, key, sizeof(key)) &&
		    mikey_keys_derive(s, MIKEY_C_SALT, salt, sizeof(salt)) &&
		    (seal ? crypto_aes_wrap(k, salt, in, out) : crypto_aes_unwrap(k, salt, in, out));

	secret_wipe(key, sizeof(key));
	secret_wipe(salt, sizeof(salt));
	return done;
}

/*
 * Doubt: AES key wrap takes multiples of 8 octets, and key data has any length; no RFC says how it is filled up. We put zeroes
 * behind the last Key data payload, whose next payload field tells that it is the last, and read the same.
 */
static bool fill_up(struct buf *plain)
{
	static const uint8_t zeroes[16];
	size_t want = plain->len < 16 ? 16 : (plain->len + 7) / 8 * 8;

	return buf_add(plain, zeroes, want - plain->len);
}

/* Both ways; out has room for in and CRYPTO_WRAP_EXTRA more. *len: what was written. */
static bool transform(const struct mikey_source *s, uint8_t encr, bool seal, uint32_t csb, const uint8_t t[8],
	struct bytes in, uint8_t *out, size_t *len)
{
	*len = in.len;
	switch (encr) {
	case MIKEY_ENCR_NULL:
		if (in.len > 0)
			memcpy(out, in.at, in.len);
		return true;
	case MIKEY_ENCR_CM_128:
		return counter_mode(s, 16, csb, t, in, out);
	case MIKEY_ENCR_CM_256:
		return counter_mode(s, 32, csb, t, in, out);
	case MIKEY_ENCR_KW_128:
		*len = seal ? in.len + CRYPTO_WRAP_EXTRA : in.len - CRYPTO_WRAP_EXTRA;
		return (seal || in.len >= 24) && key_wrap(s, seal, in, out);
	default:
		return false;
	}
}

bool mikey_keys_seal(const struct mikey_source *s, uint8_t encr, uint32_t csb, const uint8_t t[8],
	const struct mikey_keys *k, struct buf *out, struct err *err)
{
	struct buf plain = { 0 };
	size_t len = 0;
	uint8_t *room = NULL;
	bool done = mikey_keys_write(k, &plain) && (encr != MIKEY_ENCR_KW_128 || fill_up(&plain));

	if (done)
		room = buf_room(out, plain.len + CRYPTO_WRAP_EXTRA);
	done = done && room != NULL && transform(s, encr, true, csb, t, buf_bytes(&plain), room, &len);
	if (done)
		out->len += len;
	else
		err_set(err, "KEMAC: its keys cannot be encrypted by algorithm %u", encr);
	buf_clear(&plain);
	return done;
}

bool mikey_keys_open(const struct mikey_source *s, uint8_t encr, uint32_t csb, const uint8_t t[8], struct bytes sealed,
	struct mikey_keys *out, struct err *err)
{
	struct buf plain = { 0 };
	uint8_t *room = buf_room(&plain, sealed.len + 1);
	size_t len = 0;
	bool done = room != NULL && transform(s, encr, false, csb, t, sealed, room, &len);

	memset(out, 0, sizeof(*out));
	if (!done)
		err_set(err, "KEMAC: algorithm %u does not open it", encr);
	else if (!mikey_keys_read((struct bytes){ room, len }, out, err))
		done = err_in(err, "KEMAC") == 0;
	if (room != NULL)
		plain.len = sealed.len + 1; /* all of it is wiped */
	buf_clear(&plain);
	return done;
}
