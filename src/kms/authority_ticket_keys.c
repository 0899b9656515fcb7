/*
 * authority: keys of a MIKEY-TICKET call for the LI side. The ticket of signalling is opened with what only we have; its messages
 * count as far as the ticket's keys verify them; where they do not, or nobody saw them, what was kept of the leg stands.
 */
#include "authority_parts.h"

#include "otway/mikey_transfer.h"

#define DEFAULT_SESSIONS 8 /* crypto sessions that keys are given for when no message tells which there are */

/* What signalling gave: one exchange, or the first and a later one. */
struct seen {
	struct mikey messages[4];
	struct mikey_exchange exchanges[2];
	size_t count;
};

/* A ticket that opened. */
struct opened {
	const struct mikey_payload *ticket;
	struct mikey_policy policy;
	struct mikey_secrets secrets;
	struct kept_list legs;  /* of its run */
	const struct kept *leg; /* who answered; NULL: nobody resolved it, or it cannot be told which */
	struct mikey resolve;   /* of leg */
	struct bytes rand_kms;
};

static const struct mikey *read_message(struct bytes in, enum mikey_type type, struct mikey *out)
{
	return in.len > 0 && mikey_decode(in, out, NULL) && out->type == type && mikey_check(out, NULL) ? out : NULL;
}

static void read_exchange(struct bytes init, struct bytes resp, struct seen *s)
{
	struct mikey_exchange *e = &s->exchanges[s->count];

	e->init = read_message(init, MIKEY_TRANSFER_INIT, &s->messages[2 * s->count]);
	e->resp = e->init == NULL ? NULL : read_message(resp, MIKEY_TRANSFER_RESP, &s->messages[2 * s->count + 1]);
	s->count += e->init != NULL;
}

/* A ticket transferred with a CSB ID of its own updates nothing: the first exchange is another's (RFC 6043 5.2, 5.3). */
static bool begins_anew(const struct mikey *first, const struct mikey *then)
{
	return first->csb != then->csb && mikey_find(then, MIKEY_TICKET, 0) != NULL;
}

static void read_seen(const struct xk_request *in, struct seen *s)
{
	s->count = 0;
	read_exchange(in->first_offer, in->first_answer, s);
	read_exchange(in->offer, in->answer, s);
	if (s->count == 2 && begins_anew(s->exchanges[0].init, s->exchanges[1].init))
		s->exchanges[0] = s->exchanges[--s->count];
}

/* The leg of who answered: by TRANSFER_RESP, else as signalling says, else the only one; of several of one party the latest. */
static void choose_leg(struct opened *o, struct bytes idr, struct bytes answered)
{
	const struct kept *said = NULL, *only = NULL;
	struct ticket_leg leg;
	struct parties p, first;
	bool several = false;

	for (size_t i = 0; i < o->legs.count; i++) {
		const struct kept *k = &o->legs.at[i];

		if (!authority_ticket_leg(k, &leg) || !authority_ticket_parties(k, &p))
			continue;
		if (authority_same(p.r, idr) || (idr.len == 0 && authority_meant(answered, p.r)))
			said = k;
		if (only == NULL)
			first = p;
		several |= only != NULL && !authority_same(first.r, p.r);
		only = k;
	}
	o->leg = said != NULL ? said : several ? NULL : only;
	if (o->leg != NULL && authority_ticket_leg(o->leg, &leg) && mikey_decode(leg.resolve, &o->resolve, NULL))
		o->rand_kms = leg.rand_kms;
	else
		o->leg = NULL;
}

static int open_ticket(struct authority *a, struct opened *o, nsec_t now, struct err *err)
{
	struct buf run = { 0 };
	int failure;

	if (o->ticket == NULL || !mikey_policy_read(o->ticket, &o->policy, NULL, NULL))
		return XK_UNKNOWN;
	failure = authority_ticket_open(a, o->ticket, &o->policy, now, &o->secrets, err);
	if (failure != XK_NONE)
		return failure;
	authority_ticket_run(o->ticket, &run);
	failure = run.failed ? -1
			     : authority_recall(a, &(struct key_record){ .run = buf_bytes(&run) }, now, &o->legs, err);
	buf_clear(&run);
	return failure;
}

/* The target is of the ticket, or has resolved it. */
static bool is_party(const struct opened *o, struct bytes target)
{
	struct parties p;
	bool found = authority_meant(target, o->policy.initiator.data);

	for (size_t i = 0; i < o->policy.responder_count; i++)
		found |= authority_meant(target, o->policy.responders[i].data);
	for (size_t i = 0; i < o->legs.count; i++)
		found |= authority_ticket_parties(&o->legs.at[i], &p) && authority_meant(target, p.r);
	return found;
}

static void take_streams(const struct mikey_stream *streams, size_t count, struct xk_answer *out)
{
	for (size_t i = 0; i < count && out->key_count < KEY_SESSIONS; i++) {
		const struct mikey_stream *s = &streams[i];
		struct xk_key *x = &out->keys[out->key_count];

		if (s->lack != MIKEY_KEYED || s->key_len > sizeof(x->key) || s->salt_len > sizeof(x->salt))
			continue;
		*x = (struct xk_key){ .cs = s->cs,
			.key_len = s->key_len,
			.salt_len = s->salt_len,
			.mki_len = s->key.mki_len,
			.from = NSEC_NONE,
			.until = NSEC_NONE };
		memcpy(x->key, s->key.key, sizeof(x->key));
		memcpy(x->salt, s->key.salt, sizeof(x->salt));
		memcpy(x->mki, s->key.mki, s->key.mki_len);
		out->key_count++;
	}
}

/* The randoms of signalling, as they are claimed: wrong ones give keys that open nothing. */
static void claim_randoms(const struct seen *s, struct mikey_call *call)
{
	if (s->count == 0)
		return;
	call->randi = mikey_rand_of(s->exchanges[0].init, MIKEY_RAND_INITIATOR);
	if (s->exchanges[0].resp != NULL)
		call->randr = mikey_rand_of(s->exchanges[0].resp, MIKEY_RAND_RESPONDER);
}

/* With these messages, and what was kept of the leg. */
static bool compute(const struct authority *a, const struct opened *o, const struct seen *s,
	const struct mikey_exchange *e, size_t count, struct xk_answer *out)
{
	const struct mikey_parties known = { o->policy.initiator.data, o->policy.responders[0].data,
		bytes_of(a->policy->identity) };
	struct mikey_call call = { .exchanges = e,
		.count = count,
		.claimed = s->exchanges,
		.claimed_count = s->count,
		.ticket = o->ticket,
		.known = &known,
		.sessions = DEFAULT_SESSIONS };
	struct mikey_stream streams[MIKEY_STREAMS];
	size_t made = 0;
	bool verified;

	claim_randoms(s, &call);
	if (o->leg != NULL) {
		call.answered = mikey_id_of(&o->resolve, MIKEY_ID_RESPONDER);
		call.rand_kms = o->rand_kms;
	}
	out->key_count = 0;
	if (mikey_session_keys(&o->secrets, &call, streams, &made, &verified, NULL))
		take_streams(streams, made, out);
	mikey_streams_clear(streams, MIKEY_STREAMS);
	return out->key_count > 0;
}

/* All that was seen; else without the update, the answer, any message: nothing forged beside a good ticket hides its keys. */
static int compute_any(const struct authority *a, const struct opened *o, const struct seen *s, struct xk_answer *out)
{
	struct mikey_exchange first = { s->exchanges[0].init, NULL };

	if (o->policy.responder_count == 0)
		return XK_UNKNOWN;
	for (size_t count = s->count; count > 0; count--)
		if (compute(a, o, s, s->exchanges, count, out))
			return XK_NONE;
	if (o->leg != NULL && ((s->count > 0 && compute(a, o, s, &first, 1, out)) || compute(a, o, s, NULL, 0, out)))
		return XK_NONE;
	return XK_UNKNOWN;
}

static int by_messages(
	struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out, struct err *err)
{
	struct opened o = { .ticket = NULL };
	struct bytes idr = { NULL, 0 };
	struct seen s;
	int failure;

	read_seen(in, &s);
	if (s.count == 0)
		return XK_UNKNOWN;
	o.ticket = mikey_find(s.exchanges[0].init, MIKEY_TICKET, 0);
	failure = open_ticket(a, &o, now, err);
	if (s.exchanges[0].resp != NULL)
		idr = mikey_id_of(s.exchanges[0].resp, MIKEY_ID_RESPONDER);
	if (failure == XK_NONE) {
		choose_leg(&o, idr, in->answered);
		failure = is_party(&o, in->target) ? compute_any(a, &o, &s, out) : XK_REFUSED;
	}
	authority_forget(&o.legs);
	mikey_secrets_clear(&o.secrets);
	return failure;
}

/* With what was kept of one leg alone. */
static int by_leg(struct authority *a, const struct kept *k, nsec_t now, struct xk_answer *out, struct err *err)
{
	struct opened o = { .leg = k };
	struct seen none = { .count = 0 };
	struct ticket_leg leg;
	int failure = XK_UNKNOWN;

	if (authority_ticket_leg(k, &leg) && mikey_decode(leg.resolve, &o.resolve, NULL)) {
		o.rand_kms = leg.rand_kms;
		o.ticket = mikey_find(&o.resolve, MIKEY_TICKET, 0);
		failure = open_ticket(a, &o, now, err);
	}
	if (failure == XK_NONE)
		failure = compute_any(a, &o, &none, out);
	authority_forget(&o.legs);
	mikey_secrets_clear(&o.secrets);
	return failure;
}

/* Where signalling's messages lead to nothing, or to another's call, those that were made of this call may still be known. */
int authority_ticket_keys(
	struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out, struct err *err)
{
	struct kept leg;
	int failure, by_message = by_messages(a, in, now, out, err);

	if (by_message != XK_UNKNOWN && by_message != XK_REFUSED)
		return by_message;
	failure = authority_choose(a, in, KEPT_LEG, false, now, &leg, err);
	if (failure == XK_NONE)
		failure = by_leg(a, &leg, now, out, err);
	buf_clear(&leg.secret);
	return by_message == XK_REFUSED && failure > XK_NONE ? XK_REFUSED : failure;
}
