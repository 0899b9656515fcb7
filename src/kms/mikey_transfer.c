/* mikey_transfer: Ticket Transfer between the parties of a call (RFC 6043 4.2.2), and updates of what it set up (5.2). */
#include "mikey_make.h"

#include "otway/base/secret.h"

static void add_sessions(struct mikey *m, const struct mikey_transfer *t)
{
	m->cs_count = t->cs_count;
	m->map = t->map;
	if (t->cs_count > 0)
		m->map_type = MIKEY_MAP_GENERIC;
}

static void add_policies(struct mikey *m, const struct mikey_transfer *t)
{
	for (size_t i = 0; i < t->policy_count; i++)
		mikey_add(m, t->policies[i]);
}

static bool add_keys(struct mikey *m, const struct mikey_transfer *t, const struct mikey_source *s, struct buf *sealed,
	struct err *err)
{
	return t->keys == NULL || mikey_make_kemac(m, s, t->encr, t->at, t->keys, sealed, err);
}

/* First Payload, Vi, Vr with room for their MACs. */
static bool initiator_data(uint8_t mac, struct buf *out)
{
	struct mikey m;

	mikey_make_begin(&m, MIKEY_TRANSFER_INIT, 0, 0); /* for its list of payloads alone */
	mikey_make_v(&m, mac);
	mikey_make_v(&m, mac);
	return mikey_encode_inside(m.payloads, m.count, true, out);
}

/* Vi is the message's V, and Vr is made with MPKr over Vi: both after the message was signed, whose MAC covers neither. */
static bool fill_initiator(uint8_t *message, size_t len, const struct mikey_transfer *t)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	const struct mikey_payload *ticket, *v;
	struct mikey_source s;
	struct bytes part;
	struct mikey m;
	uint8_t *data;

	if (!mikey_decode((struct bytes){ message, len }, &m, NULL))
		return false;
	ticket = mikey_find(&m, MIKEY_TICKET, 0);
	v = mikey_find(&m, MIKEY_V, 0);
	if (ticket == NULL || v == NULL || mikey_inside(ticket->ticket.initiator, MIKEY_LAST, inside, NULL) != 2)
		return false;
	data = message + (ticket->ticket.initiator.at - message);
	memcpy(data + (inside[0].v.value.at - data), v->v.value.at, v->v.value.len);
	s = mikey_keys_initiator((enum mikey_prf)ticket->ticket.prf, mikey_key_octets(&t->secrets->mpkr));
	part = bytes_part(ticket->ticket.initiator, 0, ticket->ticket.initiator.len - v->v.value.len);
	return mikey_keys_mac(&s, v->v.mac, &part, 1, data + part.len);
}

bool mikey_transfer_make(const struct mikey_transfer *t, struct buf *out, struct err *err)
{
	struct buf initiator = { 0 }, sealed = { 0 };
	size_t before = out->len;
	struct mikey_payload ticket = *t->ticket;
	struct mikey_source s;
	struct bytes behind[2];
	uint8_t at8[8];
	struct mikey m;
	bool done = true, forked = ticket.ticket.flags & MIKEY_I;

	mikey_make_begin(&m, MIKEY_TRANSFER_INIT, t->prf, t->csb);
	m.v = ticket.ticket.flags & MIKEY_F;
	add_sessions(&m, t);
	mikey_make_time(&m, t->at, at8);
	mikey_make_rand(&m, MIKEY_RAND_INITIATOR, t->randi);
	mikey_make_name(&m, MIKEY_ID_INITIATOR, &t->initiator);
	mikey_make_name(&m, MIKEY_ID_RESPONDER, &t->responder);
	add_policies(&m, t);
	if (forked)
		done = initiator_data(t->mac, &initiator);
	ticket.ticket.initiator = buf_bytes(&initiator);
	mikey_add(&m, ticket);
	s = mikey_make_source(&m, NULL, mikey_key_octets(&t->secrets->mpki));
	done = done && add_keys(&m, t, &s, &sealed, err);
	mikey_make_v(&m, t->mac);
	done = done && mikey_check(&m, err) &&
	       mikey_keys_sign(&m, &s, behind, mikey_make_behind(&m, NULL, NULL, behind), out) &&
	       (!forked || fill_initiator(out->at + before, out->len - before, t));
	buf_clear(&initiator);
	buf_clear(&sealed);
	return done || err_in(err, "TRANSFER_INIT cannot be made") == 0;
}

bool mikey_transfer_verify(
	const struct mikey *init, const struct mikey_secrets *secrets, const struct mikey_parties *known)
{
	struct mikey_source s = mikey_make_source(init, NULL, mikey_key_octets(&secrets->mpki));
	const struct mikey_payload *ticket = mikey_find(init, MIKEY_TICKET, 0), *v = mikey_find(init, MIKEY_V, 0);
	struct mikey_payload inside[MIKEY_PAYLOADS];
	struct bytes behind[2];

	if (init->type != MIKEY_TRANSFER_INIT || ticket == NULL || !mikey_check(init, NULL) ||
		!mikey_keys_verify(init, &s, behind, mikey_make_behind(init, NULL, known, behind)))
		return false;
	if (!(ticket->ticket.flags & MIKEY_I))
		return true;
	return mikey_inside(ticket->ticket.initiator, MIKEY_LAST, inside, NULL) >= 2 && inside[0].type == MIKEY_V &&
	       inside[0].v.value.len == v->v.value.len &&
	       secret_equal(inside[0].v.value.at, v->v.value.at, v->v.value.len);
}

/* What protects TRANSFER_RESP: MPKr' when keys are forked, else MPKi (4.2.2.3). */
static struct bytes answer_key(const struct mikey_secrets *s)
{
	return mikey_key_octets(s->has_mpkr ? &s->mpkr : &s->mpki);
}

bool mikey_transfer_answer(const struct mikey *init, const struct mikey_transfer *t, struct buf *out, struct err *err)
{
	struct buf sealed = { 0 };
	struct mikey_source s;
	uint8_t at8[8];
	struct mikey m;
	bool done;

	mikey_make_begin(&m, MIKEY_TRANSFER_RESP, init->prf, init->csb);
	add_sessions(&m, t);
	mikey_make_time(&m, t->at, at8);
	mikey_make_rand(&m, MIKEY_RAND_RESPONDER, t->randr);
	mikey_make_name(&m, MIKEY_ID_RESPONDER, &t->responder);
	mikey_make_rand(&m, MIKEY_RAND_KMS, t->rand_kms);
	add_policies(&m, t);
	s = mikey_make_source(&m, init, answer_key(t->secrets));
	done = add_keys(&m, t, &s, &sealed, err);
	mikey_make_v(&m, t->mac);
	done = done && mikey_check(&m, err) && mikey_keys_sign(&m, &s, &init->whole, 1, out);
	buf_clear(&sealed);
	return done || err_in(err, "TRANSFER_RESP cannot be made") == 0;
}

static bool answered_well(
	const struct mikey *resp, const struct mikey *init, const struct mikey_payload *ticket, struct err *err)
{
	uint16_t flags = ticket != NULL ? ticket->ticket.flags : 0;

	if (resp->type != MIKEY_TRANSFER_RESP || ticket == NULL || resp->csb != init->csb || resp->prf != init->prf)
		return err_set(err, "TRANSFER_RESP: it answers another message") == 0;
	if (!mikey_check(resp, err))
		return false;
	if ((flags & MIKEY_G) && mikey_rand_of(resp, MIKEY_RAND_RESPONDER).len == 0)
		return err_set(err, "TRANSFER_RESP: there is no RANDRr, which the ticket asks for (G)") == 0;
	if (!(flags & MIKEY_M) && mikey_find(resp, MIKEY_KEMAC, 0))
		return err_set(err, "TRANSFER_RESP: keys of the responder, which the ticket forbids (no M)") == 0;
	if ((flags & MIKEY_I) &&
		(mikey_id_of(resp, MIKEY_ID_RESPONDER).len == 0 || mikey_rand_of(resp, MIKEY_RAND_KMS).len == 0))
		return err_set(err, "TRANSFER_RESP: keys are forked, but it does not say how") == 0;
	return true;
}

bool mikey_transfer_answered(const struct mikey *resp, const struct mikey *init, const struct mikey_secrets *secrets,
	struct mikey_secrets *out, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(init, MIKEY_TICKET, 0);
	struct mikey_source s;

	*out = *secrets;
	if (!answered_well(resp, init, ticket, err))
		goto refused;
	if ((ticket->ticket.flags & MIKEY_I) &&
		!mikey_secrets_fork(secrets, ticket->ticket.prf, mikey_id_of(resp, MIKEY_ID_RESPONDER),
			mikey_rand_of(resp, MIKEY_RAND_KMS), out))
		goto refused;
	s = mikey_transfer_source(resp, init, ticket->ticket.flags, out);
	if (mikey_keys_verify(resp, &s, &init->whole, 1))
		return true;
	err_set(err, "TRANSFER_RESP: it does not authenticate");
refused:
	mikey_secrets_clear(out);
	return false;
}

/*
 * The source of the last message of the first exchange, which protects every update (5.2).
 * Doubt: where the first TRANSFER_RESP was sent but not seen, the ticket (F) tells that it was the last.
 */
struct mikey_source mikey_update_source(const struct mikey_exchange *first, const struct mikey_secrets *s)
{
	const struct mikey_payload *ticket = mikey_find(first->init, MIKEY_TICKET, 0);
	uint16_t flags = ticket != NULL ? ticket->ticket.flags : 0;

	if (first->resp != NULL)
		return mikey_transfer_source(first->resp, first->init, flags, s);
	if (flags & MIKEY_F)
		return mikey_keys_message((enum mikey_prf)first->init->prf, answer_key(s), first->init->csb, true,
			mikey_rand_of(first->init, MIKEY_RAND_INITIATOR), (struct bytes){ NULL, 0 });
	return mikey_transfer_source(first->init, NULL, flags, s);
}

struct mikey_source mikey_transfer_source(
	const struct mikey *m, const struct mikey *init, uint16_t flags, const struct mikey_secrets *s)
{
	struct mikey_source made =
		mikey_make_source(m, init, init != NULL ? answer_key(s) : mikey_key_octets(&s->mpki));

	if (!(flags & MIKEY_G))
		made.value[1] = (struct bytes){ NULL, 0 }; /* a RANDRr that was not asked for counts for nothing */
	return made;
}

static bool update(struct mikey *m, const struct mikey *init, const struct mikey_transfer *t,
	const struct mikey_exchange *first, struct buf *out, struct err *err)
{
	struct mikey_source s = mikey_update_source(first, t->secrets);
	struct buf sealed = { 0 };
	struct bytes behind[2];
	uint8_t at8[8];
	bool done;

	add_sessions(m, t);
	mikey_make_time(m, t->at, at8);
	mikey_make_name(m, MIKEY_ID_INITIATOR, &t->initiator);
	mikey_make_name(m, MIKEY_ID_RESPONDER, &t->responder);
	add_policies(m, t);
	done = add_keys(m, t, &s, &sealed, err);
	mikey_make_v(m, t->mac);
	done = done && mikey_check(m, err) &&
	       mikey_keys_sign(m, &s, behind, mikey_make_behind(m, init, NULL, behind), out);
	buf_clear(&sealed);
	return done || err_in(err, "the update cannot be made") == 0;
}

bool mikey_update_make(
	const struct mikey_transfer *t, const struct mikey_exchange *first, struct buf *out, struct err *err)
{
	struct mikey m;

	mikey_make_begin(&m, MIKEY_TRANSFER_INIT, first->init->prf, first->init->csb);
	m.v = true;
	return update(&m, NULL, t, first, out, err);
}

bool mikey_update_answer(const struct mikey *init, const struct mikey_transfer *t, const struct mikey_exchange *first,
	struct buf *out, struct err *err)
{
	struct mikey m;

	mikey_make_begin(&m, MIKEY_TRANSFER_RESP, init->prf, init->csb);
	return update(&m, init, t, first, out, err);
}

bool mikey_update_verify(const struct mikey *m, const struct mikey *init, const struct mikey_exchange *first,
	const struct mikey_secrets *secrets, const struct mikey_parties *known)
{
	struct mikey_source s = mikey_update_source(first, secrets);
	struct bytes behind[2];
	size_t count = mikey_make_behind(m, init, known, behind);

	return m->csb == first->init->csb && m->prf == first->init->prf && mikey_check(m, NULL) &&
	       mikey_keys_verify(m, &s, behind, count);
}
