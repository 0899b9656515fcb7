/*
 * diversion: who sent the call on to whom, and why: History-Info (RFC 7044, cause of RFC 4458 and TS 24.604), Diversion
 * (RFC 5806, mapped by RFC 7544), and the flow itself: a 302 followed by an INVITE to its Contact, or a 181 alone.
 */
#include "calls.h"

#include "otway/base/text.h"

static const struct {
	uint16_t cause;     /* the URI parameter */
	const char *reason; /* of Diversion; "" none of its own */
	const char *service;
} services[] = {
	{ 302, "unconditional", "CFU" },
	{ 486, "user-busy", "CFB" },
	{ 408, "no-answer", "CFNR" },
	{ 404, "unknown", "CFNL" },
	{ 480, "deflection", "CD" },
	{ 487, "", "CD" },
	{ 503, "unavailable", "CFNRc" },
};

#define SERVICES             (sizeof(services) / sizeof(services[0]))
#define CAUSE_SERVICE_NUMBER 380 /* RFC 8119: a number was translated, nobody diverted */

static const char *service_of_cause(uint16_t cause)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (services[i].cause == cause)
			return services[i].service;
	return "unknown";
}

static const char *service_of_reason(struct bytes reason)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (services[i].reason[0] != '\0' && text_is(reason, services[i].reason))
			return services[i].service;
	return "unknown";
}

/* The response that ended an attempt, as an embedded Reason tells it: not the same table, a 302 is the callee's own. */
static const char *service_of_response(uint16_t status)
{
	switch (status) {
	case 302:
		return "CD";
	case 486:
	case 600:
		return "CFB";
	case 408:
		return "CFNR";
	case 404:
		return "CFNL";
	case 503:
		return "CFNRc";
	default:
		return "unknown";
	}
}

/* The cause stands in an embedded ?Reason: it tells how this entry ended, not how it was reached. */
static bool cause_is_response(const struct sip_party *p)
{
	struct bytes headers, main = text_cut(p->uri, '?', &headers);

	if (headers.len == 0)
		return false;
	for (size_t i = 0; i + 7 <= main.len; i++)
		if (text_begins(bytes_part(main, i, main.len), ";cause="))
			return false;
	return true;
}

static const struct sip_party *history_at(const struct sip_message *m, struct bytes index)
{
	for (size_t i = 0; index.len > 0 && i < m->party_count; i++)
		if (m->parties[i].header == SIP_HEADER_HISTORY && bytes_equal(m->parties[i].index, index))
			return &m->parties[i];
	return NULL;
}

/* The first entry after `of` that was reached from it, or that stands beside it (another target of the same parent). */
static const struct sip_party *history_after(const struct sip_message *m, const struct sip_party *of, bool beside)
{
	for (size_t i = (size_t)(of - m->parties) + 1; i < m->party_count; i++) {
		const struct sip_party *p = &m->parties[i];

		if (p->header == SIP_HEADER_HISTORY && p->index.len > 0 &&
			(bytes_equal(p->parent, of->index) || (beside && bytes_equal(p->parent, of->parent))))
			return p;
	}
	return NULL;
}

static void seen_add(struct diversion_seen out[DIVERSIONS_MAX], size_t *count, struct diversion_seen d)
{
	if (*count < DIVERSIONS_MAX)
		out[(*count)++] = d;
}

static size_t read_history(const struct sip_message *m, struct diversion_seen out[DIVERSIONS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < m->party_count; i++) {
		const struct sip_party *p = &m->parties[i], *other;

		if (p->header != SIP_HEADER_HISTORY || p->cause == 0 || p->cause == CAUSE_SERVICE_NUMBER)
			continue;
		if (!cause_is_response(p)) {
			other = history_at(m, p->parent);
			seen_add(
				out, &count, (struct diversion_seen){ other, p, service_of_cause(p->cause), p->cause });
			continue;
		}
		other = history_after(m, p, true);
		if (other != NULL && (other->cause == 0 || cause_is_response(other)))
			seen_add(out, &count,
				(struct diversion_seen){ p, other, service_of_response(p->cause), p->cause });
	}
	return count;
}

static bool history_names(const struct diversion_seen *seen, size_t count, const struct identity *by)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i].by != NULL && identity_same(&seen[i].by->id, by))
			return true;
	return false;
}

/* Whom an INVITE goes to, as far as it is not a mere contact. */
static const struct sip_party *goes_to(const struct sip_message *m)
{
	const struct sip_party *p = sip_party_of(m, SIP_HEADER_PCPID);

	return p != NULL ? p : sip_party_of(m, SIP_HEADER_REQUEST_URI);
}

/* Where a diverting party of Diversion sent the call: History-Info may know though it gives no cause. */
static const struct sip_party *diverted_to(
	const struct sip_message *m, const struct sip_party *by, const struct sip_party *next)
{
	for (size_t i = 0; i < m->party_count; i++) {
		const struct sip_party *p = &m->parties[i];
		const struct sip_party *child;

		if (p->header != SIP_HEADER_HISTORY || !identity_same(&p->id, &by->id))
			continue;
		child = history_after(m, p, false);
		if (child != NULL)
			return child;
	}
	return next != NULL ? next : goes_to(m);
}

/* Topmost is latest (RFC 5806 4), so it is read from the bottom up. */
static void read_diversion(const struct sip_message *m, struct diversion_seen out[DIVERSIONS_MAX], size_t *count)
{
	size_t of_history = *count;

	for (size_t i = m->party_count; i-- > 0;) {
		const struct sip_party *p = &m->parties[i], *next = NULL;

		if (p->header != SIP_HEADER_DIVERSION || history_names(out, of_history, &p->id))
			continue;
		for (size_t j = i; j-- > 0 && next == NULL;)
			if (m->parties[j].header == SIP_HEADER_DIVERSION)
				next = &m->parties[j];
		seen_add(out, count,
			(struct diversion_seen){ p, diverted_to(m, p, next), service_of_reason(p->reason), 0 });
	}
}

size_t diversions_read(const struct sip_message *m, struct diversion_seen out[DIVERSIONS_MAX])
{
	const struct sip_party *uri = sip_party_of(m, SIP_HEADER_REQUEST_URI);
	size_t count;

	if (!m->request)
		return 0;
	count = read_history(m, out);
	read_diversion(m, out, &count);
	if (count == 0 && uri != NULL && uri->cause != 0 && uri->cause != CAUSE_SERVICE_NUMBER)
		seen_add(out, &count, (struct diversion_seen){ NULL, uri, service_of_cause(uri->cause), uri->cause });
	return count;
}

static bool same_or_none(const struct identity *a, const struct identity *b)
{
	return (a->uri[0] == '\0' && a->number[0] == '\0') || (b->uri[0] == '\0' && b->number[0] == '\0') ||
	       identity_same(a, b);
}

/* The same diversion as one that is known: later hops repeat it, with a contact for the one it goes to. */
static bool is_known(
	const struct call *call, const struct diversion_seen *d, const struct identity *by, const struct identity *to)
{
	for (size_t i = 0; i < call->diversion_count; i++) {
		const struct diverted *known = &call->diverted[i];
		bool party = identity_same(&known->by, by) || (d->by == NULL && known->by.uri[0] == '\0');

		if (known->guessed || !party || strcmp(call->diversions[i].service, d->service) != 0)
			continue;
		if (same_or_none(&known->to, to) || d->cause == 0)
			return true;
	}
	return false;
}

/* A guess gives way: one for the same party, or a 181 that said nothing; else there is room at the end. */
static size_t place_for(const struct call *call, const struct identity *by)
{
	size_t place = call->diversion_count;

	for (size_t i = 0; i < call->diversion_count; i++) {
		if (!call->diverted[i].guessed)
			continue;
		if (same_or_none(&call->diverted[i].by, by))
			return i;
		if (call->diversions[i].to == NULL)
			place = i;
	}
	return place;
}

static void diversion_put(struct call *call, struct call_diversion d, struct diverted who)
{
	size_t i = place_for(call, &who.by);

	if (i == call->diversion_count && !call_has_room_to_divert(call))
		return;
	if (i == call->diversion_count)
		call->diversion_count++;
	else if (who.at > call->diverted[i].at)
		who.at = call->diverted[i].at;
	call->diversions[i] = d;
	call->diverted[i] = who;
	call->changed = true;
}

static void learn_signalled(struct call *call, const struct sip_message *m)
{
	struct diversion_seen seen[DIVERSIONS_MAX];
	size_t count = diversions_read(m, seen);

	for (size_t i = 0; i < count; i++) {
		const struct diversion_seen *d = &seen[i];
		struct diverted who = { .at = m->at };
		struct bytes by = { NULL, 0 }, to = { NULL, 0 };

		if (d->by != NULL) {
			who.by = d->by->id;
			by = uri_bare(d->by->uri);
		} else { /* a cause in the Request-URI alone: who was called before sent it on */
			who.by = call->callee_id;
			by = bytes_of(call->callee);
		}
		if (d->to != NULL) {
			who.to = d->to->id;
			to = uri_bare(d->to->uri);
		}
		if (is_known(call, d, &who.by, &who.to) || !call_has_room_to_divert(call))
			continue;
		diversion_put(call,
			(struct call_diversion){ d->service, d->cause, call_text(call, by), call_text(call, to) }, who);
	}
}

/* It is known already that this party sent the call on, and where to unless any guess will do. */
static bool diverts(const struct call *call, const struct identity *by, bool guess)
{
	for (size_t i = 0; i < call->diversion_count; i++)
		if ((guess || call->diversions[i].to != NULL) && same_or_none(&call->diverted[i].by, by))
			return true;
	return false;
}

/* Who has the call now: the last it was diverted to, or the callee. */
static const struct identity *holder(const struct call *call, const char **text)
{
	size_t n = call->diversion_count;

	if (n > 0 && call->diversions[n - 1].to != NULL) {
		*text = call->diversions[n - 1].to;
		return &call->diverted[n - 1].to;
	}
	*text = call->callee;
	return &call->callee_id;
}

/* An INVITE follows a 302: to its Contact, or from the one who got it. */
static void learn_redirect(struct call *call, const struct sip_message *m)
{
	struct redirect *r = &call->redirect;
	const struct sip_party *uri = sip_party_of(m, SIP_HEADER_REQUEST_URI);
	struct diverted who = { .by = r->by, .to = r->to, .at = m->at, .guessed = true };

	if (r->to_text == NULL)
		return;
	if (!diverts(call, &r->by, false) &&
		((uri != NULL && identity_same(&uri->id, &r->to)) || addr_same_host(&r->told, &m->datagram->flow.src)))
		diversion_put(call, (struct call_diversion){ "CD", 0, r->by_text, r->to_text }, who);
	r->to_text = NULL;
}

static void learn_response(struct call *call, const struct sip_message *m)
{
	const struct sip_party *contact = sip_party_of(m, SIP_HEADER_CONTACT);
	const char *by;
	const struct identity *who = holder(call, &by);

	if (m->status == 181 && !diverts(call, who, true))
		diversion_put(call, (struct call_diversion){ "unknown", 0, by, NULL },
			(struct diverted){ .by = *who, .at = m->at, .guessed = true });
	if (m->status >= 300 && m->status < 400 && contact != NULL)
		call->redirect = (struct redirect){
			.told = m->datagram->flow.dst,
			.by = *who,
			.by_text = by,
			.to = contact->id,
			.to_text = call_text(call, uri_bare(contact->uri)),
		};
}

void diversion_learn(struct call *call, const struct sip_message *m)
{
	if (m->method != SIP_INVITE && !sip_method_cut(m))
		return;
	if (!m->request) {
		if (call->answered == NSEC_NONE)
			learn_response(call, m);
	} else if (sip_is_initial(m)) {
		learn_signalled(call, m);
		learn_redirect(call, m);
	}
}
