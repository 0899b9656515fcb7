/* authority: the LI side. */
#include "authority_parts.h"

#include "otway/otway_rees.h"

static int find_keys(struct authority *a, const struct xk_request *in, const char *peer, nsec_t now,
	struct xk_answer *out, struct err *err)
{
	const struct kms_partner *partner = authority_partner(a, peer);

	if (in->warrant.len == 0 || in->target.len == 0)
		return XK_REFUSED;
	if (!authority_is_us(a, in->kms))
		return XK_UNKNOWN;
	if (partner != NULL && !authority_at_home(partner, in->target))
		return XK_NO_AGREEMENT;
	return in->protocol == KEY_MGMT_OTWAY_REES ? authority_rees_keys(a, in, now, out, err)
						   : authority_ticket_keys(a, in, now, out, err);
}

int authority_keys(struct authority *a, const struct xk_request *in, const char *peer, nsec_t now,
	struct xk_answer *out, struct err *err)
{
	const char *outcome;
	int failure;

	*out = (struct xk_answer){ .failure = XK_NONE };
	failure = find_keys(a, in, peer, now, out, err);
	if (failure != XK_NONE)
		xk_answer_clear(out);
	memcpy(out->request, in->request, sizeof(out->request));
	out->failure = failure < 0 ? XK_TRY_LATER : (enum xk_failure)failure;
	outcome = failure == XK_NONE ? "keys" : xk_failure_text(out->failure);
	if (authority_log(a, "xk-keys", in->request, peer, in->warrant, outcome, now, failure < 0 ? NULL : err) != 0)
		failure = -1;
	if (failure < 0)
		xk_answer_clear(out);
	return failure < 0 ? -1 : 0;
}

/* Which run the offer is of; empty: it does not say. */
static void run_of_offer(const struct xk_request *in, struct buf *run)
{
	struct or_message offer;

	if (in->protocol == KEY_MGMT_MIKEY)
		authority_ticket_run_of(in->offer, run);
	else if (or_read(in->offer, &offer, NULL) == 0)
		authority_rees_run(offer.m, run);
}

/* How many keys there are: legs, or a ticket that nobody resolved. */
static size_t keys_in(const struct kept_list *list)
{
	size_t legs = 0, tickets = 0;

	for (size_t i = 0; i < list->count; i++) {
		uint8_t kind = list->at[i].secret.at[0];

		legs += kind == KEPT_REES || kind == KEPT_LEG;
		tickets += kind == KEPT_TICKET;
	}
	return legs > 0 ? legs : tickets;
}

/* So that a ticket of which nothing was kept is of no use either: there must be something to purge. */
static int mark_end(struct authority *a, struct bytes run, nsec_t now, struct err *err)
{
	struct buf handle = { 0 };
	int done;

	buf_text(&handle, "E");
	buf_add(&handle, run.at, run.len);
	done = authority_keep(
		a, (struct key_record){ .handle = buf_bytes(&handle), .run = run }, KEPT_END, NULL, 0, now, err);
	buf_clear(&handle);
	return done;
}

/* Adds to *purged. */
static int purge(
	struct authority *a, const struct key_record *like, bool mark, nsec_t now, size_t *purged, struct err *err)
{
	struct kept_list list;
	int done = authority_recall(a, like, now, &list, err);

	if (done == 0) {
		*purged += keys_in(&list);
		if (mark && list.count == 0 && !list.purged)
			done = mark_end(a, like->run, now, err);
	}
	authority_forget(&list);
	return done == 0 ? a->memory.purge(a->memory.arg, like, now, NULL, err) : done;
}

/* The run of the offer, and all else of the dialog. */
static int purge_call(struct authority *a, const struct xk_request *in, nsec_t now, size_t *purged, struct err *err)
{
	struct buf run = { 0 };
	int done = 0;

	run_of_offer(in, &run);
	if (run.len > 0)
		done = purge(a, &(struct key_record){ .run = buf_bytes(&run) }, in->protocol == KEY_MGMT_MIKEY, now,
			purged, err);
	if (done == 0 && in->call_id.len > 0)
		done = purge(a, &(struct key_record){ .call_id = in->call_id }, false, now, purged, err);
	buf_clear(&run);
	return done;
}

int authority_ended(
	struct authority *a, const struct xk_request *in, const char *peer, nsec_t now, size_t *purged, struct err *err)
{
	bool partner = authority_partner(a, peer) != NULL;
	int done = 0;

	*purged = 0;
	if (authority_is_us(a, in->kms) && !partner)
		done = purge_call(a, in, now, purged, err);
	if (authority_log(a, "xk-ended", in->request, peer, in->warrant,
		    done != 0     ? "failed"
		    : partner     ? xk_failure_text(XK_NO_AGREEMENT)
		    : *purged > 0 ? "purged"
				  : "unknown",
		    now, done == 0 ? err : NULL) != 0)
		done = -1;
	return done;
}
