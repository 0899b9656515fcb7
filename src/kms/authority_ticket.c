/* authority: tickets, and the legs that were resolved. */
#include "authority_parts.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/mikey_ticket.h"

bool authority_ticket_key(const struct authority *a, struct bytes secret, uint8_t tpk[32])
{
	struct bytes root = { a->policy->ticket_key, sizeof(a->policy->ticket_key) };

	return crypto_hkdf(root, secret, bytes_of("otway 1 ticket"), tpk, 32);
}

void authority_ticket_run(const struct mikey_payload *ticket, struct buf *out)
{
	uint8_t digest[SHA256_LEN];

	/* Not what lies behind is named in it, nor Initiator Data (RFC 6043 A.1). */
	sha256_of(bytes_part(bytes_part(ticket->whole, 0, ticket->ticket.initiator_at), 1, SIZE_MAX), digest);
	buf_text(out, "M");
	buf_add(out, digest, sizeof(digest));
}

void authority_ticket_run_of(struct bytes message, struct buf *out)
{
	const struct mikey_payload *ticket;
	struct mikey m;

	if (!mikey_decode(message, &m, NULL))
		return;
	ticket = mikey_find(&m, MIKEY_TICKET, 0);
	if (ticket != NULL)
		authority_ticket_run(ticket, out);
}

bool authority_ticket_leg(const struct kept *k, struct ticket_leg *out)
{
	struct bytes s = authority_kept(k);

	if (s.len <= RAND_KMS || k->secret.at[0] != KEPT_LEG)
		return false;
	*out = (struct ticket_leg){ bytes_part(s, 0, RAND_KMS), bytes_part(s, RAND_KMS, SIZE_MAX) };
	return true;
}

bool authority_ticket_parties(const struct kept *k, struct parties *out)
{
	const struct mikey_payload *ticket;
	struct mikey_policy policy;
	struct ticket_leg leg;
	struct mikey m;

	if (!authority_ticket_leg(k, &leg) || !mikey_decode(leg.resolve, &m, NULL))
		return false;
	ticket = mikey_find(&m, MIKEY_TICKET, 0);
	if (ticket == NULL || !mikey_policy_read(ticket, &policy, NULL, NULL) || policy.responder_count == 0)
		return false;
	*out = (struct parties){ policy.initiator.data, policy.responders[0].data,
		mikey_id_of(&m, MIKEY_ID_RESPONDER) };
	if (out->r.len == 0)
		out->r = mikey_id_of(&m, MIKEY_ID_PSK);
	return true;
}

/* The key of a ticket that was made here: with what was kept of it, and of no use when that is gone. */
static int key_of_ours(const struct authority *a, const struct kept_list *list, uint8_t tpk[32])
{
	for (size_t i = 0; i < list->count; i++) {
		struct bytes secret = authority_kept(&list->at[i]);

		if (list->at[i].secret.at[0] == KEPT_TICKET && secret.len == TICKET_SECRET)
			return authority_ticket_key(a, secret, tpk) ? XK_NONE : -1;
	}
	return XK_UNKNOWN;
}

/* Mode 3: the key that its initiator shares with us; of no other user, whatever the ticket says. */
static const struct kms_user *user_of_theirs(
	const struct authority *a, const struct mikey_payload *ticket, const struct mikey_policy *policy)
{
	const struct kms_user *user = authority_user_of(a, policy->initiator.data);
	struct mikey_name psk;

	if (user == NULL || !mikey_ticket_psk(ticket, &psk, NULL))
		return NULL;
	return psk.data.len == 0 || authority_user_of(a, psk.data) == user ? user : NULL;
}

static bool is_over(const struct kept_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].secret.at[0] == KEPT_END)
			return true;
	return list->purged;
}

/* A ticket of which nothing was kept, and that is older than anything we keep. */
static bool is_past(
	const struct authority *a, const struct mikey_payload *ticket, const struct kept_list *list, nsec_t now)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];
	long count = mikey_inside(ticket->ticket.data, MIKEY_THDR, inside, NULL);
	const struct mikey_payload *t = count > 0 ? mikey_find_in(inside, (size_t)count, MIKEY_T, 0) : NULL;
	nsec_t made = t != NULL ? mikey_time_of(t) : NSEC_NONE;

	return list->count == 0 && made != NSEC_NONE && made + authority_keep_for(a) <= now;
}

static int open_with(struct authority *a, const struct mikey_payload *ticket, const struct mikey_policy *policy,
	const struct kept_list *list, nsec_t now, struct mikey_secrets *out)
{
	const struct kms_user *user;
	uint8_t tpk[32];
	int failure = XK_UNKNOWN;

	if (is_over(list))
		return XK_PURGED;
	if (policy->flags & MIKEY_D) {
		failure = key_of_ours(a, list, tpk);
		if (failure == XK_NONE && !mikey_ticket_open(ticket, (struct bytes){ tpk, sizeof(tpk) }, out, NULL))
			failure = XK_UNKNOWN;
		secret_wipe(tpk, sizeof(tpk));
		return failure;
	}
	user = user_of_theirs(a, ticket, policy);
	if (user != NULL && mikey_ticket_open(ticket, (struct bytes){ user->psk, user->psk_len }, out, NULL))
		failure = is_past(a, ticket, list, now) ? XK_PURGED : XK_NONE;
	return failure;
}

int authority_ticket_open(struct authority *a, const struct mikey_payload *ticket, const struct mikey_policy *policy,
	nsec_t now, struct mikey_secrets *out, struct err *err)
{
	struct kept_list list = { .count = 0 };
	struct buf run = { 0 };
	int failure = -1;

	memset(out, 0, sizeof(*out));
	authority_ticket_run(ticket, &run);
	if (run.failed)
		err_set(err, "opening a ticket: out of memory");
	else if (authority_recall(a, &(struct key_record){ .run = buf_bytes(&run) }, now, &list, err) == 0)
		failure = open_with(a, ticket, policy, &list, now, out);
	authority_forget(&list);
	buf_clear(&run);
	return failure;
}
