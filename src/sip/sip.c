/* sip: the stage: one datagram in, its messages out, what libosip2 refuses counted. */
#include "otway/sip.h"

#include "parts.h"

#include <stdlib.h>

enum { COUNT_SIP, COUNT_BAD, COUNT_SDP, COUNT_SDP_BAD, COUNTS };

struct sip {
	const struct datagram *in; /* NULL: all of it is out */
	char *kms_header;
	uint64_t count[COUNTS];
	struct sip_message message; /* large, and used again and again */
};

struct sip *sip_new(const char *kms_header)
{
	struct sip *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if (kms_header != NULL && (s->kms_header = strdup(kms_header)) == NULL) {
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
	free(s->kms_header);
	free(s);
}

void sip_take(struct sip *s, const struct datagram *in)
{
	s->in = in;
}

/* What a message is counted as. A truncated one cannot be whole, and libosip2 is not asked about it. */
static void count(struct sip *s, const struct reading *r, bool followed)
{
	const struct sip_message *m = r->message;
	bool good = m->truncated || (followed && !r->bad && parse_accepts(m->text));

	s->count[COUNT_SIP] += followed;
	s->count[COUNT_BAD] += !good;
	if (!followed || !m->has_sdp)
		return;
	s->count[COUNT_SDP]++;
	s->count[COUNT_SDP_BAD] += !m->truncated && !media_desc_accepts(r->sdp);
}

bool sip_next(struct sip *s, const struct sip_message **out)
{
	struct reading r = { .message = &s->message, .kms_header = s->kms_header };
	const struct datagram *in = s->in;
	bool followed;

	message_clear(&s->message);
	s->in = NULL;
	if (in == NULL || !sip_is(in->payload))
		return false;
	followed = message_read(in, &r);
	count(s, &r, followed);
	*out = &s->message;
	return followed;
}

size_t sip_counts(const struct sip *s, struct counter *out, size_t max)
{
	static const char *const names[COUNTS] = { "sip", "sip_bad", "sdp", "sdp_bad" };
	size_t n;

	for (n = 0; n < COUNTS && n < max; n++)
		out[n] = (struct counter){ names[n], s->count[n] };
	return n;
}
