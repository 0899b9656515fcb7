/* sip: the stage: one datagram in, its messages out, what libosip2 refuses counted. */
#include "otway/sip.h"

#include "framer.h"
#include "parts.h"

#include <stdlib.h>

enum { COUNT_SIP, COUNT_BAD, COUNT_SDP, COUNT_SDP_BAD, COUNTS };

#define PORT_WORDS (65536 / 64)

struct sip {
	struct framer *framer;
	const struct datagram *in; /* NULL: all of it is out */
	struct datagram framed;    /* the message in hand, when it came out of a stream */
	struct codings codings;    /* the body of the message in hand, when it came coded */
	char *kms_header;
	uint64_t *ports; /* a bit for each that is looked at; NULL: all are */
	uint64_t other_port;
	uint64_t count[COUNTS];
	uint64_t whole;             /* messages, whether or not anybody read them */
	struct sip_message message; /* large, and used again and again */
};

struct sip *sip_new(const char *kms_header)
{
	struct sip *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->framer = framer_new();
	if (s->framer == NULL || (kms_header != NULL && (s->kms_header = strdup(kms_header)) == NULL)) {
		sip_free(s);
		return NULL;
	}
	parse_init();
	return s;
}

void sip_free(struct sip *s)
{
	if (s == NULL)
		return;
	message_clear(&s->message);
	codings_clear(&s->codings);
	framer_free(s->framer);
	free(s->kms_header);
	free(s->ports);
	free(s);
}

bool sip_ports(struct sip *s, const uint16_t *ports, size_t count)
{
	uint64_t *bits = count > 0 ? calloc(PORT_WORDS, sizeof(*bits)) : NULL;

	if (count > 0 && bits == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		bits[ports[i] / 64] |= UINT64_C(1) << (ports[i] % 64);
	free(s->ports);
	s->ports = bits;
	return true;
}

static bool looked_at(const struct sip *s, const struct flow *f)
{
	return s->ports == NULL ||
	       ((s->ports[f->src.port / 64] >> (f->src.port % 64) | s->ports[f->dst.port / 64] >> (f->dst.port % 64)) &
		       1) != 0;
}

/* A port that is not looked at. What is SIP there is counted; TLS may be what the configuration forgot. */
static void pass_over(struct sip *s, const struct datagram *in, bool segment)
{
	s->in = NULL;
	s->other_port += segment ? framer_pass(s->framer, in) : sip_is(in->payload);
	framer_time(s->framer, in->at);
}

void sip_take(struct sip *s, const struct datagram *in)
{
	bool segment = in->proto != IP_PROTO_UDP && !in->framed && in->header > 0;

	if (!looked_at(s, &in->flow)) {
		pass_over(s, in, segment);
		return;
	}
	s->in = segment ? NULL : in;
	if (segment)
		framer_take(s->framer, in);
	else
		framer_time(s->framer, in->at);
}

void sip_time(struct sip *s, nsec_t at)
{
	framer_time(s->framer, at);
}

void sip_end(struct sip *s)
{
	framer_end(s->framer);
}

/* What came out of streams before what came in whole: it was sent earlier. NULL: there is none left. */
static const struct datagram *next_datagram(struct sip *s)
{
	const struct datagram *in = s->in;

	if (framer_next(s->framer, &s->framed))
		return &s->framed;
	s->in = NULL;
	return in;
}

bool sip_whole(struct sip *s, const struct datagram **out)
{
	if (s->message.datagram != NULL)
		message_clear(&s->message);
	while ((*out = next_datagram(s)) != NULL) {
		if (!sip_is((*out)->payload))
			continue;
		s->count[COUNT_SIP]++;
		s->whole++;
		return true;
	}
	return false;
}

/* What a message is counted as. A truncated one cannot be whole, and libosip2 is not asked about it. */
static void count(struct sip *s, const struct reading *r, bool followed)
{
	const struct sip_message *m = r->message;
	bool good = m->truncated || (followed && !r->bad && parse_accepts(m->text));

	s->count[COUNT_SIP] -= !followed;
	s->count[COUNT_BAD] += !good;
	s->count[COUNT_SDP] += followed && m->has_sdp;
	s->count[COUNT_SDP_BAD] += followed && r->sdp_bad && !m->truncated;
}

const struct sip_message *sip_read(struct sip *s, const struct datagram *whole)
{
	struct reading r = { .message = &s->message, .kms_header = s->kms_header, .codings = &s->codings };
	bool followed;

	message_clear(&s->message);
	followed = message_read(whole, &r);
	count(s, &r, followed);
	return followed ? &s->message : NULL;
}

bool sip_next(struct sip *s, const struct sip_message **out)
{
	const struct datagram *whole;

	while (sip_whole(s, &whole))
		if ((*out = sip_read(s, whole)) != NULL)
			return true;
	return false;
}

size_t sip_counts(const struct sip *s, struct counter *out, size_t max)
{
	static const char *const names[COUNTS] = { "sip", "sip_bad", "sdp", "sdp_bad" };
	size_t n;

	for (n = 0; n < COUNTS && n < max; n++)
		out[n] = (struct counter){ names[n], s->count[n] };
	if (n < max)
		out[n++] = (struct counter){ "sip_other_port", s->other_port };
	return n + framer_counts(s->framer, out + n, max - n);
}

size_t sip_counts_capture(const struct sip *s, struct counter *out, size_t max)
{
	if (max < 2)
		return 0;
	out[0] = (struct counter){ "sip", s->whole };
	out[1] = (struct counter){ "sip_other_port", s->other_port };
	return 2 + framer_counts(s->framer, out + 2, max - 2);
}
