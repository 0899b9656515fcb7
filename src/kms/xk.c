/* xk: requests of the LI side, both ways. Which members there are, and what is asked of them, is one table. */
#include "otway/xk.h"

#include "otway/base/secret.h"
#include "xk_json.h"

static const char *const protocols[] = { [KEY_MGMT_MIKEY] = "mikey", [KEY_MGMT_OTWAY_REES] = "otway-rees" };

/* In which of the two requests a member stands, and where it must. */
enum { IN_KEYS = 1, IN_ENDED = 2, NEEDED_IN_KEYS = 4, NEEDED_IN_ENDED = 8 };

static const struct member {
	const char *object; /* NULL: of the body itself */
	const char *name;
	size_t at, max;
	bool octets;
	unsigned where;
} members[] = {
#define AT(member) offsetof(struct xk_request, member)
	{ NULL, "warrant", AT(warrant), XK_WARRANT_MAX, false, IN_KEYS | NEEDED_IN_KEYS },
	{ NULL, "kms", AT(kms), KEY_URI_MAX - 1, false, IN_KEYS | IN_ENDED | NEEDED_IN_KEYS | NEEDED_IN_ENDED },
	{ NULL, "target", AT(target), XK_TEXT_MAX, false, IN_KEYS | NEEDED_IN_KEYS },
	{ "parties", "from", AT(from), XK_TEXT_MAX, false, IN_KEYS },
	{ "parties", "to", AT(to), XK_TEXT_MAX, false, IN_KEYS },
	{ "parties", "answered", AT(answered), XK_TEXT_MAX, false, IN_KEYS },
	{ "dialog", "call_id", AT(call_id), XK_TEXT_MAX, false, IN_KEYS | IN_ENDED | NEEDED_IN_ENDED },
	{ "dialog", "from_tag", AT(from_tag), XK_TEXT_MAX, false, IN_KEYS | IN_ENDED },
	{ "dialog", "to_tag", AT(to_tag), XK_TEXT_MAX, false, IN_KEYS | IN_ENDED },
	{ NULL, "offer", AT(offer), KEY_TOKEN_MAX, true, IN_KEYS | IN_ENDED },
	{ NULL, "answer", AT(answer), KEY_TOKEN_MAX, true, IN_KEYS },
	{ NULL, "first_offer", AT(first_offer), KEY_TOKEN_MAX, true, IN_KEYS },
	{ NULL, "first_answer", AT(first_answer), KEY_TOKEN_MAX, true, IN_KEYS },
#undef AT
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static struct bytes *view_of(struct xk_request *r, const struct member *m)
{
	return (struct bytes *)(void *)((char *)r + m->at);
}

static bool needed(const struct member *m, unsigned body)
{
	return (m->where & (body == IN_KEYS ? NEEDED_IN_KEYS : NEEDED_IN_ENDED)) != 0;
}

static int check_member(const struct member *m, unsigned body, struct bytes value, struct err *err)
{
	if (value.len == 0 && needed(m, body))
		return err_set(err, "\"%s\" is missing", m->name);
	if (value.len > m->max)
		return err_set(err, "\"%s\" has more than %zu octets", m->name, m->max);
	return 0;
}

/* The object a member stands in, made when it is its first. */
static json_t *holder(json_t *body, const struct member *m)
{
	json_t *inner = m->object != NULL ? json_object_get(body, m->object) : body;

	if (inner == NULL && xk_json_set(body, m->object, json_object()))
		inner = json_object_get(body, m->object);
	return inner;
}

static bool put_members(const struct xk_request *r, unsigned which, json_t *body)
{
	struct xk_request views = *r;

	for (size_t i = 0; i < MEMBERS; i++) {
		struct bytes value = *view_of(&views, &members[i]);

		if ((members[i].where & which) != 0 &&
			!xk_json_set(holder(body, &members[i]), members[i].name,
				members[i].octets ? xk_json_octets(value) : xk_json_text(value)))
			return false;
	}
	return true;
}

static int write_request(const struct xk_request *r, unsigned which, struct buf *out, struct err *err)
{
	struct xk_request views = *r;
	json_t *body;

	if (!xk_request_id_valid(r->request) || (unsigned int)r->protocol > KEY_MGMT_OTWAY_REES)
		return err_set(err, "\"request\" or \"protocol\" is not valid");
	if (which == IN_KEYS && (r->at == NSEC_NONE || r->at == NSEC_EVER))
		return err_set(err, "\"at\" is missing");
	for (size_t i = 0; i < MEMBERS; i++)
		if ((members[i].where & which) != 0 &&
			check_member(&members[i], which, *view_of(&views, &members[i]), err) < 0)
			return -1;
	body = json_object();
	if (!xk_json_set(body, "request", json_string(r->request)) ||
		!xk_json_set(body, "protocol", json_string(protocols[r->protocol])) || !put_members(r, which, body) ||
		(which == IN_KEYS && !xk_json_set(body, "at", xk_json_time(r->at)))) {
		json_decref(body);
		body = NULL;
	}
	return xk_json_write(body, out, err);
}

int xk_write_request(const struct xk_request *r, struct buf *out, struct err *err)
{
	return write_request(r, IN_KEYS, out, err) < 0 ? err_in(err, "get_keys") : 0;
}

int xk_write_ended(const struct xk_request *r, struct buf *out, struct err *err)
{
	return write_request(r, IN_ENDED, out, err) < 0 ? err_in(err, "call_ended") : 0;
}

static int take_protocol(const json_t *body, enum key_mgmt *out, struct err *err)
{
	const char *text = json_string_value(json_object_get(body, "protocol"));

	for (size_t i = 0; text != NULL && i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(text, protocols[i]) == 0) {
			*out = (enum key_mgmt)i;
			return 0;
		}
	return err_set(err, "\"protocol\" is neither \"mikey\" nor \"otway-rees\"");
}

static int take_member(
	const json_t *body, const struct member *m, unsigned which, struct xk_request *out, struct err *err)
{
	const json_t *object = m->object != NULL ? json_object_get(body, m->object) : body;
	const struct xk_json_rule rule = { m->name, m->max, needed(m, which) };
	struct bytes *to = view_of(out, m);

	if (m->object != NULL && !json_is_object(object))
		return err_set(err, "\"%s\" is %s", m->object, object == NULL ? "missing" : "not an object");
	if (m->octets)
		return xk_json_take_octets(object, &rule, &out->text, to, err);
	return xk_json_take_text(object, &rule, &out->text, to, err);
}

static int take_members(const json_t *body, unsigned which, struct xk_request *out, struct err *err)
{
	size_t room = 0;

	for (size_t i = 0; i < MEMBERS; i++)
		room += members[i].max;
	if (buf_room(&out->text, room) == NULL) /* so that no view moves */
		return err_set(err, "out of memory");
	for (size_t i = 0; i < MEMBERS; i++)
		if ((members[i].where & which) != 0 && take_member(body, &members[i], which, out, err) < 0)
			return -1;
	return 0;
}

static int read_request(struct bytes json, unsigned which, struct xk_request *out, struct err *err)
{
	json_t *body = xk_json_read(json, err);
	int rc = -1;

	*out = (struct xk_request){ .at = NSEC_NONE };
	if (body != NULL && xk_json_take_request(body, out->request, err) == 0 &&
		take_protocol(body, &out->protocol, err) == 0 && take_members(body, which, out, err) == 0 &&
		(which != IN_KEYS || xk_json_take_time(body, "at", true, &out->at, err) == 0))
		rc = 0;
	json_decref(body);
	if (rc < 0)
		xk_request_clear(out);
	return rc;
}

int xk_read_request(struct bytes json, struct xk_request *out, struct err *err)
{
	return read_request(json, IN_KEYS, out, err) < 0 ? err_in(err, "get_keys") : 0;
}

int xk_read_ended(struct bytes json, struct xk_request *out, struct err *err)
{
	return read_request(json, IN_ENDED, out, err) < 0 ? err_in(err, "call_ended") : 0;
}

void xk_request_clear(struct xk_request *r)
{
	buf_clear(&r->text);
	secret_wipe(r, sizeof(*r));
}
