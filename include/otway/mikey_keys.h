/*
 * mikey_keys: the keys of MIKEY: how they are derived, what they encrypt and what they sign (RFC 3830 4.1, 4.2, 5.2, 6.13;
 * RFC 6043 5.1, 5.5, A.2). Whoever holds a struct of keys clears it.
 */
#ifndef OTWAY_MIKEY_KEYS_H
#define OTWAY_MIKEY_KEYS_H

#include "otway/mikey.h"

#define MIKEY_KEYS     16  /* in one KEMAC */
#define MIKEY_KEY_MAX  256 /* octets */
#define MIKEY_SALT_MAX 64
#define MIKEY_SPI_MAX  255

/* A key of a Key data sub-payload, copied. */
struct mikey_key {
	uint8_t kind;               /* enum mikey_key_type */
	uint16_t key_len, salt_len; /* salt_len 0: no salt was sent */
	uint8_t key[MIKEY_KEY_MAX];
	uint8_t salt[MIKEY_SALT_MAX];
	uint8_t kv; /* enum mikey_validity */
	uint8_t spi_len, from_len, to_len;
	uint8_t spi[MIKEY_SPI_MAX];
	uint8_t from[8], to[8];
};

struct mikey_keys {
	struct mikey_key at[MIKEY_KEYS];
	size_t count;
};

void mikey_keys_clear(struct mikey_keys *k); /* wipes */
/* A key of that kind with an SPI, behind the others; NULL: no room, or too long. */
struct mikey_key *mikey_keys_add(
	struct mikey_keys *k, enum mikey_key_type kind, struct bytes key, struct bytes salt, struct bytes spi);
/* The n-th key of that kind (its +SALT kind too), from 0; NULL: there are fewer. */
const struct mikey_key *mikey_keys_of(const struct mikey_keys *k, enum mikey_key_type kind, size_t n);

static inline struct bytes mikey_key_octets(const struct mikey_key *k)
{
	return (struct bytes){ k->key, k->key_len };
}

/* Out of and into the octets that KEMAC encrypts; octets of zero behind them are passed over (see mikey_keys_seal). */
bool mikey_keys_read(struct bytes plain, struct mikey_keys *out, struct err *err);
bool mikey_keys_write(const struct mikey_keys *k, struct buf *out);

/* PRF of RFC 3830 4.1.2 (and RFC 6043 6.1 with SHA-256); the label in parts. False: nothing is written. */
bool mikey_keys_prf(
	enum mikey_prf prf, struct bytes inkey, const struct bytes *label, size_t parts, uint8_t *out, size_t len);

/* The constants a label begins with: digits of e. */
enum mikey_constant {
	MIKEY_C_TEK = 0x2AD01C64, /* from TGK: RFC 3830 4.1.3 */
	MIKEY_C_TGK_AUTH = 0x1B5C7973,
	MIKEY_C_TGK_ENCR = 0x15798CEF,
	MIKEY_C_TGK_SALT = 0x39A2C14B,
	MIKEY_C_ENCR = 0x150533E1, /* for messages: RFC 3830 4.1.4 */
	MIKEY_C_AUTH = 0x2D22AC75,
	MIKEY_C_SALT = 0x29B88916,
	MIKEY_C_MPKR_FORKED = 0x2B288856, /* RFC 6043 5.1.1 */
	MIKEY_C_TGK_FORKED = 0x1512B54A,
	MIKEY_C_MPKI = 0x220E99A2, /* RFC 6043 A.2.2 */
	MIKEY_C_MPKR = 0x1F4D675B
};

/*
 * Where keys come from: a key, and the label behind its constant. Made by the functions below; views are borrowed.
 * The label: constant, cs, csb, then of RFC 3830 the RAND alone; of RFC 6043 a number, and values behind their lengths.
 */
struct mikey_source {
	enum mikey_prf prf;
	struct bytes inkey;
	uint8_t cs;
	uint32_t csb;
	bool plain;        /* RFC 3830: `value[0]` alone */
	uint8_t number;    /* RFC 6043: 0 forking, 1 init, 2 response, 3 traffic, 4 Vr, 5 ticket, 6 MPK */
	size_t values;     /* 0 to 2 */
	uint8_t length[2]; /* octets of the length before each: 1, or 2 */
	struct bytes value[2];
};

/* RFC 3830 4.1.3 and 4.1.4. */
struct mikey_source mikey_keys_3830_traffic(
	enum mikey_prf prf, struct bytes tgk, uint8_t cs, uint32_t csb, struct bytes rand);
struct mikey_source mikey_keys_3830_message(enum mikey_prf prf, struct bytes psk, uint32_t csb, struct bytes rand);
/* RFC 6043 5.1.2: what protects a message, or with `response` its answer. A RAND that is left out is empty. */
struct mikey_source mikey_keys_message(
	enum mikey_prf prf, struct bytes key, uint32_t csb, bool response, struct bytes randi, struct bytes randr);
/* RFC 6043 5.1.3: from TGK, TGK' or GTGK. */
struct mikey_source mikey_keys_traffic(
	enum mikey_prf prf, struct bytes tgk, uint8_t cs, struct bytes randi, struct bytes randr);
/* RFC 6043 5.1.1, 6.10 (Vr), A.2.1, A.2.2; the PRF is the ticket's. */
struct mikey_source mikey_keys_forked(enum mikey_prf prf, struct bytes key, struct bytes idr, struct bytes rand_kms);
struct mikey_source mikey_keys_initiator(enum mikey_prf prf, struct bytes mpkr);
struct mikey_source mikey_keys_ticket(enum mikey_prf prf, struct bytes tpk, struct bytes rand);
struct mikey_source mikey_keys_mpk(enum mikey_prf prf, struct bytes mpk, struct bytes rand);

/* `len` octets of the key that the constant stands for. */
bool mikey_keys_derive(const struct mikey_source *s, enum mikey_constant constant, uint8_t *out, size_t len);

/*
 * KEMAC's encrypted part (RFC 3830 4.2.3, RFC 6043 6.2). `csb` and `t` go into the IV of AES-CM. False with err: the algorithm
 * is not known, or it did not open (AES-KW), or what it held is no key data. What AES-KW wraps is filled up with zeroes to 8 octets.
 */
bool mikey_keys_seal(const struct mikey_source *s, uint8_t encr, uint32_t csb, const uint8_t t[8],
	const struct mikey_keys *k, struct buf *out, struct err *err);
bool mikey_keys_open(const struct mikey_source *s, uint8_t encr, uint32_t csb, const uint8_t t[8], struct bytes sealed,
	struct mikey_keys *out, struct err *err);

/* A MAC of parts under the auth_key that s gives; out holds mikey_mac_len octets. False for the NULL algorithm too. */
#define MIKEY_MAC_MAX 32
bool mikey_keys_mac(const struct mikey_source *s, uint8_t mac, const struct bytes *in, size_t parts, uint8_t *out);

/*
 * What a message's V (or SIGN) covers: the message but for that value, and of TRANSFER_INIT the length and content of Initiator
 * Data; then `behind`: identities, or the message that this one answers (RFC 6043 5.5). Returns how many parts were written; 0:
 * there is nothing to cover.
 */
#define MIKEY_PARTS 8
size_t mikey_keys_covered(
	const struct mikey *m, const struct bytes *behind, size_t behind_count, struct bytes out[MIKEY_PARTS]);
/* Of RFC 3830 pre-shared and DHHMAC: the message up to the MAC of KEMAC. Of the public-key method: KEMAC alone, `zero` in
 * place of its first octet (5.2). */
size_t mikey_keys_covered_kemac(const struct mikey *m, bool public_key, struct bytes out[MIKEY_PARTS]);

/* Compares the message's V with what it should be, in time that does not tell where they differ. */
bool mikey_keys_verify(
	const struct mikey *m, const struct mikey_source *s, const struct bytes *behind, size_t behind_count);
/* The same of the MAC of KEMAC. */
bool mikey_keys_verify_kemac(const struct mikey *m, const struct mikey_source *s, bool public_key);
/* Encodes m, whose last payload is V with a value of the right length, and fills its MAC in: appended to out. */
bool mikey_keys_sign(const struct mikey *m, const struct mikey_source *s, const struct bytes *behind,
	size_t behind_count, struct buf *out);

#endif
