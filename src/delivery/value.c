/* value: what is known as JSON has it; unknown, it is null. */
#include "value.h"

#include "otway/base/text.h"

/* Text of the wire: what is no UTF-8 becomes U+FFFD, octet by octet. */
json_t *value_text(const char *s)
{
	struct bytes in = bytes_of(s);
	struct buf out = { 0 };
	json_t *j;

	if (s == NULL)
		return json_null();
	for (size_t at = 0; at < in.len;) {
		size_t len = text_utf8(in, at);

		if (len > 0)
			buf_add(&out, in.at + at, len);
		else
			buf_text(&out, "\xEF\xBF\xBD");
		at += len > 0 ? len : 1;
	}
	j = out.failed ? NULL : json_stringn(out.len > 0 ? (const char *)out.at : "", out.len);
	buf_clear(&out);
	return j;
}

json_t *value_word(const char *s)
{
	return s == NULL || s[0] == '\0' ? json_null() : value_text(s);
}

json_t *value_number(uint64_t n)
{
	return json_integer((json_int_t)(n <= INT64_MAX ? n : INT64_MAX));
}

json_t *value_moment(nsec_t at)
{
	char out[NSEC_TEXT];

	return at == NSEC_NONE || at == NSEC_EVER ? json_null() : json_string(nsec_text(at, out));
}

json_t *value_hash(const uint8_t value[SHA256_LEN])
{
	char out[SHA256_HEX];

	return json_string(text_hex((struct bytes){ value, SHA256_LEN }, out));
}

void value_set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value != NULL ? value : json_null());
}
