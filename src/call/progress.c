/*
 * progress: how far a call has come: transactions by topmost branch, CSeq and flow, so that each hop of a proxied call has
 * its own (RFC 3261 17), and from them and the dialogs whether it is over.
 */
#include "calls.h"

bool sip_is_initial(const struct sip_message *m)
{
	return m->request && m->method == SIP_INVITE && m->to_tag.len == 0;
}

bool sip_method_cut(const struct sip_message *m)
{
	return !m->request && m->method_name.len == 0;
}

bool sip_is_signalling(const struct sip_message *m)
{
	switch (m->method) {
	case SIP_INVITE:
	case SIP_ACK:
	case SIP_BYE:
	case SIP_CANCEL:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO:
		return true;
	default:
		return sip_method_cut(m) && m->status >= 180 && m->status < 190;
	}
}

bool leg_pending(const struct leg *leg)
{
	if (leg->dialog_count > 0)
		return false;
	for (const struct exchange *x = leg->exchanges; x != NULL; x = x->next)
		if (x->initial && x->final == 0 && !x->given_up)
			return true;
	return false;
}

bool call_pending(const struct call *call)
{
	for (size_t i = 0; i < call->leg_count; i++)
		if (leg_pending(call->legs[i]))
			return true;
	return false;
}

static bool leg_ended(const struct leg *leg)
{
	return leg->dialog_count > 0 && !leg_live(leg);
}

/* Which side sent the request. Who sends an initial INVITE is the caller; one whose set-up was not seen counts so too. */
static bool request_from_caller(struct leg *leg, const struct sip_message *m)
{
	struct bytes from = m->request || m->from_tag.len > 0 ? m->from_tag : m->to_tag;

	for (size_t i = 0; i < leg->caller_tag_count; i++)
		if (text_eq(leg->caller_tags[i], from))
			return true;
	for (size_t i = 0; i < leg->caller_tag_count; i++)
		if (m->to_tag.len > 0 && text_eq(leg->caller_tags[i], m->to_tag))
			return false;
	if (leg->caller_tag_count < TAGS_MAX && from.len > 0 && (leg->caller_tag_count == 0 || sip_is_initial(m))) {
		leg->caller_tags[leg->caller_tag_count] = text_dup(from);
		leg->caller_tag_count += leg->caller_tags[leg->caller_tag_count] != NULL;
	}
	return true;
}

static bool flow_same_hosts(const struct flow *f, const struct addr *src, const struct addr *dst)
{
	return addr_same_host(&f->src, src) && addr_same_host(&f->dst, dst);
}

/* The transaction of a request seen again, or of a response; the same hop if there is one, else the newest. */
static struct exchange *exchange_of(const struct leg *leg, const struct sip_message *m, enum sip_method method)
{
	const struct flow *f = &m->datagram->flow;
	struct exchange *best = NULL;

	for (struct exchange *x = leg->exchanges; x != NULL; x = x->next) {
		bool hop = m->request ? flow_same_hosts(&x->flow, &f->src, &f->dst)
				      : flow_same_hosts(&x->flow, &f->dst, &f->src);

		if (!text_eq(x->branch, m->branch) || (!sip_method_cut(m) && x->method != method))
			continue;
		if (x->cseq != m->cseq && !(m->truncated && m->cseq == 0))
			continue;
		if (hop)
			return x;
		if (best == NULL && !m->request && m->branch.len > 0)
			best = x;
	}
	return best;
}

/* A set-up begins, perhaps anew: after a challenge, a redirection, or by a leg that joins a call that had failed. */
static void set_up(struct call *call, struct leg *leg, const struct sip_message *m)
{
	call->set_up_seen = leg->set_up_seen = true;
	if (call->started == NSEC_NONE || m->at < call->started)
		call->started = m->at;
	call->ended = call->deadline = NSEC_NONE;
	call->over = call->closed = false;
	if (call->answered == NSEC_NONE)
		call->outcome = CALL_INCOMPLETE;
	call->changed = true;
}

static struct exchange *request_in(struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct exchange *x = exchange_of(leg, m, m->method);

	if (x != NULL && x->request_seen) { /* again */
		x->last = m->at;
		return x;
	}
	if (x == NULL)
		x = exchange_begin(leg, m);
	if (x == NULL)
		return NULL;
	x->request_seen = true;
	x->from_caller = request_from_caller(leg, m);
	if (sip_is_initial(m)) {
		x->initial = true;
		set_up(call, leg, m);
		if (leg->dialog_count == 0)
			leg_hosts(leg, &m->datagram->flow);
	} else if (!leg->set_up_seen && m->to_tag.len > 0) {
		dialog_open(leg, m);
	}
	return x;
}

static void cancel_in(struct call *call, const struct leg *leg, const struct sip_message *m)
{
	struct exchange *x = exchange_of(leg, m, SIP_INVITE);

	if (x != NULL)
		x->cancelled = true;
	call->cancelled = true;
}

static void answered(struct call *call, struct leg *leg, const struct exchange *x, const struct sip_message *m)
{
	if (!x->initial) { /* a re-INVITE; its dialog may be new to us */
		if (!leg->set_up_seen)
			dialog_open(leg, m);
		return;
	}
	dialog_open(leg, m);
	call->settled = m->at;
	if (call->answered != NSEC_NONE && call->answered <= m->at)
		return;
	call->answered = m->at;
	call->outcome = CALL_ANSWERED;
	call->changed = true;
}

/* A response to an INVITE. */
static void invite_response(struct call *call, struct leg *leg, struct exchange *x, const struct sip_message *m)
{
	if (m->status < 200) {
		if (m->status == 180 || m->status == 183)
			x->rang = call->rang = true;
		return;
	}
	if (m->status < 300) {
		answered(call, leg, x, m);
	} else if (x->initial) {
		call->failed = m->status;
		call->settled = m->at;
	}
	if (x->final == 0 || m->status < 300) {
		x->final = m->status;
		x->final_at = m->at;
	}
}

/* Who takes part in what is agreed belongs to the leg; a stranger is answered too, but not so. */
static void response_hosts(struct leg *leg, const struct exchange *x, const struct sip_message *m)
{
	if (m->status > 100 && m->status < 300 && (m->status >= 200 || x->initial))
		leg_hosts(leg, &m->datagram->flow);
}

static struct exchange *response_in(struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct exchange *x = exchange_of(leg, m, m->method);
	bool ringing = m->status >= 180 && m->status < 200;

	if (x == NULL) { /* its request was not seen */
		if (m->method != SIP_INVITE && m->method != SIP_UPDATE && m->method != SIP_PRACK)
			return NULL;
		x = exchange_begin(leg, m);
		if (x == NULL)
			return NULL;
		x->from_caller = request_from_caller(leg, m);
		x->initial = m->method == SIP_INVITE && ringing && !leg->set_up_seen && leg->dialog_count == 0;
	}
	x->last = m->at;
	response_hosts(leg, x, m);
	if (x->method == SIP_INVITE)
		invite_response(call, leg, x, m);
	else if (m->status >= 200) {
		x->final = m->status;
		x->final_at = m->at;
	}
	return x;
}

static void end_now(struct call *call, nsec_t ended)
{
	call->over = true;
	call->ended = ended;
	call->changed = true;
}

static void failed(struct call *call, nsec_t at)
{
	static const uint16_t unanswered[] = { 408, 480 };

	call->outcome = call->failed == 487 ? CALL_CANCELLED : CALL_REFUSED;
	for (size_t i = 0; i < sizeof(unanswered) / sizeof(unanswered[0]); i++)
		if (call->failed == unanswered[i])
			call->outcome = CALL_UNANSWERED;
	end_now(call, at);
}

/* A BYE may be missed on one leg: once the first leg, or all others, have ended, the rest gets its time and no more. */
static bool half_over(const struct call *call)
{
	size_t ended = 0, live = 0;

	for (size_t i = 1; i < call->leg_count; i++) {
		ended += leg_ended(call->legs[i]);
		live += leg_live(call->legs[i]) || leg_pending(call->legs[i]);
	}
	return call->leg_count > 1 && (leg_ended(call->legs[0]) || (ended > 0 && live == 0));
}

/* Nothing is alive: when that began is told at once, and taken back if the BYE is refused. */
static void ending(struct call *call, nsec_t ended)
{
	bool over = true;

	for (size_t i = 0; i < call->leg_count; i++)
		over &= !leg_ending(call->legs[i]);
	if (call->ended == NSEC_NONE) {
		call->ended = ended;
		call->changed = true;
	}
	if (over)
		end_now(call, call->ended);
}

static void look_for_end(struct call *call, nsec_t at)
{
	bool dialogs = false, live = false;

	if (call->over)
		return;
	for (size_t i = 0; i < call->leg_count; i++) {
		dialogs |= call->legs[i]->dialog_count > 0;
		live |= leg_live(call->legs[i]);
	}
	if (live || call_pending(call)) {
		call->changed |= call->ended != NSEC_NONE;
		call->ended = NSEC_NONE;
		if (!half_over(call))
			call->deadline = NSEC_NONE;
		else if (call->deadline == NSEC_NONE)
			call->deadline = at + LINGER;
	} else if (dialogs) {
		ending(call, at);
	} else if (call->failed != 0) {
		failed(call, at);
	}
}

struct exchange *progress_take(struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct exchange *x = NULL;
	nsec_t at = m->at;

	if (!m->request && m->method == SIP_BYE) {
		at = bye_answered(call, leg, m);
	} else if (!m->request) {
		x = response_in(call, leg, m);
	} else if (m->method == SIP_INVITE || m->method == SIP_UPDATE || m->method == SIP_PRACK) {
		x = request_in(call, leg, m);
	} else if (m->method == SIP_CANCEL) {
		cancel_in(call, leg, m);
	} else if (m->method == SIP_BYE) {
		request_from_caller(leg, m);
		bye_in(call, leg, m);
	} else {
		request_from_caller(leg, m);
	}
	look_for_end(call, at);
	return x;
}

/* Transactions that nobody asks for any more. */
static void exchanges_time(struct leg *leg, nsec_t at, bool *given_up)
{
	for (struct exchange **p = &leg->exchanges; *p != NULL;) {
		struct exchange *x = *p;
		bool late = x->final == 0 && at - x->last >= ANSWER_WAIT;

		if (late && x->initial && !x->given_up)
			*given_up = x->given_up = true;
		if (late || (x->final != 0 && at - x->final_at > LINGER && at - x->last > LINGER)) {
			*p = x->next;
			exchange_free(x);
			leg->exchange_count--;
		} else {
			p = &x->next;
		}
	}
}

void progress_time(struct call *call, nsec_t at)
{
	bool given_up = false, live = false, ended = false;

	for (size_t i = 0; i < call->leg_count; i++) {
		exchanges_time(call->legs[i], at, &given_up);
		ended |= dialogs_time(call->legs[i], at);
		live |= leg_live(call->legs[i]);
	}
	if (ended)
		look_for_end(call, call->last_bye);
	if (call->over)
		return;
	if (call->deadline != NSEC_NONE && at >= call->deadline) {
		end_now(call, call->last_bye);
	} else if (!live && !call_pending(call) && (given_up || at - call->last >= ANSWER_WAIT)) {
		call->outcome = call->answered != NSEC_NONE ? CALL_ANSWERED
				: call->cancelled           ? CALL_CANCELLED
				: call->rang                ? CALL_UNANSWERED
							    : CALL_INCOMPLETE;
		end_now(call, call->ended);
	} else if (at - call->last >= IDLE_MAX) {
		end_now(call, call->ended);
	}
}
