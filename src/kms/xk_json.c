/* xk_json: the one file of Xk that knows how JSON is taken apart and put together. */
#include "xk_json.h"

#include <malloc.h>
#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

/* jansson's memory is malloc's all the same, whoever asked for it before. */
static void free_wiped(void *p)
{
	if (p != NULL)
		secret_free(p, malloc_usable_size(p));
}

/* Keys pass through jansson's buffers, which it only frees. Said each time: it costs nothing and needs no beginning. */
static void wipe_what_is_freed(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}

json_t *xk_json_read(struct bytes json, struct err *err)
{
	json_error_t where;
	json_t *object;

	if (json.len > XK_BODY_MAX) {
		err_set(err, "the body has more than %zu octets", XK_BODY_MAX);
		return NULL;
	}
	wipe_what_is_freed();
	object = json_loadb(json.len > 0 ? (const char *)json.at : "", json.len, JSON_REJECT_DUPLICATES, &where);
	if (object == NULL) { /* what jansson says of it would quote the body */
		err_set(err, "the body is not JSON: line %d, column %d", where.line, where.column);
	} else if (!json_is_object(object)) {
		err_set(err, "the body is not a JSON object");
		json_decref(object);
		object = NULL;
	}
	return object;
}

static int append(const char *part, size_t len, void *out)
{
	return buf_add(out, part, len) ? 0 : -1;
}

int xk_json_write(json_t *object, struct buf *out, struct err *err)
{
	struct buf text = { 0 };
	int rc = -1;

	if (object == NULL || json_dump_callback(object, append, &text, JSON_COMPACT) < 0)
		err_set(err, "out of memory");
	else if (text.len > XK_BODY_MAX)
		err_set(err, "the body would have more than %zu octets", XK_BODY_MAX);
	else if (!buf_add(out, text.at, text.len))
		err_set(err, "out of memory");
	else
		rc = 0;
	json_decref(object);
	buf_clear(&text);
	return rc;
}

bool xk_json_set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static bool plain(struct bytes text, size_t at)
{
	return text.at[at] >= ' ' && text.at[at] != 0x7f;
}

json_t *xk_json_text(struct bytes text)
{
	struct buf out = { 0 };
	json_t *value;

	if (text.len == 0)
		return json_null();
	wipe_what_is_freed();
	for (size_t at = 0; at < text.len;) {
		size_t len = plain(text, at) ? text_utf8(text, at) : 0;

		if (len > 0)
			buf_add(&out, text.at + at, len);
		else
			buf_text(&out, "\xEF\xBF\xBD");
		at += len > 0 ? len : 1;
	}
	value = out.failed ? NULL : json_stringn((const char *)out.at, out.len);
	buf_clear(&out);
	return value;
}

json_t *xk_json_octets(struct bytes octets)
{
	size_t size = 4 * ((octets.len + 2) / 3) + 1;
	char *text = octets.len > 0 ? malloc(size) : NULL;
	json_t *value;

	if (octets.len == 0)
		return json_null();
	wipe_what_is_freed();
	value = text != NULL ? json_string(text_base64(octets, text)) : NULL;
	if (text != NULL)
		secret_free(text, size);
	return value;
}

json_t *xk_json_hex(struct bytes octets)
{
	char text[2 * MKI_MAX + 1];

	if (octets.len == 0)
		return json_null();
	return octets.len <= MKI_MAX ? json_string(text_hex(octets, text)) : NULL;
}

json_t *xk_json_time(nsec_t at)
{
	char text[NSEC_TEXT];

	return at == NSEC_NONE ? json_null() : json_string(nsec_text(at, text));
}

/* 1: there; 0: null or not there; -1: it had to be. */
static int look(const json_t *object, const char *name, bool required, json_t **value, struct err *err)
{
	*value = json_object_get(object, name);
	if (*value != NULL && !json_is_null(*value))
		return 1;
	return required ? err_set(err, "\"%s\" is missing", name) : 0;
}

/* As look, and a string that is not empty. */
static int look_text(const json_t *object, const struct xk_json_rule *rule, struct bytes *out, struct err *err)
{
	json_t *value;
	int rc = look(object, rule->name, rule->required, &value, err);

	*out = (struct bytes){ NULL, 0 };
	if (rc <= 0)
		return rc;
	if (!json_is_string(value))
		return err_set(err, "\"%s\" is not a string", rule->name);
	*out = (struct bytes){ (const uint8_t *)json_string_value(value), json_string_length(value) };
	return out->len > 0 ? 1 : err_set(err, "\"%s\" is empty", rule->name);
}

int xk_json_take_text(
	const json_t *object, const struct xk_json_rule *rule, struct buf *to, struct bytes *out, struct err *err)
{
	struct bytes text;
	int rc = look_text(object, rule, &text, err);

	*out = (struct bytes){ NULL, 0 };
	if (rc <= 0)
		return rc;
	if (text.len > rule->max)
		return err_set(err, "\"%s\" has more than %zu octets", rule->name, rule->max);
	for (size_t i = 0; i < text.len; i++)
		if (!plain(text, i))
			return err_set(err, "\"%s\" has a control character", rule->name);
	if (!buf_add(to, text.at, text.len))
		return err_set(err, "out of memory");
	*out = (struct bytes){ to->at + to->len - text.len, text.len };
	return 0;
}

int xk_json_take_octets(
	const json_t *object, const struct xk_json_rule *rule, struct buf *to, struct bytes *out, struct err *err)
{
	struct bytes text;
	int rc = look_text(object, rule, &text, err);
	uint8_t *at;
	long len;

	*out = (struct bytes){ NULL, 0 };
	if (rc <= 0)
		return rc;
	if (text.len > 4 * ((rule->max + 2) / 3))
		return err_set(err, "\"%s\" has more than %zu octets", rule->name, rule->max);
	at = buf_room(to, rule->max);
	if (at == NULL)
		return err_set(err, "out of memory");
	len = text.len % 4 == 0 ? text_unbase64(text, at, rule->max) : -1;
	if (len <= 0)
		return err_set(err, "\"%s\" is not base64 of 1 to %zu octets", rule->name, rule->max);
	to->len += (size_t)len;
	*out = (struct bytes){ at, (size_t)len };
	return 0;
}

bool xk_request_id_valid(const char *request)
{
	return strlen(request) == KEY_REQUEST_ID - 1 && strspn(request, "0123456789abcdef") == KEY_REQUEST_ID - 1;
}

int xk_json_take_request(const json_t *object, char out[KEY_REQUEST_ID], struct err *err)
{
	static const struct xk_json_rule rule = { "request", KEY_REQUEST_ID - 1, true };
	struct bytes text;

	if (look_text(object, &rule, &text, err) < 0)
		return -1;
	if (text.len != KEY_REQUEST_ID - 1 || !xk_request_id_valid((const char *)text.at))
		return err_set(err, "\"request\" is not %d hex digits in lower case", KEY_REQUEST_ID - 1);
	text_copy(text, out, KEY_REQUEST_ID);
	return 0;
}

int xk_json_take_number(
	const json_t *object, const char *name, bool required, uint64_t max, uint64_t *out, struct err *err)
{
	json_t *value;
	int rc = look(object, name, required, &value, err);

	if (rc <= 0)
		return rc;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return err_set(err, "\"%s\" is not a number from 0 to %llu", name, (unsigned long long)max);
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

int xk_json_take_time(const json_t *object, const char *name, bool required, nsec_t *out, struct err *err)
{
	const struct xk_json_rule rule = { name, NSEC_TEXT - 1, required };
	struct bytes text;
	int rc = look_text(object, &rule, &text, err);

	if (rc <= 0)
		return rc;
	/* "now" and "+72h" are for people */
	if (text.len > rule.max || !text_digit(text.at[0]) || text.at[text.len - 1] != 'Z' ||
		nsec_parse((const char *)text.at, 0, out, NULL) < 0)
		return err_set(err, "\"%s\" is not a time as RFC 3339 has it, in UTC (\"…Z\")", name);
	return 0;
}
