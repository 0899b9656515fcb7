/* shared: keyed hashes of what joins the legs of a call. They are made of every message of a set-up, so they are cheap. */
#include "shared.h"

#define UUID_DIGITS 32 /* of a Session-ID (RFC 7989 5) */
#define KEY_DIGITS  40 /* of base64: key and salt of the shortest suite but GCM's (RFC 4568 6.2) */

enum share { SHARE_CALL_ID = 1, SHARE_SESSION, SHARE_ICID, SHARE_KEY };

__extension__ typedef unsigned __int128 product;

/* Both halves of a product, folded. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	product p = (product)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t eight(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, 8);
	return v;
}

/* The last octets, at most 16, as two numbers; where they overlap, the length in the hash tells. */
static inline uint64_t hash_tail(const struct shared_key *k, uint64_t hash, const uint8_t *at, size_t len)
{
	uint64_t low = 0, high = 0;

	if (len >= 8) {
		low = eight(at);
		high = eight(at + len - 8);
	} else {
		for (size_t i = 0; i < len; i++)
			low = low << 8 | at[i];
	}
	return fold(fold(low ^ k->word[1], high ^ hash), k->word[2]);
}

static uint64_t hash_of(const struct shared_key *k, enum share kind, struct bytes value)
{
	uint64_t hash = k->word[0] ^ ((uint64_t)value.len << 8 | kind);
	size_t i = 0;

	for (; value.len - i > 16; i += 16)
		hash = fold(eight(value.at + i) ^ k->word[1], eight(value.at + i + 8) ^ hash);
	return hash_tail(k, hash, value.at + i, value.len - i);
}

/* Kinds are told apart; a chance hit of two such hashes is one in 2^64. */
static void share(const struct shared_key *k, struct shared *s, enum share kind, struct bytes value)
{
	uint64_t hash;

	if (value.len == 0 || s->count == SHARED_MAX)
		return;
	hash = hash_of(k, kind, value);
	for (size_t i = 0; i < s->count; i++)
		if (s->hash[i] == hash)
			return;
	s->hash[s->count++] = hash;
}

/* RFC 7989 5: hex digits of either case name the same session, zeroes alone none. */
static void share_session(const struct shared_key *k, struct shared *s, struct bytes session)
{
	uint8_t digits[UUID_DIGITS], any = 0;

	if (session.len != sizeof(digits))
		return;
	for (size_t i = 0; i < sizeof(digits); i++) {
		digits[i] = session.at[i] | 0x20; /* a digit has that bit already */
		any |= digits[i] ^ '0';
	}
	if (any != 0)
		share(k, s, SHARE_SESSION, (struct bytes){ digits, sizeof(digits) });
}

/* The digits that are whole groups, however the base64 is padded. */
static void share_inline(const struct shared_key *k, struct shared *s, struct bytes base64)
{
	size_t len = base64.len;

	while (len > 0 && base64.at[len - 1] == '=')
		len--;
	len = len < KEY_DIGITS ? len & ~(size_t)3 : KEY_DIGITS;
	share(k, s, SHARE_KEY, (struct bytes){ base64.at, len });
}

void shared_of(const struct glance *g, const struct shared_key *k, struct shared *s)
{
	s->count = 0;
	share(k, s, SHARE_CALL_ID, g->call_id);
	share_session(k, s, g->session[0]);
	share_session(k, s, g->session[1]);
	share(k, s, SHARE_ICID, g->icid);
	for (size_t i = 0; i < g->inline_count; i++)
		share_inline(k, s, g->inlines[i]);
}
