/*
 * otway_rees: key management after Otway and Rees, as TR 33.828 7.4 outlines it: a Key Management Service shares a key with every
 * user, makes the master media key of a call and hands it to both parties in envelopes that only each of them opens.
 *
 * THIS ENCODING IS OUR RECONSTRUCTION. The report gives the idea, not the octets; no interoperability with anything else is
 * claimed. A profile of its own, beside MIKEY-TICKET, that a published one can replace.
 *
 *   1  A -> R    M, A, B, {1, Na, M, A, B}Kas                  a=key-mgmt of the offer
 *   2  R -> KMS  M, A, B, R, {1, …}Kas, {2, Nb, M, A, B, R}Kbs HTTPS
 *   3  KMS -> R  M, A, B, R, Nr, {3, Na, R, Nr, K}Kas, {4, Nb, R, Nr, K}Kbs
 *   4  R -> A    M, A, B, R, Nr, {3, …}Kas                     a=key-mgmt of the answer
 *   5  KMS -> R  M, error                                      instead of 3
 *
 * The number in an envelope tells its type and is authenticated, so that none can be taken for another (the type flaw of the
 * protocol as published). B is who is called; R who answers, B itself or whom the call was diverted to: the KMS answers only when
 * the policy of B, or of the operator, lets R answer for B.
 *
 * In SDP (RFC 4567): a=key-mgmt:otway-rees BASE64, at the level of the session (for every m-line) or of one m-line.
 *
 * A message: "OR" 0x01 TYPE(1) M(16), then fields TYPE(1) LENGTH(2) VALUE in rising order of type, each at most once. Integers
 * are big-endian, identities URIs in UTF-8 of 1 to 255 octets. Fields of a type below 0x80 that are not known, or that the table
 * below does not give to this message, refuse it; others are passed over. At most 8,192 octets.
 *
 *   0x01 A   0x02 B   0x03 R   0x04 KMS identity (message 1, may be absent: then kms@domain of A)
 *   0x05 policy: for each crypto session CS(1) SUITE(1) MKILEN(1) MKI, CS strictly rising, from 1 on. In 2 and 3 as in 1,
 *        octet for octet (the KMS checks it by P); in 4 those entries of it, unchanged, that R accepts
 *   0x06 M of the run that this one re-keys (16)          0x07 Call-ID of the dialog (message 2)
 *   0x08 Nr (16)     0x10 A's envelope     0x11 R's envelope     0x12 error (1)
 *   SUITE: 1 AES_CM_128_HMAC_SHA1_80, 2 AES_CM_128_HMAC_SHA1_32, 3 AES_256_CM_HMAC_SHA1_80, 4 AES_256_CM_HMAC_SHA1_32,
 *   5 AEAD_AES_128_GCM, 6 AEAD_AES_256_GCM
 *   required: 1: A B policy 0x10;  2: A B R policy Call-ID 0x10 0x11;  3: A B R policy Nr 0x10 0x11;  4: A B R policy Nr 0x10;
 *   5: error. KMS identity and prior M wherever message 1 had them, in 2 to 4 too.
 *   Errors: 1 unknown user, 2 not authenticated (an envelope does not open or does not fit), 3 R may not answer for B,
 *   4 M was used before (by another run, or by one that is purged), 5 malformed.
 *
 * An envelope: nonce(12, random), then AES-256-GCM ciphertext and tag(16). With id = LENGTH(2) and octets of an identity:
 *   key   HKDF-SHA-256(secret = PSK of the user, salt = M, info = "otway-rees 1 envelope" id of the user), 32 octets
 *   AAD   "OR" 0x01 E(1) M idA idB, where E is the envelope's type 1 to 4
 *   plain E=1: 0x01 Na(16) M idA idB P(32)          P: SHA-256 of message 1's fields 0x04, 0x05, 0x06 as encoded, in this order
 *         E=2: 0x02 Nb(16) M idA idB idR            E=3: 0x03 Na(16) idR Nr(16) K(32)      E=4: 0x04 Nb(16) idR Nr(16) K(32)
 *
 * The KMS draws a root key of 32 octets for each (M, A) and Nr for each (M, R); asked again for the same (M, R) it gives the same.
 * The leg key K = HKDF-SHA-256(root, salt = Nr, info = "otway-rees 1 leg" idR), 32 octets: every answering leg has its own, and
 * none tells that of another.
 * SRTP master key and salt of crypto session CS under SUITE: HKDF-SHA-256(K, salt = M, info = "otway-rees 1 srtp" CS SUITE), as
 * many octets as the suite's master key, then its master salt. Of the n-th m-line the message is for (from 0), CS 2n + 1 protects
 * what A sends and CS 2n + 2 what R sends; SRTCP is under the same master key as its SRTP.
 * Re-keying: either side, now A, runs it anew with another M and field 0x06. The diverted-to party may then not be B's any more:
 * B of a re-keying is the other party of the dialog.
 */
#ifndef OTWAY_OTWAY_REES_H
#define OTWAY_OTWAY_REES_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/model/srtp_key.h"

#define OR_NONCE 16
#define OR_KEY 32
#define OR_ID_MAX 255
#define OR_SESSIONS 32
#define OR_MESSAGE_MAX 8192

enum or_type { OR_OFFER = 1, OR_REQUEST, OR_RESPONSE, OR_ANSWER, OR_ERROR };
enum or_error { OR_UNKNOWN_USER = 1, OR_AUTHENTICATION, OR_NOT_AUTHORISED, OR_REPLAYED, OR_MALFORMED };

struct or_session {
	uint8_t cs;
	enum srtp_suite suite; /* SUITE_UNSUPPORTED: a number this does not know */
	uint8_t suite_number, mki_len;
	uint8_t mki[MKI_MAX];
};

/* A message taken apart: views into it. A field that is not there is empty. */
struct or_message {
	enum or_type type;
	struct bytes m, a, b, r, kms, prior, call_id, nr, envelope_a, envelope_r;
	struct bytes policy_octets; /* 0x04, 0x05 and 0x06 as encoded are contiguous: what P is the hash of */
	struct or_session sessions[OR_SESSIONS];
	size_t session_count;
	uint8_t error;
};

/* -1 with err: what is wrong, at which octet. */
int or_read(struct bytes in, struct or_message *out, struct err *err);
/* Appends; policy_octets is not read. -1: what is required is missing or too long. */
int or_write(const struct or_message *m, struct buf *out, struct err *err);

/* The envelope key of a user in the run M. */
bool or_envelope_key(struct bytes psk, struct bytes m, struct bytes identity, uint8_t out[OR_KEY]);

/* What an envelope holds; of type 1: na = nonce and p; 2: nonce and r; 3 and 4: nonce, r, nr, k. */
struct or_sealed {
	uint8_t type;
	uint8_t nonce[OR_NONCE], p[32], nr[OR_NONCE], k[OR_KEY];
	uint8_t r[OR_ID_MAX];
	size_t r_len;
};
/* Seals for the run of m (its M, A, B); appends. False: the system gives no random octets. */
bool or_seal(const struct or_message *m, const uint8_t key[OR_KEY], const struct or_sealed *in, struct buf *out);
/* Opens one of `type`; false: not under this key, not of this run, not of this type. Wipe *out. */
bool or_open(const struct or_message *m, const uint8_t key[OR_KEY], uint8_t type, struct bytes envelope, struct or_sealed *out);

/* K of the leg that r answers. */
bool or_leg_key(const uint8_t root[OR_KEY], struct bytes nr, struct bytes r, uint8_t out[OR_KEY]);
/* SRTP master key, salt and MKI of one crypto session; false: a suite that is not known. */
bool or_srtp_key(const uint8_t k[OR_KEY], struct bytes m, const struct or_session *s, struct srtp_key *out);

#endif
