/*
 * unseal_openssl: counter mode and HMAC-SHA1 (RFC 3711, RFC 6188) on OpenSSL, where libsrtp2 goes a way of its own: as
 * Debian 12 builds it, 2.5.0 derives other session keys from a master key of 192 bits than RFC 6188 7.4 prints. Senders
 * of both kinds are in the field, so this is asked first and libsrtp2 then. It keeps no state between packets.
 * For unseal.c alone.
 */
#ifndef OTWAY_MEDIA_UNSEAL_OPENSSL_H
#define OTWAY_MEDIA_UNSEAL_OPENSSL_H

#include "unseal.h"

struct unseal_openssl;

struct unseal_openssl *unseal_openssl_new(const struct srtp_key *key); /* not for AEAD; NULL: out of memory */
void unseal_openssl_free(struct unseal_openssl *o);                    /* wipes */

/* In: the packet without its MKI, `len` octets in p->out; verified and decrypted there. */
enum unseal_fate unseal_openssl_open(struct unseal_openssl *o, struct unseal_packet *p, size_t len);

#endif
