/* parties: who calls whom. */
#include "calls.h"

#include "otway/base/text.h"

struct bytes uri_bare(struct bytes uri)
{
	const uint8_t *at = memchr(uri.at != NULL ? uri.at : (const uint8_t *)"", '@', uri.len);
	size_t host = at != NULL ? (size_t)(at - uri.at) : 0, end = host;

	/* A local number means nothing without its phone-context (RFC 3966 5.1.5). */
	if (text_begins(uri, "tel:") && !text_begins(uri, "tel:+"))
		return uri;
	while (end < uri.len && uri.at[end] != ';' && uri.at[end] != '?')
		end++;
	return bytes_part(uri, 0, end);
}

bool party_anonymous(const struct sip_party *p)
{
	static const char anonymous[] = "anonymous.invalid"; /* RFC 3323 4.1.1.3 */
	struct bytes id = bytes_of(p->id.uri);
	size_t len = sizeof(anonymous) - 1;

	if (id.len == 0 && p->id.number[0] == '\0')
		return true;
	return id.len >= len && text_is(bytes_part(id, id.len - len, len), anonymous);
}

static bool names_caller(const struct sip_party *p)
{
	return (p->header == SIP_HEADER_PAI || p->header == SIP_HEADER_FROM) && !party_anonymous(p);
}

static void caller_keep(struct call *call, const struct identity *id)
{
	for (size_t i = 0; i < call->caller_count; i++)
		if (identity_same(&call->callers[i], id))
			return;
	if (call->caller_count < IDS_MAX)
		call->callers[call->caller_count++] = *id;
}

bool caller_same(const struct call *call, const struct sip_message *m)
{
	bool known = false;

	for (size_t i = 0; i < m->party_count; i++) {
		if (!names_caller(&m->parties[i]))
			continue;
		known = true;
		for (size_t j = 0; j < call->caller_count; j++)
			if (identity_same(&call->callers[j], &m->parties[i].id))
				return true;
	}
	return !known || call->caller_count == 0;
}

/* The asserted identity, a SIP URI rather than a number; else what From says. */
static void learn_caller(struct call *call, const struct sip_party *p)
{
	bool asserted = p->header == SIP_HEADER_PAI;
	bool sip = text_begins(p->uri, "sip");

	if (call->caller != NULL && (!asserted || (call->caller_asserted && (call->caller_is_sip || !sip))))
		return;
	call->caller = call_text(call, uri_bare(p->uri));
	call->caller_asserted = asserted;
	call->caller_is_sip = sip;
	call->changed = true;
}

void parties_learn(struct call *call, const struct sip_message *m)
{
	const struct sip_party *to = sip_party_of(m, SIP_HEADER_TO);

	if (!sip_is_initial(m))
		return;
	for (size_t i = 0; i < m->party_count; i++) {
		const struct sip_party *p = &m->parties[i];

		if (p->header == SIP_HEADER_PAI || p->header == SIP_HEADER_FROM)
			learn_caller(call, p);
		if (names_caller(p))
			caller_keep(call, &p->id);
	}
	if (to == NULL) /* cut off: the Request-URI is next best */
		to = m->truncated ? sip_party_of(m, SIP_HEADER_REQUEST_URI) : NULL;
	if (to != NULL && call->callee == NULL) {
		call->callee = call_text(call, uri_bare(to->uri));
		call->callee_id = to->id;
		call->changed = true;
	}
}
