/* mikey_resolve: Ticket Resolve (RFC 6043 4.2.3): the responder asks, the KMS forks the keys for it and answers. */
#include "mikey_make.h"

bool mikey_resolve_make(const struct mikey_resolve *r, struct bytes psk, struct buf *out, struct err *err)
{
	struct mikey_source s;
	struct bytes behind[2];
	uint8_t at8[8];
	struct mikey m;

	mikey_make_begin(&m, MIKEY_RESOLVE_INIT_PSK, r->prf, r->csb);
	m.v = true; /* as in REQUEST_INIT */
	mikey_make_time(&m, r->at, at8);
	mikey_make_rand(&m, MIKEY_RAND_RESPONDER, r->randr);
	mikey_make_name(&m, MIKEY_ID_RESPONDER, &r->responder);
	mikey_make_name(&m, MIKEY_ID_KMS, &r->kms);
	mikey_add(&m, *r->ticket);
	mikey_make_name(&m, MIKEY_ID_PSK, &r->psk);
	mikey_make_v(&m, r->mac);
	s = mikey_make_source(&m, NULL, psk);
	return (mikey_check(&m, err) &&
		       mikey_keys_sign(&m, &s, behind, mikey_make_behind(&m, NULL, NULL, behind), out)) ||
	       err_in(err, "RESOLVE_INIT cannot be made") == 0;
}

/* The secrets as they are given away: forked where the ticket says so. */
static bool give(
	const struct mikey_payload *ticket, const struct mikey_grant *g, struct mikey_keys *out, struct err *err)
{
	struct mikey_secrets forked = *g->secrets;
	bool done = true;

	if (ticket->ticket.flags & MIKEY_I) {
		if (!mikey_ticket_initiator(ticket, mikey_key_octets(&g->secrets->mpkr)))
			done = err_set(err, "Initiator Data is not of who has the ticket's keys") == 0;
		else if (g->answered.data.len == 0 || g->rand_kms.len == 0)
			done = err_set(err, "forking wants to know who answers, and a random") == 0;
		else
			done = mikey_secrets_fork(&forked, ticket->ticket.prf, g->answered.data, g->rand_kms, &forked);
		done = done && forked.has_mpkr;
	}
	done = done && mikey_make_gather(&forked, out);
	mikey_secrets_clear(&forked);
	return done;
}

bool mikey_resolve_answer(
	const struct mikey *init, struct bytes psk, const struct mikey_grant *g, struct buf *out, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(init, MIKEY_TICKET, 0);
	struct buf sealed = { 0 };
	struct mikey_source s;
	struct mikey_keys k = { .count = 0 };
	uint8_t at8[8];
	struct mikey m;
	bool done;

	mikey_make_begin(&m, MIKEY_RESOLVE_RESP, init->prf, init->csb);
	s = mikey_make_source(&m, init, psk);
	mikey_make_time(&m, g->at, at8);
	mikey_make_name(&m, MIKEY_ID_KMS, &g->kms);
	done = ticket != NULL && give(ticket, g, &k, err) && mikey_make_kemac(&m, &s, g->encr, g->at, &k, &sealed, err);
	if (done && (ticket->ticket.flags & MIKEY_I)) {
		mikey_make_name(&m, MIKEY_ID_RESPONDER, &g->answered);
		mikey_make_rand(&m, MIKEY_RAND_KMS, g->rand_kms);
	}
	mikey_make_v(&m, g->mac);
	done = done && mikey_keys_sign(&m, &s, &init->whole, 1, out);
	mikey_keys_clear(&k);
	buf_clear(&sealed);
	return done || err_in(err, "RESOLVE_RESP cannot be made") == 0;
}

bool mikey_resolve_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk,
	struct mikey_secrets *out, struct mikey_name *answered, struct bytes *rand_kms, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(init, MIKEY_TICKET, 0);

	memset(out, 0, sizeof(*out));
	*answered = mikey_name_of(resp, MIKEY_ID_RESPONDER);
	*rand_kms = mikey_rand_of(resp, MIKEY_RAND_KMS);
	if (resp->type != MIKEY_RESOLVE_RESP || ticket == NULL)
		return err_set(err, "RESOLVE_RESP: the answer is another message") == 0;
	if ((ticket->ticket.flags & MIKEY_I) && (answered->data.len == 0 || rand_kms->len == 0))
		return err_set(err, "RESOLVE_RESP: keys are forked, but it does not say how") == 0;
	return mikey_make_answered(resp, init, psk, ticket->ticket.flags, out, err);
}
