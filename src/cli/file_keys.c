/* file_keys: a key file into keys. Whatever held key material on the way is wiped. */
#include "file_keys.h"

#include <stdlib.h>

#include <jansson.h>

#include "otway/base/file.h"
#include "otway/base/secret.h"
#include "otway/base/text.h"

#define FILE_OCTETS ((size_t)16 << 20)

static bool read_suite(const json_t *value, struct file_key *e)
{
	const char *text = json_string_value(value);

	e->key.key.suite = text != NULL ? suite_parse(bytes_of(text)) : SUITE_UNSUPPORTED;
	return e->key.key.suite != SUITE_UNSUPPORTED && e->key.key.suite != SUITE_NONE;
}

/* VALUE:LENGTH, a decimal number and its octets on the wire (RFC 4568 9.2). */
static bool read_mki_number(struct bytes value, struct bytes length, struct srtp_key *key)
{
	uint64_t number = 0, octets = 0;

	if (!text_number(value, UINT64_MAX, &number) || !text_number(length, MKI_MAX, &octets) || octets == 0 ||
		(octets < 8 && number >> (8 * octets) != 0))
		return false;
	memset(key->mki, 0, sizeof(key->mki));
	key->mki_len = (uint8_t)octets;
	for (size_t i = 0; i < octets && i < 8; i++)
		key->mki[octets - 1 - i] = (uint8_t)(number >> (8 * i));
	return true;
}

static bool read_mki(const json_t *value, struct file_key *e)
{
	const char *text = json_string_value(value);
	struct bytes length, number = text_cut(bytes_of(text), ':', &length);
	long len;

	if (text == NULL)
		return false;
	if (length.at != NULL)
		return read_mki_number(number, length, &e->key.key);
	if (text_begins(number, "0x"))
		number = bytes_part(number, 2, number.len);
	len = text_unhex(number, e->key.key.mki, MKI_MAX);
	e->key.key.mki_len = len > 0 ? (uint8_t)len : 0;
	return len > 0;
}

/* After the suite, which says how long the material is, and before an "mki" of its own, which counts more. */
static bool read_inline(const json_t *value, struct file_key *e)
{
	const char *text = json_string_value(value);
	struct bytes rest, material = text_cut(bytes_of(text), '|', &rest);
	enum srtp_suite suite = e->key.key.suite;
	bool ok;

	if (text == NULL)
		return false;
	if (text_begins(material, "inline:"))
		material = bytes_part(material, 7, material.len);
	ok = srtp_key_inline(text_trim(material), suite, &e->key.key);
	e->key.key.source = KEY_FILE;
	while (ok && rest.len > 0) {
		struct bytes length, part = text_cut(rest, '|', &rest);
		struct bytes number = text_cut(part, ':', &length);

		if (length.at != NULL)
			ok = read_mki_number(number, length, &e->key.key);
	}
	return ok;
}

static bool read_call_id(const json_t *value, struct file_key *e)
{
	const char *text = json_string_value(value);

	e->call_id = text != NULL && text[0] != '\0' ? strdup(text) : NULL;
	return e->call_id != NULL;
}

static bool read_src(const json_t *value, struct file_key *e)
{
	return json_is_string(value) && addr_parse(bytes_of(json_string_value(value)), &e->key.src);
}

static bool read_dst(const json_t *value, struct file_key *e)
{
	return json_is_string(value) && addr_parse(bytes_of(json_string_value(value)), &e->key.dst);
}

static bool read_ssrc(const json_t *value, struct file_key *e)
{
	const char *text = json_string_value(value);
	uint64_t number = 0;
	char *end;

	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)
			return false;
		number = (uint64_t)json_integer_value(value);
	} else if (text != NULL && text_begins(bytes_of(text), "0x") && strlen(text) > 2 && strlen(text) <= 10) {
		number = strtoul(text + 2, &end, 16);
		if (*end != '\0' || text[2] == '-' || text[2] == '+' || text_space((uint8_t)text[2]))
			return false;
	} else if (text == NULL || !text_number(bytes_of(text), UINT32_MAX, &number)) {
		return false;
	}
	e->key.ssrc_set = true;
	e->key.ssrc = (uint32_t)number;
	return true;
}

/* In the order they are read: the suite first, a key's own "mki" after its inline. */
static const struct {
	const char *name;
	bool required;
	bool (*read)(const json_t *value, struct file_key *e);
} fields[] = {
	{ "suite", true, read_suite },
	{ "inline", true, read_inline },
	{ "call_id", false, read_call_id },
	{ "src", false, read_src },
	{ "dst", false, read_dst },
	{ "ssrc", false, read_ssrc },
	{ "mki", false, read_mki },
};

static bool known(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].name, name) == 0)
			return true;
	return false;
}

static int read_entry(const json_t *object, size_t index, struct file_key *e, struct err *err)
{
	const char *name;
	json_t *value;

	e->key.line = UINT32_MAX;
	if (!json_is_object(object))
		return err_code(err, EXIT_USAGE, "key %zu is not an object", index);
	json_object_foreach((json_t *)(uintptr_t)object, name, value) if (!known(name)) return err_code(err, EXIT_USAGE,
		"key %zu has a field '%.40s', which is none of suite, inline, call_id, src, dst, "
		"ssrc, mki",
		index, name);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		value = json_object_get(object, fields[i].name);
		if (value == NULL && fields[i].required)
			return err_code(err, EXIT_USAGE, "key %zu: \"%s\" is missing", index, fields[i].name);
		if (value != NULL && !fields[i].read(value, e))
			return err_code(err, EXIT_USAGE, "key %zu: \"%s\" is malformed%s", index, fields[i].name,
				fields[i].read == read_inline  ? ", or not as long as its suite wants"
				: fields[i].read == read_suite ? ", or a suite that nothing here opens"
							       : "");
	}
	return 0;
}

static int read_entries(const json_t *list, struct file_keys *out, struct err *err)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list))
		return err_code(err, EXIT_USAGE, "not a JSON array");
	out->all = calloc(count > 0 ? count : 1, sizeof(*out->all));
	if (out->all == NULL)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		out->count = i + 1;
		if (read_entry(json_array_get(list, i), i, &out->all[i], err) < 0)
			return -1;
	}
	return 0;
}

int file_keys_read(const char *path, struct file_keys *out, struct err *err)
{
	struct buf text = { 0 };
	json_error_t where;
	json_t *list = NULL;
	int rc = -1;

	*out = (struct file_keys){ 0 };
	if (file_private(path, err) < 0 || file_read(path, FILE_OCTETS, &text, err) < 0)
		goto out;
	sha256_of(buf_bytes(&text), out->sha256);
	list = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, &where);
	if (list == NULL) /* what jansson says of it would quote the file */
		err_code(err, EXIT_USAGE, "%s: not JSON: line %d, column %d", path, where.line, where.column);
	else if (read_entries(list, out, err) < 0)
		err_in(err, "%s", path);
	else
		rc = 0;
out:
	json_decref(list);
	buf_clear(&text);
	if (rc < 0)
		file_keys_clear(out);
	return rc < 0 ? err_in(err, "--keys") : 0;
}

void file_keys_clear(struct file_keys *k)
{
	for (size_t i = 0; i < k->count; i++) {
		srtp_key_clear(&k->all[i].key.key);
		free(k->all[i].call_id);
	}
	free(k->all);
	*k = (struct file_keys){ 0 };
}
