/* header: header fields of a message, by their long and compact names (RFC 3261 7.3). */
#include "parts.h"

#include "otway/base/text.h"

#define NAME(text) text, sizeof(text) - 1

/* Compact forms that are not ours (x, y, a, u, n, j, d, s, k, o) are other fields like any other. */
static const struct {
	const char *name;
	size_t len;
	char compact;
	enum field field;
} names[] = {
	{ NAME("Call-ID"), 'i', FIELD_CALL_ID },
	{ NAME("Contact"), 'm', FIELD_CONTACT },
	{ NAME("Content-Length"), 'l', FIELD_CONTENT_LENGTH },
	{ NAME("Content-Type"), 'c', FIELD_CONTENT_TYPE },
	{ NAME("Content-Encoding"), 'e', FIELD_CONTENT_ENCODING },
	{ NAME("Content-Transfer-Encoding"), 0, FIELD_CONTENT_TRANSFER },
	{ NAME("CSeq"), 0, FIELD_CSEQ },
	{ NAME("Diversion"), 0, FIELD_DIVERSION },
	{ NAME("Expires"), 0, FIELD_EXPIRES },
	{ NAME("From"), 'f', FIELD_FROM },
	{ NAME("History-Info"), 0, FIELD_HISTORY },
	{ NAME("P-Asserted-Identity"), 0, FIELD_ASSERTED },
	{ NAME("P-Associated-URI"), 0, FIELD_ASSOCIATED },
	{ NAME("P-Called-Party-ID"), 0, FIELD_CALLED_PARTY },
	{ NAME("P-Charging-Vector"), 0, FIELD_CHARGING_VECTOR },
	{ NAME("P-Preferred-Identity"), 0, FIELD_PREFERRED },
	{ NAME("P-Served-User"), 0, FIELD_SERVED_USER },
	{ NAME("Refer-To"), 'r', FIELD_REFER_TO },
	{ NAME("Referred-By"), 'b', FIELD_REFERRED_BY },
	{ NAME("Remote-Party-ID"), 0, FIELD_REMOTE_PARTY },
	{ NAME("Replaces"), 0, FIELD_REPLACES },
	{ NAME("Session-ID"), 0, FIELD_SESSION_ID },
	{ NAME("To"), 't', FIELD_TO },
	{ NAME("Via"), 'v', FIELD_VIA },
};

static enum field field_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name.len == 1 ? names[i].compact == (char)text_lower(name.at[0])
				  : name.len == names[i].len && text_is(name, names[i].name))
			return names[i].field;
	}
	return FIELD_OTHER;
}

/* A line and the lines that continue it, which begin with white space. */
static struct bytes unfold(struct bytes *rest, bool *ended)
{
	struct bytes line = line_next(rest, ended);

	while (line.len > 0 && rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t')) {
		struct bytes more = line_next(rest, ended);

		line.len = (size_t)(more.at + more.len - line.at);
	}
	return line;
}

bool header_next(struct bytes *rest, bool cut, struct header *out)
{
	while (rest->len > 0) {
		bool ended;
		struct bytes line = unfold(rest, &ended), value;

		if (line.len == 0 || (cut && !ended))
			return false;
		out->name = text_trim(text_cut(line, ':', &value));
		if (out->name.len == line.len)
			continue; /* no colon: no header field */
		out->field = field_of(out->name);
		out->value = text_trim(value);
		return true;
	}
	return false;
}
