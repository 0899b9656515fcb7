/*
 * offer: offers and answers (RFC 3264) wherever they stand (RFC 3261 13.2.1, RFC 3262 5, RFC 3311 5), on each hop by itself,
 * and what they say of media: where each side receives, and the keys it sends under (RFC 4568 5.1).
 */
#include "calls.h"
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

/* One side of an offer and answer. */
struct side {
	const struct sdp *sdp;
	enum toward toward; /* of media sent to who wrote it */
};

static enum toward side_of(bool caller)
{
	return caller ? TOWARD_CALLER : TOWARD_CALLEE;
}

static enum toward other_side(enum toward t)
{
	return t == TOWARD_CALLER ? TOWARD_CALLEE : TOWARD_CALLER;
}

/* A line that is there and not refused (RFC 3264 6); one on hold may have no address and still has keys. */
static const struct sdp_line *line_of(const struct sdp *s, size_t i)
{
	const struct sdp_line *l = s != NULL && i < s->line_count ? &s->lines[i] : NULL;

	return l != NULL && (l->rtp.family == 0 || l->rtp.port != 0) ? l : NULL;
}

/* Several lines may share one transport (RFC 8843): then a key is not bound to its line. */
static uint32_t key_line(const struct sdp_line *l, size_t i)
{
	return l->bundled ? UINT32_MAX : (uint32_t)i;
}

static bool none_supported(const struct sdp_line *l)
{
	for (size_t i = 0; i < l->crypto_count; i++)
		if (l->cryptos[i].suite != SUITE_UNSUPPORTED)
			return false;
	return l->crypto_count > 0;
}

static void add_formats(struct place *p, const struct sdp_line *l)
{
	for (size_t i = 0; i < l->format_count; i++) {
		bool known = false;

		for (size_t j = 0; j < p->format_count; j++)
			known |= p->formats[j].pt == l->formats[i].pt;
		if (!known && p->format_count < MEDIA_FORMATS)
			p->formats[p->format_count++] = l->formats[i];
	}
}

/* Where the writer of `own` receives, and at every address it may be reached by (RFC 8445). */
static void places(struct call_stage *c, struct call *call, const struct side *own, const struct sdp_line *other,
	size_t i, bool answered, bool unsupported, nsec_t at)
{
	const struct sdp_line *l = line_of(own->sdp, i);
	struct place p;

	memset(&p, 0, sizeof(p));
	if (l == NULL)
		return;
	p.line = (uint32_t)i;
	p.toward = own->toward;
	p.rtp = l->rtp;
	p.rtcp = l->rtcp;
	p.rtcp_mux = l->rtcp_mux;
	p.answered = answered;
	memcpy(p.kind, l->kind, sizeof(p.kind));
	memcpy(p.profile, l->profile, sizeof(p.profile));
	p.secure = l->secure;
	p.dtls = l->dtls;
	p.zrtp = l->zrtp;
	p.mikey = l->mikey;
	p.unsupported = unsupported;
	add_formats(&p, l);
	if (other != NULL)
		add_formats(&p, other);
	if (p.rtp.family != 0)
		say_place(c, call, &p, at);
	for (size_t j = 0; j < l->candidate_count; j++) {
		if (addr_equal(&l->candidates[j], &l->rtp))
			continue;
		p.rtp = l->candidates[j];
		p.rtcp = (struct addr){ 0 };
		say_place(c, call, &p, at);
	}
}

/* The keys of one a=crypto line: what its writer sends under. */
static void keys(struct call_stage *c, struct call *call, const struct side *own, const struct sdp_line *l, size_t i,
	const struct media_crypto *crypto, bool chosen, nsec_t at)
{
	struct key_given k;

	if (crypto->suite == SUITE_UNSUPPORTED)
		return;
	memset(&k, 0, sizeof(k));
	k.line = key_line(l, i);
	k.chosen = chosen;
	k.sender = l->rtp;
	k.toward = other_side(own->toward);
	for (size_t j = 0; j < crypto->key_count; j++) {
		k.key = crypto->keys[j];
		say_key(c, call, &k, at);
	}
	secret_wipe(&k, sizeof(k));
}

/* An offer: media may come at once, under any of its keys (RFC 4568 7.1.2). */
static void say_offer(struct call_stage *c, struct call *call, const struct side *offer, nsec_t at)
{
	for (size_t i = 0; i < offer->sdp->line_count; i++) {
		const struct sdp_line *l = line_of(offer->sdp, i);

		if (l == NULL)
			continue;
		places(c, call, offer, NULL, i, false, none_supported(l), at);
		for (size_t j = 0; j < l->crypto_count && !want_line(c, offer->sdp, NULL, i); j++)
			keys(c, call, offer, l, i, &l->cryptos[j], false, at);
	}
}

static bool same_suite(const struct media_crypto *a, const struct media_crypto *b)
{
	if (a->suite == SUITE_UNSUPPORTED)
		return b->suite == SUITE_UNSUPPORTED && strcmp(a->suite_name, b->suite_name) == 0;
	return a->suite == b->suite;
}

/* The offered line that the answer took: by tag; where tag and suite disagree, the suite decides. */
static const struct media_crypto *taken(const struct sdp_line *offer, const struct media_crypto *answer, bool *mismatch)
{
	const struct media_crypto *by_tag = NULL, *by_suite = NULL;

	for (size_t i = 0; i < offer->crypto_count; i++) {
		const struct media_crypto *o = &offer->cryptos[i];

		if (o->tag == answer->tag && by_tag == NULL)
			by_tag = o;
		if (same_suite(o, answer) && (by_suite == NULL || o->tag == answer->tag))
			by_suite = o;
	}
	*mismatch = by_tag != by_suite;
	return by_suite != NULL ? by_suite : by_tag;
}

static void say_line(struct call_stage *c, struct call *call, const struct side *offer, const struct side *answer,
	size_t i, bool final, nsec_t at)
{
	const struct sdp_line *o = line_of(offer->sdp, i), *a = line_of(answer->sdp, i);
	const struct media_crypto *mine, *theirs;
	bool unsupported, mismatch = false;

	if (o == NULL || a == NULL)
		return;
	theirs = a->crypto_count > 0 ? &a->cryptos[0] : NULL;
	mine = theirs != NULL ? taken(o, theirs, &mismatch) : NULL;
	unsupported = theirs != NULL ? theirs->suite == SUITE_UNSUPPORTED : none_supported(o);
	c->mismatches += mismatch;
	places(c, call, answer, o, i, true, unsupported, at);
	places(c, call, offer, a, i, final, unsupported, at);
	if (want_line(c, offer->sdp, answer->sdp, i))
		return;
	if (mine != NULL)
		keys(c, call, offer, o, i, mine, true, at);
	if (theirs != NULL)
		keys(c, call, answer, a, i, theirs, true, at);
}

/* final: no other answer can come, as it can to an INVITE that forks. */
static void say_answer(struct call_stage *c, struct call *call, const struct exchange *x, const struct side *offer,
	const struct side *answer, bool final, const struct sip_message *m)
{
	want_exchange(c, call, x, m, offer->sdp, answer->sdp, final);
	for (size_t i = 0; i < answer->sdp->line_count; i++)
		say_line(c, call, offer, answer, i, final, m->at);
}

static struct reply *reply_of(struct exchange *x, struct bytes tag)
{
	for (size_t i = 0; i < x->reply_count; i++)
		if (text_eq(x->replies[i].tag, tag))
			return &x->replies[i];
	return NULL;
}

/* The reply of this fork, with what it says now. NULL: nothing new. */
static struct reply *reply_keep(struct call_stage *c, struct exchange *x, const struct sip_message *m)
{
	struct reply *r = reply_of(x, m->to_tag);
	bool final = m->status >= 200;
	struct sdp *sdp;

	if (r != NULL && sdp_is(r->sdp, m) && r->final >= final)
		return NULL;
	sdp = sdp_new(m, &c->sdp_octets);
	if (sdp == NULL)
		return NULL;
	if (r == NULL && x->reply_count < REPLIES_MAX) {
		r = &x->replies[x->reply_count++];
		*r = (struct reply){ .tag = text_dup(m->to_tag) };
	} else if (r == NULL) { /* more forks than anybody has: the last gives way */
		r = &x->replies[REPLIES_MAX - 1];
		text_drop(r->tag);
		r->tag = text_dup(m->to_tag);
	}
	r->paired &= sdp_is(r->sdp, m);
	sdp_free(r->sdp);
	r->sdp = sdp;
	r->final = final;
	return r;
}

static bool flow_same_hosts(const struct flow *a, const struct flow *b)
{
	return addr_same_host(&a->src, &b->src) && addr_same_host(&a->dst, &b->dst);
}

/*
 * The INVITE whose response made an offer that this ACK or PRACK answers: of the same dialog (an ACK has the CSeq of its
 * INVITE), best on the same hop, for the flow of requests is the same then.
 */
static struct exchange *offered_by_reply(struct leg *leg, const struct sip_message *m, struct reply **reply)
{
	struct exchange *best = NULL;

	for (struct exchange *x = leg->exchanges; x != NULL; x = x->next) {
		struct reply *r = reply_of(x, m->to_tag);
		bool hop = flow_same_hosts(&x->flow, &m->datagram->flow);

		if (x->method != SIP_INVITE || !x->request_seen || x->request != NULL || r == NULL || r->sdp == NULL ||
			r->paired)
			continue;
		if (m->method == SIP_ACK && x->cseq != m->cseq)
			continue;
		if (best == NULL || hop) {
			best = x;
			*reply = r;
		}
		if (hop)
			break;
	}
	return best;
}

/* An answer in an ACK or PRACK. False: it answers nothing that we saw. */
static bool answer_in_request(struct call_stage *c, struct call *call, struct leg *leg, const struct sip_message *m)
{
	struct reply *r = NULL;
	struct exchange *x = offered_by_reply(leg, m, &r);
	struct sdp *sdp = x != NULL ? sdp_new(m, &c->sdp_octets) : NULL;

	if (sdp == NULL)
		return false;
	say_answer(c, call, x, &(struct side){ r->sdp, side_of(!x->from_caller) },
		&(struct side){ sdp, side_of(x->from_caller) }, true, m);
	r->paired = true;
	sdp_free(sdp);
	return true;
}

static void offer_in_request(struct call_stage *c, struct call *call, struct exchange *x, const struct sip_message *m)
{
	struct sdp *sdp;

	if (sdp_is(x->request, m))
		return;
	sdp = sdp_new(m, &c->sdp_octets);
	if (sdp == NULL)
		return;
	sdp_free(x->request);
	x->request = sdp;
	say_offer(c, call, &(struct side){ sdp, side_of(x->from_caller) }, m->at);
}

/* An SDP whose counterpart was not seen, or is still to come, counts as an offer. */
static void sdp_in_response(struct call_stage *c, struct call *call, struct exchange *x, const struct sip_message *m)
{
	struct reply *r;
	struct side reply = { .toward = side_of(!x->from_caller) };

	if (m->status <= 100 || m->status >= 300)
		return;
	r = reply_keep(c, x, m);
	if (r == NULL)
		return;
	reply.sdp = r->sdp;
	if (x->request != NULL)
		say_answer(c, call, x, &(struct side){ x->request, side_of(x->from_caller) }, &reply,
			r->final || x->method != SIP_INVITE, m);
	else
		say_offer(c, call, &reply, m->at);
	if (x->request == NULL && !x->request_seen) /* late: of the exchange there is no more than this */
		want_exchange(c, call, x, m, NULL, r->sdp, false);
}

/* A 2xx without SDP: what a provisional response answered is final now (RFC 3261 13.2.1). */
static void answered_before(struct call_stage *c, struct call *call, struct exchange *x, const struct sip_message *m)
{
	struct reply *r;

	if (x == NULL || m->request || m->status < 200 || m->status >= 300 || x->request == NULL)
		return;
	r = reply_of(x, m->to_tag);
	if (r != NULL && r->sdp != NULL)
		want_exchange(c, call, x, m, x->request, r->sdp, true);
}

void offer_take(
	struct call_stage *c, struct call *call, struct leg *leg, struct exchange *x, const struct sip_message *m)
{
	if (!m->has_sdp) {
		answered_before(c, call, x, m);
		return;
	}
	if (m->request && (m->method == SIP_ACK || m->method == SIP_PRACK) && answer_in_request(c, call, leg, m))
		return;
	if (x == NULL)
		return;
	if (m->request)
		offer_in_request(c, call, x, m);
	else
		sdp_in_response(c, call, x, m);
}
