/*
 * unseal_openssl: one master key made ready: counter mode with HMAC-SHA1 (RFC 3711, RFC 6188) and AES-GCM (RFC 7714) on OpenSSL. It
 * keeps no state between packets, and needs neither a file nor a library that is loaded later, so that a confined process has it too.
 * For unseal.c alone.
 */
#ifndef OTWAY_MEDIA_UNSEAL_OPENSSL_H
#define OTWAY_MEDIA_UNSEAL_OPENSSL_H

#include "unseal.h"

struct unseal_openssl;

/*
 * How session keys are made of a master key. libsrtp2, to 2.5.0 at least, derives those of a key of 192 bits as if key, salt and zeroes
 * behind them were a key of 256 bits and its salt: other ones than RFC 6188 7.4 prints. Senders of both kinds are in the field.
 */
enum unseal_derivation { UNSEAL_AS_STANDARD, UNSEAL_AS_LIBSRTP /* of 192 bits */ };

struct unseal_openssl *unseal_openssl_new(
	const struct srtp_key *key, enum unseal_derivation how); /* NULL: out of memory */
void unseal_openssl_free(struct unseal_openssl *o);              /* wipes */

/* In: the packet without its MKI, `len` octets in p->out, as many at least as the suite adds to an empty one; verified and decrypted
 * there. */
enum unseal_fate unseal_openssl_open(struct unseal_openssl *o, struct unseal_packet *p, size_t len);

#endif
