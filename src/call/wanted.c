/*
 * wanted: keys of KMSs that exchanges of offer and answer want (RFC 4567, RFC 6043): each answer that completes one wants the key
 * of its leg, once, however often and on however many hops it is seen; what became of it goes to the places, and is a fact.
 */
#include "wants.h"

#include "otway/base/text.h"

/* The data types of messages with tickets (RFC 6043 9); those below carry their keys themselves (RFC 3830 6.1). */
enum { MIKEY_TYPE_AT = 1, MIKEY_TICKETS_FROM = 11, MIKEY_TICKETS_UNTIL = 18 };

/* A message that a KMS has the key of. */
static bool of_kms(const struct sdp_token *t)
{
	return t->protocol != KEY_MGMT_MIKEY ||
	       (t->octets.len > MIKEY_TYPE_AT && t->octets.at[MIKEY_TYPE_AT] >= MIKEY_TICKETS_FROM &&
		       t->octets.at[MIKEY_TYPE_AT] <= MIKEY_TICKETS_UNTIL);
}

/* The message of that protocol for a line (or the session's, or for the session any); NULL: none that a KMS has the key of. */
static const struct sdp_token *token_of(const struct sdp *s, enum key_mgmt protocol, uint32_t line)
{
	const struct sdp_token *found = NULL;

	for (size_t i = 0; s != NULL && i < s->token_count; i++) {
		const struct sdp_token *t = &s->tokens[i];

		if (t->protocol != protocol || !of_kms(t))
			continue;
		if (t->line == line)
			return t;
		if (t->line == UINT32_MAX || (line == UINT32_MAX && found == NULL))
			found = t;
	}
	return found;
}

static bool has_token(const struct sdp *s, uint32_t line)
{
	return token_of(s, KEY_MGMT_MIKEY, line) != NULL || token_of(s, KEY_MGMT_OTWAY_REES, line) != NULL;
}

/* An answered line that is encrypted and says nothing of how. */
static bool line_unsaid(const struct sdp *answer, size_t i)
{
	const struct sdp_line *l = i < answer->line_count ? &answer->lines[i] : NULL;

	return l != NULL && l->secure && l->crypto_count == 0 && !l->dtls && !has_token(answer, (uint32_t)i) &&
	       (l->rtp.family == 0 || l->rtp.port != 0);
}

bool want_line(const struct call_stage *c, const struct sdp *offer, const struct sdp *answer, size_t i)
{
	if (!c->kms)
		return false;
	if (answer == NULL)
		return has_token(offer, (uint32_t)i);
	return has_token(answer, (uint32_t)i) || (has_token(offer, (uint32_t)i) && line_unsaid(answer, i));
}

static bool diverted_by(const struct call *call, const struct identity *id)
{
	for (size_t i = 0; i < call->diversion_count; i++)
		if (identity_same(&call->diverted[i].by, id))
			return true;
	return false;
}

/*
 * Who answers names itself (RFC 3325 9.1), unless that is whom the call left; else it is whom the call was diverted to last,
 * or the callee.
 */
static struct bytes who_answers(const struct call *call, const struct sip_message *m)
{
	const struct sip_party *p = !m->request ? sip_party_of(m, SIP_HEADER_PAI) : NULL;

	if (p != NULL && !party_anonymous(p) && !diverted_by(call, &p->id))
		return uri_bare(p->uri);
	for (size_t i = call->diversion_count; i-- > 0;)
		if (call->diversions[i].to != NULL)
			return bytes_of(call->diversions[i].to);
	return bytes_of(call->callee);
}

/* What a=crypto of the lines says beside it. */
static void claim(struct want *w, const struct sdp *s)
{
	for (size_t i = 0; s != NULL && i < s->line_count; i++) {
		const struct sdp_line *l = &s->lines[i];

		if (w->wanted.line != UINT32_MAX && w->wanted.line != i)
			continue;
		for (size_t j = 0; j < l->crypto_count && w->claimed_count < CLAIMS_MAX; j++)
			if (l->cryptos[j].key_count > 0)
				w->claimed[w->claimed_count++] = l->cryptos[j].keys[0];
	}
}

static void want(struct call_stage *c, struct call *call, const struct exchange *x, const struct sip_message *m,
	const struct sdp_token *offer, const struct sdp_token *answer, const struct sdp *both[2])
{
	const struct sdp_token *t = offer != NULL ? offer : answer;
	struct key_wanted like = {
		.line = answer != NULL ? answer->line : t->line,
		.at = m->at,
		.protocol = t->protocol,
		.answered = who_answers(call, m),
		.call_id = m->call_id,
		.from_tag = x->from_caller ? m->from_tag : m->to_tag,
		.to_tag = x->from_caller ? m->to_tag : m->from_tag,
	};
	struct want *w;

	if (offer != NULL)
		like.offer = offer->octets;
	if (answer != NULL)
		like.answer = answer->octets;
	w = want_new(c, call, &like);
	if (w == NULL)
		return;
	claim(w, both[1]);
	claim(w, both[0]);
}

static bool any_unsaid(const struct sdp *answer, uint32_t line)
{
	if (line != UINT32_MAX)
		return line_unsaid(answer, line);
	for (size_t i = 0; i < answer->line_count; i++)
		if (line_unsaid(answer, i))
			return true;
	return false;
}

void want_exchange(struct call_stage *c, struct call *call, const struct exchange *x, const struct sip_message *m,
	const struct sdp *offer, const struct sdp *answer, bool final)
{
	const struct sdp *both[2] = { offer, answer };

	if (!c->kms)
		return;
	for (size_t i = 0; i < answer->token_count; i++) {
		const struct sdp_token *a = &answer->tokens[i];
		const struct sdp_token *o = token_of(offer, a->protocol, a->line);

		if (of_kms(a) && (offer == NULL || o != NULL))
			want(c, call, x, m, o, a, both);
	}
	for (size_t i = 0; final && offer != NULL && i < offer->token_count; i++)
		if (of_kms(&offer->tokens[i]) && any_unsaid(answer, offer->tokens[i].line))
			want(c, call, x, m, &offer->tokens[i], NULL, both);
}

/* The first taker of the call's media at that moment. */
static const struct taker *taker_at(const struct call *call, nsec_t at)
{
	for (size_t i = 0; i < call->cover_count; i++) {
		if (at < call->covers[i].from || at >= call->covers[i].until)
			continue;
		for (size_t j = 0; j < call->taker_count; j++)
			if (call->takers[j]->number == call->covers[i].warrant)
				return call->takers[j];
	}
	return NULL;
}

/* The target as it was asserted, else as it was named first. */
static struct bytes target_of(const struct taker *t)
{
	const struct call_match *best = t->match_count > 0 ? &t->matches[0] : NULL;

	for (size_t i = 0; i < t->match_count; i++)
		if (t->matches[i].header == SIP_HEADER_PAI && best->header != SIP_HEADER_PAI)
			best = &t->matches[i];
	return best != NULL ? uri_bare(bytes_of(best->value)) : (struct bytes){ NULL, 0 };
}

static void say(struct call_stage *c, struct call *call, struct want *w, const struct taker *t)
{
	struct key_wanted *k = &w->wanted;

	w->said = true;
	k->number = ++c->want_numbers;
	k->call = call->number;
	k->warrant = t->number;
	k->target = target_of(t);
	if (text_begins(k->target, "tel:"))
		k->target_sip = bytes_of(t->sip);
	k->from = bytes_of(call->caller);
	k->to = bytes_of(call->callee);
	k->signalled = bytes_of(call->kms_signalled != NULL ? call->kms_signalled : t->kms);
	fact_add(c, call, w);
	if (table_put(c->wants, want_key(&k->number), call)) {
		steps_wanted(&c->steps, k->at, k);
		return;
	}
	w->answered = true;
	w->reason = SEAL_NO_KEY;
	c->dropped++;
}

void wants_tell(struct call_stage *c, struct call *call, nsec_t at)
{
	const struct taker *t = NULL;
	bool told = false;

	for (size_t i = 0; call->covered && i < call->want_count; i++) {
		if (call->wants[i]->said)
			continue;
		if (t == NULL && (t = taker_at(call, at)) == NULL)
			return;
		say(c, call, call->wants[i], t);
		told = true;
	}
	if (!told)
		return;
	call->over_said = false;
	say_marks(c, call, at);
}

void wants_again(struct call_stage *c, struct call *into, const struct call *from)
{
	for (size_t i = 0; i < from->want_count; i++) {
		const struct want *w = from->wants[i];
		struct want *copy = want_new(c, into, &w->wanted);

		if (copy == NULL)
			continue;
		memcpy(copy->claimed, w->claimed, sizeof(copy->claimed));
		copy->claimed_count = w->claimed_count;
	}
	if (into->kms_signalled == NULL && from->kms_signalled != NULL)
		into->kms_signalled = call_text(into, bytes_of(from->kms_signalled));
}

bool wants_pending(const struct call *call, nsec_t at)
{
	for (size_t i = 0; i < call->want_count; i++)
		if (call->wants[i]->said && !call->wants[i]->answered && at - call->last < WANT_MAX)
			return true;
	return false;
}

void wants_over(struct call_stage *c, struct call *call, nsec_t at, bool whatever)
{
	if (call->kms_count == 0 || call->over_said || (!whatever && wants_pending(call, at)))
		return;
	call->over_said = true;
	steps_over(&c->steps, call->number, at);
}
