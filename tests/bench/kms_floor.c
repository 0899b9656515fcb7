/* kms_floor: see its header. Contexts are made once: only what depends on keys and octets is done each time. */
#include "kms_floor.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL  40
#define SECRET 64 /* octets of key data in a KEMAC */

static unsigned char octets[65536], out[65536];

static void check(int done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(2);
}

static void hmac(const char *digest, size_t len)
{
	static EVP_MAC_CTX *sha1, *sha256;
	EVP_MAC_CTX **ctx = strcmp(digest, "SHA1") == 0 ? &sha1 : &sha256;
	OSSL_PARAM params[2] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
		OSSL_PARAM_construct_end() };
	bool first = *ctx == NULL;
	size_t made;

	if (first)
		*ctx = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
	check(EVP_MAC_init(*ctx, octets, 20, first ? params : NULL) == 1 && EVP_MAC_update(*ctx, octets, len) == 1 &&
			EVP_MAC_final(*ctx, out, &made, sizeof(out)) == 1,
		"HMAC");
}

static void cipher(bool gcm, size_t len)
{
	static EVP_CIPHER_CTX *contexts[2];
	EVP_CIPHER_CTX **ctx = &contexts[gcm];
	bool first = *ctx == NULL;
	int made;

	if (first)
		*ctx = EVP_CIPHER_CTX_new();
	check(EVP_EncryptInit_ex(*ctx,
		      !first ? NULL
		      : gcm  ? EVP_aes_256_gcm()
			     : EVP_aes_128_ctr(),
		      NULL, octets, octets) == 1 &&
			EVP_EncryptUpdate(*ctx, out, &made, octets, (int)len) == 1 &&
			EVP_EncryptFinal_ex(*ctx, out + made, &made) == 1,
		"a cipher");
	if (gcm)
		check(EVP_CIPHER_CTX_ctrl(*ctx, EVP_CTRL_AEAD_GET_TAG, 16, out) == 1, "a tag");
}

void floor_run(const struct floor *f)
{
	for (unsigned i = 0; i < f->labels_sha1; i++)
		hmac("SHA1", LABEL);
	for (unsigned i = 0; i < f->labels_sha256; i++)
		hmac("SHA256", LABEL);
	for (size_t i = 0; i < sizeof(f->macs) / sizeof(f->macs[0]); i++)
		if (f->macs[i] > 0)
			hmac("SHA1", f->macs[i]);
	for (unsigned i = 0; i < f->ciphers; i++)
		cipher(false, SECRET);
	for (unsigned i = 0; i < f->gcms; i++)
		cipher(true, f->gcm_octets);
}

static SSL_CTX *contexts[2];

static SSL_CTX *side(const SSL_METHOD *method, const char *certs, const char *who)
{
	SSL_CTX *c = SSL_CTX_new(method);
	char ca[512], cert[512], key[512];

	snprintf(ca, sizeof(ca), "%s/one.ca.pem", certs);
	snprintf(cert, sizeof(cert), "%s/one.%s.pem", certs, who);
	snprintf(key, sizeof(key), "%s/one.%s.key", certs, who);
	check(c != NULL && SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
			SSL_CTX_load_verify_locations(c, ca, NULL) == 1 &&
			SSL_CTX_use_certificate_chain_file(c, cert) == 1 &&
			SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) == 1,
		certs);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c, 0);
	return c;
}

void floor_tls_begin(const char *certs)
{
	contexts[0] = side(TLS_client_method(), certs, "li");
	contexts[1] = side(TLS_server_method(), certs, "kms");
}

void floor_tls(void)
{
	SSL *client = SSL_new(contexts[0]), *server = SSL_new(contexts[1]);
	BIO *a = NULL, *b = NULL;
	int done = 0;

	check(client != NULL && server != NULL && BIO_new_bio_pair(&a, 0, &b, 0) == 1, "TLS");
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10 && done != 2; i++)
		done = (SSL_do_handshake(client) == 1) + (SSL_do_handshake(server) == 1);
	check(done == 2, "a TLS handshake");
	SSL_free(client);
	SSL_free(server);
}
