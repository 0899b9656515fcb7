/* mikey_ticket: the MIKEY base ticket, sealed and opened under its TPK, and the keys in it (RFC 6043 5.1.1, 6.10, A). */
#include "mikey_make.h"

#include "otway/base/secret.h"

#define BASE_TICKET  1
#define TICKET_CSB   UINT32_C(0xffffffff) /* where an IV wants a bundle (A.1) */
#define ONLY_NUMBERS 1                    /* octets of the next payload field, which no MAC of a ticket covers */

void mikey_secrets_clear(struct mikey_secrets *s)
{
	secret_wipe(s, sizeof(*s));
}

/* The same key by another value. */
static bool derive_into(
	const struct mikey_source *s, enum mikey_constant constant, const struct mikey_key *like, struct mikey_key *out)
{
	uint8_t made[MIKEY_KEY_MAX];
	bool done = mikey_keys_derive(s, constant, made, like->key_len);

	*out = *like;
	if (done)
		memcpy(out->key, made, like->key_len);
	secret_wipe(made, sizeof(made));
	return done;
}

bool mikey_secrets_fork(const struct mikey_secrets *in, uint8_t ticket_prf, struct bytes idr, struct bytes rand_kms,
	struct mikey_secrets *out)
{
	struct mikey_source s;
	bool done = true;

	if (out != in)
		*out = *in;
	s = mikey_keys_forked((enum mikey_prf)ticket_prf, mikey_key_octets(&in->mpkr), idr, rand_kms);
	if (in->has_mpkr)
		done = derive_into(&s, MIKEY_C_MPKR_FORKED, &in->mpkr, &out->mpkr);
	for (size_t i = 0; done && i < in->keys.count; i++) {
		const struct mikey_key *k = &in->keys.at[i];

		if (k->kind != MIKEY_TGK && k->kind != MIKEY_TGK_SALT)
			continue; /* TEK and GTGK are never forked */
		s.inkey = mikey_key_octets(k);
		done = derive_into(&s, MIKEY_C_TGK_FORKED, k, &out->keys.at[i]);
	}
	return done;
}

/* RFC 6043 6.10: with forking, a ticket that encodes a TGK needs F. */
static bool forking_is_told(uint16_t flags, const struct mikey_keys *k)
{
	return !(flags & MIKEY_I) || (flags & MIKEY_F) || mikey_keys_of(k, MIKEY_TGK, 0) == NULL;
}

/* Everything of the TICKET payload but its first octet, Initiator Data and the MAC, which ends Ticket Data. */
static struct bytes covered(const struct mikey_payload *ticket, size_t mac_len)
{
	size_t end = ticket->ticket.initiator_at;

	return bytes_part(ticket->whole, ONLY_NUMBERS, end < mac_len + ONLY_NUMBERS ? 0 : end - mac_len - ONLY_NUMBERS);
}

static bool data_encode(const struct mikey_ticket_new *t, struct bytes tpk, struct buf *out, struct err *err)
{
	struct mikey_source s = mikey_keys_ticket((enum mikey_prf)t->policy->prf, tpk, t->rand);
	struct buf sealed = { 0 };
	uint8_t at8[8];
	struct mikey m;
	bool done;

	mikey_make_begin(&m, MIKEY_REQUEST_RESP, 0, TICKET_CSB); /* for its list of payloads alone */
	mikey_add(&m, (struct mikey_payload){ .type = MIKEY_THDR });
	mikey_make_time(&m, t->at, at8);
	mikey_add(&m, (struct mikey_payload){ .type = MIKEY_RAND, .rand = { .value = t->rand } });
	done = mikey_make_kemac(&m, &s, t->encr, t->at, t->keys, &sealed, err);
	mikey_make_name(&m, MIKEY_ID_PSK, &t->psk);
	mikey_make_v(&m, t->mac);
	done = done && mikey_encode_inside(m.payloads, m.count, false, out);
	buf_clear(&sealed);
	return done;
}

/* Appends the payload and fills in the MAC at the end of its Ticket Data. */
static bool seal_whole(const struct mikey_ticket_new *t, struct bytes tpk, struct mikey_payload *p, struct buf *out)
{
	struct mikey_source s = mikey_keys_ticket((enum mikey_prf)t->policy->prf, tpk, t->rand);
	struct mikey_payload inside[MIKEY_PAYLOADS];
	size_t mac_len = (size_t)mikey_mac_len(t->mac), before = out->len;
	struct bytes part;

	if (!mikey_encode_inside(p, 1, false, out) ||
		mikey_inside(bytes_part(buf_bytes(out), before, SIZE_MAX), MIKEY_TICKET, inside, NULL) != 1)
		return false;
	part = covered(&inside[0], mac_len);
	return mikey_keys_mac(&s, t->mac, &part, 1, out->at + before + inside[0].ticket.initiator_at - mac_len);
}

bool mikey_ticket_seal(const struct mikey_ticket_new *t, struct bytes tpk, struct buf *out, struct err *err)
{
	const char *broken = mikey_flags_broken(t->policy->flags);
	struct buf policy = { 0 }, data = { 0 };
	struct mikey_payload p;
	bool done;

	if (broken != NULL || !forking_is_told(t->policy->flags, t->keys) || t->keys->count == 0 ||
		t->keys->at[0].kind != MIKEY_MPK || mikey_mac_len(t->mac) <= 0) {
		err_set(err, "ticket: %s", broken != NULL ? broken : "its keys do not go with its flags");
		return false;
	}
	done = mikey_policy_write(t->policy, NULL, &policy) && data_encode(t, tpk, &data, err);
	p = (struct mikey_payload){ .type = MIKEY_TICKET,
		.ticket = { .type = t->policy->type,
			.subtype = t->policy->subtype,
			.version = t->policy->version,
			.prf = t->policy->prf,
			.flags = t->policy->flags,
			.policy = buf_bytes(&policy),
			.data = buf_bytes(&data) } };
	done = done && seal_whole(t, tpk, &p, out);
	if (!done)
		err_set(err, "ticket: it cannot be made");
	buf_clear(&policy);
	buf_clear(&data);
	return done;
}

/* Ticket Data of a MIKEY base ticket: how many payloads, or -1. */
static long data_read(const struct mikey_payload *ticket, struct mikey_payload inside[MIKEY_PAYLOADS], struct err *err)
{
	long count;

	if (ticket->ticket.type != BASE_TICKET || ticket->ticket.subtype != 1 || ticket->ticket.version != 1)
		return err_set(err, "ticket: of type %u, not a MIKEY base ticket", ticket->ticket.type);
	count = mikey_inside(ticket->ticket.data, MIKEY_THDR, inside, err);
	if (count < 0)
		err_in(err, "Ticket Data");
	return count;
}

bool mikey_ticket_psk(const struct mikey_payload *ticket, struct mikey_name *out, struct err *err)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	long count = data_read(ticket, inside, err);
	const struct mikey_payload *p;

	memset(out, 0, sizeof(*out));
	if (count < 0)
		return false;
	p = mikey_find_in(inside, (size_t)count, MIKEY_IDR, MIKEY_ID_PSK);
	if (p != NULL)
		*out = (struct mikey_name){ p->id.kind, p->id.data };
	return true;
}

/* V closes Ticket Data; its MAC is that of the ticket. */
static bool authentic(const struct mikey_payload *ticket, const struct mikey_payload *v, const struct mikey_source *s)
{
	uint8_t own[MIKEY_MAC_MAX];
	struct bytes part = covered(ticket, v->v.value.len);
	bool same = v->v.value.len > 0 && mikey_keys_mac(s, v->v.mac, &part, 1, own) &&
		    secret_equal(own, v->v.value.at, v->v.value.len);

	secret_wipe(own, sizeof(own));
	return same;
}

/* MPK || {TEK|TGK|GTGK}: MPK becomes MPKi and MPKr (A.2.2), the others are the session keys. */
static bool spread(const struct mikey_keys *k, uint8_t prf, struct bytes rand, bool forked, struct mikey_secrets *out)
{
	struct mikey_source s;
	bool done;

	if (k->count == 0 || k->at[0].kind != MIKEY_MPK)
		return false;
	s = mikey_keys_mpk((enum mikey_prf)prf, mikey_key_octets(&k->at[0]), rand);
	done = derive_into(&s, MIKEY_C_MPKI, &k->at[0], &out->mpki) &&
	       derive_into(&s, MIKEY_C_MPKR, &k->at[0], &out->mpkr);
	out->has_mpkr = forked;
	for (size_t i = 1; i < k->count; i++)
		out->keys.at[out->keys.count++] = k->at[i];
	return done;
}

static bool open_inside(const struct mikey_payload *ticket, const struct mikey_payload *p, size_t count,
	struct bytes tpk, struct mikey_secrets *out, struct err *err)
{
	const struct mikey_payload *t = mikey_find_in(p, count, MIKEY_T, 0), *v = &p[count - 1],
				   *rand = mikey_find_in(p, count, MIKEY_RAND, 0),
				   *kemac = mikey_find_in(p, count, MIKEY_KEMAC, 0);
	struct mikey_source s;
	struct mikey_keys k;
	uint8_t at8[8];
	bool done;

	if (t == NULL || rand == NULL || kemac == NULL || v->type != MIKEY_V || !mikey_time_64(t, at8))
		return err_set(err, "ticket: a payload of its Ticket Data is missing") == 0;
	s = mikey_keys_ticket((enum mikey_prf)ticket->ticket.prf, tpk, rand->rand.value);
	if (!authentic(ticket, v, &s))
		return err_set(err, "ticket: it does not authenticate") == 0;
	if (!mikey_keys_open(&s, kemac->kemac.encr, TICKET_CSB, at8, kemac->kemac.data, &k, err))
		return err_in(err, "ticket") == 0;
	done = forking_is_told(ticket->ticket.flags, &k) &&
	       spread(&k, ticket->ticket.prf, rand->rand.value, ticket->ticket.flags & MIKEY_I, out);
	mikey_keys_clear(&k);
	return done || err_set(err, "ticket: its keys do not go with its flags, or there is no MPK") == 0;
}

bool mikey_ticket_open(const struct mikey_payload *ticket, struct bytes tpk, struct mikey_secrets *out, struct err *err)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	const char *broken = mikey_flags_broken(ticket->ticket.flags);
	long count = data_read(ticket, inside, err);

	memset(out, 0, sizeof(*out));
	if (count < 0)
		return false;
	if (broken != NULL || count == 0 || ticket->ticket.prf > MIKEY_PRF_SHA256)
		return err_set(err, "ticket: %s", broken != NULL ? broken : "empty, or of an unknown PRF") == 0;
	if (open_inside(ticket, inside, (size_t)count, tpk, out, err))
		return true;
	mikey_secrets_clear(out);
	return false;
}

/*
 * Doubt: RFC 6043 6.10 does not say which PRF makes the key of Vr. We take the ticket's: the KMS that verifies Vr sees the
 * header of RESOLVE_INIT, not that of TRANSFER_INIT.
 */
bool mikey_ticket_initiator(const struct mikey_payload *ticket, struct bytes mpkr)
{
	struct mikey_source s = mikey_keys_initiator((enum mikey_prf)ticket->ticket.prf, mpkr);
	struct mikey_payload inside[MIKEY_PAYLOADS];
	long count = mikey_inside(ticket->ticket.initiator, MIKEY_LAST, inside, NULL);
	const struct mikey_payload *vr;
	uint8_t own[MIKEY_MAC_MAX];
	struct bytes part;

	if (count < 2 || inside[0].type != MIKEY_V || inside[count - 1].type != MIKEY_V)
		return false;
	vr = &inside[count - 1];
	part = bytes_part(ticket->ticket.initiator, 0, ticket->ticket.initiator.len - vr->v.value.len);
	return vr->v.value.len > 0 && mikey_keys_mac(&s, vr->v.mac, &part, 1, own) &&
	       secret_equal(own, vr->v.value.at, vr->v.value.len);
}
