/* kms_floor: the cryptography that an exchange with a KMS cannot do without, by libcrypto alone; and a handshake of TLS 1.3. */
#ifndef TESTS_BENCH_KMS_FLOOR_H
#define TESTS_BENCH_KMS_FLOOR_H

#include <stddef.h>

/* So many HMACs of 40 octets (labels), HMACs of messages of so many octets, keys through AES-CTR, seals of AES-GCM. */
struct floor {
	unsigned labels_sha1, labels_sha256;
	size_t macs[4];
	unsigned ciphers, gcms;
	size_t gcm_octets; /* of each call */
};
void floor_run(const struct floor *f);

/* Both ends of one handshake with certificates on both sides, in memory. The folder is that of support/certs.py. */
void floor_tls_begin(const char *certs);
void floor_tls(void);

#endif
