/*
 * tls: TLS 1.3 with certificates on both sides (TS 33.107 7A.7.4, TS 33.310). Whoever cannot do that is not spoken to; there is no
 * other version, no session resumed, and no fall-back.
 */
#include "io.h"

#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

struct tls {
	SSL_CTX *context;
	enum tls_side side;
	int watches; /* where a watch is kept beside its SSL */
};

/* OpenSSL's own words for what went wrong last. */
static const char *tls_why(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return why != NULL ? why : "unknown reason";
}

static int files_load(SSL_CTX *context, const struct tls_files *f, struct err *err)
{
	if (f->ca == NULL || f->cert == NULL || f->key == NULL)
		return err_code(
			err, EXIT_USAGE, "TLS needs three PEM files: the CA to believe, our certificate and its key");
	if (file_private(f->key, err) < 0)
		return -1;
	if (SSL_CTX_load_verify_locations(context, f->ca, NULL) != 1)
		return err_set(err, "%s: no CA certificate in PEM: %s", f->ca, tls_why());
	if (SSL_CTX_use_certificate_chain_file(context, f->cert) != 1)
		return err_set(err, "%s: no certificate in PEM: %s", f->cert, tls_why());
	if (SSL_CTX_use_PrivateKey_file(context, f->key, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
			ERR_clear_error();
			return err_set(err, "%s: this key is not that of the certificate %s", f->key, f->cert);
		}
		return err_set(err, "%s: no private key in PEM: %s", f->key, tls_why());
	}
	if (SSL_CTX_check_private_key(context) != 1)
		return err_set(err, "%s: this key is not that of the certificate %s", f->key, f->cert);
	return 0;
}

/* Head and body go in records of their own: the second must not wait until the first is acknowledged. */
static void send_at_once(const SSL *ssl)
{
	const int on = 1;

	setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* We break off when we are the one who sends the fatal alert. */
static void on_progress(const SSL *ssl, int where, int value)
{
	bool *refused = SSL_get_app_data(ssl);

	if ((where & SSL_CB_HANDSHAKE_START) != 0)
		send_at_once(ssl);
	if (refused != NULL && (where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && value >> 8 == SSL3_AL_FATAL)
		*refused = true;
}

static void on_freed(void *ssl, void *watch, CRYPTO_EX_DATA *data, int place, long number, void *arg)
{
	struct tls_watch *w = watch;

	(void)ssl;
	(void)data;
	(void)place;
	(void)number;
	(void)arg;
	if (w != NULL)
		w->gone(w);
}

void http_prepare(void)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
	SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
}

int tls_new(struct tls **out, enum tls_side side, const struct tls_files *files, struct err *err)
{
	struct tls *t = calloc(1, sizeof(*t));
	SSL_CTX *context = SSL_CTX_new(side == TLS_CLIENT ? TLS_client_method() : TLS_server_method());

	if (t == NULL || context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
		free(t);
		SSL_CTX_free(context);
		return err_set(err, "TLS cannot be started: %s", tls_why());
	}
	*t = (struct tls){ context, side,
		side == TLS_SERVER ? SSL_get_ex_new_index(0, NULL, NULL, NULL, on_freed) : -1 };
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT); /* keys come in, and are not to stay in its buffers */
	SSL_CTX_set_info_callback(context, on_progress);
	SSL_CTX_set_purpose(context, side == TLS_CLIENT ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
	if (files_load(context, files, err) < 0) {
		tls_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

/* The name or the address that the certificate must bear (RFC 6125), not the common name. */
static bool host_demand(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *demand = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(
		demand, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(demand, host) == 1)
		return true;
	return X509_VERIFY_PARAM_set1_host(demand, host, 0) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct bufferevent *tls_bufferevent(struct tls *t, struct loop *l, const char *host, bool *refused)
{
	SSL *ssl = SSL_new(t->context);
	struct bufferevent *b;

	if (ssl == NULL || (host != NULL && !host_demand(ssl, host))) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_app_data(ssl, refused);
	b = bufferevent_openssl_socket_new(loop_base(l), -1, ssl,
		t->side == TLS_CLIENT ? BUFFEREVENT_SSL_CONNECTING : BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (b == NULL)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(b, 1); /* HTTP says itself where a body ends */
	return b;
}

bool tls_is_ready(struct bufferevent *b)
{
	SSL *ssl = bufferevent_openssl_get_ssl(b);

	return ssl != NULL && SSL_is_init_finished(ssl);
}

bool tls_watch(struct tls *t, struct bufferevent *b, struct tls_watch *w)
{
	return t->watches >= 0 && SSL_set_ex_data(bufferevent_openssl_get_ssl(b), t->watches, w) == 1;
}

struct tls_watch *tls_watched(const struct tls *t, struct bufferevent *b)
{
	SSL *ssl = bufferevent_openssl_get_ssl(b);

	return ssl != NULL && t->watches >= 0 ? SSL_get_ex_data(ssl, t->watches) : NULL;
}

/* The only one there is; of several nobody knows which the CA has looked at. */
static ASN1_STRING *common_name(X509 *peer)
{
	const X509_NAME *subject = X509_get_subject_name(peer);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return NULL;
	return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

char *tls_peer_name(struct bufferevent *b, char *out, size_t size)
{
	SSL *ssl = b != NULL ? bufferevent_openssl_get_ssl(b) : NULL;
	X509 *peer = ssl != NULL ? SSL_get0_peer_certificate(ssl) : NULL;
	ASN1_STRING *name = peer != NULL ? common_name(peer) : NULL;
	unsigned char *text = NULL;
	int len = name != NULL ? ASN1_STRING_to_UTF8(&text, name) : -1;
	bool plain = len > 0 && (size_t)len < size;

	for (int i = 0; plain && i < len; i++)
		plain = text[i] >= ' ' && text[i] != 0x7f;
	text_copy((struct bytes){ text, plain ? (size_t)len : 0 }, out, size);
	OPENSSL_free(text);
	return out;
}
