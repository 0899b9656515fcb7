/* authority: a user's message of MIKEY-TICKET (RFC 6043 4.2.1, 4.2.3): who sent it, and is it fresh. */
#include "authority_parts.h"

#include "otway/base/crypto.h"
#include "otway/mikey_ticket.h"

static const char *outcome_text(int verdict)
{
	switch (verdict) {
	case MIKEY_GIVEN:
		return "given";
	case MIKEY_AUTH_FAILURE:
		return "not-authenticated";
	case MIKEY_INVALID_TS:
		return "replayed";
	case MIKEY_INVALID_ID:
		return "not-authorised";
	case MIKEY_INVALID_DT:
		return "not-supported";
	case MIKEY_INVALID_TICKET:
	case MIKEY_INVALID_TPPAR:
		return "ticket-refused";
	default:
		return verdict < 0 ? "failed" : "malformed";
	}
}

void authority_mikey_handle(struct bytes message, struct buf *out)
{
	uint8_t digest[SHA256_LEN];

	sha256_of(message, digest);
	buf_text(out, "R");
	buf_add(out, digest, sizeof(digest));
}

/* The user that the message names, by the role of who sends it, or by the key; both are the same user's. */
static const struct kms_user *sender(const struct authority *a, const struct mikey *m, struct mikey_asked *q)
{
	enum mikey_id_role role = m->type == MIKEY_REQUEST_INIT_PSK ? MIKEY_ID_INITIATOR : MIKEY_ID_RESPONDER;
	const struct mikey_payload *id = mikey_find(m, MIKEY_IDR, role), *psk = mikey_find(m, MIKEY_IDR, MIKEY_ID_PSK);
	const struct kms_user *by_id = id != NULL ? authority_user_of(a, id->id.data) : NULL;
	const struct kms_user *by_key = psk != NULL ? authority_user_of(a, psk->id.data) : by_id;

	if (by_key == NULL || (id != NULL && by_id != by_key))
		return NULL;
	q->id_kind = id != NULL ? id->id.kind : (uint8_t)MIKEY_URI;
	q->id = id != NULL ? id->id.data : bytes_of(by_key->identity);
	return by_key;
}

static bool authenticate(const struct authority *a, struct mikey_asked *q)
{
	const struct mikey_payload *v = mikey_find(q->m, MIKEY_V, 0);
	struct mikey_parties known;

	q->user = sender(a, q->m, q);
	if (q->user == NULL || v == NULL)
		return false;
	q->psk = (struct bytes){ q->user->psk, q->user->psk_len };
	q->mac = v->v.mac;
	known = (struct mikey_parties){ bytes_of(q->user->identity), bytes_of(q->user->identity),
		bytes_of(a->policy->identity) };
	return mikey_request_verify(q->m, q->psk, &known);
}

/* Of our time, and not answered before. */
static int check_fresh(struct authority *a, const struct mikey *m, nsec_t now, struct err *err)
{
	const struct mikey_payload *t = mikey_find(m, MIKEY_T, 0);
	nsec_t at = t != NULL ? mikey_time_of(t) : NSEC_NONE;
	struct buf handle = { 0 };
	struct kept_list list = { .count = 0 };
	int verdict = -1;

	if (at == NSEC_NONE || at < now - AUTHORITY_SKEW || at > now + AUTHORITY_SKEW)
		return MIKEY_INVALID_TS;
	authority_mikey_handle(m->whole, &handle);
	if (handle.failed)
		err_set(err, "recalling messages: out of memory");
	else if (authority_recall(a, &(struct key_record){ .handle = buf_bytes(&handle) }, now, &list, err) == 0)
		verdict = list.count > 0 || list.purged ? MIKEY_INVALID_TS : MIKEY_GIVEN;
	authority_forget(&list);
	buf_clear(&handle);
	return verdict;
}

/* A message that is authentic. */
static int serve(struct authority *a, const struct mikey_asked *q, nsec_t now, struct buf *out, struct err *err)
{
	int verdict = check_fresh(a, q->m, now, err);

	if (verdict != MIKEY_GIVEN)
		return verdict;
	if (!authority_is_us(a, mikey_id_of(q->m, MIKEY_ID_KMS)))
		return MIKEY_INVALID_ID;
	if (q->m->type == MIKEY_REQUEST_INIT_PSK)
		return authority_request(a, q, now, out, err);
	return authority_resolve(a, q, now, out, err);
}

/* What is no message is not answered by one. */
static int refuse_unread(struct err *err)
{
	if (err != NULL)
		err->code = EXIT_USAGE;
	return -1;
}

int authority_mikey(struct authority *a, struct bytes in, nsec_t now, struct buf *out, const char **act,
	const char **outcome, struct err *err)
{
	struct mikey m;
	struct mikey_asked q = { .m = &m };
	int verdict = MIKEY_UNSPECIFIED;

	*act = "mikey";
	*outcome = "malformed";
	if (!mikey_decode(in, &m, err))
		return refuse_unread(err);
	if (m.type == MIKEY_ERROR)
		return err_code(err, EXIT_USAGE, "MIKEY: an Error message is not answered");
	if (m.type == MIKEY_REQUEST_INIT_PSK || m.type == MIKEY_REQUEST_INIT_PK)
		*act = "ticket";
	else if (m.type == MIKEY_RESOLVE_INIT_PSK || m.type == MIKEY_RESOLVE_INIT_PK)
		*act = "resolve";
	if (m.type != MIKEY_REQUEST_INIT_PSK && m.type != MIKEY_RESOLVE_INIT_PSK)
		verdict = MIKEY_INVALID_DT;
	else if (mikey_check(&m, NULL))
		verdict = authenticate(a, &q) ? serve(a, &q, now, out, err) : MIKEY_AUTH_FAILURE;
	*outcome = outcome_text(verdict);
	if (verdict < 0)
		return verdict == MIKEY_GIVEN ? 0 : -1;
	/* Signed where we know with whom we speak. */
	if (verdict == MIKEY_AUTH_FAILURE)
		q.psk.len = 0;
	return mikey_error_make(&m, NULL, (enum mikey_error)verdict, now, q.psk, out)
		       ? 0
		       : err_set(err, "MIKEY: an Error message cannot be made");
}
