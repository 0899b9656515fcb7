/* authority: keys of an Otway-Rees run for the LI side. Signalling only tells which run and which leg: all else is what was kept. */
#include "authority_parts.h"

#include "otway/base/secret.h"
#include "otway/otway_rees.h"

/* Keys of every session that A offered. */
static int put_keys(const struct rees_leg *leg, const struct or_message *m, struct xk_answer *out)
{
	uint8_t k[OR_KEY];
	struct srtp_key key;

	if (!or_leg_key(leg->root, leg->nr, m->r, k))
		return -1;
	for (size_t i = 0; i < m->session_count && out->key_count < KEY_SESSIONS; i++) {
		struct xk_key *x = &out->keys[out->key_count];

		if (!or_srtp_key(k, m->m, &m->sessions[i], &key))
			continue; /* a suite that nothing here opens */
		*x = (struct xk_key){ .cs = m->sessions[i].cs,
			.key_len = suite_facts(key.suite)->key,
			.salt_len = suite_facts(key.suite)->salt,
			.mki_len = key.mki_len,
			.from = NSEC_NONE,
			.until = NSEC_NONE };
		memcpy(x->key, key.key, sizeof(x->key));
		memcpy(x->salt, key.salt, sizeof(x->salt));
		memcpy(x->mki, key.mki, key.mki_len);
		out->key_count++;
	}
	secret_wipe(&key, sizeof(key));
	secret_wipe(k, sizeof(k));
	return out->key_count > 0 ? XK_NONE : XK_UNKNOWN;
}

/* The legs of a run: that of who answered, by message 4, or as signalling says; or the only one. */
static const struct kept *leg_of(const struct kept_list *list, struct bytes r, struct bytes answered)
{
	const struct kept *only = NULL, *said = NULL;
	struct parties p;

	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].secret.at[0] != KEPT_REES || !authority_parties(&list->at[i], &p))
			continue;
		if (authority_same(p.r, r))
			return &list->at[i];
		if (authority_meant(answered, p.r))
			said = &list->at[i];
		only = only == NULL ? &list->at[i] : only;
	}
	return said != NULL ? said : list->count == 1 ? only : NULL;
}

/* Keys of a leg, when the target is a party of it. */
static int give_leg(const struct kept *k, struct bytes target, struct xk_answer *out)
{
	struct or_message request;
	struct parties p;
	struct rees_leg leg;

	if (!authority_rees_leg(k, &leg) || or_read(leg.request, &request, NULL) != 0 || !authority_parties(k, &p))
		return XK_UNKNOWN;
	return authority_is_party(target, &p) ? put_keys(&leg, &request, out) : XK_REFUSED;
}

/* Whether R told the KMS of this very dialog: a B2BUA between may have given it another name. */
static bool is_of_dialog(const struct kept *k, struct bytes call_id)
{
	struct or_message request;
	struct rees_leg leg;

	return authority_rees_leg(k, &leg) && or_read(leg.request, &request, NULL) == 0 &&
	       bytes_equal(request.call_id, call_id);
}

/* By message 1, or 4. */
static int by_message(struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out,
	bool *of_dialog, struct err *err)
{
	struct or_message offer = { 0 }, answer = { 0 };
	struct kept_list list = { .count = 0 };
	const struct kept *leg;
	struct buf run = { 0 };
	int failure = XK_UNKNOWN;

	if (or_read(in->offer, &offer, NULL) != 0 || offer.type != OR_OFFER)
		offer.m.len = 0;
	if (or_read(in->answer, &answer, NULL) != 0 || answer.type != OR_ANSWER)
		answer.r.len = answer.m.len = 0;
	if (offer.m.len == 0 && answer.m.len == 0)
		return XK_UNKNOWN;
	authority_rees_run(offer.m.len > 0 ? offer.m : answer.m, &run);
	if (!run.failed)
		failure = authority_recall(a, &(struct key_record){ .run = buf_bytes(&run) }, now, &list, err);
	if (failure == 0) {
		leg = leg_of(&list, answer.r, in->answered);
		failure = leg != NULL ? give_leg(leg, in->target, out) : list.purged ? XK_PURGED : XK_UNKNOWN;
		*of_dialog = leg != NULL && is_of_dialog(leg, in->call_id);
	}
	authority_forget(&list);
	buf_clear(&run);
	return failure;
}

/*
 * Messages that were forged, or replayed from another call, lead to no run or to a wrong one: what R told of the dialog itself
 * goes before them, and the parties go before nothing.
 */
int authority_rees_keys(
	struct authority *a, const struct xk_request *in, nsec_t now, struct xk_answer *out, struct err *err)
{
	struct kept leg;
	bool of_dialog = false;
	int failure, found = by_message(a, in, now, out, &of_dialog, err);

	if (found < 0 || found == XK_PURGED || (found == XK_NONE && of_dialog))
		return found;
	failure = authority_choose(a, in, KEPT_REES, found != XK_UNKNOWN, now, &leg, err);
	if (failure == XK_NONE) {
		xk_answer_clear(out);
		failure = give_leg(&leg, in->target, out);
	}
	buf_clear(&leg.secret);
	return found != XK_UNKNOWN && failure > XK_NONE ? found : failure;
}
