/* mikey_sessions: the crypto sessions that exchanges set up and change, as anybody can read them (RFC 6043 6.1.1). */
#include "mikey_make.h"

#include "otway/base/secret.h"

#define SRTP 0 /* Prot type */

const char *mikey_lack_text(enum mikey_lack l)
{
	static const char *const texts[MIKEY_LACKS] = { "keyed", "not-asked", "not-srtp", "no-such-key", "wants-randi",
		"wants-randr", "wants-fork", "wrong-length" };

	return l < MIKEY_LACKS ? texts[l] : "?";
}

void mikey_streams_clear(struct mikey_stream *s, size_t count)
{
	secret_wipe(s, count * sizeof(*s));
}

static struct mikey_stream *stream_of(struct mikey_stream *all, size_t *count, const struct mikey_cs *cs)
{
	struct mikey_stream *s;

	for (size_t i = 0; i < *count; i++)
		if (all[i].cs == cs->id)
			return &all[i];
	if (*count == MIKEY_STREAMS)
		return NULL;
	s = &all[(*count)++];
	memset(s, 0, sizeof(*s));
	s->cs = cs->id;
	s->lack = MIKEY_NOT_ASKED;
	s->key_len = 16; /* SRTP's, until a policy says otherwise */
	s->salt_len = 14;
	s->key.suite = SUITE_UNSUPPORTED;
	return s;
}

/* SSRC, and with S also ROC and SEQ; or nothing, and then what was said before stands. */
static void read_data(const struct mikey_cs *cs, struct mikey_stream *s)
{
	if (cs->protocol != SRTP || cs->data.len < 4)
		return;
	s->has_ssrc = true;
	s->ssrc = be32(cs->data.at);
	s->has_roc = cs->s && cs->data.len >= 10;
	if (s->has_roc) {
		s->roc = be32(cs->data.at + 4);
		s->seq = be16(cs->data.at + 8);
	}
}

static void read_spi(const struct mikey_cs *cs, struct mikey_stream *s)
{
	if (cs->spi.len == 0 || cs->spi.len > MKI_MAX)
		return;
	s->key.mki_len = (uint8_t)cs->spi.len;
	memcpy(s->key.mki, cs->spi.at, cs->spi.len);
}

static const struct mikey_payload *policy_in(const struct mikey *m, uint8_t number, uint8_t protocol)
{
	for (size_t i = 0; m != NULL && i < m->count; i++)
		if (m->payloads[i].type == MIKEY_SP && m->payloads[i].sp.number == number &&
			m->payloads[i].sp.protocol == protocol)
			return &m->payloads[i];
	return NULL;
}

/*
 * The policy of that number as the message at `at` of `all` means it.
 * Doubt: numbers are distinct for "the local peer" (RFC 3830 6.10), so that both sides may use one; and an answer may point at
 * the other's (RFC 6043 6.1.1). We look in the message itself, then in those before, the nearest first.
 */
static const struct mikey_payload *policy_of(
	const struct mikey *const *all, size_t at, uint8_t number, uint8_t protocol)
{
	for (size_t i = at + 1; i-- > 0;) {
		const struct mikey_payload *p = policy_in(all[i], number, protocol);

		if (p != NULL)
			return p;
	}
	return NULL;
}

/* One policy is agreed on; none or several are an offer that only an answer decides. */
static void read_policy(const struct mikey *const *all, size_t at, const struct mikey_cs *cs, struct mikey_stream *s)
{
	const struct mikey_payload *p;
	struct srtp_key suite;

	if (cs->protocol != SRTP || cs->policies.len != 1)
		return;
	p = policy_of(all, at, cs->policies.at[0], cs->protocol);
	if (p == NULL)
		return;
	mikey_suite_read(p->sp.params, &suite, &s->key_len, &s->salt_len);
	s->key.suite = suite.suite;
	s->key.unencrypted_srtp = suite.unencrypted_srtp;
	s->key.unencrypted_srtcp = suite.unencrypted_srtcp;
	s->key.unauthenticated_srtp = suite.unauthenticated_srtp;
}

static void read_map(const struct mikey *const *all, size_t at, struct mikey_stream *out, size_t *count)
{
	struct mikey_cs cs;

	if (all[at]->map_type != MIKEY_MAP_GENERIC)
		return;
	for (size_t i = 0; mikey_session(all[at], i, &cs); i++) {
		struct mikey_stream *s = stream_of(out, count, &cs);

		if (s == NULL)
			continue;
		s->protocol = cs.protocol;
		read_policy(all, at, &cs, s);
		read_data(&cs, s);
		read_spi(&cs, s);
	}
}

size_t mikey_read_sessions(const struct mikey_exchange *e, size_t count, struct mikey_stream out[MIKEY_STREAMS])
{
	const struct mikey *all[2 * MIKEY_EXCHANGES];
	size_t messages = 0, streams = 0;

	if (count > MIKEY_EXCHANGES)
		count = MIKEY_EXCHANGES;
	for (size_t i = 0; i < count; i++) {
		if (e[i].init != NULL)
			all[messages++] = e[i].init;
		if (e[i].resp != NULL)
			all[messages++] = e[i].resp;
	}
	for (size_t i = 0; i < messages; i++)
		read_map(all, i, out, &streams);
	return streams;
}
