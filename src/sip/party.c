/*
 * party: who is named in a message: name-addr and addr-spec (RFC 3261 20.10) of every header that may name a
 * subscriber, and what else stands with the URI there.
 */
#include "parts.h"

#include "otway/base/text.h"

/* How many of a header are kept, so that one that a caller fills up leaves room for the others'. */
static const struct {
	enum sip_header header;
	uint8_t most;
	bool list;  /* several values by comma */
	bool whole; /* no header parameters: behind a URI without brackets, all is the URI's (RFC 3325 9.1) */
} kinds[FIELDS] = {
	[FIELD_FROM] = { SIP_HEADER_FROM, 2, false, false },
	[FIELD_TO] = { SIP_HEADER_TO, 2, false, false },
	[FIELD_ASSERTED] = { SIP_HEADER_PAI, 4, true, true },
	[FIELD_PREFERRED] = { SIP_HEADER_PPI, 4, true, true },
	[FIELD_REMOTE_PARTY] = { SIP_HEADER_RPID, 4, true, false },
	[FIELD_CALLED_PARTY] = { SIP_HEADER_PCPID, 2, false, false },
	[FIELD_SERVED_USER] = { SIP_HEADER_SERVED_USER, 2, false, false },
	[FIELD_DIVERSION] = { SIP_HEADER_DIVERSION, 16, true, false },
	[FIELD_HISTORY] = { SIP_HEADER_HISTORY, 32, true, false },
	[FIELD_CONTACT] = { SIP_HEADER_CONTACT, 10, true, false },
	[FIELD_ASSOCIATED] = { SIP_HEADER_ASSOCIATED, 12, true, false },
	[FIELD_REFER_TO] = { SIP_HEADER_REFER_TO, 2, false, false },
	[FIELD_REFERRED_BY] = { SIP_HEADER_REFERRED_BY, 2, false, false },
};

/* The Request-URI is one more; together they fit. */
_Static_assert(1 + 2 + 2 + 4 + 4 + 4 + 2 + 2 + 16 + 32 + 10 + 12 + 2 + 2 <= SIP_PARTIES, "room for every kind");

/*
 * Without brackets what follows ";" is the header's (RFC 3261 20.10), but for parameters that only a URI has, whose
 * sender forgot the brackets.
 */
static struct bytes bare_uri(struct bytes item, struct bytes *params)
{
	static const char *const own[] = { "phone-context", "user" };
	struct bytes uri = text_trim(text_cut(item, ';', params)), value;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (param_find(*params, own[i], &value) && value.len > 0 && value.at + value.len > uri.at + uri.len)
			uri.len = (size_t)(value.at + value.len - uri.at);
	}
	return uri;
}

struct bytes party_uri(struct bytes item, struct bytes *params)
{
	struct list state = { item, false, true };
	size_t at = 0;

	/* A bracket in a quoted display name opens nothing. */
	while (at < item.len && item.at[at] != '<')
		at = list_skip(&state, item, at);
	if (at >= item.len)
		return bare_uri(item, params);
	return text_trim(text_cut(bytes_part(item, at + 1, item.len), '>', params));
}

/* The value of a parameter or an embedded header of a URI itself: behind "@" and `mark`, parted by `parting`. */
static bool uri_part(struct bytes uri, char mark, char parting, const char *name, struct bytes *value)
{
	struct bytes place, rest;

	text_cut(uri, '@', &place);
	rest = place.len > 0 ? place : uri;
	if (mark == ';')
		rest = text_cut(rest, '?', NULL);
	text_cut(rest, mark, &rest);
	while (rest.len > 0) {
		struct bytes one = text_cut(rest, parting, &rest);

		if (text_is(text_cut(one, '=', value), name))
			return true;
	}
	return false;
}

static uint16_t cause_of(struct bytes text)
{
	uint64_t cause;

	return text_number(text_trim(text), 999, &cause) ? (uint16_t)cause : 0;
}

/* ?Reason=SIP%3Bcause%3D302: the response that led on from here (RFC 7044 5.1). */
static uint16_t embedded_cause(struct bytes uri)
{
	char text[128];
	struct bytes raw, item, value;
	struct list reasons;
	size_t len = 0;

	if (!uri_part(uri, '?', '&', "Reason", &raw))
		return 0;
	for (size_t i = 0; i < raw.len && len < sizeof(text); i++) {
		uint8_t c = raw.at[i];

		if (c == '%' && text_unhex(bytes_part(raw, i + 1, 2), &c, 1) == 1)
			i += 2;
		text[len++] = (char)c;
	}
	reasons = (struct list){ { (const uint8_t *)text, len }, false, false };
	while (list_next(&reasons, &item)) {
		if (text_is(text_trim(text_cut(item, ';', &item)), "SIP") && param_find(item, "cause", &value))
			return cause_of(value);
	}
	return 0;
}

static void read_cause(struct sip_party *p)
{
	struct bytes value;

	if (uri_part(p->uri, ';', ';', "cause", &value))
		p->cause = cause_of(value);
	if (p->cause == 0) {
		p->cause = embedded_cause(p->uri);
		p->cause_led_on = p->cause != 0;
	}
}

/* RFC 7044 5.1: mp, rc or np names the entry that led here; an older entry (RFC 4244) says it by its index. */
static void read_history(struct sip_party *p, struct bytes params)
{
	static const char *const links[] = { "mp", "rc", "np" };

	read_cause(p);
	param_find(params, "index", &p->index);
	p->parent = p->index;
	while (p->parent.len > 0 && p->parent.at[p->parent.len - 1] != '.')
		p->parent.len--;
	if (p->parent.len > 0)
		p->parent.len--;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct bytes value;

		if (param_find(params, links[i], &value) && value.len > 0) {
			p->parent = value;
			return;
		}
	}
}

static void read_contact(struct sip_party *p, struct bytes params)
{
	struct bytes value;
	uint64_t expires;

	if (param_find(params, "expires", &value) && text_number(value, UINT64_MAX, &expires))
		p->expires = expires < UINT32_MAX ? (uint32_t)expires : UINT32_MAX - 1;
	if (param_find(params, "+sip.instance", &value)) {
		if (value.len >= 2 && value.at[0] == '<' && value.at[value.len - 1] == '>')
			value = bytes_part(value, 1, value.len - 2);
		p->instance = value;
	}
}

static void read_params(struct sip_party *p, struct bytes params)
{
	struct bytes value;

	if (p->header == SIP_HEADER_HISTORY)
		read_history(p, params);
	else if (p->header == SIP_HEADER_CONTACT)
		read_contact(p, params);
	else if (p->header == SIP_HEADER_DIVERSION)
		param_find(params, "reason", &p->reason);
	else if (p->header == SIP_HEADER_SERVED_USER)
		p->originating = param_find(params, "sescase", &value) && text_is(value, "orig");
}

/* Room for one more of a header; NULL: there are enough. Of History-Info the last entry counts (it is the called
 * party), so that it takes the place of the one before. */
static struct sip_party *room_for(struct sip_message *m, enum sip_header header, size_t most)
{
	struct sip_party *last = NULL;
	size_t count = 0;

	for (size_t i = 0; i < m->party_count; i++) {
		if (m->parties[i].header == header) {
			last = &m->parties[i];
			count++;
		}
	}
	if (count < most)
		last = &m->parties[m->party_count++];
	else if (header != SIP_HEADER_HISTORY)
		return NULL;
	memset(last, 0, sizeof(*last));
	last->header = header;
	last->expires = UINT32_MAX;
	return last;
}

void party_request_uri(struct sip_message *m, struct bytes uri)
{
	struct sip_party *p = room_for(m, SIP_HEADER_REQUEST_URI, 1);
	struct bytes params;

	if (p == NULL)
		return;
	p->uri = uri.at[0] == '<' ? party_uri(uri, &params) : uri; /* brackets are wrong here (RFC 4475 3.1.2.7) */
	identity_parse(p->uri, &p->id);
	read_cause(p);
}

/* False: there is no room for another of this header. */
static bool add(struct sip_message *m, enum field field, struct bytes item)
{
	struct bytes params = { NULL, 0 }, uri = party_uri(item, &params);
	struct sip_party *p;

	if (kinds[field].whole && params.len > 0 && memchr(item.at, '<', item.len) == NULL)
		uri = text_trim(item);
	if (uri.len == 0 || text_is(uri, "*"))
		return true;
	p = room_for(m, kinds[field].header, kinds[field].most);
	if (p == NULL)
		return false;
	p->uri = uri;
	identity_parse(uri, &p->id);
	read_params(p, params);
	return true;
}

void party_header(struct sip_message *m, enum field field, struct bytes value)
{
	struct list items = { value, false, false };
	struct bytes item;

	if (!kinds[field].list)
		add(m, field, value);
	else
		while (list_next(&items, &item) && add(m, field, item))
			;
}
