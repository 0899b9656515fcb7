/* authority: which leg is meant where no message of signalling tells: by the dialog, else by the parties. */
#include "authority_parts.h"

#include "otway/otway_rees.h"

/* How far the clock of who asks may be behind ours. */
#define CLOCKS (2 * NSEC_PER_SEC)
/* How long before a call was answered its run may have been made, where signalling has messages that lead nowhere. */
#define SET_UP (600 * NSEC_PER_SEC)

bool authority_is_party(struct bytes target, const struct parties *p)
{
	return authority_meant(target, p->a) || authority_meant(target, p->b) || authority_meant(target, p->r);
}

bool authority_parties(const struct kept *k, struct parties *out)
{
	struct or_message request;
	struct rees_leg leg;

	if (k->secret.len > 0 && k->secret.at[0] == KEPT_LEG)
		return authority_ticket_parties(k, out);
	if (!authority_rees_leg(k, &leg) || or_read(leg.request, &request, NULL) != 0)
		return false;
	*out = (struct parties){ request.a, request.b, request.r };
	return true;
}

/* What a leg's record is found by. */
static bool handle_of(const struct kept *k, struct buf *out)
{
	struct or_message request;
	struct rees_leg leg;
	struct ticket_leg ticket;

	if (authority_ticket_leg(k, &ticket))
		authority_mikey_handle(ticket.resolve, out);
	else if (authority_rees_leg(k, &leg) && or_read(leg.request, &request, NULL) == 0)
		authority_rees_handle(request.m, request.r, out);
	return out->len > 0 && !out->failed;
}

static void run_of(const struct kept *k, struct buf *out)
{
	struct or_message request;
	struct rees_leg leg;
	struct ticket_leg ticket;

	if (authority_ticket_leg(k, &ticket))
		authority_ticket_run_of(ticket.resolve, out);
	else if (authority_rees_leg(k, &leg) && or_read(leg.request, &request, NULL) == 0)
		authority_rees_run(request.m, out);
}

/* Who of a call's parties are those of the leg: either may have begun the run (re-keying). */
static bool fits_parties(const struct parties *p, const struct xk_request *in)
{
	bool by_caller =
		authority_meant(in->from, p->a) &&
		(authority_meant(in->answered, p->r) || authority_meant(in->to, p->r) || authority_meant(in->to, p->b));
	bool by_called = authority_meant(in->from, p->r) &&
			 (authority_meant(in->answered, p->a) || authority_meant(in->to, p->a));

	return by_caller || by_called;
}

/* Messages that lead nowhere may be of another KMS: then an older run of the same parties is not what is meant. */
static bool fits_time(const struct kept *k, const struct xk_request *in)
{
	return in->offer.len == 0 || (k->made >= in->at - SET_UP && k->made <= in->at + CLOCKS);
}

/* Better: of who answered; made before the moment asked about; later. */
static bool is_better(const struct kept *k, const struct kept *than, const struct xk_request *in)
{
	struct parties p = { .a = { NULL, 0 } }, q = p;
	bool answered, before;

	if (than == NULL)
		return true;
	authority_parties(k, &p);
	authority_parties(than, &q);
	answered = authority_meant(in->answered, p.r) || authority_meant(in->answered, p.a);
	if (answered != (authority_meant(in->answered, q.r) || authority_meant(in->answered, q.a)))
		return answered;
	before = k->made <= in->at + CLOCKS;
	if (before != (than->made <= in->at + CLOCKS))
		return before;
	return before ? k->made >= than->made : k->made < than->made;
}

/*
 * How a list was found. The dialog alone is what R said it is: where a message leads to a run, one of the same dialog goes
 * before it only when it is of the call's parties, lest R has a run with itself.
 */
enum by { BY_PARTIES, BY_DIALOG, BY_DIALOG_AND_PARTIES };

/* The best leg of a list; *refused: there were some, but the target is no party of any. */
static struct kept *best_of(
	struct kept_list *list, const struct xk_request *in, enum kept_kind kind, enum by by, bool *refused)
{
	struct kept *best = NULL;
	bool found = false;

	for (size_t i = 0; i < list->count; i++) {
		struct kept *k = &list->at[i];
		struct parties p;

		if (k->secret.len == 0 || k->secret.at[0] != kind || !authority_parties(k, &p) ||
			(by != BY_DIALOG && !fits_parties(&p, in)) || (by == BY_PARTIES && !fits_time(k, in)))
			continue;
		found = true;
		if (authority_is_party(in->target, &p) && is_better(k, best, in))
			best = k;
	}
	*refused = found && best == NULL;
	return best;
}

/* 0 and the leg taken out of what fits `like`, or an enum xk_failure, or -1. */
static int choose_of(struct authority *a, const struct xk_request *in, enum kept_kind kind, enum by by,
	const struct key_record *like, nsec_t now, struct kept *out, struct err *err)
{
	struct kept_list list;
	struct kept *best;
	bool refused;
	int failure = authority_recall(a, like, now, &list, err);

	if (failure == 0) {
		best = best_of(&list, in, kind, by, &refused);
		failure = best != NULL ? XK_NONE : refused ? XK_REFUSED : list.purged ? XK_PURGED : XK_UNKNOWN;
		if (best != NULL) {
			*out = *best;
			best->secret = (struct buf){ 0 };
		}
	}
	authority_forget(&list);
	return failure;
}

/* By one party of ours, which the record names as a or as r. */
static int choose_of_party(struct authority *a, const struct xk_request *in, enum kept_kind kind, struct bytes party,
	nsec_t now, struct kept *out, struct err *err)
{
	struct identity id;
	int failure = XK_UNKNOWN;

	if (party.len > 0 && authority_party(party, &id)) {
		failure = choose_of(
			a, in, kind, BY_PARTIES, &(struct key_record){ .a = bytes_of(id.uri) }, now, out, err);
		if (failure > XK_NONE)
			failure = choose_of(
				a, in, kind, BY_PARTIES, &(struct key_record){ .r = bytes_of(id.uri) }, now, out, err);
		identity_clear(&id);
	}
	/* That something of a party's was purged once says nothing of this call. */
	return failure == XK_PURGED ? XK_UNKNOWN : failure;
}

static int choose_anew(struct authority *a, const struct xk_request *in, enum kept_kind kind, bool dialog_only,
	nsec_t now, struct kept *out, struct err *err)
{
	const struct bytes parties[] = { in->from, in->answered, in->to };
	int failure = XK_UNKNOWN;

	if (in->call_id.len > 0)
		failure = choose_of(a, in, kind, dialog_only ? BY_DIALOG_AND_PARTIES : BY_DIALOG,
			&(struct key_record){ .call_id = in->call_id }, now, out, err);
	for (size_t i = 0; i < 3 && failure == XK_UNKNOWN && !dialog_only; i++)
		failure = choose_of_party(a, in, kind, parties[i], now, out, err);
	return failure;
}

/* The leg that this request was answered with before; XK_UNKNOWN: it was not. */
static int choose_again(struct authority *a, const struct xk_request *in, enum kept_kind kind,
	const struct key_record *mark, nsec_t now, struct kept *out, struct err *err)
{
	struct kept_list list;
	int failure = authority_recall(a, mark, now, &list, err);

	if (failure == 0 && list.count == 0)
		failure = list.purged ? XK_PURGED : XK_UNKNOWN;
	else if (failure == 0)
		failure = choose_of(a, in, kind, BY_DIALOG,
			&(struct key_record){ .handle = authority_kept(&list.at[0]) }, now, out, err);
	authority_forget(&list);
	return failure;
}

/* So that the same request gets the same answer, whatever is kept later. */
static int remember(struct authority *a, struct key_record mark, const struct kept *chosen, nsec_t now, struct err *err)
{
	struct buf handle = { 0 }, run = { 0 };
	struct bytes part;
	int done = -1;

	run_of(chosen, &run);
	mark.run = buf_bytes(&run);
	if (handle_of(chosen, &handle) && !run.failed) {
		part = buf_bytes(&handle);
		done = authority_keep(a, mark, KEPT_CHOICE, &part, 1, now, err);
	}
	buf_clear(&handle);
	buf_clear(&run);
	return done;
}

int authority_choose(struct authority *a, const struct xk_request *in, enum kept_kind kind, bool dialog_only,
	nsec_t now, struct kept *out, struct err *err)
{
	char handle[1 + KEY_REQUEST_ID] = "X";
	struct key_record mark = { .handle = { (const uint8_t *)handle, 1 + strlen(in->request) } };
	int failure;

	memcpy(handle + 1, in->request, KEY_REQUEST_ID);
	*out = (struct kept){ .made = 0 };
	failure = choose_again(a, in, kind, &mark, now, out, err);
	if (failure != XK_UNKNOWN)
		return failure;
	failure = choose_anew(a, in, kind, dialog_only, now, out, err);
	if (failure == XK_NONE && remember(a, mark, out, now, err) != 0)
		return -1;
	return failure;
}
