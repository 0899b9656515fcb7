/* sdp: descriptions of media, packed. */
#include "sdp.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

/* A copy of `count` things; *ok turns false when memory is out. */
static void *copy_of(const void *from, size_t count, size_t size, bool *ok)
{
	void *to = count > 0 ? malloc(count * size) : NULL;

	if (to != NULL)
		memcpy(to, from, count * size);
	else if (count > 0)
		*ok = false;
	return to;
}

static bool line_copy(struct sdp_line *to, const struct media_line *from)
{
	bool ok = true;

	*to = (struct sdp_line){
		.rtp = from->rtp,
		.rtcp = from->rtcp,
		.rtcp_mux = from->rtcp_mux,
		.bundled = from->bundled,
		.secure = from->secure,
		.dtls = from->dtls,
		.zrtp = from->zrtp,
		.mikey = from->mikey,
		.format_count = from->format_count,
		.crypto_count = from->crypto_count,
		.candidate_count = from->candidate_count,
	};
	memcpy(to->kind, from->kind, sizeof(to->kind));
	memcpy(to->profile, from->profile, sizeof(to->profile));
	to->formats = copy_of(from->formats, from->format_count, sizeof(*from->formats), &ok);
	to->cryptos = copy_of(from->cryptos, from->crypto_count, sizeof(*from->cryptos), &ok);
	to->candidates = copy_of(from->candidates, from->candidate_count, sizeof(*from->candidates), &ok);
	return ok;
}

static size_t octets_of(const struct sip_message *m)
{
	size_t octets = sizeof(struct sdp) + m->sdp.line_count * sizeof(struct sdp_line);

	for (size_t i = 0; i < m->sdp.line_count; i++) {
		const struct media_line *l = &m->sdp.lines[i];

		octets += l->format_count * sizeof(l->formats[0]) + l->crypto_count * sizeof(l->cryptos[0]) +
			  l->candidate_count * sizeof(l->candidates[0]) + l->key_mgmt.len + l->otway_rees.len;
	}
	return octets;
}

/* What is no base64, or longer than any message, is no message. False: out of memory. */
static bool token_add(struct sdp *s, struct bytes base64, enum key_mgmt protocol, uint32_t line)
{
	size_t room = base64.len / 4 * 3 + 3;
	uint8_t *octets;
	long len;

	for (size_t i = 0; line == UINT32_MAX && i < s->token_count; i++)
		if (s->tokens[i].line == line && s->tokens[i].protocol == protocol)
			return true;
	if (base64.len == 0 || room > 2 * KEY_TOKEN_MAX || s->token_count == SDP_TOKENS)
		return true;
	if (s->tokens == NULL && (s->tokens = calloc(SDP_TOKENS, sizeof(*s->tokens))) == NULL)
		return false;
	octets = malloc(room);
	if (octets == NULL)
		return false;
	len = text_unbase64(base64, octets, room);
	if (len <= 0 || len > KEY_TOKEN_MAX) {
		secret_free(octets, room);
		return true;
	}
	s->tokens[s->token_count++] = (struct sdp_token){ protocol, line, { octets, (size_t)len } };
	return true;
}

static bool tokens_copy(struct sdp *s, size_t i, const struct media_line *from)
{
	uint32_t line = (uint32_t)i;

	return token_add(s, from->mikey ? from->key_mgmt : (struct bytes){ NULL, 0 }, KEY_MGMT_MIKEY,
		       from->mikey_of_session ? UINT32_MAX : line) &&
	       token_add(s, from->otway_rees, KEY_MGMT_OTWAY_REES, from->otway_rees_of_session ? UINT32_MAX : line);
}

struct sdp *sdp_new(const struct sip_message *m, size_t *total)
{
	size_t count = m->sdp.line_count, octets = octets_of(m);
	struct sdp *s = *total + octets <= SDP_OCTETS_MAX ? calloc(1, sizeof(*s) + count * sizeof(s->lines[0])) : NULL;
	bool ok = s != NULL;

	if (!ok)
		return NULL;
	s->octets = octets;
	s->total = total;
	*total += octets;
	for (size_t i = 0; ok && i < count; i++) {
		s->line_count++;
		ok = line_copy(&s->lines[i], &m->sdp.lines[i]) && tokens_copy(s, i, &m->sdp.lines[i]);
	}
	if (!ok) {
		sdp_free(s);
		return NULL;
	}
	s->hash = table_hash(m->body);
	return s;
}

void sdp_free(struct sdp *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->line_count; i++) {
		struct sdp_line *l = &s->lines[i];

		free(l->formats);
		if (l->cryptos != NULL)
			secret_free(l->cryptos, l->crypto_count * sizeof(*l->cryptos));
		free(l->candidates);
	}
	for (size_t i = 0; i < s->token_count; i++)
		secret_free((void *)s->tokens[i].octets.at, s->tokens[i].octets.len);
	free(s->tokens);
	*s->total -= s->octets;
	free(s);
}

bool sdp_is(const struct sdp *s, const struct sip_message *m)
{
	return s != NULL && s->hash == table_hash(m->body);
}
