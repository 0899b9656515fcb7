/* message: a SIP message read field by field into a struct sip_message. */
#include "parts.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"

static enum sip_method method_of(struct bytes name)
{
	for (int m = SIP_INVITE; m < SIP_OTHER; m++)
		if (bytes_equal(name, bytes_of(sip_method_text((enum sip_method)m))))
			return (enum sip_method)m;
	return SIP_OTHER;
}

static void read_call_id(struct reading *r, struct bytes value)
{
	if (r->message->call_id.len == 0)
		r->message->call_id = value;
}

static void read_content_type(struct reading *r, struct bytes value)
{
	if (r->message->content_type.len == 0)
		r->message->content_type = value;
}

static void read_content_encoding(struct reading *r, struct bytes value)
{
	if (r->whole.encoding.len == 0)
		r->whole.encoding = value;
}

static void read_content_transfer(struct reading *r, struct bytes value)
{
	if (r->whole.transfer.len == 0)
		r->whole.transfer = value;
}

static void read_cseq(struct reading *r, struct bytes value)
{
	struct sip_message *m = r->message;
	struct bytes name, number = text_trim(text_word(value, &name)); /* a folding may part them */
	uint64_t cseq;

	if (r->cseq_seen)
		return;
	if (!text_number(number, UINT32_MAX, &cseq)) {
		r->bad = true;
		return;
	}
	r->cseq_seen = true;
	m->cseq = (uint32_t)cseq;
	name = text_trim(name);
	if (!m->request) {
		m->method_name = name;
		m->method = method_of(name);
	} else if (!bytes_equal(name, m->method_name)) {
		r->bad = true; /* RFC 3261 8.1.1.5 */
	}
}

static void read_expires(struct reading *r, struct bytes value)
{
	uint64_t seconds;

	if (text_number(value, UINT64_MAX, &seconds))
		r->message->expires = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX - 1;
}

/* RFC 3261 18.3; a length that is said twice in two ways is no length. */
static void read_content_length(struct reading *r, struct bytes value)
{
	uint64_t length;

	if (!text_number(value, INT32_MAX, &length) || (r->length_seen && length != r->length)) {
		r->bad = true;
		return;
	}
	r->length_seen = true;
	r->length = (size_t)length;
}

static void read_via(struct reading *r, struct bytes value)
{
	struct list vias = { value, false, true };
	struct bytes top;

	if (r->via_seen || !list_next(&vias, &top))
		return;
	r->via_seen = true;
	text_cut(top, ';', &top);
	param_find(top, "branch", &r->message->branch);
}

/* 32 hex digits, not all of them zero (RFC 7989 5); else empty. */
static struct bytes session_uuid(struct bytes value)
{
	uint8_t uuid[16], any = 0;

	if (value.len != 32 || text_unhex(value, uuid, sizeof(uuid)) != sizeof(uuid))
		return (struct bytes){ NULL, 0 };
	for (size_t i = 0; i < sizeof(uuid); i++)
		any |= uuid[i];
	return any != 0 ? value : (struct bytes){ NULL, 0 };
}

static void read_session_id(struct reading *r, struct bytes value)
{
	struct sip_message *m = r->message;
	struct bytes params, remote;

	if (m->session_local.len > 0)
		return;
	m->session_local = session_uuid(text_trim(text_cut(value, ';', &params)));
	if (param_find(params, "remote", &remote))
		m->session_remote = session_uuid(remote);
}

/* RFC 7315 5.6: the icid-value comes first, and is a parameter like the others. */
static void read_charging_vector(struct reading *r, struct bytes value)
{
	if (r->message->icid.len == 0)
		param_find(value, "icid-value", &r->message->icid);
}

static void read_replaces(struct reading *r, struct bytes value)
{
	if (r->message->replaces.len == 0)
		r->message->replaces = text_trim(text_cut(value, ';', NULL));
}

static void read_tag(struct bytes value, struct bytes *tag)
{
	struct bytes params;

	party_uri(value, &params);
	if (tag->len == 0)
		param_find(params, "tag", tag);
}

static void read_from(struct reading *r, struct bytes value)
{
	read_tag(value, &r->message->from_tag);
	party_header(r->message, FIELD_FROM, value);
}

static void read_to(struct reading *r, struct bytes value)
{
	read_tag(value, &r->message->to_tag);
	party_header(r->message, FIELD_TO, value);
}

static void (*const readers[FIELDS])(struct reading *r, struct bytes value) = {
	[FIELD_CALL_ID] = read_call_id,
	[FIELD_CONTENT_LENGTH] = read_content_length,
	[FIELD_CONTENT_TYPE] = read_content_type,
	[FIELD_CONTENT_ENCODING] = read_content_encoding,
	[FIELD_CONTENT_TRANSFER] = read_content_transfer,
	[FIELD_CSEQ] = read_cseq,
	[FIELD_EXPIRES] = read_expires,
	[FIELD_VIA] = read_via,
	[FIELD_SESSION_ID] = read_session_id,
	[FIELD_CHARGING_VECTOR] = read_charging_vector,
	[FIELD_REPLACES] = read_replaces,
	[FIELD_FROM] = read_from,
	[FIELD_TO] = read_to,
};

static void read_header(struct reading *r, const struct header *h)
{
	if (h->value.len == 0)
		return;
	if (readers[h->field] != NULL)
		readers[h->field](r, h->value);
	else if (h->field > FIELD_FROM)
		party_header(r->message, h->field, h->value);
	else if (r->kms_header != NULL && r->message->kms.len == 0 && text_is(h->name, r->kms_header))
		r->message->kms = party_uri(h->value, &(struct bytes){ NULL, 0 });
}

/* What stands behind the empty line, by Content-Length; over UDP the datagram ends it too (RFC 3261 18.3). */
static void read_body(struct reading *r, struct bytes rest)
{
	struct sip_message *m = r->message;
	struct bytes sdp;

	if (r->length_seen && r->length > rest.len)
		r->bad = r->bad || !m->truncated;
	m->body = r->length_seen ? bytes_part(rest, 0, r->length) : rest;
	r->whole.type = m->content_type;
	r->whole.body = m->body;
	m->has_sdp = m->body.len > 0 && body_sdp(&r->whole, r->codings, &sdp);
	if (m->has_sdp)
		r->sdp_bad = !media_desc_read(sdp, m->truncated && sdp.at + sdp.len == rest.at + rest.len, &m->sdp);
}

bool message_read(const struct datagram *in, struct reading *r)
{
	struct sip_message *m = r->message;
	struct start_line start;
	struct bytes rest;
	struct header h;

	if (!start_line_read(in->payload, &start, &m->text, &rest))
		return false;
	m->at = in->at;
	m->datagram = in;
	m->truncated = in->truncated;
	m->request = start.request;
	m->method_name = start.method;
	m->method = method_of(start.method);
	m->status = start.status;
	m->expires = UINT32_MAX;
	if (m->request)
		party_request_uri(m, start.uri);
	while (header_next(&rest, m->truncated, &h))
		read_header(r, &h);
	read_body(r, rest);
	m->text.len = (size_t)((m->body.len > 0 ? m->body.at + m->body.len : rest.at) - m->text.at);
	return (m->call_id.len > 0 && r->cseq_seen) || m->truncated;
}

void message_clear(struct sip_message *m)
{
	const size_t parties = offsetof(struct sip_message, parties),
		     behind = offsetof(struct sip_message, party_count);

	secret_wipe(m->parties, m->party_count * sizeof(m->parties[0]));
	memset(m, 0, parties);
	memset((uint8_t *)m + behind, 0, offsetof(struct sip_message, sdp) - behind);
	media_desc_clear(&m->sdp);
}
