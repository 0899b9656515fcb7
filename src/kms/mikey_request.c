/* mikey_request: Ticket Request (RFC 6043 4.2.1), and the Error message that any exchange may end with (5.4). */
#include "mikey_make.h"

bool mikey_request_make(const struct mikey_request *r, struct bytes psk, struct buf *out, struct err *err)
{
	struct buf policy = { 0 };
	struct mikey_source s;
	struct bytes behind[2];
	uint8_t at8[8];
	struct mikey m;
	bool done;

	mikey_make_begin(&m, MIKEY_REQUEST_INIT_PSK, r->prf, r->csb);
	/* Doubt: 4.2.1.1 sets V to '1' here, 6.1 to '0' in all but updates; both have it ignored. The exchange's own clause. */
	m.v = true;
	mikey_make_time(&m, r->at, at8);
	mikey_make_rand(&m, MIKEY_RAND_INITIATOR, r->randi);
	mikey_make_name(&m, MIKEY_ID_INITIATOR, &r->initiator);
	mikey_make_name(&m, MIKEY_ID_KMS, &r->kms);
	done = mikey_policy_write(r->wish, r->wanted, &policy);
	mikey_add(&m, (struct mikey_payload){ .type = MIKEY_TP,
			      .ticket = { .type = r->wish->type,
				      .subtype = r->wish->subtype,
				      .version = r->wish->version,
				      .prf = r->wish->prf,
				      .flags = (uint16_t)(r->wish->flags & ~MIKEY_K),
				      .policy = buf_bytes(&policy) } });
	mikey_make_name(&m, MIKEY_ID_PSK, &r->psk);
	mikey_make_v(&m, r->mac);
	s = mikey_make_source(&m, NULL, psk);
	done = done && mikey_check(&m, err) &&
	       mikey_keys_sign(&m, &s, behind, mikey_make_behind(&m, NULL, NULL, behind), out);
	buf_clear(&policy);
	return done || err_in(err, "REQUEST_INIT cannot be made") == 0;
}

bool mikey_request_verify(const struct mikey *m, struct bytes psk, const struct mikey_parties *known)
{
	struct mikey_source s = mikey_make_source(m, NULL, psk);
	struct bytes behind[2];
	size_t count = mikey_make_behind(m, NULL, known, behind);

	return mikey_check(m, NULL) && mikey_keys_verify(m, &s, behind, count);
}

bool mikey_make_gather(const struct mikey_secrets *s, struct mikey_keys *out)
{
	memset(out, 0, sizeof(*out));
	out->at[out->count++] = s->mpki;
	if (s->has_mpkr)
		out->at[out->count++] = s->mpkr;
	if (s->keys.count > MIKEY_KEYS - out->count)
		return false;
	for (size_t i = 0; i < s->keys.count; i++)
		out->at[out->count++] = s->keys.at[i];
	return true;
}

bool mikey_request_answer(
	const struct mikey *init, struct bytes psk, const struct mikey_grant *g, struct buf *out, struct err *err)
{
	struct mikey_payload ticket[MIKEY_PAYLOADS];
	struct buf sealed = { 0 };
	struct mikey_source s;
	struct mikey_keys k;
	uint8_t at8[8];
	struct mikey m;
	bool done;

	if (mikey_inside(g->ticket, MIKEY_TICKET, ticket, err) != 1)
		return false;
	mikey_make_begin(&m, MIKEY_REQUEST_RESP, init->prf, init->csb);
	s = mikey_make_source(&m, init, psk);
	mikey_make_time(&m, g->at, at8);
	mikey_make_name(&m, MIKEY_ID_KMS, &g->kms);
	mikey_add(&m, ticket[0]);
	done = mikey_make_gather(g->secrets, &k) && mikey_make_kemac(&m, &s, g->encr, g->at, &k, &sealed, err);
	mikey_make_v(&m, g->mac);
	done = done && mikey_keys_sign(&m, &s, &init->whole, 1, out);
	mikey_keys_clear(&k);
	buf_clear(&sealed);
	return done || err_in(err, "REQUEST_RESP cannot be made") == 0;
}

/* The reverse of mikey_make_gather. */
static bool scatter(const struct mikey_keys *k, bool forked, struct mikey_secrets *out)
{
	size_t mpks = forked ? 2 : 1;

	memset(out, 0, sizeof(*out));
	if (k->count < mpks)
		return false;
	for (size_t i = 0; i < mpks; i++)
		if (k->at[i].kind != MIKEY_MPK)
			return false;
	out->mpki = k->at[0];
	out->has_mpkr = forked;
	if (forked)
		out->mpkr = k->at[1];
	for (size_t i = mpks; i < k->count; i++)
		out->keys.at[out->keys.count++] = k->at[i];
	return true;
}

/* Header fields that an answer repeats (4.2.1.5, 4.2.3.5). */
static bool answers(const struct mikey *resp, const struct mikey *init)
{
	return resp->version == init->version && resp->prf == init->prf && resp->csb == init->csb &&
	       resp->cs_count == init->cs_count && resp->map_type == init->map_type;
}

bool mikey_make_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk, uint16_t flags,
	struct mikey_secrets *out, struct err *err)
{
	const char *type = mikey_type_text(resp->type);
	struct mikey_source s = mikey_make_source(resp, init, psk);
	struct mikey_keys k;
	bool done;

	memset(out, 0, sizeof(*out));
	if (!mikey_check(resp, err))
		return false;
	if (!answers(resp, init) || !mikey_keys_verify(resp, &s, &init->whole, 1))
		return err_set(err, "%s: it does not authenticate as the answer", type) == 0;
	if (!mikey_make_open(resp, &s, &k, err))
		return false;
	done = scatter(&k, flags & MIKEY_I, out);
	mikey_keys_clear(&k);
	return done || err_set(err, "%s: its keys do not go with the ticket's flags", type) == 0;
}

bool mikey_request_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk,
	struct mikey_secrets *out, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(resp, MIKEY_TICKET, 0);

	memset(out, 0, sizeof(*out));
	if (resp->type != MIKEY_REQUEST_RESP || ticket == NULL)
		return err_set(err, "REQUEST_RESP: the answer is another message") == 0;
	return mikey_make_answered(resp, init, psk, ticket->ticket.flags, out, err);
}

bool mikey_error_make(const struct mikey *m, const struct mikey *init, enum mikey_error number, nsec_t at,
	struct bytes key, struct buf *out)
{
	const struct mikey_payload *v = mikey_find(m, MIKEY_V, 0);
	struct mikey_source s = mikey_make_source(m, init, key); /* "the same as in the message where it occurred" */
	uint8_t at8[8], mac = v != NULL && v->v.mac != MIKEY_MAC_NULL ? v->v.mac : MIKEY_MAC_SHA1;
	struct mikey e;

	mikey_make_begin(&e, MIKEY_ERROR, m->prf, m->csb);
	mikey_make_time(&e, at, at8);
	mikey_add(&e, (struct mikey_payload){ .type = MIKEY_ERR, .error = { .number = (uint8_t)number } });
	if (key.len == 0)
		return mikey_encode(&e, out);
	mikey_make_v(&e, mac);
	return mikey_keys_sign(&e, &s, NULL, 0, out);
}
