/*
 * keys_policy: what TRANSFER_INIT and TRANSFER_RESP, or Otway-Rees messages 1 and 4, say of each crypto session. The answer's word
 * counts more than the offer's. Xk gives keys and salts alone (TS 33.107 7A.7), so the rest is read here.
 */
#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/mikey_transfer.h"
#include "otway/model/identity.h"
#include "otway/otway_rees.h"

#include "keys_parts.h"

static struct keys_session *session_of(struct keys_policy *p, uint8_t cs)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->sessions[i].cs == cs)
			return &p->sessions[i];
	if (p->count == KEYS_SESSIONS_MAX)
		return NULL;
	p->sessions[p->count] = (struct keys_session){ .cs = cs };
	return &p->sessions[p->count++];
}

static struct mikey *decoded(struct bytes in)
{
	struct mikey *m = in.len > 0 ? malloc(sizeof(*m)) : NULL;

	if (m != NULL && mikey_decode(in, m, NULL))
		return m;
	free(m);
	return NULL;
}

static void add_stream(const struct mikey_stream *from, struct keys_policy *out)
{
	struct keys_session *s = session_of(out, from->cs);

	if (s == NULL)
		return;
	s->srtp = from->protocol == 0;
	s->suite = from->key.suite;
	s->unencrypted_srtp = from->key.unencrypted_srtp;
	s->unencrypted_srtcp = from->key.unencrypted_srtcp;
	s->unauthenticated_srtp = from->key.unauthenticated_srtp;
	s->ssrc_set = from->has_ssrc;
	s->ssrc = from->ssrc;
	s->mki_len = from->key.mki_len;
	memcpy(s->mki, from->key.mki, from->key.mki_len);
}

/* The first policy of SRTP stands for sessions that no map lists. */
static void read_unmapped(const struct mikey_exchange *e, struct keys_policy *out)
{
	const struct mikey_payload *p = e->resp != NULL ? mikey_find(e->resp, MIKEY_SP, 0) : NULL;
	struct mikey_stream stream = { .cs = 0 };

	if (p == NULL && e->init != NULL)
		p = mikey_find(e->init, MIKEY_SP, 0);
	mikey_suite_read(
		p != NULL ? p->sp.params : (struct bytes){ NULL, 0 }, &stream.key, &stream.key_len, &stream.salt_len);
	add_stream(&stream, out);
}

static bool exotic(const struct mikey *m)
{
	struct srtp_key suite;
	uint8_t key_len, salt_len;

	for (size_t i = 0; m != NULL && i < m->count; i++) {
		if (m->payloads[i].type != MIKEY_SP || m->payloads[i].sp.protocol != 0)
			continue;
		mikey_suite_read(m->payloads[i].sp.params, &suite, &key_len, &salt_len);
		if (suite.suite == SUITE_UNSUPPORTED)
			return true;
	}
	return false;
}

/* Where no policy is one that nothing here opens, a suite that is not there is only not decided: the answer was not seen. */
static void leave_open(const struct mikey_exchange *e, size_t count, struct keys_policy *out)
{
	for (size_t i = 0; i < count; i++)
		if (exotic(e[i].init) || exotic(e[i].resp))
			return;
	for (size_t i = 0; i < out->count; i++)
		if (out->sessions[i].suite == SUITE_UNSUPPORTED)
			out->sessions[i].suite = SUITE_NONE;
}

/* An update (RFC 6043 5.2) says only what changes: the first exchange says the rest. */
static void read_exchanges(const struct mikey_exchange *e, size_t count, struct keys_policy *out)
{
	struct mikey_stream *streams = calloc(MIKEY_STREAMS, sizeof(*streams));
	size_t found = streams != NULL ? mikey_read_sessions(e, count, streams) : 0;

	for (size_t i = 0; i < found; i++)
		add_stream(&streams[i], out);
	out->mapped = found > 0;
	leave_open(e, count, out);
	if (found == 0)
		read_unmapped(&e[count - 1], out);
	free(streams);
}

static void read_mikey(const struct key_wanted *w, struct keys_policy *out)
{
	struct mikey *all[] = { decoded(w->first_offer), decoded(w->first_answer), decoded(w->offer),
		decoded(w->answer) };
	struct mikey_exchange e[2];
	size_t count = 0;

	for (size_t i = 0; i < 4; i += 2)
		if (all[i] != NULL)
			e[count++] = (struct mikey_exchange){ all[i], all[i + 1] };
	out->known = count > 0;
	if (count > 0)
		read_exchanges(e, count, out);
	for (size_t i = 0; i < 4; i++)
		free(all[i]);
}

static bool same_user(struct bytes a, struct bytes b)
{
	struct identity x, y;
	bool same = identity_parse(a, &x) && identity_parse(b, &y) && identity_same(&x, &y);

	identity_clear(&x);
	identity_clear(&y);
	return same;
}

/* otway_rees.h: odd ones protect what A sends. */
static enum toward toward_of(const struct key_wanted *w, struct bytes a, uint8_t cs)
{
	bool odd = (cs & 1) != 0;

	if (same_user(a, w->from))
		return odd ? TOWARD_CALLEE : TOWARD_CALLER;
	if (same_user(a, w->to) || same_user(a, w->answered))
		return odd ? TOWARD_CALLER : TOWARD_CALLEE;
	return TOWARD_UNKNOWN;
}

static void read_otway_rees(const struct key_wanted *w, struct keys_policy *out)
{
	const struct bytes messages[] = { w->answer, w->offer };
	struct or_message *m = malloc(sizeof(*m));

	for (size_t i = 0; m != NULL && i < 2; i++) {
		if (messages[i].len == 0 || or_read(messages[i], m, NULL) != 0)
			continue;
		out->known = out->mapped = true;
		for (size_t s = 0; s < m->session_count; s++) {
			bool said = keys_policy_of(out, m->sessions[s].cs) != NULL;
			struct keys_session *to = said ? NULL : session_of(out, m->sessions[s].cs);
			size_t at = m->sessions[s].mki_len;

			if (to == NULL) /* the answer's word stands */
				continue;
			to->srtp = true;
			to->suite = m->sessions[s].suite;
			to->toward = toward_of(w, m->a, to->cs);
			to->mki_len = (uint8_t)at;
			memcpy(to->mki, m->sessions[s].mki, at);
		}
	}
	free(m);
}

void keys_policy_read(const struct key_wanted *w, struct keys_policy *out)
{
	memset(out, 0, sizeof(*out));
	if (w->protocol == KEY_MGMT_OTWAY_REES)
		read_otway_rees(w, out);
	else
		read_mikey(w, out);
}

const struct keys_session *keys_policy_of(const struct keys_policy *p, uint8_t cs)
{
	if (p->known && !p->mapped)
		return &p->sessions[0];
	for (size_t i = 0; i < p->count; i++)
		if (p->sessions[i].cs == cs)
			return &p->sessions[i];
	return NULL;
}

/* A claimed key may have its salt behind it, as GStreamer writes a TEK. */
static bool is_given(const struct mikey_payload *claimed, const struct xk_answer *a)
{
	for (size_t i = 0; i < a->key_count; i++) {
		const struct xk_key *k = &a->keys[i];
		struct bytes salt = bytes_part(claimed->key.key, k->key_len, SIZE_MAX);

		if (bytes_equal(bytes_part(claimed->key.key, 0, k->key_len), (struct bytes){ k->key, k->key_len }) &&
			(salt.len == 0 || bytes_equal(salt, (struct bytes){ k->salt, k->salt_len })))
			return true;
	}
	return false;
}

/* A KEMAC that is not encrypted (RFC 3830 6.2): anybody on the way can have written it. */
static bool claims(struct bytes message, const struct xk_answer *a, struct mikey_payload *inside)
{
	struct mikey *m = decoded(message);
	const struct mikey_payload *kemac = m != NULL ? mikey_find(m, MIKEY_KEMAC, 0) : NULL;
	long count = kemac != NULL && kemac->kemac.encr == MIKEY_ENCR_NULL
			     ? mikey_inside(kemac->kemac.data, MIKEY_KEY, inside, NULL)
			     : 0;
	bool other = false;

	for (long i = 0; i < count; i++)
		other = other || !is_given(&inside[i], a);
	free(m);
	return other;
}

bool keys_policy_claims(const struct key_wanted *w, const struct xk_answer *a)
{
	struct mikey_payload *inside;
	bool other;

	if (w->protocol != KEY_MGMT_MIKEY)
		return false;
	inside = calloc(MIKEY_PAYLOADS, sizeof(*inside));
	other = inside != NULL && (claims(w->offer, a, inside) || claims(w->answer, a, inside));
	free(inside);
	return other;
}
