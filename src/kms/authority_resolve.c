/* authority: a ticket is resolved for who answers the call (RFC 6043 4.2.3, modes 1 and 3). */
#include "authority_parts.h"

#include "otway/base/crypto.h"
#include "otway/mikey_ticket.h"

/* How often one ticket is resolved: nobody pushes out what was kept of another leg. */
#define RESOLVED_MAX (KEPT_MAX / 2)

/* The ticket lets any of its responders answer, and whoever may answer for one of them. */
static bool may_resolve(const struct authority *a, const struct mikey_policy *policy, struct bytes id)
{
	for (size_t i = 0; i < policy->responder_count; i++)
		if (authority_may_answer(a, id, policy->responders[i].data))
			return true;
	return false;
}

/*
 * RANDRkms of this leg: what it was when the same party resolved the ticket before, else drawn. 0, -1, or MIKEY_INVALID_TICKET: it
 * was resolved too often.
 */
static int find_rand(
	struct authority *a, struct bytes run, struct bytes id, nsec_t now, uint8_t out[RAND_KMS], struct err *err)
{
	struct kept_list list;
	struct ticket_leg leg;
	struct parties p;
	size_t count = 0;
	bool found = false;
	int done = authority_recall(a, &(struct key_record){ .run = run }, now, &list, err);

	for (size_t i = 0; done == 0 && i < list.count; i++) {
		if (!authority_ticket_leg(&list.at[i], &leg) || !authority_ticket_parties(&list.at[i], &p))
			continue;
		count++;
		if (authority_same(p.r, id)) {
			memcpy(out, leg.rand_kms.at, RAND_KMS);
			found = true;
		}
	}
	authority_forget(&list);
	if (done == 0 && count >= RESOLVED_MAX)
		return MIKEY_INVALID_TICKET;
	if (done == 0 && !found && !crypto_random(out, RAND_KMS))
		return err_set(err, "resolving a ticket: the system gives no random octets");
	return done;
}

static int keep(struct authority *a, const struct mikey_asked *q, const struct mikey_policy *policy, struct bytes run,
	struct bytes r, struct bytes rand, nsec_t now, struct err *err)
{
	const struct bytes parts[] = { rand, q->m->whole };
	struct buf handle = { 0 };
	struct identity caller, called;
	int done = -1;

	authority_mikey_handle(q->m->whole, &handle);
	authority_party(policy->initiator.data, &caller);
	authority_party(policy->responders[0].data, &called);
	if (handle.failed)
		err_set(err, "keeping a key: out of memory");
	else
		done = authority_keep(a,
			(struct key_record){ .handle = buf_bytes(&handle),
				.run = run,
				.a = bytes_of(caller.uri),
				.b = bytes_of(called.uri),
				.r = r },
			KEPT_LEG, parts, 2, now, err);
	identity_clear(&caller);
	identity_clear(&called);
	buf_clear(&handle);
	return done;
}

/* The answer is made first: only what can be given is kept. It goes nowhere before that. */
static int answer(struct authority *a, const struct mikey_asked *q, const struct mikey_policy *policy,
	const struct mikey_payload *ticket, const struct mikey_secrets *secrets, nsec_t now, struct buf *out,
	struct err *err)
{
	uint8_t octets[RAND_KMS];
	struct bytes rand = { octets, sizeof(octets) };
	struct mikey_grant g = { .encr = MIKEY_ENCR_CM_128,
		.mac = q->mac,
		.at = now,
		.secrets = secrets,
		.rand_kms = rand,
		.kms = { MIKEY_URI, bytes_of(a->policy->identity) },
		.answered = { q->id_kind, q->id } };
	struct identity r;
	struct buf run = { 0 };
	int verdict = -1;

	authority_ticket_run(ticket, &run);
	authority_party(q->id, &r);
	if (run.failed)
		err_set(err, "resolving a ticket: out of memory");
	else
		verdict = find_rand(a, buf_bytes(&run), q->id, now, octets, err);
	if (verdict == 0) {
		verdict = -1;
		if (!mikey_resolve_answer(q->m, q->psk, &g, out, NULL))
			verdict = MIKEY_INVALID_TICKET;
		else if (keep(a, q, policy, buf_bytes(&run), bytes_of(r.uri), rand, now, err) == 0)
			verdict = MIKEY_GIVEN;
	}
	identity_clear(&r);
	buf_clear(&run);
	return verdict;
}

int authority_resolve(struct authority *a, const struct mikey_asked *q, nsec_t now, struct buf *out, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(q->m, MIKEY_TICKET, 0);
	struct mikey_secrets secrets;
	struct mikey_policy policy;
	int verdict;

	if (ticket == NULL || !mikey_policy_read(ticket, &policy, NULL, NULL) || policy.responder_count == 0 ||
		!authority_is_us(a, policy.kms.data) || !mikey_policy_valid(&policy, now))
		return MIKEY_INVALID_TICKET;
	verdict = authority_ticket_open(a, ticket, &policy, now, &secrets, err);
	if (verdict > XK_NONE)
		verdict = MIKEY_INVALID_TICKET;
	else if (verdict == XK_NONE)
		verdict = may_resolve(a, &policy, q->id) ? answer(a, q, &policy, ticket, &secrets, now, out, err)
							 : (int)MIKEY_INVALID_ID;
	mikey_secrets_clear(&secrets);
	return verdict;
}
