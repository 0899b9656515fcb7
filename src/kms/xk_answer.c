/* xk_answer: answers to the LI side, both ways: keys, or why there are none; how many were purged; what was wrong. */
#include "otway/xk.h"

#include "otway/base/secret.h"
#include "otway/base/text.h"
#include "xk_json.h"

static const char *const failures[XK_FAILURES] = {
	[XK_UNKNOWN] = "unknown",
	[XK_PURGED] = "purged",
	[XK_REFUSED] = "refused",
	[XK_NO_AGREEMENT] = "no-agreement",
	[XK_TRY_LATER] = "try-later",
};

const char *xk_failure_text(enum xk_failure f)
{
	return (unsigned int)f < XK_FAILURES ? failures[f] : NULL;
}

static bool key_length(size_t len)
{
	return len == 16 || len == 24 || len == 32;
}

static bool salt_length(size_t len)
{
	return len == 12 || len == 14;
}

static bool interval(const struct xk_key *k)
{
	return k->from == NSEC_NONE || k->until == NSEC_NONE || k->from < k->until;
}

static bool key_valid(const struct xk_key *k)
{
	return key_length(k->key_len) && salt_length(k->salt_len) && k->mki_len <= MKI_MAX && interval(k);
}

static json_t *key_json(const struct xk_key *k)
{
	json_t *o = json_object();

	if (xk_json_set(o, "cs", json_integer(k->cs)) &&
		xk_json_set(o, "key", xk_json_octets((struct bytes){ k->key, k->key_len })) &&
		xk_json_set(o, "salt", xk_json_octets((struct bytes){ k->salt, k->salt_len })) &&
		xk_json_set(o, "mki", xk_json_hex((struct bytes){ k->mki, k->mki_len })) &&
		xk_json_set(o, "from", xk_json_time(k->from)) && xk_json_set(o, "until", xk_json_time(k->until)))
		return o;
	json_decref(o);
	return NULL;
}

static bool put_keys(const struct xk_answer *a, json_t *body)
{
	json_t *all = json_array();

	for (size_t i = 0; i < a->key_count; i++)
		if (json_array_append_new(all, key_json(&a->keys[i])) < 0) {
			json_decref(all);
			return false;
		}
	return xk_json_set(body, "keys", all);
}

static bool put_failure(const struct xk_answer *a, json_t *body)
{
	return xk_json_set(body, "failure", json_string(failures[a->failure])) &&
	       xk_json_set(body, "retry_after", a->retry_after > 0 ? json_integer(a->retry_after) : json_null());
}

static int check(const struct xk_answer *a, struct err *err)
{
	if (!xk_request_id_valid(a->request))
		return err_set(err, "\"request\" is not valid");
	if ((unsigned int)a->failure >= XK_FAILURES || a->retry_after > XK_RETRY_MAX)
		return err_set(err, "\"failure\" or \"retry_after\" is not valid");
	if (a->failure == XK_NONE && (a->key_count == 0 || a->key_count > KEY_SESSIONS))
		return err_set(err, "\"keys\" are not 1 to %d", KEY_SESSIONS);
	for (size_t i = 0; a->failure == XK_NONE && i < a->key_count; i++)
		if (!key_valid(&a->keys[i]))
			return err_set(err, "key %zu is not valid", i);
	return 0;
}

int xk_write_answer(const struct xk_answer *a, struct buf *out, struct err *err)
{
	json_t *body;

	if (check(a, err) < 0)
		return err_in(err, "answer to get_keys");
	body = json_object();
	if (!xk_json_set(body, "request", json_string(a->request)) ||
		!(a->failure != XK_NONE ? put_failure(a, body) : put_keys(a, body))) {
		json_decref(body);
		body = NULL;
	}
	return xk_json_write(body, out, err) < 0 ? err_in(err, "answer to get_keys") : 0;
}

/* Octets of a fixed place in a key, in base64. */
static int take_fixed(const json_t *o, const char *name, size_t max, bool (*length)(size_t), uint8_t *to, uint8_t *len,
	struct err *err)
{
	const struct xk_json_rule rule = { name, max, true };
	struct buf octets = { 0 };
	struct bytes view;
	int rc = xk_json_take_octets(o, &rule, &octets, &view, err);

	if (rc == 0 && !length(view.len))
		rc = err_set(err, "\"%s\" has %zu octets, which none has", name, view.len);
	if (rc == 0) {
		memcpy(to, view.at, view.len);
		*len = (uint8_t)view.len;
	}
	buf_clear(&octets);
	return rc;
}

static int take_mki(const json_t *o, struct xk_key *k, struct err *err)
{
	const json_t *value = json_object_get(o, "mki");
	long len;

	if (value == NULL || json_is_null(value))
		return 0;
	len = json_is_string(value) ? text_unhex(bytes_of(json_string_value(value)), k->mki, MKI_MAX) : -1;
	if (len <= 0)
		return err_set(err, "\"mki\" is not hex of 1 to %d octets", MKI_MAX);
	k->mki_len = (uint8_t)len;
	return 0;
}

static int take_key(const json_t *o, struct xk_key *k, struct err *err)
{
	uint64_t cs = 0;

	*k = (struct xk_key){ .from = NSEC_NONE, .until = NSEC_NONE };
	if (!json_is_object(o))
		return err_set(err, "it is not an object");
	if (xk_json_take_number(o, "cs", true, UINT8_MAX, &cs, err) < 0 ||
		take_fixed(o, "key", sizeof(k->key), key_length, k->key, &k->key_len, err) < 0 ||
		take_fixed(o, "salt", sizeof(k->salt), salt_length, k->salt, &k->salt_len, err) < 0 ||
		take_mki(o, k, err) < 0 || xk_json_take_time(o, "from", false, &k->from, err) < 0 ||
		xk_json_take_time(o, "until", false, &k->until, err) < 0)
		return -1;
	k->cs = (uint8_t)cs;
	return interval(k) ? 0 : err_set(err, "\"until\" is not behind \"from\"");
}

static int take_keys(const json_t *list, struct xk_answer *out, struct err *err)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count == 0 || count > KEY_SESSIONS)
		return err_set(err, "\"keys\" is not a list of 1 to %d", KEY_SESSIONS);
	for (size_t i = 0; i < count; i++) {
		if (take_key(json_array_get(list, i), &out->keys[i], err) < 0)
			return err_in(err, "key %zu", i);
		out->key_count = i + 1;
	}
	return 0;
}

static int take_failure(const json_t *body, const json_t *failure, struct xk_answer *out, struct err *err)
{
	const char *text = json_string_value(failure);
	uint64_t after = 0;

	for (int f = XK_NONE + 1; text != NULL && f < XK_FAILURES; f++)
		if (strcmp(text, failures[f]) == 0)
			out->failure = (enum xk_failure)f;
	if (out->failure == XK_NONE)
		return err_set(err, "\"failure\" is none that is known");
	if (xk_json_take_number(body, "retry_after", false, XK_RETRY_MAX, &after, err) < 0)
		return -1;
	out->retry_after = (uint32_t)after;
	return 0;
}

static int take_answer(const json_t *body, struct xk_answer *out, struct err *err)
{
	const json_t *keys = json_object_get(body, "keys"), *failure = json_object_get(body, "failure");

	keys = json_is_null(keys) ? NULL : keys;
	failure = json_is_null(failure) ? NULL : failure;
	if (xk_json_take_request(body, out->request, err) < 0)
		return -1;
	if ((keys == NULL) == (failure == NULL))
		return err_set(err, "there must be \"keys\" or a \"failure\", and not both");
	return failure != NULL ? take_failure(body, failure, out, err) : take_keys(keys, out, err);
}

int xk_read_answer(struct bytes json, struct xk_answer *out, struct err *err)
{
	json_t *body = xk_json_read(json, err);
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (body != NULL)
		rc = take_answer(body, out, err);
	json_decref(body);
	if (rc < 0)
		xk_answer_clear(out);
	return rc < 0 ? err_in(err, "answer to get_keys") : 0;
}

int xk_write_purged(const char *request, uint64_t purged, struct buf *out, struct err *err)
{
	json_t *body = json_object();

	if (!xk_request_id_valid(request) || purged > INT64_MAX ||
		!xk_json_set(body, "request", json_string(request)) ||
		!xk_json_set(body, "purged", json_integer((json_int_t)purged))) {
		json_decref(body);
		return err_set(err, "answer to call_ended: \"request\" is not valid, or memory is out");
	}
	return xk_json_write(body, out, err) < 0 ? err_in(err, "answer to call_ended") : 0;
}

int xk_read_purged(struct bytes json, char request[KEY_REQUEST_ID], uint64_t *purged, struct err *err)
{
	json_t *body = xk_json_read(json, err);
	int rc = -1;

	request[0] = '\0';
	*purged = 0;
	if (body != NULL && xk_json_take_request(body, request, err) == 0)
		rc = xk_json_take_number(body, "purged", true, INT64_MAX, purged, err);
	json_decref(body);
	return rc < 0 ? err_in(err, "answer to call_ended") : 0;
}

int xk_write_error(const char *text, struct buf *out)
{
	json_t *body = json_object();

	if (!xk_json_set(body, "error", xk_json_text(bytes_of(text)))) {
		json_decref(body);
		body = NULL;
	}
	return xk_json_write(body, out, NULL);
}

void xk_answer_clear(struct xk_answer *a)
{
	secret_wipe(a, sizeof(*a));
}
