/* mikey_keys: the pseudo-random functions, and the label that tells each derived key from every other. */
#include "otway/mikey_keys.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"

#define BLOCK_LEN  32 /* octets of inkey that P takes at once: half the input block of both hashes */
#define LABEL_MAX  8  /* parts */
#define ALL_ONES   UINT32_C(0xffffffff)
#define NO_SESSION 0xff

static enum crypto_hash hash_of(enum mikey_prf prf)
{
	return prf == MIKEY_PRF_SHA256 ? CRYPTO_SHA256 : CRYPTO_SHA1;
}

/* P(s, label, m), as much as `len` asks for, XORed onto out. */
static bool add_p(
	enum crypto_hash hash, struct bytes s, const struct bytes *label, size_t parts, uint8_t *out, size_t len)
{
	uint8_t a[CRYPTO_HASH_MAX], block[CRYPTO_HASH_MAX];
	size_t step = crypto_hash_len(hash);
	struct bytes in[LABEL_MAX + 1];
	bool done = crypto_hmac(hash, s, label, parts, a); /* A_1 */

	in[0] = (struct bytes){ a, step };
	memcpy(in + 1, label, parts * sizeof(*label));
	for (size_t at = 0; done && at < len; at += step) {
		done = crypto_hmac(hash, s, in, parts + 1, block);
		for (size_t i = 0; done && i < step && at + i < len; i++)
			out[at + i] ^= block[i];
		done = done && crypto_hmac(hash, s, in, 1, block); /* A_(i+1) */
		memcpy(a, block, step);
	}
	secret_wipe(a, sizeof(a));
	secret_wipe(block, sizeof(block));
	return done;
}

bool mikey_keys_prf(
	enum mikey_prf prf, struct bytes inkey, const struct bytes *label, size_t parts, uint8_t *out, size_t len)
{
	size_t at = 0;

	if (parts > LABEL_MAX || prf > MIKEY_PRF_SHA256 || inkey.len == 0)
		return false;
	memset(out, 0, len);
	do {
		if (!add_p(hash_of(prf), bytes_part(inkey, at, BLOCK_LEN), label, parts, out, len)) {
			secret_wipe(out, len);
			return false;
		}
		at += BLOCK_LEN;
	} while (at < inkey.len);
	return true;
}

struct mikey_source mikey_keys_3830_traffic(
	enum mikey_prf prf, struct bytes tgk, uint8_t cs, uint32_t csb, struct bytes rand)
{
	return (struct mikey_source){
		.prf = prf, .inkey = tgk, .cs = cs, .csb = csb, .plain = true, .value = { rand }
	};
}

struct mikey_source mikey_keys_3830_message(enum mikey_prf prf, struct bytes psk, uint32_t csb, struct bytes rand)
{
	return mikey_keys_3830_traffic(prf, psk, NO_SESSION, csb, rand);
}

static struct mikey_source source(enum mikey_prf prf, struct bytes inkey, uint32_t csb, uint8_t number, size_t values,
	struct bytes first, struct bytes second)
{
	return (struct mikey_source){
		.prf = prf,
		.inkey = inkey,
		.cs = NO_SESSION,
		.csb = csb,
		.number = number,
		.values = values,
		.length = { 1, 1 },
		.value = { first, second },
	};
}

static const struct bytes nothing = { NULL, 0 };

struct mikey_source mikey_keys_message(
	enum mikey_prf prf, struct bytes key, uint32_t csb, bool response, struct bytes randi, struct bytes randr)
{
	return source(prf, key, csb, response ? 2 : 1, 2, randi, randr);
}

struct mikey_source mikey_keys_traffic(
	enum mikey_prf prf, struct bytes tgk, uint8_t cs, struct bytes randi, struct bytes randr)
{
	struct mikey_source s = source(prf, tgk, ALL_ONES, 3, 2, randi, randr);

	s.cs = cs;
	return s;
}

struct mikey_source mikey_keys_forked(enum mikey_prf prf, struct bytes key, struct bytes idr, struct bytes rand_kms)
{
	struct mikey_source s = source(prf, key, ALL_ONES, 0, 2, idr, rand_kms);

	s.length[0] = 2;
	return s;
}

struct mikey_source mikey_keys_initiator(enum mikey_prf prf, struct bytes mpkr)
{
	return source(prf, mpkr, ALL_ONES, 4, 0, nothing, nothing);
}

struct mikey_source mikey_keys_ticket(enum mikey_prf prf, struct bytes tpk, struct bytes rand)
{
	return source(prf, tpk, ALL_ONES, 5, 1, rand, nothing);
}

struct mikey_source mikey_keys_mpk(enum mikey_prf prf, struct bytes mpk, struct bytes rand)
{
	return source(prf, mpk, ALL_ONES, 6, 1, rand, nothing);
}

bool mikey_keys_derive(const struct mikey_source *s, enum mikey_constant constant, uint8_t *out, size_t len)
{
	uint8_t head[10], lengths[2][2];
	struct bytes label[LABEL_MAX];
	size_t parts = 0;

	put_be32(head, (uint32_t)constant);
	head[4] = s->cs;
	put_be32(head + 5, s->csb);
	head[9] = s->number;
	label[parts++] = (struct bytes){ head, s->plain ? 9 : 10 };
	if (s->plain)
		label[parts++] = s->value[0];
	for (size_t i = 0; !s->plain && i < s->values; i++) {
		if (s->value[i].len > (s->length[i] == 1 ? UINT8_MAX : UINT16_MAX))
			return false;
		put_be16(lengths[i], (uint16_t)s->value[i].len);
		label[parts++] = (struct bytes){ lengths[i] + 2 - s->length[i], s->length[i] };
		label[parts++] = s->value[i];
	}
	return mikey_keys_prf(s->prf, s->inkey, label, parts, out, len);
}
